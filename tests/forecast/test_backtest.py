from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from forecast_samples import load_history, solar_history

from ems.errors import InvalidInput
from ems.forecast.backtest import Backtest, backtest
from ems.forecast.backtest_scores import (
    calibration_table,
    reference_of,
    scores_by_day,
    scores_by_hour,
    scores_by_lead,
    scores_of,
)
from ems.forecast.forecaster import fit_forecaster
from ems.forecast.history import History
from ems.forecast.recipe import recipe_of

SMALL = {"members": ["ridge", "profile_ridge", "seasonal_naive", "interval_width"]}


def _backtest(history: History, *names: str, days: int = 6, **more: object) -> Backtest:
    recipes = [recipe_of(name, SMALL if name in ("ensemble", "auto") else None) for name in names or ("ridge",)]
    return backtest(history, recipes, days=days, warm_up_days=14, **more)


@pytest.fixture(scope="module")
def tested() -> Backtest:
    return _backtest(load_history(45), "auto", "ensemble", "ridge", days=14)


def test_backtest__has_the_form_that_flows(tested: Backtest) -> None:
    data = tested.dataset

    assert data["predicted"].dims == ("model", "issued_at", "step", "quantile")
    assert data["observed"].dims == data["time"].dims == ("issued_at", "step")
    assert tested.models[:3] == ["auto", "ensemble", "ridge"]
    assert set(tested.models[3:]) == set(tested.rules)
    assert data.sizes["issued_at"] == 14
    assert (data["seconds"] > 0).all()
    assert data.attrs["variable"] == "demand_kw"
    assert np.isfinite(data["predicted"]).all()
    assert (data["predicted"].diff("quantile") >= 0).all()


def test_backtest__learned_models_beat_the_simple_rules(tested: Backtest) -> None:
    scores, notes = scores_of(tested)

    assert not notes
    assert scores.loc["ensemble", "skill_mae"] > 0.1
    assert scores.loc["ensemble", "skill_pinball"] > 0.1
    assert scores.loc[reference_of(tested), "skill_mae"] == 0
    assert 0.6 < scores.loc["ensemble", "coverage_80"] < 0.95
    assert scores.loc["auto", "mae"] <= 1.05 * scores.loc["ensemble", "mae"]


def test_backtest__a_future_planted_as_a_measured_signal_gives_no_gain() -> None:
    """A column that equals demand would give every forecast away, were it known ahead; known once measured, it cannot.

    The same column stated to be known ahead does: the test is able to see a gain.
    """
    history = replace(load_history(45), known_ahead={})
    planted = {"copy": history.values.copy()}

    without = scores_of(_backtest(history))[0].loc["ridge", "mae"]
    measured = scores_of(_backtest(replace(history, known_past=planted)))[0].loc["ridge", "mae"]
    ahead = scores_of(_backtest(replace(history, known_ahead=planted)))[0].loc["ridge", "mae"]

    assert measured > 0.95 * without
    assert ahead < 0.5 * without


def test_backtest__later_values_change_no_earlier_forecast() -> None:
    history = load_history(60)
    values = history.values.copy()
    values[57 * 24 :] += 500

    one, other = (_backtest(one, "profile_ridge", days=5) for one in (history, replace(history, values=values)))

    early = slice("2024-02-25", "2024-02-27")
    assert len(one.dataset.issued_at.sel(issued_at=early)) == 3
    xr.testing.assert_identical(
        one.dataset["predicted"].sel(issued_at=early).drop_vars("seconds"),
        other.dataset["predicted"].sel(issued_at=early).drop_vars("seconds"),
    )
    late = slice("2024-02-29", None)
    assert not one.dataset["predicted"].sel(issued_at=late).equals(other.dataset["predicted"].sel(issued_at=late))


def test_backtest__last_fold_of_a_rule_is_its_forecast() -> None:
    history = load_history(60)
    recipe = recipe_of("seasonal_naive")
    at = pd.Timestamp("2024-02-29")

    test = backtest(history, [recipe], days=1, warm_up_days=14)
    forecast = fit_forecaster(history, recipe, at, warm_up_days=14).predict(history)

    assert test.dataset.issued_at.values[0] == at.to_datetime64()
    assert np.allclose(test.quantiles("seasonal_naive")[0], forecast["demand_kw"].to_numpy())


def test_backtest__days_on_which_the_clock_changes_have_23_and_25_hours() -> None:
    history = load_history(240, start="2024-03-01", timezone="Europe/Berlin")

    spring = _backtest(history, "seasonal_naive", days=3, until=pd.Timestamp("2024-04-01 22:00"))
    autumn = _backtest(history, "seasonal_naive", days=2, until=pd.Timestamp("2024-10-26 22:00"))

    assert np.isfinite(spring.observed).sum(axis=1).tolist() == [24, 23, 24]
    assert np.isfinite(autumn.observed).sum(axis=1).tolist() == [24, 24]
    local = pd.DatetimeIndex(spring.dataset.issued_at.values).tz_localize("UTC").tz_convert("Europe/Berlin")
    assert set(local.strftime("%H:%M")) == {"00:00"}


def test_backtest__a_gap_in_the_truth_is_not_scored() -> None:
    history = load_history(60)
    values = history.values.copy()
    values[58 * 24 + 5] = np.nan

    test = _backtest(replace(history, values=values), days=2)

    assert test.usable.sum() == 47
    assert np.isfinite(scores_of(test)[0].loc["ridge", "mae"])


def test_backtest__a_day_without_a_signal_is_left_out_with_a_word() -> None:
    history = load_history(60)
    degc = history.known_ahead["outdoor_temperature_degc"].copy()
    degc[57 * 24 + 3] = np.nan

    test = _backtest(replace(history, known_ahead={"outdoor_temperature_degc": degc}), days=5)

    assert test.dataset.sizes["issued_at"] == 4
    assert any("2024-02-27 00:00 UTC was left out: outdoor_temperature_degc" in n for n in test.dataset.attrs["notes"])


def test_backtest__every_few_days_learns_from_the_days_between() -> None:
    test = _backtest(load_history(60), days=3, every_days=4)

    days = np.diff(test.dataset.issued_at.values) / np.timedelta64(1, "D")
    assert days.tolist() == [4, 4]
    assert np.isfinite(test.dataset["predicted"]).all()


def test_backtest__equal_models_of_two_recipes_run_once_and_different_ones_apart() -> None:
    history = load_history(40)
    recipes = [
        recipe_of("ensemble", {"members": ["ridge", "lightgbm"]}),
        recipe_of("lightgbm", {"trees": 2}),
        recipe_of("ridge"),
    ]

    test = backtest(history, recipes, days=1, warm_up_days=6)

    assert test.members["ensemble"] == ("ridge", "lightgbm")
    alone = scores_of(test)[0]
    assert alone.loc["lightgbm", "mae"] > alone.loc["ensemble", "mae"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"days": 0}, "must be at least 1"),
        ({"issue_time": "25:00"}, "must be a time of day"),
        ({"horizon_h": 0.5}, "must be a whole number of steps"),
        ({"horizon_h": 24 * 100}, "no horizon of 2400 h is measured whole"),
    ],
)
def test_backtest__refuses_what_it_cannot_do(given: dict, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        _backtest(load_history(30), **given)


def test_backtest__too_short_history_names_the_minimum() -> None:
    with pytest.raises(InvalidInput, match="needs at least 13; give a longer history"):
        _backtest(load_history(9))


def test_calibration_table__tells_what_was_reached(tested: Backtest) -> None:
    table = calibration_table(tested, "ridge")

    below = (tested.observed[..., None] <= tested.quantiles("ridge")).mean(axis=(0, 1))
    assert np.allclose(table["at_or_below"], below)
    assert np.allclose(table["difference"], table["reached"] - table.index)


def test_calibration_table__values_on_a_quantile_reach_a_range() -> None:
    """At night a plant gives nothing; by day it is at most at its capacity, on which upper quantiles lie."""
    test = _backtest(solar_history(40), days=4)

    table = calibration_table(test, "ridge")

    assert (table["below"] <= table["at_or_below"]).all()
    assert (table["reached"] >= table["below"]).all()
    assert test.is_certain.any()
    night = test.quantiles("ridge")[test.is_certain]
    assert (night == 0).all()


def test_scores_by__lead_hour_and_day_average_to_the_whole(tested: Backtest) -> None:
    whole = scores_of(tested)[0].loc["ridge", "mae"]

    assert scores_by_lead(tested)["ridge"].mean() == pytest.approx(whole)
    assert scores_by_hour(tested)["ridge"].mean() == pytest.approx(whole)
    assert scores_by_day(tested, "ridge")["mae"].mean() == pytest.approx(whole)


def test_weights__of_each_day_sum_to_one(tested: Backtest) -> None:
    weights = tested.weights("ensemble")

    assert list(weights.columns) == ["ridge", "profile_ridge", "seasonal_naive"]
    assert np.allclose(weights.sum(axis=1), 1)
