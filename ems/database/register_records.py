"""What is done with any shelf of the register: records made, read, changed and removed, each in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from ems.database.audit import acting_user
from ems.database.engine import reading
from ems.database.shelf import Entry, Key, Shelf
from ems.database.shelves import GROUP_SHELF, SITE_SHELF, check_nesting, check_references, check_site_codes
from ems.database.turns import in_turn
from ems.errors import InvalidInput, show
from ems.record import Record

R = TypeVar("R", bound=Record)
Blocking = Mapping[str, tuple[sa.Table, sa.ColumnElement[bool]]]


def create_records(engine: sa.Engine, shelf: Shelf[R], records: Sequence[R], by: str | None = None) -> list[Entry[R]]:
    """Keep new records on a shelf, all or none, and return their entries."""
    who = acting_user(by)
    keys = [shelf.key_of(record) for record in records]
    twice = {key for key in keys if keys.count(key) > 1} if len(set(keys)) < len(keys) else set()
    if twice:
        raise InvalidInput(shelf.name_of(min(twice)), "is given twice; ids are unique")

    def work(connection: sa.Connection) -> list[Entry[R]]:
        there = shelf.fetch(connection, keys)
        if there:
            first = next(iter(there.values()))
            raise InvalidInput(
                shelf.describe(first.record),
                f"is there already, made by {first.created_by} at {first.created_at:%F %H:%M} UTC; "
                "change it or choose another id",
            )
        _check(connection, shelf, records)
        shelf.insert(connection, records, who)
        if shelf is GROUP_SHELF:
            check_nesting(connection)
        kept = shelf.fetch(connection, keys)
        return [kept[key] for key in keys]

    return in_turn(engine, work, alone=shelf is GROUP_SHELF)


def read_record(engine: sa.Engine, shelf: Shelf[R], key: Key) -> Entry[R]:
    """Return the entry of a key.

    Raises
    ------
    UnknownName
        If there is none.
    """
    with reading(engine) as connection:
        return shelf.require(connection, key)


def update_record(
    engine: sa.Engine,
    shelf: Shelf[R],
    key: Key,
    changes: Mapping[str, Any],
    *,
    version: int | None = None,
    by: str | None = None,
) -> Entry[R]:
    """Change fields of a record and return its entry, as `update_asset` does."""
    who = acting_user(by)

    def work(connection: sa.Connection) -> Entry[R]:
        entry = shelf.require(connection, key, for_update=True)
        shelf.refuse_stale(connection, entry, version)
        new = entry.record.replace(**{str(name): value for name, value in changes.items()})
        if shelf.key_of(new) != key:
            raise InvalidInput(shelf.name_of(key), f"its {' and '.join(shelf.keys)} cannot change; make another one")
        _check(connection, shelf, [new])
        shelf.update(connection, entry, new, who)
        if shelf is GROUP_SHELF:
            check_nesting(connection)
        return shelf.require(connection, key)

    return in_turn(engine, work, alone=shelf is GROUP_SHELF)


def _check(connection: sa.Connection, shelf: Shelf[Any], records: Sequence[Any]) -> None:
    check_references(connection, shelf, records)
    if shelf is SITE_SHELF:
        check_site_codes(connection, records)


def delete_record(
    engine: sa.Engine,
    shelf: Shelf[Any],
    key: Key,
    *,
    blocking: Blocking | None = None,
    remedy: str = "",
    by: str | None = None,
    along: tuple[Shelf[Any], sa.ColumnElement[bool]] | None = None,
) -> None:
    """Remove a record for good.

    Parameters
    ----------
    engine : Engine
    shelf : Shelf
    key : tuple of str
    blocking : mapping, optional
        What keeps it there while any such row refers to it: words to a table and a condition.
    remedy : str
        What to do about such rows.
    by : str, optional
    along : Shelf and condition, optional
        Records that go with it.
    """
    who = acting_user(by)

    def work(connection: sa.Connection) -> None:
        entry = shelf.require(connection, key, for_update=True)
        refuse_while(connection, shelf.describe(entry.record), blocking or {}, remedy)
        if along is not None:
            remove_where(connection, *along, who)
        shelf.remove(connection, entry, who)

    in_turn(engine, work)


def refuse_while(
    connection: sa.Connection,
    what: str,
    blocking: Blocking,
    remedy: str,
) -> None:
    """Refuse to delete while rows of some tables refer to it, naming the first of them."""
    for words, (table, refers) in blocking.items():
        name = next(iter(table.primary_key))
        query = sa.select(name).where(refers).order_by(name).limit(4)
        found = connection.execute(query).scalars().all()
        if found:
            raise InvalidInput(f"{what} cannot be deleted", f"it has {words}: {named(found)}; {remedy}")


def named(names: Sequence[str]) -> str:
    """Return the first three of some names, and whether there are more."""
    return ", ".join(show(name) for name in names[:3]) + (" and others" if len(names) > 3 else "")


def remove_where(connection: sa.Connection, shelf: Shelf[Any], refers: sa.ColumnElement[bool], who: str) -> None:
    """Remove the records of a shelf for which a condition holds, each with its line of history."""
    columns = [shelf.table.c[name] for name in shelf.keys]
    keys = [tuple(row) for row in connection.execute(sa.select(*columns).where(refers))]
    for entry in shelf.fetch(connection, keys, for_update=True).values():
        shelf.remove(connection, entry, who)
