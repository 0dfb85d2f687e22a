"""A small site as reports see it, and a run notebook made of it without a kernel."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio, Site
from ems.assets.solar_pv import SolarPV
from ems.report.page import PageHead

HOSTILE = [
    "{{ 7*7 }}",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "Halle $3$ & $x_{$",
    "Akku 🔋 مرحبا",
    "_hidden",
    "\u202eevil",
]


def make_portfolio(
    battery_name: str = "Harbour battery", load_name: str = "Office", timezone: str = "Europe/Berlin"
) -> Any:
    at = {"site_id": "harbour"}
    power = {"max_charge_kw": 50, "max_discharge_kw": 50}
    return Portfolio(
        currency="EUR",
        sites=(Site(id="harbour", name="Harbour", timezone=timezone),),
        assets=(
            Battery(id="battery", name=battery_name, capacity_kwh=100, min_soc=0.1, max_soc=0.9, **power, **at),
            GridConnection(id="grid", name="Grid", max_import_kw=100, max_export_kw=100, export_enabled=True, **at),
            SolarPV(id="solar", name="Roof", rated_capacity_kw=30, **at),
            Load(id="office", name=load_name, rated_load_kw=60, **at),
        ),
    )


def make_flows(steps: int = 24, start: str = "2024-05-31T22:00") -> tuple[xr.Dataset, xr.Dataset]:
    """Return flows and series over hourly steps; the first is midnight in Berlin."""
    boundaries = np.datetime64(start, "ns") + np.arange(steps + 1) * np.timedelta64(1, "h")
    hour = np.arange(steps) % 24
    demand = np.where((hour >= 6) & (hour < 22), 45 + 10 * np.sin(hour), 18.0)
    sun = np.clip(30 * np.sin((hour - 5) / 15 * np.pi), 0, None) * ((hour > 5) & (hour < 20))
    battery = np.where(hour < 2, -42.0, np.where((hour >= 8) & (hour < 12), 19.5, 0.0))
    energy = np.clip(50 + np.concatenate(([0], np.cumsum(-battery))), 10, 90)
    ids = ["battery", "grid", "solar", "office"]
    nothing = np.full(steps, np.nan)

    def columns(*values: np.ndarray) -> tuple[tuple[str, str], np.ndarray]:
        return ("time", "asset"), np.column_stack(values)

    coordinates = {
        "time": boundaries[:-1],
        "boundary": boundaries,
        "asset": ids,
        "kind": ("asset", ["battery", "grid_connection", "solar_pv", "load"]),
    }
    flows = xr.Dataset(
        {
            "injection_kw": columns(battery, demand - battery - sun, sun, -demand),
            "energy_kwh": (
                ("boundary", "asset"),
                np.column_stack([energy, *[np.full(steps + 1, np.nan)] * 3]),
            ),
        },
        coordinates,
    )
    day = (hour >= 8) & (hour < 20)
    series = xr.Dataset(
        {
            "demand_kw": columns(nothing, nothing, nothing, demand),
            "available_kw": columns(nothing, nothing, sun, nothing),
            "import_price_per_kwh": columns(nothing, np.where(day, 0.18, 0.12), nothing, nothing),
            "export_price_per_kwh": columns(nothing, np.where(day, 0.10, 0.06), nothing, nothing),
        },
        coordinates,
    )
    return flows, series


def make_costs() -> pd.DataFrame:
    """Return costs whose totals are 90 EUR with battery and 99 EUR without."""
    return pd.DataFrame(
        {"with battery": [95.0, -6.0, 1.0, 0.0], "without battery": [100.0, -1.0, 0.0, 0.0]},
        index=["import_cost", "export_revenue", "wear_cost", "fuel_cost"],
    )


def display(thing: Any) -> Any:
    """Return the output that a notebook keeps of a figure or table."""
    if hasattr(thing, "_repr_mimebundle_"):
        data, metadata = thing._repr_mimebundle_()
    else:
        data, metadata = {"text/html": thing._repr_html_()}, {}
    return new_output("display_data", {**data, "text/plain": repr(thing)}, metadata=metadata)


def make_head(**changes: Any) -> PageHead:
    given: dict[str, Any] = {
        "title": "Battery dispatch at Harbour",
        "study": "dispatch",
        "case": "demo",
        "run_id": "20240601-080000-3f2a",
        "status": "completed",
        "error": None,
        "started_at": dt.datetime(2024, 6, 1, 8, 0, tzinfo=dt.UTC),
        "finished_at": dt.datetime(2024, 6, 1, 8, 0, 4, 200000, tzinfo=dt.UTC),
        "timezone": "Europe/Berlin",
        "headline": [("Total cost", "90.00 EUR"), ("Without battery", "99.00 EUR"), ("Saved", "9.00 EUR")],
        "parameters": [
            {"field": "horizon_h", "value": "24", "unit": "h", "meaning": "Length of the horizon."},
            {"field": "solver", "value": "highs", "unit": "", "meaning": "Program that finds the schedule."},
        ],
        "provenance": [
            ("Versions", [("ems", "0.1.0"), ("Python", "3.11.9")]),
            ("Inputs", [("data/sites/harbour.yaml", "sha256 " + "0123456789abcdef" * 4)]),
            ("Solver", [("solver", "HiGHS 1.11"), ("status", "optimal"), ("gap", "0"), ("bound", "90.00 EUR")]),
        ],
        "notes": ["The time zone of demand.csv was taken from the site: Europe/Berlin."],
    }
    return PageHead(**{**given, **changes})


def make_notebook(cells: list[Any] | None = None) -> Any:
    """Return a notebook as a run leaves it, or one of the given cells."""
    return new_notebook(cells=cells if cells is not None else _demo_cells())


def _demo_cells() -> list[Any]:
    from ems.report.figures import plot_costs, plot_energy, plot_power_balance, plot_series
    from ems.report.tables import show_assets, show_costs

    portfolio = make_portfolio()
    flows, series = make_flows()
    return [
        new_markdown_cell(
            "# Battery dispatch\n\nWhen should the battery charge so that the site pays least?\n\n"
            "The battery stores `energy[t] = energy[t-1] + charge_efficiency * charge[t]`, [costs](#what-it-costs)."
        ),
        new_code_cell("horizon_h = 24  # Length of the horizon.\nsolver = 'highs'", metadata={"tags": ["parameters"]}),
        new_markdown_cell("## What there is\n\nLook for the *power* of the battery against the load."),
        new_code_cell("show_assets(portfolio)", execution_count=2, outputs=[display(show_assets(portfolio))]),
        new_code_cell("plot_series(series, portfolio)", outputs=[display(plot_series(series, portfolio))]),
        new_markdown_cell(
            "## The plan\n\n- charges at night\n- discharges in the morning\n\n| a | b |\n|---|--:|\n| x | 1 |"
        ),
        new_code_cell(
            "plot_power_balance(result.flows, series, portfolio)",
            outputs=[
                new_output("stream", name="stdout", text="solved in 0.02 s\n"),
                display(plot_power_balance(flows, series, portfolio)),
            ],
        ),
        new_code_cell("plot_energy(result.flows, portfolio)", outputs=[display(plot_energy(flows, portfolio))]),
        new_markdown_cell("## What it costs\n\nWith and without the battery."),
        new_code_cell("show_costs(costs, 'EUR')", outputs=[display(show_costs(make_costs(), "EUR"))]),
        new_code_cell("plot_costs(costs, 'EUR')", outputs=[display(plot_costs(make_costs(), "EUR"))]),
        new_markdown_cell("## Conclusion\n\nThe battery saves 9 EUR a day."),
    ]
