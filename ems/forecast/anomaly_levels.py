"""Level shifts: lasting jumps of all values at once, as where a unit or the factor of a meter changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ems.forecast.anomaly_series import Finding, MeasuredSeries, known_median, known_rank
from ems.forecast.anomaly_spikes import rare_size

BEFORE_DAYS = 10
AFTER_DAYS = (10, 3)
"""Days that are compared: over the longer time small jumps stand out, over the shorter one large ones that go back."""
KNOWN_SHARE = 0.5
RANKS = (0.1, 0.5, 0.9)
"""Shares at which a day's values are compared: a meter's factor moves low and high ones alike, people do not."""
SOLAR_RANKS = (0.75, 0.85, 0.95)
"""For solar power those of a clear noon, since morning and evening come and go with the seasons."""
LEAST_FACTOR = {"load": 1.5, "solar": 2.5, "wind": 5.0, "price": 5.0}
"""Factors below are within what weather, seasons and markets do from one day to the next."""
SHORT_CAUTION = 2.5
"""Factor on it where only a few days tell of the jump."""
FEWEST_BEFORE = 3
UNUSUAL = 1.2
"""Multiple of the rarest change that frequent ones make likely."""
BODY, TAIL = 0.5, 0.8
LARGEST_DISCORD = 0.3
"""Difference between the jumps of low and high values, as a share of the jump."""
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
            return abs(np.log(self.factor * other.factor)) < LARGEST_DISCORD * abs(np.log(self.factor))
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
    begins = series.grid.first_of_day[days] if len(days) else days
    for jump in jumps:
        values[begins[jump.day] :] = jump.undo(values[begins[jump.day] :])
    found = []
    while jumps:
        jump = jumps.pop(0)
        first, last = int(begins[jump.day]), len(values)
        if jumps and jump.is_undone_by(jumps[0]):
            last = int(begins[jumps.pop(0).day])
        size = jump.offset if jump.factor is None else jump.factor
        found.append(Finding("level_shift", first, last, float(size), _words(jump, series)))
    return found, values


def _levels(table: np.ndarray, kind: str) -> np.ndarray:
    """Return the low, middle and high values of each day, shape (days, 3)."""
    ranks = SOLAR_RANKS if kind == "solar" else RANKS
    return np.stack([known_rank(table, rank) for rank in ranks], axis=1)


def _jumps(levels: np.ndarray, kind: str) -> list[_Jump]:
    """Return jumps, ascending; days are rows of the levels."""
    levels = levels.copy()
    found: list[_Jump] = []
    begin = 1
    while len(found) < MOST_JUMPS:
        near = [jump for days in AFTER_DAYS if (jump := _first_jump(levels, kind, days, begin)) is not None]
        if not near:
            break
        jump = min(near, key=lambda one: one.day)
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
    factor = LEAST_FACTOR[kind] * (SHORT_CAUTION if after_days < BEFORE_DAYS else 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((before > 0) & (after > 0), np.log(after / before), np.nan)
    # Where low values are zero on both sides, they are so under any factor.
    ratio = np.where((before == 0) & (after == 0), ratio[:, -1:], ratio)
    is_factor, discord = _agree(ratio, float(np.log(factor)))
    is_offset = np.zeros(len(starts), dtype=bool)
    if kind == "load":
        size = float(np.median(np.abs(levels[:, 1])))
        is_offset, other_discord = _agree(after - before, (factor - 1) * size)
        is_offset &= ~is_factor | (other_discord < discord)
        is_factor &= ~is_offset
    is_jump = (is_factor | is_offset) & (starts >= begin)
    if not is_jump.any():
        return None
    first = int(np.argmax(is_jump))
    change = ratio if is_factor[first] else after - before
    is_alike = is_factor if is_factor[first] else is_offset
    near = slice(first, first + after_days)
    at = first + int(np.argmax(np.where(is_alike, np.abs(change[:, 1]), 0.0)[near]))
    day = _begin_of_jump(levels[:, 1], int(starts[at]), after_days, before[at, 1], after[at, 1], begin)
    offset = float(after[at, 1] - before[at, 1])
    return _Jump(day, float(np.exp(ratio[at, 1])) if is_factor[first] else None, offset)


def _typical(levels: np.ndarray, kind: str) -> np.ndarray:
    """Return the typical levels of several days, (..., days, 3) to (..., 3): of solar power those of a clear day."""
    levels = np.moveaxis(levels, -2, -1)
    return known_rank(levels, 0.8) if kind == "solar" else known_median(levels)


def _agree(change: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where low, middle and high values change alike, and by more than the series makes likely.

    With it comes how much they differ, as a share of the change.
    """
    size = np.abs(change[:, 1])
    limit = max(least, rare_size(size[np.isfinite(size)], UNUSUAL, BODY, TAIL))
    with np.errstate(divide="ignore", invalid="ignore"):
        discord = (change.max(axis=1) - change.min(axis=1)) / size
        alike: np.ndarray = (size > limit) & (discord < LARGEST_DISCORD)
    return alike, discord


def _begin_of_jump(level: np.ndarray, start: int, after_days: int, before: float, after: float, begin: int) -> int:
    """Return the day near a start from which on levels lie nearer to those after than to those before."""
    first, last = max(start - BEFORE_DAYS, begin), start + after_days
    near = level[first:last]
    if min(before, after) > 0:
        # A clouded day a thousand times too high is still nearer to a clear one a thousand times too high.
        near = np.log(np.maximum(near, 1e-3 * min(before, after)))
        before, after = float(np.log(before)), float(np.log(after))
    gain = np.abs(near - before) - np.abs(near - after)
    cut = np.clip(gain / max(abs(after - before), 1e-300), -1, 1)
    return first + int(np.argmax(np.cumsum(cut[::-1])[::-1]))


def _words(jump: _Jump, series: MeasuredSeries) -> str:
    if jump.factor is None:
        return f"values lie {series.shown(abs(jump.offset))} {'above' if jump.offset > 0 else 'below'} those before"
    times = f"values are {jump.factor:.3g} times those before"
    if 0.9 < max(jump.factor, 1 / jump.factor) / 1000 < 1.1:
        return f"{times}: is the unit another one, as kW and MW?"
    return times
