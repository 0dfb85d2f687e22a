"""WarmDispatch: a dispatch that is compiled once and solved again and again with other numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from ems.dispatch.formulation.compile import Compiled, compile_problem
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.formulation.scaling import Scaling
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solvers.exactness import TOLERANCE_KW, curve_error, solve_exactly
from ems.dispatch.solvers.highs import pass_matrix, read_solution, set_options, silent_highs
from ems.dispatch.solvers.solution import Solution
from ems.errors import Infeasible, InvalidInput, NoSolution

ROUNDING = 1e-11
"""Distance from a number of six digits that only rounding makes."""
NUMBERS = ("cost", "row_lower", "row_upper", "lower", "upper")
"""Arrays of a matrix in which series may stand."""


@dataclass(frozen=True)
class Link:
    """Where a series stands in an array of the matrix: ``array[at] += factor * (new - old)[step]``."""

    at: np.ndarray
    step: np.ndarray
    factor: np.ndarray


class WarmDispatch:
    """A dispatch whose matrix stays in the solver while its series and first contents change.

    The series stand in prices, bounds and right-hand sides. Where each of them stands is found once, by changing it
    and looking at what changes; that the numbers follow the series in proportion is checked, not supposed.

    Parameters
    ----------
    problem : DispatchProblem
        Its goal minimises one measure; other windows have as many steps, of the same lengths.
    options : SolverOptions, optional

    Raises
    ------
    InvalidInput
        If the matrix does not follow the series in proportion, or the goal has several measures.
    """

    def __init__(self, problem: DispatchProblem, options: SolverOptions | None = None) -> None:
        self.options = options or SolverOptions()
        if self.options.solver != "highs":
            raise InvalidInput(f"solver = '{self.options.solver}'", "only HiGHS keeps a matrix warm; use highs")
        self.compiled: Compiled = compile_problem(problem)
        if len(self.compiled.measures) > 1:
            raise InvalidInput("the goal", "minimises one thing after the other; a warm dispatch minimises one")
        self._matrix = self.compiled.matrix
        self._values = _columns_of(problem)
        self.offsets: dict[tuple[str, str], np.ndarray] = {}
        self.links = {key: self._links_of(problem, key) for key in self._values}
        self._check(problem)
        self._highs: Any = None

    def solve(
        self,
        series: Mapping[tuple[str, str], np.ndarray] | xr.Dataset,
        contents_kwh: Mapping[str, float] | None = None,
    ) -> Solution:
        """Return the solution for other series and other contents at the beginning.

        Parameters
        ----------
        series : mapping of (asset, name) to ndarray (steps,), or Dataset (time, asset)
            Those that are not named stay as they were.
        contents_kwh : mapping of str to float, optional
            Energy in batteries at the beginning, by asset.

        Raises
        ------
        Infeasible, NoSolution
        """
        given = _columns_in(series) if isinstance(series, xr.Dataset) else series
        self._patch({key: values for key, values in given.items() if key in self.links}, contents_kwh or {})
        solution = self._run()
        if solution.status == "infeasible":
            raise Infeasible("a window of the warm dispatch is infeasible; solve it alone to see why")
        if solution.x is None:
            raise NoSolution(f"HiGHS found no schedule within time_limit_s = {self.options.time_limit_s:g} s")
        return solution

    def result(self, problem: DispatchProblem, solution: Solution) -> DispatchResult:
        """Return a solution as the labelled result of the problem of its window."""
        compiled = compile_problem(problem)
        return DispatchResult(compiled, solution, compiled.matrix, 0)

    def _links_of(self, problem: DispatchProblem, key: tuple[str, str]) -> dict[str, Link]:
        steps = len(problem.horizon)
        ones, ramp = np.ones(steps), np.arange(1.0, steps + 1)
        once, rising = (_compiled_with(problem, {key: self._values[key] + change}) for change in (ones, ramp))
        links = {}
        for name in NUMBERS:
            base = getattr(self._matrix, name)
            with np.errstate(invalid="ignore"):
                by_one, by_ramp = getattr(once, name) - base, getattr(rising, name) - base
            at = np.flatnonzero(np.nan_to_num(by_one) != 0)
            if len(at):
                step = np.rint(by_ramp[at] / by_one[at]).astype(int) - 1
                links[name] = Link(at, np.clip(step, 0, steps - 1), _unrounded(by_one[at]))
        self.offsets[key] = _offset_factors(problem, key, self._values[key], self._matrix.offset)
        return links

    def _check(self, problem: DispatchProblem) -> None:
        """Raise where the matrix of changed series is not the one that the links give."""
        random = np.random.default_rng(0)
        changed = {
            key: values + random.uniform(0.1, 1.0, len(values)) * (1 + abs(values))
            for key, values in self._values.items()
        }
        expected = _compiled_with(problem, changed)
        before = self._matrix
        self._patch(changed, {}, quietly=True)
        found, self._matrix = self._matrix, before
        self._values = _columns_of(problem)
        same = np.array_equal(expected.coefficients.indices, before.coefficients.indices) and np.allclose(
            expected.coefficients.data, before.coefficients.data
        )
        same = same and abs(found.offset - expected.offset) <= 1e-9 * max(1.0, abs(expected.offset))
        if not same or not all(
            np.allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, atol=1e-9) for name in NUMBERS
        ):
            raise InvalidInput("this dispatch", "does not follow its series in proportion; solve each window alone")

    def _patch(
        self,
        series: Mapping[tuple[str, str], np.ndarray],
        contents_kwh: Mapping[str, float],
        *,
        quietly: bool = False,
    ) -> None:
        arrays = {name: getattr(self._matrix, name).copy() for name in NUMBERS}
        touched: dict[str, list[np.ndarray]] = {name: [] for name in NUMBERS}
        offset = self._matrix.offset
        for key, values in series.items():
            change = values - self._values[key]
            for name, link in self.links[key].items():
                arrays[name][link.at] += link.factor * change[link.step]
                touched[name].append(link.at)
            offset += float(self.offsets[key] @ change)
            self._values[key] = np.array(values, dtype=float)
        for asset_id, content in contents_kwh.items():
            first = self._matrix.variable(asset_id, "energy_kwh").at[:1]
            arrays["lower"][first] = arrays["upper"][first] = content
            touched["lower"].append(first)
        self._matrix = replace(self._matrix, offset=offset, **arrays)
        if quietly or self._highs is None:
            return
        for names, change_numbers in (
            (("cost",), self._highs.changeColsCost),
            (("lower", "upper"), self._highs.changeColsBounds),
            (("row_lower", "row_upper"), self._change_rows),
        ):
            parts = [part for name in names for part in touched[name]]
            if parts:
                at = np.unique(np.concatenate(parts)).astype(np.int32)
                change_numbers(len(at), at, *(arrays[name][at] for name in names))
        self._highs.changeObjectiveOffset(offset)

    def _change_rows(self, count: int, at: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        self._highs.changeRowsBounds(count, at, lower, upper)

    def _run(self) -> Solution:
        has_integers = bool(self._matrix.is_integer.any())
        if has_integers or self._matrix.convex_costs:
            return solve_exactly(self._matrix, self.options)[0]
        if self._highs is None:
            self._highs = silent_highs()
            set_options(self._highs, self.options, has_integers=False)
            # A basis survives only without presolve, and the serial dual simplex starts best from it.
            self._highs.setOptionValue("presolve", "off")
            self._highs.setOptionValue("solver", "simplex")
            pass_matrix(self._highs, self._matrix)
        begin = time.perf_counter()
        self._highs.run()
        solution = read_solution(self._highs, self._matrix, Scaling(1.0, 1.0), 0, time.perf_counter() - begin)
        if solution.x is not None and not _is_exact(self._matrix, solution.x):
            return solve_exactly(self._matrix, self.options)[0]
        return solution


def _unrounded(factor: np.ndarray) -> np.ndarray:
    """Return factors as they were before a difference of large numbers rounded them: 1 for 0.99999999999997.

    Times a change of some hundred kW, such a rest would set a bound below zero.
    """
    simple = np.round(factor, 6)
    return np.where(np.abs(factor - simple) < ROUNDING, simple, factor)


def _is_exact(matrix: Matrix, x: np.ndarray) -> bool:
    return curve_error(matrix, x) == 0 and all(
        np.minimum(x[one.one], x[one.other]).max(initial=0.0) <= TOLERANCE_KW for one in matrix.exclusions
    )


def _columns_of(problem: DispatchProblem) -> dict[tuple[str, str], np.ndarray]:
    return {
        (asset.id, name): values.copy()
        for asset in problem.assets
        for name, values in problem.inputs_of(asset).series.items()
    }


def _columns_in(series: xr.Dataset) -> dict[tuple[str, str], np.ndarray]:
    columns: dict[tuple[str, str], np.ndarray] = {}
    for name, column in series.data_vars.items():
        array = column.transpose("asset", "time").to_numpy()
        columns |= {
            (str(asset), str(name)): array[place]
            for place, asset in enumerate(series.asset.values)
            if np.isfinite(array[place]).all()
        }
    return columns


def _compiled_with(problem: DispatchProblem, changed: Mapping[tuple[str, str], np.ndarray]) -> Matrix:
    series = problem.series.copy()
    for (asset_id, name), values in changed.items():
        series[name] = series[name].copy()
        series[name].loc[{"asset": asset_id}] = values
    return compile_problem(replace(problem, series=series, goal=problem.goal.replace(outages=()))).matrix


def _offset_factors(problem: DispatchProblem, key: tuple[str, str], values: np.ndarray, offset: float) -> np.ndarray:
    """Return by how much what is minimised changes with each step of a series, apart from any schedule.

    That of all steps at once says whether there is such a part; it is then the same per hour in each step.
    """
    total = _compiled_with(problem, {key: values + 1.0}).offset - offset
    share: np.ndarray = problem.horizon.step_h / problem.horizon.length_h
    return total * share
