"""What a sizing assumes of prices, lives and money, and how each assumption is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.dispatch.sizing_search import SizeRange, SizingTerms
from ems.settlement.life_cycle import Equipment, LifeCycle, ProjectTerms, life_cycle

if TYPE_CHECKING:
    from ems.studies.sizing import SizingStudy

BATTERY_KWH, BATTERY_KW, PV_KW, CONNECTION_KW = range(4)


@dataclass(frozen=True)
class Assumptions:
    """What equipment and money cost.

    Sizes are told in two ways: as they are bought, when new; and as they are on average over the project, when worn.
    The dispatch of the year that stands for all years knows the latter only, so that it is the same for each price
    and life.

    Parameters
    ----------
    equipment : tuple of Equipment
        Battery energy, battery power, solar roof, connection: in the order of `ems.dispatch.sizing.SIZES`.
    terms : ProjectTerms
    energy_price_factor : float
        Of all that the grid connection bills.
    """

    equipment: tuple[Equipment, ...]
    terms: ProjectTerms
    energy_price_factor: float = 1.0

    @classmethod
    def of(cls, study: SizingStudy) -> Assumptions:
        """Return the assumptions of a study."""
        battery: dict[str, Any] = {
            "life_a": study.battery_life_a,
            "replacement_share": study.battery_replacement_share,
        }
        upkeep = study.battery_upkeep_share_per_a
        equipment = (
            Equipment(
                name="battery energy",
                cost_per_unit=study.battery_cost_per_kwh,
                upkeep_per_unit_a=study.battery_cost_per_kwh * upkeep,
                degradation_share_per_a=study.battery_degradation_share_per_a,
                **battery,
            ),
            Equipment(
                name="battery power",
                cost_per_unit=study.battery_cost_per_kw,
                upkeep_per_unit_a=study.battery_cost_per_kw * upkeep,
                **battery,
            ),
            Equipment(
                name="solar roof",
                cost_per_unit=study.pv_cost_per_kw,
                upkeep_per_unit_a=study.pv_cost_per_kw * study.pv_upkeep_share_per_a,
                life_a=study.pv_life_a,
                degradation_share_per_a=study.pv_degradation_share_per_a,
            ),
            Equipment(
                name="connection",
                cost_per_unit=study.connection_cost_per_kw,
                upkeep_per_unit_a=study.connection_charge_per_kw_a,
                life_a=study.connection_life_a,
            ),
        )
        terms = ProjectTerms(
            project_a=study.project_a,
            discount_share_per_a=study.discount_share_per_a,
            price_escalation_share_per_a=study.price_escalation_share_per_a,
        )
        return cls(equipment, terms)

    @cached_property
    def kept(self) -> np.ndarray:
        """Share of each size that is left on average over the project, shape (4,)."""
        return np.array([one.kept_share(self.terms) for one in self.equipment])

    def worn(self, sizes: np.ndarray) -> np.ndarray:
        """Return sizes as they are on average, of those that are bought."""
        worn: np.ndarray = sizes * self.kept
        return worn

    def bought(self, sizes: np.ndarray) -> np.ndarray:
        """Return sizes as they are bought, of those on average."""
        bought: np.ndarray = sizes / self.kept
        return bought

    def sizing_terms(self, ranges: tuple[SizeRange, ...], years_per_horizon: float) -> SizingTerms:
        """Return what a linear programme is told: prices per worn unit, ranges, and the weight of the horizon.

        Parameters
        ----------
        ranges : tuple of SizeRange
            Of sizes as they are bought.
        years_per_horizon : float
        """
        prices = np.array([one.cost_per_unit_a(self.terms) for one in self.equipment]) / self.kept
        worn = [
            SizeRange(one.lowest * kept, one.highest * kept, None if one.lot is None else one.lot * kept)
            for one, kept in zip(ranges, self.kept, strict=True)
        ]
        return SizingTerms(prices, tuple(worn), years_per_horizon * self.terms.price_level)

    def life_cycle(self, sizes: np.ndarray, bill_per_a: float) -> LifeCycle:
        """Return the cost of a life cycle.

        Parameters
        ----------
        sizes : ndarray (4,)
            As they are bought.
        bill_per_a : float
            In the first year's money, wear included.
        """
        return life_cycle(list(zip(self.equipment, map(float, sizes), strict=True)), bill_per_a, self.terms)

    def with_price(self, factor: float, *places: int) -> Assumptions:
        """Return the assumptions with other prices, and upkeep with them, of some equipment."""
        equipment = tuple(
            one.replace(cost_per_unit=one.cost_per_unit * factor, upkeep_per_unit_a=one.upkeep_per_unit_a * factor)
            if at in places
            else one
            for at, one in enumerate(self.equipment)
        )
        return replace(self, equipment=equipment)

    def with_lives(self, factor: float) -> Assumptions:
        """Return the assumptions with other lives of battery and solar roof, in whole years."""
        equipment = tuple(
            one if at == CONNECTION_KW else one.replace(life_a=max(round(one.life_a * factor), 1))
            for at, one in enumerate(self.equipment)
        )
        return replace(self, equipment=equipment)

    def with_discount(self, factor: float) -> Assumptions:
        """Return the assumptions with another discount rate."""
        rate = min(self.terms.discount_share_per_a * factor, 1.0)
        return replace(self, terms=self.terms.replace(discount_share_per_a=rate))

    def with_energy_price(self, factor: float) -> Assumptions:
        """Return the assumptions with other bills of the grid connection."""
        return replace(self, energy_price_factor=self.energy_price_factor * factor)


CHANGES: Mapping[str, Callable[[Assumptions, float], Assumptions]] = {
    "price of energy": Assumptions.with_energy_price,
    "price of the battery": lambda one, factor: one.with_price(factor, BATTERY_KWH, BATTERY_KW),
    "price of the solar roof": lambda one, factor: one.with_price(factor, PV_KW),
    "discount rate": Assumptions.with_discount,
    "life of battery and roof": Assumptions.with_lives,
}
"""What a sensitivity changes, and how."""
