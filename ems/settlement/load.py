"""Settlement of a load: the worth of what was not served, and what may be shed."""

from __future__ import annotations

import numpy as np

from ems.assets.load import Load
from ems.settlement.ledger import Ledger, Replay


def bill(asset: Load, ledger: Ledger) -> None:
    """Write the worth of demand that was not served."""
    if asset.interruption_cost_per_kwh is not None:
        price = np.full(len(ledger.step_h), asset.interruption_cost_per_kwh)
        ledger.add_energy(asset.id, "interruption_cost", ledger.flow("unserved_kw", asset.id), price)


def replay(asset: Load, replay: Replay) -> np.ndarray:
    """Check that no more is shed than may be; return the power into the bus."""
    demand, unserved = replay.given("demand_kw", asset.id), replay.power("unserved_kw", asset.id)
    may_share = 0.0 if not asset.is_sheddable else 1.0 if asset.max_curtailment is None else asset.max_curtailment
    limit = np.maximum(demand, 0) * may_share
    replay.note(asset.id, "sheds more than it may", unserved - limit)
    injection: np.ndarray = unserved - demand
    return injection
