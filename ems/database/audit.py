"""Who made and changed a row, and when: columns, and triggers which keep them true whoever writes."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from ems.database.tables import UtcDateTime
from ems.errors import InvalidInput, show
from ems.record import LONGEST_NAME

SQL_USER = "sql"
"""Who stands for a statement that reached the database past the functions of this package."""

AUDIT = ("created_at", "created_by", "updated_at", "updated_by", "version")
_SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


class present_moment(FunctionElement[Any]):  # noqa: N801 - an SQL function
    """The moment of a statement, in the form in which each database keeps moments."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(present_moment, "sqlite")
def _on_sqlite(element: present_moment, compiler: SQLCompiler, **_: Any) -> str:
    return _SQLITE_NOW


@compiles(present_moment)
def _on_postgresql(element: present_moment, compiler: SQLCompiler, **_: Any) -> str:
    return "clock_timestamp()"


def acting_user(by: str | None = None) -> str:
    """Return who makes a change: the name given, else EMS_USER, else the user of the operating system.

    Raises
    ------
    InvalidInput
        If the name is longer than 200 characters.
    """
    if by is None:
        by = os.environ.get("EMS_USER")
    if not (by or "").strip():
        try:
            by = getpass.getuser()
        except (KeyError, OSError):  # a container may run under a number without a name
            by = "unknown"
    name = " ".join(str(by).split())
    if len(name) > LONGEST_NAME:
        raise InvalidInput(f"by = {show(name)}", f"must have at most {LONGEST_NAME} characters")
    return name


def audit_columns() -> list[sa.Column[Any]]:
    """Return the columns of a row's making, last change and version, with defaults for plain SQL."""
    return [
        sa.Column(
            "created_at", UtcDateTime(), nullable=False, server_default=present_moment(), comment="When it was made."
        ),
        sa.Column(
            "created_by",
            sa.String(LONGEST_NAME),
            nullable=False,
            server_default=SQL_USER,
            comment="Who made it; sql where a statement came past the functions.",
        ),
        sa.Column(
            "updated_at",
            UtcDateTime(),
            nullable=False,
            server_default=present_moment(),
            comment="When it was changed last; a trigger moves it.",
        ),
        sa.Column(
            "updated_by",
            sa.String(LONGEST_NAME),
            nullable=False,
            server_default=SQL_USER,
            comment="Who changed it last; sql where a statement came past the functions.",
        ),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            server_default="1",
            comment="Counts changes from 1; a trigger moves it.",
        ),
    ]


def audit_of_new(by: str, now: dt.datetime) -> dict[str, Any]:
    """Return the audit columns of a new row."""
    return {"created_at": now, "created_by": by, "updated_at": now, "updated_by": by, "version": 1}


# A function of this package says the next version and a later moment. Whatever else an UPDATE says, the trigger
# sets both and leaves a line in register_changes, so that neither readers nor stale writers are misled.
_POSTGRESQL_FUNCTIONS = {
    "register_touch": """\
CREATE FUNCTION register_touch() RETURNS trigger LANGUAGE plpgsql AS $touch$
BEGIN
    IF NEW.version IS DISTINCT FROM OLD.version + 1 OR NEW.updated_at <= OLD.updated_at THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
        IF NEW.updated_by = OLD.updated_by THEN
            NEW.updated_by := 'sql';
        END IF;
        INSERT INTO register_changes (table_name, row_id, operation, version, changed_at, changed_by)
        SELECT TG_TABLE_NAME, string_agg(to_jsonb(NEW) ->> name, '/' ORDER BY place), 'update',
            NEW.version, NEW.updated_at, NEW.updated_by
        FROM unnest(TG_ARGV) WITH ORDINALITY AS keys (name, place);
    END IF;
    RETURN NEW;
END
$touch$""",
    "register_touch_spec": """\
CREATE FUNCTION register_touch_spec() RETURNS trigger LANGUAGE plpgsql AS $touch$
BEGIN
    IF NEW.version IS DISTINCT FROM OLD.version + 1 OR NEW.updated_at <= OLD.updated_at THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
        IF NEW.updated_by = OLD.updated_by THEN
            NEW.updated_by := 'sql';
        END IF;
        UPDATE assets SET version = version WHERE id = NEW.asset_id;
    END IF;
    RETURN NEW;
END
$touch$""",
}


def function_statements() -> list[str]:
    """Return the statements which make PostgreSQL's functions behind the triggers; SQLite needs none."""
    return list(_POSTGRESQL_FUNCTIONS.values())


def trigger_statement(table: sa.Table, dialect: str, *, is_spec: bool = False) -> str:
    """Return the statement which makes the trigger that moves ``updated_at`` and ``version`` at any UPDATE.

    Parameters
    ----------
    table : Table
        With the audit columns.
    dialect : str
        ``sqlite`` or ``postgresql``.
    is_spec : bool
        Whether its rows are parts of assets: then the asset's version moves, too.
    """
    keys = [column.name for column in table.primary_key]
    if dialect == "postgresql":
        call = "register_touch_spec()" if is_spec else f"register_touch({', '.join(repr(key) for key in keys)})"
        return f"CREATE TRIGGER {table.name}_touch BEFORE UPDATE ON {table.name} FOR EACH ROW EXECUTE FUNCTION {call}"
    row_id = " || '/' || ".join(f"NEW.{key}" for key in keys)
    later = "strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds')"
    marker = (
        "    UPDATE assets SET version = version WHERE id = NEW.asset_id;"
        if is_spec
        else "    INSERT INTO register_changes (table_name, row_id, operation, version, changed_at, changed_by)\n"  # noqa: S608 - names of our own tables
        f"    SELECT '{table.name}', {row_id}, 'update', version, updated_at, updated_by\n"
        f"    FROM {table.name} WHERE rowid = NEW.rowid;"
    )
    return (
        f"CREATE TRIGGER {table.name}_touch AFTER UPDATE ON {table.name}\n"
        "WHEN NEW.version IS NOT OLD.version + 1 OR NEW.updated_at <= OLD.updated_at\n"
        "BEGIN\n"
        f"    UPDATE {table.name} SET\n"
        "        version = OLD.version + 1,\n"
        f"        updated_at = max({_SQLITE_NOW}, {later}),\n"
        f"        updated_by = CASE WHEN NEW.updated_by IS OLD.updated_by THEN '{SQL_USER}' ELSE NEW.updated_by END\n"
        "    WHERE rowid = NEW.rowid;\n"
        f"{marker}\n"
        "END"
    )
