"""How a database is, looked at without changing it: reached, at which revision, writable, with which clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from ems.database.engine import HEAD, REVISIONS, database_url, open_engine, reading, revision_in, shown, writing
from ems.database.masking import masked
from ems.database.schedules import new_owner
from ems.database.workflow_records import SCHEDULES
from ems.errors import DatabaseProblem


@dataclass(frozen=True)
class DatabaseHealth:
    """How a database is.

    Parameters
    ----------
    address : str
        Without its password.
    kind : str
        sqlite or postgresql.
    revision : str or None
        None where it has no tables yet.
    is_there : bool
        False where it is a file that the first command will make.
    is_current, is_newer : bool
        Whether its revision is the one of this package, or one that it does not know.
    is_writable : bool or None
        None where that could not be tried.
    ahead_s : float or None
        How far the clock of the database's server is ahead of this machine's.
    """

    address: str
    kind: str
    revision: str | None
    is_there: bool
    is_current: bool
    is_newer: bool
    is_writable: bool | None
    ahead_s: float | None


def file_of(url: str) -> Path | None:
    """Return the file of an embedded database; None of others."""
    address = _address_of(url)
    if address is None or address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        return None
    return None if str(address.database).startswith("file:") else Path(str(address.database))


def examine(project: Path) -> DatabaseHealth:
    """Return how the database of a project is; a file that is not there is not made.

    Raises
    ------
    DatabaseProblem
        If it cannot be reached.
    """
    url = database_url(project)
    file = file_of(url)
    if file is not None and not file.exists():
        return DatabaseHealth(masked(url), "sqlite", None, False, False, False, None, None)
    engine = open_engine(url)
    try:
        with reading(engine) as connection:
            revision = revision_in(connection)
            ahead_s = _ahead_s(connection)
        is_current = revision == HEAD
        is_writable = _takes_a_row(engine) if is_current else None
        is_newer = revision is not None and revision not in REVISIONS
        kind = engine.dialect.name
        return DatabaseHealth(shown(engine), kind, revision, True, is_current, is_newer, is_writable, ahead_s)
    finally:
        engine.dispose()


def _ahead_s(connection: sa.Connection) -> float | None:
    if connection.dialect.name != "postgresql":
        return None
    before = dt.datetime.now(dt.UTC)
    there: dt.datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    after = dt.datetime.now(dt.UTC)
    return (there - (before + (after - before) / 2)).total_seconds()


class _TakenBackError(Exception):
    """Ends a transaction whose row shall not stay."""


def _takes_a_row(engine: sa.Engine) -> bool:
    """Return whether a row can be written; it is taken back at once."""
    row = {"workflow": f"doctor-{new_owner().split()[-1]}", "fence": 0}
    try:
        with writing(engine) as connection:
            connection.execute(sa.insert(SCHEDULES), row)
            raise _TakenBackError
    except _TakenBackError:
        return True
    except DatabaseProblem:
        return False


def _address_of(url: str) -> sa.URL | None:
    """Return an address in its parts; None where it is none."""
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        return None
