"""A small home for rolling plans: sun, a battery, demand that nobody foresees quite, and prices of the day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio, Site
from ems.assets.solar_pv import SolarPV
from ems.studies.rolling_case import Key, RollingCase, RollingSettings

DAYS = 12
START = "2024-03-29"  # two days before a clock change


def home_case(
    seed: int = 0,
    *,
    days: int = DAYS,
    first_day: int = 8,
    step_h: float = 1.0,
    price_factor: float = 1.0,
    connection: dict[str, object] | None = None,
    battery: dict[str, object] | None = None,
    portfolio: Portfolio | None = None,
    **settings: object,
) -> RollingCase:
    """Return a case of a home: hourly prices, sun by day, demand in the evening with noise."""
    per_day = round(24 / step_h)
    steps = days * per_day
    random = np.random.default_rng(seed)
    hour = np.arange(steps) * step_h % 24
    demand = 0.4 + 1.2 * np.exp(-((hour - 19) ** 2) / 6) + 0.5 * random.exponential(1.0, steps)
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * 3 * np.repeat(random.uniform(0.2, 1, days), per_day)
    price = price_factor * (0.25 + 0.12 * np.sin((hour - 12) / 12 * np.pi) + 0.03 * random.standard_normal(steps))
    whole = portfolio or Portfolio(
        currency="EUR",
        sites=(Site(id="home", timezone="Europe/Berlin"),),
        assets=(
            GridConnection(id="grid", site_id="home", max_import_kw=20, max_export_kw=20, **(connection or {})),
            Load(id="rooms", site_id="home", rated_load_kw=20),
            SolarPV(id="roof", site_id="home", rated_capacity_kw=4),
            Battery(
                **{
                    "id": "battery", "site_id": "home", "capacity_kwh": 6.0, "max_charge_kw": 3, "max_discharge_kw": 3,
                    "min_soc": 0.0, "max_soc": 1.0, "initial_soc": 0.5, "round_trip_efficiency": 0.9,
                    "degradation_cost_per_kwh": 0.01 * price_factor,
                    **(battery or {}),
                }
            ),
        ),
    )  # fmt: skip
    truth: dict[Key, np.ndarray] = {
        ("grid", "import_price_per_kwh"): price,
        ("grid", "export_price_per_kwh"): np.full(steps, 0.06 * price_factor),
        ("rooms", "demand_kw"): demand,
        ("roof", "available_kw"): sun,
    }
    times = pd.date_range(START, periods=steps, freq=pd.Timedelta(hours=step_h), unit="ns")
    begin = first_day * per_day
    return RollingCase(whole, times, truth, begin, steps - begin, RollingSettings(**settings))  # type: ignore[arg-type]
