"""Calendar: which month, kind of day and minute a moment of local civil time is; holidays and typical years."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ems.errors import did_you_mean
from ems.tariffs.clock import HOLIDAY

if TYPE_CHECKING:
    import pandas as pd

_MONDAY = 3
"""1970-01-01, from which days are counted, was a Thursday."""
_TYPICAL_NEW_YEAR = np.datetime64("2001-01-01")
"""A year of 365 days that began on a Monday."""


def known_holiday_calendar(code: str) -> str:
    """Return the code of a country or region whose holidays are known: DE, DE-BY.

    Raises
    ------
    ValueError
        If it is unknown, with the nearest known one.
    """
    import holidays
    from holidays.utils import list_supported_countries

    country, _, region = code.partition("-")
    try:
        holidays.country_holidays(country, subdiv=region or None)
    except NotImplementedError:
        pass
    else:
        return code
    regions = list_supported_countries(include_aliases=False)
    if country not in regions:
        raise ValueError(f"no such country; {did_you_mean(country, regions)}")
    known = [f"{country}-{one}" for one in regions[country]]
    raise ValueError(f"no such region; {did_you_mean(code, known)}")


@lru_cache(maxsize=256)
def _holidays_of(code: str, year: int) -> frozenset[int]:
    """Return the public holidays of a year as days since 1970."""
    import holidays

    country, _, region = code.partition("-")
    found = holidays.country_holidays(country, subdiv=region or None, years=year)
    return frozenset(np.array(list(found), dtype="datetime64[D]").astype(int).tolist())


@dataclass(frozen=True)
class CivilTime:
    """What the calendar and the clock say at moments; arrays of one shape.

    Parameters
    ----------
    month : ndarray of int
        Months since January 1970.
    day : ndarray of int
        Days since 1970-01-01.
    weekday : ndarray of int
        0 is Monday, 7 a holiday.
    month_day : ndarray of int
        100 * month of the year + day of the month.
    minute : ndarray of int
        Minute of the day.
    """

    month: np.ndarray
    day: np.ndarray
    weekday: np.ndarray
    month_day: np.ndarray
    minute: np.ndarray

    @property
    def month_of_year(self) -> np.ndarray:
        """Month of the year, 1 to 12."""
        months: np.ndarray = self.month_day // 100
        return months


@dataclass(frozen=True)
class Calendar:
    """How moments of local civil time become months and kinds of days.

    Parameters
    ----------
    holiday_calendar : str, optional
        Country or region whose public holidays are a kind of day of their own.
    is_typical : bool
        Whether every year is the same: 365 days, of which the first is ``first_weekday``, with the holidays of 2001. A
        leap year's days are counted from its 1 January, and its last day counts as 31 December again.
    first_weekday : int
        Kind of day of 1 January of a typical year; 0 is Monday.
    """

    holiday_calendar: str | None = None
    is_typical: bool = False
    first_weekday: int = 0

    def at(self, local: pd.DatetimeIndex) -> CivilTime:
        """Return what the calendar and the clock say at moments of local civil time."""
        wall = (local if local.tz is None else local.tz_localize(None)).to_numpy()
        day = wall.astype("datetime64[D]")
        minute = (wall - day).astype("timedelta64[m]").astype(int)
        # The calendar is asked once for each day rather than for each step.
        days, of_step = np.unique(day.astype(int), return_inverse=True)
        month, number, weekday, month_day = (facts[of_step] for facts in self._facts(days))
        return CivilTime(month, number, weekday, month_day, minute)

    def days_of(self, month: int) -> int:
        """Return how many days a month has, which is given in months since January 1970."""
        if self.is_typical:
            month = 12 * int(_TYPICAL_NEW_YEAR.astype("datetime64[Y]").astype(int)) + month % 12
        first, last = (np.datetime64(number, "M").astype("datetime64[D]") for number in (month, month + 1))
        return int((last - first).astype(int))

    def _facts(self, days: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return month, day, weekday and day of the year of days since 1970."""
        dates = days.astype("datetime64[D]")
        years = dates.astype("datetime64[Y]")
        if self.is_typical:
            of_year = np.minimum((dates - years.astype("datetime64[D]")).astype(int), 364)
            dates = _TYPICAL_NEW_YEAR + of_year
            weekday = (of_year + self.first_weekday) % 7
        else:
            weekday = (days + _MONDAY) % 7
        if self.holiday_calendar is not None:
            own_years = np.unique(dates.astype("datetime64[Y]").astype(int) + 1970).tolist()
            free = frozenset[int]().union(*(_holidays_of(self.holiday_calendar, year) for year in own_years))
            weekday = np.where(np.isin(dates.astype(int), list(free)), HOLIDAY, weekday)
        months = dates.astype("datetime64[M]")
        month_of_year = months.astype(int) % 12
        day_of_month = (dates - months.astype("datetime64[D]")).astype(int) + 1
        return years.astype(int) * 12 + month_of_year, days, weekday, 100 * (month_of_year + 1) + day_of_month
