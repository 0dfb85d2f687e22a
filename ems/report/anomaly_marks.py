"""Marks of a measured series: all of a long one in few points, and stretches of it in a row for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.dates import date2num

from ems.report.model_marks import fitted_scale, outline
from ems.report.style import INK, SOFT_INK, shown

KIND_COLOURS = {
    "spike": "#D55E00",
    "gap": "#0072B2",
    "frozen": "#009E73",
    "negative": "#E69F00",
    "often_negative": "#8C6D1F",
    "clock_shift": "#CC79A7",
    "level_shift": "#6B4E9B",
}
"""Told apart with each common colour blindness; each kind has a row of its own, too."""
OTHER_KIND = "#56B4E9"
MOST_COLUMNS = 700
"""Columns of a long series' drawing; of the values in each the lowest and the highest are shown."""
LEAST_SHARE = 0.004
"""Share of the width that the mark of the shortest stretch has, so that it is seen."""
MOST_NUMBERS = 60
"""Stretches up to which each bears the number by which a table names it, and is marked behind the series, too."""
LEAST_APART = 0.022
"""Share of the width between two numbers, so that they do not hide each other."""
ROW_IN = 0.28


def kind_words(kind: object) -> str:
    """Return a kind of anomaly as words: ``clock shift``."""
    return shown(str(kind).replace("_", " "))


def draw_series(axes: Any, edges: np.ndarray, measured: np.ndarray) -> None:
    """Draw a series; of a long one the range of values in each column of the drawing, so that no spike is lost."""
    if len(measured) <= MOST_COLUMNS:
        axes.plot(*outline(edges, measured), color=INK, linewidth=1.1)
    else:
        starts = np.linspace(0, len(measured), MOST_COLUMNS + 1).astype(int)[:-1]
        lowest, highest = np.fmin.reduceat(measured, starts), np.fmax.reduceat(measured, starts)
        places = np.repeat(date2num(np.append(edges[starts], edges[-1])), 2)[1:-1]
        # The outline has a width of its own, as a column whose values are equal has no height.
        line = {"facecolor": INK, "edgecolor": INK, "linewidth": 0.6}
        axes.fill_between(places, np.repeat(lowest, 2), np.repeat(highest, 2), **line)
    fitted_scale(axes)


def draw_stretches(series: Any, rows: Any, anomalies: Sequence[Any], kinds: Sequence[str], edges: np.ndarray) -> None:
    """Draw a row of bars for each kind, and behind the series the same stretches, pale, where they are few."""
    first, last = date2num(edges[0]), date2num(edges[-1])
    width = last - first
    marks: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    lately = dict.fromkeys(kinds, -np.inf)
    for number, one in enumerate(anomalies, 1):
        kind, (left, length) = str(one.kind), _mark(one, first, last)
        marks[kind].append((left, length))
        middle = left + length / 2
        if len(anomalies) <= MOST_NUMBERS and middle - lately[kind] >= LEAST_APART * width:
            lately[kind] = middle
            rows.annotate(
                str(number),
                (middle, kinds.index(kind) - 0.12),
                xytext=(0, 1.5),
                textcoords="offset points",
                ha="center",
                fontsize=7,
                color=SOFT_INK,
            )
    for at, kind in enumerate(kinds):
        colour = KIND_COLOURS.get(kind, OTHER_KIND)
        spans = _merged(marks[kind])
        rows.broken_barh(spans, (at - 0.12, 0.34), facecolor=colour, linewidth=0)
        if len(anomalies) <= MOST_NUMBERS:  # more would hide the series, and each other
            low, high = series.get_ylim()
            series.broken_barh(spans, (low, high - low), facecolor=colour, alpha=0.28, linewidth=0, zorder=0.5)
            series.set_ylim(low, high)
    rows.set_yticks(np.arange(len(kinds)), labels=[f"{kind_words(kind)}, {len(marks[kind]):,}" for kind in kinds])
    rows.set_ylim(len(kinds) - 0.6, -0.75)
    rows.tick_params(axis="y", length=0, labelcolor=INK)
    rows.grid(False, axis="y")


def _mark(anomaly: Any, first: float, last: float) -> tuple[float, float]:
    """Return begin and length of an anomaly's mark within the drawing, wide enough to be seen."""
    begin, end = (float(np.clip(date2num(_utc(one)), first, last)) for one in (anomaly.begin, anomaly.end))
    length = max(end - begin, LEAST_SHARE * (last - first))
    return min(max((begin + end - length) / 2, first), last - length), length


def _merged(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return spans (begin, length) with those that overlap joined, so that paleness tells nothing but the kind."""
    found: list[tuple[float, float]] = []
    for begin, length in sorted(spans):
        if found and begin <= sum(found[-1]):
            found[-1] = (found[-1][0], max(found[-1][1], begin + length - found[-1][0]))
        else:
            found.append((begin, length))
    return found


def _utc(time: Any) -> np.datetime64:
    """Return a moment as UTC without zone."""
    stamp = pd.Timestamp(time)
    return (stamp if stamp.tz is None else stamp.tz_convert("UTC").tz_localize(None)).to_datetime64()
