"""Settlement of solar PV and wind turbines: what was used of what was available."""

from __future__ import annotations

import numpy as np

from ems.assets.variable_renewable import VariableRenewable
from ems.settlement.ledger import Ledger, Replay


def bill(asset: VariableRenewable, ledger: Ledger) -> None:
    """Write upkeep of what was used and the price of what was left unused, where they cost anything."""
    om_cost = ledger.over_steps(asset, "variable_om_cost_per_kwh")
    if om_cost.any():
        ledger.add_energy(asset.id, "variable_om_cost", ledger.flow("used_kw", asset.id), om_cost)
    if asset.is_curtailable and asset.curtailment_cost_per_kwh > 0:
        unused = ledger.given("available_kw", asset.id) - ledger.flow("used_kw", asset.id)
        price = np.full(len(unused), asset.curtailment_cost_per_kwh)
        ledger.add_energy(asset.id, "curtailment_cost", unused, price)


def replay(asset: VariableRenewable, replay: Replay) -> np.ndarray:
    """Check that no more is used than is available; return the power into the bus."""
    used, available = replay.flow("used_kw", asset.id), replay.given("available_kw", asset.id)
    replay.note(asset.id, "used_kw is negative", np.minimum(available, 0) - used)
    replay.note(asset.id, "uses more than is available", used - available)
    if not asset.is_curtailable:
        replay.note(asset.id, "cannot be curtailed but is", available - used)
    if replay.has("reserve_down_kw", asset.id):
        offered = replay.power("reserve_down_kw", asset.id)
        replay.note(asset.id, "offers to curtail more than it uses", offered - np.maximum(used, 0))
    return used
