"""Tariff: energy periods in local civil time, one record a tariff."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ems.record import FromList, Name, Record, Slug

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = tuple(range(1, 13))
MINUTES_PER_DAY = 24 * 60


def _on_the_clock(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", text):
        raise ValueError("must be a time of day from 00:00 to 24:00, as in 08:30")
    return text


ClockTime = Annotated[str, AfterValidator(_on_the_clock)]
"""A time of day on the wall clock, from 00:00 to 24:00."""


class EnergyPeriod(Record):
    """Hours of the week that share one price of energy."""

    name: Name
    """What the contract calls these hours: peak, night."""
    import_price_per_kwh: float
    """Price of a kWh taken from the grid."""
    export_price_per_kwh: float | None = None
    """Price paid for a kWh fed into the grid; needed where the connection can export."""
    from_time: ClockTime = "00:00"
    """Wall-clock time at which the period begins."""
    until_time: ClockTime = "24:00"
    """Wall-clock time at which the period ends; earlier than the beginning where it spans midnight."""
    weekdays: Annotated[tuple[Weekday, ...], FromList] = WEEKDAYS
    """Days on which it holds; hours after midnight belong to the new day."""
    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], FromList] = MONTHS
    """Months in which it holds, 1 to 12."""

    def holds_at(self, month: int, weekday: int, minute: int) -> bool:
        """Return whether the period holds at a minute of the day (0 to 1439) of a weekday (0 is Monday)."""
        if month not in self.months or WEEKDAYS[weekday] not in self.weekdays:
            return False
        begin, end = minutes_of(self.from_time), minutes_of(self.until_time)
        return begin <= minute < end if begin < end else minute >= begin or minute < end


class Tariff(Record):
    """What energy costs by contract; the first of the periods that holds at a moment gives its price."""

    id: Slug
    """Id of the tariff."""
    name: Name
    """What people call it."""
    periods: Annotated[tuple[EnergyPeriod, ...], FromList, Field(min_length=1)]
    """Energy periods; together they cover every hour of the year."""

    @model_validator(mode="after")
    def _covers_the_year(self) -> Tariff:
        for month in MONTHS:
            for weekday in range(7):
                for minute in self.breaks():
                    if self.period_at(month, weekday, minute) is None:
                        raise ValueError(
                            f"no period holds in month {month} on {WEEKDAYS[weekday]} at "
                            f"{minute // 60:02d}:{minute % 60:02d}; end the list with one for all other hours"
                        )
        return self

    def breaks(self) -> tuple[int, ...]:
        """Return the minutes of the day at which a price may change, ascending, from 0."""
        times = {time for period in self.periods for time in (period.from_time, period.until_time)}
        return tuple(sorted({0} | {minutes_of(time) % MINUTES_PER_DAY for time in times}))

    def period_at(self, month: int, weekday: int, minute: int) -> int | None:
        """Return the position of the period that holds at a moment of local civil time."""
        return next((i for i, one in enumerate(self.periods) if one.holds_at(month, weekday, minute)), None)


def minutes_of(clock_time: str) -> int:
    """Return the minutes since midnight of a wall-clock time.

    >>> minutes_of("08:30")
    510
    """
    hours, minutes = clock_time.split(":")
    return int(hours) * 60 + int(minutes)
