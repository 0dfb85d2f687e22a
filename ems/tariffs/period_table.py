"""Which energy period of a tariff holds, as a table over seasons, kinds of days and hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ems.tariffs.clock import DAYS, HOLIDAY, MINUTES_PER_DAY, MONTHS, Hours, minutes_of

if TYPE_CHECKING:
    from ems.tariffs.calendar import CivilTime
    from ems.tariffs.tariff import Tariff

_LEAP_YEAR = 2024
"""Has every day that a year may have."""


class HoursTable:
    """The first of several hours that holds at any moment of a year.

    Parameters
    ----------
    hours : sequence of Hours

    Attributes
    ----------
    seasons : ndarray of int (seasons,)
        First days of the seasons, as 100 * month + day.
    breaks : ndarray of int (breaks,)
        Minutes of the day at which something may change, from 0.
    first : ndarray of int (seasons, kinds of days, breaks)
        Position of the first that holds, -1 where none does.
    """

    def __init__(self, hours: Sequence[Hours]) -> None:
        self.seasons = np.array(_first_days(hours))
        self.breaks = np.array(breaks_of(hours))
        self.first = np.full((len(self.seasons), len(DAYS), len(self.breaks)), -1, dtype=np.int32)
        for position in reversed(range(len(hours))):
            one = hours[position]
            is_held = np.ix_(
                np.array([one.holds_on(*divmod(day, 100)) for day in self.seasons.tolist()]),
                np.array([day in one.weekdays for day in DAYS]),
                _in_hours(one, self.breaks),
            )
            self.first[is_held] = position

    def at(self, when: CivilTime) -> np.ndarray:
        """Return the position of the first that holds at moments, -1 where none does; shape of the moments."""
        season = np.searchsorted(self.seasons, when.month_day, side="right") - 1
        slot = np.searchsorted(self.breaks, when.minute, side="right") - 1
        found: np.ndarray = self.first[season, when.weekday, slot]
        return found


def breaks_of(hours: Sequence[Hours]) -> list[int]:
    """Return the minutes of the day at which hours may begin or end, ascending, from 0."""
    return sorted(
        {0, *(minutes_of(time) % MINUTES_PER_DAY for one in hours for time in (one.from_time, one.until_time))}
    )


def opens_in(table: HoursTable, month: int, kinds: int = len(DAYS)) -> bool:
    """Return whether any of the hours holds in a month of the year at all, on the first kinds of days."""
    return bool((table.first[table.seasons // 100 == month, :kinds] >= 0).any())


def first_gap(tariff: Tariff) -> str | None:
    """Return in words the first moment of a year at which no period holds: month 1 on mon at 00:00."""
    table = HoursTable(tariff.periods)
    kinds = len(DAYS) if tariff.holiday_calendar is not None else HOLIDAY
    gaps = np.argwhere(table.first[:, :kinds] < 0)
    if not len(gaps):
        return None
    season, kind, slot = gaps[0].tolist()
    month, day = divmod(int(table.seasons[season]), 100)
    minute = int(table.breaks[slot])
    place = f"month {month}" if day == 1 else f"month {month} from day {day}"
    return f"{place} on {DAYS[kind]} at {minute // 60:02d}:{minute % 60:02d}"


def _first_days(hours: Sequence[Hours]) -> list[int]:
    """Return the days of the year at which hours may begin or end to hold, as 100 * month + day."""
    days = {100 * month + 1 for month in MONTHS}
    for one in hours:
        if one.from_date is not None and one.until_date is not None:
            after = dt.date.fromisoformat(f"{_LEAP_YEAR}-{one.until_date}") + dt.timedelta(days=1)
            days |= {int(one.from_date.replace("-", "")), 100 * after.month + after.day}
    return sorted(days)


def _in_hours(one: Hours, minutes: np.ndarray) -> np.ndarray:
    """Return whether the clock's part of hours holds at minutes of the day."""
    begin, end = minutes_of(one.from_time), minutes_of(one.until_time)
    # Where it ends before it begins, it spans midnight.
    inside: np.ndarray = (minutes >= begin) & (minutes < end) if begin < end else (minutes >= begin) | (minutes < end)
    return inside
