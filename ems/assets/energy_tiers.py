"""Part of a dispatch of energy tiers: what a month's energy costs beyond the prices of the first tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ems.assets.amount import Amount, pressed_parts, split_parts, total
from ems.assets.tariff_months import TariffMonths
from ems.assets.unit import Unit
from ems.tariffs.tariff import Tariff

ROUNDING = 1e-9
"""Share of a price; below it, differences of prices are those of decimal fractions."""
IMPORT, EXPORT = "import", "export"


@dataclass(frozen=True)
class TierSteps:
    """By how much the price of a month's energy steps at the ends of tiers.

    Parameters
    ----------
    ends_kwh : ndarray (ends,)
        Energy of the month at which a tier ends, ascending.
    steps_per_kwh : ndarray (ends,)
        Price beyond each end less the one before.
    spread_per_kwh : float
        Greatest distance of a period's own step from that: zero where all periods step alike.
    """

    ends_kwh: np.ndarray
    steps_per_kwh: np.ndarray
    spread_per_kwh: float


def tier_steps(tariff: Tariff, way: str, hours_of: Mapping[int, float], days: int) -> TierSteps:
    """Return the steps in price of a month.

    The month's energy fills the tiers, and a period has the share in each that it has in the month's energy. Where
    all periods of the month have the same steps, these shares cancel, and the steps hold for the month's energy
    whatever its hours. Otherwise the bill is a product of energies, which no linear programme has: then the mean of
    the steps is taken, by how many hours each period has.

    Parameters
    ----------
    tariff : Tariff
    way : str
        ``import`` or ``export``.
    hours_of : mapping of int to float
        Hours of the month in each energy period, by its position.
    days : int
        Days of the month, for tiers that are stated for a day.
    """
    scale = days if tariff.tier_period == "day" else 1
    by_period: dict[int, dict[float, float]] = {}
    highest = 0.0
    for position in hours_of:
        tiers = tariff.periods[position].all_tiers()
        prices = [one.import_price_per_kwh if way == IMPORT else (one.export_price_per_kwh or 0.0) for one in tiers]
        highest = max([highest, *map(abs, prices)])
        ends = [one.up_to_kwh * scale for one in tiers if one.up_to_kwh is not None]
        by_period[position] = dict(zip(ends, np.diff(prices).tolist(), strict=True))
    every = sorted(set().union(*by_period.values()))
    weights = np.array(list(hours_of.values())) / sum(hours_of.values())
    table = np.array([[own.get(end, 0.0) for end in every] for own in by_period.values()]).reshape(-1, len(every))
    mean = weights @ table
    spread = float(np.abs(table - mean).max(initial=0.0))
    return TierSteps(np.array(every), mean, spread if spread > ROUNDING * highest else 0.0)


def declare_tiers(
    unit: Unit,
    tariff: Tariff,
    months: TariffMonths,
    energy_kwh: Mapping[str, list[Amount]],
    so_far_kwh: Mapping[str, float],
) -> dict[str, list[Amount]]:
    """Return what the energy of each month costs, by way, beyond the first tier's prices.

    cost = sum over the ends of tiers of step in price * energy of the month beyond the end

    Where more is dearer, costs press the energy beyond an end down to its least. Where more is cheaper, the solver
    decides, month by month, where that is in reach. So it does for all ends below a minimum of the bill, where a kWh
    presses nothing: it costs no more than what it takes off the missing rest. Energy of the first month before the
    horizon has filled its tiers already and costs nothing again.

    Parameters
    ----------
    unit : Unit
    tariff : Tariff
    months : TariffMonths
    energy_kwh : mapping of str to list of Amount (months)
        Energy of each month, ``import`` and ``export``.
    so_far_kwh : mapping of str to float
        Energy of the first month before the horizon, by way.
    """
    has_minimum = bool(tariff.minimum_cost_per_month or tariff.minimum_cost_per_a)
    costs = {way: [Amount.of(0.0)] * len(months) for way in energy_kwh}
    for way, by_month in energy_kwh.items():
        sign = 1.0 if way == IMPORT else -1.0
        beyond: dict[tuple[int, int], Amount] = {}
        step: dict[tuple[int, int], float] = {}
        for month, energy in enumerate(by_month):
            found = tier_steps(tariff, way, months.hours_of_periods(month), int(months.lengths_d[month]))
            used_kwh = so_far_kwh[way] if month == 0 else 0.0
            for number, (end_kwh, change) in enumerate(zip(found.ends_kwh, found.steps_per_kwh, strict=True)):
                if abs(change) > 0:
                    beyond[month, number] = energy - max(float(end_kwh) - used_kwh, 0.0)
                    step[month, number] = sign * float(change)
        is_pressed = {key: change > 0 and not has_minimum for key, change in step.items()}
        rising = {key: one for key, one in beyond.items() if is_pressed[key]}
        falling = {key: one for key, one in beyond.items() if not is_pressed[key]}
        above = {
            **pressed_parts(unit, f"dearer_{way}_kwh", rising),
            **split_parts(unit, f"cheaper_{way}_kwh", falling)[0],
        }
        for month in range(len(months)):
            costs[way][month] = total([part * step[key] for key, part in above.items() if key[0] == month])
    return costs
