"""The way from a Pyomo model to HiGHS as arrays: standard form, one hand-over, values read back at once."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ems.dispatch.options import SolverOptions
from ems.dispatch.solution import Solution, Status


def solve_with_highs(model: Any, options: SolverOptions) -> Solution:
    """Return HiGHS's solution of a linear or mixed-integer Pyomo model."""
    import highspy
    from pyomo.common.errors import InfeasibleConstraintException

    try:
        form = _standard_form(model)
    except InfeasibleConstraintException:  # a constraint in which nothing is left to decide, and which does not hold
        return Solution("infeasible", math.nan, math.nan, {}, 0.0, "HiGHS", 0, 0, 0)
    lp = _highs_lp(form)
    highs = _silent_highs()
    for name, value in {
        "time_limit": float(options.time_limit_s),
        "mip_rel_gap": float(options.mip_gap),
        "threads": options.threads,
        "random_seed": options.seed,
    }.items():
        highs.setOptionValue(name, value)
    highs.passModel(lp)
    begin = time.perf_counter()
    if highs.run() == highspy.HighsStatus.kError:
        # A process keeps the number of threads of its first solve, somebody else's too, and refuses another one.
        highspy.Highs.resetGlobalScheduler(True)
        highs.run()
    seconds = time.perf_counter() - begin
    info, status = highs.getInfo(), _status(highs)
    integers = int(np.count_nonzero([kind == highspy.HighsVarType.kInteger for kind in lp.integrality_]))
    has_values = status in ("optimal", "feasible")
    objective = float(info.objective_function_value) if has_values else float("nan")
    bound = (
        float(info.mip_dual_bound) if integers and has_values else (objective if status == "optimal" else float("nan"))
    )
    values = dict(zip(map(id, form.columns), highs.getSolution().col_value, strict=True)) if has_values else {}
    return Solution(
        status=status,
        objective=objective,
        bound=bound,
        values=values,
        seconds=seconds,
        solver=f"HiGHS {highs.version()}",
        variables=len(form.columns),
        constraints=len(form.rhs),
        integers=integers,
    )


def _silent_highs() -> Any:
    """Return a HiGHS that says nothing; as it is shipped, it greets on the screen while it is being made."""
    import highspy

    class SilentHighs(highspy.Highs):  # type: ignore[misc]
        def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's own name; making it calls this before anything is said
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

    return SilentHighs()


def _standard_form(model: Any) -> Any:
    from pyomo.repn.plugins import standard_form

    with _without_import_hooks():
        import scipy.sparse
    # Pyomo would fetch these through its lazy `scipy`, which loads all of scipy.stats: a second for nothing.
    compiler = standard_form._LinearStandardFormCompiler_impl
    compiler._to_vector = np.fromiter
    compiler._csc_matrix, compiler._csr_matrix = scipy.sparse.csc_array, scipy.sparse.csr_array
    # Pyomo's own compiler calls a method that Pyomo has deprecated, and would tell the user so.
    logging.getLogger("pyomo.core.base.param").addFilter(lambda record: "sparse_iteritems" not in record.getMessage())
    return standard_form.LinearStandardFormCompiler().write(model, mixed_form=True)


@contextmanager
def _without_import_hooks() -> Iterator[None]:
    """Import without Pyomo's hook, which adds scipy.stats to every first import of scipy."""
    hooks = [finder for finder in sys.meta_path if type(finder).__name__ == "DeferredImportCallbackFinder"]
    for finder in hooks:
        sys.meta_path.remove(finder)
    try:
        yield
    finally:
        sys.meta_path[:0] = hooks


def _highs_lp(form: Any) -> Any:
    """Return the arrays of a standard form as HiGHS takes them."""
    import highspy

    lp, infinity = highspy.HighsLp(), highspy.kHighsInf
    rows, columns = form.A.shape
    rhs = np.asarray(form.rhs, dtype=float)
    kinds = np.fromiter((row.bound_type for row in form.rows), dtype=int, count=rows)  # 0 is ==, 1 is <=, -1 is >=
    lp.num_row_, lp.num_col_ = rows, columns
    lp.row_lower_ = np.where(kinds == 1, -infinity, rhs)
    lp.row_upper_ = np.where(kinds == -1, infinity, rhs)
    bounds = [column.bounds for column in form.columns]
    lp.col_lower_ = np.array([-infinity if low is None else low for low, _ in bounds], dtype=float)
    lp.col_upper_ = np.array([infinity if high is None else high for _, high in bounds], dtype=float)
    lp.col_cost_ = np.asarray(form.c.todense()).reshape(-1)
    lp.offset_ = float(form.c_offset[0])
    matrix = form.A.tocsc()
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.integrality_ = [
        highspy.HighsVarType.kInteger if column.is_integer() else highspy.HighsVarType.kContinuous
        for column in form.columns
    ]
    return lp


def _status(highs: Any) -> Status:
    import highspy

    said, known = highs.getModelStatus(), highspy.HighsModelStatus
    has_values = highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if said == known.kOptimal:
        return "optimal"
    if said == known.kModelEmpty:
        return "optimal"
    if said == known.kInfeasible:
        return "infeasible"
    if said in (known.kUnbounded, known.kUnboundedOrInfeasible):
        return "unbounded" if said == known.kUnbounded else "infeasible"
    return "feasible" if has_values else "no_solution"
