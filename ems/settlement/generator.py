"""Settlement of a generator: fuel, upkeep, starts and stops, and its limits replayed."""

from __future__ import annotations

import itertools

import numpy as np

from ems.assets.generator import Generator
from ems.settlement.ledger import TOLERANCE, Ledger, Replay


def bill(asset: Generator, ledger: Ledger) -> None:
    """Write fuel, operation and upkeep, starts and stops."""
    step_h, output = ledger.step_h, ledger.flow("output_kw", asset.id)
    energy_kwh = float(output @ step_h)
    for cost_type, rate in (
        ("fuel_cost", asset.fuel_cost_per_kwh),
        ("variable_om_cost", asset.variable_om_cost_per_kwh),
    ):
        if rate > 0 or cost_type == "fuel_cost":
            ledger.add(asset.id, cost_type, energy_kwh, "kWh", energy_kwh * rate)
    if asset.startup_cost > 0 or asset.shutdown_cost > 0 or asset.maintenance_cost_per_h > 0:
        on = ledger.flow("is_on", asset.id) > 0.5
        starts = float(on[0]) + float(np.count_nonzero(on[1:] & ~on[:-1]))
        stops = float(np.count_nonzero(on[:-1] & ~on[1:]))
        for cost_type, quantity, unit, rate in (
            ("startup_cost", starts, "starts", asset.startup_cost),
            ("shutdown_cost", stops, "stops", asset.shutdown_cost),
            ("maintenance_cost", float(on @ step_h), "h", asset.maintenance_cost_per_h),
        ):
            if rate > 0:
                ledger.add(asset.id, cost_type, quantity, unit, quantity * rate)


def replay(asset: Generator, replay: Replay) -> np.ndarray:
    """Check output, minimum times and fuel; return the power into the bus."""
    output = replay.power("output_kw", asset.id)
    replay.note(asset.id, f"gives more than {asset.max_output_kw:g} kW", output - asset.max_output_kw)
    if asset.fuel_tank_capacity_l is not None and asset.fuel_consumption_l_per_kwh is not None:
        burnt_l = float(output @ replay.step_h) * asset.fuel_consumption_l_per_kwh
        replay.note(asset.id, "burns more than its tank holds", np.array([burnt_l - asset.fuel_tank_capacity_l]), "l")
    if not replay.has("is_on", asset.id):
        up, down = asset.ramp_up_rate_kw_per_min, asset.ramp_down_rate_kw_per_min
        replay.note_ramps(asset.id, output, up and up / 60, down and down / 60)
    else:
        on = replay.flow("is_on", asset.id) > 0.5
        # A solver counts a decision as 0 below 1e-6; times the highest output, that is what a unit gives while off.
        slack_kw = asset.max_output_kw * TOLERANCE
        replay.note(asset.id, "gives power while off", np.where(on, 0, output - slack_kw))
        replay.note(asset.id, "runs below its lowest output", np.where(on, asset.min_output_kw - output - slack_kw, 0))
        _check_minimum_times(replay, asset, on)
    return output


def _check_minimum_times(replay: Replay, asset: Generator, on: np.ndarray) -> None:
    """Note where a generator was on or off for a shorter time than it may; times at the horizon's ends are open."""
    switches = np.flatnonzero(np.diff(on.astype(int))) + 1
    begins = np.concatenate(([0.0], np.cumsum(replay.step_h)))
    for begin, end in itertools.pairwise([0, *switches.tolist()] if on[0] else switches.tolist()):
        least_h = asset.min_uptime_h if on[begin] else asset.min_downtime_h
        missing = np.zeros(len(on))
        missing[begin] = least_h - (begins[end] - begins[begin])
        replay.note(asset.id, f"is {'on' if on[begin] else 'off'} for less than {least_h:g} h", missing, "h")
