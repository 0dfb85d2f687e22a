"""What the register does in a second: import, list, update, and the first page of many assets.

Run it with ``python benchmarks/register.py [ASSETS] [ADDRESS]``. Without an address the database is an embedded one in
a temporary folder; an address names an empty database, as in ``postgresql://user@host/name``. Each figure of a list
is the median of eleven.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from ems.assets.battery import Battery
from ems.assets.generator import Generator
from ems.assets.group import Group, GroupMember
from ems.assets.load import Load
from ems.assets.portfolio import AnyAsset, Portfolio, Site
from ems.assets.solar_pv import SolarPV
from ems.database.engine import connect
from ems.database.fleet import fleet_numbers
from ems.database.migrate import upgrade
from ems.database.register import get_asset, update_asset
from ems.database.register_portfolio import load_portfolio, save_portfolio
from ems.database.register_queries import list_assets

IMPORTED = 10_000
UPDATES = 200
REPETITIONS = 11


def asset(number: int) -> AnyAsset:
    """Return one of four kinds, at one of a hundred sites."""
    common: dict[str, Any] = {
        "id": f"asset-{number}",
        "name": f"Asset {(number * 7919) % 1_000_003:07d}",
        "site_id": f"site-{number % 100}",
        "manufacturer": f"Maker {number % 37}",
    }
    kinds: list[AnyAsset] = [
        Battery(
            **common, capacity_kwh=100 + number % 50, max_charge_kw=50, max_discharge_kw=50, chemistry="lead_acid"
        ),
        SolarPV(**common, rated_capacity_kw=10 + number % 90),
        Generator(**common, max_output_kw=60, fuel_cost_per_kwh=0.3, generator_type="diesel"),
        Load(**common, rated_load_kw=20),
    ]
    return kinds[number % 4]


def portfolio(count: int) -> Portfolio:
    """Return a portfolio of so many assets, every tenth in a group."""
    return Portfolio(
        currency="EUR",
        sites=tuple(Site(id=f"site-{number}", timezone="Europe/Berlin") for number in range(100)),
        assets=tuple(asset(number) for number in range(count)),
        groups=(Group(id="plant"), Group(id="part", parent_group_id="plant")),
        members=tuple(GroupMember(asset_id=f"asset-{number}", group_id="part") for number in range(0, count, 10)),
    )


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds that a piece of work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def report_rate(name: str, count: int, seconds: float) -> None:
    """Print a rate."""
    print(f"{name:<44} {count / seconds:>10,.0f} assets/s {seconds:>9.2f} s")


def report_lists(engine: sa.Engine, count: int) -> None:
    """Print how long pages of fifty and the numbers of the fleet take."""
    middle = list_assets(engine, limit=min(count // 2, 10_000)).next_cursor
    asked: dict[str, Callable[[], object]] = {
        "first page by name": lambda: list_assets(engine),
        "page in the middle": lambda: list_assets(engine, after=middle),
        "first page of a kind": lambda: list_assets(engine, kind="battery"),
        "first page of a site": lambda: list_assets(engine, site="site-7"),
        "first page of a group with those nested": lambda: list_assets(engine, group="plant"),
        "first page by a field of a kind": lambda: list_assets(engine, where={"generator_type": "diesel"}),
        "free text that is found": lambda: list_assets(engine, text="maker 3"),
        "free text that is nowhere": lambda: list_assets(engine, text="zzz"),
        "first page by capacity": lambda: list_assets(engine, sort="capacity", descending=True),
        "numbers of the fleet": lambda: fleet_numbers(engine),
    }
    for name, work in asked.items():
        print(f"{name:<44} {1000 * statistics.median(seconds_of(work) for _ in range(REPETITIONS)):>10,.1f} ms")


def main(count: int, address: str) -> None:
    """Measure and print."""
    upgrade(address)
    engine = connect(address)
    small = portfolio(IMPORTED)
    print(f"{engine.dialect.name}, {IMPORTED:,} assets")
    report_rate("import", IMPORTED, seconds_of(lambda: save_portfolio(engine, small)))
    report_rate("import of the same, nothing changes", IMPORTED, seconds_of(lambda: save_portfolio(engine, small)))
    moved = small.replace(assets=tuple(one.replace(location="Hall 3") for one in small.assets))
    report_rate("import with a field of each changed", IMPORTED, seconds_of(lambda: save_portfolio(engine, moved)))
    report_rate("load", IMPORTED, seconds_of(lambda: load_portfolio(engine)))

    def update() -> None:
        for number in range(UPDATES):
            update_asset(engine, f"asset-{number}", {"description": "changed"})

    def read() -> None:
        for number in range(UPDATES):
            get_asset(engine, f"asset-{number}")

    report_rate("update, each its own transaction", UPDATES, seconds_of(update))
    report_rate("get, one by one", UPDATES, seconds_of(read))
    report_lists(engine, IMPORTED)

    large = portfolio(count)
    print(f"{engine.dialect.name}, {count:,} assets")
    report_rate("import", count - IMPORTED, seconds_of(lambda: save_portfolio(engine, large)))
    report_lists(engine, count)
    engine.dispose()


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        main(number, sys.argv[2])
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(number, f"sqlite:///{folder}/ems.sqlite")
