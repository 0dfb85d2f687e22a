"""Solvers that Pyomo starts as programs: CBC, GLPK, Gurobi, CPLEX, where they are installed."""

from __future__ import annotations

import math
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.formulation.scaling import scale
from ems.dispatch.options import SolverOptions
from ems.dispatch.solvers.solution import Solution, Status
from ems.errors import NoSolution

INTEGRALITY = 1e-5
"""Distance from a whole number up to which a decision counts as one; solvers use 1e-6."""

_LIMITS: dict[str, dict[str, str]] = {
    "cbc": {"time_limit_s": "seconds", "mip_gap": "ratioGap", "threads": "threads", "seed": "randomCbcSeed"},
    "glpk": {"time_limit_s": "tmlim", "mip_gap": "mipgap", "seed": "seed"},
    "gurobi": {"time_limit_s": "TimeLimit", "mip_gap": "MIPGap", "threads": "Threads", "seed": "Seed"},
    "cplex": {
        "time_limit_s": "timelimit",
        "mip_gap": "mip_tolerances_mipgap",
        "threads": "threads",
        "seed": "randomseed",
    },
}
"""What each program calls our options."""


def solve_with_program(matrix: Matrix, options: SolverOptions, program: Path) -> Solution:
    """Return the solution of a matrix by a program.

    Parameters
    ----------
    matrix : Matrix
    options : SolverOptions
    program : Path
        The program to start.

    Raises
    ------
    NoSolution
        If the program fails.
    """
    import pyomo.environ  # noqa: F401 - registers Pyomo's solvers
    from pyomo.opt import SolverFactory

    scaled, scaling = scale(matrix)
    model, columns = _pyomo_of(scaled)
    solver = SolverFactory(options.solver, executable=str(program))
    for ours, theirs in _LIMITS[options.solver].items():
        value = getattr(options, ours)
        solver.options[theirs] = math.ceil(value) if theirs == "tmlim" else value
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ems-solver-") as folder:
        log = Path(folder) / "solver.log"
        try:
            results = solver.solve(model, load_solutions=False, logfile=str(log))
        except (RuntimeError, ValueError, OSError, TypeError) as error:  # TypeError: Pyomo found no version in it
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise NoSolution(f"{options.solver} failed: {said[-1]}") from None
        log_text = log.read_text(errors="replace") if log.exists() else ""
    seconds = time.perf_counter() - begin
    status = _status(results)
    x, objective, bound = None, math.nan, math.nan
    if status in ("optimal", "feasible"):
        model.solutions.load_from(results)
        # A column that is in no row and costs nothing has no value: any within its limits will do.
        plain = np.array([np.nan if var.value is None else float(var.value) for var in columns])
        start = np.clip(0.0, scaled.lower, scaled.upper)
        x = np.where(np.isnan(plain), start, plain) * scaling.columns
        if np.any(np.abs(x[matrix.is_integer] - np.round(x[matrix.is_integer])) > INTEGRALITY):
            # CBC that is stopped before its first schedule hands over the relaxed one, in which units are half on.
            status, x = "no_solution", None
        else:
            np.clip(x, matrix.lower, matrix.upper, out=x)
            objective = float(matrix.cost @ x) + matrix.offset
            bound = objective if status == "optimal" else math.nan
    integers = int(np.count_nonzero(matrix.is_integer))
    if integers and x is not None:
        bound = _bound_of(results, log_text, objective, matrix.offset)
    return Solution(
        status=status,
        objective=objective,
        bound=bound,
        x=x,
        seconds=seconds,
        solver=f"{options.solver.upper()} {version_of(options.solver, program)}".strip(),
        variables=matrix.columns,
        constraints=matrix.rows,
        integers=integers,
    )


def _pyomo_of(matrix: Matrix) -> tuple[Any, list[Any]]:
    """Return a plain Pyomo model of a matrix, and its variables in the order of the columns."""
    from pyomo.core import ConcreteModel, Constraint, Objective, RangeSet, Var
    from pyomo.core.base.set_types import Integers, Reals
    from pyomo.core.expr import LinearExpression

    model = ConcreteModel()
    model.x = Var(RangeSet(0, matrix.columns - 1), domain=Reals)
    columns = list(model.x.values())
    for var, low, high, whole in zip(columns, matrix.lower, matrix.upper, matrix.is_integer, strict=True):
        var.setlb(float(low) if math.isfinite(low) else None)
        var.setub(float(high) if math.isfinite(high) else None)
        if whole:
            var.domain = Integers
    model.row = Constraint(RangeSet(0, matrix.rows - 1))
    rows = matrix.coefficients
    for i in range(matrix.rows):
        span = slice(rows.indptr[i], rows.indptr[i + 1])
        low, high = matrix.row_lower[i], matrix.row_upper[i]
        if span.start == span.stop:
            if low > 0 or high < 0:
                model.row[i] = Constraint.Infeasible
            continue
        terms = LinearExpression(
            constant=0.0,
            linear_coefs=rows.data[span].tolist(),
            linear_vars=[columns[at] for at in rows.indices[span]],
        )
        if low == high:
            model.row[i] = terms == float(low)
        else:
            model.row[i] = (
                float(low) if math.isfinite(low) else None,
                terms,
                float(high) if math.isfinite(high) else None,
            )
    at = np.flatnonzero(matrix.cost)
    model.objective = Objective(
        expr=LinearExpression(
            constant=matrix.offset,
            linear_coefs=matrix.cost[at].tolist(),
            linear_vars=[columns[i] for i in at],
        )
    )
    return model, columns


def version_of(solver: str, program: Path) -> str:
    """Return the version that a program says of itself; empty where it says none."""
    arguments = {"cbc": ["-stop"], "glpk": ["--version"], "gurobi": ["--version"], "cplex": ["-c", "quit"]}[solver]
    try:
        done = subprocess.run(  # noqa: S603 - a solver that the user chose
            [str(program), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"(\d+\.\d+(?:\.\d+)*)", done.stdout)
    return found.group(1) if found else ""


def _status(results: Any) -> Status:
    said = str(results.solver.termination_condition)
    if said in ("optimal", "globallyOptimal", "locallyOptimal"):
        return "optimal"
    if said in ("infeasible", "infeasibleOrUnbounded"):
        return "infeasible"
    if said == "unbounded":
        return "unbounded"
    return "feasible" if len(results.solution) else "no_solution"


def _bound_of(results: Any, log_text: str, objective: float, offset: float) -> float:
    """Return the lower bound that the program proved; its log is more exact than Pyomo's summary of it."""
    found = re.search(r"Lower bound:\s+(\S+)", log_text)
    if found:
        return min(float(found.group(1)) + offset, objective)
    if "Optimal solution found" in log_text:
        gap = re.search(r"^Gap:\s+(\S+)", log_text, re.MULTILINE)
        return objective - abs(objective) * float(gap.group(1)) if gap else objective
    try:
        bound = float(results.problem.lower_bound)
    except (TypeError, ValueError):
        return float("nan")
    return bound if math.isfinite(bound) and bound <= objective else float("nan")
