"""What a forecast rests on, in series of which it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from forecast_samples import load_history, noise, times

from ems.errors import InvalidInput
from ems.forecast.forecaster import FittedForecaster, fit_forecaster
from ems.forecast.history import History, IssuedSignal, Known
from ems.forecast.importance import permutation_importance
from ems.forecast.models.model import FittedModel, Model, State
from ems.forecast.recipe import Recipe, recipe_of


class Echo(Model):
    """Says what a signal says; learns nothing."""

    name: ClassVar[str] = "echo"
    meaning: ClassVar[str] = "a signal, as it is"
    signal: str = "x"
    """Signal known ahead, or one whose last value of the same hour is taken."""

    def fit(self, known: Known) -> FittedEcho:
        return FittedEcho(self)

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedEcho:
        return FittedEcho(cls(**options))


@dataclass(frozen=True)
class FittedEcho(FittedModel):
    model: Echo

    def predict(self, known: Known) -> np.ndarray:
        if self.model.signal == "weekday":
            return known.calendar.weekday[-known.steps :].astype(float)
        if self.model.signal in known.ahead:
            return known.ahead[self.model.signal][-known.steps :]
        return known.past[self.model.signal][-known.steps :]

    def state(self) -> State:
        return {}


def _echo(history: History, signal: str = "x") -> FittedForecaster:
    recipe = Recipe("echo", {"echo": Echo(signal=signal)})
    return fit_forecaster(history, recipe, history.times[0] + pd.Timedelta(days=30), warm_up_days=10)


def _table(fitted: FittedForecaster, history: History, **more: Any) -> pd.Series:
    return permutation_importance(fitted, history, **more).set_index("feature")["importance"]


def test_importance__of_a_signal_that_is_the_forecast() -> None:
    """The signal is 10 on even days and 20 on odd ones, the load 1 more: an error of 1.

    Of two days, each takes the signal of the other one: errors of 9 and 11, 10 on average, which is 900 % more.
    """
    index = times(40)
    x = np.where(np.arange(len(index)) // 24 % 2 == 0, 10.0, 20.0)
    history = History("demand_kw", index, x + 1, known_ahead={"x": x, "y": x})

    table = permutation_importance(_echo(history), history, days=2)

    assert table.loc[0].tolist() == ["x", pytest.approx(9), pytest.approx(0)]
    assert sorted(table["feature"][1:]) == ["calendar", "recent values", "y"]
    assert (table[["importance", "spread"]][1:] == 0).all(axis=None)


def test_importance__of_a_signal_known_once_it_is_measured() -> None:
    """The meter grows by 1 a day, so that a day old it is wrong by 1, and r days older by 1 + r."""
    index = times(40)
    meter = np.arange(len(index)) // 24 * 1.0
    history = History("demand_kw", index, meter, known_past={"meter_kw": meter})

    found = _table(_echo(history, "meter_kw"), history, days=4, repeats=20)

    assert found["meter_kw"] == pytest.approx(2.5, abs=0.4)  # r is drawn from 1 to 4
    assert found["recent values"] == found["calendar"] == 0


def test_importance__of_the_calendar() -> None:
    """The load is the number of the weekday, and 0.1 more: moved by 1 day, it is wrong by 1 or 6."""
    index = times(40)
    history = History("demand_kw", index, np.asarray(index.dayofweek) + 0.1, known_ahead={"x": noise(len(index), 1)})

    found = _table(_echo(history, "weekday"), history)

    assert found["calendar"] > 10
    assert found["recent values"] == found["x"] == 0


def test_importance__of_issued_forecasts() -> None:
    """A weather service publishes each midnight; each day takes what was said for another one."""
    index = times(40)
    x = np.arange(len(index)) // 24 % 2 * 10.0
    said = np.full((40, len(index)), np.nan)
    for day in range(40):
        said[day, day * 24 : (day + 2) * 24] = x[day * 24 : (day + 2) * 24] - 1
    signal = IssuedSignal(index[::24], said)
    history = History("demand_kw", index, x, known_ahead={"x": signal})

    assert _table(_echo(history), history, days=2)["x"] == pytest.approx(9)


def test_importance__finds_what_a_learned_model_rests_on() -> None:
    """The load hangs on the temperature, the weekday and its noise of the hours before; junk tells nothing."""
    history = load_history(70)
    ahead = {**history.known_ahead, "junk_m": noise(len(history.times), 9, 0.9)}
    history = replace(history, known_ahead=ahead)
    fitted = fit_forecaster(history, recipe_of("ridge"), history.times[65 * 24], warm_up_days=14)

    table = permutation_importance(fitted, history)
    found = table.set_index("feature")

    assert found.index.tolist()[:2] == ["outdoor_temperature_degc", "calendar"]
    assert found["importance"]["outdoor_temperature_degc"] > 0.5
    assert found["importance"]["recent values"] > 0.03
    assert abs(found["importance"]["junk_m"]) < 0.05
    assert (table["importance"].diff()[1:] <= 0).all()
    assert (table["spread"] > 0).any()


def test_importance__same_seed_same_result() -> None:
    history = load_history(50)
    fitted = fit_forecaster(history, recipe_of("seasonal_naive"), history.times[45 * 24], warm_up_days=8)

    def run(seed: int) -> pd.DataFrame:
        return permutation_importance(fitted, history, seed=seed)

    pd.testing.assert_frame_equal(run(3), run(3))
    assert not run(3).equals(run(4))


def test_importance__of_a_rule_is_that_of_recent_values_alone() -> None:
    history = load_history(50)
    fitted = fit_forecaster(history, recipe_of("seasonal_naive"), history.times[45 * 24], warm_up_days=8)

    found = _table(fitted, history)

    assert found["recent values"] > 0
    assert found["calendar"] == found["outdoor_temperature_degc"] == 0


def test_importance__across_the_clock_change() -> None:
    history = load_history(60, start="2024-02-12", timezone="Europe/Berlin")
    at = pd.Timestamp("2024-04-04", tz="Europe/Berlin")
    fitted = fit_forecaster(history, recipe_of("ridge"), at, warm_up_days=10)

    assert np.isfinite(_table(fitted, history)).all()


def test_importance__where_nothing_can_grow_is_undefined() -> None:
    history = History("demand_kw", times(40), np.full(960, 5.0))
    fitted = fit_forecaster(history, recipe_of("seasonal_naive"), history.times[30 * 24], warm_up_days=8)

    assert _table(fitted, history).isna().all()


def test_importance__refuses_what_it_cannot_exchange() -> None:
    history = load_history(50)
    fitted = fit_forecaster(history, recipe_of("seasonal_naive"), history.times[45 * 24], warm_up_days=8)

    with pytest.raises(InvalidInput, match="days = 1, repeats = 3: must be at least 2 and 1"):
        permutation_importance(fitted, history, days=1)
    with pytest.raises(InvalidInput, match="outdoor_temperature_degc: is not given"):
        permutation_importance(fitted, replace(history, known_ahead={}))
    unmeasured = replace(fitted.folds, observed=np.full_like(fitted.folds.observed, np.nan))
    with pytest.raises(InvalidInput, match="0 days before 2024-02-15 00:00 UTC are measured: at least 2 are needed"):
        permutation_importance(replace(fitted, folds=unmeasured), history)


# ---------------------------------------------------------------------------------------- what is shared
SIGNALS = {
    "load": ["outdoor_temperature_degc", "pv_kw", "wind_kw"],
    "price": ["load_kw", "pv_kw"],
    "wind": ["u10_ms", "v10_ms", "wind_speed_m_per_s"],
}


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("change", ["signal", "one more signal", "values", "past"])
def test_features__of_a_variation_are_those_made_afresh(kind: str, change: str) -> None:
    """Columns that stay are taken over, in the same places; those that hang on what was changed are not."""
    history = load_history(40)
    size = len(history.times)
    ahead = {name: 10 + noise(size, number, 0.9) for number, name in enumerate(SIGNALS[kind])}
    history = replace(history, kind=kind, known_ahead=ahead, known_past={"meter_kw": noise(size, 7)})
    known = history.known_at(35 * 24, 24)
    before = known.features.ahead_matrix.copy()
    other = noise(len(known.values), 8)
    if change == "values":
        varied = known.with_values(other, known.past)
    elif change == "past":
        varied = known.with_values(known.values, {"meter_kw": other})
    else:
        name = SIGNALS[kind][0] if change == "signal" else "power by physics"
        varied = known.with_ahead({**known.ahead, name: noise(len(known.values) + 24, 8)})

    afresh = replace(varied)

    np.testing.assert_array_equal(varied.features.ahead_matrix, afresh.features.ahead_matrix)
    assert varied.features.names == afresh.features.names
    np.testing.assert_array_equal(varied.features.past_matrix, afresh.features.past_matrix)
    assert not np.array_equal(varied.features.ahead_matrix, before)
    np.testing.assert_array_equal(known.features.ahead_matrix, before)
