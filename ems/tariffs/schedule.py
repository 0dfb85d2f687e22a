"""Schedules of 12 months by 24 hours, as rate databases state them, as hours of a contract."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from ems.record import Name
from ems.tariffs.clock import DAYS, MONTHS, Hours, Weekday
from ems.tariffs.tariff import EnergyPeriod, EnergyTier

WORKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
DAYS_OFF: tuple[Weekday, ...] = ("sat", "sun")
Schedule = Sequence[Sequence[float]]
"""The number of a period for each month and hour of the day."""


def hours_of_schedule(
    weekday: Schedule, weekend: Schedule, has_holidays: bool = False
) -> dict[int, tuple[Hours, ...]]:
    """Return the hours of each period of a schedule, in as few records as months and days allow.

    Parameters
    ----------
    weekday, weekend : sequence (12, 24)
        Number of the period in each month and hour.
    has_holidays : bool
        Whether holidays go by the schedule of weekends, for a tariff with a calendar of them.

    Raises
    ------
    ValueError
        If a schedule has not 12 months of 24 hours, or a number is none.
    """
    days_off: tuple[Weekday, ...] = (*DAYS_OFF, "holiday") if has_holidays else DAYS_OFF
    kinds: list[tuple[tuple[Weekday, ...], Schedule]] = [(WORKDAYS, weekday), (days_off, weekend)]
    months_of: dict[tuple[int, str, str], dict[tuple[Weekday, ...], list[int]]] = {}
    for days, schedule in kinds:
        if len(schedule) != 12 or any(len(row) != 24 for row in schedule):
            raise ValueError("must have 12 months of 24 hours each")
        for month, row in zip(MONTHS, schedule, strict=True):
            for number, first_hour, last_hour in _runs(row):
                key = (number, f"{first_hour:02d}:00", f"{last_hour:02d}:00")
                months_of.setdefault(key, {}).setdefault(days, []).append(month)
    found: dict[int, list[Hours]] = {}
    for (number, begin, end), by_days in months_of.items():
        work, off = (set(by_days.get(days, [])) for days in (WORKDAYS, days_off))
        for days, months in ((DAYS, work & off), (WORKDAYS, work - off), (days_off, off - work)):
            if months:
                hours = Hours(from_time=begin, until_time=end, weekdays=days, months=tuple(sorted(months)))
                found.setdefault(number, []).append(hours)
    return {number: tuple(found[number]) for number in sorted(found)}


def energy_periods(
    weekday: Schedule,
    weekend: Schedule,
    tiers: Mapping[int, Sequence[EnergyTier]],
    names: Mapping[int, Name] | None = None,
    has_holidays: bool = False,
) -> tuple[EnergyPeriod, ...]:
    """Return the energy periods of a schedule.

    Parameters
    ----------
    weekday, weekend : sequence (12, 24)
        Number of the period in each month and hour.
    tiers : mapping of int to sequence of EnergyTier
        Prices of each period by its number.
    names : mapping of int to str, optional
        What they are called; ``period 1`` by default.
    has_holidays : bool
        Whether holidays go by the schedule of weekends.

    Raises
    ------
    ValueError
        If a schedule is unusable, or names a period without prices.
    """
    found = []
    for number, windows in hours_of_schedule(weekday, weekend, has_holidays).items():
        if not tiers.get(number):
            raise ValueError(f"names period {number}, which has no prices")
        name = (names or {}).get(number, f"period {number}")
        prices = _prices(tuple(tiers[number]))
        found += [EnergyPeriod.from_mapping({**window.given(), **prices, "name": name}) for window in windows]
    return tuple(found)


def _prices(tiers: tuple[EnergyTier, ...]) -> dict[str, object]:
    """Return the fields of an energy period that state its prices."""
    if len(tiers) > 1:
        return {"tiers": tiers}
    return {name: getattr(tiers[0], name) for name in ("import_price_per_kwh", "export_price_per_kwh")}


def _runs(row: Sequence[float]) -> list[tuple[int, int, int]]:
    """Return number, beginning and end of the stretches of a day that have one number; one may span midnight."""
    numbers = [int(value) for value in row]
    if any(value != number or number < 0 for value, number in zip(row, numbers, strict=True)):
        raise ValueError(f"must hold numbers of periods, whole and from 0; there is {min(row):g}")
    ends = [hour for hour in range(1, 25) if hour == 24 or numbers[hour] != numbers[hour - 1]]
    runs = [(numbers[begin], begin, end) for begin, end in itertools.pairwise([0, *ends])]
    if len(runs) > 2 and runs[0][0] == runs[-1][0]:
        # Hours after midnight belong to the new day, so that evening and early morning are one window.
        return [*runs[1:-1], (runs[0][0], runs[-1][1], runs[0][2])]
    return runs
