"""Settlement of what belongs to no single asset: what a bus throws away or lacks, reserves, and groups."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ems.assets.asset import Asset
from ems.assets.group import Group, members_of
from ems.settlement import group
from ems.settlement.ledger import Ledger, Replay, Schedule


def bill(ledger: Ledger) -> None:
    """Write what spilled and missing energy cost, what reserve earned, and what shared energy cost."""
    for one in ledger.portfolio.groups:
        group.bill(one, _members(one, ledger), ledger)
    for site in ledger.portfolio.sites:
        for name, cost_type, price in (
            ("spilled_kw", "spill_cost", site.spill_cost_per_kwh),
            ("missing_kw", "unserved_cost", site.unserved_cost_per_kwh),
        ):
            power_kw = _of(ledger, name, "bus", site.id)
            if price is not None and power_kw is not None:
                ledger.add_energy(site.id, cost_type, power_kw, np.full(len(power_kw), price))
    for reserve in ledger.portfolio.reserves:
        offered_kw = _of(ledger, "offered_kw", "reserve", reserve.id)
        if reserve.price_per_kw_h > 0 and offered_kw is not None:
            offered_kwh = float(offered_kw @ ledger.step_h)
            ledger.add(reserve.id, "reserve_revenue", offered_kwh, "kW h", -offered_kwh * reserve.price_per_kw_h)


def replay(injections_kw: Mapping[str, np.ndarray], replay: Replay) -> dict[str, np.ndarray]:
    """Check limits of groups, and what buses throw away or lack; return the power that this gives into each bus.

    Parameters
    ----------
    injections_kw : mapping of str to ndarray (steps,)
        Power of each asset into its site's bus, by id.
    replay : Replay
    """
    for one in replay.portfolio.groups:
        group.replay(one, _members(one, replay), injections_kw, replay)
    injections = {}
    for site in replay.portfolio.sites:
        injection = np.zeros(len(replay.step_h))
        for name, sign, price in (
            ("missing_kw", 1, site.unserved_cost_per_kwh),
            ("spilled_kw", -1, site.spill_cost_per_kwh),
        ):
            power_kw = _of(replay, name, "bus", site.id)
            if power_kw is None:
                continue
            replay.note(site.id, f"{name} is negative", -power_kw)
            if price is None:
                replay.note(site.id, f"{name} is not allowed here", power_kw)
            injection += sign * power_kw
        injections[site.id] = injection
    return injections


def _of(schedule: Schedule, name: str, dimension: str, owner: str) -> np.ndarray | None:
    """Return a flow of a bus or a reserve, shape (steps,), or None where it has none."""
    if name not in schedule.flows or owner not in schedule.flows[dimension].values:
        return None
    values: np.ndarray = schedule.flows[name].sel({dimension: owner}).to_numpy()
    return values


def _members(one: Group, schedule: Schedule) -> list[Asset]:
    """Return the active assets in a group and in those nested in it."""
    inside = members_of(one.id, schedule.portfolio.groups, schedule.portfolio.members)
    return [asset for asset in schedule.portfolio.active() if asset.id in inside]
