"""Folds: models run from issue time to issue time, each with what was known then and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ems.errors import InvalidInput
from ems.forecast.history import History, Known
from ems.forecast.models.model import FittedModel, Model
from ems.forecast.threads import one_thread

Progress = Callable[[int, int], None]
"""Told how many folds of how many are done."""


@dataclass(frozen=True)
class Folds:
    """Point forecasts of several models from several issue times.

    Parameters
    ----------
    members : tuple of str
    at : ndarray of int (folds,)
        Issue times as positions in the raster, ascending.
    counts : ndarray of int (folds,)
        Steps of each fold; after them, arrays hold NaN.
    predicted : ndarray (members, folds, steps)
    observed : ndarray (folds, steps)
        What was measured later; NaN is a gap, or not yet known.
    minute : ndarray of int (folds, steps)
        Minute of the local day at which each step begins; -1 after a fold's steps.
    fitted : tuple of FittedModel
        The models as they were at the last issue time.
    seconds : ndarray (members,)
        CPU seconds of a fold, on average.
    samples : int
        Values from which the last fits learned.
    notes : tuple of str
        Folds and models that were left out, with the reason.
    """

    members: tuple[str, ...]
    at: np.ndarray
    counts: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    minute: np.ndarray
    fitted: tuple[FittedModel, ...]
    seconds: np.ndarray
    samples: int
    notes: tuple[str, ...] = ()

    @property
    def position(self) -> np.ndarray:
        """Steps of the raster, shape (folds, steps)."""
        return self.at[:, None] + np.arange(self.predicted.shape[2])

    def of(self, names: Sequence[str]) -> Folds:
        """Return the folds of some of the members, in their order."""
        numbers = [self.members.index(name) for name in names]
        return replace(
            self,
            members=tuple(names),
            predicted=self.predicted[numbers],
            fitted=tuple(self.fitted[number] for number in numbers),
            seconds=self.seconds[numbers],
        )

    def with_fold(self, at: int, minute: np.ndarray) -> Folds:
        """Return the folds with one more, later one, of which nothing is known yet.

        Parameters
        ----------
        at : int
            Its issue time.
        minute : ndarray of int (steps,)
            Minute of the local day of its steps.
        """
        width = max(self.minute.shape[1], len(minute))

        def longer(values: np.ndarray, rows: int, fill: float) -> np.ndarray:
            pad = [(0, 0)] * (values.ndim - 2) + [(0, rows), (0, width - values.shape[-1])]
            return np.pad(values, pad, constant_values=fill)

        minutes = longer(self.minute, 1, -1)
        minutes[-1, : len(minute)] = minute
        return replace(
            self,
            at=np.append(self.at, at),
            counts=np.append(self.counts, len(minute)),
            predicted=longer(self.predicted, 1, np.nan),
            observed=longer(self.observed, 1, np.nan),
            minute=minutes,
        )

    def moved(self, steps: int) -> Folds:
        """Return the folds on a raster that begins so many steps later."""
        return replace(self, at=self.at - steps)

    def seen(self, fold: int, days: float, steps_per_day: int) -> np.ndarray:
        """Return which steps of earlier folds were measured when a fold was issued, shape (folds, steps).

        Parameters
        ----------
        fold : int
        days : float
            Only folds issued within so many days before.
        steps_per_day : int
        """
        at = self.at[fold]
        is_recent = (self.at < at) & (self.at >= at - days * steps_per_day)
        seen: np.ndarray = is_recent[:, None] & (self.position < at) & np.isfinite(self.observed)
        return seen


def run_folds(
    models: Mapping[str, Model],
    history: History,
    at: Sequence[int],
    steps: Sequence[int],
    progress: Progress | None = None,
    *,
    pace: float = 1.0,
) -> Folds:
    """Return what models forecast from each issue time, fitted again as often as each says.

    A model that cannot be fitted is left out, with a note; a fold that lacks a signal is, too, unless it is the last
    one, which is the forecast that was asked for.

    Parameters
    ----------
    models : mapping of str to Model
        By the name under which each is shown.
    history : History
    at : sequence of int
        Issue times, ascending.
    steps : sequence of int
        Steps of each fold.
    progress : callable, optional
    pace : float
        Models are fitted again after so many times the days that each says; at the last issue time in any case.

    Raises
    ------
    InvalidInput
        If no model can be fitted, or the last fold lacks something.
    """
    at, steps = [int(one) for one in at], [int(one) for one in steps]
    history = history.reaching(max(a + s for a, s in zip(at, steps, strict=True)))
    width = max(steps)
    predicted = np.full((len(models), len(at), width), np.nan)
    observed = np.full((len(at), width), np.nan)
    minute = np.full((len(at), width), -1)
    runners = [_Runner(name, model) for name, model in models.items()]
    least_days = min(model.least_days for model in models.values())
    notes: list[str] = []
    kept = []
    for fold, (first, count) in enumerate(zip(at, steps, strict=True)):
        views: dict[float, Known] = {}
        is_last = fold == len(at) - 1
        try:
            for runner in runners:
                days = runner.model.training_days
                if days not in views:
                    views[days] = history.known_at(first, count, days, least_days)
        except InvalidInput as error:
            if is_last:
                raise
            notes.append(
                f"the forecast of {history.times[first]:%Y-%m-%d %H:%M} UTC was left out: {error.findings[0]}"
            )
            continue
        kept.append(fold)
        observed[fold, :count] = history.values[first : first + count]
        minute[fold, :count] = history.calendar.minute[first : first + count]
        with one_thread():
            for number, runner in enumerate(runners):
                predicted[number, fold, :count] = runner.run(views[runner.model.training_days], pace, is_last=is_last)
        if progress is not None:
            progress(fold + 1, len(at))
    working = [number for number, runner in enumerate(runners) if runner.fitted is not None]
    failures = [f"{runner.name} was left out: {runner.failure}" for runner in runners if runner.failure is not None]
    if not working:
        raise InvalidInput(f"forecast of {history.label}", [runner.failure or "no model" for runner in runners])
    last = views[runners[working[0]].model.training_days]
    return Folds(
        members=tuple(runners[number].name for number in working),
        at=np.array(at)[kept],
        counts=np.array(steps)[kept],
        predicted=predicted[np.ix_(working, kept)],
        observed=observed[kept],
        minute=minute[kept],
        fitted=tuple(runners[number].fitted for number in working),  # type: ignore[misc]
        seconds=np.array([runners[number].seconds / max(1, len(kept)) for number in working]),
        samples=last.samples,
        notes=(*dict.fromkeys(failures), *notes),
    )


class _Runner:
    """A model on its way through the folds."""

    def __init__(self, name: str, model: Model) -> None:
        self.name = name
        self.model = model
        self.fitted: FittedModel | None = None
        self.fitted_at = 0
        self.updated_at = 0
        self.seconds = 0.0
        self.failure: str | None = None

    def run(self, known: Known, pace: float, *, is_last: bool) -> np.ndarray:
        """Return the model's forecast, NaN where it cannot be fitted; fitted again where it is due."""
        begin = time.process_time()
        per_day = known.history.steps_per_day
        try:
            if (
                self.fitted is None
                or known.at - self.fitted_at >= pace * self.model.refit_days * per_day
                or (is_last and pace > 1)
            ):
                self.fitted, self.fitted_at, self.updated_at = self.model.fit_once(known), known.at, known.at
            elif known.at - self.updated_at >= pace * per_day or pace == 1:
                self.fitted, self.updated_at = self.fitted.update(known), known.at
            self.failure = None
            return self.fitted.predict(known)
        except InvalidInput as error:
            self.failure = error.findings[0]
            if self.fitted is not None and known.at > self.fitted_at:
                self.fitted = None
            return np.full(known.steps, np.nan)
        finally:
            self.seconds += time.process_time() - begin
