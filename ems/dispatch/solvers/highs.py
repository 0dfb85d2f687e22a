"""HiGHS: a matrix handed over at once, and its answer as arrays."""

from __future__ import annotations

import math
import time
from functools import cache
from typing import Any

import numpy as np

from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.formulation.scaling import Scaling, scale
from ems.dispatch.options import SolverOptions
from ems.dispatch.solvers.solution import Solution, Status
from ems.errors import NoSolution


def solve_with_highs(matrix: Matrix, options: SolverOptions) -> Solution:
    """Return HiGHS's solution of a linear or mixed-integer programme."""
    import highspy

    scaled, scaling = scale(matrix)
    highs = silent_highs()
    integers = int(np.count_nonzero(matrix.is_integer))
    set_options(highs, options, has_integers=integers > 0)
    pass_matrix(highs, scaled)
    del scaled
    begin = time.perf_counter()
    if highs.run() == highspy.HighsStatus.kError:
        # A process keeps the number of threads of its first solve, somebody else's too, and refuses another one.
        highspy.Highs.resetGlobalScheduler(True)
        highs.run()
    return read_solution(highs, matrix, scaling, integers, time.perf_counter() - begin)


def set_options(highs: Any, options: SolverOptions, *, has_integers: bool) -> None:
    """Tell HiGHS when to stop."""
    highs.setOptionValue("time_limit", float(options.time_limit_s))
    highs.setOptionValue("threads", options.threads)
    highs.setOptionValue("random_seed", options.seed)
    if has_integers:
        highs.setOptionValue("mip_rel_gap", float(options.mip_gap))


def read_solution(highs: Any, matrix: Matrix, scaling: Scaling, integers: int, seconds: float) -> Solution:
    """Return what HiGHS found after a run."""
    info, status = highs.getInfo(), _status(highs)
    has_values = status in ("optimal", "feasible")
    objective = float(info.objective_function_value) if has_values else math.nan
    bound = float(info.mip_dual_bound) if integers and has_values else objective if status == "optimal" else math.nan
    x = row_prices = column_prices = None
    if has_values:
        answer = highs.getSolution()
        x = np.array(answer.col_value) * scaling.columns
        # Solvers keep bounds to within a tolerance; nobody wants to read of a charge of -1e-9 kW.
        np.clip(x, matrix.lower, matrix.upper, out=x)
        if not integers and answer.dual_valid:
            row_prices = np.array(answer.row_dual) / scaling.rows
            column_prices = np.array(answer.col_dual) / scaling.columns
    return Solution(
        status=status,
        objective=objective,
        bound=bound,
        x=x,
        seconds=seconds,
        solver=f"HiGHS {_version()}",
        variables=matrix.columns,
        constraints=matrix.rows,
        integers=integers,
        row_prices=row_prices,
        column_prices=column_prices,
    )


@cache
def _class() -> Any:
    import highspy

    class SilentHighs(highspy.Highs):  # type: ignore[misc]
        """A HiGHS that says nothing; as it is shipped, it greets on the screen while it is being made."""

        def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's own name; making it calls this before anything is said
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

    return SilentHighs


def silent_highs() -> Any:
    """Return a HiGHS that says nothing."""
    return _class()()


@cache
def _version() -> str:
    return str(silent_highs().version())


def pass_matrix(highs: Any, matrix: Matrix) -> None:
    """Hand a matrix over.

    Raises
    ------
    NoSolution
        If HiGHS refuses it; it would go on with an empty one and call that optimal.
    """
    import highspy

    if highs.passModel(highs_lp(matrix)) == highspy.HighsStatus.kError:
        bounds = (matrix.lower, matrix.upper, matrix.row_lower, matrix.row_upper)
        numbers = np.concatenate([*bounds, matrix.cost, matrix.coefficients.data])
        largest = np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)
        raise NoSolution(
            f"HiGHS refuses numbers as far apart as these, the largest is {largest:g}; is a limit or price in a wrong "
            "unit?"
        )


def highs_lp(matrix: Matrix) -> Any:
    """Return a matrix as HiGHS takes it."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.rows, matrix.columns
    lp.row_lower_, lp.row_upper_ = matrix.row_lower, matrix.row_upper
    lp.col_lower_, lp.col_upper_ = matrix.lower, matrix.upper
    lp.col_cost_, lp.offset_ = matrix.cost, matrix.offset
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    rows = matrix.coefficients
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    if matrix.is_integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[flag] for flag in matrix.is_integer.tolist()]
    return lp


def _status(highs: Any) -> Status:
    import highspy

    said, known = highs.getModelStatus(), highspy.HighsModelStatus
    has_values = highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if said in (known.kOptimal, known.kModelEmpty):
        return "optimal"
    if said == known.kInfeasible:
        return "infeasible"
    if said in (known.kUnbounded, known.kUnboundedOrInfeasible):
        return "unbounded" if said == known.kUnbounded else "infeasible"
    return "feasible" if has_values else "no_solution"
