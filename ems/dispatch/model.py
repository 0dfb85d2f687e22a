"""The Pyomo model of a dispatch: a block for each asset, a balance for each site, one objective.

The model is built as templates: a rule is called once with a symbolic step, not once a step, wherever Pyomo can
templatize it. That is what makes a year of quarter hours quick to build.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ems.dispatch.problem import DispatchProblem


def build_model(problem: DispatchProblem) -> Any:
    """Return the Pyomo model of a dispatch.

    Parameters
    ----------
    problem : DispatchProblem

    Returns
    -------
    ConcreteModel
        With sets ``steps`` and ``boundaries``, ``step_h``, a block ``unit[asset id]`` for each asset,
        ``power_balance[site id]`` and ``total_cost``. Constraints of one's own may be added before it is solved.
    """
    from pyomo.core import Block, ConcreteModel, Constraint, Objective, Param, RangeSet

    horizon = problem.horizon
    model = ConcreteModel(name="dispatch")
    with _templates():
        model.steps = RangeSet(0, len(horizon) - 1)
        model.boundaries = RangeSet(0, len(horizon))
        model.step_h = Param(model.steps, initialize=dict(enumerate(horizon.steps_h)))
        model.unit = Block([asset.id for asset in problem.assets])
        for asset in problem.assets:
            asset.declare(model.unit[asset.id], problem.inputs_of(asset))

        model.site = Block([site.id for site in problem.portfolio.sites])
        for site in problem.portfolio.sites:
            members = [asset for asset in problem.assets if asset.site_id == site.id]
            if not members:
                continue

            def power_balance(_block: Any, t: Any, members: list[Any] = members) -> Any:
                return sum(asset.injection_kw(model.unit[asset.id], t) for asset in members) == 0

            model.site[site.id].power_balance = Constraint(model.steps, rule=power_balance)

        def cost_of_step(t: Any) -> Any:
            return sum(
                cost
                for asset in problem.assets
                for cost in asset.costs(model.unit[asset.id], t, model.step_h).values()
            )

        if any(asset.costs(model.unit[asset.id], 0, model.step_h) for asset in problem.assets):
            model.total_cost = Objective(rule=lambda model: sum(cost_of_step(t) for t in model.steps))
    if not hasattr(model, "total_cost"):  # nothing costs anything; a template cannot be a bare number
        model.total_cost = Objective(expr=0.0)
    return model


@contextmanager
def _templates() -> Iterator[None]:
    """Let Pyomo keep rules as templates while the model is built."""
    from pyomo.core.base import constraint, objective

    before = constraint.TEMPLATIZE_CONSTRAINTS, objective.TEMPLATIZE_OBJECTIVES
    constraint.TEMPLATIZE_CONSTRAINTS = objective.TEMPLATIZE_OBJECTIVES = True
    try:
        yield
    finally:
        constraint.TEMPLATIZE_CONSTRAINTS, objective.TEMPLATIZE_OBJECTIVES = before
