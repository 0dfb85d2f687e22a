"""Policies without a plan: what a site is ordered to do by no control, and by rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ems.settlement.plant import Order
from ems.studies.rolling_case import RollingCase
from ems.studies.rolling_orders import Orders
from ems.studies.rolling_peaks import Peaks


class Rule:
    """A policy without a plan.

    Parameters
    ----------
    name : str
    case : RollingCase
    """

    def __init__(self, name: str, case: RollingCase) -> None:
        self.name, self.case = name, case

    def reset(self) -> None:
        """Forget nothing: a rule has no memory."""

    def memory(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Carry nothing on."""

    def decide(self, k: int, contents_kwh: Mapping[str, float], peaks: Peaks) -> Orders:
        """Return the orders of a decision, one for each step."""
        at = int(self.case.decisions[k])
        return Orders(
            [
                {site.id: self.order(at + ahead, site.id) for site in self.case.portfolio.sites}
                for ahead in range(self.case.per_decision)
            ]
        )

    def order(self, at: int, site_id: str) -> Order:
        """Return the order of a site in a step."""
        raise NotImplementedError


class NoControl(Rule):
    """Batteries rest."""

    def order(self, at: int, site_id: str) -> Order:
        """Return an order that asks for nothing."""
        return Order()


class SelfConsumption(Rule):
    """Charge from what generation is left over, discharge into demand."""

    def order(self, at: int, site_id: str) -> Order:
        """Return an order that keeps the exchange with the grid at zero as far as batteries can."""
        return Order(least_kw=0.0, most_kw=0.0)


class TimeOfUse(Rule):
    """Store in the cheap hours of a day, give back in its dear ones, keep what generation is left over.

    Dear is above the middle of the day's lowest and highest price, cheap at most a tenth above the lowest; grid energy
    is stored only where the dear hours pay for its losses and wear.
    """

    def __init__(self, name: str, case: RollingCase) -> None:
        super().__init__(name, case)
        self._extremes: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def order(self, at: int, site_id: str) -> Order:
        """Return the order of a site in a step by the prices of its local day."""
        lowest, highest, price = self._day(at, site_id)
        batteries = [one for one in self.case.batteries if one.site_id == site_id]
        is_dear = price > (lowest + highest) / 2
        is_cheap = price <= lowest + 0.1 * (highest - lowest)
        if is_dear or highest - lowest < 1e-9:
            return Order(least_kw=0.0, most_kw=0.0)
        pays = [
            one
            for one in batteries
            if is_cheap and (highest - one.degradation_cost_per_kwh) * one.round_trip_efficiency > lowest
        ]
        return Order({one.id: -one.charge_limit_kw for one in pays}, least_kw=0.0)

    def _day(self, at: int, site_id: str) -> tuple[float, float, float]:
        connection = next(one for one in self.case.connections if one.site_id == site_id)
        prices = self.case.truth[connection.id, "import_price_per_kwh"]
        if connection.id not in self._extremes:
            days = self.case.local_days()
            first = np.searchsorted(days, days)
            starts = np.unique(first)
            lowest, highest = np.minimum.reduceat(prices, starts), np.maximum.reduceat(prices, starts)
            place = np.searchsorted(starts, first)
            self._extremes[connection.id] = lowest[place], highest[place]
        low, high = self._extremes[connection.id]
        return float(low[at]), float(high[at]), float(prices[at])
