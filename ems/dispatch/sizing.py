"""What a dispatch costs when sizes change: battery energy and power, PV and connection stand in bounds of one matrix.

A size is a bound of many columns: the power of a battery bounds its charging in every step. The least cost over a
year is therefore a convex function of the sizes, piecewise linear, and the reduced costs of the columns at their
bounds give its slopes: one solution says what the year costs *and* what one more kWh would save [1]_. The matrix is
compiled once and stays warm in the solver; other sizes change bounds only, which costs a twentieth of a solution
from nothing. `ems.dispatch.sizing_search` finds the best sizes from these values and slopes.

References
----------
.. [1] J. F. Benders, "Partitioning procedures for solving mixed-variables programming problems," Numerische
   Mathematik, vol. 4, 1962, doi:10.1007/BF01386316.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.formulation.compile import Compiled, billed_measure, compile_problem
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.formulation.scaling import Scaling
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solvers.highs import pass_matrix, read_solution, set_options, silent_highs
from ems.dispatch.solvers.solution import Solution
from ems.errors import InvalidInput, NoSolution

SIZES = ("battery_kwh", "battery_kw", "pv_kw", "connection_kw")
"""What is sized, in the order of every array of sizes."""
MISSING_COST_PER_KWH = 1000.0
"""Price of power that too small a connection cannot carry. It is far above what a kW of connection costs in a year, so
that no best size lacks any, and keeps the cost finite where sizes are tried that are too small."""
LEAST_MISSING_KWH = 1e-3
"""Less than this of a year is a solver's rounding."""
BOTH_WAYS_KW = 1e-4
"""Power in two directions at once from which it is told."""


@dataclass(frozen=True)
class SizedAssets:
    """The assets whose sizes are sought, by id; None where a site has no such asset."""

    connection_id: str
    battery_id: str | None = None
    pv_id: str | None = None


@dataclass(frozen=True)
class SizedCost:
    """What the horizon costs at sizes, and how that changes with each of them.

    Parameters
    ----------
    sizes : ndarray (4,)
        In the order of `SIZES`.
    cost : float
        Least cost of the horizon in money, without what the sizes themselves cost.
    slopes : ndarray (4,)
        Change of the cost with one kWh or kW more: at other sizes the cost is at least
        ``cost + slopes @ (other - sizes)``.
    missing_kwh : float
        Energy that the connection could not carry.
    """

    sizes: np.ndarray
    cost: float
    slopes: np.ndarray
    missing_kwh: float


@dataclass(frozen=True)
class _Link:
    """Columns that a size bounds: ``lower = lower_per_unit * size``, ``upper = min(cap, upper_per_unit * size)``."""

    size: int
    at: np.ndarray
    lower_per_unit: np.ndarray
    upper_per_unit: np.ndarray
    cap: np.ndarray


class SizedDispatch:
    """A dispatch whose sizes change from solution to solution.

    Parameters
    ----------
    problem : DispatchProblem
        Its sized assets have the largest sizes that are looked at. Its goal minimises cost. Where a site does not say
        what missing power costs, it costs `MISSING_COST_PER_KWH`.
    sized : SizedAssets
    energy_price_factor : float
        Factor of all that the grid connection bills, for a sensitivity; wear and upkeep stay.
    options : SolverOptions, optional

    Raises
    ------
    InvalidInput
        If the dispatch needs on/off decisions: sizes are sought by linear programmes.
    """

    def __init__(
        self,
        problem: DispatchProblem,
        sized: SizedAssets,
        energy_price_factor: float = 1.0,
        options: SolverOptions | None = None,
    ) -> None:
        self.sized = sized
        self.options = options or SolverOptions()
        self.compiled: Compiled = compile_problem(with_missing_priced(problem))
        matrix = self.compiled.matrix
        if matrix.is_integer.any() or matrix.convex_costs:
            raise InvalidInput(
                "the sizing", "needs a dispatch without on/off decisions and curved costs: " + _decisions_of(matrix)
            )
        self.matrix = replace(matrix, lower=matrix.lower.copy(), upper=matrix.upper.copy())
        if energy_price_factor != 1:
            billed = billed_measure(self.compiled.problem, self.compiled.formulation, matrix.columns)
            more = energy_price_factor - 1
            self.matrix = replace(
                self.matrix, cost=matrix.cost + more * billed.vector, offset=matrix.offset + more * billed.offset
            )
        self.largest = np.zeros(len(SIZES))
        self.links = list(self._links())
        self.known: list[SizedCost] = []
        self.seconds = 0.0
        self._order = np.argsort(np.concatenate([link.at for link in self.links]))
        self._last: tuple[np.ndarray, Solution] | None = None
        self._highs: Any = None

    def at(self, sizes: np.ndarray) -> SizedCost:
        """Return what the horizon costs at sizes; what was solved once is known.

        Raises
        ------
        NoSolution
            If no schedule exists whatever the connection, or the solver stopped.
        """
        sizes = np.asarray(sizes, dtype=float)
        found = next((one for one in self.known if np.array_equal(one.sizes, sizes)), None)
        if found is not None:
            return found
        solution = self._solution(sizes)
        assert solution.column_prices is not None, "a linear programme has prices"
        missing_kwh = self._missing_kwh(solution)
        found = SizedCost(sizes, solution.objective, self._slopes(solution.column_prices, sizes), missing_kwh)
        self.known.append(found)
        return found

    def schedule(self, sizes: np.ndarray) -> DispatchResult:
        """Return the schedule at sizes as labelled data; its shares of the content are those of the largest battery.

        Raises
        ------
        NoSolution
            As for `at`.
        """
        return DispatchResult(self.compiled, self._solution(np.asarray(sizes, dtype=float)), self.matrix, 0)

    def _solution(self, sizes: np.ndarray) -> Solution:
        if self._last is not None and np.array_equal(self._last[0], sizes):
            return self._last[1]
        self._set_bounds(sizes)
        solution = self._run()
        if solution.x is None or solution.status != "optimal":
            raise NoSolution(f"the dispatch at sizes {described(sizes)} has no solution: {solution.status}")
        self._last = (sizes.copy(), solution)
        return solution

    # ------------------------------------------------------------------------------------- bounds
    def _links(self) -> Iterator[_Link]:
        """Give the columns that each size bounds, and note the largest size."""
        matrix = self.compiled.matrix
        assets = {asset.id: asset for asset in self.compiled.problem.assets}
        if self.sized.battery_id is not None:
            battery = assets[self.sized.battery_id]
            assert isinstance(battery, Battery), "the battery is one"
            self.largest[0], self.largest[1] = battery.content_kwh, battery.max_charge_kw
            yield self._in_proportion(0, battery.id, "energy_kwh")
            for name in ("charge_kw", "discharge_kw"):
                yield self._in_proportion(1, battery.id, name)
        if self.sized.pv_id is not None:
            roof = assets[self.sized.pv_id]
            assert isinstance(roof, VariableRenewable), "the roof is one"
            self.largest[2] = roof.rated_capacity_kw
            yield self._in_proportion(2, roof.id, "used_kw")
        connection = assets[self.sized.connection_id]
        assert isinstance(connection, GridConnection), "the connection is one"
        self.largest[3] = max(connection.max_import_kw, connection.max_export_kw)
        for name in ("import_kw", "export_kw"):
            at = matrix.variable(connection.id, name).at
            one = np.ones(len(at))
            # Below a limit of its own, as of what may be fed in, a way is bounded by the size.
            yield _Link(3, at, 0 * one, one, matrix.upper[at].copy())

    def _in_proportion(self, size: int, owner: str, name: str) -> _Link:
        """Return the link of columns whose bounds are in proportion to a size."""
        matrix, largest = self.compiled.matrix, self.largest[size]
        at = matrix.variable(owner, name).at
        return _Link(size, at, matrix.lower[at] / largest, matrix.upper[at] / largest, np.full(len(at), np.inf))

    def _set_bounds(self, sizes: np.ndarray) -> None:
        lower, upper = self.matrix.lower, self.matrix.upper
        for link in self.links:
            lower[link.at] = link.lower_per_unit * sizes[link.size]
            upper[link.at] = np.minimum(link.cap, link.upper_per_unit * sizes[link.size])
        if self._highs is not None:
            # HiGHS takes columns in their order several times faster.
            at = np.concatenate([link.at for link in self.links])[self._order].astype(np.int32)
            self._highs.changeColsBounds(len(at), at, lower[at], upper[at])

    def _slopes(self, column_prices: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Return how the cost changes with each size: what bounds cost, times how they follow the size.

        slope[size] = sum of min(price, 0) * upper_per_unit + max(price, 0) * lower_per_unit over its columns

        Prices that are feasible in the dual stay so for all bounds, so that the line through here lies nowhere above
        the cost. An upper bound that a cap holds does not follow; it is concave in the size, which keeps this so.
        """
        slopes = np.zeros(len(SIZES))
        for link in self.links:
            prices = column_prices[link.at]
            follows = link.upper_per_unit * sizes[link.size] < link.cap
            slopes[link.size] += float(np.minimum(prices, 0.0) @ (link.upper_per_unit * follows))
            slopes[link.size] += float(np.maximum(prices, 0.0) @ link.lower_per_unit)
        return slopes

    def _missing_kwh(self, solution: Solution) -> float:
        x, step_h = solution.x, self.compiled.problem.horizon.step_h
        assert x is not None, "a solution has values"
        blocks = [block for block in self.matrix.variables if block.name in ("missing_kw", "spilled_kw")]
        return float(sum(x[block.at] @ step_h for block in blocks))

    # ------------------------------------------------------------------------------------- solving
    def _run(self) -> Solution:
        begin = time.perf_counter()
        is_first = self._highs is None
        if is_first:
            self._highs = silent_highs()
            set_options(self._highs, self.options, has_integers=False)
            self._highs.setOptionValue("solver", "simplex")
            pass_matrix(self._highs, self.matrix)
        solution = self._solved(begin)
        if solution.status != "optimal" and not is_first:
            # A basis from far away may lead astray; from nothing the answer is found in any case.
            self._highs.clearSolver()
            self._highs.setOptionValue("presolve", "choose")
            solution = self._solved(begin)
        # From the first basis on, presolve would throw it away; the dual simplex goes on from it.
        self._highs.setOptionValue("presolve", "off")
        self.seconds += time.perf_counter() - begin
        return solution

    def _solved(self, begin: float) -> Solution:
        # HiGHS counts the seconds of all its runs against the limit.
        spent = self._highs.getRunTime()
        self._highs.setOptionValue("time_limit", spent + float(self.options.time_limit_s))
        self._highs.run()
        return read_solution(self._highs, self.matrix, Scaling(1.0, 1.0), 0, time.perf_counter() - begin)


def described(sizes: np.ndarray) -> str:
    """Return sizes in words.

    >>> described(np.array([10.0, 5.0, 8.0, 20.0]))
    'battery 10 kWh and 5 kW, PV 8 kW, connection 20 kW'
    """
    energy, power, pv, connection = (f"{float(size) + 0.0:.4g}" for size in sizes)
    return f"battery {energy} kWh and {power} kW, PV {pv} kW, connection {connection} kW"


def with_missing_priced(problem: DispatchProblem) -> DispatchProblem:
    """Return the problem with a price of power that is missing or left over at each site that states none."""
    sites = []
    for site in problem.portfolio.sites:
        prices = {
            name: MISSING_COST_PER_KWH
            for name in ("unserved_cost_per_kwh", "spill_cost_per_kwh")
            if getattr(site, name) is None
        }
        sites.append(site.replace(**prices) if prices else site)
    return replace(problem, portfolio=problem.portfolio.replace(sites=tuple(sites)))


def both_ways_steps(schedule: DispatchResult) -> int:
    """Return in how many steps an asset runs in two directions at once, which a linear programme cannot forbid."""
    pairs = schedule.compiled.matrix.exclusions
    both = [np.minimum(schedule.x[one.one], schedule.x[one.other]) > BOTH_WAYS_KW for one in pairs]
    return int(sum(np.count_nonzero(one) for one in both))


def _decisions_of(matrix: Matrix) -> str:
    """Return which variables are decisions or curves, and what to do."""
    owners = {block.owner: block.name for block in matrix.variables if matrix.is_integer[block.at].any()}
    owners |= {cost.owner: "a curved cost" for cost in matrix.convex_costs}
    said = "; ".join(f"'{owner}' has {name}" for owner, name in owners.items())
    return f"{said}; choose a tariff without tiers that get cheaper, and leave out assets that start and stop"
