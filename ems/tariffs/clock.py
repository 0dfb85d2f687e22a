"""Hours: when something of a contract holds, by wall clock, kind of day, month and date."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ems.record import FromList, Record

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS: tuple[Weekday, ...] = (*WEEKDAYS, "holiday")
"""Kinds of days. A holiday is a kind of its own: what holds on Mondays does not hold on Easter Monday."""
HOLIDAY = DAYS.index("holiday")
MONTHS = tuple(range(1, 13))
MINUTES_PER_DAY = 24 * 60


def _on_the_clock(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", text):
        raise ValueError("must be a time of day from 00:00 to 24:00, as in 08:30")
    return text


def _in_the_year(text: str) -> str:
    try:
        is_day = bool(re.fullmatch(r"\d{2}-\d{2}", text)) and bool(dt.date.fromisoformat(f"2024-{text}"))
    except ValueError:
        is_day = False
    if not is_day:
        raise ValueError("must be a month and a day, as in 06-15")
    return text


ClockTime = Annotated[str, AfterValidator(_on_the_clock)]
"""A time of day on the wall clock, from 00:00 to 24:00."""
DayOfYear = Annotated[str, AfterValidator(_in_the_year)]
"""A day of any year, month before day: 06-15."""
Month = Annotated[int, Field(ge=1, le=12)]


class Hours(Record):
    """When something holds: all of clock, kind of day, month and date must fit."""

    from_time: ClockTime = "00:00"
    """Wall-clock time at which it begins. Acts in dispatch and settlement."""
    until_time: ClockTime = "24:00"
    """Wall-clock time at which it ends; earlier than the beginning where it spans midnight. Acts in dispatch and
    settlement."""
    weekdays: Annotated[tuple[Weekday, ...], FromList, Field(min_length=1)] = DAYS
    """Days on which it holds; hours after midnight belong to the new day, and a holiday of the tariff's calendar is
    no weekday. Acts in dispatch and settlement."""
    months: Annotated[tuple[Month, ...], FromList, Field(min_length=1)] = MONTHS
    """Months in which it holds, 1 to 12. Acts in dispatch and settlement."""
    from_date: DayOfYear | None = None
    """First day of its season, as 06-15. Acts in dispatch and settlement."""
    until_date: DayOfYear | None = None
    """Last day of its season; earlier than the first one where it spans the new year. Acts in dispatch and
    settlement."""

    @model_validator(mode="after")
    def _has_both_ends_of_the_season(self) -> Hours:
        if (self.from_date is None) != (self.until_date is None):
            given, absent = ("from_date", "until_date") if self.until_date is None else ("until_date", "from_date")
            raise ValueError(f"{given} = '{getattr(self, given)}': needs {absent}, too")
        return self

    @property
    def names_holidays(self) -> bool:
        """Whether it tells holidays from other days by name."""
        return "holiday" in self.weekdays and set(self.weekdays) != set(DAYS)

    def holds_on(self, month: int, day: int) -> bool:
        """Return whether a day of the year is within its months and its season."""
        if month not in self.months:
            return False
        if self.from_date is None or self.until_date is None:
            return True
        first, last, today = self.from_date, self.until_date, f"{month:02d}-{day:02d}"
        return first <= today <= last if first <= last else today >= first or today <= last

    def holds_at(self, month: int, weekday: int, minute: int, day: int = 1) -> bool:
        """Return whether it holds at a minute of the day (0 to 1439).

        Parameters
        ----------
        month : int
            1 to 12.
        weekday : int
            0 is Monday, 7 a holiday.
        minute : int
        day : int
            Day of the month.
        """
        if DAYS[weekday] not in self.weekdays or not self.holds_on(month, day):
            return False
        begin, end = minutes_of(self.from_time), minutes_of(self.until_time)
        return begin <= minute < end if begin < end else minute >= begin or minute < end


def minutes_of(clock_time: str) -> int:
    """Return the minutes since midnight of a wall-clock time.

    >>> minutes_of("08:30")
    510
    """
    hours, minutes = clock_time.split(":")
    return int(hours) * 60 + int(minutes)
