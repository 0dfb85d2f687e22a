"""Weights of models, learned from the errors that they made on past folds."""

from __future__ import annotations

import numpy as np

ITERATIONS = 10
SHRINKAGE = 0.1
"""How much the weights are drawn to those of the errors alone; measured on loads, prices, PV and wind."""
SHARPNESS = 4
"""Power of the mean absolute error by which models are weighed before they are weighed together."""


def error_weights(predicted: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return weights that fall with the fourth power of each model's mean absolute error.

    Parameters
    ----------
    predicted : ndarray (values, models)
    observed : ndarray (values)

    Returns
    -------
    ndarray (models)
        Above zero, one in all.
    """
    error = np.mean(np.abs(predicted - observed[:, None]), axis=0)
    least = max(float(error.min()), 1e-12)
    weight = (np.maximum(error, least) / least) ** -SHARPNESS
    total: np.ndarray = weight / weight.sum()
    return total


def combination_weights(predicted: np.ndarray, observed: np.ndarray, shrinkage: float = SHRINKAGE) -> np.ndarray:
    """Return weights of models whose sum has the least absolute error, none below zero, one in all.

    Least absolute errors are reached by least squares weighed again and again [1]_, and are drawn to `error_weights`,
    since the errors of models resemble each other and folds are few.

    Parameters
    ----------
    predicted : ndarray (values, models)
        Forecasts of past folds, made with what was known then.
    observed : ndarray (values)
        NaN where it is not known; such values do not count.
    shrinkage : float
        0: the least error on these folds; large: `error_weights`.

    Returns
    -------
    ndarray (models)
        Equal where nothing is known.

    References
    ----------
    .. [1] E. J. Schlossmacher, "An iterative technique for absolute deviations curve fitting," J. Am. Stat. Assoc.,
       vol. 68, no. 344, 1973, doi:10.1080/01621459.1973.10481436.
    """
    from scipy.optimize import nnls

    is_known = ~(np.isnan(observed) | np.isnan(predicted).any(axis=1))
    predicted, observed = predicted[is_known], observed[is_known]
    models = predicted.shape[1]
    if len(observed) < models or models == 1:
        return np.full(models, 1 / models)
    prior = error_weights(predicted, observed)
    unit = float(np.mean(np.abs(observed - predicted @ prior)))
    if unit == 0.0:
        return prior
    weight = prior
    for _ in range(ITERATIONS):
        error = np.abs(observed - predicted @ weight)
        root = 1 / np.sqrt(np.maximum(error, 0.05 * unit))
        inputs, wanted = predicted * root[:, None], observed * root
        apart = inputs - inputs.mean(axis=1, keepdims=True)
        pull = np.sqrt(shrinkage * float(np.sum(apart**2)) / models)
        # A row of large numbers holds the sum at one.
        hold = 1e3 * np.sqrt(float(np.mean(inputs**2)) * len(inputs))
        gram_rows = np.vstack([inputs, np.full((1, models), hold), pull * np.eye(models)])
        # The problem is small once reduced to its triangular factor.
        factor = np.linalg.qr(np.column_stack([gram_rows, np.concatenate([wanted, [hold], pull * prior])]), mode="r")
        weight, _ = nnls(factor[:, :models], factor[:, models], maxiter=100 * models)
        weight = weight / weight.sum() if weight.sum() > 0 else prior
    result: np.ndarray = weight
    return result


def best_model(predicted: np.ndarray, observed: np.ndarray) -> int:
    """Return the position of the model with the least mean absolute error, the first where several have it."""
    is_known = ~(np.isnan(observed) | np.isnan(predicted).any(axis=1))
    if not is_known.any():
        return 0
    return int(np.argmin(np.mean(np.abs(predicted[is_known] - observed[is_known, None]), axis=0)))
