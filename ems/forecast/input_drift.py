"""Drift of inputs: whether what a model is fed with is lately distributed otherwise than what it has learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ems.errors import InvalidInput
from ems.forecast.drift import FEWEST_RECENT_DAYS, SIGNIFICANCE, Drift, chance, persistence

LEAST_PSI = 0.25
"""Population stability index from which on practitioners act."""
SEASON_DAYS = 45
"""Days of the year around the recent ones that count as their season, where training covers a year."""
DAYS_OF_A_YEAR = 330
MOST_CLASSES = 10


def find_input_drift(
    trained: Mapping[str, np.ndarray],
    trained_times: pd.DatetimeIndex,
    recent: Mapping[str, np.ndarray],
    recent_times: pd.DatetimeIndex,
    *,
    significance: float = SIGNIFICANCE,
) -> list[Drift]:
    """Return for each input whether its values are lately distributed otherwise than those a model has learned from.

    Two conditions must hold: a Kolmogorov-Smirnov test, in which as many values count as there are independent days,
    with Holm's correction for the number of inputs [1]_; and a population stability index of 0.25 or more, without
    which a difference may be certain but is small. Where training covers a year, values of the same season are
    compared: winter is no drift.

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
    looked_at = [
        _input(name, trained[name], trained_times, season, recent[name], recent_times) for name in sorted(trained)
    ]
    order = np.argsort([one.p_value for one in looked_at], kind="stable")
    corrected = np.ones(len(order))
    largest = 0.0
    for rank, number in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * looked_at[number].p_value))
        corrected[number] = largest
    found = []
    for one, p_value in zip(looked_at, corrected, strict=True):
        has_drifted = one.has_drifted and p_value < significance
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


def _input(
    name: str,
    trained: np.ndarray,
    trained_times: pd.DatetimeIndex,
    season: np.ndarray,
    recent: np.ndarray,
    recent_times: pd.DatetimeIndex,
) -> Drift:
    """Return how an input differs, before any correction of its p-value."""
    from scipy.stats import ks_2samp, kstwo

    sides = []
    for values, times, chosen in (
        (trained, trained_times, season),
        (recent, recent_times, np.ones(len(recent), dtype=bool)),
    ):
        plain = np.asarray(values, dtype=float)
        usable = np.isfinite(plain) & chosen
        by_day = pd.Series(plain[usable]).groupby(times[usable].normalize()).mean()
        if len(by_day) < FEWEST_RECENT_DAYS:
            raise InvalidInput(
                f"drift of input {name}",
                f"{len(by_day)} days with values: must be at least {FEWEST_RECENT_DAYS} on each side",
            )
        daily = by_day.to_numpy()
        sides.append((plain[usable], len(daily) / persistence(daily - daily.mean()), len(daily)))
    (old, old_count, _), (new, new_count, new_days) = sides
    # The longer side tells better how long values persist.
    ratio = old_count / sides[0][2]
    new_count = max(1.0, min(new_count, new_days * ratio))
    distance = float(ks_2samp(old, new).statistic)
    p_value = float(kstwo.sf(distance, max(1, round(old_count * new_count / (old_count + new_count)))))
    index = _stability_index(old, new)
    known = np.asarray(trained, dtype=float)
    lowest, highest = float(np.nanmin(known)), float(np.nanmax(known))
    outside = float(np.mean((new < lowest) | (new > highest)))
    beyond = (
        f", {outside:.0%} of it outside of all that was learned ({lowest:.4g} to {highest:.4g})" if outside else ""
    )
    when = "the same season of training" if not season.all() else "training"
    sentence = (
        f"{name} of the last {new_days} days has the mean {new.mean():.4g}, {old.mean():.4g} in {when} "
        f"(stability index {index:.2g}){beyond}"
    )
    return Drift(name, index >= LEAST_PSI, p_value, float(old.mean()), float(new.mean()), None, sentence)


def _stability_index(old: np.ndarray, new: np.ndarray) -> float:
    """Return the population stability index: sum of (new share - old share) * log(new share / old share) by decile."""
    edges = np.unique(np.quantile(old, np.linspace(0, 1, MOST_CLASSES + 1)[1:-1]))
    shares = []
    for values in (old, new):
        count = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) + 0.5
        shares.append(count / count.sum())
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
