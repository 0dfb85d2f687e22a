"""Small assets and problems for tests: a site with easy numbers, of which a test states only what it is about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import AnyAsset, Portfolio, Site
from ems.assets.prices import with_prices
from ems.assets.solar_pv import SolarPV
from ems.assets.wind_turbine import WindTurbine
from ems.dispatch.goal import Goal
from ems.dispatch.problem import DispatchProblem
from ems.horizon import Horizon

START = dt.datetime(2024, 6, 3, tzinfo=dt.UTC)
"""A Monday, away from clock changes."""


def battery(**fields: Any) -> Battery:
    """A lossless battery of 100 kWh and 100 kW without wear, half full."""
    easy = {
        "id": "battery",
        "site_id": "site",
        "capacity_kwh": 100,
        "max_charge_kw": 100,
        "max_discharge_kw": 100,
        "min_soc": 0,
        "max_soc": 1,
        "degradation_cost_per_kwh": 0,
    }
    if not any(name.endswith("_efficiency") for name in fields):
        easy["round_trip_efficiency"] = 1
    return Battery(**{**easy, **fields})


def grid(**fields: Any) -> GridConnection:
    """A connection of 100 kW each way; prices come from the series unless they are given."""
    return GridConnection(**{"id": "grid", "site_id": "site", "max_import_kw": 100, "max_export_kw": 100, **fields})


def load(**fields: Any) -> Load:
    """A firm load."""
    return Load(**{"id": "load", "site_id": "site", "rated_load_kw": 1000, **fields})


def solar(**fields: Any) -> SolarPV:
    """A curtailable plant of 50 kW."""
    return SolarPV(**{"id": "solar", "site_id": "site", "rated_capacity_kw": 50, **fields})


def wind(**fields: Any) -> WindTurbine:
    """A curtailable turbine of 50 kW."""
    speeds = {"cut_in_wind_speed_m_per_s": 3, "rated_wind_speed_m_per_s": 12, "cut_out_wind_speed_m_per_s": 25}
    easy = {"id": "wind", "site_id": "site", "rated_capacity_kw": 50, "rotor_diameter_m": 16, "hub_height_m": 30}
    return WindTurbine(**{**easy, **speeds, **fields})


def generator(**fields: Any) -> Generator:
    """A generator of 40 kW whose fuel costs 0.10 per kWh, free to start and stop at any step."""
    free = {"min_uptime_h": 0, "min_downtime_h": 0}
    return Generator(
        **{"id": "generator", "site_id": "site", "max_output_kw": 40, "fuel_cost_per_kwh": 0.10, **free, **fields}
    )


def charger(**fields: Any) -> EvCharger:
    """A smart charger of one port of 10 kW; of several, each has its full power."""
    easy = {"id": "charger", "site_id": "site", "max_power_kw": 10}
    return EvCharger(**{**easy, "smart_charging_capable": True, "simultaneous_charging": True, **fields})


def session(arrival_h: float, departure_h: float, energy_kwh: float) -> dict[str, Any]:
    """A stay, in hours after `START`."""
    return {
        "arrival": START + dt.timedelta(hours=arrival_h),
        "departure": START + dt.timedelta(hours=departure_h),
        "energy_kwh": energy_kwh,
    }


def portfolio(*assets: AnyAsset, **fields: Any) -> Portfolio:
    """The assets with the sites that they name, in UTC and EUR."""
    ids = dict.fromkeys(asset.site_id for asset in assets)
    sites = tuple(Site(id=one, timezone="UTC") for one in ids)
    return Portfolio(**{"currency": "EUR", "sites": sites, "assets": assets, **fields})


def horizon(*steps_h: float, start: dt.datetime = START) -> Horizon:
    """Steps of given lengths."""
    return Horizon(start, tuple(float(step) for step in steps_h))


def series(steps: Horizon, values: Mapping[str, Sequence[float] | float]) -> xr.Dataset:
    """A dataset of series named ``<asset>.<variable>``; a single number holds in every step."""
    assets = list(dict.fromkeys(name.split(".")[0] for name in values))
    columns = {
        variable: np.full((len(steps), len(assets)), np.nan)
        for variable in dict.fromkeys(name.split(".")[1] for name in values)
    }
    for name, numbers in values.items():
        asset, variable = name.split(".")
        columns[variable][:, assets.index(asset)] = numbers
    return xr.Dataset(
        {variable: (("time", "asset"), array) for variable, array in columns.items()},
        {"time": steps.times.to_numpy(), "asset": assets},
    )


def problem(
    assets: Sequence[AnyAsset],
    values: Mapping[str, Sequence[float] | float] | None = None,
    steps_h: Sequence[float] = (1.0,),
    start: dt.datetime = START,
    goal: Goal | None = None,
    **fields: Any,
) -> DispatchProblem:
    """A dispatch of assets with series named ``<asset>.<variable>``; further fields are those of the portfolio."""
    steps = horizon(*steps_h, start=start)
    whole = portfolio(*assets, **fields)
    return DispatchProblem(whole, steps, with_prices(series(steps, values or {}), whole, steps), goal or Goal())


def prices(buy: Sequence[float] | float, sell: Sequence[float] | float | None = None, asset: str = "grid") -> dict:
    """Series of prices at a connection; selling earns what buying costs unless it is given."""
    return {f"{asset}.import_price_per_kwh": buy, f"{asset}.export_price_per_kwh": buy if sell is None else sell}
