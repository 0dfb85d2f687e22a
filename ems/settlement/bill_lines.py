"""Lines of a tariff's bill, and the months that they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ems.horizon import Horizon
from ems.tariffs.calendar import Calendar, CivilTime

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("month", "cost_type", "charge", "quantity", "unit", "rate", "cost")
_COMMON_YEAR = 12 * (2001 - 1970)
"""January of a year without a leap day, in months since 1970."""


@dataclass(frozen=True)
class Months:
    """The months that a horizon touches, in local civil time.

    Parameters
    ----------
    when : CivilTime
        What calendar and clock say at the beginning of each step.
    is_typical : bool
        Whether no year has a leap day.
    """

    when: CivilTime
    is_typical: bool = False

    @classmethod
    def of(cls, horizon: Horizon, timezone: str, calendar: Calendar) -> Months:
        """Return the months of a horizon."""
        return cls(calendar.at(horizon.local_times(timezone)), calendar.is_typical)

    @cached_property
    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        numbers, of_step = np.unique(self.when.month, return_inverse=True)
        return numbers, of_step

    @property
    def numbers(self) -> np.ndarray:
        """Months since January 1970, shape (months,)."""
        return self._found[0]

    @property
    def of_step(self) -> np.ndarray:
        """Position of each step's month, shape (steps,)."""
        return self._found[1]

    def __len__(self) -> int:
        return len(self.numbers)

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
    def labels(self) -> list[str]:
        """Names of the months, as 2024-06."""
        return [str(np.datetime64(number, "M")) for number in self.numbers.tolist()]

    @property
    def lengths_d(self) -> np.ndarray:
        """How many days each month of the calendar has."""
        numbers = self.of_year - 1 + _COMMON_YEAR if self.is_typical else self.numbers
        first = numbers.astype("datetime64[M]").astype("datetime64[D]")
        following = (numbers + 1).astype("datetime64[M]").astype("datetime64[D]")
        lengths: np.ndarray = (following - first).astype(int)
        return lengths

    @cached_property
    def touched_d(self) -> np.ndarray:
        """How many days of each month have a step that begins in them."""
        _, first = np.unique(self.when.day, return_index=True)
        touched: np.ndarray = np.bincount(self.of_step[first], minlength=len(self))
        return touched

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of a value of the steps in each month."""
        sums: np.ndarray = np.bincount(self.of_step, weights=values, minlength=len(self))
        return sums


@dataclass(frozen=True)
class BillLines:
    """A bill that is being written, month by month.

    Parameters
    ----------
    months : Months
    lines : list
        Month's position, type of cost, charge, quantity, unit, rate and cost.
    """

    months: Months
    lines: list[tuple[int, str, str, float, str, float, float]] = field(default_factory=list)

    def add(
        self,
        month: int,
        cost_type: str,
        charge: str,
        quantity: float,
        rate: float | None,
        *,
        unit: str = "kWh",
        cost: float | None = None,
    ) -> None:
        """Write a line of quantity times rate, or of a cost whose rate is the mean; an income is negative."""
        if cost is None:
            assert rate is not None, "a line has a rate or a cost"
            cost = quantity * rate
        elif rate is None:
            rate = cost / quantity if quantity else 0.0
        self.lines.append((month, cost_type, charge, float(quantity), unit, float(rate), float(cost)))

    def costs(self, *without: str) -> np.ndarray:
        """Return what each month costs so far, without some types of cost, shape (months,)."""
        totals = np.zeros(len(self.months))
        for month, cost_type, *_, cost in self.lines:
            if cost_type not in without:
                totals[month] += cost
        return totals

    def costs_of(self, *cost_types: str) -> np.ndarray:
        """Return what some types of cost make in each month so far, shape (months,)."""
        totals = np.zeros(len(self.months))
        for month, cost_type, *_, cost in self.lines:
            if cost_type in cost_types:
                totals[month] += cost
        return totals

    def frame(self) -> pd.DataFrame:
        """Return the lines in the order of the months."""
        import pandas as pd

        labels = self.months.labels
        rows = [(labels[month], *rest) for month, *rest in sorted(self.lines, key=lambda line: line[0])]
        return pd.DataFrame(rows, columns=list(COLUMNS))
