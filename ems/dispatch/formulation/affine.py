"""Affine expressions over whole arrays of steps: what a formula becomes when its variables are columns of a matrix."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Sense = Literal["<=", ">=", "=="]
_FLIPPED: dict[Sense, Sense] = {"<=": ">=", ">=": "<=", "==": "=="}


class _Relatable:
    """Comparisons make relations; numpy leaves arithmetic with these objects to them."""

    __slots__ = ()
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __le__(self, other: Any) -> Relation:
        return Relation(self - other, "<=")

    def __ge__(self, other: Any) -> Relation:
        return Relation(self - other, ">=")

    def __eq__(self, other: object) -> Relation:  # type: ignore[override]
        return Relation(self - other, "==")  # type: ignore[operator]

    def __bool__(self) -> bool:
        raise TypeError("a formula over variables is neither true nor false: do not branch on it")


class Row(_Relatable):
    """One affine expression: terms (column, coefficient) and a constant."""

    __slots__ = ("const", "terms")

    def __init__(self, terms: list[tuple[int, float]], const: float = 0.0) -> None:
        self.terms = terms
        self.const = const

    def __add__(self, other: Any) -> Any:
        if type(other) is Row:
            return Row(self.terms + other.terms, self.const + other.const)
        if isinstance(other, Rows):
            return other + self
        if isinstance(other, np.ndarray) and other.ndim:
            return self.spread(len(other)) + other
        return Row(self.terms, self.const + float(other))

    __radd__ = __add__

    def __neg__(self) -> Row:
        return Row([(column, -value) for column, value in self.terms], -self.const)

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, factor: Any) -> Any:
        if isinstance(factor, np.ndarray) and factor.ndim:
            return self.spread(len(factor)) * factor
        number = float(factor)
        return Row([(column, value * number) for column, value in self.terms], self.const * number)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Any:
        return self * (1 / divisor)

    def spread(self, rows: int) -> Rows:
        """Return the same expression in each of some rows."""
        terms = [(None, np.full(rows, column), np.full(rows, value)) for column, value in self.terms]
        return Rows(rows, terms, np.full(rows, self.const))


class Rows(_Relatable):
    """Affine expressions in some rows; a term is (rows or None for all in order, columns, coefficients)."""

    __slots__ = ("const", "rows", "terms")

    def __init__(self, rows: int, terms: list[tuple[Any, np.ndarray, Any]], const: Any = 0.0) -> None:
        self.rows = rows
        self.terms = terms
        self.const = const

    def __add__(self, other: Any) -> Rows:
        if isinstance(other, Rows):
            if self.rows != other.rows:
                raise ValueError(f"a formula mixes {self.rows} and {other.rows} steps")
            return Rows(self.rows, self.terms + other.terms, self.const + other.const)
        if type(other) is Row:
            return self + other.spread(self.rows)
        return Rows(self.rows, self.terms, self.const + other)

    def __radd__(self, other: Any) -> Rows:
        return self.__add__(other)

    def __neg__(self) -> Rows:
        return Rows(self.rows, [(rows, cols, -values) for rows, cols, values in self.terms], -self.const)

    def __sub__(self, other: Any) -> Rows:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Rows:
        return (-self).__add__(other)

    def __mul__(self, factor: Any) -> Rows:
        by_row = isinstance(factor, np.ndarray) and factor.ndim > 0
        terms = [
            (rows, cols, values * (factor if rows is None or not by_row else factor[rows]))
            for rows, cols, values in self.terms
        ]
        return Rows(self.rows, terms, self.const * factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Rows:
        return self.__mul__(1 / divisor)


class Relation:
    """An expression that is at most, at least or equal to zero."""

    __slots__ = ("expression", "sense")

    def __init__(self, expression: Any, sense: Sense) -> None:
        self.expression = expression
        self.sense = sense

    def __bool__(self) -> bool:
        raise TypeError("a relation over variables is neither true nor false: chain no comparisons, branch on none")


@dataclass(frozen=True)
class Columns:
    """A variable by its columns: ``columns[t]`` for a step, an array of steps, or a key.

    Parameters
    ----------
    columns : ndarray of int
        A column for each key.
    keys : sequence
    """

    columns: np.ndarray
    keys: Sequence[Any]

    def __post_init__(self) -> None:
        is_plain = isinstance(self.keys, range) and self.keys.start == 0 and self.keys.step == 1
        object.__setattr__(self, "_place", None if is_plain else {key: i for i, key in enumerate(self.keys)})

    def __getitem__(self, key: Any) -> Row | Rows:
        place: dict[Hashable, int] | None = self._place  # type: ignore[attr-defined]
        if isinstance(key, np.ndarray):
            at = key if place is None else np.fromiter((place[int(one)] for one in key), dtype=int, count=len(key))
            return Rows(len(key), [(None, self.columns[at], 1.0)])
        if isinstance(key, np.integer):
            key = int(key)
        return Row([(int(self.columns[key if place is None else place[key]]), 1.0)])

    def values(self) -> list[Row]:
        """Return the variable at each of its keys."""
        return [self[key] for key in self.keys]  # type: ignore[misc]

    def __len__(self) -> int:
        return len(self.keys)
