"""Clock shifts: stretches of days whose profile fits that of the days before only when it is moved by some time."""

from __future__ import annotations

import numpy as np

from ems.forecast.anomaly_series import DayGrid, Finding, MeasuredSeries, known_median, runs_of

SMALLEST_SHIFT_H, LARGEST_SHIFT_H = 0.5, 3.0
"""Beside these, the distance of local time from UTC is tried: a file in the one taken for the other."""
BEFORE_DAYS, AFTER_DAYS = 10, 5
"""Days of the same kind whose profiles are compared."""
MOST_MISFIT = 0.65
"""Largest misfit of the shifted profile as a share of the unshifted one's; without a fault few are below 0.75."""
MOST_MISFIT_AT_CHANGE = 0.8
"""The same for a shift by an hour where the local clock changes, which is when most such faults begin and end."""
CHANGE_DAYS = 4
"""Days from the change of the clock within which that counts."""
KNOWN_SHARE = 0.8
"""Share of a day's values that must be known for it to count."""
LEAST_VARIANCE_SHARE = 0.25
"""Least variance at a time of day, as a share of the mean one: days vary a little even where ten did not."""
SMALLEST_MISFIT = 1e-6
SMALLEST_DAY = 0.3
"""Size of a day's changes, as a share of the usual one, below which it has no profile to speak of."""
LARGEST_CHANGE = 8.0
"""Changes beyond are cut, in medians of a day's changes: one spike is no profile."""
DARK_DAY = 0.1
"""Highest power of a day, as a share of the highest of all, below which a solar day has no profile."""


def find_clock_shifts(series: MeasuredSeries) -> list[Finding]:
    """Return stretches of days whose daily profile fits that of the days around much better when it is shifted.

    From day to day the profiles of five days are compared with the median of ten days before, unshifted and shifted;
    where a shift makes the misfit much smaller, it begins or ends. Loads and prices follow the local clock, and their
    profile is that of their changes within an hour, since people rise by the clock whatever the weather; Saturdays and
    Sundays do not count. Solar power follows the sun, thus a clock without summer time. Wind has no daily profile and
    is not looked at. Told is the lesser part of the days, against the greater.

    Parameters
    ----------
    series : MeasuredSeries
    """
    if series.kind == "wind":
        return []
    grid = series.solar_grid if series.kind == "solar" else series.grid
    table = grid.table(series.values)
    profiles = _solar_profiles(table) if series.kind == "solar" else _change_profiles(table, series.step_h)
    counts = np.isfinite(profiles).mean(axis=1) >= KNOWN_SHARE
    if series.kind != "solar":
        counts &= grid.weekday < 5
    days = np.flatnonzero(counts)
    if len(days) < BEFORE_DAYS + AFTER_DAYS:
        return []
    shift = np.zeros(grid.days, dtype=int)
    for day, steps in _changes(profiles[days], days, _candidates(series), _clock_changes(series, grid), series.step_h):
        shift[day:] += steps
    numbers, frequency = np.unique(shift[days], return_counts=True)
    usual = int(numbers[np.argmax(frequency)])
    found = []
    for number in numbers[numbers != usual]:
        for first, last in runs_of(shift == number):
            hours = float(number - usual) * series.step_h
            way = "later" if hours > 0 else "earlier"
            words = f"the daily profile comes {_shown(abs(hours))} {way} than on the days around"
            begin, end = int(grid.first_of_day[first]), int(grid.first_of_day[last])
            found.append(Finding("clock_shift", begin, end, hours, words))
    return found


def _solar_profiles(table: np.ndarray) -> np.ndarray:
    """Return the shape of each day, shape (days, slots); NaN for dark days.

    The root lifts morning and evening, which tell the time, against noon, which tells the clouds.
    """
    highest = np.max(table, axis=1, initial=0.0, where=np.isfinite(table))
    is_bright = highest > DARK_DAY * np.max(highest, initial=0.0)
    share = np.maximum(table, 0.0) / np.where(is_bright, highest, np.nan)[:, None]
    root: np.ndarray = np.sqrt(share)
    return root


def _change_profiles(table: np.ndarray, step_h: float) -> np.ndarray:
    """Return the change within the next hour at each time of day, in medians of a day's changes, (days, slots)."""
    ahead = max(1, round(1 / step_h))
    change = np.roll(table, -ahead, axis=1) - table
    size = known_median(np.abs(change))
    usual = float(np.nanmedian(size)) if np.isfinite(size).any() else 0.0
    size = np.where(size > SMALLEST_DAY * usual, size, np.nan)
    cut: np.ndarray = np.clip(change / size[:, None], -LARGEST_CHANGE, LARGEST_CHANGE)
    return cut


def _candidates(series: MeasuredSeries) -> np.ndarray:
    """Return shifts in steps, without zero."""
    most = int(LARGEST_SHIFT_H / series.step_h)
    steps = {one for one in range(-most, most + 1) if abs(one) * series.step_h >= SMALLEST_SHIFT_H}
    for offset_min in np.unique(series.calendar.offset_min):
        whole = round(float(offset_min) / 60 / series.step_h)
        steps |= {whole, -whole} - {0}
    return np.array(sorted(steps), dtype=int)


def _clock_changes(series: MeasuredSeries, grid: DayGrid) -> np.ndarray:
    """Return the days on which the local clock changes."""
    changes = np.flatnonzero(np.diff(series.calendar.offset_min)) + 1
    found: np.ndarray = grid.day[changes]
    return found


def _changes(
    profiles: np.ndarray, days: np.ndarray, candidates: np.ndarray, clock_changes: np.ndarray, step_h: float
) -> list[tuple[int, int]]:
    """Return days from which on profiles come some steps later than before, with these steps, ascending.

    Parameters
    ----------
    profiles : ndarray (counted days, slots)
    days : ndarray of int (counted days,)
        Rows of the grid.
    candidates : ndarray of int
    clock_changes : ndarray of int
    step_h : float
    """
    aligned = profiles.copy()
    distance = np.abs(days[:, None] - clock_changes).min(axis=1, initial=len(days) + CHANGE_DAYS)
    limit = np.full((len(candidates), len(days)), MOST_MISFIT)
    is_hour = np.abs(np.abs(candidates) * step_h - 1) < 1e-9
    limit[np.ix_(is_hour, distance <= CHANGE_DAYS)] = MOST_MISFIT_AT_CHANGE
    found: list[tuple[int, int]] = []
    begin = BEFORE_DAYS
    while begin <= len(days) - AFTER_DAYS:
        share = _misfit_shares(aligned, candidates, begin)
        excess = share - limit[:, begin : len(days) - AFTER_DAYS + 1]
        is_change = excess.min(axis=0) < 0
        if not is_change.any():
            break
        first = int(np.argmax(is_change))
        near = excess[:, first : first + AFTER_DAYS + 1]
        number, offset = np.unravel_index(int(np.argmin(near)), near.shape)
        steps = int(candidates[number])
        at = _begin_of_change(aligned, begin + first + int(offset), steps)
        found.append((int(days[at]), steps))
        aligned[at:] = np.roll(aligned[at:], -steps, axis=1)
        begin = max(begin, at) + 1
    return found


def _misfit_shares(profiles: np.ndarray, candidates: np.ndarray, begin: int) -> np.ndarray:
    """Return the misfit of days from each day on when shifted, as a share of that when not, (shifts, days from begin).

    misfit = mean log(1 + (profile - expected)**2 / (3 variance)), that of a distribution with heavy tails
    """
    starts = np.arange(begin, len(profiles) - AFTER_DAYS + 1)
    expected, variance = _expected(profiles, starts)
    after = profiles[starts[:, None] + np.arange(AFTER_DAYS)]

    def misfit(steps: int) -> np.ndarray:
        error = np.roll(after, -steps, axis=2) - expected
        size: np.ndarray = np.nanmean(np.log1p(error**2 / (3 * variance)), axis=(1, 2))
        return size

    unshifted = misfit(0)
    # Days that repeat each other to the digit leave nothing to be explained by a shift.
    scale = np.where(unshifted > SMALLEST_MISFIT, unshifted, np.nan)
    return np.stack([np.nan_to_num(misfit(int(steps)) / scale, nan=1.0) for steps in candidates])


def _expected(profiles: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return median and variance of the profiles before each start, shape (starts, 1, slots)."""
    before = profiles[starts[:, None] + np.arange(-BEFORE_DAYS, 0)]
    expected = known_median(np.moveaxis(before, 1, 2))
    square = (before - expected[:, None]) ** 2
    known = np.isfinite(square)
    variance = np.where(known, square, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    floor = LEAST_VARIANCE_SHARE * variance.mean(axis=1, keepdims=True) + SMALLEST_MISFIT
    return expected[:, None], np.maximum(variance, floor)[:, None]


def _begin_of_change(profiles: np.ndarray, start: int, steps: int) -> int:
    """Return the day near a start from which on shifted profiles fit better than unshifted ones."""
    first, last = max(start - AFTER_DAYS, BEFORE_DAYS), min(start + AFTER_DAYS, len(profiles))
    expected, variance = _expected(profiles, np.array([first]))
    near = profiles[first:last]

    def misfit(moved: np.ndarray) -> np.ndarray:
        size: np.ndarray = np.nanmean(np.log1p((moved - expected[0]) ** 2 / (3 * variance[0])), axis=1)
        return size

    gain = misfit(near) - misfit(np.roll(near, -steps, axis=1))
    return first + int(np.argmax(np.cumsum(gain[::-1])[::-1]))


def _shown(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"
