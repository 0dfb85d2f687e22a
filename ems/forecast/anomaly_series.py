"""A measured series as days and local times of the day, in which anomalies are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from ems.errors import InvalidInput
from ems.forecast.calendar import MINUTES_PER_DAY, LocalCalendar
from ems.forecast.history import Kind

AnomalyKind = Literal["gap", "frozen", "spike", "negative", "often_negative", "clock_shift", "level_shift"]


@dataclass(frozen=True)
class Finding:
    """Steps that are odd, and why.

    Parameters
    ----------
    kind : str
    first, last : int
        From step ``first`` up to and without step ``last``.
    size : float
    words : str
        What is odd, without time and place.
    """

    kind: AnomalyKind
    first: int
    last: int
    size: float
    words: str


@dataclass(frozen=True)
class DayGrid:
    """Values of a series by day and time of day.

    Parameters
    ----------
    day, slot : ndarray of int (steps,)
        Row and column of each step.
    days, slots : int
        Rows and columns.
    first_of_day : ndarray of int (days + 1,)
        First step of each day; at the end, the number of steps.
    weekday : ndarray of int (days,)
        0 is Monday.
    """

    day: np.ndarray
    slot: np.ndarray
    days: int
    slots: int
    first_of_day: np.ndarray
    weekday: np.ndarray

    @classmethod
    def of(cls, minutes: np.ndarray, slots: int) -> DayGrid:
        """Return the grid of steps that begin so many minutes after 1970-01-01 00:00 by some clock."""
        number = minutes // MINUTES_PER_DAY
        day = number - number[0]
        days = int(day[-1]) + 1
        return cls(
            day=day,
            slot=minutes % MINUTES_PER_DAY * slots // MINUTES_PER_DAY,
            days=days,
            slots=slots,
            first_of_day=np.searchsorted(day, np.arange(days + 1)),
            weekday=(np.arange(days) + number[0] + 3) % 7,  # 1970-01-01 was a Thursday
        )

    def table(self, values: np.ndarray) -> np.ndarray:
        """Return values as (days, slots); NaN where there is no step, the later one where the clock goes back."""
        found = np.full((self.days, self.slots), np.nan)
        found[self.day, self.slot] = values
        return found


@dataclass(frozen=True)
class MeasuredSeries:
    """A series in which anomalies are looked for.

    Parameters
    ----------
    values : ndarray (steps,)
        NaN is a gap.
    times : DatetimeIndex (steps,)
        Beginnings of equal steps, UTC.
    timezone : str
    kind : str
    unit : str
        For the words.
    """

    values: np.ndarray
    times: pd.DatetimeIndex
    timezone: str
    kind: Kind
    unit: str = ""

    def __post_init__(self) -> None:
        findings = []
        steps = np.diff(self.times.to_numpy())
        if len(self.times) < 2 or np.any(steps != steps[0]) or steps[0] <= np.timedelta64(0):
            findings.append("time: must be a raster of equal steps, at least two; resample the series")
        elif np.timedelta64(1, "D") % steps[0]:
            findings.append(f"a step of {self.step_h:g} h: a day must be a whole number of steps")
        if self.values.shape != (len(self.times),):
            findings.append(
                f"values have shape {self.values.shape}, must have one for each of {len(self.times)} times"
            )
        elif np.isinf(self.values).any():
            at = self.times[int(np.argmax(np.isinf(self.values)))]
            findings.append(f"holds an infinite value at {at:%Y-%m-%d %H:%M} UTC; leave it out or mend it")
        if findings:
            raise InvalidInput("anomalies of a series", findings)

    @property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return float((self.times[1] - self.times[0]) / pd.Timedelta(hours=1))

    @property
    def steps_per_day(self) -> int:
        """Steps of a day of 24 hours."""
        return round(24 / self.step_h)

    @cached_property
    def calendar(self) -> LocalCalendar:
        """Local time of each step."""
        return LocalCalendar.of(self.times, self.timezone)

    @cached_property
    def grid(self) -> DayGrid:
        """Days and times of day by the local clock."""
        calendar = self.calendar
        return DayGrid.of(calendar.day * MINUTES_PER_DAY + calendar.minute, self.steps_per_day)

    @cached_property
    def solar_grid(self) -> DayGrid:
        """Days and times of day by a clock without summer time, which the sun follows."""
        calendar = self.calendar
        minutes = calendar.day * MINUTES_PER_DAY + calendar.minute - calendar.offset_min
        return DayGrid.of(minutes + int(calendar.offset_min.min()), self.steps_per_day)

    def shown(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{value:.4g} {self.unit}" if self.unit else f"{value:.4g}"


def runs_of(flags: np.ndarray) -> np.ndarray:
    """Return first and last + 1 of each run of true flags, shape (runs, 2)."""
    edges = np.diff(np.concatenate([[0], np.asarray(flags, dtype=np.int8), [0]]))
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])


def known_median(values: np.ndarray) -> np.ndarray:
    """Return the median over the last axis of what is known, NaN where nothing is; much faster than numpy's."""
    ascending = np.sort(values, axis=-1)  # NaN goes last
    count = np.isfinite(values).sum(axis=-1)[..., None]
    low = np.take_along_axis(ascending, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ascending, np.minimum(count // 2, values.shape[-1] - 1), axis=-1)
    found: np.ndarray = np.where(count > 0, (low + high) / 2, np.nan)[..., 0]
    return found


def known_rank(values: np.ndarray, share: float) -> np.ndarray:
    """Return the value with a share of what is known at or below it, over the last axis; NaN where nothing is."""
    ascending = np.sort(values, axis=-1)
    count = np.isfinite(values).sum(axis=-1)[..., None]
    at = (np.maximum(count - 1, 0) * share).astype(int)
    found: np.ndarray = np.where(count > 0, np.take_along_axis(ascending, at, axis=-1), np.nan)[..., 0]
    return found


def other_days(table: np.ndarray, offsets: tuple[int, ...]) -> np.ndarray:
    """Return for each day the values of days so many days later, shape (days, slots, offsets); NaN beyond the ends."""
    days = len(table)
    found = np.full((*table.shape, len(offsets)), np.nan)
    for number, offset in enumerate(offsets):
        if abs(offset) < days:
            into = slice(max(0, -offset), days - max(0, offset))
            found[into, :, number] = table[max(0, offset) : days - max(0, -offset)]
    return found
