"""Display: how things show themselves in a notebook and on a screen, as a small table of words and values."""

from __future__ import annotations

import datetime as dt
import html
import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ems.errors import show
from ems.units import UNITS, unit_of

NOTHING = "–"
MOST_ROWS = 20
"""Rows of a table that is shown by itself; the others are counted."""
MOST_IN_CELL = 4
"""Members of a list that are shown within a cell or a line; the others are counted."""
_LEFT = "text-align: left"
_QUIET = f"{_LEFT}; opacity: 0.7"  # quieter on a light and on a dark page alike
_NOWRAP = f"{_LEFT}; white-space: nowrap"


@dataclass(frozen=True)
class Card:
    """A table for a glance: escaped HTML that needs no style sheet, and aligned text.

    Parameters
    ----------
    caption : str
        What it is about, in a line.
    rows : sequence of sequence of str
        Cells, all rows of one length; the first cell names its row.
    columns : sequence of str
        Headings; none where the rows are words and values.
    has_meaning : bool
        Whether the last cell of a row only explains it: quiet in HTML, left out of the text.
    rest : str
        What is not shown: ``and 9,980 more assets``.
    folded : sequence of sequence of str
        Rows that a click unfolds; left out of the text.
    folded_words : str
        What they are.
    """

    caption: str
    rows: Sequence[Sequence[str]]
    columns: Sequence[str] = ()
    has_meaning: bool = False
    rest: str = ""
    folded: Sequence[Sequence[str]] = ()
    folded_words: str = ""

    def as_html(self) -> str:
        """Return the card as a table of HTML, and what is folded as another."""
        caption = f'<caption style="{_LEFT}"><strong>{html.escape(self.caption)}</strong></caption>'
        parts = [self._table(self.rows, caption, self.rest)]
        if self.folded:
            summary = f"<summary>{html.escape(self.folded_words)}</summary>"
            parts.append(f"<details>{summary}{self._table(self.folded)}</details>")
        return "\n".join(parts)

    def as_text(self) -> str:
        """Return the card as aligned text."""
        rows = [[" ".join(cell.split()) for cell in row] for row in [self.columns, *self.rows] if row]
        if self.has_meaning:
            rows = [row[:-1] for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([self.caption, *(f"  {line}" for line in [*lines, self.rest] if line)])

    def _table(self, rows: Sequence[Sequence[str]], caption: str = "", rest: str = "") -> str:
        lines = [f'<table class="ems-table">{caption}']
        if self.columns:
            headings = "".join(
                f'<th scope="col" style="{_LEFT}">{html.escape(column)}</th>' for column in self.columns
            )
            lines.append(f"<thead><tr>{headings}</tr></thead>")
        lines += ["<tbody>", *map(self._row, rows), "</tbody>"]
        if rest:
            width = max(map(len, rows), default=1)
            lines.append(f'<tfoot><tr><td colspan="{width}" style="{_QUIET}">{html.escape(rest)}</td></tr></tfoot>')
        return "\n".join([*lines, "</table>"])

    def _row(self, cells: Sequence[str]) -> str:
        styles = [_NOWRAP, *[_LEFT] * (len(cells) - 1)]
        if self.has_meaning:
            styles[-1] = _QUIET
        texts = [html.escape(cell) for cell in cells]
        first = f'<th scope="row" style="{styles[0]}">{texts[0]}</th>'
        rest = "".join(f'<td style="{style}">{text}</td>' for style, text in zip(styles[1:], texts[1:], strict=True))
        return f"<tr>{first}{rest}</tr>"


class Shown:
    """What shows itself as a card: a table in a notebook, a line where it stands among other things.

    ``print`` gives the card as aligned text.
    """

    def card(self) -> Card:
        """Return what a person wants to see of it first."""
        raise NotImplementedError

    def caption(self) -> str:
        """Return what it is, in a line; quick, for it is also what a debugger shows."""
        return type(self).__name__

    def __repr__(self) -> str:
        caption = self.caption()
        return f"<{caption}>" if caption == type(self).__name__ else f"<{type(self).__name__}: {caption}>"

    def __str__(self) -> str:
        return self.card().as_text()

    def _repr_html_(self) -> str:
        return self.card().as_html()


class Answer(Shown):
    """What answers a question in a few figures, and shows these."""

    def headline(self) -> Sequence[tuple[str, str]]:
        """Return the figures that answer the question, with their units."""
        raise NotImplementedError

    def card(self) -> Card:
        """Return the figures."""
        return Card(self.caption(), self.headline())


def shown_number(value: float | None, decimals: int | None = None) -> str:
    """Return a number with thousands separators; a dash where there is none.

    Parameters
    ----------
    value : float or None
    decimals : int, optional
        Digits after the point; without it six significant digits, and no zeros at the end.

    Examples
    --------
    >>> shown_number(1234.5), shown_number(1234.5, 2), shown_number(-0.001, 2), shown_number(float("nan"))
    ('1,234.5', '1,234.50', '0.00', '–')
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if decimals is None:
        if isinstance(value, numbers.Integral):
            return f"{int(value):,}"
        text = f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"
    else:
        text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def field_words(name: str) -> str:
    """Return a field's name without its unit, which stands after the value: ``max charge``."""
    words = name.split("_")
    if "per" in words[1:-1]:
        words = words[: len(words) - 1 - words[::-1].index("per")]
    if len(words) > 1 and words[-1] in UNITS:
        words.pop()
    return " ".join(words)


def shown_value(value: object, name: str, currency: str = "") -> str:
    """Return the value of a field as a person reads it: thousands, unit, local time as it was given.

    Parameters
    ----------
    value : object
    name : str
        Of the field, which states the unit.
    currency : str
        ISO 4217 code, where it is known; else an amount of money stays bare.

    Examples
    --------
    >>> shown_value(1500.0, "capacity_kwh"), shown_value(0.05, "wear_cost_per_kwh"), shown_value(True, "can_export")
    ('1,500 kWh', '0.05 per kWh', 'yes')
    """
    texts = []
    if isinstance(value, Mapping):
        texts = [f"{key}: {_one_value(one, str(key), '')}" for key, one in islice(value.items(), MOST_IN_CELL)]
    elif isinstance(value, list | tuple | set | frozenset):
        texts = [_one_value(one, name, currency) for one in islice(value, MOST_IN_CELL)]
    else:
        return _one_value(value, name, currency)
    more = len(value) - len(texts)
    return ", ".join(texts) + (f" and {more:,} more" if more > 0 else "") or NOTHING


def shown_range(values: Sequence[float], unit: str = "") -> str:
    """Return the least, the greatest and the mean of values, to four digits.

    >>> shown_range([12.0, 1500.0], "kW")
    '12 to 1,500 kW, mean 756 kW'
    """
    least, most, mean = (shown_number(float(f"{float(one):.4g}")) for one in (min(values), max(values), _mean(values)))
    return f"{least} to {most} {unit}".rstrip() + f", mean {mean} {unit}".rstrip()


def counted(count: int, one: str, several: str | None = None) -> str:
    """Return a count with its word.

    >>> counted(1, "asset"), counted(10_000, "asset"), counted(2, "battery", "batteries")
    ('1 asset', '10,000 assets', '2 batteries')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def shown_time(moment: dt.datetime) -> str:
    """Return a moment in its own time zone, with the day of the week.

    >>> shown_time(dt.datetime(2024, 6, 3, 8, tzinfo=dt.UTC))
    'Mon 2024-06-03 08:00 UTC'
    """
    return f"{moment:%a %Y-%m-%d %H:%M %Z}".rstrip()


class Short:
    """A value whose representation is one short line, however much it holds."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        value = self.value
        if isinstance(value, tuple | list) and len(value) > MOST_IN_CELL:
            head = ", ".join(repr(Short(one)) for one in value[:2])
            return f"({head}, ... {len(value) - 2:,} more)"
        text = repr(value)
        return text if len(text) <= 200 else f"{text[:190]}...{text[-1]}"


def _one_value(value: object, name: str, currency: str) -> str:
    """Return a value that holds no others; of a record its id or name, or where it has none, what was stated."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Real):
        return _with_unit(shown_number(value if isinstance(value, int) else float(value)), name, currency)
    if isinstance(value, dt.datetime):
        return shown_time(value)
    named = None if isinstance(value, str) else getattr(value, "id", None) or getattr(value, "name", None)
    given = getattr(value, "given", None) if named is None else None
    if callable(given):
        return " ".join(f"{field_words(key)} {shown_value(one, key, currency)}" for key, one in given().items())
    text = str(value if named is None else named) if value is not None else ""
    return show(text).removeprefix("'").removesuffix("'") if text else NOTHING


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _with_unit(text: str, name: str, currency: str) -> str:
    unit = unit_of(name, currency)
    if unit in (None, "", "1"):
        return text
    assert unit is not None
    return f"{text} per {unit[1:]}" if unit.startswith("/") else f"{text} {unit}"
