"""Level shifts: lasting jumps of all values at once, as where a unit or the factor of a meter changes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ems.forecast.anomaly_series import Finding, MeasuredSeries, known_median, known_rank
from ems.forecast.anomaly_spikes import rare_size

BEFORE_DAYS = 10
AFTER_DAYS = (10, 3)
"""Days that are compared: over the longer time small jumps stand out, over the shorter one large ones that go back.

A calm lasts longer than the shorter one, which is not looked at for wind.
"""
KNOWN_SHARE = 0.5
WEATHER = ("solar", "wind")
RANKS = (0.1, 0.5, 0.9)
"""Shares at which a day's values are compared: a meter's factor moves low and high ones alike, people do not."""
WEATHER_RANKS = (0.75, 0.85, 0.95)
"""For solar and wind power the high ones, of clear noons and gales: low ones come and go with the weather."""
WEATHER_SHARE = 0.8
"""Share of their days that lie below the level of several days, which is the median of loads and prices."""
LEAST_FACTOR = {"load": 1.5, "solar": 2.5, "wind": 5.0, "price": 5.0}
"""Factors below are within what weather, seasons and markets do from one day to the next."""
SHORT_CAUTION = 2.5
"""Factor on it where only a few days tell of the jump."""
FEWEST_BEFORE = 3
UNUSUAL = 1.2
"""Multiple of the rarest change that frequent ones make likely."""
KNOWN_SHARES = (0.5, 0.8)
LARGEST_DISCORD = 0.3
"""Difference between the jumps of low and high values, as a share of the jump."""
CLEARLY = 1.5
"""Usual gains of a step by which another step than midnight must fit better as the begin of a jump."""
MOST_JUMPS = 40


@dataclass(frozen=True)
class _Jump:
    """A day from which on values are a multiple of those before, or, where the factor is None, lie higher or lower."""

    day: int
    factor: float | None
    offset: float

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Return values as they were without the jump."""
        return values - self.offset if self.factor is None else values / self.factor

    def is_undone_by(self, other: _Jump) -> bool:
        """Return whether another jump leads back."""
        if self.factor is not None and other.factor is not None:
            return abs(math.log(self.factor * other.factor)) < LARGEST_DISCORD * abs(math.log(self.factor))
        if self.factor is None and other.factor is None:
            return abs(self.offset + other.offset) < LARGEST_DISCORD * abs(self.offset)
        return False


def find_level_shifts(series: MeasuredSeries) -> tuple[list[Finding], np.ndarray]:
    """Return lasting jumps of all values at once, by a factor or an offset, and the values as they were without them.

    From day to day the low, middle and high values of ten days before are compared with those of the days after. It is
    a fault's mark that all of them jump alike and far more than they do from week to week; a heating season or a
    holiday moves some of them only. A shift lasts until values jump back.

    Parameters
    ----------
    series : MeasuredSeries
    """
    table = series.grid.table(series.values)
    days = np.flatnonzero(np.isfinite(table).mean(axis=1) >= KNOWN_SHARE)
    values = series.values.copy()
    jumps = _jumps(_levels(table[days], series.kind), series.kind)
    begins = []
    for jump in jumps:
        begins.append(_begin_step(series, values, int(days[jump.day]), jump))
        values[begins[-1] :] = jump.undo(values[begins[-1] :])
    found = []
    while jumps:
        jump, first, last = jumps.pop(0), begins.pop(0), len(values)
        if jumps and jump.is_undone_by(jumps[0]):
            del jumps[0]
            last = begins.pop(0)
        size = jump.offset if jump.factor is None else jump.factor
        found.append(Finding("level_shift", first, last, float(size), _words(jump, series)))
    return found, values


def _levels(table: np.ndarray, kind: str) -> np.ndarray:
    """Return the low, middle and high values of each day, shape (days, 3)."""
    ranks = WEATHER_RANKS if kind in WEATHER else RANKS
    return np.stack([known_rank(table, rank) for rank in ranks], axis=1)


def _jumps(levels: np.ndarray, kind: str) -> list[_Jump]:
    """Return jumps, ascending; days are rows of the levels."""
    levels = levels.copy()
    found: list[_Jump] = []
    begin = 1
    sizes = AFTER_DAYS[:1] if kind == "wind" else AFTER_DAYS
    while len(found) < MOST_JUMPS:
        near = [jump for days in sizes if (jump := _first_jump(levels, kind, days, begin)) is not None]
        if not near:
            break
        first = min(one.day for one in near)
        # Of two views of one jump, that which mixes days before and after sees the smaller one.
        jump = max((one for one in near if one.day <= first + BEFORE_DAYS), key=lambda one: abs(one.offset))
        found.append(jump)
        levels[jump.day :] = jump.undo(levels[jump.day :])
        begin = jump.day + 1
    return found


def _first_jump(levels: np.ndarray, kind: str, after_days: int, begin: int) -> _Jump | None:
    """Return the first jump from a day on, or None."""
    starts = np.arange(FEWEST_BEFORE, len(levels) - after_days + 1)
    if len(starts) < FEWEST_BEFORE:
        return None
    padded = np.concatenate([np.full((BEFORE_DAYS, levels.shape[1]), np.nan), levels])
    before = _typical(padded[starts[:, None] + np.arange(BEFORE_DAYS)], kind)
    after = _typical(levels[starts[:, None] + np.arange(after_days)], kind)
    least = LEAST_FACTOR[kind] * (SHORT_CAUTION if after_days < BEFORE_DAYS else 1.0)
    ratio = _log_ratio(before, after)
    is_factor, discord = _agree(ratio, float(np.log(least)))
    is_offset = np.zeros(len(starts), dtype=bool)
    if kind == "load":
        is_offset, other_discord = _agree(after - before, (least - 1) * float(np.median(np.abs(levels[:, 1]))))
        is_offset &= ~is_factor | (other_discord < discord)
        is_factor &= ~is_offset
    is_jump = (is_factor | is_offset) & (starts >= begin)
    if not is_jump.any():
        return None
    first = int(np.argmax(is_jump))
    is_alike, change = (is_factor, ratio) if is_factor[first] else (is_offset, after - before)
    # The jump is largest where all the days before lie on one side and all the days after on the other.
    at = first + int(np.argmax(np.where(is_alike, np.abs(change[:, 1]), 0.0)[first : first + after_days]))
    days = range(max(int(starts[at]) - BEFORE_DAYS, begin), int(starts[at]) + after_days)
    day = _begin_of_jump(levels[:, 1], days, float(before[at, 1]), float(after[at, 1]))
    factor = float(np.exp(ratio[at, 1])) if is_factor[first] else None
    return _Jump(day, factor, float(after[at, 1] - before[at, 1]))


def _log_ratio(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return logarithms of the factors between levels, shape (starts, 3); NaN where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((before > 0) & (after > 0), np.log(after / before), np.nan)
    # Where low values are zero on both sides, they are so under any factor.
    found: np.ndarray = np.where((before == 0) & (after == 0), ratio[:, -1:], ratio)
    return found


def _typical(levels: np.ndarray, kind: str) -> np.ndarray:
    """Return the typical levels of several days, (..., days, 3) to (..., 3): of weather's power high ones."""
    levels = np.moveaxis(levels, -2, -1)
    return known_rank(levels, WEATHER_SHARE) if kind in WEATHER else known_median(levels)


def _agree(change: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where low, middle and high values change alike, and by more than the series makes likely.

    With it comes how much they differ, as a share of the change.
    """
    size = np.abs(change[:, 1])
    limit = max(least, rare_size(size[np.isfinite(size)], UNUSUAL, KNOWN_SHARES))
    with np.errstate(divide="ignore", invalid="ignore"):
        discord = (change.max(axis=1) - change.min(axis=1)) / size
        alike: np.ndarray = (size > limit) & (discord < LARGEST_DISCORD)
    return alike, discord


def _begin_of_jump(level: np.ndarray, days: range, before: float, after: float) -> int:
    """Return the day of several from which on levels lie nearer to those after than to those before."""
    near = level[days.start : days.stop]
    if min(before, after) > 0:
        # A clouded day a thousand times too high is still nearer to a clear one a thousand times too high; a day of
        # zero tells of no factor.
        with np.errstate(divide="ignore", invalid="ignore"):
            near = np.log(near)
        before, after = math.log(before), math.log(after)
    with np.errstate(invalid="ignore"):
        gain = np.nan_to_num(np.abs(near - before) - np.abs(near - after))
    cut = np.clip(gain / max(abs(after - before), 1e-300), -1, 1)
    return days.start + int(np.argmax(np.cumsum(cut[::-1])[::-1]))


def _begin_step(series: MeasuredSeries, values: np.ndarray, day: int, jump: _Jump) -> int:
    """Return the step on a day, or the day before, from which on values fit the days before only without the jump.

    Parameters
    ----------
    series : MeasuredSeries
    values : ndarray (steps,)
        As they are without the jumps before.
    day : int
    jump : _Jump
    """
    grid = series.grid
    if series.kind == "wind":  # which has no expected profile
        return int(grid.first_of_day[day])
    first, last = (int(grid.first_of_day[min(max(one, 0), grid.days)]) for one in (day - 1, day + 1))
    begin = int(grid.first_of_day[day])
    before = grid.table(values)[max(day - 1 - BEFORE_DAYS, 0) : max(day - 1, 1)]
    expected = known_median(before.T)[grid.slot[first:last]]
    near = values[first:last]
    if jump.factor is None:
        gain = np.abs(near - expected) - np.abs(near - jump.offset - expected)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.log(near) - np.log(expected)
            gain = np.abs(distance) - np.abs(distance - math.log(jump.factor))
    gain = np.where(np.isfinite(gain), gain, 0.0)
    # A few steps may fit by chance: the day's boundary counts unless another step is clearly better.
    total = np.cumsum(gain[::-1])[::-1]
    best = int(np.argmax(total))
    return first + best if total[best] > total[begin - first] + CLEARLY * np.abs(gain).mean() else begin


def _words(jump: _Jump, series: MeasuredSeries) -> str:
    if jump.factor is None:
        return f"values lie {series.shown(abs(jump.offset))} {'above' if jump.offset > 0 else 'below'} those before"
    times = f"values are {jump.factor:.3g} times those before"
    if 0.7 < max(jump.factor, 1 / jump.factor) / 1000 < 1.4:
        return f"{times}: is the unit another one, as kW and MW?"
    return times
