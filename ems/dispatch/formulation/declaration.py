"""What a dispatch is made of, declared once for every way to solve or read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ems.assets.grid_connection import GridConnection
from ems.assets.group_limits import declare_group
from ems.assets.portfolio import Site
from ems.assets.unit import Unit
from ems.dispatch.formulation.reserves import declare_reserve, divide_reserves, reserve_costs
from ems.dispatch.problem import DispatchProblem


@dataclass(frozen=True)
class Formulation:
    """The units of a dispatch, by what they belong to.

    Parameters
    ----------
    assets, sites, groups, reserves : mapping of str to Unit
        By id.
    """

    assets: Mapping[str, Any]
    sites: Mapping[str, Any]
    groups: Mapping[str, Any]
    reserves: Mapping[str, Any]


def declare(problem: DispatchProblem, new_unit: Callable[[str], Unit]) -> Formulation:
    """Declare all assets, the balance of each site, shared limits and reserves.

    Parameters
    ----------
    problem : DispatchProblem
    new_unit : callable (owner)
        Makes an empty unit.
    """
    assets = {}
    for asset in problem.assets:
        assets[asset.id] = new_unit(asset.id)
        asset.declare(assets[asset.id], problem.inputs_of(asset))
    sites = {}
    for site in problem.portfolio.sites:
        members = [asset for asset in problem.assets if asset.site_id == site.id]
        if members:
            sites[site.id] = new_unit(f"site {site.id}")
            _declare_site(site, members, assets, sites[site.id])
    groups = {}
    for group, group_members in problem.limited_groups():
        groups[group.id] = new_unit(f"group {group.id}")
        declare_group(group, group_members, assets, groups[group.id])
    reserves = {}
    for reserve in problem.portfolio.reserves:
        reserves[reserve.id] = new_unit(f"reserve {reserve.id}")
        declare_reserve(reserve, problem, assets, reserves[reserve.id])
    divide_reserves(problem, assets, reserves)
    return Formulation(assets, sites, groups, reserves)


def _declare_site(site: Site, members: list[Any], units: Mapping[str, Unit], bus: Unit) -> None:
    """Declare the power balance of a site, with what it may throw away and what it may lack."""
    if site.spill_cost_per_kwh is not None:
        bus.add_variable("spilled_kw")
    if site.unserved_cost_per_kwh is not None:
        bus.add_variable("missing_kw")

    def power_balance(t: Any) -> Any:
        return sum(asset.injection_kw(units[asset.id], t) for asset in members) + site_injection_kw(bus, t) == 0

    bus.add_constraint("power_balance", power_balance)


def site_injection_kw(bus: Any, t: Any) -> Any:
    """Return what a bus lacks less what it throws away in step ``t``, in kW."""
    injection = 0.0
    if bus.has("missing_kw"):
        injection = injection + bus.missing_kw[t]
    if bus.has("spilled_kw"):
        injection = injection - bus.spilled_kw[t]
    return injection


def site_costs(site: Site, bus: Any, t: Any, step_h: Any) -> dict[str, Any]:
    """Return what power costs in step ``t`` that a bus throws away or lacks."""
    costs = {}
    if bus.has("spilled_kw"):
        costs["spill_cost"] = site.spill_cost_per_kwh * bus.spilled_kw[t] * step_h[t]
    if bus.has("missing_kw"):
        costs["unserved_cost"] = site.unserved_cost_per_kwh * bus.missing_kw[t] * step_h[t]
    return costs


def costs_over_steps(problem: DispatchProblem, formulation: Formulation, t: Any) -> dict[tuple[str, str], Any]:
    """Return the money of step(s) ``t`` by who causes it and type of cost."""
    step_h = problem.horizon.step_h
    found = {}
    for asset in problem.assets:
        for name, cost in asset.costs(formulation.assets[asset.id], t, step_h).items():
            found[asset.id, name] = cost
    for site in problem.portfolio.sites:
        if site.id in formulation.sites:
            for name, cost in site_costs(site, formulation.sites[site.id], t, step_h).items():
                found[site.id, name] = cost
    for reserve in problem.portfolio.reserves:
        for name, cost in reserve_costs(reserve, formulation.reserves[reserve.id], t, step_h).items():
            found[reserve.id, name] = cost
    return found


def costs_once(problem: DispatchProblem, formulation: Formulation) -> dict[tuple[str, str], Any]:
    """Return the money that belongs to the whole horizon, by asset and type of cost."""
    return {
        (asset.id, name): cost
        for asset in problem.assets
        for name, cost in asset.costs_once(formulation.assets[asset.id]).items()
    }


def emissions_kg(problem: DispatchProblem, formulation: Formulation, t: Any) -> dict[str, Any]:
    """Return the carbon dioxide of step(s) ``t`` by asset, where it emits any."""
    step_h = problem.horizon.step_h
    found = {asset.id: asset.emissions_kg(formulation.assets[asset.id], t, step_h) for asset in problem.assets}
    return {asset_id: kg for asset_id, kg in found.items() if not isinstance(kg, float) or kg}


def connections_of(problem: DispatchProblem) -> list[GridConnection]:
    """Return the connections to the grid."""
    return [asset for asset in problem.assets if isinstance(asset, GridConnection)]
