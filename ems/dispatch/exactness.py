"""One direction at a time, exactly: binaries only in the steps where the relaxed answer needs them.

The relaxed model is solved first. Where it uses both of two exclusive variables in a step, a binary is added to that
step and the model is solved again, until no step is left. Each round solves a relaxation of the true problem, so the
last answer, which breaks nothing, is optimal for it: a certificate without a binary in every step.
"""

from __future__ import annotations

from typing import Any

from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solution import Solution
from ems.dispatch.solvers import solve_model

TOLERANCE_KW = 1e-6
"""A solver's own tolerance leaves smaller powers in both directions."""


def solve_exactly(problem: DispatchProblem, model: Any, options: SolverOptions) -> tuple[Solution, int]:
    """Return the solution in which no exclusive pair is used at once, and the number of binaries it took.

    Each round adds at least one binary of a finite set, so there are finitely many.
    """
    added: set[tuple[str, str, int]] = set()
    solution = solve_model(model, options)
    seconds = solution.seconds
    while solution.values:
        broken = [where for where in _broken_steps(problem, model, solution) if where not in added]
        if not broken:
            break
        # Neighbouring steps tend to break next: a price that pays for waste rarely comes alone.
        _add_directions(model, broken, {asset.id: dict(asset.exclusive) for asset in problem.assets})
        added.update(broken)
        solution = solve_model(model, options)
        seconds += solution.seconds
    return Solution(**{**solution.__dict__, "seconds": seconds}), len(added)


def _broken_steps(problem: DispatchProblem, model: Any, solution: Solution) -> list[tuple[str, str, int]]:
    """Return asset, first variable of the pair and step, wherever both variables are above zero."""
    broken = []
    for asset in problem.assets:
        for one, other in asset.exclusive:
            first, second = getattr(model.unit[asset.id], one), getattr(model.unit[asset.id], other)
            for t in problem.horizon.steps:
                values = (solution.values.get(id(var[t]), 0.0) for var in (first, second))
                if min(values) > TOLERANCE_KW:
                    broken.append((asset.id, one, t))
    return broken


def _add_directions(model: Any, where: list[tuple[str, str, int]], pairs: dict[str, dict[str, str]]) -> None:
    from pyomo.core import ConstraintList, VarList
    from pyomo.core.base.set_types import Binary

    if not hasattr(model, "forward"):
        model.forward = VarList(domain=Binary)
        model.direction = ConstraintList()
    for asset_id, one, t in where:
        unit = model.unit[asset_id]
        first, second = getattr(unit, one)[t], getattr(unit, pairs[asset_id][one])[t]
        forward = model.forward.add()
        # The variables' own upper bounds are the smallest valid big-M.
        model.direction.add(first <= first.ub * forward)
        model.direction.add(second <= second.ub * (1 - forward))
