"""The history of the register: which field of which row was changed from what to what, when and by whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal

import sqlalchemy as sa

from ems.database.engine import reading
from ems.database.tables import record_of, table_of
from ems.record import Count, Moment, Name, Record

Operation = Literal["create", "update", "delete"]


class Change(Record):
    """A change of one field, or the making or removal of a whole row."""

    table_name: Name
    """Table of the row; what belongs to an asset stands under assets."""
    row_id: Name
    """Id of the row; where its key has several parts, they are joined by a slash."""
    field: Name | None = None
    """Field that was changed; none where a whole row was made, removed, or changed past the functions."""
    old: Any | None = None
    """Value before; of a whole row, the fields that were stated."""
    new: Any | None = None
    """Value afterwards; of a whole row, the fields that were stated."""
    operation: Operation
    """What was done."""
    version: Count
    """Version of the row that the change made."""
    changed_at: Moment
    """When."""
    changed_by: Name
    """By whom; sql where a statement came past the functions."""


CHANGES = table_of(
    Change,
    "register_changes",
    primary_key="id",
    indices=(("table_name", "row_id"), "changed_at"),
    before=[
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),  # only INTEGER counts by itself there
            autoincrement=True,
            comment="Counts changes in their order.",
        )
    ],
)


def log_changes(connection: sa.Connection, changes: Iterable[Change]) -> None:
    """Write changes down, in the transaction that makes them."""
    columns = [column.name for column in CHANGES.columns if column.name != "id"]
    rows = [{name: getattr(change, name) for name in columns} for change in changes]
    if rows:
        connection.execute(sa.insert(CHANGES), rows)


def history_of(
    engine: sa.Engine,
    row_id: str | None = None,
    *,
    table_name: str | None = None,
    field: str | None = None,
    since: dt.datetime | None = None,
    limit: int = 200,
) -> list[Change]:
    """Return changes of the register, the newest first.

    Parameters
    ----------
    engine : Engine
    row_id : str, optional
        Only changes of that asset, site, group or other row; of a member or dependency the parts of its key joined
        by a slash.
    table_name : str, optional
        Only changes of that table: ``assets``, ``sites``.
    field : str, optional
        Only changes of that field.
    since : datetime, optional
        Only changes from that moment on.
    limit : int
        Greatest number of changes.
    """
    query = sa.select(CHANGES).order_by(CHANGES.c.id.desc()).limit(limit)
    for column, wanted in ((CHANGES.c.row_id, row_id), (CHANGES.c.table_name, table_name), (CHANGES.c.field, field)):
        if wanted is not None:
            query = query.where(column == wanted)
    if since is not None:
        query = query.where(CHANGES.c.changed_at >= since)
    with reading(engine) as connection:
        return [record_of(Change, row) for row in connection.execute(query).mappings()]


def changes_since(connection: sa.Connection, table_name: str, row_id: str, version: int) -> list[Change]:
    """Return what was changed of a row after a version of it, in order."""
    query = (
        sa.select(CHANGES)
        .where(CHANGES.c.table_name == table_name, CHANGES.c.row_id == row_id, CHANGES.c.version > version)
        .order_by(CHANGES.c.id)
    )
    return [record_of(Change, row) for row in connection.execute(query).mappings()]
