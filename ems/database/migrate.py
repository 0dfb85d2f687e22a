"""Bringing a database to another revision, with Alembic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

from ems.database.engine import open_engine, reading, refuse_newer, restructuring, revision_in, shown
from ems.errors import DatabaseProblem

_LOCK = 0x656D73  # "ems": the advisory lock under which a server's database is upgraded by one process at a time


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database to a newer revision; one that is there already stays as it is.

    Raises
    ------
    DatabaseProblem
        If it cannot be reached, is newer than this package, or there is no such revision.
    """
    with _opened(url) as engine:
        upgrade_engine(engine, revision)


def upgrade_engine(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the database of an engine to a newer revision, in one transaction."""
    _migrate(engine, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Bring a database back to an older revision; ``base`` removes all tables and what is in them.

    Raises
    ------
    DatabaseProblem
        If it cannot be reached, is newer than this package, or there is no such revision.
    """
    with _opened(url) as engine:
        _migrate(engine, lambda config: command.downgrade(config, revision))


def current(url: str) -> str | None:
    """Return the revision of a database's tables, or None where there are none."""
    with _opened(url) as engine, reading(engine) as connection:
        return revision_in(connection)


def differences(engine: sa.Engine) -> list[Any]:
    """Return how a database differs from the tables of this package; empty when they are the same."""
    from ems.database.schema import metadata

    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata()))


def newest_revision() -> str | None:
    """Return the newest revision among the migrations."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


@contextmanager
def _opened(url: str) -> Iterator[sa.Engine]:
    """Give an engine that leaves no connection to the server behind."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _migrate(engine: sa.Engine, step: Callable[[Config], None]) -> None:
    try:
        with restructuring(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            refuse_newer(engine, revision_in(connection))
            step(_config(connection))
    except CommandError as error:
        raise DatabaseProblem(f"database {shown(engine)} cannot be migrated: {error}") from None


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
