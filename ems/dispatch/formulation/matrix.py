"""Matrix: a linear or mixed-integer programme as arrays, whose rows and columns know what they are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Block:
    """Neighbouring rows or columns that were declared together.

    Parameters
    ----------
    owner : str
        Id of the asset, site or group.
    name : str
        What the field calls the variable or constraint.
    keys : sequence
        What each row or column is for: a step, a boundary, or a key of its own.
    at : ndarray of int
        Places in the matrix, in the order of the keys.
    """

    owner: str
    name: str
    keys: Sequence[Any]
    at: np.ndarray


@dataclass(frozen=True)
class Exclusion:
    """Pairs of columns of which at most one may be above zero."""

    owner: str
    one: np.ndarray
    other: np.ndarray


@dataclass(frozen=True)
class ConvexCost:
    """Columns that equal a convex function of other columns at the optimum."""

    owner: str
    cost: np.ndarray
    argument: np.ndarray
    on: np.ndarray | None
    curve: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Matrix:
    """Minimise ``cost @ x + offset`` with ``row_lower <= A @ x <= row_upper`` and ``lower <= x <= upper``.

    Parameters
    ----------
    coefficients : scipy.sparse.csr_array (rows, columns)
    cost, lower, upper : ndarray (columns,)
    is_integer : ndarray of bool (columns,)
    row_lower, row_upper : ndarray (rows,)
    offset : float
    variables, constraints : tuple of Block
        Names of the columns and rows.
    exclusions : tuple of Exclusion
    convex_costs : tuple of ConvexCost
    """

    coefficients: Any
    cost: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    is_integer: np.ndarray
    row_lower: np.ndarray
    row_upper: np.ndarray
    offset: float = 0.0
    variables: tuple[Block, ...] = ()
    constraints: tuple[Block, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    convex_costs: tuple[ConvexCost, ...] = field(default=())

    @property
    def columns(self) -> int:
        """Number of variables."""
        return len(self.cost)

    @property
    def rows(self) -> int:
        """Number of constraints."""
        return len(self.row_lower)

    def variable(self, owner: str, name: str) -> Block:
        """Return the columns of a variable."""
        return next(block for block in self.variables if block.owner == owner and block.name == name)

    def constraint(self, owner: str, name: str) -> Block:
        """Return the rows of a constraint."""
        return next(block for block in self.constraints if block.owner == owner and block.name == name)

    def with_columns(
        self,
        block: tuple[str, str, Sequence[Any]],
        *,
        cost: float | np.ndarray = 0.0,
        lower: float | np.ndarray = 0.0,
        upper: float | np.ndarray = np.inf,
        is_integer: bool = False,
    ) -> Matrix:
        """Return the matrix with columns added at its end, which stand in no row yet."""
        from ems.dispatch.solvers.quick_scipy import sparse

        owner, name, keys = block
        count = len(keys)
        at = np.arange(self.columns, self.columns + count)
        empty = sparse().csr_array((self.rows, count))
        return replace(
            self,
            coefficients=sparse().hstack([self.coefficients, empty], format="csr"),
            cost=np.append(self.cost, np.broadcast_to(cost, count)),
            lower=np.append(self.lower, np.broadcast_to(lower, count)),
            upper=np.append(self.upper, np.broadcast_to(upper, count)),
            is_integer=np.append(self.is_integer, np.full(count, is_integer)),
            variables=(*self.variables, Block(owner, name, keys, at)),
        )

    def with_rows(
        self,
        block: tuple[str, str, Sequence[Any]],
        entries: tuple[np.ndarray, np.ndarray, np.ndarray],
        *,
        lower: float | np.ndarray = -np.inf,
        upper: float | np.ndarray = np.inf,
    ) -> Matrix:
        """Return the matrix with rows added at its end; entries are (row of the new ones, column, coefficient)."""
        from ems.dispatch.solvers.quick_scipy import sparse

        owner, name, keys = block
        count = len(keys)
        rows, columns, values = entries
        added = sparse().coo_array((values, (rows, columns)), shape=(count, self.columns))
        return replace(
            self,
            coefficients=sparse().vstack([self.coefficients, added.tocsr()], format="csr"),
            row_lower=np.append(self.row_lower, np.broadcast_to(lower, count)),
            row_upper=np.append(self.row_upper, np.broadcast_to(upper, count)),
            constraints=(*self.constraints, Block(owner, name, keys, np.arange(self.rows, self.rows + count))),
        )

    def fixed_at(self, x: np.ndarray, which: np.ndarray) -> Matrix:
        """Return the matrix with some columns fixed at whole values of a solution, and no decisions left in them."""
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[which] = upper[which] = np.round(x[which])
        return replace(self, lower=lower, upper=upper, is_integer=self.is_integer & ~which)
