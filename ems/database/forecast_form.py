"""Datasets of forecasts as rows and JSON, and back: what comes back is identical to what was given.

The quantiles of each step, and the truth in a backtest, become rows. All else that a dataset holds, further
coordinates and what it says of itself, becomes one document beside the job.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ems.errors import InvalidInput, show
from ems.series.wording import shown_time

OF_FORECAST = ("time", "quantile", "issued_at")
OF_BACKTEST = ("predicted", "observed", "issued_at", "time", "quantile", "model")
MOST_BESIDE = 100_000
"""Values that one further variable may have in the document."""


def variable_of_forecast(forecast: xr.Dataset) -> str:
    """Return the name of the one variable of a forecast.

    Raises
    ------
    InvalidInput
        If it has none or several with quantiles of a time, or lacks its issue time.
    """
    subject = "the forecast"
    names = [str(name) for name, array in forecast.data_vars.items() if set(array.dims) == {"time", "quantile"}]
    if len(names) != 1:
        given = ", ".join(f"{name}{tuple(array.dims)}" for name, array in forecast.data_vars.items()) or "none"
        raise InvalidInput(subject, f"must have one variable (time, quantile); it has {given}")
    if "issued_at" not in forecast.coords or forecast["issued_at"].ndim:
        raise InvalidInput(subject, "has no coordinate issued_at, the one moment up to which it knew anything")
    return names[0]


def checked_forecast(forecast: xr.Dataset) -> str:
    """Return the name of a forecast's variable, once all is as rows can hold it.

    Raises
    ------
    InvalidInput
    """
    name = variable_of_forecast(forecast)
    subject = f"the forecast of {name}"
    findings = [
        *_order_findings("time", forecast["time"].values),
        *_quantile_findings(forecast["quantile"].values),
        *_fine_findings("issued_at", forecast["issued_at"].values),
        *_fine_findings("time", forecast["time"].values),
        *_value_findings(name, forecast[name].values),
    ]
    if findings:
        raise InvalidInput(subject, findings)
    return name


def checked_backtest(backtest: xr.Dataset) -> None:
    """Refuse a backtest that rows cannot hold.

    Raises
    ------
    InvalidInput
    """
    subject = f"the backtest of {backtest.attrs.get('variable', 'nothing')}"
    wanted = {
        "predicted": {"model", "issued_at", "step", "quantile"},
        "observed": {"issued_at", "step"},
        "time": {"issued_at", "step"},
    }
    absent = [
        f"{name} must be there with the dimensions {', '.join(sorted(dims))}"
        for name, dims in wanted.items()
        if name not in backtest.variables or set(backtest[name].dims) != dims
    ]
    absent += [f"attrs must state {name}" for name in ("variable", "step_h") if backtest.attrs.get(name) is None]
    if absent:
        raise InvalidInput(subject, absent)
    times = backtest["time"].transpose("issued_at", "step").values
    is_step = ~np.isnat(times)
    predicted = backtest["predicted"].transpose("issued_at", "step", "model", "quantile").values
    observed = backtest["observed"].transpose("issued_at", "step").values
    findings = [
        *_order_findings("issued_at", backtest["issued_at"].values),
        *_quantile_findings(backtest["quantile"].values),
        *_fine_findings("issued_at", backtest["issued_at"].values),
        *_fine_findings("time", times[is_step]),
        *_value_findings("predicted", predicted),
        *_value_findings("observed", observed),
    ]
    is_ordered = (~is_step[:, 1:] | (is_step[:, :-1] & ~(np.diff(times, axis=1) <= np.timedelta64(0)))).all(axis=1)
    for at in np.flatnonzero(~is_step.any(axis=1))[:1]:
        findings.append(
            f"the fold issued at {shown_time(backtest['issued_at'].values[at])} has no steps; leave it out"
        )
    for at in np.flatnonzero(~is_ordered)[:1]:
        findings.append(
            f"times of the fold issued at {shown_time(backtest['issued_at'].values[at])} must ascend, with those that "
            "it lacks at its end"
        )
    if (~np.isnan(predicted[~is_step])).any() or (~np.isnan(observed[~is_step])).any():
        findings.append("there are values in steps without a time")
    if findings:
        raise InvalidInput(subject, findings)


# ---------------------------------------------------------------------------------------------- rows
def forecast_rows(job_id: str, forecast: xr.Dataset, name: str) -> Iterator[tuple[Any, ...]]:
    """Give a row for each step and quantile: job, issue time, time, quantile, value or None."""
    values = forecast[name].transpose("time", "quantile").values.tolist()
    (issued_at,) = _moments(forecast["issued_at"].values.reshape(1))
    quantiles = forecast["quantile"].values.tolist()
    for time, row in zip(_moments(forecast["time"].values), values, strict=True):
        for quantile, value in zip(quantiles, row, strict=True):
            yield job_id, issued_at, time, quantile, _or_none(value)


def backtest_rows(job_id: str, backtest: xr.Dataset) -> tuple[Iterator[tuple[Any, ...]], Iterator[tuple[Any, ...]]]:
    """Return the rows of quantiles and those of the truth, of a backtest of one model."""
    predicted = backtest["predicted"].transpose("model", "issued_at", "step", "quantile").values[0].tolist()
    observed = backtest["observed"].transpose("issued_at", "step").values.tolist()
    quantiles = backtest["quantile"].values.tolist()
    issues = _moments(backtest["issued_at"].values)
    times = [_moments(row[~np.isnat(row)]) for row in backtest["time"].transpose("issued_at", "step").values]

    def of_quantiles() -> Iterator[tuple[Any, ...]]:
        for issued_at, fold, rows in zip(issues, times, predicted, strict=True):
            for time, row in zip(fold, rows, strict=False):
                for quantile, value in zip(quantiles, row, strict=True):
                    yield job_id, issued_at, time, quantile, _or_none(value)

    def of_truth() -> Iterator[tuple[Any, ...]]:
        for issued_at, fold, row in zip(issues, times, observed, strict=True):
            for time, value in zip(fold, row, strict=False):
                yield job_id, issued_at, time, _or_none(value)

    return of_quantiles(), of_truth()


def forecast_of(variable: str, rows: Sequence[Sequence[Any]], attributes: Mapping[str, Any]) -> xr.Dataset:
    """Return the forecast that rows and the document beside the job hold.

    Parameters
    ----------
    variable : str
    rows : sequence of (issued_at, time, quantile, value)
        In this order.
    attributes : mapping
        From `beside`.
    """
    times = list(dict.fromkeys(row[1] for row in rows))
    quantiles = list(dict.fromkeys(row[2] for row in rows))
    values = np.array([row[3] for row in rows], dtype="float64").reshape(len(times), len(quantiles))
    forecast = xr.Dataset(
        {variable: (("time", "quantile"), values)},
        coords={"time": _stamps(times), "quantile": quantiles, "issued_at": _stamps([rows[0][0]])[0]},
    )
    return _with_beside(forecast, attributes)


def backtest_of(
    rows: Sequence[Sequence[Any]], truth: Sequence[Sequence[Any]], model: str, attributes: Mapping[str, Any]
) -> xr.Dataset:
    """Return the backtest of one model that rows and the document beside the job hold.

    Parameters
    ----------
    rows : sequence of (issued_at, time, quantile, value)
        In this order, as of `truth`.
    truth : sequence of (issued_at, time, value)
    model : str
    attributes : mapping
    """
    issues = list(dict.fromkeys(row[0] for row in truth))
    quantiles = list(dict.fromkeys(row[2] for row in rows))
    steps = int(attributes["steps"])
    place = {issue: at for at, issue in enumerate(issues)}
    fold = np.array([place[row[0]] for row in truth])
    step = np.arange(len(truth)) - np.searchsorted(fold, np.arange(len(issues)))[fold]
    times = np.full((len(issues), steps), np.datetime64("NaT", "ns"))
    observed = np.full((len(issues), steps), np.nan)
    predicted = np.full((1, len(issues), steps, len(quantiles)), np.nan)
    times[fold, step] = _stamps([row[1] for row in truth])
    observed[fold, step] = np.array([row[2] for row in truth], dtype="float64")
    predicted[0, fold, step] = np.array([row[3] for row in rows], dtype="float64").reshape(len(truth), len(quantiles))
    backtest = xr.Dataset(
        {
            "predicted": (("model", "issued_at", "step", "quantile"), predicted),
            "observed": (("issued_at", "step"), observed),
        },
        coords={
            "model": [model],
            "issued_at": _stamps(issues),
            "quantile": quantiles,
            "time": (("issued_at", "step"), times),
        },
    )
    return _with_beside(backtest, attributes)


# ---------------------------------------------------------------------------------------------- beside the rows
def beside(dataset: xr.Dataset, in_rows: Iterable[str]) -> dict[str, Any]:
    """Return what a dataset holds beside the rows, as JSON can hold it.

    Parameters
    ----------
    dataset : Dataset
    in_rows : iterable of str
        Variables whose values are in rows; of these only what they say of themselves is returned.

    Raises
    ------
    InvalidInput
        If a further variable has values of an unknown kind, or far too many.
    """
    rows = set(in_rows)
    further = {}
    for name, array in dataset.variables.items():
        if str(name) in rows:
            continue
        values = array.values
        if values.size > MOST_BESIDE:
            raise InvalidInput(
                f"variable {show(str(name))}", f"has {values.size} values beside the forecast; leave it out"
            )
        further[str(name)] = {
            "dims": [str(dim) for dim in array.dims],
            "shape": list(array.shape),
            **_plain_values(str(name), values),
            "is_coordinate": name in dataset.coords,
        }
    says = {str(name): dict(array.attrs) for name, array in dataset.variables.items() if array.attrs}
    return {"dataset": dict(dataset.attrs), "variables": says, "further": further}


def _with_beside(dataset: xr.Dataset, attributes: Mapping[str, Any]) -> xr.Dataset:
    for name, one in attributes["further"].items():
        values = _restored_values(one).reshape(one["shape"])
        variable = (one["dims"], values)
        dataset = dataset.assign_coords({name: variable}) if one["is_coordinate"] else dataset.assign({name: variable})
    for name, says in attributes["variables"].items():
        dataset[name].attrs.update(says)
    return dataset.assign_attrs(attributes["dataset"])


def _plain_values(name: str, values: np.ndarray) -> dict[str, Any]:
    flat = values.ravel()
    kind = flat.dtype.kind
    if kind in "Mm":
        unit = "datetime64[ns]" if kind == "M" else "timedelta64[ns]"
        return {"dtype": unit, "values": flat.astype(unit).astype("int64").tolist()}
    if kind == "f" and np.isinf(flat).any():
        raise InvalidInput(f"variable {show(name)}", "has infinite values beside the forecast; leave it out")
    if kind in "biufU":
        return {"dtype": flat.dtype.str, "values": flat.tolist()}
    if kind == "O" and all(isinstance(cell, str) for cell in flat):
        return {"dtype": "object", "values": flat.tolist()}
    raise InvalidInput(f"variable {show(name)}", f"has values of type {flat.dtype} beside the forecast; leave it out")


def _restored_values(one: Mapping[str, Any]) -> np.ndarray:
    dtype = np.dtype(one["dtype"])
    if dtype.kind in "Mm":
        return np.array(one["values"], dtype="int64").astype(dtype)
    return np.array(one["values"], dtype=dtype)  # None becomes NaN where numbers may be


# ---------------------------------------------------------------------------------------------- inside
def _order_findings(name: str, values: np.ndarray) -> list[str]:
    if not len(values):
        return [f"{name} is empty"]
    if np.isnat(values).any():
        return [f"{name} has places without a time"]
    back = np.flatnonzero(np.diff(values) <= np.timedelta64(0))
    return [f"{name} must ascend; {shown_time(values[back[0] + 1])} stands behind a later one"] if len(back) else []


def _quantile_findings(values: np.ndarray) -> list[str]:
    outside = [value for value in values.tolist() if not 0 < value < 1]
    findings = [f"quantile = {show(outside[0])}: must lie between 0 and 1"] if outside else []
    if not len(values):
        findings.append("quantile is empty")
    elif (np.diff(values) <= 0).any():
        findings.append("quantile must ascend")
    return findings


def _fine_findings(name: str, values: np.ndarray) -> list[str]:
    stamps = np.atleast_1d(values)
    stamps = stamps[~np.isnat(stamps)]
    fine = stamps[stamps.astype("datetime64[us]") != stamps]
    return [f"{name} = {fine[0]}: has parts of a microsecond, which are not kept; round it"] if len(fine) else []


def _value_findings(name: str, values: np.ndarray) -> list[str]:
    count = int(np.isinf(values).sum())
    return [f"{name} has {count} infinite values"] if count else []


def _moments(stamps: np.ndarray) -> list[Any]:
    found: list[Any] = stamps.astype("datetime64[us]").tolist()
    return found


def _stamps(moments: Sequence[Any]) -> np.ndarray:
    index = pd.DatetimeIndex(pd.to_datetime(list(moments), utc=True))
    return index.tz_localize(None).as_unit("ns").to_numpy()


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
