"""Settlement of a market position: each step's deviation at its price of imbalance."""

from __future__ import annotations

import numpy as np

from ems.assets.grid_connection import GridConnection
from ems.settlement.ledger import Ledger


def bill(asset: GridConnection, ledger: Ledger) -> None:
    """Write what taking more or less than the position costs, beyond the day-ahead price of the same energy.

    The position is as the plan states it; the deviation follows from what the meter saw.
    """
    if not ledger.has("position_kw", asset.id):
        return
    position_kwh = ledger.flow("position_kw", asset.id) * ledger.step_h
    taken_kwh = (ledger.flow("import_kw", asset.id) - ledger.flow("export_kw", asset.id)) * ledger.step_h
    deviation_kwh = taken_kwh - position_kwh
    day_ahead = ledger.given("import_price_per_kwh", asset.id)
    price = np.where(
        deviation_kwh > 0,
        ledger.given("imbalance_short_price_per_kwh", asset.id),
        ledger.given("imbalance_long_price_per_kwh", asset.id),
    )
    cost = float(deviation_kwh @ (price - day_ahead))
    ledger.add(asset.id, "imbalance_cost", float(np.abs(deviation_kwh).sum()), "kWh", cost)
