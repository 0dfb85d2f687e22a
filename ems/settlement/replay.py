"""Replay: energy and power of a schedule recomputed step by step with the equipment's limits; violations named."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.assets.variable_renewable import VariableRenewable
from ems.settlement import battery, ev_charger, generator, grid_connection, load, portfolio_lines, variable_renewable
from ems.settlement.ledger import Replay

_REPLAYS: Any = {
    Battery: battery.replay,
    GridConnection: grid_connection.replay,
    Load: load.replay,
    Generator: generator.replay,
    EvCharger: ev_charger.replay,
    **dict.fromkeys(VariableRenewable.__subclasses__(), variable_renewable.replay),
}


def violations_of(flows: xr.Dataset, series: xr.Dataset, portfolio: Portfolio) -> list[str]:
    """Return one sentence for each law that a schedule breaks: limits, energy of stores, balance of sites.

    Parameters
    ----------
    flows : Dataset (time, asset)
        The schedule, as a dispatch or a meter gives it.
    series : Dataset (time, asset)
        Demand and available power.
    portfolio : Portfolio

    Returns
    -------
    list of str
        Empty where the schedule is sound; each sentence names asset, law, time (UTC) and size.
    """
    checked = Replay(flows, series, portfolio)
    balance = {site.id: np.zeros(len(checked.times)) for site in portfolio.sites}
    largest_kw = dict.fromkeys(balance, 0.0)
    injections = {}
    for asset in portfolio.active():
        injection = injections[asset.id] = _REPLAYS[type(asset)](asset, checked)
        balance[asset.site_id] += injection
        largest_kw[asset.site_id] = max(largest_kw[asset.site_id], float(np.abs(injection).max()))
    for site_id, injection in portfolio_lines.replay(injections, checked).items():
        balance[site_id] += injection
    for site_id, sums in balance.items():
        checked.note(site_id, "the power balance is open", np.abs(sums), scale=largest_kw[site_id])
    return checked.found
