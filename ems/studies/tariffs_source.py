"""Where a comparison of tariffs gets its site, meter and tariffs from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import xarray as xr

from ems.assets.grid_connection import GridConnection
from ems.assets.portfolio import Portfolio
from ems.assets.prices import PRICES
from ems.display import Card, Shown, counted, shown_time
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import shown_path
from ems.horizon import Horizon
from ems.series.form import Need
from ems.tariffs.tariff import Tariff
from ems.yaml_text import read_yaml

if TYPE_CHECKING:
    from ems.tariffs.demand_charge import DemandCharge


@dataclass(frozen=True, repr=False)
class MeteredSite(Shown):
    """A site behind one meter, and the tariffs that it might have.

    Parameters
    ----------
    portfolio : Portfolio
        The site's assets alone.
    connection : GridConnection
        The one whose meter is billed.
    tariffs : tuple of Tariff
    horizon : Horizon
        Time that is billed.
    series : Dataset (time, asset)
        Demand, available power, and the market's price where it is known, on the horizon's steps.
    """

    portfolio: Portfolio
    connection: GridConnection
    tariffs: tuple[Tariff, ...]
    horizon: Horizon
    series: xr.Dataset

    def caption(self) -> str:
        """Return what it is about."""
        return f"{self.connection.name} under {counted(len(self.tariffs), 'tariff')}, {self.horizon.caption()}"

    def card(self) -> Card:
        """Return the time that is billed, the tariffs and the assets."""
        zone = ZoneInfo(self.timezone)
        begin, end = (shown_time(one.astimezone(zone)) for one in (self.horizon.start, self.horizon.end))
        tariffs = ", ".join(one.name for one in self.tariffs)
        assets = ", ".join(one.name for one in self.portfolio.assets)
        return Card(
            f"What the meter of {self.connection.name} saw",
            [("begins", begin), ("ends", end), ("assets", assets), ("tariffs", tariffs)],
        )

    @property
    def timezone(self) -> str:
        """Time zone of the site, whose clock its tariffs go by."""
        return self.portfolio.site(self.connection.site_id).timezone


def connection_of(portfolio: Portfolio, wanted: str | None) -> GridConnection:
    """Return the grid connection of an id, or the only one.

    Raises
    ------
    InvalidInput
        If there is no such connection, or none, or another one at its site, as one meter would not see all of it.
    """
    known = {asset.id: asset for asset in portfolio.active() if isinstance(asset, GridConnection)}
    if wanted is not None and wanted not in known:
        raise InvalidInput(f"connection = {show(wanted)}", f"no such grid connection; {did_you_mean(wanted, known)}")
    if wanted is None and len(known) != 1:
        words = f"are {', '.join(map(show, known))}; name one of them" if known else "is none; a tariff bills one"
        raise InvalidInput("connection = nothing", f"of grid connections there {words}")
    found = known[wanted] if wanted is not None else next(iter(known.values()))
    beside = [one.id for one in known.values() if one.site_id == found.site_id and one.id != found.id]
    if beside:
        raise InvalidInput(
            f"connection = {show(found.id)}",
            f"site {show(found.site_id)} has {show(beside[0])}, too, and which of them takes what only a plan can say",
        )
    return found


def needs_of(portfolio: Portfolio, connection: GridConnection, tariffs: Sequence[Tariff]) -> list[Need]:
    """Return the series that a comparison reads: what assets follow, and what tariffs ask of the connection."""
    needs = []
    for asset in portfolio.active():
        needs += [Need(name, asset.id) for name in asset.series_needed if name not in PRICES]
        needs += [Need(name, asset.id, is_required=False) for name in asset.series_optional]
    # A tariff whose series is absent is left out of the comparison, with the reason.
    wanted = [name for tariff in tariffs for charge in tariff.demand_charges for name in charge.series_names]
    if any(tariff.price_series for tariff in tariffs):
        wanted.append("import_price_per_kwh")
    known = {(need.variable, need.asset) for need in needs}
    extra = [name for name in dict.fromkeys(wanted) if (name, connection.id) not in known]
    return [*needs, *(Need(name, connection.id, is_required=False) for name in extra)]


def given_series(series: xr.Dataset, connection: GridConnection, charges: Sequence[DemandCharge]) -> dict[str, Any]:
    """Return the series that replace the calendar of demand charges, by name.

    Raises
    ------
    InvalidInput
        If one of them is not in the series file.
    """
    found = {}
    for charge in charges:
        for name in charge.series_names:
            if name not in series or connection.id not in series.asset.values:
                raise InvalidInput(
                    f"demand charge '{charge.name}'", f"the series {name} of '{connection.id}' is not given; give it"
                )
            found[name] = series[name].sel(asset=connection.id).to_numpy()
    return found


def read_tariffs(path: Path, portfolio: Portfolio) -> tuple[Tariff, ...]:
    """Return the tariffs of a file.

    Parameters
    ----------
    path : Path
        YAML or JSON with a list ``tariffs`` of tariffs as in a site file, or rates of the Utility Rate Database: one,
        or a list ``items``.
    portfolio : Portfolio
        Its currency is the tariffs'.

    Raises
    ------
    InvalidInput
        If the file or any tariff in it cannot be used; all findings at once.
    """
    where = shown_path(path)
    given = read_yaml(path, where)
    tariffs: list[Tariff] = []
    findings: list[str] = []
    entries = _entries(given, where)
    for number, entry in enumerate(entries, 1):
        try:
            tariffs.append(_tariff_of(entry))
        except InvalidInput as error:
            findings += [f"{number}: {error.subject}: {finding}" for finding in error.findings]
    for one in tariffs:
        if one.currency not in (None, portfolio.currency):
            findings.append(f"tariff '{one.id}': currency = '{one.currency}': the portfolio's is {portfolio.currency}")
    ids = [one.id for one in tariffs]
    if len(set(ids)) < len(ids):
        findings.append(f"two tariffs have the id {show(max(ids, key=ids.count))}; ids are unique")
    if not entries:
        findings.append("has no tariffs in it")
    if findings:
        raise InvalidInput(f"the tariffs in {where}", findings)
    return tuple(tariffs)


def _entries(given: Mapping[str, Any], where: str) -> list[Any]:
    """Return the tariffs of a file as they are written there."""
    for name in ("tariffs", "items"):
        if name in given:
            entries = given[name]
            if not isinstance(entries, list):
                raise InvalidInput(where, f"{name} = {show(entries)}: must be a list")
            return entries
    return [given]


def _tariff_of(entry: Any) -> Tariff:
    """Return one tariff, whichever way it is written."""
    from ems.tariffs.urdb import tariff_from_urdb

    if not isinstance(entry, dict):
        raise InvalidInput(f"entry {show(entry)}", "must be lines of 'name: value'")
    names = {str(name).lower() for name in entry}
    if names & {"energyratestructure", "demandratestructure", "flatdemandstructure"}:
        return tariff_from_urdb(entry)
    return Tariff(**{str(name): value for name, value in entry.items()})
