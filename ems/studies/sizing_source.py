"""Where a sizing gets its site, its equipment of any size, and the time that stands for a year."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.portfolio import AnyAsset, Portfolio, read_portfolio
from ems.assets.prices import PRICES, series_needs, with_prices
from ems.assets.solar_pv import SolarPV
from ems.assets.tariff_terms import has_more_than_prices
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.sizing import SIZES, SizedAssets
from ems.dispatch.sizing_search import SizeRange
from ems.display import Card, Shown, field_words, shown_number, shown_value
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.series.cutting import cut_series, start_of, step_of
from ems.series.reading import read_series
from ems.studies.register_source import narrowed
from ems.studies.study import start_in
from ems.studies.tariffs_source import connection_of

if TYPE_CHECKING:
    from ems.studies.sizing import SizingStudy

KindT = TypeVar("KindT", Battery, SolarPV)
HOURS_PER_A = 8760
NEAR_A_YEAR_H = 24
"""A leap year is a year, too."""
USUAL_ROUND_TRIP, USUAL_WEAR_PER_KWH = 0.9, 0.01
TECHNOLOGY = ("charge_efficiency", "discharge_efficiency", "standing_loss_per_h", "min_soc", "max_soc")
"""What a battery of any size takes over from the site file's."""
SIZELESS = (
    "charge_taper", "discharge_taper", "max_cycles_per_d", "cycle_depth_segments", "soc_targets", "drain_kw",
    "auxiliary_load_kw", "ramp_up_rate_kw_per_s", "ramp_down_rate_kw_per_s", "continuous_charge_kw",
    "continuous_discharge_kw", "charge_cost_per_kwh", "holding_cost_per_kwh_h", "final_energy_value_per_kwh",
)  # fmt: skip
"""What would act in a dispatch, but is not known of a battery of another size."""


@dataclass(frozen=True, repr=False)
class SizingCase(Shown):
    """A site whose equipment is sized.

    Parameters
    ----------
    portfolio : Portfolio
        The site with the largest battery, solar roof and connection that are looked at.
    horizon : Horizon
        The time that stands for a year.
    series : Dataset (time, asset)
        Those of the largest solar roof; with prices.
    sized : SizedAssets
    ranges : tuple of SizeRange
        In the order of `ems.dispatch.sizing.SIZES`, as equipment is bought: when new.
    years_per_horizon : float
        What an amount of the horizon is multiplied by to be one of a year.
    notes : tuple of str
        What was assumed or left out.
    """

    portfolio: Portfolio
    horizon: Horizon
    series: xr.Dataset
    sized: SizedAssets
    ranges: tuple[SizeRange, ...]
    years_per_horizon: float
    notes: tuple[str, ...]

    def caption(self) -> str:
        """Return what it is about."""
        return f"Sizing over {self.horizon.caption()}"

    def card(self) -> Card:
        """Return the ranges of sizes and the time that stands for a year."""
        rows = [
            (field_words(name), f"{shown_number(one.lowest)} to {shown_value(one.highest, name)}")
            for name, one in zip(SIZES, self.ranges, strict=True)
        ]
        return Card(self.caption(), rows)

    @property
    def timezone(self) -> str:
        """Time zone of the site."""
        return self.portfolio.sites[0].timezone

    @cached_property
    def problem(self) -> DispatchProblem:
        """The dispatch of the largest sizes."""
        return DispatchProblem(self.portfolio, self.horizon, self.series)

    @property
    def connection(self) -> GridConnection:
        """The connection that is sized."""
        found = next(one for one in self.portfolio.assets if one.id == self.sized.connection_id)
        assert isinstance(found, GridConnection), "a connection was asked for"
        return found

    def portfolio_at(self, sizes: np.ndarray) -> Portfolio:
        """Return the site with equipment of given sizes; what has no size is not there."""
        energy_kwh, power_kw, pv_kw, connection_kw = map(float, sizes)

        def sized(asset: AnyAsset) -> AnyAsset | None:
            if isinstance(asset, Battery) and asset.id == self.sized.battery_id:
                powers = dict.fromkeys(("max_charge_kw", "max_discharge_kw"), power_kw)
                is_there = energy_kwh > 0 and power_kw > 0
                return asset.replace(capacity_kwh=energy_kwh, **powers) if is_there else None
            if isinstance(asset, SolarPV) and asset.id == self.sized.pv_id:
                return asset.replace(rated_capacity_kw=pv_kw) if pv_kw > 0 else None
            if isinstance(asset, GridConnection) and asset.id == self.sized.connection_id:
                ways = ("max_import_kw", "max_export_kw")
                return asset.replace(**{way: min(getattr(asset, way), connection_kw) for way in ways})
            return asset

        kept = [found for asset in self.portfolio.assets if (found := sized(asset)) is not None]
        return self.portfolio.replace(assets=tuple(kept))

    def series_at(self, sizes: np.ndarray) -> xr.Dataset:
        """Return the series with the yield of a solar roof of given size."""
        if self.sized.pv_id is None:
            return self.series
        share = float(sizes[2]) / self.ranges[2].highest
        return scaled(self.series, self.sized.pv_id, share)


def scaled(series: xr.Dataset, asset_id: str, factor: float) -> xr.Dataset:
    """Return series with the available power of an asset times a factor."""
    available = series["available_kw"].copy()
    available.loc[{"asset": asset_id}] = available.sel(asset=asset_id) * factor
    return series.assign(available_kw=available)


def load_case(study: SizingStudy) -> SizingCase:
    """Return the site of a study with the largest sizes, and its series.

    Raises
    ------
    InvalidInput
        If the site has several batteries or solar roofs, there is nothing to size, or a file cannot be used.
    """
    read = read_portfolio(study.site_file())
    connection = connection_of(read, study.connection)
    portfolio = narrowed(read, connection.site_id, None)
    ranges = _ranges(study, connection)
    notes: list[str] = []
    roof = _only(portfolio, SolarPV, "solar roof") if ranges[2].highest > 0 else None
    if roof is None and ranges[2].highest > 0:
        notes.append("the site file has no solar_pv, whose series would tell what the sun gives: none is sized")
        ranges = (*ranges[:2], SizeRange(0.0, 0.0), ranges[3])
    battery = _battery(study, portfolio, ranges, notes)
    if battery is None and roof is None:
        raise InvalidInput("the sizing", "there is neither battery nor solar roof to size; raise max_battery_kwh")
    portfolio = _with_equipment(
        portfolio,
        _largest_connection(study, connection, ranges[3].highest),
        battery,
        None if roof is None else roof.replace(rated_capacity_kw=ranges[2].highest),
    )
    needs = series_needs(portfolio)
    timezone = portfolio.sites[0].timezone
    series = read_series(study.series_file(), needs, portfolio.series, timezone)
    horizon = _horizon(study, series, timezone)
    cut = with_prices(cut_series(series, horizon, portfolio.series), portfolio, horizon)
    if roof is not None:
        cut = scaled(cut, roof.id, ranges[2].highest / roof.rated_capacity_kw)
    sized = SizedAssets(connection.id, None if battery is None else battery.id, None if roof is None else roof.id)
    years = _years(portfolio, connection.id, horizon, timezone)
    notes = [*cut.attrs.get("notes", ()), *notes]
    if years != 1:
        notes.append(
            f"the {horizon.length_h:g} h from {horizon.local_times(timezone)[0]:%Y-%m-%d} stand for a year: their "
            f"energy and bills are multiplied by {years:.4g}"
        )
    return SizingCase(portfolio, horizon, cut, sized, ranges, years, tuple(notes))


def _ranges(study: SizingStudy, connection: GridConnection) -> tuple[SizeRange, ...]:
    """Return between what each size is sought."""
    is_battery = study.max_battery_kwh > 0 and study.max_battery_kw > 0
    found = []
    for name in ("battery_kwh", "battery_kw", "pv_kw", "connection_kw"):
        most = getattr(study, f"max_{name}")
        if name == "connection_kw" and most is None:
            most = connection.max_import_kw
        if name.startswith("battery") and not is_battery:
            found.append(SizeRange(0.0, 0.0))
        else:
            found.append(SizeRange(getattr(study, f"min_{name}"), most, getattr(study, f"lot_{name}")))
    if study.connection_cost_per_kw == study.connection_charge_per_kw_a == 0:
        found[3] = SizeRange(found[3].highest, found[3].highest)  # what costs nothing is taken in full
    return tuple(found)


def _only(portfolio: Portfolio, kind: type[KindT], words: str) -> KindT | None:
    """Return the only active asset of a kind, or None where there is none."""
    found = [asset for asset in portfolio.active() if isinstance(asset, kind)]
    if len(found) > 1:
        ids = ", ".join(f"'{one.id}'" for one in found)
        raise InvalidInput("the sizing", f"the site has {len(found)} of kind {words}: {ids}; keep one of them active")
    return found[0] if found else None


def _battery(
    study: SizingStudy, portfolio: Portfolio, ranges: tuple[SizeRange, ...], notes: list[str]
) -> Battery | None:
    """Return the largest battery, of the site file's technology; None where none is sized."""
    stated = _only(portfolio, Battery, "battery")
    if ranges[0].highest <= 0:
        return None
    fields = {} if stated is None else {name: getattr(stated, name) for name in TECHNOLOGY}
    if stated is None:
        notes.append(
            f"the site file has no battery: one of usual technology is sized, {USUAL_ROUND_TRIP:g} round trip"
        )
    else:
        idle = [name for name in SIZELESS if name in stated.given()]
        if idle:
            notes.append(f"of the site file's battery, {', '.join(idle)} belong to its size and are left out")
    if stated is None or study.battery_round_trip_efficiency is not None:
        fields = {name: value for name, value in fields.items() if not name.endswith("efficiency")}
        fields["round_trip_efficiency"] = study.battery_round_trip_efficiency or USUAL_ROUND_TRIP
    usual_wear = USUAL_WEAR_PER_KWH if stated is None else stated.degradation_cost_per_kwh
    lowest_soc = fields.get("min_soc", Battery.model_fields["min_soc"].default)
    return Battery(
        id="new-battery" if stated is None else stated.id,
        name="Battery" if stated is None else stated.name,
        site_id=portfolio.sites[0].id,
        capacity_kwh=ranges[0].highest,
        max_charge_kw=ranges[1].highest,
        max_discharge_kw=ranges[1].highest,
        initial_soc=lowest_soc,
        final_soc_rule="cyclic",
        degradation_cost_per_kwh=usual_wear if study.wear_cost_per_kwh is None else study.wear_cost_per_kwh,
        **fields,
    )


def _with_equipment(
    portfolio: Portfolio, connection: GridConnection, battery: Battery | None, roof: SolarPV | None
) -> Portfolio:
    """Return the portfolio with equipment that is sized in place of what the site file states of its kind."""

    def now(asset: AnyAsset) -> AnyAsset | None:
        if isinstance(asset, Battery):
            return None
        if isinstance(asset, SolarPV):
            return roof
        return connection if asset.id == connection.id else asset

    kept = [found for asset in portfolio.active() if (found := now(asset)) is not None]
    return portfolio.replace(assets=(*kept, *([] if battery is None else [battery])))


def _largest_connection(study: SizingStudy, connection: GridConnection, largest_kw: float) -> GridConnection:
    """Return the connection of the largest size, with the tariff and the emissions of the study."""
    changes: dict[str, Any] = {
        "max_import_kw": largest_kw,
        "max_export_kw": min(connection.max_export_kw, largest_kw),
    }
    if study.tariff is not None:
        changes |= {"tariff_id": study.tariff, **dict.fromkeys(PRICES)}
    if study.co2_intensity_kg_per_kwh is not None:
        changes["co2_intensity_kg_per_kwh"] = study.co2_intensity_kg_per_kwh
    return connection.replace(**changes)


def _horizon(study: SizingStudy, series: xr.Dataset, timezone: str) -> Horizon:
    start = start_in(study.start, timezone) if study.start else start_of(series)
    hours = study.horizon_h
    if hours is None:
        hours = series.sizes["time"] * step_of(series) - (start - start_of(series)).total_seconds() / 3600
    return Horizon.regular(start, hours, study.step_h or step_of(series))


def _years(portfolio: Portfolio, connection_id: str, horizon: Horizon, timezone: str) -> float:
    """Return what an amount of the horizon is multiplied by to be one of a year.

    Raises
    ------
    InvalidInput
        If something is billed by the month, and the horizon is no number of whole months.
    """
    if abs(horizon.length_h - HOURS_PER_A) <= NEAR_A_YEAR_H:
        return 1.0
    connection = next(one for one in portfolio.assets if one.id == connection_id)
    assert isinstance(connection, GridConnection), "a connection was asked for"
    tariff = None if connection.tariff_id is None else portfolio.tariff(connection.tariff_id)
    if not connection.demand_charges and (tariff is None or not has_more_than_prices(tariff)):
        return HOURS_PER_A / horizon.length_h
    bounds = horizon.boundaries.tz_localize("UTC").tz_convert(timezone)
    first, last = bounds[0], bounds[-1]
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and all(one.day == 1 and one.hour == one.minute == 0 for one in (first, last)):
        return 12 / months
    raise InvalidInput(
        "the sizing",
        f"its {horizon.length_h:g} h from {first:%Y-%m-%d %H:%M} are no whole months, and the tariff bills by the "
        "month: what they cost cannot be scaled to a year; choose start and horizon_h so that they are, or a year",
    )
