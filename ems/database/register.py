"""The asset register: make, read, change and delete what there is. Each change is checked, versioned and remembered.

``by`` says who makes a change: EMS_USER or the user of the operating system where nothing is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.portfolio import AnyAsset, Site
from ems.assets.reserve import ReserveRequirement
from ems.database import register_tables as tables
from ems.database.audit import acting_user
from ems.database.engine import reading
from ems.database.measurement_records import METERS, SERIES
from ems.database.records import ASSETS as OPTIMIZATION_ASSETS
from ems.database.register_records import (
    create_records,
    delete_record,
    named,
    read_record,
    refuse_while,
    remove_where,
    update_record,
)
from ems.database.register_tables import DEFAULT_PORTFOLIO, PortfolioSettings
from ems.database.shelf import Entry
from ems.database.shelves import (
    ASSET_SHELF,
    DEPENDENCY_SHELF,
    GROUP_SHELF,
    MEMBER_SHELF,
    RESERVE_SHELF,
    SETTINGS_SHELF,
    SITE_SHELF,
    TARIFF_SHELF,
)
from ems.database.turns import in_turn
from ems.errors import InvalidInput
from ems.tariffs.tariff import Tariff


def create_asset(engine: sa.Engine, asset: AnyAsset, by: str | None = None) -> Entry[AnyAsset]:
    """Keep a new asset and return its entry.

    Raises
    ------
    InvalidInput
        If there is an asset of that id, or it refers to a site, tariff or battery that is not there.
    """
    return create_assets(engine, [asset], by)[0]


def create_assets(engine: sa.Engine, assets: Sequence[AnyAsset], by: str | None = None) -> list[Entry[AnyAsset]]:
    """Keep new assets, all or none, and return their entries."""
    return create_records(engine, ASSET_SHELF, assets, by)


def get_asset(engine: sa.Engine, asset_id: str) -> AnyAsset:
    """Return an asset.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """
    return get_entry(engine, asset_id).record


def get_entry(engine: sa.Engine, asset_id: str) -> Entry[AnyAsset]:
    """Return an asset with its audit columns and version."""
    return read_record(engine, ASSET_SHELF, (asset_id,))


def update_asset(
    engine: sa.Engine,
    asset_id: str,
    changes: Mapping[str, Any],
    *,
    version: int | None = None,
    by: str | None = None,
) -> Entry[AnyAsset]:
    """Change fields of an asset and return its entry; what follows from them moves along.

    Parameters
    ----------
    engine : Engine
    asset_id : str
    changes : mapping of str to object
        Fields with their new values; None takes a field back, so that it is empty or follows from others.
    version : int, optional
        Version that the changes were made from; then a change by anybody in between makes this one fail.
    by : str, optional

    Raises
    ------
    InvalidInput
        If a field is not known, or the changed asset is not allowed.
    DatabaseProblem
        If the asset was changed since that version; says who changed what and when.
    """
    return update_record(engine, ASSET_SHELF, (asset_id,), changes, version=version, by=by)


def delete_asset(
    engine: sa.Engine, asset_id: str, *, permanent: bool = False, version: int | None = None, by: str | None = None
) -> None:
    """Decommission an asset, or remove it with its specs, status, maintenance and performance for good.

    Parameters
    ----------
    engine : Engine
    asset_id : str
    permanent : bool
        Whether it shall be gone; its history stays.
    version, by : optional
        As in `update_asset`.

    Raises
    ------
    InvalidInput
        If it shall be gone, but results of optimizations, a meter, series or a reserve refer to it, or other assets
        depend on it.
    """
    if not permanent:
        update_asset(engine, asset_id, {"status": "decommissioned"}, version=version, by=by)
        return
    who = acting_user(by)

    def work(connection: sa.Connection) -> None:
        entry = ASSET_SHELF.require(connection, (asset_id,), for_update=True)
        ASSET_SHELF.refuse_stale(connection, entry, version)
        _refuse_if_used(connection, entry.record)
        for shelf in (MEMBER_SHELF, DEPENDENCY_SHELF):
            remove_where(connection, shelf, shelf.table.c.asset_id == asset_id, who)
        ASSET_SHELF.remove(connection, entry, who)

    in_turn(engine, work)


def _refuse_if_used(connection: sa.Connection, asset: AnyAsset) -> None:
    used = sa.select(sa.func.count()).where(OPTIMIZATION_ASSETS.c.asset_id == asset.id)
    optimizations = connection.execute(used).scalar_one()
    findings = []
    if optimizations:
        findings.append(
            f"{optimizations} {'optimization refers' if optimizations == 1 else 'optimizations refer'} to it; "
            "decommission it instead"
        )
    for table, column, words in (
        (tables.DEPENDENCIES, "depends_on_asset_id", "depending on it; delete the dependency first"),
        (tables.SPECS["solar_pv"], "battery_asset_id", "having it as battery; change that first"),
    ):
        query = sa.select(table.c.asset_id).where(table.c[column] == asset.id).distinct().order_by(table.c.asset_id)
        others = connection.execute(query.limit(4)).scalars().all()
        if others:
            findings.append(f"there is {named(others)} {words}")
    for table, words in ((METERS, "meter"), (SERIES, "series")):
        measuring = sa.select(table.c.id).where(table.c.asset_id == asset.id).order_by(table.c.id).limit(4)
        found = connection.execute(measuring).scalars().all()
        if found:
            findings.append(f"there is {words} {named(found)} measuring it; decommission it instead")
    reserves = [one.record.id for one in RESERVE_SHELF.fetch(connection).values() if asset.id in one.record.providers]
    if reserves:
        findings.append(f"there is reserve {named(reserves)} naming it among its providers; change that first")
    if findings:
        raise InvalidInput(f"{asset.kind} '{asset.id}' cannot be deleted permanently", "; ".join(findings))


def create_site(engine: sa.Engine, site: Site, by: str | None = None) -> Entry[Site]:
    """Keep a new site and return its entry."""
    return create_records(engine, SITE_SHELF, [site], by)[0]


def get_site(engine: sa.Engine, site_id: str) -> Entry[Site]:
    """Return the entry of a site."""
    return read_record(engine, SITE_SHELF, (site_id,))


def update_site(
    engine: sa.Engine, site_id: str, changes: Mapping[str, Any], *, version: int | None = None, by: str | None = None
) -> Entry[Site]:
    """Change fields of a site and return its entry, as `update_asset` does."""
    return update_record(engine, SITE_SHELF, (site_id,), changes, version=version, by=by)


def delete_site(engine: sa.Engine, site_id: str, *, permanent: bool = False, by: str | None = None) -> None:
    """Decommission a site, or remove it for good.

    Raises
    ------
    InvalidInput
        If assets in use are at a site to decommission, or any assets, groups or meters at one to remove.
    """
    at_site, groups = tables.ASSETS.c.site_id == site_id, tables.GROUPS.c.site_id == site_id
    if permanent:
        meters = (METERS, METERS.c.site_id == site_id)
        blocking = {"assets": (tables.ASSETS, at_site), "groups": (tables.GROUPS, groups), "meters": meters}
        delete_record(engine, SITE_SHELF, (site_id,), blocking=blocking, remedy="move or delete them first", by=by)
        return
    who = acting_user(by)

    def work(connection: sa.Connection) -> None:
        entry = SITE_SHELF.require(connection, (site_id,), for_update=True)
        in_use = sa.and_(at_site, tables.ASSETS.c.status != "decommissioned")
        refuse_while(connection, f"site '{site_id}'", {"assets": (tables.ASSETS, in_use)}, "decommission them first")
        SITE_SHELF.update(connection, entry, entry.record.replace(status="decommissioned"), who)

    in_turn(engine, work)


def create_tariff(engine: sa.Engine, tariff: Tariff, by: str | None = None) -> Entry[Tariff]:
    """Keep a new tariff and return its entry."""
    return create_records(engine, TARIFF_SHELF, [tariff], by)[0]


def get_tariff(engine: sa.Engine, tariff_id: str) -> Entry[Tariff]:
    """Return the entry of a tariff."""
    return read_record(engine, TARIFF_SHELF, (tariff_id,))


def update_tariff(
    engine: sa.Engine, tariff_id: str, changes: Mapping[str, Any], *, version: int | None = None, by: str | None = None
) -> Entry[Tariff]:
    """Change fields of a tariff and return its entry, as `update_asset` does."""
    return update_record(engine, TARIFF_SHELF, (tariff_id,), changes, version=version, by=by)


def delete_tariff(engine: sa.Engine, tariff_id: str, *, by: str | None = None) -> None:
    """Remove a tariff for good.

    Raises
    ------
    InvalidInput
        If a grid connection has it.
    """
    connections = tables.SPECS["grid_connection"]
    blocking = {"grid connections": (connections, connections.c.tariff_id == tariff_id)}
    delete_record(
        engine, TARIFF_SHELF, (tariff_id,), blocking=blocking, remedy="give them another tariff first", by=by
    )


def create_group(engine: sa.Engine, group: Group, by: str | None = None) -> Entry[Group]:
    """Keep a new group and return its entry."""
    return create_records(engine, GROUP_SHELF, [group], by)[0]


def get_group(engine: sa.Engine, group_id: str) -> Entry[Group]:
    """Return the entry of a group."""
    return read_record(engine, GROUP_SHELF, (group_id,))


def update_group(
    engine: sa.Engine, group_id: str, changes: Mapping[str, Any], *, version: int | None = None, by: str | None = None
) -> Entry[Group]:
    """Change fields of a group and return its entry; refused where groups would be nested in a circle."""
    return update_record(engine, GROUP_SHELF, (group_id,), changes, version=version, by=by)


def delete_group(engine: sa.Engine, group_id: str, *, by: str | None = None) -> None:
    """Remove a group; its assets stay, no longer as its members.

    Raises
    ------
    InvalidInput
        If other groups are part of it.
    """
    blocking = {"groups": (tables.GROUPS, tables.GROUPS.c.parent_group_id == group_id)}
    members = tables.MEMBERS.c.group_id == group_id
    delete_record(
        engine,
        GROUP_SHELF,
        (group_id,),
        blocking=blocking,
        remedy="move or delete them first",
        by=by,
        along=(MEMBER_SHELF, members),
    )


def add_member(engine: sa.Engine, member: GroupMember, by: str | None = None) -> Entry[GroupMember]:
    """Put an asset into a group and return the entry."""
    return create_records(engine, MEMBER_SHELF, [member], by)[0]


def update_member(
    engine: sa.Engine, asset_id: str, group_id: str, changes: Mapping[str, Any], *, by: str | None = None
) -> Entry[GroupMember]:
    """Change role or priority of an asset in a group and return the entry."""
    return update_record(engine, MEMBER_SHELF, (asset_id, group_id), changes, by=by)


def remove_member(engine: sa.Engine, asset_id: str, group_id: str, *, by: str | None = None) -> None:
    """Take an asset out of a group."""
    delete_record(engine, MEMBER_SHELF, (asset_id, group_id), by=by)


def add_dependency(engine: sa.Engine, dependency: Dependency, by: str | None = None) -> Entry[Dependency]:
    """Keep that one asset depends on another, and return the entry."""
    return create_records(engine, DEPENDENCY_SHELF, [dependency], by)[0]


def remove_dependency(
    engine: sa.Engine, asset_id: str, depends_on_asset_id: str, dependency_type: str, *, by: str | None = None
) -> None:
    """Remove a dependency."""
    delete_record(engine, DEPENDENCY_SHELF, (asset_id, depends_on_asset_id, dependency_type), by=by)


def create_reserve(engine: sa.Engine, reserve: ReserveRequirement, by: str | None = None) -> Entry[ReserveRequirement]:
    """Keep a new requirement of reserve and return its entry."""
    return create_records(engine, RESERVE_SHELF, [reserve], by)[0]


def get_reserve(engine: sa.Engine, reserve_id: str) -> Entry[ReserveRequirement]:
    """Return the entry of a requirement of reserve."""
    return read_record(engine, RESERVE_SHELF, (reserve_id,))


def update_reserve(
    engine: sa.Engine,
    reserve_id: str,
    changes: Mapping[str, Any],
    *,
    version: int | None = None,
    by: str | None = None,
) -> Entry[ReserveRequirement]:
    """Change fields of a requirement of reserve and return its entry."""
    return update_record(engine, RESERVE_SHELF, (reserve_id,), changes, version=version, by=by)


def delete_reserve(engine: sa.Engine, reserve_id: str, *, by: str | None = None) -> None:
    """Remove a requirement of reserve; the assets that may offer it stay."""
    delete_record(engine, RESERVE_SHELF, (reserve_id,), by=by)


def get_settings(engine: sa.Engine) -> PortfolioSettings | None:
    """Return currency and form of series of the portfolio, or None while nothing is kept."""
    with reading(engine) as connection:
        found = SETTINGS_SHELF.fetch(connection, [(DEFAULT_PORTFOLIO,)])
    return found[DEFAULT_PORTFOLIO,].record if found else None


def update_settings(
    engine: sa.Engine, changes: Mapping[str, Any], *, by: str | None = None
) -> Entry[PortfolioSettings]:
    """Change currency or form of series; a new currency names the sums anew and converts none."""
    return update_record(engine, SETTINGS_SHELF, (DEFAULT_PORTFOLIO,), changes, by=by)
