"""Baselines: how a site would run without a plan, so that a plan's saving is against something that people know.

Each is a schedule of the same form as a dispatch's: it is settled by the same bill and checked by the same replay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.assets.variable_renewable import VariableRenewable
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.settlement.battery import replay_energy_kwh
from ems.settlement.ledger import Schedule
from ems.settlement.replay import violations_of
from ems.settlement.self_consumption import follow_surplus
from ems.units import unit_of

_FOLLOWING = (Battery, GridConnection, Load, VariableRenewable)
"""Kinds whose powers follow from a rule and the balance."""


@dataclass(frozen=True)
class Baseline:
    """A schedule that follows a rule or was metered.

    Parameters
    ----------
    name : str
        ``no_battery``, ``self_consumption`` or ``practice``.
    flows : Dataset (time, asset)
        As those of a dispatch; ``energy_kwh`` over (boundary, asset).
    series : Dataset (time, asset)
        Demand and available power, and prices where they are known.
    portfolio : Portfolio
        The assets that take part. What batteries were asked for at the end or at given moments is left out: a rule
        knows nothing of it, and what is left at the end is valued instead, see `stored_value`.
    """

    name: str
    flows: xr.Dataset
    series: xr.Dataset
    portfolio: Portfolio

    @cached_property
    def violations(self) -> list[str]:
        """Laws that the schedule breaks when it is replayed with the true equipment."""
        return violations_of(self.flows, self.series, self.portfolio)

    def total_kw(self, name: str) -> np.ndarray:
        """Return a flow of all assets together, shape (steps,); zero where none has it."""
        if name not in self.flows:
            return np.zeros(self.flows.sizes["time"])
        total: np.ndarray = np.nansum(self.flows[name].transpose("time", "asset").to_numpy(), axis=1)
        return total


def no_battery(series: xr.Dataset, portfolio: Portfolio, horizon: Horizon) -> Baseline:
    """Return the schedule of a site as if it had no battery: what is not generated is bought, what is left is sold.

    Parameters
    ----------
    series : Dataset (time, asset)
        ``demand_kw`` of loads and ``available_kw`` of renewables, on the horizon's steps.
    portfolio : Portfolio
        Loads that follow a profile, renewables, batteries and grid connections.
    horizon : Horizon

    Raises
    ------
    InvalidInput
        If an asset is of a kind that no rule here runs, or a site has nothing to take the balance from.
    """
    return _closed("no_battery", series, portfolio.without("battery"), horizon, {})


def self_consumption(series: xr.Dataset, portfolio: Portfolio, horizon: Horizon) -> Baseline:
    """Return the schedule of the usual rule: charge from what generation is left over, discharge into demand.

    Prices play no part. Batteries of a site come in their order in the portfolio, each by `follow_surplus`. What a
    ramp or a connection's limit forbids is named by the replay.

    Parameters
    ----------
    series, portfolio, horizon
        As for `no_battery`.

    Raises
    ------
    InvalidInput
        As for `no_battery`.
    """
    operated = as_operated(portfolio)
    schedule = _schedule(series, operated, horizon)
    _check_kinds(operated)
    net_kw = {site.id: np.zeros(len(horizon)) for site in operated.sites}
    for asset in operated.active():
        net_kw[asset.site_id] += _follows_kw(schedule, asset)
    powers = {}
    for asset in operated.active():
        if isinstance(asset, Battery):
            days = horizon.local_times(operated.site(asset.site_id).timezone).strftime("%Y-%m-%d").to_numpy()
            powers[asset.id] = follow_surplus(asset, schedule, net_kw[asset.site_id], days)
            charge_kw, discharge_kw = powers[asset.id]
            net_kw[asset.site_id] = net_kw[asset.site_id] + discharge_kw - charge_kw
    return _closed("self_consumption", series, operated, horizon, powers)


def practice(metered: xr.Dataset, series: xr.Dataset, portfolio: Portfolio, horizon: Horizon) -> Baseline:
    """Return the schedule that was metered: what batteries did, and what the connections therefore took and gave.

    Parameters
    ----------
    metered : Dataset (time, asset)
        ``charge_kw`` and ``discharge_kw`` of each battery; ``import_kw`` and ``export_kw`` of connections where they
        were metered, else they follow from the balance. A difference between meters is named by the replay.
    series, portfolio, horizon
        As for `no_battery`.

    Raises
    ------
    InvalidInput
        As for `no_battery`, and if a battery was not metered, or a meter has gaps.
    """
    operated = as_operated(portfolio)
    powers = {
        asset.id: (
            _metered(metered, "charge_kw", asset.id, horizon),
            _metered(metered, "discharge_kw", asset.id, horizon),
        )
        for asset in operated.active()
        if isinstance(asset, Battery)
    }
    found = _closed("practice", series, operated, horizon, powers)
    flows = found.flows.copy(deep=True)
    for asset in operated.active():
        if isinstance(asset, GridConnection) and "import_kw" in metered and asset.id in metered.asset.values:
            taken = {name: _metered(metered, name, asset.id, horizon) for name in ("import_kw", "export_kw")}
            for name, power_kw in taken.items():
                flows[name].loc[{"asset": asset.id}] = power_kw
            flows["injection_kw"].loc[{"asset": asset.id}] = (
                taken["import_kw"] - taken["export_kw"] - asset.transformer_losses_kw
            )
    return Baseline(found.name, flows, found.series, found.portfolio)


def as_operated(portfolio: Portfolio) -> Portfolio:
    """Return a portfolio whose batteries are asked for nothing at the end of the horizon or at given moments."""
    return portfolio.replace(
        assets=tuple(
            asset.replace(final_soc_rule="free", soc_targets=()) if isinstance(asset, Battery) else asset
            for asset in portfolio.assets
        )
    )


def stored_value(flows: xr.Dataset, portfolio: Portfolio, price_per_kwh: float) -> float:
    """Return what the change of stored energy is worth: what a battery holds more at the end need not be bought later.

    value = sum over batteries of (content at the end - content at the beginning) * discharge_efficiency * price

    A saving is SOC-neutral when each schedule's cost is taken less this value, all at one price.

    Parameters
    ----------
    flows : Dataset
        With ``energy_kwh`` over (boundary, asset) where there are batteries.
    portfolio : Portfolio
    price_per_kwh : float
        Price of a kWh that need not be bought: the mean price of imports.
    """
    if "energy_kwh" not in flows:
        return 0.0
    known = set(flows.asset.values.tolist())
    worth = 0.0
    for asset in portfolio.active():
        if isinstance(asset, Battery) and asset.id in known:
            content = flows["energy_kwh"].sel(asset=asset.id).to_numpy()
            worth += float(content[-1] - content[0]) * asset.discharge_efficiency * price_per_kwh
    return worth


# ---------------------------------------------------------------------------------- the balance of a site
def _schedule(series: xr.Dataset, portfolio: Portfolio, horizon: Horizon) -> Schedule:
    coords = {"time": horizon.times.to_numpy(), "step_h": ("time", horizon.step_h)}
    return Schedule(xr.Dataset(coords=coords), series, portfolio)


def _check_kinds(portfolio: Portfolio) -> None:
    """Raise where an asset is of a kind that no rule here runs."""
    findings = []
    for asset in portfolio.active():
        if not isinstance(asset, _FOLLOWING):
            findings.append(f"'{asset.id}' is of kind {asset.kind}: no rule says when it runs without a plan")
        elif isinstance(asset, Load) and (asset.shiftable is not None or asset.thermal is not None):
            findings.append(f"'{asset.id}' is a load without a profile: no rule says when it runs without a plan")
    if findings:
        raise InvalidInput("the baseline", findings)


def _follows_kw(schedule: Schedule, asset: object) -> np.ndarray:
    """Return the power into the bus of an asset that follows its series; zero of others."""
    if isinstance(asset, Load):
        return -schedule.given("demand_kw", asset.id)
    if isinstance(asset, VariableRenewable):
        return schedule.given("available_kw", asset.id)
    fixed_kw = -asset.transformer_losses_kw if isinstance(asset, GridConnection) else 0.0
    return np.full(len(schedule.step_h), fixed_kw)


def _metered(metered: xr.Dataset, name: str, asset_id: str, horizon: Horizon) -> np.ndarray:
    """Return what a meter says, without gaps."""
    if name not in metered or asset_id not in metered.asset.values:
        raise InvalidInput(f"the metered flows of '{asset_id}'", f"{name} is not among them; give it")
    values: np.ndarray = metered[name].sel(asset=asset_id).to_numpy().astype(float)
    if values.shape != (len(horizon),) or np.isnan(values).any():
        raise InvalidInput(
            f"the metered flows of '{asset_id}'",
            f"{name} needs a value in each of {len(horizon)} steps; fill its gaps",
        )
    return values


def _closed(
    name: str,
    series: xr.Dataset,
    portfolio: Portfolio,
    horizon: Horizon,
    powers: dict[str, tuple[np.ndarray, np.ndarray]],
) -> Baseline:
    """Return the schedule in which connections take and give what is missing or left over at each site.

    What cannot be fed in is curtailed where that is allowed.
    """
    _check_kinds(portfolio)
    schedule = _schedule(series, portfolio, horizon)
    flows: dict[str, dict[str, np.ndarray]] = {}

    def note(asset_id: str, **values: np.ndarray) -> None:
        for key, value in values.items():
            flows.setdefault(key, {})[asset_id] = value

    for site in portfolio.sites:
        here = [asset for asset in portfolio.active() if asset.site_id == site.id]
        net_kw = np.sum([_follows_kw(schedule, asset) for asset in here], axis=0) + np.zeros(len(horizon))
        for asset in here:
            if isinstance(asset, Battery):
                charge_kw, discharge_kw = powers[asset.id]
                injection_kw = discharge_kw - charge_kw - asset.auxiliary_load_kw
                energy_kwh = replay_energy_kwh(asset, schedule, charge_kw, discharge_kw)
                net_kw = net_kw + injection_kw
                note(asset.id, charge_kw=charge_kw, discharge_kw=discharge_kw, energy_kwh=energy_kwh)
                note(asset.id, injection_kw=injection_kw)
            elif isinstance(asset, Load):
                demand_kw = schedule.given("demand_kw", asset.id)
                note(asset.id, demand_kw=demand_kw, served_kw=demand_kw, unserved_kw=np.zeros(len(horizon)))
                note(asset.id, injection_kw=-demand_kw)
        connections = [asset for asset in here if isinstance(asset, GridConnection)]
        if not connections and here:
            raise InvalidInput(f"site '{site.id}'", "has no grid connection, which a baseline takes its balance from")
        excess_kw = np.maximum(net_kw - _limit_kw(schedule, connections, "export"), 0.0)
        for asset in here:
            if isinstance(asset, VariableRenewable):
                available_kw = schedule.given("available_kw", asset.id)
                unused_kw = np.minimum(excess_kw, np.maximum(available_kw, 0.0)) * asset.is_curtailable
                excess_kw, net_kw = excess_kw - unused_kw, net_kw - unused_kw
                used_kw = available_kw - unused_kw
                note(
                    asset.id, available_kw=available_kw, used_kw=used_kw, curtailed_kw=unused_kw, injection_kw=used_kw
                )
        rest = {"import": np.maximum(-net_kw, 0.0), "export": np.maximum(net_kw, 0.0)}
        for number, asset in enumerate(connections, 1):
            taken = {}
            for way in ("import", "export"):
                # The last connection takes what is left; beyond its limit the replay names it.
                is_last = number == len(connections)
                part_kw = rest[way] if is_last else np.minimum(rest[way], _limit_kw(schedule, [asset], way))
                rest[way], taken[way] = rest[way] - part_kw, part_kw
            injection_kw = taken["import"] - taken["export"] - asset.transformer_losses_kw
            note(asset.id, import_kw=taken["import"], export_kw=taken["export"], injection_kw=injection_kw)
    return Baseline(name, _dataset(flows, portfolio, horizon), series, portfolio)


def _limit_kw(schedule: Schedule, connections: Sequence[GridConnection], way: str) -> np.ndarray:
    """Return the highest power that connections can carry one way together, shape (steps,)."""
    total = np.zeros(len(schedule.step_h))
    for asset in connections:
        is_enabled = {"import": asset.import_enabled, "export": asset.export_enabled}[way]
        factor = 1.0 if asset.min_power_factor is None else abs(asset.min_power_factor)
        carried_kw = math.inf if asset.transformer_capacity_kva is None else asset.transformer_capacity_kva * factor
        if is_enabled:
            total += np.minimum(schedule.over_steps(asset, f"max_{way}_kw"), carried_kw)
    return total


def _dataset(flows: dict[str, dict[str, np.ndarray]], portfolio: Portfolio, horizon: Horizon) -> xr.Dataset:
    """Return flows by asset as one dataset, of the form that a dispatch has."""
    assets = portfolio.active()
    variables = {}
    for name, by_asset in flows.items():
        length = len(next(iter(by_asset.values())))
        stacked = np.stack([by_asset.get(asset.id, np.full(length, np.nan)) for asset in assets], axis=1)
        dimension = "time" if length == len(horizon) else "boundary"
        variables[name] = ((dimension, "asset"), stacked, {"units": unit_of(name, portfolio.currency) or "1"})
    return xr.Dataset(
        variables,
        coords={
            "time": horizon.times.to_numpy(),
            "boundary": horizon.boundaries.to_numpy(),
            "asset": [asset.id for asset in assets],
            "kind": ("asset", [asset.kind for asset in assets]),
            "name": ("asset", [asset.name for asset in assets]),
            "site": ("asset", [asset.site_id for asset in assets]),
            "step_h": ("time", horizon.step_h),
        },
    )
