"""Prices by month and hour of local civil time, as a heat map shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ems.tariffs.calendar import Calendar, CivilTime
from ems.tariffs.clock import DAYS, MONTHS, WEEKDAYS, Weekday
from ems.tariffs.period_table import HoursTable

if TYPE_CHECKING:
    import pandas as pd

    from ems.horizon import Horizon
    from ems.tariffs.tariff import Tariff


def price_table(
    price_per_kwh: np.ndarray,
    horizon: Horizon,
    timezone: str,
    days: Sequence[Weekday] = DAYS,
    calendar: Calendar | None = None,
) -> pd.DataFrame:
    """Return the mean price in each month and hour of local civil time, as a heat map shows it.

    Parameters
    ----------
    price_per_kwh : ndarray (steps,)
    horizon : Horizon
        With steps of at most an hour for a full table.
    timezone : str
        IANA name.
    days : sequence of str
        Kinds of days that are averaged: ``("mon", "tue", "wed", "thu", "fri")`` for workdays.
    calendar : Calendar, optional
        The tariff's, for its holidays; by default real dates without any.

    Returns
    -------
    DataFrame (month, hour)
        Rows 1 to 12, columns 0 to 23; NaN where the horizon has no such hour.
    """
    when = (calendar or Calendar()).at(horizon.local_times(timezone))
    is_shown = np.isin(when.weekday, [DAYS.index(day) for day in days])
    cell = ((when.month_of_year - 1) * 24 + when.minute // 60)[is_shown]
    hours_h = np.bincount(cell, horizon.step_h[is_shown], minlength=288)
    return _month_by_hour(np.bincount(cell, (price_per_kwh * horizon.step_h)[is_shown], minlength=288), hours_h)


def tariff_price_table(tariff: Tariff, days: Sequence[Weekday] = WEEKDAYS) -> pd.DataFrame:
    """Return the mean import price of each month and hour by the contract's calendar, before levies and taxes.

    Of tiers, it is the price of the first; of a price series, what comes on top of the market's price.

    Parameters
    ----------
    tariff : Tariff
    days : sequence of str
        Kinds of days that are averaged, each with the same weight.

    Returns
    -------
    DataFrame (month, hour)
    """
    import pandas as pd

    every_day = pd.date_range("2024-01-01", "2024-12-31", freq="D")
    day, kind, minute = (
        axis.ravel()
        for axis in np.meshgrid(
            (every_day.month * 100 + every_day.day).to_numpy(),
            [DAYS.index(one) for one in days],
            np.arange(1440),
            indexing="ij",
        )
    )
    prices = np.full(len(day), tariff.surcharge_per_kwh)
    if tariff.periods:
        first = np.array([one.all_tiers()[0].import_price_per_kwh for one in tariff.periods])
        position = HoursTable(tariff.periods).at(
            CivilTime(month=day, day=day, weekday=kind, month_day=day, minute=minute)
        )
        # Without a calendar there are no holidays, and nothing need hold on them.
        prices = prices + np.where(position < 0, np.nan, first[position])
    cell = (day // 100 - 1) * 24 + minute // 60
    return _month_by_hour(np.bincount(cell, prices, minlength=288), np.bincount(cell, minlength=288))


def _month_by_hour(total: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    mean = np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0)
    table = pd.DataFrame(mean.reshape(12, 24), index=pd.Index(MONTHS, name="month"), columns=range(24))
    table.columns.name = "hour"
    return table
