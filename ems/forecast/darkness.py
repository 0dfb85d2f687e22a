"""When the sun is down, from the place on earth alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ems.forecast.irradiance import HORIZON_DEG, sun_path
from ems.horizon import Horizon


def dark_steps(times: pd.DatetimeIndex, step_h: float, latitude: float, longitude: float) -> np.ndarray:
    """Return which steps the sun spends below the horizon from their beginning to their end, shape (steps,).

    Parameters
    ----------
    times : DatetimeIndex (steps,)
        Beginnings of equal steps, UTC without zone.
    step_h : float
    latitude, longitude : float
        In degrees, north and east above zero.
    """
    sun = sun_path(Horizon.from_times(times.to_numpy(), step_h), latitude, longitude)
    up = np.logical_or.reduceat(sun.zenith_deg < HORIZON_DEG, sun.first_part)
    return np.asarray(~up)
