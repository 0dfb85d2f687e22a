"""What assets do and what is done to them: live status with its history, alarms, maintenance, performance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ems.assets.operation import (
    ALARM_LEVELS,
    AssetStatus,
    EffectiveStatus,
    MaintenanceRecord,
    Performance,
    effective_status,
)
from ems.database.audit import acting_user, audit_of_new
from ems.database.engine import reading
from ems.database.records import utc_now
from ems.database.register_records import create_records, delete_record, read_record, update_record
from ems.database.register_rows import row_values
from ems.database.register_tables import ASSETS, MAINTENANCE, PERFORMANCE, STATUS, STATUS_HISTORY
from ems.database.shelf import Entry, Shelf
from ems.database.shelves import ASSET_SHELF, MAINTENANCE_SHELF, PERFORMANCE_SHELF, check_references
from ems.database.tables import record_of
from ems.database.turns import in_turn
from ems.errors import UnknownName, did_you_mean, show

STALE_AFTER_MIN = 15.0
"""Minutes of silence after which an asset counts as offline, where nothing else is said."""
_STATUS_SHELF = Shelf("status", AssetStatus, STATUS)


@dataclass(frozen=True)
class AssetState:
    """An asset in use, and what it can be taken to do now.

    Parameters
    ----------
    asset_id, kind, name, site_id : str
    status : AssetStatus or None
        As last reported; None where nothing ever was.
    effective : EffectiveStatus or None
        With staleness and the reason in words; None where nothing ever was reported.
    """

    asset_id: str
    kind: str
    name: str
    site_id: str
    status: AssetStatus | None
    effective: EffectiveStatus | None


# ---------------------------------------------------------------------------------------------- status
def report_status(engine: sa.Engine, status: AssetStatus, by: str | None = None) -> AssetStatus:
    """Keep what an asset says of itself, and return its current status.

    It goes into the history; it becomes the current status unless a later one is there already. A report of an asset
    that is online counts as a message of its moment where no other time of communication is stated.

    Raises
    ------
    InvalidInput
        If there is no such asset.
    """
    return report_statuses(engine, [status], by)[status.asset_id]


def report_statuses(
    engine: sa.Engine, statuses: Sequence[AssetStatus], by: str | None = None
) -> dict[str, AssetStatus]:
    """Keep what several assets say, all or nothing, and return their current statuses by the asset's id."""
    who = acting_user(by)
    said = {(one.asset_id, one.reported_at): _with_message(one) for one in statuses}
    latest: dict[str, AssetStatus] = {}
    for one in sorted(said.values(), key=lambda one: one.reported_at):
        latest[one.asset_id] = one

    def work(connection: sa.Connection) -> dict[str, AssetStatus]:
        check_references(connection, _STATUS_SHELF, list(latest.values()))
        # Whoever reports for the same asset waits here: before its first report there is no status to wait at.
        ids = sorted(latest)
        lock = sa.select(ASSETS.c.id).where(ASSETS.c.id.in_(ids)).order_by(ASSETS.c.id)
        connection.execute(lock.with_for_update(key_share=True))
        there = _STATUS_SHELF.fetch(connection, [(name,) for name in ids])
        _keep_history(connection, list(said.values()))
        now = utc_now()
        new = [one for name, one in latest.items() if (name,) not in there]
        if new:
            audit = audit_of_new(who, now)
            connection.execute(sa.insert(STATUS), [{**row_values(one, STATUS), **audit} for one in new])
        for (name,), entry in there.items():
            if latest[name].reported_at >= entry.record.reported_at and latest[name] != entry.record:
                moved = max(now, entry.updated_at + dt.timedelta(microseconds=1))
                audit = {"updated_at": moved, "updated_by": who, "version": entry.version + 1}
                values = {**row_values(latest[name], STATUS), **audit}
                connection.execute(sa.update(STATUS).where(STATUS.c.asset_id == name).values(values))
        current = _STATUS_SHELF.fetch(connection, [(name,) for name in ids])
        return {name: entry.record for (name,), entry in current.items()}

    return in_turn(engine, work) if statuses else {}


def get_status(engine: sa.Engine, asset_id: str) -> AssetStatus | None:
    """Return the current status of an asset, or None where it never said anything.

    Raises
    ------
    UnknownName
        If there is no such asset.
    """
    with reading(engine) as connection:
        found = _STATUS_SHELF.fetch(connection, [(asset_id,)])
        if not found:
            ASSET_SHELF.require(connection, (asset_id,))
            return None
    return found[asset_id,].record


def status_history(
    engine: sa.Engine,
    asset_id: str,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    limit: int = 1000,
) -> list[AssetStatus]:
    """Return what an asset said of itself, the latest first; between two moments where they are given."""
    table = STATUS_HISTORY
    query = sa.select(table).where(table.c.asset_id == asset_id).order_by(table.c.reported_at.desc()).limit(limit)
    if since is not None:
        query = query.where(table.c.reported_at >= since)
    if until is not None:
        query = query.where(table.c.reported_at < until)
    with reading(engine) as connection:
        return [record_of(AssetStatus, row) for row in connection.execute(query).mappings()]


def statuses(
    engine: sa.Engine,
    now: dt.datetime | None = None,
    stale_after_min: float = STALE_AFTER_MIN,
    *,
    site: str | None = None,
) -> list[AssetState]:
    """Return all assets in use with what they can be taken to do now, by site and name.

    Parameters
    ----------
    engine : Engine
    now : datetime, optional
        The present moment where nothing is given.
    stale_after_min : float
        Minutes of silence after which an asset counts as offline.
    site : str, optional
        Only assets of that site.
    """
    order = (ASSETS.c.site_id, ASSETS.c.name, ASSETS.c.id)
    return _states(engine, now or utc_now(), stale_after_min, [ASSETS.c.site_id == site] if site else [], order)


def alarms(
    engine: sa.Engine,
    minimum_level: str = "warning",
    *,
    now: dt.datetime | None = None,
    stale_after_min: float = STALE_AFTER_MIN,
) -> list[AssetState]:
    """Return the assets in use whose alarm is at least of a level, the gravest and latest first.

    Raises
    ------
    UnknownName
        If there is no such level.
    """
    if minimum_level not in ALARM_LEVELS:
        hint = did_you_mean(str(minimum_level), ALARM_LEVELS)
        raise UnknownName(f"alarm_level = {show(minimum_level)}", f"there is none; {hint}")
    levels = list(ALARM_LEVELS)
    wanted = [level for level in levels[levels.index(minimum_level) :] if level != "none"]
    grave = sa.case({level: place for place, level in enumerate(levels)}, value=STATUS.c.alarm_level)
    order = (grave.desc(), STATUS.c.reported_at.desc(), ASSETS.c.id)
    return _states(engine, now or utc_now(), stale_after_min, [STATUS.c.alarm_level.in_(wanted)], order)


def _states(
    engine: sa.Engine,
    now: dt.datetime,
    stale_after_min: float,
    conditions: Sequence[sa.ColumnElement[bool]],
    order: Sequence[Any],
) -> list[AssetState]:
    own = {name: ASSETS.c[name].label(f"own_{name}") for name in ("id", "kind", "name", "site_id")}
    query = (
        sa.select(*own.values(), STATUS)
        .select_from(ASSETS.outerjoin(STATUS, STATUS.c.asset_id == ASSETS.c.id))
        .where(ASSETS.c.status != "decommissioned", *conditions)
        .order_by(*order)
    )
    states = []
    with reading(engine) as connection:
        for row in connection.execute(query).mappings():
            status = None if row["asset_id"] is None else record_of(AssetStatus, row)
            effective = None if status is None else effective_status(status, now, stale_after_min)
            names = {name if name != "id" else "asset_id": row[f"own_{name}"] for name in own}
            states.append(AssetState(**names, status=status, effective=effective))
    return states


def _with_message(status: AssetStatus) -> AssetStatus:
    if status.online and status.last_communication is None:
        return status.replace(last_communication=status.reported_at)
    return status


def _keep_history(connection: sa.Connection, said: Sequence[AssetStatus]) -> None:
    """Append to the history; the same asset and moment once more replaces what was said."""
    table = STATUS_HISTORY
    for one in said:
        same = (table.c.asset_id == one.asset_id, table.c.reported_at == one.reported_at)
        connection.execute(sa.delete(table).where(*same))
    connection.execute(sa.insert(table), [row_values(one, table) for one in said])


# ---------------------------------------------------------------------------------------------- maintenance
def create_maintenance(
    engine: sa.Engine, record: MaintenanceRecord, by: str | None = None
) -> Entry[MaintenanceRecord]:
    """Keep a new maintenance record and return its entry."""
    return create_records(engine, MAINTENANCE_SHELF, [record], by)[0]


def get_maintenance(engine: sa.Engine, record_id: str) -> Entry[MaintenanceRecord]:
    """Return the entry of a maintenance record."""
    return read_record(engine, MAINTENANCE_SHELF, (record_id,))


def update_maintenance(
    engine: sa.Engine,
    record_id: str,
    changes: Mapping[str, Any],
    *,
    version: int | None = None,
    by: str | None = None,
) -> Entry[MaintenanceRecord]:
    """Change fields of a maintenance record and return its entry, as `ems.database.register.update_asset` does."""
    return update_record(engine, MAINTENANCE_SHELF, (record_id,), changes, version=version, by=by)


def delete_maintenance(engine: sa.Engine, record_id: str, *, by: str | None = None) -> None:
    """Remove a maintenance record for good; one that shall stay visible is cancelled by its status instead."""
    delete_record(engine, MAINTENANCE_SHELF, (record_id,), by=by)


def list_maintenance(
    engine: sa.Engine,
    *,
    asset: str | None = None,
    site: str | None = None,
    status: str | None = None,
    scheduled_until: dt.date | None = None,
) -> list[MaintenanceRecord]:
    """Return maintenance records by day of plan, those without one last.

    Parameters
    ----------
    engine : Engine
    asset, site : str, optional
        Only records of that asset, or of assets of that site.
    status : str, optional
        Only records of that status, as it was stated; what is overdue by its day, `ems.assets.maintenance` tells.
    scheduled_until : date, optional
        Only records planned for that day or before.
    """
    table = MAINTENANCE
    query = sa.select(table).order_by(table.c.scheduled_date.is_(None), table.c.scheduled_date, table.c.id)
    if asset is not None:
        query = query.where(table.c.asset_id == asset)
    if site is not None:
        query = query.where(table.c.asset_id.in_(sa.select(ASSETS.c.id).where(ASSETS.c.site_id == site)))
    if status is not None:
        query = query.where(table.c.status == status)
    if scheduled_until is not None:
        query = query.where(table.c.scheduled_date <= scheduled_until)
    with reading(engine) as connection:
        return [record_of(MaintenanceRecord, row) for row in connection.execute(query).mappings()]


# ---------------------------------------------------------------------------------------------- performance
def create_performance(
    engine: sa.Engine, records: Sequence[Performance], by: str | None = None
) -> list[Entry[Performance]]:
    """Keep new records of performance, all or none, and return their entries."""
    return create_records(engine, PERFORMANCE_SHELF, records, by)


def get_performance(engine: sa.Engine, record_id: str) -> Entry[Performance]:
    """Return the entry of a record of performance."""
    return read_record(engine, PERFORMANCE_SHELF, (record_id,))


def update_performance(
    engine: sa.Engine,
    record_id: str,
    changes: Mapping[str, Any],
    *,
    version: int | None = None,
    by: str | None = None,
) -> Entry[Performance]:
    """Change fields of a record of performance and return its entry; the profit moves along unless it was stated."""
    return update_record(engine, PERFORMANCE_SHELF, (record_id,), changes, version=version, by=by)


def delete_performance(engine: sa.Engine, record_id: str, *, by: str | None = None) -> None:
    """Remove a record of performance for good."""
    delete_record(engine, PERFORMANCE_SHELF, (record_id,), by=by)


def list_performance(
    engine: sa.Engine,
    *,
    asset: str | None = None,
    site: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> list[Performance]:
    """Return records of performance by beginning of their period: those which lie between two moments, if given."""
    table = PERFORMANCE
    query = sa.select(table.c.id).order_by(table.c.period_start, table.c.asset_id, table.c.id)
    if asset is not None:
        query = query.where(table.c.asset_id == asset)
    if site is not None:
        query = query.where(table.c.asset_id.in_(sa.select(ASSETS.c.id).where(ASSETS.c.site_id == site)))
    if since is not None:
        query = query.where(table.c.period_start >= since)
    if until is not None:
        query = query.where(table.c.period_end <= until)
    with reading(engine) as connection:
        keys = [(name,) for name in connection.execute(query).scalars()]
        found = PERFORMANCE_SHELF.fetch(connection, keys)
    return [found[key].record for key in keys]
