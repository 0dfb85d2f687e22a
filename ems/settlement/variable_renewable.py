"""Settlement of solar PV and wind turbines: what was used of what was available."""

from __future__ import annotations

import numpy as np

from ems.assets.variable_renewable import VariableRenewable
from ems.settlement.ledger import Ledger, Replay


def bill(asset: VariableRenewable, ledger: Ledger) -> None:
    """Write nothing: power from the weather is free."""


def replay(asset: VariableRenewable, replay: Replay) -> np.ndarray:
    """Check that no more is used than is available; return the power into the bus."""
    used = replay.power("used_kw", asset.id)
    unused = replay.given("available_kw", asset.id) - used
    replay.note(asset.id, "uses more than is available", -unused)
    if not asset.is_curtailable:
        replay.note(asset.id, "cannot be curtailed but is", unused)
    return used
