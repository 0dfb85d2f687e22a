"""Tables derived from records: a column for each field, with its type, bounds, meaning and unit."""

from __future__ import annotations

import datetime as dt
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import annotated_types
import sqlalchemy as sa
from pydantic import AwareDatetime, StringConstraints
from pydantic.fields import FieldInfo
from sqlalchemy.sql.compiler import RESERVED_WORDS

from ems.database.masking import storable
from ems.record import Record, bounds_of, meaning_of
from ems.units import unit_of

R = TypeVar("R", bound=Record)

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""All tables of the package; names of constraints are the same on every database."""

# SQL's own words and those of PostgreSQL, whose dialect is not loaded for them alone.
_RESERVED = RESERVED_WORDS | {
    "current_catalog",
    "current_schema",
    "fetch",
    "of",
    "over",
    "returning",
    "window",
    "with",
}

# A CHECK on both sides keeps out NaN and infinity (PostgreSQL) and text in a column of numbers (SQLite), which
# would pass a bound on one side: there, NaN and text are greater than every number.
LARGEST_NUMBER = "1e308"
LARGEST_WHOLE_NUMBER = "9223372036854775807"


class JsonDocument(sa.types.TypeDecorator[Any]):
    """A list or mapping: JSONB on PostgreSQL, JSON on SQLite; None is no value."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Return the database's own type."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(sa.JSON(none_as_null=True))
        # Imported here because it brings all of PostgreSQL's drivers, which an embedded database never needs.
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB(none_as_null=True))


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """A point in time: timestamptz on PostgreSQL, sortable text in UTC on SQLite; read back as aware UTC.

    A moment without a zone is taken as UTC, as everywhere in the package.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        """Return the moment as the database's driver wants it."""
        if value is None:
            return None
        moment = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> dt.datetime | None:
        """Return the moment in UTC, with its zone."""
        if value is None:
            return None
        moment: dt.datetime = value
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def table_of(
    record: type[Record],
    name: str,
    metadata: sa.MetaData = METADATA,
    *,
    primary_key: str | Sequence[str],
    foreign_keys: Mapping[str | tuple[str, ...], str] | None = None,
    indices: Iterable[str | Sequence[str]] = (),
    exclude: Iterable[str] = (),
    checks: Mapping[str, str] | None = None,
    before: Sequence[sa.Column[Any]] = (),
    after: Sequence[sa.Column[Any]] = (),
) -> sa.Table:
    """Return the table of a record: a column for each field.

    Parameters
    ----------
    record : type of Record
    name : str
        Name of the table.
    metadata : MetaData
        Where the table is registered.
    primary_key : str or sequence of str
    foreign_keys : mapping, optional
        Own column, or tuple of columns, to the table whose primary key it holds: ``{"run_id": "runs"}``. A row goes
        when the row that it belongs to goes. That table must be registered before.
    indices : iterable of str or of sequences of str
    exclude : iterable of str
        Fields which are not kept.
    checks : mapping, optional
        Laws between columns, by name: ``{"soc_order": "min_soc < max_soc"}``.
    before, after : sequence of Column
        Columns which no field of the record states: keys of its owner, audit.

    Returns
    -------
    Table
        Bounds, choices, lengths and finiteness are CHECK constraints; each column's comment is meaning and unit.

    Raises
    ------
    TypeError
        If a field has a type for which there is no column.
    """
    keys = (primary_key,) if isinstance(primary_key, str) else tuple(primary_key)
    left_out = set(exclude)
    fields = {field: info for field, info in record.model_fields.items() if field not in left_out}
    columns: list[sa.Column[Any]] = []
    constraints: list[sa.Constraint] = []
    for field, info in fields.items():
        column, laws = _column(record, field, info, is_key=field in keys)
        columns.append(column)
        constraints += laws
    constraints += [sa.CheckConstraint(law, name=law_name) for law_name, law in (checks or {}).items()]
    for own, parent in (foreign_keys or {}).items():
        own_names = [own] if isinstance(own, str) else list(own)
        there = [f"{parent}.{column.name}" for column in metadata.tables[parent].primary_key]
        constraints.append(sa.ForeignKeyConstraint(own_names, there, ondelete="CASCADE"))
    table = sa.Table(
        name,
        metadata,
        *before,
        *columns,
        *after,
        sa.PrimaryKeyConstraint(*keys),
        *constraints,
        comment=" ".join((record.__doc__ or "").split("\n\n")[0].split()),
    )
    for index in indices:
        names = (index,) if isinstance(index, str) else tuple(index)
        sa.Index(f"ix_{name}_{'_'.join(names)}", *(table.c[column] for column in names))
    return table


def row_of(record: Record, table: sa.Table) -> dict[str, Any]:
    """Return a record as a row of its table; JSON columns get plain values without secrets."""
    plain = record.as_json()
    return {
        column.name: storable(plain[column.name])
        if isinstance(column.type, JsonDocument)
        else getattr(record, column.name)
        for column in table.columns
    }


def record_of(record: type[R], row: Mapping[Any, Any]) -> R:
    """Return the record that a row holds."""
    return record(**{name: row[name] for name in record.model_fields if name in row})


def _column(
    record: type[Record], name: str, field: FieldInfo, *, is_key: bool
) -> tuple[sa.Column[Any], list[sa.CheckConstraint]]:
    """Return a field's column and its CHECK constraints."""
    given, inner, is_nullable = _without_none(field)
    unit = unit_of(name)
    comment = meaning_of(field) + (f" [{unit}]" if unit else "")
    in_sql = f'"{name}"' if name in _RESERVED else name
    column_type, law = _type_and_law(in_sql, given, inner)
    if column_type is None:
        raise TypeError(f"{record.__name__}.{name}: no column holds {given!r}")
    column: sa.Column[Any] = sa.Column(name, column_type, nullable=is_nullable and not is_key, comment=comment)
    if law is None:
        return column, []
    word, text = law
    return column, [sa.CheckConstraint(text, name=f"{name}_{word}")]


def _without_none(field: FieldInfo) -> tuple[Any, FieldInfo, bool]:
    """Return a field's type without None, what is said about it, and whether None was allowed."""
    parts = typing.get_args(field.annotation) if _is_union(field.annotation) else (field.annotation,)
    kept = [part for part in parts if part is not type(None)]
    if len(kept) != 1 or len(kept) == len(parts):
        return (field.annotation if len(kept) > 1 else kept[0]), field, len(kept) < len(parts)
    inner = FieldInfo.from_annotation(kept[0])
    inner.metadata = [*field.metadata, *inner.metadata]
    return inner.annotation, inner, True


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _type_and_law(
    name: str, given: Any, field: FieldInfo
) -> tuple[sa.types.TypeEngine[Any] | None, tuple[str, str] | None]:
    """Return the column type of a Python type, and the CHECK which its bounds or choices make."""
    column: sa.types.TypeEngine[Any] | None = None
    law: tuple[str, str] | None = None
    if typing.get_origin(given) is typing.Literal and all(isinstance(one, int) for one in typing.get_args(given)):
        listed = ", ".join(str(choice) for choice in typing.get_args(given))
        column, law = sa.BigInteger(), ("choice", f"{name} IN ({listed})")
    elif typing.get_origin(given) is typing.Literal:
        choices = [str(choice) for choice in typing.get_args(given)]
        listed = ", ".join(f"'{choice.replace(chr(39), chr(39) * 2)}'" for choice in choices)
        column, law = sa.String(max(map(len, choices))), ("choice", f"{name} IN ({listed})")
    elif given is bool:
        column = sa.Boolean(create_constraint=True, name=f"{name.strip(chr(34))}_choice")
    elif given is int:
        column, law = sa.BigInteger(), ("range", _range(name, field, LARGEST_WHOLE_NUMBER))
    elif given is float or (_is_union(given) and set(typing.get_args(given)) == {int, float}):
        column, law = sa.Double(), ("range", _range(name, field, LARGEST_NUMBER))
    elif given is str:
        shortest, longest = _lengths(field)
        laws = [f"length({name}) >= {shortest}"] * (shortest > 0)
        laws += [f"length({name}) <= {longest}"] * (longest is not None)
        column = sa.String(longest) if longest else sa.Text()
        law = ("length", " AND ".join(laws)) if laws else None
    elif given in (dt.datetime, AwareDatetime):
        column = UtcDateTime()
    elif given is dt.date:
        column = sa.Date()
    elif given is dt.time:
        column = sa.Time()
    elif _is_structure(given):
        column = JsonDocument()
    return column, law


def _range(name: str, field: FieldInfo, largest: str) -> str:
    bounds = {key: _number(value) for key, value in bounds_of(field).items()}
    lower = f"> {bounds['gt']}" if "gt" in bounds else f">= {bounds.get('ge', f'-{largest}')}"
    upper = f"< {bounds['lt']}" if "lt" in bounds else f"<= {bounds.get('le', largest)}"
    return f"{name} {lower} AND {name} {upper}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _lengths(field: FieldInfo) -> tuple[int, int | None]:
    """Return the least and greatest number of characters of a text."""
    shortest, longest = 0, None
    for said in field.metadata:
        if isinstance(said, annotated_types.MinLen | StringConstraints) and said.min_length is not None:
            shortest = max(shortest, said.min_length)
        if isinstance(said, annotated_types.MaxLen | StringConstraints) and said.max_length is not None:
            longest = min(longest or said.max_length, said.max_length)
    return shortest, longest


def _is_structure(given: Any) -> bool:
    """Return whether a type is a mapping, a sequence, a record, any value, or a choice among several types."""
    if given is Any or _is_union(given):
        return True
    kind = typing.get_origin(given) or given
    return isinstance(kind, type) and issubclass(kind, dict | Mapping | list | tuple | set | frozenset | Record)
