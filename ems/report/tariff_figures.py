"""The figures of tariffs: prices over hour and month, what each tariff costs by charge, and month by month."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.report.figure import ReportFigure, report_settings
from ems.report.marks import add_legend, range_of, rounded, saying, set_title
from ems.report.style import COST_COLOURS, INK, SOFT_INK, shown
from ems.report.tables import cost_words, shown_money

if TYPE_CHECKING:
    import pandas as pd

CHARGE_COLOURS = (*COST_COLOURS, "#56B4E9", "#D55E00", "#8A94A3", "#F0E442", "#6B4E9B", "#1C2430")
"""As many as there are types of cost on an invoice."""
HEAT = "cividis_r"
"""Perceived alike with and without colour blindness; darker is dearer."""
MOST_TABLES = 12
"""Tariffs whose prices are drawn; a page holds no more of them."""
PER_ROW = 3
MONTH_LETTERS = "JFMAMJJASOND"
ROW_IN = 0.36
ALIKE = 1e-9
"""Prices that differ by less are equal but for rounding."""
DARK = 0.45
"""Above this share of a scale its colour is so dark that text on it is white."""


def plot_price_tables(tables: Mapping[str, pd.DataFrame], currency: str) -> ReportFigure:
    """Return the price of each tariff over hour and month as heat maps on one scale.

    Parameters
    ----------
    tables : mapping of str to DataFrame (month, hour)
        Prices by the tariff's name; rows 1 to 12, columns 0 to 23; NaN where there is none.
    currency : str
    """
    drawn = {name: table.to_numpy(dtype=float) for name, table in list(tables.items())[:MOST_TABLES]}
    drawn = {name: values for name, values in drawn.items() if not np.isnan(values).all()}
    if not drawn:
        return saying("No tariff has a price.")
    unit = f"{currency}/kWh"
    facts = [f"{shown(name)} {range_of([values])} {unit}" for name, values in drawn.items()]
    rows = -(-len(drawn) // PER_ROW)
    columns = min(len(drawn), PER_ROW)
    lowest, highest = _range([*drawn.values()])
    alt = f"Heat maps of the import price over hour and month: {'; '.join(facts)}."
    figure = ReportFigure(alt, height_in=0.8 + 2.0 * rows)
    with report_settings():
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        places = grid.ravel()
        for axes, (name, values) in zip(places, drawn.items(), strict=False):
            mesh = _draw_runs(axes, values, (lowest, highest))
            axes.set_title(shown(name, 26), fontsize=9.2)
            axes.set_xticks(range(0, 25, 6))
            axes.set_yticks(np.arange(12) + 0.5, labels=list(MONTH_LETTERS))
            axes.grid(False)
            axes.set_xlim(0, 24)
            axes.set_ylim(12, 0)
        spans = {name: float(np.nanmax(values) - np.nanmin(values)) for name, values in drawn.items()}
        widest = max(spans, key=spans.__getitem__)
        said = f"; {shown(widest, 32)} changes most" if spans[widest] > 0 else ""
        set_title(figure, f"Import price {range_of([*drawn.values()])} {unit}{said}")
        for axes in places[len(drawn) :]:
            axes.set_visible(False)
        for axes in grid[:, 0]:
            axes.set_ylabel("month")
        for axes in places[max(len(drawn) - columns, 0) : len(drawn)]:
            axes.set_xlabel("hour (local)")
            axes.tick_params(axis="x", labelbottom=True)
        figure.colorbar(mesh, ax=places[: len(drawn)].tolist(), label=f"import price ({unit})", pad=0.01)
    return figure


def plot_charges(charges: pd.DataFrame, currency: str) -> ReportFigure:
    """Return what each tariff costs as a bar of its charges, incomes left of zero, the sum beside it.

    Parameters
    ----------
    charges : DataFrame (cost type, tariff)
        Money; an income is negative. Tariffs by rising cost.
    currency : str
    """
    if charges.empty:
        return saying("No tariff was billed.")
    values = charges.to_numpy(dtype=float)
    totals = values.sum(axis=0)
    names = [shown(name) for name in charges.columns]
    said = [f"{name} {shown_money(total, currency)}" for name, total in zip(names, totals, strict=True)]
    figure = ReportFigure(f"Cost of each tariff by charge: {'; '.join(said)}.", height_in=1.5 + ROW_IN * len(names))
    places = np.arange(len(names))
    with report_settings():
        axes = figure.subplots()
        above, below = np.zeros(len(names)), np.zeros(len(names))
        handles = []
        for number, amounts in enumerate(values):
            left = np.where(amounts >= 0, above, below)
            colour = CHARGE_COLOURS[number % len(CHARGE_COLOURS)]
            handles.append(axes.barh(places, amounts, 0.66, left=left, color=colour)[0])
            above, below = above + np.maximum(amounts, 0), below + np.minimum(amounts, 0)
        for place, total in enumerate(totals.tolist()):
            axes.annotate(
                shown_money(total, None),
                (above[place], place),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        axes.axvline(0, color=SOFT_INK, linewidth=0.8)
        room = max(float(above.max()), 0.0) - min(float(below.min()), 0.0) or 1.0
        axes.set_xlim(min(float(below.min()), 0.0) - 0.02 * room, float(above.max()) + 0.14 * room)
        _name_rows(axes, names)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(f"cost ({currency}); income left of zero")
        axes.set_title(_title(names, totals.tolist(), currency))
        add_legend(axes, handles, [cost_words(name) for name in charges.index], below=True)
        # Below the axis' label, which is as far from the bars whatever their number.
        legend: Any = axes.get_legend()
        legend.set_bbox_to_anchor((0, -0.55 / (0.4 + ROW_IN * len(names))))
    return figure


def plot_months(months: pd.DataFrame, currency: str) -> ReportFigure:
    """Return what each month costs under each tariff as a heat map with its numbers.

    Parameters
    ----------
    months : DataFrame (month, tariff)
        Money; months as 2024-06. Tariffs by rising cost.
    currency : str
    """
    if months.empty:
        return saying("No month was billed.")
    values = months.to_numpy(dtype=float).T
    names = [shown(name) for name in months.columns]
    lowest, highest = _range([values])
    facts = [f"{name} {range_of([row])}" for name, row in zip(names, values, strict=True)]
    alt = f"Heat map of the cost of each month by tariff in {currency}: {'; '.join(facts)}."
    figure = ReportFigure(alt, height_in=1.2 + ROW_IN * len(names))
    with report_settings():
        axes = figure.subplots()
        mesh = axes.pcolormesh(values, cmap=HEAT, vmin=lowest, vmax=highest, edgecolors="white", linewidth=1)
        if len(months) <= len(MONTH_LETTERS) * 2:
            _write_numbers(axes, values, lowest, highest)
        _name_rows(axes, names, 0.5)
        axes.set_xticks(np.arange(len(months)) + 0.5, labels=_month_labels([str(one) for one in months.index]))
        axes.grid(False)
        cheapest = values[0]
        most = f"{np.nanmax(cheapest):,.2f} {currency} under {shown(months.columns[0], 28)}"
        axes.set_title(f"Cost by month: {months.index[int(np.nanargmax(cheapest))]} is the dearest with {most}")
        figure.colorbar(mesh, ax=axes, label=f"cost ({currency})", pad=0.01)
    return figure


def plot_cash_flows(flows: Mapping[str, pd.DataFrame], currency: str) -> ReportFigure:
    """Return the discounted sum of an investment's cash flows over its years, a line for each tariff.

    Parameters
    ----------
    flows : mapping of str to DataFrame
        By the tariff's name: index ``year``, column ``cumulative_discounted``.
    currency : str
    """
    if not flows:
        return saying("No investment is looked at.")
    sums = {shown(name): table["cumulative_discounted"].to_numpy(dtype=float) for name, table in flows.items()}
    facts = [f"{name} ends at {shown_money(float(line[-1]), currency)}" for name, line in sums.items()]
    figure = ReportFigure(f"Discounted cash flows of the battery, summed up: {'; '.join(facts)}.", height_in=3.8)
    best = max(sums, key=lambda name: sums[name][-1])
    with report_settings():
        axes = figure.subplots()
        handles = [
            axes.plot(np.arange(len(line)), line, color=CHARGE_COLOURS[at % len(CHARGE_COLOURS)])[0]
            for at, line in enumerate(sums.values())
        ]
        axes.axhline(0, color=SOFT_INK, linewidth=0.8)
        axes.set_xlabel("year")
        axes.set_ylabel(f"discounted sum ({currency})")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(f"Net present value: most under {best}, {rounded(float(sums[best][-1]))} {currency}")
        add_legend(axes, handles, list(sums), below=True)
    return figure


def _draw_runs(axes: Any, values: np.ndarray, scale: tuple[float, float]) -> Any:
    """Draw a table as coloured cells; neighbours of one value are one cell, so that the drawing stays small."""
    from matplotlib.collections import PolyCollection

    corners, found = [], []
    for row, prices in enumerate(values):
        cuts = [0, *(np.flatnonzero(np.abs(np.diff(prices)) > ALIKE) + 1).tolist(), len(prices)]
        for begin, end in itertools.pairwise(cuts):
            if not np.isnan(prices[begin]):
                corners.append([(begin, row), (end, row), (end, row + 1), (begin, row + 1)])
                found.append(prices[begin])
    cells = PolyCollection(corners, array=np.array(found), cmap=HEAT, edgecolors="face", linewidths=0.3)
    cells.set_clim(*scale)
    return axes.add_collection(cells)


def _range(arrays: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the ends of a scale of colours, apart even where all values are equal."""
    lowest = min(float(np.nanmin(values)) for values in arrays)
    highest = max(float(np.nanmax(values)) for values in arrays)
    return (lowest, highest) if highest > lowest else (lowest - abs(lowest) * 0.5 - 1e-3, highest + 1e-3)


def _title(names: Sequence[str], totals: Sequence[float], currency: str) -> str:
    if len(names) == 1:
        return f"{names[0]} costs {rounded(totals[0])} {currency}"
    return f"{names[0]} costs {rounded(totals[-1] - totals[0])} {currency} less than {names[-1]}"


def _name_rows(axes: Any, names: Sequence[str], middle: float = 0.0) -> None:
    """Write names beside rows, the first at the top."""
    axes.set_yticks(np.arange(len(names)) + middle, labels=list(names))
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(len(names) - 0.5 + middle, -0.5 + middle)
    axes.grid(False, axis="y")


def _write_numbers(axes: Any, values: np.ndarray, lowest: float, highest: float) -> None:
    for (row, column), value in np.ndenumerate(values):
        is_dark = (value - lowest) / (highest - lowest) > DARK
        axes.text(
            column + 0.5,
            row + 0.5,
            f"{value:,.0f}",
            ha="center",
            va="center",
            fontsize=7.5,
            color="white" if is_dark else INK,
        )


def _month_labels(months: Sequence[str]) -> list[str]:
    """Return short names of months, the year at the first and at each January.

    >>> _month_labels(["2024-12", "2025-01", "2025-02"])
    ['12/2024', '1/2025', '2']
    """
    found = []
    for number, month in enumerate(months):
        year, of_year = month.split("-")
        short = str(int(of_year))
        found.append(f"{short}/{year}" if number == 0 or of_year == "01" else short)
    return found
