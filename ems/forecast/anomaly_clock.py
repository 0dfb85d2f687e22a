"""Clock shifts: stretches of days whose profile fits the days before only when it is moved by some time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ems.forecast.anomaly_series import Finding, MeasuredSeries, known_median, other_days, runs_of

SMALLEST_SHIFT_H = 0.5
LARGEST_SHIFT_H = 3.0
FINE_SHIFT_H = 3
"""Shifts up to here are looked for by the step, larger ones by the hour."""
KNOWN_SHARE = 0.9
"""Share of a day's values that must be known for it to count."""
BEFORE_DAYS=14
AFTER_DAYS=(6,14)
FEWEST_DAYS=3
MEMORY_DAYS = 6.0
"""Days of the same kind over which the expected profile is a mean that forgets."""
START_DAYS = 5
MOST_EVIDENCE = 2.0
"""Evidence that one day can give, in logarithms of a likelihood: no single day moves the clock."""
ALARM = 9.0
DRIFT = 0.3
"""Evidence that a day must exceed to count; slow changes of the seasons do not reach it."""
INDEPENDENT_STEPS = 16.0
"""Steps of a day that tell something of their own; neighbours err together."""
FIT_GAIN = 0.6
"""Largest misfit of the shifted profile as a share of that of the unshifted one."""
USUAL_MISFIT = 1.6
"""Largest misfit of the shifted profile as a multiple of the usual one."""
LEAST_VARIANCE_SHARE = 0.25
WAITING_DAYS = 7


def find_clock_shifts(series: MeasuredSeries) -> list[Finding]:
    """Return stretches of days whose daily profile fits that of the days around much better when it is shifted.

    Each day's profile is compared with the mean profile of the days before of its kind, unshifted and shifted; the
    evidence for a shift is summed from day to day until it is beyond doubt (CUSUM [1]_). Loads and prices follow the
    local clock, solar power a clock without summer time; wind has no daily profile and is not looked at.

    Parameters
    ----------
    series : MeasuredSeries

    References
    ----------
    .. [1] E. S. Page, "Continuous inspection schemes," Biometrika, vol. 41, no. 1/2, 1954, doi:10.2307/2333009.
    """
    if series.kind == "wind":
        return []
    grid = series.solar_grid if series.kind == "solar" else series.grid
    profiles = _profiles(grid.table(series.values), is_solar=series.kind == "solar")
    is_off = grid.weekday >= 5 if series.kind != "solar" else np.zeros(grid.days, dtype=bool)
    off=series.calendar.offset_min[grid.first_of_day[:-1].clip(0,len(series.values)-1)]
    is_change_day = np.concatenate([[False], np.diff(off)!=0])
    shift = _shift_of_days(profiles, is_off, _candidates(series), is_change_day, round(1/series.step_h))
    usable = np.isfinite(profiles).any(axis=1)
    if not usable.any():
        return []
    found = []
    numbers, counts = np.unique(shift[usable], return_counts=True)
    usual = int(numbers[np.argmax(counts)])
    for number in numbers[numbers != usual]:
        for first, last in runs_of(shift == number):
            hours = (number - usual) * series.step_h
            begin, end = int(grid.first_of_day[first]), int(grid.first_of_day[last])
            way = "later" if hours > 0 else "earlier"
            words = f"the daily profile comes {_hours(abs(hours))} {way} than on the days around"
            found.append(Finding("clock_shift", begin, end, float(hours), words))
    return found


def _candidates(series: MeasuredSeries) -> np.ndarray:
    """Return shifts in steps, without zero: half an hour to three hours, and the time zone's distance from UTC."""
    step_h = series.step_h
    most = int(LARGEST_SHIFT_H / step_h)
    steps = [one for one in range(-most, most + 1) if abs(one) * step_h >= SMALLEST_SHIFT_H]
    for offset_min in np.unique(series.calendar.offset_min):
        whole = round(float(offset_min) / 60 / step_h)
        steps += [whole, -whole]
    return np.array(sorted(set(steps) - {0}))


def _profiles(table: np.ndarray, *, is_solar: bool) -> np.ndarray:
    """Return the shape of each day, without its level and size, shape (days, slots); NaN where a day does not count."""
    known = np.isfinite(table)
    counts = known.mean(axis=1) >= KNOWN_SHARE
    filled = np.where(known, table, 0.0)
    if is_solar:
        highest = np.max(filled, axis=1, initial=0.0)
        counts &= highest > 0.1 * np.max(highest, initial=0.0)
        # The root lifts morning and evening, which tell the time, against noon, which tells the clouds.
        shape = np.sqrt(np.maximum(table, 0.0) / np.maximum(highest, 1e-300)[:, None])
    else:
        middle = known_median(table)[:, None]
        size = known_median(np.abs(table - middle))
        size = np.maximum(size, 0.0)
        typical = np.median(size[counts]) if counts.any() else 0.0
        counts &= size > 0.2 * typical
        shape = (table - middle) / np.maximum(size, 1e-300)[:, None]
        shape = np.clip(shape, -4, 4)
    return np.where(counts[:, None], shape, np.nan)


@dataclass
class _Expected:
    """The profile that days of one kind have lately had, and how much single days differ from it.

    Parameters
    ----------
    mean, variance : ndarray (slots,)
    days : float
        Days that it rests on, forgotten ones less.
    """

    mean: np.ndarray
    variance: np.ndarray
    days: float = 0.0

    def learn(self, profile: np.ndarray) -> None:
        """Take in a day."""
        known = np.isfinite(profile)
        self.days = min(self.days + 1, MEMORY_DAYS)
        share = 1 / self.days
        error = np.where(known, profile - self.mean, 0.0)
        if self.days > 1:
            self.variance += share * np.where(known, error**2 - self.variance, 0.0)
        self.mean = self.mean + share * error

    def misfits_of(self, profile: np.ndarray, rolls: np.ndarray) -> np.ndarray:
        """Return how badly a profile fits, for each of several shifts, shape (shifts,)."""
        floor = LEAST_VARIANCE_SHARE * float(np.mean(self.variance))
        variance = np.maximum(self.variance, floor) + 1e-12
        moved = profile[(np.arange(len(profile)) + rolls[:, None]) % len(profile)]
        misfit = np.log1p((moved - self.mean) ** 2 / (3 * variance))
        found: np.ndarray = np.nanmean(misfit, axis=1)
        return found


def _shift_of_days(profiles, is_off, candidates, is_change_day, clock_steps):
    days, slots = profiles.shape
    expected = [_Expected(np.zeros(slots), np.zeros(slots)) for _ in range(2)]
    shifts = np.zeros(days, dtype=int)
    rolls = np.concatenate([[0], candidates])
    evidence = np.zeros(len(rolls))
    misfit = np.full((days, len(rolls)), np.nan)
    began = np.zeros(len(rolls), dtype=int)
    usual = []
    state = 0
    kinds = is_off.astype(int)
    usable = np.flatnonzero(np.isfinite(profiles).any(axis=1))
    learnt = 0
    for number, day in enumerate(usable):
        shifts[day] = state
        while learnt <= number - LAG_DAYS or (learnt < number and expected[kinds[usable[learnt]]].days < START_DAYS):
            past = usable[learnt]
            expected[kinds[past]].learn(np.roll(profiles[past], -shifts[past]))
            usual.append(float(misfit[past, 0]))
            learnt += 1
        own = expected[kinds[day]]
        if own.days < START_DAYS:
            continue
        misfit[day] = own.misfits_of(profiles[day], state + rolls)
        gain = np.clip(INDEPENDENT_STEPS * (misfit[day, 0] - misfit[day]) - DRIFT, -MOST_EVIDENCE, MOST_EVIDENCE)
        was_idle = evidence <= 0
        evidence = np.maximum(evidence + gain, 0.0)
        began[was_idle] = day
        best = int(np.argmax(evidence))
        if evidence[best] > ALARM:
            stretch = misfit[began[best] : day + 1]
            stretch = stretch[np.isfinite(stretch[:, 0])].mean(axis=0)
            typical = np.nanmedian(usual[-60:]) if np.isfinite(usual[-60:]).any() else np.inf
            if DEBUG: print('alarm',day,began[best],rolls[best],round(stretch[best]/stretch[0],2),round(stretch[best]/typical,2), rolls[np.argmin(stretch)])
            near = is_change_day[max(began[best]-NEAR_DAYS,0):began[best]+NEAR_DAYS+1].any()
            if near:
                hour=[i for i,r in enumerate(rolls) if abs(r)==clock_steps]
                best=hour[int(np.argmin(stretch[hour]))]
            fits = stretch[best] < (0.8 if near else FIT_GAIN) * stretch[0] and stretch[best] < (3 if near else USUAL_MISFIT) * typical
            if fits and (near or best == np.argmin(stretch)):
                state += int(rolls[best])
                shifts[began[best] : day + 1] = state
                misfit[began[best] : day + 1] = np.nan
            evidence[:] = 0.0
    # days without a profile belong to the day before
    known = np.zeros(days, dtype=int); known[usable]=usable
    return shifts[np.maximum.accumulate(known)]

DEBUG=False
LAG_DAYS=7
NEAR_DAYS=4

def _hours(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"
