"""Solvers that Pyomo starts as programs: CBC, GLPK, Gurobi, CPLEX, where they are installed."""

from __future__ import annotations

import math
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from ems.dispatch.options import SolverOptions
from ems.dispatch.solution import Solution, Status
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


def solve_with_program(model: Any, options: SolverOptions, program: Path) -> Solution:
    """Return the solution of a Pyomo model by a program.

    Parameters
    ----------
    model : ConcreteModel
    options : SolverOptions
    program : Path
        The program to start.

    Raises
    ------
    NoSolution
        If the program fails.
    """
    import pyomo.environ  # noqa: F401 - registers Pyomo's solvers
    from pyomo.core import Constraint, Objective, Var
    from pyomo.opt import SolverFactory

    for component in model.component_data_objects((Constraint, Objective), active=True):
        component.expr  # noqa: B018 - reading it turns a template, which Pyomo's file writers do not know, into terms
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
    variables = [var for var in model.component_data_objects(Var, active=True) if not var.fixed]
    values: dict[int, float] = {}
    objective = bound = float("nan")
    if status in ("optimal", "feasible"):
        model.solutions.load_from(results)
        values = {id(var): float(var.value) for var in variables if var.value is not None}
        objective = _objective_of(model)
        bound = objective if status == "optimal" else float("nan")
    decisions = [var for var in variables if var.is_integer()]
    integers = len(decisions)
    if any(abs(var.value - round(var.value)) > INTEGRALITY for var in decisions if var.value is not None):
        # CBC that is stopped before its first schedule hands over the relaxed one, in which units are half on.
        status, values, objective = "no_solution", {}, float("nan")
    if integers and values:
        bound = _bound_of(results, log_text, objective)
    constraints = sum(1 for _ in model.component_data_objects(Constraint, active=True))
    return Solution(
        status=status,
        objective=objective,
        bound=bound,
        values=values,
        seconds=seconds,
        solver=f"{options.solver.upper()} {version_of(options.solver, program)}".strip(),
        variables=len(variables),
        constraints=constraints,
        integers=integers,
    )


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


def _objective_of(model: Any) -> float:
    from pyomo.core import Objective, value

    return float(value(next(model.component_data_objects(Objective, active=True))))


def _bound_of(results: Any, log_text: str, objective: float) -> float:
    """Return the lower bound that the program proved; its log is more exact than Pyomo's summary of it."""
    found = re.search(r"Lower bound:\s+(\S+)", log_text)
    if found:
        return min(float(found.group(1)), objective)
    if "Optimal solution found" in log_text:
        gap = re.search(r"^Gap:\s+(\S+)", log_text, re.MULTILINE)
        return objective - abs(objective) * float(gap.group(1)) if gap else objective
    try:
        bound = float(results.problem.lower_bound)
    except (TypeError, ValueError):
        return float("nan")
    return bound if math.isfinite(bound) and bound <= objective else float("nan")
