"""Opening a database: the embedded SQLite file or a team's PostgreSQL, at the revision that this package knows."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from ems.database.masking import HIDDEN, masked, without_secrets
from ems.errors import DatabaseProblem
from ems.folders import project_folder

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""Revisions of the tables, oldest first. Kept here so that opening a current database needs no Alembic."""
HEAD = REVISIONS[-1]

LONGEST_WAIT_S = 30
_WRITES = "ems_writes"
_POSTGRESQL_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")


def database_url(project: Path) -> str:
    """Return the database's address: ``EMS_DATABASE_URL``, else the file data/ems.sqlite of the project."""
    named = os.environ.get("EMS_DATABASE_URL", "").strip()
    if named:
        return with_driver(named)
    file = (project / "data" / "ems.sqlite").absolute()
    return sa.URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)


def with_driver(url: str) -> str:
    """Return an address with the driver that is used here: psycopg 3 for PostgreSQL.

    >>> with_driver("postgres://db.example.org/ems")
    'postgresql+psycopg://db.example.org/ems'
    """
    scheme, mark, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if mark and scheme.lower() in _POSTGRESQL_SCHEMES else url


def connect(url: str | None = None, *, keeps_connections: bool = False) -> sa.Engine:
    """Return the engine of a database whose tables are of this package's revision.

    An embedded database is made or upgraded on the way; two processes may do so at once.

    Parameters
    ----------
    url : str, optional
        Address; without it that of the project (`database_url`).
    keeps_connections : bool
        Whether connections to an embedded database are used again: each new one reads all definitions of tables, 4 ms.
        For processes of one purpose; others should notice at once when the file is moved away.

    Raises
    ------
    DatabaseProblem
        If it cannot be reached, read or written, is no database of this package, is newer than the package, or is a
        server's database of an older revision.
    """
    url = with_driver(url) if url else database_url(project_folder())
    engine = open_engine(url, keeps_connections=keeps_connections)
    with reading(engine) as connection:
        found = revision_in(connection)
        is_foreign = found is None and engine.dialect.name == "sqlite" and _has_tables(connection)
    refuse_newer(engine, found)
    if found == HEAD:
        return engine
    if is_foreign:
        raise DatabaseProblem(
            f"database {masked(url)} holds tables of another program; choose another file with EMS_DATABASE_URL"
        )
    if engine.dialect.name != "sqlite":
        has = f"is at revision {found}" if found else "has no tables of ems yet"
        raise DatabaseProblem(f"database {masked(url)} {has}, this version needs {HEAD}; run `ems db upgrade`")
    from ems.database.migrate import upgrade_engine

    upgrade_engine(engine)
    return engine


def open_engine(url: str, *, keeps_connections: bool = False) -> sa.Engine:
    """Return an engine without looking at the tables behind it."""
    url = with_driver(url)
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        given = masked(url) if "://" in url or "@" not in url else HIDDEN  # what is before "@" may be a password
        raise DatabaseProblem(
            f"database {given} is no address; use sqlite:///folder/file.sqlite or postgresql://user@host/name"
        ) from None
    if address.drivername not in ("sqlite", "sqlite+pysqlite") and "@" in f"{address.host}{address.database}":
        # A password with "@" ends at it, and the rest would be looked up, and shown, as the name of a host.
        raise DatabaseProblem(f"database {masked(url)} has more than one @; write it as %40 within a password")
    if address.drivername in ("sqlite", "sqlite+pysqlite"):
        return _open_sqlite(address, keeps_connections=keeps_connections)
    if address.drivername != "postgresql+psycopg":
        raise DatabaseProblem(
            f"database {masked(url)}: {address.drivername} is not supported; use sqlite or postgresql"
        )
    try:
        options = {} if "connect_timeout" in address.query else {"connect_timeout": 10}
        return sa.create_engine(address, pool_pre_ping=True, connect_args=options)
    except ImportError:
        raise DatabaseProblem(
            f'database {masked(url)} needs the PostgreSQL driver; run pip install "ems[postgresql]"'
        ) from None


def _open_sqlite(address: sa.URL, *, keeps_connections: bool) -> sa.Engine:
    file = address.database or ":memory:"
    is_memory = file == ":memory:"
    if not is_memory and not file.startswith("file:"):
        folder = Path(file).absolute().parent
        try:
            folder.mkdir(exist_ok=True)  # data/ of a new project; a longer missing path is more likely misspelt
        except OSError as error:
            raise DatabaseProblem(
                f"database {masked(str(address))} cannot be opened: folder {folder}: {error.strerror}"
            ) from None
    engine = sa.create_engine(
        address,
        poolclass=StaticPool if is_memory else QueuePool if keeps_connections else NullPool,
        connect_args={"timeout": LONGEST_WAIT_S, "check_same_thread": False},
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions begin in _begin_sqlite, so that tables are made within one
    connection.execute("PRAGMA foreign_keys = ON")
    end = time.monotonic() + LONGEST_WAIT_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
        # SQLite does not wait by itself while another process changes the journal of the same new file.
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "readonly" in str(error):
                return
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that first reads and then writes fails at once when another process wrote in between;
    # one that says at its beginning that it will write waits for its turn.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Return a connection for reading; errors of the database become one plain sentence."""
    with _said_plainly(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Return a connection in one transaction: all is kept, or nothing when an error leaves the block."""
    with _said_plainly(engine), engine.execution_options(**{_WRITES: True}).begin() as connection:
        yield connection


@contextmanager
def restructuring(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Return a connection in one transaction that changes tables; all is kept, or nothing.

    To change a table SQLite makes it anew, and would take along all rows that refer to the old one; so it looks at
    references only when all is done.
    """
    with _said_plainly(engine), engine.execution_options(**{_WRITES: True}).connect() as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")  # has no effect once a transaction has begun
        try:
            with connection.begin():
                broken_before = len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                assert len(broken) <= broken_before, f"references were lost: {broken[:5]}"
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def revision_in(connection: sa.Connection) -> str | None:
    """Return the revision of a database's tables, or None where there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def refuse_newer(engine: sa.Engine, revision: str | None) -> None:
    """Refuse a database whose revision this package does not know.

    Raises
    ------
    DatabaseProblem
    """
    if revision is not None and revision not in REVISIONS:
        raise DatabaseProblem(
            f"database {shown(engine)} is at revision {revision}, which this version of ems does not know "
            f"(newest known: {HEAD}); install a newer ems"
        )


def shown(engine: sa.Engine) -> str:
    """Return an engine's address as people may see it."""
    return masked(engine.url.render_as_string(hide_password=False))


def _has_tables(connection: sa.Connection) -> bool:
    # A database that was brought back to nothing still has Alembic's own empty table.
    return bool(set(sa.inspect(connection).get_table_names()) - {"alembic_version"})


@contextmanager
def _said_plainly(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise DatabaseProblem(_sentence(engine, error)) from None


def _sentence(engine: sa.Engine, error: sa.exc.DBAPIError) -> str:
    lines = [line.strip() for line in without_secrets(str(error.orig)).splitlines() if line.strip()]
    said = lines[0].rstrip(":") if lines else type(error.orig).__name__
    database = f"database {shown(engine)}"
    if isinstance(error, sa.exc.IntegrityError | sa.exc.DataError):
        return f"{database} refused a row: {said}"
    for words, meaning in (
        ("unable to open", "cannot be opened; it must be a file in a folder that can be written"),
        ("not a database", "is no SQLite file; move it away or choose another with EMS_DATABASE_URL"),
        ("malformed", "is damaged; restore it from a copy or move it away"),
        ("readonly", "cannot be written; check the rights of the file and its folder"),
        ("locked", f"was held by another process for {LONGEST_WAIT_S} s; try again"),
        ("disk is full", "cannot be written: the disk is full"),
    ):
        if engine.dialect.name == "sqlite" and words in said:
            return f"{database} {meaning}"
    if isinstance(error, sa.exc.OperationalError):
        return f"{database} cannot be reached: {said}; check the server and EMS_DATABASE_URL"
    return f"{database} refused a statement: {said}"
