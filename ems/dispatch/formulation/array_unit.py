"""ArrayUnit: declarations as rows and columns of a matrix, all steps at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ems.assets.unit import Over, Unit, is_rule
from ems.dispatch.formulation.affine import Columns, Relation, Rows
from ems.dispatch.formulation.matrix import Block, ConvexCost, Exclusion, Matrix
from ems.horizon import Horizon

TANGENTS = 9
"""Tangents that a convex cost starts with; more are added where the solution needs them."""


class MatrixBuilder:
    """Rows and columns as they are declared, for `build` to put together."""

    def __init__(self) -> None:
        self.columns = 0
        self.rows = 0
        self.variables: list[Block] = []
        self.constraints: list[Block] = []
        self.exclusions: list[Exclusion] = []
        self.convex_costs: list[ConvexCost] = []
        self._lower: list[np.ndarray] = []
        self._upper: list[np.ndarray] = []
        self._is_integer: list[np.ndarray] = []
        self._row_lower: list[np.ndarray] = []
        self._row_upper: list[np.ndarray] = []
        self._entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add_columns(
        self, named: tuple[str, str, Sequence[Any]], bounds: tuple[Any, Any], *, is_binary: bool
    ) -> Columns:
        """Add a variable, by its owner, name and keys, and return its columns."""
        (owner, name, keys), (lower, upper) = named, bounds
        count = len(keys)
        at = np.arange(self.columns, self.columns + count)
        self.columns += count
        self._lower.append(np.full(count, lower, dtype=float))
        self._upper.append(
            np.full(count, min(upper, 1.0) if is_binary and np.ndim(upper) == 0 else upper, dtype=float)
        )
        self._is_integer.append(np.full(count, is_binary))
        self.variables.append(Block(owner, name, keys, at))
        return Columns(at, keys)

    def add_rows(self, owner: str, name: str, keys: Sequence[Any], relation: Relation) -> None:
        """Add the rows of a relation over arrays, or the row of a single one."""
        expression = relation.expression
        count = 1
        if isinstance(expression, Rows):
            count = expression.rows
            every = np.arange(self.rows, self.rows + count)
            for rows, columns, values in expression.terms:
                at = every if rows is None else every[rows]
                self._entries.append((at, columns, np.full(len(at), values) if np.ndim(values) == 0 else values))
        else:
            terms = expression.terms
            columns = np.array([column for column, _ in terms], dtype=int)
            values = np.array([value for _, value in terms], dtype=float)
            self._entries.append((np.full(len(terms), self.rows), columns, values))
        limit = np.full(count, -np.asarray(expression.const, dtype=float))
        self._append_rows(owner, name, keys, limit, relation.sense)

    def add_single_rows(self, owner: str, name: str, keys: Sequence[Any], relations: Sequence[Relation]) -> None:
        """Add one row for each of several relations."""
        rows, columns, values = [], [], []
        for number, relation in enumerate(relations, self.rows):
            for column, value in relation.expression.terms:
                rows.append(number)
                columns.append(column)
                values.append(value)
        self._entries.append((np.array(rows, dtype=int), np.array(columns, dtype=int), np.array(values, dtype=float)))
        limit = np.array([-relation.expression.const for relation in relations], dtype=float)
        senses = np.array([relation.sense for relation in relations])
        count = len(relations)
        self._row_lower.append(np.where(senses == "<=", -math.inf, limit))
        self._row_upper.append(np.where(senses == ">=", math.inf, limit))
        self.constraints.append(Block(owner, name, keys, np.arange(self.rows, self.rows + count)))
        self.rows += count

    def _append_rows(self, owner: str, name: str, keys: Sequence[Any], limit: np.ndarray, sense: str) -> None:
        count = len(limit)
        self._row_lower.append(np.full(count, -math.inf) if sense == "<=" else limit)
        self._row_upper.append(np.full(count, math.inf) if sense == ">=" else limit)
        self.constraints.append(Block(owner, name, keys, np.arange(self.rows, self.rows + count)))
        self.rows += count

    def add_impossible(self, owner: str, name: str) -> None:
        """Add a row that cannot hold: a constraint in which nothing is left to decide, and which is broken."""
        self._append_rows(owner, name, [0], np.ones(1), "==")

    def build(self) -> Matrix:
        """Return the matrix of all that was declared."""
        from ems.dispatch.solvers.quick_scipy import sparse

        rows, columns, values = (
            np.concatenate([np.empty(0, dtype=kind), *parts])
            for kind, parts in zip(
                (int, int, float), zip(*self._entries, strict=True) if self._entries else ((), (), ()), strict=True
            )
        )
        coefficients = sparse().coo_array((values, (rows, columns)), shape=(self.rows, self.columns)).tocsr()
        coefficients.eliminate_zeros()

        def joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
            return np.concatenate([np.empty(0, dtype=kind), *parts])

        return Matrix(
            coefficients=coefficients,
            cost=np.zeros(self.columns),
            lower=joined(self._lower, float),
            upper=joined(self._upper, float),
            is_integer=joined(self._is_integer, bool),
            row_lower=joined(self._row_lower, float),
            row_upper=joined(self._row_upper, float),
            variables=tuple(self.variables),
            constraints=tuple(self.constraints),
            exclusions=tuple(self.exclusions),
            convex_costs=tuple(self.convex_costs),
        )


class ArrayUnit(Unit):
    """A unit whose formulas become rows of a matrix."""

    def __init__(self, owner: str, horizon: Horizon, builder: MatrixBuilder) -> None:
        super().__init__(owner, horizon)
        self._builder = builder
        self._blocks: dict[str, Columns] = {}

    def add_variable(
        self,
        name: str,
        over: Over | None = None,
        lower: float | np.ndarray = 0.0,
        upper: float | np.ndarray = math.inf,
        *,
        is_binary: bool = False,
    ) -> None:
        """Declare a variable as columns."""
        columns = self._builder.add_columns(
            (self.owner, name, self.keys_of(over)), (lower, upper), is_binary=is_binary
        )
        self._blocks[name] = columns
        setattr(self, name, columns)

    def add_constraint(self, name: str, rule: Any, over: Over | None = None) -> None:
        """Declare a rule for an array of all its steps, or a single relation, as rows."""
        if is_rule(rule):
            keys = self.keys_of(over)
            if not len(keys):
                return
            relation = rule(np.asarray(keys, dtype=int))
        else:
            keys, relation = [0], rule
        if isinstance(relation, Relation):
            self._builder.add_rows(self.owner, name, keys, relation)
        elif not np.all(relation):
            self._builder.add_impossible(self.owner, name)

    def add_constraint_each(self, name: str, rule: Callable[[Any], Any], over: Any = None) -> None:
        """Declare a rule for each key alone, as rows."""
        keys, relations = [], []
        for key in self.keys_of(over):
            relation = rule(key)
            if isinstance(relation, Relation):
                keys.append(key)
                relations.append(relation)
            elif relation is not None and not np.all(relation):
                self._builder.add_impossible(self.owner, name)
        if relations:
            self._builder.add_single_rows(self.owner, name, keys, relations)

    def exclude(self, one: str, other: str) -> None:
        """Note pairs of columns of which at most one may be above zero."""
        self._builder.exclusions.append(Exclusion(self.owner, self._blocks[one].columns, self._blocks[other].columns))

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
        """Declare the cost with its first tangents, and note it for more."""
        self.add_variable(name, lower=-math.inf)
        cost, argument = getattr(self, name), getattr(self, of)
        is_on = None if on is None else getattr(self, on)
        for number in range(TANGENTS):
            x0 = lower + (upper - lower) * number / (TANGENTS - 1)
            height, rise = curve(x0), slope(x0)

            def tangent(t: Any, height: np.ndarray = height, rise: np.ndarray = rise, x0: np.ndarray = x0) -> Any:
                at_x0 = height[t] - rise[t] * x0[t]
                return cost[t] >= rise[t] * argument[t] + (at_x0 if is_on is None else at_x0 * is_on[t])

            self.add_constraint(f"{name}_tangent", tangent)
        self._builder.convex_costs.append(
            ConvexCost(
                self.owner, cost.columns, argument.columns, None if is_on is None else is_on.columns, curve, slope
            )
        )
