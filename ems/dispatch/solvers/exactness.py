"""Exact answers from relaxed ones: decisions and tangents are added only where the answer needs them.

One direction at a time: where the relaxed answer uses both of two exclusive variables in a step, a binary is added to
that step and the matrix is solved again, until no step is left. Convex costs: where the answer's cost lies below the
function, a tangent is added at that point. Each round solves a relaxation of the true problem, so the last answer,
which breaks nothing, is optimal for it: a certificate without a binary in every step.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ems.dispatch.formulation.matrix import ConvexCost, Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.solvers.registry import solve_matrix
from ems.dispatch.solvers.solution import Solution
from ems.errors import NoSolution

TOLERANCE_KW = 1e-6
"""A solver's own tolerance leaves smaller powers in both directions."""
NEAR_CURVE = 1e-11
"""Distance of a convex cost from its function, as a share of the objective, that is none."""
MOST_ROUNDS = 60
MOST_NETTINGS = 5
LEAST_S = 0.01
"""Time of a solve that begins when there is none left."""
LARGE_KW = 1e5
"""A bound above this may stand for none at all; then the rows say what can be reached."""


def solve_exactly(matrix: Matrix, options: SolverOptions, until: float | None = None) -> tuple[Solution, Matrix, int]:
    """Return the solution that breaks no exclusion and meets every convex cost, and how it was reached.

    Parameters
    ----------
    matrix : Matrix
    options : SolverOptions
        Their time limit is that of each solve.
    until : float, optional
        Moment of the performance counter at which the last solve is stopped.

    Returns
    -------
    solution : Solution
        With decisions, its values are those of the linear programme in which they are fixed, so that they are exact
        and have prices; its bound is that of the search.
    final : Matrix
        What was solved last, with decisions fixed where there are any: it has the columns of ``matrix`` first.
    binaries : int
        Decisions that were added.
    """
    added: set[tuple[int, int]] = set()
    seconds = 0.0
    for _ in range(MOST_ROUNDS):
        solution = solve_matrix(matrix, _stopped_at(until, options))
        seconds += solution.seconds
        if solution.x is None:
            return replace(solution, seconds=seconds), matrix, len(added)
        x = netted(matrix, solution.x)
        solution = replace(solution, x=x)
        broken = _broken_pairs(matrix, x, added)
        error = curve_error(matrix, x)
        # With decisions to search for, tangents only have to be good to within a part of the gap.
        near = NEAR_CURVE if not matrix.is_integer.any() else max(NEAR_CURVE, options.mip_gap / 20)
        if len(broken) == 0 and error <= near * max(1.0, abs(solution.objective)):
            break
        if len(broken):
            matrix = _with_directions(matrix, broken)
            added |= {(int(one), int(other)) for one, other in broken}
        if error > 0:
            matrix = _with_tangents(matrix, x)
    final, exact = matrix, solution
    if matrix.is_integer.any() and solution.x is not None:
        final, exact, more = _with_decisions_fixed(matrix, solution, options, until)
        seconds += more
    if exact.x is not None:
        exact = replace(exact, x=on_curves(final, exact.x))
    bound = min(solution.bound, exact.objective) if np.isfinite(solution.bound) else solution.bound
    return (
        replace(exact, status=solution.status, bound=bound, seconds=seconds, integers=solution.integers),
        final,
        len(added),
    )


def _stopped_at(until: float | None, options: SolverOptions) -> SolverOptions:
    """Return the options of a solve that ends at a moment."""
    if until is None:
        return options
    return options.replace(time_limit_s=max(min(options.time_limit_s, until - time.perf_counter()), LEAST_S))


def _with_decisions_fixed(
    matrix: Matrix, solution: Solution, options: SolverOptions, until: float | None
) -> tuple[Matrix, Solution, float]:
    """Return the linear programme that is left when decisions are fixed, and its solution."""
    assert solution.x is not None
    # Another corner of the same cost may use both directions of a pair that the search left without a decision.
    final = with_directions_closed(matrix.fixed_at(solution.x, matrix.is_integer), solution.x)
    seconds = 0.0
    for _ in range(MOST_ROUNDS):
        exact = solve_matrix(final, _stopped_at(until, options))
        seconds += exact.seconds
        if exact.x is None:
            # Whole numbers that a solver met only to within its tolerance may leave no room at all.
            return matrix, solution, seconds
        x = netted(final, exact.x)
        exact = replace(exact, x=x)
        broken = len(_broken_pairs(final, x, set())) > 0
        error = curve_error(final, x)
        if not broken and error <= NEAR_CURVE * max(1.0, abs(exact.objective)):
            break
        if broken:
            final = with_directions_closed(final, x)
        if error > 0:
            final = _with_tangents(final, x)
    return final, exact, seconds


def with_directions_closed(matrix: Matrix, x: np.ndarray) -> Matrix:
    """Return the matrix in which of each pair that is in use only the greater may be used; idle pairs stay open."""
    upper = matrix.upper.copy()
    for exclusion in matrix.exclusions:
        forward = x[exclusion.one] >= x[exclusion.other]
        in_use = np.maximum(x[exclusion.one], x[exclusion.other]) > TOLERANCE_KW
        unused = np.where(forward, exclusion.other, exclusion.one)[in_use]
        upper[unused] = np.maximum(matrix.lower[unused], 0.0)
    return replace(matrix, upper=upper)


def netted(matrix: Matrix, x: np.ndarray) -> np.ndarray:
    """Return a solution without power that only goes in a circle, as far as that breaks nothing and costs nothing.

    Where a kWh is sold for what it is bought for, import and export at once cost nothing, and a solver leaves any
    amount of both. The lesser of the two is taken off both; what this would break or make dearer stays as it is.
    """
    pairs = [(one.one, one.other) for one in matrix.exclusions]
    if not pairs:
        return x
    one, other = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
    circling = np.minimum(x[one], x[other]) - np.maximum(matrix.lower[one], matrix.lower[other]).clip(min=0.0)
    may = (circling > TOLERANCE_KW) & (matrix.cost[one] + matrix.cost[other] >= -1e-12)
    for _ in range(MOST_NETTINGS):
        if not may.any():
            return x
        net = x.copy()
        net[one[may]] -= circling[may]
        net[other[may]] -= circling[may]
        activity = matrix.coefficients @ net
        size = TOLERANCE_KW * (1 + np.abs(activity))
        is_broken = (activity < matrix.row_lower - size) | (activity > matrix.row_upper + size)
        if not is_broken.any():
            return net
        touched = np.zeros(matrix.columns, dtype=bool)
        touched[matrix.coefficients[np.flatnonzero(is_broken)].indices] = True
        may &= ~(touched[one] | touched[other])
    return x


def _broken_pairs(matrix: Matrix, x: np.ndarray, known: set[tuple[int, int]]) -> np.ndarray:
    """Return pairs of columns that are both above zero and have no decision yet, shape (pairs, 2)."""
    found = []
    for exclusion in matrix.exclusions:
        both = np.minimum(x[exclusion.one], x[exclusion.other]) > TOLERANCE_KW
        pairs = np.column_stack([exclusion.one[both], exclusion.other[both]])
        found += [pair for pair in pairs if (int(pair[0]), int(pair[1])) not in known]
    return np.array(found, dtype=int).reshape(-1, 2)


def _with_directions(matrix: Matrix, pairs: np.ndarray) -> Matrix:
    """Return the matrix with a decision for each pair; what the columns can reach is the smallest valid big-M."""
    keys = [(int(one), int(other)) for one, other in pairs]
    count = len(keys)
    matrix = matrix.with_columns(("directions", "is_forward", keys), upper=1.0, is_integer=True)
    forward = np.arange(matrix.columns - count, matrix.columns)
    one, other = pairs[:, 0], pairs[:, 1]
    rows = np.arange(count)
    upper_one, upper_other = (_reachable(matrix, columns) for columns in (one, other))
    matrix = matrix.with_rows(
        ("directions", "forward", keys),
        (np.r_[rows, rows], np.r_[one, forward], np.r_[np.ones(count), -upper_one]),
        upper=0.0,
    )
    return matrix.with_rows(
        ("directions", "backward", keys),
        (np.r_[rows, rows], np.r_[other, forward], np.r_[np.ones(count), upper_other]),
        upper=upper_other,
    )


def _reachable(matrix: Matrix, columns: np.ndarray) -> np.ndarray:
    """Return the greatest value that each of some columns can take: its bound, or what its rows leave it.

    A connection without a limit of its own has one by what its site can draw and give.

    Raises
    ------
    NoSolution
        If a column has no greatest value.
    """
    reachable: np.ndarray = matrix.upper[columns].copy()
    by_column = matrix.coefficients.tocsc() if np.any(reachable > LARGE_KW) else None
    for place in np.flatnonzero(reachable > LARGE_KW):
        assert by_column is not None, "asked for where it is needed"
        span = slice(by_column.indptr[columns[place]], by_column.indptr[columns[place] + 1])
        for row, value in zip(by_column.indices[span], by_column.data[span], strict=True):
            inside = slice(matrix.coefficients.indptr[row], matrix.coefficients.indptr[row + 1])
            at, others = matrix.coefficients.indices[inside], matrix.coefficients.data[inside]
            at, others = at[at != columns[place]], others[at != columns[place]]
            # value * x <= limit - the least that the others come to, or >= with the most.
            side, limit = (1, matrix.row_upper[row]) if value > 0 else (-1, -matrix.row_lower[row])
            ends = np.where(side * others > 0, matrix.lower[at], matrix.upper[at])
            if np.isfinite(limit) and np.isfinite(ends).all():
                most = (limit - side * float(others @ ends)) / abs(value)
                reachable[place] = min(reachable[place], max(most, 0.0))
    if not np.isfinite(reachable).all():
        raise NoSolution("a power that excludes another has no greatest value: give both a limit")
    return reachable


def curve_error(matrix: Matrix, x: np.ndarray) -> float:
    """Return by how much the objective lies below the true convex costs."""
    error = 0.0
    for cost in matrix.convex_costs:
        missing = _true_cost(cost, x) - x[cost.cost]
        error += float(np.clip(missing, 0, None) @ np.abs(matrix.cost[cost.cost]))
    return error


def _true_cost(cost: ConvexCost, x: np.ndarray) -> np.ndarray:
    values = cost.curve(x[cost.argument])
    return values if cost.on is None else np.where(x[cost.on] > 0.5, values, 0.0)


def on_curves(matrix: Matrix, x: np.ndarray) -> np.ndarray:
    """Return a solution whose convex costs are those of its powers, to the last digit."""
    exact = x.copy()
    for cost in matrix.convex_costs:
        exact[cost.cost] = _true_cost(cost, x)
    return exact


def _with_tangents(matrix: Matrix, x: np.ndarray) -> Matrix:
    """Return the matrix with a tangent wherever a convex cost lies below its function."""
    for number, cost in enumerate(matrix.convex_costs):
        missing = _true_cost(cost, x) - x[cost.cost]
        low = np.flatnonzero(missing > 1e-12 * (1 + np.abs(x[cost.cost])))
        if not len(low):
            continue
        x0 = x[cost.argument]
        height, rise = cost.curve(x0)[low], cost.slope(x0)[low]
        at_x0 = height - rise * x0[low]
        rows = np.arange(len(low))
        if cost.on is None:
            entries = (np.r_[rows, rows], np.r_[cost.cost[low], cost.argument[low]], np.r_[np.ones(len(low)), -rise])
            lower = at_x0
        else:
            entries = (
                np.r_[rows, rows, rows],
                np.r_[cost.cost[low], cost.argument[low], cost.on[low]],
                np.r_[np.ones(len(low)), -rise, -at_x0],
            )
            lower = np.zeros(len(low))
        matrix = matrix.with_rows((cost.owner, f"tangent_{number}", low.tolist()), entries, lower=lower)
    return matrix
