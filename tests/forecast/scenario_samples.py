"""Made signals whose forecast errors are correlated over time and with each other, for tests of scenarios."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

LEVELS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
SIZES = {"load": (500.0, 40.0), "pv": (60.0, 25.0), "price": (0.1, 0.03)}
"""Mean and standard deviation of the error of each signal."""
KINDS = {"load": "load", "pv": "solar", "price": "price"}
CROSS = np.array([[1.0, -0.5, 0.7], [-0.5, 1.0, -0.4], [0.7, -0.4, 1.0]])
"""Correlation of the errors: sun spares load, and load raises the price."""
PERSISTENCE = 0.9
"""Correlation of errors from one hour to the next."""


def errors_of(days: int, steps: int, generator: np.random.Generator) -> np.ndarray:
    """Return normal errors, shape (days, signals, steps)."""
    fresh = generator.standard_normal((days, steps, 3)) @ np.linalg.cholesky(CROSS).T
    found = np.empty((days, steps, 3))
    found[:, 0] = fresh[:, 0]
    for step in range(1, steps):
        found[:, step] = PERSISTENCE * found[:, step - 1] + np.sqrt(1 - PERSISTENCE**2) * fresh[:, step]
    return np.moveaxis(found, 2, 1)


def shape_of(name: str, steps: int) -> np.ndarray:
    """Return the course of a day: that of solar power is zero at night."""
    hour = np.arange(steps) * 24 / steps
    if name == "pv":
        return np.maximum(np.sin((hour - 6) * np.pi / 12).round(9), 0)
    return 1 + 0.3 * np.sin((hour - 9) * np.pi / 12)


def made(
    days: int = 60, steps: int = 24, seed: int = 0
) -> tuple[dict[str, xr.Dataset], dict[str, xr.Dataset], dict[str, np.ndarray]]:
    """Return forecasts of the day after some days, the backtests of those days, and what came, by signal."""
    generator = np.random.default_rng(seed)
    errors = errors_of(days + 1, steps, generator)
    begin = pd.date_range("2024-02-01", periods=days + 1, freq="D", unit="ns").to_numpy()
    time = begin[:, None] + np.arange(steps) * np.timedelta64(round(86400 / steps), "s").astype("timedelta64[ns]")
    forecasts, past, came = {}, {}, {}
    for number, (name, (mean, deviation)) in enumerate(SIZES.items()):
        shape = shape_of(name, steps)
        middle = mean * shape * generator.uniform(0.98, 1.02, (days + 1, 1))
        spread = deviation * (shape if name == "pv" else np.ones(steps))
        quantiles = middle[..., None] + spread[:, None] * norm.ppf(LEVELS)
        observed = middle + spread * errors[:, number]
        if name == "pv":
            quantiles, observed = np.maximum(quantiles, 0), np.maximum(observed, 0)
        forecasts[name] = xr.Dataset(
            {f"{name}_kw": (("time", "quantile"), quantiles[-1], {"units": "kW"})},
            coords={"time": time[-1], "quantile": LEVELS, "issued_at": begin[-1]},
            attrs={"timezone": "UTC", "kind": KINDS[name], "model": "made", "asset": name, "notes": []},
        )
        past[name] = xr.Dataset(
            {
                "predicted": (("model", "issued_at", "step", "quantile"), quantiles[None, :-1]),
                "observed": (("issued_at", "step"), observed[:-1]),
            },
            coords={
                "model": ["made"],
                "issued_at": begin[:-1],
                "quantile": LEVELS,
                "time": (("issued_at", "step"), time[:-1]),
            },
        )
        came[name] = observed[-1]
    return forecasts, past, came
