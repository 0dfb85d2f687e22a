"""Reading a file of people: its columns become one dataset on a raster in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from ems.errors import InvalidInput, show
from ems.folders import shown_path
from ems.series.cells import read_numbers
from ems.series.columns import Source, choose_sources, found_columns, time_column_finding, unit_finding
from ems.series.form import Need, SeriesForm
from ems.series.plausibility import check_values
from ems.series.table import RawTable, read_table
from ems.series.time_axis import Raster, Stamps, make_raster, read_stamps
from ems.series.wording import Remarks, shortened, shown_time
from ems.units import unit_of


def read_series(path: Path, needs: Sequence[Need], form: SeriesForm, timezone: str) -> xr.Dataset:
    """Return the series that assets need from a file, on the file's own raster; missing values are NaN.

    Parameters
    ----------
    path : Path
        A text file (.csv, .txt, .tsv), Excel (.xlsx) or Parquet (.parquet).
    needs : sequence of Need
        What the assets of a site need; each variable of each asset once.
    form : SeriesForm
    timezone : str
        The site's time zone; read for stamps without offset where `form.timezone` is left out.

    Returns
    -------
    Dataset (time, asset)
        As the package's docstring says; ``attrs["notes"]`` lists each assumption and change.

    Raises
    ------
    InvalidInput
        With all findings about the file that can be told together.
    """
    needs = list(dict.fromkeys(needs))
    table = read_table(path, form)
    sources = _choose(table, needs, form)
    table = table.without_blank_rows(form.time_column)
    if len(table) == 0:
        raise InvalidInput(table.where, "has no rows below its header")
    remarks = Remarks()
    stamps = read_stamps(table, form, timezone, remarks.findings)
    raster = make_raster(stamps, table, remarks.findings) if stamps else None
    values = _read_values(sources, stamps, raster, table, remarks)
    if remarks.findings:
        raise InvalidInput(table.where, shortened(remarks.findings))
    assert stamps is not None and raster is not None, "without findings there is a raster"
    return _dataset(sources, values, raster).assign_attrs(
        source=shown_path(path),
        sha256=table.sha256,
        timezone=stamps.read_as,
        step_h=raster.step_h,
        notes=[*_assumed_zone(stamps), *_zone_notes(stamps, form), *_row_notes(raster), *remarks.notes],
    )


def _choose(table: RawTable, needs: Sequence[Need], form: SeriesForm) -> list[Source]:
    """Return the column of each need, or raise what is missing together with what was found."""
    found = [str(name) for name in table.cells.columns]
    findings = time_column_finding(form, found)
    sources = choose_sources(needs, form, found, findings)
    if findings:
        raise InvalidInput(table.where, [*shortened(findings), found_columns(form, found)])
    return sources


def _read_values(
    sources: Sequence[Source],
    stamps: Stamps | None,
    raster: Raster | None,
    table: RawTable,
    remarks: Remarks,
) -> list[np.ndarray]:
    """Return the values of each source in its variable's unit, each of shape (rows,)."""
    names = dict.fromkeys(source.column for source in sources)
    columns = {name: read_numbers(table, name, remarks.findings) for name in names}
    if stamps is None:
        return []
    checked = []
    for source in sources:
        error, note = unit_finding(source, raster.step_h) if raster else (None, None)
        if error:
            remarks.findings.append(error)
            continue  # numbers in another unit would only be judged wrongly
        if note:
            remarks.notes.append(note)
        if source.multiply_by != 1:
            remarks.notes.append(
                f"column {show(source.column)} was multiplied by {source.multiply_by:g} to give {source.need}"
            )
        with np.errstate(over="ignore"):
            values = columns[source.column] * source.multiply_by
        checked.append(check_values(values, source, stamps.utc, table, remarks))
    return checked


def _dataset(sources: Sequence[Source], values: Sequence[np.ndarray], raster: Raster) -> xr.Dataset:
    """Return rows laid on the raster, one variable a name, NaN where there is no row or no asset."""
    assets = list(dict.fromkeys(source.need.asset for source in sources))
    data: dict[str, np.ndarray] = {}
    columns: dict[str, dict[str, str]] = {}
    for source, column in zip(sources, values, strict=True):
        variable, asset = source.need.variable, source.need.asset
        if variable not in data:
            data[variable] = np.full((len(raster.times), len(assets)), np.nan)
            columns[variable] = {}
        data[variable][raster.positions, assets.index(asset)] = column
        columns[variable][asset] = source.column
    return xr.Dataset(
        {
            name: (("time", "asset"), array, {"units": unit_of(name), "columns": columns[name]})
            for name, array in data.items()
        },
        coords={"time": raster.times, "asset": assets},
    )


def _assumed_zone(stamps: Stamps) -> list[str]:
    # A stamp that states its offset leaves nothing to assume.
    return [] if "offset from UTC" in stamps.read_as and "without" not in stamps.read_as else [stamps.read_as]


def _zone_notes(stamps: Stamps, form: SeriesForm) -> list[str]:
    if form.timezone is not None and "offset from UTC" in stamps.read_as:
        return [f"timezone {form.timezone} was not used, since each stamp states its offset"]
    return []


def _row_notes(raster: Raster) -> list[str]:
    absent = np.setdiff1d(np.arange(len(raster.times)), raster.positions)
    if not len(absent):
        return []
    rows = "row is" if len(absent) == 1 else "rows are"
    return [f"{len(absent)} {rows} missing in the file, the first at {shown_time(raster.times[absent[0]])}"]
