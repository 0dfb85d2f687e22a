"""Schedules of 12 months by 24 hours become hours that say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.tariffs.clock import DAYS, Hours
from ems.tariffs.schedule import DAYS_OFF, WORKDAYS, energy_periods, hours_of_schedule
from ems.tariffs.tariff import EnergyTier, Tariff

NIGHT = [1] * 6 + [2] * 16 + [1] * 2
OFF = [1] * 24


def test_hours_of_schedule__evening_and_early_morning_are_one_window():
    """Night is from 22:00 to 06:00 on workdays and all day on weekends, the same in every month."""
    hours = hours_of_schedule([NIGHT] * 12, [OFF] * 12)
    assert hours == {
        1: (Hours(from_time="22:00", until_time="06:00", weekdays=WORKDAYS), Hours(weekdays=DAYS_OFF)),
        2: (Hours(from_time="06:00", until_time="22:00", weekdays=WORKDAYS),),
    }


def test_hours_of_schedule__alike_on_all_days():
    assert hours_of_schedule([OFF] * 12, [OFF] * 12) == {1: (Hours(),)}


def test_hours_of_schedule__holidays_go_by_the_weekend():
    hours = hours_of_schedule([NIGHT] * 12, [OFF] * 12, has_holidays=True)
    assert hours[1][1].weekdays == ("sat", "sun", "holiday")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ([NIGHT] * 11, "must have 12 months of 24 hours each"),
        ([NIGHT[:23]] * 12, "must have 12 months of 24 hours each"),
        ([[0.5] * 24] * 12, "must hold numbers of periods, whole and from 0; there is 0.5"),
        ([[-1] * 24] * 12, "there is -1"),
    ],
)
def test_hours_of_schedule__unusable(schedule, message):
    with pytest.raises(ValueError, match=message):
        hours_of_schedule(schedule, [OFF] * 12)


def test_energy_periods__period_without_prices():
    with pytest.raises(ValueError, match="names period 2, which has no prices"):
        energy_periods([NIGHT] * 12, [OFF] * 12, {1: [EnergyTier(import_price_per_kwh=0.1)]})


ROWS = st.lists(st.integers(0, 2), min_size=24, max_size=24)
SCHEDULES = st.lists(st.lists(ROWS, min_size=1, max_size=3), min_size=2, max_size=2).map(
    lambda pair: [[rows[month % len(rows)] for month in range(12)] for rows in pair]
)


@given(SCHEDULES)
def test_energy_periods__hold_where_the_schedule_has_their_number(schedules):
    """Each hour of each month and kind of day has one period, and it is that of the schedule."""
    prices = {number: [EnergyTier(import_price_per_kwh=float(number))] for number in range(3)}
    periods = energy_periods(*schedules, prices)
    assert Tariff(id="a", name="A", periods=periods).periods == periods
    for kind in range(7):
        schedule = schedules[DAYS[kind] in DAYS_OFF]
        for month in range(12):
            for hour in range(24):
                held = [one for one in periods if one.holds_at(month + 1, kind, hour * 60)]
                assert [one.import_price_per_kwh for one in held] == [schedule[month][hour]]
                assert held[0].name == f"period {schedule[month][hour]}"
