"""Prices of a tariff over a horizon."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.tariffs.tariff import Tariff


def energy_prices(tariff: Tariff, horizon: Horizon, timezone: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what a kWh costs and earns in each step, by the wall clock of the site.

    Parameters
    ----------
    tariff : Tariff
    horizon : Horizon
    timezone : str
        IANA name of the site's zone.

    Returns
    -------
    import_price_per_kwh, export_price_per_kwh : ndarray (steps,)
        NaN where the tariff states no export price.

    Raises
    ------
    InvalidInput
        If the price changes within a step; a shorter step or another start would do.
    """
    table = _period_table(tariff)
    period = _periods_at(table, horizon.local_times(timezone))
    # Every minute is looked at: what lies between two ends that are alike depends on the clock change, too.
    minutes = pd.date_range(horizon.times[0].ceil("min"), horizon.boundaries[-1], freq="min", inclusive="left")
    step_of = np.searchsorted(horizon.times.to_numpy(), minutes.to_numpy(), side="right") - 1
    local = minutes.tz_localize("UTC").tz_convert(timezone)
    changes = np.flatnonzero(_periods_at(table, local) != period[step_of])
    if changes.size:
        first = changes[0]
        raise InvalidInput(
            f"tariff '{tariff.id}'",
            f"the price changes at {local[first]:%Y-%m-%d %H:%M %Z}, within a step of "
            f"{horizon.step_h[step_of[first]]:g} h; choose step_h so that steps begin there",
        )
    imports = np.array([one.import_price_per_kwh for one in tariff.periods])
    exports = np.array(
        [np.nan if one.export_price_per_kwh is None else one.export_price_per_kwh for one in tariff.periods]
    )
    return imports[period], exports[period]


def _period_table(tariff: Tariff) -> np.ndarray:
    """Return the position of the period for each month, weekday and minute of the day, shape (12, 7, 1440)."""
    table = np.empty((12, 7, 1440), dtype=np.int16)
    breaks = (*tariff.breaks(), 1440)
    for month in range(12):
        for weekday in range(7):
            for begin, end in itertools.pairwise(breaks):
                period = tariff.period_at(month + 1, weekday, begin)
                assert period is not None, "a tariff covers the year"
                table[month, weekday, begin:end] = period
    return table


def _periods_at(table: np.ndarray, local: pd.DatetimeIndex) -> np.ndarray:
    found: np.ndarray = table[local.month - 1, local.weekday, local.hour * 60 + local.minute]
    return found
