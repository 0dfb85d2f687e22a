from __future__ import annotations

import numpy as np
import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.forecast.combine import Combination, least_absolute_weights, weights_of
from ems.forecast.folds import Folds


def make_folds(errors: np.ndarray, seed: int = 0) -> Folds:
    """Folds of 24 hourly steps, one a day, whose members err by given amounts (members, folds, steps)."""
    members, count, steps = errors.shape
    observed = 100 + 10 * np.random.default_rng(seed).standard_normal((count, steps))
    return Folds(
        members=tuple(f"model-{number}" for number in range(members)),
        at=np.arange(count) * steps + 1000,
        counts=np.full(count, steps),
        predicted=observed + errors,
        observed=observed,
        minute=np.tile(np.arange(steps) * 60, (count, 1)),
        fitted=(),
        seconds=np.zeros(members),
        samples=1000,
    )


@settings(max_examples=examples(15), deadline=None)
@given(members=st.integers(1, 6), seed=st.integers(0, 10_000), shrinking=st.floats(0, 10))
def test_weights__are_not_negative_and_sum_to_one(members: int, seed: int, shrinking: float) -> None:
    random = np.random.default_rng(seed)
    errors = random.standard_normal((200, members)) * random.uniform(0.1, 5, members)

    weights = least_absolute_weights(errors, shrinking)

    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)


def test_weights__a_perfect_member_gets_all() -> None:
    errors = np.random.default_rng(0).standard_normal((300, 3))
    errors[:, 1] *= 0.001

    assert least_absolute_weights(errors, 0.0)[1] > 0.98


def test_weights__opposite_errors_cancel() -> None:
    """One member is always 1 too high, the other 1 too low: half of each is right."""
    errors = np.column_stack([np.ones(200), -np.ones(200)]) + 0.01 * np.random.default_rng(0).standard_normal((200, 2))

    assert least_absolute_weights(errors, 0.0) == pytest.approx([0.5, 0.5], abs=0.01)


def test_weights__strong_shrinking_makes_them_equal() -> None:
    errors = np.random.default_rng(0).standard_normal((300, 4)) * np.array([1, 2, 3, 4])

    assert least_absolute_weights(errors, 1e6) == pytest.approx([0.25] * 4, abs=1e-3)


def test_weights_of__first_folds_are_equal_and_later_ones_learn() -> None:
    random = np.random.default_rng(1)
    folds = make_folds(random.standard_normal((2, 30, 24)) * np.array([1.0, 6.0])[:, None, None])

    assert weights_of(folds, 3, Combination(), 24).tolist() == [0.5, 0.5]
    assert weights_of(folds, 29, Combination(), 24)[0] > 0.8


def test_weights_of__rest_on_what_was_known_at_the_issue_time() -> None:
    """What is measured from the issue time of a fold on changes none of its weights."""
    errors = np.random.default_rng(2).standard_normal((3, 30, 24)) * np.array([1.0, 3.0, 6.0])[:, None, None]
    folds, other = make_folds(errors), make_folds(errors)
    other.observed[20:] += 1e4

    assert np.array_equal(weights_of(folds, 20, Combination(), 24), weights_of(other, 20, Combination(), 24))
    assert not np.array_equal(weights_of(folds, 29, Combination(), 24), weights_of(other, 29, Combination(), 24))


def test_weights_of__a_member_without_a_forecast_has_none() -> None:
    folds = make_folds(np.random.default_rng(3).standard_normal((3, 30, 24)))
    folds.predicted[1, 29] = np.nan

    weights = weights_of(folds, 29, Combination(), 24)

    assert weights[1] == 0
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("options", [{"learning_days": 8.0}, {"shrinking": 100.0}])
def test_weights_of__each_option_has_an_effect(options: dict) -> None:
    folds = make_folds(np.random.default_rng(4).standard_normal((2, 30, 24)) * np.array([1.0, 3.0])[:, None, None])

    plain = weights_of(folds, 29, Combination(), 24)

    assert not np.allclose(weights_of(folds, 29, Combination(**options), 24), plain, atol=1e-4)
