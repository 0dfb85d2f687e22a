"""Changes of the clock's meaning within a step, which no step can follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ems.tariffs.clock import MINUTES_PER_DAY

if TYPE_CHECKING:
    import pandas as pd

    from ems.horizon import Horizon


def first_change_within_a_step(
    horizon: Horizon,
    timezone: str,
    breaks: Sequence[int],
    meaning_at: Callable[[pd.DatetimeIndex, np.ndarray], np.ndarray],
) -> tuple[pd.Timestamp, float] | None:
    """Return the first local time at which a meaning of the clock changes within a step, and the step's length.

    Only steps over a break, or over a clock change, are looked at minute by minute.

    Parameters
    ----------
    horizon : Horizon
    timezone : str
        IANA name.
    breaks : sequence of int
        Minutes of the day at which the meaning may change, ascending from 0.
    meaning_at : callable (local times, positions of their steps)
        The meaning, as numbers to compare.
    """
    import pandas as pd

    boundaries = horizon.boundaries.tz_localize("UTC").tz_convert(timezone)
    on_the_wall = boundaries.tz_localize(None).to_numpy()
    offset = on_the_wall - horizon.boundaries.to_numpy()
    minute = (on_the_wall[:-1] - on_the_wall[:-1].astype("datetime64[D]")) / np.timedelta64(1, "m")
    next_break = np.append(breaks, MINUTES_PER_DAY)[np.searchsorted(breaks, minute, side="right")]
    seconds_over = np.round((minute + horizon.step_h * 60 - next_break) * 60)
    for step in np.flatnonzero((seconds_over > 0) | (offset[1:] != offset[:-1])).tolist():
        begin, end = boundaries[step], boundaries[step + 1]
        minutes = pd.date_range(
            begin.tz_convert("UTC").ceil("min"), end.tz_convert("UTC"), freq="min", inclusive="left"
        )
        local = minutes.tz_convert(timezone)
        meaning = meaning_at(local, np.full(len(local), step))
        changes = np.flatnonzero(meaning != meaning_at(boundaries[step : step + 1], np.array([step])))
        if changes.size:
            return local[changes[0]], float(horizon.step_h[step])
    return None
