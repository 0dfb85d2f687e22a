"""The figures of a forecast: its fan after what was measured, anomalies of the meter, what matters, scenarios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import date2num

from ems.report.anomaly_marks import ROW_IN, draw_series, draw_stretches, kind_words
from ems.report.figure import ReportFigure, report_settings
from ems.report.marks import add_legend, range_of, rounded, saying, set_title
from ems.report.model_marks import (
    HOUR,
    MOST_STEPS,
    Fan,
    amount,
    capital,
    draw_fan,
    draw_values,
    edges_of,
    fitted_scale,
    interval_of,
    middles_of,
    mixed,
    model_styles,
    model_words,
    moment,
    percent,
    quantity_of,
    span,
    with_units,
)
from ems.report.style import COST_COLOURS, INK, SOFT_INK, local_time_axis, shown

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SHORTEST_BEFORE_H, LONGEST_BEFORE_H = 6.0, 168.0
"""Hours of history before a forecast: twice its length within these bounds, so that both can be read."""
MOST_TOLD = 12
"""Anomalies that an alternative text tells."""
LONGEST_COUNTS = 75
"""Letters of the numbers of anomalies in a title, beyond which only the rows tell them."""
MOST_FEATURES = 20
"""Bars of a figure of importances; a person reads no more of them."""
MOST_SCENARIOS = 60
"""Lines of a figure of scenarios; more cannot be followed."""
LONGEST_TITLE = 110


def variable_of(forecast: xr.Dataset) -> xr.DataArray:
    """Return the one variable of a forecast."""
    (name,) = forecast.data_vars
    return forecast[name]


# ---------------------------------------------------------------------------------------------- fan
def plot_forecast(
    forecast: xr.Dataset,
    history: xr.DataArray | None = None,
    observed: xr.DataArray | None = None,
    title: str = "",
) -> ReportFigure:
    """Return a fan chart: the median and its intervals after what was measured, over local time.

    Parameters
    ----------
    forecast : Dataset (time, quantile)
        One variable; ``issued_at`` as coordinate, ``timezone`` and ``model`` in its attributes. Steps may be NaN.
    history : DataArray (time), optional
        What was measured. Of the time before the forecast the last part is drawn, twice as long as the horizon.
    observed : DataArray (time), optional
        What was measured since then, drawn as dots; where it is left out, that which the history holds.
    title : str
        The most important fact where it is left out.

    Returns
    -------
    ReportFigure
        Where the forecast has no value, a figure that says so.
    """
    variable = variable_of(forecast)
    values = variable.transpose("time", "quantile").to_numpy().astype(float)
    if not np.isfinite(values).any():
        return saying("The forecast has no value.")
    fan = Fan(edges_of(forecast["time"].values), values, forecast["quantile"].to_numpy())
    attrs = forecast.attrs
    timezone, model = str(attrs.get("timezone", "UTC")), str(attrs.get("model", ""))
    units = str(variable.attrs.get("units", ""))
    issued_at = np.asarray(forecast["issued_at"].values, dtype="datetime64[ns]").ravel()[0]
    before, later = _before(fan, history, issued_at), _later(fan, history if observed is None else observed, issued_at)
    hours = (fan.edges[-1] - fan.edges[0]) / HOUR
    words = capital(quantity_of(str(variable.name), str(attrs.get("asset", ""))))
    fact = f"{words}: median {amount(range_of([fan.median]), units)} over {hours:g} h"
    by = f" by {model_words(model)}" if model else ""
    issued = f"Forecast{by}, issued {moment(issued_at, timezone)}. "
    figure = ReportFigure(issued + _forecast_alt(fact, fan, units, later), height_in=3.9)
    with report_settings():
        axes = figure.subplots()
        handles, labels = draw_fan(axes, fan, model_styles([model])[model].colour)
        if before is not None:
            handles.insert(0, draw_values(axes, *before, INK))
            labels.insert(0, "measured")
        if np.isfinite(later).any():
            handles.append(_draw_later(axes, fan.edges, later))
            labels.append("measured later")
        fitted_scale(axes)
        _mark_issue(axes, issued_at)
        axes.set_ylabel(with_units(quantity_of(str(variable.name)), units))
        set_title(figure, shown(title, LONGEST_TITLE) if title else fact)
        add_legend(axes, handles, labels)
        local_time_axis(axes, fan.edges if before is None else np.append(before[0][:1], fan.edges), timezone)
    return figure


def _before(fan: Fan, history: xr.DataArray | None, issued_at: np.datetime64) -> tuple[np.ndarray, np.ndarray] | None:
    """Return boundaries and values of what was measured just before the issue time."""
    if history is None:
        return None
    times = np.asarray(history["time"].values, dtype="datetime64[ns]")
    hours = np.clip(2 * (fan.edges[-1] - fan.edges[0]) / HOUR, SHORTEST_BEFORE_H, LONGEST_BEFORE_H)
    wanted = (times < issued_at) & (times >= issued_at - np.timedelta64(round(hours * 3600), "s"))
    values = history.to_numpy().astype(float)[wanted]
    if not np.isfinite(values).any():
        return None
    return edges_of(times[wanted], fan.edges[1] - fan.edges[0]), values


def _later(fan: Fan, observed: xr.DataArray | None, issued_at: np.datetime64) -> np.ndarray:
    """Return what was measured in the forecast's steps since it was issued; NaN where nothing was."""
    later = np.full(len(fan.values), np.nan)
    if observed is not None:
        times = np.asarray(observed["time"].values, dtype="datetime64[ns]")
        _, of_fan, measured = np.intersect1d(fan.edges[:-1], times, return_indices=True)
        later[of_fan] = np.where(times[measured] >= issued_at, observed.to_numpy()[measured], np.nan)
    return later


def _draw_later(axes: Any, edges: np.ndarray, later: np.ndarray) -> Any:
    """Draw what was measured later as dots, or where they would hide each other as a line."""
    if len(later) > MOST_STEPS:
        return draw_values(axes, edges, later, INK, linewidth=0.8)
    dots = {"marker": "o", "markersize": 4.2, "markeredgewidth": 0.7, "markeredgecolor": "white"}
    return axes.plot(middles_of(edges), later, linestyle="none", color=INK, zorder=3, **dots)[0]


def _mark_issue(axes: Any, issued_at: np.datetime64) -> None:
    place = date2num(issued_at)
    axes.axvline(place, color=SOFT_INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        "issued",
        (place, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, -3),
        textcoords="offset points",
        va="top",
        fontsize=8.5,
        color=SOFT_INK,
    )


def _forecast_alt(fact: str, fan: Fan, units: str, later: np.ndarray) -> str:
    """Return the alternative text of a fan chart."""
    parts = [fact]
    pair = interval_of(fan.levels)
    if pair is not None:
        low, high = (fan.values[:, at] for at in pair)
        parts.append(f"80 % interval within {amount(range_of([low, high]), units)}")
        seen = np.isfinite(later) & np.isfinite(low)
        if seen.any():
            inside = int(((later >= low) & (later <= high))[seen].sum())
            parts.append(f"{inside} of {int(seen.sum())} later measurements lie in it")
    return "; ".join(parts) + "."


# ---------------------------------------------------------------------------------------------- measured series
def plot_history(history: xr.DataArray, timezone: str, anomalies: Sequence[Any] = ()) -> ReportFigure:
    """Return the measured series over local time with its anomalies marked; an empty list draws the series alone.

    Parameters
    ----------
    history : DataArray (time)
        NaN is a gap; ``units`` in its attributes.
    timezone : str
    anomalies : sequence of Anomaly
        As for `plot_anomalies`.
    """
    measured = int(np.isfinite(history.to_numpy().astype(float)).sum())
    return _plot_series(history, anomalies, timezone, f"{measured:,} values measured")


def plot_anomalies(values: xr.DataArray, anomalies: Sequence[Any], timezone: str = "UTC") -> ReportFigure:
    """Return a series over local time, and below it a row for each kind of anomaly with its stretches.

    Parameters
    ----------
    values : DataArray (time)
        NaN is a gap; ``units`` in its attributes.
    anomalies : sequence of Anomaly
        Their ``kind``, ``begin`` and ``end`` in UTC, and a sentence as their text. Few enough bear their number, as in
        the table of them.
    timezone : str

    Returns
    -------
    ReportFigure
        Where the series has no value, a figure that says so.
    """
    return _plot_series(values, anomalies, timezone, "nothing unusual found")


def _plot_series(values: xr.DataArray, anomalies: Sequence[Any], timezone: str, otherwise: str) -> ReportFigure:
    measured = values.to_numpy().astype(float)
    if not np.isfinite(measured).any():
        return saying("Nothing was measured.")
    edges = edges_of(values["time"].values)
    units, what = str(values.attrs.get("units", "")), quantity_of(str(values.name or "value"))
    kinds = Counter(str(one.kind) for one in anomalies)
    counts = ", ".join(f"{kind_words(kind)} {count:,}" for kind, count in kinds.most_common())
    found = f"{len(anomalies):,} {'anomaly' if len(anomalies) == 1 else 'anomalies'}"
    fact = f"{capital(what)}: {found if kinds else otherwise}"
    range_words = f"{amount(range_of([measured]), units)} {span(edges, timezone)}"
    told = "".join(f" {shown(one, 160)}." for one in list(anomalies)[:MOST_TOLD])
    figure = ReportFigure(
        f"{fact}; {range_words}{f'; {counts}' if counts else ''}.{told}",
        height_in=2.9 + (0.35 + ROW_IN * len(kinds) if kinds else 0),
    )
    with report_settings():
        ratios = [2.3, 0.12 + ROW_IN * len(kinds)] if kinds else [1]
        all_axes = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        draw_series(all_axes[0], edges, measured)
        all_axes[0].set_ylabel(with_units(what, units))
        for axes in all_axes:
            local_time_axis(axes, edges, timezone)
        if kinds:
            draw_stretches(all_axes[0], all_axes[1], anomalies, list(kinds), edges)
            all_axes[0].set_xlabel("")
            all_axes[0].tick_params(axis="x", labelbottom=False)
        set_title(figure, f"{fact}: {counts}" if counts and len(counts) <= LONGEST_COUNTS else fact)
    return figure


# ---------------------------------------------------------------------------------------------- what matters
def plot_importance(table: pd.DataFrame) -> ReportFigure:
    """Return what matters as bars: by which share the error grows when a feature is made meaningless.

    Parameters
    ----------
    table : DataFrame
        Columns ``feature``, ``importance`` (a share) and maybe ``spread`` (its standard deviation over shufflings).

    Returns
    -------
    ReportFigure
        Where there is no feature, a figure that says so.
    """
    known = table[table["importance"].notna()] if "importance" in table else table
    if known.empty:
        return saying("The importance of no feature is known.")
    rows = known.sort_values("importance", ascending=False, kind="stable").head(MOST_FEATURES)
    names, importance = [shown(name) for name in rows["feature"]], rows["importance"].to_numpy(dtype=float)
    spread = np.nan_to_num(rows["spread"].to_numpy(dtype=float)) if "spread" in rows else np.zeros(len(rows))
    facts = [f"{name} {_added(value)}" for name, value in zip(names, importance, strict=True)]
    some = f" The first {len(rows)} of {len(known)} are drawn." if len(known) > len(rows) else ""
    figure = ReportFigure(
        f"Error added when a feature is shuffled: {'; '.join(facts)}.{some}", height_in=1.1 + 0.27 * len(rows)
    )
    with report_settings():
        axes = figure.subplots()
        places = np.arange(len(rows))
        axes.barh(places, importance, 0.68, color=COST_COLOURS[0], linewidth=0)
        if spread.any():
            axes.errorbar(importance, places, xerr=spread, fmt="none", ecolor=INK, elinewidth=1, capsize=2.5)
        for at, value in enumerate(importance.tolist()):
            place = (max(value + spread[at], 0), at)
            axes.annotate(_added(value), place, xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5)
        axes.axvline(0, color=SOFT_INK, linewidth=0.8)
        axes.set_yticks(places, labels=names)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(False, axis="y")
        lowest, highest = min(float((importance - spread).min()), 0.0), max(float((importance + spread).max()), 0.0)
        room = highest - lowest or 1.0
        axes.set_xlim(lowest - (0.03 * room if lowest < 0 else 0), highest + 0.12 * room)
        axes.xaxis.set_major_formatter(lambda value, _: f"{percent(round(value, 6))} %")
        axes.set_xlabel(
            "growth of the mean absolute error when the feature is shuffled"
            + ("; line: one standard deviation" if spread.any() else "")
        )
        if importance[0] > 0:
            set_title(figure, f"{names[0]} matters most: shuffled, it adds {_added(importance[0])} to the error")
        else:
            set_title(figure, "No feature matters: shuffled, none adds to the error")
    return figure


def _added(share: float) -> str:
    return f"{rounded(100 * share)} %"


# ---------------------------------------------------------------------------------------------- scenarios
def plot_scenarios(scenarios: xr.Dataset | None, variable: str) -> ReportFigure:
    """Return scenarios over local time, a line each, the more probable ones stronger, and their expected value.

    Parameters
    ----------
    scenarios : Dataset (scenario, time), or None
        With ``probability(scenario)``; ``timezone`` in its attributes. None where none were asked for.
    variable : str
        Which of its variables.
    """
    if scenarios is None:
        return saying("No scenarios were asked for.")
    values = scenarios[variable].transpose("scenario", "time").to_numpy().astype(float)
    probability = scenarios["probability"].to_numpy().astype(float)
    if not np.isfinite(values).any():
        return saying("No scenario has a value.")
    timezone, units = str(scenarios.attrs.get("timezone", "UTC")), str(scenarios[variable].attrs.get("units", ""))
    edges = edges_of(scenarios["time"].values)
    drawn = np.argsort(-probability, kind="stable")[:MOST_SCENARIOS]
    some = "" if len(drawn) == len(values) else f"; the {len(drawn)} most probable are drawn"
    words = quantity_of(variable, str(scenarios.attrs.get("asset", "")))
    fact = f"{capital(words)}: {len(values)} scenarios, {amount(range_of([values]), units)}{some}"
    expected = probability @ values / probability.sum()
    shares = f"probable by {percent(float(f'{probability.min():.3g}'))} to {_added(float(probability.max()))}"
    figure = ReportFigure(f"{fact}; {shares}; expected value {amount(range_of([expected]), units)}.", height_in=3.6)
    with report_settings():
        axes = figure.subplots()
        strength = np.sqrt(probability / probability.max())
        middles = middles_of(edges)
        # The most probable is drawn last, above the others.
        for at in drawn[::-1]:
            colour = mixed(COST_COLOURS[0], "#FFFFFF", 0.25 + 0.75 * strength[at])
            (line,) = axes.plot(middles, values[at], color=colour, linewidth=0.4 + 1.4 * strength[at])
        mean = axes.plot(middles, expected, color=INK, linewidth=1.8, linestyle=(0, (4, 2)))[0]
        fitted_scale(axes)
        axes.set_ylabel(with_units(quantity_of(variable), units))
        set_title(figure, fact)
        add_legend(axes, [line, mean], ["scenario, stronger the more probable", "expected value"], below=True)
        legend: Any = axes.get_legend()
        legend.set_bbox_to_anchor((0, -0.19))
        local_time_axis(axes, edges, timezone)
    return figure
