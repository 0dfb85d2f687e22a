"""Simple rules: what was, will be again. They are the yardstick of every other model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ems.forecast.design import Design
from ems.forecast.features import mean_of_known
from ems.forecast.point_model import PointModel

MOST_WEEKS = 4


def last_value(design: Design) -> np.ndarray:
    """Return the last value before each issue, for all steps; shape (issues, steps)."""
    last = design.past(design.issue[:, None] - 1, design.filled)
    return np.broadcast_to(last, design.slot.shape)


def seasonal_naive_day(design: Design) -> np.ndarray:
    """Return the value at the same time of the last day that is known; shape (issues, steps)."""
    return _first_known([design.lag(days) for days in range(1, 8)])


def seasonal_naive_week(design: Design) -> np.ndarray:
    """Return the value at the same time of the same weekday of the last week that is known; shape (issues, steps)."""
    return _first_known([design.lag(7 * weeks) for weeks in (_weeks_ahead(design), *range(2, MOST_WEEKS + 1))])


def same_kind_of_day(design: Design) -> np.ndarray:
    """Return yesterday's value, but last week's on days unlike the day before: Saturday, Sunday, Monday, holidays.

    Shape (issues, steps). A holiday takes the last Sunday.
    """
    kinds, slot = design.kinds, design.slot
    weekday = kinds.weekday[slot]
    is_other = np.isin(weekday, (5, 6, 0)) | kinds.is_after_holiday[slot]
    sunday = np.full(slot.shape, np.nan)
    for days in range(1, 8):
        found = design.lag(days)
        sunday = np.where((weekday - days) % 7 == 6, found, sunday)
    plain = np.where(is_other, seasonal_naive_week(design), seasonal_naive_day(design))
    return _first_known([np.where(kinds.is_holiday[slot], sunday, plain), plain, seasonal_naive_day(design)])


def mean_of_weeks(design: Design) -> np.ndarray:
    """Return the mean at the same time of the same weekday over four weeks; shape (issues, steps)."""
    weeks = range(1, MOST_WEEKS + 1)
    return _first_known(
        [mean_of_known(np.stack([design.lag(7 * week) for week in weeks])), seasonal_naive_day(design)]
    )


def _weeks_ahead(design: Design) -> int:
    return -(-design.steps // (7 * design.per_day))


def _first_known(choices: list[np.ndarray]) -> np.ndarray:
    """Return the first choice that is known, value by value."""
    found = choices[0]
    for choice in choices[1:]:
        found = np.where(np.isnan(found), choice, found)
    return found


RULES: Mapping[str, Callable[[Design], np.ndarray]] = {
    "last_value": last_value,
    "seasonal_naive_day": seasonal_naive_day,
    "seasonal_naive_week": seasonal_naive_week,
    "same_kind_of_day": same_kind_of_day,
    "mean_of_weeks": mean_of_weeks,
}
"""Rules by name; each tells all issues of a design at once."""


class Rule(PointModel):
    """A rule as a model: nothing is learned.

    Parameters
    ----------
    name : str
        One of `RULES`.
    """

    history_d = 1.0

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]

    def fit(self, design: Design, fold: int) -> None:
        """Work the rule out for all issues of the design; each looks at its own past."""
        if self.name not in design.kept:
            design.kept[self.name] = RULES[self.name](design)

    def predict(self, design: Design, fold: int) -> np.ndarray:
        """Return the forecast of a fold, shape (steps,)."""
        self.fit(design, fold)
        found: np.ndarray = design.kept[self.name][fold]
        return found
