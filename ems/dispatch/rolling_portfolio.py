"""What of a portfolio a rolling window can plan, and what of its tariffs the window takes as prices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from ems.assets.asset import Asset
from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.rolling_rows import PeakSlots
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.tariffs.demand_charge import DemandCharge

PLANNED = (Battery, GridConnection, Load, VariableRenewable)
"""Kinds whose state a rolling window carries on."""
PEAK_LEVELS = 8
"""Pieces of what a peak costs in the rest of its period."""
HOURS_OF = {"month": 24 * 28, "day": 23}
"""Shortest length of a charge's period."""


def charges_of(connection: GridConnection, portfolio: Portfolio) -> tuple[DemandCharge, ...]:
    """Return the demand charges of a connection and its tariff."""
    tariff = None if connection.tariff_id is None else portfolio.tariff(connection.tariff_id)
    return connection.charges(tariff)


def check_rolling(portfolio: Portfolio) -> None:
    """Raise where a portfolio holds what no rolling window carries on.

    Raises
    ------
    InvalidInput
        With all findings, and what to do.
    """
    findings = []
    for asset in portfolio.active():
        findings += [f"{asset.kind} '{asset.id}': {finding}" for finding in _findings_of(asset)]
    if portfolio.reserves:
        findings.append("reserves: a rolling window offers none; leave them out")
    for site in portfolio.sites:
        here = [one for one in portfolio.active() if one.site_id == site.id]
        count = sum(isinstance(one, GridConnection) for one in here)
        if here and count != 1:
            findings.append(f"site '{site.id}' has {count} grid connections: the simulated plant needs exactly one")
    for connection in portfolio.active():
        if isinstance(connection, GridConnection):
            findings += _contract_findings(connection, portfolio)
    if findings:
        raise InvalidInput("the rolling plan", findings)


def _findings_of(asset: Asset) -> list[str]:
    if not isinstance(asset, PLANNED):
        return [
            "its state is not carried from window to window; set its status to inactive, or plan it with the study "
            "dispatch"
        ]
    if isinstance(asset, Load):
        kinds = {
            "is shifted": asset.shiftable is not None,
            "is a thermal zone": asset.thermal is not None,
            "may be shed": asset.is_sheddable,
        }
        return [f"{words}: only loads that follow a profile are rolled on" for words, is_so in kinds.items() if is_so]
    findings = []
    if isinstance(asset, Battery):
        if asset.cycle_depth_segments:
            findings.append("cycle_depth_segments: their filling is not carried on; give degradation_cost_per_kwh")
        if asset.max_cycles_per_d is not None:
            findings.append("max_cycles_per_d: what a day has used is not carried on; leave it out")
    if getattr(asset, "ramp_up_rate_kw_per_s", None) or getattr(asset, "ramp_down_rate_kw_per_s", None):
        findings.append("ramps: the power before a window is not carried on; leave them out")
    return findings


def _contract_findings(connection: GridConnection, portfolio: Portfolio) -> list[str]:
    place = f"grid_connection '{connection.id}'"
    findings = []
    if connection.tariff_id is not None:
        tariff = portfolio.tariff(connection.tariff_id)
        if tariff.metering != "net_billing":
            findings.append(f"{place}: metering = '{tariff.metering}': windows price each step; state net_billing")
    for charge in charges_of(connection, portfolio):
        if charge.is_coincident or charge.series_names:
            findings.append(f"{place}: demand charge '{charge.name}': its moments are a series; state a calendar")
    return findings


def simplifications(portfolio: Portfolio) -> list[str]:
    """Return a sentence for each thing that the bill knows and a window does not."""
    notes = []
    for connection in portfolio.active():
        if not isinstance(connection, GridConnection):
            continue
        if connection.tariff_id is not None:
            tariff = portfolio.tariff(connection.tariff_id)
            if tariff.has_tiers:
                notes.append(f"tariff '{tariff.id}': windows take the price of the tier that the month has reached")
            if tariff.minimum_cost_per_month or tariff.minimum_cost_per_a:
                notes.append(f"tariff '{tariff.id}': windows do not know the minimum of the bill")
        for charge in charges_of(connection, portfolio):
            if charge.ratchet is not None:
                notes.append(f"demand charge '{charge.name}': windows do not know its ratchet")
            if charge.highest_days > 1:
                notes.append(
                    f"demand charge '{charge.name}': windows take the highest peak for the mean of the highest"
                )
            if charge.tiers or any(one.tiers for one in charge.seasons):
                notes.append(
                    f"demand charge '{charge.name}': windows take the price of the tier that the peak has reached"
                )
    return notes


def as_planned(portfolio: Portfolio) -> Portfolio:
    """Return the portfolio as windows see it: prices as series, peaks and ends apart."""

    def planned(asset: Asset) -> Asset:
        if isinstance(asset, Battery):
            return asset.replace(final_soc_rule="free", soc_targets=(), final_energy_value_per_kwh=None)
        if isinstance(asset, GridConnection):
            return asset.replace(
                tariff_id=None,
                import_price_per_kwh=None,
                export_price_per_kwh=None,
                demand_charges=(),
                demand_so_far=(),
                month_import_kwh_so_far=0,
                month_export_kwh_so_far=0,
                year_import_kwh_so_far=0,
            )
        return asset

    return portfolio.replace(assets=tuple(map(planned, portfolio.assets)), tariffs=())


def window_problem(
    portfolio: Portfolio, horizon: Horizon, series: Mapping[tuple[str, str], np.ndarray]
) -> DispatchProblem:
    """Return a window of a portfolio as a dispatch.

    Parameters
    ----------
    portfolio : Portfolio
        As the bill knows it; it is taken `as_planned`.
    horizon : Horizon
    series : mapping of (asset, name) to ndarray (steps,)
    """
    planned = as_planned(portfolio)
    ids = [one.id for one in planned.active()]
    columns: dict[str, np.ndarray] = {}
    for (asset_id, name), values in series.items():
        if asset_id in ids:
            table = columns.setdefault(name, np.full((len(horizon), len(ids)), np.nan))
            table[:, ids.index(asset_id)] = values
    dataset = xr.Dataset(
        {name: (("time", "asset"), table) for name, table in columns.items()},
        coords={"time": horizon.times.to_numpy(), "asset": ids},
    )
    return DispatchProblem(planned, horizon, dataset)


def peak_slots(portfolio: Portfolio, length_h: float) -> list[PeakSlots]:
    """Return the room that demand charges need in a window of a length."""
    found = []
    for connection in portfolio.active():
        if isinstance(connection, GridConnection):
            for charge in charges_of(connection, portfolio):
                shortest_h = HOURS_OF.get(charge.period, np.inf)
                slots = 1 if np.isinf(shortest_h) else int(np.ceil(length_h / shortest_h)) + 1
                found.append(PeakSlots(charge.name, connection.id, charge.basis, charge.per_kw, slots, PEAK_LEVELS))
    return found
