"""Meters and their series: made, found, changed in what describes them, removed; `points` is about their values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from ems.database.engine import reading
from ems.database.measurement_records import METERS, POINTS, SERIES, VERSIONS, Meter, Series, SeriesVersion
from ems.database.register_tables import ASSETS, SITES
from ems.database.tables import record_of, row_of
from ems.database.turns import in_turn
from ems.errors import InvalidInput, UnknownName, did_you_mean, show
from ems.record import Record

R = TypeVar("R", Meter, Series)

_PLACES: Mapping[type[Record], tuple[str, sa.Table, Mapping[str, sa.Table]]] = {
    Meter: ("meter", METERS, {"site_id": SITES, "asset_id": ASSETS}),
    Series: ("series", SERIES, {"meter_id": METERS, "asset_id": ASSETS}),
}
"""For each record its name among people, its table, and the tables whose ids it holds."""

FIXED: Mapping[type[Record], tuple[str, ...]] = {
    Meter: ("id", "created_at", "created_by"),
    Series: ("id", "variable", "unit", "kind", "step_h", "raster_start", "created_at", "created_by"),
}
"""What cannot change: points were checked and kept by it."""


@dataclass(frozen=True)
class SeriesSummary:
    """A series, and what there is of it.

    Parameters
    ----------
    series : Series
    asset_id : str or None
        Asset that it belongs to, of its own or by its meter.
    points : int
        Steps that have a point, also one which says that the value is missing.
    begin, end : datetime or None
        Beginning of the first step with a point, end of the last one, UTC; None where there is none.
    version : int
        Number of imports that changed something.
    updated_at : datetime or None
        When the last of them was kept.
    """

    series: Series
    asset_id: str | None
    points: int
    begin: dt.datetime | None
    end: dt.datetime | None
    version: int
    updated_at: dt.datetime | None


# ---------------------------------------------------------------------------------------------- meters
def add_meter(engine: sa.Engine, meter: Meter) -> Meter:
    """Keep a new meter and return it.

    Raises
    ------
    InvalidInput
        If there is a meter of that id, or no such site or asset in the register.
    """
    return in_turn(engine, lambda connection: insert_new(connection, meter))


def get_meter(engine: sa.Engine, meter_id: str) -> Meter:
    """Return a meter.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """
    with reading(engine) as connection:
        return require(connection, Meter, meter_id)


def list_meters(engine: sa.Engine, *, site: str | None = None, asset: str | None = None) -> list[Meter]:
    """Return meters in the order of their ids; of one site or asset where it is given."""
    query = sa.select(METERS).order_by(METERS.c.id)
    if site is not None:
        query = query.where(METERS.c.site_id == site)
    if asset is not None:
        query = query.where(METERS.c.asset_id == asset)
    with reading(engine) as connection:
        return [record_of(Meter, row) for row in connection.execute(query).mappings()]


def update_meter(engine: sa.Engine, meter_id: str, changes: Mapping[str, Any]) -> Meter:
    """Change what describes a meter and return it.

    Raises
    ------
    InvalidInput
        If a field is not known or cannot change, or refers to nothing.
    """
    return in_turn(engine, lambda connection: _update(connection, Meter, meter_id, changes))


def delete_meter(engine: sa.Engine, meter_id: str) -> None:
    """Remove a meter that has no series.

    Raises
    ------
    InvalidInput
        If it has series.
    """

    def work(connection: sa.Connection) -> None:
        require(connection, Meter, meter_id)
        query = sa.select(SERIES.c.id).where(SERIES.c.meter_id == meter_id).order_by(SERIES.c.id).limit(4)
        found = connection.execute(query).scalars().all()
        if found:
            names = ", ".join(show(name) for name in found[:3]) + (" and others" if len(found) > 3 else "")
            raise InvalidInput(
                f"meter {show(meter_id)} cannot be deleted", f"it has series {names}; delete them first"
            )
        connection.execute(sa.delete(METERS).where(METERS.c.id == meter_id))

    in_turn(engine, work)


# ---------------------------------------------------------------------------------------------- series
def add_series(engine: sa.Engine, series: Series) -> Series:
    """Keep a new series, yet without points, and return it.

    Raises
    ------
    InvalidInput
        If there is a series of that id, or no such meter or asset.
    """
    return in_turn(engine, lambda connection: insert_new(connection, series))


def get_series(engine: sa.Engine, series_id: str) -> Series:
    """Return a series.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """
    with reading(engine) as connection:
        return require(connection, Series, series_id)


def update_series(engine: sa.Engine, series_id: str, changes: Mapping[str, Any]) -> Series:
    """Change what describes a series and return it; its variable, unit and raster stay.

    Raises
    ------
    InvalidInput
        If a field is not known or cannot change, or refers to nothing.
    """
    return in_turn(engine, lambda connection: _update(connection, Series, series_id, changes))


def delete_series(engine: sa.Engine, series_id: str) -> int:
    """Remove a series with all points and versions for good, and return how many rows of points there were.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """

    def work(connection: sa.Connection) -> int:
        require(connection, Series, series_id, for_update=True)
        # Points first: version by version the database would look through all of them each time.
        points = connection.execute(sa.delete(POINTS).where(POINTS.c.series_id == series_id)).rowcount
        connection.execute(sa.delete(SERIES).where(SERIES.c.id == series_id))
        return points

    return in_turn(engine, work)


def list_series(
    engine: sa.Engine,
    *,
    variable: str | None = None,
    asset: str | None = None,
    meter: str | None = None,
    site: str | None = None,
    ids: Sequence[str] | None = None,
) -> list[SeriesSummary]:
    """Return series with what there is of them, in the order of their ids.

    Parameters
    ----------
    engine : Engine
    variable, meter : str, optional
        Only series of exactly that variable or meter.
    asset : str, optional
        Only series of that asset, of their own or by their meter.
    site : str, optional
        Only series of meters or assets at that site.
    ids : sequence of str, optional
        Only series of these ids; ids which are not there are left out.
    """
    owner = sa.func.coalesce(SERIES.c.asset_id, METERS.c.asset_id)
    joined = SERIES.outerjoin(METERS, METERS.c.id == SERIES.c.meter_id).outerjoin(ASSETS, ASSETS.c.id == owner)
    query = sa.select(SERIES, owner.label("owner"), *_extent()).select_from(joined).order_by(SERIES.c.id)
    for column, wanted in ((SERIES.c.variable, variable), (SERIES.c.meter_id, meter), (owner, asset)):
        if wanted is not None:
            query = query.where(column == wanted)
    if site is not None:
        query = query.where(sa.or_(METERS.c.site_id == site, ASSETS.c.site_id == site))
    if ids is not None:
        query = query.where(SERIES.c.id.in_(list(ids)))
    with reading(engine) as connection:
        return [_summary(row) for row in connection.execute(query).mappings()]


def list_versions(engine: sa.Engine, series_id: str) -> list[SeriesVersion]:
    """Return the imports that changed something in a series, the latest first.

    Raises
    ------
    UnknownName
        If there is no such series.
    """
    query = sa.select(VERSIONS).where(VERSIONS.c.series_id == series_id).order_by(VERSIONS.c.version.desc())
    with reading(engine) as connection:
        require(connection, Series, series_id)
        return [record_of(SeriesVersion, row) for row in connection.execute(query).mappings()]


def _extent() -> list[sa.Label[Any]]:
    """Return what a query asks of a series' points and versions."""

    def of(column: sa.ColumnElement[Any], table: sa.Table) -> sa.ScalarSelect[Any]:
        return sa.select(column).where(table.c.series_id == SERIES.c.id).scalar_subquery()

    # One end at a time, each read from the index; asked for together, all points would be looked at.
    return [
        of(sa.func.min(POINTS.c.time), POINTS).label("first_time"),
        of(sa.func.max(POINTS.c.time), POINTS).label("last_time"),
        of(sa.func.coalesce(sa.func.sum(VERSIONS.c.new_points), 0), VERSIONS).label("points"),
        of(sa.func.coalesce(sa.func.max(VERSIONS.c.version), 0), VERSIONS).label("newest_version"),
        of(sa.func.max(VERSIONS.c.recorded_at), VERSIONS).label("updated_at"),
    ]


def _summary(row: Mapping[Any, Any]) -> SeriesSummary:
    series, last = record_of(Series, row), row["last_time"]
    return SeriesSummary(
        series,
        asset_id=row["owner"],
        points=int(row["points"]),
        begin=row["first_time"],
        end=None if last is None else last + dt.timedelta(seconds=series.step_s),
        version=row["newest_version"],
        updated_at=row["updated_at"],
    )


# ---------------------------------------------------------------------------------------------- inside
def insert_new(connection: sa.Connection, record: R) -> R:
    """Insert a meter or series that is not there yet, within a transaction that the caller holds."""
    word, table, _ = _PLACES[type(record)]
    if connection.execute(sa.select(table.c.id).where(table.c.id == record.id)).first() is not None:
        raise InvalidInput(f"{word} {show(record.id)}", "is in the database already; change it or choose another id")
    return insert_absent(connection, record)


def insert_absent(connection: sa.Connection, record: R) -> R:
    """Insert a meter or series that was not there; where another writer was quicker, the database says so.

    Its word lets `in_turn` look again, while a second look in the same transaction would blame a person for the id.
    """
    _, table, parents = _PLACES[type(record)]
    _check_parents(connection, record, parents)
    connection.execute(sa.insert(table), row_of(record, table))
    return record


def find(connection: sa.Connection, record: type[R], name: str, *, for_update: bool = False) -> R | None:
    """Return the meter or series of an id, or None where there is none."""
    _, table, _ = _PLACES[record]
    query = sa.select(table).where(table.c.id == name)
    row = connection.execute(query.with_for_update() if for_update else query).mappings().one_or_none()
    return None if row is None else record_of(record, row)


def require(connection: sa.Connection, record: type[R], name: str, *, for_update: bool = False) -> R:
    """Return the meter or series of an id; locked until the transaction ends where it shall be changed.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """
    found = find(connection, record, name, for_update=for_update)
    if found is None:
        word, table, _ = _PLACES[record]
        raise UnknownName(f"{word} {show(name)}", f"is not in the database; {_hint(connection, table, name)}")
    return found


def _update(connection: sa.Connection, record: type[R], name: str, changes: Mapping[str, Any]) -> R:
    word, table, parents = _PLACES[record]
    before = require(connection, record, name, for_update=True)
    fixed = [field for field in FIXED[record] if field in changes and changes[field] != getattr(before, field)]
    if fixed:
        raise InvalidInput(f"{word} {show(name)}", f"{' and '.join(fixed)} cannot change; make another {word}")
    after = before.replace(**{str(field): value for field, value in changes.items()})
    _check_parents(connection, after, parents)
    connection.execute(sa.update(table).where(table.c.id == name).values(row_of(after, table)))
    return after


def _check_parents(connection: sa.Connection, record: Meter | Series, parents: Mapping[str, sa.Table]) -> None:
    """Refuse ids of meters, assets and sites that are not there, all at once."""
    findings = []
    for field, table in parents.items():
        name = getattr(record, field)
        if name is None or connection.execute(sa.select(table.c.id).where(table.c.id == name)).first() is not None:
            continue
        word = field.removesuffix("_id")
        place = "" if table is METERS else " in the register"
        findings.append(f"{field} = {show(name)}: no such {word}{place}; {_hint(connection, table, name)}")
    if findings:
        raise InvalidInput(f"{_PLACES[type(record)][0]} {show(record.id)}", findings)


def _hint(connection: sa.Connection, table: sa.Table, name: str) -> str:
    """Return the nearest id of a table, or where to look."""
    known = connection.execute(sa.select(table.c.id).order_by(table.c.id).limit(5000)).scalars().all()
    near = did_you_mean(name, known)
    if near.startswith("did you mean") or 0 < len(known) <= 5:
        return near
    command = "`ems series list`" if table in (METERS, SERIES) else "`ems assets list`"
    return f"see {command}" if known else near
