from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from forecast_samples import load_history, solar_history

from ems.errors import InvalidInput, MissingValues
from ems.forecast.calibration import LEVELS
from ems.forecast.forecaster import fit_forecaster
from ems.forecast.history import History
from ems.forecast.recipe import recipe_of

AT = pd.Timestamp("2024-02-20")
SMALL = {"members": ["interval_width", "ridge", "profile_ridge", "seasonal_naive"]}


def _forecast(history: History, name: str = "ridge", at: pd.Timestamp | None = AT, **more: object) -> xr.Dataset:
    options = SMALL if name in ("ensemble", "auto") else None
    return fit_forecaster(history, recipe_of(name, options), at, warm_up_days=14, **more).predict(history)


@pytest.mark.parametrize("name", ["ridge", "seasonal_naive", "last_value", "ensemble", "auto"])
def test_forecast__has_the_form_that_flows(name: str) -> None:
    forecast = _forecast(load_history(60), name)

    assert forecast["demand_kw"].dims == ("time", "quantile")
    assert forecast["demand_kw"].attrs["units"] == "kW"
    assert forecast["quantile"].values.tolist() == list(LEVELS)
    assert forecast["issued_at"].item() == AT.value
    assert forecast["time"].values[0] == AT.to_datetime64()
    assert forecast.sizes["time"] == 24
    assert forecast.attrs["model"] == name
    assert np.isfinite(forecast["demand_kw"]).all()
    assert (forecast["demand_kw"].diff("quantile") >= 0).all()


def test_forecast__a_future_planted_in_the_file_changes_nothing() -> None:
    """The file holds what is to be forecast, once as it was and once as nonsense: the forecast is the same."""
    history = load_history(60)
    values = history.values.copy()
    values[history.position(AT) :] = -1e6

    one, other = _forecast(history, "ensemble"), _forecast(replace(history, values=values), "ensemble")

    xr.testing.assert_identical(one, other)


def test_forecast__same_seed_same_forecast() -> None:
    history = load_history(60)

    def run(seed: int) -> xr.Dataset:
        recipe = recipe_of("lightgbm", {"trees": 20}, seed)
        return fit_forecaster(history, recipe, AT, warm_up_days=8).predict(history)

    xr.testing.assert_identical(run(5), run(5))
    assert not run(5).equals(run(6))


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_forecast__a_local_day_on_which_the_clock_changes_has_23_or_25_hours(day: str, hours: int) -> None:
    midnight = pd.Timestamp(day, tz="Europe/Berlin")
    start = str((midnight - pd.Timedelta(days=45)).date())
    history = load_history(50, start=start, timezone="Europe/Berlin")

    for name in ("ridge", "profile_ridge", "seasonal_naive"):
        forecast = _forecast(history, name, midnight)
        assert forecast.sizes["time"] == hours
        assert np.isfinite(forecast["demand_kw"]).all()
    assert _forecast(history, "seasonal_naive", midnight, in_local_days=False).sizes["time"] == 24


def test_forecast__after_the_last_value_where_no_issue_time_is_given() -> None:
    history = replace(load_history(60), known_ahead={})

    forecast = _forecast(history, "seasonal_naive", None)

    assert forecast["time"].values[0] == np.datetime64("2024-03-01")


def test_forecast__night_of_a_plant_is_zero_and_its_power_within_the_capacity() -> None:
    history = solar_history(60)

    forecast = _forecast(history)["available_kw"]

    night = forecast.sel(time=forecast.time.dt.hour.isin([0, 1, 2, 3, 22, 23]))
    assert (night == 0).all()
    assert forecast.min() >= 0
    assert forecast.max() <= 50
    assert forecast.sel(quantile=0.9).max() > 10


def test_forecast__of_quarter_hours_and_of_short_and_long_horizons() -> None:
    history = load_history(25, step_h=0.25)
    at = pd.Timestamp("2024-01-22 09:00")

    assert _forecast(history, "ridge", at, horizon_h=2).sizes["time"] == 8
    assert _forecast(history, "seasonal_naive", at, horizon_h=72).sizes["time"] == 288


def test_predict__later_than_fitted_needs_no_fit() -> None:
    history = load_history(60)
    fitted = fit_forecaster(history, recipe_of("ridge"), AT, warm_up_days=14)

    later = fitted.predict(history, AT + pd.Timedelta(days=3))

    truth = history.values[history.position(AT + pd.Timedelta(days=3)) :][:24]
    assert np.abs(later["demand_kw"].sel(quantile=0.5).to_numpy() - truth).mean() < 8
    with pytest.raises(InvalidInput, match=r"too few errors of the last 28 days are known.*fit it again"):
        long = load_history(120)
        fitted.predict(long, AT + pd.Timedelta(days=40))


def test_predict__on_another_raster_of_the_same_series_gives_the_same() -> None:
    """A file that begins ten days later holds the same last weeks: the forecast does not change."""
    history = load_history(60)
    fitted = fit_forecaster(history, recipe_of("ridge"), AT, warm_up_days=14)
    cut = slice(240, None)
    later = replace(
        history,
        times=history.times[cut],
        values=history.values[cut],
        known_ahead={name: values[cut] for name, values in history.known_ahead.items()},
    )

    xr.testing.assert_allclose(fitted.predict(later), fitted.predict(history), rtol=1e-9)


def test_predict__another_step_or_a_missing_signal_is_an_error() -> None:
    history = load_history(60)
    fitted = fit_forecaster(history, recipe_of("ridge"), AT, warm_up_days=14)

    with pytest.raises(InvalidInput, match="outdoor_temperature_degc: is not given, but the forecaster was fitted"):
        fitted.predict(replace(history, known_ahead={}))
    with pytest.raises(InvalidInput, match="was fitted to steps of 1 h"):
        fitted.predict(load_history(60, step_h=0.5))


def test_fit_forecaster__missing_regressor_is_an_error_not_a_guess() -> None:
    history = load_history(60)
    degc = history.known_ahead["outdoor_temperature_degc"].copy()
    degc[history.position(AT) + 5] = np.nan

    with pytest.raises(MissingValues, match="outdoor_temperature_degc lacks 1 of 24 values from 2024-02-20 05:00 UTC"):
        _forecast(replace(history, known_ahead={"outdoor_temperature_degc": degc}))


def test_fit_forecaster__three_hours_of_history_name_the_minimum() -> None:
    index = pd.date_range("2024-03-03 23:00", periods=3, freq="h", unit="ns")
    history = History("demand_kw", index, np.array([5.0, 5.1, 5.2]), asset="house")

    for name in ("seasonal_naive", "auto"):
        with pytest.raises(
            InvalidInput, match=r"'house': 0\.125 days of history.*at least 2, of models that learn 13"
        ):
            _forecast(history, name, None)
    with pytest.raises(InvalidInput, match=r"'house': 0\.125 days of history.*at least 13"):
        _forecast(history, "ridge", None)


def test_auto__of_two_days_of_history_takes_a_rule_and_says_so() -> None:
    """The second day was 1 kW above the first, and so is what may come on the third; flat days cannot be damped."""
    index = pd.date_range("2024-03-04", periods=48, freq="h", unit="ns")
    history = History("demand_kw", index, np.repeat([5.0, 6.0], 24), asset="house")

    fitted = fit_forecaster(history, recipe_of("auto"))
    forecast = fitted.predict(history)["demand_kw"]

    assert any("2 days of history: auto took seasonal_naive" in note for note in fitted.notes)
    assert fitted.choice == "seasonal_naive"
    assert forecast.sel(quantile=0.9).to_numpy() == pytest.approx(np.full(24, 7.0))
    history = History("demand_kw", index, np.tile(np.arange(24.0), 2))
    damped = fit_forecaster(history, recipe_of("auto")).predict(history)["demand_kw"].sel(quantile=0.4)
    assert 0 < damped[0] < 11.5
    assert 11.5 < damped[23] < 23


@pytest.mark.parametrize(
    ("levels", "said"),
    [((0.1, 0.9), "0.5 must be among them"), ((0.5, 0.1), "must ascend"), ((0.0, 0.5), "above 0 and below 1")],
)
def test_fit_forecaster__refuses_levels(levels: tuple[float, ...], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        _forecast(load_history(60), "seasonal_naive", levels=levels)


def test_auto__tells_by_which_errors_it_chose() -> None:
    fitted = fit_forecaster(load_history(60), recipe_of("auto", SMALL), AT, warm_up_days=14)

    assert set(fitted.errors) == {"ensemble", "ridge", "profile_ridge", "seasonal_naive"}
    assert fitted.choice in fitted.errors
    assert fitted.weights.sum() == pytest.approx(1)
    assert fitted.members[-1] == "interval_width"
    assert fitted.weights[-1] == 0


def test_ensemble__a_member_that_cannot_be_fitted_is_left_out_with_a_word() -> None:
    """Fourteen days are too few for whole profiles, but not for hours."""
    history = load_history(20)

    recipe = recipe_of("ensemble", {"members": ["ridge", "profile_ridge"]})
    fitted = fit_forecaster(history, recipe, pd.Timestamp("2024-01-15"), warm_up_days=5)

    assert fitted.members == ("ridge",)
    assert any("profile_ridge was left out" in note for note in fitted.notes)
