"""Design: the days of a signal at which forecasts were or are issued, and features of what was known at each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ems.forecast.calendar_features import DayKinds, day_kinds
from ems.forecast.signal import Signal

LAGS_D = (1, 2, 3, 7, 14, 21, 28)
"""Days back at which the same time of day tells something: yesterday and its neighbours, and whole weeks."""
RECENT_H = (1, 2, 3, 6, 12, 24, 168)


@dataclass(frozen=True, eq=False)
class Design:
    """Issues at one time of the wall clock, one a day, each with the steps that a forecast then has to tell.

    Values enter a feature of an issue only if their slot lies before that of the issue; that is the whole guard
    against knowing the future, and it stands in `past`.

    Parameters
    ----------
    signal : Signal
    steps : int
        Slots that a forecast covers, from the slot of its issue on.
    issue : ndarray of int (issues)
        Slot of each issue, a day apart, the oldest first.
    """

    signal: Signal
    steps: int
    issue: np.ndarray
    kept: dict[object, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def until(cls, signal: Signal, steps: int, last: int) -> Design:
        """Return the issues of all days up to one whose slot is given."""
        per_day = signal.clock.slots_per_day
        return cls(signal, steps, np.arange(last % per_day, last + 1, per_day))

    @property
    def per_day(self) -> int:
        """Slots of a day."""
        return self.signal.clock.slots_per_day

    @cached_property
    def slot(self) -> np.ndarray:
        """Slot that is told, shape (issues, steps)."""
        slots: np.ndarray = self.issue[:, None] + np.arange(self.steps)
        return slots

    @cached_property
    def target(self) -> np.ndarray:
        """What came to pass, shape (issues, steps); NaN where it is not known."""
        values = self.signal.clock_values
        found = values[np.minimum(self.slot, len(values) - 1)]
        return np.where(self.slot < len(values), found, np.nan)

    def past(self, slot: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
        """Return values of slots as they were known at each issue; NaN from the issue on and before the beginning.

        Parameters
        ----------
        slot : ndarray of int (issues, any)
        values : ndarray (slots), optional
            The signal's own values where none are given.
        """
        own = self.signal.clock_values if values is None else values
        is_known = (slot >= 0) & (slot < self.issue[:, None])
        return np.where(is_known, own[np.clip(slot, 0, len(own) - 1)], np.nan)

    def ahead(self, slot: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return values of a known series; slots outside of it take its nearest value.

        Parameters
        ----------
        slot : ndarray of int (issues, any)
        values : ndarray (slots)
        """
        found: np.ndarray = values[np.clip(slot, 0, len(values) - 1)]
        return found

    @cached_property
    def kinds(self) -> DayKinds:
        """What the calendar says of each slot that is told."""
        end = int(self.slot.max()) + 1
        begin = self.signal.clock.wall[0]
        wall = begin + np.arange(end) * np.timedelta64(self.signal.step_s, "s")
        return day_kinds(wall, self.signal.holiday_calendar)

    def lag(self, days: int) -> np.ndarray:
        """Return the value at the same time, `days` before or as many days more as are needed to be known.

        Returns
        -------
        ndarray (issues, steps)
        """
        back = np.maximum(days, np.arange(self.steps) // self.per_day + 1) * self.per_day
        return self.past(self.slot - back)

    @cached_property
    def filled(self) -> np.ndarray:
        """Own values by slot, gaps filled from the past alone: the same time on the last day that has it.

        Shape (slots,); zero before the first value.
        """
        values = self.signal.clock_values
        days = -(-len(values) // self.per_day)
        table = np.full(days * self.per_day, np.nan)
        table[: len(values)] = values
        table = table.reshape(days, self.per_day)
        row = np.maximum.accumulate(np.where(np.isnan(table), -1, np.arange(days)[:, None]), axis=0)
        found = np.take_along_axis(table, np.maximum(row, 0), axis=0)
        flat = found.reshape(-1)[: len(values)]
        before: np.ndarray = np.where(np.isnan(flat), 0.0, flat)
        return before
