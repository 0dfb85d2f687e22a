"""How a batch runs: limits of time and memory, attempts and the pauses between them."""

from __future__ import annotations

import random
from typing import Annotated

from pydantic import Field

from ems.record import NonNegative, Positive, Record

LONGEST_PAUSE_S = 300.0


class BatchOptions(Record):
    """How the cases of a batch are run."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Attempts at a case whose kernel died, whose time ran out, or whose database could not be reached."""
    pause_s: NonNegative = 2.0
    """Pause before the second attempt; each further one is twice as long, and all vary by half."""
    run_timeout_s: Positive | None = None
    """Longest time of a run; None sets no limit."""
    cell_timeout_s: Positive | None = None
    """Longest time of a cell; None sets no limit."""
    memory_limit_mb: Annotated[float, Field(ge=256)] | None = None
    """Most memory that a run may hold as data; None sets no limit."""
    lease_s: Annotated[float, Field(ge=2)] = 60.0
    """Time after which a worker that is not heard of has lost its case."""

    def pause_before(self, attempt: int) -> float:
        """Return the pause in seconds before an attempt, which is 2 or more: exponential, with jitter."""
        longest: float = min(self.pause_s * 2 ** (attempt - 2), LONGEST_PAUSE_S)
        return longest * random.uniform(0.5, 1.5)  # noqa: S311 - so that many that failed at once do not meet again
