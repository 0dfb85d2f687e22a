"""Exponential smoothing with additive errors, trends and seasons: parameters, choice of the form, and forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ems.forecast.linear_filter import continued, errors_of, filtered, horizon_error, weights_of_errors

LEAST_SMOOTHING = 1e-4
DAMPING = (0.8, 0.98)
"""Bounds of the damping of a trend: below it is no trend any more, above it cannot be told from a straight one."""
FORMS = ((False, False), (True, True), (True, False))
"""Whether there is a trend, and whether it is damped."""


@dataclass(frozen=True)
class Smoothing:
    """Parameters of exponential smoothing [1]_.

    value = level + damping * trend + season of the last one + error
    level = level + damping * trend + alpha * error; trend = damping * trend + beta * error;
    season = season of the last one + gamma * error

    Parameters
    ----------
    season : int
        Steps of a season; 1 is none.
    alpha, beta, gamma : float
        Shares of an error that level, trend and season take; beta of 0 is no trend, if ``has_trend`` says so.
    damping : float
        1 does not damp.
    has_trend : bool

    References
    ----------
    .. [1] R. J. Hyndman, A. B. Koehler, J. K. Ord and R. D. Snyder, "Forecasting with Exponential Smoothing," Springer,
       2008, doi:10.1007/978-3-540-71918-2.
    """

    season: int
    alpha: float
    beta: float = 0.0
    gamma: float = 0.0
    damping: float = 1.0
    has_trend: bool = False

    @property
    def polynomials(self) -> tuple[np.ndarray, np.ndarray]:
        """The model in the form ar(L) values = ma(L) errors.

        ar = 1 - L**season, ma = ar + alpha * (L + ... + L**season) + gamma * L**season; a trend multiplies both by
        1 - damping * L and adds beta * damping * (L + ... + L**season) to ma.
        """
        m = self.season
        ar = np.zeros(m + 1)
        ar[0], ar[m] = 1.0, -1.0
        ma = ar.copy()
        ma[1:] += self.alpha
        ma[m] += self.gamma
        if self.has_trend:
            ar, ma = np.convolve(ar, [1.0, -self.damping]), np.convolve(ma, [1.0, -self.damping])
            ma[1 : m + 1] += self.beta * self.damping
        return ar, ma

    def forecast(self, values: np.ndarray, steps: int) -> np.ndarray:
        """Return the forecast of the steps after the last value, shape (steps,)."""
        ar, ma = self.polynomials
        centre = values.mean()
        centred = values - centre
        return centre + continued(centred, errors_of(centred, ar, ma), ar, ma, steps)


def fit_smoothing(
    values: np.ndarray, season: int, horizon: int, forms: Sequence[tuple[bool, bool]] = FORMS
) -> Smoothing:
    """Return the form and the parameters with the least squared error over a horizon.

    The form takes the least n * log(error) + 2 * parameters, as Akaike's criterion counts them.

    Parameters
    ----------
    values : ndarray (steps,)
        Without gaps; more than two seasons.
    season : int
        Steps of a season; 1 is none.
    horizon : int
        Steps ahead over which errors are counted; 1 gives the usual least squares.
    forms : sequence of (bool, bool)
        Among which is chosen: whether there is a trend, and whether it is damped.
    """
    spread = float(values.std())
    scaled = (values - values.mean()) / spread if spread > 0 else np.zeros(len(values))
    best, least = None, np.inf
    for has_trend, is_damped in forms:
        found, error = _fitted(scaled, season, horizon, has_trend=has_trend, is_damped=is_damped)
        parameters = 1 + 1 + has_trend + is_damped + (season > 1)
        score = len(scaled) * np.log(max(error, 1e-300)) + 2 * parameters
        if best is None or score < least:
            best, least = found, score
    assert best is not None, "there is at least one form"
    return best


def _fitted(
    values: np.ndarray, season: int, horizon: int, *, has_trend: bool, is_damped: bool
) -> tuple[Smoothing, float]:
    """Return the best parameters of a form and their mean square error."""
    from scipy.optimize import minimize

    share = (LEAST_SMOOTHING, 1 - LEAST_SMOOTHING)
    start, bounds = [0.2], [share]
    if season > 1:
        start, bounds = [*start, 0.2], [*bounds, share]
    if has_trend:
        start, bounds = [*start, 0.05], [*bounds, share]
    if is_damped:
        start, bounds = [*start, 0.95], [*bounds, DAMPING]

    def made(x: np.ndarray) -> Smoothing:
        # Season and trend take shares of what the level leaves and takes: within the usual bounds for any x.
        rest = list(map(float, x))
        alpha = rest.pop(0)
        gamma = rest.pop(0) * (1 - alpha) if season > 1 else 0.0
        beta = rest.pop(0) * alpha if has_trend else 0.0
        return Smoothing(season, alpha, beta, gamma, rest.pop(0) if is_damped else 1.0, has_trend)

    def error(x: np.ndarray) -> float:
        ar, ma = made(x).polynomials
        errors = filtered(np.convolve(values, ar, mode="valid"), np.ones(1), ma)
        return horizon_error(errors, weights_of_errors(ar, ma, horizon))

    def logarithm(x: np.ndarray) -> float:
        found = error(x)
        return float(np.log(max(found, 1e-300))) if np.isfinite(found) else 700.0

    result = minimize(logarithm, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 50, "ftol": 1e-7})
    return made(result.x), error(result.x)
