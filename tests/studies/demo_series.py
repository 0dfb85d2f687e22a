"""The formulas of the demos' series, as data/README.md states them; run as a program it writes the files anew."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "data" / "series"
BERLIN = ZoneInfo("Europe/Berlin")
Columns = Mapping[str, np.ndarray]


def hump(h: np.ndarray, at_h: float, width_h: float) -> np.ndarray:
    """1 at an hour of the day, less before and after it."""
    return np.exp(-(((h - at_h) / width_h) ** 2))


def sun(h: np.ndarray, rise_h: float, set_h: float) -> np.ndarray:
    """0 at sunrise and sunset, 1 between them."""
    return np.clip(np.sin(np.pi * (h - rise_h) / (set_h - rise_h)), 0, None) * ((h > rise_h) & (h < set_h))


def between(h: np.ndarray, begin_h: float, end_h: float) -> np.ndarray:
    """1 from one hour of the day to another, else 0."""
    return ((h >= begin_h) & (h < end_h)).astype(float)


def plant(h: np.ndarray) -> Columns:
    return {
        "works.demand_kw": 500 - 180 * np.cos(2 * np.pi * (h - 4) / 24) + 80 * hump(h, 19, 2),
        "turbines.available_kw": 100 + 80 * np.cos(2 * np.pi * (h - 3) / 24),
    }


def dairy(h: np.ndarray) -> Columns:
    hour = np.floor(h)
    price = 0.10 + 0.05 * np.cos(2 * np.pi * (hour - 7) / 12) - 0.03 * between(hour, 11, 15)
    return {
        "cooling.demand_kw": 120 + 50 * between(h, 6, 20) + 25 * np.sin(2 * np.pi * h),
        "roof.available_kw": 140 * sun(h, 5, 21),
        "day_ahead_price_per_kwh": price,
        "imbalance_short_price_per_kwh": price + 0.08,
        "imbalance_long_price_per_kwh": price - 0.08,
    }


def house(h: np.ndarray) -> Columns:
    return {
        "rooms.demand_kw": 0.8 + 0.6 * hump(h, 7, 1.5) + 2.5 * hump(h, 19, 2),
        "roof.available_kw": 3.5 * sun(h, 5, 21),
    }


def factory(h: np.ndarray) -> Columns:
    presses = 130 * between(h, 10, 10.75) + 150 * between(h, 14, 15) + 60 * between(h, 18, 18.5)
    return {"halls.demand_kw": 150 + 120 * between(h, 6, 22) + presses}


def park(h: np.ndarray) -> Columns:
    return {
        "panels.available_kw": 260 * sun(h, 6.5, 18.5),
        "workshop.demand_kw": 20 + 40 * between(h, 7, 17),
        "rooms.demand_kw": 30 + 50 * hump(h, 12, 4),
        "heat-pump.outdoor_temperature_degc": 6 + 5 * np.cos(2 * np.pi * (h - 15) / 24),
    }


def clinic(h: np.ndarray) -> Columns:
    return {
        "wards.demand_kw": 45 + 10 * between(h, 7, 21),
        "laboratory.demand_kw": 15 + 20 * between(h, 8, 20),
        "laundry.demand_kw": 30 * between(h, 6, 22),
        "roof.available_kw": 60 * sun(h, 5, 21),
    }


DEMOS: dict[str, tuple[dt.date, int, float, Callable[[np.ndarray], Columns]]] = {
    "plant": (dt.date(2024, 6, 3), 2, 1.0, plant),
    "dairy": (dt.date(2024, 6, 3), 2, 0.25, dairy),
    "house": (dt.date(2024, 6, 3), 7, 1.0, house),
    "factory": (dt.date(2024, 6, 3), 2, 0.25, factory),
    "park": (dt.date(2024, 3, 18), 2, 1.0, park),
    "clinic": (dt.date(2024, 6, 3), 2, 1.0, clinic),
}
"""First day, number of equal days, length of a step in hours, and the columns over the hour of the day."""


def file_of(name: str) -> str:
    """Return the text of a demo's file of series."""
    first, days, step_h, columns_of = DEMOS[name]
    h = np.arange(0, 24, step_h)
    columns = {column: np.round(values, 4).tolist() for column, values in columns_of(h).items()}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["time", *columns])
    for day in range(days):
        midnight = dt.datetime.combine(first + dt.timedelta(days=day), dt.time(), BERLIN)
        for step, values in enumerate(zip(*columns.values(), strict=True)):
            time = midnight + dt.timedelta(hours=step * step_h)
            rows.writerow([time.isoformat(timespec="minutes"), *(f"{value:g}" for value in values)])
    return text.getvalue()


if __name__ == "__main__":
    for demo in DEMOS:
        (FOLDER / f"{demo}.csv").write_text(file_of(demo), encoding="utf-8")
