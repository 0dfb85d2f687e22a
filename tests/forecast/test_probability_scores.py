"""Scores of quantiles, intervals and scenarios are what a person reckons, and agree with each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput, MissingValues
from ems.forecast import probability_scores as scores
from ems.forecast.scores import by_group, mae

LEVELS = [0.1, 0.5, 0.9]
EXACT = 1e-12  # sums of a few short numbers
NUMBERS = st.floats(-1000, 1000)


def test_pinball_loss__by_hand():
    """100 kW against quantiles of 80, 100 and 130 kW: 0.1 x 20, nothing, 0.1 x 30 kW."""
    assert scores.pinball_loss([100], [[80, 100, 130]], LEVELS) == pytest.approx([2, 0, 3], abs=EXACT)


def test_pinball_loss__of_labelled_values():
    predicted = xr.DataArray([[80.0], [100.0], [130.0]], {"quantile": LEVELS, "time": [0]}, ["quantile", "time"])
    found = scores.pinball_loss(xr.DataArray([100.0], {"time": [0]}, ["time"]), predicted)
    assert found.sel(quantile=0.9).item() == pytest.approx(3, abs=EXACT)


@pytest.mark.parametrize(
    ("predicted", "quantile", "error", "words"),
    [
        ([[1, 2]], None, InvalidInput, "levels are not stated"),
        ([[1, 2]], [0.5], InvalidInput, "1 levels and 2 predicted"),
        ([[1, 2]], [0.5, 1], InvalidInput, "quantile = 1: must be greater than 0 and less than 1"),
        ([[1, math.nan]], [0.1, 0.9], MissingValues, "1 of 2 predictions"),
        ([1, 2], [0.1, 0.9], InvalidInput, r"must have \(1,\) and one for each quantile"),
    ],
)
def test_pinball_loss__refuses(predicted, quantile, error, words):
    with pytest.raises(error, match=words):
        scores.pinball_loss([1], predicted, quantile)


def test_pinball_loss__refuses_labelled_values_without_quantiles():
    values = xr.DataArray([1.0], dims=["time"])
    with pytest.raises(InvalidInput, match="no dimension quantile"):
        scores.pinball_loss(values, values)


def test_quantile_coverage__shares_below():
    """Of 1, 2, 3 and 4 kW, one lies at or below 1 kW and three at or below 3 kW."""
    predicted = [[1, 3]] * 4
    assert scores.quantile_coverage([1, 2, 3, 4], predicted, [0.2, 0.7]).tolist() == [0.25, 0.75]


@given(NUMBERS, NUMBERS)
def test_crps_from_quantiles__median_alone_gives_the_absolute_error(observed, median):
    assert scores.crps_from_quantiles([observed], [[median]], [0.5]) == pytest.approx(
        mae([observed], [median]), abs=EXACT
    )


@pytest.mark.parametrize(
    ("observed", "crps"),
    [
        (5, 1 / 12 * 10),  # uniform from 0 to 10: (2 * 0.5**3 / 3) * 10
        (0, 10 / 3),
        (10, 10 / 3),
        (13, 10 / 3 + 3),
    ],
)
def test_crps_from_quantiles__uniform_distribution(observed, crps):
    """Quantiles of a uniform distribution from 0 to 10 kW have its score, in closed form, but for the tails."""
    level = np.linspace(1e-6, 1 - 1e-6, 3)
    assert scores.crps_from_quantiles([observed], [10 * level], level) == pytest.approx(crps, abs=1e-4)


@given(NUMBERS, st.lists(NUMBERS, min_size=3, max_size=3))
def test_crps_from_quantiles__is_the_integral_of_the_pinball_loss(observed, values):
    """Twice the pinball loss over all levels, summed in 20,000 strips, with the lowest and highest quantile beyond."""
    values = np.sort(values)
    strips = (np.arange(20_000) + 0.5) / 20_000
    quantiles = np.interp(strips, LEVELS, values)
    wanted = 2 * scores.pinball_loss([observed], [quantiles], strips).mean()
    assert scores.crps_from_quantiles([observed], [values], LEVELS) == pytest.approx(wanted, abs=0.2, rel=1e-3)


def test_crps_from_quantiles__refuses_crossing_and_unsorted():
    with pytest.raises(InvalidInput, match="quantiles cross in 1 of 2 steps"):
        scores.crps_from_quantiles([1, 1], [[1, 2], [2, 1]], [0.1, 0.9])
    with pytest.raises(InvalidInput, match="must ascend"):
        scores.crps_from_quantiles([1], [[1, 2]], [0.9, 0.1])


@pytest.mark.parametrize(
    ("is_fair", "probability", "crps"),
    [
        (False, None, 1 - 0.5),  # distances 1 and 1; of four pairs two are 2 apart: half of 1
        (True, None, 1 - 1),  # the other one is 2 apart: half of 2
        (False, [1, 0], 1),
    ],
)
def test_crps_from_samples__by_hand(is_fair, probability, crps):
    """1 kW was observed; scenarios say 0 and 2 kW."""
    found = scores.crps_from_samples([1], [[0, 2]], probability, is_fair=is_fair)
    assert found == pytest.approx(crps, abs=EXACT)


@given(NUMBERS, st.lists(st.tuples(NUMBERS, st.floats(0.1, 1)), min_size=2, max_size=6))
def test_crps_from_samples__is_that_of_all_pairs(observed, weighted):
    values, weight = np.array(weighted).T
    weight = weight / weight.sum()
    pairs = weight @ np.abs(values[:, None] - values) @ weight
    found = scores.crps_from_samples([observed], [values], weight)
    assert found == pytest.approx(weight @ np.abs(values - observed) - pairs / 2, abs=1e-9)
    assert scores.energy_score([observed], [values], weight) == pytest.approx(found, abs=1e-9)


def test_energy_score__prefers_the_right_correlation():
    """Observed paths rise and fall together; scenarios with the same margins that do not are worse."""
    together = np.array([[0.0, 2.0], [0.0, 2.0]])
    apart = np.array([[0.0, 2.0], [2.0, 0.0]])
    observed = [0, 0]
    assert scores.crps_from_samples(observed, together) == scores.crps_from_samples(observed, apart)
    assert scores.energy_score(observed, together) < scores.energy_score(observed, apart)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"probability": [0.5, 0.6]}, "sum is 1.1"),
        ({"probability": [1]}, "must be 2 numbers"),
        ({"probability": [0.5, 0.5], "is_fair": True}, "is_fair = true"),
    ],
)
def test_crps_from_samples__refuses(given, words):
    with pytest.raises(InvalidInput, match=words):
        scores.crps_from_samples([1], [[0, 2]], **given)


def test_intervals__by_hand():
    """From 10 to 30 kW: 30 lies inside, 34 outside by 4; width 20, and for 80 % a penalty of 10 x 4 over two steps."""
    observed, lower, upper = [30, 34], [10, 10], [30, 30]
    assert scores.coverage(observed, lower, upper) == 0.5
    assert scores.interval_width(lower, upper) == 20
    assert scores.interval_score(observed, lower, upper, share=0.8) == pytest.approx(20 + 10 * 4 / 2, abs=1e-9)
    with pytest.raises(InvalidInput, match="share = 80"):
        scores.interval_score(observed, lower, upper, share=80)


def test_central_interval__finds_its_levels():
    lower, upper = scores.central_interval([[1, 2, 3]], 0.8, LEVELS)
    assert (lower.tolist(), upper.tolist()) == ([1], [3])
    with pytest.raises(InvalidInput, match=r"interval of 50%: quantile 0.25 is not predicted; predicted are 0.1, 0.5"):
        scores.central_interval([[1, 2, 3]], 0.5, LEVELS)


def test_probability_scores__of_labelled_values():
    predicted = xr.DataArray([[80.0], [100.0], [130.0]], {"quantile": LEVELS, "time": [0]}, ["quantile", "time"])
    found = scores.probability_scores(xr.DataArray([100.0], {"time": [0]}, ["time"]), predicted)
    assert found["pinball"] == pytest.approx(5 / 3, abs=EXACT)
    assert (found["coverage_80"], found["width_80"]) == (1, 50)
    assert found["calibration_error"] == pytest.approx((0.1 + 0.5 + 0.1) / 3, abs=EXACT)
    assert set(found) == {"pinball", "crps", "calibration_error", "coverage_80", "width_80", "interval_score_80"}


def test_by_group__of_quantiles():
    """In the second group the median misses by 4 kW, which costs 2 kW."""
    found = by_group(scores.pinball_loss, ["a", "b"], [1, 5], [[1], [1]], last="quantile", quantile=[0.5])
    assert found["a"].tolist() == [0]
    assert found["b"].tolist() == [2]
