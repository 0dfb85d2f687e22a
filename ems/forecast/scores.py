"""Scores of point forecasts: how far predictions lie from what was observed, in all and by group."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.errors import InvalidInput, UndefinedScore
from ems.forecast.alignment import Values, aligned, is_labelled

if TYPE_CHECKING:
    import pandas as pd

SEASONS_H = (24.0, 168.0)
"""A day and a week: the seasons by whose naive forecast errors are scaled."""


def mae(observed: Values, predicted: Values) -> float:
    """Return the mean absolute error, in the unit of the values.

    Parameters
    ----------
    observed, predicted : array or DataArray (...)
        Of one shape, or labelled alike; all scores here take them so.

    Raises
    ------
    InvalidInput
        If shapes or labels differ, or there are no values.
    MissingValues
        If a value is NaN.
    """
    seen, said = aligned(observed, predicted, "MAE")
    return float(np.mean(np.abs(said - seen)))


def mse(observed: Values, predicted: Values) -> float:
    """Return the mean squared error, in the square of the values' unit."""
    seen, said = aligned(observed, predicted, "MSE")
    return float(np.mean((said - seen) ** 2))


def rmse(observed: Values, predicted: Values) -> float:
    """Return the root of the mean squared error, in the unit of the values."""
    return float(np.sqrt(mse(observed, predicted)))


def median_absolute_error(observed: Values, predicted: Values) -> float:
    """Return the median of the absolute errors, in the unit of the values."""
    seen, said = aligned(observed, predicted, "median absolute error")
    return float(np.median(np.abs(said - seen)))


def bias(observed: Values, predicted: Values) -> float:
    """Return the mean of prediction minus observation: above zero, forecasts are too high."""
    seen, said = aligned(observed, predicted, "bias")
    return float(np.mean(said - seen))


def mape(observed: Values, predicted: Values) -> float:
    """Return the mean of absolute errors as shares of the observations: 0.1 is 10 %.

    Raises
    ------
    UndefinedScore
        If an observation is zero, of which no error is a share.
    """
    seen, said = aligned(observed, predicted, "MAPE")
    zeros = int(np.sum(seen == 0))
    if zeros:
        raise UndefinedScore(
            "MAPE", f"{zeros} of {seen.size} observations are 0, of which no error is a share; use WAPE or MASE"
        )
    return float(np.mean(np.abs((said - seen) / seen)))


def smape(observed: Values, predicted: Values) -> float:
    """Return the mean of 2 |error| / (|observed| + |predicted|), from 0 to 2; 0 where both are zero [1]_.

    References
    ----------
    .. [1] R. J. Hyndman and A. B. Koehler, "Another look at measures of forecast accuracy," International Journal of
       Forecasting, vol. 22, no. 4, 2006, doi:10.1016/j.ijforecast.2006.03.001.
    """
    seen, said = aligned(observed, predicted, "sMAPE")
    size = np.abs(seen) + np.abs(said)
    error = 2 * np.abs(said - seen)
    return float(np.mean(np.divide(error, size, out=np.zeros_like(error), where=size > 0)))


def wape(observed: Values, predicted: Values) -> float:
    """Return the sum of absolute errors as a share of the sum of absolute observations.

    Raises
    ------
    UndefinedScore
        If all observations are zero.
    """
    seen, said = aligned(observed, predicted, "WAPE")
    if not np.any(seen):
        raise UndefinedScore("WAPE", "all observations are 0, of which no error is a share; use MAE")
    return float(np.sum(np.abs(said - seen)) / np.sum(np.abs(seen)))


def mase(observed: Values, predicted: Values, history: Values, season_steps: int = 1) -> float:
    """Return the mean absolute error over that of the seasonal naive forecast within the history [1]_.

    mase = mean |predicted - observed| / mean |history[t] - history[t - season_steps]|

    Parameters
    ----------
    observed, predicted : array or DataArray (...)
    history : array or DataArray (time,)
        What was known before, at equal steps; pairs with a gap (NaN) are left out of the mean.
    season_steps : int
        Steps of a season: 24 or 168 at hourly steps.

    Raises
    ------
    UndefinedScore
        If the history is no longer than a season, or repeats itself, so that the naive forecast has no error.

    References
    ----------
    .. [1] R. J. Hyndman and A. B. Koehler, "Another look at measures of forecast accuracy," International Journal of
       Forecasting, vol. 22, no. 4, 2006, doi:10.1016/j.ijforecast.2006.03.001.
    """
    return mae(observed, predicted) / float(np.mean(np.abs(_seasonal_changes(history, season_steps, "MASE"))))


def rmsse(observed: Values, predicted: Values, history: Values, season_steps: int = 1) -> float:
    """Return the root of the mean squared error over that of the seasonal naive forecast in the history [1]_.

    rmsse = sqrt(mean (predicted - observed)**2 / mean (history[t] - history[t - season_steps])**2);
    arguments and errors are those of `mase`.

    References
    ----------
    .. [1] S. Makridakis, E. Spiliotis and V. Assimakopoulos, "M5 accuracy competition: Results, findings, and
       conclusions," International Journal of Forecasting, vol. 38, no. 4, 2022, doi:10.1016/j.ijforecast.2021.11.013.
    """
    scale = float(np.mean(_seasonal_changes(history, season_steps, "RMSSE") ** 2))
    return float(np.sqrt(mse(observed, predicted) / scale))


def _seasonal_changes(history: Values, season_steps: int, subject: str) -> np.ndarray:
    """Return the known changes from one season to the next, at least one of them not zero."""
    known = np.asarray(history, dtype=float)
    if known.ndim != 1:
        raise InvalidInput(subject, f"history has {known.ndim} dimensions: must have 1; score each series alone")
    if season_steps < 1:
        raise InvalidInput(subject, f"season_steps = {season_steps}: must be at least 1")
    changes: np.ndarray = known[season_steps:] - known[:-season_steps]
    changes = np.asarray(changes[np.isfinite(changes)])
    if not changes.size:
        raise UndefinedScore(
            subject,
            f"a history of {known.size} steps has no two values {season_steps} steps apart; give a longer one",
        )
    if not np.any(changes):
        raise UndefinedScore(
            subject, f"the history repeats itself every {season_steps} steps, so nothing scales the error; use MAE"
        )
    return changes


def skill(loss: float, reference_loss: float) -> float:
    """Return the share of a reference's loss that a forecast saves: 1 - loss / reference_loss [1]_.

    1 is perfect, 0 as good as the reference, below 0 worse. Both losses are of the same steps.

    Raises
    ------
    UndefinedScore
        If the reference has no loss.

    References
    ----------
    .. [1] A. H. Murphy, "Skill scores based on the mean square error and their relationships to the correlation
       coefficient," Monthly Weather Review, vol. 116, no. 12, 1988,
       doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2.
    """
    if reference_loss == 0:
        raise UndefinedScore(
            "skill", "the reference has no loss, of which none can be saved; compare losses themselves"
        )
    return 1 - loss / reference_loss


def point_scores(
    observed: Values, predicted: Values, history: Values | None = None, step_h: float = 1.0
) -> tuple[dict[str, float], list[str]]:
    """Return all scores of a point forecast by name, and sentences on those that are undefined.

    Parameters
    ----------
    observed, predicted : array or DataArray (...)
    history : array or DataArray (time,), optional
        What was known before; without it, scaled errors are left out.
    step_h : float
        Length of the history's steps in hours.

    Returns
    -------
    tuple of dict and list of str
        ``mae``, ``rmse``, ``mse``, ``bias``, ``mape``, ``smape``, ``wape`` and with a history ``mase_24h``,
        ``mase_168h``, ``rmsse_24h`` and ``rmsse_168h``; NaN where a sentence says why.
    """
    scores: dict[str, Callable[[], float]] = {
        score.__name__: _bound(score, observed, predicted) for score in (mae, rmse, mse, bias, mape, smape, wape)
    }
    if history is not None:
        for season_h in SEASONS_H:
            season_steps = max(1, round(season_h / step_h))
            for score in (mase, rmsse):
                given = {"history": history, "season_steps": season_steps}
                scores[f"{score.__name__}_{season_h:g}h"] = _bound(score, observed, predicted, given)
    found: dict[str, float] = {}
    notes = []
    for name, value in scores.items():
        try:
            found[name] = value()
        except UndefinedScore as undefined:
            found[name] = float("nan")
            notes.append(f"{name} is undefined: {undefined.findings[0]}")
    return found, notes


def _bound(
    score: Callable[..., float], observed: Values, predicted: Values, given: Mapping[str, Any] | None = None
) -> Callable[[], float]:
    return lambda: score(observed, predicted, **(given or {}))


def by_group(
    score: Callable[..., Any],
    group: Values,
    observed: Values,
    predicted: Values,
    last: str | None = None,
    **given: Any,
) -> dict[Hashable, Any]:
    """Return a score in each group of steps, as by lead time or by hour of the local day.

    Parameters
    ----------
    score : callable
        A function of observations, predictions and ``given``, as `mae`.
    group : array or DataArray (...)
        Label of each step, as `lead_h` and `local_hour` return it.
    observed, predicted : array or DataArray (...)
    last : str, optional
        Dimension that only predictions have: ``quantile`` or ``scenario``.

    Returns
    -------
    dict
        The score by label, ascending; NaN where it is undefined in a group, as MAPE at night.

    Examples
    --------
    >>> by_group(mae, [1, 2, 1, 2], observed=[0, 0, 0, 0], predicted=[1, 5, 3, 7])
    {1: 2.0, 2: 6.0}
    """
    seen, said = aligned(observed, predicted, "scores by group", last)
    if is_labelled(group) and is_labelled(predicted):
        like: Any = predicted
        labels = np.asarray(_broadcast(group, like.isel({last: 0}) if last else like))
    else:
        labels = np.asarray(group)
    if labels.shape != seen.shape:
        raise InvalidInput(
            "scores by group", f"labels have shape {labels.shape}: must have {seen.shape}, as the steps"
        )
    found: dict[Hashable, Any] = {}
    for label in np.unique(labels):
        chosen = labels == label
        try:
            found[label.item()] = score(seen[chosen], said[chosen], **given)
        except UndefinedScore:
            found[label.item()] = float("nan")
    return found


def _broadcast(group: Any, like: Any) -> Any:
    return group.broadcast_like(like).transpose(*like.dims)


def lead_h(time: Values | pd.DatetimeIndex, issued_at: Values | pd.DatetimeIndex) -> np.ndarray:
    """Return how many hours after the issue of a forecast each step begins.

    Parameters
    ----------
    time : array of datetime64 (...)
        Beginnings of steps, UTC.
    issued_at : array of datetime64 (...) or one of them
        When each was forecast, UTC.
    """
    ahead = np.asarray(time, dtype="datetime64[ns]") - np.asarray(issued_at, dtype="datetime64[ns]")
    hours: np.ndarray = ahead / np.timedelta64(1, "h")
    return hours


def local_hour(time: Values | pd.DatetimeIndex, timezone: str) -> np.ndarray:
    """Return the hour of the local day, 0 to 23, in which each step begins.

    Parameters
    ----------
    time : array of datetime64 (...)
        Beginnings of steps, UTC.
    timezone : str
        IANA name of the site's time zone.
    """
    import pandas as pd

    times = np.asarray(time, dtype="datetime64[ns]")
    local = pd.DatetimeIndex(times.ravel()).tz_localize("UTC").tz_convert(timezone)
    return np.asarray(local.hour).reshape(times.shape)
