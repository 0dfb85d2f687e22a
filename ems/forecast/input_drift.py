"""Drift of inputs: whether what a model is fed with is lately distributed otherwise than what it has learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ems.errors import InvalidInput, show
from ems.forecast.drift import FEWEST_RECENT_DAYS, SIGNIFICANCE, Drift, chance, mean_difference, persistence

LEAST_PSI = 0.25
"""Population stability index from which on practitioners act."""
SEASON_DAYS = 30
"""Days of the year around the recent ones that count as their season, where training covers a year."""
DAYS_OF_A_YEAR = 330
MOST_CLASSES = 10


@dataclass(frozen=True)
class _Sample:
    """Known values of an input, and their means by day.

    Parameters
    ----------
    values : ndarray (steps,)
    daily : ndarray (days,)
    """

    values: np.ndarray
    daily: np.ndarray

    @classmethod
    def of(cls, name: str, values: np.ndarray, times: pd.DatetimeIndex) -> _Sample:
        """Return what is known of some values."""
        known = np.isfinite(values)
        _, day = np.unique(times.to_numpy()[known].astype("datetime64[D]"), return_inverse=True)
        days = int(day.max(initial=-1)) + 1
        if days < FEWEST_RECENT_DAYS:
            raise InvalidInput(
                f"drift of input {show(name)}",
                f"{days} days with values: must be at least {FEWEST_RECENT_DAYS} in training and lately",
            )
        return cls(values[known], np.bincount(day, values[known]) / np.bincount(day))


def find_input_drift(
    trained: Mapping[str, np.ndarray],
    trained_times: pd.DatetimeIndex,
    recent: Mapping[str, np.ndarray],
    recent_times: pd.DatetimeIndex,
    *,
    significance: float = SIGNIFICANCE,
) -> list[Drift]:
    """Return for each input whether its values are lately distributed otherwise than those a model has learned from.

    Two conditions must hold: the difference is beyond chance, by a t-test of the days' means or a Kolmogorov-Smirnov
    test of the values, in which only independent days count, with Holm's correction for the number of inputs [1]_; and
    the population stability index is 0.25 or more, without which a difference may be certain but is small. Where
    training covers a year, values of the same season are compared: winter is no drift.

    Parameters
    ----------
    trained, recent : mapping of str to ndarray (steps,)
        Inputs by name; NaN is a gap. The same names in both.
    trained_times, recent_times : DatetimeIndex (steps,)
        UTC.
    significance : float
        Probability of calling any input drifted by chance.

    Raises
    ------
    InvalidInput
        If names differ, or an input has too few values.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure," Scandinavian Journal of Statistics,
       vol. 6, no. 2, 1979, https://www.jstor.org/stable/4615733.
    """
    different = sorted(set(trained) ^ set(recent))
    if different:
        raise InvalidInput("drift of inputs", f"{', '.join(different)}: given on one side only; give the same inputs")
    season = _season(trained_times, recent_times)
    looked_at = []
    for name in sorted(trained):
        known = np.asarray(trained[name], dtype=float)
        old = _Sample.of(name, known[season], trained_times[season])
        new = _Sample.of(name, np.asarray(recent[name], dtype=float), recent_times)
        bounds = (float(np.nanmin(known)), float(np.nanmax(known)))
        looked_at.append(_compared(name, old, new, bounds, is_season=not season.all()))
    order = np.argsort([one.p_value for one in looked_at], kind="stable")
    corrected = np.ones(len(order))
    largest = 0.0
    for rank, number in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * looked_at[number].p_value))
        corrected[number] = largest
    found = []
    for one, p_value in zip(looked_at, corrected, strict=True):
        has_drifted = one.has_drifted and float(p_value) < significance
        verdict = "it has drifted; fit the model again with recent days" if has_drifted else "no drift"
        sentence = f"{one.sentence}; {chance(float(p_value))}: {verdict}"
        found.append(replace(one, has_drifted=has_drifted, p_value=float(p_value), sentence=sentence))
    return found


def _season(trained: pd.DatetimeIndex, recent: pd.DatetimeIndex) -> np.ndarray:
    """Return which training steps are of the season of the recent ones; all where training covers no year."""
    if trained[-1] - trained[0] < pd.Timedelta(days=DAYS_OF_A_YEAR):
        return np.ones(len(trained), dtype=bool)
    middle = int((recent[0] + (recent[-1] - recent[0]) / 2).dayofyear)
    apart = np.abs(np.asarray(trained.dayofyear) - middle)
    reach = SEASON_DAYS + (recent[-1] - recent[0]).days / 2
    is_near: np.ndarray = np.minimum(apart, 365 - apart) <= reach
    return is_near


def _compared(name: str, old: _Sample, new: _Sample, bounds: tuple[float, float], *, is_season: bool) -> Drift:
    """Return how an input differs, before any correction of its p-value.

    Parameters
    ----------
    name : str
    old, new : _Sample
    bounds : tuple of float
        Least and greatest value that was learned from.
    is_season : bool
        Whether the old values are those of one season only.
    """
    from scipy.stats import ks_2samp, kstwo, t

    statistic, freedom = mean_difference(old.daily, new.daily)
    # The longer side tells better how long values persist.
    in_a_row = max(persistence(one.daily - one.daily.mean()) for one in (old, new))
    counts = [max(len(one.daily) / in_a_row, 1.0) for one in (old, new)]
    distance = float(ks_2samp(old.values, new.values).statistic)
    shape = float(kstwo.sf(distance, max(1, round(counts[0] * counts[1] / sum(counts)))))
    p_value = min(1.0, 2 * min(shape, 2 * float(t.sf(abs(statistic), freedom))))
    index = _stability_index(old.values, new.values)
    lowest, highest = bounds
    outside = float(np.mean((new.values < lowest) | (new.values > highest)))
    beyond = (
        f", {outside:.0%} of it outside of all that was learned ({lowest:.4g} to {highest:.4g})" if outside else ""
    )
    means = float(old.values.mean()), float(new.values.mean())
    sentence = (
        f"{name} of the last {len(new.daily)} days has the mean {means[1]:.4g}, {means[0]:.4g} in "
        f"{'the same season of training' if is_season else 'training'} (stability index {index:.2g}){beyond}"
    )
    return Drift(name, index >= LEAST_PSI, p_value, means[0], means[1], None, sentence)


def _stability_index(old: np.ndarray, new: np.ndarray) -> float:
    """Return the population stability index: sum of (new share - old share) * log(new share / old share) by decile."""
    edges = np.unique(np.quantile(old, np.linspace(0, 1, MOST_CLASSES + 1)[1:-1]))
    shares = []
    for values in (old, new):
        count = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) + 0.5
        shares.append(count / count.sum())
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
