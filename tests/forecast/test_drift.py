"""Drift is told where it was planted, and seldom where errors only go up and down."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.forecast.drift import find_coverage_drift, find_drift, find_error_drift
from ems.forecast.input_drift import find_input_drift

NORMAL_90 = 1.2816  # the quantile of 0.9 of a standard normal distribution


def days_of(count: int) -> pd.DatetimeIndex:
    return pd.date_range("2024-03-01", periods=count, unit="ns")


def errors_of(days: int, persistence: float = 0.0, seed: int = 0, steps: int = 24) -> np.ndarray:
    """Errors of days which are good or bad by and by, of 10 kW on average, shape (days, steps)."""
    rng = np.random.default_rng(seed)
    mood = np.zeros(days)
    for day in range(1, days):
        mood[day] = persistence * mood[day - 1] + np.sqrt(1 - persistence**2) * rng.standard_normal()
    return 12.5 * np.exp(0.35 * mood)[:, None] * rng.standard_normal((days, steps))


def test_find_error_drift__errors_that_have_doubled():
    """From the fiftieth of sixty days on errors are twice as large: 29 March plus 20 days is 19 April."""
    errors = errors_of(60)
    errors[49:] *= 2
    found = find_error_drift(days_of(60), errors, recent_days=10, unit="kW")
    assert found.has_drifted
    assert found.p_value < 0.001
    assert abs(found.since - pd.Timestamp("2024-04-19")) <= pd.Timedelta(days=2)
    assert found.recent == pytest.approx(np.abs(errors[50:]).mean())
    assert found.reference == pytest.approx(np.abs(errors[:50]).mean())
    assert str(found).startswith(
        f"MAE of the last 10 days is {found.recent:.4g} kW, {found.reference:.4g} kW in the 50"
    )
    assert "in less than 0.1 % of cases: errors have grown, since about 2024-04-" in str(found)


def test_find_error_drift__errors_that_have_shrunk_are_none():
    errors = errors_of(60)
    errors[46:] /= 3
    found = find_error_drift(days_of(60), errors)
    assert not found.has_drifted
    assert found.since is None
    assert str(found).endswith("no drift")


@pytest.mark.parametrize("persistence", [0.0, 0.7])
def test_find_error_drift__is_seldom_wrong_although_bad_days_come_in_a_row(persistence):
    """Of 200 series without drift, at a level of 5 % ten are told; 22 would be four standard deviations more."""
    told = sum(
        find_error_drift(days_of(70), errors_of(70, persistence, seed), significance=0.05).has_drifted
        for seed in range(200)
    )
    assert told <= 22


def test_find_error_drift__of_equal_errors():
    same = np.full((40, 24), 3.0)
    assert not find_error_drift(days_of(40), same).has_drifted
    assert not find_error_drift(days_of(40), np.zeros((40, 24))).has_drifted
    same[-14:] = 4.0
    assert find_error_drift(days_of(40), same).has_drifted


@given(st.integers(0, 10_000), st.floats(0.001, 1000))
@settings(max_examples=examples(15), deadline=None)
def test_find_error_drift__does_not_depend_on_the_unit_or_the_order_of_rows(seed, factor):
    errors, days = errors_of(50, 0.3, seed), days_of(50)
    order = np.random.default_rng(seed).permutation(50)
    one = find_error_drift(days, errors)
    other = find_error_drift(days[order], errors[order] * factor)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-6)
    assert 0 <= one.p_value <= 1


def test_find_error_drift__several_issues_a_day_and_gaps():
    errors = errors_of(120, steps=6)
    errors[::7] = np.nan
    issued_at = pd.date_range("2024-03-01", periods=120, freq="12h", unit="ns")
    found = find_error_drift(issued_at, errors)
    assert "last 14 days" in str(found)
    assert "46 days before" in str(found)


@pytest.mark.parametrize("persistence", [0.0, 0.6])
def test_find_coverage_drift__is_seldom_wrong(persistence):
    told = 0
    for seed in range(150):
        mood = errors_of(70, persistence, seed)
        told += find_coverage_drift(days_of(70), np.abs(mood) < 16, 0.8, significance=0.05).has_drifted
    assert told <= 18  # 8 and four standard deviations


def test_find_coverage_drift__intervals_too_narrow():
    rng = np.random.default_rng(0)
    inside = rng.random((74, 24)) < np.where(np.arange(74) < 60, 0.8, 0.55)[:, None]
    found = find_coverage_drift(days_of(74), inside, 0.8)
    assert found.has_drifted
    assert found.subject == "coverage of 80%"
    assert abs(found.since - days_of(74)[60]) <= pd.Timedelta(days=3)
    assert "too narrow" in str(found)


def test_find_coverage_drift__nearer_to_the_truth_is_none():
    """Intervals that held 60 % and hold 80 % now are better, not worse."""
    rng = np.random.default_rng(0)
    inside = rng.random((74, 24)) < np.where(np.arange(74) < 60, 0.6, 0.8)[:, None]
    found = find_coverage_drift(days_of(74), inside, 0.8)
    assert found.p_value < 0.01
    assert not found.has_drifted


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_find_coverage_drift__all_or_nothing(share):
    inside = np.full((40, 24), share)
    assert not find_coverage_drift(days_of(40), inside, 0.8).has_drifted


def test_find_drift__of_forecasts():
    """Observations that scatter twice as much as quantiles say: errors grow and coverage falls."""
    rng = np.random.default_rng(1)
    scatter = np.where(np.arange(80) < 60, 1.0, 2.0)[:, None]
    observed = 100 + 10 * scatter * rng.standard_normal((80, 24))
    predicted = np.broadcast_to(100 + 10 * np.array([-NORMAL_90, 0, NORMAL_90]), (80, 24, 3))
    error, coverage = find_drift(days_of(80), observed, predicted, [0.1, 0.5, 0.9], recent_days=20, unit="kW")
    assert (error.has_drifted, coverage.has_drifted) == (True, True)
    assert coverage.reference == pytest.approx(0.8, abs=0.03)
    assert abs(error.since - days_of(80)[60]) <= pd.Timedelta(days=2)


@pytest.mark.parametrize(
    ("days", "recent_days", "words"),
    [(20, 14, "6 days before them were measured: must be at least 14"), (40, 3, "3 of the last 3 days")],
)
def test_find_error_drift__refuses_too_few_days(days, recent_days, words):
    with pytest.raises(InvalidInput, match=words):
        find_error_drift(days_of(days), errors_of(days), recent_days=recent_days)


def test_drift__refuses_what_does_not_fit():
    with pytest.raises(InvalidInput, match="one row for each of 40 issue times"):
        find_error_drift(days_of(40), errors_of(39))
    with pytest.raises(InvalidInput, match="share = 1: must be greater than 0 and less than 1"):
        find_coverage_drift(days_of(40), np.ones((40, 2)), 1.0)
    with pytest.raises(InvalidInput, match="wind: given on one side only"):
        find_input_drift({"wind": np.ones(3)}, days_of(3), {}, days_of(3))


def weather_of(times: pd.DatetimeIndex, seed: int = 0) -> np.ndarray:
    """Temperatures with seasons, days and weather that lasts some days."""
    rng = np.random.default_rng(seed)
    days = len(times) // 24 + 1
    spell = np.zeros(days)
    for day in range(1, days):
        spell[day] = 0.7 * spell[day - 1] + 2.5 * rng.standard_normal()
    season = -10 * np.cos(2 * np.pi * (np.asarray(times.dayofyear) - 15) / 365)
    daily = -4 * np.cos(2 * np.pi * (np.asarray(times.hour) - 3) / 24)
    return 10 + season + daily + np.repeat(spell, 24)[: len(times)]


def test_find_input_drift__winter_is_none_and_another_sensor_is():
    """After a year of training, two weeks of January are ordinary; the same 12 K too warm are not."""
    times = pd.date_range("2023-01-15", periods=380 * 24, freq="h", unit="ns")
    trained, recent = times[: 365 * 24], times[365 * 24 :]
    values = weather_of(times)
    inputs = {"temperature_degc": values, "sunshine": np.random.default_rng(0).random(len(times))}
    old = {name: one[: len(trained)] for name, one in inputs.items()}
    new = {name: one[len(trained) :] for name, one in inputs.items()}
    assert not any(one.has_drifted for one in find_input_drift(old, trained, new, recent))
    warm, sunshine = find_input_drift(old, trained, new | {"temperature_degc": new["temperature_degc"] + 12}, recent)[
        ::-1
    ]
    assert (warm.subject, warm.has_drifted, sunshine.has_drifted) == ("temperature_degc", True, False)
    assert "in the same season of training" in str(warm)
    assert warm.since is None


def test_find_input_drift__is_seldom_wrong():
    """Forty times two inputs without drift, at a level of 5 %: twice is expected, eight times is too much."""
    told = 0
    for seed in range(40):
        times = pd.date_range("2024-04-01", periods=104 * 24, freq="h", unit="ns")
        rng = np.random.default_rng(seed)
        spells = np.repeat(np.convolve(rng.standard_normal(110), np.ones(4) / 2, "same"), 24)[: len(times)]
        inputs = {"a": spells + rng.standard_normal(len(times)) / 3, "b": rng.standard_normal(len(times))}
        found = find_input_drift(
            {name: one[: 90 * 24] for name, one in inputs.items()},
            times[: 90 * 24],
            {name: one[90 * 24 :] for name, one in inputs.items()},
            times[90 * 24 :],
            significance=0.05,
        )
        told += any(one.has_drifted for one in found)
    assert told < 8


def test_find_input_drift__beyond_what_was_learned():
    times = pd.date_range("2024-04-01", periods=60 * 24, freq="h", unit="ns")
    values = np.random.default_rng(0).random(len(times))
    (found,) = find_input_drift({"x": values}, times, {"x": values[: 14 * 24] + 0.5}, times[: 14 * 24])
    assert found.has_drifted
    assert "% of it outside of all that was learned (" in str(found)


def test_find_input_drift__refuses_too_few_values():
    with pytest.raises(InvalidInput, match="2 days with values"):
        find_input_drift({"x": np.ones(48)}, days_of(48), {"x": np.ones(2)}, days_of(2))
