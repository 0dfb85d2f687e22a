"""The figures of a forecast: the fan of its quantiles, anomalies of the meter, what matters, scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import date2num

from ems.report.curves import boundaries_of
from ems.report.figure import ReportFigure, report_settings
from ems.report.marks import add_legend, draw_steps, fill_steps, range_of, saying
from ems.report.style import COLOURS, INK, OTHER_COLOUR, SOFT_INK, local_time_axis, local_times, shown

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

HISTORY_DAYS = 5.0
MOST_BANDS = 5
FAN_COLOURS = ("#d8e6f3", "#b9d3ea", "#93bbdf", "#67a0d2", "#3c84c2")
"""From the widest interval to the narrowest."""
ANOMALY_COLOURS = {
    "gap": SOFT_INK,
    "frozen": COLOURS["battery"],
    "spike": COLOURS["generator"],
    "clock_shift": COLOURS["ev_charger"],
    "negative": COLOURS["solar_pv"],
    "level_shift": OTHER_COLOUR,
}
MOST_FEATURES = 15
ROW_IN = 0.3


def variable_of(forecast: xr.Dataset) -> xr.DataArray:
    """Return the one variable of a forecast."""
    (name,) = forecast.data_vars
    return forecast[name]


def plot_forecast(forecast: xr.Dataset, history: xr.DataArray, observed: xr.DataArray | None = None) -> ReportFigure:
    """Return a fan chart: the last days that were measured, and the quantiles of what follows.

    Parameters
    ----------
    forecast : Dataset (time, quantile)
        One variable; ``issued_at`` is a coordinate, ``timezone`` an attribute.
    history : DataArray (time)
        Measured values; those before the issue time are drawn as a line.
    observed : DataArray (time), optional
        What was measured later, drawn as dots to compare with.
    """
    values = variable_of(forecast).transpose("time", "quantile")
    levels, table = forecast["quantile"].to_numpy(), values.to_numpy()
    timezone, unit = str(forecast.attrs.get("timezone", "UTC")), str(values.attrs.get("units", ""))
    ahead = boundaries_of(forecast)
    begin = ahead[0] - np.timedelta64(round(HISTORY_DAYS * 24 * 3600), "s")
    known = history.sel(time=(history["time"] >= begin) & (history["time"] < ahead[0]))
    median = table[:, int(np.argmin(np.abs(levels - 0.5)))]
    pairs = _pairs(levels)
    said = f"median {range_of([median])} {unit}".strip()
    wide = (
        f", {_share(levels, pairs[0])} of what may come within {range_of([table[:, list(pairs[0])]])}" if pairs else ""
    )
    issued = local_times(ahead[:1], timezone)[0]
    alt = f"Fan chart of {shown(values.name)} forecast from {issued:%Y-%m-%d %H:%M %Z}: {said}{wide}."
    figure = ReportFigure(alt, height_in=3.8)
    with report_settings():
        axes = figure.subplots()
        handles, labels = [], []
        edges = date2num(ahead)
        for number, (low, high) in enumerate(pairs):
            colour = FAN_COLOURS[round(number * (len(FAN_COLOURS) - 1) / max(1, len(pairs) - 1))]
            handles.append(fill_steps(axes, edges, table[:, low], table[:, high], colour))
            labels.append(_share(levels, (low, high)))
        handles.insert(0, draw_steps(axes, edges, median, "#0b3d6b"))
        labels.insert(0, "median")
        if known.size:
            past = np.append(known["time"].to_numpy(), ahead[0])
            handles.insert(0, draw_steps(axes, date2num(past), known.to_numpy(), INK))
            labels.insert(0, "measured")
        if observed is not None and observed.size:
            middles = observed["time"].to_numpy() + (ahead[1] - ahead[0]) / 2
            dots = axes.plot(date2num(middles), observed.to_numpy(), "o", color=COLOURS["generator"], markersize=3)[0]
            handles.append(dots)
            labels.append("measured later")
        axes.axvline(edges[0], color=SOFT_INK, linewidth=0.9, linestyle="--")
        axes.set_ylabel(_with_unit(_words(str(values.name)), unit))
        local_time_axis(axes, np.append(known["time"].to_numpy(), ahead) if known.size else ahead, timezone)
        axes.set_title(f"{said[0].upper()}{said[1:]} from {issued:%d %b %H:%M}")
        add_legend(axes, handles, labels)
    return figure


def plot_history(history: xr.DataArray, timezone: str, anomalies: Sequence[Any] = ()) -> ReportFigure:
    """Return the measured series with its anomalies marked; an empty list draws the series alone.

    Parameters
    ----------
    history : DataArray (time)
    timezone : str
    anomalies : sequence
        With ``kind``, ``begin`` and ``end`` (UTC).
    """
    return plot_anomalies(history, anomalies, timezone)


def plot_anomalies(values: xr.DataArray, anomalies: Sequence[Any], timezone: str = "UTC") -> ReportFigure:
    """Return a series on which stretches that look wrong are marked by their sort.

    Parameters
    ----------
    values : DataArray (time)
    anomalies : sequence
        With ``kind``, ``begin`` and ``end`` (UTC).
    timezone : str
    """
    if not values.size:
        return saying("Nothing was measured.")
    boundaries = boundaries_of(values.to_dataset(name="values"))
    unit = str(values.attrs.get("units", ""))
    kinds = list(dict.fromkeys(str(one.kind) for one in anomalies))
    counts = {kind: sum(str(one.kind) == kind for one in anomalies) for kind in kinds}
    found = ", ".join(f"{count} x {_words(kind)}" for kind, count in counts.items()) or "nothing unusual"
    alt = f"{shown(values.name or 'series')} as measured, {range_of([values.to_numpy()])} {unit}; found: {found}."
    figure = ReportFigure(alt, height_in=2.8)
    with report_settings():
        axes = figure.subplots()
        draw_steps(axes, date2num(boundaries), values.to_numpy(), INK)
        # A mark of an hour in a year would be thinner than a hair.
        least = (date2num(boundaries[-1]) - date2num(boundaries[0])) / 300
        handles = {}
        for one in anomalies:
            begin, end = date2num(np.datetime64(one.begin, "ns")), date2num(np.datetime64(one.end, "ns"))
            middle, half = (begin + end) / 2, max(end - begin, least) / 2
            colour = ANOMALY_COLOURS.get(str(one.kind), OTHER_COLOUR)
            area = axes.axvspan(middle - half, middle + half, color=colour, alpha=0.35, linewidth=0)
            handles.setdefault(str(one.kind), area)
        axes.set_ylabel(_with_unit(_words(str(values.name or "")), unit))
        axes.set_title(f"Measured; found: {found}" if anomalies else "Measured; nothing unusual was found")
        local_time_axis(axes, boundaries, timezone)
        if handles:
            add_legend(axes, list(handles.values()), [_words(kind) for kind in handles])
    return figure


def plot_importance(table: pd.DataFrame) -> ReportFigure:
    """Return what matters as bars: by which share the error grows when a feature is made meaningless.

    Parameters
    ----------
    table : DataFrame
        Columns ``feature``, ``importance`` (a share) and maybe ``spread`` (its standard deviation).
    """
    if table.empty:
        return saying("No feature's weight was told.")
    top = table.sort_values("importance", ascending=False).head(MOST_FEATURES).iloc[::-1]
    names = [shown(name) for name in top["feature"]]
    shares = top["importance"].to_numpy(dtype=float)
    facts = [f"{name} {share:+.0%}" for name, share in zip(names[::-1], shares[::-1], strict=True)]
    figure = ReportFigure(f"What the forecast rests on: {'; '.join(facts)}.", height_in=1.1 + ROW_IN * len(names))
    with report_settings():
        axes = figure.subplots()
        spread = top["spread"].to_numpy(dtype=float) if "spread" in top else None
        style = {"ecolor": SOFT_INK, "elinewidth": 1}
        axes.barh(np.arange(len(names)), shares, 0.66, color=OTHER_COLOUR, xerr=spread, error_kw=style)
        axes.set_yticks(np.arange(len(names)), labels=names)
        axes.axvline(0, color=SOFT_INK, linewidth=0.8)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_xlabel("growth of the mean absolute error when the feature is shuffled")
        axes.set_title(f"The forecast rests most on {names[-1]}")
        axes.grid(visible=False, axis="y")
    return figure


def plot_scenarios(scenarios: xr.Dataset, variable: str) -> ReportFigure:
    """Return scenarios as lines, thicker the more probable.

    Parameters
    ----------
    scenarios : Dataset (scenario, time)
        With ``probability(scenario)``.
    variable : str
    """
    values = scenarios[variable].transpose("scenario", "time")
    boundaries = boundaries_of(scenarios)
    timezone, unit = str(scenarios.attrs.get("timezone", "UTC")), str(values.attrs.get("units", ""))
    weight = scenarios["probability"].to_numpy()
    alt = f"{len(weight)} scenarios of {shown(variable)}: {range_of([values.to_numpy()])} {unit}."
    figure = ReportFigure(alt, height_in=3.2)
    with report_settings():
        axes = figure.subplots()
        edges = date2num(boundaries)
        for row, share in zip(values.to_numpy(), weight, strict=True):
            line = draw_steps(axes, edges, row, OTHER_COLOUR)
            line.set_linewidth(0.6 + 3.4 * share / weight.max())
            line.set_alpha(0.55)
        axes.set_ylabel(_with_unit(_words(variable), unit))
        axes.set_title(f"{len(weight)} scenarios, {weight.min():.1%} to {weight.max():.1%} probable")
        local_time_axis(axes, boundaries, timezone)
    return figure


def _pairs(levels: np.ndarray) -> list[tuple[int, int]]:
    """Return positions of levels that lie alike below and above the median, the widest first."""
    found = []
    for low, level in enumerate(levels):
        high = int(np.argmin(np.abs(levels - (1 - level))))
        if level < 0.5 and abs(levels[high] - (1 - level)) < 1e-9:
            found.append((low, high))
    every = max(1, -(-len(found) // MOST_BANDS))
    return found[::every]


def _share(levels: np.ndarray, pair: tuple[int, int]) -> str:
    return f"{levels[pair[1]] - levels[pair[0]]:.0%}"


def _words(name: str) -> str:
    return shown(name.replace("_", " "))


def _with_unit(words: str, unit: str) -> str:
    return f"{words}\n({unit})" if unit else words
