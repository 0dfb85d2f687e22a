"""Part of a dispatch of net metering: energy fed in is taken off what is drawn, by month and period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ems.assets.amount import Amount, split_parts, sums_of_groups, total
from ems.assets.tariff_months import TariffMonths
from ems.assets.unit import Unit
from ems.tariffs.period_table import HoursTable
from ems.tariffs.tariff import Tariff

MOVING_MINUTES = (0, 300, 660, 1020)
"""Times of a Monday by which a surplus finds its new period where its own is not in the next month: those of the
settlement, which has them from the System Advisor Model."""


@dataclass(frozen=True)
class NetEnergy:
    """What net metering bills and pays out.

    Parameters
    ----------
    billed_kwh : list of Amount (months)
        Energy of each month that is paid for.
    cost : list of Amount (months)
        What it costs at the prices of the first tier.
    revenue : list of Amount (months)
        What is paid for energy that is left at the end of a year, as a negative cost.
    """

    billed_kwh: list[Amount]
    cost: list[Amount]
    revenue: list[Amount]


def declare_net_metering(
    unit: Unit, tariff: Tariff, months: TariffMonths, limits_kw: Mapping[str, np.ndarray]
) -> NetEnergy:
    """Declare what is billed and carried forward in each month and period.

    billed[m, p] - carried[m, p] == import[m, p] - export[m, p] - carried into p[m], and never both
    left[m] - short[m] == left[m-1] + export[m] - import[m], and never both

    An account that paid and banked at once would buy energy in a cheap tier for a month with dear ones. What is left
    over all periods is paid out at the end of a year of metering, and all accounts begin at zero again.

    Parameters
    ----------
    unit : Unit
    tariff : Tariff
    months : TariffMonths
    limits_kw : mapping of str to ndarray (steps,)
        Highest ``import`` and ``export``.
    """
    used, place_of_step = np.unique(months.period_of_step, return_inverse=True)
    count = len(used)
    # Import and export meet in one sum, so that what only goes in a circle leaves it as it is.
    drawn_kwh = sums_of_groups(
        unit,
        "net_sums_kwh",
        months.of_step * count + place_of_step,
        len(months) * count,
        {"import_kw": (months.step_h, limits_kw["import"]), "export_kw": (-months.step_h, limits_kw["export"])},
    )
    moves = _moves(tariff, used, months)
    prices = [tariff.periods[position].all_tiers()[0].import_price_per_kwh for position in used.tolist()]
    nothing = Amount.of(0.0)
    found = NetEnergy([], [], [])
    bank, left = [nothing] * count, nothing
    for m in range(len(months)):
        of_month = range(m * count, (m + 1) * count)
        brought = [total([bank[one] for one in range(count) if moves[m][one] == place]) for place in range(count)]
        net = {place: drawn_kwh[k] - brought[place] for place, k in enumerate(of_month)}
        billed, carried = split_parts(unit, f"billed_kwh_{m}", net)
        found.billed_kwh.append(total(list(billed.values())))
        found.cost.append(total([billed[place] * prices[place] for place in range(count)]))
        paid = nothing
        if tariff.year_end_price_per_kwh is not None and tariff.year_end_month in months.of_year[m:]:
            surplus = left - total([drawn_kwh[k] for k in of_month])
            left = split_parts(unit, f"left_kwh_{m}", {m: surplus})[0][m]
            _bound_by_accounts(unit, m, left, list(carried.values()))
        is_year_end = months.of_year[m] == tariff.year_end_month
        if is_year_end and tariff.year_end_price_per_kwh is not None:
            paid, left = left * -tariff.year_end_price_per_kwh, nothing
        found.revenue.append(paid)
        bank = [nothing] * count if is_year_end else [carried[place] for place in range(count)]
    return found


def _bound_by_accounts(unit: Unit, month: int, left: Amount, carried: list[Amount]) -> None:
    """Declare that no more is left over all periods than their accounts hold together.

    A shortage of one period is taken off what is left, but not off the accounts of others, so that this always holds:
    it adds no limit, but spares the solver most decisions.
    """
    accounts = total(carried)
    if left.upper > max(accounts.lower, 0.0):
        unit.add_constraint_each(
            f"left_within_accounts_{month}", lambda _: left.expression <= accounts.expression, [month]
        )


def _moves(tariff: Tariff, used: np.ndarray, months: TariffMonths) -> list[list[int]]:
    """Return, for each month, the place among the periods in use to which a surplus of each of them goes.

    A surplus stays in its period where the month has it. Where it has not, the surplus of a period that held at one of
    the four times goes to the one that holds at that time now, if that is in use; else it waits for its own.
    """
    places = used.tolist()
    meant = [(one.name, one.all_tiers()) for one in tariff.periods]
    place_of = [places.index(meant.index(one)) if meant.index(one) in places else -1 for one in meant]
    table = HoursTable(tariff.periods)
    at_times: list[list[int]] = []
    moves = []
    for m, month in enumerate(months.of_year.tolist()):
        season = int(np.flatnonzero(table.seasons == 100 * month + 1)[0])
        in_month = {place_of[one] for one in table.first[season].ravel().tolist() if one >= 0}
        slots = [max(i for i, begin in enumerate(table.breaks) if begin <= minute) for minute in MOVING_MINUTES]
        at_times.append([place_of[int(table.first[season, 0, slot])] for slot in slots])
        goes = list(range(len(places)))
        if m:
            before = at_times[m - 1]
            for place in set(before) - in_month - {-1}:
                now = at_times[m][before.index(place)]
                goes[place] = place if now < 0 else now
        moves.append(goes)
    return moves
