"""Writing beside many others: whoever finds the database busy waits for a turn, unseen by people."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from ems.database.engine import writing
from ems.errors import DatabaseProblem

T = TypeVar("T")

LONGEST_TURN_S = 60.0
"""How long a writer waits for its turn, all attempts together."""

# Serialization failure, deadlock, lock not available, too many connections.
_BUSY_STATES = frozenset({"40001", "40P01", "55P03", "53300"})
# A row that two writers make, or one makes while another removes what it refers to: a second look says it plainly.
_OVERTAKEN_STATES = frozenset({"23503", "23505"})
_REGISTER_LOCK = 0x656D7301


def in_turn(engine: sa.Engine, work: Callable[[sa.Connection], T], *, alone: bool = False) -> T:
    """Return what a piece of work gives, done in one transaction; tried again while others are in its way.

    Parameters
    ----------
    engine : Engine
    work : callable (connection)
        May run more than once; each time the database is as if it had not run before.
    alone : bool
        Whether it reads rows that no other such piece of work may change meanwhile, as the nesting of groups.

    Raises
    ------
    DatabaseProblem
        If there was no turn for a minute, or the database refused the work for another reason.
    """
    end = time.monotonic() + LONGEST_TURN_S
    pause_s = 0.01
    for attempt in itertools.count():
        try:
            with writing(engine) as connection:
                if alone and connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_REGISTER_LOCK)))
                return work(connection)
        except DatabaseProblem as problem:
            overtaken = attempt < 2 and _state(problem.__context__) in _OVERTAKEN_STATES
            if not (overtaken or _is_busy(problem.__context__)) or time.monotonic() > end:
                raise
        time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - so that waiting writers do not meet again
        pause_s = min(2 * pause_s, 1.0)
    raise AssertionError("a turn ends with a result or an error")


def _is_busy(error: BaseException | None) -> bool:
    said = str(error.orig) if isinstance(error, sa.exc.DBAPIError) else ""
    return _state(error) in _BUSY_STATES or "database is locked" in said or "too many clients" in said


def _state(error: BaseException | None) -> str | None:
    return getattr(error.orig, "sqlstate", None) if isinstance(error, sa.exc.DBAPIError) else None
