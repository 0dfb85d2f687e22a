"""Tables for notebooks and reports: escaped, numbers aligned, units in the headings."""

from __future__ import annotations

import datetime as dt
import html
import math
import numbers
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ems.display import NOTHING, field_words, shown_number
from ems.units import with_unit

MONEY_DECIMALS = 2


@dataclass(frozen=True)
class Table:
    """Rows for people: shown as an HTML table in a notebook and as aligned text on a screen.

    Parameters
    ----------
    columns : sequence of str
        Headings, with the unit where there is one: ``capacity (kWh)``.
    rows : sequence of sequence
        Cells: numbers, texts, booleans or None. The first cell names its row.
    caption : str
        What the table shows.
    decimals : mapping of str to int
        Digits after the point, for columns whose numbers are to stand below each other.
    has_total : bool
        Whether the last row sums up the others.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    decimals: Mapping[str, int] = field(default_factory=dict)
    has_total: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            assert len(row) == len(self.columns), f"{len(row)} cells in a table of {len(self.columns)} columns"

    def _repr_html_(self) -> str:
        numeric = self._numeric()
        lines = ['<table class="ems-table">']
        if self.caption:
            lines.append(f"<caption>{html.escape(self.caption)}</caption>")
        headings = "".join(
            f'<th scope="col"{_alignment(is_number)}>{html.escape(str(column))}</th>'
            for column, is_number in zip(self.columns, numeric, strict=True)
        )
        lines.append(f"<thead><tr>{headings}</tr></thead>")
        bodies = [_row_html(texts, numeric) for texts in self._texts()]
        total = [bodies.pop()] if self.has_total else []
        lines += ["<tbody>", *bodies, "</tbody>"]
        if total:
            lines += ["<tfoot>", *total, "</tfoot>"]
        return "\n".join([*lines, "</table>"])

    def __repr__(self) -> str:
        numeric = self._numeric()
        texts = [[" ".join(text.split()) for text in row] for row in [list(map(str, self.columns)), *self._texts()]]
        widths = [max(len(row[at]) for row in texts) for at in range(len(self.columns))]
        lines = [
            "  ".join(
                text.rjust(width) if is_number else text.ljust(width)
                for text, width, is_number in zip(row, widths, numeric, strict=True)
            ).rstrip()
            for row in texts
        ]
        return "\n".join([self.caption, *lines] if self.caption else lines)

    def _numeric(self) -> list[bool]:
        """Return for each column whether all its cells are numbers."""
        columns = [[row[at] for row in self.rows if row[at] is not None] for at in range(len(self.columns))]
        return [bool(cells) and all(map(_is_number, cells)) for cells in columns]

    def _texts(self) -> list[list[str]]:
        return [
            [_cell(value, self.decimals.get(column)) for column, value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Sentence:
    """Words of a finding, shown in a notebook and its report as a paragraph.

    Parameters
    ----------
    text : str
        Plain text; nothing in it is read as markup.
    """

    text: str

    def _repr_markdown_(self) -> str:
        return re.sub(r"([\\`*_{}\[\]<>()#+!|$~&-])", r"\\\1", self.text)

    def __repr__(self) -> str:
        return self.text


def show_sentence(text: str) -> Sentence:
    """Return words as a paragraph of the notebook and the report."""
    return Sentence(text)


def shown_money(value: float | None, currency: str | None) -> str:
    """Return an amount with its currency: ``1,234.50 EUR``; a dash where there is none."""
    text = shown_number(value, MONEY_DECIMALS)
    return text if text == NOTHING or not currency else f"{text} {currency}"


def shown_duration(start: dt.datetime, end: dt.datetime) -> str:
    """Return the time between two moments as text: ``4.2 s``, ``3 min 20 s``, ``2 h 5 min``."""
    seconds = max((end - start).total_seconds(), 0.0)
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def show_assets(portfolio: Any) -> Table:
    """Return a table of a portfolio's assets: name, kind, site, and each stated field with its unit."""
    sites = {site.id: site.name for site in portfolio.sites}
    rows = [
        (asset.name, asset.kind.replace("_", " "), sites.get(asset.site_id, asset.site_id), _fields(asset, portfolio))
        for asset in portfolio.assets
    ]
    return Table(("asset", "kind", "site", "as given"), rows, f"{len(rows)} assets")


def show_costs(costs: Any, currency: str) -> Table:
    """Return a table of costs by type, with the total in its last row.

    Parameters
    ----------
    costs : DataFrame (cost type, case)
        Amounts in `currency`; revenues are negative.
    currency : str
        ISO 4217 code.
    """
    columns = ["cost", *(f"{column} ({currency})" for column in costs.columns)]
    values = costs.to_numpy(dtype=float)
    rows: list[list[object]] = [
        [cost_words(name), *map(float, row)] for name, row in zip(costs.index, values, strict=True)
    ]
    rows.append(
        ["total", *(math.fsum(x for x in values[:, at] if not math.isnan(x)) for at in range(values.shape[1]))]
    )
    return Table(
        columns, rows, "Costs; income is negative", decimals=dict.fromkeys(columns[1:], MONEY_DECIMALS), has_total=True
    )


def show_parameters(rows: Sequence[Mapping[str, object]]) -> Table:
    """Return a table of parameters from rows with the keys field, value, unit and meaning."""
    columns = ("field", "value", "unit", "meaning")
    return Table(columns, [[row.get(column, "") for column in columns] for row in rows], "Parameters")


def show_facts(facts: Mapping[str, object], caption: str = "") -> Table:
    """Return a table of two columns from labels to texts or numbers."""
    return Table(("what", "value"), list(facts.items()), caption)


def cost_words(name: object) -> str:
    """Return a cost type as words: ``import_cost`` is ``import cost``."""
    return str(name).replace("_", " ")


def _fields(asset: Any, portfolio: Any) -> str:
    given = asset.given() if hasattr(asset, "given") else vars(asset)
    texts = []
    for name, value in given.items():
        if name in {"id", "name", "kind", "site_id"}:
            continue
        if isinstance(value, bool):
            texts.append(f"{name.replace('_', ' ')}: {'yes' if value else 'no'}")
        elif _is_number(value):
            texts.append(f"{field_words(name)} {with_unit(shown_number(value), name, portfolio.currency)}")
        elif isinstance(value, str) and value:
            texts.append(f"{name.replace('_', ' ')}: {value}")
        elif isinstance(value, Sequence) and value:
            texts.append(f"{len(value)} {name.replace('_', ' ')}")
    return ", ".join(texts)


def _cell(value: object, decimals: int | None) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Real):
        return shown_number(value, decimals)  # type: ignore[arg-type]
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _row_html(texts: Sequence[str], numeric: Sequence[bool]) -> str:
    first = f'<th scope="row"{_alignment(False)}>{html.escape(texts[0])}</th>'
    rest = "".join(
        f"<td{_alignment(is_number)}>{html.escape(text)}</td>"
        for text, is_number in zip(texts[1:], numeric[1:], strict=True)
    )
    return f"<tr>{first}{rest}</tr>"


def _alignment(is_number: bool) -> str:
    # The style is for notebook programs, which align all cells right; the report has its own sheet and drops it.
    return ' class="number" style="text-align: right"' if is_number else ' style="text-align: left"'
