"""What a study keeps of a dispatch: its goal, costs of all owners, figures, and what happens at buses."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from builders import generator, grid, load, prices, problem, solar

from ems.assets.portfolio import Site
from ems.assets.reserve import ReserveRequirement
from ems.database.job_performance import asset_as_used
from ems.database.optimizations import (
    assets_of,
    jobs_of,
    read_costs,
    read_reserve_results,
    read_results,
    read_site_results,
)
from ems.database.records import Run
from ems.database.runs import open_run, start_run
from ems.dispatch.goal import Goal
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solve import solve
from ems.errors import Infeasible
from ems.studies.dispatch_plan import DispatchPlan
from ems.studies.study_run import StudyRun
from ems.tariffs.demand_charge import DemandCharge


@pytest.fixture
def run(engine: sa.Engine) -> StudyRun:
    open_run(engine, Run(id="r1", study="dispatch", case_name="demo", title="Demo"))
    start_run(engine, "r1")
    return StudyRun(engine, "r1", is_own=False)


def tight_site(goal: Goal | None = None) -> DispatchProblem:
    """First the connection of 10 kW cannot serve 15 kW, then it cannot export all of 20 kW; a generator stands by."""
    return problem(
        [
            grid(max_import_kw=10, max_export_kw=10, co2_intensity_kg_per_kwh=0.4),
            load(),
            solar(is_curtailable=False),
            generator(max_output_kw=8, fuel_cost_per_kwh=3),
        ],
        {**prices(0.1, 0), "load.demand_kw": [15, 0], "solar.available_kw": [0, 20]},
        steps_h=(1, 1),
        goal=goal,
        sites=(Site(id="site", timezone="UTC", spill_cost_per_kwh=0.01, unserved_cost_per_kwh=2),),
        reserves=(ReserveRequirement(id="ready", requirement_kw=0, price_per_kw_h=0.02, providers=("generator",)),),
    )


def test_store__costs_of_sites_and_reserves_and_what_happens_at_the_bus(run: StudyRun) -> None:
    """10 kWh bought at 0.10, 5 lacking at 2.00, 10 thrown away at 0.01; 8 kW ready for 2 h earn 0.32."""
    run.store(DispatchPlan(solve(tight_site()), None, "battery"), with_prices=True)

    costs = read_costs(run.engine, "r1-plan")
    found = {(row.owner_kind, row.owner_id, row.cost_type): row.cost for row in costs.itertuples() if row.cost}
    assert found == pytest.approx(
        {
            ("asset", "grid", "import_cost"): 1.0,
            ("site", "site", "unserved_cost"): 10.0,
            ("site", "site", "spill_cost"): 0.1,
            ("reserve", "ready", "reserve_revenue"): -0.32,
        }
    )
    bus = read_site_results(run.engine, "r1-plan")
    assert bus.missing_kw.tolist() == pytest.approx([5, 0])
    assert bus.spilled_kw.tolist() == pytest.approx([0, 10])
    assert bus.price_per_kwh.tolist() == pytest.approx([2, -0.01])
    assert read_reserve_results(run.engine, "r1-plan").offered_kw.tolist() == pytest.approx([8, 8])
    injected_kw = read_results(run.engine, "r1-plan").groupby("time").injection_kw.sum().tolist()
    assert injected_kw == pytest.approx([-5, 10])


def test_store__goal_and_figures(run: StudyRun) -> None:
    """Importing 10 kWh of 0.4 kg emits 4 kg, and 10 kW is the highest import."""
    goal = Goal(objective="weighted", emissions_price_per_kg=0.05)
    result = solve(tight_site(goal))
    run.store(DispatchPlan(result, None, "battery"))

    (job,) = jobs_of(run.engine, "r1")
    assert (job.optimization_type, job.objective) == ("battery_dispatch", "weighted")
    assert Goal(**job.goal) == goal
    assert job.emissions_kg == pytest.approx(4)
    assert job.kpis["peak_import_kw"] == pytest.approx(10)
    assert job.kpis["generator/starts"] == 0
    assert (job.objective_value, job.bound) == pytest.approx((result.solution.objective, result.bound))
    assert read_site_results(run.engine, "r1-plan").price_per_kwh.isna().all()


def test_store__spec_is_the_asset_that_was_used(run: StudyRun) -> None:
    """A charge whose window a series tells says nothing of the calendar, whose fields hold defaults."""
    charge = DemandCharge(name="peak", rate_per_kw=5, window_series="is_peak", period="horizon")
    values = {**prices(0.1), "load.demand_kw": 15, "grid.is_peak": 1}
    asked = problem([grid(demand_charges=(charge,)), load()], values)
    run.store(DispatchPlan(solve(asked), None, "battery"))
    used = {one.asset_id: asset_as_used(one) for one in assets_of(run.engine, "r1-plan")}
    assert used == {asset.id: asset for asset in asked.assets}


def test_store_failed_job__keeps_what_was_asked(run: StudyRun) -> None:
    asked = problem(
        [grid(max_import_kw=10), load()],
        {**prices(0.1), "load.demand_kw": 15},
        goal=Goal(optimization_type="peak_shaving"),
    )
    with pytest.raises(Infeasible) as caught:
        solve(asked)
    run.store_failed_job(asked, SolverOptions(), caught.value)
    (job,) = jobs_of(run.engine, "r1")
    assert (job.status, job.optimization_type, job.objective) == ("infeasible", "peak_shaving", "peak")
    assert "load" in job.error or "demand" in job.error
