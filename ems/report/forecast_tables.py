"""The tables of forecasts: what will come, scores of models, levels reached, anomalies, models that are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.report.style import local_times
from ems.report.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

BEST = " ◂"
"""Mark behind the best number of a column."""
UNDEFINED = "undefined"
LOWER_IS_BETTER = ("mae", "rmse", "mape", "mase_24h", "mase_168h", "pinball", "crps")
HIGHER_IS_BETTER = ("skill_mae", "skill_pinball")
SHARES = ("mape", "coverage_80", "skill_mae", "skill_pinball")
WITH_UNIT = ("mae", "rmse", "bias", "pinball", "crps", "width_80")
WORDS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "bias": "bias",
    "mape": "MAPE",
    "mase_24h": "MASE, 24 h",
    "mase_168h": "MASE, 168 h",
    "pinball": "pinball loss",
    "crps": "CRPS",
    "coverage_80": "coverage of 80 %",
    "width_80": "width of 80 %",
    "skill_mae": "skill, MAE",
    "skill_pinball": "skill, pinball",
    "seconds": "CPU seconds",
}
MOST_ROWS = 50


def show_forecast(forecast: xr.Dataset) -> Table:
    """Return a forecast step by step: local time, median, and the widest interval around it.

    Parameters
    ----------
    forecast : Dataset (time, quantile)
    """
    (name,) = forecast.data_vars
    values = forecast[name].transpose("time", "quantile")
    levels, table = forecast["quantile"].to_numpy(), values.to_numpy()
    unit = str(values.attrs.get("units", ""))
    middle = int(np.argmin(np.abs(levels - 0.5)))
    chosen = sorted({_nearest(levels, 0.1), middle, _nearest(levels, 0.9)})
    suffix = f" ({unit})" if unit else ""
    columns = ["local time", *(f"{'median' if at == middle else f'{levels[at]:.0%}'}{suffix}" for at in chosen)]
    times = local_times(forecast["time"].to_numpy(), str(forecast.attrs.get("timezone", "UTC")))
    every = max(1, -(-len(times) // MOST_ROWS))
    rows = [
        [f"{time:%a %d %b %H:%M}", *(float(table[at, one]) for one in chosen)]
        for at, time in list(enumerate(times))[::every]
    ]
    more = "" if every == 1 else f", each {every}th step"
    caption = f"What will come{more}: as likely below as above the median; one in ten lies below the first column of "
    caption += "numbers and one in ten above the last"
    return Table(columns, rows, caption, decimals=dict.fromkeys(columns[1:], _decimals(table)))


def show_scores(scores: pd.DataFrame, units: str = "", caption: str = "Scores of the models") -> Table:
    """Return the scores of models, the best of each column marked.

    Parameters
    ----------
    scores : DataFrame
        Index model; columns as ``mae``, ``coverage_80``, ``skill_mae``, ``seconds``; NaN is undefined.
    units : str
    caption : str
    """
    names = [name for name in scores.columns if name in WORDS]
    suffix = f" ({units})" if units else ""
    columns = ["model", *(WORDS[name] + (suffix if name in WITH_UNIT else "") for name in names)]
    best = {name: _best(scores[name], name) for name in names}
    rows = []
    for model, row in scores.iterrows():
        cells: list[object] = [str(model)]
        for name in names:
            value = float(row[name])
            cells.append(
                UNDEFINED if math.isnan(value) else _score(value, name) + (BEST if model == best[name] else "")
            )
        rows.append(cells)
    return Table(columns, rows, f"{caption}; {BEST.strip()} marks the best")


def show_calibration(calibration: pd.DataFrame, caption: str = "Levels and what they reached") -> Table:
    """Return each level with the share of observations that lay below it.

    Parameters
    ----------
    calibration : DataFrame
        Index level, columns ``reached`` and ``difference``.
    caption : str
    """
    rows = [
        (f"{level:.0%}", f"{row['reached']:.1%}", f"{100 * row['difference']:+.1f}")
        for level, row in calibration.iterrows()
    ]
    return Table(("level", "observations below", "points off"), rows, caption)


def show_anomalies(anomalies: Sequence[Any]) -> Table:
    """Return what looks wrong in a series, one sentence each."""
    rows = [(str(one.kind).replace("_", " "), str(one)) for one in anomalies]
    return Table(("what", "where, and how much"), rows, "Looks wrong" if rows else "Nothing in the series looks wrong")


def show_choice(errors: Mapping[str, float], choice: str, units: str = "") -> Table:
    """Return the errors by which a model was chosen, the least first.

    Parameters
    ----------
    errors : mapping of str to float
        Mean absolute error of each candidate over the days before.
    choice : str
    units : str
    """
    column = f"mean absolute error in the days before ({units})" if units else "mean absolute error in the days before"
    rows = [
        (name + (BEST if name == choice else ""), error)
        for name, error in sorted(errors.items(), key=lambda one: one[1])
    ]
    caption = (
        f"Candidates; {BEST.strip()} marks what was taken" if rows else "Nothing was chosen: one model was asked for"
    )
    return Table(("candidate", column), rows, caption, decimals={column: 3})


def show_models(models: Sequence[Any]) -> Table:
    """Return the models that are kept: name, what it learned from, scores.

    Parameters
    ----------
    models : sequence
        With ``id``, ``name``, ``model``, ``trained_from``, ``trained_until``, ``sha256``, ``scores`` and
        ``is_promoted``.
    """
    rows = [
        (
            one.name,
            one.id,
            one.model,
            f"{one.trained_from:%Y-%m-%d} to {one.trained_until:%Y-%m-%d}",
            "yes" if one.is_promoted else "no",
            str(one.sha256)[:12],
        )
        for one in models
    ]
    columns = ("name", "id", "model", "learned from", "in use", "hash")
    return Table(columns, rows, "Models that are kept" if rows else "No model is kept")


def _nearest(levels: np.ndarray, level: float) -> int:
    return int(np.argmin(np.abs(levels - level)))


def _decimals(values: np.ndarray) -> int:
    """Return digits after the point by which three figures of a usual value are shown."""
    size = float(np.nanmedian(np.abs(values[values != 0]))) if (values != 0).any() else 1.0
    return int(min(6, max(0, 2 - math.floor(math.log10(size))))) if size > 0 else 2


def _best(column: pd.Series[float], name: str) -> object:
    if column.isna().all():
        return None
    if name in LOWER_IS_BETTER:
        return column.idxmin()
    return column.idxmax() if name in HIGHER_IS_BETTER else None


def _score(value: float, name: str) -> str:
    if name in SHARES:
        return f"{value:.1%}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
