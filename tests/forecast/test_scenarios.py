"""Scenarios keep the marginals of a forecast, its bounds and certainties, and what goes with what."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_samples import CROSS, LEVELS, PERSISTENCE, SIZES, errors_of, made
from scipy.stats import norm

from ems.errors import InvalidInput, MissingValues
from ems.forecast.copula import estimate_dependence, normal_scores
from ems.forecast.marginals import Marginals
from ems.forecast.probability_scores import energy_score
from ems.forecast.scenarios import draw_scenarios

EXACT = 1e-9
METHODS = ["copula", "schaake"]
FORECASTS, PAST, _ = made()


def paths_of(scenarios: xr.Dataset) -> np.ndarray:
    """Return scenarios in standard deviations of the errors, shape (scenario, signals * steps)."""
    return np.concatenate([scenarios[name].to_numpy() / SIZES[name][1] for name in SIZES], axis=1)


def variogram_score(observed: np.ndarray, paths: np.ndarray) -> float:
    """Return the variogram score of order 0.5 (Scheuerer and Hamill, 2015), which sees what goes with what."""
    expected = np.mean([np.sqrt(np.abs(path[:, None] - path)) for path in paths], axis=0)
    return float(np.mean((np.sqrt(np.abs(observed[:, None] - observed)) - expected) ** 2))


def test_marginals__by_hand():
    """Quantiles of 10, 20 and 40: evenly between; tails fall with the density of the next interval.

    Below 10 the scale is 0.2 * 10 / 0.3 = 20 / 3, above 40 it is 0.2 * 20 / 0.3 = 40 / 3.
    """
    marginals = Marginals(np.array([10.0, 20.0, 40.0]), np.array([0.2, 0.5, 0.8]))
    probability = np.array([0.2, 0.35, 0.5, 0.65, 0.8, 0.1, 0.9])
    wanted = [10, 15, 20, 30, 40, 10 - 20 / 3 * np.log(2), 40 + 40 / 3 * np.log(2)]
    found = [float(marginals.at(np.array(one))) for one in probability]
    assert found == pytest.approx(wanted, abs=EXACT)
    for value, one in zip(wanted, probability, strict=True):
        assert [float(side) for side in marginals.probabilities(np.array(value))] == pytest.approx(
            [one, one], abs=EXACT
        )


def test_marginals__zero_has_a_probability_of_its_own():
    """Quantiles of 0, 0 and 4: zero has the probability 0.5; with a bound at zero, so has what lies below."""
    marginals = Marginals(np.array([0.0, 0.0, 4.0]), np.array([0.2, 0.5, 0.8]), lower=0.0)
    assert [float(one) for one in marginals.probabilities(np.array(0.0))] == [0, 0.5]
    assert float(marginals.at(np.array(0.4))) == 0
    bounded = Marginals(np.array([[1.0, 2.0]] * 2), np.array([0.4, 0.6]), lower=0.0, upper=3.0)
    below, upto = bounded.probabilities(np.array([0.0, 3.0]))
    assert below.tolist() == pytest.approx([0, 1 - 0.4 * np.exp(-0.5)])
    assert upto.tolist() == pytest.approx([0.4 * np.exp(-0.5), 1])


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=11),
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=8),
    st.tuples(st.integers(-900, 0), st.integers(1, 900)) | st.just((-np.inf, np.inf)),
)
@settings(max_examples=examples(30), deadline=None)
def test_marginals__value_and_probability_are_inverse(values, probability, bounds):
    lower, upper = bounds
    level = LEVELS[: len(values)]
    marginals = Marginals(np.clip(np.sort(values).astype(float), lower, upper), level, lower, upper)
    ascending = np.sort(probability)
    found = np.array([float(marginals.at(np.array(one))) for one in ascending])
    assert (np.diff(found) >= -1e-9).all()
    assert (found >= lower).all()
    assert (found <= upper).all()
    for value, one in zip(found, ascending, strict=True):
        below, upto = marginals.probabilities(np.array(value))
        assert below <= upto
        # Numbers that differ by less than their own rounding cannot be told apart.
        near = [float(side) for move in (-1e-6, 1e-6) for side in marginals.probabilities(np.array(value + move))]
        assert min(near) - 1e-6 <= one <= max(near) + 1e-6


def test_normal_scores__are_normal_although_zero_has_a_probability():
    """Of a normal distribution cut at zero, scores are normal again, within four standard errors."""
    generator = np.random.default_rng(0)
    truth = generator.standard_normal(4000) + 0.5
    quantiles = np.maximum(norm.ppf(LEVELS) + 0.5, 0)
    marginals = Marginals(np.broadcast_to(quantiles, (4000, len(LEVELS))), LEVELS, 0.0)
    scores = normal_scores(marginals, np.maximum(truth, 0), generator)
    assert abs(scores.mean()) < 4 / np.sqrt(4000)
    assert scores.std() == pytest.approx(1, abs=0.05)
    assert np.isnan(normal_scores(Marginals(np.zeros((3, 2)), np.array([0.1, 0.9])), np.zeros(3), generator)).all()


def test_estimate_dependence__finds_what_was_planted():
    """With 300 days, correlations over 24 steps and three signals are right within 0.15."""
    errors = errors_of(300, 24, np.random.default_rng(0))
    found = estimate_dependence(errors)
    lag = np.abs(np.subtract.outer(np.arange(24), np.arange(24)))
    truth = np.kron(CROSS, PERSISTENCE**lag)
    assert np.abs(found.correlation - truth).max() < 0.15
    assert found.decay_steps == pytest.approx(np.full(3, -1 / np.log(PERSISTENCE)), rel=0.4)


def test_estimate_dependence__learns_what_is_no_decay_where_days_suffice():
    """Morning and evening go together and noon goes its own way: 400 days show it, and shrinkage leaves most of it."""
    generator = np.random.default_rng(0)
    days = 400
    shared, noon = generator.standard_normal((days, 1)), generator.standard_normal((days, 1))
    block = np.repeat(np.array([1, 0, 1]), 8)
    errors = np.where(block == 1, shared, noon) + 0.3 * generator.standard_normal((days, 24))
    found = estimate_dependence(errors[:, None])
    assert found.shrinkage < 0.2
    assert found.correlation[0, 20] > 0.7
    assert abs(found.correlation[0, 12]) < 0.2


@given(
    st.integers(0, 1000),
    st.tuples(st.integers(1, 30), st.integers(1, 3), st.integers(1, 12)),
    st.floats(0, 0.6),
    st.booleans(),
)
@settings(max_examples=examples(20), deadline=None)
def test_estimate_dependence__is_a_correlation_always(seed, shape, gaps, is_equal):
    """Whatever the gaps, with fewer days than steps, and where signals are equal."""
    generator = np.random.default_rng(seed)
    scores = generator.standard_normal(shape)
    if is_equal:
        scores[:] = scores[:, :1, :1]
    scores[generator.random(scores.shape) < gaps] = np.nan
    found = estimate_dependence(scores).correlation
    assert np.allclose(np.diag(found), 1)
    assert np.allclose(found, found.T)
    np.linalg.cholesky(found)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 7, 200])
def test_draw_scenarios__have_the_quantiles_of_the_forecast(method, count):
    """At each step, the share of scenarios below a quantile is its level, to one scenario."""
    found = draw_scenarios(FORECASTS, PAST, count, method)
    assert found["probability"].sum().item() == pytest.approx(1)
    for name, forecast in FORECASTS.items():
        quantiles = forecast[f"{name}_kw"].to_numpy()
        share = (found[name].to_numpy()[..., None] <= quantiles + EXACT).mean(axis=0)
        # Where several quantiles are equal, values that equal them lie below the highest of them.
        highest = np.where(quantiles[..., None] == quantiles[:, None], LEVELS, 0).max(axis=2)
        is_open = quantiles[:, 0] < quantiles[:, -1]
        assert np.abs(share - highest)[is_open].max() <= 1 / count + EXACT


@pytest.mark.parametrize("method", METHODS)
def test_draw_scenarios__night_is_zero_and_bounds_hold(method):
    bounds = {"load": (None, 560.0), "price": (0.05, None)}
    found = draw_scenarios(FORECASTS, PAST, 300, method, bounds=bounds)
    assert (found["pv"].isel(time=[0, 1, 5, 20, 23]) == 0).all()
    assert found["pv"].min() >= 0
    assert found["pv"].isel(time=12).std() > 0
    assert found["load"].max() <= 560
    assert found["price"].min() >= 0.05
    assert "pv is not below zero" in found.attrs["notes"]
    assert "price is not below zero" not in found.attrs["notes"]


@pytest.mark.parametrize("method", METHODS)
def test_draw_scenarios__same_seed_same_scenarios(method):
    one, same, other = (draw_scenarios(FORECASTS, PAST, 50, method, seed) for seed in (3, 3, 4))
    assert one.identical(same)
    assert not one["load"].equals(other["load"])
    assert one["load"].attrs["units"] == "kW"
    assert one["issued_at"].item() == FORECASTS["load"]["issued_at"].item()


def test_draw_scenarios__go_together_as_errors_did():
    """Load and price at noon, load and the hour after, load and sun: as planted, within 0.15."""
    forecasts, past, _ = made(150)
    found = draw_scenarios(forecasts, past, 2000)
    at = {name: found[name].isel(time=12).to_numpy() for name in SIZES}
    assert np.corrcoef(at["load"], at["price"])[0, 1] == pytest.approx(0.7, abs=0.15)
    assert np.corrcoef(at["load"], at["pv"])[0, 1] == pytest.approx(-0.5, abs=0.15)
    assert np.corrcoef(at["load"], found["load"].isel(time=13))[0, 1] == pytest.approx(PERSISTENCE, abs=0.1)
    assert np.corrcoef(at["load"], found["load"].isel(time=0))[0, 1] == pytest.approx(PERSISTENCE**12, abs=0.15)


def test_draw_scenarios__beat_independent_draws():
    """Over 16 days, both methods have better energy and variogram scores than values shuffled at each step."""
    generator = np.random.default_rng(0)
    scores: dict[str, list[tuple[float, float]]] = {"independent": [], "copula": [], "schaake": []}
    for seed in range(16):
        forecasts, past, came = made(60, 12, seed)
        observed = np.concatenate([came[name] / SIZES[name][1] for name in SIZES])
        paths = {method: paths_of(draw_scenarios(forecasts, past, 100, method)) for method in METHODS}
        paths["independent"] = generator.permuted(paths["copula"], axis=0)
        for name, drawn in paths.items():
            scores[name].append((energy_score(observed, drawn.T), variogram_score(observed, drawn)))
    energy, variogram = (
        {name: float(np.mean(own, axis=0)[number]) for name, own in scores.items()} for number in (0, 1)
    )
    assert energy["copula"] < energy["independent"]
    assert energy["schaake"] < energy["independent"]
    assert variogram["copula"] < 0.95 * variogram["independent"]
    assert variogram["schaake"] < variogram["independent"]


@pytest.mark.parametrize("method", METHODS)
def test_draw_scenarios__days_of_25_hours_and_gaps(method):
    """The day on which the clock goes back has an hour more than the days before; some values are missing."""
    forecasts, past, _ = made(40, 24)
    longer = {
        name: xr.concat(
            [one, one.isel(time=[-1]).assign_coords(time=one["time"][-1:] + np.timedelta64(1, "h"))], dim="time"
        )
        for name, one in forecasts.items()
    }
    past["load"]["observed"][3:6, 4:20] = np.nan
    past["pv"] = past["pv"].isel(issued_at=slice(5, None))
    found = draw_scenarios(longer, past, 40, method)
    assert found.sizes["time"] == 25
    assert all(np.isfinite(found[name]).all() for name in SIZES)


@pytest.mark.parametrize("method", METHODS)
def test_draw_scenarios__what_was_measured_later_has_no_effect(method):
    """The backtest reaches beyond the issue time and holds what came; the forecast is issued after 30 of its days."""
    forecasts, past, _ = made(60)
    issued_at = past["load"]["issued_at"].to_numpy()[30]
    time = past["load"]["time"].to_numpy()[30]
    early = {name: one.assign_coords(issued_at=issued_at, time=time) for name, one in forecasts.items()}
    known = {name: one.isel(issued_at=slice(None, 30)) for name, one in past.items()}
    assert draw_scenarios(early, past, 50, method).identical(draw_scenarios(early, known, 50, method))


def test_draw_scenarios__of_several_models_that_of_the_forecast():
    worse = PAST["load"].assign_coords(model=["other"]) * 1.0
    worse["predicted"] = worse["predicted"] * 2
    both = PAST | {"load": xr.concat([worse, PAST["load"]], dim="model", data_vars="minimal")}
    assert draw_scenarios(FORECASTS, both, 20).identical(draw_scenarios(FORECASTS, PAST, 20))
    unnamed = FORECASTS | {"load": FORECASTS["load"].assign_attrs(model="third")}
    with pytest.raises(InvalidInput, match="past forecasts are of other, made, the present one is of 'third'"):
        draw_scenarios(unnamed, both, 20)


def changed(name: str, change) -> dict[str, xr.Dataset]:
    return FORECASTS | {name: change(FORECASTS[name])}


@pytest.mark.parametrize(
    ("forecasts", "past", "given", "words"),
    [
        ({}, {}, {}, "there is no forecast"),
        (FORECASTS, {}, {}, "'load': has no past forecasts; give its backtest"),
        ({"load": FORECASTS["load"]}, PAST, {}, "'pv': has past forecasts and no present one"),
        (FORECASTS, PAST, {"count": 0}, "count = 0: must be at least 1"),
        (FORECASTS, PAST, {"method": "copla"}, "method = 'copla': no such method; did you mean copula?"),
        (FORECASTS, PAST, {"bounds": {"wind": (0, 1)}}, "bounds of 'wind': no such signal"),
        (FORECASTS, PAST, {"bounds": {"load": (5, 1)}}, "lower = 5: must be less than upper = 1"),
        (
            changed("pv", lambda one: one.isel(time=slice(1, None))),
            PAST,
            {},
            "'pv' is not forecast for the times of 'load'",
        ),
        (
            changed("pv", lambda one: one.where(one["quantile"] < 0.5)),
            PAST,
            {},
            "120 quantiles of the forecast are missing|quantiles",
        ),
        (changed("pv", lambda one: one * -1), PAST, {}, "quantiles of the forecast cross"),
        (
            changed("pv", lambda one: one.assign_coords(time=one["time"] + np.timedelta64(6, "h"))),
            PAST,
            {},
            "not forecast for the times",
        ),
        (
            FORECASTS,
            PAST | {"pv": PAST["pv"].isel(issued_at=slice(0, 4))},
            {},
            "4 past days were forecast and measured before",
        ),
        (FORECASTS, PAST | {"pv": PAST["pv"].drop_vars("observed")}, {}, "past forecasts have no observed"),
    ],
)
def test_draw_scenarios__refuses(forecasts, past, given, words):
    with pytest.raises(InvalidInput, match=words):
        draw_scenarios(forecasts, past, **given)


def test_draw_scenarios__refuses_gaps_in_quantiles():
    holed = FORECASTS | {"load": FORECASTS["load"].where(FORECASTS["load"]["quantile"] < 0.5)}
    with pytest.raises(MissingValues, match="144 quantiles of the forecast are missing"):
        draw_scenarios(holed, PAST)


def test_draw_scenarios__refuses_another_time_of_day():
    later = {
        name: one.assign_coords(time=one["time"] + np.timedelta64(6, "h"), issued_at=one["time"][6].to_numpy())
        for name, one in FORECASTS.items()
    }
    with pytest.raises(
        InvalidInput, match="'load' is forecast from 06:00 local time on and was from 00:00 on in the past"
    ):
        draw_scenarios(later, PAST)


def test_draw_scenarios__refuses_signals_without_common_days():
    apart = PAST | {
        "pv": PAST["pv"].isel(issued_at=slice(0, 30)),
        "load": PAST["load"].isel(issued_at=slice(30, None)),
    }
    with pytest.raises(InvalidInput, match="0 past days have values of all of load, pv, price"):
        draw_scenarios(FORECASTS, apart, method="schaake")
    with pytest.raises(InvalidInput, match="0 past days are common to 'load' and 'pv'"):
        draw_scenarios(FORECASTS, apart)


def test_draw_scenarios__five_hundred_in_less_than_a_second():
    begin = time.process_time()
    draw_scenarios(FORECASTS, PAST)
    assert time.process_time() - begin < 1


def test_made_samples__begin_at_midnight():
    assert (pd.DatetimeIndex(PAST["load"]["issued_at"].to_numpy()).hour == 0).all()
