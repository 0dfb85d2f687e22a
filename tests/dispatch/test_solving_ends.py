"""How solving ends when it does not end well: infeasible, unknown solver, out of time; and what a result proves."""

from __future__ import annotations

import datetime as dt
import math

import highspy
import numpy as np
import pytest
from builders import battery, charger, generator, grid, load, prices, problem, session, solar
from pyomo.core import Constraint

from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
from ems.dispatch.solve import solve
from ems.dispatch.solvers.registry import SOLVERS, list_solvers
from ems.errors import Infeasible, InvalidInput, NoSolution, SolverUnavailable, UnknownName

EVENING = dt.datetime(2024, 6, 1, 16, tzinfo=dt.UTC)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_solve__infeasible_names_time_sources_and_shortfall(solver):
    """620 kW at 17:00 against 500 kW of grid and 80 kW of battery: 40 kW are missing."""
    assets = [
        grid(max_import_kw=500),
        battery(capacity_kwh=1000, max_discharge_kw=80),
        load(),
    ]
    asked = problem(assets, {**prices(0.3), "load.demand_kw": [100, 620, 100]}, [1, 1, 1], start=EVENING)
    message = (
        r"dispatch of 'site' is infeasible at 2024-06-01 17:00 UTC \(17:00 local time\): demand 620 kW, available at "
        r"most 580 kW \(grid 500, battery 80\); it is short of 40 kW then, and of 40 kWh in 1 steps"
    )
    with pytest.raises(Infeasible, match=message):
        solve(asked, SolverOptions(solver=solver))


def test_solve__infeasible_local_time_of_the_site():
    asked = problem(
        [grid(max_import_kw=5), load()],
        {**prices(0.3), "load.demand_kw": 6},
        start=EVENING,
        sites=[{"id": "site", "timezone": "Asia/Kolkata"}],
    )
    with pytest.raises(Infeasible, match=r"2024-06-01 16:00 UTC \(21:30 local time\): .* short of 1 kW"):
        solve(asked)


def test_solve__infeasible_at_the_second_of_two_sites():
    """The site without a source is named, not the one which is well."""
    assets = [grid(site_id="quay"), load(id="l1", site_id="quay"), load(id="l2", site_id="pier")]
    asked = problem(assets, {**prices(0.3), "l1.demand_kw": 1, "l2.demand_kw": [0, 2]}, [1, 1])
    message = r"dispatch of 'pier' is infeasible at 2024-06-03 01:00 UTC .* \(no source\); it is short of 2 kW"
    with pytest.raises(Infeasible, match=message):
        solve(asked)


def test_solve__infeasible_surplus_that_must_be_used():
    """Of 30 kW that cannot be curtailed, 10 are used and 5 sold: 15 kW are left."""
    assets = [grid(max_export_kw=5), load(), solar(is_curtailable=False)]
    asked = problem(assets, {**prices(0.3), "load.demand_kw": 10, "solar.available_kw": 30}, [0.5])
    with pytest.raises(Infeasible, match=r"it is left with 15 kW then, and of 7\.5 kWh in 1 steps"):
        solve(asked)


def test_solve__infeasible_by_the_energy_of_a_battery():
    """90 kW are less than grid and battery give, but two hours of 40 kW are more than the 50 kWh in store.

    10 kW are short in one hour, or less in each of the two, 10 kWh in all.
    """
    assets = [grid(max_import_kw=50), battery(final_soc_rule="free"), load()]
    asked = problem(assets, {**prices(0.3), "load.demand_kw": [90, 80]}, [1, 1])
    with pytest.raises(Infeasible, match=r"and of 20 kWh in [12] steps"):
        solve(asked)


def test_solve__infeasible_within_one_asset():
    """A battery of 10 kW cannot rise from 0 to 50 kWh in an hour, whatever the grid gives."""
    unit = battery(initial_soc=0, target_soc=0.5, max_charge_kw=10)
    with pytest.raises(
        Infeasible, match="is infeasible whatever the grid gives: the limits of single assets contradict"
    ):
        solve(problem([unit, grid()], prices(0.1)))


def test_solve__infeasible_vehicle():
    """A vehicle that must get 10 kW behind a grid of 4 kW."""
    assets = [grid(max_import_kw=4), charger(charge_efficiency=1, sessions=[session(0, 1, 10)])]
    with pytest.raises(Infeasible, match="it is short of 6 kW then"):
        solve(problem(assets, prices(0.1)))


def test_solve__unknown_solver():
    with pytest.raises(UnknownName, match=r"solver 'higs': did you mean highs\?; available are highs"):
        solve(problem([grid()], prices(0.1)), SolverOptions(solver="higs"))
    message = "solver 'xyz': known are cbc, cplex, dp, glpk, gurobi, highs; available are"
    with pytest.raises(UnknownName, match=message):
        solve(problem([grid()], prices(0.1)), SolverOptions(solver="xyz"))


def test_solve__solver_is_not_there(monkeypatch, tmp_path):
    """With an empty path there is no program; another solver must not step in."""
    monkeypatch.setenv("PATH", str(tmp_path))
    message = r"solver 'glpk': is not on this machine: .*apt install glpk-utils; available are highs, dp, cbc"
    with pytest.raises(SolverUnavailable, match=message):
        solve(problem([grid()], prices(0.1)), SolverOptions(solver="glpk"))


def test_list_solvers__tells_what_is_there(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    listed = {one.name: one for one in list_solvers()}
    assert tuple(listed) == SOLVERS
    assert (listed["highs"].is_available, listed["cbc"].is_available) == (True, True)
    assert listed["highs"].version.startswith("1.")
    assert listed["cbc"].version.startswith("2.")
    assert listed["gurobi"].is_available is False
    assert "licence" in listed["gurobi"].place


def test_solve__program_that_fails(monkeypatch, tmp_path):
    """A program of the solver's name that is none."""
    program = tmp_path / "glpsol"
    program.write_text("#!/bin/sh\necho broken licence >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(NoSolution, match="glpk failed: "):
        solve(problem([grid(), load()], {**prices(0.1), "load.demand_kw": 1}), SolverOptions(solver="glpk"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"time_limit_s": 0}, "time_limit_s = 0 s: must be greater than 0 s"),
        ({"mip_gap": 2}, "mip_gap = 2: must be at most 1"),
        ({"threads": 0}, "threads = 0: must be at least 1"),
        ({"gap": 0.1}, r"gap: no such field; did you mean mip_gap\?"),
    ],
)
def test_solver_options__message_names_field_and_bound(fields, message):
    with pytest.raises(InvalidInput, match=message):
        SolverOptions(**fields)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_solve__linear_optimum_is_its_own_bound(solver, options):
    result = solve(problem([battery(), grid()], prices([0.1, 0.5]), [1, 1]), options(solver))
    assert (result.status, result.gap) == ("optimal", 0)
    assert result.bound == result.solution.objective == pytest.approx(result.total_cost, abs=1e-6)
    assert solver in result.solution.solver.lower()
    assert result.solution.seconds > 0


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_solve__decisions_have_a_bound(solver, options):
    """11 EUR, of 6 EUR for fuel and one start; no lower bound may lie above it."""
    assets = [grid(max_export_kw=0), load(), generator(min_output_kw=20, startup_cost=5)]
    result = solve(problem(assets, {**prices(0.3), "load.demand_kw": 30}, [1, 1]), options(solver))
    assert result.status == "optimal"
    assert result.bound == pytest.approx(11, abs=1e-5)
    assert result.gap <= 1e-6
    assert result.solution.integers == 2


def hard_problem():
    """Thirty generators of odd sizes that run fully or not at all, each step another sum to be met: no quick proof."""
    rng = np.random.default_rng(7)
    sizes = rng.integers(1_000, 5_000, 30)
    assets = [
        generator(
            id=f"g{i}",
            max_output_kw=int(size),
            min_output_kw=int(size),
            fuel_cost_per_kwh=round(float(rng.uniform(0.1, 0.2)), 4),
            startup_cost=int(rng.integers(50, 400)),
        )
        for i, size in enumerate(sizes)
    ]
    demand = rng.integers(sizes.sum() // 4, 3 * sizes.sum() // 4, 12).astype(float)
    sink = load(is_sheddable=True, interruption_cost_per_kwh=5)
    return problem([*assets, sink], {"load.demand_kw": demand.tolist()}, [1] * 12)


def test_solve__time_limit_before_the_first_schedule(options):
    """CBC stopped after 2 s hands over a relaxed answer in which generators are half on; that is no schedule."""
    with pytest.raises(NoSolution, match="cbc found no schedule within time_limit_s = 2 s; allow more time"):
        solve(hard_problem(), options("cbc", time_limit_s=2))


def test_solve__time_limit_leaves_a_feasible_schedule_with_its_gap(options):
    """Within 2 s there is a schedule, but no proof: its cost lies above the bound, and it is not called optimal."""
    result = solve(hard_problem(), options("highs", time_limit_s=2))
    assert result.status == "feasible"
    assert result.bound < result.total_cost
    assert result.gap == pytest.approx((result.total_cost - result.bound) / result.total_cost, rel=1e-6)
    assert result.gap > 0


def test_solve__no_time_at_all(options):
    with pytest.raises(NoSolution, match="highs found no schedule within time_limit_s = 1e-09 s; allow more time"):
        solve(hard_problem(), options(time_limit_s=1e-9))


def test_solve__cost_falls_without_end():
    """A model of one's own from which a limit was taken: exporting at 0.10 EUR/kWh from nowhere."""
    asked = problem([grid()], prices(0.1))
    model = build_model(asked)
    unit = model.unit["grid"]
    model.site["site"].power_balance.deactivate()
    unit.export_kw.setub(None)
    model.anything = Constraint(expr=unit.export_kw[0] >= unit.import_kw[0])
    with pytest.raises(NoSolution, match="the cost falls without end: a limit or a price is missing"):
        solve(asked, model=model)


def test_solve__numbers_that_highs_refuses():
    """HiGHS takes no coefficient from 1e15 upwards, and would go on with an empty model."""
    asked = problem([generator(quadratic_cost_per_kw2h=1e15), grid(), load()], {**prices(0.1), "load.demand_kw": 5})
    with pytest.raises(NoSolution, match=r"HiGHS refuses numbers as far apart as these, the largest is 8e\+16"):
        solve(asked)


def test_solve__after_others_have_used_highs(options):
    """HiGHS keeps the threads of the first solve of a process, and refused any other number with no schedule."""
    first = highspy.Highs()
    first.setOptionValue("output_flag", False)
    first.run()
    asked = problem([battery(initial_soc=0), grid()], prices([0.1, 0.5]), [1, 1])
    costs = [solve(asked, options(threads=threads)).total_cost for threads in (2, 1, 2)]
    assert costs == pytest.approx([-40] * 3, abs=1e-5)


def test_solve__costless_problem():
    """Sun for a load: nothing has a price, and any schedule is optimal at 0."""
    result = solve(problem([solar(), load()], {"solar.available_kw": 5, "load.demand_kw": 5}))
    assert (result.status, result.total_cost, result.gap) == ("optimal", 0, 0)
    assert not math.isnan(result.bound)
