"""Part of a dispatch of demand charges: the highest power of each period, and what of it is billed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ems.assets.asset import AssetInputs
from ems.assets.unit import Unit
from ems.tariffs.demand_charge import DemandCharge


def declare_demand_charges(
    unit: Unit,
    charges: tuple[DemandCharge, ...],
    inputs: AssetInputs,
    power_kw: Callable[[str, Any], Any],
) -> None:
    """Declare what each demand charge bills.

    peak[charge, period] >= power[t] in each step that counts, and >= the peak so far
    billed[charge, period] >= peak[charge, period] - free
    billed[charge, period] >= share * peak[charge, earlier], for each period that a ratchet looks back at
    demand_charge_cost[charge] == sum of rate * billed

    Costs press all of them down to their least, so that they need no decisions. Peaks so far are a lower bound and
    thus cost what they cost in any plan.

    Parameters
    ----------
    unit : Unit
        The connection's, with its powers declared.
    charges : tuple of DemandCharge
    inputs : AssetInputs
    power_kw : callable (way, t)
        Power at the meter, ``import`` or ``export``.
    """
    if not charges:
        return
    from ems.tariffs.demand_periods import demand_periods

    periods = {
        (charge.name, period.label): (charge, period)
        for charge in charges
        for period in demand_periods(charge, inputs.horizon, inputs.timezone, inputs.series)
    }
    keys = list(periods)
    unit.add_variable("peak_kw", over=keys, lower=np.array([period.prior_peak_kw for _, period in periods.values()]))
    unit.add_variable("billed_kw", over=keys, lower=np.array([period.floor_kw for _, period in periods.values()]))
    for number, (key, (charge, period)) in enumerate(periods.items()):

        def demand_peak(t: Any, key: tuple[str, str] = key, way: str = charge.basis) -> Any:
            return power_kw(way, t) <= unit.peak_kw[key]

        unit.add_constraint(f"demand_peak_{number}", demand_peak, over=period.steps.tolist())

    def billed_demand(key: tuple[str, str]) -> Any:
        return unit.billed_kw[key] >= unit.peak_kw[key] - periods[key][0].free_kw

    unit.add_constraint_each("billed_demand", billed_demand, over=keys)

    def demand_ratchet(key: tuple[str, str, str]) -> Any:
        name, label, earlier = key
        ratchet = periods[name, label][0].ratchet
        assert ratchet is not None, "only a ratchet looks back"
        return unit.billed_kw[name, label] >= ratchet.share * unit.peak_kw[name, earlier]

    looks_back = [(*key, earlier) for key, (_, period) in periods.items() for earlier in period.looks_back_at]
    if looks_back:
        unit.add_constraint_each("demand_ratchet", demand_ratchet, over=looks_back)

    names = [charge.name for charge in charges]
    unit.add_variable("demand_charge_cost", over=names)

    def demand_bill(name: str) -> Any:
        bill = sum(period.rate_per_kw * unit.billed_kw[key] for key, (_, period) in periods.items() if key[0] == name)
        return unit.demand_charge_cost[name] == bill

    unit.add_constraint_each("demand_bill", demand_bill, over=names)
