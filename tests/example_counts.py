"""How many random examples a law is tried on: enough for each change; EMS_EXAMPLES=10 takes ten times as many."""

from __future__ import annotations

import os

FACTOR = float(os.environ.get("EMS_EXAMPLES", "1"))


def examples(count: int) -> int:
    """Return how many examples are drawn where usually so many are."""
    return max(1, round(count * FACTOR))
