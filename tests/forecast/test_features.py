from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_counts import examples
from forecast_samples import load_history
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.forecast.features import Features
from ems.forecast.signals import helpful_signals


@settings(max_examples=examples(15), deadline=None)
@given(day=st.integers(12, 18), steps=st.sampled_from([1, 6, 24, 48, 72]), seed=st.integers(0, 1000))
def test_features__of_a_past_row_hold_nothing_from_its_issue_time_on(day: int, steps: int, seed: int) -> None:
    """Other values from some past issue time on leave all rows issued before or then as they are."""
    history = replace(load_history(days=24, seed=seed), known_ahead={})
    known = history.known_at(21 * 24, steps)
    features = Features(known)
    origin = int(features.origins[np.searchsorted(features.origins, day * 24)])
    changed = known.values.copy()
    changed[origin:] = np.random.default_rng(seed).normal(1e6, 1e5, len(changed) - origin)

    other = Features(replace(known, values=changed, fits={}))

    rows = features.past.origin <= origin
    assert rows.sum() >= steps
    assert np.array_equal(features.past_matrix[rows], other.past_matrix[rows], equal_nan=True)


@pytest.mark.parametrize("steps", [1, 5, 24, 25, 36, 168])
def test_features__learn_and_predict_alike(steps: int) -> None:
    """The columns of a step ahead are those that the same step has once it is past."""
    history = load_history(days=50)
    at = 30 * 24
    ahead = Features(history.known_at(at, steps))
    spacing = ahead.spacing
    later = Features(history.known_at(at + spacing * -(-steps // spacing), steps))

    rows = np.flatnonzero(later.past.origin == at)

    assert np.array_equal(later.past_matrix[rows], ahead.ahead_matrix, equal_nan=True)
    assert later.target[: len(rows)].size == len(rows) == steps


def test_features__same_time_of_a_later_day_of_the_horizon_was_known() -> None:
    """On the third day of a horizon the last known same time lies three days before it."""
    history = load_history(days=30)
    features = Features(history.known_at(25 * 24, 72))

    day_1 = features.ahead_matrix[:, features.names.index("day_1")]

    assert np.array_equal(day_1, np.tile(history.values[24 * 24 : 25 * 24], 3))


def test_features__a_gap_stays_a_gap() -> None:
    history = load_history(days=30)
    values = history.values.copy()
    values[24 * 24 + 5] = np.nan
    features = Features(replace(history, values=values).known_at(25 * 24, 24))

    assert np.isnan(features.ahead_matrix[5, features.names.index("day_1")])
    assert np.isfinite(features.ahead_matrix[5, features.names.index("week_mean")])
    assert 24 * 24 + 5 not in features.past.position


def test_features__of_a_signal_end_with_the_horizon() -> None:
    history = load_history(days=30)
    degc = history.known_ahead["outdoor_temperature_degc"].copy()
    degc[25 * 24 + 24 :] = 1e6
    features = Features(replace(history, known_ahead={"t_degc": degc}).known_at(25 * 24, 24))

    assert np.nanmax(np.abs(features.ahead_matrix)) < 1e4


def test_helpful_signals__speed_of_wind_of_its_components() -> None:
    found = helpful_signals({"u100_ms": np.array([3.0, 0.0]), "v100_ms": np.array([4.0, -2.0])}, "wind")

    assert found["speed100_ms"].tolist() == [5.0, 2.0]
    assert found["speed100_ms cubed"].tolist() == [125.0, 8.0]


def test_helpful_signals__residual_load_and_degrees() -> None:
    ahead = {"load_mw": np.array([50.0]), "wind_mw": np.array([20.0]), "temperature_degc": np.array([25.0])}

    found = helpful_signals(ahead, "load")

    assert found["load_mw less wind_mw"].tolist() == [30.0]
    assert found["temperature_degc for cooling"].tolist() == [7.0]
    assert found["temperature_degc for heating"].tolist() == [0.0]
