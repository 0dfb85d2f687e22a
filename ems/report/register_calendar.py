"""The figures of the register over days: what maintenance is due, what is under warranty, how much life is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from ems.display import counted
from ems.report.figure import ReportFigure, report_settings
from ems.report.register_figures import MOST_ROWS, ROW_IN, saying
from ems.report.register_rows import DueRow, HealthRow
from ems.report.register_words import FAIR, GOOD, POOR, health_colour
from ems.report.style import INK, LINE, SOFT_INK, shown

OVER_LINES: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1}
LONGEST_BACK_D = 45
"""Days before today that are drawn; older work stands at the edge."""


def plot_maintenance(rows: Sequence[DueRow], today: dt.date, days_ahead: int) -> ReportFigure:
    """Return the work that is overdue or falls due within some days, a line each, the most urgent first.

    Parameters
    ----------
    rows : sequence of DueRow
    today : date
    days_ahead : int
        Days after today that are shown.

    Returns
    -------
    ReportFigure
        Where nothing is due, a figure that says so.
    """
    end = today + dt.timedelta(days=days_ahead)
    due = [row for row in rows if row.is_overdue or (row.due is not None and row.due <= end)]
    if not due:
        return saying(f"No maintenance is overdue or due until {end}.")
    due.sort(key=lambda row: (row.due or today, row.name))
    drawn = due[:MOST_ROWS]
    overdue = sum(row.is_overdue for row in due)
    summary = f"{overdue} overdue, {len(due) - overdue} due until {end}"
    details = [f"{shown(row.name)} {row.what} {_day_words(row)}" for row in due]
    figure = ReportFigure(f"Maintenance, {summary}: {'; '.join(details)}.", height_in=1.15 + 0.32 * len(drawn))
    start = today - dt.timedelta(days=min(LONGEST_BACK_D, _oldest(due, today) + 4))
    with report_settings():
        axes = figure.subplots()
        axes.axvspan(_number(start), _number(today), color=POOR, alpha=0.08, linewidth=0)
        axes.axvline(_number(today), color=INK, linewidth=1.2)
        axes.annotate(
            "today",
            (_number(today), 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize=8.5,
            color=SOFT_INK,
        )
        for at, row in enumerate(drawn):
            _draw_due(axes, row, at, start, today)
        _dates_axis(axes, start, end)
        axes.set_yticks(np.arange(len(drawn)), [shown(row.name, 30) for row in drawn])
        axes.set_ylim(len(drawn) - 0.5, -0.6)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        more = f"; the {MOST_ROWS} most urgent are drawn" if len(due) > MOST_ROWS else ""
        figure.suptitle(f"Maintenance: {summary}{more}", x=0.008, ha="left", fontsize=11, fontweight="bold")
    return figure


def plot_health(rows: Sequence[HealthRow], today: dt.date) -> ReportFigure:
    """Return the health of assets beside the time of their warranty, the weakest first.

    Parameters
    ----------
    rows : sequence of HealthRow
        Assets of which neither health nor warranty is known are counted, not drawn.
    today : date
    """
    known = sorted(
        (row for row in rows if row.score is not None or row.warranty_end is not None),
        key=lambda row: (2.0 if row.score is None else row.score, row.warranty_end or dt.date.max),
    )
    if not known:
        return saying(f"Neither health nor warranty is known of {counted(len(rows), 'asset')}.")
    drawn = known[:MOST_ROWS]
    rest = [f"{counted(len(rows) - len(known), 'asset')} without either"] if len(known) < len(rows) else []
    rest += [f"the weakest {MOST_ROWS} of {len(known)}"] if len(known) > MOST_ROWS else []
    details = [f"{shown(row.name)} {_health_words(row)}, warranty {row.warranty}" for row in drawn]
    note = f" ({', '.join(rest)})" if rest else ""
    figure = ReportFigure(
        f"Health and warranty{note}: {'; '.join(details)}.", height_in=1.1 + ROW_IN * 1.1 * len(drawn)
    )
    with report_settings():
        health, warranty = figure.subplots(1, 2, sharey=True, width_ratios=(1.15, 1))
        for at, row in enumerate(drawn):
            _draw_health(health, row, at)
            _draw_warranty(warranty, row, at, today)
        for axes in (health, warranty):
            axes.grid(False, axis="y")
            axes.tick_params(axis="y", length=0, labelcolor=INK)
        health.set_yticks(np.arange(len(drawn)), [shown(row.name, 28) for row in drawn])
        health.set_ylim(len(drawn) - 0.5, -0.5)
        health.set_xlim(0, 1.55)
        health.set_xticks((0, 0.25, 0.5, 0.75, 1))
        health.set_xlabel("health (1 as new, 0 at its end)")
        weakest = drawn[0]
        known_words = f"{shown(weakest.name, 24)} {weakest.score:.2f}" if weakest.score is not None else "not known"
        health.set_title(f"Lowest health: {known_words}")
        warranty.axvline(_number(today), color=INK, linewidth=1.2)
        ends = [row.warranty_end for row in known if row.warranty_end is not None]
        warranty.set_title(f"Warranty in force: {sum(end >= today for end in ends)} of {len(ends)}")
        warranty.set_xlabel("green in force, amber ends within a year, grey ended")
        _years_axis(warranty, drawn, today)
    return figure


# ---------------------------------------------------------------------------------------------- maintenance
def _draw_due(axes: Any, row: DueRow, at: int, start: dt.date, today: dt.date) -> None:
    day = row.due or today
    is_older = day < start
    colour = POOR if row.is_overdue else "#0072B2"
    marker = "<" if is_older else "D" if row.is_overdue else "o"
    x = _number(max(day, start))
    axes.plot([x], [at], marker=marker, color=colour, markersize=8, linestyle="none", clip_on=False, zorder=3)
    axes.annotate(
        f"{row.what}, {_day_words(row)}",
        (x, at),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.6,
        color=INK,
        bbox=OVER_LINES,
    )


def _day_words(row: DueRow) -> str:
    if row.due is None:
        return "overdue" if row.is_overdue else "due"
    return f"overdue since {row.due:%d %b %Y}" if row.is_overdue else f"{row.due:%d %b}"


def _oldest(due: Sequence[DueRow], today: dt.date) -> int:
    return max(((today - row.due).days for row in due if row.due is not None and row.due < today), default=3)


def _dates_axis(axes: Any, start: dt.date, end: dt.date) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=11)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(
            locator,
            formats=["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%S"],
            zero_formats=["", "%b %Y", "%d %b", "", "", ""],
            show_offset=False,
        )
    )
    # Room at the right for the words of what is due last.
    axes.set_xlim(_number(start), _number(end) + 0.28 * (end - start).days)
    axes.axvline(_number(end), color=LINE, linewidth=1.2)


# ---------------------------------------------------------------------------------------------- health, warranty
def _draw_health(axes: Any, row: HealthRow, at: int) -> None:
    axes.barh(at, 1, 0.56, facecolor="none", edgecolor=LINE, linewidth=1)
    if row.score is not None:
        axes.barh(at, row.score, 0.56, color=health_colour(row.score), linewidth=0)
    axes.annotate(
        _health_words(row),
        (1, at),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.8,
        color=INK if row.score is not None else SOFT_INK,
    )


def _draw_warranty(axes: Any, row: HealthRow, at: int, today: dt.date) -> None:
    if row.warranty_end is None:
        axes.annotate(
            "unknown",
            (_number(today), at),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.8,
            color=SOFT_INK,
        )
        return
    days = (row.warranty_end - today).days
    colour = "#B7BEC9" if days < 0 else FAIR if days <= 365 else GOOD
    end = _number(row.warranty_end)
    axes.plot([end], [at], marker="|", markersize=12, markeredgewidth=2.5, color=colour)
    if row.warranty_start is not None:
        start = _number(row.warranty_start)
        axes.barh(at, end - start, 0.3, left=start, color=colour, linewidth=0)
    axes.annotate(
        f"{row.warranty_end:%b %Y}",
        (end, at),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.8,
        bbox=OVER_LINES,
    )


def _health_words(row: HealthRow) -> str:
    if row.score is None:
        return "unknown"
    left = f", {row.remaining_life_a:.1f} a left" if row.remaining_life_a is not None else ""
    return f"{row.score:.2f}{left}"


def _years_axis(axes: Any, rows: Sequence[HealthRow], today: dt.date) -> None:
    under = [row for row in rows if row.warranty_end is not None]
    days = [day for row in under for day in (row.warranty_start, row.warranty_end) if day is not None]
    first, last = min([today, *days]), max([today, *days])
    span = max((last - first).days, 365)
    from matplotlib.dates import DateFormatter, YearLocator

    years = span / 365
    axes.xaxis.set_major_locator(
        YearLocator(base=next(step for step in (1, 2, 5, 10, 20, 50, 100) if years / step <= 7))
    )
    axes.xaxis.set_major_formatter(DateFormatter("%Y"))
    axes.set_xlim(_number(first) - 0.03 * span, _number(last) + 0.22 * span)


def _number(day: dt.date) -> float:
    from matplotlib.dates import date2num

    return float(date2num(day))
