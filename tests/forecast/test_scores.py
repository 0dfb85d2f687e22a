"""Scores of point forecasts are what a person reckons, and refuse what has no value."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput, MissingValues, UndefinedScore
from ems.forecast import scores

OBSERVED_KW = [100.0, 200.0, 400.0]
PREDICTED_KW = [110.0, 180.0, 430.0]
HISTORY_KW = [0.0, 10.0, 30.0, 10.0]
EXACT = 1e-12  # sums of a few short numbers


def labelled(values, times=("2024-06-01", "2024-06-02", "2024-06-03")):
    """Values along time."""
    return xr.DataArray(values, {"time": np.array(times, dtype="datetime64[ns]")}, ["time"])


@pytest.mark.parametrize(
    ("score", "value"),
    [
        (scores.mae, 20),  # (10 + 20 + 30) / 3
        (scores.mse, 1400 / 3),  # (100 + 400 + 900) / 3
        (scores.rmse, math.sqrt(1400 / 3)),
        (scores.median_absolute_error, 20),
        (scores.bias, 20 / 3),  # (10 - 20 + 30) / 3
        (scores.mape, (0.1 + 0.1 + 0.075) / 3),
        (scores.smape, (20 / 210 + 40 / 380 + 60 / 830) / 3),
        (scores.wape, 60 / 700),
    ],
)
def test_scores__by_hand(score, value):
    assert score(OBSERVED_KW, PREDICTED_KW) == pytest.approx(value, abs=EXACT)
    assert score(labelled(OBSERVED_KW), labelled(PREDICTED_KW)) == pytest.approx(value, abs=EXACT)


@pytest.mark.parametrize(("season_steps", "change", "square"), [(1, 50 / 3, 300), (2, 15, 450)])
def test_scaled_errors__by_hand(season_steps, change, square):
    """Steps of 10, 20 and -20 kW change by 50/3 kW and 300 kW² in the mean; over two steps by 30 and 0 kW."""
    given = {"history": HISTORY_KW, "season_steps": season_steps}
    assert scores.mase(OBSERVED_KW, PREDICTED_KW, **given) == pytest.approx(20 / change, abs=EXACT)
    assert scores.rmsse(OBSERVED_KW, PREDICTED_KW, **given) == pytest.approx(math.sqrt(1400 / 3 / square), abs=EXACT)


def test_mase__leaves_out_pairs_with_a_gap():
    """Of 0, 10, a gap, 10 and 30 kW, changes of 10 and 20 kW are known: 15 kW in the mean."""
    assert scores.mase([0], [30], history=[0, 10, math.nan, 10, 30]) == pytest.approx(2, abs=EXACT)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: scores.mape([0, 1, 0], [1, 1, 1]), "2 of 3 observations are 0"),
        (lambda: scores.wape([0, 0], [1, 1]), "all observations are 0"),
        (lambda: scores.mase([1], [2], history=[5, 5, 5]), "repeats itself every 1 steps"),
        (lambda: scores.mase([1], [2], history=[1, 2, 3], season_steps=24), "history of 3 steps"),
        (lambda: scores.rmsse([1], [2], history=[1, math.nan, 3]), "no two values 1 steps apart"),
        (lambda: scores.skill(1, 0), "the reference has no loss"),
    ],
)
def test_scores__undefined_says_so(call, words):
    with pytest.raises(UndefinedScore, match=words):
        call()


@pytest.mark.parametrize(
    ("observed", "predicted", "error", "words"),
    [
        ([1, 2], [1, 2, 3], InvalidInput, r"shape \(3,\): must have \(2,\), as observations"),
        ([], [], InvalidInput, "no observations"),
        ([1, math.nan], [1, 2], MissingValues, "1 of 2 observations are missing"),
        ([1, 2], [math.inf, math.nan], MissingValues, "2 of 2 predictions are missing"),
        (
            labelled([1, 2, 3]),
            labelled([1, 2, 3], ("2024-06-02", "2024-06-03", "2024-06-04")),
            InvalidInput,
            "differ in their labels of time",
        ),
    ],
)
def test_scores__refuse_what_does_not_fit(observed, predicted, error, words):
    with pytest.raises(error, match=words):
        scores.mae(observed, predicted)


def test_mase__refuses_several_histories_and_no_season():
    with pytest.raises(InvalidInput, match="history has 2 dimensions"):
        scores.mase([1], [2], history=[[1, 2]])
    with pytest.raises(InvalidInput, match="season_steps = 0"):
        scores.mase([1], [2], history=[1, 2], season_steps=0)


def test_mae__spreads_observations_over_issue_times():
    """Two forecasts of the same two steps, wrong by 1 and 3 kW: 2 kW."""
    observed = xr.DataArray([5.0, 6.0], {"time": [0, 1]}, ["time"])
    predicted = xr.DataArray([[6.0, 9.0], [7.0, 9.0]], {"time": [0, 1], "issued_at": [0, 1]}, ["time", "issued_at"])
    assert scores.mae(observed, predicted) == pytest.approx((1 + 4 + 1 + 3) / 4, abs=EXACT)


def test_mae__refuses_predictions_without_a_dimension_of_the_observations():
    observed = xr.DataArray([[5.0]], dims=["time", "asset"])
    with pytest.raises(InvalidInput, match="no dimension asset"):
        scores.mae(observed, xr.DataArray([5.0], dims=["time"]))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_scores__perfect_forecast_has_no_loss(values):
    for score in (scores.mae, scores.mse, scores.rmse, scores.bias, scores.smape):
        assert score(values, values) == 0


def test_point_scores__names_what_is_undefined():
    """At night nothing is observed, so no error is a share of it; a history of three hours has no day before."""
    found, notes = scores.point_scores([0, 100], [0, 90], history=[0, 100, 0], step_h=1)
    assert found["mae"] == pytest.approx(5, abs=EXACT)
    assert math.isnan(found["mape"])
    assert math.isnan(found["mase_24h"])
    assert [note.split(" is undefined")[0] for note in notes] == [
        "mape",
        "mase_24h",
        "rmsse_24h",
        "mase_168h",
        "rmsse_168h",
    ]


def test_point_scores__season_in_quarter_hours():
    """96 quarter hours make a day: two days that differ by 2 kW scale an error of 1 kW to 0.5."""
    history = np.concatenate((np.zeros(96), np.full(96, 2.0)))
    found, _ = scores.point_scores([1], [2], history=history, step_h=0.25)
    assert found["mase_24h"] == pytest.approx(0.5, abs=EXACT)


def test_skill__against_the_naive_forecast():
    """A loss of 3 kW where the naive forecast loses 4 kW saves a quarter."""
    assert scores.skill(3, 4) == pytest.approx(0.25, abs=EXACT)


def test_by_group__lead_time_and_local_hour():
    """Two days in Berlin from local midnight, an hour's error in the first and in the second hour."""
    time = np.array(["2024-05-31T22", "2024-05-31T23", "2024-06-01T22", "2024-06-01T23"], dtype="datetime64[ns]")
    hour = scores.local_hour(time, "Europe/Berlin")
    lead = scores.lead_h(time, np.datetime64("2024-05-31T12"))
    assert hour.tolist() == [0, 1, 0, 1]
    assert lead.tolist() == [10, 11, 34, 35]
    assert scores.by_group(scores.mae, hour, [0, 0, 0, 0], [1, 5, 3, 7]) == {0: 2, 1: 6}


def test_by_group__of_labelled_values():
    """Groups are fitted by their dimension: issue times 0 and 1 have errors of 1 and 4 kW."""
    predicted = xr.DataArray([[1.0, 1.0], [4.0, 4.0]], {"issued_at": [0, 1], "time": [0, 1]}, ["issued_at", "time"])
    observed = xr.DataArray([0.0, 0.0], {"time": [0, 1]}, ["time"])
    assert scores.by_group(scores.mae, predicted.issued_at, observed, predicted) == {0: 1, 1: 4}


def test_by_group__undefined_in_a_group_only():
    found = scores.by_group(scores.mape, ["day", "night"], [100, 0], [90, 0])
    assert found["day"] == pytest.approx(0.1, abs=EXACT)
    assert math.isnan(found["night"])


def test_by_group__refuses_labels_of_another_shape():
    with pytest.raises(InvalidInput, match="labels have shape"):
        scores.by_group(scores.mae, [1, 2, 3], [1, 2], [1, 2])


def test_scores__examples_hold():
    assert doctest.testmod(scores).failed == 0
