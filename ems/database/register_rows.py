"""Records of the register as rows, and back: what was stated stays apart from what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from ems.database.masking import storable
from ems.database.tables import JsonDocument
from ems.record import Record

R = TypeVar("R", bound=Record)


def row_values(record: Record, table: sa.Table) -> dict[str, Any]:
    """Return those fields of a record that a table has, as its columns take them, and the names of those stated."""
    plain = _plain_structures(record, table)
    row = {
        name: plain[name] if name in plain else getattr(record, name)
        for name in type(record).model_fields
        if name in table.c
    }
    if "stated" in table.c:
        row["stated"] = sorted(record.model_fields_set)
    return row


def restored(record: type[R], row: Mapping[str, Any], stated: Sequence[str] | None) -> R:
    """Return the record of a row.

    Fields that follow from others are left to follow again, so that a later what-if moves them along; a column that
    plain SQL moved away from its default counts as stated.
    """
    fields = record.model_fields
    values = {name: row[name] for name in fields if name in row}
    if stated is None:
        return record(**values)
    names = set(stated)
    given = {name: value for name, value in values.items() if name in names}
    derived = {name for name, value in record.derive(given).items() if value is not None and given.get(name) is None}
    for name in values.keys() - names - derived:
        field = fields[name]
        if field.is_required() or values[name] != _kept(field.get_default(call_default_factory=True)):
            given[name] = values[name]
    return record(**given)


def stated_values(record: Record) -> dict[str, Any]:
    """Return the stated fields of a record in the words of JSON, secrets among them."""
    names = record.model_fields_set | ({"kind"} & type(record).model_fields.keys())
    return record.model_dump(mode="json", include=set(names))


def plain_values(record: Record) -> dict[str, Any]:
    """Return all fields of a record as their columns keep them, in the words of JSON."""
    plain = record.as_json()
    return {
        name: storable(value) if value and isinstance(value, dict | list) else value for name, value in plain.items()
    }


def _plain_structures(record: Record, table: sa.Table) -> dict[str, Any]:
    names = [
        name for name in type(record).model_fields if name in table.c and isinstance(table.c[name].type, JsonDocument)
    ]
    filled = {name for name in names if getattr(record, name)}
    # Of records within, only what was stated: some of their fields exclude others, even where they hold a default.
    plain = storable(record.model_dump(mode="json", include=filled, exclude_unset=True)) if filled else {}
    return {name: plain[name] if name in plain else _kept(getattr(record, name)) for name in names}


def _kept(value: Any) -> Any:
    """Return a default as its column keeps it: tuples become lists, records mappings."""
    if isinstance(value, Record):
        return value.as_json()
    return [_kept(item) for item in value] if isinstance(value, tuple) else value
