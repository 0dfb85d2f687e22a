"""Filters, order and cursors of lists of assets."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import typing
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from ems.assets.portfolio import KINDS
from ems.database import register_tables as tables
from ems.database.audit import AUDIT
from ems.database.register_tables import ASSETS, COMMON, GROUPS, MEMBERS, RATINGS, SPECS
from ems.database.tables import JsonDocument, UtcDateTime
from ems.errors import InvalidInput, UnknownName, did_you_mean, show

SEARCHED = ("id", "name", "description", "location", "manufacturer", "model", "serial_number")
"""Fields of an asset in which free text is looked for; names and addresses of its site are, too."""
SITE_SEARCHED = ("name", "code", "address", "city", "state_province", "postal_code")

COMMON_FIELDS = {name for name in (*COMMON, *AUDIT) if not isinstance(ASSETS.c[name].type, JsonDocument)}
_SPEC_FIELDS: dict[str, list[sa.Table]] = {}
for _table in SPECS.values():
    for _column in _table.columns:
        if _column.name not in (*AUDIT, "asset_id", "kind") and not isinstance(_column.type, JsonDocument):
            _SPEC_FIELDS.setdefault(_column.name, []).append(_table)
FIELDS = tuple(sorted(COMMON_FIELDS | _SPEC_FIELDS.keys()))
"""Fields by which assets can be filtered and sorted; ``capacity`` of the overview can be sorted by, too."""


# ---------------------------------------------------------------------------------------------- filters
def assets_in_group(group: str) -> sa.Select[Any]:
    """Return the ids of the assets of a group and of all groups nested in it."""
    nested = sa.select(sa.literal(group).label("id")).cte("nested", recursive=True)
    nested = nested.union(sa.select(GROUPS.c.id).join(nested, GROUPS.c.parent_group_id == nested.c.id))
    return sa.select(MEMBERS.c.asset_id).join(nested, MEMBERS.c.group_id == nested.c.id)


def holds_text(connection: sa.Connection, text: str) -> sa.ColumnElement[bool]:
    """Return that a text of an asset or its site holds a text, in capitals or not; each sign stands for itself."""
    folded = _folding(connection)
    signs = text
    for sign in "\\%_":
        signs = signs.replace(sign, f"\\{sign}")

    def holds(columns: Iterable[sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
        joined: Any = sa.literal("")
        for column in columns:
            # A line feed stands in no name, so that nothing is found across two fields.
            joined = joined.concat(sa.func.coalesce(column, "")).concat("\n")
        found: sa.ColumnElement[bool] = folded(joined).like(folded(sa.literal(f"%{signs}%")), escape="\\")
        return found

    sites = tables.SITES
    at = sa.select(sites.c.id).where(holds(sites.c[name] for name in SITE_SEARCHED))
    return sa.or_(holds(ASSETS.c[name] for name in SEARCHED), ASSETS.c.site_id.in_(at))


def _folding(connection: sa.Connection) -> Callable[[Any], Any]:
    """Return what makes capitals small in all scripts; SQLite's own function knows only those from A to Z."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.create_function("ems_casefold", 1, str.casefold, deterministic=True)
        return sa.func.ems_casefold
    known = set(connection.exec_driver_sql("SELECT collname FROM pg_collation").scalars())
    collation = next((name for name in ("pg_unicode_fast", "und-x-icu", "C.utf8") if name in known), None)
    return lambda value: sa.func.lower(value if collation is None else sa.collate(value, collation))


def known_choice(field: str, wanted: str) -> str:
    """Return one of the choices of a field as it was given.

    Raises
    ------
    UnknownName
        If it is none of them.
    """
    known = KINDS if field == "kind" else _choices(field)
    if known and wanted not in known:
        raise UnknownName(f"{field} = {show(wanted)}", f"there is none; {did_you_mean(str(wanted), known)}")
    return wanted


def _choices(field: str) -> set[str]:
    """Return the texts among which a field of any kind chooses; none where it is free."""

    def inside(annotation: Any) -> set[str]:
        if typing.get_origin(annotation) is typing.Literal:
            return {choice for choice in typing.get_args(annotation) if isinstance(choice, str)}
        return {choice for part in typing.get_args(annotation) for choice in inside(part)}

    fields = [record.model_fields[field] for record in KINDS.values() if field in record.model_fields]
    return {choice for one in fields for choice in inside(one.annotation)}


def _columns_of(field: str) -> list[sa.Column[Any]]:
    if field in COMMON_FIELDS:
        return [ASSETS.c[field]]
    if field in _SPEC_FIELDS:
        return [table.c[field] for table in _SPEC_FIELDS[field]]
    raise UnknownName(f"field {show(field)}", f"no asset has it; {did_you_mean(field, FIELDS)}")


def has_value(field: str, wanted: Any) -> sa.ColumnElement[bool]:
    """Return that a field of an asset has a value, one of several, or none.

    Raises
    ------
    UnknownName
        If no asset has the field, or the value is none of its choices.
    InvalidInput
        If the value is of another type.
    """
    columns = _columns_of(field)
    values = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
    conditions = []
    for column in columns:
        typed = [_typed(field, column, value) for value in values if value is not None]
        condition: sa.ColumnElement[bool] = column.in_(typed)
        if None in values:
            condition = sa.or_(condition, column.is_(None))
        if column.table is not ASSETS:
            condition = ASSETS.c.id.in_(sa.select(column.table.c.asset_id).where(condition))
        conditions.append(condition)
    return sa.or_(*conditions)


def _python_type(kind: sa.types.TypeEngine[Any]) -> Any:
    # A type that decorates another says of itself only that it gives objects.
    return dt.datetime if isinstance(kind, UtcDateTime) else kind.python_type


def _typed(field: str, column: sa.Column[Any], value: Any) -> Any:
    """Return a value as its column's type, read from text where it is text."""
    kind = _python_type(column.type)
    if kind is str and isinstance(value, str):
        return known_choice(field, value)
    try:
        if kind is bool and isinstance(value, str):
            return {"true": True, "false": False, "yes": True, "no": False}[value.strip().lower()]
        if isinstance(value, str) and kind is not str:
            return kind.fromisoformat(value) if issubclass(kind, dt.date) else kind(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and kind in (int, float):
            return value
    except (ValueError, KeyError):
        value = str(value)
    if not isinstance(value, kind):
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
        raise InvalidInput(f"where {field} = {show(value)}", f"must be {words.get(kind, 'a date, as in 2024-06-01')}")
    return value


# ---------------------------------------------------------------------------------------------- order and pages
def sort_key(sort: str) -> sa.ColumnElement[Any]:
    """Return what assets are sorted by: a common field, a field of some kinds, or the capacity of the overview."""
    if sort == "capacity":
        own = {kind: SPECS[kind].c.asset_id == ASSETS.c.id for kind in RATINGS}
        ratings = {kind: sa.select(one).where(own[kind]).scalar_subquery() for kind, one in RATINGS.items()}
        return sa.case(ratings, value=ASSETS.c.kind)
    columns = _columns_of(sort)
    if columns[0].table is ASSETS:
        return columns[0]
    parts = [sa.select(one).where(one.table.c.asset_id == ASSETS.c.id).scalar_subquery() for one in columns]
    return parts[0] if len(parts) == 1 else sa.func.coalesce(*parts, type_=columns[0].type)


def is_after(
    key: sa.ColumnElement[Any], last: Any, last_id: str, *, descending: bool, is_nullable: bool
) -> sa.ColumnElement[bool]:
    """Return that an asset comes after the last one of a page; those without a value come last."""
    here = ASSETS.c.id
    further = here < last_id if descending else here > last_id
    if last is None:
        return sa.and_(key.is_(None), further)
    pair, mark = sa.tuple_(key, here), sa.tuple_(sa.literal(last, key.type), sa.literal(last_id))
    beyond = pair < mark if descending else pair > mark
    return sa.or_(beyond, key.is_(None)) if is_nullable else beyond


def cursor_of(sort: str, descending: bool, value: Any, asset_id: str) -> str:
    """Return where a page ends, as text without meaning to people."""
    plain = value.isoformat() if isinstance(value, dt.date) else value
    text = json.dumps([sort, descending, plain, asset_id], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: str, descending: bool, kind: sa.types.TypeEngine[Any]) -> tuple[Any, str]:
    """Return the value and id at which a page ended.

    Raises
    ------
    InvalidInput
        If the text is no cursor, or one of another order.
    """
    try:
        sign = cursor.encode("ascii")
        found, turned, value, asset_id = json.loads(base64.urlsafe_b64decode(sign + b"=" * (-len(sign) % 4)))
        if isinstance(value, str) and issubclass(_python_type(kind), dt.date):
            value = _python_type(kind).fromisoformat(value)
    except (ValueError, TypeError, binascii.Error):
        raise InvalidInput(f"after = {show(cursor)}", "is no cursor; give next_cursor of the page before") from None
    if (found, turned) != (sort, descending):
        way = " descending" if turned else ""
        raise InvalidInput(f"after = {show(cursor)}", f"belongs to a list sorted by {show(found)}{way}; ask for that")
    return value, str(asset_id)
