"""Stamps of people become a raster in UTC: offsets, local clocks and their changes, duplicates, missing rows."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ems.errors import EmsWarning, show
from ems.horizon import EARLIEST, LATEST
from ems.series.form import SeriesForm
from ems.series.table import RawTable
from ems.series.wording import first_of, shown_step, shown_time

ISO_8601 = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?(?:Z|[+-]\d{2}(?::?\d{2})?))?)?"
WITH_OFFSET = r".*:.*(?:Z|[+-]\d{2}(?::?\d{2})?)"
NS_PER_HOUR = 3_600_000_000_000
SPARSEST = 10
"""A raster may have this many steps for each row, and `ALWAYS_STEPS` more; beyond, the rows are no series."""
ALWAYS_STEPS = 100_000
SHORTEST_STEP_H = 1 / 3600  # a horizon counts whole seconds


@dataclass(frozen=True)
class Stamps:
    """The beginnings of steps, one for each row.

    Parameters
    ----------
    utc : DatetimeIndex (rows)
        UTC without zone, nanoseconds.
    read_as : str
        How they were read, in words.
    """

    utc: pd.DatetimeIndex
    read_as: str


@dataclass(frozen=True)
class Raster:
    """Equal steps in UTC, and the step of each row.

    Parameters
    ----------
    times : DatetimeIndex (steps)
    positions : ndarray of int (rows)
    step_h : float
    """

    times: pd.DatetimeIndex
    positions: np.ndarray
    step_h: float


def read_stamps(table: RawTable, form: SeriesForm, timezone: str, findings: list[str]) -> Stamps | None:
    """Return the stamps of a table in UTC; None with findings where they cannot be told.

    Parameters
    ----------
    table : RawTable
    form : SeriesForm
    timezone : str
        The site's time zone, for stamps without offset where the form names none.
    findings : list of str
        What is wrong is added here.
    """
    parsed = _parse(table, form, findings)
    if parsed is None:
        return None
    if parsed.tz is not None:
        utc = parsed.tz_convert("UTC").tz_localize(None).as_unit("ns")
        return Stamps(utc, "stamps state their offset from UTC")
    zone = form.timezone or timezone
    if form.timezone is None:
        warnings.warn(
            f"{table.where}: column {show(form.time_column)} has no offset from UTC and is read as {zone}, the "
            "site's time zone; say timezone under series to be sure",
            EmsWarning,
            stacklevel=3,
        )
    utc_or_none = _from_local(parsed, zone, table, findings)
    if utc_or_none is None:
        return None
    owner = "as stated" if form.timezone else "the site's time zone, since none was stated"
    return Stamps(utc_or_none, f"stamps without offset were read as {zone} ({owner})")


def _parse(table: RawTable, form: SeriesForm, findings: list[str]) -> pd.DatetimeIndex | None:
    """Return stamps in microseconds, with zone UTC where they state offsets, without zone where they do not."""
    cells = table.cells[form.time_column]
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        if form.time_format is not None:
            findings.append("time_format has no effect on a column of stamps; leave it out")
        has_offset = pd.Series(cells.dt.tz is not None, index=cells.index)
        stamps = cells
    elif form.time_format is not None:
        text = table.text(form.time_column)
        has_offset = pd.Series("%z" in form.time_format, index=text.index)
        try:
            stamps = pd.to_datetime(text, format=form.time_format, errors="coerce", utc=bool(has_offset.all()))
        except ValueError as error:
            findings.append(f"time_format = {show(form.time_format)}: {error}")
            return None
    else:
        text = table.text(form.time_column)
        has_offset = text.str.fullmatch(WITH_OFFSET).astype(bool)
        is_iso = text.str.fullmatch(ISO_8601).astype(bool)
        stamps = pd.to_datetime(text.where(is_iso), format="ISO8601", errors="coerce", utc=True)
        if not has_offset.any():
            stamps = stamps.dt.tz_localize(None)
    # In nanoseconds a far date would overflow before it is named.
    stamps = stamps.dt.as_unit("us")
    wrong = _no_stamps(np.flatnonzero(stamps.isna()), table, form) + _far(stamps, table)
    if wrong:
        findings += wrong
        return None
    if has_offset.any() and not has_offset.all():
        given, bare = int(np.argmax(has_offset)), int(np.argmin(has_offset))
        findings.append(
            f"some stamps state an offset from UTC ({table.place(given)}: {_shown_cell(table, given)}) and some do "
            f"not ({table.place(bare)}: {_shown_cell(table, bare)}); write all alike"
        )
        return None
    return pd.DatetimeIndex(stamps)


def _no_stamps(bad: np.ndarray, table: RawTable, form: SeriesForm) -> list[str]:
    wanted = f"of the form {form.time_format}" if form.time_format else "as in 2024-06-01T08:00+02:00"
    remedy = "" if form.time_format else "; another form needs time_format"
    return first_of(
        bad,
        lambda at: (
            f"{table.place(at)}, column {show(form.time_column)}: {_shown_cell(table, at)} is not a date and time "
            f"{wanted}{remedy}"
        ),
        f"cells of column {show(form.time_column)} that are no date and time",
    )


def _far(stamps: pd.Series[pd.Timestamp], table: RawTable) -> list[str]:
    """Return sentences for stamps outside the dates that are understood."""
    limits = [pd.Timestamp(limit).tz_convert(stamps.dt.tz) for limit in (EARLIEST, LATEST)]
    earliest, latest = limits if stamps.dt.tz else [limit.tz_localize(None) for limit in limits]
    years = f"the years {EARLIEST.year} to {LATEST.year}"
    return first_of(
        np.flatnonzero((stamps < earliest) | (stamps >= latest)),
        lambda at: f"{table.place(at)}: {_shown_cell(table, at)} lies outside {years}",
        f"stamps outside {years}",
    )


def _shown_cell(table: RawTable, position: int) -> str:
    return show(table.text(table.form.time_column).iloc[position])


def _from_local(
    local: pd.DatetimeIndex, timezone: str, table: RawTable, findings: list[str]
) -> pd.DatetimeIndex | None:
    """Return local stamps in UTC.

    An hour that occurs twice is told apart by the order of rows: where the clock falls back inside it, once, the
    rows before are the first pass (daylight saving time) and the rows from there on the second.
    """
    zone = ZoneInfo(timezone)
    rows = len(local)
    summer = local.tz_localize(zone, ambiguous=np.ones(rows, dtype=bool), nonexistent="NaT")
    winter = local.tz_localize(zone, ambiguous=np.zeros(rows, dtype=bool), nonexistent="NaT")
    skipped = np.flatnonzero(summer.isna())
    findings += first_of(
        skipped,
        lambda at: (
            f"{table.place(at)}: {_clock(local[at])} does not exist in {timezone}, where clocks jump over it; are "
            "the stamps of another zone? Say timezone, as in timezone: UTC"
        ),
        f"stamps that do not exist in {timezone}",
    )
    is_twice = np.asarray(summer != winter) & np.asarray(summer.notna())
    is_summer = np.ones(rows, dtype=bool)
    unclear = []
    for run in _runs(is_twice):
        backward = np.flatnonzero(np.diff(local[run].asi8) <= 0)
        if len(backward) == 1:
            is_summer[run[backward[0] + 1 :]] = False
        else:
            unclear.append(run[0])
    findings += first_of(
        np.array(unclear, dtype=int),
        lambda at: (
            f"{table.place(at)}: {_clock(local[at])} occurs twice in {timezone}, where clocks go back, and the rows "
            "do not show both passes in order; write stamps with their offset from UTC"
        ),
        "hours that occur twice",
    )
    if len(skipped) or unclear:
        return None
    chosen = np.where(
        is_summer, summer.tz_convert("UTC").tz_localize(None), winter.tz_convert("UTC").tz_localize(None)
    )
    return pd.DatetimeIndex(chosen).as_unit("ns")


def _runs(flags: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the positions of each unbroken run of true flags."""
    positions = np.flatnonzero(flags)
    if len(positions):
        yield from np.split(positions, np.flatnonzero(np.diff(positions) != 1) + 1)


def _clock(time: dt.datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M")


def make_raster(stamps: Stamps, table: RawTable, findings: list[str]) -> Raster | None:
    """Return the raster of equal steps on which all rows lie; None with findings where there is none."""
    if len(table) < 2:
        findings.append(
            "has no rows below its header"
            if len(table) == 0
            else "has one row only; two at least tell how long a step is"
        )
        return None
    ns = stamps.utc.asi8
    steps = np.diff(ns)
    if (steps <= 0).any():
        findings += _out_of_order(stamps, table)
        return None
    step = _most_common(steps)
    phases = (ns - ns[0]) % step
    phase = _most_common(phases)
    off = np.flatnonzero(phases != phase)
    step_h = step / NS_PER_HOUR
    hint = "; a day of local time may have 23 or 25 h, so give steps of 1 h or less" if step_h >= 24 else ""
    findings += first_of(
        off,
        lambda at: (
            f"{table.place(at)}: {shown_time(stamps.utc[at])} ({_shown_cell(table, at)}) is off the raster of steps "
            f"of {shown_step(step_h)}{hint}"
        ),
        f"stamps off the raster of steps of {shown_step(step_h)}",
    )
    count = int((ns[-1] - ns[0]) // step) + 1
    if step_h < SHORTEST_STEP_H:
        findings.append(f"has steps of {shown_step(step_h)}; the shortest that can be used are 1 s")
    if not len(off) and count > SPARSEST * len(ns) + ALWAYS_STEPS:
        findings.append(
            f"{len(ns)} rows from {shown_time(stamps.utc[0])} to {shown_time(stamps.utc[-1])} cannot be a series "
            f"with steps of {shown_step(step_h)}, which would have {count} rows"
        )
    if findings:
        return None
    times = (ns[0] + step * np.arange(count, dtype="int64")).astype("datetime64[ns]")
    return Raster(pd.DatetimeIndex(times, name="time"), (ns - ns[0]) // step, step_h)


def _most_common(values: np.ndarray) -> int:
    """Return the most frequent value, the smallest among equals."""
    found, counts = np.unique(values, return_counts=True)
    return int(found[np.argmax(counts)])


def _out_of_order(stamps: Stamps, table: RawTable) -> list[str]:
    """Return sentences for stamps that stand twice and for the first row that lies before its forerunner."""
    utc = stamps.utc
    again = np.flatnonzero(utc.duplicated())

    def twice(at: int) -> str:
        first = int(np.argmax(utc == utc[at]))
        return f"{table.place(first)} and {table.place(at)} have the same time, {shown_time(utc[at])}; leave one"

    findings = first_of(again, twice, "rows with a time that stood before")
    backward = np.flatnonzero(np.diff(utc.asi8) < 0) + 1
    if len(backward):
        at = int(backward[0])
        findings.append(
            f"{table.place(at)}: {shown_time(utc[at])} lies before {shown_time(utc[at - 1])} of the row above; "
            "sort the rows by time"
        )
    return findings
