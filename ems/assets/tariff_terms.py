"""Part of a dispatch of a whole tariff: what a connection's energy and peaks come to on the bill, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ems.assets.amount import Amount, add_once, pressed_parts, split_parts, sums_of_groups, total
from ems.assets.asset import AssetInputs
from ems.assets.demand_peaks import PeriodCost
from ems.assets.energy_tiers import EXPORT, IMPORT, declare_tiers, tier_steps
from ems.assets.net_metering import declare_net_metering
from ems.assets.tariff_months import TariffMonths
from ems.assets.unit import Unit
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.tariffs.tariff import Tariff

COSTS_ONCE = (
    "import_cost",
    "export_revenue",
    "demand_cost",
    "levy_cost",
    "fixed_cost",
    "capacity_cost",
    "minimum_cost",
    "tax_cost",
    "year_end_revenue",
)
"""Types of cost of which a part may belong to the whole horizon, by their names on the bill."""
CREDITS = ("export_revenue", "year_end_revenue")
"""Types of cost that are incomes, of which no tax is taken off."""


@dataclass(frozen=True)
class EnergySoFar:
    """Energy at the meter before the horizon.

    Parameters
    ----------
    month_import_kwh, month_export_kwh : float
        In the month in which the horizon begins.
    year_import_kwh : float
        In the calendar year in which it begins.
    """

    month_import_kwh: float = 0.0
    month_export_kwh: float = 0.0
    year_import_kwh: float = 0.0


@dataclass(frozen=True)
class _Terms:
    """A tariff at one connection over one horizon, and what each month costs beside the energy of its steps."""

    unit: Unit
    tariff: Tariff
    months: TariffMonths
    limits_kw: Mapping[str, np.ndarray]
    monthly: dict[str, list[Amount]] = field(default_factory=dict)
    energies: dict[str, list[Amount]] = field(default_factory=dict)

    def add(self, cost_type: str, by_month: Sequence[Amount]) -> None:
        """Add money of each month."""
        before = self.monthly.get(cost_type, [Amount.of(0.0)] * len(self.months))
        self.monthly[cost_type] = [one + other for one, other in zip(before, by_month, strict=True)]

    def of_month(self, month: int, *without: str) -> Amount:
        """Return the money of a month, without some types of cost."""
        return total([by_month[month] for name, by_month in self.monthly.items() if name not in without])

    def energy_kwh(self, way: str, group: np.ndarray, groups: int) -> list[Amount]:
        """Return the energy that is bought or sold in each group of steps: months or years."""
        name = f"{way}_sums_{groups}_kwh"
        if name not in self.energies:  # as many groups are the same ones
            terms = {f"{way}_kw": (self.months.step_h, self.limits_kw[way])}
            self.energies[name] = sums_of_groups(self.unit, name, group, groups, terms)
        return self.energies[name]


def refuse_unplannable(tariff: Tariff, asset_id: str, inputs: AssetInputs) -> None:
    """Refuse a tariff that no plan of one connection can follow.

    Raises
    ------
    InvalidInput
        With the reason, and what to do instead.
    """
    findings = []
    if tariff.metering == "buy_all_sell_all":
        findings.append(
            "metering = 'buy_all_sell_all': all generation passes a meter of its own, and one connection has one bus; "
            "give generation a site and a connection of its own that only exports, and state net_billing at both"
        )
    findings += [
        f"demand charge '{charge.name}': {charge.series_names[0]} is a series of a connection; state the charge there"
        for charge in tariff.demand_charges
        if charge.series_names
    ]
    if inputs.shares_energy and (tariff.minimum_cost_per_month or tariff.minimum_cost_per_a):
        findings.append(
            "a minimum of the bill: the supplier sees only part of the energy of connections that share it; leave it "
            "out, or dissolve the group that shares"
        )
    if findings:
        raise InvalidInput(f"tariff '{tariff.id}' of '{asset_id}' in a dispatch", findings)


def has_more_than_prices(tariff: Tariff) -> bool:
    """Return whether a tariff costs anything beyond a price of each step's energy."""
    once = ("fixed_cost_per_month", "fixed_cost_per_d", "capacity_cost_per_kw_month")
    least = ("minimum_cost_per_month", "minimum_cost_per_a")
    return bool(
        tariff.has_tiers
        or tariff.demand_charges
        or tariff.metering != "net_billing"
        or any(levy.exempt_above_kwh_per_a is not None for levy in tariff.levies)
        or any(getattr(tariff, name) for name in (*once, *least))
    )


def planning_notes(tariff: Tariff, horizon: Horizon, timezone: str) -> dict[str, str]:
    """Return what a plan takes otherwise than the bill, a sentence by type of cost; the bill tells the difference."""
    notes = {}
    months = TariffMonths.of(tariff, horizon, timezone)
    spread = 0.0
    for month in range(len(months) if tariff.has_tiers else 0):
        hours_of, days = months.hours_of_periods(month), int(months.lengths_d[month])
        for way in (IMPORT, EXPORT):
            spread = max(spread, tier_steps(tariff, way, hours_of, days).spread_per_kwh)
    if spread:
        notes["import_cost"] = notes["export_revenue"] = (
            "energy periods share a month's tiers pro rata, and their prices step differently; the plan takes the "
            f"mean step, which is up to {spread:g} per kWh from a period's own"
        )
    own_use = [levy.name for levy in tariff.levies if levy.applies_to == "self_consumption"]
    if own_use:
        notes["levy_cost"] = (
            f"levy '{own_use[0]}' is on energy that the site makes and uses; the plan leaves it out, the bill has it"
        )
    if notes and tariff.taxes:
        notes["tax_cost"] = "taxes are shares of what differs"
    if notes and (tariff.minimum_cost_per_month or tariff.minimum_cost_per_a):
        notes["minimum_cost"] = "what is missing to the minimum follows from what differs"
    return notes


def declare_tariff(
    unit: Unit,
    tariff: Tariff,
    inputs: AssetInputs,
    limits_kw: Mapping[str, np.ndarray],
    *,
    so_far: EnergySoFar,
    demand: Sequence[PeriodCost],
) -> None:
    """Declare what a tariff costs beyond the prices of steps, and split these by type of cost.

    price of a kWh bought = (energy_price + levies) * (1 + shares of taxes)

    Everything else is sums of a month's energies and peaks, and parts of such sums above a limit. Bills are those of
    whole months: a fixed charge is due for each month that the horizon touches.

    Parameters
    ----------
    unit : Unit
        The connection's, with ``import_kw``, ``export_kw`` and the series of prices.
    tariff : Tariff
        One that `refuse_unplannable` lets pass.
    inputs : AssetInputs
    limits_kw : mapping of str to ndarray (steps,)
        Highest ``import`` and ``export``.
    so_far : EnergySoFar
    demand : sequence of PeriodCost
        What peaks cost, those of the connection's own charges included.
    """
    months = TariffMonths.of(tariff, inputs.horizon, inputs.timezone)
    terms = _Terms(unit, tariff, months, limits_kw)
    _add_prices(unit, tariff)
    if tariff.metering == "net_metering":
        _add_net_metering(terms, so_far)
    elif tariff.has_tiers:
        energy = {way: terms.energy_kwh(way, months.of_step, len(months)) for way in (IMPORT, EXPORT)}
        _add_tiers(terms, energy, so_far)
    _add_exemptions(terms, so_far)
    by_month = [Amount.of(0.0)] * len(months)
    for one in demand:
        by_month[months.month_of(one.label, one.steps)] += one.cost
    terms.add("demand_cost", by_month)
    fixed = tariff.fixed_cost_per_month + tariff.fixed_cost_per_d * months.touched_d
    terms.add("fixed_cost", [Amount.of(float(one)) for one in fixed])
    capacity = tariff.capacity_cost_per_kw_month * (tariff.contracted_kw or 0.0)
    terms.add("capacity_cost", [Amount.of(capacity)] * len(months))
    _add_minimums(terms)
    _add_taxes(terms)
    for cost_type in COSTS_ONCE:
        add_once(unit, cost_type, total(terms.monthly.get(cost_type, [])))


def _add_prices(unit: Unit, tariff: Tariff) -> None:
    """Split the price of each step into the supplier's, levies and taxes; net metering prices energy by the month."""
    levy = sum(one.rate_per_kwh for one in tariff.levies if one.applies_to == IMPORT)
    share = sum(one.share for one in tariff.taxes)
    energy_price = unit.import_price_per_kwh / (1 + share) - levy
    feed_in_price = unit.export_price_per_kwh
    if tariff.metering == "net_metering":
        energy_price, feed_in_price = np.zeros(len(energy_price)), np.zeros(len(feed_in_price))
    unit.add_series("energy_price_per_kwh", energy_price)
    unit.add_series("feed_in_price_per_kwh", feed_in_price)
    if tariff.levies:
        unit.add_series("levy_price_per_kwh", np.full(len(energy_price), levy))
    if tariff.taxes:
        unit.add_series("tax_price_per_kwh", share * (energy_price + levy))


def _add_net_metering(terms: _Terms, so_far: EnergySoFar) -> None:
    """Add what net metering bills and pays out."""
    tariff = terms.tariff
    if so_far.month_import_kwh or so_far.month_export_kwh:
        raise InvalidInput(
            f"tariff '{tariff.id}' of '{terms.unit.owner}' in a dispatch",
            "month_import_kwh_so_far and month_export_kwh_so_far: net metering begins with empty accounts; leave them "
            "out, or begin the horizon with the month",
        )
    net = declare_net_metering(terms.unit, tariff, terms.months, terms.limits_kw)
    terms.add("import_cost", net.cost)
    terms.add("year_end_revenue", net.revenue)
    if tariff.has_tiers:
        _add_tiers(terms, {IMPORT: net.billed_kwh}, so_far)


def _add_tiers(terms: _Terms, energy_kwh: Mapping[str, list[Amount]], so_far: EnergySoFar) -> None:
    before = {IMPORT: so_far.month_import_kwh, EXPORT: so_far.month_export_kwh}
    costs = declare_tiers(terms.unit, terms.tariff, terms.months, energy_kwh, before)
    for way, by_month in costs.items():
        terms.add("import_cost" if way == IMPORT else "export_revenue", by_month)


def _add_exemptions(terms: _Terms, so_far: EnergySoFar) -> None:
    """Take off what levies do not cost on energy of a calendar year beyond a limit.

    exempt[month] = energy beyond the limit by the end of the month - by its beginning
    """
    months, tariff = terms.months, terms.tariff
    exempt = [one for one in tariff.levies if one.applies_to == IMPORT and one.exempt_above_kwh_per_a is not None]
    if not exempt:
        return
    years = np.unique(months.years)
    if so_far.year_import_kwh and len(years) > 1:
        raise InvalidInput(
            f"tariff '{tariff.id}' of '{terms.unit.owner}' in a dispatch",
            f"year_import_kwh_so_far = {so_far.year_import_kwh:g} kWh: the horizon spans a new year; shorten it",
        )
    # Without a minimum of the bill, only what a year has exempt counts, and not in which of its months.
    is_monthly = bool(tariff.minimum_cost_per_month or tariff.minimum_cost_per_a)
    every = np.arange(len(months)) if is_monthly else np.flatnonzero(np.diff(months.years, append=0))
    group = months.of_step if is_monthly else np.searchsorted(years, months.years)[months.of_step]
    bought = terms.energy_kwh(IMPORT, group, len(every))
    for number, levy in enumerate(exempt):
        assert levy.exempt_above_kwh_per_a is not None, "those without a limit were left out"
        limit_kwh = max(levy.exempt_above_kwh_per_a - so_far.year_import_kwh, 0.0)
        through: dict[int, Amount] = {}
        for k, month in enumerate(every.tolist()):
            is_first = k == 0 or months.years[every[k - 1]] != months.years[month]
            through[month] = bought[k] if is_first else bought[k] + through[int(every[k - 1])]
        over = {month: amount - limit_kwh for month, amount in through.items()}
        if levy.rate_per_kwh >= 0 or is_monthly:
            beyond = split_parts(terms.unit, f"exempt_kwh_{number}", over)[0]
        else:
            beyond = pressed_parts(terms.unit, f"exempt_kwh_{number}", over)
        by_month = [Amount.of(0.0)] * len(months)
        for k, month in enumerate(every.tolist()):
            is_first = k == 0 or months.years[every[k - 1]] != months.years[month]
            increment = beyond[month] if is_first else beyond[month] - beyond[int(every[k - 1])]
            by_month[month] = increment * -levy.rate_per_kwh
        terms.add("levy_cost", by_month)


def _add_minimums(terms: _Terms) -> None:
    """Add what is missing to the least that a month and a year cost before taxes.

    minimum[month] >= least - paid[month], where paid is the month's bill above zero

    A month that earns more than it costs keeps what it earns; what is paid out at the end of a year does not count.
    """
    tariff, months, unit = terms.tariff, terms.months, terms.unit
    if not (tariff.minimum_cost_per_month or tariff.minimum_cost_per_a):
        return
    price = unit.energy_price_per_kwh + (unit.levy_price_per_kwh if unit.has("levy_price_per_kwh") else 0.0)
    of_steps = {
        "import_kw": (price * months.step_h, terms.limits_kw[IMPORT]),
        "export_kw": (-unit.feed_in_price_per_kwh * months.step_h, terms.limits_kw[EXPORT]),
    }
    energy = sums_of_groups(unit, "energy_sums_cost", months.of_step, len(months), of_steps)
    bills = {month: energy[month] + terms.of_month(month, "year_end_revenue") for month in range(len(months))}
    paid = split_parts(unit, "paid_cost", bills)[0]
    missing = {month: Amount.of(tariff.minimum_cost_per_month) - one for month, one in paid.items()}
    topped_up = pressed_parts(unit, "up_to_month_cost", missing)
    by_month = [topped_up[month] for month in range(len(months))]
    least_of_month = tariff.minimum_cost_per_a / 12
    for year in np.unique(months.years).tolist() if least_of_month else ():
        within = np.flatnonzero(months.years == year).tolist()
        so_far = total([paid[month] + topped_up[month] for month in within])
        lacking = {year: Amount.of(least_of_month * len(within)) - so_far}
        by_month[within[-1]] += pressed_parts(unit, f"up_to_{year}_cost", lacking)[year]
    terms.add("minimum_cost", by_month)


def _add_taxes(terms: _Terms) -> None:
    """Add shares of other charges, beside those of each step's energy."""
    for tax in terms.tariff.taxes:
        for cost_type, by_month in list(terms.monthly.items()):
            is_energy = cost_type in ("import_cost", "levy_cost")
            if cost_type != "tax_cost" and cost_type not in CREDITS and (tax.base == "all" or is_energy):
                terms.add("tax_cost", [one * tax.share for one in by_month])
