"""How a dispatch is solved."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ems.record import Fraction, Positive, Record


class SolverOptions(Record):
    """Which solver is used, when it may stop, and how it chooses among equal plans."""

    solver: str = "highs"
    """Solver to use; ems solvers lists them."""
    time_limit_s: Positive = 60
    """Time after which the best schedule found so far is taken."""
    mip_gap: Fraction = 1e-3
    """Distance of schedule and bound, as a share of the cost, at which a schedule with on/off decisions is good."""
    threads: Annotated[int, Field(ge=1)] = 1
    """Threads of the solver; one makes runs repeatable."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the solver's random choices."""
    choose_plan: bool = False
    """Whether one of several plans of equal cost is chosen by rule: least change against a previous plan, then least
    cycling, then the earliest charge, and demand of low priority is shed first."""
