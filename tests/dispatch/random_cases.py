"""Random cases of the neutral form `ems-case/1` that have a schedule by construction: what lacks has a price.

Beside them, the least cost of units on a bus by trying every commitment, which shares nothing with the package.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st
from random_numbers import rounded
from reference_rules import Audit, NeutralCase
from reference_samples import case
from reference_units import commitment_of, power_before
from scipy.optimize import linprog

SPILL_COST, UNSERVED_COST = 0.5, 50.0


def profiles(n: int, low: float, high: float) -> st.SearchStrategy[list[float]]:
    """A value for each step."""
    return st.lists(rounded(low, high), min_size=n, max_size=n)


@st.composite
def units(draw: Any, name: str, n: int, kind: str = "any") -> dict[str, Any]:
    """A generator; committable ones begin in a state that they may stay in or leave."""
    p_max = draw(rounded(2, 12, 0))
    unit: dict[str, Any] = {"name": name, "type": "generator", "p_max": p_max}
    if kind == "any" and draw(st.booleans()):
        unit["cost_curve"] = draw(curves(p_max, 0.0))
        if draw(st.booleans()):
            unit |= {"ramp_up": draw(rounded(0.5, 6)), "ramp_down": draw(rounded(0.5, 6))}
        return unit
    p_min = draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])) * p_max
    unit |= {"p_min": p_min, "committable": True}
    if kind == "linear" or draw(st.booleans()):
        unit["marginal_cost"] = draw(rounded(0, 9))
    else:
        unit["cost_curve"] = draw(curves(p_max, p_min))
    for field, values in (
        ("no_load_cost", rounded(0, 5)),
        ("startup_cost", st.sampled_from([3, 20, [[1, 2], [3, 9]], [[2, 1], [3, 4], [5, 12]]])),
        ("shutdown_cost", rounded(0, 3)),
        ("min_up_h", st.sampled_from([1, 2, 3, 1.5])),
        ("min_down_h", st.sampled_from([1, 2, 3])),
        ("startup_limit", st.just(p_min + draw(st.sampled_from([0.0, 0.4])) * (p_max - p_min))),
        ("shutdown_limit", st.just(p_min + draw(st.sampled_from([0.0, 0.4])) * (p_max - p_min))),
        ("ramp_up", rounded(0.5, 6)),
        ("ramp_down", rounded(0.5, 6)),
    ):
        if draw(st.booleans()):
            unit[field] = draw(values)
    if unit.get("startup_limit") == 0 or unit.get("shutdown_limit") == 0:
        unit.pop("startup_limit", None)
        unit.pop("shutdown_limit", None)
    status = draw(st.integers(0, 1))
    initial: dict[str, Any] = {"status": status, "hours": draw(st.integers(1, 6))}
    if status and draw(st.booleans()):
        initial["power"] = draw(st.sampled_from([p_min, p_max, (p_min + p_max) / 2]))
    if status and draw(st.integers(0, 5)) == 0:
        unit["must_run"] = True
    return {**unit, "initial": initial}


@st.composite
def curves(draw: Any, p_max: float, p_min: float) -> dict[str, Any]:
    """A quadratic cost, or one of straight pieces that may bend either way."""
    if draw(st.booleans()):
        c0, c1, c2 = draw(rounded(0, 5)), draw(rounded(0, 9)), draw(rounded(0, 1, 2))
        return {"type": "polynomial", "c0": c0, "c1": c1, "c2": c2}
    if p_min == p_max:
        return {"type": "polynomial", "c0": 1.0, "c1": 2.0}
    outputs = [p_min + share * (p_max - p_min) for share in (0, draw(rounded(0.2, 0.8)), 1)]
    slopes = draw(st.lists(rounded(0, 9), min_size=2, max_size=2))
    first = draw(rounded(0, 9)) if p_min > 0 else 0.0
    costs = [first, first + slopes[0] * (outputs[1] - outputs[0])]
    costs.append(costs[1] + slopes[1] * (outputs[2] - outputs[1]))
    return {"type": "piecewise", "points": [list(point) for point in zip(outputs, costs, strict=True)]}


@st.composite
def batteries(draw: Any, name: str, n: int) -> dict[str, Any]:
    """A battery that can always keep its content."""
    size = draw(rounded(1, 10, 0))
    soc_initial = draw(st.sampled_from([0.0, 0.5, 1.0]))
    asset: dict[str, Any] = {
        "name": name,
        "type": "battery",
        "energy_capacity": size,
        "charge_power_max": max(draw(rounded(0.5, 6)), 0.3 * size),
        "discharge_power_max": draw(rounded(0, 6)),
        "eta_charge": draw(st.sampled_from([1.0, 0.9, 0.5])),
        "eta_discharge": draw(st.sampled_from([1.0, 0.9, 0.5])),
        "soc_initial": soc_initial,
    }
    for field, values in (
        ("standing_loss_per_h", rounded(0, 0.05, 2)),
        ("charge_cost", rounded(0, 2)),
        ("discharge_cost", rounded(0, 2)),
        ("holding_cost", rounded(0, 0.5)),
        ("drain", rounded(0, 0.05, 2)),
        ("allow_simultaneous", st.booleans()),
        ("soc_max", st.just(max(soc_initial, 0.8))),
    ):
        if draw(st.booleans()):
            asset[field] = draw(values)
    rule = draw(st.sampled_from(["free", ">=", "cyclic", "own"]))
    if rule == ">=":
        asset |= {"soc_final": soc_initial / 2, "soc_final_rule": ">="}
    elif rule == "own":
        del asset["soc_initial"]
        asset["soc_final_rule"] = "cyclic"
    elif rule == "cyclic" and not asset.get("drain"):
        asset["soc_final_rule"] = "cyclic" if not asset.get("standing_loss_per_h") else "free"
    return asset


@st.composite
def vehicles(draw: Any, name: str, n: int) -> dict[str, Any]:
    """A vehicle whose wish is within reach, or has a price."""
    arrival = draw(st.integers(0, n - 1))
    departure = draw(st.integers(arrival + 1, n))
    size, power, start = draw(rounded(2, 10, 0)), draw(rounded(0.5, 4)), draw(rounded(0, 2))
    asset: dict[str, Any] = {
        "name": name,
        "type": "ev_charger",
        "energy_capacity": size,
        "energy_initial": start,
        "energy_target": min(size, start + 0.1 * power),
        "arrival_step": arrival,
        "departure_step": departure,
        "charge_power_max": power,
        "eta_charge": draw(st.sampled_from([1.0, 0.9])),
    }
    if draw(st.booleans()):
        asset |= {"energy_target": size, "unmet_cost": draw(rounded(0, 20))}
    if draw(st.booleans()):
        asset |= {
            "v2g": True,
            "discharge_power_max": power,
            "eta_discharge": 0.9,
            "discharge_cost": draw(rounded(0, 1)),
        }
    return asset


@st.composite
def connections(draw: Any, name: str, n: int) -> dict[str, Any]:
    """A connection, cheap or dear, with and without limits and charges on peaks."""
    asset: dict[str, Any] = {
        "name": name,
        "type": "grid_connection",
        "import_price": draw(profiles(n, 0, 9)),
        "export_price": draw(profiles(n, -2, 9)),
        "import_limit": draw(st.one_of(rounded(0, 20), profiles(n, 0, 20))),
        "export_limit": draw(rounded(0, 20)),
    }
    charges = []
    for number in range(draw(st.integers(0, 2))):
        charge: dict[str, Any] = {"name": f"charge {number}", "rate": draw(rounded(0, 9))}
        for field, values in (
            ("mask", st.lists(st.integers(0, 1), min_size=n, max_size=n)),
            ("prior_peak", rounded(0, 9)),
            ("free_allowance", rounded(0, 3)),
            ("basis", st.sampled_from(["import", "export"])),
        ):
            if draw(st.booleans()):
                charge[field] = draw(values)
        if draw(st.booleans()):
            charge["group"] = [1 + 3 * t // n for t in range(n)]
            ratchet: dict[str, Any] = draw(st.sampled_from([{}, {"previous_n": 1}, {"previous_n": 2}]))
            if ratchet:
                charge["ratchet"] = {"fraction": draw(rounded(0.1, 1)), **ratchet}
        charges.append(charge)
    return {**asset, "demand_charges": charges}


@st.composite
def movable_loads(draw: Any, name: str, n: int) -> dict[str, Any]:
    """A load to be moved, with time enough."""
    duration = draw(st.integers(1, n))
    first = draw(st.integers(0, n - duration))
    allowed = [int(first <= t < first + duration or draw(st.booleans())) for t in range(n)]
    return {
        "name": name,
        "type": "shiftable_load",
        "power": draw(rounded(0.5, 5)),
        "duration_steps": duration,
        "interruptible": draw(st.booleans()),
        "allowed": allowed,
    }


@st.composite
def neutral_cases(draw: Any) -> NeutralCase:
    """A case of up to five assets of any type beside a load; cost and rules are those of reference_rules.py."""
    n, step_h = draw(st.integers(2, 8)), draw(st.sampled_from([0.25, 0.5, 1.0, 2.0]))
    extra = draw(st.sampled_from(["none", "reserve", "shiftable", "shed", "steps"]))
    if extra == "steps":
        step_h = draw(st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=n, max_size=n))
    kinds = draw(st.lists(st.sampled_from(["unit", "unit", "battery", "vehicle", "grid", "renewable"]), max_size=4))
    options: dict[str, Any] = {"spill_cost": SPILL_COST, "unserved_cost": UNSERVED_COST}
    wanted = draw(profiles(n, 0, 15))
    firm: dict[str, Any] = {"name": "load", "type": "load", "power": wanted}
    assets = [firm]
    for number, kind in enumerate(kinds):
        name = f"{kind}_{number}"
        if kind == "renewable":
            plant = {"type": draw(st.sampled_from(["solar_pv", "wind_turbine"])), "curtailable": draw(st.booleans())}
            assets.append({"name": name, **plant, "power_available": draw(profiles(n, 0, 9))})
            continue
        make = {"unit": units, "battery": batteries, "vehicle": vehicles, "grid": connections}[kind]
        assets.append(draw(make(name, n)))
    if extra == "reserve":
        kind, required = draw(st.sampled_from(["capacity", "ramp_limited"])), draw(rounded(0, 5))
        options["reserve"] = {"type": kind, "requirement": required}
        assets.append({"name": "big", "type": "generator", "p_max": max(wanted) + required + 1, "marginal_cost": 20})
    elif extra == "shiftable":
        assets.append(draw(movable_loads("moved", n)))
    elif extra == "shed":
        firm["shed_cost"] = draw(rounded(0, 20))
    power = draw(st.sampled_from(["kW", "MW"]))
    return case(*assets, n=n, step_h=step_h, power=power, **options)


@st.composite
def unit_commitments(draw: Any) -> NeutralCase:
    """One or two units of linear cost and a load over a few steps: few enough to try every commitment."""
    count = draw(st.integers(1, 2))
    n = draw(st.integers(2, 6 if count == 1 else 4))
    step_h = draw(st.one_of(st.just([1.0] * n), st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=n, max_size=n)))
    assets = [draw(units(f"unit_{number}", n, "linear")) for number in range(count)]
    options: dict[str, Any] = {"spill_cost": SPILL_COST, "unserved_cost": UNSERVED_COST}
    if draw(st.booleans()):
        assets.append({"name": "big", "type": "generator", "p_max": 30, "marginal_cost": 20, "ramp_up": 4})
        options["reserve"] = {"type": "ramp_limited", "requirement": draw(rounded(0, 3))}
    demand = {"name": "load", "type": "load", "power": draw(profiles(n, 0, 20))}
    return case(demand, *assets, n=n, step_h=step_h, power="kW", **options)


def least_cost(given: NeutralCase) -> float:
    """Return the least cost of units with linear costs and a load, over every commitment that is allowed."""
    units = list(given.of_type("generator"))
    options = [list(_commitments(unit, given)) if unit.get("committable") else [None] for unit in units]
    best = np.inf
    for choice in itertools.product(*options):
        fixed = sum(cost for cost in (one[1] for one in choice if one is not None))
        if fixed < best:
            on = [np.ones(given.steps) if one is None else one[0] for one in choice]
            best = min(best, fixed + _least_running_cost(given, units, on))
    return best


def _commitments(unit: Mapping[str, Any], given: NeutralCase) -> Iterator[tuple[np.ndarray, float]]:
    """Give each commitment that minimum times allow, with its cost."""
    for states in itertools.product((0.0, 1.0), repeat=given.steps):
        found = Audit(given, {})
        on = np.array(states)
        commitment_of(unit, found, on, np.zeros(given.steps))
        if not found.broken:
            idle = float(np.sum(unit.get("no_load_cost", 0.0) * on * given.step_h))
            yield on, found.total_cost + idle


def _least_running_cost(given: NeutralCase, units: list[Mapping[str, Any]], on: list[np.ndarray]) -> float:
    """Return the least cost of energy of committed units, by a linear programme: outputs, reserves, spill, lack."""
    n, count = given.steps, len(units)
    demand = sum(given.values(one["power"]) for one in given.of_type("load"))
    required = given.options.get("reserve", {}).get("requirement", 0.0)
    size = 2 * count + 2  # blocks of n columns: outputs, reserves, spill, unserved
    cost = np.zeros((size, n))
    hours = np.append(given.step_h[0], (given.step_h[1:] + given.step_h[:-1]) / 2)  # from middle to middle
    bounds: list[tuple[float, float | None]] = []
    rows, limits = [], []

    def row(entries: Mapping[tuple[int, int], float], limit: float) -> None:
        line = np.zeros((size, n))
        for place, factor in entries.items():
            line[place] += factor
        rows.append(line.ravel())
        limits.append(limit)

    for g, (unit, is_on) in enumerate(zip(units, on, strict=True)):
        low, ceiling = unit.get("p_min", 0.0) * is_on, unit["p_max"] * is_on
        was_on = unit.get("initial", {}).get("status", 0)
        if unit.get("committable"):
            starts = is_on > np.append(was_on, is_on[:-1])
            stops = is_on > np.append(is_on[1:], is_on[-1])
            ceiling = np.where(starts, np.minimum(ceiling, unit.get("startup_limit", np.inf)), ceiling)
            ceiling = np.where(stops, np.minimum(ceiling, unit.get("shutdown_limit", np.inf)), ceiling)
        cost[g] = unit["marginal_cost"] * given.step_h
        bounds += [(float(one), None) for one in low]
        before = power_before(unit, unit.get("p_min", 0.0))
        base = low if unit.get("committable") else np.zeros(n)
        for t in range(n):
            row({(g, t): 1, (count + g, t): 1}, ceiling[t])
            last = {} if t == 0 else {(g, t - 1): 1.0}
            last_base = base[t - 1] if t else None if before is None else -before
            if last_base is None:
                continue
            if unit.get("ramp_up") is not None and is_on[t]:
                entries = {(g, t): 1.0, (count + g, t): 1.0, **dict.fromkeys(last, -1.0)}
                row(entries, unit["ramp_up"] * hours[t] + base[t] - last_base)
            if unit.get("ramp_down") is not None:
                row({(g, t): -1.0, **last}, unit["ramp_down"] * hours[t] - base[t] + last_base)
    bounds += [(0.0, None)] * ((count + 2) * n)
    cost[2 * count] = given.options["spill_cost"] * given.step_h
    cost[2 * count + 1] = given.options["unserved_cost"] * given.step_h
    for t in range(n):
        row({(count + g, t): -1.0 for g in range(count)}, -required)
    balance = np.hstack([np.eye(n)] * count + [np.zeros((n, n))] * count + [-np.eye(n), np.eye(n)])
    answer = linprog(cost.ravel(), np.array(rows), np.array(limits), balance, demand, bounds)
    return float(answer.fun) if answer.status == 0 else np.inf
