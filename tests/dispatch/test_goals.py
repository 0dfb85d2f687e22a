"""Each type of optimization has an answer of its own on a case built for it, found by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from builders import START, battery, generator, grid, horizon, load, prices, problem, solar

from ems.assets.market_position import market_periods
from ems.dispatch.goal import Goal, Outage
from ems.dispatch.kpis import kpis_of
from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import Infeasible, InvalidInput
from ems.horizon import Horizon
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of

NEAR = 1e-4
"""Measures are held to 1e-7 of themselves in later stages; powers here are below 200 kW."""
EXACT = SolverOptions(mip_gap=0)


def flow(result: DispatchResult, asset: str, name: str) -> list[float]:
    values: list[float] = result.flows[name].sel(asset=asset).values.tolist()
    return values


def near(*values: float) -> Any:
    return pytest.approx(list(values), abs=NEAR)


def outage(asset_id: str, begin_h: float, end_h: float) -> Outage:
    return Outage(asset_id=asset_id, begin=START + dt.timedelta(hours=begin_h), end=START + dt.timedelta(hours=end_h))


def test_unit_commitment__a_start_that_does_not_pay_is_left():
    """A generator at 0.10 with a start of 10 EUR saves 0.20 x 40 kWh = 8 EUR against the grid at 0.30: it stays off.

    The load pays 0.30 x 40 = 12 EUR; an economic dispatch takes the generator as running and pays 4 EUR.
    """
    assets = [generator(startup_cost=10), grid(), load()]
    series = {**prices(0.3, 0), "load.demand_kw": 40}
    costs = {
        name: solve(problem(assets, series, goal=Goal(optimization_type=name)), EXACT).total_cost
        for name in ("battery_dispatch", "unit_commitment", "economic_dispatch")
    }
    assert costs == pytest.approx({"battery_dispatch": 12, "unit_commitment": 12, "economic_dispatch": 4}, abs=NEAR)


def test_unit_commitment__needs_a_generator():
    with pytest.raises(InvalidInput, match="no generator is active; choose battery_dispatch"):
        problem([grid(), load()], {**prices(0.3), "load.demand_kw": 1}, goal=Goal(optimization_type="unit_commitment"))


def test_economic_dispatch__a_lowest_output_is_given_all_the_time():
    """Running at 20 kW at least in two hours, one of them at a price below the fuel's.

    A dispatch that may switch gives 40 kWh in the hour at 0.30 alone: 4 - 12 = -8 EUR. One that takes the generator as
    running adds 20 kWh at 0.10 that are sold at 0.05: -8 + 2 - 1 = -7 EUR.
    """
    assets = [generator(min_output_kw=20), grid()]
    series = prices([0.05, 0.3])
    running = solve(problem(assets, series, [1, 1], goal=Goal(optimization_type="economic_dispatch")), EXACT)
    assert flow(running, "generator", "output_kw") == near(20, 40)
    assert running.total_cost == pytest.approx(-7, abs=NEAR)
    assert solve(problem(assets, series, [1, 1]), EXACT).total_cost == pytest.approx(-8, abs=NEAR)


def test_procurement__a_store_smooths_the_hour():
    """Quarters of 0, 0, 80 and 80 kW in an hour bought ahead at one power; being short costs 0.50, long earns 0.05.

    Without a store the best position at 0.10 is 0 to 80 kW: each kWh moved from short to long is worth the same on
    both sides only where 0.40 x 2 quarters > 0.05 x 2 quarters, so 80 kW: 8 EUR - 40 kWh x 0.05 = 6 EUR, of which
    energy is 4 EUR and imbalance 2 EUR. A store of 20 kWh lets 40 kW be taken all the time: 4 EUR.
    """
    series = {
        **prices(0.1, 0.1),
        "grid.imbalance_short_price_per_kwh": 0.5,
        "grid.imbalance_long_price_per_kwh": 0.05,
        "load.demand_kw": [0, 0, 80, 80],
    }
    goal = Goal(optimization_type="procurement")
    alone = solve(problem([grid(), load()], series, [0.25] * 4, goal=goal), EXACT)
    assert flow(alone, "grid", "position_kw") == near(80, 80, 80, 80)
    costs = alone.costs.groupby("cost_type").cost.sum()
    assert (costs["import_cost"], costs["imbalance_cost"]) == pytest.approx((4, 2), abs=NEAR)

    store = battery(initial_soc=0)
    smoothed = solve(problem([grid(), load(), store], series, [0.25] * 4, goal=goal), EXACT)
    assert smoothed.total_cost == pytest.approx(4, abs=NEAR)
    assert flow(smoothed, "grid", "position_kw") == near(40, 40, 40, 40)
    assert flow(smoothed, "grid", "import_kw") == near(40, 40, 40, 40)


def test_procurement__half_hour_positions_need_no_store():
    """With periods of half an hour the position follows the load: 4 EUR without any imbalance."""
    series = {
        **prices(0.1, 0.1),
        "grid.imbalance_short_price_per_kwh": 0.5,
        "grid.imbalance_long_price_per_kwh": 0.05,
        "load.demand_kw": [0, 0, 80, 80],
    }
    goal = Goal(optimization_type="procurement", market_period_h=0.5)
    result = solve(problem([grid(), load()], series, [0.25] * 4, goal=goal), EXACT)
    assert result.total_cost == pytest.approx(4, abs=NEAR)
    assert flow(result, "grid", "position_kw") == near(0, 0, 80, 80)


def test_procurement__needs_imbalance_prices():
    asked = problem([grid(), load()], {**prices(0.1), "load.demand_kw": 1}, goal=Goal(optimization_type="procurement"))
    with pytest.raises(InvalidInput, match="procurement at 'grid': needs the series imbalance_short_price_per_kwh"):
        solve(asked)


@pytest.mark.parametrize("demand_kw", [[0, 0, 30, 80], [80, 10, 40, 0]])
def test_procurement__bill_and_pyomo_model_agree(demand_kw):
    """What the dispatch counts is what a bill by the position and the meter comes to, and what Pyomo's model costs."""
    series = {
        **prices([0.1, 0.1, 0.2, 0.2], 0.08),
        "grid.imbalance_short_price_per_kwh": [0.3, 0.2, 0.4, 0.3],
        "grid.imbalance_long_price_per_kwh": 0.05,
        "load.demand_kw": demand_kw,
    }
    assets = [grid(), load(), battery(capacity_kwh=10, max_charge_kw=5, max_discharge_kw=5)]
    asked = problem(assets, series, [0.25] * 4, goal=Goal(optimization_type="procurement"))
    result = solve(asked, EXACT)
    bill = settle(result.flows, asked.series, asked.portfolio)
    assert "imbalance_cost" in set(bill.lines.cost_type)
    assert bill.total_cost == pytest.approx(result.total_cost, abs=NEAR)
    assert violations_of(result.flows, asked.series, asked.portfolio) == []
    assert solve(asked, EXACT, model=build_model(asked)).total_cost == pytest.approx(result.total_cost, abs=NEAR)


def test_market_periods__a_day_of_25_hours_has_25():
    """In Berlin the hour from 2:00 comes twice on 2024-10-27; each is a period of its own, of four quarters."""
    day = Horizon(dt.datetime(2024, 10, 26, 22, tzinfo=dt.UTC), (0.25,) * 100)
    assert market_periods(day, "Europe/Berlin", 1.0).tolist() == [number for number in range(25) for _ in range(4)]


def test_market_periods__steps_of_several_periods_stand_for_all_of_them():
    """Steps of 1, 2 and 0.5 h in periods of half an hour are a period each; those of 0.5 h in hours go in pairs."""
    assert market_periods(horizon(1, 2, 0.5), "UTC", 0.5).tolist() == [0, 1, 2]
    assert market_periods(horizon(0.5, 0.5, 0.5, 0.5), "UTC", 1.0).tolist() == [0, 0, 1, 1]


def test_market_periods__a_step_in_two_periods_is_refused():
    with pytest.raises(InvalidInput, match=r"the step at 2024-06-03 00:45 UTC of 0\.75 h lies in two market periods"):
        market_periods(horizon(0.75, 0.75), "UTC", 1.0)


def test_self_consumption__sun_is_stored_although_selling_pays_more():
    """50 kWh of sun at noon, 50 kWh of load in the evening; selling at 0.30 and buying back at 0.20 earns 5 EUR.

    The aim of importing least stores the sun: nothing is imported, and nothing earned.
    """
    assets = [solar(), battery(initial_soc=0), grid(), load()]
    series = {**prices([0.4, 0.2], [0.3, 0.1]), "solar.available_kw": [50, 0], "load.demand_kw": [0, 50]}
    sold = solve(problem(assets, series, [1, 1]), EXACT)
    stored = solve(problem(assets, series, [1, 1], goal=Goal(optimization_type="self_consumption")), EXACT)
    assert (sold.total_cost, flow(sold, "grid", "import_kw")) == (pytest.approx(-5, abs=NEAR), near(0, 50))
    assert (stored.total_cost, flow(stored, "grid", "import_kw")) == (pytest.approx(0, abs=NEAR), near(0, 0))
    shares = kpis_of(stored).set_index("kpi").value
    assert shares["self_consumption_share"] == pytest.approx(1, abs=NEAR)
    assert shares["self_sufficiency_share"] == pytest.approx(1, abs=NEAR)


def test_peak_shaving__the_highest_import_is_least_before_cost():
    """Loads of 0, 90 and 0 kW at 0.10, 0.10 and 0.50 EUR/kWh; a store of 100 kWh is full at the end, as before.

    The cheapest plan buys 90 kWh at 0.10 when they are used: 9 EUR with a peak of 90 kW. Three hours at 30 kW are the
    least peak: 3 + 3 + 15 = 21 EUR.
    """
    assets = [battery(initial_soc=0.6), grid(), load()]
    series = {**prices([0.1, 0.1, 0.5], 0), "load.demand_kw": [0, 90, 0]}
    cheap = solve(problem(assets, series, [1, 1, 1]), EXACT)
    flat = solve(problem(assets, series, [1, 1, 1], goal=Goal(optimization_type="peak_shaving")), EXACT)
    assert cheap.total_cost == pytest.approx(9, abs=NEAR)
    assert flow(flat, "grid", "import_kw") == near(30, 30, 30)
    assert flat.total_cost == pytest.approx(21, abs=NEAR)


def test_peak_shaving__cost_decides_among_equal_peaks():
    """A peak of 40 kW in the first hour cannot be less; the store is charged in the hour at 0.10, not in that at 0.30.

    40 kWh at 0.30 and 20 kWh at 0.10 cost 14 EUR.
    """
    assets = [battery(initial_soc=0, target_soc=0.2), grid(), load()]
    series = {**prices([0.3, 0.1, 0.3], 0), "load.demand_kw": [40, 0, 0]}
    result = solve(problem(assets, series, [1, 1, 1], goal=Goal(optimization_type="peak_shaving")), EXACT)
    assert flow(result, "grid", "import_kw") == near(40, 20, 0)
    assert (result.solution.objective, result.total_cost) == pytest.approx((40, 14), abs=NEAR)


def test_vpp__sites_trade_as_one():
    """One site has 50 kWh of sun to sell at 0.05, the other 50 kWh to buy at 0.30 EUR/kWh.

    Apart they pay 15 - 2.50 = 12.50 EUR; as one account they pay nothing.
    """
    assets = [
        solar(site_id="farm"),
        grid(id="farm-grid", site_id="farm"),
        load(site_id="town"),
        grid(id="town-grid", site_id="town"),
    ]
    series = {
        **prices(0.3, 0.05, "farm-grid"),
        **prices(0.3, 0.05, "town-grid"),
        "solar.available_kw": 50,
        "load.demand_kw": 50,
    }
    apart = solve(problem(assets, series), EXACT)
    as_one = solve(problem(assets, series, goal=Goal(optimization_type="vpp")), EXACT)
    assert (apart.total_cost, as_one.total_cost) == pytest.approx((12.5, 0), abs=NEAR)
    assert flow(as_one, "town-grid", "shared_in_kw") == near(50)


def test_vpp__needs_two_connections():
    with pytest.raises(InvalidInput, match="needs grid connections at two sites or more"):
        problem([grid(), load()], {**prices(0.3), "load.demand_kw": 1}, goal=Goal(optimization_type="vpp"))


def test_resilience__serving_comes_before_cost():
    """Through an hour without the grid a diesel at 2 EUR/kWh serves a load whose energy is worth 1 EUR/kWh.

    A dispatch by cost leaves 40 kWh unserved: 40 EUR in the outage, and 4 EUR from the grid after it. Resilience
    serves them for 80 EUR.
    """
    assets = [generator(fuel_cost_per_kwh=2), grid(), load(is_sheddable=True, interruption_cost_per_kwh=1)]
    series = {**prices(0.1), "load.demand_kw": 40}
    out = (outage("grid", 0, 1),)
    by_cost = solve(problem(assets, series, [1, 1], goal=Goal(outages=out)), EXACT)
    through = solve(problem(assets, series, [1, 1], goal=Goal(optimization_type="resilience", outages=out)), EXACT)
    assert (by_cost.total_cost, flow(by_cost, "load", "unserved_kw")) == (pytest.approx(44, abs=NEAR), near(40, 0))
    assert (through.total_cost, flow(through, "load", "unserved_kw")) == (pytest.approx(84, abs=NEAR), near(0, 0))
    # Where the grid is back the diesel rests: cost decides among plans that serve the same.
    assert flow(through, "generator", "output_kw") == near(40, 0)


def test_resilience__demand_of_least_worth_is_shed():
    """A full store of 50 kWh through two hours without the grid: 25 kW of pumps at 5 and 25 kW of lamps at 1 EUR/kWh.

    The pumps run for both hours; the 50 kWh of the lamps are worth 50 EUR.
    """
    assets = [
        battery(capacity_kwh=50, initial_soc=1, final_soc_rule="free"),
        grid(),
        load(id="pumps", is_sheddable=True, interruption_cost_per_kwh=5),
        load(id="lamps", is_sheddable=True, interruption_cost_per_kwh=1),
    ]
    series = {**prices(0.1), "pumps.demand_kw": 25, "lamps.demand_kw": 25}
    goal = Goal(optimization_type="resilience", outages=(outage("grid", 0, 2),))
    result = solve(problem(assets, series, [1, 1], goal=goal), EXACT)
    assert flow(result, "pumps", "unserved_kw") == near(0, 0)
    assert sum(flow(result, "lamps", "unserved_kw")) == pytest.approx(50, abs=NEAR)
    assert result.total_cost == pytest.approx(50, abs=NEAR)


def test_resilience__a_firm_load_without_a_source_is_infeasible():
    asked = problem(
        [grid(), load()],
        {**prices(0.1), "load.demand_kw": 5},
        [1, 1],
        goal=Goal(optimization_type="resilience", outages=(outage("grid", 0, 1),)),
    )
    with pytest.raises(Infeasible):
        solve(asked)


def test_emissions__the_clean_hour_is_dearer():
    """100 kWh for a store from the grid: at 0.10 EUR/kWh with 0.6 kg/kWh, or at 0.20 with 0.2 kg/kWh."""
    assets = [battery(initial_soc=0, target_soc=1), grid()]
    series = {**prices([0.1, 0.2], 0), "grid.co2_intensity_kg_per_kwh": [0.6, 0.2]}
    cheap = solve(problem(assets, series, [1, 1]), EXACT)
    clean = solve(problem(assets, series, [1, 1], goal=Goal(objective="emissions")), EXACT)
    assert (cheap.total_cost, sum(cheap.emissions_kg.values())) == pytest.approx((10, 60), abs=NEAR)
    assert (clean.total_cost, sum(clean.emissions_kg.values())) == pytest.approx((20, 20), abs=NEAR)


@pytest.mark.parametrize(("price_per_kg", "cost"), [(0.2, 10), (0.3, 20)])
def test_weighted__a_price_of_emissions_tips_the_plan(price_per_kg, cost):
    """0.4 kg less for 0.10 EUR more is worth it from 0.25 EUR/kg on."""
    assets = [battery(initial_soc=0, target_soc=1), grid()]
    series = {**prices([0.1, 0.2], 0), "grid.co2_intensity_kg_per_kwh": [0.6, 0.2]}
    goal = Goal(objective="weighted", emissions_price_per_kg=price_per_kg)
    result = solve(problem(assets, series, [1, 1], goal=goal), EXACT)
    assert result.total_cost == pytest.approx(cost, abs=NEAR)
    assert result.solution.objective == pytest.approx(
        cost + price_per_kg * sum(result.emissions_kg.values()), abs=NEAR
    )


@pytest.mark.parametrize(("price_per_kw", "peak_kw"), [(0.05, 100), (0.2, 50)])
def test_weighted__a_price_of_the_peak_spreads_the_charge(price_per_kw, peak_kw):
    """Half of 100 kWh moved to the hour that is 0.10 EUR/kWh dearer costs 5 EUR and takes 50 kW off the peak."""
    assets = [battery(initial_soc=0, target_soc=1), grid()]
    goal = Goal(objective="weighted", peak_price_per_kw=price_per_kw)
    result = solve(problem(assets, prices([0.1, 0.2], 0), [1, 1], goal=goal), EXACT)
    assert max(flow(result, "grid", "import_kw")) == pytest.approx(peak_kw, abs=NEAR)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"peak_price_per_kw": 1}, "has no effect unless objective = 'weighted'"),
        ({"objective": "weighted"}, "needs a weight above 0"),
        ({"optimization_type": "peak_shaving", "objective": "cost"}, "has objective 'peak'; choose another type"),
        ({"optimization_type": "arbitrage"}, "optimization_type"),
        ({"optimization_type": ["vpp"]}, "optimization_type"),
    ],
)
def test_goal__what_has_no_effect_is_refused(fields, message):
    with pytest.raises(InvalidInput, match=message):
        Goal(**fields)


def test_solve__three_stages_keep_what_the_first_two_reached():
    """Resilience with the aim of least emissions serves all first, then emits least, then costs least.

    Of two generators the clean one gives 40 of 60 kW, the other the rest; shedding would emit less.
    """
    assets = [
        generator(id="clean", fuel_cost_per_kwh=3, co2_emissions_kg_per_kwh=0.1),
        generator(id="dirty", fuel_cost_per_kwh=1, co2_emissions_kg_per_kwh=0.9),
        load(is_sheddable=True, interruption_cost_per_kwh=0.5),
    ]
    goal = Goal(optimization_type="resilience", objective="emissions")
    result = solve(problem(assets, {"load.demand_kw": 60}, goal=goal), EXACT)
    assert (flow(result, "clean", "output_kw"), flow(result, "dirty", "output_kw")) == (near(40), near(20))
    assert sum(result.emissions_kg.values()) == pytest.approx(22, abs=NEAR)
