"""Solution: what any solver says of a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Status = Literal["optimal", "feasible", "infeasible", "unbounded", "no_solution"]


@dataclass(frozen=True)
class Solution:
    """What a solver says of a model.

    Parameters
    ----------
    status : str
        ``optimal`` within the gap; ``feasible`` where a limit stopped the search; else there are no values.
    objective, bound : float
        Cost of the schedule, and the cost below which none can be.
    values : dict of int to float
        Values of the variables by the identity of Pyomo's variable; those absent took no part.
    seconds : float
        Time spent in the solver.
    solver : str
        Name and version.
    """

    status: Status
    objective: float
    bound: float
    values: dict[int, float] = field(repr=False)
    seconds: float
    solver: str
    variables: int
    constraints: int
    integers: int

    @property
    def gap(self) -> float:
        """Distance between cost and bound, as a share of the cost."""
        if not np.isfinite(self.bound) or not np.isfinite(self.objective):
            return float("nan")
        return (
            abs(self.objective - self.bound) / max(abs(self.objective), 1e-9) if self.objective != self.bound else 0.0
        )
