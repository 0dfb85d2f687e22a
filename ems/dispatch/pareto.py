"""Pareto front: what less emission, import or peak costs, as schedules of which none is better in both."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from ems.dispatch.formulation.compile import (
    Compiled,
    Measure,
    compile_problem,
    cost_measure,
    emissions_measure,
    import_measure,
)
from ems.dispatch.formulation.declaration import connections_of
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import NEARLY, next_stage, solve
from ems.dispatch.solvers.exactness import solve_exactly
from ems.dispatch.solvers.registry import check_solver
from ems.dispatch.solvers.solution import Solution
from ems.errors import InvalidInput, NoSolution

if TYPE_CHECKING:
    import pandas as pd

Other = Literal["emissions", "import", "peak"]
BONUS = 1e-4
"""What the whole range of the other measure may cost, as a share of the range of cost: it breaks ties, no more."""


@dataclass(frozen=True)
class ParetoFront:
    """Schedules of which none is better in both measures, from the cheapest on.

    Parameters
    ----------
    results : tuple of DispatchResult
        In the order of rising cost.
    points : DataFrame
        A row for each result: ``cost`` and ``emissions_kg``, ``import_kwh`` or ``peak_import_kw``.
    solved : int
        Dispatches that were solved; those that a slack showed to change nothing were left out.
    """

    results: tuple[DispatchResult, ...] = field(repr=False)
    points: pd.DataFrame
    solved: int


@dataclass(frozen=True)
class _Point:
    """A schedule, its two measures, and by how much its cost may lie above the least."""

    solution: Solution
    final: Matrix
    binaries: int
    cost: float
    other: float
    unproven_cost: float


def pareto_front(
    problem: DispatchProblem,
    options: SolverOptions | None = None,
    points: int = 10,
    against: Other = "emissions",
) -> ParetoFront:
    """Return the front of cost against emissions, import or the highest import, by AUGMECON2 [1]_.

    The ends are lexicographic optima: least cost, then the least of the other measure, and the reverse. Between them
    the other measure is held below equally spaced values in turn, and

    cost - bonus * slack,  other + slack == value

    is minimised: the bonus on the slack makes each point efficient, and a slack that spans further values shows that
    these would give the same schedule, so that they are left out. It finds points that no weights would, as with
    decisions. With decisions a point is as good as the gap that the options ask for.

    Parameters
    ----------
    problem : DispatchProblem
        Its goal's objective plays no part.
    options : SolverOptions, optional
    points : int
        Values of the other measure, both ends included; at least 2.
    against : {"emissions", "import", "peak"}

    Raises
    ------
    Infeasible, NoSolution
        As of `solve`.

    References
    ----------
    .. [1] G. Mavrotas and K. Florios, "An improved version of the augmented epsilon-constraint method (AUGMECON2)
       for finding the exact Pareto set in multi-objective integer programming problems," Applied Mathematics and
       Computation, vol. 219, no. 18, 2013, doi:10.1016/j.amc.2013.03.002.
    """
    if points < 2:
        raise InvalidInput("the front", f"points = {points}: must be at least 2, its ends")
    options = options or SolverOptions()
    check_solver(options.solver)
    compiled = _compiled(problem, against)
    cost, other = compiled.measures
    least = _point(compiled, compiled.matrix, options)
    if least is None:
        solve(problem, options)  # tells why there is none
        raise NoSolution(f"no schedule was found within time_limit_s = {options.time_limit_s:g} s; allow more time")
    cheapest = replace(_best_then(compiled, least, cost, other, options), unproven_cost=least.unproven_cost)
    lowest = _point(compiled, _minimising(compiled.matrix, other), options)
    assert lowest is not None, "what can be done at the least cost can be done"
    lowest = _best_then(compiled, lowest, other, cost, options)
    found, solved = [cheapest], 4
    span, rise = cheapest.other - lowest.other, lowest.cost - cheapest.cost
    if span > NEARLY * max(1.0, abs(cheapest.other)):
        step, number = span / (points - 1), 1
        while number < points - 1:
            limit = cheapest.other - number * step
            point = _capped(compiled, limit, BONUS * max(rise, NEARLY) / span, options)
            solved += 1
            if point is None:
                break
            found.append(point)
            number += 1 + math.floor(max(limit - point.other, 0.0) / step + NEARLY)
        found.append(lowest)
    return _front(compiled, _efficient(found), solved)


def _capped(compiled: Compiled, limit: float, bonus: float, options: SolverOptions) -> _Point | None:
    """Return the least cost where the other measure is at most a limit, less a bonus for staying below."""
    other = compiled.measures[1]
    matrix = compiled.matrix.with_columns(("front", "slack", [0]), cost=-bonus)
    at = np.append(np.flatnonzero(other.vector), matrix.columns - 1)
    values = np.append(other.vector[at[:-1]], 1.0)
    reached = limit - other.offset
    matrix = matrix.with_rows(
        ("front", "capped", [0]), (np.zeros(len(at), dtype=int), at, values), lower=reached, upper=reached
    )
    return _point(compiled, matrix, options)


def _best_then(compiled: Compiled, point: _Point, done: Measure, measure: Measure, options: SolverOptions) -> _Point:
    """Return the point that is best in a further measure and as good in the first.

    The first measure stays in the objective beside its limit, where it can fall no further, so that convex costs in
    it are kept exact.
    """
    assert point.solution.x is not None
    size, size_of_done = (max(float(np.abs(one.vector).max(initial=0.0)), 1e-30) for one in (measure, done))
    weight = size / size_of_done if done.vector.any() else 0.0
    both = Measure(measure.name, measure.vector + weight * done.vector, measure.offset + weight * done.offset)
    matrix = next_stage(compiled.matrix, done, done.of(point.solution.x), both)
    return _point(compiled, matrix, options) or point


def _compiled(problem: DispatchProblem, against: Other) -> Compiled:
    """Return a dispatch that minimises cost, and the other measure beside it."""
    compiled = compile_problem(problem)
    formulation, columns = compiled.formulation, compiled.matrix.columns
    matrix = compiled.matrix
    if against == "peak":
        matrix, other = _with_peak(compiled)
        columns = matrix.columns
    elif against == "import":
        other = import_measure(problem, formulation, columns)
    else:
        other = emissions_measure(problem, formulation, columns)
    cost = cost_measure(problem, formulation, columns)
    return replace(compiled, matrix=_minimising(matrix, cost), measures=(cost, other))


def _with_peak(compiled: Compiled) -> tuple[Matrix, Measure]:
    """Return the matrix with a column for the highest import of all connections together."""
    matrix = compiled.matrix.with_columns(("front", "peak_import_kw", ["peak"]))
    peak = matrix.columns - 1
    vector = np.zeros(matrix.columns)
    vector[peak] = 1.0
    imports = [matrix.variable(one.id, "import_kw").at for one in connections_of(compiled.problem)]
    keys = compiled.problem.horizon.steps
    steps = np.arange(len(keys))
    rows = np.concatenate([*(steps for _ in imports), steps])
    columns = np.concatenate([*imports, np.full(len(keys), peak)])
    values = np.concatenate([*(np.ones(len(keys)) for _ in imports), -np.ones(len(keys))])
    matrix = matrix.with_rows(("front", "peak_import", keys), (rows, columns, values), upper=0.0)
    return matrix, Measure("peak_import_kw", vector)


def _minimising(matrix: Matrix, measure: Measure) -> Matrix:
    cost = np.zeros(matrix.columns)
    cost[: len(measure.vector)] = measure.vector
    return replace(matrix, cost=cost, offset=measure.offset)


def _point(compiled: Compiled, matrix: Matrix, options: SolverOptions) -> _Point | None:
    """Return the solution of a matrix as a point, or None where there is none."""
    solution, final, binaries = solve_exactly(matrix, options)
    if solution.x is None:
        return None
    cost, other = compiled.measures
    # The columns of cost have one weight in any objective here; what is open of that is open of cost.
    of_cost = np.flatnonzero(cost.vector)
    weight = float(np.max(np.abs(matrix.cost[of_cost]) / np.abs(cost.vector[of_cost]), initial=0.0)) or 1.0
    unproven = max(solution.objective - solution.bound, 0.0) / weight
    return _Point(solution, final, binaries, cost.of(solution.x), other.of(solution.x), unproven)


def _efficient(points: list[_Point]) -> list[_Point]:
    """Return the points that no other one matches in one measure and beats in the other, by rising cost."""
    kept: list[_Point] = []
    for point in sorted(points, key=lambda one: (one.cost, one.other)):
        if not kept or point.other < kept[-1].other - NEARLY * max(1.0, abs(point.other)):
            kept.append(point)
    return kept


def _front(compiled: Compiled, points: list[_Point], solved: int) -> ParetoFront:
    import pandas as pd

    cost, other = compiled.measures
    frame = pd.DataFrame({cost.name: [one.cost for one in points], other.name: [one.other for one in points]})
    results = tuple(
        DispatchResult(
            compiled,
            replace(one.solution, objective=one.cost, bound=one.cost - one.unproven_cost),
            one.final,
            one.binaries,
        )
        for one in points
    )
    return ParetoFront(results, frame, solved)
