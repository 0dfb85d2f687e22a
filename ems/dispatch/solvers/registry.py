"""Solvers by name: which there are, which are on this machine, and the call that solves a model."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.solvers.solution import Solution
from ems.errors import SolverUnavailable, UnknownName, did_you_mean, show

PROGRAMS = {"cbc": "cbc", "glpk": "glpsol", "gurobi": "gurobi_cl", "cplex": "cplex"}
"""Names of the programs that Pyomo starts, by the name of the solver."""

REMEDIES = {
    "highs": "pip install highspy",
    "dp": "part of this package",
    "cbc": "pip install pulp (its wheel carries the program)",
    "glpk": "install GLPK, on Debian: apt install glpk-utils",
    "gurobi": "install Gurobi with a licence and put gurobi_cl on the path",
    "cplex": "install CPLEX with a licence and put cplex on the path",
}
SOLVERS = tuple(REMEDIES)


@dataclass(frozen=True)
class SolverInfo:
    """A solver as ``ems solvers`` lists it."""

    name: str
    is_available: bool
    version: str
    place: str
    """Where it is, or how to get it."""


def program_of(solver: str) -> Path | None:
    """Return the program of a solver, or None where it is not on this machine."""
    found = shutil.which(PROGRAMS[solver])
    if found:
        return Path(found)
    return _packaged_cbc() if solver == "cbc" else None


def list_solvers() -> list[SolverInfo]:
    """Return all solvers that are known, with what is there of each."""
    from ems.dispatch.solvers.pyomo_solver import version_of

    listed = [_highs_info(), SolverInfo("dp", True, "", "exact, for one storage behind one connection; part of ems")]
    for solver in PROGRAMS:
        program = program_of(solver)
        version = version_of(solver, program) if program else ""
        listed.append(SolverInfo(solver, program is not None, version, str(program or REMEDIES[solver])))
    return listed


def check_solver(solver: str) -> None:
    """Raise where a solver is unknown or not on this machine; never fall back to another.

    Raises
    ------
    UnknownName, SolverUnavailable
    """
    if solver in SOLVERS and _is_available(solver):
        return
    available = ", ".join(name for name in SOLVERS if _is_available(name))
    if solver not in SOLVERS:
        raise UnknownName(f"solver {show(solver)}", f"{did_you_mean(solver, SOLVERS)}; available are {available}")
    raise SolverUnavailable(
        f"solver '{solver}'", f"is not on this machine: {REMEDIES[solver]}; available are {available}"
    )


def solve_matrix(matrix: Matrix, options: SolverOptions) -> Solution:
    """Return the solution of a matrix by the solver that the options name."""
    if options.solver == "highs":
        from ems.dispatch.solvers.highs import solve_with_highs

        return solve_with_highs(matrix, options)
    from ems.dispatch.solvers.pyomo_solver import solve_with_program

    program = program_of(options.solver)
    assert program is not None, "the solver was checked"
    return solve_with_program(matrix, options, program)


def _is_available(solver: str) -> bool:
    if solver == "dp":
        return True
    if solver != "highs":
        return program_of(solver) is not None
    return "highspy" in sys.modules or importlib.util.find_spec("highspy") is not None


def _highs_info() -> SolverInfo:
    if not _is_available("highs"):
        return SolverInfo("highs", False, "", REMEDIES["highs"])
    return SolverInfo("highs", True, importlib.metadata.version("highspy"), "highspy")


def _packaged_cbc() -> Path | None:
    """Return the CBC program inside PuLP's wheel; found without importing PuLP."""
    import platform

    spec = importlib.util.find_spec("pulp")
    if spec is None or spec.origin is None:
        return None
    system = {"Linux": "linux", "Darwin": "osx", "Windows": "win"}.get(platform.system(), "")
    machine = platform.machine().lower()
    folder = {"x86_64": "i64", "amd64": "i64", "aarch64": "arm64", "arm64": "arm64"}.get(machine, "i32")
    root = Path(spec.origin).parent / "solverdir" / "cbc" / system
    name = "cbc.exe" if system == "win" else "cbc"
    # Apple's processors run the program for Intel where the wheel has none of their own.
    program = next((path for path in (root / folder / name, root / "i64" / name) if path.is_file()), None)
    if program is not None and system != "win" and not program.stat().st_mode & 0o100:
        program.chmod(program.stat().st_mode | 0o555)  # a wheel may lose the mark of a program when unpacked
    return program
