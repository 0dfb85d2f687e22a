"""How long points of a series take into the database and out of it, beside the bare driver's way for the same rows.

Run it with ``python -m benchmarks.measurements [POINTS] [ADDRESS]``. Without an address it measures an embedded
database in a temporary folder, and a PostgreSQL server of its own where its programs are here; an address names an
empty database, as in ``postgresql://user@host/name``. What a driver does alone is measured in the same run, into the
same table with its key, laws and reference: `executemany` on SQLite, `COPY` row by row on PostgreSQL.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from ems.database.aggregation import aggregate
from ems.database.engine import connect
from ems.database.measurement_records import Meter, Series
from ems.database.migrate import upgrade
from ems.database.point_reading import read_points
from ems.database.points import import_points, import_series

POINTS = 1_000_000
ALLOWED_S = 20.0
"""What an embedded database may take for a million points."""
METER = Meter(id="main", created_by="benchmark")


def series(name: str) -> Series:
    """Return a series of quarter hours."""
    return Series(id=name, meter_id="main", variable="demand_kw", step_h=0.25, created_by="benchmark")


def points(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return times and values of so many quarter hours, the same each time."""
    times = np.datetime64("1990-01-01", "s") + np.arange(count) * np.timedelta64(900, "s")
    return times, np.round(np.random.default_rng(6).gamma(2.0, 50.0, count), 3)


def seconds_of(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a piece of work takes, and what it gives."""
    begin = time.perf_counter()
    given = work()
    return time.perf_counter() - begin, given


def bare_rows(engine: sa.Engine, times: np.ndarray, values: np.ndarray) -> list[tuple[Any, ...]]:
    """Return rows as the driver takes them; making them is not measured."""
    moments: list[Any] = times.astype("datetime64[us]").tolist()
    if engine.dialect.name == "sqlite":
        moments = [f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in moments]
    return [("bare", moment, 1, value, "measured") for moment, value in zip(moments, values.tolist(), strict=True)]


def bare_insert(engine: sa.Engine, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows by the driver alone, in one transaction."""
    if engine.dialect.name == "sqlite":
        connection = sqlite3.connect(engine.url.database or "")
        connection.execute("PRAGMA foreign_keys = ON")
        with connection:
            connection.executemany("INSERT INTO series_points VALUES (?, ?, ?, ?, ?)", rows)
        connection.close()
        return
    import psycopg

    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(address, options="-c timezone=UTC") as server,
        server.cursor() as cursor,
        cursor.copy("COPY series_points FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def measure(address: str, count: int) -> bool:
    """Measure and print; return whether a million points were in time on an embedded database."""
    upgrade(address)
    engine = connect(address)
    print(f"\n{engine.dialect.name}, {count:,} points")
    times, values = points(count)
    # The reference of the bare rows has to be there, as it is in an import.
    import_series(engine, series("bare"), times[:1] - np.timedelta64(900, "s"), [0.0], meter=METER)
    rows = bare_rows(engine, times, values)
    bare_s, _ = seconds_of(lambda: bare_insert(engine, rows))

    def report(what: str, seconds: float) -> None:
        print(f"{what:<48} {seconds:>7.2f} s {seconds / bare_s:>6.2f} of the bare insert")

    report("the driver alone", bare_s)
    first_s, outcome = seconds_of(lambda: import_series(engine, series("a"), times, values))
    assert outcome.new == count, outcome
    report("import", first_s)
    again_s, outcome = seconds_of(lambda: import_points(engine, "a", times, values))
    assert outcome.unchanged == count, outcome
    report("import of the same, nothing changes", again_s)
    corrected = values.copy()
    corrected[::100] += 1
    corrected_s, outcome = seconds_of(lambda: import_points(engine, "a", times, corrected))
    assert outcome.changed == len(values[::100]), outcome
    report("import with one value of a hundred corrected", corrected_s)
    read_s, found = seconds_of(lambda: read_points(engine, "a"))
    assert np.array_equal(found["demand_kw"].values[:, 0], corrected)
    report("read", read_s)
    report("sum up by local days", seconds_of(lambda: aggregate(found, "day", timezone="Europe/Berlin"))[0])
    engine.dispose()
    if engine.dialect.name != "sqlite":
        return True
    holds = first_s * POINTS / count < ALLOWED_S
    print(f"{'a million points in under 20 s':<48} {'holds' if holds else 'does not hold'}")
    return holds


def own_server(count: int) -> None:
    """Measure on a PostgreSQL server that is started for it, as for the tests."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    import database_fixtures as servers

    folder = Path(tempfile.mkdtemp(prefix="ems-pg-"))
    try:
        for programs in servers._program_folders():
            try:
                process = servers._start(programs, folder)
            except (OSError, RuntimeError, ValueError) as error:
                print(f"{programs}: {error}")
                continue
            try:
                measure(f"postgresql://ems@/postgres?host={folder}", count)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(30)
            return
        print("\nno PostgreSQL server could be started here")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else POINTS
    if len(sys.argv) > 2:
        sys.exit(not measure(sys.argv[2], number))
    with tempfile.TemporaryDirectory() as scratch:
        in_time = measure(f"sqlite:///{scratch}/ems.sqlite", number)
    own_server(number)
    sys.exit(not in_time)
