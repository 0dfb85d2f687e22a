from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from forecast_samples import load_history

from ems.errors import InvalidInput
from ems.forecast.calendar import LocalCalendar, holidays_of
from ems.forecast.issue import issue_positions, steps_of

SPRING, AUTUMN = "2024-03-31", "2024-10-27"
"""Days on which the clock changes in Berlin."""


def _berlin(start: str, days: int) -> tuple[pd.DatetimeIndex, LocalCalendar]:
    times = pd.date_range(pd.Timestamp(start) - pd.Timedelta(hours=1), periods=days * 24, freq="h", unit="ns")
    return times, LocalCalendar.of(times, "Europe/Berlin")


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_same_time__has_the_same_local_time_across_a_clock_change(day: str) -> None:
    times, calendar = _berlin(str(pd.Timestamp(day) - pd.Timedelta(days=8))[:10], 20)
    position = np.arange(10 * 24, 20 * 24)

    for days in (1, 2, 7):
        earlier = calendar.same_time(position, days, 24)
        now = times[position].tz_localize("UTC").tz_convert("Europe/Berlin").tz_localize(None)
        then = times[earlier].tz_localize("UTC").tz_convert("Europe/Berlin").tz_localize(None)
        moved = (now - then) != pd.Timedelta(days=days)
        # Only the hour that the clock skips in spring has no twin.
        assert moved.sum() <= 1
        assert np.all(np.abs((now - then) - pd.Timedelta(days=days)) <= pd.Timedelta(hours=1))


def test_same_time__before_the_raster_is_below_zero() -> None:
    _, calendar = _berlin("2024-06-01", 3)

    assert calendar.same_time(np.array([5]), 1, 24)[0] < 0


def test_calendar__knows_holidays_and_the_days_around() -> None:
    times = pd.date_range("2024-04-30", periods=3 * 24, freq="h", unit="ns")

    calendar = LocalCalendar.of(times, "UTC", "DE")

    assert calendar.is_holiday.reshape(3, 24)[:, 0].tolist() == [False, True, False]
    assert calendar.is_eve.reshape(3, 24)[:, 0].tolist() == [True, False, False]
    assert calendar.is_after.reshape(3, 24)[:, 0].tolist() == [False, False, True]
    assert calendar.weekday[::24].tolist() == [1, 2, 3]


def test_holidays_of__part_of_a_country_has_its_own() -> None:
    all_saints = pd.Timestamp("2024-11-01").toordinal() - 719163

    assert all_saints in holidays_of("DE-BY", 2024, 2024)
    assert all_saints not in holidays_of("DE-BE", 2024, 2024)


@pytest.mark.parametrize(("name", "said"), [("XX", "no holidays are known of it"), ("DE-QQ", "of this part")])
def test_holidays_of__unknown_country_says_so(name: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        holidays_of(name, 2024, 2024)


def test_calendar__unknown_zone_says_so() -> None:
    with pytest.raises(InvalidInput, match=r"timezone = 'Europe/Berlln': no such time zone"):
        LocalCalendar.of(pd.date_range("2024-01-01", periods=2, freq="h"), "Europe/Berlln")


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), ("2024-06-03", 24)])
def test_steps_of__a_local_day_has_23_or_25_hours_where_the_clock_changes(day: str, hours: int) -> None:
    midnight = pd.Timestamp(day, tz="Europe/Berlin")
    start = str((midnight - pd.Timedelta(days=10)).tz_convert("UTC").date())
    history = load_history(days=20, timezone="Europe/Berlin", start=start)
    at = history.position(midnight)

    assert steps_of(history, at, 24) == hours
    assert steps_of(history, at, 24, in_local_days=False) == 24
    assert steps_of(history, at, 6) == 6


def test_issue_positions__one_a_day_at_the_local_time() -> None:
    history = load_history(days=220, timezone="Europe/Berlin", start="2024-03-25", step_h=0.5)

    for local_time in ("00:00", "02:30", "13:00"):
        local = history.times[issue_positions(history, local_time)].tz_localize("UTC").tz_convert("Europe/Berlin")
        assert set(local.strftime("%H:%M")) == {local_time}
        assert len(set(local.date)) == len(local)
        # The clock skips 02:30 on one day.
        assert len(local) == (219 if local_time == "02:30" else 220)


def test_issue_positions__time_between_steps_says_so() -> None:
    with pytest.raises(InvalidInput, match="no step of demand_kw of 'office' begins at this local time"):
        issue_positions(load_history(days=10), "00:20")
    with pytest.raises(InvalidInput, match="must be a time of day, as in 06:00"):
        issue_positions(load_history(days=10), "six")
