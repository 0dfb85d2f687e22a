"""Few scenarios stand for many: a subset, with probabilities that sum to one, chosen as by hand."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import xarray as xr
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_samples import SIZES, made

from ems.errors import InvalidInput, MissingValues
from ems.forecast.scenario_reduction import reduce_scenarios
from ems.forecast.scenarios import draw_scenarios

EXACT = 1e-9


def scenarios_of(values: list[float], probability: list[float] | None = None, name: str = "load_kw") -> xr.Dataset:
    """Return scenarios of one signal and one step."""
    count = len(values)
    weight = [1 / count] * count if probability is None else probability
    return xr.Dataset(
        {name: (("scenario", "time"), np.array(values)[:, None])},
        coords={"scenario": np.arange(10, 10 + count), "time": [0], "probability": ("scenario", weight)},
    )


def test_reduce_scenarios__by_hand():
    """0, 1, 2 and 10 kW: first 1 kW (distances 1 + 1 + 9 are least, as those of 2 kW), then 10 kW.

    To 1 kW go 0 and 2 kW. Of the mean distance of 11/4 that one alone leaves, 2/4 are left.
    """
    found = reduce_scenarios(scenarios_of([0, 1, 2, 10]), 2)
    assert found["load_kw"].values.ravel().tolist() == [1, 10]
    assert found["scenario"].values.tolist() == [11, 13]
    assert found["probability"].values.tolist() == pytest.approx([0.75, 0.25])
    assert found.attrs["lost_share"] == pytest.approx(2 / 11)


def test_reduce_scenarios__to_one_is_the_weighted_median():
    """With half of the probability at 7 kW, none is nearer to all."""
    found = reduce_scenarios(scenarios_of([0, 3, 7, 8], [0.2, 0.2, 0.5, 0.1]), 1)
    assert found["load_kw"].item() == 7
    assert found["probability"].item() == pytest.approx(1)
    assert found.attrs["lost_share"] == pytest.approx(1)


def test_reduce_scenarios__to_as_many_changes_nothing():
    drawn = scenarios_of([3, 1, 2], [0.2, 0.3, 0.5])
    found = reduce_scenarios(drawn, 3)
    assert found.drop_attrs().equals(drawn)
    assert found.attrs["lost_share"] == 0


def test_reduce_scenarios__equal_ones():
    found = reduce_scenarios(scenarios_of([5, 5, 5, 9]), 2)
    assert sorted(found["load_kw"].values.ravel().tolist()) == [5, 9]
    assert found["probability"].sum().item() == pytest.approx(1)
    assert reduce_scenarios(scenarios_of([5, 5, 5]), 2)["probability"].sum().item() == pytest.approx(1)


def test_reduce_scenarios__units_do_not_decide_and_weights_do():
    """Loads in kW and prices in EUR/kWh differ; either decides alone where the other has the weight 0."""
    drawn = scenarios_of([0, 0, 100, 100]).assign(price=(("scenario", "time"), np.array([[0.0], [0.2], [0.0], [0.2]])))
    by_load = reduce_scenarios(drawn, 2, {"price": 0})
    by_price = reduce_scenarios(drawn, 2, {"load_kw": 0})
    assert sorted(by_load["load_kw"].values.ravel()) == [0, 100]
    assert sorted(by_price["price"].values.ravel()) == [0, 0.2]
    in_watt = drawn.assign(load_kw=drawn["load_kw"] * 1000)
    assert reduce_scenarios(in_watt, 3)["scenario"].equals(reduce_scenarios(drawn, 3)["scenario"])


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12), st.integers(1, 5))
@settings(max_examples=examples(15), deadline=None)
def test_reduce_scenarios__are_some_of_the_originals(seed, size, count, steps):
    generator = np.random.default_rng(seed)
    count = min(count, size)
    weight = generator.dirichlet(np.ones(size))
    values = generator.standard_normal((size, steps)).round(1)
    drawn = xr.Dataset(
        {"a": (("scenario", "time"), values), "b": (("scenario", "time"), values[::-1] ** 2)},
        coords={"scenario": np.arange(size), "time": np.arange(steps), "probability": ("scenario", weight)},
    )
    found = reduce_scenarios(drawn, count)
    assert found.sizes["scenario"] == count
    assert found["probability"].sum().item() == pytest.approx(1)
    assert (found["probability"] >= 0).all()
    assert 0 <= found.attrs["lost_share"] <= 1 + EXACT
    assert len(set(found["scenario"].values)) == count
    for name in ("a", "b"):
        assert found[name].equals(
            drawn.drop_vars("probability")[name]
            .sel(scenario=found["scenario"])
            .assign_coords(probability=found["probability"])
        )


def test_reduce_scenarios__loses_little_more_than_the_best_subset():
    """Of 8 scenarios, all 56 subsets of 3 are tried: forward selection loses at most a quarter more than the best."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        values = generator.standard_normal((8, 2))
        drawn = xr.Dataset(
            {"a": (("scenario", "time"), values)},
            coords={"probability": ("scenario", np.full(8, 1 / 8))},
        )
        distance = np.linalg.norm(values[:, None] - values, axis=2)
        lost = {subset: distance[:, subset].min(axis=1).mean() for subset in itertools.combinations(range(8), 3)}
        own = lost[
            tuple(np.flatnonzero((values[:, None] == reduce_scenarios(drawn, 3)["a"].values).all(axis=2).any(axis=1)))
        ]
        assert own <= 1.25 * min(lost.values()) + EXACT


def test_reduce_scenarios__more_lose_less_and_means_stay_near():
    forecasts, past, _ = made()
    drawn = draw_scenarios(forecasts, past, 300)
    lost = [reduce_scenarios(drawn, count).attrs["lost_share"] for count in (2, 5, 20, 100)]
    assert lost == sorted(lost, reverse=True)
    few = reduce_scenarios(drawn, 20)
    for name in SIZES:
        mean = (few[name] * few["probability"]).sum("scenario")
        assert float(np.abs(mean - drawn[name].mean("scenario")).mean()) < 0.5 * SIZES[name][1]


def test_reduce_scenarios__of_five_hundred_in_less_than_a_second():
    forecasts, past, _ = made()
    drawn = draw_scenarios(forecasts, past, 500)
    begin = time.process_time()
    reduce_scenarios(drawn, 20)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("drawn", "count", "weights", "error", "words"),
    [
        (scenarios_of([1, 2]), 3, None, InvalidInput, "count = 3: must be at least 1 and at most 2"),
        (scenarios_of([1, 2]), 0, None, InvalidInput, "count = 0"),
        (scenarios_of([1, 2], [0.5, 0.4]), 1, None, InvalidInput, "its sum is 0.9"),
        (
            scenarios_of([1, 2]),
            1,
            {"load": 1},
            InvalidInput,
            "weight of 'load': no such signal; did you mean load_kw?",
        ),
        (scenarios_of([1, 2]), 1, {"load_kw": -1}, InvalidInput, "weight of 'load_kw' = -1: must be at least 0"),
        (scenarios_of([1, np.nan]), 1, None, MissingValues, "1 values of load_kw are missing"),
        (scenarios_of([1, 2]).drop_vars("probability"), 1, None, InvalidInput, "probability"),
    ],
)
def test_reduce_scenarios__refuses(drawn, count, weights, error, words):
    with pytest.raises(error, match=words):
        reduce_scenarios(drawn, count, weights)
