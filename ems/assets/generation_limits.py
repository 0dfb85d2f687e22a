"""Generation limits: the range of a generator's output beside its starts and stops, and its ramps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.assets.commitment import OutputSpan, above_low_kw, lags_within, summed_ahead, summed_back
from ems.assets.unit import Unit
from ems.horizon import Horizon

if TYPE_CHECKING:
    from ems.assets.generator import Generator


@dataclass(frozen=True)
class Reach:
    """How far the output above the lowest one comes near a start and a stop, and from step to step.

    Parameters
    ----------
    ramp_up_kw, ramp_down_kw : ndarray (steps,)
        Highest change into a step, from the middle of the one before; infinite without a limit.
    starting_kw : ndarray (steps,)
        Highest output above the lowest in a step in which it starts.
    stopping_kw : ndarray (steps,)
        Highest output above the lowest in a step after which it stops; infinite for the last.
    """

    ramp_up_kw: np.ndarray
    ramp_down_kw: np.ndarray
    starting_kw: np.ndarray
    stopping_kw: np.ndarray

    @classmethod
    def of(cls, asset: Generator, span: OutputSpan, horizon: Horizon, *, with_reserve: bool = False) -> Reach:
        """Return the reach of a generator: its start and stop limits, and ramps from and to the lowest output.

        The reach of output and reserve together knows no ramp down: the reserve above an output is not ramped down.
        """
        hours = ramp_hours(horizon)
        up, down = (
            np.full(len(hours), np.inf) if rate is None else rate * 60 * hours
            for rate in (asset.ramp_up_rate_kw_per_min, None if with_reserve else asset.ramp_down_rate_kw_per_min)
        )
        start, stop = (
            np.full(len(hours), np.inf) if limit is None else np.maximum(limit - span.low_kw, 0.0)
            for limit in (asset.max_startup_kw, asset.max_shutdown_kw)
        )
        stopping = np.append(np.minimum(stop[:-1], down[1:]), np.inf)
        return cls(up, down, np.minimum(start, up), stopping)

    def after_starts_kw(self) -> Iterator[np.ndarray]:
        """Give the reach in each step of a start 0, 1, 2, ... steps before; infinite where that is no step."""
        reach = self.starting_kw
        while True:
            yield reach
            reach = np.append(np.inf, reach[:-1] + self.ramp_up_kw[1:])

    def before_stops_kw(self) -> Iterator[np.ndarray]:
        """Give the reach in each step of a stop 1, 2, 3, ... steps after; infinite where that is no step."""
        reach = self.stopping_kw
        while True:
            yield reach
            reach = np.append(reach[1:] + self.ramp_down_kw[1:], np.inf)


def ramp_hours(horizon: Horizon) -> np.ndarray:
    """Return the hours from the middle of the step before to that of each step; the first step's own for it."""
    step_h = horizon.step_h
    return np.append(step_h[0], (step_h[1:] + step_h[:-1]) / 2)


def declare_generation_limits(unit: Unit, asset: Generator, span: OutputSpan) -> None:
    """Declare the lowest output, and the highest together with the reserve above it."""

    def above(t: Any) -> Any:
        return above_low_kw(unit, t, span)

    def ready_kw(t: Any) -> Any:
        return plus_reserve_kw(unit, t, above(t))

    unit.add_constraint("lowest_output", lambda t: less_reserve_kw(unit, t, above(t)) >= 0)
    from_low, has_reserve = np.zeros(len(span.low_kw)), unit.has("reserve_up_kw")
    declare = partial(declare_range, unit, asset=asset, span=span, begin_kw=from_low, length_kw=span.width_kw)
    declare("highest_output", ready_kw, with_reserve=has_reserve)
    if has_reserve and asset.ramp_down_rate_kw_per_min is not None:
        declare("highest_output_alone", above)


def declare_range(
    unit: Unit,
    name: str,
    power_kw: Callable[[Any], Any],
    *,
    asset: Generator,
    span: OutputSpan,
    begin_kw: np.ndarray,
    length_kw: np.ndarray,
    with_reserve: bool = False,
) -> None:
    """Declare how much of a part of the output there is when on, less what starts and stops near a step leave of it.

    power[t] <= length[t] * is_on[t] - sum(cut of a start i steps before * is_started[t-i])
        - sum(cut of a stop 1 + j steps after * is_stopped[t+1+j])

    over starts and stops of which the shortest time on allows only one; a cut is what lies above the reach of the
    start or stop. Where a start and a stop are both allowed around a step, there are two rows, each with what the
    other leaves [1]_, [2]_, [3]_.

    Parameters
    ----------
    unit : Unit
    name : str
        Of the constraint.
    power_kw : callable (t)
    asset : Generator
    span : OutputSpan
    begin_kw, length_kw : ndarray (steps,)
        Of the part, above the lowest output.
    with_reserve : bool
        Whether the power is one of output and reserve together.

    References
    ----------
    .. [1] B. Knueven, J. Ostrowski and J.-P. Watson, "On mixed-integer programming formulations for the unit
       commitment problem," INFORMS Journal on Computing, vol. 32, no. 4, 2020, doi:10.1287/ijoc.2019.0944.
    .. [2] C. Gentile, G. Morales-España and A. Ramos, "A tight MIP formulation of the unit commitment problem with
       start-up and shut-down constraints," EURO Journal on Computational Optimization, vol. 5, 2017,
       doi:10.1007/s13675-016-0066-y.
    .. [3] K. Pan and Y. Guan, "A polyhedral study of the integrated minimum-up/-down time and ramping polytope,"
       2016, arXiv:1604.02184.
    """
    reach = Reach.of(asset, span, unit.horizon, with_reserve=with_reserve)
    on_lags = lags_within(unit.horizon, asset.min_uptime_h)

    def cut_by(reach_kw: np.ndarray) -> np.ndarray:
        cut: np.ndarray = np.clip(begin_kw + length_kw - reach_kw, 0.0, length_kw)
        return cut

    starts = [cut_by(one) * mask for one, mask in zip(reach.after_starts_kw(), on_lags, strict=False)]
    stops = [
        cut_by(one) * _ahead(mask, 1 + lag)
        for lag, (one, mask) in enumerate(zip(reach.before_stops_kw(), on_lags, strict=False))
    ]
    starts, stops = _until_empty(starts), _until_empty(stops)

    def declare(name: str, near_starts: list[np.ndarray], near_stops: list[np.ndarray], where: np.ndarray) -> None:
        def highest(t: Any) -> Any:
            left_kw = unit.is_on[t] * length_kw[t]
            left_kw = left_kw - summed_back(unit.is_started, near_starts, t)
            return power_kw(t) <= left_kw - summed_ahead(unit.is_stopped, near_stops, t)

        if where.any():
            unit.add_constraint(name, highest, over=np.flatnonzero(where).tolist())

    # A start fits into a row if it excludes the last of the row's stops, and with it all before.
    last_stop = np.max([np.where(cut > 0, lag, -1) for lag, cut in enumerate(stops)], axis=0, initial=-1)
    last_stop = np.broadcast_to(last_stop, len(length_kw))
    fitting = [
        cut * np.where(last_stop < 0, 1.0, _excluded(on_lags, lag, last_stop)) for lag, cut in enumerate(starts)
    ]
    is_split = np.zeros(len(length_kw), dtype=bool)
    for cut, kept in zip(starts, fitting, strict=True):
        is_split |= kept < cut
    declare(name, fitting, stops, np.ones(len(length_kw), dtype=bool))
    if not is_split.any():
        return
    next_stop = stops[0]
    excludes_next = [_excluded(on_lags, lag, np.zeros(len(length_kw), dtype=int)) for lag in range(len(starts))]
    beside_stop = [
        np.where(excludes > 0, cut, np.maximum(cut - next_stop, 0.0))
        for cut, excludes in zip(starts, excludes_next, strict=True)
    ]
    declare(f"{name}_beside_stop", beside_stop, [next_stop], is_split)
    largest = np.max([cut * (1 - excludes) for cut, excludes in zip(starts, excludes_next, strict=True)], axis=0)
    beside_start = [np.maximum(next_stop - largest, 0.0)]
    declare(f"{name}_beside_start", starts, beside_start, is_split & (next_stop > 0) & (largest > 0))


def declare_committed_ramps(unit: Unit, asset: Generator, span: OutputSpan) -> None:
    """Declare how fast the output above the lowest one rises and falls, with starts and stops around the two steps.

    above_low[t] + reserve_up[t] - above_low[t-1] <= ramp * is_on[t] - (ramp - starting) * is_started[t]
        - (ramp - stopping) * is_stopped[t+1]
    above_low[t-1] - above_low[t] + reserve_down[t] <= ramp * is_on[t-1] - (ramp - stopping) * is_stopped[t]
        - (ramp - starting) * is_started[t-1]

    the last term of each where the shortest time on keeps a stop from following the start at once: the convex hull of
    two periods [1]_.

    References
    ----------
    .. [1] P. Damcı-Kurt, S. Küçükyavuz, D. Rajan and A. Atamtürk, "A polyhedral study of production ramping,"
       Mathematical Programming, vol. 158, 2016, doi:10.1007/s10107-015-0919-9.
    """
    reach, width = Reach.of(asset, span, unit.horizon), span.width_kw
    stopping_ready_kw = Reach.of(asset, span, unit.horizon, with_reserve=unit.has("reserve_up_kw")).stopping_kw
    on_lags = lags_within(unit.horizon, asset.min_uptime_h)
    excludes = _excluded(on_lags, 0, np.zeros(len(width), dtype=int))  # a start in a step and a stop after it
    up, down = reach.ramp_up_kw, reach.ramp_down_kw
    with np.errstate(invalid="ignore"):  # where there is no ramp there is no row either
        slower_start = np.maximum(up - reach.starting_kw, 0.0)
        faster_stop = np.maximum(up - stopping_ready_kw, 0.0) * excludes
        slower_stop = np.append(0.0, np.maximum(down[1:] - reach.stopping_kw[:-1], 0.0))
        faster_start = np.append(0.0, np.maximum(down[1:] - reach.starting_kw[:-1], 0.0) * excludes[:-1])

    def above(t: Any) -> Any:
        return above_low_kw(unit, t, span)

    def ramp_up(t: Any) -> Any:
        highest = unit.is_on[t] * up[t] - unit.is_started[t] * slower_start[t]
        highest = highest - summed_ahead(unit.is_stopped, [faster_stop], t)
        return plus_reserve_kw(unit, t, above(t)) - above(t - 1) <= highest

    def ramp_down(t: Any) -> Any:
        highest = unit.is_on[t - 1] * down[t] - unit.is_stopped[t] * slower_stop[t]
        return above(t - 1) - less_reserve_kw(unit, t, above(t)) <= highest - unit.is_started[t - 1] * faster_start[t]

    unit.add_constraint("ramp_up", ramp_up, over=[t for t in unit.steps[1:] if up[t] < width[t]])
    unit.add_constraint("ramp_down", ramp_down, over=[t for t in unit.steps[1:] if down[t] < width[t - 1]])
    if asset.initial_is_on and asset.initial_output_kw is not None and span.is_available[0]:
        before_kw = max(asset.initial_output_kw - span.low_kw[0], 0.0)
        if before_kw + up[0] < width[0]:
            rising = plus_reserve_kw(unit, 0, above(0)) <= before_kw + up[0]
            unit.add_constraint("first_ramp_up", rising)
        if before_kw > down[0]:
            falling = less_reserve_kw(unit, 0, above(0)) >= before_kw - down[0]
            unit.add_constraint("first_ramp_down", falling)


def declare_steady_limits(unit: Unit, asset: Generator, span: OutputSpan) -> None:
    """Declare range and ramps of a generator that always runs; where an outage begins or ends, above the lowest."""
    low, high = span.low_kw, span.high_kw
    if unit.has("reserve_up_kw"):
        unit.add_constraint("highest_output", lambda t: plus_reserve_kw(unit, t, unit.output_kw[t]) <= high[t])
    if unit.has("reserve_down_kw"):
        unit.add_constraint("lowest_output", lambda t: less_reserve_kw(unit, t, unit.output_kw[t]) >= low[t])
    hours, available = ramp_hours(unit.horizon), span.is_available
    jump = np.append(0.0, np.where(available[1:] != available[:-1], np.diff(low), 0.0))
    before_kw = asset.output_before_kw
    for name, rate, sign in (
        ("ramp_up", asset.ramp_up_rate_kw_per_min, 1),
        ("ramp_down", asset.ramp_down_rate_kw_per_min, -1),
    ):
        if rate is None:
            continue
        change_kw = rate * 60 * hours
        ready = plus_reserve_kw if sign > 0 else less_reserve_kw

        def ramp(t: Any, sign: int = sign, ready: Any = ready, change_kw: np.ndarray = change_kw) -> Any:
            return sign * (ready(unit, t, unit.output_kw[t]) - unit.output_kw[t - 1]) <= change_kw[t] + sign * jump[t]

        binds = change_kw[1:] < np.maximum(high[1:] - low[:-1], high[:-1] - low[1:])
        unit.add_constraint(name, ramp, over=(np.flatnonzero(binds) + 1).tolist())
        if before_kw is not None and available[0] and change_kw[0] < high[0]:
            first = sign * (ready(unit, 0, unit.output_kw[0]) - before_kw) <= change_kw[0]
            unit.add_constraint(f"first_{name}", first)


def plus_reserve_kw(unit: Any, t: Any, power_kw: Any) -> Any:
    """Return a power and what stands ready above it."""
    return power_kw + unit.reserve_up_kw[t] if unit.has("reserve_up_kw") else power_kw


def less_reserve_kw(unit: Any, t: Any, power_kw: Any) -> Any:
    """Return a power less what stands ready to be taken off it."""
    return power_kw - unit.reserve_down_kw[t] if unit.has("reserve_down_kw") else power_kw


def _until_empty(cuts: list[np.ndarray]) -> list[np.ndarray]:
    """Return the cuts up to the last that takes something."""
    last = max((lag for lag, cut in enumerate(cuts) if cut.any()), default=-1)
    return cuts[: last + 1]


def _ahead(mask: np.ndarray, steps: int) -> np.ndarray:
    """Return a mask as it is some steps later; 0 past the end."""
    later: np.ndarray = np.append(mask[steps:], np.zeros(min(steps, len(mask))))
    return later


def _excluded(on_lags: list[np.ndarray], start_lag: int, stop_lag: np.ndarray) -> np.ndarray:
    """Return 1 in each step where a start ``start_lag`` before keeps it from stopping ``1 + stop_lag`` steps after.

    Parameters
    ----------
    on_lags : list of ndarray
        As of `lags_within` of the shortest time on.
    start_lag : int
    stop_lag : ndarray of int (steps,)
    """
    excluded = np.zeros(len(stop_lag))
    for lag in np.unique(stop_lag[stop_lag >= 0]):
        total = start_lag + 1 + int(lag)
        if total < len(on_lags):
            excluded = np.where(stop_lag == lag, _ahead(on_lags[total], 1 + int(lag)), excluded)
    return excluded
