"""An exact dynamic programme for one storage behind one connection.

The state is the energy content. In each step the cheapest use of import, export, curtailment and shedding makes the
cost of a power of the battery convex and piecewise linear, as long as a kWh is never sold for more than it is bought
for and throwing energy away through losses never pays. `ems.dispatch.storage.value_function` then finds the cheapest
path.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from ems.assets.battery import Battery
from ems.assets.battery_limits import limits_of
from ems.assets.grid_connection import GridConnection
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.storage.bus_cost import BusCost, bus_cost, choices_of
from ems.dispatch.storage.storage_fit import find_misfit
from ems.dispatch.storage.value_function import StepCosts, cheapest_path
from ems.errors import InvalidInput

LEAST_KEPT = 1e-200
"""Share of a content that must be left at the end of the horizon for its scale to be a number."""
ROUNDING = 1e-12
"""Share of a price within which two prices are the same."""
NOISE = 1e-10
"""Share of the power limits below which a power is rounding."""


@dataclass(frozen=True)
class StorageSchedule:
    """The cheapest schedule of a storage behind a connection.

    Parameters
    ----------
    values : dict
        Each variable of the dispatch, shape (steps,), or (steps + 1,) for ``energy_kwh``, by owner and name: the ids
        of the assets, and ``site <id>`` for what the bus throws away or lacks.
    objective : float
        Cost of the schedule.
    stored_energy_value_per_kwh : ndarray (steps,)
        What one more kWh in the content at the end of each step would save.
    """

    values: dict[tuple[str, str], np.ndarray]
    objective: float
    stored_energy_value_per_kwh: np.ndarray


@dataclass(frozen=True)
class _Stated:
    """A problem as a bus, a battery and what is fixed."""

    battery: Battery
    bus: BusCost
    net_demand_kw: np.ndarray
    charge_limit_kw: np.ndarray
    discharge_limit_kw: np.ndarray
    charge_cost_per_kwh: np.ndarray
    wear_per_kwh: np.ndarray
    drain_kwh: np.ndarray
    lowest_kwh: np.ndarray
    highest_kwh: np.ndarray
    kept: np.ndarray
    fixed_cost: float
    step_h: np.ndarray


def explain_unfit(problem: DispatchProblem) -> str | None:
    """Return why the dynamic programme cannot solve a problem, with what to do; None where it can."""
    stated = _state(problem)
    return stated if isinstance(stated, str) else None


def storage_programme(problem: DispatchProblem) -> StorageSchedule | None:
    """Return the cheapest schedule of one storage behind one connection, or None where no schedule keeps all limits.

    Among schedules of the same cost it is one that moves the battery least.

    Parameters
    ----------
    problem : DispatchProblem

    Raises
    ------
    InvalidInput
        If the problem is of another form; `explain_unfit` says so beforehand.
    """
    stated = _state(problem)
    if isinstance(stated, str):
        raise InvalidInput("solver = 'dp'", stated)
    costs, scale, holding = _step_costs(stated)
    if (costs.length < 0).any():
        return None
    lowest, highest = stated.lowest_kwh / scale, stated.highest_kwh / scale
    # Whatever is left beyond the least at the end is given away in one more step, for what it is worth.
    lowest, highest = np.append(lowest, lowest[-1]), np.append(highest, lowest[-1])
    if highest[-2] < lowest[-2]:
        return None
    found = cheapest_path(costs, lowest, highest)
    if found is None:
        return None
    path, price = found
    value_per_kwh = (price[:-1] - holding) / scale[1:]
    return _schedule(stated, path[:-1] * scale, value_per_kwh)


def _state(problem: DispatchProblem) -> _Stated | str:
    """Return a problem in the form of the programme, or why it is not."""
    misfit = find_misfit(problem)
    if misfit is not None:
        return misfit
    battery = next(asset for asset in problem.assets if isinstance(asset, Battery))
    inputs, step_h = problem.inputs_of(battery), problem.horizon.step_h
    choices, net_demand_kw, fixed_cost = choices_of(problem)
    connection = next(asset for asset in problem.assets if isinstance(asset, GridConnection))
    sold, bought = (next(one for one in choices if one.name == name) for name in ("export_kw", "import_kw"))
    pays = (sold.slope_per_kwh > bought.slope_per_kwh) & (sold.limit_kw > 0) & (bought.limit_kw > 0)
    if pays.any() and not connection.may_import_while_exporting:
        t = int(np.argmax(pays))
        return (
            f"the export price {sold.slope_per_kwh[t]:g} is above the import price {bought.slope_per_kwh[t]:g} at "
            f"{problem.horizon.times[t]:%Y-%m-%d %H:%M} UTC: importing while exporting has to be excluded by on/off "
            "decisions; use solver = 'highs'"
        )
    limits = limits_of(battery, inputs)
    kept = (1 - battery.standing_loss_per_h) ** step_h
    if np.prod(kept) < LEAST_KEPT:
        return (
            f"standing_loss_per_h = {battery.standing_loss_per_h:g}: leaves nothing of a content until the end of the "
            "horizon; use solver = 'highs'"
        )
    lowest_kwh, highest_kwh = _contents(battery, problem, limits.min_kwh, limits.max_kwh)
    stated = _Stated(
        battery=battery,
        bus=bus_cost(choices, np.abs(net_demand_kw) + limits.charge_kw + limits.discharge_kw),
        net_demand_kw=net_demand_kw,
        charge_limit_kw=limits.charge_kw,
        discharge_limit_kw=limits.discharge_kw,
        charge_cost_per_kwh=battery.over_steps("charge_cost_per_kwh", inputs),
        wear_per_kwh=battery.over_steps("degradation_cost_per_kwh", inputs),
        drain_kwh=battery.over_steps("drain_kw", inputs) * step_h,
        lowest_kwh=lowest_kwh,
        highest_kwh=highest_kwh,
        kept=kept,
        fixed_cost=fixed_cost,
        step_h=step_h,
    )
    bends = _bends_down(stated)
    if bends.any():
        return (
            f"energy has a negative price at {problem.horizon.times[int(np.argmax(bends))]:%Y-%m-%d %H:%M} UTC: "
            "charging while discharging would pay and has to be excluded by on/off decisions; use solver = 'highs'"
        )
    return stated


def _contents(
    battery: Battery, problem: DispatchProblem, min_kwh: np.ndarray, max_kwh: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of the content at each boundary, targets and both ends included."""
    initial_kwh, target_kwh = battery.initial_soc * battery.content_kwh, battery.target_soc * battery.content_kwh
    lowest, highest = np.append(initial_kwh, min_kwh), np.append(initial_kwh, max_kwh)
    boundaries = problem.horizon.boundaries.to_numpy()
    wanted: list[tuple[str, int, float]] = [(battery.final_soc_rule, len(boundaries) - 1, target_kwh)]
    for target in battery.soc_targets:
        moment = np.datetime64(target.time.astimezone(dt.UTC).replace(tzinfo=None), "ns")
        places = np.flatnonzero(boundaries[1:] == moment) + 1
        wanted += [(target.rule, int(place), target.soc * battery.content_kwh) for place in places]
    for rule, place, kwh in wanted:
        if rule in ("at_least", "exactly"):
            lowest[place] = max(lowest[place], kwh)
        if rule in ("at_most", "exactly"):
            highest[place] = min(highest[place], kwh)
    return lowest, highest


def _segments(stated: _Stated) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return least change (steps,), lengths and slopes (segments, steps) of what changing the content costs.

    Each stretch of the bus gives one segment of discharging and one of charging.
    """
    battery, bus, demand_kw, step_h = stated.battery, stated.bus, stated.net_demand_kw, stated.step_h
    begin_kw, end_kw = bus.begin_kw, bus.begin_kw + bus.length_kw
    lowest_kw, highest_kw = demand_kw - stated.discharge_limit_kw, demand_kw + stated.charge_limit_kw
    discharged = np.clip(end_kw, lowest_kw, demand_kw) - np.clip(begin_kw, lowest_kw, demand_kw)
    charged = np.clip(end_kw, demand_kw, highest_kw) - np.clip(begin_kw, demand_kw, highest_kw)
    given, taken = battery.discharge_efficiency, battery.charge_efficiency
    least_kw = np.maximum(-stated.discharge_limit_kw, bus.lowest_kw - demand_kw)
    return (
        np.where(least_kw > 0, least_kw * taken, least_kw / given) * step_h - stated.drain_kwh,
        np.concatenate((discharged / given * step_h, charged * taken * step_h)),
        np.concatenate(
            (
                (bus.slope_per_kwh - stated.wear_per_kwh) * given,
                (bus.slope_per_kwh + stated.charge_cost_per_kwh) / taken,
            )
        ),
    )


def _bends_down(stated: _Stated) -> np.ndarray:
    """Return in which steps the last kWh discharged is worth more than the first one charged costs."""
    _, lengths, slopes = _segments(stated)
    half = len(slopes) // 2
    discharged = np.where(lengths[:half] > 0, slopes[:half], -np.inf).max(axis=0)
    charged = np.where(lengths[half:] > 0, slopes[half:], np.inf).min(axis=0)
    scale = np.where(np.isfinite(discharged), np.abs(discharged), 0.0)
    bends: np.ndarray = discharged > charged + ROUNDING * scale
    return bends


def _step_costs(stated: _Stated) -> tuple[StepCosts, np.ndarray, np.ndarray]:
    """Return the costs of the steps on a scale on which nothing is lost, that scale, and the cost of holding.

    content[t] = scale[t] * scaled[t], where scale[t+1] = scale[t] * kept[t]. A scaled kWh that is added in a step is
    held from its end on, so its cost of holding is a slope of that step.
    """
    scale = np.append(1.0, np.cumprod(stated.kept))
    least, lengths, slopes = _segments(stated)
    held = stated.battery.holding_cost_per_kwh_h * stated.step_h * scale[1:]
    holding = np.cumsum(held[::-1])[::-1]
    highest_kw = np.minimum(stated.charge_limit_kw, stated.bus.highest_kw - stated.net_demand_kw)
    lowest_kw = np.maximum(-stated.discharge_limit_kw, stated.bus.lowest_kw - stated.net_demand_kw)
    slack_kw = NOISE * (1.0 + stated.charge_limit_kw + stated.discharge_limit_kw + np.abs(stated.net_demand_kw))
    if (lowest_kw > highest_kw + slack_kw).any():
        lengths[0] = -1.0  # some power has nowhere to come from or to go
    left_kwh = max(0.0, stated.highest_kwh[-1] - stated.lowest_kwh[-1]) / scale[-1]
    last_length, last_slope = np.zeros((len(lengths), 1)), np.zeros((len(lengths), 1))
    last_length[0], last_slope[0] = left_kwh, (stated.battery.final_energy_value_per_kwh or 0.0) * scale[-1]
    costs = StepCosts(
        np.append(least / scale[1:], -left_kwh),
        np.concatenate((lengths / scale[1:], last_length), axis=1),
        np.concatenate((slopes * scale[1:] + holding, last_slope), axis=1),
    )
    return costs, scale, holding


def _schedule(stated: _Stated, energy_kwh: np.ndarray, value_per_kwh: np.ndarray) -> StorageSchedule:
    """Return powers and cost of a path of the content."""
    battery, step_h = stated.battery, stated.step_h
    change_kwh = energy_kwh[1:] - energy_kwh[:-1] * stated.kept + stated.drain_kwh
    charge_kw = np.minimum(np.maximum(change_kwh, 0.0) / (battery.charge_efficiency * step_h), stated.charge_limit_kw)
    discharge_kw = np.minimum(
        np.maximum(-change_kwh, 0.0) * battery.discharge_efficiency / step_h, stated.discharge_limit_kw
    )
    noise_kw = NOISE * (stated.charge_limit_kw + stated.discharge_limit_kw)
    charge_kw[charge_kw < noise_kw] = 0.0
    discharge_kw[discharge_kw < noise_kw] = 0.0
    power_kw = stated.net_demand_kw + charge_kw - discharge_kw
    uses = stated.bus.uses_kw(power_kw)
    money_per_h = stated.charge_cost_per_kwh * charge_kw + stated.wear_per_kwh * discharge_kw
    money_per_h += battery.holding_cost_per_kwh_h * energy_kwh[1:]
    values = {
        (battery.id, "charge_kw"): charge_kw,
        (battery.id, "discharge_kw"): discharge_kw,
        (battery.id, "energy_kwh"): energy_kwh,
    }
    for choice, use in zip(stated.bus.choices, uses, strict=True):
        money_per_h += choice.cost_per_kwh * use
        values[choice.owner, choice.name] = use if choice.whole_kw is None else choice.whole_kw - use
    left = (battery.final_energy_value_per_kwh or 0.0) * float(energy_kwh[-1])
    return StorageSchedule(values, float(np.sum(money_per_h * step_h)) + stated.fixed_cost - left, value_per_kwh)
