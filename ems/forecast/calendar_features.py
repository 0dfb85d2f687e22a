"""Kinds of days on the wall clock: weekday, holiday and its neighbours, time of day and of year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ems.tariffs.calendar import Calendar
from ems.tariffs.clock import HOLIDAY

SATURDAY = 5
DAYS_PER_YEAR = 365.2425


@dataclass(frozen=True, eq=False)
class DayKinds:
    """What the calendar says of moments on the wall clock; arrays of one shape.

    Parameters
    ----------
    hour : ndarray
        Time of day in hours.
    weekday : ndarray of int
        0 is Monday, whatever the day is free for.
    is_holiday, is_before_holiday, is_after_holiday : ndarray of bool
        Public holidays and the days beside them.
    year_angle : ndarray
        Time of the year in radians, from 0 on 1 January to 2 pi.
    """

    hour: np.ndarray
    weekday: np.ndarray
    is_holiday: np.ndarray
    is_before_holiday: np.ndarray
    is_after_holiday: np.ndarray
    year_angle: np.ndarray

    @property
    def is_free(self) -> np.ndarray:
        """Weekends and holidays."""
        free: np.ndarray = self.is_holiday | (self.weekday >= SATURDAY)
        return free


def day_kinds(wall: np.ndarray, holiday_calendar: str | None = None) -> DayKinds:
    """Return what the calendar says of wall times.

    Parameters
    ----------
    wall : ndarray of datetime64
        Local civil time, without zone.
    holiday_calendar : str, optional
        Country or region, as DE or DE-BY; without one, there are no holidays.
    """
    date = wall.astype("datetime64[D]")
    number = date.astype(int)
    days, place = np.unique(number, return_inverse=True)
    near = np.arange(days[0] - 1, days[-1] + 2)
    free = _is_holiday(near, holiday_calendar)
    at = days - near[0]
    since_new_year = (date - date.astype("datetime64[Y]").astype("datetime64[D]")).astype(float)
    hour = (wall - date).astype("timedelta64[s]").astype(float) / 3600
    return DayKinds(
        hour=hour,
        weekday=((number + 3) % 7),
        is_holiday=free[at][place],
        is_before_holiday=free[at + 1][place],
        is_after_holiday=free[at - 1][place],
        year_angle=2 * np.pi * (since_new_year + hour / 24) / DAYS_PER_YEAR,
    )


def _is_holiday(days: np.ndarray, holiday_calendar: str | None) -> np.ndarray:
    """Return whether days since 1970 are public holidays."""
    if holiday_calendar is None:
        return np.zeros(len(days), dtype=bool)
    import pandas as pd

    at_midnight = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]"))
    holiday: np.ndarray = Calendar(holiday_calendar).at(at_midnight).weekday == HOLIDAY
    return holiday
