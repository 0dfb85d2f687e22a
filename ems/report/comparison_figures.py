"""The figures of a comparison: what each parameter does to a figure, and a heat map over two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.display import shown_number
from ems.report.figure import ReportFigure, report_settings
from ems.report.marks import saying
from ems.report.quantity import Quantity
from ems.report.style import INK, OTHER_COLOUR, SOFT_INK, shown

if TYPE_CHECKING:
    import pandas as pd

HEAT = "cividis_r"
"""Perceived alike with and without colour blindness; darker is more."""
DARK = 0.45
"""Above this share of a scale its colour is so dark that text on it is white."""
MARK = "#D55E00"
"""Of the best: apart from all colours of the heat map, for colour-blind eyes, too."""
PLAIN = "{x:,.12g}"
"""Numbers of an axis in full, thousands set apart."""
RANGE = "#CBD3DE"
MOST_PANELS = 6
PER_ROW = 3
MOST_TICKS = 24
LETTERS_PER_ROW = 96
"""Digits that fit beside each other in a heat map."""
MOST_CELLS_WRITTEN = 200
LONGEST_VALUE = 16
LETTERS_UNTURNED = 84
"""Letters of an axis' labels, over the width of a report, above which they are turned."""
ALIKE = 1e-6


def plot_effects(effects: pd.DataFrame, quantity: Quantity) -> ReportFigure:
    """Return the mean of a figure over each parameter's values: a line where they are numbers, else points.

    Parameters
    ----------
    effects : DataFrame
        ``parameter``, ``heading`` (with its unit), ``value``, ``x`` (NaN where values are no numbers), ``results``,
        ``mean``, ``least``, ``most``; parameters in the order in which they are drawn.
    quantity : Quantity
    """
    known = effects[effects["results"] > 0]
    names = list(dict.fromkeys(known["parameter"]))
    if not names:
        return saying("The cases differ in no parameter.")
    drawn = names[:MOST_PANELS]
    rows, columns = -(-len(drawn) // PER_ROW), min(len(drawn), PER_ROW)
    left = f" {len(names) - len(drawn)} more parameters do less and are not drawn." if len(names) > len(drawn) else ""
    said = "; ".join(_said(known[known["parameter"] == name], quantity) for name in drawn)
    means = known.loc[known["parameter"] == drawn[0], "mean"]
    of_first = f"{shown_number(float(means.min()), quantity.decimals)} to {quantity.shown(float(means.max()))}"
    figure = ReportFigure(
        f"{_capital(quantity.words)} by parameter, the mean over all others: {said}.{left}", height_in=0.9 + 2.7 * rows
    )
    handles: dict[str, Any] = {}
    with report_settings():
        places = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, name in zip(places.ravel(), drawn, strict=False):
            handles |= _draw_effect(axes, known[known["parameter"] == name], quantity, columns)
        for axes in places.ravel()[len(drawn) :]:
            axes.set_visible(False)
        for axes in places[:, 0]:
            axes.set_ylabel(quantity.heading)
        figure.suptitle(
            f"{_capital(quantity.words)} by {shown(drawn[0])}: {of_first}"
            if len(drawn) == 1
            else f"{shown(drawn[0])} does most to the {quantity.words}: {of_first}",
            x=0.008,
            ha="left",
            fontsize=11,
            fontweight="bold",
        )
        figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=len(handles))
    return figure


def plot_pair(pair: Any | None, quantity: Quantity) -> ReportFigure:
    """Return a heat map of a figure over two parameters: the best cell marked, those without a result hatched.

    Parameters
    ----------
    pair : PairMeans or None
        ``means`` (DataFrame; values in words, rows and columns named by their parameters; NaN where there is no
        result), ``results`` and ``cases`` alike; of rows and columns ``headings``, names with units, and
        ``is_number``: numbers rise upward. None where no two parameters differ.
    quantity : Quantity
    """
    if pair is None:
        return saying("Fewer than two parameters differ between the cases: there is no pair to look at.")
    means = pair.means.iloc[::-1] if pair.is_number[0] else pair.means
    values = means.to_numpy(dtype=float)
    if np.isnan(values).all():
        return saying("No pair of values has a result.")
    best = _best_cells(values, quantity)
    is_small = values.size <= MOST_CELLS_WRITTEN
    is_mean = int(pair.cases.to_numpy().max()) > 1
    figure = ReportFigure(_alt(means, best, quantity, is_mean), height_in=min(2.1 + 0.42 * len(means), 9.0))
    with report_settings():
        axes = figure.subplots()
        scale = _scale(values)
        mesh = axes.pcolormesh(
            np.ma.masked_invalid(values),
            cmap=HEAT,
            vmin=scale[0],
            vmax=scale[1],
            edgecolors="white",
            linewidth=1 if is_small else 0.2,
        )
        if is_small:
            is_partial = (pair.results < pair.cases).loc[means.index].to_numpy()
            _write_numbers(axes, values, scale, quantity, is_partial)
        handles = _mark_cells(axes, values, best)
        _name_cells(axes, [str(one) for one in means.index], "y")
        _name_cells(axes, [str(one) for one in means.columns], "x")
        axes.set_ylabel(shown(pair.headings[0], 60))
        axes.set_xlabel(shown(pair.headings[1], 60))
        axes.set_xlim(0, values.shape[1])
        axes.set_ylim(values.shape[0], 0)
        axes.grid(False)
        axes.tick_params(length=0)
        axes.set_title(_pair_title(means, best, quantity, is_mean))
        figure.colorbar(mesh, ax=axes, label=quantity.heading, pad=0.01).ax.yaxis.set_major_formatter(PLAIN)
        if handles:
            figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=len(handles))
    return figure


# ---------------------------------------------------------------------------------------------- effects
def _draw_effect(axes: Any, effect: pd.DataFrame, quantity: Quantity, columns: int) -> dict[str, Any]:
    """Draw the means of one parameter's values with their ranges, and return the marks by their meaning."""
    means = effect["mean"].to_numpy(dtype=float)
    is_number = bool(effect["x"].notna().all())
    x = effect["x"].to_numpy(dtype=float) if is_number else np.arange(len(effect), dtype=float)
    least, most = (effect[name].to_numpy(dtype=float) for name in ("least", "most"))
    width, size = (4, 5) if len(x) <= MOST_TICKS else (1, 2.5)
    handles: dict[str, Any] = {}
    if (most - least > ALIKE * np.abs(most)).any():
        handles["range over the others"] = axes.vlines(x, least, most, color=RANGE, linewidth=width, zorder=1)
    mean = axes.plot(
        x, means, color=OTHER_COLOUR, linestyle="-" if is_number else "none", marker="o", markersize=size
    )[0]
    handles["mean" if effect["results"].max() > 1 else "result"] = mean
    overall = float(np.average(means, weights=effect["results"].to_numpy(dtype=float)))
    handles["mean of all"] = axes.axhline(overall, color=SOFT_INK, linestyle=(0, (4, 3)), linewidth=0.9, zorder=0)
    at = _best_cells(means, quantity)
    if not at.all():
        style = {"linestyle": "none", "marker": "D", "markersize": 8, "color": MARK, "markerfacecolor": "none"}
        handles["best"] = axes.plot(x[at], means[at], markeredgewidth=1.8, zorder=5, **style)[0]
    if not is_number:
        _name_points(axes, [str(one) for one in effect["value"]], columns)
    axes.yaxis.set_major_formatter(PLAIN)
    heading = shown(effect["heading"].iloc[0], 60)
    # Of a long name the unit stands below.
    axes.set_xlabel(heading.replace(" (", "\n(") if len(heading) > LETTERS_UNTURNED // columns else heading)
    axes.margins(x=0.12 if len(x) > 1 else 0.5, y=0.12)
    return handles


def _said(effect: pd.DataFrame, quantity: Quantity) -> str:
    """Return the ends of a parameter's means in words."""
    means, values = effect["mean"].to_numpy(dtype=float), effect["value"].tolist()
    ends = [f"{quantity.shown(float(means[at]))} at {shown(values[at])}" for at in (means.argmin(), means.argmax())]
    name = shown(effect["parameter"].iloc[0])
    return f"{name} {ends[0]}" if ends[0] == ends[1] else f"{name} from {ends[0]} to {ends[1]}"


def _name_points(axes: Any, labels: list[str], columns: int) -> None:
    every = max(1, -(-len(labels) // (MOST_TICKS // columns)))
    texts = _short_names(labels)[::every]
    axes.set_xticks(range(0, len(labels), every), labels=texts)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    if sum(len(text) + 2 for text in texts) > LETTERS_UNTURNED // columns:
        axes.tick_params(axis="x", rotation=35)
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("right")


# ---------------------------------------------------------------------------------------------- pairs
def _mark_cells(axes: Any, values: np.ndarray, best: np.ndarray) -> dict[str, Any]:
    """Frame the best cells and hatch those without a result; return the marks by their meaning."""
    from matplotlib.patches import Rectangle

    handles: dict[str, Any] = {}
    for row, column in np.argwhere(np.isnan(values)):
        place = Rectangle((column, row), 1, 1, facecolor="white", edgecolor="#A9B2BF", hatch="////", linewidth=0)
        handles["no result"] = axes.add_patch(place)
    for row, column in np.argwhere(best):
        place = Rectangle(
            (column + 0.03, row + 0.03), 0.94, 0.94, facecolor="none", edgecolor=MARK, linewidth=2.6, zorder=5
        )
        handles["best"] = axes.add_patch(place)
    return handles


def _write_numbers(
    axes: Any, values: np.ndarray, scale: tuple[float, float], quantity: Quantity, is_partial: np.ndarray
) -> None:
    """Write each cell's value, with a star where some of its cases have no result; nothing where they would touch."""
    decimals = 2 if quantity.decimals is None else quantity.decimals
    texts = {
        (row, column): f"{value:,.{decimals}f}{'*' if is_partial[row, column] else ''}"
        for (row, column), value in np.ndenumerate(values)
        if not np.isnan(value)
    }
    if (max(map(len, texts.values())) + 2) * values.shape[1] > LETTERS_PER_ROW:
        return
    for (row, column), text in texts.items():
        share = (values[row, column] - scale[0]) / (scale[1] - scale[0])
        colour = "white" if share > DARK else INK
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8.5, color=colour)


def _name_cells(axes: Any, labels: list[str], side: str) -> None:
    """Write values beside the cells; of many each second, third, ... one."""
    every = max(1, -(-len(labels) // MOST_TICKS))
    texts = _short_names(labels)[::every]
    places = np.arange(0, len(labels), every) + 0.5
    if side == "y":
        axes.set_yticks(places, labels=texts)
        return
    axes.set_xticks(places, labels=texts)
    if sum(len(text) + 2 for text in texts) > LETTERS_UNTURNED:
        axes.tick_params(axis="x", rotation=35)
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("right")


def _pair_title(means: pd.DataFrame, best: np.ndarray, quantity: Quantity, is_mean: bool) -> str:
    if int(best.sum()) > 1:
        return f"{int(best.sum())} pairs have the {quantity.best} {quantity.words} alike"
    ((row, column),) = np.argwhere(best)
    pairs = ((means.index.name, means.index[row]), (means.columns.name, means.columns[column]))
    at = " with ".join(f"{shown(name)}={shown(value, LONGEST_VALUE)}" for name, value in pairs)
    words = f"{quantity.words} on average" if is_mean else quantity.words
    value = quantity.shown(float(means.to_numpy(dtype=float)[row, column]))
    return f"{at} has the {quantity.best} {words}: {value}"


def _alt(means: pd.DataFrame, best: np.ndarray, quantity: Quantity, is_mean: bool) -> str:
    values = means.to_numpy(dtype=float)
    gone = int(np.isnan(values).sum())
    cells = [f"{means.index[row]} and {means.columns[column]}" for row, column in np.argwhere(best)]
    return (
        f"Heat map of the {quantity.words}{' on average' if is_mean else ''} over {shown(means.index.name)} and "
        f"{shown(means.columns.name)}: from {quantity.shown(float(np.nanmin(values)))} to "
        f"{quantity.shown(float(np.nanmax(values)))}; best at {shown('; '.join(cells), 200)}"
        + (f"; {gone} of {values.size} pairs have no result." if gone else ".")
    )


# ---------------------------------------------------------------------------------------------- both
def _best_cells(values: np.ndarray, quantity: Quantity) -> np.ndarray:
    """Return where the best value is, and all that equal it but for rounding."""
    best = np.nanmin(values) if quantity.is_least else np.nanmax(values)
    found: np.ndarray = np.abs(values - best) <= max(ALIKE * float(np.nanmax(np.abs(values))), 0.0)
    return found


def _scale(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of a scale of colours, apart even where all values are equal."""
    lowest, highest = float(np.nanmin(values)), float(np.nanmax(values))
    return (lowest, highest) if highest > lowest else (lowest - abs(lowest) * 0.5 - 1e-3, highest + 1e-3)


def _short_names(labels: Sequence[str]) -> list[str]:
    """Return short names, those that would be alike with a number.

    >>> _short_names(["a" * 20, "a" * 20 + "b", "c"])
    ['aaaaaaaaaaa… (1)', 'aaaaaaaaaaa… (2)', 'c']
    """
    names = [shown(label, LONGEST_VALUE) for label in labels]
    counts = Counter(names)
    endings = [f" ({at})" if counts[name] > 1 else "" for at, name in enumerate(names, 1)]
    return [shown(label, LONGEST_VALUE - len(end)) + end for label, end in zip(labels, endings, strict=True)]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
