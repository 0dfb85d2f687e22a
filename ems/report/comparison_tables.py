"""The tables of a comparison: cases by rank, why some have no result, what differs, what each parameter does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ems.display import shown_number
from ems.report.quantity import Quantity
from ems.report.tables import Table

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 30
"""Cases that a table shows; a person reads no more of them."""
MOST_LISTED = 12
"""Numbers of cases that a cell lists."""
EFFECT_ROWS = 60


@dataclass(frozen=True, repr=False)
class MixedTable(Table):
    """A table whose rows are of different kinds, each with digits of its own.

    Parameters
    ----------
    of_row : sequence of int or None
        Digits after the point of each row.
    """

    of_row: Sequence[int | None] = ()

    def _texts(self) -> list[list[str]]:
        return [
            [str(row[0]), *(shown_number(float(str(value)), decimals) for value in row[1:])]
            for row, decimals in zip(self.rows, self.of_row, strict=True)
        ]


def show_failures(failures: pd.DataFrame) -> Table:
    """Return a table of why cases have no result, each reason once.

    Parameters
    ----------
    failures : DataFrame
        ``reason``, ``cases`` (numbers) and ``label`` of the first of them.
    """
    rows = [
        (_numbers(one["cases"]), len(one["cases"]), one["label"], one["reason"])
        for one in failures.head(MOST_ROWS).to_dict("records")
    ]
    count = sum(len(cases) for cases in failures["cases"])
    more = f"; {len(failures) - len(rows)} more reasons are not shown" if len(failures) > len(rows) else ""
    caption = f"{count} {'case has' if count == 1 else 'cases have'} no result{more}" if count else "No case failed"
    return Table(("cases", "how many", "the first", "why"), rows, caption)


def show_cases(
    ranked: pd.DataFrame, parameters: Sequence[str], quantities: Sequence[Quantity], baseline: int | None = None
) -> Table:
    """Return a table of cases, the best first; of many the first ones and the last.

    Parameters
    ----------
    ranked : DataFrame
        ``rank``, ``number``, ``against`` and a column for each parameter and quantity.
    parameters : sequence of str
        Their names carry their units.
    quantities : sequence of Quantity
        The first one is that by which cases are ranked; ``against`` is in its unit.
    baseline : int, optional
        Number of the case that ``against`` refers to; without it that is the best.
    """
    measure = quantities[0]
    unit = f" ({measure.unit})" if measure.unit else ""
    against = f"against {'the best' if baseline is None else f'case {baseline}'}{unit}"
    columns = ["rank", "case", measure.heading, against, *parameters, *(one.heading for one in quantities[1:])]
    is_long = len(ranked) > MOST_ROWS
    shown = ranked.iloc[[*range(MOST_ROWS - 1), -1]] if is_long else ranked
    rows = [
        [
            one["rank"],
            one["number"],
            one[measure.name],
            one["against"],
            *(_cell(one[name]) for name in parameters),
            *(one[quantity.name] for quantity in quantities[1:]),
        ]
        for one in shown.to_dict("records")
    ]
    decimals = {one.heading: one.decimals for one in quantities if one.decimals is not None}
    if measure.decimals is not None:
        decimals[against] = measure.decimals
    left = f"; {len(ranked) - MOST_ROWS:,} before the last are not shown" if is_long else ""
    caption = f"{len(ranked):,} {'case' if len(ranked) == 1 else 'cases'} by {measure.words}, the best first{left}"
    return Table(columns, rows, caption, decimals=decimals)


def show_settings(settings: pd.DataFrame) -> Table:
    """Return a table of the parameters in which some cases differ.

    Parameters
    ----------
    settings : DataFrame (parameter, case)
        Values in words.
    """
    rows = [[str(name), *values] for name, values in zip(settings.index, settings.to_numpy().tolist(), strict=True)]
    caption = "Parameters in which they differ" if rows else "They differ in no parameter"
    return Table(["parameter", *map(str, settings.columns)], rows, caption)


def show_differences(differences: pd.DataFrame) -> Table:
    """Return a table of the figures in which some cases differ, and by how much the second differs from the first.

    Parameters
    ----------
    differences : DataFrame (Quantity, case)
        NaN where a case has no such figure.
    """
    cases = [str(name) for name in differences.columns]
    columns = ["figure", *cases, *(["second less first"] if len(cases) > 1 else [])]
    rows = [
        [quantity.heading, *values, *([values[1] - values[0]] if len(cases) > 1 else [])]
        for quantity, values in zip(differences.index, differences.to_numpy(dtype=float).tolist(), strict=True)
    ]
    caption = "Figures in which they differ" if rows else "They differ in no figure"
    return MixedTable(columns, rows, caption, of_row=tuple(one.decimals for one in differences.index))


def show_effects(effects: pd.DataFrame, quantity: Quantity) -> Table:
    """Return a table of what each value of each parameter does to a figure.

    Parameters
    ----------
    effects : DataFrame
        ``parameter``, ``value``, ``cases``, ``results``, ``mean``, ``effect``, ``least`` and ``most``.
    quantity : Quantity
    """
    unit = f" ({quantity.unit})" if quantity.unit else ""
    named = {
        "mean": f"mean{unit}",
        "effect": f"against the mean of all{unit}",
        "least": f"least{unit}",
        "most": f"most{unit}",
    }
    if (effects["results"] <= 1).all():  # a range of one result is none
        named = {name: named[name] for name in ("mean", "effect")}
    rows: list[list[object]] = []
    before = None
    for one in effects.head(EFFECT_ROWS).to_dict("records"):
        results = f"{one['results']}" if one["results"] == one["cases"] else f"{one['results']} of {one['cases']}"
        # Its name stands once, beside the first of its values.
        rows.append(
            ["" if one["parameter"] == before else one["parameter"], one["value"], results, *(one[n] for n in named)]
        )
        before = one["parameter"]
    more = f"; {len(effects) - EFFECT_ROWS:,} more values are not shown" if len(effects) > EFFECT_ROWS else ""
    words = f"{quantity.words[:1].upper()}{quantity.words[1:]}"
    caption = f"{words} by value, the mean over all others{more}" if rows else "The cases differ in no parameter"
    decimals = {} if quantity.decimals is None else dict.fromkeys(named.values(), quantity.decimals)
    return Table(["parameter", "value", "results", *named.values()], rows, caption, decimals=decimals)


def _cell(value: object) -> object:
    return value if isinstance(value, int | float) else str(value)


def _numbers(cases: Sequence[int]) -> str:
    listed = [str(number) for number in cases[:MOST_LISTED]]
    return ", ".join(listed) + (f" and {len(cases) - MOST_LISTED} more" if len(cases) > MOST_LISTED else "")
