"""Prices by month and hour of local civil time, as a heat map shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ems.tariffs.calendar import Calendar
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
    weight = np.bincount(cell, horizon.step_h[is_shown], minlength=288)
    total = np.bincount(cell, (price_per_kwh * horizon.step_h)[is_shown], minlength=288)
    mean = np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0)
    return _as_frame(mean.reshape(len(MONTHS), 24))


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
    of_minute = np.full((len(MONTHS), len(days), 1440), tariff.surcharge_per_kwh)
    if tariff.periods:
        table = HoursTable(tariff.periods)
        slot = np.searchsorted(table.breaks, np.arange(1440), side="right") - 1
        first = np.array([one.all_tiers()[0].import_price_per_kwh for one in tariff.periods])
        position = table.first[:, [DAYS.index(one) for one in days]][:, :, slot]
        # Without a calendar there are no holidays, and nothing need hold on them.
        of_season = np.where(position < 0, np.nan, first[position])
        of_minute = of_minute + np.tensordot(_season_shares(table.seasons), of_season, axes=1)
    return _as_frame(of_minute.mean(axis=1).reshape(len(MONTHS), 24, 60).mean(axis=2))


def _season_shares(seasons: np.ndarray) -> np.ndarray:
    """Return the share of each season in each month's days, shape (months, seasons); a season is within a month."""
    begins = np.array([f"2024-{day // 100:02d}-{day % 100:02d}" for day in seasons], dtype="datetime64[D]")
    days = np.diff(np.append(begins, np.datetime64("2025-01-01"))).astype(int)
    is_in_month = seasons // 100 == np.array(MONTHS)[:, None]
    shares: np.ndarray = is_in_month * days / (is_in_month @ days)[:, None]
    return shares


def _as_frame(values: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(values, index=pd.Index(MONTHS, name="month"), columns=pd.RangeIndex(24, name="hour"))
