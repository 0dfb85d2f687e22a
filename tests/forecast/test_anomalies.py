"""Planted faults are found where they were planted, and series without a fault give no alarm."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.forecast.anomalies import Anomaly, anomalies_table, find_anomalies, mask_of

ZONE = "Europe/Berlin"
DAY = 24


def times_of(days: int, step_h: float = 1.0, start: str = "2023-10-31 23:00") -> pd.DatetimeIndex:
    """Return a raster that begins at a local midnight."""
    return pd.date_range(start, periods=round(days * 24 / step_h), freq=pd.Timedelta(hours=step_h), unit="ns")


def local_hours(times: pd.DatetimeIndex, zone: str = ZONE) -> tuple[np.ndarray, np.ndarray]:
    local = times.tz_localize("UTC").tz_convert(zone)
    return np.asarray(local.hour + local.minute / 60), np.asarray(local.dayofweek)


def load_of(times: pd.DatetimeIndex, seed: int = 0) -> np.ndarray:
    """A town: two peaks on working days, one at weekends, weather that lasts some days, in kW."""
    rng = np.random.default_rng(seed)
    hour, weekday = local_hours(times)
    working = 60 + 35 * np.exp(-(((hour - 8) / 2.2) ** 2)) + 45 * np.exp(-(((hour - 18.5) / 2.5) ** 2))
    idle = 55 + 30 * np.exp(-(((hour - 12) / 4) ** 2))
    weather = np.repeat(rng.normal(0, 0.06, len(times) // 24 + 2).cumsum() * 0.3, 24)[: len(times)]
    return np.where(weekday < 5, working, idle) * np.exp(weather + rng.normal(0, 0.03, len(times)))


def solar_of(times: pd.DatetimeIndex, seed: int = 0) -> np.ndarray:
    """A solar plant of 100 kW under clouds; the sun culminates at 11:20 UTC."""
    rng = np.random.default_rng(seed)
    hour = np.asarray(times.hour + times.minute / 60) + 0.66
    season = -np.cos(2 * np.pi * (np.asarray(times.dayofyear) + 10) / 365)
    height = np.sin(np.deg2rad(30 + 12 * season)) * np.cos((hour - 12) * np.pi / 12 / (1 + 0.25 * season))
    cloud = np.repeat(rng.uniform(0.25, 1, len(times) // 24 + 2), 24)[: len(times)]
    return np.round(100 * np.maximum(height, 0) * cloud * rng.uniform(0.7, 1, len(times)), 3)


def price_of(times: pd.DatetimeIndex, seed: int = 0) -> np.ndarray:
    """Prices with heavy tails on both sides, rounded to cents, and hours of exactly zero in a row."""
    rng = np.random.default_rng(seed)
    hour, _ = local_hours(times)
    values = np.round(50 + 20 * np.sin((hour - 4) * np.pi / 6) + 12 * rng.standard_t(3, len(times)), 2)
    for start in rng.choice(len(times) - 8, len(times) // 200, replace=False):
        values[start : start + rng.integers(2, 8)] = 0.0
    return values


def home_of(times: pd.DatetimeIndex, seed: int = 0) -> np.ndarray:
    """A home: standby of exactly 0.2 kW for hours, appliances now and then."""
    rng = np.random.default_rng(seed)
    hour, _ = local_hours(times)
    chance = 0.15 + 0.5 * ((hour >= 6) & (hour < 9)) + 0.6 * ((hour >= 17) & (hour < 22))
    return np.where(rng.random(len(times)) < chance, np.round(0.2 + rng.lognormal(-0.3, 0.9, len(times)), 3), 0.2)


def wind_of(times: pd.DatetimeIndex, seed: int = 0) -> np.ndarray:
    """A wind farm that stands still, and runs at capacity, for many hours in a row."""
    rng = np.random.default_rng(seed)
    speed = np.zeros(len(times))
    for step in range(1, len(times)):
        speed[step] = 0.95 * speed[step - 1] + 0.31 * rng.standard_normal()
    return np.round(np.clip(0.35 + 0.4 * speed, 0, 1), 4)


MAKERS = {"load": load_of, "solar": solar_of, "price": price_of, "wind": wind_of}


def found_in(values: np.ndarray, times: pd.DatetimeIndex, kind: str, what: str) -> list[Anomaly]:
    return [one for one in find_anomalies(values, times, ZONE, kind, "kW") if one.kind == what]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", MAKERS)
def test_find_anomalies__hardly_any_in_a_year_without_fault(kind, seed):
    times = times_of(366)
    found = find_anomalies(MAKERS[kind](times, seed), times, ZONE, kind)
    # Prices of a t-distribution with three degrees of freedom have true spikes: one in 2,000 may be told.
    assert len(found) <= (4 if kind == "price" else 1), [str(one) for one in found]


@pytest.mark.parametrize("seed", range(3))
def test_find_anomalies__hardly_any_in_a_home_at_standby(seed):
    times = times_of(366)
    found = find_anomalies(home_of(times, seed), times, ZONE, "load")
    assert len(found) <= 1, [str(one) for one in found]


def test_find_gaps__between_first_and_last_value():
    """Five hours are missing; what lies before the first and after the last value is no gap."""
    times = times_of(60)
    values = load_of(times)
    values[:10] = values[500:505] = values[-30:] = np.nan
    (gap,) = found_in(values, times, "load", "gap")
    assert (gap.begin, gap.end, gap.size) == (times[500], times[505], 5)
    assert str(gap) == "gap from 2023-11-21 20:00 to 2023-11-22 01:00 (Europe/Berlin): 5 steps"


@pytest.mark.parametrize("kind", MAKERS)
def test_find_frozen__a_value_that_stays(kind):
    times = times_of(120)
    values = MAKERS[kind](times)
    noon = np.flatnonzero((np.asarray(times.hour) == 10) & (values > np.median(values)) & (values < values.max()))
    start = int(noon[len(noon) // 2])
    values[start : start + 12] = values[start]
    (frozen,) = found_in(values, times, kind, "frozen")
    assert frozen.begin == times[start]
    assert frozen.size == 12
    assert "unchanged, 12 steps" in frozen.words


def test_find_frozen__a_solar_plant_at_rest_by_day_and_not_at_night():
    times = times_of(120)
    values = solar_of(times)
    day = slice(60 * DAY, 62 * DAY)
    values[day] = 0.0
    (frozen,) = found_in(values, times, "solar", "frozen")
    assert times[day.start] < frozen.begin < times[day.start + 12]
    assert times[day.stop - 12] < frozen.end < times[day.stop]


def test_find_frozen__a_meter_that_dies_again_and_again():
    """Ten hours of zero, four times, in a load that is never zero otherwise."""
    times = times_of(200)
    values = load_of(times)
    starts = [700, 1500, 2600, 3900]
    for start in starts:
        values[start : start + 10] = 0.0
    assert [one.begin for one in found_in(values, times, "load", "frozen")] == list(times[starts])


@pytest.mark.parametrize(
    ("kind", "share_of_highest"), [("load", 1.5), ("load", 0.0), ("solar", 2.0), ("price", 3.0), ("wind", 2.0)]
)
def test_find_spikes__single_values_far_off(kind, share_of_highest):
    """Eight values, twenty days apart: all of them are found, and nothing else that was not there before."""
    times = times_of(200)
    values = MAKERS[kind](times)
    before = found_in(values, times, kind, "spike")
    planted = np.arange(20, 180, 20) * DAY + 10
    values[planted] = values.max() * share_of_highest
    found = found_in(values, times, kind, "spike")
    assert {one.begin for one in found} >= set(times[planted])
    assert len(found) <= len(planted) + len(before)
    assert next(one for one in found if one.begin == times[planted[0]]).size == values[planted[0]]


def test_find_spikes__in_a_series_that_repeats_itself_to_the_digit():
    times = times_of(60, start="2024-01-01")
    values = 50 + 10 * np.sin(np.arange(len(times)) * np.pi / 12)
    values[700] *= 2
    (spike,) = find_anomalies(values, times, "UTC")
    assert (spike.kind, spike.begin) == ("spike", times[700])


def test_find_negative__where_there_can_be_none():
    times = times_of(60)
    values = load_of(times)
    values[300:302] = [-3.0, -4.0]
    (found,) = found_in(values, times, "load", "negative")
    assert found.size == -4
    assert str(found).endswith("down to -4 kW, which a load cannot be")
    assert not found_in(np.where(values < 0, -100.0, values), times, "price", "negative")


def test_find_negative__a_plant_at_rest_draws_a_little():
    times = times_of(60)
    values = solar_of(times)
    values[values == 0] = -0.3
    assert not found_in(values, times, "solar", "negative")


def test_find_negative__a_load_with_generation_is_told_once():
    times = times_of(60)
    values = load_of(times) - 3 * solar_of(times)
    (found,) = found_in(values, times, "load", "often_negative")
    assert "does it hold generation, too?" in found.words
    assert not found_in(values, times, "load", "negative")
    assert not mask_of([found], times).any()


@pytest.mark.parametrize("hours", [-2, -1, 1, 2])
@pytest.mark.parametrize("kind", ["load", "solar"])
def test_find_clock_shifts__two_weeks_by_some_hours(kind, hours):
    times = times_of(120)
    values = MAKERS[kind](times)
    begin, end = 60 * DAY, 74 * DAY
    shifted = np.roll(values, hours)
    values = np.concatenate([values[:begin], shifted[begin:end], values[end:]])
    (found,) = found_in(values, times, kind, "clock_shift")
    assert found.size == hours
    # Saturdays and Sundays do not tell of a load.
    assert abs(found.begin - times[begin]) <= pd.Timedelta(days=3)
    assert abs(found.end - times[end]) <= pd.Timedelta(days=3)
    assert ("later" if hours > 0 else "earlier") in found.words


def test_find_clock_shifts__summer_time_is_missing_in_a_file():
    """Local time was written without summer time: from 31 March on, a load comes an hour earlier by the true clock."""
    times = times_of(200)
    hour_ahead = local_hours(times)[0] != np.asarray((times + pd.Timedelta(hours=1)).hour)
    values = np.where(hour_ahead, np.roll(load_of(times), 1), load_of(times))
    (found,) = found_in(values, times, "load", "clock_shift")
    assert abs(found.size) == 1
    boundary = found.end if found.begin == times[0] else found.begin
    assert abs(boundary - pd.Timestamp("2024-03-31")) <= pd.Timedelta(days=2)


def test_find_clock_shifts__a_quarter_hourly_series():
    times = times_of(90, 0.25)
    values = load_of(times)
    begin, end = 45 * 96, 60 * 96
    values[begin:end] = np.roll(values, 4)[begin:end]
    (found,) = found_in(values, times, "load", "clock_shift")
    assert found.size == 1


@pytest.mark.parametrize(
    ("kind", "days"),
    [("load", 5), ("load", 40), ("solar", 5), ("solar", 40), ("price", 5), ("price", 40), ("wind", 40)],
)
def test_find_level_shifts__another_unit_for_some_days(kind, days):
    times = times_of(150)
    values = MAKERS[kind](times)
    stretch = slice(80 * DAY, (80 + days) * DAY)
    values[stretch] /= 1000
    found = find_anomalies(values, times, ZONE, kind)
    (shift,) = [one for one in found if one.kind == "level_shift"]
    # A calm day says nothing about the unit.
    near = pd.Timedelta(days=1 if kind == "wind" else 0)
    assert abs(shift.begin - times[stretch.start]) <= near
    assert abs(shift.end - times[stretch.stop]) <= near
    assert 1 / 2500 < shift.size < 1 / 400
    assert len(found) <= 3, [str(one) for one in found]


@pytest.mark.parametrize(("factor", "offset"), [(2.0, 0.0), (1.0, 150.0)])
def test_find_level_shifts__from_nine_in_the_morning_to_the_end(factor, offset):
    times = times_of(150)
    values = load_of(times)
    values[100 * DAY + 9 :] = values[100 * DAY + 9 :] * factor + offset
    (shift,) = found_in(values, times, "load", "level_shift")
    assert shift.begin == times[100 * DAY + 9]
    assert shift.end == times[-1] + pd.Timedelta(hours=1)
    assert ("times those before" if factor != 1 else "above those before") in shift.words


def test_mask_of__kinds_that_tell_nothing():
    times = times_of(3)

    def anomaly(kind, first, last):
        return Anomaly(kind, times[first], times[last], 1.0, "", ZONE)

    found = [anomaly("spike", 3, 4), anomaly("frozen", 10, 13), anomaly("clock_shift", 20, 60), anomaly("gap", 5, 6)]
    assert np.flatnonzero(mask_of(found, times)).tolist() == [3, 10, 11, 12]
    assert mask_of(found, times, ["clock_shift"]).sum() == 40
    assert not mask_of([], times).any()


def test_anomalies_table__one_row_a_kind():
    times = times_of(120)
    values = load_of(times)
    values[500:505] = values[900:902] = np.nan
    values[1000] *= 5
    table = anomalies_table(find_anomalies(values, times, ZONE, unit="kW"))
    assert table["anomaly"].tolist() == ["gap", "spike"]
    assert table["count"].tolist() == [2, 1]
    assert table["hours"].tolist() == [7, 1]
    assert table["largest"][0].startswith("gap from 2023-11-21 20:00")
    assert anomalies_table([]).empty


@pytest.mark.parametrize(
    ("values", "times", "words"),
    [
        (np.ones(3), times_of(1)[:4], "one for each of 4 times"),
        (np.array([1, np.inf]), times_of(1)[:2], "infinite value at 2023-11-01 00:00 UTC"),
        (np.ones(3), times_of(1)[[0, 1, 3]], "equal steps"),
        (np.ones(3), times_of(9, 7.0)[:3], "a day must be a whole number of steps"),
    ],
)
def test_find_anomalies__refuses(values, times, words):
    with pytest.raises(InvalidInput, match=words):
        find_anomalies(values, times, ZONE)


@pytest.mark.parametrize("step_h", [24.0, 1.0])
def test_find_anomalies__of_what_is_short_or_empty(step_h):
    times = times_of(4, step_h)
    assert find_anomalies(np.full(len(times), np.nan), times, ZONE) == []
    assert find_anomalies(np.arange(len(times), dtype=float), times, ZONE) == []


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")) | st.sampled_from([0.0, 1.0]), min_size=2, max_size=400),
    st.sampled_from(["load", "solar", "wind", "price"]),
    st.sampled_from([0.25, 1.0, 24.0]),
)
@settings(max_examples=examples(20), deadline=None)
def test_find_anomalies__lie_within_the_series_in_order(values, kind, step_h):
    times = times_of(len(values), step_h)[: len(values)]
    found = find_anomalies(np.array(values), times, ZONE, kind)
    assert [one.begin for one in found] == sorted(one.begin for one in found)
    for one in found:
        assert times[0] <= one.begin < one.end <= times[-1] + pd.Timedelta(hours=step_h)
        assert np.isfinite(one.size)
        assert str(one)


@pytest.mark.parametrize(("kind", "factor"), [("load", 1000.0), ("price", 1e-3), ("wind", 7.0)])
def test_find_anomalies__do_not_depend_on_the_unit(kind, factor):
    times = times_of(150)
    values = MAKERS[kind](times)
    values[2000] *= 30
    values[1000:1012] = values[1000]
    one, other = (find_anomalies(values * by, times, ZONE, kind) for by in (1.0, factor))
    assert [(a.kind, a.begin, a.end) for a in one] == [(a.kind, a.begin, a.end) for a in other]
    assert one


def test_find_anomalies__a_year_of_quarter_hours_takes_less_than_two_seconds():
    times = times_of(365, 0.25)
    values = load_of(times)
    begin = time.process_time()
    find_anomalies(values, times, ZONE)
    assert time.process_time() - begin < 2
