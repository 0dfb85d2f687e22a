"""Series summed up over longer steps: hours of quarter hours, local days of 23, 24 or 25 hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from ems.errors import InvalidInput, show
from ems.series.wording import shown_step, shown_time

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

NS_PER_SECOND = 1_000_000_000
_TOLERANCE = 1e-9  # the rounding of a step like 1/3 h


def aggregate(
    points: xr.Dataset, step: float | Literal["day"], *, timezone: str | None = None, at_least: float = 1.0
) -> xr.Dataset:
    """Return series over longer steps, and how many points are missing in each.

    value[step] = mean of the values in the step, where they are means;
    value[step] = mean of the values in the step * number of points that it has, where they are totals;
    value[step] = value at the beginning of the step, where they are states

    Parameters
    ----------
    points : Dataset (time, series)
        From `read_points`.
    step : float or "day"
        Length of the steps in hours, a whole multiple of the points'; they are counted from local midnight on. Or
        local days, of which two a year have 23 and 25 hours.
    timezone : str, optional
        IANA name of the time zone of days and midnights; else that of the series.
    at_least : float
        Share of a step's points that must have a value; with fewer the step has none. A state needs its first one.

    Returns
    -------
    Dataset (time, series)
        The same variables, NaN where too few points have a value, and ``missing``, the number of points without a
        value: also of those which the span leaves out of its first and its last step. ``attrs["step_h"]`` is a list
        where steps differ.

    Raises
    ------
    InvalidInput
        If the step is no whole multiple, or days do not begin with a step of the series.
    """
    import pandas as pd
    import xarray as xr

    if not 0 < at_least <= 1:
        raise InvalidInput("points summed up", f"at_least = {show(at_least)}: must be greater than 0 and at most 1")
    zone = timezone or str(points.attrs["timezone"])
    own_s = round(float(points.attrs["step_h"]) * 3600)
    seconds = points["time"].values.astype("datetime64[s]").astype("int64")
    edges = _edges(seconds, own_s, step, zone)
    sizes = np.diff(edges) // own_s
    place = np.searchsorted(edges, seconds, side="right") - 1
    kinds = points.attrs["kinds"]
    names = [str(name) for name in points["series"].values]
    data: dict[str, tuple[tuple[str, str], np.ndarray, dict[str, object]]] = {}
    missing = np.zeros((len(sizes), len(names)), dtype="int64")
    for variable, array in points.drop_vars("quality", errors="ignore").data_vars.items():
        values = array.transpose("time", "series").values
        means = np.full((len(sizes), len(names)), np.nan)
        for at, name in enumerate(names):
            if name not in array.attrs["series"]:
                continue
            column = values[:, at]
            is_known = ~np.isnan(column)
            counts = np.bincount(place[is_known], minlength=len(sizes))
            missing[:, at] = sizes - counts
            means[:, at] = _summed_up(
                column,
                place,
                counts=counts,
                sizes=sizes,
                kind=kinds[name],
                at_least=at_least,
                is_first=edges[place] == seconds,
            )
        data[str(variable)] = (("time", "series"), means, dict(array.attrs))
    times = pd.DatetimeIndex(edges[:-1].astype("datetime64[s]").astype("datetime64[ns]"), name="time")
    lengths = np.diff(edges) / 3600
    step_h = float(lengths[0]) if len(set(lengths.tolist())) == 1 else lengths.tolist()
    return xr.Dataset(
        {**data, "missing": (("time", "series"), missing)},
        coords={"time": times, "series": names},
        attrs={
            **{name: value for name, value in points.attrs.items() if name != "missing"},
            "step_h": step_h,
            "timezone": zone,
        },
    )


def _summed_up(
    column: np.ndarray,
    place: np.ndarray,
    *,
    counts: np.ndarray,
    sizes: np.ndarray,
    kind: str,
    at_least: float,
    is_first: np.ndarray,
) -> np.ndarray:
    """Return one series over the longer steps, shape (steps,)."""
    if kind == "state":
        first = np.full(len(sizes), np.nan)
        first[place[is_first]] = column[is_first]
        return first
    is_known = ~np.isnan(column)
    sums = np.bincount(place[is_known], weights=column[is_known], minlength=len(sizes))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    values = means * sizes if kind == "total" else means
    return np.where((counts >= at_least * sizes - _TOLERANCE) & (counts > 0), values, np.nan)


def _edges(seconds: np.ndarray, own_s: int, step: float | Literal["day"], zone: str) -> np.ndarray:
    """Return the boundaries of the longer steps which cover all points, seconds since 1970, shape (steps + 1,)."""
    import pandas as pd

    if not len(seconds):
        return np.zeros(1, dtype="int64")
    begin, end = (
        pd.Timestamp(int(second), unit="s", tz="UTC").tz_convert(ZoneInfo(zone))
        for second in (seconds[0], seconds[-1] + own_s)
    )
    if step == "day":
        days = pd.date_range(begin.tz_localize(None).normalize(), end.tz_localize(None).normalize(), freq="D")
        days = days if days[-1] == end.tz_localize(None) else days.union(days[-1:] + pd.Timedelta(days=1))
        edges = _midnights(days, zone)
        off = np.flatnonzero((edges - seconds[0]) % own_s)
        if len(off):
            raise InvalidInput(
                "points summed up",
                f"local days of {zone} begin at {shown_time(np.datetime64(int(edges[off[0]]), 's'))}, within a step "
                f"of {shown_step(own_s / 3600)}; choose another timezone or series of shorter steps",
            )
        return edges
    step_s = _whole_multiple(step, own_s)
    midnight = int(_midnights(pd.DatetimeIndex([begin.tz_localize(None).normalize()]), zone)[0])
    origin = midnight + (int(seconds[0]) - midnight) % own_s
    first = origin + (int(seconds[0]) - origin) // step_s * step_s
    count = -((first - int(seconds[-1]) - own_s) // step_s)
    return first + step_s * np.arange(count + 1, dtype="int64")


def _midnights(days: pd.DatetimeIndex, zone: str) -> np.ndarray:
    """Return the beginnings of local days, seconds since 1970; where a clock jumps over midnight, the hour after."""
    local = days.tz_localize(ZoneInfo(zone), nonexistent="shift_forward", ambiguous=np.ones(len(days), dtype=bool))
    return local.tz_convert("UTC").as_unit("s").asi8.copy()


def _whole_multiple(step: float, own_s: int) -> int:
    """Return a step in seconds.

    Raises
    ------
    InvalidInput
        If it is no whole multiple of the points' own.
    """
    is_number = isinstance(step, int | float) and not isinstance(step, bool)
    count = round(step * 3600 / own_s) if is_number and np.isfinite(step) else 0
    if count < 1 or abs(count * own_s - step * 3600) > 1e-6 * own_s:
        raise InvalidInput(
            "points summed up",
            f"step = {show(step)}{' h' if is_number else ''}: must be a whole multiple of "
            f"{shown_step(own_s / 3600)}, the step of the points, or 'day'",
        )
    return count * own_s
