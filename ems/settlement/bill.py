"""The bill: what a schedule costs, recomputed from powers and prices as a person would check an invoice.

Nothing here is shared with the dispatch model; a mistake in one shows as a difference to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.assets.variable_renewable import VariableRenewable
from ems.display import Card, Shown, counted, shown_number
from ems.settlement import battery, ev_charger, generator, grid_connection, load, portfolio_lines, variable_renewable
from ems.settlement.ledger import Ledger

_BILLS: Any = {
    Battery: battery.bill,
    GridConnection: grid_connection.bill,
    Load: load.bill,
    Generator: generator.bill,
    EvCharger: ev_charger.bill,
    **dict.fromkeys(VariableRenewable.__subclasses__(), variable_renewable.bill),
}
COLUMNS = ("asset", "month", "charge", "cost_type", "quantity", "unit", "rate_per_unit", "cost")


@dataclass(frozen=True, repr=False)
class Bill(Shown):
    """Lines of a bill and their sum.

    Parameters
    ----------
    lines : DataFrame
        Columns ``asset``, ``month`` and ``charge`` (of a tariff's lines; else empty), ``cost_type``, ``quantity``,
        ``unit``, ``rate_per_unit`` (mean, in money), ``cost`` (money; an income is negative).
    """

    lines: pd.DataFrame

    def caption(self) -> str:
        """Return how many lines it has."""
        return f"Bill of {counted(len(self.lines), 'line')}"

    def card(self) -> Card:
        """Return the cost of each type with its quantity, in the portfolio's currency, and their sum."""
        types = self.lines.groupby(["cost_type", "unit"], sort=False, dropna=False)[["quantity", "cost"]].sum()
        names, quantities, costs = types.index.to_list(), types["quantity"].tolist(), types["cost"].tolist()
        rows = [
            (str(name).replace("_", " "), f"{shown_number(quantity, 1)} {unit}", shown_number(cost, 2))
            for (name, unit), quantity, cost in zip(names, quantities, costs, strict=True)
        ]
        return Card(
            self.caption(), [*rows, ("total", "", shown_number(self.total_cost, 2))], ("charge", "quantity", "cost")
        )

    @property
    def total_cost(self) -> float:
        """Sum of all lines."""
        return float(self.lines["cost"].sum())


def settle(flows: xr.Dataset, series: xr.Dataset, portfolio: Portfolio) -> Bill:
    """Return the bill of a schedule, that of a connection with a tariff by month and charge.

    Parameters
    ----------
    flows : Dataset (time, asset)
        The schedule: ``import_kw``, ``export_kw``, ``discharge_kw``, ``output_kw``, ``unserved_kw`` where an asset has
        them; the coordinate ``step_h`` gives the length of each step.
    series : Dataset (time, asset)
        Prices at each grid connection, the market's where a tariff follows it.
    portfolio : Portfolio
    """
    ledger = Ledger(flows, series, portfolio)
    contracts = []
    for asset in portfolio.active():
        _BILLS[type(asset)](asset, ledger)
        if isinstance(asset, GridConnection) and asset.tariff_id is not None:
            lines = grid_connection.tariff_lines(asset, ledger).drop(columns="rate")
            contracts.append(lines.assign(asset=asset.id))
    portfolio_lines.bill(ledger)
    others = pd.DataFrame(ledger.lines, columns=["asset", "cost_type", "quantity", "unit", "cost"])
    others = others.assign(month="", charge="")
    frame = pd.concat([*contracts, others], ignore_index=True) if contracts else others
    frame["rate_per_unit"] = frame["cost"].abs() / frame["quantity"].where(frame["quantity"] > 0)
    return Bill(frame[list(COLUMNS)])
