"""Elastic dispatch: limits of people may be broken at a price, the laws of physics may not."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ems.dispatch.explanation.budget import Budget
from ems.dispatch.explanation.draft import Draft
from ems.dispatch.formulation.array_unit import ArrayUnit, MatrixBuilder
from ems.dispatch.formulation.compile import Compiled, Measure, solved
from ems.dispatch.formulation.declaration import Formulation, declare
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solvers.solution import Solution
from ems.horizon import Horizon

SMALLEST = 1e-6
"""Of what is broken, in kW, kWh, K or h: a solver's own tolerance leaves smaller ones."""


@dataclass(frozen=True)
class Change:
    """One limit that is loosened.

    Parameters
    ----------
    owner, field : str
        Id of the asset, site, group or reserve, and the field of its record.
    by : float
        How much the limit is too tight, in the unit.
    unit : str
    steps : tuple of int
        Steps in which it is, or before whose end; empty where it is not tied to a time.
    words : str
        All of it as a sentence without its end, in local time.
    apply : callable (draft)
        Loosens the record or series accordingly.
    """

    owner: str
    field: str
    by: float
    unit: str
    steps: tuple[int, ...]
    words: str
    apply: Callable[[Draft], None] = dataclasses.field(repr=False, compare=False)


@dataclass(frozen=True)
class Limit:
    """A limit of people that may be broken.

    Parameters
    ----------
    owner, field : str
        Id of the asset, site, group or reserve, and the field of its record.
    words : str
        What a sentence calls it.
    keys : sequence
        What it may be broken at: steps, boundaries or keys of its own.
    weights : ndarray (keys,)
        Price of breaking it by one unit at each key.
    declare : callable (unit, formulation)
        Declares the limit less what it is broken by, ``unit.beyond[key]``.
    change : callable (formulation, beyond)
        Returns what would do, from the numbers of a schedule; None where nothing has to be done.
    highest_weight : float
        Price of one unit of the largest breach; what is one number in a record should be raised once, and little.
    kind : str
        What it is a limit of: ``battery``, ``group``.
    """

    owner: str
    field: str
    words: str
    keys: Sequence[Any]
    weights: np.ndarray
    declare: Callable[[Any, Formulation], None]
    change: Callable[[Formulation, np.ndarray], Change | None]
    highest_weight: float = 0.0
    kind: str = ""

    @property
    def sort(self) -> tuple[str, str]:
        """What is loosened together: the same field of all assets of a kind."""
        return self.kind, self.field

    @property
    def name(self) -> str:
        """Owner of its variables in the matrix."""
        return f"limit {self.owner} {self.field}"


@dataclass(frozen=True)
class Elastic:
    """A dispatch whose limits may be broken, as a matrix whose objective is yet to be chosen.

    Parameters
    ----------
    problem : DispatchProblem
        As it was asked.
    limits : tuple of Limit
    compiled : Compiled
        The dispatch without these limits, with each of them declared anew less what it is broken by.
    budget : Budget
        Time of all solves together; endless where nothing else is said.
    """

    problem: DispatchProblem
    limits: tuple[Limit, ...]
    compiled: Compiled
    budget: Budget = field(default_factory=lambda: Budget(math.inf))

    def closed(
        self,
        open_limits: Collection[int],
        held: Mapping[int, np.ndarray] | None = None,
        free: Collection[int] = (),
    ) -> Matrix:
        """Return the matrix in which only some limits may be broken, at the least weighted breach.

        Parameters
        ----------
        open_limits : collection of int
            Positions of the limits that may be broken.
        held : mapping of int to ndarray of bool (keys,), optional
            Of an open limit, the keys at which it holds all the same.
        free : collection of int
            Open limits whose breach costs nothing.
        """
        matrix = self.compiled.matrix
        upper, cost = matrix.upper.copy(), np.zeros(matrix.columns)
        for number, limit in enumerate(self.limits):
            beyond = matrix.variable(limit.name, "beyond").at
            cost[beyond] = 0.0 if number in free else limit.weights
            if number not in open_limits:
                upper[beyond] = 0.0
            elif held is not None and number in held:
                upper[beyond[held[number]]] = 0.0
            if limit.highest_weight and number not in free:
                cost[matrix.variable(limit.name, "highest").at] = limit.highest_weight
        return replace(matrix, upper=upper, cost=cost, offset=0.0)

    def solve(
        self,
        open_limits: Collection[int],
        options: SolverOptions,
        held: Mapping[int, np.ndarray] | None = None,
        free: Collection[int] = (),
    ) -> tuple[Solution, Matrix]:
        """Return the schedule that breaks some limits least, and the matrix that has its prices."""
        return self.budget.solve_with_prices(self.closed(open_limits, held, free), options)

    def units(self, x: np.ndarray) -> Formulation:
        """Return the units with the numbers of a schedule."""
        return solved(self.compiled, x)

    def beyond(self, number: int, x: np.ndarray) -> np.ndarray:
        """Return by how much a limit is broken at each key."""
        values: np.ndarray = x[self.compiled.matrix.variable(self.limits[number].name, "beyond").at]
        return np.where(values > SMALLEST, values, 0.0)

    def broken(self, x: np.ndarray) -> Iterator[int]:
        """Give the positions of the limits that a schedule breaks."""
        for number in range(len(self.limits)):
            if self.beyond(number, x).any():
                yield number


def make_elastic(problem: DispatchProblem, budget: Budget | None = None) -> Elastic:
    """Return a dispatch whose limits may be broken.

    The record of each limit is opened first, so that everything that follows from it is open, too: cuts, ranges,
    ramps. Then the limit is declared again, on its own, less what it is broken by.
    """
    from ems.dispatch.explanation.elastic_limits import open_limits

    draft = Draft(problem)
    limits = tuple(open_limits(problem, draft))
    opened = draft.problem()
    builder = MatrixBuilder()
    formulation = declare(opened, lambda owner: ArrayUnit(owner, problem.horizon, builder))
    for limit in limits:
        unit = ArrayUnit(limit.name, problem.horizon, builder)
        unit.add_variable("beyond", over=limit.keys)
        limit.declare(unit, formulation)
        if limit.highest_weight:
            unit.add_variable("highest", over=["highest"])
            # Keys of every sort of index: one row each.
            unit.add_constraint_each("highest", _at_most_highest(unit), over=limit.keys)
    matrix = _with_first_contents_free(builder.build(), problem)
    measure = Measure("repair", np.zeros(matrix.columns))
    compiled = Compiled(opened, matrix, formulation, (measure,))
    return Elastic(problem, limits, compiled, budget or Budget(math.inf))


def _at_most_highest(unit: Any) -> Callable[[Any], Any]:
    return lambda key: unit.beyond[key] <= unit.highest["highest"]


def _with_first_contents_free(matrix: Matrix, problem: DispatchProblem) -> Matrix:
    """Return the matrix in which a battery may begin with any content; a limit of its own holds it."""
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for asset in problem.assets:
        if asset.kind == "battery":
            first = matrix.variable(asset.id, "energy_kwh").at[0]
            lower[first], upper[first] = 0.0, asset.content_kwh
    return replace(matrix, lower=lower, upper=upper)


def enough(value: float) -> float:
    """Return a little more than a value, so that a solver's tolerance does not make it too little."""
    return value + SMALLEST * max(1.0, abs(value))


def shown(value: float) -> str:
    """Return a number as a sentence has it."""
    return f"{value:.5g}"


def timezone_of(problem: DispatchProblem, owner: str) -> str:
    """Return the time zone of an asset or a site; that of the first site where it belongs to none."""
    sites = {site.id: site for site in problem.portfolio.sites}
    for asset in problem.assets:
        if asset.id == owner:
            return sites[asset.site_id].timezone
    return sites[owner].timezone if owner in sites else problem.portfolio.sites[0].timezone


def power_change(
    limit: tuple[str, str, str],
    at: tuple[Horizon, str],
    limit_kw: np.ndarray,
    beyond: np.ndarray,
    apply: Callable[[Draft], None],
    *,
    unit: str = "kW",
    fault: str = "too small",
) -> Change | None:
    """Return the change of a limit in each step: ``grid import limit 50 kW is 12.3 kW too small 17:15-18:00``.

    Parameters
    ----------
    limit : tuple of str
        Owner, field, and what a sentence calls it.
    at : tuple of Horizon and str
        Horizon and time zone.
    limit_kw, beyond : ndarray (steps,)
        The limit and by how much it is broken.
    apply : callable (draft)
    unit, fault : str
        What is counted, and what is wrong with it.
    """
    from ems.dispatch.explanation.draft import when

    steps = np.flatnonzero(beyond)
    if not len(steps):
        return None
    worst = steps[int(np.argmax(beyond[steps]))]
    owner, name, words = limit
    return Change(
        owner,
        name,
        float(beyond[worst]),
        unit,
        tuple(steps.tolist()),
        f"{words} {shown(limit_kw[worst])} {unit} is {shown(beyond[worst])} {unit} {fault} "
        f"{when(steps.tolist(), *at)}",
        apply,
    )
