"""Budget: the time that an explanation may take, and whether it was enough."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.solvers.exactness import LEAST_S, solve_exactly
from ems.dispatch.solvers.solution import Solution


@dataclass
class Budget:
    """Time that an explanation, or a part of it, may take.

    Parameters
    ----------
    seconds : float
    until : float
        Moment of the performance counter at which it ends.
    is_exceeded : bool
        Whether a search was stopped, or left out, for lack of time.
    """

    seconds: float
    until: float = field(init=False)
    is_exceeded: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.until = time.perf_counter() + self.seconds

    def part(self, seconds: float) -> Budget:
        """Return a part of what is left."""
        return Budget(min(seconds, max(self.until - time.perf_counter(), 0.0)))

    def has_time(self) -> bool:
        """Return whether some time is left; note it where there is none."""
        is_over = time.perf_counter() > self.until
        self.is_exceeded |= is_over
        return not is_over

    def solve(self, matrix: Matrix, options: SolverOptions) -> Solution:
        """Return the exact solution of a matrix, or what was found of it in time."""
        return self.solve_with_prices(matrix, options)[0]

    def solve_with_prices(self, matrix: Matrix, options: SolverOptions) -> tuple[Solution, Matrix]:
        """Return the exact solution of a matrix, or what was found of it in time, and the matrix of its prices."""
        solution, final, _ = solve_exactly(matrix, options, until=self.until)
        is_over = time.perf_counter() > self.until - LEAST_S
        self.is_exceeded |= is_over and solution.status in ("feasible", "no_solution")
        return solution, final
