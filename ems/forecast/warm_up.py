"""The days before a forecast as a backtest: how good and how honest the forecaster was where it learned its errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from ems.forecast.backtest import OF_RULES, Backtest
from ems.forecast.calibration import Calibrator
from ems.forecast.folds import run_folds
from ems.forecast.forecaster import FittedForecaster, bounded
from ems.forecast.history import History
from ems.forecast.recipe import Recipe, combined, simple_rules


def warm_up_of(fitted: FittedForecaster, history: History) -> Backtest:
    """Return what a forecaster would have said on the days before it was issued, beside the simple rules.

    Each day's quantiles rest on the errors known then; the first days have too few of them and are left out.

    Parameters
    ----------
    fitted : FittedForecaster
    history : History
        What it was fitted to.
    """
    offset = round((history.times[0] - fitted.first_time) / pd.Timedelta(hours=fitted.traits.step_h))
    folds = fitted.folds.moved(offset)
    bounds = fitted.traits.bounding(history)
    said, _ = Calibrator(
        folds, fitted.points, fitted.spread, fitted.is_certain, fitted.levels, fitted.calibration, bounds
    ).run()
    # Rules look at no signal, and one that lacks a value must not keep them from a day.
    plain = replace(bounds, known_ahead={}, known_past={})
    of_rules = run_folds(simple_rules(), plain, folds.at.tolist(), folds.counts.tolist())
    options = fitted.calibration.replace(**OF_RULES)
    quantiles = {fitted.recipe.name: said}
    points_of = {fitted.recipe.name: fitted.points}
    for name in of_rules.members:
        found = combined(Recipe(name, {name: simple_rules()[name]}), of_rules, history.steps_per_day)
        points_of[name] = points = bounded(found.points, fitted.is_certain, bounds)
        quantiles[name], _ = Calibrator(
            folds, points, found.spread, fitted.is_certain, fitted.levels, options, bounds
        ).run()
    inside = np.arange(folds.observed.shape[1]) < folds.counts[:, None]
    chosen = np.flatnonzero((np.isfinite(said).all(axis=2) & inside).any(axis=1))
    is_certain = fitted.is_certain
    if not chosen.size:
        # A single day before: it taught what errors are like, and was itself forecast without probabilities.
        chosen, is_certain = np.arange(len(folds.at)), np.ones(inside.shape, dtype=bool)
        quantiles = {
            name: np.repeat(one[..., None], len(fitted.levels), axis=2)
            for name, one in points_of.items()
            if np.isfinite(one[inside]).all()
        }
    times = history.reaching(int(folds.position.max()) + 1).times.to_numpy()[folds.position]
    units = {"units": fitted.traits.units}
    dims = ("model", "issued_at", "step", "quantile")
    dataset = xr.Dataset(
        {
            "predicted": (dims, np.stack([one[chosen] for one in quantiles.values()]), units),
            "observed": (("issued_at", "step"), np.where(inside, folds.observed, np.nan)[chosen], units),
        },
        coords={
            "model": list(quantiles),
            "issued_at": history.times.to_numpy()[folds.at[chosen]],
            "step": np.arange(inside.shape[1]),
            "quantile": np.array(fitted.levels),
            "time": (("issued_at", "step"), np.where(inside, times, np.datetime64("NaT"))[chosen]),
            "lead_h": ("step", np.arange(inside.shape[1]) * fitted.traits.step_h),
            "seconds": ("model", np.full(len(quantiles), np.nan)),
        },
        attrs={
            "variable": fitted.traits.name,
            "units": fitted.traits.units,
            "timezone": fitted.traits.timezone,
            "kind": fitted.traits.kind,
            "asset": fitted.traits.asset,
            "step_h": fitted.traits.step_h,
            "notes": [],
        },
    )
    return Backtest(dataset, history, is_certain[chosen], tuple(quantiles)[1:], {}, {})
