"""Values of series into the database: checked, compared with what is there, kept as a new version or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from ems.database.audit import acting_user
from ems.database.masking import storable_text
from ems.database.measurement_records import VERSIONS, Meter, Series, SeriesVersion
from ems.database.measurements import find, insert_absent, require
from ems.database.point_checks import checked_rows
from ems.database.point_rows import Rows, read_rows, write_points
from ems.database.records import utc_now
from ems.database.tables import row_of
from ems.database.turns import in_turn
from ems.errors import InvalidInput, show
from ems.record import LONGEST_TEXT

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Progress = Callable[[int, int], None]
"""Is told how many points are written, and how many there are to write."""

SAME = ("variable", "unit", "kind", "step_h")
"""What a series that is there already must share with the one that is to be imported."""


@dataclass(frozen=True)
class ImportOutcome:
    """What an import did.

    Parameters
    ----------
    new : int
        Points at times that had none.
    changed : int
        Points whose value or quality is another than before; the earlier ones stay readable.
    unchanged : int
        Points that were there as they are.
    left_out : int
        Values that were NaN without a word on their quality: they say nothing, and nothing was kept of them.
    version : int
        Version at which the series is; no new one where nothing differed.
    """

    new: int
    changed: int
    unchanged: int
    left_out: int
    version: int

    def __str__(self) -> str:
        left_out = f", {self.left_out} without a value left out" if self.left_out else ""
        return f"{self.new} new, {self.changed} changed, {self.unchanged} unchanged{left_out}"


def import_points(
    engine: sa.Engine,
    series_id: str,
    times: ArrayLike | Sequence[dt.datetime],
    values: ArrayLike,
    quality: str | Sequence[str] | None = None,
    *,
    source: str | None = None,
    sha256: str | None = None,
    by: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportOutcome:
    """Keep values of a series, all of them or none; what is there already as it is given stays untouched.

    Parameters
    ----------
    engine : Engine
    series_id : str
        A series that is there; `import_series` makes one on the way.
    times : array or sequence (points)
        Beginnings of steps, each once, in any order. Arrays without a zone are in UTC, as everywhere in the package;
        of Python's moments and of texts each must state its offset.
    values : array (points)
        In the unit of the series. A NaN says nothing and is left out, unless its quality is ``missing``, which
        replaces a value that was there.
    quality : str or sequence of str (points), optional
        ``measured`` where nothing is said, ``estimated``, ``substituted``, ``suspect`` or ``missing``.
    source, sha256 : str, optional
        File or service that they come from, and the file's hash.
    by : str, optional
        Who imports; else EMS_USER, else the user of the operating system.
    dry_run : bool
        Whether only to say what would happen.
    progress : callable (int, int), optional

    Returns
    -------
    ImportOutcome

    Raises
    ------
    UnknownName
        If there is no such series.
    InvalidInput
        If a time stands twice, lies off the raster or states no offset, or a value is no finite number or out of
        range; all findings at once.
    """
    who = acting_user(by)

    def work(connection: sa.Connection) -> ImportOutcome:
        series = require(connection, Series, series_id, for_update=True)
        rows, left_out = checked_rows(series, times, values, quality)
        return _keep(
            connection,
            series,
            rows,
            left_out=left_out,
            origin=_Origin(who, source, sha256),
            dry_run=dry_run,
            progress=progress,
        )

    return _done(engine, work, dry_run)


def import_series(
    engine: sa.Engine,
    series: Series,
    times: ArrayLike | Sequence[dt.datetime],
    values: ArrayLike,
    quality: str | Sequence[str] | None = None,
    *,
    meter: Meter | None = None,
    source: str | None = None,
    sha256: str | None = None,
    by: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportOutcome:
    """Keep values as `import_points` does, and before that the series and its meter where they are not there yet.

    Parameters
    ----------
    series : Series
        One of the same id that is there already stays as it is, and must have the same variable, unit, kind and step.
    meter : Meter, optional
        Made where none of its id is there.

    Raises
    ------
    InvalidInput
        As of `import_points`, or if the series that is there is another one.
    """
    who = acting_user(by)
    origin = _Origin(who, source, sha256)

    def work(connection: sa.Connection) -> ImportOutcome:
        there = find(connection, Series, series.id, for_update=True)
        if there is not None:
            _refuse_other(there, series)
        else:
            if meter is not None and find(connection, Meter, meter.id) is None:
                insert_absent(connection, meter)
            insert_absent(connection, series)
        rows, left_out = checked_rows(there or series, times, values, quality)
        return _keep(
            connection,
            there or series,
            rows,
            left_out=left_out,
            origin=origin,
            dry_run=dry_run,
            progress=progress,
        )

    return _done(engine, work, dry_run)


# ---------------------------------------------------------------------------------------------- inside
@dataclass(frozen=True)
class _Origin:
    by: str
    source: str | None
    sha256: str | None


class _Undone(Exception):
    """Ends a transaction without a trace, and takes along what it would have done."""

    def __init__(self, outcome: ImportOutcome) -> None:
        self.outcome = outcome


def _done(engine: sa.Engine, work: Callable[[sa.Connection], ImportOutcome], dry_run: bool) -> ImportOutcome:
    def once(connection: sa.Connection) -> ImportOutcome:
        outcome = work(connection)
        if dry_run:
            raise _Undone(outcome)
        return outcome

    try:
        return in_turn(engine, once)
    except _Undone as ended:
        return ended.outcome


def _keep(
    connection: sa.Connection,
    series: Series,
    rows: Rows,
    *,
    left_out: int,
    origin: _Origin,
    dry_run: bool,
    progress: Progress | None,
) -> ImportOutcome:
    """Write what differs from what is there as a new version.

    The row of the series is locked, so nobody else imports into it between the look and the writing.
    """
    newest = sa.select(VERSIONS.c.version, VERSIONS.c.recorded_at).where(VERSIONS.c.series_id == series.id)
    last: Any = connection.execute(newest.order_by(VERSIONS.c.version.desc()).limit(1)).one_or_none()
    version = last.version if last else 0
    is_new, differs = _compare(connection, series, rows) if last else (np.ones(len(rows), dtype=bool),) * 2
    new, written = int(is_new.sum()), int(differs.sum())
    if written and not dry_run:
        version += 1
        recorded_at = utc_now()
        if last is not None:  # so that a moment between two imports always tells them apart
            recorded_at = max(recorded_at, last.recorded_at + dt.timedelta(microseconds=1))
        row = SeriesVersion(
            series_id=series.id,
            version=version,
            recorded_at=recorded_at,
            recorded_by=origin.by,
            source=None if origin.source is None else storable_text(origin.source)[:LONGEST_TEXT],
            sha256=origin.sha256,
            new_points=new,
            changed_points=written - new,
        )
        connection.execute(sa.insert(VERSIONS), row_of(row, VERSIONS))
        tell = None if progress is None else (lambda count: progress(count, written))
        write_points(connection, series.id, version, rows.where(differs), tell)
    return ImportOutcome(new, written - new, len(rows) - written, left_out, version)


def _compare(connection: sa.Connection, series: Series, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Return which points are at times that have none, and which are not there as they are given."""
    if not len(rows):
        return (np.zeros(0, dtype=bool),) * 2
    there = read_rows(connection, series.id, int(rows.seconds[0]), int(rows.seconds[-1]) + 1)
    if not len(there):
        return (np.ones(len(rows), dtype=bool),) * 2
    at = np.minimum(np.searchsorted(there.seconds, rows.seconds), len(there) - 1)
    is_new = there.seconds[at] != rows.seconds
    before = there.where(at)
    is_same = (before.values == rows.values) | (np.isnan(before.values) & np.isnan(rows.values))
    return is_new, is_new | ~is_same | (before.codes != rows.codes)


def _refuse_other(there: Series, given: Series) -> None:
    """Refuse to import into a series of another kind."""
    findings = [
        f"{name} = {show(getattr(given, name))}: the series that is there has {show(getattr(there, name))}; "
        "choose another id for the new one"
        for name in SAME
        if getattr(there, name) != getattr(given, name)
    ]
    for name in ("meter_id", "asset_id"):
        wanted, found = getattr(given, name), getattr(there, name)
        if wanted is not None and wanted != found:
            findings.append(f"{name} = {show(wanted)}: the series that is there has {show(found)}; leave it out")
    if findings:
        raise InvalidInput(f"series {show(given.id)}", findings)
