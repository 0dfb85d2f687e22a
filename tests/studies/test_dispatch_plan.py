"""DispatchPlan: what a report says of a schedule, computed from its numbers, for any aim and assets."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import battery, generator, grid, load, prices, problem, solar

from ems.dispatch.goal import Goal
from ems.dispatch.options import SolverOptions
from ems.dispatch.pareto import pareto_front
from ems.dispatch.solve import solve
from ems.studies.dispatch_plan import DispatchPlan

EXACT = SolverOptions(mip_gap=0)


def plan_of(assets, series, steps_h, goal=None, without=None, **fields) -> DispatchPlan:
    asked = problem(assets, series, steps_h, goal=goal, **fields)
    baseline = None if without is None else solve(asked.without(without), EXACT)
    return DispatchPlan(solve(asked, EXACT), baseline, without)


def two_hours(goal: Goal | None = None) -> DispatchPlan:
    """50 kWh bought at 0.10 instead of 0.30 EUR/kWh: 5 instead of 15 EUR, and 20 kg of carbon dioxide either way."""
    assets = [battery(initial_soc=0), grid(co2_intensity_kg_per_kwh=0.4), load()]
    series = {**prices([0.1, 0.3], 0), "load.demand_kw": [0, 50]}
    return plan_of(assets, series, [1, 1], goal, "battery")


def test_headline__cost_saving_peak_emissions_proof():
    assert two_hours().headline() == [
        ("Total cost", "5.00 EUR"),
        ("Cost without battery", "15.00 EUR"),
        ("Saving", "10.00 EUR (66.7%)"),
        ("Highest import", "50.0 kW"),
        ("Emissions", "20.0 kg"),
        ("Proof", "optimal, gap 0.00%"),
    ]


def test_proof__cost_beside_the_settled_bill():
    proof = two_hours().proof()

    assert proof["Objective"] == "5.0000 EUR"
    assert proof["Settled bill"] == "5.0000 EUR, difference 0.000000 EUR"
    assert "Cost of the schedule" not in proof
    assert proof["Replay"] == "every limit and balance holds"


def test_proof__another_aim_has_its_unit_and_the_costs_own_comparison():
    plan = two_hours(Goal(objective="emissions"))

    assert plan.proof()["Objective"] == "20.0000 kg, carbon dioxide emitted"
    assert plan.proof()["Cost of the schedule"] == "5.0000 EUR"
    assert plan.proof()["Settled bill"] == "5.0000 EUR, difference 0.000000 EUR"
    assert plan.headline()[0] == ("Emissions", "20.00 kg")
    assert [label for label, _ in plan.headline()].count("Emissions") == 1


def test_conclusion__what_was_least_comes_first():
    """Two hours at 25 kW are the least peak; without a battery it is the 50 kW of the load."""
    said = two_hours(Goal(optimization_type="peak_shaving")).conclusion()

    assert said.startswith("The highest import is 25.0 kW; without battery it would be 50.0 kW at the least.")
    assert "Over 2 h the plan costs 10.00 EUR; without battery it would cost 15.00 EUR." in said
    assert "The battery saves 5.00 EUR, or 60.00 EUR a day." in said


def test_conclusion__soc_neutral_where_content_is_left():
    """A free end: 50 kWh that were there serve the load. At the mean price of 0.10 they are worth the 5 EUR saved."""
    assets = [battery(initial_soc=0.5, final_soc_rule="free"), grid(), load()]
    plan = plan_of(assets, {**prices(0.1, 0), "load.demand_kw": [50]}, [1], without="battery")

    assert plan.saving == pytest.approx(5)
    assert ("Saving, SOC-neutral", "0.00 EUR") in plan.headline()
    assert "With what is left in storage at the mean import price that is 0.00 EUR." in plan.conclusion()


def test_conclusion__no_battery_in_the_words_where_there_is_none():
    """40 kW of a generator at 0.10 and 10 kW of the grid at 0.30 for two hours: 14 EUR, and 40 kg of the generator."""
    plan = plan_of([generator(), grid(), load()], {**prices(0.3, 0), "load.demand_kw": 50}, [1, 1])

    assert plan.conclusion() == (
        "Over 2 h the plan costs 14.00 EUR. generator runs 2 h, with 1 start. It emits 40.0 kg of carbon dioxide."
    )
    assert not any("attery" in text for row in plan.headline() for text in row)


def test_conclusion__what_was_not_served():
    """A load of 150 kW behind 100 kW leaves 50 kWh unserved at 2 EUR/kWh: 10 + 100 EUR."""
    assets = [grid(), load(is_sheddable=True, interruption_cost_per_kwh=2)]
    plan = plan_of(assets, {**prices(0.1), "load.demand_kw": 150}, [1])

    assert "costs 110.00 EUR, of it 100.00 EUR as the worth of what is not served." in plan.conclusion()
    assert plan.conclusion().endswith("Not served are 50.0 kWh of load.")
    assert ("Not served", "50.0 kWh") in plan.headline()


def test_conclusion__a_battery_that_earns_nothing():
    plan = plan_of([battery(), grid(), load()], {**prices(0.1, 0.1), "load.demand_kw": 1}, [1], without="battery")

    assert plan.conclusion().endswith("it would cost the same: here it earns nothing in this horizon.")


def test_conclusion__a_front_tells_what_less_emission_costs():
    """A generator at 0.30 EUR and 0.2 kg against the grid at 0.10 EUR and 0.5 kg: 40 kWh move 12 kg for 8 EUR."""
    assets = [generator(fuel_cost_per_kwh=0.3, co2_emissions_kg_per_kwh=0.2), grid(co2_intensity_kg_per_kwh=0.5)]
    asked = problem([*assets, load()], {**prices(0.1, 0), "load.demand_kw": 50}, [1])
    front = pareto_front(asked, EXACT, 3).results
    plan = DispatchPlan(solve(asked, EXACT), None, None, front)

    assert "Emissions can fall by 12.0 kg at the most, for 8.00 EUR more than the least cost." in plan.conclusion()
    assert plan.pareto()["cost"].tolist() == pytest.approx([5, 9, 13], abs=1e-3)


def test_reasons__first_decisions_of_the_batteries():
    reasons = two_hours().reasons()

    assert reasons["action"].tolist() == ["charge", "discharge"]
    assert len(two_hours().reasons(most=1)) == 1


def test_reasons__empty_without_a_battery():
    plan = plan_of([solar(), grid()], {**prices(0.1), "solar.available_kw": 10}, [1])

    assert plan.reasons().empty


def test_prices__one_more_kwh_and_a_kwh_in_store():
    """In the second hour the load is served from the store, which was filled at 0.10 EUR/kWh."""
    prices_found = two_hours().prices()

    assert prices_found.price_per_kwh.to_numpy()[:, 0] == pytest.approx([0.1, 0.1])
    assert prices_found.stored_value_per_kwh.to_numpy()[1, 0] == pytest.approx(0.1)


def test_violations__are_told_in_the_proof():
    plan = two_hours()
    flows = plan.result.flows.copy(deep=True)
    flows["import_kw"].loc[{"asset": "grid"}] = np.array([500.0, 0.0])
    plan.result.__dict__["flows"] = flows

    assert "imports above 100 kW" in dataclasses.replace(plan).proof()["Replay"]
