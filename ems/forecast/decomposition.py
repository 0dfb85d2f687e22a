"""Trend and seasons of a series by local regression (STL), for one season and for several (MSTL)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ROUNDS = 5
"""Rounds between season and trend, as statsmodels takes them where nothing is said of outliers."""
FIRST_WINDOW, WINDOW_STEP = 11, 4
"""Seasons over which the shortest season may change, and by how much more for each longer one."""


def mstl(values: np.ndarray, seasons: Sequence[int], rounds: int = 2) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the parts of several seasons, and the trend, each of shape (steps,) [1]_.

    Parameters
    ----------
    values : ndarray (steps,)
        Without gaps; a whole number of each season.
    seasons : sequence of int
        Steps of each, ascending.
    rounds : int
        Times that each season is estimated anew from what the others leave.

    References
    ----------
    .. [1] K. Bandara, R. J. Hyndman and C. Bergmeir, "MSTL: A seasonal-trend decomposition algorithm for time series
       with multiple seasonal patterns," International Journal of Operational Research, vol. 52, 2025,
       doi:10.1504/IJOR.2025.143957.
    """
    parts = [np.zeros(len(values)) for _ in seasons]
    rest, trend = values.astype(float), values
    for _ in range(rounds):
        for number, season in enumerate(seasons):
            rest = rest + parts[number]
            parts[number], trend = stl(rest, season, FIRST_WINDOW + WINDOW_STEP * number)
            rest = rest - parts[number]
    return parts, trend


def stl(values: np.ndarray, season: int, window: int = FIRST_WINDOW) -> tuple[np.ndarray, np.ndarray]:
    """Return the part of a season and the trend, each of shape (steps,) [1]_.

    Without weights against outliers, each local regression is a fixed linear map; all steps of the season are smoothed
    by one product of matrices.

    Parameters
    ----------
    values : ndarray (steps,)
        Without gaps; a whole number of seasons, at least two.
    season : int
        Steps of a season.
    window : int
        Seasons over which it may change, an odd number.

    References
    ----------
    .. [1] R. B. Cleveland, W. S. Cleveland, J. E. McRae and I. Terpenning, "STL: A seasonal-trend decomposition
       procedure based on loess," Journal of Official Statistics, vol. 6, no. 1, 1990.
    """
    count, left = divmod(len(values), season)
    assert left == 0 and count >= 2, f"{len(values)} steps are no whole number of seasons of {season}, at least two"
    along_seasons = local_lines(count, window, np.arange(-1, count + 1))
    trend_window = _odd(int(np.ceil(1.5 * season / (1 - 1.5 / window))))
    trend = np.zeros(len(values))
    for _ in range(ROUNDS):
        cycle = (along_seasons @ (values - trend).reshape(count, season)).reshape(-1)
        low = smoothed(moving_mean(moving_mean(moving_mean(cycle, season), season), 3), _odd(season + 1))
        of_season = cycle[season:-season] - low
        trend = smoothed(values - of_season, trend_window)
    return of_season, trend


def smoothed(values: np.ndarray, window: int) -> np.ndarray:
    """Return a local linear regression over an odd number of steps, shape (steps,)."""
    count, half = len(values), window // 2
    if window >= count:
        return local_lines(count, window, np.arange(count)) @ values
    found = np.empty(count)
    # In the middle of its window, a weighted line is the weighted mean.
    weights = local_lines(window, window, np.array([half]))[0]
    found[half : count - half] = np.convolve(values, weights, mode="valid")
    edge = local_lines(window, window, np.arange(half))
    found[:half] = edge @ values[:window]
    found[count - half :] = (edge @ values[::-1][:window])[::-1]
    return found


def local_lines(count: int, window: int, at: np.ndarray) -> np.ndarray:
    """Return the matrix that maps values at 0, 1, ... to local regression lines at some places [1]_.

    Parameters
    ----------
    count : int
        Number of values.
    window : int
        Values that take part, weighted by the tricube of their distance; more than there are make the lines stiffer.
    at : ndarray (places,)

    Returns
    -------
    ndarray (places, count)

    References
    ----------
    .. [1] W. S. Cleveland, "Robust locally weighted regression and smoothing scatterplots," Journal of the American
       Statistical Association, vol. 74, 1979, doi:10.1080/01621459.1979.10481038.
    """
    place = np.arange(count)
    apart = np.abs(at[:, None] - place)
    reach = np.sort(apart, axis=1)[:, min(window, count) - 1] + max(0, window - count) // 2
    reach = np.maximum(reach, 1)[:, None]
    weights = np.where(apart <= 0.001 * reach, 1.0, np.clip(1 - (apart / reach) ** 3, 0, None) ** 3)
    weights[apart > 0.999 * reach] = 0.0
    weights /= weights.sum(axis=1, keepdims=True)
    middle = weights @ place
    beside = place - middle[:, None]
    spread = (weights * beside**2).sum(axis=1)
    is_line = np.sqrt(spread) > 0.001 * (count - 1)
    slope = np.divide(at - middle, spread, out=np.zeros(len(at)), where=is_line)
    lines: np.ndarray = weights * (1 + slope[:, None] * beside)
    return lines


def moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return means over each so many steps, shape (steps - window + 1,)."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means: np.ndarray = (sums[window:] - sums[:-window]) / window
    return means


def _odd(number: int) -> int:
    return number + (1 - number % 2)
