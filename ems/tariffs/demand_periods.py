"""The periods of a demand charge over a horizon: which steps count in each, and what was so before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.tariffs.demand_charge import WHOLE_HORIZON, DemandCharge
from ems.tariffs.tariff import MINUTES_PER_DAY, WEEKDAYS, minutes_of

_CALENDAR_UNIT = {"month": "datetime64[M]", "day": "datetime64[D]"}
_THURSDAY = 3
"""Weekday of 1970-01-01, from which days are counted."""


@dataclass(frozen=True)
class DemandPeriod:
    """A period of a demand charge within a horizon.

    Parameters
    ----------
    label : str
        ``2024-06`` for a month, ``2024-06-03`` for a day, ``horizon``, or the number in a period series.
    steps : ndarray of int
        Positions of the steps that count; none where the window is closed all the time.
    rate_per_kw : float
    prior_peak_kw : float
        Highest power before the horizon.
    looks_back_at : tuple of str
        Labels of the periods of this horizon that the ratchet looks back at.
    floor_kw : float
        Share of the highest peak, of periods outside this horizon, that the ratchet looks back at.
    """

    label: str
    steps: np.ndarray
    rate_per_kw: float
    prior_peak_kw: float
    looks_back_at: tuple[str, ...] = ()
    floor_kw: float = 0.0


def demand_periods(
    charge: DemandCharge, horizon: Horizon, timezone: str, series: Mapping[str, np.ndarray]
) -> list[DemandPeriod]:
    """Return the periods of a demand charge that a horizon touches, in order of time.

    A period in which the calendar never opens the window (a winter month of a charge on summers) is left out.

    Parameters
    ----------
    charge : DemandCharge
    horizon : Horizon
    timezone : str
        IANA name of the site's zone.
    series : mapping of str to ndarray (steps,)
        The connection's series, with those that replace the calendar.

    Raises
    ------
    InvalidInput
        If a step reaches over the end of a window or a period, a period has no price, or a series is unusable.
    """
    local = _local(horizon.times, timezone)
    is_counted = _window(charge, local, series)
    period = _period(charge, local, series)
    _refuse_changes_within_steps(charge, horizon, timezone, is_counted, period)

    numbers, first = np.unique(period, return_index=True)
    in_order = [int(number) for number in numbers[np.argsort(first)] if _is_in_force(charge, int(number))]
    label_of = {number: _label(charge, number) for number in in_order}
    unpriced = [label for label in label_of.values() if charge.rate_of(label) is None]
    if unpriced:
        raise InvalidInput(
            f"demand charge '{charge.name}'",
            f"rates_per_kw: has no price for {unpriced[0]}; add it, or give rate_per_kw for all others",
        )
    found = []
    for number, label in label_of.items():
        inside, floor_kw = _look_back(charge, number, label_of)
        rate = charge.rate_of(label)
        assert rate is not None, "an unpriced period was refused"
        steps = np.flatnonzero(is_counted & (period == number))
        found.append(DemandPeriod(label, steps, rate, charge.prior_peak_of(label), inside, floor_kw))
    return found


def _local(times: pd.DatetimeIndex, timezone: str) -> pd.DatetimeIndex:
    return times.tz_localize("UTC").tz_convert(timezone)


def _window(charge: DemandCharge, local: pd.DatetimeIndex, series: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return whether each step counts."""
    if charge.window_series is None:
        return _is_open(charge, local)
    values = series[charge.window_series]
    bad = values[~np.isin(values, (0, 1))]
    if bad.size:
        raise InvalidInput(
            f"demand charge '{charge.name}'",
            f"{charge.window_series} = {bad[0]:g}: must be 1 in the steps that count and 0 in others",
        )
    counts: np.ndarray = values == 1
    return counts


def _is_open(charge: DemandCharge, local: pd.DatetimeIndex) -> np.ndarray:
    """Return whether the calendar has the window open at local times."""
    minute = local.hour.to_numpy() * 60 + local.minute.to_numpy()
    begin, end = minutes_of(charge.from_time), minutes_of(charge.until_time)
    in_hours = (
        (minute >= begin) & (minute < end) if begin < end else (minute >= begin) | (minute < end)
    )  # the latter spans midnight
    days = [WEEKDAYS.index(day) for day in charge.weekdays]
    opened: np.ndarray = in_hours & np.isin(local.weekday, days) & np.isin(local.month, charge.months)
    return opened


def _period(charge: DemandCharge, local: pd.DatetimeIndex, series: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the number of each step's period: months or days since 1970, 0, or what the series says."""
    if charge.period_series is None:
        return _calendar_period(charge, local)
    values = series[charge.period_series]
    bad = values[values != np.round(values)]
    if bad.size:
        raise InvalidInput(
            f"demand charge '{charge.name}'",
            f"{charge.period_series} = {bad[0]:g}: must be the number of a period, a whole number",
        )
    return values.astype(int)


def _calendar_period(charge: DemandCharge, local: pd.DatetimeIndex) -> np.ndarray:
    if charge.period == "horizon":
        return np.zeros(len(local), dtype=int)
    on_the_wall = local.tz_localize(None).to_numpy()
    return on_the_wall.astype(_CALENDAR_UNIT[charge.period]).astype(int)


def _label(charge: DemandCharge, number: int) -> str:
    if charge.period_series is not None:
        return str(number)
    if charge.period == "horizon":
        return WHOLE_HORIZON
    return str(np.datetime64(number, "M" if charge.period == "month" else "D"))


def _month_of(label: str) -> int:
    return int(label.split("-")[1])


def _is_in_force(charge: DemandCharge, number: int) -> bool:
    """Return whether the calendar opens the window in a period at all."""
    if charge.period_series is not None or charge.window_series is not None or charge.period == "horizon":
        return True
    if charge.period == "day" and WEEKDAYS[(number + _THURSDAY) % 7] not in charge.weekdays:
        return False
    return _month_of(_label(charge, number)) in charge.months


def _look_back(charge: DemandCharge, number: int, label_of: Mapping[int, str]) -> tuple[tuple[str, ...], float]:
    """Return the periods of the horizon that a ratchet looks back at, and its share of the peaks of others."""
    if charge.ratchet is None:
        return (), 0.0
    inside = set(label_of.values())
    if charge.ratchet.previous is None:
        every = [*inside, *charge.prior_peaks_kw]
        wanted = {label for label in every if _is_named(charge, label)}
    elif charge.period_series is None:
        wanted = {_label(charge, number - back) for back in range(1, charge.ratchet.previous + 1)}
    else:
        # A series numbers periods as it likes, so that those before are known by their place in time only.
        before = list(label_of).index(number)
        wanted = set(list(label_of.values())[max(0, before - charge.ratchet.previous) : before])
    outside_kw = [charge.prior_peaks_kw.get(label, 0.0) for label in wanted - inside]
    here = tuple(label for label in label_of.values() if label in wanted and label != label_of[number])
    return here, charge.ratchet.share * max(outside_kw, default=0.0)


def _is_named(charge: DemandCharge, label: str) -> bool:
    """Return whether a ratchet names a period, by its label or its number."""
    assert charge.ratchet is not None, "only a ratchet looks back"
    number = int(label) if charge.period_series is not None else _month_of(label)
    return label in charge.ratchet.periods or number in charge.ratchet.periods


def _refuse_changes_within_steps(
    charge: DemandCharge, horizon: Horizon, timezone: str, is_counted: np.ndarray, period: np.ndarray
) -> None:
    """Refuse a step over the end of a window or period: nobody knows which part of its power counts."""

    def meaning_at(local: pd.DatetimeIndex, step: np.ndarray) -> np.ndarray:
        counted = _is_open(charge, local) if charge.window_series is None else is_counted[step]
        number = _calendar_period(charge, local) if charge.period_series is None else period[step]
        # Where nothing counts, it does not matter which period it is.
        return np.where(counted, number, np.iinfo(int).min)

    if charge.window_series is not None and (charge.period_series is not None or charge.period == "horizon"):
        return
    breaks = sorted({0, *(minutes_of(one) % MINUTES_PER_DAY for one in (charge.from_time, charge.until_time))})
    change = first_change_within_a_step(horizon, timezone, breaks, meaning_at)
    if change is not None:
        when, step_h = change
        raise InvalidInput(
            f"demand charge '{charge.name}'",
            f"the window or the {charge.period} changes at {when:%Y-%m-%d %H:%M %Z}, within a step of {step_h:g} h; "
            "choose step_h so that steps begin there",
        )


def first_change_within_a_step(
    horizon: Horizon,
    timezone: str,
    breaks: list[int],
    meaning_at: Callable[[pd.DatetimeIndex, np.ndarray], np.ndarray],
) -> tuple[pd.Timestamp, float] | None:
    """Return the first local time at which a meaning of the clock changes within a step, and the step's length.

    Only steps over a break, or over a clock change, are looked at minute by minute.

    Parameters
    ----------
    horizon : Horizon
    timezone : str
        IANA name.
    breaks : list of int
        Minutes of the day at which the meaning may change, ascending from 0.
    meaning_at : callable (local times, positions of their steps)
        The meaning, as numbers to compare.
    """
    boundaries = _local(horizon.boundaries, timezone)
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
