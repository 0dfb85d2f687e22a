"""Scores of a backtest: by model, by lead time and by hour, with skill against the best simple rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ems.errors import UndefinedScore
from ems.forecast.backtest import Backtest
from ems.forecast.probability_scores import crps_from_quantiles, pinball_loss
from ems.forecast.scores import by_group, mae, point_scores, skill

CENTRAL = 0.8
"""Probability of the interval whose coverage and width are told."""


def scores_of(test: Backtest, models: Sequence[str] | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Return the scores of models over all steps that were measured and that all of them forecast.

    Parameters
    ----------
    test : Backtest
    models : sequence of str, optional
        All where it is left out.

    Returns
    -------
    tuple of DataFrame and list of str
        One row a model: ``mae``, ``rmse``, ``bias``, ``mape``, ``mase_24h``, ``mase_168h``, ``pinball``, ``crps``,
        ``coverage_80``, ``width_80``, ``skill_mae`` and ``skill_pinball`` against the best simple rule, ``seconds``.
        NaN where a sentence says why.
    """
    usable = test.usable
    observed = test.observed[usable]
    levels = test.dataset["quantile"].to_numpy()
    first = test.history.position(test.dataset.issued_at.values[0])
    history = test.history.values[:first]
    rows, notes = {}, []
    for model in models or test.models:
        quantiles = test.quantiles(model)[usable]
        found, undefined = point_scores(observed, test.median(model)[usable], history, test.history.step_h)
        notes += undefined
        row = {name: found[name] for name in ("mae", "rmse", "bias", "mape", "mase_24h", "mase_168h")}
        row["pinball"] = float(np.mean(pinball_loss(observed, quantiles, levels)))
        row["crps"] = float(crps_from_quantiles(observed, quantiles, levels))
        rows[model] = row | coverage_of(test, model)
        rows[model]["seconds"] = float(test.dataset["seconds"].sel(model=model))
    reference = reference_of(test)
    for name, score in (("skill_mae", "mae"), ("skill_pinball", "pinball")):
        losses = _reference_loss(test, reference, score)
        for row in rows.values():
            try:
                row[name] = skill(row[score], losses)
            except UndefinedScore as undefined:
                row[name] = float("nan")
                notes.append(f"{name} is undefined: {undefined.findings[0]}")
    order = ["mae", "rmse", "bias", "mape", "mase_24h", "mase_168h", "pinball", "crps", "coverage_80", "width_80"]
    table = pd.DataFrame.from_dict(rows, orient="index")[[*order, "skill_mae", "skill_pinball", "seconds"]]
    table.index.name = "model"
    return table, list(dict.fromkeys(notes))


def reference_of(test: Backtest) -> str:
    """Return the simple rule with the least mean absolute error: the reference of skill."""
    errors = {rule: mae(test.observed[test.usable], test.median(rule)[test.usable]) for rule in test.rules}
    return min(errors, key=errors.__getitem__)


def _reference_loss(test: Backtest, reference: str, score: str) -> float:
    usable = test.usable
    if score == "mae":
        return mae(test.observed[usable], test.median(reference)[usable])
    levels = test.dataset["quantile"].to_numpy()
    return float(np.mean(pinball_loss(test.observed[usable], test.quantiles(reference)[usable], levels)))


def coverage_of(test: Backtest, model: str) -> dict[str, float]:
    """Return share and mean width of the central 80 % interval, over steps whose value is not certain.

    An observation exactly on a bound counts half: values pile up at zero and at capacity, where bounds lie, too. NaN
    where the levels of the backtest have no such interval, or every step is certain.
    """
    levels = test.dataset["quantile"].to_numpy()
    low, high = ((1 - CENTRAL) / 2, (1 + CENTRAL) / 2)
    pair = [np.flatnonzero(np.abs(levels - level) < 1e-9) for level in (low, high)]
    usable = test.usable & ~test.is_certain
    if not all(one.size for one in pair) or not usable.any():
        return {"coverage_80": float("nan"), "width_80": float("nan")}
    quantiles = test.quantiles(model)[usable]
    below, above = quantiles[:, pair[0][0]], quantiles[:, pair[1][0]]
    observed = test.observed[usable]
    return {
        "coverage_80": float(np.mean(share_inside(observed, below, above))),
        "width_80": float(np.mean(above - below)),
    }


def share_inside(observed: np.ndarray, below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return 1 for observations between two bounds, 0.5 for those exactly on one, and 0 for others."""
    strictly, loosely = (observed > below) & (observed < above), (observed >= below) & (observed <= above)
    share: np.ndarray = (strictly.astype(float) + loosely.astype(float)) / 2
    return share


def calibration_table(test: Backtest, model: str) -> pd.DataFrame:
    """Return for each level the share of observations below its quantile, over steps whose value is not certain.

    Where values pile up, as wind power at zero, observations may lie exactly on a quantile: the share is then a range,
    and the level is reached where it lies within.

    Returns
    -------
    DataFrame
        One row a level: ``below`` and ``at_or_below``, shares; ``reached``, the nearest share to the level within that
        range; ``difference``, its distance from the level.
    """
    levels = test.dataset["quantile"].to_numpy()
    usable = test.usable & ~test.is_certain
    observed, quantiles = test.observed[usable][:, None], test.quantiles(model)[usable]
    below, at_or_below = (observed < quantiles).mean(axis=0), (observed <= quantiles).mean(axis=0)
    reached = np.clip(levels, below, at_or_below)
    return pd.DataFrame(
        {"below": below, "at_or_below": at_or_below, "reached": reached, "difference": reached - levels},
        index=pd.Index(levels, name="quantile"),
    )


def scores_by_lead(test: Backtest, models: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the mean absolute error by lead time in hours, one column a model."""
    lead = np.broadcast_to(test.dataset["lead_h"].to_numpy(), test.observed.shape)
    return _by(test, np.floor(lead), models, "lead_h")


def scores_by_hour(test: Backtest, models: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the mean absolute error by hour of the local day, one column a model."""
    times = pd.DatetimeIndex(test.dataset["time"].transpose("issued_at", "step").to_numpy().ravel())
    hours = times.tz_localize("UTC").tz_convert(test.history.timezone).hour.to_numpy(dtype=float)
    return _by(test, hours.reshape(test.observed.shape), models, "hour")


def _by(test: Backtest, group: np.ndarray, models: Sequence[str] | None, name: str) -> pd.DataFrame:
    usable = test.usable
    columns = {
        model: by_group(mae, group[usable], test.observed[usable], test.median(model)[usable])
        for model in models or test.models
    }
    table = pd.DataFrame(columns)
    table.index.name = name
    return table


def scores_by_day(test: Backtest, model: str) -> pd.DataFrame:
    """Return ``mae``, ``bias`` and ``coverage_80`` of each forecast, by issue time."""
    rows = []
    levels = test.dataset["quantile"].to_numpy()
    low, high = (int(np.argmin(np.abs(levels - level))) for level in ((1 - CENTRAL) / 2, (1 + CENTRAL) / 2))
    quantiles, median = test.quantiles(model), test.median(model)
    for fold in range(len(test.observed)):
        usable = test.usable[fold]
        error = median[fold][usable] - test.observed[fold][usable]
        uncertain = usable & ~test.is_certain[fold]
        seen, said = test.observed[fold][uncertain], quantiles[fold][uncertain]
        inside = share_inside(seen, said[:, low], said[:, high])
        rows.append(
            {
                "mae": float(np.abs(error).mean()) if error.size else float("nan"),
                "bias": float(error.mean()) if error.size else float("nan"),
                "coverage_80": float(inside.mean()) if inside.size else float("nan"),
            }
        )
    return pd.DataFrame(rows, index=pd.DatetimeIndex(test.dataset.issued_at.values, name="issued_at"))
