"""ClockAxis: a series in UTC laid on the slots of the local wall clock, where each day has equally many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ems.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, eq=False)
class ClockAxis:
    """Slots of the wall clock, one step long, without a gap: people and prices follow it rather than UTC.

    The hour that the clock leaps over in spring is a slot without a step; the hour that it shows twice in autumn is
    one slot for both steps, of which the first one feeds what is learned.

    Parameters
    ----------
    slot : ndarray of int (steps)
        Slot of each step of the series.
    first : ndarray of int (slots)
        First step that the slot holds, or -1.
    slots_per_day : int
    wall : ndarray of datetime64[s] (slots)
        Wall time at which each slot begins.
    """

    slot: np.ndarray
    first: np.ndarray
    slots_per_day: int
    wall: np.ndarray

    @classmethod
    def of(cls, times: pd.DatetimeIndex, step_s: int, timezone: str) -> ClockAxis:
        """Return the axis of regular times (UTC, without zone).

        Raises
        ------
        InvalidInput
            If a day is no whole number of steps.
        """
        if SECONDS_PER_DAY % step_s:
            raise InvalidInput("the forecast", f"step_h = {step_s / 3600:g} h: must divide a day")
        utc = times.to_numpy().astype("datetime64[s]").astype(np.int64)
        local = times.tz_localize("UTC").tz_convert(timezone).tz_localize(None)
        wall = local.to_numpy().astype("datetime64[s]").astype(np.int64)
        # Offsets are counted in whole steps from the first one, so that a day of steps longer than the change of the
        # clock stays where it is.
        shift = np.rint((wall - utc - (wall[0] - utc[0])) / step_s).astype(np.int64)
        slot = np.arange(len(utc)) + shift
        slot -= slot.min()
        first = np.full(int(slot.max()) + 1, -1, dtype=np.int64)
        first[slot[::-1]] = np.arange(len(utc))[::-1]
        begin = np.datetime64(int(wall[0] - slot[0] * step_s), "s") + np.arange(len(first)) * np.timedelta64(
            step_s, "s"
        )
        return cls(slot, first, SECONDS_PER_DAY // step_s, begin)

    @cached_property
    def is_held(self) -> np.ndarray:
        """Whether a slot holds a step, shape (slots,)."""
        held: np.ndarray = self.first >= 0
        return held

    def on_clock(self, values: np.ndarray) -> np.ndarray:
        """Return values of steps as values of slots; NaN in the hour that the clock leaps over.

        Parameters
        ----------
        values : ndarray (steps)

        Returns
        -------
        ndarray (slots)
        """
        return np.where(self.is_held, np.asarray(values, dtype=float)[np.maximum(self.first, 0)], np.nan)

    def on_clock_filled(self, values: np.ndarray) -> np.ndarray:
        """Return values of steps as values of slots, where a slot without a step takes the value before it."""
        held = np.maximum.accumulate(np.where(self.is_held, np.arange(len(self.first)), 0))
        filled: np.ndarray = self.on_clock(values)[held]
        return filled
