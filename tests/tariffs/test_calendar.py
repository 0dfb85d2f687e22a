"""Calendars: months, kinds of days and minutes of local civil time; typical years and holidays."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.tariffs.calendar import Calendar, CivilTime
from ems.tariffs.clock import HOLIDAY


def at(calendar: Calendar, *moments: str) -> CivilTime:
    return calendar.at(pd.DatetimeIndex([*moments]))


@given(st.lists(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2199, 12, 31)), min_size=1, max_size=20))
def test_calendar_at__real_dates_are_those_of_the_standard_library(moments):
    when = Calendar().at(pd.DatetimeIndex(moments).as_unit("us"))
    assert when.weekday.tolist() == [one.weekday() for one in moments]
    assert when.month_day.tolist() == [100 * one.month + one.day for one in moments]
    assert when.month_of_year.tolist() == [one.month for one in moments]
    assert when.month.tolist() == [12 * (one.year - 1970) + one.month - 1 for one in moments]
    assert when.day.tolist() == [(one.date() - dt.date(1970, 1, 1)).days for one in moments]
    assert when.minute.tolist() == [60 * one.hour + one.minute for one in moments]


def test_calendar_at__typical_year_begins_on_a_monday():
    """1 January 2022 was a Saturday; of a typical year it is a Monday, and 8 January the next one."""
    typical = Calendar(is_typical=True)
    assert at(typical, "2022-01-01", "2022-01-06", "2022-01-08").weekday.tolist() == [0, 5, 0]
    assert at(Calendar(is_typical=True, first_weekday=6), "2022-01-01", "2022-01-02").weekday.tolist() == [6, 0]


def test_calendar_at__typical_year_has_365_days():
    """Day 60 of a leap year is its 29 February and a typical year's 1 March; its last day is 31 December again."""
    when = at(Calendar(is_typical=True), "2024-02-28", "2024-02-29", "2024-12-30", "2024-12-31")
    assert when.month_day.tolist() == [228, 301, 1231, 1231]
    months = when.month - 12 * (2024 - 1970)
    assert months.tolist() == [1, 2, 11, 11]


@pytest.mark.parametrize(
    ("calendar", "days"),
    [(Calendar(), {2023: 28, 2024: 29}), (Calendar(is_typical=True), {2023: 28, 2024: 28})],
)
def test_days_of__february(calendar, days):
    found = {year: calendar.days_of(12 * (year - 1970) + 1) for year in days}
    assert found == days
    assert sum(Calendar().days_of(12 * 54 + month) for month in range(12)) == 366


def test_calendar_at__holidays_are_a_kind_of_their_own():
    """Good Friday 2024 was on 29 March in Germany; US banks were open, and closed on 4 July."""
    moments = ("2024-03-28", "2024-03-29", "2024-07-04")
    assert at(Calendar("DE"), *moments).weekday.tolist() == [3, HOLIDAY, 3]
    assert at(Calendar("US"), *moments).weekday.tolist() == [3, 4, HOLIDAY]


def test_calendar_at__typical_year_has_the_holidays_of_its_dates():
    """In 2001, Easter Monday was on 16 April, day 105 from 0, which a typical year has as a Monday."""
    when = at(Calendar("DE", is_typical=True), "2023-04-16", "2023-04-10", "2023-10-03")
    assert when.weekday.tolist() == [HOLIDAY, 1, HOLIDAY]
    assert np.array_equal(at(Calendar("DE", is_typical=True), "2001-04-16").weekday, [HOLIDAY])
