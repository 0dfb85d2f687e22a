"""Cells of a table and values of a field: what a text means, and how a value is written so that it comes back equal.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@``. A text which does so, at its beginning or
where a spreadsheet with other separators would begin a cell, is therefore written with an apostrophe before it, and
read without that apostrophe. An empty cell means that nothing is given: an empty text is written ``""``, and a text of
spaces with an apostrophe.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from ems.record import Record

CellKind = Literal["text", "number", "integer", "boolean", "date", "json"]

_RUNS = r"[=+\-@\uff0b\uff0d\uff1d\uff20]"  # with the full-width forms, which East Asian spreadsheets run too
_NOT_YET_SAFE = re.compile(rf"(^|[;\t\n\r])(?=[ '\"]*{_RUNS})")
_MADE_SAFE = re.compile(rf"(^|[;\t\n\r])'(?=[ '\"]*{_RUNS})")
_EMPTY = re.compile(r"'*(?:\"\"|\s+)")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"([+-]?\d{1,300})(?:\.0*)?", re.ASCII)


@cache
def cell_kind(record: type[Record], name: str) -> CellKind:
    """Return how the cells of a field are read, told by the field's type."""
    found = _types_in(record.model_fields[name].annotation)
    if found == {bool}:
        return "boolean"
    if found == {int}:
        return "integer"
    if found and found <= {int, float}:
        return "number"
    if found == {dt.date}:
        return "date"
    return "text" if found == {str} else "json"


def _types_in(annotation: Any) -> set[Any]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _types_in(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return {found for part in arguments if part is not type(None) for found in _types_in(part)}
    if origin is typing.Literal:
        return {type(choice) for choice in arguments}
    return {annotation if origin is None else origin}


def safe(text: str) -> str:
    """Return a text as it is written into a cell: nothing in it is run by a spreadsheet.

    >>> safe("=1+1"), safe("Battery"), safe("'=1"), safe(""), safe(" ")
    ("'=1+1", 'Battery', "''=1", '""', "' ")
    """
    if text == "" or _EMPTY.fullmatch(text):
        return '""' if text == "" else f"'{text}"
    return _NOT_YET_SAFE.sub(r"\1'", text)


def original(cell: str) -> str:
    """Return the text that `safe` was given.

    >>> original("'=1+1"), original("'Battery'"), original('""')
    ('=1+1', "'Battery'", '')
    """
    if _EMPTY.fullmatch(cell):
        return "" if cell == '""' else cell.removeprefix("'")
    return _MADE_SAFE.sub(r"\1", cell)


def to_cell(value: Any) -> str | int | float | bool | dt.date:
    """Return a value as a cell holds it: numbers, truth and dates as they are, texts safe, all else as JSON."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, bool | int | float | dt.date):
        number: int | float | bool | dt.date = _short(value)
        return number
    return safe(json.dumps(plain(value), ensure_ascii=False))


def plain(value: Any, days_as_text: bool = True) -> Any:
    """Return a value as numbers, texts, lists and mappings; of a record its kind and what was given.

    Parameters
    ----------
    value : object
    days_as_text : bool
        Whether dates become texts, as JSON needs it.
    """
    if isinstance(value, Record):
        kind = {"kind": getattr(value, "kind")} if "kind" in type(value).model_fields else {}  # noqa: B009
        value = {**kind, **given_of(value)}
    if isinstance(value, Mapping):
        return {name: plain(inner, days_as_text) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, days_as_text) for inner in value]
    if isinstance(value, dt.datetime):
        # An offset with seconds, as of local mean times, is beyond what ISO 8601 and its readers know.
        offset = value.utcoffset()
        is_odd = offset is not None and offset % dt.timedelta(minutes=1)
        return (value.astimezone(dt.UTC) if is_odd else value).isoformat()
    return value.isoformat() if isinstance(value, dt.date) and days_as_text else _short(value)


def _short(value: Any) -> Any:
    """Return a number without decimals where it has none: 100, not 100.0."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def given_of(record: Record) -> dict[str, Any]:
    """Return what a file states of a record: the fields that were given, less the empty ones that say nothing."""
    fields = type(record).model_fields
    return {
        name: value
        for name, value in record.given().items()
        if value not in (None, "", (), {}) or value != fields[name].get_default(call_default_factory=True)
    }


def from_cell(cell: object, kind: CellKind) -> Any:
    """Return the value that a cell states for a field.

    Parameters
    ----------
    cell : object
        A text of a CSV file; a text, number, truth value or date of an Excel file.
    kind : str
        How cells of the field are read (`cell_kind`).

    Raises
    ------
    ValueError
        If the cell does not state such a value; the message says what would do.
    """
    if isinstance(cell, str):
        text = original(cell)
        return text if kind == "text" else _READERS[kind](text.strip())
    if isinstance(cell, dt.datetime) and cell.time() == dt.time(0):
        cell = cell.date()
    if kind == "text":
        return _text_of(cell)
    if kind == "date" and not isinstance(cell, dt.date):
        raise ValueError("must be a date, as in 2024-06-01")
    if kind == "date" and isinstance(cell, dt.datetime):
        raise ValueError("must be a day without a time, as in 2024-06-01")
    return int(cell) if kind == "integer" and isinstance(cell, float) and cell.is_integer() else cell


def _text_of(cell: object) -> str:
    # A spreadsheet makes a number of a serial number, and a date of what looks like one.
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text)
    raise ValueError(f"must be a number{_number_hint(text)}")


def _number_hint(text: str) -> str:
    hint = ""
    if re.fullmatch(r"[+-]?\d+,\d+", text, re.ASCII):
        hint = f"; perhaps {text.replace(',', '.')}, with a point before the decimals"
    elif re.fullmatch(r"[+-]?\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d+)?", text, re.ASCII):
        hint = "; write it without signs between thousands"
    elif (percent := re.fullmatch(r"([+-]?\d+(?:\.\d+)?) ?%", text, re.ASCII)) is not None:
        hint = f"; shares are fractions, write {float(percent[1]) / 100:g}"
    elif (quantity := re.fullmatch(rf"({_NUMBER.pattern}) ?[^\d\s.,]\S*", text, re.ASCII)) is not None:
        hint = f"; the unit is in the column's name, write {quantity[1]}"
    return hint


def _integer(text: str) -> int:
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise ValueError("must be a whole number")
    return int(found[1])


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError('must be JSON, as in {"name": "value"} or [1, 2]') from None


_READERS: dict[str, Any] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": lambda text: text,  # the record reads it and says what is wrong with it
    "json": _json,
}
