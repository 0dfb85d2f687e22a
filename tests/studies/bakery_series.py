"""The formulas of the bakery's year, as data/README.md states them; run as a program it writes the file anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FILE = Path(__file__).resolve().parents[2] / "data" / "series" / "bakery.parquet"
CLOSED_ON = 6  # Sunday


def hump(h: np.ndarray, at_h: float, width_h: float) -> np.ndarray:
    """1 at an hour of the day, less before and after it."""
    return np.exp(-(((h - at_h) / width_h) ** 2))


def between(h: np.ndarray, begin_h: float, end_h: float) -> np.ndarray:
    """1 from one hour of the day to another, else 0."""
    return ((h >= begin_h) & (h < end_h)).astype(float)


def bakery() -> pd.DataFrame:
    """A year in hours: ovens before dawn, a shop by day, a roof of 60 kW, and the day-ahead market's price."""
    time = pd.date_range("2025-01-01", "2026-01-01", freq="h", inclusive="left", tz="Europe/Berlin")
    h, day = time.hour.to_numpy().astype(float), time.dayofyear.to_numpy() - 1.0
    winter = np.cos(2 * np.pi * (day - 354) / 365)  # 1 at the winter solstice, -1 at the summer's
    solar_h = time.tz_convert("UTC").hour.to_numpy() + 1.0  # the sun keeps winter time
    rise_h, set_h = 6 + 2 * winter, 18 - 2 * winter
    is_day = (solar_h > rise_h) & (solar_h < set_h)
    sun = np.where(is_day, np.sin(np.pi * (solar_h - rise_h) / (set_h - rise_h)), 0.0)
    clear = 0.7 + 0.3 * np.cos(2 * np.pi * day / 7.3)
    is_open = (time.dayofweek.to_numpy() != CLOSED_ON).astype(float)
    ovens, shop = 42 * between(h, 2, 8) + 8 * between(h, 4, 6), 14 * between(h, 6, 18)
    demand_kw = 8 - 2 * winter + is_open * (ovens + shop)
    price = 0.085 + 0.02 * winter + 0.025 * hump(h, 8, 2) + 0.06 * hump(h, 19, 2.5) - 0.09 * sun * clear
    columns = {
        "bakery.demand_kw": demand_kw.round(1),
        "roof.available_kw": (48 * (0.75 - 0.25 * winter) * sun * clear).round(1),
        "import_price_per_kwh": price.round(3) + 0.0,
    }
    return pd.DataFrame({"time": time.tz_convert("UTC"), **columns})


def write(path: Path = FILE) -> None:
    """Write the year, packed."""
    bakery().to_parquet(path, index=False, compression="zstd")


if __name__ == "__main__":
    write()
