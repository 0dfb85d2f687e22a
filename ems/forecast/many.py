"""Simple rules for thousands of series at once, without a model for each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ems.errors import InvalidInput, did_you_mean, show
from ems.forecast.calendar import LocalCalendar
from ems.forecast.models.naive import Season, naive_values

SEASONS: tuple[Season, ...] = ("day", "week", "kind_of_day", "mean_of_days", "mean_of_weeks")


def naive_many(
    values: np.ndarray, times: pd.DatetimeIndex, timezone: str, season: Season = "day", steps: int = 24
) -> np.ndarray:
    """Return the seasonal naive forecast of many series on one raster, as `SeasonalNaive` gives it for one.

    Parameters
    ----------
    values : ndarray (series, times)
        NaN is a gap; the last weeks are enough.
    times : DatetimeIndex (times,)
        Beginnings of equal steps, UTC without zone.
    timezone : str
        IANA name; whose local days the rule goes by.
    season : str
        As in `SeasonalNaive`.
    steps : int
        Steps that are forecast, from the end of the values on.

    Returns
    -------
    ndarray (series, steps)
        NaN where no earlier day has a value.

    Raises
    ------
    InvalidInput
        If there is no such season, or shapes differ.
    """
    if season not in SEASONS:
        raise InvalidInput(f"season = {show(season)}", did_you_mean(str(season), SEASONS))
    if values.ndim != 2 or values.shape[1] != len(times):
        raise InvalidInput("values", f"have shape {values.shape}: must have one column for each of {len(times)} times")
    step = times[1] - times[0]
    per_day = round(pd.Timedelta(days=1) / step)
    longer = pd.date_range(times[0], periods=len(times) + steps, freq=step, unit="ns")
    calendar = LocalCalendar.of(longer, timezone)
    return naive_values(values, calendar, per_day, season, steps)
