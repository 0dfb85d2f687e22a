"""What kinds of value go from task to task: text, numbers, lists; and which of them a field takes."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

ValueType = Literal["text", "number", "integer", "boolean", "list", "mapping", "any"]
VALUE_TYPES: tuple[ValueType, ...] = get_args(ValueType)
SCALARS: frozenset[ValueType] = frozenset({"text", "number", "integer", "boolean"})

_WORDS: dict[ValueType, str] = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "list": "a list",
    "mapping": "lines of 'name: value'",
    "any": "any value",
}


def words_of(kinds: ValueType | Sequence[ValueType]) -> str:
    """Return types as they are said in a message.

    >>> words_of("boolean"), words_of(["number", "text"])
    ('true or false', 'a number or text')
    """
    listed = [kinds] if isinstance(kinds, str) else list(kinds)
    return " or ".join(_WORDS[kind] for kind in listed)


def type_of(value: object) -> ValueType:
    """Return the type of a value; of nothing (null) any.

    >>> type_of(True), type_of(3), type_of(2.5), type_of("a"), type_of([1]), type_of(None)
    ('boolean', 'integer', 'number', 'text', 'list', 'any')
    """
    found: ValueType = "any"
    if isinstance(value, bool):
        found = "boolean"
    elif isinstance(value, int):
        found = "integer"
    elif isinstance(value, float):
        found = "number"
    elif isinstance(value, str):
        found = "text"
    elif isinstance(value, Mapping):
        found = "mapping"
    elif isinstance(value, list | tuple):
        found = "list"
    return found


def is_taken(given: ValueType, accepted: ValueType | Sequence[ValueType]) -> bool:
    """Return whether a value of a type can stand where one of some types is expected.

    >>> is_taken("integer", "number"), is_taken("number", "integer"), is_taken("any", "text")
    (True, False, True)
    """
    kinds = {accepted} if isinstance(accepted, str) else set(accepted)
    return given == "any" or "any" in kinds or given in kinds or (given == "integer" and "number" in kinds)


def accepted_by(annotation: Any) -> list[ValueType]:
    """Return which types a field of a record takes, in the order in which its annotation names them."""
    found: list[ValueType] = []
    for part in _parts_of(annotation):
        kind = _type_of_class(part)
        if kind is not None and kind not in found:
            found.append(kind)
    return found or ["any"]


def _parts_of(annotation: Any) -> list[Any]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _parts_of(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [part for one in typing.get_args(annotation) for part in _parts_of(one)]
    if origin is Literal:
        return [type(choice) for choice in typing.get_args(annotation)]
    return [origin or annotation]


def _type_of_class(given: Any) -> ValueType | None:
    if given is type(None):
        return None
    if not isinstance(given, type):
        return "any"
    kinds: tuple[tuple[tuple[type, ...], ValueType], ...] = (
        ((bool,), "boolean"),
        ((int,), "integer"),
        ((float,), "number"),
        ((str,), "text"),
        ((list, tuple, set, frozenset), "list"),
        ((dict,), "mapping"),
    )
    return next((kind for classes, kind in kinds if issubclass(given, classes)), "any")
