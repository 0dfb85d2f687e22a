"""Shelf: records of one sort in their table, made, changed and removed with audit and history.

Everything here happens within a transaction that the caller holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from ems.database.audit import audit_of_new
from ems.database.history import Change, Operation, changes_since, log_changes
from ems.database.masking import storable
from ems.database.records import utc_now
from ems.database.register_rows import plain_values, restored, row_values, stated_values
from ems.errors import DatabaseProblem, UnknownName, did_you_mean, show
from ems.record import Record
from ems.units import with_unit

R = TypeVar("R", bound=Record)
Key = tuple[str, ...]

CHUNK = 1000
"""Keys asked for in one statement; databases bound the number of its parameters."""
KNOWN_FOR_HINTS = 5000


@dataclass(frozen=True)
class Entry(Generic[R]):
    """A record as the register keeps it.

    Parameters
    ----------
    record : Record
    created_at, updated_at : datetime
        In UTC.
    created_by, updated_by : str
    version : int
        Counts the changes from 1; given back with an update, it makes a stale one fail.
    """

    record: R
    created_at: dt.datetime
    created_by: str
    updated_at: dt.datetime
    updated_by: str
    version: int


@dataclass(frozen=True)
class FieldChange:
    """A field that differs between the register and what is to be kept.

    Parameters
    ----------
    what : str
        The record in words: ``battery 'b1'``.
    field : str
    old, new : object
        Plain values as JSON has them.
    """

    what: str
    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.what}: {self.field} {_shown(self.old, self.field)} -> {_shown(self.new, self.field)}"


class Shelf(Generic[R]):
    """Records of one sort and the table which holds them.

    Parameters
    ----------
    word : str
        What people call one of them: site.
    record : type of Record
    table : Table
    """

    def __init__(self, word: str, record: type[R], table: sa.Table) -> None:
        self.word = word
        self.record = record
        self.table = table
        self.keys = tuple(column.name for column in table.primary_key)

    # ------------------------------------------------------------------------------------------ naming
    def key_of(self, record: R) -> Key:
        """Return the values of a record's key."""
        return tuple(str(getattr(record, name)) for name in self.keys)

    def name_of(self, key: Key) -> str:
        """Return the words for the record of a key: ``site 'harbour'``."""
        return f"{self.word} {' / '.join(show(part) for part in key)}"

    def describe(self, record: R) -> str:
        """Return the words for a record, as they stand in messages."""
        return self.name_of(self.key_of(record))

    # ------------------------------------------------------------------------------------------ reading
    def fetch(
        self, connection: sa.Connection, keys: Iterable[Key] | None = None, *, for_update: bool = False
    ) -> dict[Key, Entry[R]]:
        """Return the entries of some keys, or all, in the order of entry; keys which are not there are left out."""
        entries: dict[Key, Entry[R]] = {}
        rows = self._rows(connection, self.table, self.keys, keys, for_update=for_update)
        order = ("position", *self.keys) if "position" in self.table.c else self.keys
        for row in sorted(rows, key=lambda row: tuple(row[name] for name in order)):
            record = restored(self.record, row, row.get("stated"))
            entries[self.key_of(record)] = entry_of(record, row)
        return entries

    def require(self, connection: sa.Connection, key: Key, *, for_update: bool = False) -> Entry[R]:
        """Return the entry of a key.

        Raises
        ------
        UnknownName
            If there is none.
        """
        found = self.fetch(connection, [key], for_update=for_update)
        if not found:
            raise UnknownName(self.name_of(key), f"is not in the register; {self.hint(connection, key)}")
        return found[key]

    def missing(self, connection: sa.Connection, keys: Iterable[Key]) -> list[Key]:
        """Return those keys which are not there, sorted."""
        wanted = sorted(set(keys))
        columns = [self.table.c[name] for name in self.keys]
        there = {tuple(row) for chunk in _chunks(wanted) for row in connection.execute(_of_keys(columns, chunk))}
        return [key for key in wanted if key not in there]

    def hint(self, connection: sa.Connection, key: Key) -> str:
        """Return the end of a sentence on a key that is not there: the nearest one known."""
        columns = [self.table.c[name] for name in self.keys]
        rows = connection.execute(sa.select(*columns).order_by(*columns).limit(KNOWN_FOR_HINTS)).all()
        known = [" / ".join(row) for row in rows]
        near = did_you_mean(" / ".join(key), known)
        return near if near.startswith("did you mean") or len(known) <= 5 else "none there has a similar name"

    # ------------------------------------------------------------------------------------------ writing
    def insert(self, connection: sa.Connection, records: Sequence[R], by: str) -> None:
        """Make new rows, with a line of history each; their keys are not there yet."""
        if not records:
            return
        now = utc_now()
        audit = audit_of_new(by, now)
        place = self._next_position(connection)
        rows = [{**self._row(record), **self._place(place + number), **audit} for number, record in enumerate(records)]
        self._insert_rows(connection, records, rows)
        # All at once: looking for the secrets of the environment takes longer than a record.
        stated = storable([stated_values(record) for record in records])
        log_changes(
            connection,
            (
                self._change("create", self.key_of(record), 1, now, by, new=new)
                for record, new in zip(records, stated, strict=True)
            ),
        )

    def update(self, connection: sa.Connection, old: Entry[R], new: R, by: str) -> list[FieldChange]:
        """Change a row to another record of the same key, and return what differs; nothing happens where none does."""
        return self.update_all(connection, [(old, new)], by)

    def update_all(self, connection: sa.Connection, pairs: Iterable[tuple[Entry[R], R]], by: str) -> list[FieldChange]:
        """Change several rows as `update` does, and return all that differs."""
        differing = [(old, new, found) for old, new in pairs if (found := self.differences(old.record, new))]
        if not differing:
            return []
        now = utc_now()
        rows = []
        for old, new, _ in differing:
            later = max(now, old.updated_at + dt.timedelta(microseconds=1))
            audit = {"updated_at": later, "updated_by": by, "version": old.version + 1}
            rows.append({**self._row(new), **audit})
        self._update_rows(connection, [(old.record, new) for old, new, _ in differing], rows)
        values = iter(storable([[one.old, one.new] for _, _, found in differing for one in found]))
        lines = []
        for (_, new, found), row in zip(differing, rows, strict=True):
            for one in found:
                before, after = next(values)
                change = {"field": one.field, "old": before, "new": after}
                lines.append(self._change("update", self.key_of(new), row["version"], row["updated_at"], by, **change))
        log_changes(connection, lines)
        return [one for _, _, found in differing for one in found]

    def remove(self, connection: sa.Connection, old: Entry[R], by: str) -> None:
        """Delete a row, with a line of history that keeps what it stated."""
        key = self.key_of(old.record)
        connection.execute(sa.delete(self.table).where(*self._is(key)))
        change = self._change("delete", key, old.version + 1, utc_now(), by, old=storable(stated_values(old.record)))
        log_changes(connection, [change])

    def differences(self, old: R, new: R) -> list[FieldChange]:
        """Return the fields that differ, as they are kept."""
        if old == new:
            return []
        before, after = plain_values(old), plain_values(new)
        what = self.describe(new)
        # The same moment may be written with another offset, and a secret is kept as stars: neither is a change.
        return [
            FieldChange(what, name, before[name], after[name])
            for name in type(new).model_fields
            if getattr(old, name) != getattr(new, name) and before[name] != after[name]
        ]

    def refuse_stale(self, connection: sa.Connection, entry: Entry[R], version: int | None) -> None:
        """Refuse an update that was made from an older version, and say what happened since.

        Raises
        ------
        DatabaseProblem
        """
        if version is None or version == entry.version:
            return
        what = self.describe(entry.record)
        if version > entry.version:
            raise DatabaseProblem(f"{what} is at version {entry.version}, not {version}; read it again")
        since = changes_since(connection, self.table.name, "/".join(self.key_of(entry.record)), version)
        lines = [_told(change) for change in since[:20]]
        told = "; ".join(lines) if lines else "no line in the history tells what"
        raise DatabaseProblem(
            f"{what} was changed after version {version} and is at version {entry.version}; read it again. "
            f"Since then: {told}"
        )

    # ------------------------------------------------------------------------------------------ inside
    def _row(self, record: R) -> dict[str, Any]:
        return row_values(record, self.table)

    def _insert_rows(self, connection: sa.Connection, records: Sequence[R], rows: list[dict[str, Any]]) -> None:
        connection.execute(sa.insert(self.table), rows)

    def _update_rows(
        self, connection: sa.Connection, pairs: Sequence[tuple[R, R]], rows: Sequence[Mapping[str, Any]]
    ) -> None:
        keys = [self.table.c[name] == sa.bindparam(f"key_{name}") for name in self.keys]
        connection.execute(
            sa.update(self.table).where(*keys),
            [{f"key_{name}" if name in self.keys else name: value for name, value in row.items()} for row in rows],
        )

    def _is(self, key: Key) -> list[sa.ColumnElement[bool]]:
        return [self.table.c[name] == value for name, value in zip(self.keys, key, strict=True)]

    def _place(self, position: int) -> dict[str, int]:
        return {"position": position} if "position" in self.table.c else {}

    def _next_position(self, connection: sa.Connection) -> int:
        if "position" not in self.table.c:
            return 0
        found: int | None = connection.execute(sa.select(sa.func.max(self.table.c.position))).scalar()
        return 0 if found is None else found + 1

    def _rows(
        self,
        connection: sa.Connection,
        table: sa.Table,
        key_names: Sequence[str],
        keys: Iterable[Key] | None,
        *,
        for_update: bool = False,
    ) -> Iterator[Mapping[str, Any]]:
        columns = [table.c[name] for name in key_names]
        if keys is None:
            queries: Iterable[sa.Select[Any]] = [sa.select(table)]
        else:
            # In the order of keys: two writers who lock the same rows do so in the same order.
            queries = [_of_keys(columns, chunk, table).order_by(*columns) for chunk in _chunks(sorted(set(keys)))]
        for query in queries:
            answer = connection.execute(query.with_for_update(of=table) if for_update else query)
            names = list(answer.keys())
            yield from (dict(zip(names, row, strict=True)) for row in answer)

    def _change(
        self,
        operation: Operation,
        key: Key,
        version: int,
        now: dt.datetime,
        by: str,
        *,
        field: str | None = None,
        old: Any = None,
        new: Any = None,
    ) -> Change:
        return Change(
            table_name=self.table.name,
            row_id="/".join(key),
            field=field,
            old=old,
            new=new,
            operation=operation,
            version=version,
            changed_at=now,
            changed_by=by,
        )


def entry_of(record: R, row: Mapping[str, Any]) -> Entry[R]:
    """Return a record with the audit columns of its row."""
    return Entry(
        record, row["created_at"], row["created_by"], row["updated_at"], row["updated_by"], int(row["version"])
    )


def _chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def _of_keys(
    columns: Sequence[sa.ColumnElement[Any]], keys: Sequence[Key], table: sa.Table | None = None
) -> sa.Select[Any]:
    query: sa.Select[Any] = sa.select(*columns) if table is None else sa.select(table)
    if len(columns) == 1:
        return query.where(columns[0].in_([key[0] for key in keys]))
    return query.where(sa.tuple_(*columns).in_(list(keys)))


def _told(change: Change) -> str:
    who = f"{change.changed_by} at {change.changed_at:%F %H:%M:%S} UTC"
    if change.field is None:
        return f"{who} past the functions of ems"
    old, new = (_shown(value, change.field) for value in (change.old, change.new))
    return f"{who}: {change.field} {old} -> {new}"


def _shown(value: Any, field: str) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return with_unit(show(value), field) if is_number else show(value)
