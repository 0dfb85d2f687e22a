"""Points as the databases' drivers take and give many at once: arrays in, arrays out.

Here a point is a second since 1970, a value (NaN where it is missing) and the number of its quality. One row after the
other through the usual ways takes several times as long.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from ems.database.measurement_records import QUALITIES

Progress = Callable[[int], None]

ROWS_A_STATEMENT = 5000  # three parameters each, of which SQLite takes at most 32,766
ROWS_A_BLOCK = 50_000
_COLUMNS = "series_id, time, version, value, quality"
_FOR_SQLITE = (
    f"INSERT INTO series_points ({_COLUMNS}) "  # noqa: S608 - names of our own
    "SELECT ?1, strftime('%Y-%m-%d %H:%M:%S.000000', column1, 'unixepoch'), ?2, column2, column3 FROM (VALUES {rows})"
)
_QUALITY_NUMBER = "CASE quality " + " ".join(f"WHEN '{q}' THEN {n}" for n, q in enumerate(QUALITIES)) + " END"

# PostgreSQL's binary form of COPY: a head, for each row the number of its fields and each field after its length, all
# with the highest byte first; moments are microseconds since 2000.
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_SECONDS_TO_2000 = 946_684_800


@dataclass(frozen=True)
class Rows:
    """Points in the order of time.

    Parameters
    ----------
    seconds : ndarray of int64 (points)
        Beginnings of steps, since 1970 UTC.
    values : ndarray of float (points)
        NaN where the point says that the value is missing.
    codes : ndarray of int (points)
        Places of the qualities in `QUALITIES`.
    """

    seconds: np.ndarray
    values: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.seconds)

    def where(self, chosen: np.ndarray) -> Rows:
        """Return the points at some places."""
        return Rows(self.seconds[chosen], self.values[chosen], self.codes[chosen])


def write_points(
    connection: sa.Connection, series_id: str, version: int, rows: Rows, progress: Progress | None = None
) -> None:
    """Insert points of one version of a series.

    Parameters
    ----------
    connection : Connection
        Within a transaction.
    series_id : str
    version : int
    rows : Rows
    progress : callable (int), optional
        Called with the number of points that are written so far.
    """
    write = _write_to_sqlite if connection.dialect.name == "sqlite" else _write_to_postgresql
    write(connection, series_id, version, rows, progress or (lambda written: None))


def read_rows(
    connection: sa.Connection,
    series_id: str,
    begin_s: int | None = None,
    end_s: int | None = None,
    version: int | None = None,
) -> Rows:
    """Return the points of a series that hold: of each step that of the highest version.

    Parameters
    ----------
    connection : Connection
    series_id : str
    begin_s, end_s : int, optional
        Only steps which begin at or after the one and before the other, seconds since 1970.
    version : int, optional
        As things stood after this version.
    """
    read = _read_from_sqlite if connection.dialect.name == "sqlite" else _read_from_postgresql
    seconds, values, codes = read(connection, series_id, begin_s, end_s, version)
    is_last = np.append(seconds[1:] != seconds[:-1], True) if len(seconds) else np.zeros(0, dtype=bool)
    return Rows(seconds[is_last], values[is_last], codes[is_last])


# ---------------------------------------------------------------------------------------------- SQLite
def _write_to_sqlite(connection: sa.Connection, series_id: str, version: int, rows: Rows, progress: Progress) -> None:
    values = rows.values.tolist()
    for at in np.flatnonzero(np.isnan(rows.values)):
        values[at] = None
    columns = (rows.seconds.tolist(), values, [QUALITIES[code] for code in rows.codes.tolist()])
    for first in range(0, len(rows), ROWS_A_STATEMENT):
        part = [column[first : first + ROWS_A_STATEMENT] for column in columns]
        count = len(part[0])
        statement = _FOR_SQLITE.format(rows=",".join(["(?,?,?)"] * count))
        parameters = (series_id, version, *itertools.chain.from_iterable(zip(*part, strict=True)))
        connection.exec_driver_sql(statement, parameters)
        progress(first + count)


def _read_from_sqlite(
    connection: sa.Connection, series_id: str, begin_s: int | None, end_s: int | None, version: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    moment = "strftime('%Y-%m-%d %H:%M:%S.000000', ?, 'unixepoch')"
    conditions, parameters = ["series_id = ?"], [series_id]  # type: tuple[list[str], list[Any]]
    for condition, given in ((f"time >= {moment}", begin_s), (f"time < {moment}", end_s), ("version <= ?", version)):
        if given is not None:
            conditions.append(condition)
            parameters.append(int(given))
    found = connection.exec_driver_sql(
        f"SELECT CAST(strftime('%s', time) AS INTEGER), value, {_QUALITY_NUMBER} FROM series_points "  # noqa: S608
        f"WHERE {' AND '.join(conditions)} ORDER BY time, version",
        tuple(parameters),
    )
    # A second of these centuries is a whole number also as a floating one, and no value becomes NaN.
    cells = np.array(found.cursor.fetchall(), dtype="float64").reshape(-1, 3)
    return cells[:, 0].astype("int64"), cells[:, 1].copy(), cells[:, 2].astype("int64")


# ---------------------------------------------------------------------------------------------- PostgreSQL
def _write_to_postgresql(
    connection: sa.Connection, series_id: str, version: int, rows: Rows, progress: Progress
) -> None:
    name = series_id.encode()
    # A row is as long as its quality and whether it has a value; rows alike are built at once.
    statement = f"COPY series_points ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
    with _driver(connection, statement) as cursor, cursor.copy(statement) as copy:
        copy.write(_SIGNATURE)
        written = 0
        for first in range(0, len(rows), ROWS_A_BLOCK):
            part = rows.where(np.arange(first, min(first + ROWS_A_BLOCK, len(rows))))
            for code, quality in enumerate(QUALITIES):
                alike = part.where(part.codes == code)
                if len(alike):
                    copy.write(_binary(name, version, alike, quality.encode()))
            written += len(part)
            progress(written)
        copy.write(_END)


def _binary(name: bytes, version: int, rows: Rows, quality: bytes) -> bytes:
    """Return rows of one quality in the binary form."""
    has_value = quality != b"missing"
    fields: list[tuple[str, str]] = [("fields", ">i2"), ("l1", ">i4"), ("series_id", f"S{len(name)}")]
    fields += [("l2", ">i4"), ("time", ">i8"), ("l3", ">i4"), ("version", ">i8"), ("l4", ">i4")]
    fields += [("value", ">f8")] if has_value else []
    fields += [("l5", ">i4"), ("quality", f"S{len(quality)}")]
    block = np.empty(len(rows), dtype=fields)
    block["fields"], block["l1"], block["series_id"] = 5, len(name), name
    block["l2"], block["time"] = 8, (rows.seconds - _SECONDS_TO_2000) * 1_000_000
    block["l3"], block["version"], block["l4"] = 8, version, 8 if has_value else -1
    if has_value:
        block["value"] = rows.values
    block["l5"], block["quality"] = len(quality), quality
    return block.tobytes()


def _read_from_postgresql(
    connection: sa.Connection, series_id: str, begin_s: int | None, end_s: int | None, version: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    conditions, parameters = ["series_id = %s"], [series_id]  # type: tuple[list[str], list[Any]]
    for condition, given in (
        ("time >= to_timestamp(%s)", begin_s),
        ("time < to_timestamp(%s)", end_s),
        ("version <= %s", version),
    ):
        if given is not None:
            conditions.append(condition)
            parameters.append(int(given))
    # One row of three arrays: as a million rows the same would take five times as long.
    statement = (
        "SELECT array_agg(second), array_agg(value), array_agg(code) FROM ("  # noqa: S608 - names of our own
        "SELECT extract(epoch FROM time)::bigint AS second, coalesce(value, 'NaN'::float8) AS value, "
        f"({_QUALITY_NUMBER})::smallint AS code FROM series_points "
        f"WHERE {' AND '.join(conditions)} ORDER BY time, version) AS ordered"
    )
    with _driver(connection, statement) as cursor:
        found = cursor.execute(statement, parameters, binary=True).fetchone()
    seconds, values, codes = (
        np.array(column or (), dtype=kind) for column, kind in zip(found, ("i8", "f8", "i8"), strict=True)
    )
    return seconds, values, codes


class _driver:  # noqa: N801 - used as a word in a with statement
    """A cursor of the driver beneath a connection; its errors are those of SQLAlchemy, as everywhere else."""

    def __init__(self, connection: sa.Connection, statement: str) -> None:
        driver: Any = connection.connection.driver_connection
        self.cursor = driver.cursor()
        self.statement, self.dialect = statement, connection.dialect

    def __enter__(self) -> Any:
        return self.cursor

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        self.cursor.close()
        base = self.dialect.loaded_dbapi.Error
        if isinstance(error, base):
            raise sa.exc.DBAPIError.instance(self.statement, None, error, base, dialect=self.dialect) from None
