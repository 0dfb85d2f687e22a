"""Honest probabilities: quantiles of a point forecast from its own past errors, adapted to the coverage reached."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import Field

from ems.forecast.folds import Folds
from ems.forecast.history import History
from ems.record import Fraction, Positive, Record

LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
FEWEST_ERRORS = 20
MINUTES_PER_DAY = 1440
FAINT = 1e-6
"""Weight of errors that are far in every respect: alone they still make a distribution."""
LEAST_SPREAD = 0.05
"""Of the median spread, added to each: no step is expected to be sure."""
LARGEST_SHIFT = 1.5
"""Bound of the adaptation, in standard deviations of a normal distribution."""


class Calibration(Record):
    """How quantiles are made of past errors."""

    days: Positive = 28.0
    """Days of past forecasts whose errors count."""
    least_days: Annotated[int, Field(ge=1)] = 5
    """Days whose errors must be known before probabilities are told."""
    clock_h: Positive = 3.0
    """Nearness in time of day: errors this far away count 61 %, twice as far 14 %."""
    level: Positive = 0.5
    """Nearness in size of the forecast, in standard deviations of the forecasts."""
    scaling: Fraction = 0.6
    """Power of the expected spread by which errors are scaled: 0 takes all alike, 1 in proportion to it."""
    lead_days: Positive = 1.0
    """Nearness in lead time."""
    correction: Fraction = 0.5
    """Share of the median of past errors by which the median forecast is corrected; quantiles around it keep all."""
    adaptation: Annotated[float, Field(ge=0, le=1)] = 0.005
    """How fast levels follow the coverage reached: 0 is never."""
    width_adaptation: Annotated[float, Field(ge=0, le=1)] = 0.1
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
    def new(cls, levels: int) -> CalibrationState:
        """Return the state before any coverage is known."""
        return cls(np.zeros(levels))


@dataclass(frozen=True)
class Calibrator:
    """Point forecasts from day to day, and the errors from which their quantiles are made.

    The quantile of a step is its point forecast plus the weighted quantile of past errors, which weigh more the nearer
    they are in time of day, size and lead time, and are scaled by how wide the distribution is expected to be:
    conformal prediction with local weights [1]_. Where lately too few or too many observations lay below a level, that
    level moves [2]_, and where intervals held too few or too many, they grow or shrink; both by what was known at each
    issue time.

    Parameters
    ----------
    folds : Folds
    points : ndarray (folds, steps)
    spread : ndarray (folds, steps)
        How wide the distribution of each step is expected to be; zeros where nothing is expected.
    is_certain : ndarray of bool (folds, steps)
        Steps whose value is known for certain, as solar power at night: all quantiles are the point forecast, and
        they teach nothing.
    levels : tuple of float
    options : Calibration
    history : History
        Its bounds hold for all quantiles; its values are not read.

    References
    ----------
    .. [1] R. F. Barber, E. J. Candès, A. Ramdas and R. J. Tibshirani, "Conformal prediction beyond exchangeability,"
       The Annals of Statistics, vol. 51, no. 2, 2023, doi:10.1214/23-AOS2276.
    .. [2] I. Gibbs and E. Candès, "Adaptive conformal inference under distribution shift," Advances in Neural
       Information Processing Systems 34, 2021.
    """

    folds: Folds
    points: np.ndarray
    spread: np.ndarray
    is_certain: np.ndarray
    levels: tuple[float, ...]
    options: Calibration
    history: History

    @cached_property
    def _usable(self) -> np.ndarray:
        usable: np.ndarray = np.isfinite(self.points) & ~self.is_certain
        return usable

    def run(self) -> tuple[np.ndarray, CalibrationState]:
        """Return the quantiles of all folds, shape (folds, steps, levels), and what adaptation has come to.

        NaN where too few errors were known: in the first folds.
        """
        quantiles = np.full((*self.points.shape, len(self.levels)), np.nan)
        state = CalibrationState.new(len(self.levels))
        for fold in range(len(self.folds.at)):
            if fold:
                self._adapt(state, fold, quantiles)
            found = self.quantiles(fold, state)
            if found is not None:
                quantiles[fold, : len(found)] = found
        return quantiles, state

    def quantiles(self, fold: int, state: CalibrationState) -> np.ndarray | None:
        """Return the quantiles of one fold, shape (steps, levels), or None where too few errors were known."""
        count = self.folds.counts[fold]
        certain = self.is_certain[fold, :count]
        if certain.all():
            return np.repeat(self.points[fold, :count, None], len(self.levels), axis=1)
        seen = self.folds.seen(fold, self.options.days, self.history.steps_per_day) & self._usable
        if seen.sum() < FEWEST_ERRORS or seen.any(axis=1).sum() < self.options.least_days:
            return None
        found = self._spread(fold, seen, state)
        found[certain] = self.points[fold, :count][certain][:, None]
        return within(np.sort(found, axis=1), self.history.lower, self.history.upper)

    def _spread(self, fold: int, seen: np.ndarray, state: CalibrationState) -> np.ndarray:
        """Return the point forecasts of a fold, spread out by errors that were seen, shape (steps, levels)."""
        from scipy.special import ndtr, ndtri

        levels, options = np.array(self.levels), self.options
        count = self.folds.counts[fold]
        now, scale = self.points[fold, :count], self._scale(seen)
        errors = (self.folds.observed[seen] - self.points[seen]) / scale[seen]
        weights = self._nearness(fold, seen)
        found = _weighted_quantiles(errors, weights, ndtr(ndtri(levels) + state.shift))
        middle = _weighted_quantiles(errors, weights, np.array([0.5]))
        spread = middle + np.exp(state.log_width) * (found - middle)
        spread[:, np.abs(levels - 0.5) < 1e-9] = options.correction * middle
        quantiles: np.ndarray = now[:, None] + scale[fold, :count, None] * spread
        return quantiles

    def _scale(self, seen: np.ndarray) -> np.ndarray:
        """Return by what errors are divided before they are compared, shape (folds, steps)."""
        usual = float(np.median(self.spread[seen]))
        if usual <= 0:
            return np.ones(self.spread.shape)
        return np.asarray((self.spread / usual + LEAST_SPREAD) ** self.options.scaling)

    def _nearness(self, fold: int, seen: np.ndarray) -> np.ndarray:
        """Return how near each seen error is to each step of a fold, shape (steps, errors)."""
        options, count = self.options, self.folds.counts[fold]
        minute, points = self.folds.minute, self.points
        lead = np.broadcast_to(np.arange(points.shape[1]) / self.history.steps_per_day, points.shape)
        clock = np.abs(minute[fold, :count, None] - minute[seen])
        clock_h = np.minimum(clock, MINUTES_PER_DAY - clock) / 60
        size = max(float(np.std(points[seen])), 1e-12)
        distance = (clock_h / options.clock_h) ** 2
        distance += ((points[fold, :count, None] - points[seen]) / (options.level * size)) ** 2
        distance += ((lead[fold, :count, None] - lead[seen]) / options.lead_days) ** 2
        nearness: np.ndarray = np.exp(-0.5 * distance) + FAINT
        return nearness

    def _adapt(self, state: CalibrationState, fold: int, quantiles: np.ndarray) -> None:
        """Move levels and width by what was measured since the fold before was issued."""
        from scipy.special import ndtri

        folds, levels = self.folds, np.array(self.levels)
        position = folds.position
        is_new = (position < folds.at[fold]) & (position >= folds.at[fold - 1]) & self._usable
        is_new &= np.isfinite(folds.observed) & np.isfinite(quantiles[:, :, 0])
        is_new[fold:] = False
        if not is_new.any():
            return
        observed, said = folds.observed[is_new][:, None], quantiles[is_new]
        # Half of what lies exactly on a quantile counts as below it: values pile up at zero and at capacity.
        reached = ((observed < said).mean(axis=0) + (observed <= said).mean(axis=0)) / 2
        slope = np.exp(0.5 * ndtri(levels) ** 2) * np.sqrt(2 * np.pi)
        moved = state.shift + self.options.adaptation * (levels - reached) * slope
        state.shift = np.clip(moved, -LARGEST_SHIFT, LARGEST_SHIFT)
        pairs = [(low, len(levels) - 1 - low) for low in range(len(levels) // 2)]
        if pairs:
            lacking = [(levels[high] - levels[low]) - (reached[high] - reached[low]) for low, high in pairs]
            wider = state.log_width + self.options.width_adaptation * float(np.mean(lacking))
            state.log_width = float(np.clip(wider, -LARGEST_SHIFT, LARGEST_SHIFT))


def _weighted_quantiles(errors: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return quantiles of the same errors under several weightings, shape (weightings, levels)."""
    order = np.argsort(errors, kind="stable")
    sorted_errors, weights = errors[order], weights[:, order]
    below = np.cumsum(weights, axis=1)
    share = (below - 0.5 * weights) / below[:, -1:]
    return np.stack([np.interp(levels, row, sorted_errors) for row in share])


def within(values: np.ndarray, lower: float | None, upper: float | None) -> np.ndarray:
    """Return values between bounds, where there are any."""
    return values if lower is None and upper is None else np.clip(values, lower, upper)
