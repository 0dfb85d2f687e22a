"""Quantiles laid around a forecast from the errors of past folds, and kept true by the share that fell below each."""

from __future__ import annotations

import numpy as np

WINDOW_D = 28
"""Folds whose errors are looked at."""
RATE = 0.03
"""How fast a level gives way when too much or too little falls below it."""
LEAST_SHARE = 0.05
"""Least scale of a step, as a share of the mean scale: a step that never erred may err one day."""
NEIGHBOURS = 1
LEAST_LEVEL = 0.002


def error_scale(errors: np.ndarray) -> np.ndarray:
    """Return the mean size of the errors of each lead time and its neighbours, shape (steps,).

    Parameters
    ----------
    errors : ndarray (folds, steps)
        NaN where an error is not known.
    """
    is_known = ~np.isnan(errors)
    total, count = np.abs(np.where(is_known, errors, 0.0)).sum(axis=0), is_known.sum(axis=0)
    padded_total, padded_count = np.pad(total, NEIGHBOURS), np.pad(count, NEIGHBOURS)
    near = np.ones(2 * NEIGHBOURS + 1)
    scale = np.convolve(padded_total, near, "valid") / np.maximum(np.convolve(padded_count, near, "valid"), 1)
    floor = LEAST_SHARE * float(scale.mean())
    whole: np.ndarray = np.maximum(scale, floor if floor > 0 else 1e-12)
    return whole


class Calibration:
    """Levels that follow what happens: adaptive conformal inference [1]_ on scaled errors [2]_.

    Each error of the window is divided by the scale that its step had; quantiles of these are laid around the new
    forecast in its own scale. After each fold a level rises by `rate` times the share that is missing below it.
    Higher levels never lie below lower ones, since all are quantiles of one set of errors.

    Parameters
    ----------
    quantile : ndarray (quantiles)
        Levels wanted, rising.
    window_d : int
    rate : float

    References
    ----------
    .. [1] I. Gibbs and E. Candès, "Adaptive conformal inference under distribution shift," Advances in Neural
       Information Processing Systems 34, 2021, arXiv:2106.00170.
    .. [2] H. Papadopoulos, A. Gammerman and V. Vovk, "Normalized nonconformity measures for regression conformal
       prediction," Proc. IASTED AIA, 2008.
    """

    def __init__(self, quantile: np.ndarray, window_d: int = WINDOW_D, rate: float = RATE) -> None:
        self.quantile, self.window_d, self.rate = quantile, window_d, rate
        self.shift = np.zeros(len(quantile))

    def quantiles(self, point: np.ndarray, scale: np.ndarray, errors: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """Return quantiles around a forecast, shape (steps, quantiles).

        Parameters
        ----------
        point, scale : ndarray (steps)
            The forecast and the size that its errors are expected to have.
        errors, scales : ndarray (folds, steps)
            Observation minus forecast of past folds, NaN where not known, and their scales; the latest last.
        """
        scaled = (errors / scales)[-self.window_d :].ravel()
        scaled = np.sort(scaled[~np.isnan(scaled)])
        if not len(scaled):
            return np.repeat(point[:, None], len(self.quantile), axis=1)
        level = np.clip(self.quantile + self.shift, LEAST_LEVEL, 1 - LEAST_LEVEL)
        position = (np.arange(len(scaled)) + 0.5) / len(scaled)
        around = np.maximum.accumulate(np.interp(level, position, scaled))
        spread: np.ndarray = point[:, None] + scale[:, None] * around
        return spread

    def learn(self, quantiles: np.ndarray, observed: np.ndarray) -> None:
        """Move each level by what fell below its quantile in a fold.

        Parameters
        ----------
        quantiles : ndarray (steps, quantiles)
        observed : ndarray (steps)
            NaN where it is not known.
        """
        is_known = ~np.isnan(observed)
        if is_known.any():
            below = np.mean(observed[is_known, None] <= quantiles[is_known], axis=0)
            self.shift += self.rate * (self.quantile - below)
