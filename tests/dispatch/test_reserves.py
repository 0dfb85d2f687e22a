"""Reserves beside the schedule, on cases whose answer is found by hand."""

from __future__ import annotations

from typing import Any

import pytest
from builders import battery, generator, grid, load, prices, problem, solar

from ems.assets.reserve import ReserveRequirement
from ems.dispatch.options import SolverOptions
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import Infeasible, InvalidInput, MissingValues

NEAR = 1e-5
"""Powers and money of these cases are below 1000; solvers keep constraints to 1e-6 and cost follows."""
EXACT = SolverOptions(mip_gap=0)


def reserve(**fields: Any) -> ReserveRequirement:
    return ReserveRequirement(**{"id": "reserve", **fields})


def flow(result: DispatchResult, asset: str, name: str) -> list[float]:
    values: list[float] = result.flows[name].sel(asset=asset).values.tolist()
    return values


def near(*values: float) -> Any:
    return pytest.approx(list(values), abs=NEAR)


def offered(result: DispatchResult, reserve_id: str = "reserve") -> list[float]:
    values: list[float] = result.units.reserves[reserve_id].offered_kw.tolist()
    return values


def cost_of(result: DispatchResult, cost_type: str) -> float:
    return float(result.costs.loc[result.costs.cost_type == cost_type, "cost"].sum())


def test_capacity__a_second_generator_is_on_line():
    """30 kW of load and 15 kW of requirement need 45 kW on line: a second generator of 40 kW runs idle for 5 EUR.

    The load costs 3 EUR, or with the reserve 8 EUR.
    """
    assets = [generator(), generator(id="second", no_load_cost_per_h=5), load()]
    series = {"load.demand_kw": 30}
    plain = solve(problem(assets, series), EXACT)
    backed = solve(problem(assets, series, reserves=[reserve(kind="capacity", requirement_kw=15)]), EXACT)
    assert (plain.total_cost, backed.total_cost) == pytest.approx((3, 8), abs=NEAR)
    assert flow(backed, "second", "is_on") == near(1)


def test_capacity__changes_with_a_series():
    """15 kW are required in the second hour alone: 5 EUR once."""
    assets = [generator(), generator(id="second", no_load_cost_per_h=5), load()]
    series = {"load.demand_kw": 30, "reserve.reserve_requirement_kw": [0, 15]}
    result = solve(problem(assets, series, [1, 1], reserves=[reserve(kind="capacity")]), EXACT)
    assert flow(result, "second", "is_on") == near(0, 1)
    assert result.total_cost == pytest.approx(11, abs=NEAR)


def test_capacity__providers_alone_count():
    """Only the first generator counts, whose 40 kW are less than 30 + 15 kW; to shed demand is no relief."""
    assets = [generator(), generator(id="second"), load(is_sheddable=True, interruption_cost_per_kwh=1)]
    required = reserve(kind="capacity", requirement_kw=15, providers=["generator"])
    with pytest.raises(Infeasible):
        solve(problem(assets, {"load.demand_kw": 30}, reserves=[required]), EXACT)
    enough = required.replace(providers=["generator", "second"])
    result = solve(problem(assets, {"load.demand_kw": 30}, reserves=[enough]), EXACT)
    assert flow(result, "load", "unserved_kw") == near(0)


def test_ramp_limited__the_ramp_bounds_what_counts():
    """At 20 of 40 kW and 0.1 kW/min, 6 kW can be added within the hour; at 1 EUR a kW they earn 6 EUR."""
    slow = generator(ramp_up_rate_kw_per_min=0.1, is_committable=False, initial_output_kw=20)
    paid = reserve(kind="ramp_limited", requirement_kw=0, price_per_kw_h=1)
    result = solve(problem([slow, load()], {"load.demand_kw": 20}, reserves=[paid]), EXACT)
    assert offered(result) == near(6)
    assert result.total_cost == pytest.approx(2 - 6, abs=NEAR)


def test_ramp_limited__a_fast_generator_adds_the_rest():
    """Of 12 kW one can add 6 kW and a dearer one the rest: neither has to give power for it."""
    slow = generator(ramp_up_rate_kw_per_min=0.1, is_committable=False, initial_output_kw=20)
    fast = generator(id="fast", fuel_cost_per_kwh=0.3, is_committable=False)
    required = reserve(kind="ramp_limited", requirement_kw=12)
    result = solve(problem([slow, fast, load()], {"load.demand_kw": 20}, reserves=[required]), EXACT)
    assert flow(result, "generator", "reserve_up_kw")[0] <= 6 + NEAR
    assert offered(result)[0] >= 12 - NEAR
    assert result.total_cost == pytest.approx(2, abs=NEAR)


def test_ramp_limited__a_store_does_not_count():
    """A store that could cover the requirement is no generator: nobody can meet 5 kW."""
    asked = problem([battery(), grid()], prices(0.1), reserves=[reserve(kind="ramp_limited", requirement_kw=5)])
    with pytest.raises(Infeasible):
        solve(asked)


def test_headroom__up_keeps_output_below_the_highest():
    """Of 40 kW at 0.10 EUR/kWh 15 kW stand ready: 25 kW serve the load, the grid the other 15 kW at 0.30: 7 EUR."""
    assets = [generator(), grid(), load()]
    series = {**prices(0.3, 0), "load.demand_kw": 40}
    result = solve(problem(assets, series, reserves=[reserve(requirement_kw=15)]), EXACT)
    assert flow(result, "generator", "output_kw") == near(25)
    assert result.total_cost == pytest.approx(7, abs=NEAR)


def test_headroom__down_keeps_output_above_the_lowest():
    """Power that can be taken off a generator at 0.50 EUR/kWh must be given first: 10 kW instead of the grid's."""
    assets = [generator(fuel_cost_per_kwh=0.5), grid(), load()]
    series = {**prices(0.3, 0), "load.demand_kw": 40}
    result = solve(problem(assets, series, reserves=[reserve(direction="down", requirement_kw=10)]), EXACT)
    assert flow(result, "generator", "output_kw") == near(10)
    assert result.total_cost == pytest.approx(14, abs=NEAR)


@pytest.mark.parametrize(("duration_h", "left_kwh"), [(1, 20), (2, 40)])
def test_headroom__a_store_backs_it_for_its_duration(duration_h, left_kwh):
    """20 kW for one or two hours keep 20 or 40 kWh in the store, which sells the rest of its 50 kWh."""
    assets = [battery(final_soc_rule="free"), grid()]
    required = reserve(requirement_kw=20, duration_h=duration_h)
    result = solve(problem(assets, prices(0.1), reserves=[required]), EXACT)
    assert flow(result, "battery", "energy_kwh") == near(50, left_kwh)
    assert result.total_cost == pytest.approx(-(50 - left_kwh) * 0.1, abs=NEAR)


def test_headroom__down_leaves_room_in_the_store():
    """30 kW down for an hour keep 30 kWh free: at a negative price 20 of 50 kWh are filled."""
    assets = [battery(), grid()]
    required = reserve(direction="down", requirement_kw=30)
    result = solve(problem(assets, prices(-0.1), reserves=[required]), EXACT)
    assert flow(result, "battery", "energy_kwh") == near(50, 70)


def test_headroom__charging_counts_as_reserve_up():
    """A store of 10 kW that charges 10 kW can stop and give 10: 20 kW up, which an idle one could not."""
    store = battery(max_charge_kw=10, max_discharge_kw=10)
    result = solve(problem([store, grid()], prices(0.1, 0), reserves=[reserve(requirement_kw=20)]), EXACT)
    assert flow(result, "battery", "charge_kw") == near(10)
    assert result.total_cost == pytest.approx(1, abs=NEAR)


def test_headroom__sun_can_be_taken_off():
    """30 kW of sun can be curtailed at once: that is reserve down."""
    series = {**prices(0.1), "solar.available_kw": 30}
    required = reserve(direction="down", requirement_kw=30, providers=["solar"])
    result = solve(problem([solar(), grid()], series, reserves=[required]), EXACT)
    assert flow(result, "solar", "reserve_down_kw") == near(30)
    assert flow(result, "solar", "used_kw") == near(30)


def test_price__more_than_is_required_is_offered_where_that_pays():
    """Fuel at 0.10 sold at 0.25 earns 0.15 a kWh; standing ready earns 0.20 a kW and hour: all 40 kW stand ready."""
    assets = [generator(), grid()]
    paid = solve(problem(assets, prices(0.25), reserves=[reserve(requirement_kw=5, price_per_kw_h=0.2)]), EXACT)
    assert offered(paid) == near(40)
    assert (cost_of(paid, "reserve_revenue"), paid.total_cost) == pytest.approx((-8, -8), abs=NEAR)


def test_price__less_than_the_market_pays_for_what_is_required_only():
    """At 0.10 a kW and hour only the 5 kW that are required stand ready; 35 kWh are sold: -0.50 - 5.25 EUR."""
    assets = [generator(), grid()]
    paid = solve(problem(assets, prices(0.25), reserves=[reserve(requirement_kw=5, price_per_kw_h=0.1)]), EXACT)
    assert offered(paid) == near(5)
    assert paid.total_cost == pytest.approx(-5.75, abs=NEAR)


def test_price__counts_the_hours_of_a_step():
    """Half an hour of 40 kW at 0.20 a kW and hour earns 4 EUR."""
    asked = problem(
        [generator(), grid()], prices(0.25), [0.5], reserves=[reserve(requirement_kw=0, price_per_kw_h=0.2)]
    )
    assert solve(asked, EXACT).total_cost == pytest.approx(-4, abs=NEAR)


def test_several__an_asset_is_offered_only_once():
    """Two requirements of 15 kW take 30 of 40 kW: 10 kW serve the load, the grid 30 kW at 0.30: 1 + 9 EUR."""
    assets = [generator(), grid(), load()]
    series = {**prices(0.3, 0), "load.demand_kw": 40}
    both = [reserve(id="fast", requirement_kw=15), reserve(id="slow", requirement_kw=15)]
    result = solve(problem(assets, series, reserves=both), EXACT)
    assert flow(result, "generator", "output_kw") == near(10)
    assert result.total_cost == pytest.approx(10, abs=NEAR)


def test_several__together_they_cannot_exceed_the_asset():
    """Twice 25 kW of one generator of 40 kW cannot be; up and down can, at 20 kW of output."""
    both_up = [reserve(id="fast", requirement_kw=25), reserve(id="slow", requirement_kw=25)]
    assets = [generator(), grid()]
    with pytest.raises(Infeasible):
        solve(problem(assets, prices(0.1), reserves=both_up), EXACT)
    both_ways = [reserve(id="up", requirement_kw=20), reserve(id="down", direction="down", requirement_kw=20)]
    result = solve(problem(assets, prices(0.2), reserves=both_ways), EXACT)
    assert flow(result, "generator", "output_kw") == near(20)


def test_several__the_better_paid_one_gets_the_asset():
    """40 kW stand ready for the price of 0.30, but for the 10 kW that the other, at 0.20, requires."""
    paid = [
        reserve(id="dear", requirement_kw=0, price_per_kw_h=0.3),
        reserve(id="cheap", requirement_kw=10, price_per_kw_h=0.2),
    ]
    result = solve(problem([generator(), grid()], prices(0.25), reserves=paid), EXACT)
    assert (offered(result, "dear"), offered(result, "cheap")) == (near(30), near(10))


def test_reserve__without_a_requirement():
    with pytest.raises(MissingValues, match="requirement_kw is given neither as a number nor as a series"):
        solve(problem([generator(), grid()], prices(0.1), reserves=[reserve()]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "capacity", "direction": "down"}, "only goes up; use kind = 'headroom'"),
        ({"kind": "capacity", "price_per_kw_h": 1}, "nobody offers a reserve of kind = 'capacity'"),
        ({"requirement_kw": -1}, "requirement_kw = -1 kW"),
    ],
)
def test_reserve_requirement__what_has_no_effect_is_refused(fields, message):
    with pytest.raises(InvalidInput, match=message):
        reserve(**fields)
