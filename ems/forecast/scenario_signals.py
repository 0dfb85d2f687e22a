"""Signals of which scenarios are drawn: a forecast and the past forecasts of the same thing, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ems.errors import InvalidInput, MissingValues, show
from ems.forecast.marginals import Marginals

if TYPE_CHECKING:
    import xarray as xr

FEWEST_DAYS = 10
"""Past days without which nothing can be said on correlation."""
LARGEST_CLOCK_DIFFERENCE_MIN = 60
"""Between the local times at which past forecasts and the present one begin; an hour is a clock change."""
MINUTES_PER_DAY = 1440


@dataclass(frozen=True)
class Signal:
    """A forecast and the past forecasts of the same signal.

    Parameters
    ----------
    name : str
    variable : str
        Name within the forecast.
    forecast : Dataset
    marginals : Marginals (steps,)
    past : Marginals (days, steps)
    observed : ndarray (days, steps)
        NaN where it was not yet measured when the forecast was issued.
    begin : DatetimeIndex (days,)
        First step of each past forecast.
    issued_at : Timestamp
        When the forecast was made, UTC.
    is_bounded_by_assumption : bool
        Whether zero is the lower bound because nothing ever lay below it.
    """

    name: str
    variable: str
    forecast: xr.Dataset
    marginals: Marginals
    past: Marginals
    observed: np.ndarray
    begin: pd.DatetimeIndex
    issued_at: pd.Timestamp
    is_bounded_by_assumption: bool


def read_signal(
    name: str, forecast: xr.Dataset, past: xr.Dataset, bounds: tuple[float | None, float | None] = (None, None)
) -> Signal:
    """Return a signal whose forecast and past are checked.

    Parameters
    ----------
    name : str
    forecast : Dataset (time, quantile)
    past : Dataset (model, issued_at, step, quantile)
    bounds : tuple of float
        Least and greatest value that can be.

    Raises
    ------
    InvalidInput
        If a dataset is not of this form, or there are too few past days.
    MissingValues
        If a quantile is NaN.
    """
    subject = f"scenarios of {show(name)}"
    variables = [str(one) for one in forecast.data_vars]
    if len(variables) != 1 or set(forecast[variables[0]].dims) != {"time", "quantile"}:
        raise InvalidInput(
            subject, f"the forecast holds {', '.join(variables) or 'nothing'}: must be one variable (time, quantile)"
        )
    values = forecast[variables[0]].transpose("time", "quantile").to_numpy().astype(float)
    level = _checked_level(forecast, subject)
    if not np.isfinite(values).all():
        raise MissingValues(subject, f"{int((~np.isfinite(values)).sum())} quantiles of the forecast are missing")
    if (np.diff(values, axis=1) < 0).any():
        raise InvalidInput(subject, "quantiles of the forecast cross; sort them with numpy.sort")
    issued = forecast["issued_at"] if "issued_at" in forecast.coords else forecast["time"][0]
    issued_at = pd.Timestamp(issued.to_numpy().astype("datetime64[ns]").item())
    said, seen, time = _known_past(past, forecast.attrs.get("model"), issued_at, subject)
    lower, upper = bounds
    is_power = forecast.attrs.get("kind") in ("load", "solar", "wind")
    is_assumed = lower is None and is_power and values.min() >= 0 and bool(np.nanmin(seen) >= 0)
    least = -np.inf if lower is None and not is_assumed else float(lower or 0.0)
    greatest = np.inf if upper is None else float(upper)
    if not least < greatest:
        raise InvalidInput(subject, f"lower = {least:g}: must be less than upper = {greatest:g}")
    return Signal(
        name=name,
        variable=variables[0],
        forecast=forecast,
        marginals=Marginals(np.clip(values, least, greatest), level, least, greatest),
        past=Marginals(
            np.clip(np.sort(said, axis=2), least, greatest), _checked_level(past, subject), least, greatest
        ),
        observed=seen,
        begin=pd.DatetimeIndex(time[:, 0]),
        issued_at=issued_at,
        is_bounded_by_assumption=is_assumed,
    )


def _known_past(
    past: xr.Dataset, model: Any, issued_at: pd.Timestamp, subject: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return past quantiles, observations and times on days of which something was measured at an issue time.

    Of steps that were not, observations are NaN and quantiles zero.
    """
    said = _of_model(past, model, subject).transpose("issued_at", "step", "quantile").to_numpy().astype(float)
    seen = past["observed"].transpose("issued_at", "step").to_numpy().astype(float)
    time = past["time"].transpose("issued_at", "step").to_numpy()
    is_known = np.isfinite(seen) & np.isfinite(said).all(axis=2) & (time < issued_at.to_datetime64())
    days = is_known.any(axis=1) & ~np.isnat(time[:, 0])
    if days.sum() < FEWEST_DAYS:
        raise InvalidInput(
            subject,
            f"{int(days.sum())} past days were forecast and measured before {issued_at:%Y-%m-%d %H:%M} UTC: must be "
            f"at least {FEWEST_DAYS}; give a longer backtest",
        )
    is_known = is_known[days]
    return np.where(is_known[..., None], said[days], 0.0), np.where(is_known, seen[days], np.nan), time[days]


def _of_model(past: xr.Dataset, model: Any, subject: str) -> xr.DataArray:
    """Return what the model that made the forecast predicted, or the only model there is."""
    missing = [name for name in ("predicted", "observed", "time", "quantile") if name not in past.variables]
    if missing:
        raise InvalidInput(subject, f"past forecasts have no {', '.join(missing)}; give the dataset of a backtest")
    predicted = past["predicted"]
    if "model" not in predicted.dims:
        return predicted
    models = [str(one) for one in past["model"].to_numpy()]
    if len(models) > 1 and model not in models:
        raise InvalidInput(
            subject,
            f"past forecasts are of {', '.join(models)}, the present one is of {show(model)}; select one with "
            f"past.sel(model={models[0]!r})",
        )
    return predicted.isel(model=models.index(model) if model in models else 0)


def _checked_level(dataset: xr.Dataset, subject: str) -> np.ndarray:
    level: np.ndarray = dataset["quantile"].to_numpy().astype(float)
    if (np.diff(level) <= 0).any() or (level <= 0).any() or (level >= 1).any():
        raise InvalidInput(subject, "levels of quantiles must ascend and lie between 0 and 1")
    return level


def check_times(signals: list[Signal]) -> None:
    """Raise where forecasts are for other times, or past ones begin at another local time."""
    first = signals[0]
    findings = []
    for signal in signals:
        times = signal.forecast["time"].to_numpy()
        if not np.array_equal(times, first.forecast["time"].to_numpy()):
            other = show(first.name)
            findings.append(f"{show(signal.name)} is not forecast for the times of {other}; select the same on both")
            continue
        zone = signal.forecast.attrs.get("timezone", "UTC")
        clock = [_local_minute(pd.DatetimeIndex(one), zone) for one in (times[:1], signal.begin)]
        apart = np.abs(clock[1] - clock[0][0])
        if np.median(np.minimum(apart, MINUTES_PER_DAY - apart)) > LARGEST_CLOCK_DIFFERENCE_MIN:
            shown = [f"{int(one) // 60:02d}:{int(one) % 60:02d}" for one in (clock[0][0], np.median(clock[1]))]
            findings.append(
                f"{show(signal.name)} is forecast from {shown[0]} local time on and was from {shown[1]} on in the past"
                ": errors depend on the time of day; give a backtest with the same issue time"
            )
    if findings:
        raise InvalidInput("scenarios", findings)


def _local_minute(times: pd.DatetimeIndex, zone: str) -> np.ndarray:
    local = times.tz_localize("UTC").tz_convert(zone)
    return np.asarray(local.hour * 60 + local.minute)
