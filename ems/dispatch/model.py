"""The Pyomo model of a dispatch, for whoever wants to read it or add constraints of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ems.assets.unit import Over, Unit, is_rule
from ems.dispatch.formulation.declaration import Formulation, costs_once, costs_over_steps, declare
from ems.dispatch.problem import DispatchProblem
from ems.errors import InvalidInput
from ems.horizon import Horizon

TANGENTS = 17
"""Tangents of a convex cost; `solve` adds more where the solution needs them."""


def build_model(problem: DispatchProblem) -> Any:
    """Return the Pyomo model of a dispatch.

    Parameters
    ----------
    problem : DispatchProblem
        Its goal minimises cost.

    Returns
    -------
    ConcreteModel
        With sets ``steps`` and ``boundaries``, ``step_h``, a block ``unit[asset id]`` for each asset,
        ``site[site id].power_balance`` and ``total_cost``. Constraints of one's own may be added before it is given
        to `solve`. Directions that exclude each other are no part of it: `solve` sees to them.

    Raises
    ------
    InvalidInput
        If the goal minimises something else than cost.
    """
    from pyomo.core import Block, ConcreteModel, Objective, Param, RangeSet

    if problem.goal.objective != "cost":
        raise InvalidInput(
            f"objective = '{problem.goal.objective}'", "a Pyomo model is built for the objective 'cost'"
        )
    horizon = problem.horizon
    model = ConcreteModel(name="dispatch")
    model.steps = RangeSet(0, len(horizon) - 1)
    model.boundaries = RangeSet(0, len(horizon))
    model.step_h = Param(model.steps, initialize=dict(enumerate(horizon.steps_h)))
    model.unit = Block([asset.id for asset in problem.assets])
    model.site = Block([site.id for site in problem.portfolio.sites])
    model.group = Block([group.id for group, _ in problem.limited_groups()])
    model.reserve = Block([reserve.id for reserve in problem.portfolio.reserves])

    def new_unit(owner: str) -> PyomoUnit:
        level, _, name = owner.rpartition(" ")
        return PyomoUnit(owner, horizon, getattr(model, level or "unit")[name])

    formulation = declare(problem, new_unit)
    cost = sum(costs_once(problem, formulation).values())
    for t in horizon.steps:
        cost = cost + sum(costs_over_steps(problem, formulation, t).values())
    model.total_cost = Objective(expr=cost)
    model.ems_formulation = formulation
    return model


def units_of(model: Any) -> dict[str, PyomoUnit]:
    """Return the units of a model by their owner."""
    formulation: Formulation = model.ems_formulation
    levels = (formulation.assets, formulation.sites, formulation.groups, formulation.reserves)
    return {unit.owner: unit for level in levels for unit in level.values()}


class PyomoUnit(Unit):
    """A unit whose formulas become constraints of a Pyomo block."""

    def __init__(self, owner: str, horizon: Horizon, block: Any) -> None:
        super().__init__(owner, horizon)
        self.block = block
        self.keys: dict[str, list[Any]] = {}

    def add_variable(
        self,
        name: str,
        over: Over | None = None,
        lower: float | np.ndarray = 0.0,
        upper: float | np.ndarray = math.inf,
        *,
        is_binary: bool = False,
    ) -> None:
        """Declare a variable on the block."""
        from pyomo.core import Var
        from pyomo.core.base.set_types import Binary, Reals

        keys = list(self.keys_of(over))
        lows, highs = np.broadcast_to(lower, len(keys)), np.broadcast_to(upper, len(keys))
        bounds = {
            key: (float(low) if math.isfinite(low) else None, float(high) if math.isfinite(high) else None)
            for key, low, high in zip(keys, lows, highs, strict=True)
        }
        var = Var(
            keys,
            bounds=lambda _block, *key: bounds[key[0] if len(key) == 1 else key],
            domain=Binary if is_binary else Reals,
        )
        self.block.add_component(name, var)
        self.keys[name] = keys
        setattr(self, name, var)

    def add_constraint(self, name: str, rule: Any, over: Over | None = None) -> None:
        """Declare a rule step by step, or a single relation."""
        if is_rule(rule):
            self.add_constraint_each(name, rule, over)
        else:
            self.add_constraint_each(name, lambda _: rule, [0])

    def add_constraint_each(self, name: str, rule: Callable[[Any], Any], over: Any = None) -> None:
        """Declare a rule for each key."""
        from pyomo.core import Constraint

        constraint = getattr(self.block, name, None)
        keys = [int(key) if isinstance(key, np.integer) else key for key in self.keys_of(over)]
        if constraint is not None:  # several declarations of one name share it, under keys of their own
            number = len(constraint)
            self.block.add_component(f"{name}_{number}", constraint := Constraint(keys))
        else:
            self.block.add_component(name, constraint := Constraint(keys))
        for key in keys:
            relation = rule(key)
            if relation is None or relation is True or (isinstance(relation, np.bool_) and bool(relation)):
                continue
            constraint[key] = Constraint.Infeasible if isinstance(relation, bool | np.bool_) else relation

    def exclude(self, one: str, other: str) -> None:
        """Leave it to `solve`, which sees to directions that exclude each other."""

    def add_convex_cost(
        self,
        name: str,
        *,
        of: str,
        curve: Callable[[np.ndarray], np.ndarray],
        slope: Callable[[np.ndarray], np.ndarray],
        lower: np.ndarray,
        upper: np.ndarray,
        on: str | None = None,
    ) -> None:
        """Declare the cost with its tangents."""
        self.add_variable(name, lower=-math.inf)
        cost, argument = getattr(self, name), getattr(self, of)
        is_on = None if on is None else getattr(self, on)
        points = [lower + (upper - lower) * number / (TANGENTS - 1) for number in range(TANGENTS)]

        def tangent(key: tuple[int, int]) -> Any:
            number, t = key
            x0 = points[number]
            height, rise = float(curve(x0)[t]), float(slope(x0)[t])
            at_x0 = height - rise * float(x0[t])
            return cost[t] >= rise * argument[t] + (at_x0 if is_on is None else at_x0 * is_on[t])

        self.add_constraint_each(f"{name}_tangent", tangent, [(n, t) for n in range(TANGENTS) for t in self.steps])
