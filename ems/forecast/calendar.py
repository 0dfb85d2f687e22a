"""Local time of steps: hour, weekday, holidays, and the same local time of earlier days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from ems.errors import InvalidInput, did_you_mean, show

DAYS_PER_YEAR = 365.2425
MINUTES_PER_DAY = 1440


@dataclass(frozen=True)
class LocalCalendar:
    """Local civil time of the steps of a raster, each of shape (steps,).

    Parameters
    ----------
    offset_min : ndarray of int
        Local clock minus UTC.
    minute : ndarray of int
        Minute of the local day, from 0.
    day : ndarray of int
        Number of the local day, counted from 1970-01-01.
    weekday : ndarray of int
        0 is Monday.
    day_of_year : ndarray of int
        From 1.
    is_holiday : ndarray of bool
        Whether the local day is a public holiday; nowhere where no country is named.
    is_eve, is_after : ndarray of bool
        Whether the next day, or the day before, is one.
    """

    offset_min: np.ndarray
    minute: np.ndarray
    day: np.ndarray
    weekday: np.ndarray
    day_of_year: np.ndarray
    is_holiday: np.ndarray
    is_eve: np.ndarray
    is_after: np.ndarray

    @classmethod
    def of(cls, times: pd.DatetimeIndex, timezone: str, country: str | None = None) -> LocalCalendar:
        """Return the calendar of beginnings of steps in UTC.

        Raises
        ------
        InvalidInput
            If there is no such time zone, or no holidays are known of the country.
        """
        try:
            local = times.tz_localize("UTC").tz_convert(timezone).tz_localize(None)
        except (KeyError, ValueError, OSError):
            raise InvalidInput(f"timezone = {show(timezone)}", "no such time zone; as in Europe/Berlin") from None
        wall = local.as_unit("ns").asi8 // 60_000_000_000
        day = wall // MINUTES_PER_DAY
        is_holiday, is_eve, is_after = (np.zeros(len(times), dtype=bool) for _ in range(3))
        if country is not None:
            known = np.array(sorted(holidays_of(country, int(local[0].year), int(local[-1].year) + 1)), dtype=np.int64)
            is_holiday, is_eve, is_after = (np.isin(day + shift, known) for shift in (0, 1, -1))
        return cls(
            offset_min=wall - times.as_unit("ns").asi8 // 60_000_000_000,
            minute=wall % MINUTES_PER_DAY,
            day=day,
            weekday=(day + 3) % 7,  # 1970-01-01 was a Thursday
            day_of_year=np.asarray(local.dayofyear),
            is_holiday=is_holiday,
            is_eve=is_eve,
            is_after=is_after,
        )

    def __len__(self) -> int:
        return len(self.minute)

    def part(self, steps: slice) -> LocalCalendar:
        """Return the calendar of some of the steps."""
        return LocalCalendar(*(getattr(self, name)[steps] for name in self.__dataclass_fields__))

    @property
    def hour(self) -> np.ndarray:
        """Hour of the local day, 0 to 23."""
        hours: np.ndarray = self.minute // 60
        return hours

    @property
    def is_off(self) -> np.ndarray:
        """Whether the local day is a Saturday, a Sunday or a holiday."""
        off: np.ndarray = (self.weekday >= 5) | self.is_holiday
        return off

    @property
    def is_after_off(self) -> np.ndarray:
        """Whether the day before is a Saturday, a Sunday or a holiday."""
        off: np.ndarray = (self.weekday == 6) | (self.weekday == 0) | self.is_after
        return off

    @property
    def year_angle(self) -> np.ndarray:
        """Place in the year as an angle, 2 pi a year."""
        angle: np.ndarray = 2 * np.pi * self.day_of_year / DAYS_PER_YEAR
        return angle

    def same_time(self, position: np.ndarray, days: np.ndarray | int, steps_per_day: int) -> np.ndarray:
        """Return the steps that have the same local time some days before.

        On days on which the clock changes, the hour that is skipped is taken from the hour after it, and of the hour
        that comes twice the one that lies a whole number of days of 24 h away or next to it.

        Parameters
        ----------
        position : ndarray of int (...)
        days : int or ndarray of int (...)
        steps_per_day : int

        Returns
        -------
        ndarray of int (...)
            Below zero where it lies before the raster.
        """
        plain = position - np.asarray(days) * steps_per_day
        inside = np.clip(plain, 0, len(self) - 1)
        change_min = self.offset_min[inside] - self.offset_min[np.clip(position, 0, len(self) - 1)]
        moved = plain - change_min * steps_per_day // MINUTES_PER_DAY
        found: np.ndarray = np.where(plain < 0, plain, np.maximum(moved, 0))
        return found


@cache
def holidays_of(country: str, first_year: int, last_year: int) -> frozenset[int]:
    """Return the public holidays of a country as numbers of days since 1970-01-01.

    Parameters
    ----------
    country : str
        ISO 3166 code of a country, or of a part of it: ``DE``, ``DE-BY``, ``US-CA``.
    first_year, last_year : int

    Raises
    ------
    InvalidInput
        If no holidays are known of it.
    """
    import holidays

    code, _, part = country.upper().partition("-")
    known = holidays.list_supported_countries()
    if code not in known:
        raise InvalidInput(f"country = {show(country)}", f"no holidays are known of it; {did_you_mean(code, known)}")
    if part and part not in known[code]:
        raise InvalidInput(
            f"country = {show(country)}",
            f"no holidays are known of this part; {did_you_mean(part, known[code])}",
        )
    found = holidays.country_holidays(code, subdiv=part or None, years=range(first_year, last_year + 1))
    return frozenset(day.toordinal() - 719163 for day in found)
