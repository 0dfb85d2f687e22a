"""Amount: an affine expression with the range that it can take, and its part above zero."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ems.assets.unit import Unit

PART = 96
"""Steps that are summed in one row: a day of quarters. A row of a whole month would be slow to write."""
HORIZON = "horizon"
"""Key of money that belongs to the whole horizon."""


@dataclass(frozen=True)
class Amount:
    """An affine expression over a unit's variables, and the least and most that their bounds leave it.

    Parameters
    ----------
    expression : expression or float
    lower, upper : float
    """

    expression: Any
    lower: float
    upper: float

    @classmethod
    def of(cls, value: float) -> Amount:
        """Return an amount without variables."""
        return cls(value, value, value)

    @property
    def is_zero(self) -> bool:
        """Whether it can be nothing but zero."""
        return self.lower == 0 == self.upper

    def __add__(self, other: Amount | float) -> Amount:
        if not isinstance(other, Amount):
            other = Amount.of(float(other))
        if self.is_zero or other.is_zero:
            return other if self.is_zero else self
        return Amount(self.expression + other.expression, self.lower + other.lower, self.upper + other.upper)

    __radd__ = __add__

    def __mul__(self, factor: float) -> Amount:
        if not factor:
            return Amount.of(0.0)
        ends = (self.lower * factor, self.upper * factor)
        return Amount(self.expression * float(factor), min(ends), max(ends))

    __rmul__ = __mul__

    def __neg__(self) -> Amount:
        return self * -1.0

    def __sub__(self, other: Amount | float) -> Amount:
        return self + -other


def total(amounts: Sequence[Amount]) -> Amount:
    """Return the sum of amounts."""
    return sum(amounts, Amount.of(0.0))


def pressed_parts(unit: Unit, name: str, amounts: Mapping[Any, Amount]) -> dict[Any, Amount]:
    """Return the parts of amounts above zero that costs press down, so that they need no decisions.

    part >= amount, part >= 0
    """
    undecided = {key: one for key, one in amounts.items() if one.lower < 0 < one.upper}
    if undecided:
        unit.add_variable(name, over=list(undecided))
        part = getattr(unit, name)
        unit.add_constraint_each(
            f"{name}_is_above", lambda key: part[key] >= amounts[key].expression, over=list(undecided)
        )
    return {
        key: Amount(getattr(unit, name)[key], 0.0, one.upper) if key in undecided else _decided(one)
        for key, one in amounts.items()
    }


def split_parts(unit: Unit, name: str, amounts: Mapping[Any, Amount]) -> tuple[dict[Any, Amount], dict[Any, Amount]]:
    """Return the parts of amounts above zero and those below, of which one is zero, whatever that costs.

    amount == above - below, and never both

    The solver gets a decision only where both would be in use without one.
    """
    undecided = {key: one for key, one in amounts.items() if one.lower < 0 < one.upper}
    if undecided:
        keys = list(undecided)
        unit.add_variable(name, over=keys, upper=np.array([one.upper for one in undecided.values()]))
        unit.add_variable(f"{name}_lacking", over=keys, upper=np.array([-one.lower for one in undecided.values()]))
        above, below = getattr(unit, name), getattr(unit, f"{name}_lacking")
        unit.add_constraint_each(
            f"{name}_balance", lambda key: amounts[key].expression == above[key] - below[key], over=keys
        )
        unit.exclude(name, f"{name}_lacking")
    found: tuple[dict[Any, Amount], dict[Any, Amount]] = ({}, {})
    for key, one in amounts.items():
        if key in undecided:
            found[0][key] = Amount(above[key], 0.0, one.upper)
            found[1][key] = Amount(below[key], 0.0, -one.lower)
        else:
            found[0][key], found[1][key] = _decided(one), _decided(-one)
    return found


def _decided(one: Amount) -> Amount:
    """Return the part above zero of an amount that is on one side of zero."""
    return one if one.lower >= 0 else Amount.of(0.0)


def sums_of_groups(
    unit: Unit,
    name: str,
    group: np.ndarray,
    groups: int,
    terms: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> list[Amount]:
    """Return the sum over the steps of each group of variables times weights.

    Parameters
    ----------
    unit : Unit
    name : str
        What is summed; sums of up to `PART` steps become variables of this name.
    group : ndarray of int (steps,)
        Position of each step's group; none where it is below 0.
    groups : int
        How many groups there are.
    terms : mapping of str to (ndarray (steps,), ndarray (steps,))
        By variable over the steps, its weights and its upper bounds; its lower bounds are 0.

    Returns
    -------
    list of Amount
        One for each group.
    """
    terms = {variable: term for variable, term in terms.items() if np.any(term[0] * (term[1] > 0))}
    parts, of_group = _parts(group, groups)
    if not terms or not len(parts):
        return [Amount.of(0.0)] * groups
    is_step = parts >= 0
    at = np.where(is_step, parts, np.maximum(parts[:, :1], 0))
    weights = {variable: np.where(is_step, weight[at], 0.0) for variable, (weight, _) in terms.items()}
    lower, upper = np.zeros(len(parts)), np.zeros(len(parts))
    for variable, (_, limit) in terms.items():
        with np.errstate(invalid="ignore"):
            ends = np.where(weights[variable] == 0, 0.0, weights[variable] * limit[at])
        lower += np.minimum(ends, 0).sum(axis=1)
        upper += np.maximum(ends, 0).sum(axis=1)
    keys = list(range(len(parts)))
    unit.add_variable(name, over=keys, lower=-math.inf)
    sums = getattr(unit, name)

    def sum_of_steps(k: Any) -> Any:
        found = 0.0
        for variable, weight in weights.items():
            powers = getattr(unit, variable)
            for place in range(at.shape[1]):
                found = found + powers[at[k, place]] * weight[k, place]
        return sums[k] == found

    unit.add_constraint(f"{name}_sum", sum_of_steps, over=keys)
    every = [Amount(sums[k], lower[k], upper[k]) for k in keys]
    return [total([every[k] for k in np.flatnonzero(of_group == one).tolist()]) for one in range(groups)]


def _parts(group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of parts of groups, shape (parts, steps of the longest), -1 beyond them, and their groups."""
    rows: list[np.ndarray] = []
    of_group: list[int] = []
    for one in range(groups):
        steps = np.flatnonzero(group == one)
        for begin in range(0, len(steps), PART):
            rows.append(steps[begin : begin + PART])
            of_group.append(one)
    longest = max(map(len, rows), default=0)
    parts = np.full((len(rows), longest), -1)
    for number, row in enumerate(rows):
        parts[number, : len(row)] = row
    return parts, np.array(of_group, dtype=int)


def add_once(unit: Unit, name: str, amount: Amount) -> None:
    """Declare money of the whole horizon as a variable of that name; nothing where it is zero."""
    if amount.is_zero:
        return
    is_known = amount.lower == amount.upper
    unit.add_variable(
        name,
        over=[HORIZON],
        lower=amount.lower if is_known else -math.inf,
        upper=amount.upper if is_known else math.inf,
    )
    if not is_known:
        unit.add_constraint_each(name + "_sum", lambda key: getattr(unit, name)[key] == amount.expression, [HORIZON])
