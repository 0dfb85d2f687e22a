"""What a forecast rests on: by how much its error grows when a signal, recent values or the calendar are mixed up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ems.errors import InvalidInput
from ems.forecast.calendar import LocalCalendar
from ems.forecast.calibration import within
from ems.forecast.folds import Folds
from ems.forecast.forecaster import FittedForecaster
from ems.forecast.history import History, Known
from ems.forecast.models.model import FittedModel
from ems.forecast.threads import one_thread

CALENDAR = "calendar"
RECENT_VALUES = "recent values"
USUAL_DAYS, FEWEST_DAYS = 14, 5
MOST_FORECASTS = 200
"""Forecasts after which a report would wait too long; where there are many signals, fewer days are looked at."""

Views = Mapping[float, Known]
"""What is known at one issue time, by the days that members learn from."""


def permutation_importance(
    fitted: FittedForecaster, history: History, *, days: int | None = None, repeats: int = 3, seed: int = 0
) -> pd.DataFrame:
    """Return by which share the error of a forecaster grows when something that it knows is mixed up [1]_.

    importance = MAE of the point forecasts with one thing mixed up / their MAE as they are - 1, on the last days
    before the forecaster's issue time. Its members are fitted once more to what was known before the first of these
    days, so that they have not seen what they are scored on; weights are the forecaster's.

    Mixed up are, one at a time:

    - each signal known ahead: its values within a day's horizon are those of another one of the days, whole, so that
      the shape over the day stays; its values before the issue time stay as well;
    - ``recent values``: what was measured before an issue time is what had been measured before one up to so many days
      earlier; with them their lags and means;
    - each signal known once it is measured: in the same way;
    - ``calendar``: the dates are moved by up to so many days, so that weekday, holiday and season are wrong; the hour
      of the day stays.

    It takes days * (1 + repeats * features) point forecasts: seconds, or minutes for a model that learns again in each
    of them, as ARIMA.

    It tells what these models make use of, not what causes what. Of two signals that tell the same, each seems to
    matter little, as the other one still tells it. An importance of about zero, or below, is that of chance.

    Parameters
    ----------
    fitted : FittedForecaster
    history : History
        What it was fitted to.
    days : int, optional
        Days that are looked at; where it is left out 14, or fewer where there are many signals, but at least 5.
    repeats : int
        Times that each is mixed up, each time otherwise.
    seed : int

    Returns
    -------
    DataFrame
        ``feature``, ``importance`` (a share, the mean over repeats) and ``spread`` (its standard deviation over
        repeats), the most important first; NaN where the forecasts had no error, which cannot grow.

    Raises
    ------
    InvalidInput
        If the history is not of the forecaster's series, there are fewer than two days to exchange, or no member can
        be fitted.

    References
    ----------
    .. [1] L. Breiman, "Random forests," Machine Learning, vol. 45, 2001, doi:10.1023/A:1010933404324.
    """
    fitted.traits.check(history)
    if repeats < 1 or (days is not None and days < 2):
        raise InvalidInput(
            f"importance for {history.label}", f"days = {days}, repeats = {repeats}: must be at least 2 and 1"
        )
    features = [CALENDAR, RECENT_VALUES, *history.known_ahead, *history.known_past]
    quick = min(USUAL_DAYS, max(FEWEST_DAYS, MOST_FORECASTS // (len(features) * repeats)))
    random = np.random.default_rng(seed)
    rows = []
    with one_thread():
        evaluation = _Evaluation.of(fitted, history, quick if days is None else days)
        plain = evaluation.mae(evaluation.views)
        for feature in features:
            mixed = _mixing(feature, evaluation)
            grown = [evaluation.mae(mixed(random)) / plain - 1 if plain > 0 else np.nan for _ in range(repeats)]
            rows.append((feature, float(np.mean(grown)), float(np.std(grown))))
    table = pd.DataFrame(rows, columns=["feature", "importance", "spread"])
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


@dataclass(frozen=True)
class _Evaluation:
    """Days before a forecaster's issue time, and models that have not seen them.

    Parameters
    ----------
    history : History
    folds : Folds
        Of these days, on the history's raster.
    is_certain : ndarray of bool (folds, steps)
    members : tuple of (FittedModel, float)
        With their weights.
    bounds : tuple of float, optional
    views : tuple of Views
        What was known on each day.
    """

    history: History
    folds: Folds
    is_certain: np.ndarray
    members: tuple[tuple[FittedModel, float], ...]
    bounds: tuple[float | None, float | None]
    views: tuple[Views, ...]

    @classmethod
    def of(cls, fitted: FittedForecaster, history: History, days: int) -> _Evaluation:
        """Return the last days of a forecaster that were measured, and its members fitted before them."""
        offset = round((history.times[0] - fitted.first_time) / pd.Timedelta(hours=fitted.traits.step_h))
        folds = fitted.folds.moved(offset)
        measured = np.flatnonzero(np.isfinite(folds.observed).any(axis=1) & (folds.at > 0))[-days:]
        if len(measured) < 2:
            raise InvalidInput(
                f"importance for {history.label}",
                f"{len(measured)} days before {fitted.trained_until:%Y-%m-%d %H:%M} UTC are measured: at least 2 are "
                "needed to exchange them",
            )
        history = history.reaching(int((folds.at + folds.counts).max()))
        used = [
            (one, weight)
            for one, weight in zip(fitted.fitted, fitted.weights, strict=True)
            if weight and not one.model.tells_width
        ]
        lengths = {one.model.training_days for one, _ in used}
        views = tuple(
            {length: history.known_at(int(folds.at[fold]), int(folds.counts[fold]), length) for length in lengths}
            for fold in measured
        )
        return cls(
            history=history,
            folds=replace(
                folds, at=folds.at[measured], counts=folds.counts[measured], observed=folds.observed[measured]
            ),
            is_certain=fitted.is_certain[measured],
            members=tuple(_fitted_before(views[0], used)),
            bounds=(fitted.traits.lower, fitted.traits.upper),
            views=views,
        )

    def mae(self, views: tuple[Views, ...]) -> float:
        """Return the mean absolute error of point forecasts over all days, where it is measured and not certain."""
        errors = []
        for fold, view in enumerate(views):
            count = self.folds.counts[fold]
            mean = sum(weight * one.predict(view[one.model.training_days]) for one, weight in self.members)
            error = np.abs(within(np.asarray(mean), *self.bounds) - self.folds.observed[fold, :count])
            errors.append(error[np.isfinite(error) & ~self.is_certain[fold, :count]])
        every = np.concatenate(errors)
        return float(every.mean()) if every.size else 0.0

    @cached_property
    def shiftable(self) -> tuple[np.ndarray, ...]:
        """Days by which each day's dates can be moved without the local clock being set otherwise."""
        number = len(self.views)
        candidates = np.array([day for day in range(-number, number + 1) if day])
        times = self.history.times[self.folds.at]
        offset = _offset_min(times, self.history.timezone)
        found = []
        for time, own in zip(times, offset, strict=True):
            moved = _offset_min(pd.DatetimeIndex(time + pd.to_timedelta(candidates, unit="D")), self.history.timezone)
            found.append(candidates[moved == own])
        return tuple(found)


def _fitted_before(views: Views, used: list[tuple[FittedModel, float]]) -> Iterator[tuple[FittedModel, float]]:
    """Yield members fitted to what was known on the first day; weights of those that could not be go to the others.

    Raises
    ------
    InvalidInput
        If none could be fitted.
    """
    found, failures = [], []
    for one, weight in used:
        try:
            found.append((one.model.fit_once(views[one.model.training_days]), weight))
        except InvalidInput as error:
            failures.append(error)
    total = sum(weight for _, weight in found)
    if not total:
        raise failures[0]
    for member, weight in found:
        yield member, weight / total


# ---------------------------------------------------------------------------------------------- mixing up
Mixed = Callable[[np.random.Generator], tuple[Views, ...]]


def _mixing(feature: str, evaluation: _Evaluation) -> Mixed:
    """Return a function that mixes a feature up, each time otherwise."""
    history = evaluation.history
    if feature in history.known_ahead:
        return lambda random: _with_other_signal(feature, evaluation, random)
    if feature in history.known_past:
        return lambda random: _with_earlier_values(feature, evaluation, random)
    if feature == RECENT_VALUES:
        return lambda random: _with_earlier_values(None, evaluation, random)
    return lambda random: _with_other_dates(evaluation, random)


def _with_other_signal(name: str, evaluation: _Evaluation, random: np.random.Generator) -> tuple[Views, ...]:
    """Return views in which a signal within each horizon is that of another day's horizon."""
    order = random.permutation(len(evaluation.views))
    other = np.empty_like(order)
    other[order] = np.roll(order, 1)  # each day takes that of another one, none its own
    found = []
    for view, from_day in zip(evaluation.views, other, strict=True):
        mixed = {}
        for length, known in view.items():
            source = evaluation.views[from_day][length]
            values = known.ahead[name].copy()
            # A day on which the clock changes is an hour longer or shorter; its last hour stays.
            count = min(known.steps, source.steps)
            values[known.past_steps : known.past_steps + count] = source.ahead[name][source.past_steps :][:count]
            mixed[length] = known.with_ahead({**known.ahead, name: values})
        found.append(mixed)
    return tuple(found)


def _with_earlier_values(name: str | None, evaluation: _Evaluation, random: np.random.Generator) -> tuple[Views, ...]:
    """Return views in which what was measured, of a signal or the series itself, is what was known days earlier."""
    found = []
    for view in evaluation.views:
        days = int(random.integers(1, len(evaluation.views) + 1))
        mixed = {}
        for length, known in view.items():
            place = known.calendar.same_time(np.arange(known.past_steps), days, known.history.steps_per_day)

            def earlier(values: np.ndarray, place: np.ndarray = place) -> np.ndarray:
                return np.where(place >= 0, values[np.maximum(place, 0)], np.nan)

            values = earlier(known.values) if name is None else known.values
            past = {key: earlier(one) if key == name else one for key, one in known.past.items()}
            mixed[length] = known.with_values(values, past)
        found.append(mixed)
    return tuple(found)


def _with_other_dates(evaluation: _Evaluation, random: np.random.Generator) -> tuple[Views, ...]:
    """Return views of the same values on other dates."""
    moved: dict[int, History] = {}
    found = []
    for view, choices in zip(evaluation.views, evaluation.shiftable, strict=True):
        days = int(random.choice(choices))
        if days not in moved:
            history = evaluation.history
            moved[days] = replace(history, times=history.times + pd.Timedelta(days=days))
        found.append({length: replace(known, history=moved[days], fits={}) for length, known in view.items()})
    return tuple(found)


def _offset_min(times: pd.DatetimeIndex, timezone: str) -> np.ndarray:
    return LocalCalendar.of(times, timezone).offset_min
