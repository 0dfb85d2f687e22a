"""Repair: the least changes of limits by which a dispatch has a schedule, in words and as a problem that solves."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from ems.dispatch.draft import Draft
from ems.dispatch.elastic import Change, Elastic, make_elastic
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem

MOST_REPAIRS = 3
MOST_ROUNDS = 4
"""A loosened record may have further effects, of which a next round takes care."""


@dataclass(frozen=True)
class Repair:
    """Changes of limits that together make a schedule possible.

    Parameters
    ----------
    changes : tuple of Change
    weight : float
        Weighted size of what is broken: roughly the kWh, and for what is one number in a record the kW, too.
    """

    changes: tuple[Change, ...]
    weight: float

    def __str__(self) -> str:
        """Return the changes as one clause of a sentence."""
        return " and ".join(change.words for change in self.changes)


def find_repairs(
    problem: DispatchProblem, options: SolverOptions | None = None, most: int = MOST_REPAIRS
) -> list[Repair]:
    """Return ways to make a dispatch possible, each sufficient by itself, the smallest first.

    Limits of the same sort are loosened together: all connections' import, all loads' demand. Where no single sort
    is sufficient there is one repair, the smallest over all sorts.

    Parameters
    ----------
    problem : DispatchProblem
    options : SolverOptions, optional
    most : int
        Repairs at the most.

    Returns
    -------
    list of Repair
        Empty where there is a schedule already, or where nothing that may be loosened would do.
    """
    elastic = make_elastic(problem)
    return repairs_of(elastic, options or SolverOptions(), most=most)


def repairs_of(
    elastic: Elastic,
    options: SolverOptions,
    numbers: Collection[int] | None = None,
    most: int = MOST_REPAIRS,
    budget_s: float = 10.0,
) -> list[Repair]:
    """Return the repairs of an elastic dispatch.

    Parameters
    ----------
    elastic : Elastic
    options : SolverOptions
    numbers : collection of int, optional
        Limits of a conflict: only a sort that is one of them can be sufficient by itself.
    most : int
    budget_s : float
        Seconds after which no further sort is tried.
    """
    begin = time.perf_counter()
    sorts: dict[tuple[str, str], list[int]] = {}
    for number, limit in enumerate(elastic.limits):
        sorts.setdefault(limit.sort, []).append(number)
    everything = [number for number, limit in enumerate(elastic.limits) if limit.kind != "bus"]
    smallest = _repair(elastic, everything, options)
    if smallest is None:
        smallest = _repair(elastic, range(len(elastic.limits)), options)
    if smallest is None or not smallest.changes:
        return []
    found: list[Repair] = []
    tried = sorts if numbers is None else {elastic.limits[number].sort: 0 for number in numbers}
    for sort in tried:
        if sort[0] == "bus" or time.perf_counter() - begin > budget_s:
            continue
        repair = _repair(elastic, sorts[sort], options)
        if repair is not None and repair.changes:
            found.append(repair)
    found.sort(key=lambda repair: (repair.weight, str(repair)))
    return found[:most] or [smallest]


def _repair(elastic: Elastic, numbers: Collection[int], options: SolverOptions) -> Repair | None:
    """Return the smallest repair by some limits, verified; None where there is none."""
    solution, _ = elastic.solve(frozenset(numbers), options)
    if solution.x is None:
        return None
    units = elastic.units(solution.x)
    changes = [
        elastic.limits[number].change(units, elastic.beyond(number, solution.x)) for number in elastic.broken(solution.x)
    ]
    return Repair(tuple(change for change in changes if change is not None), float(solution.objective))


def apply_repair(problem: DispatchProblem, repair: Repair, options: SolverOptions | None = None) -> DispatchProblem:
    """Return a dispatch whose records and series are loosened as a repair says, so that it has a schedule.

    Outages of the goal stay in the series, where they have been worked in.

    Parameters
    ----------
    problem : DispatchProblem
    repair : Repair
    options : SolverOptions, optional
        Of the check that there is a schedule now; further effects of a loosened record are mended alike.
    """
    options = options or SolverOptions()
    for _ in range(MOST_ROUNDS):
        draft = Draft(problem)
        for change in repair.changes:
            change.apply(draft)
        problem = draft.problem()
        again = _again(problem, repair, options)
        if again is None:
            break
        repair = again
    return problem


def _again(problem: DispatchProblem, done: Repair, options: SolverOptions) -> Repair | None:
    """Return what is still to be done after a repair, by the same sorts of limits if they are sufficient."""
    elastic = make_elastic(problem)
    fields = {(change.owner, change.field) for change in done.changes}
    same = [number for number, limit in enumerate(elastic.limits) if (limit.owner, limit.field) in fields]
    for numbers in (same, range(len(elastic.limits))):
        repair = _repair(elastic, numbers, options)
        if repair is not None:
            return repair if repair.changes else None
    return None

