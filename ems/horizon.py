"""Horizon: steps in UTC, each named by its beginning."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ems.display import Card, Shown, counted, shown_time
from ems.errors import InvalidInput, show

EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
SECONDS_PER_HOUR = 3600
MOST_STEPS = 1_000_000
"""More steps than any plan or record has: thirty years of quarter hours."""


@dataclass(frozen=True, repr=False)
class Horizon(Shown):
    """The steps of a plan or a record, one after the other without a gap.

    Parameters
    ----------
    start : datetime
        Beginning of the first step; with an offset from UTC.
    steps_h : tuple of float
        Length of each step in hours; they may differ (5 minutes now, an hour later).
    """

    start: dt.datetime
    steps_h: tuple[float, ...]

    def __post_init__(self) -> None:
        findings = []
        if not self.steps_h:
            findings.append("there must be at least one step")
        if any(not (1 / SECONDS_PER_HOUR <= step <= 8784) for step in self.steps_h):
            findings.append("each step must last at least a second and at most a year")
        if self.start.tzinfo is None:
            findings.append(f"start = {self.start.isoformat()}: must say its offset from UTC")
        elif not findings and not EARLIEST <= self.start <= LATEST - dt.timedelta(hours=min(sum(self.steps_h), 1e6)):
            findings.append(f"start = {self.start.isoformat()}: must lie between 1970 and 2200, to the last step")
        if findings:
            raise InvalidInput("the horizon", findings)
        object.__setattr__(self, "start", self.start.astimezone(dt.UTC))

    @classmethod
    def regular(cls, start: dt.datetime, horizon_h: float, step_h: float = 1.0) -> Self:
        """Return a horizon of equal steps.

        Raises
        ------
        InvalidInput
            If the length is no whole number of steps, or of more than a million.
        """
        is_usable = math.isfinite(horizon_h) and math.isfinite(step_h) and step_h > 0
        share = horizon_h / step_h if is_usable else 0.0
        if share > MOST_STEPS + 0.5:
            raise InvalidInput(
                "the horizon",
                f"horizon_h = {show(float(horizon_h))} h: makes {share:g} steps of {step_h:g} h, at most {MOST_STEPS} "
                "can be planned; choose a longer step_h or a shorter horizon_h",
            )
        count = round(share)
        if count < 1 or abs(count * step_h - horizon_h) > 1e-9 * max(1.0, horizon_h):
            raise InvalidInput(
                "the horizon",
                f"horizon_h = {show(float(horizon_h))} h: must be a whole number of steps of {step_h:g} h",
            )
        return cls(start, (float(step_h),) * count)

    @classmethod
    def from_times(cls, times: np.ndarray, last_step_h: float) -> Self:
        """Return the horizon whose steps begin at given times (UTC, without zone)."""
        index = pd.DatetimeIndex(times)
        lengths = np.diff(index.asi8) / (SECONDS_PER_HOUR * _ticks_per_second(index))
        return cls(index[0].to_pydatetime().replace(tzinfo=dt.UTC), (*map(float, lengths), float(last_step_h)))

    def __len__(self) -> int:
        return len(self.steps_h)

    @cached_property
    def step_h(self) -> np.ndarray:
        """Length of each step in hours, shape (steps,)."""
        return np.array(self.steps_h)

    @property
    def steps(self) -> range:
        """Positions of the steps, from 0."""
        return range(len(self))

    @cached_property
    def boundaries(self) -> pd.DatetimeIndex:
        """Beginnings of the steps and the end of the last one, UTC without zone, shape (steps + 1,)."""
        seconds = np.concatenate(([0], np.round(np.cumsum(self.steps_h) * SECONDS_PER_HOUR))).astype("int64")
        start = np.datetime64(self.start.replace(tzinfo=None), "s")
        return pd.DatetimeIndex((start + seconds.astype("timedelta64[s]")).astype("datetime64[ns]"), name="boundary")

    @cached_property
    def times(self) -> pd.DatetimeIndex:
        """Beginning of each step, UTC without zone, shape (steps,)."""
        return self.boundaries[:-1].rename("time")

    @property
    def end(self) -> dt.datetime:
        """End of the last step, UTC."""
        end: dt.datetime = self.boundaries[-1].to_pydatetime().replace(tzinfo=dt.UTC)
        return end

    @property
    def length_h(self) -> float:
        """Length of the whole in hours."""
        return float(np.sum(self.step_h))

    def caption(self) -> str:
        """Return number and length of the steps, and the first one's beginning."""
        shortest, longest = min(self.steps_h), max(self.steps_h)
        length = f"{longest:g} h" if shortest == longest else f"{shortest:.3g} to {longest:.3g} h"
        return f"{counted(len(self), 'step')} of {length} from {shown_time(self.start)}"

    def card(self) -> Card:
        """Return beginning, end and length."""
        ends = [("begins", shown_time(self.start)), ("ends", shown_time(self.end))]
        return Card(self.caption(), [*ends, ("length", f"{self.length_h:,.6g} h")])

    def local_times(self, timezone: str) -> pd.DatetimeIndex:
        """Return the beginning of each step in local civil time."""
        return self.times.tz_localize("UTC").tz_convert(ZoneInfo(timezone))


def _ticks_per_second(index: pd.DatetimeIndex) -> float:
    return {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[index.unit]
