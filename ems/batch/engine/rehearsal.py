"""A rehearsal before kernels are forked: one small dispatch, from files to figures, so that none does things first.

What is done for the first time takes longer: patterns and validators are compiled, fonts are looked up, classes are
registered. The exact dynamic programme solves it: HiGHS would start threads, which do not survive a fork.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

SITE = """
currency: EUR
site: {id: rehearsal, name: Rehearsal, timezone: Europe/Berlin, country: DE}
tariffs:
  - id: plain
    name: Plain
    periods:
      - {name: day, from_time: "08:00", until_time: "20:00", import_price_per_kwh: 0.2, export_price_per_kwh: 0.1}
      - {name: night, import_price_per_kwh: 0.1, export_price_per_kwh: 0.05}
assets:
  - {kind: battery, id: battery, name: Battery, capacity_kwh: 10, max_charge_kw: 5, max_discharge_kw: 5}
  - {kind: grid_connection, id: grid, name: Grid, max_import_kw: 50, max_export_kw: 50, tariff_id: plain}
  - {kind: load, id: load, name: Load, rated_load_kw: 5}
"""


def rehearse() -> None:
    """Read a site and a series, plan, settle, draw and describe; touch an empty database in memory; keep nothing."""
    from ems.assets.portfolio import read_portfolio
    from ems.assets.prices import series_needs, with_prices
    from ems.dispatch.options import SolverOptions
    from ems.dispatch.problem import DispatchProblem
    from ems.dispatch.solve import solve
    from ems.horizon import Horizon
    from ems.report import figures, tables
    from ems.series.cutting import cut_series, start_of
    from ems.series.reading import read_series
    from ems.studies.dispatch_plan import DispatchPlan

    with tempfile.TemporaryDirectory(prefix="ems-") as folder:
        site, table = Path(folder) / "rehearsal.yaml", Path(folder) / "rehearsal.csv"
        site.write_text(SITE)
        rows = [f"2024-06-03T{hour:02d}:00+02:00,{1 + hour % 5}" for hour in range(24)]
        table.write_text("\n".join(["time,demand_kw", *rows]) + "\n")
        portfolio = read_portfolio(site)
        series = read_series(table, series_needs(portfolio), portfolio.series, "Europe/Berlin")
    horizon = Horizon.regular(start_of(series), 24, 1)
    priced = with_prices(cut_series(series, horizon, portfolio.series), portfolio, horizon)
    problem = DispatchProblem(portfolio, horizon, priced)
    result = solve(problem, SolverOptions(solver="dp", choose_plan=False))
    plan = DispatchPlan(result, None, None)
    costs = plan.costs()
    shown = [
        tables.show_assets(portfolio),
        tables.show_costs(costs, plan.currency),
        figures.plot_series(problem.series, portfolio),
        figures.plot_power_balance(result.flows, problem.series, portfolio),
        figures.plot_energy(result.flows, portfolio),
        figures.plot_costs(costs, plan.currency),
    ]
    for one in shown:
        for name in ("_repr_mimebundle_", "_repr_html_"):
            if hasattr(one, name):
                getattr(one, name)()
                break
    _touch_a_database()


def _touch_a_database() -> None:
    """Connect to an empty database in memory, as the first connection of a process takes longest."""
    from ems.database.engine import open_engine, reading, revision_in

    engine = open_engine("sqlite://")
    with reading(engine) as connection:
        revision_in(connection)
    engine.dispose()
