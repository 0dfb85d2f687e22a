"""Prices of a tariff over a horizon."""

from __future__ import annotations

import datetime as dt
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
    begin = horizon.local_times(timezone)
    last_minute = (horizon.boundaries[1:] - dt.timedelta(minutes=1)).tz_localize("UTC").tz_convert(timezone)
    table = _period_table(tariff)
    period = _periods_at(table, begin)
    # Equal periods at both ends of a step do not exclude another one in between when the step is long.
    suspects = np.flatnonzero(
        (period != _periods_at(table, last_minute)) | (horizon.step_h > _shortest_break_h(tariff))
    )
    for t in suspects.tolist():
        inside = pd.date_range(begin[t], last_minute[t], freq="min")
        changes = np.flatnonzero(_periods_at(table, inside) != period[t])
        if changes.size:
            raise InvalidInput(
                f"tariff '{tariff.id}'",
                f"the price changes at {inside[changes[0]]:%Y-%m-%d %H:%M %Z}, within a step of "
                f"{horizon.step_h[t]:g} h; choose step_h so that steps begin there",
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


def _shortest_break_h(tariff: Tariff) -> float:
    breaks = (*tariff.breaks(), 1440)
    return float(min(np.diff(breaks))) / 60
