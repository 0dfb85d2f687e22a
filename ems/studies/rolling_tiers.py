"""Energy tiers in a closed loop: what a kWh costs after what the month has bought already."""

from __future__ import annotations

import numpy as np

from ems.assets.grid_connection import GridConnection
from ems.studies.rolling_case import Key, RollingCase
from ems.tariffs.prices import energy_prices
from ems.tariffs.tariff import Tariff


class TierPrices:
    """Prices of a connection in each tier, over all that windows see.

    A window takes, for each month that it touches, the prices of the tier that the month has reached at its beginning;
    that it may reach the next one itself, only the bill knows.

    Parameters
    ----------
    case : RollingCase
    connection : GridConnection
        Of a tariff with tiers.
    """

    def __init__(self, case: RollingCase, connection: GridConnection) -> None:
        assert connection.tariff_id is not None, "asked of a connection with a tariff"
        self.case, self.connection = case, connection
        tariff: Tariff = case.portfolio.tariff(connection.tariff_id)
        timezone = case.portfolio.site(connection.site_id).timezone
        horizon = case.horizon_at(case.begin, case.steps + case.window_steps)
        local = horizon.local_times(timezone)
        self.month = (local.year * 12 + local.month).to_numpy()
        self.days = local.days_in_month.to_numpy() if tariff.tier_period == "day" else np.ones(len(local))
        ends = {one.up_to_kwh for period in tariff.periods for one in period.all_tiers()}
        self.ends_kwh = np.array(sorted(end for end in ends if end is not None))
        begins = [0.0, *self.ends_kwh.tolist()]
        # Asked for the energy of a month, prices are those of its first day: of a tier by the day, its days apart.
        per_day = local[0].days_in_month if tariff.tier_period == "day" else 1
        self.prices = [
            energy_prices(tariff, horizon, timezone, energy_of_month_kwh=begin * per_day) for begin in begins
        ]

    def of_window(self, t: int, month_kwh: float) -> dict[Key, np.ndarray]:
        """Return the prices of a window, shape (measured steps,), after what its first month has bought."""
        window = slice(t, t + self.case.window_steps)
        month, days = self.month[window], self.days[window]
        reached = np.where(month == month[0], month_kwh, 0.0)
        tier = np.array(
            [np.searchsorted(self.ends_kwh * d, kwh, side="right") for d, kwh in zip(days, reached, strict=True)]
        )
        found = {}
        for way, name in enumerate(("import_price_per_kwh", "export_price_per_kwh")):
            table = np.stack([prices[way][window] for prices in self.prices])
            values = table[tier, np.arange(len(tier))]
            if np.isfinite(values).all():
                found[self.connection.id, name] = values
        return found


def tier_prices(case: RollingCase) -> list[TierPrices]:
    """Return the tiers of all connections whose tariff has some."""
    return [
        TierPrices(case, one)
        for one in case.connections
        if one.tariff_id is not None and case.portfolio.tariff(one.tariff_id).has_tiers
    ]
