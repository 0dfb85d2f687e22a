"""Settlement of a grid connection: energy bought and sold, and its limits replayed."""

from __future__ import annotations

import numpy as np

from ems.assets.grid_connection import GridConnection
from ems.settlement.ledger import Ledger, Replay


def bill(asset: GridConnection, ledger: Ledger) -> None:
    """Write what bought energy costs and sold energy earns."""
    for way, cost_type, sign in (("import", "import_cost", 1.0), ("export", "export_revenue", -1.0)):
        price = ledger.given(f"{way}_price_per_kwh", asset.id)
        ledger.add_energy(asset.id, cost_type, ledger.flow(f"{way}_kw", asset.id), sign * price)


def replay(asset: GridConnection, replay: Replay) -> np.ndarray:
    """Check limits, directions and ramps; return the power into the bus."""
    imports, exports = replay.power("import_kw", asset.id), replay.power("export_kw", asset.id)
    replay.note(asset.id, f"imports above {asset.import_limit_kw:g} kW", imports - asset.import_limit_kw)
    replay.note(asset.id, f"exports above {asset.export_limit_kw:g} kW", exports - asset.export_limit_kw)
    replay.note(asset.id, "imports and exports at once", np.minimum(imports, exports))
    replay.note_ramps(asset.id, imports - exports, asset.ramp_up_rate_kw_per_s, asset.ramp_down_rate_kw_per_s)
    injection: np.ndarray = imports - exports - asset.transformer_losses_kw
    return injection
