"""Curtailment: how long a load may be shed, how long it must be left alone, and what it draws again afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from ems.assets.unit import Unit

NEAR_H = 1e-6
"""Times in hours that differ by less are equal: far above the rounding of sums of steps, far below a second."""


def declare_episodes(unit: Unit, shed_limit_kw: np.ndarray, longest_h: float | None, gap_h: float) -> None:
    """Declare that each curtailment ends in time and is followed by a time without one.

    As minimum and maximum times of a unit that is on while curtailed [1]_:

    - is_curtailed[t] <= sum of the starts from which the end of step t is at most the longest time away
    - sum of the stops that are less than the gap ago <= 1 - is_curtailed[t]

    Nothing is known of the time before the horizon: it begins without a curtailment, and one may begin at once.

    Parameters
    ----------
    unit : Unit
        With ``unserved_kw``.
    shed_limit_kw : ndarray (steps,)
        Highest power that may be shed.
    longest_h : float, optional
        Longest curtailment; any where nothing is given.
    gap_h : float
        Shortest time between two of them.

    References
    ----------
    .. [1] D. Rajan and S. Takriti, "Minimum up/down polytopes of the unit commitment problem with start-up costs,"
       IBM Research Report RC23628, 2005.
    """
    steps = len(unit.horizon)
    boundaries_h = np.concatenate(([0.0], np.cumsum(unit.step_h)))
    begin_h, end_h = boundaries_h[:-1], boundaries_h[1:]
    unit.add_variable("is_curtailed", upper=(shed_limit_kw > 0) * 1.0, is_binary=True)
    # Whole because is_curtailed is: a start and a stop at once would need a step that is both curtailed and not.
    unit.add_variable("curtailment_start", upper=1.0)
    unit.add_variable("curtailment_stop", upper=np.append(0.0, np.ones(steps - 1)))
    unit.add_constraint("shed_at_most_limit", lambda t: unit.unserved_kw[t] <= shed_limit_kw[t] * unit.is_curtailed[t])
    unit.add_constraint(
        "first_curtailment", unit.is_curtailed[0] == unit.curtailment_start[0] - unit.curtailment_stop[0]
    )
    unit.add_constraint(
        "start_and_stop",
        lambda t: (
            unit.is_curtailed[t] - unit.is_curtailed[t - 1] == unit.curtailment_start[t] - unit.curtailment_stop[t]
        ),
        over=range(1, steps),
    )
    since = np.minimum(np.searchsorted(begin_h, begin_h - gap_h + NEAR_H), np.arange(steps))
    unit.add_constraint_each(
        "minimum_recovery_time",
        lambda t: sum(unit.curtailment_stop[k] for k in range(since[t], t + 1)) <= 1 - unit.is_curtailed[t],
    )
    if longest_h is None:
        return
    earliest = np.searchsorted(begin_h, end_h - longest_h - NEAR_H)
    unit.add_constraint_each(
        "maximum_duration",
        lambda t: unit.is_curtailed[t] <= sum(unit.curtailment_start[k] for k in range(earliest[t], t + 1)),
    )


def declare_recovery(
    unit: Unit, shed_limit_kw: np.ndarray, free_kw: np.ndarray, recovered_share: float, recovery_h: float | None
) -> None:
    """Declare that a share of what was shed is drawn again in time.

    backlog[t+1] = backlog[t] + (recovered_share * unserved[t] - recovery[t]) * step, which is never negative, is at
    most what was shed in steps that ended within the last ``recovery_h``, and is nothing at the end of the horizon:
    energy is not saved by putting it off until after the plan. What is shed is not drawn in the same step.

    Parameters
    ----------
    unit : Unit
        With ``unserved_kw``.
    shed_limit_kw : ndarray (steps,)
        Highest power that may be shed.
    free_kw : ndarray (steps,)
        Power that the load can draw beyond its demand.
    recovered_share : float
    recovery_h : float, optional
        Time within which it is drawn; any until the end of the horizon where nothing is given.
    """
    steps, step_h = len(unit.horizon), unit.step_h
    end_h = np.cumsum(step_h)
    # What was shed by the end of a step is not yet due while the step ended less than the recovery time ago.
    due = np.zeros(steps, dtype=int) if recovery_h is None else np.searchsorted(end_h, end_h - recovery_h + NEAR_H)
    shed_kwh = np.concatenate(([0.0], np.cumsum(shed_limit_kw * step_h)))
    # What can be drawn in a step was shed before it, and was not due before it.
    owed_kwh = recovered_share * (shed_kwh[:-1] - shed_kwh[np.append(0, due[:-1])])
    most_kw = np.minimum(free_kw, owed_kwh / step_h)
    unit.add_variable("recovery_kw", upper=most_kw)
    unit.add_variable("backlog_kwh", "boundaries", upper=np.concatenate(([0.0], np.full(steps - 1, np.inf), [0.0])))

    def backlog(t: Any) -> Any:
        change_kw = recovered_share * unit.unserved_kw[t] - unit.recovery_kw[t]
        return unit.backlog_kwh[t + 1] == unit.backlog_kwh[t] + change_kw * step_h[t]

    unit.add_constraint("backlog", backlog)
    unit.add_constraint_each(
        "recovery_in_time",
        lambda t: (
            unit.backlog_kwh[t + 1]
            <= sum(unit.unserved_kw[k] * float(recovered_share * step_h[k]) for k in range(due[t], t + 1))
        ),
        over=np.flatnonzero(due > 0).tolist(),
    )
    both = np.flatnonzero((shed_limit_kw > 0) & (most_kw > 0)).tolist()
    if unit.has("is_curtailed"):
        unit.add_constraint(
            "shed_or_recover", lambda t: unit.recovery_kw[t] <= most_kw[t] * (1 - unit.is_curtailed[t]), over=both
        )
        return
    per_shed, per_recovered = 1 / np.where(shed_limit_kw > 0, shed_limit_kw, 1), 1 / np.where(most_kw > 0, most_kw, 1)
    unit.add_constraint(
        "shed_or_recover",
        lambda t: unit.unserved_kw[t] * per_shed[t] + unit.recovery_kw[t] * per_recovered[t] <= 1,
        over=both,
    )
    unit.exclude("unserved_kw", "recovery_kw")
