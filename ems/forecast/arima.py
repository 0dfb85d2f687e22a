"""Seasonal ARIMA models by conditional least squares: coefficients, orders chosen automatically, and forecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ems.forecast.linear_filter import continued, errors_of, every, filtered, lag_product

MOST_ROUNDS = 30
TOLERANCE = 1e-6
LARGEST_REFLECTION = 0.995
"""Furthest that a root may come to the unit circle, told by the reflection coefficients."""
SEASONAL_STRENGTH = 0.64
"""Strength of a season from which on values are differenced over it, as in R's nsdiffs."""
KPSS_LIMIT = 0.463
"""Of the test for a constant level at 5 %."""
DIFFERENCE = np.array([1.0, -1.0])


@dataclass(frozen=True)
class Orders:
    """Orders of a seasonal ARIMA model.

    Parameters
    ----------
    p, d, q : int
        Coefficients on past values, differences, coefficients on past errors.
    seasonal_p, seasonal_d, seasonal_q : int
        The same for the lag of a season.
    season : int
        Steps of a season; 1 is none.
    """

    p: int
    d: int
    q: int
    seasonal_p: int = 0
    seasonal_d: int = 0
    seasonal_q: int = 0
    season: int = 1

    @property
    def coefficients(self) -> int:
        """Number of coefficients."""
        return self.p + self.q + self.seasonal_p + self.seasonal_q

    @property
    def reach(self) -> int:
        """Steps that its coefficients on past values reach back."""
        return self.p + self.seasonal_p * self.season

    @property
    def differences(self) -> np.ndarray:
        """Polynomial of the lag by which values are differenced."""
        over_season = [every(DIFFERENCE, self.season)] * self.seasonal_d
        return lag_product([*over_season, *([DIFFERENCE] * self.d)])

    def split(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the polynomials ar, ma, and those of the season, each beginning with 1."""
        ends = np.cumsum([self.p, self.q, self.seasonal_p])
        ar, ma, seasonal_ar, seasonal_ma = (np.append(1.0, one) for one in np.split(coefficients, ends))
        return ar, ma, seasonal_ar, seasonal_ma


@dataclass(frozen=True)
class Arima:
    """A seasonal ARIMA model with its coefficients [1]_.

    ar(L) * seasonal_ar(L**season) * differences(L) * (values - mean) = ma(L) * seasonal_ma(L**season) * errors

    Parameters
    ----------
    orders : Orders
    coefficients : ndarray (coefficients,)
        Of ar, ma, and those of the season, with the signs that they have in the polynomials.
    mean : float
        Of the values; zero of a model with differences.

    References
    ----------
    .. [1] G. E. P. Box, G. M. Jenkins, G. C. Reinsel and G. M. Ljung, "Time Series Analysis: Forecasting and Control,"
       5th ed., Wiley, 2015.
    """

    orders: Orders
    coefficients: np.ndarray
    mean: float = 0.0

    def forecast(self, values: np.ndarray, steps: int) -> np.ndarray:
        """Return the forecast of the steps after the last value, shape (steps,)."""
        orders = self.orders
        ar, ma, seasonal_ar, seasonal_ma = orders.split(self.coefficients)
        whole_ar = lag_product([ar, every(seasonal_ar, orders.season), orders.differences])
        whole_ma = np.convolve(ma, every(seasonal_ma, orders.season))
        # Values before the first one are taken as the mean: on a long series this is forgotten.
        centre = self.mean if self.mean else values[0]
        padded = np.concatenate([np.zeros(max(len(whole_ar), len(whole_ma))), values - centre])
        errors = errors_of(padded, whole_ar, whole_ma)
        return centre + continued(padded, errors, whole_ar, whole_ma, steps)


def fit_arima(values: np.ndarray, orders: Orders, start: np.ndarray | None = None) -> Arima:
    """Return the model of given orders with the least squared errors.

    Parameters
    ----------
    values : ndarray (steps,)
        Without gaps.
    orders : Orders
    start : ndarray (coefficients,), optional
        From which the search begins.
    """
    mean, series = _stationary(values, orders)
    found, _ = _least_squares(series, orders, start, orders.reach)
    return Arima(orders, found, mean)


def choose_arima(values: np.ndarray, season: int, most: int = 3, most_seasonal: int = 1) -> Arima:
    """Return the model whose orders have the least corrected criterion of Akaike, found stepwise [1]_.

    Differences over the season are taken where it is strong, and over a step while the level is not constant by the
    test of Kwiatkowski, Phillips, Schmidt and Shin. From four usual models the search goes on to the neighbour that is
    better, until none is.

    Parameters
    ----------
    values : ndarray (steps,)
        Without gaps.
    season : int
        Steps of a season; 1 is none.
    most, most_seasonal : int
        Highest orders of p and q, and of those of the season.

    References
    ----------
    .. [1] R. J. Hyndman and Y. Khandakar, "Automatic time series forecasting: The forecast package for R," Journal of
       Statistical Software, vol. 27, no. 3, 2008, doi:10.18637/jss.v027.i03.
    """
    most_seasonal = most_seasonal if season > 1 else 0
    seasonal_d = int(season > 1 and seasonal_strength(values, season) > SEASONAL_STRENGTH)
    differenced = np.convolve(values, Orders(0, 0, 0, 0, seasonal_d, 0, season).differences, mode="valid")
    d = 0
    while d < 1 + (seasonal_d == 0) and kpss(differenced) > KPSS_LIMIT:
        differenced, d = np.diff(differenced), d + 1

    def made(p: int, q: int, seasonal_p: int, seasonal_q: int) -> Orders:
        return Orders(
            min(p, most), d, min(q, most), min(seasonal_p, most_seasonal), seasonal_d, min(seasonal_q, most_seasonal),
            season,
        )  # fmt: skip

    mean, series = _stationary(values, made(0, 0, 0, 0))
    skip = most + most_seasonal * season  # the same errors count for all orders
    count = len(series) - skip
    scores: dict[Orders, float] = {}
    coefficients: dict[Orders, np.ndarray] = {}

    def try_out(orders: Orders) -> float:
        if orders not in scores:
            coefficients[orders], error = _least_squares(series, orders, None, skip)
            k = orders.coefficients + 1
            scores[orders] = count * np.log(max(error, 1e-300)) + 2 * k * count / max(1, count - k - 1)
        return scores[orders]

    for usual in ((2, 2, 1, 1), (0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1)):
        try_out(made(*usual))
    best = min(scores, key=scores.__getitem__)
    better: Orders | None = best
    while better is not None:
        best = better
        better = next((one for one in _neighbours(best, most, most_seasonal) if try_out(one) < scores[best]), None)
    return Arima(best, coefficients[best], mean)


def _neighbours(orders: Orders, most: int, most_seasonal: int) -> Iterator[Orders]:
    """Give the orders one step away, within the highest ones."""
    plain = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)]
    moves = [(*one, 0, 0) for one in plain] + [(0, 0, *one) for one in plain]
    for p, q, seasonal_p, seasonal_q in moves:
        moved = Orders(
            orders.p + p, orders.d, orders.q + q, orders.seasonal_p + seasonal_p, orders.seasonal_d,
            orders.seasonal_q + seasonal_q, orders.season,
        )  # fmt: skip
        if (
            0 <= min(moved.p, moved.q, moved.seasonal_p, moved.seasonal_q)
            and max(moved.p, moved.q) <= most
            and max(moved.seasonal_p, moved.seasonal_q) <= most_seasonal
        ):
            yield moved


def _stationary(values: np.ndarray, orders: Orders) -> tuple[float, np.ndarray]:
    """Return the mean, where there are no differences, and the values that coefficients are for."""
    mean = 0.0 if orders.d + orders.seasonal_d else float(values.mean())
    return mean, np.convolve(values - mean, orders.differences, mode="valid")


def _least_squares(
    series: np.ndarray, orders: Orders, start: np.ndarray | None, skip: int
) -> tuple[np.ndarray, float]:
    """Return coefficients with the least squared errors after the first few, and their mean square.

    By the method of Levenberg and Marquardt. What an error changes by with a coefficient of ar is the same filter on
    values a lag before, and with one of ma that on errors a lag before: four filters give all derivatives.
    """
    scale = float(series.std()) or 1.0
    scaled = series / scale
    now = np.zeros(orders.coefficients) if start is None else start.copy()
    errors = _errors(scaled, orders, now)
    square = float(errors[skip:] @ errors[skip:])
    damping = 1e-3
    for _ in range(MOST_ROUNDS if len(now) else 0):
        slopes = _slopes(scaled, errors, orders, now)[skip:]
        products, wanted = slopes.T @ slopes, slopes.T @ errors[skip:]
        gain = 0.0
        while damping < 1e6:
            tried = now - np.linalg.solve(products + damping * np.diag(np.diag(products) + 1e-9), wanted)
            if _is_stable(orders, tried):
                new_errors = _errors(scaled, orders, tried)
                new_square = float(new_errors[skip:] @ new_errors[skip:])
                if new_square < square:
                    gain = 1 - new_square / square
                    now, errors, square = tried, new_errors, new_square
                    damping = max(damping / 10, 1e-6)
                    break
            damping *= 10
        if gain < TOLERANCE:
            break
    return now, square / max(1, len(series) - skip) * scale**2


def _errors(series: np.ndarray, orders: Orders, coefficients: np.ndarray) -> np.ndarray:
    ar, ma, seasonal_ar, seasonal_ma = orders.split(coefficients)
    errors = filtered(series, ar, ma)
    if orders.seasonal_p or orders.seasonal_q:
        errors = filtered(errors, seasonal_ar, seasonal_ma, orders.season)
    return errors


def _slopes(series: np.ndarray, errors: np.ndarray, orders: Orders, coefficients: np.ndarray) -> np.ndarray:
    """Return how errors change with each coefficient, shape (steps, coefficients)."""
    ar, ma, seasonal_ar, seasonal_ma = orders.split(coefficients)
    one, m = np.ones(1), orders.season
    columns: list[np.ndarray] = []
    if orders.p:
        without = filtered(series, one, ma)
        if orders.seasonal_p or orders.seasonal_q:
            without = filtered(without, seasonal_ar, seasonal_ma, m)
        columns += [_later(without, lag) for lag in range(1, orders.p + 1)]
    if orders.q:
        of_errors = filtered(errors, one, ma)
        columns += [-_later(of_errors, lag) for lag in range(1, orders.q + 1)]
    if orders.seasonal_p:
        without = filtered(filtered(series, ar, ma), one, seasonal_ma, m)
        columns += [_later(without, lag * m) for lag in range(1, orders.seasonal_p + 1)]
    if orders.seasonal_q:
        of_errors = filtered(errors, one, seasonal_ma, m)
        columns += [-_later(of_errors, lag * m) for lag in range(1, orders.seasonal_q + 1)]
    return np.column_stack(columns)


def _later(values: np.ndarray, lag: int) -> np.ndarray:
    return np.concatenate([np.zeros(lag), values[: len(values) - lag]])


def _is_stable(orders: Orders, coefficients: np.ndarray) -> bool:
    return all(is_stable(one) for one in orders.split(coefficients))


def is_stable(polynomial: np.ndarray) -> bool:
    """Return whether all roots of a polynomial of the lag lie clearly outside the unit circle, by Schur's recursion.

    >>> is_stable(np.array([1.0, -0.9])), is_stable(np.array([1.0, -1.1]))
    (True, False)
    """
    left = polynomial[1:]
    while len(left):
        last = left[-1]
        if abs(last) > LARGEST_REFLECTION:
            return False
        left = (left[:-1] - last * left[:-1][::-1]) / (1 - last**2)
    return True


def seasonal_strength(values: np.ndarray, season: int) -> float:
    """Return how much of the variation around the trend a season explains, from 0 to 1 [1]_.

    References
    ----------
    .. [1] X. Wang, K. A. Smith and R. J. Hyndman, "Characteristic-based clustering for time series data," Data Mining
       and Knowledge Discovery, vol. 13, no. 3, 2006, doi:10.1007/s10618-005-0039-x.
    """
    from ems.forecast.decomposition import stl

    whole = len(values) // season * season
    if whole < 2 * season:
        return 0.0
    series = values[len(values) - whole :]
    of_season, trend = stl(series, season, window=whole // season * 10 + 1)
    rest = series - trend - of_season
    spread = float(np.var(rest + of_season))
    return max(0.0, 1 - float(np.var(rest)) / spread) if spread > 0 else 0.0


def kpss(values: np.ndarray) -> float:
    """Return the statistic of the test for a constant level [1]_, with lags up to 3 * sqrt(steps) / 13.

    References
    ----------
    .. [1] D. Kwiatkowski, P. C. B. Phillips, P. Schmidt and Y. Shin, "Testing the null hypothesis of stationarity
       against the alternative of a unit root," Journal of Econometrics, vol. 54, 1992,
       doi:10.1016/0304-4076(92)90104-Y.
    """
    count = len(values)
    rest = values - values.mean()
    lags = int(3 * np.sqrt(count) / 13)
    variance = float(rest @ rest)
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(rest[lag:] @ rest[:-lag])
    sums = np.cumsum(rest)
    return float(sums @ sums) / (count * variance) if variance > 0 else 0.0
