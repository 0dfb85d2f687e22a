"""Loads that can be shed, moved or left to warm up, and weather with a price: each case with the answer by hand."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from builders import START, grid, load, prices, problem, solar
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_loads import MOST_LOAD_KW, loads, named, proved, renewables

from ems.dispatch.result import DispatchResult
from ems.errors import InvalidInput
from ems.settlement.replay import violations_of

# A solver keeps each limit to 1e-6 kW; schedules of these sizes are exact to that.
NEAR = 1e-5


def flow(result: DispatchResult, name: str, asset: str = "load") -> Any:
    return pytest.approx(result.flows[name].sel(asset=asset).to_numpy(), abs=NEAR)


def ask(unit: Any, values: Mapping[str, Any], steps_h: Sequence[float] | None = None, **connection: Any) -> Any:
    """A load behind a connection of 100 kW that sells nothing, in hourly steps where none are given."""
    hours = len(next(value for value in values.values() if isinstance(value, list)))
    return problem(
        [unit, grid(**{"export_enabled": False, **connection})], values, [1] * hours if steps_h is None else steps_h
    )


def shiftable(**fields: Any) -> Any:
    """A use of 3 kW for 2 h in one block."""
    return load(shiftable={"power_kw": 3.0, "duration_h": 2.0, **fields})


def window(earliest_h: float, latest_h: float) -> dict[str, Any]:
    return {"earliest": START + dt.timedelta(hours=earliest_h), "latest": START + dt.timedelta(hours=latest_h)}


# ---------------------------------------------------------------------------------- uses that can be shifted
@pytest.mark.parametrize(
    ("is_interruptible", "running", "cost"), [(False, [0, 0, 0, 1, 1, 0], 12), (True, [0, 1, 0, 1, 0, 0], 9)]
)
def test_solve__shiftable_use_runs_when_it_is_cheap(is_interruptible, running, cost):
    """Two hours in a row cost 2 + 2 at best, two of any 1 + 2, each for 3 kW."""
    result = proved(ask(shiftable(is_interruptible=is_interruptible), prices([5, 1, 4, 2, 2.0, 9])))
    if not is_interruptible:
        assert running == flow(result, "is_running")
    assert result.total_cost == pytest.approx(cost)


@pytest.mark.parametrize(("is_interruptible", "cost"), [(False, 30), (True, 21)])
def test_solve__shiftable_use_stays_in_its_windows(is_interruptible, cost):
    """A block lies within the second window, at 5 + 5; hours may lie in different ones, at 2 + 5."""
    use = shiftable(is_interruptible=is_interruptible, windows=[window(1, 2), window(2, 4)])
    assert proved(ask(use, prices([0, 2, 5, 5, 0]))).total_cost == pytest.approx(cost)


def test_solve__series_takes_the_place_of_windows():
    """Not allowed in hour 2, so hours 3 and 4 at 4 + 5 are the best block of those left."""
    unit = shiftable(windows=[window(0, 2)])
    values = {**prices([9, 9, 0, 4, 5]), "load.shiftable_is_allowed": [1, 1, 0, 1, 1]}
    assert proved(ask(unit, values)).total_cost == pytest.approx(27)


def test_solve__shiftable_power_changes_with_time():
    """10 kW for an hour at 1 or 2 kW at 3: the dearer hour costs less."""
    unit = shiftable(duration_h=1.0)
    values = {**prices([1, 3]), "load.shiftable_power_kw": [10, 2]}
    assert proved(ask(unit, values)).total_cost == pytest.approx(6)


def test_solve__several_runs_do_not_overlap():
    """Two blocks of 2 h in five hours at 1, 1, 1, 9, 2, 2: the first and the last two hours, 3 kW x 6."""
    result = proved(ask(shiftable(runs=2), prices([1, 1.5, 1.5, 9, 2, 2])))
    assert flow(result, "is_running") == [1, 1, 0, 0, 1, 1]
    assert result.total_cost == pytest.approx(3 * 6.5)


def test_solve__block_spans_steps_of_different_lengths():
    """An hour is the first two steps at 9 and 0, or the third at 5; the second and third are too long."""
    unit = shiftable(duration_h=1.0)
    result = proved(ask(unit, prices([9, 0, 5, 0]), [0.5, 0.5, 1, 2]))
    assert flow(result, "is_running") == [1, 1, 0, 0]
    assert result.total_cost == pytest.approx(3 * 4.5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"duration_h": 1.5}, r"shiftable\.duration_h = 1\.5 h: no block of neighbouring steps lasts just that long"),
        ({"windows": [window(0, 1), window(1, 2)]}, r"duration_h = 2 h: no block of neighbouring steps lasts"),
        ({"runs": 3}, r"shiftable\.runs = 3: at most 2 blocks of 2 h fit"),
        ({"duration_h": 1.5, "is_interruptible": True}, r"1 x 1\.5 h cannot be made of whole steps"),
        ({"windows": [window(2, 3)], "is_interruptible": True}, r"its windows, which leave 1 h"),
    ],
)
def test_check_horizon__runs_that_do_not_fit(fields, message):
    with pytest.raises(InvalidInput, match=message):
        ask(shiftable(**fields), prices([1] * 5))


def test_check_horizon__steps_that_sum_up_to_a_run():
    """45 min are a quarter and a half hour; 40 min are no sum of any."""
    steps_h = [0.25, 0.5, 1]
    assert ask(shiftable(duration_h=0.75, is_interruptible=True), prices([1] * 3), steps_h)
    with pytest.raises(InvalidInput, match="cannot be made of whole steps"):
        ask(shiftable(duration_h=2 / 3, is_interruptible=True), prices([1] * 3), steps_h)


@pytest.mark.parametrize(
    ("running", "law"),
    [
        ([1, 0, 0, 1, 0], "runs in other blocks than of 2 h by 1 h"),
        ([1, 1, 1, 0, 0], "does not run for 1 x 2 h by 1 h"),
        ([0, 0, 0, 1, 1], "runs outside of its windows"),
        ([0.5, 1, 1, 0, 0], "runs in part by 0.5"),
    ],
)
def test_violations_of__shiftable_use(running, law):
    asked = ask(shiftable(windows=[window(0, 3)]), prices([1] * 5))
    flows = proved(asked).flows.copy(deep=True)
    flows["is_running"].loc[{"asset": "load"}] = running
    flows["import_kw"].loc[{"asset": "grid"}] = [3 * part for part in running]
    found = " ".join(violations_of(flows, asked.series, asked.portfolio))
    assert law in found
    assert "balance" not in found


# ---------------------------------------------------------------------------------- demand that can be shed
def sheddable(**fields: Any) -> Any:
    return load(**{"is_sheddable": True, "interruption_cost_per_kwh": 0, **fields})


def test_solve__worth_of_demand_changes_with_time():
    """Power costs 2: shed where the worth is 1, served where it is 3."""
    unit = sheddable(interruption_cost_per_kwh=9)
    values = {"load.demand_kw": [10, 10], "load.interruption_cost_per_kwh": [1, 3], **prices([2, 2])}
    assert proved(ask(unit, values)).total_cost == pytest.approx(10 + 20)


def test_solve__curtailment_ends_in_time_and_pauses():
    """At most 2 h, then an hour of service: of four hours at 1 one is served, the second or third, for 10."""
    unit = sheddable(max_curtailment_duration_min=120, min_recovery_time_min=60)
    result = proved(ask(unit, {"load.demand_kw": [10] * 4, **prices([1] * 4)}))
    assert result.total_cost == pytest.approx(10)


def test_solve__pause_is_longer_than_a_step():
    """An hour at most, then two of service: hours 0 and 3 are shed, at 5 + 5; 1 + 2 are paid for the others."""
    unit = sheddable(max_curtailment_duration_min=60, min_recovery_time_min=120)
    result = proved(ask(unit, {"load.demand_kw": [10] * 4, **prices([5, 1, 2, 5])}))
    assert flow(result, "unserved_kw") == [10, 0, 0, 10]
    assert result.total_cost == pytest.approx(30)


def test_solve__curtailment_over_steps_of_different_lengths():
    """Of 0.5, 0.5, 1 and 1 h an hour in a row may be shed: the first two and the last; the third is served."""
    unit = sheddable(max_curtailment_duration_min=60, min_recovery_time_min=30)
    result = proved(ask(unit, {"load.demand_kw": [10] * 4, **prices([1] * 4)}, [0.5, 0.5, 1, 1]))
    assert flow(result, "unserved_kw") == [10, 10, 0, 10]


def test_check_horizon__curtailment_shorter_than_every_step():
    unit = sheddable(max_curtailment_duration_min=30)
    with pytest.raises(InvalidInput, match="max_curtailment_duration_min = 30 min: is shorter than every step"):
        ask(unit, {"load.demand_kw": [10], **prices([1])})


def test_solve__half_of_what_was_shed_is_drawn_within_an_hour():
    """10 kWh shed at 1 are 5 drawn at 0.1 beside the 10 of that hour; later at 5 nothing is left to draw."""
    unit = sheddable(recovered_share=0.5, recovery_h=1.0)
    result = proved(ask(unit, {"load.demand_kw": [10, 10, 0], **prices([1, 0.1, 5])}))
    assert flow(result, "unserved_kw") == [10, 0, 0]
    assert flow(result, "recovery_kw") == [0, 5, 0]
    assert flow(result, "served_kw") == [0, 15, 0]
    assert result.total_cost == pytest.approx(1.5)


@pytest.mark.parametrize(("recovery_h", "cost"), [(None, 1), (2.0, 1), (1.0, 10.5)])
def test_solve__recovery_has_a_deadline(recovery_h, cost):
    """Both hours shed and 10 kWh drawn at 0.1 cost 1; within an hour only the second can wait: 10 + 5 x 0.1."""
    unit = sheddable(recovered_share=0.5, recovery_h=recovery_h)
    asked = ask(unit, {"load.demand_kw": [10, 10, 0], **prices([1, 5, 0.1])})
    assert proved(asked).total_cost == pytest.approx(cost)


def test_solve__recovery_keeps_to_the_rated_power_and_ends_with_the_plan():
    """At most 12 kW: of the 8 kWh that were shed 4 are drawn in each of two hours, none after the plan."""
    unit = sheddable(rated_load_kw=12, recovered_share=1, max_curtailment=0.8)
    result = proved(ask(unit, {"load.demand_kw": [10, 8, 8], **prices([9, 1, 1])}))
    assert flow(result, "recovery_kw") == [0, 4, 4]


def test_violations_of__curtailment_and_recovery():
    """Shed for 2 h where 1 is allowed, and of 20 kWh nothing is drawn again."""
    asked = ask(sheddable(), {"load.demand_kw": [10] * 3, **prices([1] * 3)})
    flows = proved(asked).flows.assign(recovery_kw=asked.series["demand_kw"] * 0)
    flows["unserved_kw"].loc[{"asset": "load"}] = [10, 10, 0]
    flows["import_kw"].loc[{"asset": "grid"}] = [0, 0, 10]
    assert violations_of(flows, asked.series, asked.portfolio) == []
    unit = sheddable(max_curtailment_duration_min=60, recovered_share=1)
    found = violations_of(flows, asked.series, ask(unit, {"load.demand_kw": [10] * 3, **prices([1] * 3)}).portfolio)
    assert [text.split(" by ")[0] for text in found] == [
        "'load': is curtailed for more than 60 min",
        "'load': draws what it has shed too late",
    ]


# ---------------------------------------------------------------------------------- zones with a temperature
def zone(**fields: Any) -> Any:
    """A zone at 20 °C that loses half of its difference to the outside in an hour; a kW warms it by 3 K by then."""
    easy = {
        "resistance_k_per_kw": 2.0,
        "capacitance_kwh_per_k": 1 / (2 * math.log(2)),
        "max_power_kw": 5.0,
        "cop": 3.0,
        "comfort_min_degc": 18.0,
        "comfort_max_degc": 24.0,
        "initial_temperature_degc": 20.0,
    }
    return load(thermal={**easy, **fields})


def test_solve__zone_is_heated_ahead_of_a_dear_hour():
    """To 24 °C at 1, which takes 14/3 kW, then 2 kW at 10 keep 18 °C: 24.67, where just 18 °C twice cost 32.67."""
    result = proved(ask(zone(), {"load.outdoor_temperature_degc": [0, 0], **prices([1, 10])}))
    assert flow(result, "heating_power_kw") == [14 / 3, 2]
    assert flow(result, "temperature_degc") == [20, 24, 18]
    assert result.total_cost == pytest.approx(14 / 3 + 20)


def test_solve__discomfort_has_a_price():
    """A kW costs 10 and warms by 3 K, which are worth 3: it gets 10 °C, 8 K below, for 8."""
    asked = ask(zone(discomfort_cost_per_kh=1.0), {"load.outdoor_temperature_degc": [0], **prices([10])})
    result = proved(asked)
    assert flow(result, "temperature_degc") == [20, 10]
    assert result.total_cost == pytest.approx(8)


@pytest.mark.parametrize(("gain_kw", "power_kw"), [(0, 2), (1, 7 / 3)])
def test_solve__zone_is_cooled(gain_kw, power_kw):
    """30 °C from 40 outside, and 1 K more for a kW of heat inside; a kW cools by 3 K to 24 °C."""
    unit = zone(mode="cooling", internal_gain_kw=float(gain_kw))
    result = proved(ask(unit, {"load.outdoor_temperature_degc": [40], **prices([1])}))
    assert [power_kw] == flow(result, "cooling_power_kw")


def test_solve__coefficient_of_performance_changes_with_time():
    """A heat pump at 6 needs 4/3 kW for 18 °C where one at 3 needs 8/3."""
    values = {"load.outdoor_temperature_degc": [0], "load.thermal_cop": [6], **prices([1])}
    assert proved(ask(zone(), values)).total_cost == pytest.approx(4 / 3)


def test_solve__half_steps_come_to_the_same_temperature():
    """The step is exact: two half hours at one power end where an hour does."""
    values = {"load.outdoor_temperature_degc": [0, 0], **prices([1, 1])}
    unit = zone(comfort_min_degc=-50.0, comfort_max_degc=50.0, discomfort_cost_per_kh=0.0)
    result = proved(ask(unit, {**values, **prices([-1, -1])}, [0.5, 0.5]))
    assert result.flows.temperature_degc.sel(asset="load").values[-1] == pytest.approx(10 + 15)


def test_violations_of__zone():
    asked = ask(zone(), {"load.outdoor_temperature_degc": [0], **prices([1])})
    flows = proved(asked).flows.copy(deep=True)
    for name, asset in (("heating_power_kw", "load"), ("import_kw", "grid")):
        flows[name].loc[{"asset": asset}] = 8 / 3 - 1
    found = violations_of(flows, asked.series, asked.portfolio)
    assert [text.split(" at ")[0] for text in found] == [
        "'load': temperature differs from the plan's by 3 K",
        "'load': temperature is not comfortable by 3 K",
    ]


# ---------------------------------------------------------------------------------- weather with a price
def test_solve__upkeep_of_solar_power():
    """Power at 0.30 is bought where upkeep is 0.40 and not where it is 0.10; left unused it costs nothing."""
    unit = solar(variable_om_cost_per_kwh=0.05)
    values = {
        "solar.available_kw": [10, 10],
        "solar.variable_om_cost_per_kwh": [0.4, 0.1],
        "load.demand_kw": [10, 10],
        **prices([0.3, 0.3], [0, 0]),
    }
    asked = problem([unit, load(), grid()], values, [1, 1])
    assert proved(asked).total_cost == pytest.approx(3 + 1)


def test_solve__curtailment_has_a_price():
    """10 kWh are sold at a loss of 0.1 each rather than curtailed at 0.2; at a loss of 0.3 they are curtailed."""
    unit = solar(curtailment_cost_per_kwh=0.2)
    asked = problem([unit, grid()], {"solar.available_kw": [10, 10], **prices([0.5, 0.5], [-0.1, -0.3])}, [1, 1])
    result = proved(asked)
    assert flow(result, "curtailed_kw", "solar") == [0, 10]
    assert result.total_cost == pytest.approx(1 + 2)


# ---------------------------------------------------------------------------------- laws
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_solve__any_load_keeps_its_laws(data):
    """What is shed, moved or heated is replayed, and the bill is the objective, for arrays and for Pyomo."""
    steps_h = data.draw(st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0]), min_size=2, max_size=10))
    unit, values = data.draw(loads(steps_h))
    plant, weather = data.draw(renewables(steps_h))
    price = data.draw(st.lists(st.sampled_from([-0.2, 0, 0.1, 0.3]), min_size=len(steps_h), max_size=len(steps_h)))
    proved(
        problem(
            [unit, plant, grid(max_import_kw=MOST_LOAD_KW)],
            {**named(unit, values), **named(plant, weather), **prices(price)},
            steps_h,
        )
    )


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_solve__best_of_all_curtailments(data):
    """Of all patterns of hours that keep the longest curtailment and the shortest pause, the cheapest is found.

    While it lasts, a curtailment may shed as little as it likes.
    """
    steps_h = data.draw(st.lists(st.sampled_from([0.5, 1.0]), min_size=2, max_size=7))
    longest_h, gap_h = data.draw(st.sampled_from([1.0, 1.5, 2.0])), data.draw(st.sampled_from([0.5, 1.0, 1.5]))
    numbers = st.lists(st.integers(0, 9), min_size=len(steps_h), max_size=len(steps_h))
    worth, price = data.draw(numbers), data.draw(numbers)
    ends_h = [sum(steps_h[:t]) for t in range(len(steps_h) + 1)]

    def is_lawful(pattern: tuple[int, ...]) -> bool:
        spans = [[k for k, _ in group] for on, group in itertools.groupby(enumerate(pattern), lambda x: x[1]) if on]
        times = [(ends_h[span[0]], ends_h[span[-1] + 1]) for span in spans]
        return all(end - begin <= longest_h for begin, end in times) and all(
            after[0] - before[1] >= gap_h for before, after in itertools.pairwise(times)
        )

    best = min(
        sum(h * (min(worth[t], price[t]) if pattern[t] else price[t]) for t, h in enumerate(steps_h))
        for pattern in itertools.product([0, 1], repeat=len(steps_h))
        if is_lawful(pattern)
    )
    unit = sheddable(max_curtailment_duration_min=longest_h * 60, min_recovery_time_min=gap_h * 60)
    values = {"load.demand_kw": [1] * len(steps_h), "load.interruption_cost_per_kwh": worth, **prices(price)}
    assert proved(ask(unit, values, steps_h)).total_cost == pytest.approx(best, abs=NEAR)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_solve__best_of_all_starts(data):
    """Of all pairs of blocks that do not overlap and keep to allowed steps, the cheapest is found."""
    length, steps = data.draw(st.integers(1, 3)), data.draw(st.integers(7, 10))
    price = data.draw(st.lists(st.integers(-3, 9), min_size=steps, max_size=steps))
    forbidden = data.draw(st.integers(0, 1))  # one step at the beginning, so that two blocks always fit
    best = min(
        sum(price[t] for start in pair for t in range(start, start + length))
        for pair in itertools.combinations(range(forbidden, steps - length + 1), 2)
        if pair[1] - pair[0] >= length
    )
    values = {**prices(price), "load.shiftable_is_allowed": [1 - forbidden] + [1] * (steps - 1)}
    use = load(shiftable={"power_kw": 1.0, "duration_h": float(length), "runs": 2})
    assert proved(ask(use, values)).total_cost == pytest.approx(best, abs=NEAR)
