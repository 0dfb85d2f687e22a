"""Names of runs; apart from the rest so that a run can be named before the database is loaded."""

from __future__ import annotations

import datetime as dt
import secrets

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_run_id(now: dt.datetime | None = None) -> str:
    """Return a new name for a run, sortable by time: ``20240601-073000-k3f9x2``."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(6))
    return f"{(now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC):%Y%m%d-%H%M%S}-{letters}"
