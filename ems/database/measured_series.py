"""Series of assets from the database, in the form in which `ems.series.reading.read_series` gives those of a file."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from ems.database.measurement_records import QUALITIES, Quality, Series
from ems.database.measurements import list_series
from ems.database.point_reading import Found, Moment, phase_of, raster_of, read_found
from ems.database.point_rows import Rows
from ems.display import counted
from ems.errors import InvalidInput, did_you_mean, show
from ems.series.form import Need
from ems.series.plausibility import LARGEST_NEGATIVE_SHARE
from ems.series.wording import shortened, shown_step, shown_time
from ems.units import unit_of

if TYPE_CHECKING:
    import xarray as xr

TRUSTED: tuple[Quality, ...] = ("measured", "estimated", "substituted")
"""Qualities whose values are used where nothing else is said."""


def read_measured(
    engine: sa.Engine,
    needs: Sequence[Need],
    begin: Moment | None = None,
    end: Moment | None = None,
    *,
    series_ids: Sequence[str] = (),
    trusted: Sequence[Quality] = TRUSTED,
    as_of: dt.datetime | None = None,
) -> xr.Dataset:
    """Return the series that assets need from the database, on one raster; missing values are NaN.

    Where series have steps of several lengths, the raster is that of the shortest, and a longer step's value is held.

    Parameters
    ----------
    engine : Engine
    needs : sequence of Need
        What the assets of a site need; each variable of each asset once.
    begin, end : datetime or datetime64, optional
        Steps which begin at or after the one and before the other; where nothing is said, all that there are.
    series_ids : sequence of str
        The series to take where several would do: only these are looked at for the needs that one of them feeds.
    trusted : sequence of str
        Qualities whose values are used; others are gaps, and counted in the notes.
    as_of : datetime, optional
        As the database knew it at that moment.

    Returns
    -------
    Dataset (time, asset)
        As `ems.series` says; ``var.attrs["columns"]`` names the series of each asset. ``attrs["sha256"]`` is of
        their ids, times and values.

    Raises
    ------
    InvalidInput
        With all findings: needs without a series or with several, values that cannot be used, series without points.
    """
    import pandas as pd
    import xarray as xr

    needs = list(dict.fromkeys(needs))
    unknown = [word for word in trusted if word not in QUALITIES]
    if unknown:
        raise InvalidInput(f"quality {show(unknown[0])}", f"there is none; {did_you_mean(str(unknown[0]), QUALITIES)}")
    chosen = _choose(engine, needs, series_ids)
    ids = list(dict.fromkeys(chosen.values()))
    found = {one.series.id: one for one in read_found(engine, ids, begin, end, as_of=as_of, reach_back=True)}
    finest = min((one.series for one in found.values()), key=lambda series: series.step_s)
    findings, notes = _rasters_differ(finest, list(found.values())), list[str]()
    if findings:
        raise InvalidInput("series in the database", findings)
    held = {name: _held(one, finest) for name, one in found.items()}
    raster = raster_of(finest, list(held.values()), begin, end)
    assets = list(dict.fromkeys(need.asset for need in chosen))
    data: dict[str, np.ndarray] = {}
    columns: dict[str, dict[str, str]] = {}
    digest = hashlib.sha256()
    for need, name in chosen.items():
        array = data.setdefault(need.variable, np.full((len(raster), len(assets)), np.nan))
        columns.setdefault(need.variable, {})[need.asset] = name
        told_of = f"{need} (series {show(name)})"
        values = _laid_out(held[name], raster)
        values = _trusted_values(values, held[name], raster=raster, trusted=trusted, told_of=told_of, notes=notes)
        if need.variable == "available_kw":
            values = _without_tiny_negatives(values, raster, told_of, findings, notes)
        notes += _told_missing(values, raster, told_of)
        if found[name].series.step_s != finest.step_s:
            notes.append(
                f"values of {told_of} over {shown_step(found[name].series.step_h)} were held over "
                f"steps of {shown_step(finest.step_h)}"
            )
        array[:, assets.index(need.asset)] = values
        for part in (name.encode(), raster.tobytes(), values.tobytes()):
            digest.update(part)
    if findings:
        raise InvalidInput("series in the database", shortened(findings))
    versions = [f"{one.series.id} version {one.version}" for one in found.values()]
    return xr.Dataset(
        {
            name: (("time", "asset"), array, {"units": unit_of(name), "columns": columns[name]})
            for name, array in data.items()
        },
        coords={
            "time": pd.DatetimeIndex(raster.astype("datetime64[s]").astype("datetime64[ns]"), name="time"),
            "asset": assets,
        },
        attrs={
            "source": f"in the database ({', '.join(versions)})",
            "sha256": digest.hexdigest(),
            "timezone": "times are kept in UTC",
            "step_h": finest.step_h,
            "notes": notes,
        },
    )


# ---------------------------------------------------------------------------------------------- inside
def _choose(engine: sa.Engine, needs: Sequence[Need], series_ids: Sequence[str]) -> dict[Need, str]:
    """Return the series of each need, in the order of the needs; optional ones without a series are left out."""
    summaries = list_series(engine)
    known = {one.series.id for one in summaries}
    findings = [
        f"series {show(name)} is not in the database; {did_you_mean(name, known)}"
        for name in series_ids
        if name not in known
    ]
    chosen: dict[Need, str] = {}
    used: set[str] = set()
    for need in needs:
        fitting = [
            one.series for one in summaries if (one.series.variable, one.asset_id) == (need.variable, need.asset)
        ]
        named = [series for series in fitting if series.id in set(series_ids)]
        fitting = named or fitting
        used.update(series.id for series in named)
        totals = [series for series in fitting if series.kind == "total"]
        if len(fitting) > 1:
            names = " and ".join(show(series.id) for series in fitting[:3])
            findings.append(f"{need} has {len(fitting)} series, {names}; say which in series_ids")
        elif totals:
            findings.append(f"{need}: series {show(totals[0].id)} holds totals of steps; a series of means is needed")
        elif fitting:
            chosen[need] = fitting[0].id
        elif need.is_required:
            findings.append(
                f"no series for {need}; import one with `ems series import FILE --asset {need.asset} "
                f"--variable {need.variable}`"
            )
    findings += [
        f"series {show(name)} feeds nothing that is needed; leave it out"
        for name in series_ids
        if name in known and name not in used
    ]
    if findings or not chosen:
        raise InvalidInput(
            "series in the database", shortened(findings) or "none of those that could be used is there"
        )
    return chosen


def _rasters_differ(finest: Series, found: Sequence[Found]) -> list[str]:
    """Return sentences for series whose steps are not whole numbers of the shortest ones."""
    return [
        f"series {show(one.series.id)} with steps of {shown_step(one.series.step_h)} does not lie on the raster of "
        f"series {show(finest.id)} with steps of {shown_step(finest.step_h)}; import one of them on the other's raster"
        for one in found
        if one.series.step_s % finest.step_s or phase_of(one.series) % finest.step_s != phase_of(finest)
    ]


def _held(one: Found, finest: Series) -> Rows:
    """Return points on the raster of shorter steps, each value held over its own step."""
    count = one.series.step_s // finest.step_s
    if count == 1:
        return one.rows
    offsets = finest.step_s * np.arange(count, dtype="int64")
    return Rows(
        (one.rows.seconds[:, None] + offsets).ravel(),
        np.repeat(one.rows.values, count),
        np.repeat(one.rows.codes, count),
    )


def _laid_out(rows: Rows, raster: np.ndarray) -> np.ndarray:
    values = np.full(len(raster), np.nan)
    inside, places = _places(rows, raster)
    values[places] = rows.values[inside]
    return values


def _places(rows: Rows, raster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows lie on the raster, and where."""
    if not len(raster):
        return np.zeros(len(rows), dtype=bool), np.zeros(0, dtype="int64")
    inside = (rows.seconds >= raster[0]) & (rows.seconds <= raster[-1])
    return inside, np.searchsorted(raster, rows.seconds[inside])


def _trusted_values(
    values: np.ndarray,
    rows: Rows,
    *,
    raster: np.ndarray,
    trusted: Sequence[Quality],
    told_of: str,
    notes: list[str],
) -> np.ndarray:
    """Return values without those of other qualities; notes count what was left out and what is no measurement."""
    inside, places = _places(rows, raster)
    codes = rows.codes[inside]
    kept = values.copy()
    for code, quality in enumerate(QUALITIES):
        of_quality = places[codes == code]
        if not len(of_quality) or quality in ("measured", "missing"):
            continue
        told = f"{counted(len(of_quality), 'value')} of {told_of} {_is(of_quality)} {quality}"
        first = f"the first at {_shown(raster[of_quality[0]])}"
        if quality in trusted:
            notes.append(f"{told}, {first}")
        else:
            kept[of_quality] = np.nan
            notes.append(f"{told} and not used, {first}")
    if "measured" not in trusted:
        kept[places[codes == QUALITIES.index("measured")]] = np.nan
    return kept


def _without_tiny_negatives(
    values: np.ndarray, raster: np.ndarray, told_of: str, findings: list[str], notes: list[str]
) -> np.ndarray:
    """Return available power as files are read, too: what a meter shows at rest is zero, more below it is an error."""
    is_negative = values < 0
    if not is_negative.any():
        return values
    at = int(np.nanargmin(values))
    told = f"{counted(int(is_negative.sum()), 'value')} of {told_of}"
    lowest = f"lowest {values[at]:.6g} kW at {_shown(raster[at])}"
    if values[at] < -LARGEST_NEGATIVE_SHARE * max(float(np.nanmax(values)), 0.0):
        findings.append(f"{told} below zero, {lowest}; power that can be generated is at least 0 kW")
        return values
    notes.append(f"{told} slightly below zero, {lowest}, set to 0 kW")
    return np.where(is_negative, 0.0, values)


def _told_missing(values: np.ndarray, raster: np.ndarray, told_of: str) -> list[str]:
    empty = np.flatnonzero(np.isnan(values))
    if not len(empty):
        return []
    return [
        f"{counted(len(empty), 'value')} of {told_of} {_is(empty)} missing in the database, the first at "
        f"{_shown(raster[empty[0]])}"
    ]


def _is(places: np.ndarray) -> str:
    return "is" if len(places) == 1 else "are"


def _shown(second: np.int64) -> str:
    return shown_time(np.datetime64(int(second), "s"))
