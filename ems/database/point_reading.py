"""Values of series out of the database, on a regular raster: now, or as they were known at an earlier moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from ems.database.engine import reading
from ems.database.measurement_records import QUALITIES, VERSIONS, Series
from ems.database.measurements import require
from ems.database.point_rows import Rows, read_rows
from ems.errors import InvalidInput, show
from ems.series.time_axis import ALWAYS_STEPS, SPARSEST
from ems.series.wording import shown_step, shown_time

if TYPE_CHECKING:
    import xarray as xr

Moment = dt.datetime | np.datetime64


@dataclass(frozen=True)
class Found:
    """The points of a series that hold within a span.

    Parameters
    ----------
    series : Series
    rows : Rows
    version : int
        Last version that was read; 0 where there is none.
    """

    series: Series
    rows: Rows
    version: int


def read_points(
    engine: sa.Engine,
    series_ids: str | Sequence[str],
    begin: Moment | None = None,
    end: Moment | None = None,
    *,
    as_of: dt.datetime | None = None,
) -> xr.Dataset:
    """Return series on their raster, with NaN where there is no value.

    Parameters
    ----------
    engine : Engine
    series_ids : str or sequence of str
        Series on one raster: of the same step, from the same seconds of it on.
    begin, end : datetime or datetime64, optional
        Steps which begin at or after the one and before the other; where nothing is said, from the first point to the
        last one. A moment of Python must state its offset, a datetime64 is in UTC.
    as_of : datetime, optional
        As the database knew it at that moment: later imports do not show.

    Returns
    -------
    Dataset (time, series)
        A variable for each that a series has, NaN for series of another one, with ``attrs["units"]`` and the names
        of its series in ``attrs["series"]``; ``quality`` in words, empty where there is no point. ``attrs``:
        ``step_h``, ``timezone`` (of the first series), ``source``, ``versions`` by series, ``kinds`` by series, and
        ``missing``: steps without a value by series.

    Raises
    ------
    UnknownName
        If there is no such series.
    InvalidInput
        If the series share no raster, a moment states no offset, or there is no point to tell the span by.
    """
    import pandas as pd
    import xarray as xr

    names = [series_ids] if isinstance(series_ids, str) else list(dict.fromkeys(series_ids))
    if not names:
        raise InvalidInput("points", "no series was named; `ems series list` shows what there is")
    found = read_found(engine, names, begin, end, as_of=as_of)
    first = found[0].series
    for other in (one.series for one in found[1:]):
        if (other.step_s, phase_of(other)) != (first.step_s, phase_of(first)):
            raise InvalidInput(
                f"series {show(first.id)} and {show(other.id)}",
                f"share no raster: steps of {shown_step(first.step_h)} and {shown_step(other.step_h)}, of which one "
                f"begins at {first.raster_start:%H:%M:%S} and {other.raster_start:%H:%M:%S} UTC; read them one by one",
            )
    raster = raster_of(first, [one.rows for one in found], begin, end)
    variables: dict[str, np.ndarray] = {}
    qualities = np.full((len(raster), len(found)), "", dtype=object)
    missing = {}
    for at, one in enumerate(found):
        column = variables.setdefault(one.series.variable, np.full((len(raster), len(found)), np.nan))
        places = (one.rows.seconds - raster[0]) // first.step_s if len(raster) else np.zeros(0, dtype="int64")
        column[places, at] = one.rows.values
        qualities[places, at] = np.array(QUALITIES, dtype=object)[one.rows.codes]
        missing[one.series.id] = int(np.isnan(column[:, at]).sum())
    units = {one.series.variable: one.series.unit for one in found}
    owners = {name: [one.series.id for one in found if one.series.variable == name] for name in variables}
    return xr.Dataset(
        {
            **{
                name: (("time", "series"), array, {"units": units[name], "series": owners[name]})
                for name, array in variables.items()
            },
            "quality": (("time", "series"), qualities),
        },
        coords={
            "time": pd.DatetimeIndex(raster.astype("datetime64[s]").astype("datetime64[ns]"), name="time"),
            "series": names,
        },
        attrs={
            "step_h": first.step_h,
            "timezone": first.timezone,
            "source": "database",
            "versions": {one.series.id: one.version for one in found},
            "kinds": {one.series.id: one.series.kind for one in found},
            "missing": missing,
        },
    )


def read_found(
    engine: sa.Engine,
    names: Sequence[str],
    begin: Moment | None = None,
    end: Moment | None = None,
    *,
    as_of: dt.datetime | None = None,
    reach_back: bool = False,
) -> list[Found]:
    """Return the points of series that hold within a span, all from one state of the database.

    Whoever reaches back also gets the step in which the span begins, where it begins within one.
    """
    begin_s, end_s = (as_second(value, name, up=True) for value, name in ((begin, "begin"), (end, "end")))
    if begin_s is not None and end_s is not None and begin_s >= end_s:
        raise InvalidInput("points", f"end = {_shown(end_s)}: must lie after begin = {_shown(begin_s)}")
    if as_of is not None and as_of.tzinfo is None:
        raise InvalidInput("points", _bare("as_of", as_of))
    with _snapshot(engine) as connection:
        found = []
        for name in names:
            series = require(connection, Series, name)
            newest = sa.select(sa.func.coalesce(sa.func.max(VERSIONS.c.version), 0)).where(
                VERSIONS.c.series_id == name
            )
            if as_of is not None:
                newest = newest.where(VERSIONS.c.recorded_at <= as_of)
            version = connection.execute(newest).scalar_one()
            first_s = begin_s
            if reach_back and begin_s is not None:
                first_s = begin_s - (begin_s - phase_of(series)) % series.step_s
            found.append(Found(series, read_rows(connection, name, first_s, end_s, version), version))
    return found


def raster_of(series: Series, rows: Sequence[Rows], begin: Moment | None, end: Moment | None) -> np.ndarray:
    """Return the beginnings of all steps of a span, seconds since 1970, shape (steps,).

    Raises
    ------
    InvalidInput
        If an end of the span is neither given nor told by a point, or there would be far more steps than points.
    """
    begin_s, end_s = as_second(begin, "begin", up=True), as_second(end, "end", up=True)
    step, phase = series.step_s, phase_of(series)
    filled = [one for one in rows if len(one)]
    if not filled and (begin_s is None or end_s is None):
        raise InvalidInput(f"series {show(series.id)}", "has no points there; give begin and end, or import some")
    first = min(int(one.seconds[0]) for one in filled) if begin_s is None else begin_s
    last = max(int(one.seconds[-1]) for one in filled) + 1 if end_s is None else end_s
    raster_begin = first + (phase - first) % step
    count = max(0, -((raster_begin - last) // step))
    if count > SPARSEST * sum(map(len, filled)) + ALWAYS_STEPS * SPARSEST:
        raise InvalidInput(
            f"series {show(series.id)}",
            f"has {sum(map(len, filled))} points in {count} steps from {_shown(first)} to {_shown(last)}; "
            "choose a shorter span by begin and end",
        )
    return raster_begin + step * np.arange(count, dtype="int64")


def phase_of(series: Series) -> int:
    """Return how many seconds after a whole step since 1970 the steps of a series begin."""
    return round(series.raster_start.timestamp()) % series.step_s


def as_second(value: Moment | None, name: str, *, up: bool = False) -> int | None:
    """Return a moment as seconds since 1970; rounded up, so that what begins at or after it stays the same.

    Raises
    ------
    InvalidInput
        If a moment of Python states no offset from UTC.
    """
    if value is None:
        return None
    if isinstance(value, np.datetime64):
        microseconds = int(value.astype("datetime64[us]").astype("int64"))
    else:
        if value.tzinfo is None:
            raise InvalidInput("points", _bare(name, value))
        microseconds = (value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    return -(-microseconds // 1_000_000) if up else microseconds // 1_000_000


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Return a connection for reading that sees one state of the database, whatever others write meanwhile."""
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with reading(engine.execution_options(**options)) as connection:
        yield connection


def _bare(name: str, value: dt.datetime) -> str:
    return f"{name} = {value.isoformat()}: must say its offset from UTC, as in 2024-06-01T08:00+02:00"


def _shown(second: int) -> str:
    return shown_time(np.datetime64(second, "s"))
