"""Weights of an ensemble's members, learned from what each forecast before and what was measured since."""

from __future__ import annotations

import numpy as np

from ems.forecast.folds import Folds
from ems.record import NonNegative, Positive, Record

ROUNDS = 6
"""Rounds of reweighting, after which the weights of least absolute error move no more in their third digit."""
FEWEST_FOLDS = 7
SMALLEST_ERROR = 0.1
"""Of the median error: smaller errors count as this large, so that one lucky step does not decide."""


class Combination(Record):
    """How the members of an ensemble are weighted."""

    learning_days: Positive = 28.0
    """Days of past forecasts from which weights are learned."""
    shrinking: NonNegative = 1.0
    """How strongly weights are drawn towards equal ones, in folds of evidence."""


def weights_of(folds: Folds, fold: int, options: Combination, steps_per_day: int) -> np.ndarray:
    """Return the weight of each member in a fold, zero for members without a forecast; they sum to 1.

    The weights have the least absolute error of the weighted mean over past folds, are not negative, and are drawn
    towards equal ones: with few folds they are nearly equal. A combination of forecasts is rarely worse than its
    parts [1]_.

    Parameters
    ----------
    folds : Folds
    fold : int
    options : Combination
    steps_per_day : int

    Returns
    -------
    ndarray (members,)

    References
    ----------
    .. [1] X. Wang, R. J. Hyndman, F. Li and Y. Kang, "Forecast combinations: An over 50-year review," International
       Journal of Forecasting, vol. 39, no. 4, 2023, doi:10.1016/j.ijforecast.2022.11.005.
    """
    now = folds.predicted[:, fold, : folds.counts[fold]]
    there = np.isfinite(now).all(axis=1)
    weights = np.zeros(len(there))
    if not there.any():
        return weights
    count = int(there.sum())
    weights[there] = 1 / count
    seen = folds.seen(fold, options.learning_days, steps_per_day)
    seen &= np.isfinite(folds.predicted[there]).all(axis=0)
    past_folds = int(seen.any(axis=1).sum())
    if past_folds < FEWEST_FOLDS or count == 1:
        return weights
    errors = (folds.predicted[there][:, seen] - folds.observed[seen]).T
    weights[there] = least_absolute_weights(errors, options.shrinking / past_folds)
    return weights


def least_absolute_weights(errors: np.ndarray, shrinking: float) -> np.ndarray:
    """Return weights, not negative and of sum 1, of which the weighted error is small in absolute value.

    minimize mean |errors @ w| + shrinking towards equal weights, by reweighted least squares.

    Parameters
    ----------
    errors : ndarray (steps, members)
    shrinking : float
    """
    from scipy.optimize import nnls

    count = errors.shape[1]
    equal = np.full(count, 1 / count)
    weights = equal
    for _ in range(ROUNDS):
        size = np.abs(errors @ weights)
        floor = SMALLEST_ERROR * float(np.median(size))
        if floor <= 0:
            return weights
        scaled = errors / np.sqrt(np.maximum(size, floor))[:, None]
        products = scaled.T @ scaled
        products /= np.trace(products) / count
        root = np.linalg.cholesky(products + (shrinking + 1e-9) * np.eye(count))
        wanted = np.linalg.solve(root, shrinking * equal)
        # A heavy last row holds the sum at 1, which least squares without signs cannot otherwise.
        heavy = 1e3
        found, _ = nnls(np.vstack([root.T, np.full(count, heavy)]), np.append(wanted, heavy))
        weights = found / found.sum()
    return weights
