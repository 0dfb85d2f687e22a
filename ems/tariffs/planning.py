"""What a plan can tell of a tariff: blocks of a month's energy, and what prices of steps leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ems.tariffs.demand_charge import DemandTier
    from ems.tariffs.tariff import Tariff

ROUNDING = 1e-9
"""Relative; below it, differences of prices are those of decimal fractions."""


@dataclass(frozen=True)
class MonthBlocks:
    """What a month's energy costs beyond the first tier's prices, by blocks of it.

    cost = sum over steps of first_price[t] * energy[t] + sum over blocks of markup[k] * energy of the month in block k

    Parameters
    ----------
    ends_kwh : ndarray (blocks,)
        Ends of the blocks, ascending; the last one is infinite.
    import_markup_per_kwh, export_markup_per_kwh : ndarray (blocks,)
        Prices of each block less those of the first one; zero for exports where none are stated.
    """

    ends_kwh: np.ndarray
    import_markup_per_kwh: np.ndarray
    export_markup_per_kwh: np.ndarray

    @property
    def is_convex(self) -> bool:
        """Whether more import never gets cheaper nor more export dearer: a linear programme fills blocks in order."""
        imports, exports = np.diff(self.import_markup_per_kwh), np.diff(self.export_markup_per_kwh)
        return bool((imports >= 0).all() and (exports <= 0).all())


def month_blocks(tariff: Tariff, days: int) -> MonthBlocks | None:
    """Return the blocks of a month's energy, or None where its periods differ in them.

    The month's energy fills the tiers, and a period has the share in each that it has in the month's energy. Where
    all periods have the same ends and the same steps in price, these shares cancel: the markups hold for the month's
    energy alone. Otherwise cost is a product of energies, which no linear programme has.

    Parameters
    ----------
    tariff : Tariff
    days : int
        Days of the month, for tiers stated for a day.
    """
    scale = days if tariff.tier_period == "day" else 1
    found: MonthBlocks | None = None
    prices = [one.import_price_per_kwh for period in tariff.periods for one in period.all_tiers()]
    prices += [one.export_price_per_kwh or 0.0 for period in tariff.periods for one in period.all_tiers()]
    tolerance = ROUNDING * float(np.abs(prices).max(initial=0.0))
    for period in tariff.periods:
        tiers = period.all_tiers()
        ends = np.array([np.inf if one.up_to_kwh is None else one.up_to_kwh * scale for one in tiers])
        imports = np.array([one.import_price_per_kwh for one in tiers])
        exports = np.array([one.export_price_per_kwh or 0.0 for one in tiers])
        own = MonthBlocks(ends, imports - imports[0], exports - exports[0])
        if found is None:
            found = own
        elif not _are_alike(found, own, tolerance):
            return None
    return found


def is_convex_demand(tiers: tuple[DemandTier, ...]) -> bool:
    """Return whether more power never gets cheaper, so that a linear programme fills the tiers in order."""
    rates = [one.rate_per_kw for one in tiers]
    return rates == sorted(rates)


def planning_differences(tariff: Tariff) -> dict[str, str]:
    """Return what a plan leaves out that knows a price in each step, and highest powers; a sentence by topic.

    Topics are ``tiers``, ``demand_tiers``, ``metering``, ``levy_exemption``, ``self_consumption_levy`` and
    ``minimum_cost``. A plan that knows one of them in another way may leave its sentence out.
    """
    found = {}
    if tariff.has_tiers:
        blocks = month_blocks(tariff, 30)
        found["tiers"] = (
            "prices of energy step with the energy of the month; a plan sees those of the tier reached so far"
            if blocks is not None
            else "periods share the month's tiers pro rata with different steps in price; a plan sees the prices of "
            "the tier reached so far"
        )
    falling = [
        charge.name
        for charge in tariff.demand_charges
        for tiers in (charge.tiers, *(season.tiers for season in charge.seasons))
        if not is_convex_demand(tiers)
    ]
    if falling:
        found["demand_tiers"] = f"more power of '{falling[0]}' is cheaper; a plan sees the first tier's price"
    if tariff.metering == "net_metering":
        found["metering"] = (
            "exported kWh balance imported ones of the month and later months; a plan sees the prices of each step"
        )
    elif tariff.metering == "buy_all_sell_all":
        found["metering"] = "all generation is sold and all demand bought; a plan sees what passes the connection"
    exempt = [levy for levy in tariff.levies if levy.exempt_above_kwh_per_a is not None]
    if exempt:
        found["levy_exemption"] = (
            f"levy '{exempt[0].name}' ends at {exempt[0].exempt_above_kwh_per_a:g} kWh a year; a plan sees it on "
            "every kWh"
        )
    own_use = [levy.name for levy in tariff.levies if levy.applies_to == "self_consumption"]
    if own_use:
        found["self_consumption_levy"] = f"levy '{own_use[0]}' is on energy that the site makes and uses"
    if tariff.minimum_cost_per_month or tariff.minimum_cost_per_a:
        found["minimum_cost"] = "below the least that is billed, energy costs nothing more; a plan sees its full price"
    return found


def _are_alike(one: MonthBlocks, other: MonthBlocks, tolerance: float) -> bool:
    if one.ends_kwh.shape != other.ends_kwh.shape or not np.array_equal(one.ends_kwh, other.ends_kwh):
        return False
    return bool(
        np.allclose(one.import_markup_per_kwh, other.import_markup_per_kwh, rtol=0, atol=tolerance)
        and np.allclose(one.export_markup_per_kwh, other.export_markup_per_kwh, rtol=0, atol=tolerance)
    )
