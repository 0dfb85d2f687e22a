"""The periods of a demand charge over a horizon: which steps count in each, and what was so before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.tariffs.calendar import Calendar, CivilTime
from ems.tariffs.clock import DAYS, HOLIDAY
from ems.tariffs.demand_charge import WHOLE_HORIZON, DemandCharge, DemandTier, month_of_label
from ems.tariffs.period_table import HoursTable, opens_in
from ems.tariffs.step_changes import first_change_within_a_step


@dataclass(frozen=True)
class DemandDay:
    """A day of a period of which the highest daily peaks count.

    Parameters
    ----------
    label : str
        ``2024-06-03``.
    steps : ndarray of int
        Positions of its steps that count; none where it lies before the horizon.
    prior_peak_kw : float
        Highest power of the day before the horizon.
    """

    label: str
    steps: np.ndarray
    prior_peak_kw: float = 0.0


@dataclass(frozen=True)
class DemandPeriod:
    """A period of a demand charge within a horizon.

    Powers are in what the charge bills, kW or kVA; a power at the meter is times ``DemandCharge.per_kw``.

    Parameters
    ----------
    label : str
        ``2024-06`` for a month, ``2024-06-03`` for a day, ``horizon``, or the number in a period series.
    steps : ndarray of int
        Positions of the steps that count; none where the window is closed all the time.
    tiers : tuple of DemandTier
        Prices of what is billed; one where one price holds.
    prior_peak_kw : float
        Highest power before the horizon.
    looks_back_at : tuple of str
        Labels of the periods of this horizon that the ratchet looks back at.
    floor_kw : float
        Least that is billed: the charge's minimum, or the ratchet's share of the highest peak outside this horizon.
    days : tuple of DemandDay
        Days with steps that count or with peaks before the horizon, where the highest days are averaged.
    """

    label: str
    steps: np.ndarray
    tiers: tuple[DemandTier, ...]
    prior_peak_kw: float
    looks_back_at: tuple[str, ...] = ()
    floor_kw: float = 0.0
    days: tuple[DemandDay, ...] = ()

    @property
    def rate_per_kw(self) -> float:
        """Price of the first kW billed: of every one, where there is one tier."""
        return self.tiers[0].rate_per_kw


@dataclass(frozen=True)
class _Clock:
    """A charge, and how its calendar reads moments."""

    charge: DemandCharge
    timezone: str
    calendar: Calendar
    table: HoursTable

    def is_open(self, when: CivilTime) -> np.ndarray:
        """Return whether the calendar has the window open at moments."""
        opened: np.ndarray = self.table.at(when) >= 0
        return opened

    def period(self, when: CivilTime) -> np.ndarray:
        """Return the number of the calendar's period of moments: months or days since 1970, or 0."""
        if self.charge.period == "horizon":
            return np.zeros(len(when.day), dtype=int)
        return when.month if self.charge.period == "month" else when.day

    def local(self, times: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Return moments in UTC without zone as local civil time."""
        return times.tz_localize("UTC").tz_convert(self.timezone)


def demand_periods(
    charge: DemandCharge,
    horizon: Horizon,
    timezone: str,
    series: Mapping[str, np.ndarray],
    calendar: Calendar | None = None,
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
    calendar : Calendar, optional
        The tariff's calendar; by default real dates without holidays.

    Raises
    ------
    InvalidInput
        If a step reaches over the end of a window or a period, a period has no price, or a series is unusable.
    """
    clock = _Clock(charge, timezone, calendar or Calendar(), HoursTable(charge.hours))
    if clock.calendar.holiday_calendar is None and any(one.names_holidays for one in charge.hours):
        raise InvalidInput(
            f"demand charge '{charge.name}'",
            "weekdays = 'holiday': needs the holiday_calendar of a tariff; state the charge in one",
        )
    civil = clock.calendar.at(clock.local(horizon.times))
    is_counted = _counted(clock, horizon, civil, series)
    period = _period(clock, civil, series)
    _refuse_changes_within_steps(clock, horizon, is_counted, period)

    numbers, first = np.unique(period, return_index=True)
    in_force = _is_in_force(clock, numbers)
    in_order = [int(numbers[at]) for at in np.argsort(first) if in_force[at]]
    label_of = {number: _label(charge, number) for number in in_order}
    _refuse_what_is_unsaid(charge, label_of.values())
    found = []
    for number, label in label_of.items():
        inside, floor_kw = _look_back(charge, number, label_of)
        steps = np.flatnonzero(is_counted & (period == number))
        days = _days(clock, label, civil, steps) if charge.highest_days > 1 else ()
        floor_kw = max(floor_kw, charge.minimum_kw)
        found.append(
            DemandPeriod(label, steps, charge.tiers_of(label), charge.prior_peak_of(label), inside, floor_kw, days)
        )
    return found


def _refuse_what_is_unsaid(charge: DemandCharge, labels: Iterable[str]) -> None:
    """Refuse periods without a price, and peaks so far where it is days that are averaged."""
    for label in labels:
        if not charge.tiers_of(label):
            raise InvalidInput(
                f"demand charge '{charge.name}'",
                f"rates_per_kw: has no price for {label}; add it, or give rate_per_kw for all others",
            )
        is_mean = charge.highest_days > 1 or charge.coincident_of == "mean"
        if is_mean and label in charge.prior_peaks_kw:
            remedy = "give prior_daily_peaks_kw" if charge.highest_days > 1 else "leave it out"
            raise InvalidInput(
                f"demand charge '{charge.name}'",
                f"prior_peaks_kw of {label}: says nothing of the mean that this period is billed by; {remedy}",
            )


def _counted(clock: _Clock, horizon: Horizon, civil: CivilTime, series: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return whether each step counts."""
    charge = clock.charge
    if charge.is_coincident:
        counts = np.zeros(len(horizon), dtype=bool)
        moments = _moments(charge)
        inside = moments[(moments >= horizon.boundaries[0]) & (moments < horizon.boundaries[-1])]
        counts[np.searchsorted(horizon.boundaries, inside, side="right") - 1] = True
        return counts
    if charge.window_series is None:
        return clock.is_open(civil)
    values = series[charge.window_series]
    bad = values[~np.isin(values, (0, 1))]
    if bad.size:
        raise InvalidInput(
            f"demand charge '{charge.name}'",
            f"{charge.window_series} = {bad[0]:g}: must be 1 in the steps that count and 0 in others",
        )
    is_one: np.ndarray = values == 1
    return is_one


def _moments(charge: DemandCharge) -> pd.DatetimeIndex:
    """Return the moments of coincident peaks, UTC without zone."""
    return pd.to_datetime(list(charge.coincident_times), utc=True).tz_localize(None).as_unit("ns")


def _period(clock: _Clock, civil: CivilTime, series: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the number of each step's period: months or days since 1970, 0, or what the series says."""
    charge = clock.charge
    if charge.period_series is None:
        return clock.period(civil)
    values = series[charge.period_series]
    bad = values[values != np.round(values)]
    if bad.size:
        raise InvalidInput(
            f"demand charge '{charge.name}'",
            f"{charge.period_series} = {bad[0]:g}: must be the number of a period, a whole number",
        )
    return values.astype(int)


def _label(charge: DemandCharge, number: int) -> str:
    if charge.period_series is not None:
        return str(number)
    if charge.period == "horizon":
        return WHOLE_HORIZON
    return str(np.datetime64(number, "M" if charge.period == "month" else "D"))


def _is_in_force(clock: _Clock, numbers: np.ndarray) -> np.ndarray:
    """Return whether the window is open at all in each period, inside this horizon or not."""
    charge, table = clock.charge, clock.table
    if charge.period_series is not None or charge.window_series is not None or charge.period == "horizon":
        return np.ones(len(numbers), dtype=bool)
    if charge.is_coincident:
        touched = clock.period(clock.calendar.at(clock.local(_moments(charge))))
        return np.isin(numbers, touched)
    if charge.period == "month":
        kinds = HOLIDAY if clock.calendar.holiday_calendar is None else len(DAYS)
        return np.array([opens_in(table, int(number) % 12 + 1, kinds) for number in numbers])
    midnights = clock.calendar.at(pd.DatetimeIndex(numbers.astype("datetime64[D]")))
    season = np.searchsorted(table.seasons, midnights.month_day, side="right") - 1
    is_open: np.ndarray = (table.first[season, midnights.weekday] >= 0).any(axis=1)
    return is_open


def _days(clock: _Clock, label: str, civil: CivilTime, steps: np.ndarray) -> tuple[DemandDay, ...]:
    """Return the days of a period, those before the horizon included."""
    prior = {
        day: peak_kw
        for day, peak_kw in clock.charge.prior_daily_peaks_kw.items()
        if clock.charge.period == "horizon" or day.startswith(label)
    }
    days, first = np.unique(civil.day[steps], return_index=True)
    steps_of = {
        str(np.datetime64(int(day), "D")): part for day, part in zip(days, np.split(steps, first)[1:], strict=True)
    }
    none = np.array([], dtype=int)
    return tuple(DemandDay(day, steps_of.get(day, none), prior.get(day, 0.0)) for day in sorted({*prior, *steps_of}))


def _look_back(charge: DemandCharge, number: int, label_of: Mapping[int, str]) -> tuple[tuple[str, ...], float]:
    """Return the periods of the horizon that a ratchet looks back at, and its share of the peaks of others."""
    if charge.ratchet is None:
        return (), 0.0
    inside = set(label_of.values())
    if charge.ratchet.previous is None:
        every = [*inside, *charge.prior_peaks_kw]
        wanted = {label for label in every if _is_named(charge, label)}
    elif charge.period_series is None:
        wanted = {_before(charge, number, back, inside) for back in range(1, charge.ratchet.previous + 1)}
    else:
        # A series numbers periods as it likes, so that those before are known by their place in time only: peaks of
        # periods that the horizon does not touch come from before it, and their numbers say in which order.
        in_time = [*sorted({*charge.prior_peaks_kw} - inside, key=int), *label_of.values()]
        place = in_time.index(label_of[number])
        wanted = set(in_time[max(0, place - charge.ratchet.previous) : place])
    outside_kw = [charge.prior_peaks_kw.get(label, 0.0) for label in wanted - inside]
    here = tuple(label for label in label_of.values() if label in wanted)
    return here, charge.ratchet.share * max(outside_kw, default=0.0)


def _before(charge: DemandCharge, number: int, back: int, inside: set[str]) -> str:
    """Return the label so many periods before one; of a year that stands for every year, round its end."""
    assert charge.ratchet is not None, "only a ratchet looks back"
    label = _label(charge, number - back)
    if not charge.ratchet.wraps or label in inside or label in charge.prior_peaks_kw:
        return label
    return _label(charge, number + -back % 12)


def _is_named(charge: DemandCharge, label: str) -> bool:
    """Return whether a ratchet names a period, by its label or its number."""
    assert charge.ratchet is not None, "only a ratchet looks back"
    number = int(label) if charge.period_series is not None else month_of_label(label)
    return label in charge.ratchet.periods or number in charge.ratchet.periods


def _refuse_changes_within_steps(clock: _Clock, horizon: Horizon, is_counted: np.ndarray, period: np.ndarray) -> None:
    """Refuse a step over the end of a window or period: nobody knows which part of its power counts."""
    charge = clock.charge
    is_given = charge.window_series is not None or charge.is_coincident

    def meaning_at(local: pd.DatetimeIndex, step: np.ndarray) -> np.ndarray:
        civil = clock.calendar.at(local)
        counted = is_counted[step] if is_given else clock.is_open(civil)
        number = clock.period(civil) if charge.period_series is None else period[step]
        # Where nothing counts, it does not matter which period it is.
        return np.where(counted, number, np.iinfo(int).min)

    if is_given and (charge.period_series is not None or charge.period == "horizon"):
        return
    change = first_change_within_a_step(horizon, clock.timezone, clock.table.breaks.tolist(), meaning_at)
    if change is not None:
        when, step_h = change
        raise InvalidInput(
            f"demand charge '{charge.name}'",
            f"the window or the {charge.period} changes at {when:%Y-%m-%d %H:%M %Z}, within a step of {step_h:g} h; "
            "choose step_h so that steps begin there",
        )
