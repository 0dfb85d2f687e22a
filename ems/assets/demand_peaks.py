"""Part of a dispatch of demand charges: the highest power of each period, what of it is billed, and its price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.assets.amount import Amount, pressed_parts, split_parts, total
from ems.assets.asset import AssetInputs
from ems.assets.unit import Unit
from ems.tariffs.demand_charge import DemandCharge

if TYPE_CHECKING:
    from ems.tariffs.calendar import Calendar
    from ems.tariffs.demand_periods import DemandPeriod

Key = tuple[str, str]
"""Name of a charge and label of a period."""


@dataclass(frozen=True)
class PeriodCost:
    """What a period of a demand charge costs.

    Parameters
    ----------
    label : str
        Of the period.
    steps : ndarray of int
        Positions of its steps that count.
    cost : Amount
    """

    label: str
    steps: np.ndarray
    cost: Amount


def declare_demand_charges(
    unit: Unit,
    charges: Sequence[DemandCharge],
    inputs: AssetInputs,
    power_kw: Callable[[str, Any], Any],
    limits_kw: Mapping[str, np.ndarray],
    *,
    calendar: Calendar | None = None,
) -> list[PeriodCost]:
    """Declare what each demand charge bills, and return what each of its periods costs.

    peak[charge, period] >= power[t] in each step that counts, and >= the peak so far
    billed[charge, period] >= peak[charge, period] - free
    billed[charge, period] >= share * peak[charge, earlier], for each period that a ratchet looks back at

    Costs press all of them down to their least, so that they need no decisions; only a tier that is cheaper than the
    one before needs one, where it is in reach. Peaks so far are a lower bound and thus cost what they cost in any
    plan. Of a bill in kVA, power is that at the stated power factor.

    Parameters
    ----------
    unit : Unit
        The connection's, with its powers declared.
    charges : sequence of DemandCharge
        No two of a name.
    inputs : AssetInputs
    power_kw : callable (way, t)
        Power at the meter, ``import`` or ``export``.
    limits_kw : mapping of str to ndarray (steps,)
        Its highest value, by way.
    calendar : Calendar, optional
        The tariff's; by default real dates without holidays.
    """
    if not charges:
        return []
    from ems.tariffs.demand_periods import demand_periods

    periods = {
        (charge.name, period.label): (charge, period)
        for charge in charges
        for period in demand_periods(charge, inputs.horizon, inputs.timezone, inputs.series, calendar)
    }
    peaks = _declare_peaks(unit, periods, power_kw, limits_kw)
    billed = _declare_billed(unit, periods, peaks)
    costs = _declare_tiers(unit, periods, billed)
    return [PeriodCost(period.label, period.steps, costs[key]) for key, (_, period) in periods.items()]


def _declare_peaks(
    unit: Unit,
    periods: Mapping[Key, tuple[DemandCharge, DemandPeriod]],
    power_kw: Callable[[str, Any], Any],
    limits_kw: Mapping[str, np.ndarray],
) -> dict[Key, Amount]:
    """Declare what each period measures: its highest power, the mean of given moments, or that of its highest days."""
    unit.add_variable(
        "peak_kw", over=list(periods), lower=np.array([period.prior_peak_kw for _, period in periods.values()])
    )
    peaks = {}
    for number, (key, (charge, period)) in enumerate(periods.items()):
        if charge.highest_days > 1:
            _declare_mean_of_days(unit, number, key, (charge, period), power_kw)
        elif charge.coincident_of == "mean":
            if len(period.steps):
                moments = [power_kw(charge.basis, t) for t in period.steps.tolist()]
                mean = sum(moments) * (charge.per_kw / len(moments))
                unit.add_constraint(f"coincident_mean_{number}", mean <= unit.peak_kw[key])
        else:
            _press(unit, f"demand_peak_{number}", (charge, period.steps), power_kw, unit.peak_kw[key])
        limit_kw = limits_kw[charge.basis][period.steps].max(initial=0.0) * charge.per_kw
        before_kw = max([period.prior_peak_kw, *(day.prior_peak_kw for day in period.days)])
        peaks[key] = Amount(unit.peak_kw[key], period.prior_peak_kw, max(float(limit_kw), before_kw))
    return peaks


def _press(
    unit: Unit,
    name: str,
    counted: tuple[DemandCharge, np.ndarray],
    power_kw: Callable[[str, Any], Any],
    peak_kw: Any,
) -> None:
    """Declare that a peak is at least the power of each step that counts."""
    charge, steps = counted

    def is_below(t: Any) -> Any:
        return power_kw(charge.basis, t) * charge.per_kw <= peak_kw

    unit.add_constraint(name, is_below, over=steps.tolist())


def _declare_mean_of_days(
    unit: Unit,
    number: int,
    key: Key,
    stated: tuple[DemandCharge, DemandPeriod],
    power_kw: Callable[[str, Any], Any],
) -> None:
    """Declare that a peak is at least the mean of the highest daily peaks [1]_.

    n * peak >= n * s + sum over days of max(daily peak - s, 0), for the best of all s

    The right-hand side is the sum of the n highest: s is then the n-th highest of them.

    References
    ----------
    .. [1] D. Perez-Pineiro, S. Skogestad, and S. Boyd, "Home energy management with dynamic tariffs and tiered peak
       power charges," arXiv:2307.07580, 2023.
    """
    charge, period = stated
    if not period.days:
        return
    labels = [day.label for day in period.days]
    count = min(charge.highest_days, len(labels))
    daily_name, excess_name, level_name = (f"{name}_{number}" for name in ("daily_peak_kw", "excess_kw", "level_kw"))
    unit.add_variable(daily_name, over=labels, lower=np.array([day.prior_peak_kw for day in period.days]))
    unit.add_variable(excess_name, over=labels)
    unit.add_variable(level_name, over=labels[:1])
    daily, excess = getattr(unit, daily_name), getattr(unit, excess_name)
    level = getattr(unit, level_name)[labels[0]]
    for day in period.days:
        _press(unit, f"{daily_name}_{day.label}", (charge, day.steps), power_kw, daily[day.label])
    unit.add_constraint_each(excess_name + "_is_above", lambda label: excess[label] >= daily[label] - level, labels)
    highest = sum(excess[label] for label in labels) + level * count
    unit.add_constraint(f"mean_of_days_{number}", unit.peak_kw[key] * count >= highest)


def _declare_billed(
    unit: Unit, periods: Mapping[Key, tuple[DemandCharge, DemandPeriod]], peaks: Mapping[Key, Amount]
) -> dict[Key, Amount]:
    """Declare the power that each period is billed: what is not free, and the least that a ratchet leaves.

    It reaches no higher than the peaks can: below a minimum of the bill, where a kW costs nothing, a plan could else
    fill the minimum with power that nobody takes.
    """
    keys = list(periods)
    most_kw = {}
    for key, (charge, period) in periods.items():
        before = [_share(charge) * peaks[key[0], label].upper for label in period.looks_back_at]
        most_kw[key] = max([peaks[key].upper - charge.free_kw, period.floor_kw, *before])
    floors_kw = np.array([period.floor_kw for _, period in periods.values()])
    unit.add_variable("billed_kw", over=keys, lower=floors_kw, upper=np.array([most_kw[key] for key in keys]))

    def billed_demand(key: Key) -> Any:
        return unit.billed_kw[key] >= unit.peak_kw[key] - periods[key][0].free_kw

    unit.add_constraint_each("billed_demand", billed_demand, over=keys)

    def demand_ratchet(key: tuple[str, str, str]) -> Any:
        name, label, earlier = key
        return unit.billed_kw[name, label] >= _share(periods[name, label][0]) * unit.peak_kw[name, earlier]

    looks_back = [(*key, earlier) for key, (_, period) in periods.items() for earlier in period.looks_back_at]
    if looks_back:
        unit.add_constraint_each("demand_ratchet", demand_ratchet, over=looks_back)
    return {key: Amount(unit.billed_kw[key], period.floor_kw, most_kw[key]) for key, (_, period) in periods.items()}


def _share(charge: DemandCharge) -> float:
    assert charge.ratchet is not None, "only a ratchet looks back"
    return charge.ratchet.share


def _declare_tiers(
    unit: Unit, periods: Mapping[Key, tuple[DemandCharge, DemandPeriod]], billed: Mapping[Key, Amount]
) -> dict[Key, Amount]:
    """Declare what of the billed power is in dearer and cheaper tiers, and return the cost of each period.

    cost = rate of the first tier * billed + sum over further tiers of (rate - rate before) * power above its beginning
    """
    rising: dict[tuple[str, str, int], Amount] = {}
    falling: dict[tuple[str, str, int], Amount] = {}
    change = {}
    for key, (_, period) in periods.items():
        for number in range(1, len(period.tiers)):
            before, tier = period.tiers[number - 1], period.tiers[number]
            assert before.up_to_kw is not None, "all but the last tier end"
            change[*key, number] = tier.rate_per_kw - before.rate_per_kw
            of_sign = rising if change[*key, number] >= 0 else falling
            of_sign[*key, number] = billed[key] - before.up_to_kw
    above = {**pressed_parts(unit, "dearer_kw", rising), **split_parts(unit, "cheaper_kw", falling)[0]}
    return {
        key: total(
            [
                billed[key] * period.rate_per_kw,
                *(above[*key, number] * change[*key, number] for number in range(1, len(period.tiers))),
            ]
        )
        for key, (_, period) in periods.items()
    }
