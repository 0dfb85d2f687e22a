"""Linear models of time series as two polynomials of the lag: errors, forecasts, and errors over a whole horizon.

A model is ar(L) values = ma(L) errors, where L takes the value one step before and both polynomials begin with 1. ARIMA
models are of this form, and so are all additive models of exponential smoothing. A filter in C gives the errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def lag_product(factors: Sequence[np.ndarray]) -> np.ndarray:
    """Return the product of polynomials of the lag.

    >>> lag_product([np.array([1.0, -1.0]), np.array([1.0, -0.5])])
    array([ 1. , -1.5,  0.5])
    """
    product = np.ones(1)
    for one in factors:
        product = np.convolve(product, one)
    return product


def every(polynomial: np.ndarray, season: int) -> np.ndarray:
    """Return a polynomial of the lag of a season as one of the lag of a step.

    >>> every(np.array([1.0, -0.5]), 3)
    array([ 1. ,  0. ,  0. , -0.5])
    """
    spread = np.zeros((len(polynomial) - 1) * season + 1)
    spread[::season] = polynomial
    return spread


def filtered(values: np.ndarray, ar: np.ndarray, ma: np.ndarray, season: int = 1) -> np.ndarray:
    """Return ar(L) values / ma(L) with zeros before the first value, L being the lag of a season.

    Parameters
    ----------
    values : ndarray (steps,)
    ar, ma : ndarray
        Polynomials that begin with 1.
    season : int
        Steps of the lag. Each step of the season is a series of its own, and all are filtered at once.
    """
    from scipy.signal import lfilter

    if season == 1:
        found: np.ndarray = lfilter(ar, ma, values)
        return found
    missing = -len(values) % season
    table = np.concatenate([np.zeros(missing), values]).reshape(-1, season)
    flat: np.ndarray = lfilter(ar, ma, table, axis=0).reshape(-1)[missing:]
    return flat


def errors_of(values: np.ndarray, ar: np.ndarray, ma: np.ndarray) -> np.ndarray:
    """Return the one-step errors, shape (steps,): zero in the first steps, for which the model lacks values."""
    reach = len(ar) - 1
    differences = np.convolve(values, ar, mode="valid")
    return np.concatenate([np.zeros(reach), filtered(differences, np.ones(1), ma)])


def continued(values: np.ndarray, errors: np.ndarray, ar: np.ndarray, ma: np.ndarray, steps: int) -> np.ndarray:
    """Return the forecast of the steps after the last value, shape (steps,): future errors are zero.

    value[t] = -sum(ar[i] * value[t-i]) + sum(ma[j] * error[t-j]), i and j from 1

    Parameters
    ----------
    values, errors : ndarray (past steps,)
        At least as many as the polynomials reach back.
    ar, ma : ndarray
    steps : int
    """
    reach = max(len(ar), len(ma)) - 1
    value = np.concatenate([values[len(values) - reach :], np.zeros(steps)])
    error = np.concatenate([errors[len(errors) - reach :], np.zeros(steps)])
    for t in range(reach, reach + steps):
        value[t] = ma[1:] @ error[t - len(ma) + 1 : t][::-1] - ar[1:] @ value[t - len(ar) + 1 : t][::-1]
    return value[reach:]


def weights_of_errors(ar: np.ndarray, ma: np.ndarray, count: int) -> np.ndarray:
    """Return by how much an error moves the values of its own and the following steps, shape (count,)."""
    impulse = np.zeros(count)
    impulse[0] = 1.0
    return filtered(impulse, ma, ar)


def horizon_error(errors: np.ndarray, weights: np.ndarray) -> float:
    """Return the mean square of the errors of all lead times of a horizon, over all issue times.

    error[lead h] = sum(weight[i] * error[t + h - i]), i from 0 to h; its square follows from the covariance of the
    one-step errors, which need not be independent: where the model is wrong, this tells what it costs.

    Parameters
    ----------
    errors : ndarray (steps,)
        Of one step ahead.
    weights : ndarray (steps of the horizon,)
        Those of `weights_of_errors`.
    """
    count, horizon = len(errors), len(weights)
    covariance = np.array([errors[lag:] @ errors[: count - lag] for lag in range(horizon)]) / count
    lag = np.arange(horizon)
    leads = horizon - np.maximum(lag[:, None], lag)  # lead times in which both weights take part
    products = np.outer(weights, weights) * covariance[np.abs(lag[:, None] - lag)] * leads
    return float(products.sum() / horizon)
