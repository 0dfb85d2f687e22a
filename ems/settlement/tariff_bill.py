"""The bill of a tariff: lines by month and charge, from metered powers, as a person would check an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.settlement.bill_lines import BillLines, Months
from ems.settlement.demand_bill import BilledDemand, billed_demand
from ems.settlement.energy_bill import MeteredEnergy, bill_energy
from ems.tariffs.calendar import Calendar
from ems.tariffs.demand_charge import DemandCharge
from ems.tariffs.prices import period_of
from ems.tariffs.tariff import Tariff

if TYPE_CHECKING:
    import pandas as pd

CREDITS = ("export_revenue", "year_end_revenue")
"""Types of cost that are incomes: no tax is taken off for them."""
MONTHS_PER_YEAR = 12


def bill_of(
    tariff: Tariff,
    horizon: Horizon,
    timezone: str,
    import_kw: np.ndarray,
    export_kw: np.ndarray | None = None,
    *,
    self_consumed_kw: np.ndarray | None = None,
    market_price_per_kwh: np.ndarray | None = None,
    series: Mapping[str, np.ndarray] | None = None,
    demand_charges: Iterable[DemandCharge] = (),
    calendar: Calendar | None = None,
) -> pd.DataFrame:
    """Return the bill of a tariff, line by line.

    A charge of a month is billed in full for each month that the horizon touches, a year's minimum for the share of
    its twelve months, and a day's for each day.

    Parameters
    ----------
    tariff : Tariff
    horizon : Horizon
    timezone : str
        IANA name of the site's zone.
    import_kw, export_kw : ndarray (steps,)
        Powers at the meter, not negative; nothing is fed in where there is no export.
    self_consumed_kw : ndarray (steps,), optional
        Power that the site makes and uses itself: the base of levies on it; where all generation is sold and all
        demand bought, it is bought and sold, too. Without it, import and export are those of the two meters.
    market_price_per_kwh : ndarray (steps,), optional
        Needed where the tariff has a price series.
    series : mapping of str to ndarray (steps,), optional
        The series that replace the calendar of demand charges.
    demand_charges : iterable of DemandCharge
        Those of the connection, which add to the tariff's.
    calendar : Calendar, optional
        The tariff's own by default; a typical year for cases that are stated in one.

    Returns
    -------
    DataFrame
        Columns ``month`` (2024-06), ``cost_type``, ``charge``, ``quantity``, ``unit``, ``rate``, ``cost`` (money; an
        income is negative). Types of cost: ``import_cost``, ``export_revenue``, ``demand_cost``, ``levy_cost``,
        ``fixed_cost``, ``capacity_cost``, ``minimum_cost``, ``tax_cost``, ``year_end_revenue`` and, at no cost,
        ``carried_energy``.

    Raises
    ------
    InvalidInput
        If a power has another length than the horizon, is negative or absent, or something needed is not stated.
    """
    by_calendar = tariff.calendar if calendar is None else calendar
    imports = _checked("import_kw", import_kw, horizon)
    exports = _checked("export_kw", np.zeros(len(horizon)) if export_kw is None else export_kw, horizon)
    own = None if self_consumed_kw is None else _checked("self_consumed_kw", self_consumed_kw, horizon)
    if tariff.metering == "buy_all_sell_all" and own is not None:
        imports, exports = imports + own, exports + own
    lines = BillLines(Months.of(horizon, timezone, by_calendar))
    period = period_of(tariff, horizon, timezone, by_calendar) if tariff.periods else np.zeros(len(horizon), dtype=int)
    energy = MeteredEnergy(imports * horizon.step_h, exports * horizon.step_h, period, market_price_per_kwh)
    bill_energy(tariff, energy, lines)
    _bill_levies(tariff, energy.bought_kwh, None if own is None else own * horizon.step_h, lines)
    for charge in (*tariff.demand_charges, *demand_charges):
        power_kw = imports if charge.basis == "import" else exports
        periods = billed_demand(charge, horizon, timezone, series or {}, power_kw, calendar=by_calendar)
        _bill_demand(charge, periods, lines)
    _bill_fixed(tariff, lines)
    _bill_minimums(tariff, lines)
    _bill_taxes(tariff, lines)
    return lines.frame()


def _checked(name: str, power_kw: np.ndarray, horizon: Horizon) -> np.ndarray:
    """Return a metered power that has a value of at least 0 in each step."""
    values = np.asarray(power_kw, dtype=float)
    if values.shape != (len(horizon),):
        raise InvalidInput("the bill", f"{name} has {values.size} values for {len(horizon)} steps")
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        at = horizon.times[bad[0]]
        raise InvalidInput(
            "the bill",
            f"{name} = {values[bad[0]]:g} kW at {at:%Y-%m-%d %H:%M} UTC: must be at least 0 kW, without gaps",
        )
    return values


def _bill_demand(charge: DemandCharge, periods: Iterable[BilledDemand], lines: BillLines) -> None:
    """Write the power billed in each period, tier by tier; a period that costs nothing at any power is left out."""
    unit = {"kw": "kW", "kva": "kVA"}[charge.unit]
    for one in periods:
        name = charge.name if charge.period != "day" else f"{charge.name}, {one.label}"
        for number, (quantity, rate) in enumerate(one.blocks if one.has_price else (), 1):
            tier = f", tier {number}" if len(one.blocks) > 1 else ""
            month = _month_of(one.label, one.steps, lines.months)
            lines.add(month, "demand_cost", f"{name}{tier}", quantity, rate, unit=unit)


def _month_of(label: str, steps: np.ndarray, months: Months) -> int:
    """Return the position of the month in which a period of a demand charge is billed."""
    if label[:7] in months.labels:
        return months.labels.index(label[:7])
    # Periods of a series, and of the whole horizon, are billed where they end.
    return int(months.of_step[steps[-1]]) if len(steps) else len(months) - 1


def _bill_levies(tariff: Tariff, bought_kwh: np.ndarray, own_kwh: np.ndarray | None, lines: BillLines) -> None:
    """Write amounts for each kWh, up to the energy of a calendar year beyond which nothing more is due."""
    months = lines.months
    for levy in tariff.levies:
        if levy.applies_to == "import":
            energy_kwh = bought_kwh
        elif own_kwh is not None:
            energy_kwh = own_kwh
        else:
            raise InvalidInput(
                f"tariff '{tariff.id}'",
                f"levy '{levy.name}' on self-consumption: needs the power that the site uses itself",
            )
        by_month = months.sums(energy_kwh)
        if levy.exempt_above_kwh_per_a is not None:
            for year in np.unique(months.years).tolist():
                within = months.years == year
                due = np.minimum(np.cumsum(by_month[within]), levy.exempt_above_kwh_per_a)
                by_month[within] = np.diff(due, prepend=0.0)
        for month in np.flatnonzero(by_month).tolist():
            lines.add(month, "levy_cost", levy.name, by_month[month], levy.rate_per_kwh)


def _bill_fixed(tariff: Tariff, lines: BillLines) -> None:
    """Write what is due whatever is drawn."""
    for month in range(len(lines.months)):
        if tariff.fixed_cost_per_month:
            lines.add(month, "fixed_cost", "fixed charge", 1, tariff.fixed_cost_per_month, unit="month")
        if tariff.fixed_cost_per_d:
            days = lines.months.touched_d[month]
            lines.add(month, "fixed_cost", "fixed charge of a day", days, tariff.fixed_cost_per_d, unit="d")
        if tariff.contracted_kw is not None:
            rate = tariff.capacity_cost_per_kw_month
            lines.add(month, "capacity_cost", "contracted power", tariff.contracted_kw, rate, unit="kW")


def _bill_minimums(tariff: Tariff, lines: BillLines) -> None:
    """Write what is missing to the least that a month or a year costs before taxes [1]_.

    minimum[month] = max(least - max(bill[month], 0), 0)

    A month that earns more than it costs keeps what it earns. What is paid out at the end of a year does not count,
    nor what is sold by a meter of its own.

    References
    ----------
    .. [1] National Renewable Energy Laboratory, "SAM Simulation Core," ``utilityrate5``, minimum charges,
       https://github.com/NREL/ssc. There, what a month's minimum adds does not count towards the year's; here it does.
    """
    months = lines.months
    apart = CREDITS if tariff.metering == "buy_all_sell_all" else ("year_end_revenue",)
    paid = np.maximum(lines.costs(*apart), 0.0)
    for month in np.flatnonzero(paid < tariff.minimum_cost_per_month).tolist():
        missing = tariff.minimum_cost_per_month - paid[month]
        lines.add(month, "minimum_cost", "up to the minimum of the month", 1, missing, unit="month")
        paid[month] += missing
    for year in np.unique(months.years).tolist():
        within = np.flatnonzero(months.years == year)
        missing = tariff.minimum_cost_per_a * len(within) / MONTHS_PER_YEAR - paid[within].sum()
        if missing > 0:
            lines.add(int(within[-1]), "minimum_cost", "up to the minimum of the year", 1, missing, unit="a")


def _bill_taxes(tariff: Tariff, lines: BillLines) -> None:
    """Write shares of other charges; credits are not taxed, and no tax is a share of another."""
    bases = {"energy": lines.costs_of("import_cost", "levy_cost"), "all": lines.costs(*CREDITS)}
    for tax in tariff.taxes:
        base = bases[tax.base]
        for month in np.flatnonzero(base).tolist():
            lines.add(month, "tax_cost", tax.name, base[month], tax.share, unit=tariff.currency or "currency")
