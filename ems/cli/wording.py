"""How records, tables and notes are shown on a terminal."""

from __future__ import annotations

import json
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from ems.errors import EmsWarning, InvalidInput
from ems.units import with_unit

_JOINER = "\u200d"
"""Joins the parts of an emoji; the only invisible sign that a terminal is given."""


def printable(value: object) -> str:
    """Return a value on one line, without signs that would steer a terminal or turn its writing around.

    >>> printable("two\\nlines"), printable(None), printable(True)
    ('two\\\\u000alines', '', 'true')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.12g}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else str(value)
    return "".join(
        c if c == _JOINER or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else f"\\u{ord(c):04x}"
        for c in text
    )


def quantity(value: Any, name: str, currency: str = "currency") -> str:
    """Return a value with the unit of its field, as text."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return with_unit(printable(value), name, currency) if is_number else printable(value)


def echo_table(columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
    """Print rows under their headings; the columns named in ``right`` end at the right.

    The last column is not cut; others are as wide as their longest cell.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(_width(text) for text in column) for column in zip(columns, *cells, strict=True)]
    for row in (columns, *cells):
        line = "  ".join(
            " " * (width - _width(text)) + text if name in right else text + " " * (width - _width(text))
            for name, text, width in zip(columns, row, widths, strict=True)
        )
        click.echo(line.rstrip())


def _width(text: str) -> int:
    """Return how many places a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(c) or c == _JOINER else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


@contextmanager
def notes() -> Iterator[None]:
    """Print warnings of the package as notes, one line each, in place of Python's form of them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EmsWarning)
        yield
    for one in caught:
        if issubclass(one.category, EmsWarning):
            click.echo(f"note: {one.message}", err=True)
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def settings_of(texts: Sequence[str], example: str) -> dict[str, str]:
    """Return the names and values of texts such as ``capacity_kwh=200``.

    Raises
    ------
    InvalidInput
        If a text is no such pair, or a name stands twice.
    """
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise InvalidInput(f"'{printable(text)}'", f"must be field=value, as in {example}")
        if name in settings:
            raise InvalidInput(f"'{printable(text)}'", f"{name} is given twice; keep one")
        settings[name] = value
    return settings
