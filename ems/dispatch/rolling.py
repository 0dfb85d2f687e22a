"""WindowPlanner: the dispatch of a window, compiled once; prices, loads, states and ends are patched in a warm HiGHS.

What a window cannot see is put at its end and on its peaks: stored energy has a worth that falls with the content, and
a kW of peak costs what it adds to the bill of its period. Several scenarios of a window share their first powers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.dispatch.formulation.matrix import Exclusion, Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.rolling_rows import (
    PeakSlots,
    RiskAversion,
    with_calm,
    with_common_powers,
    with_ends,
    with_peaks,
    with_risk,
)
from ems.dispatch.solvers.exactness import TOLERANCE_KW, solve_exactly
from ems.dispatch.solvers.highs import pass_matrix, set_options, silent_highs
from ems.dispatch.warm import NUMBERS, WarmDispatch
from ems.errors import Infeasible, NoSolution

LATER_PER_KWH_STEP = 1e-6
"""Price of each step by which energy is bought or sold earlier: it decides among equal plans, far below any price."""
Series = Mapping[tuple[str, str], np.ndarray]
"""Values by asset and name, shape (steps,), or (scenarios, steps) where scenarios differ."""


@dataclass(frozen=True)
class PeakState:
    """Where a peak stands in a period of a window, and what more of it costs.

    cost = sum over levels of price[level] * max(peak - level, 0)

    Parameters
    ----------
    is_counted : ndarray of bool (steps,)
        Steps of the window that count in the period.
    so_far_kw : float
        Highest power before the window.
    levels_kw, prices_per_kw : ndarray (levels,)
        Powers above which each further kW costs so much more.
    """

    is_counted: np.ndarray
    so_far_kw: float
    levels_kw: np.ndarray
    prices_per_kw: np.ndarray


@dataclass(frozen=True)
class WindowState:
    """What a window begins with and ends in.

    Parameters
    ----------
    contents_kwh : mapping of str to float
        Energy in each battery at the beginning.
    end_widths_kwh, end_values_per_kwh : mapping of str to ndarray (segments,)
        Worth of the content at the end, in segments from an empty battery upwards; values do not rise.
    peaks : mapping of (str, int) to PeakState
        By name of the slots and number of the slot; slots that are not named cost nothing.
    before_kw : mapping of str to ndarray (steps,)
        Power of each battery in the plan before, discharging above zero; NaN where it had none.
    """

    contents_kwh: Mapping[str, float]
    end_widths_kwh: Mapping[str, np.ndarray] = field(default_factory=dict)
    end_values_per_kwh: Mapping[str, np.ndarray] = field(default_factory=dict)
    peaks: Mapping[tuple[str, int], PeakState] = field(default_factory=dict)
    before_kw: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class WindowPlan:
    """A plan of a window.

    Parameters
    ----------
    x : ndarray (scenarios, columns)
    objective : float
        What was minimised: cost, less the worth of what is left, with what peaks add.
    places : mapping of (str, str) to ndarray of int
        Columns by owner and name.
    is_exact : bool
        Whether the warm linear programme was enough, without decisions.
    """

    x: np.ndarray = field(repr=False)
    objective: float
    places: Mapping[tuple[str, str], np.ndarray] = field(repr=False)
    is_exact: bool = True

    def of(self, owner: str, name: str) -> np.ndarray:
        """Return a variable of the first scenario, shape (steps,)."""
        values: np.ndarray = self.x[0][self.places[owner, name]]
        return values

    def mean_of(self, owner: str, name: str) -> np.ndarray:
        """Return a variable, as the mean of all scenarios, shape (steps,)."""
        values: np.ndarray = self.x[:, self.places[owner, name]].mean(axis=0)
        return values

    def scenarios_of(self, owner: str, name: str) -> np.ndarray:
        """Return a variable in each scenario, shape (scenarios, steps)."""
        values: np.ndarray = self.x[:, self.places[owner, name]]
        return values


class WindowPlanner:
    """A window whose matrix stays in the solver while what it knows changes.

    Parameters
    ----------
    problem : DispatchProblem
        One window of batteries without a rule for the end, see `ems.dispatch.rolling_portfolio.as_planned`.
    peaks : sequence of PeakSlots
        Demand charges, stripped from the problem's connections.
    segments : int
        Of the worth of stored energy at the end.
    scenarios : int
        Scenarios of equal probability that share their first powers.
    common_steps : int
        First steps in which batteries have one power in all scenarios.
    risk : RiskAversion, optional
        Weight on the dearest scenarios.
    calm_price_per_kwh : float
        Price of each kWh by which a battery leaves the plan before.
    options : SolverOptions, optional

    Raises
    ------
    InvalidInput
        If the matrix does not follow the series in proportion.
    """

    def __init__(
        self,
        problem: DispatchProblem,
        peaks: Sequence[PeakSlots] = (),
        *,
        segments: int = 8,
        scenarios: int = 1,
        common_steps: int = 1,
        risk: RiskAversion | None = None,
        calm_price_per_kwh: float = 0.0,
        options: SolverOptions | None = None,
    ) -> None:
        self.options = options or SolverOptions()
        warm = WarmDispatch(problem, self.options)
        self.steps, self.scenarios = len(problem.horizon), scenarios
        self.batteries = tuple(one.id for one in problem.assets if isinstance(one, Battery))
        self.peaks = {one.name: one for one in peaks}
        self.links, self._offsets = warm.links, warm.offsets
        self._given = _given(problem)
        connections = [one.id for one in problem.assets if isinstance(one, GridConnection)]
        matrix = _late_trade(warm.compiled.matrix, connections, problem.horizon.step_h)
        for battery_id in self.batteries:
            matrix = with_ends(matrix, battery_id, segments)
        for one in peaks:
            matrix = with_peaks(matrix, one, self.steps)
        self._is_calm = calm_price_per_kwh > 0
        if self._is_calm:
            matrix = with_calm(matrix, self.batteries, calm_price_per_kwh * problem.horizon.step_h)
        self._matrix = matrix
        self._columns = {(one.owner, one.name): one.at for one in matrix.variables}
        self._rows = {(one.owner, one.name): one.at for one in matrix.constraints}
        self._base = {name: np.tile(getattr(matrix, name), (scenarios, 1)) for name in NUMBERS}
        self._risk = risk
        self._whole = with_common_powers(matrix, scenarios, self.batteries, common_steps)
        if risk is not None:
            self._whole = with_risk(self._whole, scenarios, matrix.columns, risk)
        self._pairs = _pairs_of(self._whole)
        self._highs: Any = None
        self._every = tuple(np.arange(count, dtype=np.int32) for count in (self._whole.columns, self._whole.rows))

    @property
    def reads(self) -> tuple[tuple[str, str], ...]:
        """Series that stand in the matrix: asset and name."""
        return tuple(self.links)

    def reset(self) -> None:
        """Forget the solver's last basis, so that the next plan depends on nothing before."""
        self._highs = None

    def plan(self, series: Series, state: WindowState) -> WindowPlan:
        """Return the best plan of a window.

        Parameters
        ----------
        series : mapping of (asset, name) to ndarray (steps,) or (scenarios, steps)
            Those that are not named stay as they were in the first window.
        state : WindowState

        Raises
        ------
        Infeasible, NoSolution
        """
        numbers, offsets = self._numbers(series)
        self._put_state(numbers, state)
        whole = self._assembled(numbers, offsets)
        x, objective, is_exact = self._run(whole)
        return WindowPlan(
            x[: self.scenarios * self._matrix.columns].reshape(self.scenarios, -1), objective, self._columns, is_exact
        )

    # ------------------------------------------------------------------------------------------ numbers
    def _numbers(self, series: Series) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return the arrays of all scenarios with the series in them, always from those of the first window."""
        numbers = {name: values.copy() for name, values in self._base.items()}
        offsets = np.full(self.scenarios, self._matrix.offset)
        for key, values in series.items():
            links = self.links.get(key)
            if links is None:
                continue
            change = np.atleast_2d(np.asarray(values, dtype=float) - self._given[key])
            for name, link in links.items():
                numbers[name][:, link.at] += link.factor * change[:, link.step]
            offsets += change @ self._offsets[key]
        return numbers, offsets

    def _put_state(self, numbers: dict[str, np.ndarray], state: WindowState) -> None:
        for asset_id, content_kwh in state.contents_kwh.items():
            first = self._columns[asset_id, "energy_kwh"][0]
            numbers["lower"][:, first] = numbers["upper"][:, first] = content_kwh
        for asset_id, widths_kwh in state.end_widths_kwh.items():
            at = self._columns[asset_id, "end_segment_kwh"]
            numbers["upper"][:, at] = widths_kwh
            numbers["cost"][:, at] = -state.end_values_per_kwh[asset_id]
        for (name, slot), peak in state.peaks.items():
            self._put_peak(numbers, self.peaks[name], slot, peak)
        if self._is_calm:
            for asset_id in self.batteries:
                before = state.before_kw.get(asset_id, np.full(self.steps, np.nan))
                limit = np.where(np.isfinite(before), before, np.inf)
                numbers["row_upper"][:, self._rows[asset_id, "calm_above"]] = limit
                numbers["row_upper"][:, self._rows[asset_id, "calm_below"]] = np.where(
                    np.isfinite(limit), -limit, np.inf
                )

    def _put_peak(self, numbers: dict[str, np.ndarray], slots: PeakSlots, slot: int, peak: PeakState) -> None:
        owner = slots.owner
        numbers["row_upper"][:, self._rows[owner, f"peak_{slot}"]] = np.where(peak.is_counted, 0.0, np.inf)
        numbers["lower"][:, self._columns[owner, f"peak_kw_{slot}"]] = peak.so_far_kw
        above = self._columns[owner, f"above_kw_{slot}"]
        numbers["cost"][:, above[: len(peak.prices_per_kw)]] = peak.prices_per_kw
        rows = self._rows[owner, f"above_{slot}"]
        numbers["row_lower"][:, rows[: len(peak.levels_kw)]] = -peak.levels_kw

    def _assembled(self, numbers: dict[str, np.ndarray], offsets: np.ndarray) -> Matrix:
        """Return the whole matrix with the numbers of all scenarios, each by its probability."""
        whole, count = self._whole, self.scenarios
        arrays: dict[str, Any] = {}
        if count == 1 and self._risk is None:
            arrays = {name: numbers[name][0] for name in NUMBERS}
            return replace(whole, offset=float(offsets[0]), **arrays)
        for name in NUMBERS:
            flat = numbers[name].ravel()
            arrays[name] = np.concatenate([flat, getattr(whole, name)[len(flat) :]])
        if self._risk is None:
            arrays["cost"] /= count
            return replace(whole, offset=float(offsets.mean()), **arrays)
        return self._risk.weigh(replace(whole, **arrays), numbers["cost"], offsets)

    # ------------------------------------------------------------------------------------------ solver
    def _run(self, matrix: Matrix) -> tuple[np.ndarray, float, bool]:
        import highspy

        highs = self._handed_over(matrix)
        highs.run()
        said = highs.getModelStatus()
        if said == highspy.HighsModelStatus.kOptimal:
            x = np.array(highs.getSolution().col_value)
            np.clip(x, matrix.lower, matrix.upper, out=x)
            one, other = self._pairs
            if not len(one) or np.minimum(x[one], x[other]).max() <= TOLERANCE_KW:
                return x, float(highs.getInfo().objective_function_value), True
        elif said in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            raise Infeasible("a window is infeasible: what it begins with leaves no schedule")
        solution = solve_exactly(matrix, self.options)[0]
        if solution.x is None:
            raise NoSolution(f"a window has no plan: the solver says {solution.status}")
        return solution.x[: matrix.columns], solution.objective, False

    def _handed_over(self, matrix: Matrix) -> Any:
        """Return the solver with the numbers of a matrix; its basis stays where only numbers changed."""
        if self._highs is not None and self._risk is None:
            columns, rows = self._every
            self._highs.changeColsCost(len(columns), columns, matrix.cost)
            self._highs.changeColsBounds(len(columns), columns, matrix.lower, matrix.upper)
            self._highs.changeRowsBounds(len(rows), rows, matrix.row_lower, matrix.row_upper)
            self._highs.changeObjectiveOffset(matrix.offset)
            return self._highs
        basis = None if self._highs is None else self._highs.getBasis()
        if self._highs is None:
            self._highs = silent_highs()
            set_options(self._highs, self.options, has_integers=False)
            # A basis survives only without presolve, and the serial dual simplex starts best from it.
            self._highs.setOptionValue("presolve", "off")
            self._highs.setOptionValue("solver", "simplex")
        pass_matrix(self._highs, matrix)
        if basis is not None:
            self._highs.setBasis(basis)
        return self._highs


def _given(problem: DispatchProblem) -> dict[tuple[str, str], np.ndarray]:
    return {
        (asset.id, name): values.copy()
        for asset in problem.assets
        for name, values in problem.inputs_of(asset).series.items()
    }


def _late_trade(matrix: Matrix, connections: Sequence[str], step_h: np.ndarray) -> Matrix:
    """Return the matrix in which, of equal plans, the one that buys and sells latest is the best.

    What is bought later may turn out not to be needed, and what is not sold yet can still be used.
    """
    cost, ahead = matrix.cost.copy(), np.arange(len(step_h))[::-1]
    for connection_id in connections:
        for name in ("import_kw", "export_kw"):
            cost[matrix.variable(connection_id, name).at] += LATER_PER_KWH_STEP * ahead * step_h
    return replace(matrix, cost=cost)


def _pairs_of(matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
    exclusions: tuple[Exclusion, ...] = matrix.exclusions
    if not exclusions:
        return np.empty(0, dtype=int), np.empty(0, dtype=int)
    return np.concatenate([one.one for one in exclusions]), np.concatenate([one.other for one in exclusions])
