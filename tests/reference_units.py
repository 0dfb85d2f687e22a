"""Generators and reserve by the rules of the neutral form `ems-case/1`; see reference_rules.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

ROUNDING = 1e-4
"""How far from 0 and 1 a solver's on/off decision may be; HiGHS takes 1e-6, and sums of them more."""


def audit_generator(asset: Mapping[str, Any], found: Any) -> np.ndarray:
    """Check and price the output of a generator; return it."""
    name, case = asset["name"], found.case
    power = found.flow(f"{name}.p")
    low, high = case.values(asset.get("p_min")), case.values(asset["p_max"])
    on = is_on(asset, found)
    found.within(f"{name} output", power, low * on, high * on)
    _ramps(asset, found, power - low * on if asset.get("committable") else power, low)
    if asset.get("committable"):
        raw = found.flow(f"{name}.u", 1.0)
        found.at_most(f"{name} is on or off", np.abs(raw - np.round(raw)), ROUNDING)
        commitment_of(asset, found, on, power)
        found.pay("no_load", asset.get("no_load_cost", 0.0) * on * case.step_h)
    found.pay("production", _production_cost(asset, found, power, on))
    return power


def is_on(asset: Mapping[str, Any], found: Any) -> np.ndarray:
    """Return 1 in each step in which a generator is on; one that is not committable always is."""
    if not asset.get("committable", False):
        return np.ones(found.case.steps)
    return np.round(found.flow(f"{asset['name']}.u", 1.0))


def _production_cost(asset: Mapping[str, Any], found: Any, power: np.ndarray, on: np.ndarray) -> np.ndarray:
    case, curve = found.case, asset.get("cost_curve")
    if curve is None:
        rate = case.values(asset.get("marginal_cost")) * power
    elif curve["type"] == "polynomial":
        rate = curve.get("c0", 0.0) * on + curve.get("c1", 0.0) * power + curve.get("c2", 0.0) * power**2
    else:
        outputs, costs = np.array(curve["points"], dtype=float).T
        rate = np.interp(power, outputs, costs) * on
    cost: np.ndarray = rate * case.step_h
    return cost


def _ramps(asset: Mapping[str, Any], found: Any, power: np.ndarray, low: np.ndarray) -> None:
    """Check changes of the power that ramps, and into the first step where the power before it is known."""
    before = power_before(asset, float(low[0]))
    hours = found.case.step_h
    spans = (hours[1:] + hours[:-1]) / 2
    change = np.diff(power)
    if before is not None:
        change, spans = np.append(power[0] - before, change), np.append(hours[0], spans)
    for field, sign in (("ramp_up", 1.0), ("ramp_down", -1.0)):
        if asset.get(field) is not None:
            found.at_most(f"{asset['name']} {field}", sign * change, asset[field] * spans, scale=power)


def power_before(asset: Mapping[str, Any], low: float) -> float | None:
    """Return the ramping power before the horizon, or nothing where it is not known."""
    initial = asset.get("initial", {})
    if not asset.get("committable"):
        return initial.get("power")
    if not initial.get("status", 0):
        return 0.0
    return None if initial.get("power") is None else initial["power"] - low


def commitment_of(asset: Mapping[str, Any], found: Any, on: np.ndarray, power: np.ndarray) -> None:
    """Check and price starts, stops and what binds them."""
    name, case, initial = asset["name"], found.case, asset.get("initial", {})
    was_on, hours_before = int(initial.get("status", 0)), initial.get("hours", np.inf)
    begins = np.concatenate(([0.0], np.cumsum(case.step_h)))
    states = np.concatenate(([was_on], on)).astype(int)
    if asset.get("must_run", False):
        found.equal(f"{name} must run", on, 1.0)
    if asset.get("fixed_commitment") is not None:
        fixed = case.values(asset["fixed_commitment"])
        given = np.isfinite(fixed)
        found.equal(f"{name} fixed commitment", on[given], fixed[given])
    since = -float(hours_before)  # when the present state began
    for t in range(case.steps):
        if states[t + 1] == states[t]:
            continue
        lasted = begins[t] - since
        field = "min_up_h" if states[t] else "min_down_h"
        found.at_most(f"{name} {field} before step {t}", asset.get(field, 0.0), lasted)
        if states[t + 1]:
            found.pay("startup", _startup_cost(asset.get("startup_cost", 0.0), lasted))
            found.at_most(f"{name} startup_limit in step {t}", power[t], asset.get("startup_limit", np.inf))
        else:
            found.pay("shutdown", asset.get("shutdown_cost", 0.0))
            last = power[t - 1] if t else initial.get("power", 0.0)
            found.at_most(f"{name} shutdown_limit before step {t}", last, asset.get("shutdown_limit", np.inf))
        since = begins[t]


def _startup_cost(costs: Any, offline_h: float) -> float:
    """Return what a start costs after some hours off: of the coldest class valid by then, else of the hottest."""
    if not isinstance(costs, list | tuple):
        return float(costs)
    valid = [cost for hours, cost in costs if hours <= offline_h + 1e-9]
    return float(valid[-1] if valid else costs[0][1])


def audit_reserve(reserve: Mapping[str, Any], found: Any) -> None:
    """Check that the units on line can give the reserve that is asked."""
    case = found.case
    wanted = case.values(reserve["requirement"])
    units = list(case.of_type("generator"))
    if reserve["type"] == "capacity":
        load = sum((case.values(asset["power"]) for asset in case.of_type("load")), np.zeros(case.steps))
        capacity = sum((case.values(unit["p_max"]) * is_on(unit, found) for unit in units), np.zeros(case.steps))
        found.at_most("reserve of capacity", load + wanted, capacity)
        return
    spare = sum((_spare(unit, found) for unit in units), np.zeros(case.steps))
    found.at_most("reserve limited by ramps", wanted, spare, scale=case.values(case_peak(case)))


def case_peak(case: Any) -> float:
    """Return the largest load, the scale of a reserve."""
    return max((float(np.max(case.values(asset["power"]))) for asset in case.of_type("load")), default=0.0)


def _spare(unit: Mapping[str, Any], found: Any) -> np.ndarray:
    """Return what a unit could add to its output in each step."""
    case, power, on = found.case, found.flow(f"{unit['name']}.p"), is_on(unit, found)
    low = case.values(unit.get("p_min"))
    ceiling = case.values(unit["p_max"]) * on
    ramping = power
    if unit.get("committable"):
        before = np.append(unit.get("initial", {}).get("status", 0), on[:-1])
        after = np.append(on[1:], on[-1])
        ceiling = np.where(on > before, np.minimum(ceiling, unit.get("startup_limit", np.inf)), ceiling)
        ceiling = np.where(on > after, np.minimum(ceiling, unit.get("shutdown_limit", np.inf)), ceiling)
        ramping = power - low * on
    spare = ceiling - power
    if unit.get("ramp_up") is not None:
        first = power_before(unit, float(low[0]))
        last = np.append(np.inf if first is None else first, ramping[:-1])
        hours = np.append(case.step_h[0], (case.step_h[1:] + case.step_h[:-1]) / 2)
        spare = np.minimum(spare, last + unit["ramp_up"] * hours - ramping)
    spare = np.maximum(spare, 0.0) * on
    return np.asarray(spare)
