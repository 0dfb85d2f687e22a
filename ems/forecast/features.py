"""Features of a design: vectors of whole days for linear models, columns of each lead time for trees."""

from __future__ import annotations

import numpy as np

from ems.forecast.design import LAGS_D, RECENT_H, Design

OWN_DAYS = (1, 2, 3, 7)
KNOWN_DAYS = (0, 1, 7)
FEW_KNOWN = 4
"""Up to so many known series, the day before and the week before of each are told as well."""


def own_vectors(design: Design, block: int = 0, days: tuple[int, ...] = OWN_DAYS) -> np.ndarray:
    """Return the signal's own values on days before the issue, as vectors of whole days.

    Parameters
    ----------
    design : Design
    block : int
        Day of the horizon that is told, from 0. Its weekday of the week before is always among the days of a week.
    days : tuple of int
        Days before the issue.

    Returns
    -------
    ndarray (issues, features)
        NaN where the beginning of the series is too near.
    """
    same_weekday = {7 - block % 7} if 7 in days else set[int]()
    begin, day = design.issue[:, None], np.arange(design.per_day)
    backs = sorted({*days, *same_weekday})
    return np.concatenate([design.past(begin - back * design.per_day + day, design.filled) for back in backs], axis=1)


def known_vectors(design: Design, block: int = 0, days: tuple[int, ...] = KNOWN_DAYS) -> np.ndarray:
    """Return what is known of one day of the horizon: its known series as vectors, weekday, holidays and season.

    Parameters
    ----------
    design : Design
    block : int
        Day of the horizon, from 0.
    days : tuple of int
        Days before the day that is told whose known series enter; 0 is that day itself.

    Returns
    -------
    ndarray (issues, features)
        NaN where the beginning of the series is too near.
    """
    told = design.issue[:, None] + block * design.per_day + np.arange(design.per_day)
    columns = [_day_marks(design, block)]
    for values in design.signal.clock_known.values():
        steady = forward_filled(values)
        for back in days:
            at = told - back * design.per_day
            columns.append(np.where(at >= 0, design.ahead(at, steady), np.nan))
    return np.concatenate(columns, axis=1)


def _day_marks(design: Design, block: int) -> np.ndarray:
    """Return weekday, holidays and season of one day of the horizon, shape (issues, marks)."""
    kinds = design.kinds
    first = design.issue + block * design.per_day
    last = np.minimum(first + design.per_day - 1, len(kinds.weekday) - 1)
    middle = np.minimum(first + design.per_day // 2, len(kinds.weekday) - 1)
    weekday = (kinds.weekday[middle][:, None] == np.arange(7)).astype(float)
    marks = [kinds.is_holiday, kinds.is_before_holiday, kinds.is_after_holiday]
    flags = [mark[at].astype(float) for mark in marks for at in (first, last)]
    season = [np.sin(kinds.year_angle[middle]), np.cos(kinds.year_angle[middle])]
    return np.concatenate([weekday, np.stack([*flags, *season], axis=1)], axis=1)


def lead_columns(design: Design) -> tuple[np.ndarray, list[str]]:
    """Return what a tree is told of each step of each forecast, and the names of the columns.

    Returns
    -------
    ndarray (issues, steps, features) of float32
        NaN where a value is missing, which trees take as it is.
    list of str
    """
    columns: dict[str, np.ndarray] = {}
    kinds, shape = design.kinds, design.slot.shape
    for name in ("hour", "weekday", "is_holiday", "is_before_holiday", "is_after_holiday", "is_free", "year_angle"):
        columns[name] = getattr(kinds, name)[design.slot]
    columns["lead"] = np.broadcast_to(np.arange(design.steps), shape)
    for days in LAGS_D:
        columns[f"lag_{days}d"] = design.lag(days)
    week = np.stack([design.lag(days) for days in range(1, 8)])
    columns["week_mean"], columns["week_min"], columns["week_max"] = (
        mean_of_known(week),
        least_of_known(week),
        -least_of_known(-week),
    )
    columns["week_median"] = median_of_known(week)
    columns["weekday_mean"] = mean_of_known(np.stack([columns[f"lag_{days}d"] for days in (7, 14, 21, 28)]))
    for hours in RECENT_H:
        columns[f"last_{hours}h_mean"] = np.broadcast_to(_recent(design, hours)[:, None], shape)
    per_day, lead = design.per_day, np.arange(design.steps)
    back = (lead // per_day + 1) * per_day
    columns["lag_1d_before"] = design.past(design.slot - back - 1)
    columns["lag_1d_after"] = design.past(design.slot - back + 1)
    for name, values in design.signal.clock_known.items():
        columns |= _known_columns(design, name, values)
    return np.stack([np.asarray(one, dtype=np.float32) for one in columns.values()], axis=-1), list(columns)


def _known_columns(design: Design, name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return a known series at the step, beside it, over its day, and against the day before."""
    now = design.ahead(design.slot, values)
    back = design.slot - design.per_day
    yesterday = np.where(back >= 0, design.ahead(back, values), np.nan)
    days = now[:, : design.steps // design.per_day * design.per_day]
    mean = np.broadcast_to(mean_of_known(now.T)[:, None], now.shape)
    if days.shape[1] > design.per_day:
        by_day = np.repeat(
            mean_of_known(np.moveaxis(days.reshape(len(now), -1, design.per_day), 2, 0)), design.per_day, axis=1
        )
        mean = np.concatenate([by_day, mean[:, days.shape[1] :]], axis=1)
    return {
        name: now,
        f"{name}_before": design.ahead(design.slot - 1, values),
        f"{name}_after": design.ahead(np.minimum(design.slot + 1, design.slot[:, -1:]), values),
        f"{name}_yesterday": yesterday,
        f"{name}_day_mean": mean,
        f"{name}_change": now - yesterday,
    }


def _recent(design: Design, hours: int) -> np.ndarray:
    """Return the mean of the last hours before each issue, shape (issues,); NaN where all are missing."""
    count = max(1, round(hours * 3600 / design.signal.step_s))
    values = design.signal.clock_values
    is_there = ~np.isnan(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(is_there, values, 0.0))])
    number = np.concatenate([[0], np.cumsum(is_there)])
    end = np.minimum(design.issue, len(values))
    begin = np.maximum(end - count, 0)
    found = number[end] - number[begin]
    mean: np.ndarray = np.where(found > 0, (total[end] - total[begin]) / np.maximum(found, 1), np.nan)
    return mean


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is there; NaN where nothing is."""
    is_there = ~np.isnan(values)
    number = is_there.sum(axis=0)
    mean: np.ndarray = np.where(
        number > 0, np.where(is_there, values, 0.0).sum(axis=0) / np.maximum(number, 1), np.nan
    )
    return mean


def least_of_known(values: np.ndarray) -> np.ndarray:
    """Return the least over the first axis of what is there; NaN where nothing is."""
    least = np.where(np.isnan(values), np.inf, values).min(axis=0)
    return np.where(np.isfinite(least), least, np.nan)


def median_of_known(values: np.ndarray) -> np.ndarray:
    """Return the median over the first axis of what is there; NaN where nothing is."""
    ordered = np.sort(values, axis=0)
    number = (~np.isnan(values)).sum(axis=0)
    low, high = np.maximum(number - 1, 0) // 2, number // 2
    two = [np.take_along_axis(ordered, at[None], axis=0)[0] for at in (low, np.minimum(high, len(values) - 1))]
    return np.where(number > 0, (two[0] + two[1]) / 2, np.nan)


def forward_filled(values: np.ndarray) -> np.ndarray:
    """Return values in which a gap takes the value before it, and one at the beginning the first value."""
    is_there = ~np.isnan(values)
    if is_there.all() or not is_there.any():
        return np.nan_to_num(values, nan=0.0) if not is_there.any() else values
    at = np.maximum.accumulate(np.where(is_there, np.arange(len(values)), -1))
    at = np.where(at < 0, int(np.argmax(is_there)), at)
    filled: np.ndarray = values[at]
    return filled
