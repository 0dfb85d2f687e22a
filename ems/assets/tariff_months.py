"""Months and energy periods of a tariff over a horizon, as a dispatch sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ems.horizon import Horizon
from ems.tariffs.prices import period_of
from ems.tariffs.tariff import Tariff


@dataclass(frozen=True)
class TariffMonths:
    """The months that a horizon touches, by the site's wall clock.

    Parameters
    ----------
    numbers : ndarray of int (months,)
        Months since January 1970, ascending.
    of_step : ndarray of int (steps,)
        Position of each step's month.
    touched_d : ndarray of int (months,)
        Days of each month in which a step begins.
    period_of_step : ndarray of int (steps,)
        Position of each step's energy period among the tariff's; 0 where it has none.
    step_h : ndarray (steps,)
    """

    numbers: np.ndarray
    of_step: np.ndarray
    touched_d: np.ndarray
    period_of_step: np.ndarray
    step_h: np.ndarray

    @classmethod
    def of(cls, tariff: Tariff, horizon: Horizon, timezone: str) -> TariffMonths:
        """Return the months of a tariff over a horizon."""
        when = tariff.calendar.at(horizon.local_times(timezone))
        numbers, of_step = np.unique(when.month, return_inverse=True)
        touched = np.array([len(np.unique(when.day[when.month == number])) for number in numbers])
        period = period_of(tariff, horizon, timezone) if tariff.periods else np.zeros(len(horizon), dtype=int)
        return cls(numbers, of_step, touched, period, horizon.step_h)

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def labels(self) -> list[str]:
        """Names of the months, as 2024-06."""
        return [str(np.datetime64(number, "M")) for number in self.numbers.tolist()]

    @property
    def years(self) -> np.ndarray:
        """Calendar year of each month."""
        years: np.ndarray = 1970 + self.numbers // 12
        return years

    @property
    def of_year(self) -> np.ndarray:
        """Month of the year, 1 to 12, of each month."""
        of_year: np.ndarray = self.numbers % 12 + 1
        return of_year

    @cached_property
    def lengths_d(self) -> np.ndarray:
        """How many days each month has."""
        ends = [(self.numbers + more).astype("datetime64[M]").astype("datetime64[D]") for more in (0, 1)]
        lengths: np.ndarray = (ends[1] - ends[0]).astype(int)
        return lengths

    def hours_of_periods(self, month: int) -> dict[int, float]:
        """Return the hours that each energy period has in a month, by its position among the tariff's."""
        steps = self.of_step == month
        hours = np.bincount(self.period_of_step[steps], weights=self.step_h[steps])
        return {int(position): float(hours[position]) for position in np.flatnonzero(hours)}

    def month_of(self, label: str, steps: np.ndarray) -> int:
        """Return the position of the month in which a period of a demand charge is billed.

        Periods of a series, and of the whole horizon, are billed where they end.
        """
        if label[:7] in self.labels:
            return self.labels.index(label[:7])
        return int(self.of_step[steps[-1]]) if len(steps) else len(self) - 1
