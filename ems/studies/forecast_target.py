"""Target: which series a forecast is of, and what is known of it before any value is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ems.assets.portfolio import Portfolio, Site
from ems.errors import InvalidInput, did_you_mean, show
from ems.units import unit_of

if TYPE_CHECKING:
    from ems.forecast.history import Kind
    from ems.studies.history_study import HistoryStudy

MEASURED: Mapping[str, tuple[Kind, str]] = {
    "load": ("load", "demand_kw"),
    "solar_pv": ("solar", "available_kw"),
    "wind_turbine": ("wind", "available_kw"),
    "grid_connection": ("price", "import_price_per_kwh"),
}
"""Kinds of assets that have something to forecast: what, and the variable that is measured of it."""


@dataclass(frozen=True)
class Target:
    """What is forecast.

    Parameters
    ----------
    variable : str
        Name of the series: a variable of an asset, or a column.
    kind : str
    asset : object or None
        The asset; None of a column.
    site : Site or None
        Where it is.
    unit : str or None
        None where neither name nor study tells it.
    timezone : str or None
        None where only the database knows it.
    country : str or None
        Whose holidays count.
    portfolio : Portfolio or None
    notes : tuple of str
        What was assumed.
    """

    variable: str
    kind: Kind
    asset: Any = None
    site: Site | None = None
    unit: str | None = None
    timezone: str | None = None
    country: str | None = None
    portfolio: Portfolio | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def asset_id(self) -> str:
        """Id of the asset, or an empty text."""
        return self.asset.id if self.asset is not None else ""

    @property
    def label(self) -> str:
        """What people call it: the asset's name, else the column's."""
        return self.asset.name if self.asset is not None else self.variable

    @property
    def rated(self) -> float | None:
        """Highest value by the asset's fields; None where no field bounds it."""
        if self.kind == "load" and self.asset is not None:
            return float(self.asset.rated_load_kw)
        if self.kind in ("solar", "wind") and self.asset is not None:
            return float(min(self.asset.rated_capacity_kw, getattr(self.asset, "ac_capacity_kw", float("inf"))))
        return None

    @property
    def rated_field(self) -> str:
        """Field of the asset that bounds it, for messages."""
        return "rated_load_kw" if self.kind == "load" else "rated capacity"


def target_of(study: HistoryStudy, portfolio: Portfolio | None) -> Target:
    """Return what a study forecasts.

    Parameters
    ----------
    study : HistoryStudy
    portfolio : Portfolio, optional
        Of the site file or the register, where there is one.

    Raises
    ------
    InvalidInput
        If there is no such asset, several would do, or its kind is another than the study's.
    """
    if study.column is not None or portfolio is None:
        assert study.column is not None and study.kind is not None, "a study without a site names column and kind"
        site = portfolio.sites[0] if portfolio is not None else None
        return _at(Target(study.column, study.kind, site=site, portfolio=portfolio), study)
    asset = _asset_of(portfolio, study.asset)
    kind, variable = MEASURED[asset.kind]
    if study.kind not in (None, kind):
        raise InvalidInput(
            f"kind = {show(study.kind)}",
            f"of {asset.kind} {show(asset.id)} {variable} is forecast, which is of kind {kind}; leave kind out",
        )
    return _at(Target(variable, kind, asset, portfolio.site(asset.site_id), portfolio=portfolio), study)


def _asset_of(portfolio: Portfolio, wanted: str | None) -> Any:
    """Return the asset of an id, or the only load."""
    known = {asset.id: asset for asset in portfolio.assets if asset.kind in MEASURED}
    if wanted is None:
        loads = [one for one in portfolio.active() if one.kind == "load"]
        if len(loads) == 1:
            return loads[0]
        words = f"are {', '.join(show(one.id) for one in loads)}" if loads else "is none"
        others = ", ".join(show(name) for name in known)
        raise InvalidInput("asset = nothing", f"of loads there {words}; name one asset of {others or 'another site'}")
    if wanted in known:
        return known[wanted]
    there = next((asset for asset in portfolio.assets if asset.id == wanted), None)
    if there is not None:
        raise InvalidInput(
            f"asset = {show(wanted)}", f"is a {there.kind}, of which nothing is forecast; {did_you_mean('', known)}"
        )
    raise InvalidInput(f"asset = {show(wanted)}", f"no such asset; {did_you_mean(wanted, known)}")


def _at(target: Target, study: HistoryStudy) -> Target:
    """Return a target with its unit, time zone and country: those of the study, else those of the site."""
    from dataclasses import replace

    site, country, notes = target.site, study.country, list[str]()
    if country is None and site is not None and site.country is not None:
        country = _country_of(site)
    if country is None:
        notes.append("no country is stated: public holidays count as ordinary days")
    currency = target.portfolio.currency if target.portfolio is not None else "currency"
    unit = study.unit or unit_of(target.variable, currency)
    if study.unit is None and target.kind == "price" and unit is not None and "/" not in unit:
        unit = None  # price_eur_mwh names what a price is of, not its unit
    zone = study.timezone or (site.timezone if site is not None else None)
    return replace(target, unit=unit, timezone=zone, country=country, notes=tuple(notes))


def _country_of(site: Site) -> str | None:
    """Return the country whose holidays count at a site, with its part where holidays are known of it."""
    from ems.forecast.calendar import holidays_of

    if site.state_province is not None:
        part = f"{site.country}-{site.state_province}"
        try:
            holidays_of(part, 2024, 2024)
        except InvalidInput:
            pass  # a name rather than a code, or a part without holidays of its own
        else:
            return part
    try:
        holidays_of(str(site.country), 2024, 2024)
    except InvalidInput:
        return None
    return site.country
