"""Small tariffs and meter readings for tests of bills: hours in UTC, of which a test states only what it is about."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from ems.horizon import Horizon
from ems.settlement.tariff_bill import bill_of
from ems.tariffs.tariff import EnergyPeriod, Tariff

NEW_YEAR = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
HOURS = {"january": 744, "february": 696}


def hours(count: int, start: dt.datetime = NEW_YEAR) -> Horizon:
    """A horizon of hours; from New Year, January has 744 and February 696 of them."""
    return Horizon(start, (1.0,) * count)


def tariff(**fields: Any) -> Tariff:
    """A tariff of 0.10 for each kWh bought and 0.04 for each sold, and nothing else."""
    always = EnergyPeriod(name="always", import_price_per_kwh=0.10, export_price_per_kwh=0.04)
    return Tariff(**{"id": "sample", "name": "Sample", "periods": (always,), **fields})


def power(count: int, **at: float) -> np.ndarray:
    """Powers that are 0 but at some hours: ``power(24, h3=5)`` is 5 kW in the hour that begins at 03:00."""
    values = np.zeros(count)
    for hour, value in at.items():
        values[int(hour[1:])] = value
    return values


def bill(contract: Tariff, import_kw: np.ndarray, export_kw: np.ndarray | None = None, **more: Any) -> pd.DataFrame:
    """The bill of hours from New Year on, in UTC."""
    return bill_of(contract, hours(len(import_kw)), "UTC", import_kw, export_kw, **more)


def cost_of(lines: pd.DataFrame, cost_type: str) -> dict[str, float]:
    """What a type of cost makes in each month that has it."""
    found = lines[lines.cost_type == cost_type].groupby("month")["cost"].sum()
    return {str(month): float(cost) for month, cost in found.items()}
