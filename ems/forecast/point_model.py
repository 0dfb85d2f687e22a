"""PointModel: what learns from the past folds of a design and tells the steps of a later one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ems.forecast.design import Design

MOST_MISSING = 0.25
ROOM_SHARE = 0.1
NORMAL_MAD = 0.6745
"""Median absolute deviation of a normal law, in standard deviations."""
MOST_INWARD = 12.0
"""Its hyperbolic sine is 81,000 deviations."""


class TooShort(Exception):  # noqa: N818 - found while learning, told to people by the forecaster
    """There is not enough history for a model; the text says how much there is and how much it needs."""


class PointModel(ABC):
    """A model of the middle of what will come; quantiles are laid around it by `ems.forecast.conformal`.

    A model may learn only from targets that lie before the issue it is fitted at, see `known_targets`.
    """

    name: ClassVar[str]
    """Name by which it is chosen."""
    refit_d: int = 1
    """Days after which it is fitted again in a backtest; what costs little is fitted daily."""
    history_d: ClassVar[float] = 14.0
    """Days of history below which it is not used."""

    @abstractmethod
    def fit(self, design: Design, fold: int) -> None:
        """Learn from what was known when forecast `fold` was issued."""

    @abstractmethod
    def predict(self, design: Design, fold: int) -> np.ndarray:
        """Return the forecast of a fold, shape (steps,)."""

    def importance(self) -> dict[str, float]:
        """Return how much each feature told, in shares; empty where the model has no features."""
        return {}


def blocks_of(design: Design) -> int:
    """Return how many days a forecast touches, the last one perhaps in part."""
    return -(-design.steps // design.per_day)


def known_targets(design: Design, fold: int) -> np.ndarray:
    """Return targets as they were known at an issue: NaN in the forecasts that had not come to pass.

    Returns
    -------
    ndarray (fold, steps)
        Of all earlier issues.
    """
    return np.where(design.slot[:fold] < design.issue[fold], design.target[:fold], np.nan)


def without_small_gaps(design: Design, targets: np.ndarray, slot: np.ndarray) -> np.ndarray:
    """Return targets in which gaps of at most a quarter of a day take the same time of the day before.

    Parameters
    ----------
    design : Design
    targets : ndarray (issues, steps)
    slot : ndarray of int (issues, steps)
    """
    is_gap = np.isnan(targets)
    is_small = is_gap & (is_gap.mean(axis=1) <= MOST_MISSING)[:, None]
    return np.where(is_small, design.filled[np.minimum(slot, len(design.filled) - 1)], targets)


def within_range(predicted: np.ndarray, least: float, most: float) -> np.ndarray:
    """Return predictions that leave the range of what has been by at most a tenth of it."""
    room = ROOM_SHARE * (most - least)
    kept: np.ndarray = np.clip(predicted, least - room, most + room)
    return kept


@dataclass(frozen=True)
class Scaling:
    """Values as the inverse hyperbolic sine of their distance from the median, in deviations.

    Parameters
    ----------
    median : float
    deviation : float
        Median absolute deviation, as the standard deviation of a normal law that has it.
    """

    median: float
    deviation: float

    @classmethod
    def of(cls, values: np.ndarray) -> Scaling:
        """Return the scaling of values; gaps do not count."""
        median = float(np.nanmedian(values))
        deviation = float(np.nanmedian(np.abs(values - median))) / NORMAL_MAD
        if deviation == 0.0:
            deviation = float(np.nanstd(values)) or 1.0
        return cls(median, deviation)

    def inward(self, values: np.ndarray) -> np.ndarray:
        """Return values as they are learned."""
        return np.arcsinh((values - self.median) / self.deviation)

    def outward(self, values: np.ndarray) -> np.ndarray:
        """Return learned values in their own unit; further than any value has been is as good as infinite."""
        return self.median + self.deviation * np.sinh(np.clip(values, -MOST_INWARD, MOST_INWARD))
