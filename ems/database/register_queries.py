"""Lists of the register: filters, free text, any order, and pages that stay stable while assets are added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.portfolio import Site
from ems.assets.reserve import ReserveRequirement
from ems.database.engine import reading
from ems.database.register_filters import (
    COMMON_FIELDS,
    assets_in_group,
    cursor_of,
    has_value,
    holds_text,
    is_after,
    known_choice,
    read_cursor,
    sort_key,
)
from ems.database.register_tables import ASSETS, OVERVIEW
from ems.database.shelf import Shelf
from ems.database.shelves import (
    DEPENDENCY_SHELF,
    GROUP_SHELF,
    MEMBER_SHELF,
    RESERVE_SHELF,
    SITE_SHELF,
    TARIFF_SHELF,
)
from ems.errors import InvalidInput
from ems.tariffs.tariff import Tariff

LONGEST_PAGE = 10_000


@dataclass(frozen=True)
class OverviewRow:
    """An asset at a glance.

    Parameters
    ----------
    id, kind, name : str
    location : str or None
    status : str
        Whether it takes part: active, inactive, maintenance, decommissioned.
    site_id, site_name : str
    capacity : float
        Energy content of a battery, rating of all others.
    capacity_unit : str
        kWh or kW.
    operational_status : str or None
        As last reported; None where nothing ever was.
    online : bool or None
    created_at : datetime
    """

    id: str
    kind: str
    name: str
    location: str | None
    status: str
    site_id: str
    site_name: str
    capacity: float
    capacity_unit: str
    operational_status: str | None
    online: bool | None
    created_at: dt.datetime


@dataclass(frozen=True)
class Page:
    """Rows of a list, and where the next page begins.

    Parameters
    ----------
    rows : tuple of OverviewRow
    next_cursor : str or None
        Given as ``after`` it brings the next page; None at the end.
    """

    rows: tuple[OverviewRow, ...]
    next_cursor: str | None


def list_assets(
    engine: sa.Engine,
    *,
    kind: str | None = None,
    status: str | None = None,
    site: str | None = None,
    group: str | None = None,
    text: str | None = None,
    where: Mapping[str, Any] | None = None,
    sort: str = "name",
    descending: bool = False,
    limit: int = 50,
    after: str | None = None,
) -> Page:
    """Return a page of the assets for which all filters hold.

    Parameters
    ----------
    engine : Engine
    kind, status, site : str, optional
        Only assets of that kind, status, or site.
    group : str, optional
        Only assets of that group and of the groups nested in it.
    text : str, optional
        Only assets of which a text holds this, in capitals or not; every sign stands for itself.
    where : mapping of str to object, optional
        Only assets whose fields have these values, common fields or those of a kind: ``{"chemistry": "lead_acid"}``.
        Text is read as the field's type; None stands for no value, a list for any of its values.
    sort : str
        Field, or ``capacity``; assets without a value come last.
    descending : bool
    limit : int
        Greatest number of rows.
    after : str, optional
        ``next_cursor`` of the page before, asked with the same filters and order. What was added meanwhile neither
        repeats a row nor leaves one out.

    Raises
    ------
    UnknownName
        If there is no such kind, status, site, group or field.
    InvalidInput
        If a value does not fit its field, or the cursor belongs to another order.
    """
    if not 1 <= limit <= LONGEST_PAGE:
        raise InvalidInput(f"limit = {limit}", f"must be from 1 to {LONGEST_PAGE}")
    query = sa.select(ASSETS.c.id)
    for column, wanted in (("kind", kind), ("status", status)):
        if wanted is not None:
            query = query.where(ASSETS.c[column] == known_choice(column, wanted))
    for field, wanted in (where or {}).items():
        query = query.where(has_value(str(field), wanted))
    key = sort_key(sort)
    is_nullable = sort not in COMMON_FIELDS or bool(ASSETS.c[sort].nullable)
    with reading(engine) as connection:
        if site is not None:
            SITE_SHELF.require(connection, (site,))
            query = query.where(ASSETS.c.site_id == site)
        if group is not None:
            GROUP_SHELF.require(connection, (group,))
            query = query.where(ASSETS.c.id.in_(assets_in_group(group)))
        if text:
            query = query.where(holds_text(connection, text))
        if after is not None:
            last, last_id = read_cursor(after, sort, descending, key.type)
            query = query.where(is_after(key, last, last_id, descending=descending, is_nullable=is_nullable))
        order: list[Any] = [key.desc(), ASSETS.c.id.desc()] if descending else [key, ASSETS.c.id]
        if is_nullable:
            order.insert(0, key.is_(None))
        found = connection.execute(query.add_columns(key.label("sort_key")).order_by(*order).limit(limit + 1)).all()
        ids = [row.id for row in found[:limit]]
        rows = connection.execute(sa.select(OVERVIEW).where(OVERVIEW.c.id.in_(ids))).mappings()
        by_id = {row["id"]: OverviewRow(**row) for row in rows}
    cursor = cursor_of(sort, descending, *reversed(found[limit - 1])) if len(found) > limit else None
    return Page(tuple(by_id[one] for one in ids if one in by_id), cursor)


def count_assets(engine: sa.Engine) -> int:
    """Return the number of assets in the register, decommissioned ones among them."""
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(ASSETS)).scalar_one()


def list_sites(engine: sa.Engine, *, status: str | None = None, site_type: str | None = None) -> list[Site]:
    """Return the sites, in the order in which they were entered."""
    sites = _all(engine, SITE_SHELF)
    return [
        site
        for site in sites
        if (status is None or site.status == status) and (site_type is None or site.site_type == site_type)
    ]


def list_tariffs(engine: sa.Engine) -> list[Tariff]:
    """Return the tariffs, in the order in which they were entered."""
    return _all(engine, TARIFF_SHELF)


def list_groups(
    engine: sa.Engine, *, group_type: str | None = None, site: str | None = None, parent: str | None = None
) -> list[Group]:
    """Return the groups in the order of entry: all, those of a type, of a site, or directly in another one."""
    wanted = {"group_type": group_type, "site_id": site, "parent_group_id": parent}
    return [
        group
        for group in _all(engine, GROUP_SHELF)
        if all(value is None or getattr(group, name) == value for name, value in wanted.items())
    ]


def list_members(engine: sa.Engine, *, group: str | None = None, asset: str | None = None) -> list[GroupMember]:
    """Return which asset is in which group, by priority: those of a group itself, or those of an asset."""
    found = [
        member
        for member in _all(engine, MEMBER_SHELF)
        if (group is None or member.group_id == group) and (asset is None or member.asset_id == asset)
    ]
    return sorted(found, key=lambda one: (one.group_id, one.priority is None, one.priority or 0))


def list_dependencies(engine: sa.Engine, *, asset: str | None = None) -> list[Dependency]:
    """Return the dependencies, all or those in which an asset takes part on either side."""
    return [
        one
        for one in _all(engine, DEPENDENCY_SHELF)
        if asset is None or asset in (one.asset_id, one.depends_on_asset_id)
    ]


def list_reserves(engine: sa.Engine) -> list[ReserveRequirement]:
    """Return the requirements of reserve, in the order of entry."""
    return _all(engine, RESERVE_SHELF)


def _all(engine: sa.Engine, shelf: Shelf[Any]) -> list[Any]:
    with reading(engine) as connection:
        return [entry.record for entry in shelf.fetch(connection).values()]
