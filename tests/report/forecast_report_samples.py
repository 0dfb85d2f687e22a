"""Forecasts, backtests and scenarios as reports see them, made without any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ems.forecast.backtest import Backtest
from ems.forecast.history import History

LEVELS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
NORMAL = np.array([-1.645, -1.282, -0.842, -0.524, -0.253, 0.0, 0.253, 0.524, 0.842, 1.282, 1.645])
"""Quantiles of the standard normal distribution at these levels."""
MODELS = (
    "ensemble",
    "ridge",
    "lightgbm",
    "naive_day",
    "naive_week",
    "naive_kind_of_day",
    "naive_mean_of_weeks",
    "own",
)
TIMEZONE = "Europe/Berlin"


def times_from(start: str, steps: int, minutes: int = 60) -> pd.DatetimeIndex:
    return pd.date_range(start, periods=steps, freq=f"{minutes}min", unit="ns")


def demand(times: pd.DatetimeIndex, seed: int = 0) -> np.ndarray:
    """Return a daily profile with noise, in kW."""
    hour = (times.hour + times.minute / 60).to_numpy()
    noise = np.random.default_rng(seed).normal(0, 2, len(times))
    return 30 + 15 * np.sin((hour - 6) / 24 * 2 * np.pi) - 6 * (times.dayofweek.to_numpy() > 4) + noise


def make_history(start: str = "2024-05-24T22:00", steps: int = 240, minutes: int = 60) -> xr.DataArray:
    times = times_from(start, steps, minutes)
    return xr.DataArray(demand(times), {"time": times}, ["time"], "demand_kw", {"units": "kW"})


def make_forecast(
    start: str = "2024-05-31T22:00",
    steps: int = 24,
    minutes: int = 60,
    levels: Sequence[float] = tuple(LEVELS),
    **attrs: Any,
) -> xr.Dataset:
    """Return a forecast of demand; the first step is midnight in Berlin."""
    times = times_from(start, steps, minutes)
    spread = 1.5 + 2 * np.sqrt(np.arange(steps) / max(steps, 24))
    normal = np.interp(levels, LEVELS, NORMAL)
    values = demand(times, seed=1)[:, None] + spread[:, None] * normal
    given = {"timezone": TIMEZONE, "model": "ensemble", "notes": [], "kind": "load", "asset": "office"}
    return xr.Dataset(
        {"demand_kw": (("time", "quantile"), values, {"units": "kW"})},
        {"time": times, "quantile": list(levels), "issued_at": times[0].to_datetime64()},
        given | attrs,
    )


def make_scenarios(count: int = 12, steps: int = 24) -> xr.Dataset:
    times = times_from("2024-05-31T22:00", steps)
    random = np.random.default_rng(3)
    values = demand(times) + np.cumsum(random.normal(0, 1, (count, steps)), axis=1)
    probability = random.dirichlet(np.full(count, 0.7))
    return xr.Dataset(
        {"demand_kw": (("scenario", "time"), values, {"units": "kW"}), "probability": ("scenario", probability)},
        {"time": times, "scenario": np.arange(count)},
        {"timezone": TIMEZONE, "asset": "office"},
    )


def make_backtest(
    models: Sequence[str] = MODELS[:4],
    folds: int = 28,
    steps: int = 24,
    minutes: int = 60,
    start: str = "2024-03-04T23:00",
) -> Backtest:
    """Return a backtest whose model number n has errors with a standard deviation of 2 + n kW.

    Folds begin at local midnight. One that holds the change of clocks has 23 h, its last step is NaN.
    """
    days = pd.date_range(pd.Timestamp(start, tz="UTC").tz_convert(TIMEZONE).tz_localize(None), periods=folds)
    issued_at = days.tz_localize(TIMEZONE).tz_convert("UTC").tz_localize(None)
    offsets = np.arange(steps) * np.timedelta64(minutes, "m")
    times = issued_at.to_numpy()[:, None] + offsets
    ends = (days + pd.Timedelta(minutes=steps * minutes)).tz_localize(TIMEZONE).tz_convert("UTC").tz_localize(None)
    inside = times < ends.to_numpy()[:, None]
    raster = pd.date_range(times.min() - np.timedelta64(7, "D"), times.max(), freq=f"{minutes}min")
    measured = demand(raster)
    observed = measured[raster.get_indexer(times.ravel())].reshape(times.shape)
    random = np.random.default_rng(5)
    predicted = np.empty((len(models), folds, steps, len(LEVELS)))
    for at in range(len(models)):
        size = 2.0 + at
        daily = random.normal(0, 0.5, (folds, 1)) * size
        middle = observed + daily + random.normal(0, 0.85, (folds, steps)) * size
        predicted[at] = middle[..., None] + size * NORMAL
    predicted = np.where(inside[None, ..., None], predicted, np.nan)
    dataset = xr.Dataset(
        {
            "predicted": (("model", "issued_at", "step", "quantile"), predicted, {"units": "kW"}),
            "observed": (("issued_at", "step"), np.where(inside, observed, np.nan), {"units": "kW"}),
        },
        {
            "model": list(models),
            "issued_at": issued_at.to_numpy(),
            "step": np.arange(steps),
            "quantile": LEVELS,
            "time": (("issued_at", "step"), np.where(inside, times, np.datetime64("NaT"))),
            "lead_h": ("step", np.arange(steps) * minutes / 60),
            "seconds": ("model", [0.2 / (1 + at) ** 2 for at in range(len(models))]),
        },
        {
            "variable": "demand_kw",
            "units": "kW",
            "timezone": TIMEZONE,
            "kind": "load",
            "asset": "office",
            "notes": [],
            "step_h": minutes / 60,
        },
    )
    history = History("demand_kw", raster, measured, timezone=TIMEZONE, asset="office")
    rules = tuple(name for name in models if name.startswith("naive"))
    return Backtest(dataset, history, np.zeros(observed.shape, dtype=bool), rules, {}, {})


@dataclass(frozen=True)
class Odd:
    """A stretch of a series as figures see it."""

    kind: str
    begin: pd.Timestamp
    end: pd.Timestamp
    words: str

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} from {self.begin:%Y-%m-%d %H:%M}: {self.words}"


def make_anomaly(kind: str, begin: str, hours: float, words: str = "is odd") -> Odd:
    start = pd.Timestamp(begin)
    return Odd(kind, start, start + pd.Timedelta(hours=hours), words)


def make_weights(folds: int = 28, members: Sequence[str] = ("ridge", "lightgbm", "naive_day")) -> pd.DataFrame:
    random = np.random.default_rng(7)
    raw = np.abs(np.cumsum(random.normal(0, 0.2, (folds, len(members))), axis=0) + 1)
    index = pd.date_range("2024-03-04T23:00", periods=folds, name="issued_at")
    return pd.DataFrame(raw / raw.sum(axis=1, keepdims=True), index, list(members))
