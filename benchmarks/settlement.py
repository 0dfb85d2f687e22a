"""How fast a year settles: the bill of a rich tariff, the assets' bill and replay, and a thousand sites.

Run it with ``python benchmarks/settlement.py [SITES] [PROCESSES]``. A site has a load, solar power, a battery and a
connection, at quarter hours of a year, by the wall clock of Berlin with its holidays and clock changes. Claimed are a
year in less than 0.2 s, and a thousand sites on two cores in less than three minutes.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio, Site
from ems.assets.solar_pv import SolarPV
from ems.horizon import Horizon
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of
from ems.settlement.tariff_bill import bill_of
from ems.tariffs.demand_charge import DemandCharge, DemandTier, Ratchet
from ems.tariffs.levies import Levy, Tax
from ems.tariffs.tariff import EnergyPeriod, EnergyTier, Tariff

TIMEZONE = "Europe/Berlin"
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
STEPS = 365 * 96
REPETITIONS = 11


def tariff() -> Tariff:
    """Return a tariff with times of use, tiers, windows, a ratchet, levies and taxes."""

    def tiers(price: float) -> tuple[EnergyTier, ...]:
        first = EnergyTier(up_to_kwh=5000, import_price_per_kwh=price, export_price_per_kwh=0.08)
        return (first, EnergyTier(import_price_per_kwh=price + 0.05, export_price_per_kwh=0.05))

    evening = DemandCharge(
        name="evening", rate_per_kw=6, from_time="17:00", until_time="20:00", weekdays=WORKDAYS, months=(11, 12, 1, 2)
    )
    return Tariff(
        id="rich",
        name="Rich",
        holiday_calendar="DE-BY",
        periods=(
            EnergyPeriod(name="peak", tiers=tiers(0.4), from_time="17:00", until_time="20:00", weekdays=WORKDAYS),
            EnergyPeriod(name="day", tiers=tiers(0.3), from_time="06:00", until_time="22:00", weekdays=WORKDAYS),
            EnergyPeriod(name="night", tiers=tiers(0.2)),
        ),
        demand_charges=(
            DemandCharge(
                name="month",
                tiers=(DemandTier(up_to_kw=50, rate_per_kw=8), DemandTier(rate_per_kw=10)),
                ratchet=Ratchet(share=0.7, previous=11),
            ),
            DemandCharge(name="highest days", rate_per_kw=4, highest_days=3),
            evening,
        ),
        levies=(Levy(name="levy", rate_per_kwh=0.02, exempt_above_kwh_per_a=1e6),),
        taxes=(Tax(name="VAT", share=0.19),),
        fixed_cost_per_month=20,
        minimum_cost_per_a=500,
    )


def site(seed: int) -> tuple[xr.Dataset, xr.Dataset, Portfolio, Horizon]:
    """Return a year's flows and series of a site, its assets and its horizon."""
    rng = np.random.default_rng(seed)
    horizon = Horizon.regular(dt.datetime(2022, 12, 31, 23, tzinfo=dt.UTC), STEPS / 4, 0.25)
    hour = np.arange(STEPS) / 4 % 24
    demand = 40 * (1 + 0.5 * np.sin((hour - 9) / 24 * 2 * np.pi)) * rng.uniform(0.5, 1, STEPS)
    sun = 60 * np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * rng.uniform(0.2, 1, STEPS)
    charge = np.where((hour >= 10) & (hour < 14), 10.0, 0.0)
    discharge = np.where((hour >= 18) & (hour < 22), 10 * 0.81, 0.0)
    net = demand - sun + charge - discharge
    assets = (
        GridConnection(id="grid", site_id="site", max_import_kw=500, max_export_kw=500),
        Load(id="load", site_id="site", rated_load_kw=500),
        SolarPV(id="solar", site_id="site", rated_capacity_kw=60),
        Battery(
            id="battery", site_id="site", capacity_kwh=200, max_charge_kw=50, max_discharge_kw=50, initial_soc=0.5,
            charge_efficiency=0.9, discharge_efficiency=0.9, degradation_cost_per_kwh=0.02,
        ),
    )  # fmt: skip
    flow = {
        ("import_kw", "grid"): np.maximum(net, 0), ("export_kw", "grid"): np.maximum(-net, 0),
        ("used_kw", "solar"): sun, ("charge_kw", "battery"): charge, ("discharge_kw", "battery"): discharge,
        ("demand_kw", "load"): demand, ("served_kw", "load"): demand, ("unserved_kw", "load"): demand * 0,
    }  # fmt: skip
    given = {
        ("import_price_per_kwh", "grid"): np.full(STEPS, 0.3), ("export_price_per_kwh", "grid"): np.full(STEPS, 0.08),
        ("demand_kw", "load"): demand, ("available_kw", "solar"): sun,
    }  # fmt: skip
    portfolio = Portfolio(currency="EUR", sites=(Site(id="site", timezone=TIMEZONE),), assets=assets)
    flows = _dataset(flow, horizon).assign_coords(step_h=("time", horizon.step_h))
    return flows, _dataset(given, horizon), portfolio, horizon


def _dataset(values: dict[tuple[str, str], np.ndarray], horizon: Horizon) -> xr.Dataset:
    ids = ["grid", "load", "solar", "battery"]
    tables = {name: np.full((STEPS, len(ids)), np.nan) for name, _ in values}
    for (name, asset), column in values.items():
        tables[name][:, ids.index(asset)] = column
    coordinates = {"time": horizon.times, "asset": ids}
    return xr.Dataset({name: (("time", "asset"), table) for name, table in tables.items()}, coords=coordinates)


def settle_site(seed: int) -> float:
    """Return what a site's year costs, from its meter and from its assets; the schedule must break no law."""
    flows, series, portfolio, horizon = site(seed)
    grid = {name: flows[name].sel(asset="grid").to_numpy() for name in ("import_kw", "export_kw")}
    lines = bill_of(tariff(), horizon, TIMEZONE, **grid)
    assert violations_of(flows, series, portfolio) == []
    return float(lines.cost.sum()) + settle(flows, series, portfolio).total_cost


def main() -> None:
    """Print the seconds of each part."""
    sites = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    flows, series, portfolio, horizon = site(0)
    contract, grid = tariff(), {name: flows[name].sel(asset="grid").to_numpy() for name in ("import_kw", "export_kw")}
    for words, part in (
        ("bill of the tariff", lambda: bill_of(contract, horizon, TIMEZONE, **grid)),
        ("bill of the assets", lambda: settle(flows, series, portfolio)),
        ("replay of the assets", lambda: violations_of(flows, series, portfolio)),
    ):
        print(f"{words:>24}: {_median_s(part):6.3f} s for a year at quarter hours")
    begin = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        total = sum(pool.imap_unordered(settle_site, range(sites), chunksize=10))
    seconds = time.perf_counter() - begin
    print(
        f"{f'{sites} sites':>24}: {seconds:6.1f} s on {processes} processes, data made included; {total:,.0f} in all"
    )


def _median_s(part: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPETITIONS):
        begin = time.perf_counter()
        part()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
