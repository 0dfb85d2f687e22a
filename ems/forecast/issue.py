"""Issue times: when forecasts are made, and how many steps each has."""

from __future__ import annotations

import datetime as dt

import numpy as np

from ems.errors import InvalidInput
from ems.forecast.history import History

MINUTES_PER_HOUR = 60


def issue_positions(history: History, local_time: str = "00:00") -> np.ndarray:
    """Return the steps at which a local time of the day begins, one a day, ascending.

    On a day on which the clock skips this time there is none; where it comes twice, the first one is taken.

    Parameters
    ----------
    history : History
    local_time : str
        As in ``06:00``.

    Raises
    ------
    InvalidInput
        If it is no time of day, or no step begins then.
    """
    minute = minute_of(local_time)
    found = np.flatnonzero(history.calendar.minute == minute)
    if not found.size:
        raise InvalidInput(
            f"issue time {local_time}",
            f"no step of {history.label} begins at this local time; its steps are {history.step_h:g} h long",
        )
    is_first = np.concatenate([[True], np.diff(history.calendar.day[found]) > 0])
    positions: np.ndarray = found[is_first]
    return positions


def minute_of(local_time: str) -> int:
    """Return the minute of the day that a text states.

    Raises
    ------
    InvalidInput
        If it is no time of day.
    """
    try:
        clock = dt.time.fromisoformat(local_time)
    except ValueError:
        raise InvalidInput(f"issue time '{local_time}'", "must be a time of day, as in 06:00") from None
    return clock.hour * MINUTES_PER_HOUR + clock.minute


def steps_of(history: History, at: int, horizon_h: float, *, in_local_days: bool = True) -> int:
    """Return the number of steps of a horizon.

    Parameters
    ----------
    history : History
    at : int
        First step.
    horizon_h : float
    in_local_days : bool
        Whether a horizon of whole days ends at the same local time: after 23 or 25 h where the clock changes.

    Raises
    ------
    InvalidInput
        If the horizon is no whole number of steps.
    """
    share = horizon_h / history.step_h
    if share < 1 or abs(share - round(share)) > 1e-9:
        raise InvalidInput(
            f"forecast of {history.label}",
            f"horizon_h = {horizon_h:g} h: must be a whole number of steps of {history.step_h:g} h, at least one",
        )
    steps = round(share)
    days = horizon_h / 24
    if not in_local_days or abs(days - round(days)) > 1e-9:
        return steps
    calendar = history.reaching(at + steps + 1).calendar
    change_min = calendar.offset_min[at + steps] - calendar.offset_min[at]
    # Where the clock goes forward by an hour, the same local time comes an hour earlier.
    return steps - int(change_min * history.steps_per_day // (24 * MINUTES_PER_HOUR))
