"""What is certain of solar power: at night it is zero."""

from __future__ import annotations

import numpy as np

from ems.forecast.folds import Folds
from ems.forecast.history import History

DAYS_OF_NIGHT = 14
"""Days over which a time of day must have been without sun to count as night; the sun moves little in between."""


def certain_zeros(history: History, folds: Folds) -> np.ndarray:
    """Return which steps of folds are zero for certain, shape (folds, steps).

    Of solar power: steps in which the sun does not rise, where the history knows them. Where it does not, steps at a
    local time that saw no power on any of the last 14 days, nor one step before and after.
    """
    position = folds.position
    if history.kind != "solar":
        return np.zeros(position.shape, dtype=bool)
    if history.is_dark is not None:
        inside = np.minimum(position, len(history.is_dark) - 1)
        dark: np.ndarray = (history.is_dark[inside] == 1) & (position < len(history.is_dark))
        return dark
    per_day = history.steps_per_day
    days_ahead = np.arange(position.shape[1]) // per_day
    highest = np.zeros(position.shape)
    seen = np.zeros(position.shape, dtype=bool)
    for day in range(1, DAYS_OF_NIGHT + 1):
        for beside in (-1, 0, 1):
            place = position - (days_ahead + day) * per_day + beside
            usable = (place >= 0) & (place < folds.at[:, None])
            values = np.where(usable, history.values[np.clip(place, 0, len(history.values) - 1)], np.nan)
            known = np.isfinite(values)
            seen |= known
            highest = np.maximum(highest, np.where(known, values, 0.0))
    return seen & (highest <= 0)
