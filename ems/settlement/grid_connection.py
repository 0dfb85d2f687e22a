"""Settlement of a grid connection: energy bought and sold, peaks billed, and its limits replayed."""

from __future__ import annotations

import math

import numpy as np

from ems.assets.grid_connection import GridConnection
from ems.horizon import Horizon
from ems.settlement import market_position
from ems.settlement.ledger import Ledger, Replay, Schedule
from ems.tariffs.demand_charge import DemandCharge
from ems.tariffs.demand_periods import demand_periods


def bill(asset: GridConnection, ledger: Ledger) -> None:
    """Write what bought energy costs, sold energy earns, and the peaks of each period cost."""
    for way, cost_type, sign in (("import", "import_cost", 1.0), ("export", "export_revenue", -1.0)):
        price = ledger.given(f"{way}_price_per_kwh", asset.id)
        ledger.add_energy(asset.id, cost_type, ledger.flow(f"{way}_kw", asset.id), sign * price)
    market_position.bill(asset, ledger)
    for charge in asset.demand_charges:
        for billed_kw, rate_per_kw in _billed(asset, charge, ledger):
            ledger.add(asset.id, "demand_cost", billed_kw, "kW", billed_kw * rate_per_kw)


def _billed(asset: GridConnection, charge: DemandCharge, ledger: Ledger) -> list[tuple[float, float]]:
    """Return the power billed and its price in each period of a demand charge, from meter readings."""
    horizon = Horizon.from_times(ledger.times, float(ledger.step_h[-1]))
    timezone = ledger.portfolio.site(asset.site_id).timezone
    series = {name: ledger.given(name, asset.id) for name in charge.series_names}
    metered = at_the_meter(charge.basis, asset.id, ledger)
    periods = demand_periods(charge, horizon, timezone, series)
    peaks = {one.label: max([one.prior_peak_kw, *metered[one.steps]]) for one in periods}
    share = 0.0 if charge.ratchet is None else charge.ratchet.share
    return [
        (
            max(
                peaks[one.label] - charge.free_kw,
                one.floor_kw,
                *(share * peaks[earlier] for earlier in one.looks_back_at),
                0.0,
            ),
            one.rate_per_kw,
        )
        for one in periods
    ]


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
