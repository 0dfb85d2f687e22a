"""Rules that need no fitting: the last value, the same time of an earlier day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ems.errors import MissingValues
from ems.forecast.models.model import FittedModel, Model, State
from ems.record import Fraction

if TYPE_CHECKING:
    from ems.forecast.calendar import LocalCalendar
    from ems.forecast.history import Known

Season = Literal["day", "week", "kind_of_day", "mean_of_days", "mean_of_weeks"]
MOST_WEEKS = 8
DAYS_OF_MEAN = 7
WEEKS_OF_MEAN = 4


class LastValue(Model):
    """The last measured value, for all steps."""

    name: ClassVar[str] = "last_value"
    meaning: ClassVar[str] = "the last measured value, for all steps"
    least_days: ClassVar[int] = 1

    def fit(self, known: Known) -> FittedRule:
        """Return the rule: there is nothing to learn."""
        return FittedRule(self)

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedRule:
        """Return the rule."""
        return FittedRule(cls(**options))

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step."""
        values = known.values[np.isfinite(known.values)]
        return np.full(known.steps, values[-1])


class SeasonalNaive(Model):
    """The value of the same local time on an earlier day; where that is a gap, of the next earlier one."""

    name: ClassVar[str] = "seasonal_naive"
    meaning: ClassVar[str] = "the value of the same local time on an earlier day"
    least_days: ClassVar[int] = 1

    season: Season = "day"
    """The day before; the same day last week; the day before, but last week for Saturday, Sunday and Monday; the mean
    of the last seven days; the mean of the same weekday over four weeks."""

    damping: Fraction = 0.0
    """Share by which each value is drawn towards the mean of the last day: not all of a day repeats itself."""

    def fit(self, known: Known) -> FittedRule:
        """Return the rule: there is nothing to learn."""
        return FittedRule(self)

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedRule:
        """Return the rule."""
        return FittedRule(cls(**options))

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step.

        Raises
        ------
        MissingValues
            If a step's local time was never measured on a day that the rule looks at.
        """
        values, calendar = known.values[None], known.calendar
        found: np.ndarray = naive_values(values, calendar, known.history.steps_per_day, self.season, known.steps)[0]
        missing = ~np.isfinite(found)
        if missing.any():
            first = known.times[int(np.argmax(missing))]
            raise MissingValues(
                f"model 'seasonal_naive' for {known.history.label}",
                f"no earlier day has a value at the local time of {first:%Y-%m-%d %H:%M} UTC; give a longer history",
            )
        if self.damping:
            last_day = known.values[-known.history.steps_per_day :]
            found = (1 - self.damping) * found + self.damping * np.nanmean(last_day)
        return found


@dataclass(frozen=True)
class FittedRule(FittedModel):
    """A rule, which has learned nothing."""

    model: LastValue | SeasonalNaive

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step."""
        return self.model.predict(known)

    def state(self) -> State:
        """Return nothing: there is nothing to keep."""
        return {}


def naive_values(values: np.ndarray, calendar: LocalCalendar, per_day: int, season: Season, steps: int) -> np.ndarray:
    """Return the seasonal naive forecast of several series, NaN where no earlier day has a value.

    Parameters
    ----------
    values : ndarray (series, past steps)
    calendar : LocalCalendar
        Of the past steps and those that are forecast.
    per_day : int
        Steps of a day.
    season : str
    steps : int

    Returns
    -------
    ndarray (series, steps)
    """
    back = _LookBack(values, calendar, per_day, steps)
    if season == "mean_of_days":
        return _mean(back.all(1, DAYS_OF_MEAN))
    if season == "mean_of_weeks":
        return _mean(back.all(7, WEEKS_OF_MEAN))
    by_day = back.first(1, 7 * MOST_WEEKS)
    if season == "day":
        return by_day
    by_week = back.first(7, MOST_WEEKS)
    is_weekly = np.full(steps, True)
    if season == "kind_of_day":
        is_weekly = np.isin(calendar.weekday[values.shape[1] :], (5, 6, 0))
    return np.where(is_weekly & np.isfinite(by_week), by_week, by_day)


@dataclass(frozen=True)
class _LookBack:
    """Values of the same local time on earlier days; parameters are those of `naive_values`."""

    values: np.ndarray
    calendar: LocalCalendar
    per_day: int
    steps: int

    def on(self, spacing_days: int, number: int) -> np.ndarray:
        """Return the values of the number-th last day, shape (series, steps)."""
        past = self.values.shape[1]
        position = np.arange(past, past + self.steps)
        # Of a horizon longer than the season, its later part looks back to the same last days as its first part.
        ahead = (position - past) // (spacing_days * self.per_day)
        place = self.calendar.same_time(position, spacing_days * (ahead + number), self.per_day)
        place = np.minimum(place, past - 1)
        return np.where(place >= 0, self.values[:, np.maximum(place, 0)], np.nan)

    def all(self, spacing_days: int, count: int) -> np.ndarray:
        """Return the values of the last days, the latest first, shape (count, series, steps)."""
        return np.stack([self.on(spacing_days, number) for number in range(1, count + 1)])

    def first(self, spacing_days: int, count: int) -> np.ndarray:
        """Return the latest known value of the last days, shape (series, steps)."""
        found = self.on(spacing_days, 1)
        for number in range(2, count + 1):
            missing = ~np.isfinite(found)
            if not missing.any():
                break
            found = np.where(missing, self.on(spacing_days, number), found)
        return found


def _mean(values: np.ndarray) -> np.ndarray:
    """Return means of what is known over the first axis."""
    known = np.isfinite(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: np.ndarray = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return mean
