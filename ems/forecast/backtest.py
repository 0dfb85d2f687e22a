"""Backtest: what models would have forecast from day to day, each with what was known then, and how good that was."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ems.display import Card, Shown, counted, shown_number
from ems.errors import InvalidInput
from ems.forecast.calibration import LEVELS, Calibration, Calibrator
from ems.forecast.certainty import certain_zeros
from ems.forecast.folds import Folds, Progress, run_folds
from ems.forecast.forecaster import WARM_UP_DAYS, bounded, checked_levels, days_before
from ems.forecast.history import History
from ems.forecast.issue import issue_positions, steps_of
from ems.forecast.models.model import Model
from ems.forecast.recipe import Combined, Recipe, combined, simple_rules

if TYPE_CHECKING:
    import xarray as xr

OF_RULES = {"level": 1e6, "clock_h": 1.0, "correction": 0.0}
"""A simple rule stays as it is; its probabilities follow from its errors at the same time of day."""


@dataclass(frozen=True, repr=False)
class Backtest(Shown):
    """Forecasts of several models over the same days, and what came.

    Parameters
    ----------
    dataset : Dataset
        ``predicted(model, issued_at, step, quantile)`` and ``observed(issued_at, step)``; NaN after a fold's steps.
        Coordinates ``time(issued_at, step)``, ``lead_h(step)`` and ``seconds(model)``, CPU seconds of a fold.
    history : History
    is_certain : ndarray of bool (issued_at, step)
        Steps whose value is certain, as solar power at night; they say nothing about probabilities.
    rules : tuple of str
        Models that are simple rules; the best of them is the reference of skill.
    combined : mapping of str to Combined
        Weights and choices of models that are made of several, over the same folds.
    members : mapping of str to tuple of str
        Their members.
    """

    dataset: xr.Dataset
    history: History
    is_certain: np.ndarray
    rules: tuple[str, ...]
    combined: Mapping[str, Combined]
    members: Mapping[str, tuple[str, ...]]

    def caption(self) -> str:
        """Return what it is about."""
        folds = counted(self.dataset.sizes["issued_at"], "forecast")
        return f"Backtest of {self.history.label}: {folds} of {counted(len(self.models), 'model')}"

    def card(self) -> Card:
        """Return the mean absolute error of each model over the steps that all of them forecast, the least first."""
        usable, units = self.usable, self.history.units
        errors = {name: float(np.abs(self.median(name) - self.observed)[usable].mean()) for name in self.models}
        rows = [
            (name, f"{shown_number(float(f'{error:.4g}'))} {units}".rstrip())
            for name, error in sorted(errors.items(), key=lambda one: one[1])
        ]
        return Card(self.caption(), rows, ("model", "mean absolute error"))

    @property
    def models(self) -> list[str]:
        """Names of all models."""
        return [str(name) for name in self.dataset.model.values]

    @cached_property
    def usable(self) -> np.ndarray:
        """Steps that were measured and that all models forecast, shape (issued_at, step)."""
        predicted = self.dataset["predicted"].transpose("model", "issued_at", "step", "quantile").to_numpy()
        found: np.ndarray = np.isfinite(self.observed) & np.isfinite(predicted).all(axis=(0, 3))
        return found

    @property
    def observed(self) -> np.ndarray:
        """What was measured, shape (issued_at, step)."""
        values: np.ndarray = self.dataset["observed"].transpose("issued_at", "step").to_numpy()
        return values

    def quantiles(self, model: str) -> np.ndarray:
        """Return a model's quantiles, shape (issued_at, step, quantile)."""
        found = self.dataset["predicted"].sel(model=model).transpose("issued_at", "step", "quantile")
        values: np.ndarray = found.to_numpy()
        return values

    def median(self, model: str) -> np.ndarray:
        """Return a model's point forecast, shape (issued_at, step)."""
        levels = self.dataset["quantile"].to_numpy()
        return self.quantiles(model)[:, :, int(np.argmin(np.abs(levels - 0.5)))]

    def weights(self, model: str) -> pd.DataFrame:
        """Return the weights of a model's members, one row an issue time."""
        found = self.combined[model]
        return pd.DataFrame(
            found.weights, index=pd.DatetimeIndex(self.dataset.issued_at.values), columns=self.members[model]
        )


def backtest(
    history: History,
    recipes: Sequence[Recipe],
    *,
    days: int = 56,
    horizon_h: float = 24.0,
    issue_time: str = "00:00",
    every_days: int = 1,
    until: pd.Timestamp | np.datetime64 | None = None,
    in_local_days: bool = True,
    levels: Sequence[float] = LEVELS,
    calibration: Calibration | None = None,
    warm_up_days: int = WARM_UP_DAYS,
    training_days: float = 365.0,
    progress: Progress | None = None,
) -> Backtest:
    """Return what recipes, and the simple rules, would have forecast on each of the last days.

    The origin rolls from day to day; each forecast, weight and quantile rests on what was known at its issue time.

    Parameters
    ----------
    history : History
    recipes : sequence of Recipe
    days : int
        Days that are scored, the last ones that are measured.
    horizon_h : float
    issue_time : str
        Local time of the day at which each forecast is issued.
    every_days : int
        Days between two forecasts that are scored.
    until : datetime, optional
        End of the time that is scored; that of the measured values where it is left out.
    in_local_days : bool
        Whether a horizon of whole days ends at the same local time.
    levels : sequence of float
    calibration : Calibration, optional
    warm_up_days : int
        Days before the first one scored, from which its weights and probabilities are learned.
    training_days : float
        Days of history that simple rules may see; other models state their own.
    progress : callable, optional

    Raises
    ------
    InvalidInput
        If the history is too short, or a model cannot be fitted.
    """
    calibration = calibration or Calibration()
    levels = checked_levels(levels)
    if days < 1 or every_days < 1:
        raise InvalidInput(
            f"backtest of {history.label}", f"days = {days}, every_days = {every_days}: must be at least 1"
        )
    end = history.last_known if until is None else min(history.position(until), history.last_known)

    def length(at: int) -> int:
        return steps_of(history, at, horizon_h, in_local_days=in_local_days)

    all_days = [int(one) for one in issue_positions(history, issue_time) if one < end]
    whole = [one for one in all_days if one + length(one) <= end]
    if not whole:
        raise InvalidInput(
            f"backtest of {history.label}", f"no horizon of {horizon_h:g} h is measured whole; give a longer series"
        )
    scored = _reachable(history, whole[::-1][: days * every_days : every_days][::-1], warm_up_days)
    # Issue times between the scored ones are needed, too: weights and errors are learned from each day.
    between = [one for one in all_days if scored[0] <= one <= scored[-1]]
    starts = [*days_before(history, scored[0], warm_up_days), *between]
    counts = [length(one) for one in starts]
    rules = simple_rules(training_days)
    recipes, members = _sharing(recipes, rules)
    folds = run_folds(members, history, starts, counts, progress)
    missing = [one.name for one in recipes if not set(one.members) & set(folds.members)]
    if missing:
        raise InvalidInput(
            f"backtest of {history.label}", folds.notes or [f"{', '.join(missing)}: no forecast could be made"]
        )
    chosen = np.flatnonzero(np.isin(folds.at, scored))
    if not chosen.size:
        raise InvalidInput(f"backtest of {history.label}", folds.notes)
    single = [Recipe(name, {name: model}) for name, model in rules.items() if name in folds.members]
    is_certain = certain_zeros(history, folds)
    results, quantiles, seconds = {}, [], []
    for recipe in (*recipes, *single):
        begin = time.process_time()
        found = results[recipe.name] = combined(recipe, folds, history.steps_per_day)
        options = calibration.replace(**OF_RULES) if recipe in single else calibration
        points = bounded(found.points, is_certain, history)
        said, _ = Calibrator(folds, points, found.spread, is_certain, levels, options, history).run()
        quantiles.append(said)
        own = [number for number, name in enumerate(folds.members) if name in recipe.members]
        seconds.append(float(folds.seconds[own].sum()) + (time.process_time() - begin) / len(folds.at))
    names = [one.name for one in (*recipes, *single)]
    several = [one for one in recipes if one.way != "single"]
    return Backtest(
        dataset=_dataset(history, folds, dict(zip(names, quantiles, strict=True)), seconds, chosen).assign_coords(
            quantile=np.array(levels)
        ),
        history=history,
        is_certain=is_certain[chosen][:, : int(folds.counts[chosen].max())],
        rules=tuple(one.name for one in single),
        combined={one.name: _part(results[one.name], chosen) for one in several},
        members={one.name: _forecasting(one, folds) for one in several},
    )


def _sharing(recipes: Sequence[Recipe], rules: Mapping[str, Model]) -> tuple[list[Recipe], dict[str, Model]]:
    """Return the recipes and all their members, of which equal ones are run once, whichever recipes they are in.

    Raises
    ------
    InvalidInput
        If two recipes have one name.
    """
    names = [one.name for one in recipes]
    twice = sorted({name for name in names if names.count(name) > 1 or name in rules})
    if twice or not names:
        raise InvalidInput("models", [f"{name}: is named twice" for name in twice] or ["name at least one"])
    members: dict[str, Model] = dict(rules)
    renamed = []
    for recipe in recipes:
        own = {}
        for name, model in recipe.members.items():
            is_free = name not in members or members[name] == model
            own[name if is_free else f"{recipe.name}: {name}"] = model
        members |= own
        renamed.append(replace(recipe, members=own))
    return renamed, members


def _forecasting(recipe: Recipe, folds: Folds) -> tuple[str, ...]:
    """Return the members that forecast and could be fitted, as weights are ordered."""
    return tuple(name for name, one in recipe.members.items() if name in folds.members and not one.tells_width)


def _reachable(history: History, scored: Sequence[int], warm_up_days: int) -> list[int]:
    """Return the issue times before which there are days enough to learn from.

    Raises
    ------
    InvalidInput
        If there are none.
    """
    usable = []
    for at in scored:
        try:
            days_before(history, at, warm_up_days)
        except InvalidInput:
            continue
        usable.append(at)
    if not usable:
        days_before(history, scored[-1], warm_up_days)  # says what is missing
    return usable


def _dataset(
    history: History,
    folds: Folds,
    quantiles: Mapping[str, np.ndarray],
    seconds: Sequence[float],
    chosen: np.ndarray,
) -> xr.Dataset:
    import xarray as xr

    position = folds.position[chosen]
    inside = np.arange(position.shape[1]) < folds.counts[chosen][:, None]
    longest = int(folds.counts[chosen].max())
    times = history.reaching(int(position.max()) + 1).times.to_numpy()[position]
    times = np.where(inside, times, np.datetime64("NaT"))[:, :longest]
    attrs: dict[str, Any] = {
        "variable": history.name,
        "units": history.units,
        "timezone": history.timezone,
        "kind": history.kind,
        "asset": history.asset,
        "step_h": history.step_h,
        "notes": [*history.notes, *folds.notes],
    }
    units = {"units": history.units}
    dims = ("model", "issued_at", "step", "quantile")
    return xr.Dataset(
        {
            "predicted": (dims, np.stack([one[chosen][:, :longest] for one in quantiles.values()]), units),
            "observed": (("issued_at", "step"), np.where(inside, folds.observed[chosen], np.nan)[:, :longest], units),
        },
        coords={
            "model": list(quantiles),
            "issued_at": history.times.to_numpy()[folds.at[chosen]],
            "step": np.arange(longest),
            "time": (("issued_at", "step"), times),
            "lead_h": ("step", np.arange(longest) * history.step_h),
            "seconds": ("model", np.asarray(seconds)),
        },
        attrs=attrs,
    )


def _part(found: Combined, chosen: np.ndarray) -> Combined:
    choices = tuple(found.choices[fold] for fold in chosen)
    return replace(
        found, points=found.points[chosen], spread=found.spread[chosen], weights=found.weights[chosen], choices=choices
    )
