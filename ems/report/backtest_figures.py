"""The figures of a backtest: scores by lead time and hour, calibration, good and bad days, errors, cost, weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.dates import date2num

from ems.report.backtest_marks import (
    BacktestData,
    chance_band,
    correlation_words,
    draw_by_hour,
    draw_widths,
    front_of,
    issue_edges,
    label_points,
    means_of,
)
from ems.report.figure import ReportFigure, report_settings
from ems.report.marks import add_legend, range_of, rounded, saying, set_title
from ems.report.model_marks import (
    amount,
    day_of,
    draw_fan,
    fitted_scale,
    middles_of,
    mixed,
    model_styles,
    model_words,
    outline,
    percent,
    quantity_of,
    short_time_axis,
    span,
    with_units,
)
from ems.report.style import COST_COLOURS, INK, LINE, SOFT_INK, local_time_axis, local_times

if TYPE_CHECKING:
    import xarray as xr

MOST_DAYS = 12
"""Panels of a figure of days."""
PER_ROW = 3
MOST_STEPS_OF_DAY = 50
"""Steps that are drawn as such in a small panel."""
MOST_MARKED = 48
"""Points of a line that each have a dot."""
LEAST_SECONDS = 1e-4
"""CPU seconds that are told apart."""
LEAST_WEIGHT = 0.005
"""Weight below which a member is never drawn."""
ALARM = "#D55E00"


# ---------------------------------------------------------------------------------------------- scores
def plot_scores_by_lead(table: pd.DataFrame, units: str = "") -> ReportFigure:
    """Return the mean absolute error over lead time, one line a model.

    Parameters
    ----------
    table : DataFrame
        Index lead time in hours, one column a model.
    units : str
    """
    return _plot_scores(table, units, "lead time", "hours after the issue time")


def plot_scores_by_hour(table: pd.DataFrame, units: str = "") -> ReportFigure:
    """Return the mean absolute error over the hour of the local day, one line a model.

    Parameters
    ----------
    table : DataFrame
        Index hour, one column a model.
    units : str
    """
    return _plot_scores(table.reindex(range(24)) if len(table) else table, units, "hour", "hour of the local day")


def _plot_scores(table: pd.DataFrame, units: str, subject: str, below: str) -> ReportFigure:
    """Return lines of scores; the title tells which model is best how often."""
    values = table.to_numpy(dtype=float)
    if not np.isfinite(values).any():
        return saying("Nothing was scored.")
    means = table.mean().sort_values()
    models = [str(name) for name in means.index]
    said = "; ".join(f"{model_words(name)} {rounded(value)}" for name, value in zip(models, means, strict=True))
    figure = ReportFigure(
        f"{with_units('Mean absolute error', units)} by {subject}, on average over them: {said}.", height_in=3.4
    )
    with report_settings():
        axes = figure.subplots()
        styles = model_styles(models, [str(name) for name in table.columns])
        places = table.index.to_numpy(dtype=float)
        step = float(np.min(np.diff(places))) if len(places) > 1 else 1.0
        dots = {"marker": "o", "markersize": 3} if len(table) <= MOST_MARKED else {}
        handles: list[Any] = []
        # The best is drawn last, above the others.
        for name in models[::-1]:
            is_plain = styles[name].is_rule and len(table) > 1
            line = {"color": styles[name].colour, "linestyle": styles[name].dashes, **({} if is_plain else dots)}
            handles.insert(0, axes.plot(places + step / 2, table[name], **line)[0])
        axes.set_xlim(places[0], places[-1] + step)
        axes.xaxis.set_major_locator(_hours(places[-1] + step - places[0]))
        axes.set_ylim(0, float(np.nanmax(values)) * 1.06 or 1)
        axes.set_xlabel(below)
        axes.set_ylabel(with_units("mean absolute error", units))
        set_title(figure, _best_words(table, models[0], units, subject))
        if len(models) > 1:
            add_legend(axes, handles, [model_words(name) for name in models])
    return figure


def _best_words(table: pd.DataFrame, best: str, units: str, subject: str) -> str:
    mean = amount(rounded(float(table[best].mean())), units)
    if len(table.columns) == 1:
        hardest = f", most at {subject} {float(str(table[best].idxmax())):g}" if len(table.dropna()) > 1 else ""
        return f"{model_words(best)} errs by {mean} on average{hardest}"
    known = table.dropna(how="all")
    wins = int((known[best] <= known.min(axis=1)).sum())
    plural = "" if len(known) == 1 else "s"
    return f"{model_words(best)} errs least, {mean} on average; best at {wins} of {len(known)} {subject}{plural}"


def _hours(length: float) -> Any:
    """Return marks of an axis in hours."""
    from matplotlib.ticker import MultipleLocator

    return MultipleLocator(next((step for step in (0.25, 0.5, 1, 3, 6, 12, 24) if length / step <= 9), 48))


# ---------------------------------------------------------------------------------------------- calibration
def plot_calibration(
    backtest: xr.Dataset, models: Sequence[str], is_certain: np.ndarray | None = None
) -> ReportFigure:
    """Return levels against the share of observations below them, within what chance allows, and interval widths.

    Parameters
    ----------
    backtest : Dataset
        ``predicted(model, issued_at, step, quantile)`` and ``observed(issued_at, step)``.
    models : sequence of str
        The title tells of the first.
    is_certain : ndarray of bool (issued_at, step), optional
        Steps that tell nothing, as solar power at night.
    """
    tested = BacktestData(backtest, is_certain)
    if not len(models) or not tested.uncertain.any():
        return saying("No observation tells whether the probabilities hold.")
    levels, units = tested.levels, tested.units
    shares = {str(name): tested.reached(str(name)) for name in models}
    off = {name: 100 * float(np.mean(np.abs(share - levels))) for name, share in shares.items()}
    intervals = {name: tested.interval(name) for name in shares}
    days = int(tested.uncertain.any(axis=1).sum())
    figure = ReportFigure(_calibration_alt(off, intervals, units, days), height_in=max(3.7, 1.5 + 0.34 * len(off)))
    with report_settings():
        left, right, bars = figure.subplots(1, 3, width_ratios=(1, 1, 0.95))
        grid = np.concatenate([[0], levels, [1]])
        low, high = chance_band(grid, days)
        left.fill_between(100 * grid, 100 * low, 100 * high, facecolor=LINE, linewidth=0)
        right.fill_between(100 * grid, 100 * (low - grid), 100 * (high - grid), facecolor=LINE, linewidth=0)
        left.plot([0, 100], [0, 100], color=SOFT_INK, linewidth=0.8)
        right.axhline(0, color=SOFT_INK, linewidth=0.8)
        styles = model_styles(list(shares), tested.models)
        handles = []
        for name, share in shares.items():
            line = {"color": styles[name].colour, "linestyle": styles[name].dashes, "marker": "o", "markersize": 3.2}
            handles.append(left.plot(100 * levels, 100 * share, **line)[0])
            right.plot(100 * levels, 100 * (share - levels), **line)
        left.set_ylabel("observations below (%)")
        right.set_ylabel("reached less level (points)")
        # The band of few days is so wide that it would flatten the lines.
        most = 100 * max(float(np.abs(share - levels).max()) for share in shares.values())
        reach = max(1.25 * most, min(105 * float((high - grid).max()), 3 * most), 1.0)
        right.set_ylim(-reach, reach)
        for axes in (left, right):
            axes.set_xlim(0, 100)
            axes.set_xticks(range(0, 101, 20))
            axes.set_xlabel("level (%)")
        left.set_ylim(0, 100)
        left.set_title("Levels reached", fontsize=10)
        right.set_title("Distance from the level", fontsize=10)
        first = next(iter(off))
        band = f"grey: what chance allows over {days} day{'' if days == 1 else 's'}"
        set_title(figure, f"Levels of {model_words(first)} are {rounded(off[first])} points off on average; {band}")
        known = {name: one for name, one in intervals.items() if one is not None}
        if known:
            draw_widths(bars, known, styles, units)
        else:
            bars.set_visible(False)
            add_legend(left, handles, [model_words(name) for name in shares], below=True)
    return figure


def _calibration_alt(off: dict[str, float], intervals: dict[str, Any], units: str, days: int) -> str:
    facts = []
    for name, points in off.items():
        fact = f"{model_words(name)} {rounded(points)} points off on average"
        if intervals[name] is not None:
            width, inside = intervals[name]
            fact += f", its 80 % interval {amount(rounded(width), units)} wide with {rounded(100 * inside)} % inside"
        facts.append(fact)
    return f"Reliability diagram over {days} days, levels against shares of observations below: {'; '.join(facts)}."


# ---------------------------------------------------------------------------------------------- days
def plot_days(backtest: xr.Dataset, model: str, days: Sequence[Any], title: str = "Days") -> ReportFigure:
    """Return some days of a backtest, each with the fan of its forecast and what was measured.

    Parameters
    ----------
    backtest : Dataset
    model : str
    days : sequence of datetime
        Issue times; of many the first are drawn.
    title : str
        What these days have in common: the best, the worst.
    """
    if not len(days):
        return saying("No day was scored.")
    tested = BacktestData(backtest)
    drawn = list(days)[:MOST_DAYS]
    columns = min(PER_ROW, len(drawn))
    rows = -(-len(drawn) // columns)
    units, timezone = tested.units, tested.timezone
    some = f", the first {len(drawn)} of {len(days)}" if len(drawn) < len(days) else ""
    figure = ReportFigure("", height_in=0.9 + 2.0 * rows)
    colour = model_styles([model], tested.models)[model].colour
    facts = []
    with report_settings():
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, day in zip(grid.ravel(), drawn, strict=False):
            fan, observed = tested.fold(model, day)
            handles, labels = draw_fan(axes, fan, colour, MOST_STEPS_OF_DAY)
            style: dict[str, Any] = {"marker": "o", "markersize": 2.6, "markeredgewidth": 0, "linestyle": "none"}
            if len(observed) > MOST_STEPS_OF_DAY:
                style = {"linewidth": 0.7}
            dots = axes.plot(middles_of(fan.edges), observed, color=INK, **style)[0]
            error = means_of(np.abs(fan.median - observed)[None])[0]
            words = amount(rounded(float(error)), units) if np.isfinite(error) else "not measured"
            axes.set_title(f"{day_of(fan.edges[0], timezone)}: {words}", fontsize=9.2)
            short_time_axis(axes, fan.edges, timezone)
            facts.append(f"{day_of(fan.edges[0], timezone)} {words}")
        for axes in grid.ravel()[len(drawn) :]:
            axes.set_visible(False)
        fitted_scale(*grid.ravel()[: len(drawn)])
        for axes in grid[:, 0]:
            axes.set_ylabel(with_units(quantity_of(str(backtest.attrs.get("variable", "value"))), units))
        layout: Any = figure.get_layout_engine()
        layout.set(w_pad=0.12)  # dates at the ends of axes reach beyond them
        set_title(figure, f"{title} of {model_words(model)} and their mean absolute error{some} (local time)")
        place = {"loc": "outside lower left", "fontsize": 8.6, "handlelength": 1.4}
        figure.legend([dots, *handles], ["measured", *labels], ncols=len(labels) + 1, **place)
    figure.alt = (
        f"{title} of {model_words(model)}{some}, each with its fan and what was measured; mean absolute error: "
        f"{'; '.join(facts)}."
    )
    return figure


# ---------------------------------------------------------------------------------------------- errors
def plot_residuals(backtest: xr.Dataset, model: str) -> ReportFigure:
    """Return errors by hour of the local day, as a histogram, and from day to day.

    Parameters
    ----------
    backtest : Dataset
    model : str
    """
    tested = BacktestData(backtest)
    errors = tested.errors(model)
    known = np.isfinite(errors)
    if not known.any():
        return saying("Nothing was measured to compare with.")
    units, timezone, words = tested.units, tested.timezone, model_words(model)
    bias = float(errors[known].mean())
    low, high = np.quantile(errors[known], (0.1, 0.9))
    side = "too high" if bias > 0 else "too low"
    fact = f"{words} is {amount(rounded(abs(bias)), units)} {side} on average; 80 % of errors lie from "
    fact += f"{rounded(low)} to {amount(rounded(high), units)}"
    edges, means = issue_edges(backtest["issued_at"].values), means_of(errors)
    memory = correlation_words(means)
    figure = ReportFigure(
        f"Errors, forecast less measured: {fact}. By hour of the local day, as a histogram, and by day "
        f"{span(edges, timezone)}, daily means {amount(range_of([means]), units)}{f'; {memory}' if memory else ''}.",
        height_in=5.2,
    )
    colour = model_styles([model], tested.models)[model].colour
    axis = with_units("forecast less\nmeasured", units)
    with report_settings():
        panels: Any = figure.subplot_mosaic([["hour", "histogram"], ["day", "day"]], width_ratios=(2.2, 1))
        by_hour, histogram, by_day = panels["hour"], panels["histogram"], panels["day"]
        handles = draw_by_hour(by_hour, tested.times[known], errors[known], timezone, colour)
        by_hour.set_title("By local hour", fontsize=10)
        by_hour.set_ylabel(axis)
        add_legend(by_hour, handles, ["median", "25 to 75 %", "10 to 90 %"])
        counts, bounds = np.histogram(errors[known], bins=min(40, max(6, round(np.sqrt(known.sum())))))
        share = 100 * counts / counts.sum()
        histogram.barh(
            (bounds[:-1] + bounds[1:]) / 2, share, np.diff(bounds) * 0.92, color=mixed(colour, "#FFFFFF", 0.7)
        )
        histogram.set_xlabel("share of steps (%)")
        histogram.set_ylabel(axis)
        histogram.set_title("All steps", fontsize=10)
        places, values = outline(edges, means)
        by_day.fill_between(places, 0, values, facecolor=mixed(colour, "#FFFFFF", 0.7), linewidth=0)
        by_day.set_ylabel(axis)
        by_day.set_title(f"Mean of each forecast{f'; {memory}' if memory else ''}", fontsize=10)
        local_time_axis(by_day, edges, timezone)
        for axes in panels.values():
            axes.axhline(0, color=SOFT_INK, linewidth=0.8)
        set_title(figure, fact)
    return figure


# ---------------------------------------------------------------------------------------------- cost, weights, drift
def plot_cost_against_skill(table: pd.DataFrame, units: str = "") -> ReportFigure:
    """Return CPU seconds of a forecast against its error, one dot a model.

    Parameters
    ----------
    table : DataFrame
        Index model, columns ``seconds`` and ``mae``.
    units : str
    """
    known = table[table["seconds"].notna() & table["mae"].notna()] if len(table) else table
    if known.empty:
        return saying("No model was scored.")
    names = [str(name) for name in known.index]
    seconds, error = known["seconds"].to_numpy(dtype=float), known["mae"].to_numpy(dtype=float)
    facts = [
        f"{model_words(name)} {rounded(cost)} s, {amount(rounded(mae), units)}"
        for name, cost, mae in zip(names, seconds, error, strict=True)
    ]
    figure = ReportFigure(f"Seconds of a forecast against its error: {'; '.join(facts)}.", height_in=3.6)
    cost = np.maximum(seconds, LEAST_SECONDS)
    best = int(np.argmin(error))
    with report_settings():
        axes = figure.subplots()
        styles = model_styles(names)
        worth = front_of(cost, error)
        axes.plot(cost[worth], error[worth], color=LINE, linewidth=2, drawstyle="steps-post", zorder=1)
        for at, name in enumerate(names):
            axes.plot([cost[at]], [error[at]], "o", color=styles[name].colour, markersize=8, markeredgecolor="white")
        axes.set_xscale("log")
        axes.set_xlim(cost.min() / 1.8, cost.max() * 3.5)
        room = 0.14 * np.ptp(error) or 0.1 * abs(error[0]) or 1
        axes.set_ylim(max(error.min() - room, 0), error.max() + room)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel("CPU seconds of a forecast, fits shared out")
        axes.set_ylabel(with_units("mean absolute error", units))
        set_title(figure, f"{model_words(names[best])} errs least, for {rounded(seconds[best])} s of CPU a forecast")
        label_points(figure, axes, list(zip(cost, error, strict=True)), [model_words(name) for name in names])
    return figure


def plot_weights(weights: pd.DataFrame, timezone: str = "UTC") -> ReportFigure:
    """Return the weights of an ensemble's members from day to day as stacked areas.

    Parameters
    ----------
    weights : DataFrame
        Index issue time, one column a member; each row sums to 1.
    timezone : str
    """
    if weights.empty:
        return saying("No ensemble was scored.")
    means = weights.mean().sort_values(ascending=False)
    names = [str(name) for name in means.index]
    drawn = [name for name in names if weights[name].max() >= LEAST_WEIGHT]
    said = [f"{model_words(name)} {rounded(100 * share)} %" for name, share in zip(names, means, strict=True)]
    edges = issue_edges(weights.index.to_numpy())
    figure = ReportFigure(
        f"Weights of the members, stacked, {span(edges, timezone)}; on average {'; '.join(said)}.", height_in=3.3
    )
    with report_settings():
        axes = figure.subplots()
        styles = model_styles(names, [str(name) for name in weights.columns])
        bottom, handles = np.zeros(len(weights)), []
        for name in drawn:
            top = bottom + weights[name].to_numpy(dtype=float)
            places, low, high = outline(edges, bottom, top)
            area: dict[str, Any] = {"facecolor": styles[name].colour, "edgecolor": "white", "linewidth": 0.6}
            handles.append(axes.fill_between(places, low, high, **area))
            bottom = top
        axes.set_ylim(0, 1)
        axes.set_ylabel("weight (%)")
        axes.yaxis.set_major_formatter(lambda value, _: percent(round(value, 6)))
        axes.grid(False)
        set_title(figure, f"{model_words(names[0])} weighs most, {rounded(100 * means.iloc[0])} % on average")
        # From the top of the stack down, so that names stand in the order of the areas.
        labels = [words for name, words in zip(names, said, strict=True) if name in drawn]
        add_legend(axes, handles[::-1], labels[::-1])
        local_time_axis(axes, edges, timezone)
    return figure


def plot_drift(
    daily: pd.Series[float], timezone: str = "UTC", since: Any = None, units: str = "", reference: float | None = None
) -> ReportFigure:
    """Return the error of each day, and since when it is another than in the days before.

    Parameters
    ----------
    daily : Series
        Mean absolute error by issue time; NaN where none is known.
    timezone : str
    since : datetime, optional
        Issue time from which on the error is worse than chance allows.
    units : str
    reference : float, optional
        Mean error by which it is measured; that of the days before the change where it is left out.
    """
    values = daily.to_numpy(dtype=float)
    if not np.isfinite(values).any():
        return saying("Nothing was measured to compare with.")
    edges = issue_edges(daily.index.to_numpy())
    change = None if since is None else pd.Timestamp(since).to_datetime64()
    is_after = np.zeros(len(values), dtype=bool) if change is None else edges[:-1] >= change
    usual = float(means_of(values[None, ~is_after])[0]) if reference is None else reference
    lately = float(means_of(values[None, is_after])[0])
    fact = f"Error of each day: {amount(rounded(usual), units)} on average, no drift was found"
    if change is not None:
        (local,) = local_times(np.array([change]), timezone)
        fact = f"Error of each day: {amount(rounded(lately), units)} since {local:%d %b %Y}, "
        fact += f"{amount(rounded(usual), units)} before"
    figure = ReportFigure(
        f"{fact}; {len(values)} days {span(edges, timezone)}, {amount(range_of([values]), units)}.", height_in=3.0
    )
    with report_settings():
        axes = figure.subplots()
        dots: dict[str, Any] = {"marker": "o", "markersize": 3.6, "markeredgewidth": 0}
        handles = [axes.plot(middles_of(edges), values, color=COST_COLOURS[0], linewidth=0.8, **dots)[0]]
        labels = ["error of a day"]
        if is_after.any():
            begin, end = date2num(edges[:-1][is_after][0]), date2num(edges[-1])
            axes.axvspan(begin, end, color=ALARM, alpha=0.08, linewidth=0)
            handles.append(axes.plot([begin, end], [lately, lately], color=ALARM, linewidth=2)[0])
            labels.append("mean since the change")
        if np.isfinite(usual):
            line: dict[str, Any] = {"color": INK, "linewidth": 1.2, "linestyle": (0, (5, 2.5))}
            handles.append(axes.plot(date2num(edges[[0, -1]]), [usual, usual], **line)[0])
            labels.append("mean before" if change is not None else "mean")
        axes.set_ylim(0, float(np.nanmax([*values, usual])) * 1.1 or 1)
        axes.set_ylabel(with_units("mean absolute error", units))
        set_title(figure, fact)
        add_legend(axes, handles, labels)
        local_time_axis(axes, edges, timezone)
    return figure
