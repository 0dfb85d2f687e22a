"""Start-up cost by the hours that a generator has been off: fields, and the class of each start in a dispatch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ems.assets.unit import Unit
from ems.horizon import Horizon
from ems.record import NonNegative, Record

ROUNDING_H = 1e-9
"""Hours by which sums of step lengths may miss a stated time."""


class StartupCost(Record):
    """Cost of a start after a time off."""

    offline_h: NonNegative
    """Hours off from which it is valid; the first also holds for shorter times. Acts in dispatch and settlement."""
    cost: NonNegative
    """Cost of each such start. Acts in dispatch and settlement."""


def check_startup_costs(costs: Sequence[StartupCost]) -> None:
    """Raise ValueError where costs are not in order from hot to cold."""
    for hot, cold in itertools.pairwise(costs):
        if cold.offline_h <= hot.offline_h:
            raise ValueError(
                f"startup_costs: offline_h = {cold.offline_h:g} h must be greater than the {hot.offline_h:g} h before "
                "it; state them from hot to cold"
            )
        if cold.cost < hot.cost:
            raise ValueError(
                f"startup_costs: cost = {cold.cost:g} after {cold.offline_h:g} h must be at least the {hot.cost:g} of "
                f"{hot.offline_h:g} h, as a colder start is never cheaper"
            )


def class_after(costs: Sequence[StartupCost], offline_h: np.ndarray) -> np.ndarray:
    """Return the position of the class that is valid after some hours off."""
    begins = np.array([one.offline_h for one in costs])
    return np.maximum(np.searchsorted(begins, offline_h + ROUNDING_H, side="right") - 1, 0)


def declare_start_classes(unit: Unit, costs: Sequence[StartupCost], offline_before_h: float | None) -> None:
    """Declare which starts are hotter than the coldest class.

    A start may count as of class ``k`` if the generator was stopped within the hours of that class before:

    is_started_k[t] <= sum(is_stopped[s] for s whose hours before t belong to class k)
    sum(is_started_k[t] over k) <= is_started[t]

    All others are cold. As colder starts cost more, the least cost takes the hottest class that is true [1]_.

    Parameters
    ----------
    unit : Unit
        Has ``is_started`` and ``is_stopped``.
    costs : sequence of StartupCost
        From hot to cold.
    offline_before_h : float, optional
        Hours off before the horizon; infinite where it was off for long, None where it was on.

    References
    ----------
    .. [1] G. Morales-España, J. M. Latorre and A. Ramos, "Tight and compact MILP formulation for the thermal unit
       commitment problem," IEEE Transactions on Power Systems, vol. 28, no. 4, 2013,
       doi:10.1109/TPWRS.2013.2251373.
    """
    names = class_names(costs)
    if not names:
        return
    begins_h = begins_of(unit.horizon)
    for number, name in enumerate(names):
        unit.add_variable(name, upper=1.0)
        masks = _lags_of_class(costs, number, begins_h)
        is_from_before = np.zeros(len(begins_h))
        if offline_before_h is not None:
            is_from_before = (class_after(costs, begins_h + offline_before_h) == number).astype(float)

        def start_class(t: Any, name: str = name, masks: Any = masks, before: np.ndarray = is_from_before) -> Any:
            stopped = sum(unit.is_stopped[np.maximum(t - lag, 0)] * mask[t] for lag, mask in masks)
            return getattr(unit, name)[t] <= stopped + before[t]

        unit.add_constraint("start_class", start_class)
    unit.add_constraint(
        "one_start_class", lambda t: sum(getattr(unit, name)[t] for name in names) <= unit.is_started[t]
    )


def class_names(costs: Sequence[StartupCost]) -> list[str]:
    """Return the names of the variables of all classes but the coldest."""
    return [f"is_started_{number}" for number in range(1, len(costs))]


def startup_cost(unit: Any, costs: Sequence[StartupCost], t: Any) -> Any:
    """Return the cost of starts in step ``t``: that of a cold one, less what a hotter one saves."""
    cost = unit.is_started[t] * costs[-1].cost
    for one, name in zip(costs[:-1], class_names(costs), strict=True):
        of_class = getattr(unit, name, None)
        if of_class is not None:
            cost = cost - of_class[t] * (costs[-1].cost - one.cost)
    return cost


def begins_of(horizon: Horizon) -> np.ndarray:
    """Return the hours from the beginning of the horizon to that of each step."""
    begins: np.ndarray = horizon.step_h.cumsum() - horizon.step_h
    return begins


def _lags_of_class(costs: Sequence[StartupCost], number: int, begins_h: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Return how many steps before ``t`` a stop may lie for a start of a class, each with the steps where it does."""
    lags = []
    for lag in range(1, len(begins_h)):
        offline_h = begins_h[lag:] - begins_h[:-lag]
        if offline_h.min() >= costs[number + 1].offline_h - ROUNDING_H:
            break
        mask = np.zeros(len(begins_h))
        mask[lag:] = class_after(costs, offline_h) == number
        if mask.any():
            lags.append((lag, mask))
    return lags
