"""Gaps of a column: told with place and remedy, or filled as the form allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ems.display import counted
from ems.errors import show
from ems.series.form import SeriesForm
from ems.series.wording import Remarks, shown_time

NS_PER_HOUR = 3_600_000_000_000
FILL_WORDS = {"interpolate": "interpolation", "previous": "the value before"}


@dataclass(frozen=True)
class Column:
    """The values of one variable of one asset, and the column of the file that they came from.

    Parameters
    ----------
    variable, asset : str
    column : str or None
        Header in the file; None where a dataset does not say.
    values : ndarray (steps)
    """

    variable: str
    asset: str
    column: str | None
    values: np.ndarray

    def __str__(self) -> str:
        return f"{self.variable} of {show(self.asset)}" + (f" (column {show(self.column)})" if self.column else "")


@dataclass(frozen=True)
class Window:
    """The steps of a series that a horizon touches.

    Parameters
    ----------
    boundaries : ndarray of int (steps + 1)
        Beginnings of all steps of the series and the end of the last one, nanoseconds since 1970 UTC.
    first, last : int
        The window begins with step `first` and ends before step `last`.
    """

    boundaries: np.ndarray
    first: int
    last: int

    def time(self, boundary: int) -> str:
        """Return a boundary as people read it."""
        return shown_time(np.datetime64(int(self.boundaries[boundary]), "ns"))


def columns_of(series: xr.Dataset) -> list[Column]:
    """Return a column for each variable and each asset to which it applies.

    Where a dataset does not say to which assets a variable applies, it is to those with a value.
    """
    columns = []
    for name, variable in series.data_vars.items():
        array = variable.transpose("time", "asset").values
        sources = variable.attrs.get("columns")
        for at, asset in enumerate(series["asset"].values):
            if asset in sources if sources is not None else not np.isnan(array[:, at]).all():
                columns.append(Column(str(name), str(asset), (sources or {}).get(asset), array[:, at]))
    return columns


def without_gaps(
    column: Column, window: Window, form: SeriesForm, others: Sequence[Column], remarks: Remarks
) -> np.ndarray:
    """Return a column's values without gaps inside a window, shape (steps,).

    Parameters
    ----------
    column : Column
    window : Window
    form : SeriesForm
        Whether and how gaps are filled.
    others : sequence of Column
        All columns of the series; one that goes on where this one ends shows that it is too short.
    remarks : Remarks
        Findings tell what may not be filled, notes what was filled.
    """
    is_missing = np.isnan(column.values)
    if not is_missing[window.first : window.last].any():
        return column.values
    gaps = [gap for gap in _runs(is_missing) if gap[0] < window.last and gap[1] > window.first]
    short = _ends_early(column, gaps[-1], window, others)
    if short:
        remarks.findings.append(short)
        gaps = gaps[:-1]
    if not gaps:
        return column.values
    told = _told(column, gaps, window)
    if form.fill_gaps == "refuse":
        remarks.findings.append(
            f"{told}; give these values, choose a horizon without them, or say fill_gaps: interpolate or previous"
        )
        return column.values
    refused = list(_unfillable(column, gaps, window, form))
    if refused:
        remarks.findings.extend(refused)
        return column.values
    remarks.notes.append(f"{told}, filled by {FILL_WORDS[form.fill_gaps]}")
    return _filled(column.values, is_missing, window, form)


def _runs(flags: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the first position of each run of true flags, and the one after it."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _told(column: Column, gaps: Sequence[tuple[int, int]], window: Window) -> str:
    """Return how many gaps a column has and where: ``... has 2 gaps (5 missing values) between ... and ...``."""
    count = sum(end - begin for begin, end in gaps)
    first, last = window.time(gaps[0][0]), window.time(gaps[-1][1] - 1)
    where = f"at {first}" if first == last else f"between {first} and {last}"
    return f"{column} has {counted(len(gaps), 'gap')} ({counted(count, 'missing value')}) {where}"


def _unfillable(column: Column, gaps: Sequence[tuple[int, int]], window: Window, form: SeriesForm) -> Iterator[str]:
    """Yield a sentence for each gap that is too long or has no value on one of its sides."""
    for begin, end in gaps:
        length_h = (window.boundaries[end] - window.boundaries[begin]) / NS_PER_HOUR
        where = f"{column}: the gap from {window.time(begin)} to {window.time(end)}"
        if begin == 0 or end == len(column.values):
            side = "start" if begin == 0 else "end"
            yield f"{where} lies at the {side} of the data, where nothing is filled; choose a horizon without it"
        elif length_h > form.longest_fill_h * (1 + 1e-12):  # the rounding of a length like 0.1 h
            yield (
                f"{where} is {length_h:g} h long, more than longest_fill_h = {form.longest_fill_h:g} h; "
                "give these values or choose a horizon without them"
            )


def _filled(values: np.ndarray, is_missing: np.ndarray, window: Window, form: SeriesForm) -> np.ndarray:
    known, holes = np.flatnonzero(~is_missing), np.flatnonzero(is_missing)
    filled = values.copy()
    if form.fill_gaps == "previous":
        before = np.maximum(np.searchsorted(known, holes) - 1, 0)
        filled[holes] = values[known[before]]
    else:
        middles = (window.boundaries[:-1] - window.boundaries[0]) + np.diff(window.boundaries) / 2
        filled[holes] = np.interp(middles[holes], middles[known], values[known])
    return filled


def _ends_early(column: Column, gap: tuple[int, int], window: Window, others: Sequence[Column]) -> str | None:
    """Return the sentence for a column whose last gap lasts to the end while another column goes on."""
    begin, end = gap
    if end < len(column.values):
        return None
    counts = [int(np.sum(~np.isnan(other.values))) for other in (column, *others)]
    longer = [
        (count, other)
        for count, other in zip(counts[1:], others, strict=True)
        if count > counts[0] and not np.isnan(other.values[begin:]).all()
    ]
    if not longer:
        return None
    if counts[0] == 0:
        return f"{column} has no value in any row, while {longer[0][1]} has; is it the right column?"
    most, longest = max(longer, key=lambda pair: pair[0])
    ends = f", the last one at {window.time(begin - 1)}"
    return (
        f"{column} has {counted(counts[0], 'value')}{ends}, but {longest} has {counted(most, 'value')}; "
        "give the values that are missing at its end or choose a horizon that ends before"
    )
