"""What each field of a battery does to a dispatch: small cases with the answer found by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from builders import START, battery, grid, prices, problem

from ems.assets.portfolio import Site
from ems.assets.reserve import ReserveRequirement
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import InvalidInput
from ems.settlement.battery import cycle_depth_wear
from ems.settlement.bill import settle
from ems.settlement.ledger import Schedule
from ems.settlement.replay import violations_of

EXACT = SolverOptions(mip_gap=0)
NMC = {"chemistry": "lithium_ion", "cycle_life": 1000, "capital_cost": 100_000, "degradation_cost_per_kwh": 0}
"""A full cycle wears 100; with two segments the shallow half wears 0.5 ** 2.03 of it, 24.49."""
SHALLOW_SHARE = 0.5**2.03


def ask(
    unit: Any, values: Mapping[str, Any], steps_h: Sequence[float] | None = None, **fields: Any
) -> DispatchProblem:
    """A battery behind a connection; hourly steps, as many as the prices have values."""
    hours = steps_h or [1.0] * len(values["grid.import_price_per_kwh"])
    return problem([unit, grid(), *fields.pop("others", ())], values, hours, **fields)


def solved(asked: DispatchProblem, options: SolverOptions = EXACT) -> DispatchResult:
    """Its best schedule, which breaks no law and costs what its bill says."""
    result = solve(asked, options)
    portfolio, series = result.problem.portfolio, result.problem.series
    assert violations_of(result.flows, series, portfolio) == []
    # The bill sums powers that a solver gives to 1e-6.
    assert settle(result.flows, series, portfolio).total_cost == pytest.approx(result.total_cost, abs=1e-4)
    return result


def flow(result: DispatchResult, name: str) -> list[float]:
    values = result.flows[name].sel(asset="battery").to_numpy()
    return [float(value) for value in values]


# ------------------------------------------------------------------------------------------- content
def test_solve__standing_loss_goes_by_the_hour():
    """50 kWh x 0.9 after 1 h, x 0.81 after 2 h more: 36.45 kWh are left to sell at 1."""
    unit = battery(standing_loss_per_h=0.1, final_soc_rule="free")

    result = solved(ask(unit, prices([5, 5], [0, 1]), [1, 2]))

    assert result.total_cost == pytest.approx(-36.45)
    assert flow(result, "energy_kwh") == pytest.approx([50, 45, 0], abs=1e-6)


def test_solve__drain_empties_the_content():
    """50 kWh less 2 kW over 3 h leave 44 kWh to sell in the last hour."""
    result = solved(ask(battery(drain_kw=2, final_soc_rule="free"), prices([5] * 3, [0, 0, 1])))

    assert result.total_cost == pytest.approx(-44)


def test_solve__drain_that_changes_with_time():
    """Drains of 1, 2 and 3 kW as a series take the place of the field: 50 - 6 are left."""
    values = {**prices([5] * 3, [0, 0, 1]), "battery.drain_kw": [1, 2, 3]}

    assert solved(ask(battery(drain_kw=9, final_soc_rule="free"), values)).total_cost == pytest.approx(-44)


@pytest.mark.parametrize(("buy", "first_kwh"), [([0.1, 0.5], 0), ([0.5, 0.1], 100)])
def test_solve__cyclic_content_begins_where_it_pays(buy, first_kwh):
    """100 kWh x 0.4 are earned from any order of prices, as the first content is free; half full it would be 20."""
    result = solved(ask(battery(final_soc_rule="cyclic"), prices(buy)))

    assert result.total_cost == pytest.approx(-40)
    assert flow(result, "energy_kwh")[0] == pytest.approx(first_kwh, abs=1e-6)
    assert flow(result, "energy_kwh")[-1] == pytest.approx(first_kwh, abs=1e-6)


def test_solve__cyclic_content_with_standing_loss():
    """At least 50 kWh lose a tenth: 5 kWh are bought at 1."""
    unit = battery(final_soc_rule="cyclic", standing_loss_per_h=0.1, min_soc=0.5)

    assert solved(ask(unit, prices([1], [0]))).total_cost == pytest.approx(5)


@pytest.mark.parametrize(
    ("rule", "target", "value", "cost", "final"),
    [
        ("free", 0.5, 0.3, 50 * 0.1 - 100 * 0.3, 100),  # bought at 0.1, worth 0.3
        ("free", 0.5, 0.05, -50 * 0.08, 0),  # sold at 0.08, worth 0.05
        ("at_least", 0.2, 0.05, -30 * 0.08 - 20 * 0.05, 20),
    ],
)
def test_solve__energy_that_is_left_has_a_worth(rule, target, value, cost, final):
    """What is left counts with all its kWh."""
    unit = battery(final_soc_rule=rule, target_soc=target, final_energy_value_per_kwh=value)

    result = solved(ask(unit, prices([0.1], [0.08])))

    assert result.total_cost == pytest.approx(cost)
    assert flow(result, "energy_kwh")[-1] == pytest.approx(final, abs=1e-6)


@pytest.mark.parametrize(
    ("rule", "soc", "cost"),
    [("at_least", 0.9, 40), ("exactly", 0.9, 40), ("exactly", 0.5, 0), ("at_most", 0.2, 30), ("at_least", 0.1, 0)],
)
def test_solve__target_within_the_horizon(rule, soc, cost):
    """40 kWh more by the end of hour 1 are bought at 1; 30 kWh less are given away at -1."""
    unit = battery(final_soc_rule="free", soc_targets=[target(1, soc, rule)])

    result = solved(ask(unit, prices([1, 1, 1], [-1, -1, -1])))

    assert result.total_cost == pytest.approx(cost)


def target(hours: float, soc: float, rule: str = "at_least") -> dict[str, Any]:
    """A target some hours after the start."""
    return {"time": START + dt.timedelta(hours=hours), "soc": soc, "rule": rule}


def test_solve__target_outside_the_horizon_is_ignored():
    """Neither the beginning, whose content is given, nor a time after the end asks for anything."""
    unit = battery(final_soc_rule="free", soc_targets=[target(0, 0.9), target(-1, 0.9), target(2.5, 0.9)])

    assert solved(ask(unit, prices([1, 1], [0, 0]))).total_cost == pytest.approx(0)


def test_problem__target_within_a_step():
    """A step's content is known at its end; the message names the nearest one."""
    unit = battery(soc_targets=[target(1.2, 0.9)])

    message = "battery 'battery': soc_targets: 2024-06-03 01:12:00 UTC lies within a step.*2024-06-03 01:00:00 UTC"
    with pytest.raises(InvalidInput, match=message):
        ask(unit, prices([1, 1]))


# ------------------------------------------------------------------------------------------- money
def test_solve__charging_and_discharging_cost():
    """A spread of 0.4 less 0.15 and 0.2 leaves 0.05 for each of 50 kWh."""
    unit = battery(charge_cost_per_kwh=0.15, degradation_cost_per_kwh=0.2)

    result = solved(ask(unit, prices([0.1, 0.5])))

    assert result.total_cost == pytest.approx(-2.5)
    assert float(result.cost.charge_cost.sum()) == pytest.approx(7.5)
    assert float(result.cost.wear_cost.sum()) == pytest.approx(10)


def test_solve__costs_that_change_with_time():
    """Charging costs 0.9 in hour 0, so it is done in hour 1 at 0.2; using it earns 0.1 in hour 3, but costs in hour 2.

    100 kWh: bought for 20, sold for 100, wear -10.
    """
    values = {
        **prices([0.1, 0.2, 1, 1], [0, 0, 1, 1]),
        "battery.charge_cost_per_kwh": [0.9, 0, 0, 0],
        "battery.degradation_cost_per_kwh": [0, 0, 0.5, -0.1],
    }

    result = solved(ask(battery(initial_soc=0), values))

    assert result.total_cost == pytest.approx(20 - 100 - 10)
    assert flow(result, "charge_kw") == pytest.approx([0, 100, 0, 0], abs=1e-6)


def test_solve__keeping_energy_costs():
    """50 kWh are wanted after 1 h and 2 h: bought in the last step for 5, held for 2 h at 0.01 for 1."""
    unit = battery(initial_soc=0, target_soc=0.5, holding_cost_per_kwh_h=0.01)

    result = solved(ask(unit, prices([0.1, 0.1], [0, 0]), [1, 2]))

    assert result.total_cost == pytest.approx(6)
    assert float(result.cost.holding_cost.sum()) == pytest.approx(1)


# ------------------------------------------------------------------------------------------- power
def test_solve__charging_power_falls_towards_full():
    """At the end of an hour c <= 100 (2 - 2 soc): from soc 0.5, c = 100 - 2 c gives 33.3 kW, then a third."""
    taper = [{"soc": 0.5, "share": 1}, {"soc": 1, "share": 0}]
    unit = battery(charge_taper=taper, final_soc_rule="free", final_energy_value_per_kwh=1)

    result = solved(ask(unit, prices([0.1, 0.1], [0, 0])))

    assert flow(result, "charge_kw") == pytest.approx([100 / 3, 100 / 9])


def test_solve__discharging_power_falls_towards_empty():
    """At the end of an hour d <= 200 soc: from soc 0.5, d = 100 - 2 d makes 33.3 kW."""
    taper = [{"soc": 0, "share": 0}, {"soc": 0.5, "share": 1}]
    unit = battery(discharge_taper=taper, final_soc_rule="free")

    assert flow(solved(ask(unit, prices([5], [1]))), "discharge_kw") == pytest.approx([100 / 3])


def test_solve__taper_holds_at_the_beginning_too():
    """While the battery empties its share rises, but the power was tied to its first content: 100 x 0.2 kW."""
    taper = [{"soc": 0, "share": 1}, {"soc": 1, "share": 0.2}]
    unit = battery(discharge_taper=taper, initial_soc=1, final_soc_rule="free")

    assert flow(solved(ask(unit, prices([5], [1]))), "discharge_kw") == pytest.approx([20])


@pytest.mark.parametrize(("may", "cost"), [(True, -50), (False, 0)])
def test_solve__both_ways_at_once_where_it_may(may, cost):
    """At a price of -1, 100 kWh in and 50 kWh out, half of it lost, earn 50; one way at a time nothing is lost."""
    unit = battery(
        charge_efficiency=0.5,
        discharge_efficiency=1,
        initial_soc=0,
        final_soc_rule="exactly",
        may_charge_while_discharging=may,
    )

    assert solved(ask(unit, prices([-1]))).total_cost == pytest.approx(cost, abs=1e-6)


def test_solve__limits_that_change_with_time():
    """10 kW in hour 0 and none in hour 1; the continuous 6 kW hold in hour 2: 16 kWh, each worth 0.9 more."""
    unit = battery(final_soc_rule="free", final_energy_value_per_kwh=1, continuous_charge_kw=6)
    values = {**prices([0.1] * 3, [0] * 3), "battery.max_charge_kw": [5, 0, 10]}

    result = solved(ask(unit, values))

    assert flow(result, "charge_kw") == pytest.approx([5, 0, 6], abs=1e-6)


def test_solve__contents_that_change_with_time():
    """At most 0.5 after hour 0, at least 0.8 after hour 1: 30 kWh are bought at 1, not at 0.1; 20 are sold at -0.5."""
    unit = battery(final_soc_rule="free", initial_soc=0.7)
    values = {**prices([0.1, 1], [-0.5, 0]), "battery.max_soc": [0.5, 1], "battery.min_soc": [0, 0.8]}

    assert solved(ask(unit, values)).total_cost == pytest.approx(20 * 0.5 + 30)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("max_charge_kw", [5, -1], "max_charge_kw = -1 kW at 2024-06-03 01:00 UTC: must be at least 0 kW"),
        ("min_soc", [20, 20], "min_soc = 20 at 2024-06-03 00:00 UTC: must be from 0 to 1"),
        ("min_soc", [0.1, 1], "min_soc = 1 at 2024-06-03 01:00 UTC: must be at most max_soc"),
        ("max_soc", [0.9, -0.1], "max_soc = -0.1 at 2024-06-03 01:00 UTC: must be from 0 to 1"),
        ("drain_kw", [0, -2], "drain_kw = -2 kW at 2024-06-03 01:00 UTC: must be at least 0 kW"),
    ],
)
def test_solve__series_out_of_bounds(name, values, message):
    with pytest.raises(InvalidInput, match=f"(?s)battery 'battery'.*{message}"):
        solve(ask(battery(max_soc=0.9), {**prices([1, 1]), f"battery.{name}": values}))


def test_solve__series_of_wear_beside_segments():
    unit = battery(cycle_depth_segments=2, **NMC)
    with pytest.raises(InvalidInput, match="degradation_cost_per_kwh is given as a series: leave it out"):
        solve(ask(unit, {**prices([1]), "battery.degradation_cost_per_kwh": [0.1]}))


@pytest.mark.parametrize(("way", "cost"), [("max_discharge_kw", 50 * 0.1 - 100 * 0.3), ("max_charge_kw", -50 * 0.4)])
def test_solve__store_that_goes_one_way(way, cost):
    """One that only takes buys 50 kWh at 0.1, worth 0.3; one that only gives sells its 50 at 0.4."""
    unit = battery(final_soc_rule="free", final_energy_value_per_kwh=0.3, **{way: 0})

    assert solved(ask(unit, prices([0.1], [0.4 if way == "max_charge_kw" else 0]))).total_cost == pytest.approx(cost)


# ------------------------------------------------------------------------------------------- cycles
@pytest.mark.parametrize(("timezone", "cost"), [("UTC", -50), ("Asia/Tokyo", -75)])
def test_solve__cycles_of_a_local_day(timezone, cost):
    """Half a cycle a day is 50 kWh, sold at 1; the fourth step, at 0.5, is the next day in Tokyo alone."""
    unit = battery(initial_soc=1, final_soc_rule="free", max_cycles_per_d=0.5)
    sites = (Site(id="site", timezone=timezone),)

    result = solved(ask(unit, prices([5] * 4, [1, 1, 1, 0.5]), [6] * 4, sites=sites))

    assert result.total_cost == pytest.approx(cost)


def test_solve__cycles_count_what_leaves_the_content():
    """50 kWh of content give 40 at the bus."""
    unit = battery(
        initial_soc=1,
        final_soc_rule="free",
        max_cycles_per_d=0.5,
        charge_efficiency=1,
        discharge_efficiency=0.8,
    )

    assert solved(ask(unit, prices([5], [1]))).total_cost == pytest.approx(-40)


@pytest.mark.parametrize(
    ("initial_soc", "sell", "cost", "outputs"),
    [
        (1, 1, -50 + 100 * SHALLOW_SHARE, (50, 0)),  # 0.49 for a shallow kWh, 1.51 for a deep one
        (1, 2, -200 + 100, (50, 50)),
        (0.5, 1, 0, (0, 0)),  # half full as if it had been full before: what is left is deep
        (0.75, 1, -25 + 50 * SHALLOW_SHARE, (25, 0)),
    ],
)
def test_solve__deeper_cycles_wear_more(initial_soc, sell, cost, outputs):
    """A kWh is sold where its price is above the wear of its segment, the shallow one first."""
    unit = battery(initial_soc=initial_soc, final_soc_rule="free", cycle_depth_segments=2, **NMC)

    result = solved(ask(unit, prices([5], [sell])))

    assert result.total_cost == pytest.approx(cost, abs=1e-6)
    found = [flow(result, f"segment_{j}_output_kw")[0] for j in (1, 2)]
    assert found == pytest.approx(list(outputs), abs=1e-6)


def test_solve__two_shallow_cycles_wear_less_than_a_deep_one():
    """With power for half the content an hour, prices 0, 2, 0, 2 are met by two half cycles, 2 x 24.49, of 100 kWh."""
    unit = battery(
        max_charge_kw=50, max_discharge_kw=50, initial_soc=0, final_soc_rule="free", cycle_depth_segments=2, **NMC
    )

    result = solved(ask(unit, prices([0, 5, 0, 5], [0, 2, 0, 2])))

    assert result.total_cost == pytest.approx(-200 + 200 * SHALLOW_SHARE)


def test_solve__a_cycle_over_the_end_is_one_cycle():
    """From half full, down 50, up 100, down 50: with a cyclic rule one full cycle, 100, not two half ones, 49."""
    unit = battery(final_soc_rule="cyclic", cycle_depth_segments=2, **NMC)
    powers = {"max_charge_kw": [0, 100, 0], "max_discharge_kw": [50, 0, 50], "min_soc": [0, 1, 0.5]}
    values = {**prices([0, 0, 0], [3, 0, 3]), **{f"battery.{name}": numbers for name, numbers in powers.items()}}

    result = solved(ask(unit, values))

    assert flow(result, "energy_kwh") == pytest.approx([50, 0, 100, 50], abs=1e-6)
    assert float(result.total_cost) == pytest.approx(-300 + 100)


@pytest.mark.parametrize("rule", ["free", "at_least", "cyclic"])
@pytest.mark.parametrize("seed", range(4))
def test_settle__wear_by_depth_is_that_of_the_plan(rule, seed):
    """The bill fills and empties segments by rule; the plan chooses them: both come to the same wear."""
    random = np.random.default_rng(seed)
    unit = battery(
        max_charge_kw=40,
        max_discharge_kw=60,
        round_trip_efficiency=0.9,
        min_soc=0.1,
        initial_soc=0.6,
        target_soc=0.3,
        final_soc_rule=rule,
        cycle_depth_segments=5,
        standing_loss_per_h=[0, 0.01][seed % 2],
        drain_kw=[0, 0.3][seed // 2],
        **{**NMC, "capital_cost": 20_000},
    )

    buy = random.uniform(0, 1, 24).round(2)

    result = solved(ask(unit, prices(buy, 0.9 * buy)))

    wear = float(result.cost.cycle_depth_cost.sum())
    schedule = Schedule(result.flows, result.problem.series, result.problem.portfolio)
    flows = [np.array(flow(result, name)) for name in ("charge_kw", "discharge_kw")]
    assert wear > 1
    assert cycle_depth_wear(unit, schedule, *flows)[1] == pytest.approx(wear, abs=1e-4)


# ------------------------------------------------------------------------------------------- reserve
@pytest.mark.parametrize(
    ("direction", "fields", "cost"),
    [
        ("up", {}, -10),  # 50 kWh less 20 kW x 2 h
        ("up", {"max_discharge_kw": 25}, -5),  # 25 kW less 20 kW
        ("up", {"charge_efficiency": 1, "discharge_efficiency": 0.8}, 0),  # 50 kWh are needed for 40 at the bus
        ("down", {"final_energy_value_per_kwh": 3}, -60 * 3),  # room for 20 kW x 2 h is kept, sold for less
    ],
)
def test_solve__reserve_is_backed_by_power_and_content(direction, fields, cost):
    """20 kW of reserve for 2 h, of a battery of 50 kWh that would sell or buy all it can."""
    needed = ReserveRequirement(
        id="ready", direction=direction, requirement_kw=20, duration_h=2, providers=("battery",)
    )
    unit = battery(final_soc_rule="free", **fields)

    result = solved(ask(unit, prices([0 if direction == "down" else 5], [1]), reserves=(needed,)))

    assert result.total_cost == pytest.approx(cost, abs=1e-5)


# ------------------------------------------------------------------------------------------- replay
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_cycles_per_d": 0.1}, "'battery': discharges more than 0.1 cycles in a day by 90 kWh"),
        ({"soc_targets": [target(1, 0.2, "at_most")]}, "content is not at_most soc = 0.2 by 80 kWh"),
        ({"soc_targets": [target(2, 0.5, "exactly")]}, "content is not exactly soc = 0.5 by 50 kWh"),
        ({"charge_taper": [{"soc": 0, "share": 1}, {"soc": 1, "share": 0.1}]}, "charges above its taper by 40 kW"),
        ({"drain_kw": 5}, "content below min_soc by 10 kWh"),
        ({"standing_loss_per_h": 0.5}, "content below min_soc by 62.5 kWh"),
        ({"final_soc_rule": "cyclic"}, "final content differs from the first by 50 kWh"),
    ],
)
def test_violations_of__a_plan_for_another_battery(changes, words):
    """The plan charges 50 kWh and then sells 100; each battery that cannot do so is named with by how much."""
    result = solved(ask(battery(final_soc_rule="free"), prices([0, 5], [0, 1])))
    assert flow(result, "discharge_kw") == pytest.approx([0, 100], abs=1e-6)
    portfolio = result.problem.portfolio
    other = battery(**{"final_soc_rule": "free", **changes})

    found = violations_of(
        result.flows, result.problem.series, portfolio.replace(assets=(other, *portfolio.assets[1:]))
    )

    assert any(words in one for one in found), found


def test_settle__cyclic_schedule_without_contents():
    """From powers alone the lowest start is found: charging 10 kWh and selling them leaves it empty again."""
    unit = battery(final_soc_rule="cyclic", holding_cost_per_kwh_h=0.1)
    result = solved(ask(unit, prices([0, 5], [0, 1])))
    flows = result.flows.drop_vars(["energy_kwh", "soc"])

    bill = settle(flows, result.problem.series, result.problem.portfolio)

    assert bill.total_cost == pytest.approx(100 * 0.1 - 100)
