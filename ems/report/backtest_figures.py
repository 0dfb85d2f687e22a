"""The figures of a backtest: scores by lead time and hour, calibration, good and bad days, weights, cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.dates import date2num

from ems.report.figure import ReportFigure, report_settings
from ems.report.forecast_figures import FAN_COLOURS
from ems.report.marks import add_legend, fill_steps, rounded, saying
from ems.report.style import COLOURS, INK, LINE, OTHER_COLOUR, SOFT_INK, local_time_axis, local_times, shown

if TYPE_CHECKING:
    import xarray as xr

MODEL_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#6B4E9B", "#8A94A3", "#1C2430")
DASHES = ("-", "--", "-.", ":")
MOST_DAYS = 6
CHANCE = 1.96
"""Standard errors within which chance alone puts 95 % of shares."""


def model_styles(models: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and dash of each model; the same for the same order of models."""
    count = len(MODEL_COLOURS)
    return {name: (MODEL_COLOURS[at % count], DASHES[at // count % len(DASHES)]) for at, name in enumerate(models)}


def plot_scores_by_lead(table: pd.DataFrame, units: str = "") -> ReportFigure:
    """Return the mean absolute error over lead time, one line a model.

    Parameters
    ----------
    table : DataFrame
        Index lead time in hours, one column a model.
    units : str
    """
    return _lines(table, "hours after the issue time", "error by lead time", units)


def plot_scores_by_hour(table: pd.DataFrame, units: str = "") -> ReportFigure:
    """Return the mean absolute error over the hour of the local day, one line a model.

    Parameters
    ----------
    table : DataFrame
        Index hour, one column a model.
    units : str
    """
    return _lines(table, "hour of the local day", "error by hour of the day", units)


def _lines(table: pd.DataFrame, below: str, subject: str, units: str) -> ReportFigure:
    if table.empty:
        return saying("Nothing was scored.")
    best = table.mean().idxmin()
    hardest = table[best].idxmax()
    means = [f"{shown(name)} {rounded(value)}" for name, value in table.mean().items()]
    figure = ReportFigure(f"Mean absolute {subject} in {units}: {'; '.join(means)} on average.", height_in=3.0)
    with report_settings():
        axes = figure.subplots()
        styles = model_styles(list(table.columns))
        handles = [
            axes.plot(table.index, table[name], color=styles[name][0], linestyle=styles[name][1])[0] for name in table
        ]
        axes.set_ylim(bottom=0)
        axes.set_xlabel(below)
        axes.set_ylabel(f"mean absolute error\n({units})" if units else "mean absolute error")
        axes.set_title(f"{shown(best)} errs least, {rounded(table[best].mean())} {units}; most at {hardest:g} h")
        add_legend(axes, handles, [shown(name) for name in table.columns])
    return figure


def plot_calibration(
    backtest: xr.Dataset, models: Sequence[str], is_certain: np.ndarray | None = None
) -> ReportFigure:
    """Return levels against the share of observations below them, within what chance allows.

    Parameters
    ----------
    backtest : Dataset
        ``predicted(model, issued_at, step, quantile)`` and ``observed(issued_at, step)``.
    models : sequence of str
    is_certain : ndarray of bool (issued_at, step), optional
        Steps that tell nothing, as solar power at night.
    """
    levels = backtest["quantile"].to_numpy()
    observed = backtest["observed"].transpose("issued_at", "step").to_numpy()
    uncertain = np.isfinite(observed) & (True if is_certain is None else ~is_certain)
    shares = {name: _reached(backtest, name, observed, uncertain) for name in models}
    off = {name: float(np.mean(np.abs(share - levels))) for name, share in shares.items()}
    said = "; ".join(f"{shown(name)} {100 * value:.1f} points off" for name, value in off.items())
    figure = ReportFigure(f"Reliability diagram, levels against shares reached: {said} on average.", height_in=3.9)
    with report_settings():
        left, right = figure.subplots(1, 2)
        days = max(1, int(uncertain.any(axis=1).sum()))
        allowed = CHANCE * np.sqrt(levels * (1 - levels) / days)
        left.fill_between(levels, levels - allowed, levels + allowed, color=LINE, linewidth=0)
        left.plot([0, 1], [0, 1], color=SOFT_INK, linewidth=0.8, linestyle="--")
        styles = model_styles(models)
        handles = []
        for name, share in shares.items():
            colour, dash = styles[name]
            handles.append(left.plot(levels, share, "o", linestyle=dash, color=colour, markersize=3.5)[0])
            right.plot(levels, 100 * (share - levels), "o", linestyle=dash, color=colour, markersize=3.5)
        right.axhline(0, color=SOFT_INK, linewidth=0.8, linestyle="--")
        right.fill_between(levels, -100 * allowed, 100 * allowed, color=LINE, linewidth=0)
        left.set_xlabel("level")
        left.set_ylabel("share of observations below")
        right.set_xlabel("level")
        right.set_ylabel("share less level (percentage points)")
        for axes in (left, right):
            axes.set_xlim(0, 1)
        left.set_ylim(0, 1)
        best = min(off, key=off.__getitem__)
        left.set_title(f"{shown(best)}: {100 * off[best]:.1f} points off on average")
        right.set_title("Grey: what chance allows, by day")
        # Below the left panel: above, a legend of many models would lie on the titles.
        add_legend(left, handles, [shown(name) for name in shares], below=True)
    return figure


def _reached(backtest: xr.Dataset, model: str, observed: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Return the share of observations below each quantile; of those exactly on it as many as bring it to its level."""
    quantiles = backtest["predicted"].sel(model=model).transpose("issued_at", "step", "quantile").to_numpy()
    usable = usable & np.isfinite(quantiles).all(axis=2)
    if not usable.any():
        return np.full(quantiles.shape[2], np.nan)
    seen, said = observed[usable][:, None], quantiles[usable]
    share: np.ndarray = np.clip(
        backtest["quantile"].to_numpy(), (seen < said).mean(axis=0), (seen <= said).mean(axis=0)
    )
    return share


def plot_days(backtest: xr.Dataset, model: str, days: Sequence[Any], title: str = "Days") -> ReportFigure:
    """Return some days of a backtest, each with the fan of its forecast and what was measured.

    Parameters
    ----------
    backtest : Dataset
    model : str
    days : sequence of datetime
        Issue times.
    title : str
        What these days have in common: the best, the worst.
    """
    chosen = [pd.Timestamp(day) for day in list(days)[:MOST_DAYS]]
    if not chosen:
        return saying("No day was scored.")
    timezone = str(backtest.attrs.get("timezone", "UTC"))
    unit, name = str(backtest.attrs.get("units", "")), str(backtest.attrs.get("variable", ""))
    levels = backtest["quantile"].to_numpy()
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    facts = []
    figure = ReportFigure("", height_in=0.5 + 2.1 * rows)
    with report_settings():
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, day in zip(grid.ravel(), chosen, strict=False):
            part = backtest.sel(issued_at=day, model=model)
            times = part["time"].to_numpy()
            known = ~np.isnat(times)
            times, table = times[known], part["predicted"].transpose("step", "quantile").to_numpy()[known]
            observed = part["observed"].to_numpy()[known]
            step = times[1] - times[0] if len(times) > 1 else np.timedelta64(1, "h")
            boundaries = np.append(times, times[-1] + step)
            edges = date2num(boundaries)
            _fan(axes, edges, table, levels)
            axes.plot(
                edges[:-1] + (edges[1] - edges[0]) / 2, observed, "o", color=COLOURS["generator"], markersize=2.6
            )
            median = table[:, int(np.argmin(np.abs(levels - 0.5)))]
            error = float(np.nanmean(np.abs(observed - median)))
            local = local_times(times[:1], timezone)[0]
            local_time_axis(axes, boundaries, timezone)
            axes.set_xlabel("")
            axes.xaxis.set_major_locator(_few_hours(timezone, len(times) * float(step / np.timedelta64(1, "h"))))
            axes.set_title(f"{local:%a %d %b %Y}: {rounded(error)} {unit}", fontsize=9.5)
            facts.append(f"{local:%Y-%m-%d} error {rounded(error)} {unit}")
        for axes in grid.ravel()[len(chosen) :]:
            axes.set_visible(False)
        for axes in grid[:, 0]:
            axes.set_ylabel(f"{shown(name.replace('_', ' '))}\n({unit})" if unit else shown(name))
        figure.suptitle(
            f"{title} of {shown(model)}: dots are measured", x=0.008, ha="left", fontweight="bold", fontsize=11
        )
    figure.alt = f"{title} of {shown(model)}, fan of the forecast and what was measured: {'; '.join(facts)}."
    return figure


def _fan(axes: Any, edges: np.ndarray, table: np.ndarray, levels: np.ndarray) -> None:
    half = len(levels) // 2
    for number in range(half):
        colour = FAN_COLOURS[round(number * (len(FAN_COLOURS) - 1) / max(1, half - 1))]
        fill_steps(axes, edges, table[:, number], table[:, len(levels) - 1 - number], colour)
    median = table[:, int(np.argmin(np.abs(levels - 0.5)))]
    axes.plot(edges, np.append(median, median[-1]), drawstyle="steps-post", color="#0b3d6b", linewidth=1.3)


def _few_hours(timezone: str, hours: float) -> Any:
    from zoneinfo import ZoneInfo

    from matplotlib.dates import AutoDateLocator, HourLocator

    zone = ZoneInfo(timezone)
    return HourLocator(byhour=range(0, 24, 6), tz=zone) if 12 < hours <= 26 else AutoDateLocator(tz=zone, maxticks=5)


def plot_residuals(backtest: xr.Dataset, model: str) -> ReportFigure:
    """Return errors by hour of the local day, from day to day, and as a histogram.

    Parameters
    ----------
    backtest : Dataset
    model : str
    """
    levels = backtest["quantile"].to_numpy()
    part = backtest.sel(model=model).transpose("issued_at", "step", "quantile")
    median = part["predicted"].to_numpy()[:, :, int(np.argmin(np.abs(levels - 0.5)))]
    error = median - part["observed"].to_numpy()
    timezone, unit = str(backtest.attrs.get("timezone", "UTC")), str(backtest.attrs.get("units", ""))
    known = np.isfinite(error)
    if not known.any():
        return saying("Nothing was measured to compare with.")
    times = pd.DatetimeIndex(part["time"].to_numpy()[known]).tz_localize("UTC").tz_convert(timezone)
    bias = float(error[known].mean())
    word = "too high" if bias > 0 else "too low"
    alt = f"Errors of {shown(model)}: on average {rounded(abs(bias))} {unit} {word}; by hour, by day, and as a histogram."
    figure = ReportFigure(alt, height_in=3.0)
    with report_settings():
        by_hour, by_day, spread = figure.subplots(1, 3, gridspec_kw={"width_ratios": [1.2, 1.2, 0.8]})
        grouped = pd.Series(error[known]).groupby(times.hour)
        table = grouped.quantile([0.1, 0.5, 0.9]).unstack()
        by_hour.fill_between(table.index, table[0.1], table[0.9], color=FAN_COLOURS[1], linewidth=0)
        by_hour.plot(table.index, table[0.5], color="#0b3d6b")
        by_hour.set_xlabel("hour of the local day")
        by_hour.set_title("By hour: median and 80 %", fontsize=9.5)
        by_hour.set_ylabel(f"forecast less measured ({unit})" if unit else "forecast less measured")
        issued = part["issued_at"].to_numpy()
        means = np.array([row[ok].mean() if ok.any() else np.nan for row, ok in zip(error, known, strict=True)])
        by_day.bar(date2num(issued), means, 0.8, color=OTHER_COLOUR)
        local_time_axis(by_day, np.append(issued, issued[-1] + np.timedelta64(1, "D")), timezone)
        by_day.tick_params(axis="x", labelrotation=30)
        by_day.set_xlabel("")
        by_day.set_title("Mean error of each day", fontsize=9.5)
        spread.hist(error[known], bins=30, color=OTHER_COLOUR, orientation="horizontal")
        spread.set_xlabel("steps")
        spread.set_title("How often", fontsize=9.5)
        for axes in (by_hour, by_day, spread):
            axes.axhline(0, color=SOFT_INK, linewidth=0.8)
    return figure


def plot_cost_against_skill(table: pd.DataFrame, units: str = "") -> ReportFigure:
    """Return CPU seconds of a forecast against its error, one dot a model.

    Parameters
    ----------
    table : DataFrame
        Index model, columns ``seconds`` and ``mae``.
    units : str
    """
    if table.empty:
        return saying("No model was scored.")
    facts = [
        f"{shown(name)} {rounded(row['seconds'])} s, {rounded(row['mae'])} {units}" for name, row in table.iterrows()
    ]
    figure = ReportFigure(f"Seconds of a forecast against its error: {'; '.join(facts)}.", height_in=3.2)
    with report_settings():
        axes = figure.subplots()
        styles = model_styles(list(table.index))
        handles = [
            axes.plot([max(row["seconds"], 1e-4)], [row["mae"]], "o", color=styles[name][0], markersize=7)[0]
            for name, row in table.iterrows()
        ]
        axes.set_xscale("log")
        axes.set_xlabel("CPU seconds of a forecast, fits shared out")
        axes.set_ylabel(f"mean absolute error\n({units})" if units else "mean absolute error")
        axes.set_title(f"{shown(table['mae'].idxmin())} errs least")
        add_legend(axes, handles, [shown(name) for name in table.index])
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
    said = "; ".join(f"{shown(name)} {share:.0%}" for name, share in means.items())
    figure = ReportFigure(f"Weights of the members over time: {said} on average.", height_in=3.0)
    with report_settings():
        axes = figure.subplots()
        issued = weights.index.to_numpy()
        step = issued[1] - issued[0] if len(issued) > 1 else np.timedelta64(1, "D")
        boundaries = np.append(issued, issued[-1] + step)
        edges, bottom, handles = date2num(boundaries), np.zeros(len(weights)), []
        styles = model_styles(list(means.index))
        for name in means.index:
            top = bottom + weights[name].to_numpy()
            handles.append(fill_steps(axes, edges, bottom, top, styles[name][0]))
            bottom = top
        axes.set_ylim(0, 1)
        axes.set_ylabel("weight")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        local_time_axis(axes, boundaries, timezone)
        axes.set_title(f"{shown(means.index[0])} weighs most, {means.iloc[0]:.0%} on average")
        add_legend(axes, handles, [shown(name) for name in means.index])
    return figure


def plot_drift(daily: pd.Series[float], timezone: str = "UTC", since: Any = None, units: str = "") -> ReportFigure:
    """Return the error of each day, its mean, and since when it is another.

    Parameters
    ----------
    daily : Series
        Mean absolute error by issue time.
    timezone : str
    since : datetime, optional
        Day from which on the error is worse than chance allows.
    units : str
    """
    known = daily.dropna()
    if known.empty:
        return saying("Nothing was measured to compare with.")
    words = "no drift was found" if since is None else f"worse since {pd.Timestamp(since):%Y-%m-%d}"
    figure = ReportFigure(f"Error of each day, {rounded(known.mean())} {units} on average; {words}.", height_in=2.6)
    with report_settings():
        axes = figure.subplots()
        issued = known.index.to_numpy()
        axes.bar(date2num(issued), known.to_numpy(), 0.8, color=FAN_COLOURS[3], align="edge")
        axes.axhline(known.mean(), color=INK, linewidth=1, linestyle="--")
        if since is not None:
            axes.axvline(date2num(np.datetime64(pd.Timestamp(since))), color=COLOURS["generator"], linewidth=1.4)
        local_time_axis(axes, np.append(issued, issued[-1] + np.timedelta64(1, "D")), timezone)
        axes.set_ylabel(f"mean absolute error\n({units})" if units else "mean absolute error")
        axes.set_title(f"Error of each day; {words}")
    return figure
