"""Rules that need no fitting: the last value, the same time of an earlier day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ems.errors import MissingValues
from ems.forecast.models.model import FittedModel, Model, State

if TYPE_CHECKING:
    from ems.forecast.history import Known

Season = Literal["day", "week", "kind_of_day", "mean_of_days", "mean_of_weeks"]
MOST_WEEKS = 8
DAYS_OF_MEAN = 7
WEEKS_OF_MEAN = 4


class LastValue(Model):
    """The last measured value, for all steps."""

    name: ClassVar[str] = "last_value"
    meaning: ClassVar[str] = "the last measured value, for all steps"

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

    season: Season = "day"
    """The day before; the same day last week; the day before, but last week for Saturday, Sunday and Monday; the mean
    of the last seven days; the mean of the same weekday over four weeks."""

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
        if self.season == "mean_of_days":
            found = _mean(_earlier(known, 1, DAYS_OF_MEAN), DAYS_OF_MEAN)
        elif self.season == "mean_of_weeks":
            found = _mean(_earlier(known, 7, WEEKS_OF_MEAN), WEEKS_OF_MEAN)
        else:
            by_day, by_week = _first(_earlier(known, 1, 7 * MOST_WEEKS)), _first(_earlier(known, 7, MOST_WEEKS))
            is_weekly = np.full(known.steps, self.season == "week")
            if self.season == "kind_of_day":
                is_weekly = np.isin(known.calendar.weekday[known.past_steps :], (5, 6, 0))
            found = np.where(is_weekly, by_week, by_day)
            found = np.where(np.isfinite(found), found, by_day)
        missing = ~np.isfinite(found)
        if missing.any():
            first = known.times[int(np.argmax(missing))]
            raise MissingValues(
                f"model 'seasonal_naive' for {known.history.label}",
                f"no earlier day has a value at the local time of {first:%Y-%m-%d %H:%M} UTC; give a longer history",
            )
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


def _earlier(known: Known, spacing_days: int, count: int) -> np.ndarray:
    """Return values of the same local time on earlier days, the latest known one first, shape (count, steps)."""
    per_day = known.history.steps_per_day
    position = np.arange(known.past_steps, known.past_steps + known.steps)
    # Of a horizon longer than the season, its later part looks back to the same last days as its first part.
    ahead = (position - known.past_steps) // (spacing_days * per_day)
    rows = []
    for number in range(1, count + 1):
        place = known.calendar.same_time(position, spacing_days * (ahead + number), per_day)
        place = np.minimum(place, known.past_steps - 1)
        rows.append(np.where(place >= 0, known.values[np.maximum(place, 0)], np.nan))
    return np.stack(rows)


def _first(values: np.ndarray) -> np.ndarray:
    """Return the first known value of each column."""
    known = np.isfinite(values)
    found: np.ndarray = values[np.argmax(known, axis=0), np.arange(values.shape[1])]
    return found


def _mean(values: np.ndarray, count: int) -> np.ndarray:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    number = known.sum(axis=0)
    mean: np.ndarray = np.divide(total, number, out=np.full(values.shape[1], np.nan), where=number > 0)
    return mean
