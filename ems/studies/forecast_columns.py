"""Columns for a forecast: the series and the signals beside it, from a file of people or from the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ems.display import counted
from ems.errors import InvalidInput, show
from ems.folders import shown_path
from ems.series.columns import choose_sources, found_columns
from ems.series.form import Need, SeriesForm
from ems.series.own_columns import FileColumns, OwnColumn, read_columns
from ems.series.plausibility import LARGEST_NEGATIVE_SHARE
from ems.series.table import RawTable, read_table
from ems.series.wording import shown_time
from ems.studies.forecast_target import MEASURED, Target
from ems.studies.history_study import signal_of

if TYPE_CHECKING:
    from ems.studies.history_study import HistoryStudy

TRUSTED = ("measured", "estimated", "substituted")
"""Qualities of points that are learned from; others are gaps."""


@dataclass(frozen=True)
class ReadColumns:
    """A series and its signals on one raster of equal steps.

    Parameters
    ----------
    times : DatetimeIndex (steps,)
        UTC without zone.
    values : ndarray (steps,)
        NaN is a gap.
    ahead, past : mapping of str to ndarray (steps,)
        Signals known ahead and once measured, by name.
    variable : str
        What the values are.
    unit, timezone : str or None
        As the database knows them.
    source : str
        File, or series in the database, for people.
    kind_of_place : str
        ``the file`` or ``the database``.
    series_id : str or None
        Series in the database.
    notes : tuple of str
    """

    times: pd.DatetimeIndex
    values: np.ndarray
    ahead: Mapping[str, np.ndarray]
    past: Mapping[str, np.ndarray]
    variable: str
    source: str
    kind_of_place: str
    unit: str | None = None
    timezone: str | None = None
    series_id: str | None = None
    notes: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------- from a file
def from_file(study: HistoryStudy, target: Target) -> ReadColumns:
    """Return the series of a target and the signals of a study from its file.

    Raises
    ------
    InvalidInput
        With all findings about the file that can be told together.
    """
    path = study.series_file()
    assert path is not None, "a study of a file names one"
    form = _form_of(study, target)
    table = read_table(path, form)
    notes: list[str] = []
    if study.site is None and "time_column" not in study.form:
        form, notes = _first_as_time(table, form)
    source = _target_column(table, form, target)
    signals = [signal_of(text) for text in (*study.known_ahead, *study.known_past)]
    # A signal may carry any name, also one that a variable has: its values are then checked as that variable's.
    wanted = [source, *(OwnColumn(column, name, target.asset_id or column) for name, column in signals)]
    read = read_columns(table, wanted, form, timezone=target.timezone)
    values = {name: read.on_raster(at + 1) for at, (name, _) in enumerate(signals)}
    ahead = {name: values[name] for name, _ in map(signal_of, study.known_ahead)}
    return ReadColumns(
        times=read.times,
        values=read.on_raster(0),
        ahead=ahead,
        past={name: one for name, one in values.items() if name not in ahead},
        variable=target.variable,
        source=f"{shown_path(path)}, column {show(source.column)}",
        kind_of_place="the file",
        notes=(*notes, *read.notes, *_missing_rows(read)),
    )


def _form_of(study: HistoryStudy, target: Target) -> SeriesForm:
    """Return how the file is written: as the site file says, with what the study states itself."""
    form = target.portfolio.series if target.portfolio is not None else SeriesForm()
    given: dict[str, Any] = dict(study.form)
    if study.timezone is not None and form.timezone is None:
        given.setdefault("timezone", study.timezone)
    return form.replace(**given) if given else form


def _first_as_time(table: RawTable, form: SeriesForm) -> tuple[SeriesForm, list[str]]:
    """Return the form with the first column as that of time, where none is called so."""
    found = [str(name) for name in table.cells.columns]
    if form.time_column in found or not found:
        return form, []
    return form.replace(time_column=found[0]), [f"column {show(found[0])}, the first one, is read as time"]


def _target_column(table: RawTable, form: SeriesForm, target: Target) -> OwnColumn:
    """Return the column of a target: the one that is named, or that the site file gives its asset.

    Raises
    ------
    InvalidInput
        If there is none, or several would do.
    """
    if target.asset is None:
        return OwnColumn(target.variable, target.variable, target.variable)
    assert target.portfolio is not None, "an asset is in a portfolio"
    alike = [
        one for one in target.portfolio.assets if one.kind in MEASURED and MEASURED[one.kind][1] == target.variable
    ]
    # Others of the same variable take part, since a column without an asset's name is only clear where there is one.
    needs = [Need(target.variable, one.id, is_required=one.id == target.asset_id) for one in alike]
    own = form.replace(columns=tuple(use for use in form.columns if use.variable == target.variable))
    found = [str(name) for name in table.cells.columns]
    findings: list[str] = []
    sources = choose_sources(needs, own, found, findings)
    chosen = next((one for one in sources if one.need.asset == target.asset_id), None)
    if chosen is None:
        raise InvalidInput(table.where, [*findings, found_columns(form, found)])
    return OwnColumn(chosen.column, target.variable, target.asset_id, chosen.multiply_by)


def _missing_rows(read: FileColumns) -> list[str]:
    absent = np.setdiff1d(np.arange(len(read.times)), read.positions)
    if not len(absent):
        return []
    rows = "row is" if len(absent) == 1 else "rows are"
    return [f"{len(absent)} {rows} missing in the file, the first at {shown_time(read.times[absent[0]])}"]


# ---------------------------------------------------------------------------------------------- from the database
def from_database(study: HistoryStudy, target: Target) -> ReadColumns:
    """Return the series of a target and the signals of a study from the database.

    Raises
    ------
    InvalidInput
        If a series is not there, several would do, or they share no raster.
    """
    from ems.database.engine import connect
    from ems.database.measurements import get_series
    from ems.database.point_reading import read_points

    engine = connect()
    own = study.column if target.asset is None else _series_of(engine, target)
    assert own is not None, "a target is an asset's or a series"
    signals = [signal_of(text) for text in (*study.known_ahead, *study.known_past)]
    series = get_series(engine, own)
    if series.kind == "total":
        raise InvalidInput(f"series {show(own)}", "holds totals of steps; a series of means is needed")
    points = read_points(engine, [own, *(name for _, name in signals)])
    notes: list[str] = []
    of = {name: _trusted(points, name, notes) for name in dict.fromkeys([own, *(name for _, name in signals)])}
    values = _without_tiny_negatives(of[own], own, notes) if series.variable == "available_kw" else of[own]
    return ReadColumns(
        times=pd.DatetimeIndex(points["time"].to_numpy()).as_unit("ns"),
        values=values,
        ahead={name: of[one] for name, one in map(signal_of, study.known_ahead)},
        past={name: of[one] for name, one in map(signal_of, study.known_past)},
        variable=series.variable,
        source=f"series {show(own)} in the database, version {points.attrs['versions'][own]}",
        kind_of_place="the database",
        unit=series.unit,
        timezone=series.timezone,
        series_id=own,
        notes=tuple(notes),
    )


def _series_of(engine: Any, target: Target) -> str:
    """Return the id of the series in which an asset's variable is measured.

    Raises
    ------
    InvalidInput
        If there is none, or several.
    """
    from ems.database.measurements import list_series

    found = [one.series.id for one in list_series(engine, variable=target.variable, asset=target.asset_id)]
    if len(found) == 1:
        return found[0]
    what = f"{target.variable} of {show(target.asset_id)}"
    if found:
        names = ", ".join(map(show, found[:5]))
        raise InvalidInput(what, f"has {len(found)} series in the database, {names}; name one of them as column")
    raise InvalidInput(
        what,
        f"has no series in the database; import one with `ems series import FILE --asset {target.asset_id} "
        f"--variable {target.variable}`, or say source = file",
    )


def _trusted(points: Any, name: str, notes: list[str]) -> np.ndarray:
    """Return a series' values whose quality can be trusted, NaN elsewhere."""
    at = list(points["series"].values).index(name)
    variable = next(str(one) for one in points.data_vars if name in points[one].attrs.get("series", ()))
    values: np.ndarray = points[variable].to_numpy()[:, at].astype(float)
    quality = points["quality"].to_numpy()[:, at]
    doubtful = np.isfinite(values) & ~np.isin(quality, TRUSTED)
    if doubtful.any():
        notes.append(f"{counted(int(doubtful.sum()), 'value')} of series {show(name)} are suspect and were not used")
    return np.where(doubtful, np.nan, values)


def _without_tiny_negatives(values: np.ndarray, name: str, notes: list[str]) -> np.ndarray:
    """Return available power as files are read, too: what a meter shows at rest is zero."""
    below = values < 0
    if not below.any():
        return values
    lowest, highest = float(np.nanmin(values)), float(np.nanmax(values))
    if lowest < -LARGEST_NEGATIVE_SHARE * max(highest, 0.0):
        raise InvalidInput(
            f"series {show(name)}",
            f"has {counted(int(below.sum()), 'value')} below zero, down to {lowest:.6g} kW; power that can be "
            "generated is at least 0 kW",
        )
    notes.append(f"{counted(int(below.sum()), 'value')} slightly below zero, lowest {lowest:.6g} kW, set to 0 kW")
    return np.where(below, 0.0, values)
