"""The register in numbers: what there is, what is in operation, what is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ems.database.engine import reading
from ems.database.operation import STALE_AFTER_MIN
from ems.database.records import utc_now
from ems.database.register_tables import ASSETS, MAINTENANCE, RATINGS, SITES, SPECS, STATUS

WARRANTY_AHEAD_D = 90
"""Days before its end from which a warranty counts as ending."""


@dataclass(frozen=True)
class FleetNumbers:
    """The register in numbers; all but `by_status` leave decommissioned assets out.

    Parameters
    ----------
    assets, sites : int
        Those that are not decommissioned.
    by_kind, by_site, by_status : mapping of str to int
        Number of assets.
    capacity_kwh : float
        Energy content of all batteries.
    capacity_kw : mapping of str to float
        Sum of ratings of each other kind.
    by_operational_status : mapping of str to int
        What assets can be taken to do now; ``unknown`` where nothing ever was reported.
    online : int
        Assets that can be reached and whose last message is fresh.
    online_share : float or None
        Of all assets; None without any.
    stale : int
        Assets that have reported, but are silent for too long.
    alarms : mapping of str to int
        Number of assets by level of alarm, from info on.
    maintenance_open, maintenance_overdue : int
        Records that are planned or under way, and among them those whose day has passed.
    warranties_ended, warranties_ending : int
        Assets whose warranty is over, or will be within 90 days.
    """

    assets: int
    sites: int
    by_kind: Mapping[str, int]
    by_site: Mapping[str, int]
    by_status: Mapping[str, int]
    capacity_kwh: float
    capacity_kw: Mapping[str, float]
    by_operational_status: Mapping[str, int]
    online: int
    online_share: float | None
    stale: int
    alarms: Mapping[str, int]
    maintenance_open: int
    maintenance_overdue: int
    warranties_ended: int
    warranties_ending: int


def fleet_numbers(
    engine: sa.Engine, now: dt.datetime | None = None, stale_after_min: float = STALE_AFTER_MIN
) -> FleetNumbers:
    """Return the register in numbers at a moment, the present one where nothing is given.

    Days of maintenance and warranties pass by the clock of each site.

    Parameters
    ----------
    engine : Engine
    now : datetime, optional
    stale_after_min : float
        Minutes of silence after which an asset counts as offline.
    """
    now = now or utc_now()
    in_use = ASSETS.c.status != "decommissioned"
    with reading(engine) as connection:
        by_kind = _counts(connection, ASSETS.c.kind, in_use)
        by_site = _counts(connection, ASSETS.c.site_id, in_use)
        by_status = _counts(connection, ASSETS.c.status)
        capacity = _capacities(connection)
        live = _live(connection, now, stale_after_min)
        alarms = _counts(connection, STATUS.c.alarm_level, STATUS.c.alarm_level != "none", in_use, of_status=True)
        days = {zone: now.astimezone(ZoneInfo(zone)).date() for zone in _timezones(connection)}
        open_, overdue = _maintenance(connection, days)
        ended, ending = _warranties(connection, days)
        sites = connection.execute(sa.select(sa.func.count()).where(SITES.c.status != "decommissioned")).scalar_one()
    total = sum(by_kind.values())
    online = sum(row.number for row in live if row.is_online)
    operational: dict[str, int] = {}
    for row in live:
        operational[row.state] = operational.get(row.state, 0) + row.number
    return FleetNumbers(
        assets=total,
        sites=sites,
        by_kind=by_kind,
        by_site=by_site,
        by_status=by_status,
        capacity_kwh=capacity.pop("battery", 0.0),
        capacity_kw=capacity,
        by_operational_status=operational,
        online=online,
        online_share=online / total if total else None,
        stale=sum(row.number for row in live if row.is_stale),
        alarms=alarms,
        maintenance_open=open_,
        maintenance_overdue=overdue,
        warranties_ended=ended,
        warranties_ending=ending,
    )


def days_of_assets(engine: sa.Engine, now: dt.datetime | None = None) -> dict[str, dt.date]:
    """Return the day that each asset has at a moment, the present one where nothing is given, by its site's clock."""
    now = now or utc_now()
    query = sa.select(ASSETS.c.id, SITES.c.timezone).join(SITES, SITES.c.id == ASSETS.c.site_id)
    with reading(engine) as connection:
        return {str(asset): now.astimezone(ZoneInfo(zone)).date() for asset, zone in connection.execute(query)}


def _counts(
    connection: sa.Connection,
    column: sa.ColumnElement[Any],
    *conditions: sa.ColumnElement[bool],
    of_status: bool = False,
) -> dict[str, int]:
    source = ASSETS.join(STATUS, STATUS.c.asset_id == ASSETS.c.id) if of_status else ASSETS
    query = sa.select(column, sa.func.count()).select_from(source).where(*conditions).group_by(column).order_by(column)
    return {str(name): int(number) for name, number in connection.execute(query)}


def _capacities(connection: sa.Connection) -> dict[str, float]:
    sums = {}
    for kind, rating in RATINGS.items():
        source = SPECS[kind].join(ASSETS, ASSETS.c.id == SPECS[kind].c.asset_id)
        query = sa.select(sa.func.sum(rating)).select_from(source).where(ASSETS.c.status != "decommissioned")
        total: float | None = connection.execute(query).scalar()
        if total is not None:
            sums[kind] = float(total)
    return sums


def _live(connection: sa.Connection, now: dt.datetime, stale_after_min: float) -> list[Any]:
    """Return numbers of assets by state, reachability and staleness: `effective_status` in the words of SQL."""
    oldest = sa.literal(now - dt.timedelta(minutes=stale_after_min), STATUS.c.last_communication.type)
    is_stale = sa.func.coalesce(STATUS.c.last_communication < oldest, True)
    unreachable = sa.and_(sa.not_(STATUS.c.online), STATUS.c.operational_status == "online")
    state = sa.case(
        (STATUS.c.asset_id.is_(None), "unknown"),
        (sa.or_(is_stale, unreachable), "offline"),
        else_=STATUS.c.operational_status,
    ).label("state")
    flags = (
        sa.and_(STATUS.c.asset_id.is_not(None), is_stale).label("is_stale"),
        sa.and_(STATUS.c.asset_id.is_not(None), sa.not_(is_stale), STATUS.c.online).label("is_online"),
    )
    parts = (
        sa.select(state, *flags)
        .select_from(ASSETS.outerjoin(STATUS, STATUS.c.asset_id == ASSETS.c.id))
        .where(ASSETS.c.status != "decommissioned")
        .subquery()
    )
    columns = (parts.c.state, parts.c.is_stale, parts.c.is_online)
    query = sa.select(*columns, sa.func.count().label("number")).group_by(*columns).order_by(parts.c.state)
    return list(connection.execute(query).all())


def _timezones(connection: sa.Connection) -> list[str]:
    return list(connection.execute(sa.select(SITES.c.timezone).distinct()).scalars())


def _by_site(days: Mapping[str, dt.date]) -> sa.ColumnElement[Any]:
    """Return, in the words of SQL, the day of each timezone at the site of a row."""
    if not days:  # without a site there is no row either
        return sa.cast(sa.null(), sa.Date)
    return sa.case({zone: sa.literal(day, sa.Date) for zone, day in days.items()}, value=SITES.c.timezone)


def _maintenance(connection: sa.Connection, days: Mapping[str, dt.date]) -> tuple[int, int]:
    """Return how many records are open, and overdue, at the day that each timezone has."""
    table = MAINTENANCE
    source = table.join(ASSETS, ASSETS.c.id == table.c.asset_id).join(SITES, SITES.c.id == ASSETS.c.site_id)
    waiting = table.c.status.in_(("scheduled", "overdue"))
    query = (
        sa.select(
            sa.func.count(),
            sa.func.count().filter(waiting, table.c.scheduled_date < _by_site(days)),
        )
        .select_from(source)
        .where(sa.or_(waiting, table.c.status == "in_progress"), ASSETS.c.status != "decommissioned")
    )
    open_, overdue = connection.execute(query).one()
    return int(open_), int(overdue)


def _warranties(connection: sa.Connection, days: Mapping[str, dt.date]) -> tuple[int, int]:
    """Return how many warranties are over, and end soon, at the day that each timezone has."""
    end, ahead = ASSETS.c.warranty_expiry_date, dt.timedelta(days=WARRANTY_AHEAD_D)
    today, soon = _by_site(days), _by_site({zone: day + ahead for zone, day in days.items()})
    query = (
        sa.select(sa.func.count().filter(end < today), sa.func.count().filter(end >= today, end <= soon))
        .select_from(ASSETS.join(SITES, SITES.c.id == ASSETS.c.site_id))
        .where(ASSETS.c.status != "decommissioned")
    )
    ended, ending = connection.execute(query).one()
    return int(ended), int(ending)
