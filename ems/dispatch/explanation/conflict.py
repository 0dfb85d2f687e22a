"""Conflict: a smallest set of limits that contradict each other, and the times at which they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ems.dispatch.explanation.budget import Budget
from ems.dispatch.explanation.draft import when
from ems.dispatch.explanation.elastic import Elastic, timezone_of
from ems.dispatch.formulation.matrix import Block, Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.solvers.solution import Solution

NO_PRICE = 1e-7
"""A limit with a smaller price takes no part in a proof."""


@dataclass(frozen=True)
class Member:
    """A limit that takes part in a conflict.

    Parameters
    ----------
    number : int
        Place among the limits of the elastic dispatch.
    places : tuple of int
        Places of its keys at which it has to hold for the contradiction.
    words : str
    """

    number: int
    places: tuple[int, ...]
    words: str


@dataclass(frozen=True)
class Conflict:
    """Limits that contradict each other; without any one of them there is a schedule.

    Parameters
    ----------
    members : tuple of Member
    is_minimal : bool
        False where time ran out before every one had been tried.
    """

    members: tuple[Member, ...]
    is_minimal: bool

    def __str__(self) -> str:
        """Return the limits with their times."""
        words = [member.words for member in self.members]
        return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def smallest_set(members: Sequence[Any], still_contradicts: Callable[[list[Any]], bool]) -> list[Any]:
    """Return members of which every single one is needed for a contradiction: the deletion filter [1]_.

    Parameters
    ----------
    members : sequence
        Which contradict each other together.
    still_contradicts : callable (members)
        Whether some of them do.

    References
    ----------
    .. [1] J. W. Chinneck and E. W. Dravnieks, "Locating minimal infeasible constraint sets in linear programs," ORSA
       Journal on Computing, vol. 3, no. 2, 1991, doi:10.1287/ijoc.3.2.157.
    """
    kept = list(members)
    for member in members:
        fewer = [one for one in kept if one is not member]
        if still_contradicts(fewer):
            kept = fewer
    return kept


def find_conflict(elastic: Elastic, options: SolverOptions, budget_s: float = 10.0) -> Conflict | None:
    """Return a smallest set of limits that contradict each other, or None where they do not.

    All limits may be broken first: those with a price at the least breach are a proof of the contradiction, by the
    duality of linear programmes. The others are dropped, and the rest is filtered one by one, with decisions open;
    then the times of each.

    Parameters
    ----------
    elastic : Elastic
    options : SolverOptions
    budget_s : float
        Seconds after which no further limit is tried.
    """
    begin = time.perf_counter()
    everything = frozenset(range(len(elastic.limits)))
    no_bus = frozenset(number for number in everything if elastic.limits[number].kind != "bus")
    for breakable in (no_bus, everything):
        solution, final = elastic.solve(breakable, options)
        if solution.x is not None:
            break
    if solution.x is None or not any(elastic.broken(solution.x)) or not solution.objective > 0:
        return None

    def contradict(closed: Iterable[int]) -> bool:
        if time.perf_counter() - begin > budget_s or not elastic.budget.has_time():
            return False
        found, _ = elastic.solve(breakable - set(closed), options)
        return found.status == "infeasible"

    priced = _priced(elastic, solution, final, breakable)
    candidates = priced if priced and contradict(priced) else sorted(breakable)
    # Dear limits are tried last, so that the cheap ones that a person would loosen stay if either would do.
    numbers = smallest_set(candidates, contradict)
    members = []
    search = _Times(elastic, options, breakable - set(numbers), begin + budget_s)
    priced_places = search.priced(numbers, breakable)
    for number in numbers:
        places = search.narrowed(number) if priced_places is None else priced_places[number]
        members.append(Member(number, places, _words(elastic, number, places)))
    is_minimal = time.perf_counter() - begin <= budget_s and not elastic.budget.is_exceeded
    return Conflict(tuple(members), is_minimal)


def _priced(elastic: Elastic, solution: Solution, final: Matrix, breakable: frozenset[int]) -> list[int]:
    """Return the limits that have a price at the least breach."""
    prices = solution.row_prices
    if prices is None or len(prices) != final.rows:
        return []
    of_owner: dict[str, float] = {}
    for block in final.constraints:
        of_owner[block.owner] = max(of_owner.get(block.owner, 0.0), float(np.abs(prices[block.at]).max(initial=0.0)))
    return [number for number in sorted(breakable) if of_owner.get(elastic.limits[number].name, 0.0) > NO_PRICE]


@dataclass
class _Times:
    """The search for the times at which the limits of a conflict have to hold.

    Parameters
    ----------
    elastic : Elastic
    options : SolverOptions
    open_limits : frozenset of int
        Limits that take no part and may be broken.
    until : float
        Moment of the performance counter after which times are left as wide as they are.
    held : dict of int to ndarray of bool (keys,)
        Times found so far.
    """

    elastic: Elastic
    options: SolverOptions
    open_limits: frozenset[int]
    until: float
    held: dict[int, np.ndarray] = field(default_factory=dict)

    def priced(self, numbers: list[int], breakable: frozenset[int]) -> dict[int, tuple[int, ...]] | None:
        """Return the keys that have a price at the least breach of these limits alone, if they contradict.

        The price of a key is what a breach of it would save. Prices of a linear programme are a proof of the
        contradiction that uses few rows; with decisions they may be none, which one more solve shows.
        """
        solution, final = self.elastic.solve(breakable, self.options, free=breakable - set(numbers))
        if solution.row_prices is None or len(solution.row_prices) != final.rows:
            return None
        prices = solution.row_prices.copy()
        for block in final.constraints:
            if block.name == "highest":
                prices[block.at] = 0.0
        saved = np.abs(final.coefficients.T @ prices)
        places = {}
        for number in numbers:
            at = final.variable(self.elastic.limits[number].name, "beyond").at
            places[number] = tuple(np.flatnonzero(saved[at] > NO_PRICE).tolist()) or tuple(range(len(at)))
        if not self._contradict(places):
            return None
        # Prices are not unique: a kWh that is cut and one that is missing cancel. Fewer keys may do.
        for number in sorted(numbers, key=lambda one: -len(places[one])):
            keys = self.elastic.limits[number].keys
            others = {self.elastic.limits[one].keys[at] for one in numbers if one != number for at in places[one]}
            fewer = tuple(at for at in places[number] if keys[at] in others)
            if 0 < len(fewer) < len(places[number]) and self._contradict({**places, number: fewer}):
                places[number] = fewer
        return places

    def _contradict(self, places: Mapping[int, tuple[int, ...]]) -> bool:
        held = {number: self._holding(number, found) for number, found in places.items()}
        found, _ = self.elastic.solve(self.open_limits | set(held), self.options, held)
        return found.status == "infeasible"

    def narrowed(self, number: int) -> tuple[int, ...]:
        """Return the shortest span of keys at which a limit has to hold for the contradiction, by bisection.

        Fewer keys at which it holds never make a contradiction of a schedule, so that bisection finds the last
        beginning and then the first end. Spans found before for other limits stay.
        """
        count = len(self.elastic.limits[number].keys)
        low, high = 0, count - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._contradicts(number, middle, count) else (low, middle - 1)
        first = low
        low, high = first + 1, count
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._contradicts(number, first, middle) else (middle + 1, high)
        places = tuple(range(first, low))
        self.held[number] = self._holding(number, places)
        return places

    def _holding(self, number: int, places: Sequence[int]) -> np.ndarray:
        holds = np.zeros(len(self.elastic.limits[number].keys), dtype=bool)
        holds[list(places)] = True
        return holds

    def _contradicts(self, number: int, first: int, end: int) -> bool:
        if time.perf_counter() > self.until or not self.elastic.budget.has_time():
            return False
        held = {**self.held, number: self._holding(number, range(first, end))}
        found, _ = self.elastic.solve(self.open_limits | set(held), self.options, held)
        return found.status == "infeasible"


def _words(elastic: Elastic, number: int, places: tuple[int, ...]) -> str:
    """Return a limit with the times at which it matters."""
    limit, horizon = elastic.limits[number], elastic.problem.horizon
    keys = limit.keys
    if not isinstance(keys, range) or limit.field in ("max_cycles_per_d", "sessions"):
        return limit.words
    boundaries = len(keys) + keys.start == len(horizon) + 1
    steps = {max(int(keys[place]) - (1 if boundaries else 0), 0) for place in places}
    if len(steps) == len(horizon) and len(horizon) > 1:
        return limit.words
    return f"{limit.words} {when(steps, horizon, timezone_of(elastic.problem, limit.owner))}"


def conflicting_blocks(matrix: Matrix, blocks: Sequence[Block], options: SolverOptions, budget: Budget) -> list[Block]:
    """Return constraints of which every single one is needed for a contradiction with all others of a matrix.

    Parameters
    ----------
    matrix : Matrix
        Which has no schedule.
    blocks : sequence of Block
        Constraints that may be left out: those that somebody added to a model.
    options : SolverOptions
    budget : Budget
        Where it does not suffice, some constraints may not be needed.
    """

    def contradicts(kept: list[Block]) -> bool:
        lower, upper = matrix.row_lower.copy(), matrix.row_upper.copy()
        names = {id(block) for block in kept}
        for block in blocks:
            if id(block) not in names:
                lower[block.at], upper[block.at] = -np.inf, np.inf
        return budget.solve(replace(matrix, row_lower=lower, row_upper=upper), options).status == "infeasible"

    return smallest_set(list(blocks), contradicts) if not contradicts([]) else []
