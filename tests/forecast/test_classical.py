from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from forecast_samples import load_history

from ems.errors import InvalidInput
from ems.forecast.gaps import gapless, short_gaps_filled
from ems.forecast.models.classical import Arima, Ets, Mstl, Theta
from ems.forecast.models.model import Model

MODELS = {
    "ets": Ets(),
    "theta": Theta(),
    "mstl": Mstl(training_days=28),
    "arima": Arima(training_days=28, most_terms=1),
}


@pytest.mark.parametrize("name", MODELS)
def test_classical__follows_the_daily_pattern(name: str) -> None:
    """Better than the mean of the last weeks; gaps among the values do no harm."""
    history = load_history(days=40, size=2.0, known_ahead={})
    values = history.values.copy()
    values[np.random.default_rng(0).choice(34 * 24, 60, replace=False)] = np.nan
    known = replace(history, values=values).known_at(36 * 24, 24)

    predicted = MODELS[name].fit(known).predict(known)

    truth = history.values[36 * 24 : 37 * 24]
    assert np.abs(predicted - truth).mean() < 0.9 * np.abs(truth - np.nanmean(known.values)).mean()


@pytest.mark.parametrize("name", MODELS)
def test_classical__restored_from_its_state_predicts_the_same_and_sees_no_future(name: str) -> None:
    history = load_history(days=40, known_ahead={})
    future = history.values.copy()
    future[36 * 24 :] = 1e6
    known, other = (one.known_at(36 * 24, 24) for one in (history, replace(history, values=future)))
    fitted = MODELS[name].fit(known)

    restored = type(fitted.model).restore(fitted.model.model_dump(), fitted.state())

    assert np.array_equal(restored.predict(known), fitted.predict(known))
    assert np.array_equal(MODELS[name].fit(other).predict(other), fitted.predict(known))


def test_arima__keeps_the_orders_that_it_chose() -> None:
    history = load_history(days=40, known_ahead={})
    fitted = Arima(training_days=28, most_terms=1).fit(history.known_at(30 * 24, 24))

    orders = fitted.state()["orders"]

    assert all(0 <= order <= 1 for order in orders)
    assert fitted.update(history.known_at(36 * 24, 24)).state()["orders"] == orders


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Ets(), Ets(trend="additive")),
        (Ets(), Ets(training_days=14)),
        (Theta(), Theta(training_days=14)),
        (Mstl(training_days=28), Mstl(training_days=21)),
        (Arima(training_days=28, most_terms=1), Arima(training_days=28, most_terms=0)),
    ],
)
def test_classical__each_option_has_an_effect(one: Model, other: Model) -> None:
    history = load_history(days=40, known_ahead={}, seed=4)

    def predicted(model: Model) -> np.ndarray:
        known = history.known_at(36 * 24, 24, model.training_days)
        return model.fit(known).predict(known)

    assert not np.allclose(predicted(one), predicted(other))


def test_classical__too_short_a_history_says_so() -> None:
    known = load_history(days=20, known_ahead={}).known_at(10 * 24, 24)

    with pytest.raises(InvalidInput, match=r"model 'ets'.*10 days are known: it needs at least 14"):
        Ets().fit(known)


def test_gapless__short_gaps_are_lines_and_long_ones_hold_the_week_before() -> None:
    """Steps of 12 hours: two a day, fourteen a week."""
    values = np.arange(40.0)
    values[[3, 20, 21, 22]] = np.nan
    values[0] = np.nan

    filled = gapless(values, 2, 1)

    assert filled[0] == 1
    assert filled[2] == 3
    assert filled[19:22].tolist() == [6, 7, 8]
    assert len(filled) == 39
    assert gapless(np.array([np.nan, 5.0, np.nan, np.nan]), 2, 1).tolist() == [5, 5, 5]
    assert np.isnan(short_gaps_filled(values, 2)[20])
