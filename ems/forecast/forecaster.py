"""A forecast with honest probabilities: models fitted at an issue time, weighted and calibrated by the days before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ems.display import Card, Shown, counted
from ems.errors import InvalidInput
from ems.forecast.calibration import LEVELS, Calibration, CalibrationState, Calibrator, within
from ems.forecast.certainty import certain_zeros
from ems.forecast.folds import Folds, Progress, run_folds
from ems.forecast.history import SHORTEST_HISTORY_DAYS, History, Kind, Known
from ems.forecast.issue import steps_of
from ems.forecast.models.model import FittedModel
from ems.forecast.models.naive import SeasonalNaive
from ems.forecast.recipe import Recipe, combined
from ems.forecast.threads import one_thread

if TYPE_CHECKING:
    import datetime as dt

    import xarray as xr

WARM_UP_DAYS = 28
"""Days before an issue time over which weights and errors are learned from forecasts made as if it were then."""
FEWEST_WARM_UP_DAYS = 5
SHORT_HISTORY_DAMPING = 0.1
"""Of a few days it is not known how much of a day repeats itself; a tenth less is rarely worse."""
WARM_UP_PACE = 7.0
"""In these days models are fitted again a seventh as often: errors are hardly larger, in a fifth of the time."""


@dataclass(frozen=True)
class SeriesTraits:
    """What a forecaster must know of its series.

    Parameters
    ----------
    name, asset, units, timezone : str
    kind : str
    step_h : float
    lower, upper : float, optional
    signals : tuple of str
        Names of those known ahead, all of which a forecast needs.
    """

    name: str
    asset: str
    units: str
    timezone: str
    kind: Kind
    step_h: float
    lower: float | None
    upper: float | None
    signals: tuple[str, ...]

    @classmethod
    def of(cls, history: History) -> SeriesTraits:
        """Return the traits of a history."""
        return cls(
            name=history.name,
            asset=history.asset,
            units=history.units,
            timezone=history.timezone,
            kind=history.kind,
            step_h=history.step_h,
            lower=history.lower,
            upper=history.upper,
            signals=tuple(sorted(history.known_ahead)),
        )

    def bounding(self, history: History) -> History:
        """Return a history within these bounds."""
        return replace(history, lower=self.lower, upper=self.upper)

    def check(self, history: History) -> None:
        """Raise where a history is not of these traits.

        Raises
        ------
        InvalidInput
        """
        findings = []
        if abs(history.step_h - self.step_h) > 1e-9:
            findings.append(f"steps of {history.step_h:g} h: the forecaster was fitted to steps of {self.step_h:g} h")
        missing = sorted(set(self.signals) - set(history.known_ahead))
        findings += [f"{name}: is not given, but the forecaster was fitted with it" for name in missing]
        if findings:
            raise InvalidInput(f"forecast of {history.label}", findings)


@dataclass(frozen=True, repr=False)
class FittedForecaster(Shown):
    """Fitted models, their weights, and the errors from which quantiles are made.

    Parameters
    ----------
    recipe : Recipe
    traits : SeriesTraits
    fitted : tuple of FittedModel
        Members that could be fitted, in the order of `members`.
    members : tuple of str
    weights : ndarray (members,)
        Zero of a member that only tells how wide the distribution is.
    folds : Folds
        The forecasts of the days before, without those of the members.
    points : ndarray (folds, steps)
        What the recipe forecast then.
    spread : ndarray (folds, steps)
        How wide the distribution was expected to be.
    is_certain : ndarray of bool (folds, steps)
    first_time : Timestamp
        First step of the raster to which the folds' positions refer.
    calibration : Calibration
    state : CalibrationState
    levels : tuple of float
    horizon_h : float
    in_local_days : bool
    trained_from, trained_until : Timestamp
        First step learned from, and the issue time.
    samples : int
    errors : mapping of str to float
        Mean absolute error of each candidate by which one was chosen; empty where nothing was.
    choice : str
    notes : tuple of str
    """

    recipe: Recipe
    traits: SeriesTraits
    fitted: tuple[FittedModel, ...]
    members: tuple[str, ...]
    weights: np.ndarray
    folds: Folds
    points: np.ndarray
    spread: np.ndarray
    is_certain: np.ndarray
    first_time: pd.Timestamp
    calibration: Calibration
    state: CalibrationState
    levels: tuple[float, ...]
    horizon_h: float
    in_local_days: bool
    trained_from: pd.Timestamp
    trained_until: pd.Timestamp
    samples: int
    errors: Mapping[str, float]
    choice: str
    notes: tuple[str, ...] = ()

    def caption(self) -> str:
        """Return what it is about."""
        return f"{self.recipe.name} fitted on {counted(self.samples, 'value')}"

    def card(self) -> Card:
        """Return what it was fitted on, which of its members count, and the errors by which one was chosen."""
        rows = [
            ("learned from", f"{self.trained_from:%Y-%m-%d %H:%M} to {self.trained_until:%Y-%m-%d %H:%M} UTC"),
            ("horizon", f"{self.horizon_h:g} h"),
            ("chosen", self.choice or self.recipe.name),
        ]
        weights = sorted(zip(self.members, self.weights, strict=True), key=lambda one: -one[1])
        rows += [(f"weight of {name}", f"{weight:.0%}") for name, weight in weights if weight >= 0.005]
        return Card(self.caption(), rows)

    def predict(
        self, history: History, issued_at: dt.datetime | pd.Timestamp | np.datetime64 | None = None
    ) -> xr.Dataset:
        """Return the forecast from an issue time, without fitting anything.

        Parameters
        ----------
        history : History
            What is known up to the issue time; later values are not looked at.
        issued_at : datetime, optional
            Beginning of the first step that is forecast; the time of fitting where it is left out.

        Returns
        -------
        Dataset (time, quantile)
            One variable, named as the series; ``issued_at`` is a coordinate.

        Raises
        ------
        InvalidInput
            If the history is of another step, lacks a signal, or the errors are too old to tell probabilities.
        """
        self.traits.check(history)
        at = history.position(self.trained_until if issued_at is None else issued_at)
        steps = steps_of(history, at, self.horizon_h, in_local_days=self.in_local_days)
        history = history.reaching(at + steps)
        with one_thread():
            point, spread = self._point(history, at, steps)
        offset = round((history.times[0] - self.first_time) / pd.Timedelta(hours=self.traits.step_h))
        minute = history.calendar.minute[at : at + steps]
        folds = self.folds.moved(offset).with_fold(at, minute)
        fold, width = len(folds.at) - 1, folds.observed.shape[1]
        dark = certain_zeros(history, folds)[fold, :steps]
        calibrator = Calibrator(
            folds,
            _with_last(self.points, np.where(dark, 0.0, point), width),
            _with_last(self.spread, spread, width),
            _with_last(self.is_certain, dark, width) == 1,
            self.levels,
            self.calibration,
            self.traits.bounding(history),
        )
        quantiles = calibrator.quantiles(fold, self.state)
        if quantiles is None:
            raise InvalidInput(
                f"forecast of {history.label}",
                f"at {history.times[at]:%Y-%m-%d %H:%M} UTC too few errors of the last {self.calibration.days:g} days "
                f"are known, as it was fitted at {self.trained_until:%Y-%m-%d %H:%M} UTC; fit it again",
            )
        return forecast_dataset(self.traits, history.times[at : at + steps], quantiles, self.levels, self._attrs())

    def _point(self, history: History, at: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the weighted mean of the members' forecasts, within the bounds, and the spread that is expected."""
        views: dict[float, Known] = {}
        mean, spread = np.zeros(steps), np.zeros(steps)
        for fitted, weight in zip(self.fitted, self.weights, strict=True):
            if weight == 0 and not fitted.model.tells_width:
                continue
            days = fitted.model.training_days
            if days not in views:
                views[days] = history.known_at(at, steps, days, fitted.model.least_days)
            predicted = fitted.predict(views[days])
            if fitted.model.tells_width:
                spread = predicted
            else:
                mean += weight * predicted
        return within(mean, self.traits.lower, self.traits.upper), spread

    def _attrs(self) -> dict[str, Any]:
        return {"model": self.recipe.name, "notes": list(self.notes)}


def _with_last(past: np.ndarray, last: np.ndarray, width: int) -> np.ndarray:
    """Return the values of past folds with those of one more below, filled with NaN to the right."""
    found = np.full((len(past) + 1, width), np.nan)
    found[:-1, : past.shape[1]] = past
    found[-1, : len(last)] = last
    return found


def fit_forecaster(
    history: History,
    recipe: Recipe,
    issued_at: dt.datetime | pd.Timestamp | np.datetime64 | None = None,
    *,
    horizon_h: float = 24.0,
    in_local_days: bool = True,
    levels: Sequence[float] = LEVELS,
    calibration: Calibration | None = None,
    warm_up_days: int = WARM_UP_DAYS,
    progress: Progress | None = None,
) -> FittedForecaster:
    """Return a forecaster fitted to what is known at an issue time.

    Forecasts are made as if it were each of the days before, at the same local time; from what became of them follow
    the weights of the members and the quantiles.

    Parameters
    ----------
    history : History
    recipe : Recipe
    issued_at : datetime, optional
        Beginning of the first step to be forecast; after the last measured value where it is left out.
    horizon_h : float
    in_local_days : bool
        Whether a horizon of whole days ends at the same local time: after 23 or 25 h where the clock changes.
    levels : sequence of float
        Probability levels, ascending, with 0.5 among them.
    calibration : Calibration, optional
    warm_up_days : int
        Days before, as far as the history reaches.
    progress : callable, optional

    Raises
    ------
    InvalidInput
        If the history is too short, a signal is missing, or no model can be fitted.
    """
    calibration = calibration or Calibration()
    levels = checked_levels(levels)
    at = history.last_known if issued_at is None else history.position(issued_at)
    own = steps_of(history, at, horizon_h, in_local_days=in_local_days)
    history = history.reaching(at + own)
    recipe, said = _affordable(recipe, history, at)
    least_days = max(member.least_days for member in recipe.members.values())
    before = days_before(history, at, warm_up_days, least_days)
    if len(before) < calibration.least_days:
        calibration = calibration.replace(least_days=max(1, len(before)))
    starts = [*before, at]
    counts = [steps_of(history, one, horizon_h, in_local_days=in_local_days) for one in starts]
    folds = run_folds(recipe.members, history, starts, counts, progress, pace=WARM_UP_PACE)
    # What is measured at the issue time or after it is not known; a file may hold it all the same.
    folds = replace(folds, observed=np.where(folds.position < at, folds.observed, np.nan))
    result = combined(recipe, folds, history.steps_per_day)
    is_certain = certain_zeros(history, folds)
    points = bounded(result.points, is_certain, history)
    _, state = Calibrator(folds, points, result.spread, is_certain, levels, calibration, history).run()
    # Members that tell widths stand last, as they have no weight.
    names = sorted(
        (name for name in recipe.members if name in folds.members), key=lambda one: recipe.members[one].tells_width
    )
    last = folds.of(names)
    keep = len(folds.at) - 1
    fewer = () if len(before) >= warm_up_days else (f"only {len(before)} days before could be forecast to learn from",)
    return FittedForecaster(
        recipe=recipe,
        traits=SeriesTraits.of(history),
        fitted=last.fitted,
        members=last.members,
        weights=np.concatenate([result.weights[-1], np.zeros(len(last.members) - result.weights.shape[1])]),
        folds=replace(
            folds,
            members=(),
            fitted=(),
            seconds=np.empty(0),
            at=folds.at[:keep],
            counts=folds.counts[:keep],
            predicted=np.empty((0, keep, points.shape[1])),
            observed=folds.observed[:keep],
            minute=folds.minute[:keep],
        ),
        points=points[:keep],
        spread=result.spread[:keep],
        is_certain=is_certain[:keep],
        first_time=history.times[0],
        calibration=calibration,
        state=state,
        levels=levels,
        horizon_h=horizon_h,
        in_local_days=in_local_days,
        trained_from=history.times[_first_trained(history, recipe, at)],
        trained_until=history.times[at],
        samples=folds.samples,
        errors=result.errors,
        choice=result.choices[-1],
        notes=(*history.notes, *said, *fewer, *folds.notes),
    )


def _first_trained(history: History, recipe: Recipe, at: int) -> int:
    """Return the first step that any member learns from."""
    days = max(member.training_days for member in recipe.members.values())
    return max(0, at - round(days * 24 / history.step_h))


def checked_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Return levels of probability, checked.

    Raises
    ------
    InvalidInput
        If they do not ascend, lie outside (0, 1), or lack the median, which is the point forecast.
    """
    found = tuple(float(one) for one in levels)
    findings = []
    if not all(0 < one < 1 for one in found):
        findings.append("each must lie above 0 and below 1")
    if list(found) != sorted(set(found)):
        findings.append("they must ascend, without repeating")
    if not any(abs(one - 0.5) < 1e-9 for one in found):
        findings.append("0.5 must be among them: the median is the point forecast")
    if findings:
        raise InvalidInput(f"quantiles = {list(found)}", findings)
    return found


def _affordable(recipe: Recipe, history: History, at: int) -> tuple[Recipe, tuple[str, ...]]:
    """Return a recipe that the history is long enough for, and a sentence where that is another one.

    Of auto, where the history is too short for anything that learns, a rule is left: the same time of the day before.
    """
    days = days_known(history, at)
    if recipe.way != "auto" or days >= SHORTEST_HISTORY_DAYS + 1 + FEWEST_WARM_UP_DAYS:
        return recipe, ()
    rule = Recipe(recipe.name, {"seasonal_naive": SeasonalNaive(damping=SHORT_HISTORY_DAMPING)})
    least = SHORTEST_HISTORY_DAYS + 1 + FEWEST_WARM_UP_DAYS
    return rule, (
        f"{days:.3g} days of history: auto took seasonal_naive, the same time of the day before, drawn by "
        f"{SHORT_HISTORY_DAMPING:.0%} towards that day's mean, as models that learn need {least} days; its "
        "probabilities rest on few errors",
    )


def days_known(history: History, at: int) -> float:
    """Return the days from the first known value to a step."""
    known = np.flatnonzero(np.isfinite(history.values[:at]))
    return (at - int(known[0])) / history.steps_per_day if known.size else 0.0


def days_before(history: History, at: int, most: int, least_days: int = SHORTEST_HISTORY_DAYS) -> list[int]:
    """Return the issue times at the same local time on the days before, ascending, as far as the history reaches.

    Parameters
    ----------
    history : History
    at : int
    most : int
    least_days : int
        Days of history that a model needs before each of them.

    Raises
    ------
    InvalidInput
        If it does not reach far enough to tell probabilities.
    """
    per_day = history.steps_per_day
    is_learned = least_days >= SHORTEST_HISTORY_DAYS
    first_usable = (least_days + is_learned) * per_day
    fewest = min(FEWEST_WARM_UP_DAYS if is_learned else 1, most)
    known = np.flatnonzero(np.isfinite(history.values[:at]))
    first_known = int(known[0]) if known.size else at
    found = []
    for day in range(most, 0, -1):
        place = int(history.calendar.same_time(np.array([at]), day, per_day)[0])
        if place - first_known >= first_usable:
            found.append(place)
    if len(found) < fewest:
        learned = SHORTEST_HISTORY_DAYS + 1 + FEWEST_WARM_UP_DAYS
        least = "" if is_learned else "2, of models that learn "
        raise InvalidInput(
            f"forecast of {history.label}",
            f"{days_known(history, at):.3g} days of history before the issue time: a forecast with probabilities "
            f"needs at least {least}{learned}; give a longer history or a later issue time",
        )
    return found


def bounded(points: np.ndarray, is_certain: np.ndarray, history: History) -> np.ndarray:
    """Return point forecasts within what can be: zero where that is certain, between the bounds elsewhere."""
    return np.where(is_certain & np.isfinite(points), 0.0, within(points, history.lower, history.upper))


def forecast_dataset(
    traits: SeriesTraits,
    times: pd.DatetimeIndex,
    quantiles: np.ndarray,
    levels: Sequence[float],
    attrs: Mapping[str, Any],
) -> xr.Dataset:
    """Return quantiles as the dataset which flows: (time, quantile), with its issue time."""
    import xarray as xr

    return xr.Dataset(
        {traits.name: (("time", "quantile"), quantiles, {"units": traits.units})},
        coords={"time": times.to_numpy(), "quantile": np.asarray(levels), "issued_at": times[0].to_datetime64()},
        attrs={"timezone": traits.timezone, "kind": traits.kind, "asset": traits.asset, **attrs},
    )
