"""solve: problem in, result out."""

from __future__ import annotations

from typing import Any

from ems.dispatch.exactness import solve_exactly
from ems.dispatch.infeasibility import explain_infeasibility
from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult, result_of
from ems.dispatch.solvers import check_solver
from ems.errors import Infeasible, NoSolution


def solve(problem: DispatchProblem, options: SolverOptions | None = None, model: Any = None) -> DispatchResult:
    """Return the cheapest schedule that keeps all limits.

    Parameters
    ----------
    problem : DispatchProblem
    options : SolverOptions, optional
    model : ConcreteModel, optional
        A model from `build_model` to which constraints of one's own were added; else it is built.

    Raises
    ------
    Infeasible
        If no schedule keeps all limits; names the first time at which power is missing, and how much.
    NoSolution
        If the solver stopped before it had a schedule.
    """
    options = options or SolverOptions()
    check_solver(options.solver)
    model = build_model(problem) if model is None else model
    solution, binaries = solve_exactly(problem, model, options)
    if solution.status == "infeasible":
        raise Infeasible(explain_infeasibility(problem, options))
    if solution.status == "unbounded":
        raise NoSolution("the cost falls without end: a limit or a price is missing")
    if solution.status == "no_solution":
        raise NoSolution(
            f"{options.solver} found no schedule within time_limit_s = {options.time_limit_s:g} s; allow more time"
        )
    return result_of(problem, model, solution, binaries)
