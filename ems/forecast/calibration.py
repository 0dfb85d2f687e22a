"""Honest probabilities: quantiles of a point forecast from its own past errors, adapted to the coverage reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ems.forecast.folds import Folds
from ems.record import Fraction, Positive, Record

LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
FEWEST_ERRORS = 20
FEWEST_DAYS = 5
MINUTES_PER_DAY = 1440
FAINT = 1e-6
"""Weight of errors that are far in every respect: alone they still make a distribution."""
LARGEST_SHIFT = 1.5
"""Bound of the adaptation, in standard deviations of a normal distribution."""


class Calibration(Record):
    """How quantiles are made of past errors."""

    days: Positive = 28.0
    """Days of past forecasts whose errors count."""
    clock_h: Positive = 3.0
    """Nearness in time of day: errors this far away count 61 %, twice as far 14 %."""
    level: Positive = 0.7
    """Nearness in size of the forecast, in standard deviations of the forecasts."""
    lead_days: Positive = 1.0
    """Nearness in lead time."""
    correction: Fraction = 0.5
    """Share of the median of past errors by which the median forecast is corrected; quantiles around it keep all."""
    adaptation: Annotated[float, Field(ge=0, le=1)] = 0.01
    """How fast levels follow the coverage reached: 0 is never."""
    width_adaptation: Annotated[float, Field(ge=0, le=1)] = 0.2
    """How fast all intervals together grow where too little lies within them, and shrink where too much does."""


@dataclass
class CalibrationState:
    """What adaptation has come to; changes from fold to fold.

    Parameters
    ----------
    shift : ndarray (levels,)
        Added to each level, in standard deviations of a normal distribution.
    log_width : float
        Logarithm of the factor on all distances from the median.
    """

    shift: np.ndarray
    log_width: float = 0.0

    @classmethod
    def new(cls, levels: np.ndarray) -> CalibrationState:
        """Return the state before any coverage is known."""
        return cls(np.zeros(len(levels)))


def calibrated(
    folds: Folds,
    points: np.ndarray,
    is_certain: np.ndarray,
    levels: Sequence[float],
    options: Calibration,
    steps_per_day: int,
    bounds: tuple[float | None, float | None] = (None, None),
) -> tuple[np.ndarray, CalibrationState]:
    """Return quantiles of each fold from the errors that were known when it was issued.

    The quantile of a step is its point forecast plus the weighted quantile of past errors, which weigh more the nearer
    they are in time of day, size and lead time: conformal prediction with local weights [1]_. Where lately too few or
    too many observations lay below a level, that level moves [2]_, and where intervals held too few or too many, they
    grow or shrink; both by what was known at each issue time.

    Parameters
    ----------
    folds : Folds
    points : ndarray (folds, steps)
    is_certain : ndarray of bool (folds, steps)
        Steps whose value is known for certain, as solar power at night: all quantiles are the point forecast, and
        they teach nothing.
    levels : sequence of float
    options : Calibration
    steps_per_day : int
    bounds : tuple of float
        Least and greatest value that can be.

    Returns
    -------
    tuple of ndarray (folds, steps, levels) and CalibrationState
        NaN where too few errors were known: the first folds.

    References
    ----------
    .. [1] R. F. Barber, E. J. Candès, A. Ramdas and R. J. Tibshirani, "Conformal prediction beyond exchangeability,"
       The Annals of Statistics, vol. 51, no. 2, 2023, doi:10.1214/23-AOS2276.
    .. [2] I. Gibbs and E. Candès, "Adaptive conformal inference under distribution shift," Advances in Neural
       Information Processing Systems 34, 2021.
    """
    wanted = np.asarray(levels, dtype=float)
    quantiles = np.full((*points.shape, len(wanted)), np.nan)
    state = CalibrationState.new(wanted)
    usable = np.isfinite(points) & ~is_certain
    for fold in range(len(folds.at)):
        count = folds.counts[fold]
        if fold:
            _adapt(state, folds, fold, quantiles, usable, wanted, options)
        found = quantiles_of_fold(folds, fold, points, is_certain, wanted, state, options, steps_per_day, bounds)
        if found is not None:
            quantiles[fold, :count] = found
    return quantiles, state


def quantiles_of_fold(
    folds: Folds,
    fold: int,
    points: np.ndarray,
    is_certain: np.ndarray,
    levels: np.ndarray,
    state: CalibrationState,
    options: Calibration,
    steps_per_day: int,
    bounds: tuple[float | None, float | None] = (None, None),
) -> np.ndarray | None:
    """Return the quantiles of one fold, shape (steps, levels), or None where too few errors were known.

    Parameters are those of `calibrated`, with the state that adaptation has come to.
    """
    count = folds.counts[fold]
    usable = np.isfinite(points) & ~is_certain
    seen = folds.seen(fold, options.days, steps_per_day) & usable
    certain = is_certain[fold, :count]
    if certain.all():
        return np.repeat(points[fold, :count, None], len(levels), axis=1)
    if seen.sum() < FEWEST_ERRORS or seen.any(axis=1).sum() < FEWEST_DAYS:
        return None
    found = _of_fold(folds, fold, points, seen, levels, state, options, steps_per_day)
    found[certain] = points[fold, :count][certain][:, None]
    found = np.sort(found, axis=1)
    lower, upper = bounds
    return found if lower is None and upper is None else np.clip(found, lower, upper)


def _of_fold(
    folds: Folds,
    fold: int,
    points: np.ndarray,
    seen: np.ndarray,
    levels: np.ndarray,
    state: CalibrationState,
    options: Calibration,
    steps_per_day: int,
) -> np.ndarray:
    """Return quantiles of a fold's steps, shape (steps, levels)."""
    from scipy.special import ndtr, ndtri

    count = folds.counts[fold]
    now = points[fold, :count]
    lead = np.broadcast_to(np.arange(points.shape[1]) / steps_per_day, points.shape)
    errors = folds.observed[seen] - points[seen]
    clock = np.abs(folds.minute[fold, :count, None] - folds.minute[seen])
    clock_h = np.minimum(clock, MINUTES_PER_DAY - clock) / 60
    spread = max(float(np.std(points[seen])), 1e-12)
    distance = (clock_h / options.clock_h) ** 2
    distance += ((now[:, None] - points[seen]) / (options.level * spread)) ** 2
    distance += ((lead[fold, :count, None] - lead[seen]) / options.lead_days) ** 2
    weights = np.exp(-0.5 * distance) + FAINT
    found = _weighted_quantiles(errors, weights, ndtr(ndtri(levels) + state.shift))
    middle = _weighted_quantiles(errors, weights, np.array([0.5]))
    spread_out = middle + np.exp(state.log_width) * (found - middle)
    spread_out[:, np.abs(levels - 0.5) < 1e-9] = options.correction * middle
    return now[:, None] + spread_out


def _weighted_quantiles(errors: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return quantiles of the same errors under several weightings, shape (weightings, levels)."""
    order = np.argsort(errors, kind="stable")
    sorted_errors, weights = errors[order], weights[:, order]
    below = np.cumsum(weights, axis=1)
    share = (below - 0.5 * weights) / below[:, -1:]
    return np.stack([np.interp(levels, row, sorted_errors) for row in share])


def _adapt(
    state: CalibrationState,
    folds: Folds,
    fold: int,
    quantiles: np.ndarray,
    usable: np.ndarray,
    levels: np.ndarray,
    options: Calibration,
) -> None:
    """Move levels and width by what was measured since the fold before was issued."""
    from scipy.special import ndtri

    position = folds.position
    is_new = (position < folds.at[fold]) & (position >= folds.at[fold - 1]) & usable & np.isfinite(folds.observed)
    is_new &= np.isfinite(quantiles[:, :, 0])
    is_new[fold:] = False
    if not is_new.any():
        return
    observed, said = folds.observed[is_new][:, None], quantiles[is_new]
    # Half of what lies exactly on a quantile counts as below it: values pile up at zero and at capacity.
    reached = ((observed < said).mean(axis=0) + (observed <= said).mean(axis=0)) / 2
    slope = np.exp(0.5 * ndtri(levels) ** 2) * np.sqrt(2 * np.pi)
    state.shift = np.clip(
        state.shift + options.adaptation * (levels - reached) * slope, -LARGEST_SHIFT, LARGEST_SHIFT
    )
    pairs = [(low, len(levels) - 1 - low) for low in range(len(levels) // 2)]
    lacking = [(levels[high] - levels[low]) - (reached[high] - reached[low]) for low, high in pairs]
    if lacking:
        state.log_width = float(
            np.clip(state.log_width + options.width_adaptation * np.mean(lacking), -LARGEST_SHIFT, LARGEST_SHIFT)
        )
