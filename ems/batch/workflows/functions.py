"""Functions that expressions may call, each with the type of its value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ems.batch.workflows.references import as_text
from ems.batch.workflows.value_types import ValueType
from ems.errors import show


class NoValue(ValueError):
    """A computation that has no value; says why."""


@dataclass(frozen=True)
class Function:
    """A function of expressions.

    Parameters
    ----------
    call : callable
    gives : ValueType
        Type of its value.
    fewest, most : int
        Number of values that it takes.
    """

    call: Callable[..., Any]
    gives: ValueType
    fewest: int = 1
    most: int = 1


def number(value: Any) -> int | float:
    """Return a value that is a number.

    Raises
    ------
    NoValue
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoValue(f"{show(value)} is no number")
    return value


def _numbers(values: Any) -> list[int | float]:
    if not isinstance(values, list | tuple):
        raise NoValue(f"{show(value_in_words(values))} is no list")
    for position, value in enumerate(values, 1):
        if value is None:
            raise NoValue(f"value {position} of the list is nothing; known(...) leaves such values out")
    return [number(value) for value in values]


def value_in_words(value: Any) -> object:
    """Return a value for a message."""
    return as_text(value) if isinstance(value, Mapping | list | tuple) else value


def _least(*values: Any) -> int | float:
    return min(_not_empty(values))


def _greatest(*values: Any) -> int | float:
    return max(_not_empty(values))


def _mean(values: Any) -> float:
    found = _not_empty((values,))
    return math.fsum(found) / len(found)


def _not_empty(values: tuple[Any, ...]) -> list[int | float]:
    found = _numbers(values[0] if len(values) == 1 else values)
    if not found:
        raise NoValue("the list is empty")
    return found


def _sum(values: Any) -> int | float:
    found = _numbers(values)
    return sum(found) if all(isinstance(one, int) for one in found) else math.fsum(found)


def _round(value: Any, digits: Any = 0) -> int | float:
    places = number(digits)
    if not isinstance(places, int) or not -15 <= places <= 15:
        raise NoValue(f"round: {show(digits)} digits must be a whole number from -15 to 15")
    rounded = round(number(value), places)
    return int(rounded) if places <= 0 else rounded


def _length(value: Any) -> int:
    if not isinstance(value, str | list | tuple | Mapping):
        raise NoValue(f"{show(value)} has no length")
    return len(value)


def _known(values: Any) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise NoValue(f"{show(value_in_words(values))} is no list")
    return [value for value in values if value is not None]


def _keys(value: Any) -> list[str]:
    if not isinstance(value, Mapping):
        raise NoValue(f"{show(value_in_words(value))} is no mapping")
    return list(value)


def _values(value: Any) -> list[Any]:
    if not isinstance(value, Mapping):
        raise NoValue(f"{show(value_in_words(value))} is no mapping")
    return list(value.values())


def _default(value: Any, other: Any) -> Any:
    return other if value is None else value


FUNCTIONS: dict[str, Function] = {
    "abs": Function(lambda value: abs(number(value)), "number"),
    "default": Function(_default, "any", 2, 2),
    "keys": Function(_keys, "list"),
    "known": Function(_known, "list"),
    "len": Function(_length, "integer"),
    "max": Function(_greatest, "number", 1, 50),
    "mean": Function(_mean, "number"),
    "min": Function(_least, "number", 1, 50),
    "round": Function(_round, "number", 1, 2),
    "sum": Function(_sum, "number"),
    "text": Function(as_text, "text"),
    "values": Function(_values, "list"),
}
"""Functions by name: `known` leaves out what is nothing, `default` replaces it."""
