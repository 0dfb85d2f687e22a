"""A portfolio of all kinds with easy numbers, and an empty register to keep it in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.load import Load
from ems.assets.operation import AssetStatus, MaintenanceRecord, Performance
from ems.assets.portfolio import Portfolio, Site
from ems.assets.reserve import ReserveRequirement
from ems.assets.solar_pv import SolarPV
from ems.assets.wind_turbine import WindTurbine
from ems.database.engine import writing
from ems.database.register_tables import METADATA
from ems.tariffs.tariff import EnergyPeriod, Tariff

NOON = dt.datetime(2024, 6, 3, 12, tzinfo=dt.UTC)


def battery(asset_id: str = "bat", **fields: Any) -> Battery:
    """A battery of 100 kWh and 50 kW at site harbour."""
    easy = {"id": asset_id, "site_id": "harbour", "capacity_kwh": 100, "max_charge_kw": 50, "max_discharge_kw": 50}
    return Battery(**{**easy, **fields})


def sample_portfolio() -> Portfolio:
    """One asset of each kind at two sites, a microgrid in a virtual power plant, two dependencies and a reserve."""
    at = {"site_id": "harbour"}
    return Portfolio(
        currency="EUR",
        sites=(
            Site(id="harbour", name="Harbour", code="HB", timezone="Europe/Berlin", city="Bremen"),
            Site(id="depot", timezone="Europe/Berlin"),
        ),
        assets=(
            battery(chemistry="lithium_iron_phosphate", name="Big battery", warranty_expiry_date=dt.date(2030, 1, 1)),
            EvCharger(id="cars", max_power_kw=11, number_of_ports=3, simultaneous_charging=True, site_id="depot"),
            Generator(id="diesel", max_output_kw=60, fuel_cost_per_kwh=0.3, generator_type="diesel", **at),
            GridConnection(id="grid", max_import_kw=200, max_export_kw=150, tariff_id="flat", **at),
            Load(id="cranes", rated_load_kw=80, **at),
            SolarPV(
                id="roof", rated_capacity_kw=70, has_battery_storage=True, battery_asset_id="bat", name="Dach", **at
            ),
            WindTurbine(
                id="mill",
                rated_capacity_kw=90,
                rotor_diameter_m=20,
                hub_height_m=30,
                cut_in_wind_speed_m_per_s=3,
                rated_wind_speed_m_per_s=12,
                cut_out_wind_speed_m_per_s=25,
                site_id="depot",
            ),
        ),
        tariffs=(
            Tariff(
                id="flat",
                name="Flat",
                periods=(EnergyPeriod(name="all", import_price_per_kwh=0.3, export_price_per_kwh=0.1),),
            ),
        ),
        groups=(
            Group(id="grid-a", name="Microgrid A", group_type="microgrid", site_id="harbour", parent_group_id="plant"),
            Group(id="plant", group_type="vpp"),
        ),
        members=(
            GroupMember(asset_id="bat", group_id="grid-a", role="storage", priority=2),
            GroupMember(asset_id="diesel", group_id="grid-a", role="backup", priority=1),
            GroupMember(asset_id="mill", group_id="plant"),
        ),
        dependencies=(
            Dependency(asset_id="cranes", depends_on_asset_id="grid", dependency_type="requires", is_critical=True),
            Dependency(asset_id="diesel", depends_on_asset_id="grid", dependency_type="backup_for"),
        ),
        reserves=(ReserveRequirement(id="spinning", requirement_kw=20, providers=("bat",)),),
    )


def status(asset_id: str = "bat", minutes_ago: float = 5, **fields: Any) -> AssetStatus:
    """What an asset said some minutes before noon: online, unless something else is stated."""
    said = {"online": True, "operational_status": "online", **fields}
    return AssetStatus(asset_id=asset_id, reported_at=NOON - dt.timedelta(minutes=minutes_ago), **said)


def maintenance(record_id: str = "m1", asset_id: str = "diesel", **fields: Any) -> MaintenanceRecord:
    """A service that was planned for the first of June."""
    return MaintenanceRecord(
        **{"id": record_id, "asset_id": asset_id, "scheduled_date": dt.date(2024, 6, 1), **fields}
    )


def performance(record_id: str = "p1", asset_id: str = "mill", **fields: Any) -> Performance:
    """A day that earned 30 and cost 10."""
    easy = {"period_start": NOON - dt.timedelta(days=1), "period_end": NOON, "total_revenue": 30, "total_cost": 10}
    return Performance(**{"id": record_id, "asset_id": asset_id, **easy, **fields})


def emptied(engine: sa.Engine) -> sa.Engine:
    """Take everything out of the register, and return its engine."""
    with writing(engine) as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(sa.delete(table))
    return engine
