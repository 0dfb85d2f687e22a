"""Investment: what it costs and saves in each year of its life, and whether that pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, model_validator

from ems.errors import InvalidInput
from ems.record import Fraction, Name, NonNegative, Record
from ems.settlement.finance import (
    Figure,
    capital_recovery_factor,
    discount_factors,
    irr,
    levelized_cost_per_kwh,
    npv,
    payback_a,
    undefined,
)

if TYPE_CHECKING:
    import pandas as pd

LONGEST_LIFE_A = 100
Growth = Annotated[float, Field(gt=-1, le=1)]
"""Change of an amount from year to year, as a fraction."""


class Investment(Record):
    """What is paid for equipment over its life, against going on without it.

    Rates are nominal where the prices that they meet rise with inflation, and real where those stay as they are; the
    two must not be mixed.
    """

    name: Name = "investment"
    """What people call it. Describes only."""
    capital_cost: NonNegative
    """Price of the equipment, paid now. Acts in the cash flows."""
    installation_cost: NonNegative = 0
    """Cost of putting it in place, paid now. Acts in the cash flows."""
    maintenance_cost_per_a: NonNegative = 0
    """Upkeep of the first year, paid at its end. Acts in the cash flows."""
    life_a: Annotated[int, Field(ge=1, le=LONGEST_LIFE_A)]
    """Years for which it is used. Acts in the cash flows."""
    replacement_after_a: Annotated[int, Field(ge=1, le=LONGEST_LIFE_A)] | None = None
    """Years after which it is replaced, each time until the end of its life, and as good as new. Acts in the cash
    flows."""
    replacement_cost: NonNegative = 0
    """Cost of a replacement. Acts in the cash flows."""
    residual_value: NonNegative = 0
    """What it is sold for at the end of its life. Acts in the cash flows."""
    discount_share_per_a: Annotated[float, Field(ge=0, le=1)]
    """Discount rate: what money could earn elsewhere. Acts in net present value, discounted payback and levelized
    cost."""
    price_escalation_share_per_a: Growth = 0
    """By what share prices of energy rise from year to year, and with them savings. Acts in the cash flows."""
    maintenance_escalation_share_per_a: Growth = 0
    """By what share upkeep rises from year to year. Acts in the cash flows."""
    degradation_share_per_a: Annotated[float, Field(ge=0, lt=1)] = 0
    """Share of energy and savings that it loses from year to year, until it is replaced. Acts in the cash flows."""
    tax_share: Fraction = 0
    """Rate of the tax on what is earned; savings and upkeep are taken before it. Acts in the cash flows."""
    depreciation_a: Annotated[int, Field(ge=1, le=LONGEST_LIFE_A)] | None = None
    """Years over which what was paid is written off for the tax, in equal parts; the rest at the end of its life. Acts
    in the cash flows."""

    @model_validator(mode="after")
    def _has_effect(self) -> Investment:
        if self.replacement_after_a is None and self.replacement_cost:
            raise ValueError(f"replacement_cost = {self.replacement_cost:g}: needs replacement_after_a")
        if self.replacement_after_a is not None and self.replacement_after_a >= self.life_a:
            raise ValueError(
                f"replacement_after_a = {self.replacement_after_a} a: must be less than life_a = {self.life_a} a; "
                "leave it out where nothing is replaced"
            )
        if (self.tax_share > 0) != (self.depreciation_a is not None):
            raise ValueError("tax_share and depreciation_a: need each other; leave both out for figures before tax")
        return self

    @property
    def outlay(self) -> float:
        """What is paid now."""
        return self.capital_cost + self.installation_cost


@dataclass(frozen=True)
class Finance:
    """Whether an investment pays.

    Parameters
    ----------
    cash_flows : DataFrame
        As `cash_flows` returns them.
    npv : float
        Net present value: above zero, it earns more than the discount rate.
    irr : Figure
        Internal rate of return, a fraction.
    payback_a, discounted_payback_a : Figure
        Years until it is paid back.
    levelized_cost_per_kwh : Figure
        Cost of a kWh over its life, before tax: LCOE, or LCOS of a storage.
    annual_value : float
        The same amount each year of its life that is worth the net present value.
    """

    cash_flows: pd.DataFrame
    npv: float
    irr: Figure
    payback_a: Figure
    discounted_payback_a: Figure
    levelized_cost_per_kwh: Figure
    annual_value: float


def cash_flows(
    investment: Investment,
    saving_per_a: float | Sequence[float] | np.ndarray,
    energy_kwh_per_a: float | Sequence[float] | np.ndarray = 0.0,
) -> pd.DataFrame:
    """Return what an investment costs and saves in each year.

    saving[a] = saving_per_a * (1 + price_escalation) ** (a - 1) * (1 - degradation) ** (years since new)
    net[a] = saving[a] - maintenance[a] - outlays[a] + residual[a] - tax[a]
    tax[a] = tax_share * (saving[a] - maintenance[a] - written_off[a] + residual[a])

    A tax below zero is a tax that is saved elsewhere. What is written off in a year is the share of each outlay that
    falls into it; what is left at the end of the life is written off then.

    Parameters
    ----------
    investment : Investment
    saving_per_a : float or array (life_a,)
        What the bill without it costs more than the bill with it, in the first year; or in each year as it is.
    energy_kwh_per_a : float or array (life_a,)
        Energy that it gives in the first year, which degrades; or in each year as it is.

    Returns
    -------
    DataFrame
        Index ``year`` from 0 to ``life_a``; columns ``investment``, ``saving``, ``maintenance``, ``residual``,
        ``tax``, ``net``, ``discounted``, ``cumulative``, ``cumulative_discounted`` (money; what is paid is negative)
        and ``energy_kwh``.

    Raises
    ------
    InvalidInput
        If savings or energy have another length than the life, or gaps.
    """
    import pandas as pd

    years = np.arange(investment.life_a + 1)
    worn = _kept_share(investment)
    prices = (1 + investment.price_escalation_share_per_a) ** (years - 1.0)
    saving = _yearly("saving_per_a", saving_per_a, prices * worn, investment)
    energy_kwh = _yearly("energy_kwh_per_a", energy_kwh_per_a, worn, investment)
    growth = (1 + investment.maintenance_escalation_share_per_a) ** (years - 1.0)
    maintenance = np.where(years > 0, investment.maintenance_cost_per_a * growth, 0.0)
    outlays = _outlays(investment)
    residual = np.where(years == investment.life_a, investment.residual_value, 0.0)
    taxed = saving - maintenance - _written_off(investment, outlays) + residual
    tax = investment.tax_share * taxed
    net = saving - maintenance - outlays + residual - tax
    discounted = net * discount_factors(investment.discount_share_per_a, investment.life_a)
    # Adding zero turns -0.0 into 0.0.
    columns = {
        "investment": -outlays + 0.0,
        "saving": saving,
        "maintenance": -maintenance + 0.0,
        "residual": residual,
        "tax": -tax + 0.0,
        "net": net,
        "discounted": discounted,
        "cumulative": net.cumsum(),
        "cumulative_discounted": discounted.cumsum(),
        "energy_kwh": energy_kwh,
    }
    return pd.DataFrame(columns, index=pd.Index(years, name="year"))


def finance_of(
    investment: Investment,
    saving_per_a: float | Sequence[float] | np.ndarray,
    energy_kwh_per_a: float | Sequence[float] | np.ndarray = 0.0,
    operating_cost_per_a: float | Sequence[float] | np.ndarray = 0.0,
) -> Finance:
    """Return whether an investment pays against its baseline.

    Parameters
    ----------
    investment : Investment
    saving_per_a, energy_kwh_per_a : float or array (life_a,)
        As for `cash_flows`.
    operating_cost_per_a : float or array (life_a,)
        Cost of what it takes to run, as energy that a storage charges or fuel, in the first year; it rises with prices
        and falls with degradation. The saving has counted it already, the levelized cost has not.
    """
    flows = cash_flows(investment, saving_per_a, energy_kwh_per_a)
    net, rate = flows["net"].to_numpy(), investment.discount_share_per_a
    years = np.arange(investment.life_a + 1)
    prices = (1 + investment.price_escalation_share_per_a) ** (years - 1.0)
    running = _yearly("operating_cost_per_a", operating_cost_per_a, prices * _kept_share(investment), investment)
    paid = running - (flows["investment"] + flows["maintenance"] + flows["residual"]).to_numpy()
    value = npv(net, rate)
    nothing_is_paid = undefined("nothing is paid for it")
    is_paid = investment.outlay > 0
    return Finance(
        cash_flows=flows,
        npv=value,
        irr=irr(net),
        payback_a=payback_a(net) if is_paid else nothing_is_paid,
        discounted_payback_a=payback_a(net, rate) if is_paid else nothing_is_paid,
        levelized_cost_per_kwh=levelized_cost_per_kwh(paid, flows["energy_kwh"].to_numpy(), rate),
        annual_value=value * capital_recovery_factor(rate, investment.life_a),
    )


def _kept_share(investment: Investment) -> np.ndarray:
    """Return what is left of the first year's energy in each year by wear, new again after each replacement."""
    age = np.arange(investment.life_a + 1) - 1
    if investment.replacement_after_a is not None:
        age = np.where(age < 0, age, age % investment.replacement_after_a)
    kept: np.ndarray = np.where(age < 0, 0.0, (1 - investment.degradation_share_per_a) ** np.maximum(age, 0.0))
    return kept


def _yearly(
    name: str, given: float | Sequence[float] | np.ndarray, growth: np.ndarray, investment: Investment
) -> np.ndarray:
    """Return an amount at the end of each year: the first year's with its growth, or those given; none now."""
    values = np.asarray(given, dtype=float)
    if not np.isfinite(values).all():
        raise InvalidInput(f"investment '{investment.name}'", f"{name} has a gap or is not finite")
    if values.ndim == 0:
        return np.append(0.0, float(values) * growth[1:])
    if values.shape != (investment.life_a,):
        raise InvalidInput(
            f"investment '{investment.name}'",
            f"{name} has {values.size} values for a life of {investment.life_a} a; give one number, or one a year",
        )
    return np.append(0.0, values)


def _outlays(investment: Investment) -> np.ndarray:
    """Return what is paid for equipment in each year: now, and at each replacement before the end of the life."""
    outlays = np.zeros(investment.life_a + 1)
    outlays[0] = investment.outlay
    if investment.replacement_after_a is not None:
        outlays[investment.replacement_after_a : investment.life_a : investment.replacement_after_a] = (
            investment.replacement_cost
        )
    return outlays


def _written_off(investment: Investment, outlays: np.ndarray) -> np.ndarray:
    """Return what each year may take off its earnings for the tax; over the life it is all that was paid."""
    written_off = np.zeros(len(outlays))
    if investment.depreciation_a is None:
        return written_off
    for year in np.flatnonzero(outlays).tolist():
        share = outlays[year] / investment.depreciation_a
        last = min(year + investment.depreciation_a, investment.life_a)
        written_off[year + 1 : last + 1] += share
        written_off[investment.life_a] += outlays[year] - share * (last - year)
    return written_off
