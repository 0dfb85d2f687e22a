"""ShiftableUse: a fixed use of power whose time may be chosen, as of a washing machine or a pump."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from ems.assets.unit import Unit
from ems.horizon import Horizon
from ems.record import FromList, Moment, Positive, Record

NEAR_H = 1e-6
"""Lengths in hours that differ by less are equal: far above the rounding of sums of steps, far below a second."""


class UseWindow(Record):
    """A span of time within which a use may run."""

    earliest: Moment
    """When it may begin at the earliest. Acts in dispatch and settlement."""
    latest: Moment
    """When it must be over. Acts in dispatch and settlement."""

    @model_validator(mode="after")
    def _in_order(self) -> UseWindow:
        if self.latest <= self.earliest:
            raise ValueError(f"latest = {self.latest.isoformat()}: must be after earliest")
        return self


class ShiftableUse(Record):
    """A use of fixed power and length that waits for a good time."""

    power_kw: Positive
    """Power while it runs; may change with time, as the series shiftable_power_kw. Acts in dispatch and settlement."""
    duration_h: Positive
    """How long a run lasts. Acts in dispatch and settlement."""
    is_interruptible: bool = False
    """Whether a run may pause; otherwise it is one block. Acts in dispatch and settlement."""
    windows: Annotated[tuple[UseWindow, ...], FromList] = ()
    """Spans within one of which each block, or each step where it may pause, must lie; any time where none is given.
    The series shiftable_is_allowed takes their place. Acts in dispatch and settlement."""
    runs: Annotated[int, Field(ge=1)] = 1
    """How often it runs within the horizon. Acts in dispatch and settlement."""

    @property
    def running_h(self) -> float:
        """Length of all runs together."""
        return self.duration_h * self.runs

    def check_horizon(self, horizon: Horizon) -> list[str]:
        """Return a finding where its runs do not fit into the horizon's steps and its windows."""
        lasts = f"shiftable.duration_h = {self.duration_h:g} h"
        if self.is_interruptible:
            allowed_h = horizon.step_h[self.allowed_steps(horizon)]
            if not _is_sum_of(self.running_h, allowed_h):
                return [
                    f"{lasts}: {self.runs} x {self.duration_h:g} h cannot be made of whole steps within its windows, "
                    f"which leave {allowed_h.sum():g} h"
                ]
            return []
        possible, end = self.blocks(horizon)
        fitting = _most_blocks(possible, end)
        if not fitting:
            return [f"{lasts}: no block of neighbouring steps lasts just that long within one of its windows"]
        if fitting < self.runs:
            return [f"shiftable.runs = {self.runs}: at most {fitting} blocks of {self.duration_h:g} h fit"]
        return []

    def allowed_steps(self, horizon: Horizon) -> np.ndarray:
        """Return whether each step lies within a window, shape (steps,)."""
        boundaries_h = _boundaries_h(horizon)
        return self._is_within(horizon, boundaries_h[:-1], boundaries_h[1:])

    def _is_within(self, horizon: Horizon, begin_h: np.ndarray, end_h: np.ndarray) -> np.ndarray:
        """Return whether each span, in hours after the beginning of the horizon, lies within one window."""
        if not self.windows:
            return np.ones(len(begin_h), dtype=bool)
        is_within = np.zeros(len(begin_h), dtype=bool)
        for window in self.windows:
            earliest_h, latest_h = (
                (moment - horizon.start).total_seconds() / 3600 for moment in (window.earliest, window.latest)
            )
            is_within |= (begin_h >= earliest_h - NEAR_H) & (end_h <= latest_h + NEAR_H)
        return is_within

    def blocks(self, horizon: Horizon, is_allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return where a block may start, and where one that does would end.

        Parameters
        ----------
        horizon : Horizon
        is_allowed : ndarray of bool (steps,), optional
            Steps in which it may run, in place of its windows.

        Returns
        -------
        possible : ndarray of bool (steps,)
            Whether a block may start at each step: neighbouring steps from there last just as long as it does.
        end : ndarray of int (steps,)
            The step after the block's last one, where it may start.
        """
        boundaries_h = _boundaries_h(horizon)
        begin_h = boundaries_h[:-1]
        end = np.searchsorted(boundaries_h, begin_h + self.duration_h - NEAR_H)
        fits = end <= len(horizon)
        end = np.minimum(end, len(horizon))
        possible: np.ndarray = fits & (np.abs(boundaries_h[end] - begin_h - self.duration_h) <= NEAR_H)
        if is_allowed is None:
            possible &= self._is_within(horizon, begin_h, boundaries_h[end])
        else:
            forbidden = np.concatenate(([0], np.cumsum(~is_allowed)))
            possible &= forbidden[end] == forbidden[:-1]
        return possible, end

    def declare(self, unit: Unit, power_kw: np.ndarray, is_allowed: np.ndarray | None) -> None:
        """Declare when it runs.

        A block is told by its start, of which there are as many as runs; what runs follows from starts:
        is_running[t] = is_running[t-1] + is_started[t] - is_started[start of the block that ends before t].
        Where all steps are equal that is the convolution of starts with the block, whose relaxation is tight [1]_.

        Parameters
        ----------
        unit : Unit
        power_kw : ndarray (steps,)
        is_allowed : ndarray of bool (steps,), optional
            Steps in which it may run, in place of its windows.

        References
        ----------
        .. [1] D. Rajan and S. Takriti, "Minimum up/down polytopes of the unit commitment problem with start-up
           costs," IBM Research Report RC23628, 2005.
        """
        unit.add_series("shiftable_power_kw", power_kw)
        if self.is_interruptible:
            may_run = self.allowed_steps(unit.horizon) if is_allowed is None else is_allowed
            unit.add_variable("is_running", upper=may_run.astype(float), is_binary=True)
            unit.add_constraint(
                "running_time", _total(unit.is_running, np.flatnonzero(may_run), unit.step_h) == self.running_h
            )
            return
        possible, end = self.blocks(unit.horizon, is_allowed)
        unit.add_variable("is_started", upper=possible.astype(float), is_binary=True)
        unit.add_variable("is_running", upper=1.0)
        ended, has_ended = np.zeros(len(possible), dtype=int), np.zeros(len(possible))
        starts = np.flatnonzero(possible & (end < len(possible)))
        ended[end[starts]], has_ended[end[starts]] = starts, 1.0
        unit.add_constraint("runs_from_start", unit.is_running[0] == unit.is_started[0])
        unit.add_constraint(
            "runs_for_its_duration",
            lambda t: (
                unit.is_running[t]
                == unit.is_running[t - 1] + unit.is_started[t] - unit.is_started[ended[t]] * has_ended[t]
            ),
            over=range(1, len(possible)),
        )
        unit.add_constraint(
            "number_of_runs", _total(unit.is_started, np.flatnonzero(possible), np.ones(len(possible))) == self.runs
        )


def _boundaries_h(horizon: Horizon) -> np.ndarray:
    return np.concatenate(([0.0], np.cumsum(horizon.step_h)))


def _total(variable: Any, steps: np.ndarray, weight: np.ndarray) -> Any:
    """Return a weighted sum over some steps; in parts, because a sum is copied with each term that it gets."""
    parts = np.array_split(steps, max(1, math.isqrt(len(steps))))
    return sum(sum(variable[int(t)] * float(weight[t]) for t in part) for part in parts)


def _most_blocks(possible: np.ndarray, end: np.ndarray) -> int:
    """Return how many blocks fit one after the other; of equally long ones, the earliest is always a best choice."""
    count, free_from = 0, 0
    for start in np.flatnonzero(possible):
        if start >= free_from:
            count, free_from = count + 1, int(end[start])
    return count


def _is_sum_of(total_h: float, lengths_h: np.ndarray) -> bool:
    """Return whether some of the lengths sum up to a total; lengths are told apart to a second."""
    total_s = round(total_h * 3600)
    seconds = np.round(lengths_h * 3600).astype(int)
    if seconds.sum() < total_s or abs(total_s - total_h * 3600) > NEAR_H * 3600:
        return False
    common = math.gcd(total_s, *set(seconds.tolist()))
    reached = 1  # bit k: k times the common length can be reached
    goal = 1 << (total_s // common)
    for length in seconds.tolist():
        reached |= reached << (length // common)
        reached &= (goal << 1) - 1
        if reached & goal:
            return True
    return False
