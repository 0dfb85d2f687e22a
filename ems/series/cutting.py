"""Cutting series to a horizon: gaps refused or filled, finer data averaged, coarser data held."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import xarray as xr

from ems.errors import InvalidInput, MissingValues
from ems.horizon import Horizon
from ems.series.form import SeriesForm
from ems.series.gaps import NS_PER_HOUR, Window, columns_of, without_gaps
from ems.series.wording import Remarks, shortened, shown_step, shown_time


def start_of(series: xr.Dataset) -> dt.datetime:
    """Return the beginning of the first step, UTC."""
    start: dt.datetime = pd.Timestamp(series["time"].values[0]).to_pydatetime().replace(tzinfo=dt.UTC)
    return start


def step_of(series: xr.Dataset) -> float:
    """Return the length of a step in hours.

    Raises
    ------
    InvalidInput
        If steps have different lengths, as after a cut to a horizon whose steps differ.
    """
    lengths = np.diff(_boundaries(series)) / NS_PER_HOUR
    if (lengths != lengths[0]).any():
        raise InvalidInput(
            _subject(series), f"has steps from {shown_step(lengths.min())} to {shown_step(lengths.max())}"
        )
    return float(lengths[0])


def cut_series(series: xr.Dataset, horizon: Horizon, form: SeriesForm) -> xr.Dataset:
    """Return series on exactly the horizon's steps, without gaps.

    A value is the time-weighted mean over its step: finer data are averaged, coarser data are held. Values which
    are missing inside the horizon are refused or filled, as `form.fill_gaps` says; only gaps inside the data and
    at most `form.longest_fill_h` long are filled.

    Parameters
    ----------
    series : Dataset (time, asset)
        From `read_series`, or cut before.
    horizon : Horizon
    form : SeriesForm

    Returns
    -------
    Dataset (time, asset)
        With the horizon's times; ``attrs["notes"]`` also tell what was filled, averaged or held.

    Raises
    ------
    InvalidInput
        If the series does not cover the horizon.
    MissingValues
        If values are missing inside the horizon and may not be filled.
    """
    given, wanted = _boundaries(series), horizon.boundaries.asi8
    if wanted[0] < given[0] or wanted[-1] > given[-1]:
        raise InvalidInput(_subject(series), _not_covered(given, horizon))
    window = Window(
        given,
        first=int(np.searchsorted(given, wanted[0], side="right")) - 1,
        last=int(np.searchsorted(given, wanted[-1], side="left")),
    )
    remarks = Remarks()
    columns = columns_of(series)
    arrays = {str(name): np.full((len(horizon), series.sizes["asset"]), np.nan) for name in series.data_vars}
    for column in columns:
        values = without_gaps(column, window, form, columns, remarks)
        at = series.get_index("asset").get_loc(column.asset)
        arrays[column.variable][:, at] = averaged(values, given, wanted)
    if remarks.findings:
        raise MissingValues(_subject(series), shortened(remarks.findings))
    return xr.Dataset(
        {name: (("time", "asset"), array, series[name].attrs) for name, array in arrays.items()},
        coords={"time": horizon.times, "asset": series["asset"].values},
        attrs={
            **series.attrs,
            "step_h": _step_attribute(horizon),
            "notes": [*series.attrs.get("notes", []), *remarks.notes, *_step_notes(window, horizon)],
        },
    )


def averaged(values: np.ndarray, given: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the time-weighted means over other steps, shape (steps wanted,).

    mean[i] = sum over pieces of step i of (value * length of the piece) / length of step i

    Parameters
    ----------
    values : ndarray (steps given)
    given, wanted : ndarray of int
        Boundaries of steps in nanoseconds; those wanted lie within those given.
    """
    inside = given[(given > wanted[0]) & (given < wanted[-1])]
    edges = np.union1d(inside, wanted)
    pieces = values[np.searchsorted(given, edges[:-1], side="right") - 1]
    lengths = np.diff(edges).astype("float64")
    starts = np.searchsorted(edges, wanted[:-1])
    means = np.add.reduceat(pieces * lengths, starts) / np.add.reduceat(lengths, starts)
    # One piece alone is its own mean, to the last digit.
    is_one = np.diff(np.append(starts, len(pieces))) == 1
    return np.asarray(np.where(is_one, pieces[starts], means))


def _subject(series: xr.Dataset) -> str:
    return f"series {series.attrs.get('source', 'in memory')}"


def _boundaries(series: xr.Dataset) -> np.ndarray:
    """Return the beginnings of all steps and the end of the last, in nanoseconds since 1970, shape (steps + 1,)."""
    times = series["time"].values.astype("datetime64[ns]").astype("int64")
    step_h = series.attrs.get("step_h")
    if step_h is None:
        raise InvalidInput(_subject(series), "has no attribute step_h, which says how long its steps are")
    lengths = np.round(np.broadcast_to(step_h, times.shape) * NS_PER_HOUR).astype("int64")
    if (np.diff(times) != lengths[:-1]).any():
        raise InvalidInput(_subject(series), "has times which are not one step apart; cut it with cut_series")
    return np.append(times, times[-1] + lengths[-1])


def _step_attribute(horizon: Horizon) -> float | list[float]:
    # From the boundaries, which are whole seconds: a step of 1/7 h is 514 s or 515 s long.
    lengths = (np.diff(horizon.boundaries.asi8) / NS_PER_HOUR).tolist()
    return float(lengths[0]) if len(set(lengths)) == 1 else lengths


def _not_covered(given: np.ndarray, horizon: Horizon) -> str:
    lengths = np.diff(given) / NS_PER_HOUR
    steps = shown_step(lengths[0]) if (lengths == lengths[0]).all() else "different lengths"
    return (
        f"covers {_shown(given[0])} to {_shown(given[-1])} in steps of {steps}, the horizon goes from "
        f"{shown_time(horizon.boundaries[0])} to {shown_time(horizon.boundaries[-1])} ({horizon.length_h:g} h); "
        "choose another start or length, or give more rows"
    )


def _shown(ns: int) -> str:
    return shown_time(np.datetime64(int(ns), "ns"))


def _step_notes(window: Window, horizon: Horizon) -> list[str]:
    """Return what was done where steps differ from the horizon's."""
    given = window.boundaries[window.first : window.last + 1]
    if np.array_equal(given, horizon.boundaries.asi8):
        return []
    own, wanted = np.diff(given), np.diff(horizon.boundaries.asi8)
    own_h, wanted_h = own / NS_PER_HOUR, wanted / NS_PER_HOUR
    spans = f"values over {_lengths(own_h)} were {{}} over steps of {_lengths(wanted_h)}"
    notes = [spans.format("averaged")] if wanted_h.max() > own_h.min() else []
    if wanted_h.min() < own_h.max():
        notes.append(spans.format("held"))
    return notes or [spans.format("averaged") + ", since the steps begin at other times"]


def _lengths(lengths_h: np.ndarray) -> str:
    low, high = shown_step(lengths_h.min()), shown_step(lengths_h.max())
    return low if low == high else f"{low} to {high}"
