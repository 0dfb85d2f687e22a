"""Histories for tests of forecasts: daily and weekly patterns with noise, made by formula and seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ems.forecast.history import History

START = "2024-01-01"
"""A Monday."""


def times(days: float, step_h: float = 1.0, start: str = START) -> pd.DatetimeIndex:
    """Beginnings of steps in UTC."""
    return pd.date_range(start, periods=round(days * 24 / step_h), freq=pd.Timedelta(hours=step_h), unit="ns")


def pattern(index: pd.DatetimeIndex, timezone: str = "UTC") -> np.ndarray:
    """100 kW with a daily wave of 30 kW, 20 kW less on Saturdays and Sundays of the local calendar."""
    local = index.tz_localize("UTC").tz_convert(timezone)
    hour = np.asarray(local.hour + local.minute / 60)
    values: np.ndarray = 100 - 30 * np.cos(2 * np.pi * (hour - 4) / 24) - 20 * np.asarray(local.dayofweek >= 5)
    return values


def noise(count: int, seed: int, persistence: float = 0.7) -> np.ndarray:
    """Noise of unit variance whose values follow each other."""
    drawn = np.random.default_rng(seed).standard_normal(count) * np.sqrt(1 - persistence**2)
    values = np.zeros(count)
    for t in range(count):
        values[t] = (persistence * values[t - 1] if t else 0.0) + drawn[t]
    return values


def load_history(days: float = 60, *, seed: int = 0, size: float = 5.0, step_h: float = 1.0, **more: Any) -> History:
    """A load with the pattern, noise of some size, and the temperature on which it depends, known ahead."""
    start = more.pop("start", START)
    timezone = more.pop("timezone", "UTC")
    index = times(days, step_h, start)
    degc = 10 + 8 * noise(len(index), seed + 1, 0.95)
    values = pattern(index, timezone) - 1.5 * (degc - 10) + size * noise(len(index), seed)
    ahead = more.pop("known_ahead", {"outdoor_temperature_degc": degc})
    return History(
        name="demand_kw", times=index, values=values, timezone=timezone, known_ahead=ahead, asset="office", **more
    )


def solar_history(days: float = 60, *, seed: int = 0, **more: Any) -> History:
    """Power of a plant of 50 kW: a half wave by day, less behind clouds, exactly zero at night."""
    index = times(days)
    hour = np.asarray(index.hour)
    clear = np.clip(np.sin(np.pi * (hour - 5) / 14), 0, None) * ((hour > 5) & (hour < 19))
    cloud = np.clip(0.4 + 0.3 * noise(len(index), seed, 0.9), 0, 1)
    values = np.clip(50 * clear * (1 - 0.8 * cloud) * (1 + 0.1 * noise(len(index), seed + 1, 0.3)), 0, 50)
    return History(
        name="available_kw",
        times=index,
        values=values,
        kind="solar",
        lower=0.0,
        upper=50.0,
        known_ahead={"cloud_cover": cloud},
        asset="roof",
        **more,
    )
