"""Unit commitment: each rule of a generator in a small case with the answer found by hand, and all by enumeration."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from builders import generator, grid, load, prices, problem, series
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_generators import generators
from random_numbers import rounded

from ems.assets.generator import Generator
from ems.assets.reserve import ReserveRequirement
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import Infeasible
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of

LARGE_KW = 1000


def selling(
    unit: Generator,
    price: Sequence[float],
    values: Mapping[str, Any] | None = None,
    steps_h: Sequence[float] | None = None,
    **fields: Any,
) -> DispatchProblem:
    """A generator that sells what it gives at a price that changes from step to step; nothing is bought."""
    connection = grid(max_import_kw=0, max_export_kw=LARGE_KW)
    hours = steps_h or [1.0] * len(price)
    return problem([unit, connection], {**prices(9.0, price), **(values or {})}, hours, **fields)


def checked(asked: DispatchProblem, options: Any) -> DispatchResult:
    """The solution, which keeps all laws and whose bill is its cost."""
    result = solve(asked, options())
    assert violations_of(result.flows, asked.series, asked.portfolio) == []
    bill = settle(result.flows, asked.series, asked.portfolio)
    # A convex cost is met to a part in a million by its tangents.
    assert bill.total_cost == pytest.approx(result.total_cost, abs=1e-5, rel=1e-5)
    return result


def outputs(result: DispatchResult) -> list[float]:
    values: list[float] = result.flows.output_kw.sel(asset="generator").to_numpy().round(4).tolist()
    return values


def on(result: DispatchResult) -> list[int]:
    values: list[int] = result.flows.is_on.sel(asset="generator").to_numpy().round().astype(int).tolist()
    return values


# ------------------------------------------------------------------------------------------ costs
def test_solve__quadratic_fuel_cost(options):
    """At a price of 0.5, 0.1 p + 0.01 p² costs 0.5 more for the next kWh at p = 20 kW: 20 x 0.4 - 4 = 4 a step."""
    result = checked(selling(generator(quadratic_cost_per_kw2h=0.01), [0.5, 0.5]), options)

    assert result.total_cost == pytest.approx(-8, rel=1e-5)
    assert result.flows.output_kw.sel(asset="generator").values == pytest.approx([20, 20], abs=0.1)  # flat there


def test_solve__no_load_cost_decides_on_running(options):
    """40 kW at a margin of 0.1 earn 4 an hour, less than 5 of idling; at a margin of 0.2 they earn 8."""
    unit = generator(no_load_cost_per_h=5)
    result = checked(selling(unit, [0.2, 0.3]), options)

    assert on(result) == [0, 1]
    assert result.total_cost == pytest.approx(-3)


def test_solve__no_load_cost_of_a_generator_that_always_runs(options):
    """Nothing is earned at a price of 0.1, and 2 h of idling cost 10."""
    result = checked(selling(generator(no_load_cost_per_h=5, is_committable=False), [0.05, 0.05]), options)

    assert result.total_cost == pytest.approx(10)


def curve(*pairs: tuple[float, float]) -> dict[str, Any]:
    return {"fuel_cost_per_kwh": 0, "cost_curve": [{"output_kw": kw, "cost_per_h": cost} for kw, cost in pairs]}


def test_solve__convex_curve(options):
    """Slopes 0.1 to 20 kW and 0.3 to 40 kW, 1 at 10 kW: at 0.2 it gives 20 kW for 4 - 2, at 0.4 40 kW for 16 - 8."""
    unit = generator(min_output_kw=10, **curve((10, 1), (20, 2), (40, 8)))
    result = checked(selling(unit, [0.05, 0.2, 0.4]), options)

    assert outputs(result) == [0, 20, 40]
    assert result.total_cost == pytest.approx(-2 - 8)


def test_solve__curve_that_is_not_convex(options):
    """Slopes 0.3, then 0.1: at 0.15 either nothing or all 40 kW (6 - 8 < 0); at 0.25 all 40 kW earn 10 - 8."""
    unit = generator(**curve((0, 0), (20, 6), (40, 8)))
    result = checked(selling(unit, [0.15, 0.25]), options)

    assert outputs(result) == [0, 40]
    assert result.total_cost == pytest.approx(-2)


def test_solve__curve_of_a_generator_that_always_runs(options):
    """At 0.05 it stays at its lowest 10 kW for 3 an hour, which sell for 0.5."""
    unit = generator(min_output_kw=10, is_committable=False, **curve((10, 3), (40, 6)))
    result = checked(selling(unit, [0.05]), options)

    assert outputs(result) == [10]
    assert result.total_cost == pytest.approx(3 - 0.5)


def test_solve__fuel_cost_that_changes_and_may_be_negative(options):
    """Paid 0.1 for burning in hour 0 and asked 0.3 in hour 1, at a price of 0.2."""
    asked = selling(generator(), [0.2, 0.2], {"generator.fuel_cost_per_kwh": [-0.1, 0.3]})
    result = checked(asked, options)

    assert outputs(result) == [40, 0]
    assert result.total_cost == pytest.approx(-12)


def test_solve__start_costs_by_hours_off(options):
    """The first start is cold for 3, the second after 2 h off is warm for 1; each hour on earns 4."""
    classes = [{"offline_h": 0, "cost": 1}, {"offline_h": 3, "cost": 3}]
    unit = generator(min_output_kw=40, fuel_cost_per_kwh=0.2, startup_costs=classes)
    result = checked(selling(unit, [0.3, 0.1, 0.1, 0.3]), options)

    assert on(result) == [1, 0, 0, 1]
    assert result.total_cost == pytest.approx(3 + 1 - 2 * 4)


@pytest.mark.parametrize(("hours", "cost"), [(None, 3), (0.5, 1), (2, 1), (2.5, 3)])
def test_solve__start_cost_counts_hours_before_the_horizon(options, hours, cost):
    """Cold from 3.5 h on: a start in hour 1 comes after 3 h where it had been off for 2 h, else after 3.5 h."""
    classes = [{"offline_h": 0, "cost": 1}, {"offline_h": 3.5, "cost": 3}]
    unit = generator(min_output_kw=40, startup_costs=classes, initial_state_h=hours)
    result = checked(selling(unit, [0.0, 0.3]), options)

    assert on(result) == [0, 1]
    assert result.total_cost == pytest.approx(cost - 8)


# ------------------------------------------------------------------------------------------ state before
@pytest.mark.parametrize(("hours", "expected"), [(None, [0, 0, 0]), (1, [1, 1, 0]), (2.5, [1, 0, 0]), (3, [0, 0, 0])])
def test_solve__time_on_before_the_horizon_still_binds(options, hours, expected):
    """3 h must be on: after 1 h two more, after 2.5 h half an hour and with it a whole step."""
    unit = generator(min_output_kw=20, min_uptime_h=3, initial_is_on=True, initial_state_h=hours)

    assert on(checked(selling(unit, [0.0] * 3), options)) == expected


@pytest.mark.parametrize(("hours", "expected"), [(None, [1, 1, 1]), (1, [0, 0, 1]), (2, [0, 1, 1])])
def test_solve__time_off_before_the_horizon_still_binds(options, hours, expected):
    """3 h must be off: after 1 h two more."""
    unit = generator(min_output_kw=20, min_downtime_h=3, initial_state_h=hours)

    assert on(checked(selling(unit, [1.0] * 3), options)) == expected


def test_solve__ramps_from_the_output_before(options):
    """40 kW before, down by 6 kW an hour where nothing is earned: 34, 28, 22, 20 kW, as a stop is from at most 20."""
    unit = generator(
        min_output_kw=20,
        ramp_down_rate_kw_per_min=0.1,
        max_shutdown_kw=20,
        initial_is_on=True,
        initial_output_kw=40,
    )
    result = checked(selling(unit, [0.0] * 5), options)

    assert outputs(result) == [34, 28, 22, 20, 0]


def test_solve__start_is_limited_and_then_ramps_from_the_lowest_output(options):
    """12 kW at the start, then 6 kW an hour; the last step is at most 15 kW."""
    unit = generator(min_output_kw=10, max_startup_kw=12, max_shutdown_kw=15, ramp_up_rate_kw_per_min=0.1)
    result = checked(selling(unit, [-9, 1, 1, 1, 1, -9]), options)

    assert outputs(result) == [0, 12, 18, 24, 15, 0]


def test_solve__start_of_one_step_keeps_both_limits(options):
    """On for an hour alone it is both in its first and its last step: 12 kW, the lower of both limits."""
    unit = generator(min_output_kw=10, max_startup_kw=20, max_shutdown_kw=12)

    assert outputs(checked(selling(unit, [-9, 1, -9]), options)) == [0, 12, 0]


def test_solve__always_running_ramps_on_the_power_itself(options):
    """From any output in hour 0 it falls by 6 kW an hour, from 30 kW before by as much into hour 0."""
    unit = generator(min_output_kw=10, is_committable=False, ramp_down_rate_kw_per_min=0.1)

    assert outputs(checked(selling(unit, [0.0, 0.0, 1.0]), options)) == [10, 10, 40]
    assert outputs(checked(selling(unit.replace(initial_output_kw=30), [0.0, 0.0, 1.0]), options)) == [24, 18, 40]


# ------------------------------------------------------------------------------------------ must and may
def test_solve__must_run_may_start_in_the_first_step(options):
    """On for all 3 h at 20 kW and a loss of 0.1 per kWh, after one start."""
    unit = generator(min_output_kw=20, must_run=True, startup_cost=2)
    result = checked(selling(unit, [0.0] * 3), options)

    assert on(result) == [1, 1, 1]
    assert result.total_cost == pytest.approx(2 + 6)


def test_solve__required_on_and_off(options):
    asked = selling(generator(min_output_kw=20), [0.0, 1.0, 1.0], {"generator.required_on": [1, 0, 1]})

    assert outputs(checked(asked, options)) == [20, 0, 40]


def test_solve__always_running_is_off_where_it_is_required_off(options):
    """A commitment that was decided before is taken as it is in an economic dispatch."""
    unit = generator(min_output_kw=20, is_committable=False)
    asked = selling(unit, [0.0, 1.0, 1.0], {"generator.required_on": [1, 0, 1]})

    assert outputs(checked(asked, options)) == [20, 0, 40]


def test_solve__off_where_less_is_available_than_the_lowest_output(options):
    """5 kW of 20 are too little; 30 are enough."""
    asked = selling(generator(min_output_kw=20), [1.0] * 3, {"generator.max_output_kw": [40, 5, 30]})

    assert outputs(checked(asked, options)) == [40, 0, 30]


def test_solve__outage_ends_the_time_on_before_the_horizon(options):
    """It had to stay on for 3 h more and to come down before it stops, but is out of service."""
    unit = generator(
        min_output_kw=20,
        min_uptime_h=4,
        initial_is_on=True,
        initial_state_h=1,
        initial_output_kw=40,
        max_shutdown_kw=20,
        ramp_down_rate_kw_per_min=0.1,
    )
    asked = selling(unit, [1.0] * 3, {"generator.max_output_kw": [0, 40, 40]})

    assert on(checked(asked, options)) == [0, 1, 1]


def test_solve__contradiction_names_its_rule(options):
    unit = generator(min_output_kw=20, must_run=True)

    with pytest.raises(Infeasible, match=r"must_run|required_off"):
        solve(selling(unit, [1.0] * 3, {"generator.required_on": [1, 0, 1]}), options())


# ------------------------------------------------------------------------------------------ reserve
def test_solve__reserve_keeps_room_above_the_output(options):
    """15 kW ready leave 25 kW of 40 to sell."""
    asked = selling(generator(min_output_kw=10), [1.0] * 2, reserves=(ReserveRequirement(id="up", requirement_kw=15),))

    assert outputs(checked(asked, options)) == [25, 25]


def test_solve__reserve_below_the_output(options):
    """15 kW to take off need 25 kW above a lowest output of 10, at a loss."""
    down = ReserveRequirement(id="down", direction="down", requirement_kw=15)
    asked = selling(generator(min_output_kw=10), [0.0] * 2, reserves=(down,))

    assert outputs(checked(asked, options)) == [25, 25]


def test_solve__reserve_within_the_ramp_and_the_start(options):
    """A start reaches 20 kW at most: with 6 kW ready it gives 14; then 6 kW more each hour, all of it with reserve."""
    unit = generator(min_output_kw=10, max_startup_kw=20, ramp_up_rate_kw_per_min=0.2)
    asked = selling(unit, [1.0] * 3, reserves=(ReserveRequirement(id="up", requirement_kw=6, kind="ramp_limited"),))

    assert outputs(checked(asked, options)) == [14, 20, 26]


def test_solve__reserve_of_capacity_keeps_a_second_generator_on(options):
    """30 kW of load and 20 of reserve are more than 40 kW: the dear one runs at its lowest output of 5 kW."""
    cheap = generator(id="cheap", min_output_kw=5)
    dear = generator(id="dear", min_output_kw=5, fuel_cost_per_kwh=0.3)
    asked = problem(
        [cheap, dear, load()],
        {"load.demand_kw": [30.0, 30.0]},
        [1, 1],
        reserves=(ReserveRequirement(id="spin", kind="capacity", requirement_kw=20),),
    )

    assert checked(asked, options).total_cost == pytest.approx(2 * (25 * 0.1 + 5 * 0.3))


def test_solve__emissions_count_output(options):
    """40 kWh at 0.5 kg/kWh are 20 kg."""
    result = checked(selling(generator(), [1.0]), options)

    assert result.emissions_kg["generator"] == pytest.approx(20)


# ------------------------------------------------------------------------------------------ replay
@pytest.mark.parametrize(
    ("fields", "output", "is_on", "law"),
    [
        ({"max_startup_kw": 20}, [0, 30, 30], [0, 1, 1], "starts at more than 20 kW by 9.9996 kW"),
        ({"max_shutdown_kw": 20}, [30, 30, 0], [1, 1, 0], "stops at more than 20 kW by 9.9996 kW"),
        ({"ramp_up_rate_kw_per_min": 0.1}, [10, 10, 30], [1, 1, 1], "rises faster than 0.1 kW/min by 13.9996 kW"),
        ({"ramp_down_rate_kw_per_min": 0.1}, [10, 30, 10], [1, 1, 1], "falls faster than 0.1 kW/min by 13.9996 kW"),
        ({"min_uptime_h": 2}, [10, 0, 0], [1, 0, 0], "is on for less than 2 h by 1 h"),
        ({"min_downtime_h": 2}, [10, 0, 10], [1, 0, 1], "is off for less than 2 h by 1 h"),
        ({"min_downtime_h": 2, "initial_state_h": 0.5}, [10] * 3, [1] * 3, "is off for less than 2 h by 1.5 h"),
        (
            {"initial_is_on": True, "initial_output_kw": 40, "ramp_down_rate_kw_per_min": 0.1},
            [10] * 3,
            [1] * 3,
            "falls faster than 0.1 kW/min by 23.9996 kW",
        ),
        ({"must_run": True}, [10, 0, 10], [1, 0, 1], "is off, though it must run by 1 steps"),
    ],
)
def test_violations_of__commitment(fields, output, is_on, law):
    """A slack of 0.0004 kW is what a solver's rounding of a decision makes of 40 kW."""
    asked = selling(generator(min_output_kw=10, **fields), [1.0] * 3)
    powers = {"output_kw": ("generator", output), "is_on": ("generator", is_on), "export_kw": ("grid", output)}
    nothing = {"import_kw": ("grid", [0] * 3)}
    flows = series(asked.horizon, {f"{of}.{name}": values for name, (of, values) in {**powers, **nothing}.items()})
    flows = flows.assign_coords(step_h=("time", asked.horizon.step_h))

    found = violations_of(flows, asked.series, asked.portfolio)

    assert [text.split(" at 2024")[0] for text in found] == [f"'generator': {law}"]


# ------------------------------------------------------------------------------------------ all rules at once
def cheapest(unit: Generator, price: Sequence[float], steps_h: Sequence[float]) -> float:
    """The least cost over all ways of being on and off, each with its outputs by a small linear programme.

    Rules as people read them, without any tightening; costs are linear or convex and piecewise linear.
    """
    step_h = np.array(steps_h)
    begins = np.concatenate(([0.0], np.cumsum(step_h)))
    spans = np.append(step_h[0], (step_h[1:] + step_h[:-1]) / 2)
    free = [(True,)] * len(price) if not unit.is_committable or unit.must_run else [(True, False)] * len(price)
    costs = []
    for is_on in itertools.product(*free):
        fixed = _cost_of_switches(unit, is_on, begins) if unit.is_committable else 0.0
        if fixed is not None:
            hourly = unit.no_load_cost_per_h + unit.maintenance_cost_per_h
            variable = _cost_of_outputs(unit, np.array(is_on), np.array(price), step_h, spans)
            costs.append(fixed + hourly * float(np.array(is_on) @ step_h) + variable)
    return min(costs)


def _cost_of_switches(unit: Generator, is_on: Sequence[bool], begins: np.ndarray) -> float | None:
    """Starts and stops by their cost, or nothing where a minimum time is not kept."""
    state, since, cost = unit.initial_is_on, -(np.inf if unit.initial_state_h is None else unit.initial_state_h), 0.0
    for step, now in enumerate(is_on):
        if now == state:
            continue
        hours = begins[step] - since
        if hours < (unit.min_downtime_h if now else unit.min_uptime_h) - 1e-9:
            return None
        if now:
            valid = [one.cost for one in unit.startup_costs if one.offline_h <= hours + 1e-9]
            cost += valid[-1] if valid else unit.startup_costs[0].cost if unit.startup_costs else unit.startup_cost
        else:
            cost += unit.shutdown_cost
        state, since = now, begins[step]
    return cost


def _cost_of_outputs(
    unit: Generator, is_on: np.ndarray, price: np.ndarray, step_h: np.ndarray, spans: np.ndarray
) -> float:
    """The least cost of outputs; infinite where there are none. Variables: output, then cost of the curve per hour."""
    from scipy.optimize import linprog

    count = len(is_on)
    low, high = unit.min_output_kw * is_on, unit.max_output_kw * is_on
    rows, limits = [], []

    def row(entries: Mapping[int, float], limit: float) -> None:
        rows.append([entries.get(k, 0.0) for k in range(2 * count)])
        limits.append(limit)

    if unit.is_committable and not _limit_switches(unit, is_on, high):
        return np.inf
    base = low if unit.is_committable else np.zeros(count)
    before: float | None = unit.initial_output_kw
    if unit.is_committable:
        before = 0.0 if not unit.initial_is_on else None if before is None else before - unit.min_output_kw
    for rate, sign in ((unit.ramp_up_rate_kw_per_min, 1), (unit.ramp_down_rate_kw_per_min, -1)):
        if rate is None:
            continue
        for t in range(1, count):
            row({t: sign, t - 1: -sign}, rate * 60 * spans[t] + sign * (base[t] - base[t - 1]))
        if before is not None:
            row({0: sign}, rate * 60 * spans[0] + sign * (base[0] + before))
    for t in np.flatnonzero(is_on):
        for one, other in itertools.pairwise(unit.cost_curve):
            slope = (other.cost_per_h - one.cost_per_h) / (other.output_kw - one.output_kw)
            row({t: slope, count + t: -1}, slope * one.output_kw - one.cost_per_h)
    least = unit.cost_curve[0].cost_per_h if unit.cost_curve else 0.0
    margin = (unit.fuel_cost_per_kwh + unit.variable_om_cost_per_kwh - price) * step_h
    found = linprog(
        np.concatenate([margin, step_h]),
        A_ub=np.array(rows) if rows else None,
        b_ub=limits or None,
        bounds=[*zip(low, high, strict=True), *((least * one, None) for one in is_on)],
    )
    return float(found.fun) if found.status == 0 else np.inf


def _limit_switches(unit: Generator, is_on: np.ndarray, high: np.ndarray) -> bool:
    """Lower the highest output beside starts and stops; False where it may not stop from what it gave before."""
    was_on = np.append(unit.initial_is_on, is_on[:-1])
    start_kw = np.inf if unit.max_startup_kw is None else unit.max_startup_kw
    stop_kw = np.inf if unit.max_shutdown_kw is None else unit.max_shutdown_kw
    for t in np.flatnonzero(is_on & ~was_on):
        high[t] = min(high[t], start_kw)
    stops = np.flatnonzero(was_on & ~is_on)
    for t in stops[stops > 0]:
        high[t - 1] = min(high[t - 1], stop_kw)
    return 0 not in stops or (unit.initial_output_kw or 0.0) <= stop_kw


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    unit=generators(is_convex=True, quadratic_cost_per_kw2h=0),
    steps=st.lists(st.tuples(st.sampled_from([0.5, 1, 1, 1, 2]), rounded(-0.2, 0.8)), min_size=2, max_size=6),
)
def test_solve__finds_what_enumeration_finds(options, unit, steps):
    """The tight rows cut off no schedule that the plain rules allow, and admit none that they forbid."""
    steps_h, price = zip(*steps, strict=True)

    result = checked(selling(unit, price, steps_h=steps_h), options)

    assert result.total_cost == pytest.approx(cheapest(unit, price, steps_h), abs=1e-5)
