"""Of several plans of equal cost the one that the rules choose is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import battery, charger, generator, grid, load, prices, problem, session, solar
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.dispatch.goal import Goal
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.settlement.replay import violations_of

NEAR = 1e-5
"""Powers and money of these cases are below 1000; solvers keep constraints to 1e-6 and cost follows."""
PLAIN = SolverOptions(mip_gap=0)
CHOSEN = SolverOptions(mip_gap=0, choose_plan=True)


def flow(result: DispatchResult, asset: str, name: str) -> list[float]:
    values: list[float] = result.flows[name].sel(asset=asset).values.tolist()
    return values


def near(*values: float) -> Any:
    return pytest.approx(list(values), abs=NEAR)


def one_dear_hour() -> DispatchProblem:
    """Three hours at 0.10 in which a store of 100 kWh may be filled, and a fourth at 0.50 to sell it in."""
    return problem([battery(initial_soc=0), grid()], prices([0.1, 0.1, 0.1, 0.5]), [1] * 4)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_choose_plan__the_earliest_charge(solver):
    """All three hours cost the same; the first one fills the store."""
    result = solve(one_dear_hour(), CHOSEN.replace(solver=solver))
    assert flow(result, "battery", "charge_kw") == near(100, 0, 0, 0)
    assert flow(result, "battery", "discharge_kw") == near(0, 0, 0, 100)
    assert result.total_cost == pytest.approx(-40, abs=NEAR)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
@pytest.mark.parametrize("charge_kw", [[0, 100, 0, 0], [0, 0, 100, 0], [0, 30, 70, 0]])
def test_choose_plan__a_previous_plan_stays(solver, charge_kw):
    """Whichever of the equal hours the previous plan told is told again."""
    asked = one_dear_hour()
    previous = solve(asked, PLAIN).flows.copy(deep=True)
    previous.charge_kw.loc[{"asset": "battery"}] = charge_kw
    previous.import_kw.loc[{"asset": "grid"}] = charge_kw
    result = solve(asked, CHOSEN.replace(solver=solver), previous=previous)
    assert flow(result, "battery", "charge_kw") == near(*charge_kw)


def test_choose_plan__a_previous_plan_counts_where_times_are_shared():
    """A plan of the last two of four hours, in which the third charged 60 kWh; the first charges the rest."""
    asked = one_dear_hour()
    previous = solve(asked, PLAIN).flows.copy(deep=True).isel(time=slice(2, 4))
    previous.charge_kw.loc[{"asset": "battery"}] = [60, 0]
    previous.import_kw.loc[{"asset": "grid"}] = [60, 0]
    result = solve(asked, CHOSEN, previous=previous)
    assert flow(result, "battery", "charge_kw") == near(40, 0, 60, 0)


def test_choose_plan__a_previous_plan_never_costs():
    """A plan that charged in the dear hour is not followed."""
    asked = one_dear_hour()
    previous = solve(asked, PLAIN).flows.copy(deep=True)
    previous.charge_kw.loc[{"asset": "battery"}] = [0, 0, 0, 100]
    assert solve(asked, CHOSEN, previous=previous).total_cost == pytest.approx(-40, abs=NEAR)


def test_choose_plan__no_cycling_for_nothing():
    """A lossless store without wear may cycle at a flat price as it likes; it rests."""
    result = solve(problem([battery(), grid()], prices(0.1), [1] * 6), CHOSEN)
    assert flow(result, "battery", "charge_kw") == near(*[0] * 6)
    assert flow(result, "battery", "discharge_kw") == near(*[0] * 6)


def test_choose_plan__a_vehicle_is_charged_early():
    """30 kWh at a flat price within six hours of 10 kW: in the first three."""
    car = charger(sessions=[session(0, 6, 30)], charge_efficiency=1)
    result = solve(problem([car, grid()], prices(0.1), [1] * 6), CHOSEN)
    assert flow(result, "charger", "charge_kw") == near(10, 10, 10, 0, 0, 0)


@pytest.mark.parametrize(("low", "high"), [("first", "second"), ("second", "first")])
def test_choose_plan__low_priority_is_shed_first(low, high):
    """Of 60 kW the grid gives 20; both loads are worth 1 EUR/kWh: 30 kW of priority 9 are shed, and 10 of 1."""
    loads = [
        load(id=name, is_sheddable=True, interruption_cost_per_kwh=1, priority_level={low: 9, high: 1}[name])
        for name in ("first", "second")
    ]
    asked = problem([grid(max_import_kw=20), *loads], {**prices(0.1), "first.demand_kw": 30, "second.demand_kw": 30})
    result = solve(asked, CHOSEN)
    assert (flow(result, low, "unserved_kw"), flow(result, high, "unserved_kw")) == (near(30), near(10))


def test_choose_plan__worth_comes_before_priority():
    """The load of priority 9 is worth more, so that the other one is shed."""
    loads = [
        load(id="lamps", is_sheddable=True, interruption_cost_per_kwh=2, priority_level=9),
        load(id="pumps", is_sheddable=True, interruption_cost_per_kwh=1, priority_level=1),
    ]
    asked = problem([grid(max_import_kw=30), *loads], {**prices(0.1), "lamps.demand_kw": 30, "pumps.demand_kw": 30})
    result = solve(asked, CHOSEN)
    assert (flow(result, "lamps", "unserved_kw"), flow(result, "pumps", "unserved_kw")) == (near(0), near(30))


def test_choose_plan__prices_and_proof_are_those_of_the_cost():
    plain, chosen = solve(one_dear_hour(), PLAIN), solve(one_dear_hour(), CHOSEN)
    assert np.array_equal(plain.solution.row_prices, chosen.solution.row_prices)
    assert np.array_equal(plain.solution.column_prices, chosen.solution.column_prices)
    assert (chosen.status, chosen.bound) == (plain.status, plain.bound)


def test_choose_plan__decisions_and_quadratic_costs_stay():
    """A generator with a start, a quadratic cost and a store beside it: the plan costs what the proof says.

    0.01 x p^2 and 0.10 x p against a load of 30 kW in both hours: 2 x (9 + 3) EUR and 5 EUR for the start.
    """
    unit = generator(startup_cost=5, quadratic_cost_per_kw2h=0.01, min_output_kw=10)
    store = battery(capacity_kwh=20, max_charge_kw=20, max_discharge_kw=20)
    asked = problem([unit, store, load()], {"load.demand_kw": 30}, [1, 1])
    result = solve(asked, CHOSEN)
    assert flow(result, "generator", "output_kw") == pytest.approx([30, 30], abs=0.01)  # flat where cost is least
    assert result.total_cost == pytest.approx(29, abs=NEAR)


def test_choose_plan__chooses_among_what_the_goal_reached():
    """Least import comes first, then cost; among what is left the sun is stored as early as can be."""
    assets = [solar(), battery(initial_soc=0), grid(), load()]
    series = {**prices(0.2, 0.2), "solar.available_kw": [50, 50, 0], "load.demand_kw": [0, 0, 50]}
    asked = problem(assets, series, [1, 1, 1], goal=Goal(optimization_type="self_consumption"))
    result = solve(asked, CHOSEN)
    assert flow(result, "grid", "import_kw") == pytest.approx([0, 0, 0], abs=1e-4)  # held to 1e-7 of the aim
    assert flow(result, "battery", "charge_kw") == pytest.approx([50, 0, 0], abs=1e-4)


@settings(max_examples=examples(12), deadline=None)
@given(
    buy=st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=4, max_size=8),
    demand=st.lists(st.sampled_from([0, 20, 60]), min_size=8, max_size=8),
    efficiency=st.sampled_from([1.0, 0.81]),
)
def test_choose_plan__any_problem(buy, demand, efficiency):
    """The same input gives the same plan, which costs the least, keeps all laws, and is kept once told."""
    store = battery(round_trip_efficiency=efficiency)
    series = {**prices(buy, [0.8 * price for price in buy]), "load.demand_kw": demand[: len(buy)]}
    asked = problem([store, grid(max_import_kw=90), load()], series, [1] * len(buy))
    plain, one, other = solve(asked, PLAIN), solve(asked, CHOSEN), solve(asked, CHOSEN)
    assert np.array_equal(one.x, other.x)
    assert one.total_cost == pytest.approx(plain.total_cost, rel=1e-7, abs=1e-7)
    assert violations_of(one.flows, one.problem.series, one.problem.portfolio) == []
    again = solve(asked, CHOSEN, previous=plain.flows)
    for name in ("charge_kw", "discharge_kw"):
        # The plan told before is one of least cost, so that it changes in nothing.
        assert flow(again, "battery", name) == near(*flow(plain, "battery", name))
