"""The sizes of least life-cycle cost: a linear programme over a year, solved by cutting planes or as one matrix.

minimise  cost_per_unit_a @ size + years * cost of the horizon at these sizes
with      lowest <= size <= highest, and size a whole number of lots where there are lots

The cost of the horizon is itself the least of a linear programme in whose bounds the sizes stand, so that all of it is
one linear programme. As one matrix it has a column of every size in thousands of rows, which neither simplex nor
interior points like: a year of hours takes half a minute. Cutting planes [1]_ ask a warm dispatch what a few dozen
sizes cost, and keep to a box around the best that grows and shrinks with success [2]_. The lines below the cost bound
it from below at all sizes, so that the answer comes with its gap; they stay true when equipment gets cheaper or
dearer, so that a sensitivity begins where the last one ended.

References
----------
.. [1] J. E. Kelley, "The cutting-plane method for solving convex programs," Journal of the Society for Industrial and
   Applied Mathematics, vol. 8, no. 4, 1960, doi:10.1137/0108053.
.. [2] J. Linderoth and S. Wright, "Decomposition algorithms for stochastic programming on a computational grid,"
   Computational Optimization and Applications, vol. 24, 2003, doi:10.1023/A:1021858008222.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ems.dispatch.formulation.matrix import Block, Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.sizing import LEAST_MISSING_KWH, SIZES, SizedCost, SizedDispatch, described
from ems.dispatch.solvers.highs import solve_with_highs
from ems.dispatch.solvers.quick_scipy import sparse
from ems.errors import Infeasible, InvalidInput, NoSolution

GAP = 1e-5
"""Distance of cost and bound, as a share of the cost, at which sizes are best."""
MOST_TRIALS = 300
FIRST_RADIUS, NEAR_RADIUS, LEAST_RADIUS = 0.2, 0.05, 1e-4
"""Half the width of the box, as a share of each range: at first, at first around sizes that are near, and at last."""
SHARE_OF_OPEN = 0.1
"""Of what is open between cost and bound, the share that a box must promise to be tried."""
GOOD_SHARE = 0.5
"""Of what a box promised, the share that lets it grow when it comes true."""
NO_SIZE = 1e-6
"""Share of a lot or a range within which sizes are the same."""
ROUNDING = 1e-10
"""Share of a range below which a size is the solver's rounding. The best size of a small site in a wide range may be
a millionth of it: cutting off more would end the search before it."""
EXACTLY = SolverOptions(mip_gap=0.0)


@dataclass(frozen=True)
class SizeRange:
    """Between what a size is sought.

    Parameters
    ----------
    lowest, highest : float
        In kWh or kW.
    lot : float or None
        Size of a module, of which there are whole ones; None allows any size.
    """

    lowest: float
    highest: float
    lot: float | None = None

    @property
    def lots(self) -> tuple[int, int]:
        """Least and greatest number of whole lots within the range; the first is greater where there are none."""
        assert self.lot is not None, "asked of sizes in lots"
        return math.ceil(self.lowest / self.lot - NO_SIZE), math.floor(self.highest / self.lot + NO_SIZE)

    def fixed(self, size: float) -> SizeRange:
        """Return the range that holds one size only."""
        return SizeRange(size, size)


@dataclass(frozen=True)
class SizingTerms:
    """What sizes cost and between what they may be.

    Parameters
    ----------
    cost_per_unit_a : ndarray (4,)
        Cost of a kWh or kW of each size in a year, as an annuity, in the order of `ems.dispatch.sizing.SIZES`.
    ranges : tuple of SizeRange
    years : float
        What the cost of the horizon is multiplied by to be one of a year.
    """

    cost_per_unit_a: np.ndarray
    ranges: tuple[SizeRange, ...]
    years: float = 1.0

    def with_fixed(self, sizes: dict[int, float]) -> SizingTerms:
        """Return the terms with some sizes fixed, by their position."""
        ranges = [one.fixed(sizes[at]) if at in sizes else one for at, one in enumerate(self.ranges)]
        return replace(self, ranges=tuple(ranges))

    def cost_a(self, found: SizedCost) -> float:
        """Return what sizes and their dispatch cost in a year."""
        return float(self.cost_per_unit_a @ found.sizes) + self.years * found.cost

    @property
    def lowest(self) -> np.ndarray:
        """Lower ends of the ranges."""
        return np.array([one.lowest for one in self.ranges])

    @property
    def highest(self) -> np.ndarray:
        """Upper ends of the ranges."""
        return np.array([one.highest for one in self.ranges])


@dataclass(frozen=True)
class Sizing:
    """The best sizes and their proof.

    Parameters
    ----------
    found : SizedCost
    cost_a : float
        Cost of a year, equipment included.
    bound_a : float
        Cost of a year below which no sizes come.
    trials : int
        How many sizes were dispatched for it.
    """

    found: SizedCost
    cost_a: float
    bound_a: float
    trials: int

    @property
    def sizes(self) -> np.ndarray:
        """The best sizes, in the order of `ems.dispatch.sizing.SIZES`."""
        return self.found.sizes

    @property
    def gap(self) -> float:
        """Distance of cost and bound, as a share of the cost."""
        return max(self.cost_a - self.bound_a, 0.0) / max(abs(self.cost_a), 1e-9)


def best_sizes(
    dispatch: SizedDispatch,
    terms: SizingTerms,
    start: np.ndarray | None = None,
    gap: float = GAP,
    most_trials: int = MOST_TRIALS,
) -> Sizing:
    """Return the sizes of least cost, to within a gap.

    Parameters
    ----------
    dispatch : SizedDispatch
        What it has learned of other terms is used here, and the other way round.
    terms : SizingTerms
    start : ndarray (4,), optional
        Sizes near the best ones; without them those that what is known leads to, or the middle of the ranges.
    gap : float
        Share of the cost.
    most_trials : int
        After so many dispatches the best sizes so far are taken, with the gap that they have.

    Raises
    ------
    Infeasible
        If even the largest connection cannot carry what the site needs.
    InvalidInput
        If a range is empty.
    """
    _check(terms, dispatch)
    trials, radius = len(dispatch.known), FIRST_RADIUS if start is None else NEAR_RADIUS
    if start is None and dispatch.known:
        start, _ = _least_of_lines(dispatch.known, terms, terms.lowest, terms.highest)
    best = _evaluated(dispatch, terms, (terms.lowest + terms.highest) / 2 if start is None else start)
    # What other terms tried may be better than any guess.
    allowed = [one for one in dispatch.known if _is_allowed(one.sizes, terms)]
    best = min([best, *allowed], key=terms.cost_a)
    bound = -np.inf
    span = terms.highest - terms.lowest
    while True:
        far, bound_now = _least_of_lines(dispatch.known, terms, terms.lowest, terms.highest)
        bound, best_cost = max(bound, bound_now), terms.cost_a(best)
        if best_cost - bound <= gap * max(abs(best_cost), 1e-9) or len(dispatch.known) - trials >= most_trials:
            break
        low = np.maximum(terms.lowest, best.sizes - radius * span)
        high = np.minimum(terms.highest, best.sizes + radius * span)
        near, promised = _least_of_lines(dispatch.known, terms, low, high)
        # Where the box holds little of what is open, the lines far from it are the ones to be raised.
        is_hopeful = best_cost - promised > SHARE_OF_OPEN * (best_cost - bound)
        known = len(dispatch.known)
        tried = _evaluated(dispatch, terms, near if is_hopeful else far)
        if len(dispatch.known) == known:
            tried = _evaluated(dispatch, terms, far if is_hopeful else near)
        if len(dispatch.known) == known:
            break  # all that the lines lead to is known: nothing is left to learn
        gained = best_cost - terms.cost_a(tried)
        if gained > 0:
            best = tried
        if is_hopeful and gained <= 0:
            radius = max(radius / 2, LEAST_RADIUS)
        elif not is_hopeful or gained > GOOD_SHARE * (best_cost - promised):
            radius = min(radius * 2, 1.0)
    best = _with_nothing_missing(best, dispatch, terms)
    return Sizing(best, terms.cost_a(best), min(bound, terms.cost_a(best)), len(dispatch.known) - trials)


def sizing_matrix(dispatch: SizedDispatch, terms: SizingTerms) -> Matrix:
    """Return the sizing as one matrix: the dispatch of the horizon, a column for each size, a row for each bound.

    Parameters
    ----------
    dispatch : SizedDispatch
    terms : SizingTerms

    Returns
    -------
    Matrix
        Its last four columns are the sizes; where there are lots, these are how many.
    """
    matrix = replace(dispatch.matrix, lower=dispatch.compiled.matrix.lower, upper=dispatch.compiled.matrix.upper)
    matrix = replace(matrix, cost=terms.years * matrix.cost, offset=terms.years * matrix.offset)
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    for link in dispatch.links:
        lower[link.at] = np.minimum(lower[link.at], 0.0)
        upper[link.at] = np.minimum(link.cap, upper[link.at])
    matrix = replace(matrix, lower=lower, upper=upper)
    first = matrix.columns
    for name, price, allowed in zip(SIZES, terms.cost_per_unit_a, terms.ranges, strict=True):
        unit = allowed.lot or 1.0
        matrix = matrix.with_columns(
            ("sizing", name, [0]),
            cost=price * unit,
            lower=allowed.lowest / unit,
            upper=allowed.highest / unit,
            is_integer=allowed.lot is not None,
        )
    for number, link in enumerate(dispatch.links):
        unit, count = terms.ranges[link.size].lot or 1.0, len(link.at)
        rows, size = np.arange(count), np.full(count, first + link.size)
        for word, per_unit, side in (("most", link.upper_per_unit, "upper"), ("least", link.lower_per_unit, "lower")):
            if word == "least" and not per_unit.any():
                continue
            entries = (np.r_[rows, rows], np.r_[link.at, size], np.r_[np.ones(count), -per_unit * unit])
            matrix = matrix.with_rows(("sizing", f"{word}_{number}", range(count)), entries, **{side: 0.0})
    return matrix


def _with_nothing_missing(best: SizedCost, dispatch: SizedDispatch, terms: SizingTerms) -> SizedCost:
    """Return the best sizes whose connection carries what the site needs: a search that was cut short may not end so.

    Raises
    ------
    Infeasible
        If the largest connection does not.
    """
    if best.missing_kwh <= LEAST_MISSING_KWH:
        return best
    most = best.sizes.copy()
    most[-1] = terms.ranges[-1].highest
    _evaluated(dispatch, terms, most)
    good = [one for one in dispatch.known if one.missing_kwh <= LEAST_MISSING_KWH and _is_allowed(one.sizes, terms)]
    if good:
        return min(good, key=terms.cost_a)
    raise Infeasible(
        f"no connection up to {most[-1]:g} kW carries what the site needs: at sizes {described(best.sizes)}, "
        f"{best.missing_kwh:.4g} kWh are missing or left over; allow a larger connection"
    )


def _check(terms: SizingTerms, dispatch: SizedDispatch) -> None:
    findings = []
    for name, allowed, largest in zip(SIZES, terms.ranges, dispatch.largest, strict=True):
        if allowed.lowest > allowed.highest:
            findings.append(f"{name}: the least, {allowed.lowest:g}, is above the most, {allowed.highest:g}")
        elif allowed.highest > largest * (1 + 1e-9):
            findings.append(f"{name}: the most, {allowed.highest:g}, is above the dispatch's largest, {largest:g}")
        elif allowed.lot is not None and allowed.lots[0] > allowed.lots[1]:
            findings.append(
                f"{name}: no whole number of lots of {allowed.lot:g} lies from {allowed.lowest:g} to "
                f"{allowed.highest:g}"
            )
    if findings:
        raise InvalidInput("the sizing", findings)


def _is_allowed(sizes: np.ndarray, terms: SizingTerms) -> bool:
    slack = NO_SIZE * np.maximum(terms.highest - terms.lowest, 1e-9)
    if (sizes < terms.lowest - slack).any() or (sizes > terms.highest + slack).any():
        return False
    lots = [(size, one.lot) for size, one in zip(sizes, terms.ranges, strict=True) if one.lot is not None]
    return all(abs(size / lot - round(size / lot)) <= NO_SIZE for size, lot in lots)


def _evaluated(dispatch: SizedDispatch, terms: SizingTerms, sizes: np.ndarray) -> SizedCost:
    """Return the cost at the allowed sizes nearest to some."""
    sizes = np.clip(sizes, terms.lowest, terms.highest)
    for at, allowed in enumerate(terms.ranges):
        if allowed.lot is not None:
            sizes[at] = allowed.lot * np.clip(np.round(sizes[at] / allowed.lot), *allowed.lots)
        elif sizes[at] - allowed.lowest < ROUNDING * (allowed.highest - allowed.lowest):
            sizes[at] = allowed.lowest
    return dispatch.at(sizes)


def _least_of_lines(
    known: Sequence[SizedCost], terms: SizingTerms, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the sizes within a box at which the lines below the cost are lowest, and the value there.

    minimise cost_per_unit_a @ size + years * cost,  cost >= cost[i] + slopes[i] @ (size - sizes[i]) for each known i
    """
    lots = np.array([one.lot or 1.0 for one in terms.ranges])
    is_lot = np.array([one.lot is not None for one in terms.ranges])
    slopes = np.array([one.slopes for one in known])
    heights = np.array([one.cost - one.slopes @ one.sizes for one in known])
    least, most = low / lots, high / lots
    # A box around sizes of whole lots has whole lots in it; rounding must not cut them off.
    least[is_lot], most[is_lot] = np.ceil(least[is_lot] - NO_SIZE), np.floor(most[is_lot] + NO_SIZE)
    most = np.maximum(least, most)
    # Of the order of the best cost; lines of sizes that lack power are steep and would hide its digits.
    scale = max(abs(min(one.cost for one in known)), 1.0)
    matrix = Matrix(
        coefficients=sparse().csr_array(np.column_stack([-slopes * lots / scale, np.ones(len(known))])),
        cost=np.append(terms.cost_per_unit_a * lots / scale, terms.years),
        lower=np.append(least, -np.inf),
        upper=np.append(most, np.inf),
        is_integer=np.append(is_lot, False),
        row_lower=heights / scale,
        row_upper=np.full(len(known), np.inf),
        variables=(Block("sizing", "size", range(len(SIZES)), np.arange(len(SIZES))),),
    )
    solution = solve_with_highs(matrix, EXACTLY)
    if solution.x is None:
        raise NoSolution(f"the choice of sizes has no solution: {solution.status}")
    bound = solution.bound if is_lot.any() else solution.objective
    return solution.x[: len(SIZES)] * lots, bound * scale
