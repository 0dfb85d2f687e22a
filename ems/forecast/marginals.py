"""Marginal distributions of forecasts: from a few quantiles to a value for each probability, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Marginals:
    """The distribution of each of many values, as some of its quantiles tell it.

    Between neighbouring quantiles probability is spread evenly. Beyond the lowest and the highest one it falls off
    exponentially, beginning with the density that it has within the last interval:

    value(p) = lowest - scale * log(level / p), with scale = level * (second - lowest) / (second level - level)

    This is the tail of an exponential distribution, a little heavier than a normal one, and has no parameter that a
    forecast does not tell. Tails end at bounds, where what would lie beyond them is gathered. Where the two outer
    quantiles are equal, as zero at night, nothing lies beyond them.

    Parameters
    ----------
    values : ndarray (..., quantile)
        Not descending along the last axis.
    level : ndarray (quantile,)
        Probability of each, ascending, in (0, 1).
    lower, upper : float
        Bounds of what can be; infinite where there are none.
    """

    values: np.ndarray
    level: np.ndarray
    lower: float = -np.inf
    upper: float = np.inf

    @property
    def is_certain(self) -> np.ndarray:
        """Whether all quantiles are equal, as those of solar power at night, shape (...)."""
        certain: np.ndarray = self.values[..., 0] == self.values[..., -1]
        return certain

    @property
    def scales(self) -> tuple[np.ndarray, np.ndarray]:
        """Scale of the lower and of the upper tail, shape (...)."""
        if len(self.level) == 1:
            nothing = np.zeros(self.values.shape[:-1])
            return nothing, nothing
        first, last = self.level[:2], self.level[-2:]
        low = first[0] * (self.values[..., 1] - self.values[..., 0]) / (first[1] - first[0])
        high = (1 - last[1]) * (self.values[..., -1] - self.values[..., -2]) / (last[1] - last[0])
        return low, high

    def at(self, probability: np.ndarray) -> np.ndarray:
        """Return the value below which a probability lies.

        Parameters
        ----------
        probability : ndarray (sample, ...)
            Each in (0, 1).

        Returns
        -------
        ndarray (sample, ...)
        """
        level = self.level
        low_scale, high_scale = self.scales
        segment = np.clip(np.searchsorted(level, probability, side="right"), 1, max(len(level) - 1, 1))
        values = np.broadcast_to(self.values, (*probability.shape, len(level)))
        if len(level) > 1:
            below = np.take_along_axis(values, segment[..., None] - 1, axis=-1)[..., 0]
            above = np.take_along_axis(values, segment[..., None], axis=-1)[..., 0]
            share = (probability - level[segment - 1]) / (level[segment] - level[segment - 1])
            found = below + np.clip(share, 0, 1) * (above - below)
        else:
            found = values[..., 0].copy()
        found = np.where(
            probability < level[0], self.values[..., 0] + low_scale * np.log(probability / level[0]), found
        )
        rest = (1 - probability) / (1 - level[-1])
        found = np.where(probability > level[-1], self.values[..., -1] - high_scale * np.log(rest), found)
        bounded: np.ndarray = np.clip(found, self.lower, self.upper)
        return bounded

    def probabilities(self, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the probability of less than an observation, and that of no more, shape (...) each.

        They differ where a value has a probability of its own, as zero in the morning of a solar plant. NaN gives NaN.

        Parameters
        ----------
        observed : ndarray (...)
        """
        level, values = self.level, self.values
        low_scale, high_scale = self.scales
        seen = observed[..., None]
        less = (values < seen).sum(axis=-1)
        upto = (values <= seen).sum(axis=-1)
        last = len(level) - 1
        start, end = np.clip(less - 1, 0, last), np.clip(less, 0, last)
        begin = np.take_along_axis(values, start[..., None], axis=-1)[..., 0]
        width = np.take_along_axis(values, end[..., None], axis=-1)[..., 0] - begin
        share = np.divide(observed - begin, width, out=np.zeros_like(begin), where=width > 0)
        between = level[start] + share * (level[end] - level[start])
        # An observation that is exactly a quantile, or several of them, has the probabilities from first to last.
        is_quantile = upto > less
        below = np.where(is_quantile, level[end], between)
        no_more = np.where(is_quantile, level[np.clip(upto - 1, 0, last)], between)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            low_tail = level[0] * np.exp(np.minimum((observed - values[..., 0]) / low_scale, 0.0))
            high_tail = 1 - (1 - level[-1]) * np.exp(np.minimum((values[..., -1] - observed) / high_scale, 0.0))
        low_tail = np.where(low_scale > 0, low_tail, 0.0)
        high_tail = np.where(high_scale > 0, high_tail, 1.0)
        is_low, is_high = less == 0, upto == len(level)
        below = np.where(is_low, np.where(observed <= self.lower, 0.0, low_tail), below)
        no_more = np.where(is_low & ~is_quantile, low_tail, no_more)
        no_more = np.where(is_high, np.where(observed >= self.upper, 1.0, high_tail), no_more)
        below = np.where(is_high & ~is_quantile, high_tail, below)
        unknown = ~np.isfinite(observed)
        return np.where(unknown, np.nan, below), np.where(unknown, np.nan, no_more)
