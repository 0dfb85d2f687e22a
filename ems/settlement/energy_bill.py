"""What the energy of a tariff costs and earns: by period and tier, by the market's price, or net of what is fed in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ems.errors import InvalidInput
from ems.settlement.bill_lines import BillLines
from ems.settlement.energy_tiers import energy_by_month, energy_by_tier
from ems.settlement.net_metering import net_energy
from ems.tariffs.period_table import HoursTable
from ems.tariffs.tariff import Tariff

_ROLLOVER_MINUTES = np.array([0, 5, 11, 17]) * 60
"""Times of a weekday by which a surplus finds its new period, where its own is not in the next month (as SAM does)."""
_MONDAY = 0


@dataclass(frozen=True)
class MeteredEnergy:
    """Energy of each step at the meters, and what it is worth on the market.

    Parameters
    ----------
    bought_kwh, sold_kwh : ndarray (steps,)
        Not negative.
    period : ndarray of int (steps,)
        Position of the tariff's energy period; zeros where it has none.
    market_price_per_kwh : ndarray (steps,) or None
    """

    bought_kwh: np.ndarray
    sold_kwh: np.ndarray
    period: np.ndarray
    market_price_per_kwh: np.ndarray | None


def bill_energy(tariff: Tariff, energy: MeteredEnergy, lines: BillLines) -> None:
    """Write what bought energy costs and sold energy earns.

    Raises
    ------
    InvalidInput
        If energy was sold at hours for which the tariff states no price of exports.
    """
    used = np.unique(energy.period)
    row = np.searchsorted(used, energy.period)
    tables = [
        energy_by_month(one, lines.months.of_step, row, len(lines.months), len(used))
        for one in (energy.bought_kwh, energy.sold_kwh)
    ]
    bought, sold = tables
    if tariff.metering == "net_metering":
        goes_to = _periods_that_follow(tariff, used, lines)
        net = net_energy(bought, sold, goes_to, lines.months.of_year == tariff.year_end_month)
        for month, place in np.argwhere(net.carried_kwh > 0).tolist():
            charge = f"{tariff.periods[used[place]].name}, carried forward"
            lines.add(month, "carried_energy", charge, net.carried_kwh[month, place], 0.0)
        bought, sold = net.billed_kwh, np.zeros_like(sold)
        if tariff.year_end_price_per_kwh is not None:
            for month in np.flatnonzero(net.paid_out_kwh).tolist():
                paid_kwh, price = net.paid_out_kwh[month], tariff.year_end_price_per_kwh
                lines.add(month, "year_end_revenue", "energy left at the end of the year", paid_kwh, -price)
    if tariff.price_series:
        _bill_market(tariff, energy, lines)
    if tariff.periods:
        _bill_periods(tariff, used, bought, sold, lines)


def _bill_periods(tariff: Tariff, used: np.ndarray, bought: np.ndarray, sold: np.ndarray, lines: BillLines) -> None:
    """Write the lines of the periods and their tiers."""
    tiers = [tariff.periods[position].all_tiers() for position in used.tolist()]
    most = max(map(len, tiers))
    upper = np.full((len(used), most), np.inf)
    for place, steps in enumerate(tiers):
        upper[place, : len(steps)] = [np.inf if one.up_to_kwh is None else one.up_to_kwh for one in steps]
    days = lines.months.lengths_d if tariff.tier_period == "day" else np.ones(len(lines.months))
    upper_kwh = upper * days[:, None, None]
    for way, energy_kwh in (("import", bought), ("export", sold)):
        by_tier = energy_by_tier(energy_kwh, upper_kwh)
        for month, place, number in np.argwhere(by_tier > 0).tolist():
            name, tier = tariff.periods[used[place]].name, tiers[place][number]
            charge = name if len(tiers[place]) == 1 else f"{name}, tier {number + 1}"
            quantity = by_tier[month, place, number]
            if way == "import":
                lines.add(month, "import_cost", charge, quantity, tier.import_price_per_kwh)
            elif tier.export_price_per_kwh is not None:
                lines.add(month, "export_revenue", f"{charge}, fed in", quantity, -tier.export_price_per_kwh)
            elif tariff.export_factor is None:
                raise InvalidInput(
                    f"tariff '{tariff.id}'",
                    f"export_price_per_kwh of '{name}' is stated nowhere, and {quantity:.6g} kWh were fed in in "
                    f"{lines.months.labels[month]}; state it, 0 where nothing is paid",
                )


def _bill_market(tariff: Tariff, energy: MeteredEnergy, lines: BillLines) -> None:
    """Write the lines of energy at the market's price, and what the supplier adds and takes off."""
    market = energy.market_price_per_kwh
    if market is None:
        raise InvalidInput(
            f"tariff '{tariff.id}'",
            "price_series = true: needs the market's prices; give import_price_per_kwh as a series of the connection",
        )
    months = lines.months
    quantity = months.sums(energy.bought_kwh)
    cost = months.sums(energy.bought_kwh * market) * tariff.price_factor
    for month in np.flatnonzero(quantity).tolist():
        lines.add(month, "import_cost", "market", quantity[month], None, cost=cost[month])
        if tariff.surcharge_per_kwh:
            lines.add(month, "import_cost", "surcharge", quantity[month], tariff.surcharge_per_kwh)
    fed_in = months.sums(energy.sold_kwh)
    if tariff.export_factor is None:
        if fed_in.any() and not tariff.periods:
            raise InvalidInput(
                f"tariff '{tariff.id}'",
                f"export_factor is stated nowhere, and {fed_in.sum():.6g} kWh were fed in; state it, 0 where nothing "
                "is paid",
            )
        return
    earned = months.sums(energy.sold_kwh * market) * tariff.export_factor
    for month in np.flatnonzero(fed_in).tolist():
        lines.add(month, "export_revenue", "market, fed in", fed_in[month], None, cost=-earned[month])
        if tariff.export_deduction_per_kwh:
            rate = tariff.export_deduction_per_kwh
            lines.add(month, "export_revenue", "deduction, fed in", fed_in[month], rate)


def _periods_that_follow(tariff: Tariff, used: np.ndarray, lines: BillLines) -> np.ndarray:
    """Return the place, among the periods in use, into which each month takes a surplus of the month before.

    It is the same period where the month has it, else the one at the same time of a weekday, else the same again, as
    the surplus waits for its period.
    """
    alike = {(one.name, one.all_tiers()): place for place, one in enumerate(tariff.periods[i] for i in used.tolist())}
    places = np.array([alike.get((one.name, one.all_tiers()), -1) for one in tariff.periods])
    table = HoursTable(tariff.periods)
    goes_to = np.tile(np.arange(len(used)), (len(lines.months), 1))
    before: list[int] = []
    for m, month in enumerate(lines.months.of_year.tolist()):
        season = int(np.searchsorted(table.seasons, 100 * month + 1))
        slots = np.searchsorted(table.breaks, _ROLLOVER_MINUTES, side="right") - 1
        now = [int(places[one]) if one >= 0 else -1 for one in table.first[season, _MONDAY, slots]]
        there = np.unique(table.first[season])
        held = set(places[there[there >= 0]].tolist())
        for place in set(before) - held - {-1}:  # -1 is a period that the horizon does not reach
            target = now[before.index(place)]
            goes_to[m, place] = place if target < 0 else target
        before = now
    return goes_to
