"""Steps in UTC, one after the other."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.horizon import Horizon

START = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def local_day(year: int, month: int, day: int, step_h: float = 1.0) -> Horizon:
    """The steps from one local midnight to the next."""
    midnight = dt.datetime(year, month, day, tzinfo=BERLIN)
    next_midnight = midnight + dt.timedelta(days=1)  # the clock's, not 24 h later
    hours = (next_midnight.astimezone(dt.UTC) - midnight.astimezone(dt.UTC)) / dt.timedelta(hours=1)
    return Horizon.regular(midnight, hours, step_h)


def test_regular__steps_are_named_by_their_beginning():
    steps = Horizon.regular(START, 2, 0.5)
    assert [f"{time:%H:%M}" for time in steps.times] == ["00:00", "00:30", "01:00", "01:30"]
    assert steps.boundaries[-1] == pd.Timestamp("2024-06-01 02:00")
    assert steps.end == START + dt.timedelta(hours=2)
    assert (len(steps), list(steps.steps), steps.length_h) == (4, [0, 1, 2, 3], 2.0)


def test_regular__start_is_kept_in_utc():
    steps = Horizon.regular(dt.datetime(2024, 6, 1, 8, tzinfo=BERLIN), 1)
    assert steps.start == dt.datetime(2024, 6, 1, 6, tzinfo=dt.UTC)
    assert steps.start.tzinfo is dt.UTC
    assert steps.times[0] == pd.Timestamp("2024-06-01 06:00")


@pytest.mark.parametrize(
    ("horizon_h", "step_h"),
    [(24, 7), (0.5, 1), (0, 1), (-24, 1), (24, 0), (24, -1), (24, 1e9), (float("nan"), 1), (float("inf"), 1)],
)
def test_regular__no_whole_number_of_steps(horizon_h, step_h):
    message = rf"horizon_h = .* h: must be a whole number of steps of {re.escape(f'{step_h:g}')} h"
    with pytest.raises(InvalidInput, match=message):
        Horizon.regular(START, horizon_h, step_h)


def test_regular__third_of_an_hour_is_a_whole_number_of_steps():
    """20 min is no binary fraction of an hour; three of them are an hour all the same."""
    steps = Horizon.regular(START, 24, 1 / 3)
    assert len(steps) == 72
    assert steps.times[4] == pd.Timestamp("2024-06-01 01:20")
    assert steps.end == START + dt.timedelta(days=1)


def test_regular__more_steps_than_anyone_means():
    """1e12 h would fill the memory before anything was checked."""
    with pytest.raises(InvalidInput, match=r"makes 1e\+12 steps of 1 h, at most 1000000 can be planned"):
        Horizon.regular(START, 1e12)


def test_regular__spring_day_has_23_hours():
    """On 2024-03-31 the clock in Berlin goes from 02:00 to 03:00."""
    day = local_day(2024, 3, 31)
    local = day.local_times("Europe/Berlin")
    assert len(day) == 23
    assert [time.hour for time in local[:4]] == [0, 1, 3, 4]
    assert (local[0].hour, local[-1].hour) == (0, 23)


def test_regular__autumn_day_has_25_hours():
    """On 2024-10-27 the hour from 02:00 comes twice, first in summer time."""
    day = local_day(2024, 10, 27, 0.5)
    local = day.local_times("Europe/Berlin")
    assert len(day) == 50
    assert [f"{time:%H:%M %Z}" for time in local[4:8]] == ["02:00 CEST", "02:30 CEST", "02:00 CET", "02:30 CET"]


def test_horizon__steps_of_changing_length():
    steps = Horizon(START, (0.25, 0.25, 0.5, 1, 2))
    assert [f"{time:%H:%M}" for time in steps.boundaries] == ["00:00", "00:15", "00:30", "01:00", "02:00", "04:00"]
    assert steps.step_h.tolist() == [0.25, 0.25, 0.5, 1, 2]
    assert steps.length_h == 4


@pytest.mark.parametrize(
    ("start", "steps_h", "message"),
    [
        (START, (), "there must be at least one step"),
        (START, (1, 0), "each step must last at least a second and at most a year"),
        (START, (1, -1), "each step must last at least a second"),
        (START, (1e-6,), "each step must last at least a second"),
        (START, (float("nan"),), "each step must last at least a second"),
        (START, (9000,), "and at most a year"),
        (START.replace(tzinfo=None), (1,), "start = 2024-06-01T00:00:00: must say its offset from UTC"),
        (START.replace(year=1969), (1,), "start = 1969-.*: must lie between 1970 and 2200"),
        (START.replace(year=2199), (8784,) * 2, "start = 2199-.*: must lie between 1970 and 2200, to the last step"),
    ],
)
def test_horizon__out_of_range(start, steps_h, message):
    with pytest.raises(InvalidInput, match=message):
        Horizon(start, steps_h)


def test_horizon__all_findings_at_once():
    with pytest.raises(InvalidInput) as caught:
        Horizon(START.replace(tzinfo=None), (0.0,))
    assert len(caught.value.findings) == 2


def test_from_times__lengths_are_the_distances():
    times = np.array(["2024-06-01T00:00", "2024-06-01T00:15", "2024-06-01T01:00"], dtype="datetime64[ns]")
    steps = Horizon.from_times(times, 2)
    assert steps.steps_h == (0.25, 0.75, 2.0)
    assert steps.start == START


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_from_times__any_resolution_of_stamps(unit):
    times = np.array(["2024-06-01T00:00", "2024-06-01T00:15"], dtype=f"datetime64[{unit}]")
    assert Horizon.from_times(times, 0.25).steps_h == (0.25, 0.25)


def test_from_times__stamps_out_of_order():
    times = np.array(["2024-06-01T01:00", "2024-06-01T00:00"], dtype="datetime64[ns]")
    with pytest.raises(InvalidInput, match="each step must last at least a second"):
        Horizon.from_times(times, 1)


@given(st.lists(st.integers(1, 48).map(lambda quarters: quarters / 4), min_size=1, max_size=50), st.integers(0, 10**6))
def test_horizon__steps_join_without_a_gap(steps_h, minutes):
    """The end of a step is the beginning of the next, and from_times gives the horizon back."""
    steps = Horizon(START + dt.timedelta(minutes=minutes), tuple(steps_h))
    lengths = np.diff(steps.boundaries.to_numpy()) / np.timedelta64(3600, "s")
    np.testing.assert_array_equal(lengths, steps.step_h)  # quarter hours are exact in binary
    assert steps.times.equals(steps.boundaries[:-1].rename("time"))
    assert Horizon.from_times(steps.times.to_numpy(), steps_h[-1]) == steps
