from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_counts import examples
from forecast_samples import load_history, noise
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.errors import InvalidInput, UnknownName
from ems.forecast.history import Known
from ems.forecast.models.boosting import BoostedRidge, IntervalWidth, LightGbm
from ems.forecast.models.model import Model
from ems.forecast.models.profile_ridge import ProfileRidge
from ems.forecast.models.registry import MODELS, model_class
from ems.forecast.models.ridge import Ridge, fit_ridge
from ems.forecast.recipe import model_of, recipe_of

LEARNED = {
    "ridge": Ridge(),
    "profile_ridge": ProfileRidge(),
    "profile_ridge asinh": ProfileRidge(transform="asinh"),
    "lightgbm": LightGbm(trees=30),
    "boosted_ridge": BoostedRidge(trees=30),
    "boosted_ridge value": BoostedRidge(trees=30, target="value"),
}


def _known(**more: object) -> Known:
    return load_history(days=60, **more).known_at(55 * 24, 24)


def _truth(known: Known) -> np.ndarray:
    return known.history.values[known.at : known.at + known.steps]


@settings(max_examples=examples(10), deadline=None)
@given(rows=st.integers(6, 40), columns=st.integers(1, 50), seed=st.integers(0, 10_000))
def test_fit_ridge__left_out_is_what_a_fit_without_the_row_predicts(rows: int, columns: int, seed: int) -> None:
    """Held against the normal equations of the rows that are left, on columns that are standard already."""
    random = np.random.default_rng(seed)
    inputs = random.standard_normal((rows, columns))
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    outputs = random.standard_normal((rows, 2)) + inputs[:, :1]
    strength = 7.0

    fit = fit_ridge(inputs, outputs, (strength,))

    design = np.column_stack([np.ones(rows), inputs])
    penalty = strength * np.diag([0.0, *np.ones(columns)])
    for row in range(rows):
        others = np.arange(rows) != row
        rest, said = design[others], outputs[others]
        alone = design[row] @ np.linalg.solve(rest.T @ rest + penalty, rest.T @ said)
        assert np.allclose(alone, fit.left_out[row], atol=1e-7)
    both = design @ np.linalg.solve(design.T @ design + penalty, design.T @ outputs)
    assert np.allclose(fit.predict(inputs), both, atol=1e-7)


def test_fit_ridge__noise_is_shrunk_more_than_signal() -> None:
    random = np.random.default_rng(1)
    inputs = random.standard_normal((200, 30))
    clear, noisy = inputs[:, 0] * 5, random.standard_normal(200)

    fit = fit_ridge(inputs, np.column_stack([clear, noisy]))

    assert fit.strength[0] < fit.strength[1]
    assert fit.coefficients[0, 0] > 4.5
    assert np.abs(fit.coefficients[:, 1]).max() < 0.2


def test_fit_ridge__a_column_that_never_varies_has_no_effect() -> None:
    inputs = np.column_stack([np.full(20, 3.0), np.arange(20.0)])

    fit = fit_ridge(inputs, np.arange(20.0)[:, None])

    assert fit.predict(np.array([[1e9, 10.0]]))[0, 0] == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize("name", LEARNED)
def test_learned_model__is_better_than_the_day_before(name: str) -> None:
    known = _known()

    predicted = LEARNED[name].fit(known).predict(known)

    naive = model_of("seasonal_naive", {}).fit(known).predict(known)
    assert predicted.shape == (24,)
    assert np.abs(predicted - _truth(known)).mean() < 0.8 * np.abs(naive - _truth(known)).mean()


@pytest.mark.parametrize("name", LEARNED)
def test_learned_model__sees_nothing_from_the_issue_time_on(name: str) -> None:
    history = load_history(days=60)
    at = 55 * 24
    future = history.values.copy()
    future[at:] = 1e6

    one, other = history.known_at(at, 24), replace(history, values=future).known_at(at, 24)

    assert np.array_equal(LEARNED[name].fit(one).predict(one), LEARNED[name].fit(other).predict(other))


@pytest.mark.parametrize("name", LEARNED)
def test_learned_model__restored_from_its_state_predicts_the_same(name: str) -> None:
    known = _known()
    fitted = LEARNED[name].fit(known)

    restored = type(fitted.model).restore(fitted.model.model_dump(), fitted.state())

    assert np.array_equal(restored.predict(known), fitted.predict(known))


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("steps", [1, 23, 60])
def test_learned_model__forecasts_any_horizon(name: str, steps: int) -> None:
    known = load_history(days=60).known_at(55 * 24 + 7, steps)

    predicted = LEARNED[name].fit(known).predict(known)

    assert predicted.shape == (steps,)
    assert np.abs(predicted - _truth(known)).mean() < 15


@pytest.mark.parametrize("name", LEARNED)
def test_learned_model__goes_on_with_gaps_in_history_and_signals(name: str) -> None:
    history = load_history(days=60)
    values, degc = history.values.copy(), history.known_ahead["outdoor_temperature_degc"].copy()
    holes = np.random.default_rng(3).choice(54 * 24, 150, replace=False)
    values[holes], degc[holes[:70]] = np.nan, np.nan
    values[54 * 24 + 3 : 54 * 24 + 9] = np.nan
    known = replace(history, values=values, known_ahead={"outdoor_temperature_degc": degc}).known_at(55 * 24, 24)

    predicted = LEARNED[name].fit(known).predict(known)

    assert np.abs(predicted - _truth(known)).mean() < 12


def test_lightgbm__same_seed_same_forecast_and_another_one_differs() -> None:
    known = _known()

    one, same, other = (LightGbm(trees=30, seed=seed).fit(known).predict(known) for seed in (1, 1, 2))

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    "options",
    [
        {"trees": 5}, {"learning_rate": 0.5}, {"leaves": 3}, {"least_rows_of_leaf": 200}, {"feature_share": 0.1},
        {"row_share": 0.2}, {"l2_penalty": 1000.0}, {"seed": 9},
    ],
    ids=str,
)  # fmt: skip
def test_lightgbm__each_option_has_an_effect(options: dict) -> None:
    known = _known()
    plain = LightGbm(trees=30).fit(known).predict(known)

    assert not np.array_equal(LightGbm(**{"trees": 30, **options}).fit(known).predict(known), plain)


def test_profile_ridge__asinh_bears_spikes_better() -> None:
    """Fifty days with rare spikes of a hundred times the spread: their inverse hyperbolic sine is small."""
    history = load_history(days=60, size=1.0, known_ahead={})
    values = history.values.copy()
    spikes = np.random.default_rng(0).choice(50 * 24, 40, replace=False)
    values[spikes] += 3000
    known = replace(history, values=values).known_at(55 * 24, 24)

    plain, small = (ProfileRidge(transform=one).fit(known).predict(known) for one in ("none", "asinh"))

    assert np.abs(small - _truth(known)).mean() < np.abs(plain - _truth(known)).mean()


def test_interval_width__is_larger_where_values_scatter_more() -> None:
    """In the afternoon the noise is of 40 kW, in the morning of 1 kW."""
    history = load_history(days=60, size=1.0, known_ahead={})
    afternoon = np.asarray(history.times.hour) >= 12
    values = history.values + np.where(afternoon, 40, 1) * np.random.default_rng(0).standard_normal(len(afternoon))
    known = replace(history, values=values).known_at(55 * 24, 24)
    fitted = IntervalWidth().fit(known)

    width = fitted.predict(known)

    assert width[12:].mean() > 1.5 * width[:12].mean()
    assert np.array_equal(IntervalWidth.restore({}, fitted.state()).predict(known), width)
    with pytest.raises(InvalidInput, match="tells only how wide a distribution is"):
        recipe_of("interval_width")


def test_boosted_ridge__update_follows_a_change_that_trees_have_not_seen() -> None:
    """The level rises by 100 kW after the trees were grown; the linear part, fitted again each day, follows."""
    history = load_history(days=80, size=1.0, known_ahead={})
    values = history.values.copy()
    values[60 * 24 :] += 100
    history = replace(history, values=values)
    old, new = history.known_at(60 * 24, 24), history.known_at(75 * 24, 24)
    fitted = BoostedRidge(trees=20).fit(old)

    stale, fresh = fitted.predict(new), fitted.update(new).predict(new)

    assert np.abs(fresh - _truth(new)).mean() < np.abs(stale - _truth(new)).mean()


def test_profile_ridge__too_few_whole_days_says_so() -> None:
    known = load_history(days=20).known_at(10 * 24, 24)

    with pytest.raises(InvalidInput, match=r"profile_ridge.*days without a gap are known: it needs at least 14"):
        ProfileRidge().fit(known)


def test_model_of__unknown_model_and_option_are_named() -> None:
    with pytest.raises(UnknownName, match=r"model 'lightgmb': did you mean lightgbm\?"):
        model_of("lightgmb", {})
    with pytest.raises(InvalidInput, match=r"the options of model 'lightgbm'.*trees = -5.*at least 1"):
        model_of("lightgbm", {"trees": -5})
    with pytest.raises(InvalidInput, match=r"tree: no such field; did you mean trees\?"):
        model_of("lightgbm", {"tree": 5})


@pytest.mark.parametrize("name", list(MODELS))
def test_models__say_what_they_are(name: str) -> None:
    kind = model_class(name)

    assert issubclass(kind, Model)
    assert kind.name == name
    assert len(kind.meaning) > 10


def test_ridge__learns_a_line_that_it_is_given() -> None:
    """Demand is exactly 3 kW for each degree of a temperature known ahead, whose spread is 8 degrees."""
    history = load_history(days=60)
    degc = 10 + 8 * noise(len(history.times), 5, 0.9)
    known = replace(history, values=3 * degc, known_ahead={"t_degc": degc}).known_at(55 * 24, 24)

    assert np.abs(Ridge().fit(known).predict(known) - _truth(known)).mean() < 0.2 * 3 * 8
