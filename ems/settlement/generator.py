"""Settlement of a generator: fuel, upkeep, starts and stops, and its limits replayed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from ems.assets.generator import Generator
from ems.settlement.ledger import TOLERANCE, Ledger, Replay, Schedule

ROUNDING_H = 1e-9
"""Hours by which sums of step lengths may miss a stated time."""


def bill(asset: Generator, ledger: Ledger) -> None:
    """Write fuel, operation and upkeep, starts and stops."""
    step_h, output = ledger.step_h, ledger.flow("output_kw", asset.id)
    on = is_on(asset, ledger)
    energy_kwh = output * step_h
    fuel_cost = energy_kwh @ ledger.over_steps(asset, "fuel_cost_per_kwh")
    if asset.cost_curve:
        fuel_cost += (curve_cost_per_h(asset, output) * on) @ step_h
    ledger.add(asset.id, "fuel_cost", energy_kwh.sum(), "kWh", fuel_cost)
    if asset.quadratic_cost_per_kw2h > 0:
        squares = float(output**2 @ step_h)
        ledger.add(asset.id, "quadratic_fuel_cost", energy_kwh.sum(), "kWh", asset.quadratic_cost_per_kw2h * squares)
    switches = list(switches_of(asset, ledger)) if asset.is_committable else []
    starts_h = [lasted_h for _, is_start, lasted_h in switches if is_start]
    stops = len(switches) - len(starts_h)
    hours = float(on @ step_h)
    dearest = asset.startup_costs[-1].cost if asset.startup_costs else asset.startup_cost
    for cost_type, quantity, unit, rate, cost in (
        ("variable_om_cost", energy_kwh.sum(), "kWh", asset.variable_om_cost_per_kwh, None),
        ("no_load_cost", hours, "h", asset.no_load_cost_per_h, None),
        ("maintenance_cost", hours, "h", asset.maintenance_cost_per_h, None),
        ("startup_cost", len(starts_h), "starts", dearest, sum(cost_of_start(asset, one) for one in starts_h)),
        ("shutdown_cost", stops, "stops", asset.shutdown_cost, None),
    ):
        if rate != 0:
            ledger.add(asset.id, cost_type, quantity, unit, quantity * rate if cost is None else cost)


def is_on(asset: Generator, schedule: Schedule) -> np.ndarray:
    """Return whether it is on in each step; always where nobody decided on it."""
    if not schedule.has("is_on", asset.id):
        return np.ones(len(schedule.step_h), dtype=bool)
    on: np.ndarray = schedule.flow("is_on", asset.id) > 0.5
    return on


def curve_cost_per_h(asset: Generator, output_kw: np.ndarray) -> np.ndarray:
    """Return the cost of fuel at each output, between the two points of the curve around it."""
    points = asset.cost_curve
    cost = np.full(len(output_kw), points[0].cost_per_h)
    for one, other in itertools.pairwise(points):
        share = np.clip((output_kw - one.output_kw) / (other.output_kw - one.output_kw), 0, 1)
        cost += share * (other.cost_per_h - one.cost_per_h)
    return cost


def switches_of(asset: Generator, schedule: Schedule) -> Iterator[tuple[int, bool, float]]:
    """Give the step of each start and stop, whether it is a start, and the hours of the state before it."""
    if not schedule.has("is_on", asset.id):
        return
    before_h = np.inf if asset.initial_state_h is None else asset.initial_state_h
    was_on, hours = asset.initial_is_on, before_h
    for step, (on, step_h) in enumerate(zip(is_on(asset, schedule).tolist(), schedule.step_h.tolist(), strict=True)):
        if on != was_on:
            yield step, on, hours
            was_on, hours = on, 0.0
        hours += step_h


def cost_of_start(asset: Generator, offline_h: float) -> float:
    """Return the cost of a start after some hours off."""
    if not asset.startup_costs:
        return asset.startup_cost
    cost = asset.startup_costs[0].cost
    for one in asset.startup_costs:
        if offline_h >= one.offline_h - ROUNDING_H:
            cost = one.cost
    return cost


def replay(asset: Generator, replay: Replay) -> np.ndarray:
    """Check output, ramps, starts and stops, minimum times and fuel; return the power into the bus."""
    output = replay.power("output_kw", asset.id)
    lowest, highest = replay.over_steps(asset, "min_output_kw"), replay.over_steps(asset, "max_output_kw")
    # A solver counts a decision as 0 below 1e-6; times the highest output, that is what a unit gives while off.
    slack_kw = asset.max_output_kw * TOLERANCE
    replay.note(asset.id, f"gives more than {asset.max_output_kw:g} kW", output - highest, scale=asset.max_output_kw)
    if asset.fuel_tank_capacity_l is not None and asset.fuel_consumption_l_per_kwh is not None:
        burnt_l = float(output @ replay.step_h) * asset.fuel_consumption_l_per_kwh
        left_l = np.array([burnt_l - asset.fuel_tank_capacity_l])
        replay.note(asset.id, "burns more than its tank holds", left_l, "l", scale=burnt_l)
    if replay.has("is_on", asset.id):
        on = is_on(asset, replay)
        replay.note(asset.id, "gives power while off", np.where(on, 0, output - slack_kw))
        replay.note(asset.id, "runs below its lowest output", np.where(on, lowest - output - slack_kw, 0))
        _check_ramps(replay, asset, output, lowest * on)
        if asset.is_committable:
            _check_commitment(replay, asset, on, output)
    else:
        replay.note(asset.id, "runs below its lowest output", lowest - output - slack_kw)
        _check_ramps(replay, asset, output, np.zeros(len(output)))
    return output


def _check_ramps(replay: Replay, asset: Generator, output: np.ndarray, lowest_on: np.ndarray) -> None:
    """Note where the output above the lowest one changes faster than it may."""
    above, hours = output - lowest_on, (replay.step_h[1:] + replay.step_h[:-1]) / 2
    if not asset.is_committable and not np.any(np.diff(lowest_on > 0)):
        above = output
    change, hours = np.append(0.0, np.diff(above)), np.append(replay.step_h[0], hours)
    trips = replay.over_steps(asset, "max_output_kw")[0] < replay.over_steps(asset, "min_output_kw")[0]
    if asset.initial_output_kw is not None and not trips:
        before = asset.initial_output_kw
        if asset.is_committable:
            first_lowest = float(replay.over_steps(asset, "min_output_kw")[0])
            before = max(before - first_lowest, 0.0) if asset.initial_is_on else 0.0
        change[0] = above[0] - before
    elif asset.is_committable and not asset.initial_is_on:
        change[0] = above[0]
    slack_kw = asset.max_output_kw * TOLERANCE
    for word, rate, sign in (
        ("rises", asset.ramp_up_rate_kw_per_min, 1),
        ("falls", asset.ramp_down_rate_kw_per_min, -1),
    ):
        if rate is not None:
            excess = sign * change - rate * 60 * hours - slack_kw
            replay.note(asset.id, f"{word} faster than {rate:g} kW/min", excess)


def _check_commitment(replay: Replay, asset: Generator, on: np.ndarray, output: np.ndarray) -> None:
    """Note starts and stops at too high an output or too soon, and steps in which it had to be on or off."""
    available = replay.over_steps(asset, "max_output_kw") >= replay.over_steps(asset, "min_output_kw")
    available &= replay.over_steps(asset, "max_output_kw") > 0
    if asset.must_run:
        replay.note(asset.id, "is off, though it must run", np.where(available & ~on, 1.0, 0.0), "steps")
    if "required_on" in replay.series and asset.id in replay.series.asset.values:
        required = replay.given("required_on", asset.id)
        broken = ((required == 1) & ~on) | ((required == 0) & on)
        replay.note(asset.id, "is not on or off as required", broken.astype(float), "steps")
    slack_kw = asset.max_output_kw * TOLERANCE
    for number, (step, is_start, lasted_h) in enumerate(switches_of(asset, replay)):
        excess, missing = np.zeros(len(on)), np.zeros(len(on))
        limit_kw = asset.max_startup_kw if is_start else asset.max_shutdown_kw
        last_kw = output[step] if is_start else (output[step - 1] if step else asset.initial_output_kw or 0.0)
        is_outage = number == 0 and not is_start and not available[step]  # ends what began before the horizon
        if limit_kw is not None and not (is_outage and step == 0):
            excess[step] = last_kw - limit_kw - slack_kw
            word = "starts" if is_start else "stops"
            replay.note(asset.id, f"{word} at more than {limit_kw:g} kW", excess)
        least_h = asset.min_downtime_h if is_start else asset.min_uptime_h
        if not is_outage:
            missing[step] = least_h - lasted_h
            replay.note(asset.id, f"is {'off' if is_start else 'on'} for less than {least_h:g} h", missing, "h")
