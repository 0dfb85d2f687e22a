"""LEAR: each step of a day as a sparse linear map of whole days, by the lasso."""

from __future__ import annotations

import warnings

import numpy as np

from ems.forecast.features import KNOWN_DAYS, OWN_DAYS
from ems.forecast.ridge import LEAST_SPREAD, Ridge, RidgeFit

PENALTIES = (0.1, 0.05, 0.025, 0.0125)
"""Penalties tried, as shares of an output's standard deviation, the strongest first."""
MOST_SWEEPS = 100
TOLERANCE = 1e-3
CHOICES_D = 28
"""Fits after which the penalty of each step is chosen again; between them only the map is learned anew."""


def fit_lasso(
    features: np.ndarray, targets: np.ndarray, chosen: np.ndarray | None = None
) -> tuple[RidgeFit, np.ndarray]:
    """Return a lasso for each output, and which penalty each has: that of the least Akaike criterion [1]_.

    Parameters
    ----------
    features : ndarray (days, features)
    targets : ndarray (days, outputs)
    chosen : ndarray of int (outputs), optional
        Penalty of each output, where it is known already.

    References
    ----------
    .. [1] J. Lago, G. Marcjasz, B. De Schutter and R. Weron, "Forecasting day-ahead electricity prices: a review of
       state-of-the-art algorithms, best practices and an open-access benchmark," Applied Energy, vol. 293, 2021,
       doi:10.1016/j.apenergy.2021.116983.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lasso_path

    days, outputs = targets.shape
    centre, spread = features.mean(axis=0), features.std(axis=0)
    scale = np.where(spread > LEAST_SPREAD, spread, np.inf)
    inputs = np.asfortranarray((features - centre) / scale)
    level, unit = targets.mean(axis=0), np.maximum(targets.std(axis=0), LEAST_SPREAD)
    wanted = (targets - level) / unit
    gram, moment = inputs.T @ inputs, inputs.T @ wanted
    slope = np.zeros((features.shape[1], outputs))
    best = np.zeros(outputs, dtype=int) if chosen is None else chosen
    with warnings.catch_warnings():
        # A few sweeps come close enough: what is left lies far below the noise of a day.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for at in range(outputs):
            tried = PENALTIES if chosen is None else PENALTIES[chosen[at] : chosen[at] + 1]
            _, path, _ = lasso_path(
                inputs,
                wanted[:, at],
                alphas=tried,
                precompute=gram,
                Xy=moment[:, at],
                max_iter=MOST_SWEEPS,
                tol=TOLERANCE,
            )
            if chosen is None:
                square = np.mean((wanted[:, at, None] - inputs @ path) ** 2, axis=0)
                criterion = days * np.log(np.maximum(square, LEAST_SPREAD)) + 2 * (path != 0).sum(axis=0)
                best[at] = int(np.argmin(criterion))
                path = path[:, best[at] :]
            slope[:, at] = path[:, 0] * unit[at]
    return RidgeFit(centre, scale, level, slope, float("nan"), np.empty((0, outputs))), best


class Lear(Ridge):
    """A lasso for each step of a day, on values tamed by the inverse hyperbolic sine: strong for prices.

    Parameters
    ----------
    own_days, known_days : tuple of int
        Days whose values enter, see `ems.forecast.features`.
    window_d : int
        Days of history it learns from.
    refit_d : int
        Days after which it is fitted again in a backtest.
    """

    name = "lear"

    def __init__(
        self,
        own_days: tuple[int, ...] = OWN_DAYS,
        known_days: tuple[int, ...] = KNOWN_DAYS,
        window_d: int = 365,
        refit_d: int = 1,
    ) -> None:
        super().__init__(own_days, known_days, window_d, is_transformed=True)
        self.refit_d = refit_d
        self.chosen: dict[int, tuple[int, np.ndarray]] = {}

    def _fit_map(
        self, features: np.ndarray, wanted: np.ndarray, weight: np.ndarray | None, block: int
    ) -> RidgeFit:
        """Return the map of one day of the horizon; its penalties are kept for some fits."""
        fits, chosen = self.chosen.get(block, (0, None))
        fit, best = fit_lasso(features, wanted, chosen if fits % CHOICES_D and chosen is not None else None)
        self.chosen[block] = (fits + 1, best)
        return fit
