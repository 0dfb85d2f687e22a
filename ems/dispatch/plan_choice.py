"""Plan choice: which of several plans of equal cost is told, by rules in the order of their importance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.load import Load
from ems.dispatch.formulation.compile import Compiled
from ems.dispatch.formulation.matrix import Block, Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.solvers.exactness import solve_exactly
from ems.dispatch.solvers.solution import Solution

if TYPE_CHECKING:
    import xarray as xr

NEARLY = 1e-7
"""Share of the objective that a plan may cost beyond the least: more than a solver's tolerance, and nothing to see."""
NO_PRICE = 1e-9
"""Share of the highest price that is none: a limit with no more is not what makes the cost."""
TOLD = ("charge_kw", "discharge_kw", "output_kw", "import_kw")
"""Powers by which a plan is compared with the one before it."""


def choose_plan(
    compiled: Compiled,
    final: Matrix,
    solution: Solution,
    options: SolverOptions,
    previous: xr.Dataset | None = None,
) -> Solution:
    """Return the plan that the rules choose among those of equal cost.

    The rules, each among the plans that the ones before leave:

    1. Of loads whose demand is worth the same, those of low priority are shed first.
    2. Least change against a previous plan, in the times that both have.
    3. Least energy through batteries and vehicles.
    4. The earliest charge.

    Plans of equal cost are those that keep what prices say of one of them [1]_: where a limit has a price it is
    reached, where a power has one it stays at its bound. That holds the cost to the last digit without a row over all
    powers.

    Parameters
    ----------
    compiled : Compiled
    final : Matrix
        What was solved last, with decisions fixed; other decisions are not looked at.
    solution : Solution
        Of ``final``.
    options : SolverOptions
    previous : Dataset (time, asset), optional
        Flows of an earlier plan.

    Returns
    -------
    Solution
        With another schedule; objective, bound and prices are those of the solution.

    References
    ----------
    .. [1] H. Isermann, "Linear lexicographic optimization," OR Spektrum, vol. 4, 1982, doi:10.1007/BF01782758.
    """
    assert solution.x is not None, "a solution to choose from has a schedule"
    least = float(final.cost @ solution.x)
    allowed = NEARLY * max(1.0, abs(least + final.offset))
    matrix, found, chosen = _held_curves(final, solution.x), solution, solution.x
    seconds = solution.seconds
    for rule in _rules(compiled, previous):
        matrix = _equal_plans(matrix, found)
        asked = _with_rule(matrix, *rule)
        if not asked.cost.any():
            continue
        found, matrix, _ = solve_exactly(asked, options)
        seconds += found.seconds
        if found.x is None or found.status != "optimal":
            break
        if float(final.cost @ found.x[: final.columns]) > least + allowed:
            break
        chosen = found.x[: final.columns]
    return replace(solution, x=chosen, seconds=seconds)


Rule = tuple[list[tuple[np.ndarray, np.ndarray]], list[tuple[np.ndarray, np.ndarray, np.ndarray]]]
"""What a rule adds up: columns with their weights, and columns with weights of their distance from earlier values."""


def _rules(compiled: Compiled, previous: xr.Dataset | None) -> Iterator[Rule]:
    """Give what each rule minimises, the most important first."""
    problem = compiled.problem
    step_h = problem.horizon.step_h
    middle_h = np.cumsum(step_h) - step_h / 2
    ranks = {
        asset.id: asset.shedding_rank for asset in problem.assets if isinstance(asset, Load) and asset.is_sheddable
    }
    yield [(block.at, ranks[block.owner] * step_h) for block in _named(compiled, "unserved_kw", set(ranks))], []
    if previous is not None:
        yield [], list(_changes(compiled, previous))
    stores = {asset.id for asset in problem.assets if isinstance(asset, Battery | EvCharger)}
    charging = _named(compiled, "charge_kw", stores)
    yield [(block.at, step_h) for block in (*charging, *_named(compiled, "discharge_kw", stores))], []
    yield [(block.at, step_h * middle_h) for block in charging], []


def _named(compiled: Compiled, name: str, owners: set[str]) -> list[Block]:
    """Return the columns of a variable of some assets."""
    return [block for block in compiled.matrix.variables if block.name == name and block.owner in owners]


def _changes(compiled: Compiled, previous: xr.Dataset) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Give columns that a previous plan has too, hours of their steps, and what it told of them."""
    horizon = compiled.problem.horizon
    known = [str(one) for one in previous.asset.values]
    _, here, there = np.intersect1d(
        horizon.times.to_numpy(), previous.time.to_numpy().astype("datetime64[ns]"), return_indices=True
    )
    for block in compiled.matrix.variables:
        if block.name not in TOLD or block.name not in previous or block.owner not in known:
            continue
        told = previous[block.name].transpose("time", "asset").to_numpy()[there, known.index(block.owner)]
        is_told = np.isfinite(told)
        steps = here[is_told]
        yield block.at[steps], horizon.step_h[steps], told[is_told]


def _held_curves(matrix: Matrix, x: np.ndarray) -> Matrix:
    """Return the matrix with convex costs and their powers as they are: strictly convex, they have one least point."""
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for cost in matrix.convex_costs:
        for at in (cost.argument, cost.cost):
            lower[at] = upper[at] = x[at]
    return replace(matrix, lower=lower, upper=upper, convex_costs=())


def _equal_plans(matrix: Matrix, solution: Solution) -> Matrix:
    """Return the matrix of all solutions whose objective is that of a solution, with nothing to minimise.

    Without prices, as of a solver that tells none, a row holds the objective.
    """
    assert solution.x is not None
    x = np.append(solution.x, np.zeros(matrix.columns - len(solution.x)))
    if solution.row_prices is None or solution.column_prices is None:
        at = np.flatnonzero(matrix.cost)
        reached = float(matrix.cost @ x)
        held = matrix.with_rows(
            ("plan", "held", [0]),
            (np.zeros(len(at), dtype=int), at, matrix.cost[at]),
            upper=reached + NEARLY / 100 * max(1.0, abs(reached)),
        )
        return replace(held, cost=np.zeros(matrix.columns), offset=0.0)
    highest = max(float(np.abs(matrix.cost).max(initial=0.0)), 1e-30)
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    priced = np.flatnonzero(np.abs(solution.column_prices) > NO_PRICE * highest)
    lower[priced] = upper[priced] = x[priced]
    row_lower, row_upper = matrix.row_lower.copy(), matrix.row_upper.copy()
    rows = np.flatnonzero(np.abs(solution.row_prices) > NO_PRICE * highest)
    is_upper = np.abs(matrix.coefficients[rows] @ x - row_lower[rows]) > np.abs(
        matrix.coefficients[rows] @ x - row_upper[rows]
    )
    limits = np.where(is_upper, row_upper[rows], row_lower[rows])
    row_lower[rows] = row_upper[rows] = limits
    return replace(
        matrix,
        lower=lower,
        upper=upper,
        row_lower=row_lower,
        row_upper=row_upper,
        cost=np.zeros(matrix.columns),
        offset=0.0,
    )


def _with_rule(
    matrix: Matrix,
    weighted: list[tuple[np.ndarray, np.ndarray]],
    changes: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> Matrix:
    """Return the matrix that minimises what a rule adds up; distances get columns of their own."""
    cost = np.zeros(matrix.columns)
    is_free = matrix.upper > matrix.lower
    for at, weight in weighted:
        cost[at] += np.where(is_free[at], weight, 0.0)
    matrix = replace(matrix, cost=cost)
    if not changes:
        return matrix
    at, weight, told = (np.concatenate(parts) for parts in zip(*changes, strict=True))
    at, weight, told = (values[is_free[at]] for values in (at, weight, told))
    if not len(at):
        return matrix
    keys, rows = range(len(at)), np.arange(len(at))
    matrix = matrix.with_columns(("plan", "change_kw", keys), cost=weight)
    change = np.arange(matrix.columns - len(at), matrix.columns)
    ones = np.ones(len(at))
    entries = (np.r_[rows, rows], np.r_[at, change])
    matrix = matrix.with_rows(("plan", "more", keys), (*entries, np.r_[ones, -ones]), upper=told)
    return matrix.with_rows(("plan", "less", keys), (*entries, np.r_[ones, ones]), lower=told)
