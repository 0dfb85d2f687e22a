"""Solution: what any solver says of a matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

NO_DISTANCE = 1e-6
"""Distance of objective and bound, in the objective's unit, that is none."""
Status = Literal["optimal", "feasible", "infeasible", "unbounded", "no_solution"]


@dataclass(frozen=True)
class Solution:
    """What a solver says of a matrix.

    Parameters
    ----------
    status : str
        ``optimal`` within the gap; ``feasible`` where a limit stopped the search; else there are no values.
    objective, bound : float
        What is minimised at the schedule, and the value below which it cannot be.
    x : ndarray (columns,) or None
        Values of the columns.
    seconds : float
        Time spent in the solver.
    solver : str
        Name and version.
    variables, constraints, integers : int
        Size of what was solved.
    row_prices : ndarray (rows,) or None
        By how much the objective rises when the limit of a row rises by one; where the solver says it.
    column_prices : ndarray (columns,) or None
        By how much the objective rises when the value of a column at its bound rises by one.
    """

    status: Status
    objective: float
    bound: float
    x: np.ndarray | None = field(repr=False)
    seconds: float
    solver: str
    variables: int
    constraints: int
    integers: int
    row_prices: np.ndarray | None = field(default=None, repr=False)
    column_prices: np.ndarray | None = field(default=None, repr=False)

    @property
    def gap(self) -> float:
        """Distance between objective and bound, as a share of the objective."""
        if not math.isfinite(self.bound) or not math.isfinite(self.objective):
            return float("nan")
        distance = abs(self.objective - self.bound)
        # Of an objective around nothing any distance is a large share; solvers stop at this one in any case.
        return distance / max(abs(self.objective), 1e-9) if distance > NO_DISTANCE else 0.0
