from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_counts import examples
from forecast_samples import load_history, solar_history
from hypothesis import given, settings
from hypothesis import strategies as st
from test_combine import make_folds

from ems.forecast.calibration import LEVELS, Calibration, Calibrator
from ems.forecast.certainty import certain_zeros
from ems.forecast.history import History


def _calibrator(errors: np.ndarray, history: History | None = None, **options: float) -> Calibrator:
    folds = make_folds(errors[None])
    certain = np.zeros(errors.shape, dtype=bool)
    return Calibrator(
        folds,
        folds.predicted[0],
        np.zeros(errors.shape),
        certain,
        LEVELS,
        Calibration(**options),
        history or load_history(20),
    )


def _errors(folds: int = 90, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((folds, 24))


def _coverage(calibrator: Calibrator, first: int = 30) -> np.ndarray:
    quantiles, _ = calibrator.run()
    observed = calibrator.folds.observed[first:, :, None]
    return (observed <= quantiles[first:]).mean(axis=(0, 1))


@settings(max_examples=examples(10), deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100))
def test_quantiles__never_cross_and_scale_with_the_values(seed: int, scale: float) -> None:
    calibrator = _calibrator(_errors(25, seed))
    folds = replace(calibrator.folds, observed=calibrator.folds.observed * scale)

    quantiles, _ = calibrator.run()
    scaled, _ = replace(calibrator, folds=folds, points=calibrator.points * scale).run()

    assert (np.diff(quantiles[10:], axis=2) >= 0).all()
    assert np.isnan(quantiles[:5]).all()
    assert np.allclose(quantiles * scale, scaled, equal_nan=True)


def test_quantiles__reach_their_levels_on_noise() -> None:
    """Six times sixty days of independent errors: the share below each level is within 1.5 points of it."""
    reached = np.mean([_coverage(_calibrator(_errors(seed=seed))) for seed in range(6)], axis=0)

    assert np.abs(reached - np.array(LEVELS)).max() < 0.015


def test_quantiles__are_wider_at_hours_with_larger_errors() -> None:
    errors = _errors() * np.where(np.arange(24) < 12, 1.0, 8.0)

    quantiles, _ = _calibrator(errors).run()

    width = (quantiles[40:, :, -1] - quantiles[40:, :, 0]).mean(axis=0)
    assert width[17:21].mean() > 4 * width[4:8].mean()


def test_quantiles__follow_errors_that_grow() -> None:
    """From day 50 on errors are four times as large; without adaptation too few observations lie within for weeks."""
    errors = _errors(90)
    errors[50:] *= 4

    slow, quick = (
        _coverage(_calibrator(errors, days=90, width_adaptation=share, adaptation=0), 55) for share in (0.0, 0.5)
    )

    assert quick[-2] - quick[1] > slow[-2] - slow[1] + 0.03


def test_quantiles__rest_on_what_was_known_at_the_issue_time() -> None:
    calibrator = _calibrator(_errors(40))
    folds = replace(calibrator.folds, observed=calibrator.folds.observed.copy())
    folds.observed[30:] += 1e4

    early, _ = calibrator.run()
    other, _ = replace(calibrator, folds=folds).run()

    assert np.array_equal(early[:31], other[:31], equal_nan=True)
    assert not np.array_equal(early[35], other[35])


def test_quantiles__keep_bounds() -> None:
    history = replace(load_history(20), lower=95.0, upper=105.0)

    quantiles, _ = _calibrator(_errors(30) * 20, history).run()

    assert np.nanmin(quantiles) == 95
    assert np.nanmax(quantiles) == 105


def test_quantiles__of_certain_steps_are_the_forecast() -> None:
    calibrator = _calibrator(_errors(30))
    certain = np.zeros((30, 24), dtype=bool)
    certain[:, :6] = True

    quantiles, _ = replace(calibrator, is_certain=certain).run()

    assert np.array_equal(quantiles[20, :6], np.repeat(calibrator.points[20, :6, None], len(LEVELS), axis=1))
    assert (quantiles[20, 6:, -1] > quantiles[20, 6:, 0]).all()


@pytest.mark.parametrize(
    "options",
    [
        {"days": 7.0}, {"clock_h": 0.5}, {"level": 0.1}, {"correction": 0.0}, {"adaptation": 0.2},
        {"width_adaptation": 0.9},
    ],
    ids=str,
)  # fmt: skip
def test_calibration__each_option_has_an_effect(options: dict) -> None:
    errors = _errors(40) * np.where(np.arange(24) < 12, 1.0, 3.0) + 0.5

    assert not np.allclose(_calibrator(errors, **options).run()[0][30:], _calibrator(errors).run()[0][30:])


def test_calibration__nearness_in_lead_time_has_an_effect_on_long_horizons() -> None:
    errors = np.random.default_rng(0).standard_normal((40, 72)) * np.repeat([1.0, 3.0, 9.0], 24)

    def run(lead_days: float) -> np.ndarray:
        folds = make_folds(errors[None])
        folds = replace(folds, at=np.arange(40) * 24 + 1000, minute=np.tile(np.arange(72) % 24 * 60, (40, 1)))
        certain = np.zeros(errors.shape, dtype=bool)
        options = Calibration(lead_days=lead_days, level=1e6)
        return Calibrator(
            folds, folds.predicted[0], np.zeros(errors.shape), certain, LEVELS, options, load_history(20)
        ).run()[0]

    near, far = run(0.2), run(50.0)
    width = np.nanmean(near[35:, :, -1] - near[35:, :, 0], axis=0)

    assert width[60] > 5 * width[5]
    assert not np.allclose(near[35:], far[35:])


def test_quantiles__are_wider_where_the_expected_spread_is() -> None:
    spread = np.exp(np.random.default_rng(0).standard_normal((60, 24)))
    calibrator = replace(_calibrator(_errors(60) * spread, level=1e6), spread=spread)

    quantiles, _ = calibrator.run()
    alike, _ = replace(calibrator, options=Calibration(scaling=0.0, level=1e6)).run()

    ratios = [
        (found[40:, :, -2] - found[40:, :, 1])[spread[40:] > 2].mean()
        / (found[40:, :, -2] - found[40:, :, 1])[spread[40:] < 0.5].mean()
        for found in (quantiles, alike)
    ]
    assert ratios[0] > 2.5
    assert ratios[1] < 1.5


def test_certain_zeros__night_of_a_plant_without_coordinates_is_learned() -> None:
    """The sun shines from 6 to 18; the steps just beside the day are left uncertain."""
    history = solar_history(days=40)
    folds = replace(make_folds(np.zeros((1, 3, 24))), at=np.array([30, 31, 32]) * 24)

    certain = certain_zeros(history, folds)

    assert np.flatnonzero(certain[0]).tolist() == [0, 1, 2, 3, 4, 20, 21, 22, 23]
    assert not certain_zeros(replace(history, kind="wind"), folds).any()


def test_certain_zeros__sun_below_the_horizon_counts_where_it_is_known() -> None:
    history = solar_history(days=40)
    dark = (np.arange(len(history.times)) % 24 < 2).astype(float)

    certain = certain_zeros(
        replace(history, is_dark=dark), replace(make_folds(np.zeros((1, 1, 24))), at=np.array([30 * 24]))
    )

    assert np.flatnonzero(certain[0]).tolist() == [0, 1]
