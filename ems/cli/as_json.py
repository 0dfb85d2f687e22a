"""One JSON document for programs: the option that asks for it, and how values are written in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FIGURE = re.compile(
    r"(?P<number>[-+]?\d[\d,]*(?:\.\d+)?)(?: ?(?P<unit>%|[A-Za-zµ²³°€$][^\s,;:()]*))?"
    r"(?P<more> \(.*\)| at \d\d:\d\d| of CPU)?\Z"
)
"""A number with its unit, and what may follow it: a share, the time of day, whose seconds."""


def json_option(function: _Function) -> _Function:
    """Give a command the option ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")(function)


def echo_json(value: object) -> None:
    """Print a value as one JSON document.

    Moments are ISO 8601 in UTC, a number that is not defined is null, and a kind of value that JSON does not have is
    a fault of ours rather than a text that no program expects.
    """
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=1, allow_nan=False))


def plain(value: Any) -> Any:
    """Return a value as JSON has it.

    >>> import datetime as dt
    >>> plain({"at": dt.datetime(2024, 6, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))), "gap": float("nan")})
    {'at': '2024-06-01T00:00:00Z', 'gap': None}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _plain_scalar(value.item() if hasattr(value, "item") else value)  # a number of numpy has one


def _plain_scalar(value: Any) -> str | float | bool | None:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dt.datetime):
        moment = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | PurePath):
        return str(value)
    if value is None or isinstance(value, str | bool | int):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def figures_of(rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Return the figures of a headline with their numbers and units; words have none.

    >>> figures_of([("Saving", "1,203.41 EUR (2.5%)"), ("Best model", "ridge")])[0]["value"]
    1203.41
    """
    told = []
    for label, text in rows:
        found = _FIGURE.match(text)
        value = float(found["number"].replace(",", "")) if found and found["unit"] != "of" else None
        unit = found["unit"] if found and value is not None else None
        told.append({"label": label, "text": text, "value": value, "unit": unit})
    return told
