"""Signal: what is forecast, what is known about it, and on which clock it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ems.forecast.clock_axis import ClockAxis

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_QUANTILES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class Signal:
    """One series with all that is known beside it, on regular steps from the first past one to the last future one.

    Parameters
    ----------
    variable : str
        Name with its unit, as ``demand_kw``.
    times : DatetimeIndex (steps)
        Beginning of each step, UTC without zone.
    observed : ndarray (steps)
        Past values; NaN where a value is missing or lies in the future.
    known : mapping of str to ndarray (steps)
        Series that are known ahead, as weather forecasts, in the past as they were forecast then.
    timezone : str
        IANA name of the zone whose clock people and prices follow.
    holiday_calendar : str, optional
        Country or region whose public holidays are a kind of day of their own.
    lower, upper : float, optional
        Bounds that no value passes, as 0 and the capacity.
    is_zero : ndarray of bool (steps), optional
        Where the value is zero by nature, as of a PV plant at night.
    """

    variable: str
    times: pd.DatetimeIndex
    observed: np.ndarray
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    timezone: str = "UTC"
    holiday_calendar: str | None = None
    lower: float | None = None
    upper: float | None = None
    is_zero: np.ndarray | None = None

    @property
    def step_s(self) -> int:
        """Length of a step in seconds."""
        return int((self.times[1] - self.times[0]).total_seconds())

    @cached_property
    def clock(self) -> ClockAxis:
        """The wall clock of the zone."""
        return ClockAxis.of(self.times, self.step_s, self.timezone)

    @cached_property
    def clock_values(self) -> np.ndarray:
        """Observed values by slot of the clock, shape (slots,); NaN where there is none."""
        return self.clock.on_clock(self.observed)

    @cached_property
    def clock_known(self) -> dict[str, np.ndarray]:
        """Known series by slot of the clock, each of shape (slots,)."""
        return {name: self.clock.on_clock_filled(values) for name, values in self.known.items()}

    @cached_property
    def clock_zero(self) -> np.ndarray | None:
        """Where the value is zero by nature, by slot of the clock, shape (slots,)."""
        if self.is_zero is None:
            return None
        zero: np.ndarray = self.clock.on_clock_filled(self.is_zero.astype(float)) > 0
        return zero
