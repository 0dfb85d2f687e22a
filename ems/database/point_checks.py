"""Whether times, values and qualities can be points of a series: all that speaks against it is said at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.database.measurement_records import QUALITIES, Series
from ems.database.point_rows import Rows
from ems.display import counted
from ems.errors import InvalidInput, did_you_mean, show
from ems.horizon import EARLIEST, LATEST
from ems.series.form import variable_of
from ems.series.wording import first_of, shortened, shown_step, shown_time

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LARGEST_NUMBER = 1e30
"""A value beyond is out of range also where nothing is known of a variable."""
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}(?::?\d{2})?)$")
_MISSING = QUALITIES.index("missing")


def checked_rows(
    series: Series,
    times: ArrayLike | Sequence[dt.datetime],
    values: ArrayLike,
    quality: str | Sequence[str] | None,
) -> tuple[Rows, int]:
    """Return points in the order of time, and how many values were left out since they say nothing.

    Raises
    ------
    InvalidInput
    """
    subject = f"points of series {show(series.id)}"
    moments = as_utc(times, subject)
    numbers = _as_numbers(values, subject)
    if len(moments) != len(numbers):
        raise InvalidInput(subject, f"has {counted(len(moments), 'time')} and {counted(len(numbers), 'value')}")
    codes = _as_codes(quality, numbers, moments, subject)
    order = np.argsort(moments, kind="stable")
    moments, numbers, codes = moments[order], numbers[order], codes[order]
    findings = [*_time_findings(series, moments), *_value_findings(series, moments, numbers, codes)]
    if findings:
        raise InvalidInput(subject, shortened(findings))
    says_nothing = np.isnan(numbers) & (codes != _MISSING)
    rows = Rows(moments.astype("datetime64[s]").astype("int64"), numbers, codes).where(~says_nothing)
    return rows, int(says_nothing.sum())


def as_utc(times: ArrayLike | Sequence[dt.datetime], subject: str) -> np.ndarray:
    """Return times as datetime64 in UTC, shape (points,).

    Arrays of stamps without zone are in UTC; Python's moments and texts must state their offset.

    Raises
    ------
    InvalidInput
    """
    import pandas as pd

    if isinstance(times, pd.Series):
        times = pd.DatetimeIndex(times) if pd.api.types.is_datetime64_any_dtype(times.dtype) else times.tolist()
    if isinstance(times, pd.DatetimeIndex):
        stamps = times if times.tz is None else times.tz_convert("UTC").tz_localize(None)
        return _without_nat(stamps.to_numpy(), subject)
    array = np.asarray(times)
    if array.ndim != 1:
        raise InvalidInput(subject, f"times have {array.ndim} dimensions; give one time for each value")
    if array.dtype.kind == "M":
        return _without_nat(array, subject)
    if array.dtype.kind in "iuf" and array.size:
        raise InvalidInput(subject, f"time = {show(array[0].item())}: must be a date and time, not a number")
    cells: list[Any] = array.tolist() if array.dtype != object else list(array)
    bare = np.array([at for at, cell in enumerate(cells) if not _states_offset(cell)], dtype=int)
    findings = first_of(
        bare,
        lambda at: (
            f"time = {show(str(cells[at]))} (point {at + 1}): must say its offset from UTC, as in "
            "2024-06-01T08:00+02:00"
        ),
        "times without an offset from UTC",
    )
    if findings:
        raise InvalidInput(subject, findings)
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(cells, utc=True, format="ISO8601"))
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(subject, f"times cannot be read: {show(str(error))}") from None
    return _without_nat(stamps.tz_convert("UTC").tz_localize(None).to_numpy(), subject)


def _states_offset(cell: Any) -> bool:
    if isinstance(cell, str):
        return _OFFSET.search(cell.strip()) is not None and ":" in cell
    return getattr(cell, "tzinfo", None) is not None


def _without_nat(stamps: np.ndarray, subject: str) -> np.ndarray:
    empty = np.flatnonzero(np.isnat(stamps))
    if len(empty):
        raise InvalidInput(
            subject, first_of(empty, lambda at: f"point {at + 1} has no time; leave it out", "points without a time")
        )
    return stamps


def _as_numbers(values: ArrayLike, subject: str) -> np.ndarray:
    cells = np.asarray(values)
    if cells.ndim != 1:
        raise InvalidInput(subject, f"values have {cells.ndim} dimensions; give one value for each time")
    if cells.dtype.kind in "iuf":
        return cells.astype("float64")
    numbers = np.full(len(cells), np.nan)
    wrong = []
    given = cells.tolist()
    for at, cell in enumerate(given):
        if cell is None:
            continue
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            numbers[at] = float(cell)
        else:
            wrong.append(at)
    findings = first_of(
        np.array(wrong, dtype=int),
        lambda at: f"value = {show(given[at])} (point {at + 1}): must be a number",
        "values that are no numbers",
    )
    if findings:
        raise InvalidInput(subject, findings)
    return numbers


def _as_codes(
    quality: str | Sequence[str] | None, numbers: np.ndarray, moments: np.ndarray, subject: str
) -> np.ndarray:
    """Return the places of qualities in `QUALITIES`, shape (points,)."""
    if quality is None or isinstance(quality, str):
        given = np.full(len(numbers), quality or QUALITIES[0])
    else:
        given = np.asarray(list(quality), dtype=str)
    if len(given) != len(numbers):
        raise InvalidInput(
            subject, f"has {counted(len(numbers), 'value')} and {len(given)} qualities; give one for each, or one word"
        )
    codes = np.full(len(given), -1, dtype="int64")
    for code, word in enumerate(QUALITIES):
        codes[given == word] = code
    unknown = np.flatnonzero(codes < 0)
    findings = first_of(
        unknown,
        lambda at: (
            f"quality = {show(str(given[at]))} at {shown_time(moments[at])}: must be one of {', '.join(QUALITIES)}; "
            f"{did_you_mean(str(given[at]), QUALITIES)}"
        ),
        "points of an unknown quality",
    )
    if findings:
        raise InvalidInput(subject, findings)
    return codes


def _time_findings(series: Series, moments: np.ndarray) -> list[str]:
    """Return what speaks against times, which are in order."""
    # In microseconds a far date does not overflow before it is named.
    wide = moments.astype("datetime64[us]")
    earliest, latest = (np.datetime64(limit.replace(tzinfo=None), "us") for limit in (EARLIEST, LATEST))
    years = f"the years {EARLIEST.year} to {LATEST.year - 1}"
    findings = first_of(
        np.flatnonzero((wide < earliest) | (wide >= latest)),
        lambda at: f"{_told(wide[at])} lies outside {years}",
        f"times outside {years}",
    )
    if findings:
        return findings
    twice = np.flatnonzero(wide[1:] == wide[:-1]) + 1
    findings = first_of(
        twice, lambda at: f"{shown_time(moments[at])} stands there twice; leave one", "times that stand there twice"
    )
    step, start = series.step_s * 1_000_000, np.datetime64(series.raster_start.replace(tzinfo=None), "us")
    off = np.flatnonzero((wide - start).astype("int64") % step + (moments != wide))

    def off_raster(at: int) -> str:
        before = start + np.timedelta64(step, "us") * ((wide[at] - start).astype("int64") // step)
        return (
            f"{shown_time(moments[at])} is off the raster of steps of {shown_step(series.step_h)}, of which one "
            f"begins at {shown_time(before)}; give times on it, or choose another series"
        )

    return findings + first_of(off, off_raster, f"times off the raster of steps of {shown_step(series.step_h)}")


def _told(moment: np.datetime64) -> str:
    return str(moment.astype("datetime64[s]")).replace("T", " ") + " UTC"


def _value_findings(series: Series, moments: np.ndarray, numbers: np.ndarray, codes: np.ndarray) -> list[str]:
    unit = f" {series.unit}" if series.unit not in (None, "1") else ""
    known = variable_of(series.variable)
    largest = known.largest if known else LARGEST_NUMBER

    def cell(at: int) -> str:
        return f"{series.variable} at {shown_time(moments[at])} = {numbers[at]:.6g}{unit}"

    with np.errstate(invalid="ignore"):
        infinite = np.flatnonzero(np.isinf(numbers))
        far = np.flatnonzero(np.isfinite(numbers) & (np.abs(numbers) > largest))
    valued = np.flatnonzero(~np.isnan(numbers) & (codes == _MISSING))
    return [
        *first_of(
            infinite, lambda at: f"{cell(at)}: must be finite; leave it out if none is known", "infinite values"
        ),
        *first_of(far, lambda at: f"{cell(at)}: must lie within ±{largest:g}{unit}", "values out of range"),
        *first_of(
            valued, lambda at: f"{cell(at)}: its quality is missing; give no value, or another quality", "such points"
        ),
    ]
