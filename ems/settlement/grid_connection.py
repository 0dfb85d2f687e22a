"""Settlement of a grid connection: energy bought and sold, peaks billed, and its limits replayed."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.variable_renewable import VariableRenewable
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.settlement import market_position
from ems.settlement.demand_bill import billed_demand
from ems.settlement.ledger import Ledger, Replay, Schedule
from ems.settlement.tariff_bill import bill_of
from ems.tariffs.tariff import EnergyPeriod, EnergyTier, Tariff

MARKET_PRICE = "market_price_per_kwh"
"""Series of a connection: the market's price, of a tariff that follows it."""
ROUNDING = 1e-12
"""Share of a tier's end within which energy has reached it."""
_UNITS = {"kw": "kW", "kva": "kVA"}


def bill(asset: GridConnection, ledger: Ledger) -> None:
    """Write what bought energy costs, sold energy earns, and the peaks of each period cost.

    Of a connection with a tariff, these are lines of `tariff_lines`; only deviations from a position are left.
    """
    market_position.bill(asset, ledger)
    if asset.tariff_id is not None:
        return
    for way, cost_type, sign in (("import", "import_cost", 1.0), ("export", "export_revenue", -1.0)):
        price = ledger.given(f"{way}_price_per_kwh", asset.id)
        ledger.add_energy(asset.id, cost_type, ledger.flow(f"{way}_kw", asset.id), sign * price)
    for charge in asset.charges(None):
        series = {name: ledger.given(name, asset.id) for name in charge.series_names}
        metered = at_the_meter(charge.basis, asset.id, ledger)
        for period in billed_demand(charge, _horizon(ledger), _timezone(asset, ledger), series, metered):
            for quantity, rate in period.blocks:
                ledger.add(asset.id, "demand_cost", quantity, _UNITS[charge.unit], quantity * rate)


def tariff_lines(asset: GridConnection, schedule: Schedule) -> pd.DataFrame:
    """Return the bill of a connection's tariff by month and charge; columns are those of `bill_of`.

    Energy is what the supplier sees; peaks are what the meter sees, with the energy that is shared.

    Raises
    ------
    InvalidInput
        If something that the tariff needs is not stated.
    """
    assert asset.tariff_id is not None, "asked of connections with a tariff"
    stated = schedule.portfolio.tariff(asset.tariff_id)
    horizon, timezone = _horizon(schedule), _timezone(asset, schedule)
    tariff = with_energy_so_far(stated.replace(demand_charges=()), asset, horizon, timezone)
    charges = asset.charges(stated)
    market = schedule.given(MARKET_PRICE, asset.id) if stated.price_series else None
    series = {name: schedule.given(name, asset.id) for charge in charges for name in charge.series_names}
    bought_kw, sold_kw = (_not_negative(schedule.flow(f"{way}_kw", asset.id)) for way in ("import", "export"))
    own_kw = _self_consumed_kw(asset, stated, schedule)
    metered_kw = [_not_negative(at_the_meter(way, asset.id, schedule)) for way in ("import", "export")]
    is_shared = schedule.has("shared_in_kw", asset.id)
    lines = bill_of(
        tariff,
        horizon,
        timezone,
        bought_kw,
        sold_kw,
        self_consumed_kw=own_kw,
        market_price_per_kwh=market,
        series=series,
        demand_charges=() if is_shared else charges,
    )
    if not is_shared:
        return lines
    free = EnergyPeriod(name="energy apart", import_price_per_kwh=0.0, export_price_per_kwh=0.0)
    on_all = tuple(tax for tax in stated.taxes if tax.base == "all")
    peaks_only = Tariff(
        id=stated.id, name=stated.name, periods=(free,), taxes=on_all, holiday_calendar=stated.holiday_calendar
    )
    peaks = bill_of(peaks_only, horizon, timezone, *metered_kw, series=series, demand_charges=charges)
    return pd.concat([lines, peaks[peaks["cost_type"].isin(("demand_cost", "tax_cost"))]], ignore_index=True)


def _horizon(schedule: Schedule) -> Horizon:
    return Horizon.from_times(schedule.times, float(schedule.step_h[-1]))


def _timezone(asset: GridConnection, schedule: Schedule) -> str:
    return schedule.portfolio.site(asset.site_id).timezone


def _not_negative(power_kw: np.ndarray) -> np.ndarray:
    """Return a power without what a solver leaves below zero; a replay says where it is more than that."""
    return np.where(power_kw < 0, 0.0, power_kw)


def _self_consumed_kw(asset: GridConnection, tariff: Tariff, schedule: Schedule) -> np.ndarray | None:
    """Return what the site generates less what it feeds in, where a levy is on it."""
    levies = [levy.name for levy in tariff.levies if levy.applies_to == "self_consumption"]
    if not levies:
        return None
    at_site = [one for one in schedule.portfolio.active() if one.site_id == asset.site_id]
    connections = [one for one in at_site if isinstance(one, GridConnection)]
    if len(connections) > 1:
        raise InvalidInput(
            f"tariff '{tariff.id}'",
            f"levy '{levies[0]}' on self-consumption: site '{asset.site_id}' has {len(connections)} connections, and "
            "no meter tells which of them the energy belongs to; keep the levy at a site with one",
        )
    own = -at_the_meter("export", asset.id, schedule)
    for one in at_site:
        if isinstance(one, Generator):
            own = own + schedule.flow("output_kw", one.id)
        elif isinstance(one, VariableRenewable):
            own = own + schedule.flow("used_kw", one.id)
    return _not_negative(own)


def with_energy_so_far(tariff: Tariff, asset: GridConnection, horizon: Horizon, timezone: str) -> Tariff:
    """Return the tariff as it stands with the energy that a connection had before the horizon.

    The first month gets periods of its own, whose tiers end earlier by the energy that has filled them; levies with
    a limit of a year end earlier, too.

    Parameters
    ----------
    tariff : Tariff
    asset : GridConnection
        With its energy so far; the horizon is shorter than a year where there is any.
    horizon : Horizon
    timezone : str
        IANA name of the site's zone.
    """
    levies = tuple(
        levy
        if levy.exempt_above_kwh_per_a is None
        else levy.replace(exempt_above_kwh_per_a=max(levy.exempt_above_kwh_per_a - asset.year_import_kwh_so_far, 0.0))
        for levy in tariff.levies
    )
    before = (asset.month_import_kwh_so_far, asset.month_export_kwh_so_far)
    periods = tariff.periods
    if tariff.has_tiers and any(before):
        first = horizon.local_times(timezone)[0]
        scale = first.days_in_month if tariff.tier_period == "day" else 1
        in_month = [one for one in periods if first.month in one.months]
        of_month = [
            one.replace(
                months=(first.month,),
                import_price_per_kwh=None,
                export_price_per_kwh=None,
                tiers=_tiers_left(one.all_tiers(), *(kwh / scale for kwh in before)),
            )
            for one in in_month
        ]
        periods = (*of_month, *periods)
    return tariff.replace(periods=periods, levies=levies)


def _tiers_left(tiers: tuple[EnergyTier, ...], imported_kwh: float, exported_kwh: float) -> tuple[EnergyTier, ...]:
    """Return the tiers that further energy fills, from where import and export stand."""
    ends = [one.up_to_kwh for one in tiers if one.up_to_kwh is not None]
    begins = sorted({0.0, *(end - before for end in ends for before in (imported_kwh, exported_kwh) if end > before)})

    def tier_at(kwh: float) -> EnergyTier:
        return next(one for one in tiers if one.up_to_kwh is None or kwh < one.up_to_kwh * (1 - ROUNDING))

    return tuple(
        EnergyTier(
            up_to_kwh=end,
            import_price_per_kwh=tier_at(begin + imported_kwh).import_price_per_kwh,
            export_price_per_kwh=tier_at(begin + exported_kwh).export_price_per_kwh,
        )
        for begin, end in zip(begins, [*begins[1:], None], strict=True)
    )


def at_the_meter(way: str, asset_id: str, schedule: Schedule) -> np.ndarray:
    """Return the import or export that the meter sees: with the supplier, and shared with other connections."""
    power = schedule.flow(f"{way}_kw", asset_id)
    shared = {"import": "shared_in_kw", "export": "shared_out_kw"}[way]
    return power + schedule.flow(shared, asset_id) if schedule.has(shared, asset_id) else power


def replay(asset: GridConnection, replay: Replay) -> np.ndarray:
    """Check limits, directions and ramps; return the power into the bus."""
    metered = {}
    for way, shared, is_enabled in (
        ("import", "shared_in_kw", asset.import_enabled),
        ("export", "shared_out_kw", asset.export_enabled),
    ):
        for name in (f"{way}_kw", shared):
            if replay.has(name, asset.id):
                replay.power(name, asset.id)
        metered[way] = at_the_meter(way, asset.id, replay)
        limit_kw = np.minimum(replay.over_steps(asset, f"max_{way}_kw"), _transformer_kw(asset)) * is_enabled
        excess = metered[way] - limit_kw
        tightest_kw = float(limit_kw[int(np.argmax(excess))])
        replay.note(asset.id, f"{way}s above {tightest_kw:g} kW", excess, scale=tightest_kw)
    imports, exports = metered["import"], metered["export"]
    if not asset.may_import_while_exporting:
        replay.note(asset.id, "imports and exports at once", np.minimum(imports, exports))
    if replay.has("shared_in_kw", asset.id):
        shared_both_ways = np.minimum(replay.flow("shared_in_kw", asset.id), replay.flow("shared_out_kw", asset.id))
        replay.note(asset.id, "shares energy both ways at once", shared_both_ways)
    replay.note_ramps(asset.id, imports - exports, asset.ramp_up_rate_kw_per_s, asset.ramp_down_rate_kw_per_s)
    injection: np.ndarray = imports - exports - asset.transformer_losses_kw
    return injection


def _transformer_kw(asset: GridConnection) -> float:
    """Return the power that the transformer carries at the least power factor."""
    if asset.transformer_capacity_kva is None:
        return math.inf
    return asset.transformer_capacity_kva * abs(1.0 if asset.min_power_factor is None else asset.min_power_factor)
