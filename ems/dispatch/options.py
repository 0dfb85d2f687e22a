"""How a dispatch is solved."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ems.record import Fraction, Positive, Record


class SolverOptions(Record):
    """Which solver is used and when it may stop."""

    solver: str = "highs"
    """Solver to use; ems solvers lists them."""
    time_limit_s: Positive = 60
    """Time after which the best schedule found so far is taken."""
    mip_gap: Fraction = 1e-4
    """Distance of schedule and bound, as a share of the cost, at which a schedule with on/off decisions is good."""
    threads: Annotated[int, Field(ge=1)] = 1
    """Threads of the solver; one makes runs repeatable."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the solver's random choices."""
