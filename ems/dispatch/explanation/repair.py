"""Repair: the least changes of limits by which a dispatch has a schedule, in words and as a problem that solves."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from ems.dispatch.explanation.draft import Draft
from ems.dispatch.explanation.elastic import Change, Elastic, make_elastic
from ems.dispatch.formulation.compile import compile_problem
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem

MOST_REPAIRS = 3
MOST_ROUNDS = 4
"""Of trying a repair out and mending what else it takes."""


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
    found: list[Repair] = []
    tried = sorts if numbers is None else {elastic.limits[number].sort: 0 for number in numbers}
    for sort in tried:
        if sort[0] == "bus" or time.perf_counter() - begin > budget_s or not elastic.budget.has_time():
            continue
        repair = _verified(elastic, sorts[sort], options)
        if repair is not None and not repair.changes:
            return []
        if repair is not None:
            found.append(repair)
    found.sort(key=lambda repair: (repair.weight, str(repair)))
    if found or not elastic.budget.has_time():
        return found[:most]
    # No single sort is sufficient: all together, and the balance of buses only where that is not, either.
    no_bus = [number for number, limit in enumerate(elastic.limits) if limit.kind != "bus"]
    for together in (no_bus, range(len(elastic.limits))):
        smallest = _verified(elastic, together, options)
        if smallest is not None:
            return [smallest] if smallest.changes else []
    return []


def _repair(elastic: Elastic, numbers: Collection[int], options: SolverOptions) -> Repair | None:
    """Return the smallest repair by some limits; None where there is none."""
    solution, _ = elastic.solve(frozenset(numbers), options)
    if solution.x is None:
        return None
    units = elastic.units(solution.x)
    changes = [
        elastic.limits[number].change(units, elastic.beyond(number, solution.x))
        for number in elastic.broken(solution.x)
    ]
    return Repair(tuple(change for change in changes if change is not None), float(solution.objective))


def _verified(elastic: Elastic, numbers: Collection[int], options: SolverOptions) -> Repair | None:
    """Return the smallest repair by some limits with what else it takes, tried out; None where there is none.

    What follows from a changed record may bind anew: a lower lowest output brings the first step after a start down.
    """
    fields = {(elastic.limits[number].owner, elastic.limits[number].field) for number in numbers}
    repair = _repair(elastic, numbers, options)
    for _ in range(MOST_ROUNDS):
        if repair is None or not repair.changes:
            return repair
        mended = apply_repair(elastic.problem, repair)
        if elastic.budget.solve(compile_problem(mended).matrix, options).x is not None:
            return repair
        again = make_elastic(mended, elastic.budget)
        same = [number for number, limit in enumerate(again.limits) if (limit.owner, limit.field) in fields]
        more = _repair(again, same, options)
        if more is None or not more.changes:
            return None
        repair = Repair((*repair.changes, *more.changes), repair.weight + more.weight)
    return None


def apply_repair(problem: DispatchProblem, repair: Repair) -> DispatchProblem:
    """Return a dispatch whose records and series are loosened as a repair says, so that it has a schedule.

    Outages of the goal stay in the series, where they have been worked in.

    Parameters
    ----------
    problem : DispatchProblem
    repair : Repair
        Of that problem, from `find_repairs`.
    """
    draft = Draft(problem)
    for change in repair.changes:
        change.apply(draft)
    return draft.problem()
