"""The tables of forecasts: what will come, scores of models, levels reached, anomalies, models that are kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.report.marks import rounded
from ems.report.model_marks import Fan, edges_of, model_words, moment, nearest, percent, quantity_of, with_units
from ems.report.style import local_times
from ems.report.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

BEST = "★"
"""Mark before the best number of a column."""
UNDEFINED = "undefined"
LOWER_IS_BETTER = ("mae", "rmse", "mape", "mase_24h", "mase_168h", "pinball", "crps", "seconds")
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
    "coverage_80": "inside 80 % interval",
    "width_80": "width of 80 % interval",
    "skill_mae": "skill, MAE",
    "skill_pinball": "skill, pinball loss",
    "seconds": "CPU seconds",
}
COVERAGE = 0.8
HONEST = 0.03
"""Distance from its coverage up to which an interval is honest: only among such ones is the narrowest the best."""
MOST_ROWS = 48
"""Rows of a table of a forecast or of anomalies; a person reads no more of them."""
TOLD_SCORES = ("mae", "skill_mae", "coverage_80")
"""Scores that a table of kept models tells."""


@dataclass(frozen=True, repr=False)
class ScoreTable(Table):
    """A table in which numbers may be undefined, and some are marked as best.

    Parameters
    ----------
    marked : frozenset of (int, int)
        Row and column of each cell that is marked.
    """

    marked: frozenset[tuple[int, int]] = frozenset()

    def _texts(self) -> list[list[str]]:
        texts = super()._texts()
        for at, row in enumerate(self.rows):
            for column, value in enumerate(row):
                if isinstance(value, float) and math.isnan(value):
                    texts[at][column] = UNDEFINED
        for at, column in self.marked:
            # Before the number, so that digits stand below each other.
            texts[at][column] = f"{BEST} {texts[at][column]}"
        return texts


def show_forecast(forecast: xr.Dataset) -> Table:
    """Return a forecast step by step: local time, median and 80 % interval; of a long one some steps.

    Parameters
    ----------
    forecast : Dataset (time, quantile)
        Where its levels hold no 80 % interval, the widest one that they hold is shown.
    """
    (name,) = (str(one) for one in forecast.data_vars)
    attrs, units = forecast.attrs, str(forecast[name].attrs.get("units", ""))
    values = forecast[name].transpose("time", "quantile").to_numpy().astype(float)
    timezone = str(attrs.get("timezone", "UTC"))
    fan = Fan(edges_of(forecast["time"].values), values, forecast["quantile"].to_numpy())
    times = local_times(fan.edges[:-1], timezone)
    zones = list(dict.fromkeys(str(time.tzname()) for time in times))
    columns, shown = [f"local time ({', '.join(zones)})", with_units("median", units)], [nearest(fan.levels, 0.5)]
    if fan.pairs:
        low, high = min(fan.pairs, key=lambda pair: abs(fan.levels[pair[1]] - fan.levels[pair[0]] - COVERAGE))
        inside = percent(round(float(fan.levels[high] - fan.levels[low]), 9))
        columns += [with_units(f"{inside} % interval from", units), with_units("to", units)]
        shown += [low, high]
    every = max(1, -(-len(times) // MOST_ROWS))
    # An hour that comes twice is told apart by its zone.
    form = "%a %d %b %H:%M" if len(zones) == 1 else "%a %d %b %H:%M %Z"
    rows = [
        [f"{times[at]:{form}}", *(float(value) for value in values[at, shown])] for at in range(0, len(times), every)
    ]
    by = f" by {model_words(str(attrs['model']))}" if attrs.get("model") else ""
    some = f"; one of {every} steps is shown" if every > 1 else ""
    caption = (
        f"Forecast of {quantity_of(name, str(attrs.get('asset', '')))}{by}, issued "
        f"{moment(forecast['issued_at'].values, timezone)}{some}"
    )
    return Table(columns, rows, caption, decimals=dict.fromkeys(columns[1:], _decimals(values)))


def show_scores(scores: pd.DataFrame, units: str = "", caption: str = "Scores of the models") -> Table:
    """Return the scores of models, the best of each column marked.

    A bias is best near zero, a coverage near 80 %, and a width is best where it is least among honest intervals.

    Parameters
    ----------
    scores : DataFrame
        Index model; columns as ``mae``, ``coverage_80``, ``skill_mae``, ``seconds``; NaN is undefined.
    units : str
    caption : str
    """
    names = [str(name) for name in scores.columns if name in WORDS]
    columns = ["model", *(_heading(name, units) for name in names)]
    table = scores[names].to_numpy(dtype=float) * [100 if name in SHARES else 1 for name in names]
    rows = [[model_words(str(model)), *map(float, row)] for model, row in zip(scores.index, table, strict=True)]
    marked = frozenset((row, at) for at, name in enumerate(names, 1) for row in _best_rows(scores, name))
    decimals = {
        column: 1 if name in SHARES else 3 if name == "seconds" else _decimals(table[:, at])
        for at, (column, name) in enumerate(zip(columns[1:], names, strict=True))
    }
    said = f"{caption}; {BEST} marks the best of a column" if marked else caption
    return ScoreTable(columns, rows, said, decimals=decimals, marked=marked)


def _heading(name: str, units: str) -> str:
    if name in SHARES:
        return f"{WORDS[name]} (%)"
    return with_units(WORDS[name], units) if name in WITH_UNIT else WORDS[name]


def _best_rows(scores: pd.DataFrame, name: str) -> list[int]:
    """Return the rows of the best values of a score; none where there is nothing to compare."""
    values = scores[name].to_numpy(dtype=float)
    if name in HIGHER_IS_BETTER:
        values = -values
    elif name == "bias":
        values = np.abs(values)
    elif name == "coverage_80":
        values = np.abs(values - COVERAGE)
    elif name == "width_80":
        coverage = scores["coverage_80"].to_numpy(dtype=float) if "coverage_80" in scores else values * np.nan
        values = np.where(np.abs(coverage - COVERAGE) <= HONEST, values, np.nan)
    if len(values) < 2 or np.isnan(values).all():
        return []
    return [int(at) for at in np.flatnonzero(values == np.nanmin(values))]


def show_calibration(calibration: pd.DataFrame, caption: str = "Levels and what they reached") -> Table:
    """Return each level with the share of observations that lay below it.

    Parameters
    ----------
    calibration : DataFrame
        Index level, columns ``reached`` and ``difference``.
    caption : str
    """
    columns = ("level (%)", "observations below (%)", "difference (points)")
    rows = [
        (f"{percent(round(float(level), 9))}", 100 * float(reached), 100 * float(difference))
        for level, reached, difference in zip(
            calibration.index, calibration["reached"], calibration["difference"], strict=True
        )
    ]
    return ScoreTable(columns, rows, caption, decimals=dict.fromkeys(columns[1:], 1))


def show_anomalies(anomalies: Sequence[Any]) -> Table:
    """Return what looks wrong in a series, one sentence each, numbered as in its figure.

    Parameters
    ----------
    anomalies : sequence of Anomaly
        Their ``kind``, and a sentence as their text; of many the first are shown.
    """
    if not len(anomalies):
        return Table(("number", "what looks wrong"), [], "Nothing in the series looks wrong")
    counts = Counter(str(one.kind).replace("_", " ") for one in anomalies)
    found = ", ".join(f"{kind} {count:,}" for kind, count in counts.most_common())
    rows = [(number, str(one)) for number, one in enumerate(list(anomalies)[:MOST_ROWS], 1)]
    some = f"; the first {MOST_ROWS} of {len(anomalies):,}" if len(anomalies) > MOST_ROWS else ""
    return Table(("number", "what looks wrong"), rows, f"Looks wrong: {found}{some}")


def show_choice(errors: Mapping[str, float], choice: str, units: str = "") -> Table:
    """Return the errors by which a model was chosen, the least first, what was taken marked.

    Parameters
    ----------
    errors : mapping of str to float
        Mean absolute error of each candidate over the days before.
    choice : str
    units : str
    """
    column = with_units("mean absolute error in the days before", units)
    if not errors:
        return Table(("candidate", column), [], "Nothing was chosen: one model was asked for")
    ranked = sorted(errors, key=lambda name: (math.isnan(errors[name]), errors[name]))
    rows = [(model_words(name), float(errors[name])) for name in ranked]
    marked = frozenset((at, 1) for at, name in enumerate(ranked) if name == choice)
    decimals = {column: _decimals(np.array(list(errors.values())))}
    return ScoreTable(
        ("candidate", column), rows, f"Candidates; {BEST} marks what was taken", decimals=decimals, marked=marked
    )


def show_models(models: Sequence[Any]) -> Table:
    """Return the models that are kept: what they learned from, their scores, and which is in use.

    Parameters
    ----------
    models : sequence
        With ``id``, ``name``, ``model``, ``trained_from``, ``trained_until``, ``sha256``, ``scores`` (by name) and
        ``is_promoted``.
    """
    rows = [
        (
            one.name,
            one.id,
            model_words(str(one.model)),
            f"{one.trained_from:%Y-%m-%d} to {one.trained_until:%Y-%m-%d}",
            _scores_words(one.scores),
            bool(one.is_promoted),
            str(one.sha256)[:12],
        )
        for one in models
    ]
    columns = ("name", "id", "model", "learned from", "scores", "in use", "hash")
    return Table(columns, rows, "Models that are kept" if rows else "No model is kept")


def _scores_words(scores: Mapping[str, float | None]) -> str:
    """Return the most telling scores in words: ``MAE 12.3, skill, MAE 35 %``."""
    words = []
    for name in TOLD_SCORES:
        value = scores.get(name)
        if value is None:
            continue
        if math.isnan(value):
            words.append(f"{WORDS[name]} {UNDEFINED}")
        else:
            words.append(f"{WORDS[name]} {f'{100 * value:.1f} %' if name in SHARES else rounded(value)}")
    return "; ".join(words)


def _decimals(values: np.ndarray) -> int:
    """Return digits after the point by which three figures of a usual value are shown."""
    known = np.abs(values[np.isfinite(values) & (values != 0)])
    return int(np.clip(2 - math.floor(math.log10(float(np.median(known)))), 0, 6)) if known.size else 0
