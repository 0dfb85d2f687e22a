"""How dispatches of tests are solved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ems.dispatch.options import SolverOptions


@pytest.fixture(scope="session")
def options() -> Callable[..., SolverOptions]:
    """A function that makes options for a solver which proves its answer to the last digit."""

    def make(solver: str = "highs", **others: Any) -> SolverOptions:
        return SolverOptions(**{"solver": solver, "mip_gap": 0.0, **others})

    return make
