"""The data of a report as files that other programs read: CSV with units in its headings, and NetCDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.units import unit_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

NETCDF_NAME = "data.nc"
NUMBER = "%.10g"
"""More digits than any meter or solver has; they hide what is left of rounding, as in 41.04000000000001."""
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula, and would run what somebody else wrote."""


@dataclass(frozen=True)
class ReportData:
    """The data of a report.

    Parameters
    ----------
    dataset : Dataset
        All of it, each variable with its dimensions; it becomes a NetCDF file.
    tables : mapping of str to DataFrame
        What people open in a spreadsheet, each by the name of its CSV file; columns state their units.
    """

    dataset: xr.Dataset
    tables: Mapping[str, pd.DataFrame]

    def files(self, about: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """Give name and content of each file.

        Parameters
        ----------
        about : mapping of str to str
            What the data are of, for the attributes of the NetCDF file.
        """
        for name, table in self.tables.items():
            yield f"{name}.csv", csv_of(table)
        yield NETCDF_NAME, netcdf_of(self.dataset.assign_attrs(about))


def csv_of(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8: comma, decimal point, one heading a column, no index.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    texts = [name for name in table.columns if table[name].dtype.kind not in "biufM"]
    safe = table.assign(**{str(name): table[name].map(_as_text) for name in texts}) if texts else table
    safe = safe.set_axis([_as_text(str(name)) for name in safe.columns], axis=1)
    return safe.to_csv(index=False, float_format=NUMBER, lineterminator="\n").encode("utf-8")


def _as_text(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_BEGINS) else value


def netcdf_of(dataset: xr.Dataset) -> bytes:
    """Return a dataset as NetCDF 3 with 64-bit offsets, which every reader of the format knows.

    Units stand in ``units``; moments are UTC. Equal datasets give equal bytes.
    """
    whole = dataset.copy()
    for name in list(whole.variables):
        whole[name].attrs = {key: value for key, value in whole[name].attrs.items() if _is_plain(value)}
        if "units" not in whole[name].attrs and whole[name].dtype.kind in "iuf":
            whole[name].attrs["units"] = unit_of(str(name), str(dataset.attrs.get("currency", "currency"))) or "1"
    whole.attrs = {key: value for key, value in whole.attrs.items() if _is_plain(value)}
    encoding = {name: _moments(whole[name]) for name in whole.variables if whole[name].dtype.kind == "M"}
    packed = whole.to_netcdf(format="NETCDF3_64BIT", engine="scipy", encoding=encoding)
    return bytes(packed)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _moments(moments: xr.DataArray) -> dict[str, Any]:
    """Return how moments are counted: in whole minutes where they are, for NetCDF 3 has no integer of 64 bits."""
    known = moments.to_numpy().ravel()
    known = known[~np.isnat(known)]
    is_whole = bool((known == known.astype("datetime64[m]")).all()) and len(known) == moments.size
    unit = "minutes" if is_whole else "seconds"
    return {"units": f"{unit} since 1970-01-01", "dtype": "int32" if is_whole else "float64"}


def wide_table(dataset: xr.Dataset, timezone: str, dimension: str = "time") -> pd.DataFrame:
    """Return what happens over time as one row a step and one column for each asset and variable.

    Parameters
    ----------
    dataset : Dataset
        Variables over `dimension`, and over ``boundary``, one longer, whose value at the end of each step is taken.
        Other variables are left out, and so are columns without any value.
    timezone : str
        Name in the tz database, for the local time.
    dimension : str

    Returns
    -------
    DataFrame
        ``time_utc`` and ``time_local``, the beginning of the step; then ``<asset>.<variable>``, and
        ``<asset>.end_<variable>`` of what holds at the end of the step.
    """
    import pandas as pd

    times = pd.DatetimeIndex(dataset[dimension].to_numpy())
    columns: dict[str, Any] = time_columns(times, timezone)
    if "step_h" in dataset.coords and dataset["step_h"].dims == (dimension,):
        columns["step_h"] = dataset["step_h"].to_numpy()
    for name, variable in dataset.data_vars.items():
        over = next((one for one in (dimension, "boundary") if one in variable.dims), None)
        if over is None:
            continue
        others = [one for one in variable.dims if one != over]
        values = variable.transpose(over, *others).to_numpy()
        values = (values[1:] if over == "boundary" else values).reshape(len(times), -1)
        heading = f"end_{name}" if over == "boundary" else str(name)
        labels = product(*(variable[one].to_numpy().tolist() for one in others))
        for at, label in enumerate(labels):
            column = values[:, at]
            if column.dtype.kind != "f" or not np.isnan(column).all():
                columns[".".join([*map(str, label), heading])] = column
    return pd.DataFrame(columns)


def time_columns(times: pd.DatetimeIndex, timezone: str) -> dict[str, Any]:
    """Return moments (UTC without zone) as the columns ``time_utc`` and ``time_local``, both with their offset."""
    local = times.tz_localize("UTC").tz_convert(timezone)
    return {
        "time_utc": np.char.add(np.datetime_as_string(times.to_numpy(), unit="s"), "Z"),
        "time_local": [moment.isoformat() for moment in local.to_pydatetime()],
    }
