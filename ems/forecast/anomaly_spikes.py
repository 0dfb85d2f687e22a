"""Spikes: single values far from the same local time of the days around and from their neighbours in time."""

from __future__ import annotations

import numpy as np

from ems.forecast.anomaly_series import Finding, MeasuredSeries, known_median, known_rank, other_days, runs_of

DAYS_AROUND = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
SAME_WEEKDAYS = (-21, -14, -7, 7, 14, 21)
LONGEST_SPIKE = 3
"""Steps that may stand out together; more of them are no spike."""
SCALE_DAYS = tuple(range(-15, 16))
SCALE_SHARE = 0.8
"""Share of the distances within the scale; the median is too often almost zero."""
METER_NOISE = 0.3
"""Least scale as a share of the usual one: a time of day that never varies still has the noise of its meter."""
LEAST_NOISE = 0.003
"""The same as a share of the values, for a series that repeats itself day by day."""
FALSE_ALARMS = 0.05
"""Spikes that may be told falsely in a series without one."""
KNOWN_SHARES = (0.80, 0.93, 0.98)
"""Shares of sizes from which the size of rarer ones follows; what lies above may be faults."""
CAUTION = {"load": 1.75, "solar": 1.75, "wind": 1.75, "price": 3.5}
"""Factor on the size that follows: tails are heavier than their bodies tell, and a market's spike is no fault."""
BEYOND_ALL = {"load": 1.4, "solar": 1.4, "wind": 1.4, "price": 2.8}
"""The same for distances from the whole series, which has no tail of its own making."""
LEAST_SCORE = 5.0
LEAST_SCORE_BEYOND_ALL = 1.5


def deviations(series: MeasuredSeries, *, is_sharp: bool) -> np.ndarray:
    """Return how far each value lies from what other days make expect, in usual distances, shape (steps,).

    Expected is the median of the same local time, once on the days around and once on the same weekdays of the weeks
    around; the nearer of both counts, so that neither weekends nor weather make a value odd.

    Parameters
    ----------
    series : MeasuredSeries
    is_sharp : bool
        Whether distances that neighbours in time share are taken off first.
    """
    grid = series.grid
    table = grid.table(series.values)
    nearest = np.full(len(series.values), np.nan)
    for offsets in (DAYS_AROUND, SAME_WEEKDAYS):
        distance = series.values - known_median(other_days(table, offsets))[grid.day, grid.slot]
        if is_sharp:
            distance = distance - _shared(distance)
        size = np.abs(distance)
        spread = known_rank(other_days(grid.table(size), SCALE_DAYS), SCALE_SHARE)[grid.day, grid.slot]
        known = spread[spread > 0]
        usual = float(np.median(known)) if known.size else LEAST_NOISE * float(np.nanmedian(np.abs(series.values)))
        score = distance / np.maximum(np.hypot(spread, METER_NOISE * usual), 1e-300)
        is_nearer = np.isfinite(score) & ~(np.abs(nearest) <= np.abs(score))
        nearest[is_nearer] = score[is_nearer]
    return nearest


def _shared(distance: np.ndarray) -> np.ndarray:
    """Return the median of the distances around each step."""
    width = 2 * LONGEST_SPIKE + 1
    padded = np.pad(distance, LONGEST_SPIKE, constant_values=np.nan)
    shared: np.ndarray = np.nan_to_num(known_median(np.lib.stride_tricks.sliding_window_view(padded, width)))
    return shared


def rare_size(sizes: np.ndarray, caution: float, shares: tuple[float, ...] = KNOWN_SHARES) -> float:
    """Return a size that hardly any is expected to exceed, as the more frequent ones tell.

    size(p) = size(q) * (log(1 / p) / log(1 / q)) ** slope: a Weibull tail, whose slope the series tells, 0.5 for a
    normal and 1 for an exponential distribution [1]_; where the slope grows outwards, the steeper one counts.

    Parameters
    ----------
    sizes : ndarray
        Those above zero count.
    caution : float
        Factor on the result.
    shares : tuple of float
        Shares of sizes below those from which slopes follow, ascending.

    References
    ----------
    .. [1] L. Gardes and S. Girard, "Estimation of the Weibull tail-coefficient with linear combination of upper order
       statistics," Journal of Statistical Planning and Inference, vol. 138, no. 5, 2008,
       doi:10.1016/j.jspi.2007.04.026.
    """
    sizes = sizes[sizes > 0]
    if not sizes.size:
        return np.inf
    known = np.log(np.quantile(sizes, shares))
    rarity = np.log(-np.log(1 - np.array(shares)))
    slopes = np.diff(known) / np.diff(rarity)
    slope = slopes[-1] + max(slopes[-1] - slopes[0], 0.0)
    wanted = np.log(max(np.log(sizes.size / FALSE_ALARMS), 1.0))
    return float(caution * np.exp(known[-1] + slope * max(wanted - rarity[-1], 0.0)))


def find_spikes(series: MeasuredSeries, steady: MeasuredSeries, is_told: np.ndarray) -> list[Finding]:
    """Return values of one to three steps that stand far above or below what the series makes expect.

    A spike is too far from other days, or from all the series, for what the rest of the series makes likely; above and
    below are looked at apart, as prices have heavier tails upwards.

    Parameters
    ----------
    series : MeasuredSeries
    steady : MeasuredSeries
        The same without level shifts, of which a whole day is no spike.
    is_told : ndarray of bool (steps,)
        Steps that were told already, as frozen ones.
    """
    if not np.isfinite(series.values).any():
        return []
    score = np.nan_to_num(deviations(steady, is_sharp=True))
    distance = np.nan_to_num(steady.values - np.nanmedian(steady.values))
    is_spike = np.zeros(len(score), dtype=bool)
    for sign in (1, -1):
        is_spike |= sign * score > max(rare_size(sign * score, CAUTION[series.kind]), LEAST_SCORE)
        is_beyond_all = sign * distance > rare_size(sign * distance, BEYOND_ALL[series.kind])
        is_spike |= is_beyond_all & (sign * score > LEAST_SCORE_BEYOND_ALL)
    return [
        _finding(series, int(first), int(last), score)
        for first, last in runs_of(is_spike & ~is_told)
        if last - first <= LONGEST_SPIKE
    ]


def _finding(series: MeasuredSeries, first: int, last: int, score: np.ndarray) -> Finding:
    at = first + int(np.argmax(np.abs(score[first:last])))
    value = float(series.values[at])
    sides = [one for one in (first - 1, last) if 0 <= one < len(series.values)]
    beside = [series.shown(series.values[one]) for one in sides if np.isfinite(series.values[one])]
    near = f" beside {' and '.join(beside)}" if beside else ""
    return Finding("spike", first, last, value, f"{series.shown(value)}{near}")
