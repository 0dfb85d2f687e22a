"""The Pyomo model says the same as the matrix that HiGHS gets, and takes what people add to it."""

from __future__ import annotations

import pytest
from builders import battery, generator, grid, load, prices, problem
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from random_problems import dispatches

from ems.dispatch.goal import Goal
from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
from ems.dispatch.solve import solve
from ems.errors import Infeasible, InvalidInput

EXACT = SolverOptions(mip_gap=0)


@settings(
    max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(dispatches(largest_steps=8))
def test_build_model__has_the_optimum_of_the_matrix(asked):
    """One declaration, read twice."""
    straight = solve(asked, EXACT)
    through_pyomo = solve(asked, EXACT, model=build_model(asked))
    scale = max(1.0, abs(straight.costs["cost"]).sum())
    assert abs(through_pyomo.total_cost - straight.total_cost) <= 1e-6 * scale
    assert through_pyomo.solution.objective == pytest.approx(through_pyomo.total_cost, abs=1e-6 * scale)


def test_build_model__constraint_of_ones_own():
    """Two hours at 0.10 and 0.50: 50 of the battery's 100 kWh are sold, as charging is forbidden: 25 EUR."""
    from pyomo.core import Constraint

    values = {**prices([0.1, 0.5]), "load.demand_kw": 0}
    asked = problem([battery(final_soc_rule="free"), grid(), load()], values, [1, 1])
    model = build_model(asked)
    model.no_charging = Constraint(model.steps, rule=lambda model, t: model.unit["battery"].charge_kw[t] == 0)
    assert solve(asked, model=model).total_cost == pytest.approx(-25)
    assert solve(asked).total_cost < -25


def test_build_model__constraint_that_cannot_hold():
    from pyomo.core import Constraint

    asked = problem([battery(), grid(), load()], {**prices([0.1, 0.5]), "load.demand_kw": 200}, [1, 1])
    model = build_model(asked)
    model.nothing = Constraint(expr=model.unit["grid"].import_kw[0] <= 0)
    with pytest.raises(Infeasible):
        solve(asked, model=model)


def test_build_model__fixed_variable():
    """The generator at 0.10 would serve 30 kW; fixed at 10 kW, 20 kW come from the grid at 0.30: 7 EUR an hour."""
    asked = problem([generator(), grid(), load()], {**prices(0.3, 0.0), "load.demand_kw": 30}, [1])
    model = build_model(asked)
    model.unit["generator"].output_kw[0].fix(10)
    result = solve(asked, model=model)
    assert result.total_cost == pytest.approx(7)
    assert result.flows.output_kw.sel(asset="generator").item() == pytest.approx(10)


def test_solve__model_of_something_else():
    from pyomo.core import ConcreteModel

    asked = problem([grid(), load()], {**prices(0.1), "load.demand_kw": 1})
    with pytest.raises(InvalidInput, match="build_model"):
        solve(asked, model=ConcreteModel())


def test_build_model__goal_that_is_not_cost():
    goal = Goal(objective="emissions")
    asked = problem([grid(), load()], {**prices(0.1), "load.demand_kw": 1}, goal=goal)
    with pytest.raises(InvalidInput, match="emissions"):
        build_model(asked)
