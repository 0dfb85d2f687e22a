"""Columns of a file of people, for series of their own: any variables, also those that no asset needs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ems.errors import EmsWarning, InvalidInput, did_you_mean, show
from ems.series.cells import read_numbers
from ems.series.columns import Source, found_columns, time_column_finding, unit_finding
from ems.series.form import Need, SeriesForm, variable_of
from ems.series.plausibility import check_values
from ems.series.table import RawTable, read_table
from ems.series.time_axis import Raster, Stamps, make_raster, read_stamps
from ems.series.wording import Remarks, first_of, shortened, shown_time


@dataclass(frozen=True)
class OwnColumn:
    """A column of a file, and what it holds.

    Parameters
    ----------
    column : str
        Its header.
    variable : str
        What it holds; where the package knows the variable, unit and values are checked as for a study.
    owner : str
        What it is of, for messages: id of an asset or meter.
    multiply_by : float
        Factor from the column's unit to the variable's.
    """

    column: str
    variable: str
    owner: str
    multiply_by: float = 1.0


@dataclass(frozen=True)
class FileColumns:
    """Columns of a file on a raster of equal steps.

    Parameters
    ----------
    times : DatetimeIndex (steps)
        Beginnings of all steps from the first row to the last, UTC without zone.
    positions : ndarray of int (rows)
        The step of each row; of steps without a row there is none.
    values : list of ndarray (rows)
        Of each column in the unit of its variable; NaN where a cell holds no value.
    step_h : float
    sha256 : str
        Of the file's bytes.
    notes : tuple of str
        Each assumption and each change of a value, in words.
    """

    times: pd.DatetimeIndex
    positions: np.ndarray
    values: list[np.ndarray]
    step_h: float
    sha256: str
    notes: tuple[str, ...]

    def on_raster(self, at: int) -> np.ndarray:
        """Return the values of a column in all steps, NaN where there is no row, shape (steps,)."""
        found = np.full(len(self.times), np.nan)
        found[self.positions] = self.values[at]
        return found


@dataclass(frozen=True)
class FileColumn:
    """The rows of a file in one column.

    Parameters
    ----------
    times : DatetimeIndex (rows)
        Beginnings of steps, UTC without zone; steps without a row are left out.
    values : ndarray (rows)
        In the unit of the variable; NaN where a cell holds no value.
    step_h : float
        Length of a step.
    sha256 : str
        Of the file's bytes.
    notes : tuple of str
        Each assumption and each change of a value, in words.
    """

    times: pd.DatetimeIndex
    values: np.ndarray
    step_h: float
    sha256: str
    notes: tuple[str, ...]


def read_column(
    path: Path,
    column: str,
    variable: str,
    owner: str,
    form: SeriesForm,
    *,
    timezone: str | None = None,
    multiply_by: float = 1.0,
) -> FileColumn:
    """Return one column of a file, with its stamps in UTC.

    Parameters
    ----------
    path : Path
        As of `ems.series.reading.read_series`.
    column, variable, owner : str
        As of `OwnColumn`.
    form : SeriesForm
    timezone : str, optional
        Read for stamps without offset where `form.timezone` is left out; without either they are refused.
    multiply_by : float

    Raises
    ------
    InvalidInput
        With all findings about the file that can be told together.
    """
    table = read_table(path, form)
    read = read_columns(table, [OwnColumn(column, variable, owner, multiply_by)], form, timezone=timezone)
    return FileColumn(read.times[read.positions], read.values[0], read.step_h, read.sha256, read.notes)


def read_columns(
    table: RawTable, wanted: Sequence[OwnColumn], form: SeriesForm, *, timezone: str | None = None
) -> FileColumns:
    """Return columns of a file, with its stamps in UTC.

    Parameters
    ----------
    table : RawTable
        The file, as `ems.series.table.read_table` gives it.
    wanted : sequence of OwnColumn
    form : SeriesForm
    timezone : str, optional
        Read for stamps without offset where `form.timezone` is left out; without either they are refused.

    Raises
    ------
    InvalidInput
        With all findings about the file that can be told together.
    """
    found = [str(name) for name in table.cells.columns]
    findings = time_column_finding(form, found)
    absent = dict.fromkeys(one.column for one in wanted if one.column not in found)
    findings += [f"no column {show(name)}; {did_you_mean(name, found)}" for name in absent]
    if findings:
        raise InvalidInput(table.where, [*findings, found_columns(form, found)])
    table = table.without_blank_rows(form.time_column)
    if len(table) == 0:
        raise InvalidInput(table.where, "has no rows below its header")
    remarks = Remarks()
    stamps = _read_stamps(table, form, timezone, remarks.findings)
    raster = make_raster(stamps, table, remarks.findings) if stamps else None
    values = [_values_of(one, table, stamps, raster, remarks) for one in wanted]
    if remarks.findings:
        raise InvalidInput(table.where, shortened(list(dict.fromkeys(remarks.findings))))
    assert stamps is not None and raster is not None, "without findings there is a raster"
    assumed = [] if "stamps state their offset" in stamps.read_as else [stamps.read_as]
    notes = tuple(dict.fromkeys([*assumed, *remarks.notes]))
    return FileColumns(raster.times, raster.positions, values, raster.step_h, table.sha256, notes)


def _values_of(
    wanted: OwnColumn, table: RawTable, stamps: Stamps | None, raster: Raster | None, remarks: Remarks
) -> np.ndarray:
    """Return the values of a column in its variable's unit, shape (rows,)."""
    column, variable, factor = wanted.column, wanted.variable, wanted.multiply_by
    values = read_numbers(table, column, remarks.findings)
    if factor != 1:
        remarks.notes.append(f"column {show(column)} was multiplied by {factor:g} to give {variable}")
        with np.errstate(over="ignore"):
            values = values * factor
    if stamps is None:
        return values
    if variable_of(variable) is None:
        remarks.findings.extend(_infinite(values, column, table, stamps))
        return values
    source = Source(Need(variable, wanted.owner), column, factor)
    error, note = unit_finding(source, raster.step_h) if raster else (None, None)
    remarks.notes.extend([note] if note else [])
    if error:
        remarks.findings.append(error)
        return values  # numbers in another unit would only be judged wrongly
    return check_values(values, source, stamps.utc, table, remarks)


def _read_stamps(table: RawTable, form: SeriesForm, timezone: str | None, findings: list[str]) -> Stamps | None:
    """Return stamps in UTC; those without offset need a time zone, which nobody guesses here."""
    if timezone is not None:
        return read_stamps(table, form, timezone, findings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmsWarning)
        stamps = read_stamps(table, form, "UTC", findings)
    if stamps is not None and form.timezone is None and "state their offset" not in stamps.read_as:
        findings.append(
            f"stamps of column {show(form.time_column)} have no offset from UTC; say timezone, as in Europe/Berlin"
        )
        return None
    return stamps


def _infinite(values: np.ndarray, column: str, table: RawTable, stamps: Stamps) -> list[str]:
    return first_of(
        np.flatnonzero(np.isinf(values)),
        lambda at: (
            f"{table.place(at)}, column {show(column)} at {shown_time(stamps.utc[at])}: {values[at]:.6g} is not finite"
        ),
        f"infinite values of column {show(column)}",
    )
