"""The bill: what a schedule costs, recomputed from powers and prices as a person would check an invoice.

Nothing here is shared with the dispatch model; a mistake in one shows as a difference to the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio

ON_KW = 1e-6
"""Output above which a generator is taken to be on."""


@dataclass(frozen=True)
class Bill:
    """Lines of a bill and their sum.

    Parameters
    ----------
    lines : DataFrame
        Columns ``asset``, ``cost_type``, ``quantity``, ``unit``, ``rate_per_unit`` (mean, in money),
        ``cost`` (money; an income is negative).
    """

    lines: pd.DataFrame

    @property
    def total_cost(self) -> float:
        """Sum of all lines."""
        return float(self.lines["cost"].sum())


def settle(flows: xr.Dataset, series: xr.Dataset, portfolio: Portfolio) -> Bill:
    """Return the bill of a schedule.

    Parameters
    ----------
    flows : Dataset (time, asset)
        The schedule: ``import_kw``, ``export_kw``, ``discharge_kw``, ``output_kw``, ``unserved_kw`` where an asset has
        them; the coordinate ``step_h`` gives the length of each step.
    series : Dataset (time, asset)
        Prices at each grid connection.
    portfolio : Portfolio
    """
    step_h = flows.step_h.to_numpy()
    lines: list[tuple[str, str, float, str, float]] = []
    for asset in portfolio.active():
        if isinstance(asset, GridConnection):
            for way, cost_type, sign in (("import", "import_cost", 1.0), ("export", "export_revenue", -1.0)):
                energy = flows[f"{way}_kw"].sel(asset=asset.id).to_numpy() * step_h
                price = series[f"{way}_price_per_kwh"].sel(asset=asset.id).to_numpy()
                lines.append((asset.id, cost_type, float(energy.sum()), "kWh", sign * float(energy @ price)))
        elif isinstance(asset, Battery):
            energy = flows.discharge_kw.sel(asset=asset.id).to_numpy() * step_h
            wear = float(energy.sum()) * asset.degradation_cost_per_kwh
            lines.append((asset.id, "wear_cost", float(energy.sum()), "kWh", wear))
        elif isinstance(asset, Generator):
            output = flows.output_kw.sel(asset=asset.id).to_numpy()
            energy_kwh = float(output @ step_h)
            for cost_type, rate in (
                ("fuel_cost", asset.fuel_cost_per_kwh),
                ("variable_om_cost", asset.variable_om_cost_per_kwh),
            ):
                if rate > 0 or cost_type == "fuel_cost":
                    lines.append((asset.id, cost_type, energy_kwh, "kWh", energy_kwh * rate))
            if asset.startup_cost > 0 or asset.shutdown_cost > 0 or asset.maintenance_cost_per_h > 0:
                on = flows.is_on.sel(asset=asset.id).to_numpy() > 0.5
                starts = float(on[0]) + float(np.count_nonzero(on[1:] & ~on[:-1]))
                stops = float(np.count_nonzero(on[:-1] & ~on[1:]))
                for cost_type, quantity, unit, rate in (
                    ("startup_cost", starts, "starts", asset.startup_cost),
                    ("shutdown_cost", stops, "stops", asset.shutdown_cost),
                    ("maintenance_cost", float(on @ step_h), "h", asset.maintenance_cost_per_h),
                ):
                    if rate > 0:
                        lines.append((asset.id, cost_type, quantity, unit, quantity * rate))
        elif isinstance(asset, EvCharger) and asset.usage_fee_per_kwh:
            energy_kwh = float(flows.charge_kw.sel(asset=asset.id).to_numpy() @ step_h)
            lines.append((asset.id, "usage_revenue", energy_kwh, "kWh", -energy_kwh * asset.usage_fee_per_kwh))
        elif isinstance(asset, Load) and asset.interruption_cost_per_kwh is not None:
            energy_kwh = float(flows.unserved_kw.sel(asset=asset.id).to_numpy() @ step_h)
            cost = energy_kwh * asset.interruption_cost_per_kwh
            lines.append((asset.id, "interruption_cost", energy_kwh, "kWh", cost))
    frame = pd.DataFrame(lines, columns=["asset", "cost_type", "quantity", "unit", "cost"])
    mean_rate = frame["cost"].abs() / frame["quantity"].where(frame["quantity"] > 0)
    frame.insert(4, "rate_per_unit", mean_rate)
    return Bill(frame)
