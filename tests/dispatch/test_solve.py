"""Small dispatches whose answer is found by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from builders import START, battery, charger, generator, grid, load, prices, problem, session, solar, wind
from pyomo.core import Constraint

from ems.dispatch.model import build_model
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve

# Powers and money of these cases are below 1000; solvers keep constraints to 1e-6 and cost follows.
NEAR = 1e-5


def flow(result: DispatchResult, asset: str, name: str) -> list[float]:
    values: list[float] = result.flows[name].sel(asset=asset).values.tolist()
    return values


def near(*values: float):
    return pytest.approx(list(values), abs=NEAR)


def test_solve__lossless_battery_earns_the_spread():
    """100 kWh bought at 0.10 EUR/kWh and sold at 0.50 EUR/kWh earn 40 EUR."""
    result = solve(problem([battery(initial_soc=0), grid()], prices([0.1, 0.5]), [1, 1]))
    assert result.total_cost == pytest.approx(-40, abs=NEAR)
    assert flow(result, "battery", "charge_kw") == near(100, 0)
    assert flow(result, "battery", "discharge_kw") == near(0, 100)
    assert flow(result, "battery", "energy_kwh") == near(0, 100, 0)
    assert flow(result, "battery", "soc") == near(1, 0)
    assert result.costs.set_index(["asset", "cost_type"]).cost["grid", "import_cost"] == pytest.approx(10, abs=NEAR)
    assert result.costs.set_index(["asset", "cost_type"]).cost["grid", "export_revenue"] == pytest.approx(
        -50, abs=NEAR
    )


def test_solve__losses_and_wear_are_paid():
    """Bought 100 kWh at 0.10, stored 80, given 64, sold at 0.50 with wear of 0.01: 10 - 32 + 0.64 = -21.36 EUR."""
    unit = battery(initial_soc=0, round_trip_efficiency=0.64, degradation_cost_per_kwh=0.01)
    result = solve(problem([unit, grid()], prices([0.1, 0.5]), [1, 1]))
    assert result.total_cost == pytest.approx(-21.36, abs=NEAR)
    assert flow(result, "battery", "energy_kwh") == near(0, 80, 0)


def test_solve__a_spread_below_the_wear_is_left():
    """0.05 EUR/kWh of spread do not pay 0.06 EUR/kWh of wear."""
    unit = battery(degradation_cost_per_kwh=0.06)
    assert solve(problem([unit, grid()], prices([0.1, 0.15]), [1, 1])).total_cost == 0


@pytest.mark.parametrize(
    ("rule", "target_soc", "price", "cost"),
    [
        ("at_least", 0.5, 0.5, 0),
        ("at_least", 0.4, 0.5, -5),
        ("at_least", 0.5, -0.1, -5),
        ("exactly", 0.5, -0.1, 0),
        ("exactly", 0.7, -0.1, -2),
        ("exactly", 0.3, 0.5, -10),
        ("free", 0.5, 0.5, -25),
        ("free", 0.5, -0.1, -5),
    ],
)
def test_solve__final_state_of_charge(rule, target_soc, price, cost):
    """Half of 100 kWh, one hour: what may be sold at 0.50 or taken at -0.10 EUR/kWh is what the rule leaves."""
    unit = battery(final_soc_rule=rule, target_soc=target_soc)
    result = solve(problem([unit, grid()], prices(price)))
    assert result.total_cost == pytest.approx(cost, abs=NEAR)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_solve__negative_price_does_not_pay_for_waste(solver, options):
    """A battery with room for 10 kWh takes 20 kW at half losses and earns 2 EUR.

    Charging 44 kW and discharging 6 kW at once would fill the same room, take 38 kW and earn 3.80 EUR.
    """
    unit = battery(initial_soc=0.9, round_trip_efficiency=0.25, max_charge_kw=50, max_discharge_kw=50)
    result = solve(problem([unit, grid(max_export_kw=0)], prices(-0.1)), options(solver))
    assert result.total_cost == pytest.approx(-2, abs=NEAR)
    assert flow(result, "battery", "charge_kw") == near(20)
    assert flow(result, "battery", "discharge_kw") == near(0)
    assert result.binaries > 0


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_solve__selling_dearer_than_buying_does_not_pay_for_a_circle(solver, options):
    """Importing at 0.10 and exporting at 0.30 EUR/kWh in one hour would earn without end; the load pays 1 EUR."""
    result = solve(problem([grid(), load()], {**prices(0.1, 0.3), "load.demand_kw": 10}), options(solver))
    assert result.total_cost == pytest.approx(1, abs=NEAR)
    assert (flow(result, "grid", "import_kw"), flow(result, "grid", "export_kw")) == (near(10), near(0))
    assert result.binaries > 0


def test_solve__no_binary_where_prices_are_ordinary():
    result = solve(problem([battery(), grid(), load()], {**prices([0.1, 0.5], 0.05), "load.demand_kw": 5}, [1, 1]))
    assert (result.binaries, result.solution.integers) == (0, 0)


def test_solve__load_is_shed_where_the_grid_ends():
    """Of 30 kW the grid gives 20 at 0.20 EUR/kWh; 10 kWh not served are worth 1 EUR each: 4 + 10 EUR."""
    assets = [grid(max_import_kw=20), load(is_sheddable=True, interruption_cost_per_kwh=1)]
    result = solve(problem(assets, {**prices(0.2), "load.demand_kw": 30}))
    assert result.total_cost == pytest.approx(14, abs=NEAR)
    assert (flow(result, "load", "unserved_kw"), flow(result, "load", "served_kw")) == (near(10), near(20))


def test_solve__load_is_shed_where_energy_costs_more_than_it_is_worth():
    """Half an hour of 30 kW is worth 15 EUR and would cost 30 EUR."""
    assets = [grid(), load(is_sheddable=True, interruption_cost_per_kwh=1)]
    result = solve(problem(assets, {**prices(2.0), "load.demand_kw": 30}, [0.5]))
    assert result.total_cost == pytest.approx(15, abs=NEAR)
    assert flow(result, "load", "served_kw") == near(0)


def test_solve__surplus_is_curtailed():
    """Of 30 kW of sun the load takes 10 and the grid 5 at 0.10 EUR/kWh; 15 kW stay unused."""
    assets = [grid(max_export_kw=5), load(), solar()]
    result = solve(problem(assets, {**prices(0.3, 0.1), "load.demand_kw": 10, "solar.available_kw": 30}))
    assert result.total_cost == pytest.approx(-0.5, abs=NEAR)
    assert (flow(result, "solar", "used_kw"), flow(result, "solar", "curtailed_kw")) == (near(15), near(15))


@pytest.mark.parametrize(("is_curtailable", "cost"), [(True, 0), (False, 4)])
def test_solve__power_that_must_be_used_is_sold_at_a_loss(is_curtailable, cost):
    """20 kW of wind beyond the load at -0.20 EUR/kWh cost 4 EUR, unless they may be curtailed."""
    assets = [grid(), load(), wind(is_curtailable=is_curtailable)]
    result = solve(problem(assets, {**prices(0.3, -0.2), "load.demand_kw": 10, "wind.available_kw": 30}))
    assert result.total_cost == pytest.approx(cost, abs=NEAR)


def test_solve__generator_runs_where_it_is_cheaper_with_its_start():
    """Two hours of 30 kW: 6 EUR of fuel and a start of 5 EUR against 18 EUR from the grid."""
    assets = [grid(max_export_kw=0), load(), generator(min_output_kw=20, startup_cost=5)]
    result = solve(problem(assets, {**prices(0.3), "load.demand_kw": 30}, [1, 1]))
    assert result.total_cost == pytest.approx(11, abs=NEAR)
    assert flow(result, "generator", "is_on") == near(1, 1)
    assert flow(result, "generator", "is_started") == near(1, 0)


def test_solve__generator_cannot_run_below_its_lowest_output():
    """10 kW are less than the 20 kW that it must give, and nothing can be sold: 3 EUR from the grid."""
    assets = [grid(max_export_kw=0), load(), generator(min_output_kw=20)]
    result = solve(problem(assets, {**prices(0.3), "load.demand_kw": 10}))
    assert result.total_cost == pytest.approx(3, abs=NEAR)
    assert flow(result, "generator", "output_kw") == near(0)


@pytest.mark.parametrize(("startup_cost", "cost", "on"), [(5, 14, [1, 1, 1]), (1, 9.5, [1, 0, 1])])
def test_solve__generator_stops_where_a_start_is_cheap(startup_cost, cost, on):
    """30 kW for 3 h, grid at 0.30, 0.05, 0.30: fuel is 3 EUR an hour, the middle hour of grid 1.50 EUR.

    Running through costs 9 EUR and one start, stopping 7.50 EUR and two.
    """
    assets = [grid(max_export_kw=0), load(), generator(startup_cost=startup_cost, min_output_kw=30)]
    result = solve(problem(assets, {**prices([0.3, 0.05, 0.3]), "load.demand_kw": 30}, [1, 1, 1]))
    assert result.total_cost == pytest.approx(cost, abs=NEAR)
    assert flow(result, "generator", "is_on") == near(*on)


def test_solve__generator_without_starts_needs_no_decision():
    """Its cheapest 40 kW at 0.10, and 10 kW from the grid at 0.30: 7 EUR."""
    result = solve(problem([grid(), load(), generator()], {**prices(0.3, 0), "load.demand_kw": 50}))
    assert result.total_cost == pytest.approx(7, abs=NEAR)
    assert result.solution.integers == 0


def test_solve__vehicle_is_charged_in_its_cheapest_hours():
    """20.25 kWh at an efficiency of 0.9 are 22.5 kWh: 10 at 0.10, 10 at 0.20, the rest of 2.5 at 0.40 EUR: 4 EUR.

    It comes at 00:30 and leaves at 03:00, so that the last hour, at 0.05 EUR, is too late.
    """
    assets = [grid(), charger(sessions=[session(0.5, 3, 20.25)])]
    result = solve(problem(assets, prices([0.4, 0.1, 0.2, 0.05]), [1] * 4))
    assert result.total_cost == pytest.approx(4, abs=NEAR)
    assert flow(result, "charger", "charge_kw") == near(2.5, 10, 10, 0)


def test_solve__vehicle_that_is_there_for_half_an_hour_gets_half_the_energy():
    """At most 5 kWh of the cheap first hour at 0.10; 5 kWh at 0.40 EUR follow: 2.50 EUR."""
    assets = [grid(), charger(charge_efficiency=1, sessions=[session(0.5, 2, 10)])]
    result = solve(problem(assets, prices([0.1, 0.4]), [1, 1]))
    assert result.total_cost == pytest.approx(2.5, abs=NEAR)
    assert flow(result, "charger", "charge_kw") == near(5, 5)


def test_solve__two_vehicles_share_a_charger_of_two_ports():
    """Both want 10 kWh in the cheap hour: 20 kW at 0.10 EUR/kWh."""
    stays = [session(0, 2, 10), session(0, 2, 10)]
    assets = [grid(), charger(charge_efficiency=1, number_of_ports=2, sessions=stays)]
    result = solve(problem(assets, prices([0.1, 0.4]), [1, 1]))
    assert result.total_cost == pytest.approx(2, abs=NEAR)
    assert flow(result, "charger", "charge_kw") == near(20, 0)


def test_solve__sites_balance_apart():
    """Sun at one site does not reach the load of another one: 50 kWh at 0.30 EUR, although 50 kW stay unused."""
    assets = [
        solar(site_id="roof"),
        load(id="cellar", site_id="roof"),
        grid(site_id="house"),
        load(site_id="house"),
    ]
    values = {**prices(0.3), "load.demand_kw": 50, "solar.available_kw": 50, "cellar.demand_kw": 0}
    result = solve(problem(assets, values))
    assert result.total_cost == pytest.approx(15, abs=NEAR)
    assert flow(result, "solar", "curtailed_kw") == near(50)
    assert result.flows.site.values.tolist() == ["roof", "roof", "house", "house"]


def test_solve__steps_of_changing_length():
    """A battery of 20 kW carries 10 kWh out of half an hour at 0.10 into two hours at 0.20 EUR/kWh.

    The load of 10 kW costs 10 x 0.5 x 0.10 + 10 x 2 x 0.20 = 4.50 EUR, of which the battery saves 1 EUR.
    """
    assets = [battery(initial_soc=0, max_charge_kw=20), grid(max_export_kw=0), load()]
    result = solve(problem(assets, {**prices([0.1, 0.2]), "load.demand_kw": 10}, [0.5, 2]))
    assert result.total_cost == pytest.approx(3.5, abs=NEAR)
    assert flow(result, "battery", "energy_kwh") == near(0, 10, 0)
    assert flow(result, "battery", "discharge_kw") == near(0, 5)


def test_solve__asset_in_maintenance_plays_no_part():
    assets = [battery(initial_soc=0, status="maintenance"), grid()]
    result = solve(problem(assets, prices([0.1, 0.5]), [1, 1]))
    assert result.total_cost == 0
    assert result.flows.asset.values.tolist() == ["grid"]


def test_solve__without_a_kind_is_the_baseline():
    """Without its battery, a load of 10 kW costs 1 + 5 EUR; with it, the dear hour is bought in the cheap one: 2."""
    with_battery = problem(
        [battery(initial_soc=0), grid(max_export_kw=0), load()], {**prices([0.1, 0.5]), "load.demand_kw": 10}, [1, 1]
    )
    assert solve(with_battery).total_cost == pytest.approx(2, abs=NEAR)
    assert solve(with_battery.without("battery")).total_cost == pytest.approx(6, abs=NEAR)
    assert len(with_battery.assets) == 3


def test_solve__constraint_of_ones_own():
    """At most 30 kW may be charged: the spread of 0.40 EUR/kWh is earned for 30 kWh."""
    asked = problem([battery(initial_soc=0), grid()], prices([0.1, 0.5]), [1, 1])
    model = build_model(asked)
    unit = model.unit["battery"]
    model.quiet = Constraint(model.steps, rule=lambda model, t: unit.charge_kw[t] <= 30)
    assert solve(asked, model=model).total_cost == pytest.approx(-12, abs=NEAR)


def test_solve__leaves_its_arguments_as_they_were():
    asked = problem([battery(initial_soc=0), grid()], prices([0.1, 0.5]), [1, 1])
    before = asked.series.copy(deep=True)
    first, second = solve(asked), solve(asked)
    assert asked.series.identical(before)
    assert first.flows.identical(second.flows)


def test_solve__result_is_labelled_with_units_times_and_kinds():
    result = solve(problem([battery(), grid()], prices([0.1, 0.5]), [1, 1], currency="CHF"))
    units = {name: variable.attrs["units"] for name, variable in result.flows.items()}
    assert (units["charge_kw"], units["energy_kwh"], units["soc"]) == ("kW", "kWh", "1")
    assert units["import_price_per_kwh"] == "CHF/kWh"
    assert result.cost.import_cost.attrs["units"] == "CHF"
    assert result.flows.charge_kw.dims == ("time", "asset")
    assert result.flows.energy_kwh.dims == ("boundary", "asset")
    assert result.flows.time.values[0].astype("datetime64[s]").item() == START.replace(tzinfo=None)
    assert result.flows.kind.values.tolist() == ["battery", "grid_connection"]


def test_dispatch_problem__series_on_other_steps():
    asked = problem([grid()], prices(0.1), [1, 1])
    later = problem([grid()], prices(0.1), [1, 1], start=START + dt.timedelta(hours=1))
    with pytest.raises(ValueError, match=r"the series: its times are not the horizon's; cut it with ems\.series"):
        DispatchProblem(asked.portfolio, asked.horizon, later.series)


def test_dispatch_problem__gap():
    with pytest.raises(ValueError, match="demand_kw of 'load': has 1 gaps, the first at 2024-06-03 01:00 UTC"):
        problem([grid(), load()], {**prices(0.1), "load.demand_kw": [1, float("nan")]}, [1, 1])


def test_dispatch_problem__series_absent():
    with pytest.raises(ValueError, match="available_kw of 'solar': is not in the series"):
        problem([grid(), solar()], prices(0.1))


def test_dispatch_problem__nothing_active():
    with pytest.raises(ValueError, match="this dispatch: no asset is active"):
        problem([load(status="inactive")])
