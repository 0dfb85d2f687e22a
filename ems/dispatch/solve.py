"""solve: problem in, result out."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.dispatch.formulation.compile import Compiled, Measure, compile_problem
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solvers.exactness import solve_exactly
from ems.dispatch.solvers.registry import check_solver
from ems.dispatch.solvers.solution import Solution
from ems.errors import Infeasible, InvalidInput, NoSolution

if TYPE_CHECKING:
    import xarray as xr

NEARLY = 1e-7
"""Share of a measure that a later one may cost: above a solver's tolerance, below what anybody sees."""


def solve(
    problem: DispatchProblem,
    options: SolverOptions | None = None,
    model: Any = None,
    previous: xr.Dataset | None = None,
) -> DispatchResult:
    """Return the best schedule that keeps all limits.

    Parameters
    ----------
    problem : DispatchProblem
    options : SolverOptions, optional
    model : ConcreteModel, optional
        A model from `build_model` to which constraints of one's own were added; else the problem itself is solved.
    previous : Dataset (time, asset), optional
        Flows of a plan that was told before; among plans of equal cost the one nearest to it is chosen.

    Raises
    ------
    Infeasible
        If no schedule keeps all limits; names what contradicts, and what would do.
    NoSolution
        If the solver stopped before it had a schedule.
    """
    options = options or SolverOptions()
    check_solver(options.solver)
    compiled = compile_problem(problem) if model is None else _compile_model(problem, model)
    if options.solver == "dp":
        solution, final, binaries = _solve_by_programme(compiled, model), compiled.matrix, 0
        options = options.replace(solver="highs")  # for an explanation, and for the choice among equal plans
    else:
        solution, final, binaries = solve_exactly(compiled.matrix, options)
    if solution.status == "infeasible":
        from ems.dispatch.explanation.infeasibility import explain_infeasibility

        raise Infeasible(explain_infeasibility(compiled, options))
    if solution.status == "unbounded":
        raise NoSolution("the cost falls without end: a limit or a price is missing")
    if solution.status == "no_solution":
        raise NoSolution(
            f"{options.solver} found no schedule within time_limit_s = {options.time_limit_s:g} s; allow more time"
        )
    stage = compiled.matrix
    for done, measure in itertools.pairwise(compiled.measures):
        assert solution.x is not None, "a solution without values was refused above"
        stage = next_stage(stage, done, done.of(solution.x), measure)
        solution, final, more = _refine(compiled, stage, final, solution, options)
        binaries += more
    if options.choose_plan:
        from ems.dispatch.plan_choice import choose_plan

        solution = choose_plan(compiled, final, solution, options, previous)
    return DispatchResult(compiled, solution, final, binaries)


def _solve_by_programme(compiled: Compiled, model: Any) -> Solution:
    """Return the solution of the exact dynamic programme for one storage behind one connection.

    Raises
    ------
    InvalidInput
        If the dispatch is no such one, or has constraints of somebody's own; says what does not fit.
    """
    from ems.dispatch.storage.storage_programme import storage_programme

    if model is not None:
        raise InvalidInput("solver = 'dp'", "knows nothing of constraints of your own; use solver = 'highs'")
    begin = time.perf_counter()
    schedule = storage_programme(compiled.problem)
    seconds = time.perf_counter() - begin
    matrix = compiled.matrix
    x = np.clip(0.0, matrix.lower, matrix.upper)
    if schedule is not None:
        for (owner, name), values in schedule.values.items():
            x[matrix.variable(owner, name).at] = values
    return Solution(
        status="infeasible" if schedule is None else "optimal",
        objective=math.nan if schedule is None else schedule.objective,
        bound=math.nan if schedule is None else schedule.objective,
        x=None if schedule is None else x,
        seconds=seconds,
        solver="exact dynamic programme",
        variables=matrix.columns,
        constraints=matrix.rows,
        integers=0,
    )


def _compile_model(problem: DispatchProblem, model: Any) -> Compiled:
    from ems.dispatch.formulation.pyomo_matrix import compile_model

    return compile_model(problem, model)


def _refine(
    compiled: Compiled, stage: Matrix, final: Matrix, solution: Solution, options: SolverOptions
) -> tuple[Solution, Matrix, int]:
    """Return the solution that is best in a further measure among those that are as good in the ones before.

    Decisions are open again; what a decision may give up of the earlier measure is the gap that it was searched with.
    """
    refined, last, binaries = solve_exactly(stage, options)
    if refined.x is None:
        return solution, final, 0
    # The proof stays that of what the goal minimises first.
    kept = replace(
        refined,
        objective=compiled.measures[0].of(refined.x),
        bound=solution.bound,
        status=solution.status if refined.status == "optimal" else refined.status,
        seconds=solution.seconds + refined.seconds,
    )
    return kept, last, binaries


def next_stage(matrix: Matrix, done: Measure, reached: float, measure: Measure) -> Matrix:
    """Return the matrix that minimises a measure and keeps what was reached of another.

    Parameters
    ----------
    matrix : Matrix
        The stage before, with its own limits on measures.
    done : Measure
    reached : float
        Value of ``done`` that may not be exceeded, but for `NEARLY`.
    measure : Measure
    """
    at = np.flatnonzero(done.vector)
    limit = reached - done.offset + NEARLY * max(1.0, abs(reached))
    matrix = matrix.with_rows(
        ("goal", f"{done.name}_reached", [0]), (np.zeros(len(at), dtype=int), at, done.vector[at]), upper=limit
    )
    cost = np.zeros(matrix.columns)
    cost[: len(measure.vector)] = measure.vector
    return replace(matrix, cost=cost, offset=measure.offset)
