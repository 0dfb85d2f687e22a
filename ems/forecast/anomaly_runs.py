"""Runs of steps that are odd: gaps, frozen values, and negative values where there can be none."""

from __future__ import annotations

import numpy as np

from ems.forecast.anomaly_series import Finding, MeasuredSeries, other_days, runs_of
from ems.forecast.anomaly_spikes import deviations

FEWEST_FROZEN = 3
"""Equal values in a row below which none is called frozen."""
FALSE_ALARMS = 0.01
"""Runs that may be called frozen falsely in a series without a fault."""
DAYS_AROUND = tuple(day for day in range(-15, 16) if day)
ORDINARY_SHARE = 0.2
"""Share of the days around that have a value at about this time of day, from which on it is an ordinary one."""
ABRUPT_SHARE = 0.97
"""Share of all changes that are smaller than the one by which a dead meter's value begins or ends."""
PRIOR_STEPS = 20.0
"""Steps that what the series does in general weighs against what it does at one value."""
LEVEL_CLASSES = 10
"""Classes of size, of equal numbers of steps, by which values repeat more or less often."""
DEAD_SOLAR_H = 3.0
"""Hours of an equal value by day after which solar power is called dead; fog and snow seldom make it so for longer."""
FAR = 4.0
"""Distance from other days, in usual distances, from which on an equal value is the mark of a dead meter."""
METER_REST_SHARE = 0.01
"""Share of the highest power down to which meters of solar and wind plants show less than zero at rest."""
OFTEN_DAYS_SHARE = 0.05
FEWEST_OFTEN_DAYS = 5
"""Days, in number and as a share, from which on negative values are no fault of single steps."""


def find_gaps(series: MeasuredSeries) -> list[Finding]:
    """Return runs of missing values between the first and the last measured one."""
    known = np.flatnonzero(np.isfinite(series.values))
    if not known.size:
        return []
    begin, end = known[0], known[-1] + 1
    return [
        Finding("gap", int(begin + first), int(begin + last), (last - first) * series.step_h, _steps(last - first))
        for first, last in runs_of(np.isnan(series.values[begin:end]))
    ]


def find_frozen(series: MeasuredSeries, steady: MeasuredSeries) -> list[Finding]:
    """Return runs of exactly equal values that are improbable for the series, as a dead meter gives them.

    A value that is usual at this time of day, as zero at night or at standby, is none. Of the other steps, the
    probability that a value repeats is the greatest of how often it does so at this value outside this run, at this
    time of day, and at about this size; a run is frozen if less than one in a hundred series like this would have one
    as long. So is a run of values that stand far from all other days.

    Parameters
    ----------
    series : MeasuredSeries
    steady : MeasuredSeries
        The same without level shifts, of which a whole day is no dead meter.
    """
    values = series.values
    is_repeat = np.concatenate([[False], values[1:] == values[:-1]])
    run = np.cumsum(~is_repeat) - 1
    share = _share_of_days(series, run)
    is_odd = np.isfinite(values) & (share < ORDINARY_SHARE)
    is_odd_repeat = is_repeat & is_odd & np.concatenate([[False], is_odd[:-1]])
    runs = int(run[-1]) + 1
    odd_steps = np.bincount(run[is_odd], minlength=runs)
    if odd_steps.max(initial=0) < FEWEST_FROZEN:
        return []
    own_repeats = np.bincount(run[is_odd_repeat], minlength=runs)
    general = _general_rate(series, is_odd, is_odd_repeat)
    by_value = _rate_at_other_runs(values, run, general, odd_steps=odd_steps, own_repeats=own_repeats)
    probability = np.maximum(general, by_value)[is_odd_repeat]
    evidence = np.bincount(run[is_odd_repeat], np.log(probability), minlength=runs)
    is_frozen = np.log(is_odd.sum()) + evidence < np.log(FALSE_ALARMS)
    is_far = np.nan_to_num(np.abs(deviations(steady, is_sharp=False))) > FAR
    is_frozen |= np.bincount(run[is_odd & is_far], minlength=runs) > 0.8 * odd_steps
    if series.kind == "solar":
        # By day even a clouded sky gives some power: zero where other days have none is a plant or meter at rest.
        is_frozen |= np.bincount(run[is_odd & (share == 0)], minlength=runs) >= DEAD_SOLAR_H / series.step_h
    is_frozen &= (own_repeats >= FEWEST_FROZEN - 1) & (odd_steps >= FEWEST_FROZEN)
    found = []
    for number in np.flatnonzero(is_frozen):
        steps = np.flatnonzero((run == number) & is_odd)
        first, last = int(steps[0]), int(steps[-1]) + 1
        words = f"{series.shown(values[first])} unchanged, {_steps(last - first)}"
        found.append(Finding("frozen", first, last, (last - first) * series.step_h, words))
    return found


def _share_of_days(series: MeasuredSeries, run: np.ndarray) -> np.ndarray:
    """Return the share of the days around that have the same value at this time or one step beside it.

    The run itself does not count, and one day alone is none.
    """
    grid = series.grid
    table, number = grid.table(series.values), grid.table(run.astype(float))
    around, around_run = other_days(table, DAYS_AROUND), other_days(number, DAYS_AROUND)
    is_same = np.zeros(around.shape, dtype=bool)
    for beside in (-1, 0, 1):
        is_same |= (np.roll(around, beside, axis=1) == table[:, :, None]) & (
            np.roll(around_run, beside, axis=1) != number[:, :, None]
        )
    usable = np.isfinite(around) & (around_run != number[:, :, None])
    same, known = (is_same & usable).sum(axis=2), usable.sum(axis=2)
    share = np.where(same >= 2, same / np.maximum(known, 1), 0.0)
    found: np.ndarray = share[grid.day, grid.slot]
    return found


def _general_rate(series: MeasuredSeries, is_odd: np.ndarray, is_odd_repeat: np.ndarray) -> np.ndarray:
    """Return how often values repeat at a time of day, or at about a size, whichever is more often, shape (steps,)."""
    known = series.values[is_odd]
    edges = np.quantile(known, np.linspace(0, 1, LEVEL_CLASSES + 1)[1:-1])
    size_class = np.searchsorted(edges, series.values, side="right")  # NaN goes into the last one and is not odd
    overall = (is_odd_repeat.sum() + 1) / (is_odd.sum() + PRIOR_STEPS)
    rates = []
    for group in (series.grid.slot, size_class):
        count = np.bincount(group[is_odd], minlength=group.max() + 1)
        repeats = np.bincount(group[is_odd_repeat], minlength=group.max() + 1)
        rates.append(((repeats + PRIOR_STEPS * overall) / (count + PRIOR_STEPS))[group])
    rate: np.ndarray = np.minimum(np.maximum(rates[0], rates[1]), 1.0)
    return rate


def _rate_at_other_runs(
    values: np.ndarray,
    run: np.ndarray,
    general: np.ndarray,
    *,
    odd_steps: np.ndarray,
    own_repeats: np.ndarray,
) -> np.ndarray:
    """Return how often the value of each step repeats itself in other runs of the same value, shape (steps,).

    Runs that begin or end with a large change do not teach: a plant that comes to rest, or a price that comes to
    zero, does so by and by; where a meter dies again and again, it does so at once.
    """
    change = np.abs(np.nan_to_num(np.diff(values)))
    limit = np.quantile(change[change > 0], ABRUPT_SHARE) if change.any() else np.inf
    first = np.concatenate([[0], np.flatnonzero(np.diff(run)) + 1])
    last = np.append(first[1:], len(values)) - 1
    edge = np.maximum(np.concatenate([[0.0], change])[first], np.append(change, 0.0)[last])
    teaches = edge <= limit
    _, value = np.unique(values[first], return_inverse=True)
    steps = np.bincount(value, odd_steps * teaches)[value] - odd_steps * teaches
    repeats = np.bincount(value, own_repeats * teaches)[value] - own_repeats * teaches
    rate: np.ndarray = (repeats[run] + PRIOR_STEPS * general) / (steps[run] + PRIOR_STEPS)
    return rate


def find_negative(series: MeasuredSeries) -> list[Finding]:
    """Return negative values of what cannot be negative; one finding for all where they recur day after day.

    Solar and wind plants may show a little less than zero at rest. Where a load is negative on more than one day in
    twenty, it is no fault of the meter, which then holds generation, too.

    Parameters
    ----------
    series : MeasuredSeries
    """
    values = series.values
    known = values[np.isfinite(values)]
    if series.kind == "price" or not known.size:
        return []
    rest = -METER_REST_SHARE * max(float(known.max()), 0.0) if series.kind in ("solar", "wind") else 0.0
    is_negative = np.nan_to_num(values) < rest
    negative_days = len(np.unique(series.grid.day[is_negative]))
    if negative_days > max(OFTEN_DAYS_SHARE * series.grid.days, FEWEST_OFTEN_DAYS):
        steps = np.flatnonzero(is_negative)
        lowest = float(values[steps].min())
        words = f"{len(steps)} of {len(known)} values are below zero, the lowest {series.shown(lowest)}: " + (
            "does it hold generation, too?" if series.kind == "load" else "is its sign the right one?"
        )
        return [Finding("often_negative", int(steps[0]), int(steps[-1]) + 1, lowest, words)]
    found = []
    for first, last in runs_of(is_negative):
        lowest = float(values[first:last].min())
        words = f"{'down to ' if last - first > 1 else ''}{series.shown(lowest)}, which {_thing(series)} cannot be"
        found.append(Finding("negative", int(first), int(last), lowest, words))
    return found


def _thing(series: MeasuredSeries) -> str:
    return "a load" if series.kind == "load" else f"{series.kind} power"


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
