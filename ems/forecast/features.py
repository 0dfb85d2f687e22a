"""Features of direct models: one row for each step that is, or once was, forecast, with what was known at its issue.

A row belongs to a step and to the issue time from which it is forecast. Rows for learning are made as if forecasts had
been issued on each day of the past at the same local time, or every horizon where that is shorter than a day; so a
feature never holds what would not have been known.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ems.forecast.history import Known
from ems.forecast.signals import helpful_signals

DAYS = (1, 2, 3, 4, 5, 6, 7, 14, 21)
"""Days back whose same local time is a feature."""
WEEKS = (1, 2, 3, 4)
MOST_ROWS = 20_000
"""Rows to learn from; of longer horizons fewer issue times are taken, the latest ones."""
SMOOTHING_H = 2.0
LONGEST_SHORT_H, SHORTEST_LONG_H = 20.0, 30.0
"""Horizons between the two are a day, by which hour and lead time tell the same."""


@dataclass(frozen=True)
class Rows:
    """Steps with the issue times from which they are forecast.

    Parameters
    ----------
    position : ndarray of int (rows,)
        Step, counted from the begin of the window.
    origin : ndarray of int (rows,)
        First step of its forecast.
    steps : int
        Steps of each forecast.
    """

    position: np.ndarray
    origin: np.ndarray
    steps: int

    def __len__(self) -> int:
        return len(self.position)


@dataclass(frozen=True)
class Features:
    """Columns of numbers for rows of two sorts: to learn from, and to be forecast.

    Parameters
    ----------
    known : Known
    """

    known: Known

    @cached_property
    def is_daily(self) -> bool:
        """Whether issue times to learn from are a day apart; a day on which the clock changes has 23 or 25 hours."""
        return self.known.steps * self.known.history.step_h > LONGEST_SHORT_H

    @cached_property
    def spacing(self) -> int:
        """Steps between the issue times to learn from."""
        return self.known.history.steps_per_day if self.is_daily else self.known.steps

    @cached_property
    def origins(self) -> np.ndarray:
        """Issue times in the past from which the same forecast could have been made, ascending, in steps."""
        known = self.known
        at = known.past_steps
        per_day = known.history.steps_per_day
        if not self.is_daily:
            found = np.arange(at, 0, -self.spacing)[1:][::-1]
        else:
            calendar = known.calendar
            same = np.flatnonzero(calendar.minute[:at] == calendar.minute[at])
            # The hour that comes twice in autumn would make two issue times on one day.
            found = same[np.concatenate([[True], np.diff(same) > per_day // 2])] if same.size else same
        found = found[found >= per_day]
        most = max(1, MOST_ROWS // known.steps)
        every = max(1, -(-len(found) // most))
        chosen: np.ndarray = found[::-1][::every][::-1]
        return chosen

    @cached_property
    def past(self) -> Rows:
        """Rows to learn from: those whose value is known."""
        steps = self.known.steps
        origin = np.repeat(self.origins, steps)
        position = origin + np.tile(np.arange(steps), len(self.origins))
        usable = position < self.known.past_steps
        usable[usable] = np.isfinite(self.known.values[position[usable]])
        return Rows(position[usable], origin[usable], steps)

    @cached_property
    def ahead(self) -> Rows:
        """Rows to be forecast."""
        at, steps = self.known.past_steps, self.known.steps
        return Rows(np.arange(at, at + steps), np.full(steps, at), steps)

    @cached_property
    def target(self) -> np.ndarray:
        """Known values of the rows to learn from."""
        values: np.ndarray = self.known.values[self.past.position]
        return values

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._columns_ahead)

    @cached_property
    def past_matrix(self) -> np.ndarray:
        """Columns of the rows to learn from, shape (rows, columns); NaN where something is not known."""
        return np.column_stack(list(self._columns(self.past).values()))

    @cached_property
    def ahead_matrix(self) -> np.ndarray:
        """Columns of the rows to be forecast, shape (steps, columns)."""
        return np.column_stack(list(self._columns_ahead.values()))

    @cached_property
    def _columns_ahead(self) -> dict[str, np.ndarray]:
        return {**self._own_ahead, **{name: one for own in self._signals_ahead.values() for name, one in own.items()}}

    @cached_property
    def _own_ahead(self) -> dict[str, np.ndarray]:
        return self._own(self.ahead)

    @cached_property
    def _signals_ahead(self) -> dict[str, dict[str, np.ndarray]]:
        return {name: self._signal_columns(name, self.ahead) for name in self.signals}

    @property
    def is_made(self) -> bool:
        """Whether the columns of the rows to be forecast are there already."""
        return "_columns_ahead" in self.__dict__

    def varied(self, known: Known) -> Features:
        """Return the features of the same steps where values or signals are others; what stays is not made again.

        Columns of the rows to be forecast, that is; those of the rows to learn from are made when they are asked for.

        Parameters
        ----------
        known : Known
            Of the same window; arrays that are the same objects count as the same.
        """
        found, mine = Features(known), self.known
        is_same = known.values is mine.values and known.past.keys() == mine.past.keys()
        if is_same and all(values is mine.past[name] for name, values in known.past.items()):
            found.__dict__["_own_ahead"] = self._own_ahead
        found.__dict__["_signals_ahead"] = {
            name: self._signals_ahead[name]
            if name in self.signals and np.array_equal(values, self.signals[name], equal_nan=True)
            else found._signal_columns(name, found.ahead)
            for name, values in found.signals.items()
        }
        return found

    def hour_of(self, rows: Rows) -> np.ndarray:
        """Return the hour of the local day of each row."""
        hours: np.ndarray = self.known.calendar.hour[rows.position]
        return hours

    # ------------------------------------------------------------------------------------------ columns
    def _columns(self, rows: Rows) -> dict[str, np.ndarray]:
        columns = self._own(rows)
        for name in self.signals:
            columns |= self._signal_columns(name, rows)
        return columns

    def _own(self, rows: Rows) -> dict[str, np.ndarray]:
        """Return the columns that no signal known ahead has a part in."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing but gaps is a gap
            columns = {**self._calendar(rows), **self._lags(self.known.values, rows), **self._levels(rows)}
            for name, values in self.known.past.items():
                columns |= {f"{name}: {key}": one for key, one in self._observed(values, rows).items()}
        return columns

    def _signal_columns(self, name: str, rows: Rows) -> dict[str, np.ndarray]:
        return {f"{name}{key}": one for key, one in self._signal(self.signals[name], rows).items()}

    @cached_property
    def signals(self) -> Mapping[str, np.ndarray]:
        """Signals known ahead, with those that physics derives from them."""
        return helpful_signals(self.known.ahead, self.known.history.kind)

    def _calendar(self, rows: Rows) -> dict[str, np.ndarray]:
        calendar, at = self.known.calendar, rows.position
        angle = calendar.year_angle[at]
        columns = {
            "hour": calendar.minute[at] / 60,
            "weekday": calendar.weekday[at],
            "is_holiday": calendar.is_holiday[at],
            "is_off": calendar.is_off[at],
            "is_eve": calendar.is_eve[at],
            "is_after_off": calendar.is_after_off[at],
            "year_sin": np.sin(angle),
            "year_cos": np.cos(angle),
            "half_year_sin": np.sin(2 * angle),
            "half_year_cos": np.cos(2 * angle),
        }
        if not self.is_daily or rows.steps * self.known.history.step_h > SHORTEST_LONG_H:
            columns["lead_h"] = (rows.position - rows.origin) * self.known.history.step_h
        return {name: np.asarray(column, dtype=float) for name, column in columns.items()}

    def _lags(self, values: np.ndarray, rows: Rows) -> dict[str, np.ndarray]:
        """Return values of the same local time on the last days of which it was known at issue."""
        days = {day: self._same_time(values, rows, day) for day in sorted({*range(1, 8), *DAYS})}
        hour = max(1, round(1 / self.known.history.step_h))
        week = np.stack([days[day] for day in range(1, 8)])
        weeks = np.stack([self._same_weekday(values, rows, number) for number in WEEKS])
        return {
            **{f"day_{day}": days[day] for day in DAYS},
            "day_1_earlier": self._same_time(values, rows, 1, -hour),
            "day_1_later": self._same_time(values, rows, 1, hour),
            "week_mean": np.nanmean(week, axis=0),
            "week_median": np.nanmedian(week, axis=0),
            "week_least": np.nanmin(week, axis=0),
            "week_most": np.nanmax(week, axis=0),
            "weekday_mean": np.nanmean(weeks, axis=0),
        }

    def _levels(self, rows: Rows) -> dict[str, np.ndarray]:
        """Return the last values at issue and means of the time before."""
        values, per_day = self.known.values, self.known.history.steps_per_day
        hour = max(1, round(1 / self.known.history.step_h))
        mean = _WindowMean(values)
        origin = rows.origin
        unique, back = np.unique(origin, return_inverse=True)
        day = np.stack([_at(values, unique - 1 - shift) for shift in range(per_day)])
        return {
            "last": _at(values, origin - 1),
            "last_before": _at(values, origin - 1 - hour),
            "last_3_h": mean(origin - 3 * hour, origin),
            "last_6_h": mean(origin - 6 * hour, origin),
            "day_1_mean": mean(origin - per_day, origin),
            "day_2_mean": mean(origin - 2 * per_day, origin - per_day),
            "day_7_mean": mean(origin - 7 * per_day, origin - 6 * per_day),
            "week_1_mean": mean(origin - 7 * per_day, origin),
            "day_1_most": np.nanmax(day, axis=0)[back],
            "day_1_least": np.nanmin(day, axis=0)[back],
        }

    def _observed(self, values: np.ndarray, rows: Rows) -> dict[str, np.ndarray]:
        """Return what a signal that is only measured tells at issue."""
        per_day = self.known.history.steps_per_day
        mean = _WindowMean(values)
        return {
            "day_1": self._same_time(values, rows, 1),
            "last": _at(values, rows.origin - 1),
            "day_1_mean": mean(rows.origin - per_day, rows.origin),
            "week_1_mean": mean(rows.origin - 7 * per_day, rows.origin),
        }

    def _signal(self, values: np.ndarray, rows: Rows) -> dict[str, np.ndarray]:
        """Return a signal that is known ahead, around the step and against the days before; never past the horizon."""
        step_h, per_day = self.known.history.step_h, self.known.history.steps_per_day
        hour = max(1, round(1 / step_h))
        reach = max(1, round(SMOOTHING_H / step_h))
        at, last = rows.position, rows.origin + rows.steps - 1
        mean = _WindowMean(values)
        here = _at(values, at)
        begin_of_day = rows.origin + (at - rows.origin) // per_day * per_day
        return {
            "": here,
            " earlier": _at(values, at - hour),
            " later": _at(values, np.minimum(at + hour, last)),
            " against day 1": here - self._same_time(values, rows, 1),
            " against day 7": here - self._same_weekday(values, rows, 1),
            " mean of day": mean(begin_of_day, np.minimum(begin_of_day + per_day, last + 1)),
            " smooth": mean(at - reach, np.minimum(at + reach, last) + 1),
        }

    def _same_time(self, values: np.ndarray, rows: Rows, day: int, shift: int = 0) -> np.ndarray:
        """Return the value of the same local time on the day-th last day of which it was known at issue."""
        per_day = self.known.history.steps_per_day
        first = (rows.position - rows.origin) // per_day  # days of the horizon before this one
        place = self.known.calendar.same_time(rows.position, first + day, per_day)
        return _at(values, np.minimum(place + shift, rows.origin - 1))

    def _same_weekday(self, values: np.ndarray, rows: Rows, week: int) -> np.ndarray:
        """Return the value of the same local time on the week-th last such weekday that was known at issue."""
        per_day = self.known.history.steps_per_day
        first = (rows.position - rows.origin) // (7 * per_day)
        place = self.known.calendar.same_time(rows.position, 7 * (first + week), per_day)
        return _at(values, np.minimum(place, rows.origin - 1))


class _WindowMean:
    """Means of what is known between two steps, from sums that are made once."""

    def __init__(self, values: np.ndarray) -> None:
        known = np.isfinite(values)
        self.sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
        self.counts = np.concatenate([[0], np.cumsum(known)])

    def __call__(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        first = np.clip(begin, 0, len(self.sums) - 1)
        last = np.clip(end, 0, len(self.sums) - 1)
        count = self.counts[last] - self.counts[first]
        total = self.sums[last] - self.sums[first]
        mean: np.ndarray = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        return mean


def _at(values: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return values at positions; NaN before the first one."""
    found = values[np.clip(position, 0, len(values) - 1)]
    inside: np.ndarray = np.where((position >= 0) & (position < len(values)), found, np.nan)
    return inside
