"""Marks that all figures share: steps over time, legends, titles, and the words of their alternative texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ems.display import shown_number
from ems.report.figure import MOST_POINTS_IN_SVG, ReportFigure, report_settings
from ems.report.style import SOFT_INK, local_time_axis, local_times, shown
from ems.report.tables import Sentence

LEGEND_LETTERS = 100
"""Letters of a legend's line in a figure of the report's width."""


def draw_steps(axes: Any, edges: np.ndarray, values: np.ndarray, colour: str) -> Any:
    """Draw a value for each step; return the line."""
    width = 1.7 if len(values) <= MOST_POINTS_IN_SVG else 0.5  # a thick line would hide its own ups and downs
    return axes.plot(edges, np.append(values, values[-1]), drawstyle="steps-post", color=colour, linewidth=width)[0]


def fill_steps(axes: Any, edges: np.ndarray, bottom: np.ndarray, top: np.ndarray, colour: str) -> Any:
    """Fill between two values for each step; return the area."""
    low, high = (np.append(values, values[-1]) for values in (bottom, top))
    return axes.fill_between(edges, low, high, step="post", facecolor=colour, linewidth=0)


def rounded(value: float) -> str:
    """Return a number with three significant digits."""
    return shown_number(float(f"{float(value):.3g}"))


def range_of(values: Sequence[np.ndarray]) -> str:
    """Return the lowest and the highest of several arrays in words: ``0.06 to 0.18``."""
    lowest, highest = (rounded(limit([limit(v) for v in values])) for limit in (np.nanmin, np.nanmax))
    return lowest if lowest == highest else f"{lowest} to {highest}"


def over_time(boundaries: np.ndarray, portfolio: Any) -> str:
    """Return the time that steps cover, in local time."""
    start, end = local_times(boundaries[[0, -1]], portfolio.sites[0].timezone)
    return f"from {start:%Y-%m-%d %H:%M %Z} to {end:%Y-%m-%d %H:%M %Z}"


def subject_of(portfolio: Any) -> str:
    """Return what a figure is about: the site, or how many there are."""
    count = len(portfolio.sites)
    return shown(portfolio.sites[0].name) if count == 1 else f"{count} sites"


def set_title(figure: ReportFigure, text: str) -> None:
    """Write the title of a whole figure."""
    figure.suptitle(text, x=0.008, ha="left", fontsize=11, fontweight="bold")


class SayingFigure(ReportFigure):
    """A figure of one sentence: it shows itself as that, so that a page has a line and no empty frame."""

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
        return {"text/markdown": Sentence(self.alt)._repr_markdown_(), "text/plain": self.alt}, {}


def saying(text: str) -> ReportFigure:
    """Return a figure of one sentence, for a site that has nothing of the kind."""
    figure = SayingFigure(text, height_in=0.6)
    with report_settings():
        figure.text(0.008, 0.5, text, va="center", color=SOFT_INK)
    return figure


def from_zero(axes: Any) -> None:
    """Let an axis begin at zero, with some room on the other side of the data."""
    lowest, highest = axes.dataLim.intervaly
    room = 0.12 * (max(highest, 0) - min(lowest, 0) or 1)
    axes.set_ylim(lowest - room if lowest < 0 else 0, highest + room if highest > 0 else 0 + room)


def share_time(all_axes: np.ndarray, boundaries: np.ndarray, portfolio: Any) -> None:
    """Give panels one axis of local time, below the last of them."""
    for axes in all_axes:
        local_time_axis(axes, boundaries, portfolio.sites[0].timezone)
        if axes is not all_axes[-1]:
            axes.set_xlabel("")
            axes.tick_params(axis="x", labelbottom=False)


def add_legend(axes: Any, handles: Sequence[Any], labels: Sequence[str], below: bool = False) -> None:
    """Name marks above the axes on the right, beside them where that is too long, or below them."""
    letters = max(map(len, labels)) + 6
    place: dict[str, Any]
    if below:
        place = {"loc": "upper left", "bbox_to_anchor": (0, -0.16), "ncols": max(1, LEGEND_LETTERS // letters)}
    elif letters * len(labels) <= LEGEND_LETTERS // 2:
        place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(labels), "borderaxespad": 0}
    else:
        place = {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    legend = axes.legend(handles, ["name"] * len(labels), **place)
    # matplotlib drops labels that begin with an underscore, so the names are written afterwards.
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(label)
