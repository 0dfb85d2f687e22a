"""Life cycle: what equipment of any size costs over the years of a project, each kind with a life of its own [1]_.

A year stands for all years: its bill rises with prices, and equipment in it is as worn as it is on average over the
project. So the cost of a life cycle is a price per unit of each size, times the size, and one bill, and the same
numbers serve a linear programme and a balance sheet.

References
----------
.. [1] W. Short, D. J. Packey and T. Holt, "A manual for the economic evaluation of energy efficiency and renewable
   energy technologies," NREL/TP-462-5173, 1995, doi:10.2172/35391.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from ems.record import Fraction, Name, NonNegative, Record
from ems.settlement.finance import (
    Figure,
    annuity_factor,
    capital_recovery_factor,
    discount_factors,
    irr,
    npv,
    payback_a,
    undefined,
)
from ems.settlement.investment import LONGEST_LIFE_A, Growth, Investment, cash_flows

if TYPE_CHECKING:
    import pandas as pd

Years = Annotated[int, Field(ge=1, le=LONGEST_LIFE_A)]
LEAST_OUTLAY = 1e-6
"""Money below which nothing is invested: its rate of return would be beyond all numbers."""
FLOWS = ("investment", "replacement", "maintenance", "residual")


class ProjectTerms(Record):
    """For how long equipment is looked at, and what money of later years is worth."""

    project_a: Years
    """Years that are looked at. Acts in all figures."""
    discount_share_per_a: Annotated[float, Field(ge=0, le=1)]
    """Discount rate: what money could earn elsewhere. Acts in all present values."""
    price_escalation_share_per_a: Growth = 0
    """By what share bills rise from year to year. Acts in savings."""

    @property
    def price_weights(self) -> np.ndarray:
        """What a bill at the first year's prices comes to at the end of years 1, 2, ..., as a present value."""
        years = np.arange(1, self.project_a + 1)
        prices = (1 + self.price_escalation_share_per_a) ** (years - 1.0)
        weights: np.ndarray = prices * discount_factors(self.discount_share_per_a, self.project_a)[1:]
        return weights

    @property
    def price_level(self) -> float:
        """The equal yearly bill that is worth as much as a bill of 1 that rises with prices."""
        return float(self.price_weights.sum()) * self.recovery

    @property
    def recovery(self) -> float:
        """Equal yearly payment over the project that is worth 1 now."""
        return capital_recovery_factor(self.discount_share_per_a, self.project_a)

    @property
    def annuity(self) -> float:
        """Present value of 1 at the end of each year of the project."""
        return annuity_factor(self.discount_share_per_a, self.project_a)


class Equipment(Record):
    """What a kWh or kW of equipment costs, and how it wears."""

    name: Name
    """What people call it. Acts in reports."""
    cost_per_unit: NonNegative
    """Price of a kWh or kW, installed, paid now. Acts in all figures."""
    upkeep_per_unit_a: NonNegative = 0
    """Upkeep, or a charge, of a kWh or kW at the end of each year. Acts in all figures."""
    life_a: Years
    """Years after which it is replaced. Acts in replacements and the residual value."""
    replacement_share: Fraction = 1
    """Price of a replacement as a share of the first price. Acts in replacements and the residual value."""
    degradation_share_per_a: Annotated[float, Field(ge=0, lt=1)] = 0
    """Share of its energy that it loses each year, until it is replaced. Acts in the mean share that is kept."""

    def investment(self, size: float, terms: ProjectTerms) -> Investment:
        """Return the equipment of a size as an investment for the years of a project.

        What is left of its last life at the end of the project is sold for the same share of what it cost.
        """
        is_replaced = self.life_a < terms.project_a
        lives = (terms.project_a - 1) // self.life_a  # replacements before the end
        used_a = terms.project_a - lives * self.life_a
        last_price = self.cost_per_unit * (self.replacement_share if lives else 1.0)
        return Investment(
            name=self.name,
            capital_cost=self.cost_per_unit * size,
            maintenance_cost_per_a=self.upkeep_per_unit_a * size,
            life_a=terms.project_a,
            replacement_after_a=self.life_a if is_replaced else None,
            replacement_cost=self.cost_per_unit * self.replacement_share * size if is_replaced else 0.0,
            residual_value=max(last_price * size * (1 - used_a / self.life_a), 0.0),
            discount_share_per_a=terms.discount_share_per_a,
        )

    def yearly(self, size: float, terms: ProjectTerms) -> pd.DataFrame:
        """Return what equipment of a size costs in each year.

        Returns
        -------
        DataFrame
            Index ``year`` from 0; columns ``investment``, ``replacement``, ``maintenance``, ``residual`` and ``net``
            (money; what is paid is negative).
        """
        import pandas as pd

        flows = cash_flows(self.investment(size, terms), 0.0)
        paid = flows["investment"]
        first = paid.where(paid.index == 0, 0.0)
        columns = {"investment": first, "replacement": paid - first, **flows[["maintenance", "residual", "net"]]}
        return pd.DataFrame(columns, index=flows.index)

    def present_cost_per_unit(self, terms: ProjectTerms) -> float:
        """Return the present value of what a kWh or kW costs over the project: replacements, upkeep, residual.

        >>> terms = ProjectTerms(project_a=2, discount_share_per_a=0.25)
        >>> battery = Equipment(name="battery", cost_per_unit=100, upkeep_per_unit_a=10, life_a=4)
        >>> round(battery.present_cost_per_unit(terms), 9)
        82.4
        """
        return -npv(self.yearly(1.0, terms)["net"].to_numpy(), terms.discount_share_per_a)

    def cost_per_unit_a(self, terms: ProjectTerms) -> float:
        """Return the equal yearly payment for a kWh or kW that is worth its present cost."""
        return self.present_cost_per_unit(terms) * terms.recovery

    def kept_share(self, terms: ProjectTerms) -> float:
        """Return the share of its energy that it has on average over the project, late years counting less.

        kept = sum of weight[a] * (1 - degradation) ** (years since new) / sum of weight[a]
        """
        weights = terms.price_weights
        kept = (1 - self.degradation_share_per_a) ** (np.arange(terms.project_a) % self.life_a)
        return float(weights @ kept / weights.sum())


@dataclass(frozen=True)
class LifeCycle:
    """What equipment and bills cost over a project.

    Parameters
    ----------
    terms : ProjectTerms
    parts : DataFrame
        Present value of each part: index ``part`` (names of equipment and ``energy bill``), columns ``investment``,
        ``replacement``, ``maintenance``, ``residual``, ``bill`` and ``total``; what is paid is positive.
    yearly : DataFrame
        Index ``year``; columns as those of `Equipment.yearly` and ``bill``; what is paid is negative.
    """

    terms: ProjectTerms
    parts: pd.DataFrame
    yearly: pd.DataFrame

    @property
    def total(self) -> float:
        """Present value of all costs."""
        return float(self.parts["total"].sum())


@dataclass(frozen=True)
class Comparison:
    """One life cycle against another: what is paid more at first, and saved later.

    Parameters
    ----------
    cash_flows : DataFrame
        Index ``year``; columns ``investment``, ``replacement``, ``maintenance``, ``residual``, ``saving``, ``net``,
        ``discounted``, ``cumulative``, ``cumulative_discounted``.
    npv : float
        Net present value: by how much the life cycle is cheaper.
    irr, payback_a, discounted_payback_a : Figure
    """

    cash_flows: pd.DataFrame
    npv: float
    irr: Figure
    payback_a: Figure
    discounted_payback_a: Figure


def life_cycle(equipment: Sequence[tuple[Equipment, float]], bill_per_a: float, terms: ProjectTerms) -> LifeCycle:
    """Return the cost of a life cycle.

    total = sum of present_cost_per_unit * size + sum over a of bill * (1 + escalation) ** (a - 1) / (1 + rate) ** a

    Parameters
    ----------
    equipment : sequence of (Equipment, float)
        Each with its size in kWh or kW.
    bill_per_a : float
        What energy costs in a year at the first year's prices, wear included.
    terms : ProjectTerms
    """
    import pandas as pd

    discounts = discount_factors(terms.discount_share_per_a, terms.project_a)
    yearly = pd.DataFrame(0.0, index=pd.RangeIndex(terms.project_a + 1, name="year"), columns=[*FLOWS, "bill"])
    rows = {}
    for one, size in equipment:
        flows = one.yearly(size, terms)[list(FLOWS)]
        yearly[list(FLOWS)] += flows
        rows[one.name] = {name: -float(flows[name].to_numpy() @ discounts) + 0.0 for name in FLOWS}
    years = np.arange(1, terms.project_a + 1)
    bills = bill_per_a * (1 + terms.price_escalation_share_per_a) ** (years - 1.0)
    yearly["bill"] = np.append(0.0, -bills)
    rows["energy bill"] = {"bill": float(bills @ discounts[1:])}
    parts = pd.DataFrame.from_dict(rows, orient="index", columns=[*FLOWS, "bill"]).fillna(0.0)
    parts["total"] = parts.sum(axis=1)
    return LifeCycle(terms, parts.rename_axis("part"), yearly)


def compare(invested: LifeCycle, baseline: LifeCycle) -> Comparison:
    """Return whether a life cycle pays against another one of the same project."""
    import pandas as pd

    rate, years = invested.terms.discount_share_per_a, invested.terms.project_a
    change = invested.yearly - baseline.yearly
    net = change.sum(axis=1).to_numpy()
    discounted = net * discount_factors(rate, years)
    columns = {
        **{name: change[name] for name in FLOWS},
        "saving": change["bill"],
        "net": net,
        "discounted": discounted,
        "cumulative": net.cumsum(),
        "cumulative_discounted": discounted.cumsum(),
    }
    is_paid = bool(net[0] < -LEAST_OUTLAY)
    nothing = undefined("nothing is invested")
    return Comparison(
        pd.DataFrame(columns, index=change.index) + 0.0,
        npv(net, rate),
        irr(net) if is_paid else nothing,
        payback_a(net) if is_paid else nothing,
        payback_a(net, rate) if is_paid else nothing,
    )
