"""A tariff in sentences that a person checks against the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ems.tariffs.clock import DAYS, HOLIDAY, MONTHS, Hours

if TYPE_CHECKING:
    from ems.tariffs.demand_charge import DemandCharge, DemandTier, Ratchet
    from ems.tariffs.tariff import EnergyPeriod, EnergyTier, Tariff

_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "holidays")
_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def describe(tariff: Tariff, currency: str | None = None) -> tuple[str, ...]:
    """Return what a tariff says, a sentence for each thing, in the order of an invoice.

    Parameters
    ----------
    tariff : Tariff
    currency : str, optional
        The portfolio's, where the tariff states none.
    """
    money = tariff.currency or currency or "currency"
    return (
        *_energy_sentences(tariff, money),
        *(_levy_sentence(tariff, number, money) for number in range(len(tariff.levies))),
        *(_demand_sentence(charge, money) for charge in tariff.demand_charges),
        *_fixed_sentences(tariff, money),
        *(
            f"{tax.name} of {tax.share:.4g} is on "
            f"{'the cost of energy and its levies' if tax.base == 'energy' else 'all charges'}."
            for tax in tariff.taxes
        ),
    )


def describe_hours(hours: Hours) -> str:
    """Return in words when something holds.

    >>> describe_hours(Hours(from_time="16:00", until_time="20:00", weekdays=("mon", "tue", "wed"), months=(6, 7)))
    'Monday to Wednesday, 16:00 to 20:00, June to July'
    """
    parts = []
    if set(hours.weekdays) != set(DAYS):
        parts.append(_ranges([DAYS.index(day) for day in hours.weekdays], _DAY_NAMES))
    begin, end = hours.from_time, hours.until_time
    if begin != end and (begin, end) != ("00:00", "24:00"):
        parts.append(f"{begin} to {end}")
    if set(hours.months) != set(MONTHS):
        parts.append(_ranges([month - 1 for month in hours.months], _MONTH_NAMES))
    if hours.from_date is not None:
        parts.append(f"{_date(hours.from_date)} to {_date(hours.until_date or '')}")
    return ", ".join(parts) or "at all times"


# ---------------------------------------------------------------------------------------------- sentences
def _energy_sentences(tariff: Tariff, money: str) -> list[str]:
    alike: dict[Any, list[EnergyPeriod]] = {}
    for period in tariff.periods:
        alike.setdefault((period.name, period.all_tiers()), []).append(period)
    found = [_period_sentence(tariff, one, money) for one in alike.values()]
    if tariff.price_series:
        imports = f"Import costs {tariff.price_factor:g} times the market's price plus {tariff.surcharge_per_kwh:g}"
        found.insert(0, f"{imports} {money}/kWh{', and what the periods add' if tariff.periods else ''}.")
    if tariff.export_factor is not None:
        less = f"{tariff.export_deduction_per_kwh:g} {money}/kWh"
        found.append(f"Export earns {tariff.export_factor:g} times the market's price less {less}.")
    if tariff.holiday_calendar is not None:
        found.append(f"Holidays are those of {tariff.holiday_calendar}.")
    if tariff.metering == "net_metering":
        price, last = tariff.year_end_price_per_kwh, _MONTH_NAMES[tariff.year_end_month - 1]
        paid = "is lost" if price is None else f"is paid {price:g} {money}/kWh"
        found.append("Exported kWh of a period balance imported ones of the month; the rest goes into the next month.")
        found.append(f"What is left at the end of {last} {paid}.")
    elif tariff.metering == "buy_all_sell_all":
        found.append("All generation is sold and all demand is bought.")
    return found


def _period_sentence(tariff: Tariff, alike: Sequence[EnergyPeriod], money: str) -> str:
    """Return a sentence for periods of one name and price."""
    hours = [describe_hours(one) for one in alike]
    if hours == ["at all times"] and len(tariff.periods) > 1:
        hours = ["at all other times"]
    parts, lower = [], 0.0
    for tier in alike[0].all_tiers():
        parts.append(f"{_energy_price(tier, money)}{_block(lower, tier.up_to_kwh, f'kWh of a {tariff.tier_period}')}")
        lower = tier.up_to_kwh or 0.0
    return f"{alike[0].name} ({'; or '.join(hours)}): {'; '.join(parts)}."


def _energy_price(tier: EnergyTier, money: str) -> str:
    export = tier.export_price_per_kwh
    return f"import {tier.import_price_per_kwh:g} {money}/kWh" + (
        "" if export is None else f", export {export:g} {money}/kWh"
    )


def _block(lower: float, upper: float | None, unit: str) -> str:
    if upper is not None:
        return f" up to {upper:g} {unit}" if not lower else f" from {lower:g} to {upper:g} {unit}"
    return f" above {lower:g} {unit}" if lower else ""


def _levy_sentence(tariff: Tariff, number: int, money: str) -> str:
    levy = tariff.levies[number]
    energy = "imported" if levy.applies_to == "import" else "made and used on site"
    limit = levy.exempt_above_kwh_per_a
    until = "" if limit is None else f", up to {limit:g} kWh a year"
    return f"{levy.name} is {levy.rate_per_kwh:g} {money} for each kWh {energy}{until}."


def _demand_sentence(charge: DemandCharge, money: str) -> str:
    unit = {"kw": "kW", "kva": "kVA"}[charge.unit]
    if charge.coincident_times:
        power = f"{'mean' if charge.coincident_of == 'mean' else 'highest'} power"
    elif charge.highest_days > 1:
        power = f"mean of the {charge.highest_days} highest daily peaks"
    else:
        power = "highest power"
    way = "" if charge.basis == "import" else " of export"
    hours = f" ({'; or '.join(describe_hours(one) for one in charge.hours)})"
    if charge.coincident_times:
        hours = f", at the {len(charge.coincident_times)} given moments of the utility's peaks,"
    if charge.window_series is not None:
        hours = f" (where {charge.window_series} is 1)"
    period = "period" if charge.period_series is not None else charge.period
    extras = [
        f"{charge.free_kw:g} {unit} are free" if charge.free_kw else "",
        f"at least {charge.minimum_kw:g} {unit} are billed" if charge.minimum_kw else "",
        _ratchet_words(charge.ratchet, period) if charge.ratchet is not None else "",
    ]
    price = _demand_prices(charge, money, unit)
    said = "; ".join([f"the {power}{way} of each {period}{hours} costs {price}", *filter(None, extras)])
    return f"{charge.name}: {said}."


def _demand_prices(charge: DemandCharge, money: str, unit: str) -> str:
    parts = [
        f"{_tier_words(one.tiers, one.rate_per_kw, money, unit)} in "
        f"{_ranges([month - 1 for month in one.months], _MONTH_NAMES)}"
        for one in charge.seasons
    ]
    if charge.tiers or charge.rate_per_kw is not None:
        words = _tier_words(charge.tiers, charge.rate_per_kw, money, unit)
        parts.append(f"{words} otherwise" if parts or charge.rates_per_kw else words)
    parts[:0] = [f"{rate:g} {money}/{unit} in {label}" for label, rate in charge.rates_per_kw.items()]
    return ", ".join(parts)


def _tier_words(tiers: Sequence[DemandTier], rate_per_kw: float | None, money: str, unit: str) -> str:
    if not tiers:
        return f"{rate_per_kw or 0:g} {money}/{unit}"
    parts, lower = [], 0.0
    for tier in tiers:
        parts.append(f"{tier.rate_per_kw:g} {money}/{unit}{_block(lower, tier.up_to_kw, unit)}")
        lower = tier.up_to_kw or 0.0
    return " and ".join(parts)


def _ratchet_words(ratchet: Ratchet, period: str) -> str:
    if ratchet.previous is not None:
        looked_back = f"the {ratchet.previous} {period}s before"
    else:
        names = _MONTH_NAMES if period == "month" else ()
        looked_back = ", ".join(
            names[one - 1] if names and isinstance(one, int) else str(one) for one in ratchet.periods
        )
    return f"at least {ratchet.share:g} of the highest peak of {looked_back} is billed"


def _fixed_sentences(tariff: Tariff, money: str) -> list[str]:
    found = [
        f"{words} {value:g} {money} a {period}."
        for words, value, period in (
            ("A fixed charge is", tariff.fixed_cost_per_month, "month"),
            ("A fixed charge is", tariff.fixed_cost_per_d, "day"),
            ("The least charge is", tariff.minimum_cost_per_month, "month"),
            ("The least charge is", tariff.minimum_cost_per_a, "year"),
        )
        if value
    ]
    if tariff.contracted_kw is not None:
        fee = f"{tariff.capacity_cost_per_kw_month:g} {money} for each kW and month"
        found.append(f"The contracted {tariff.contracted_kw:g} kW cost {fee}.")
    return found


def _date(day: str) -> str:
    month, number = day.split("-")
    return f"{int(number)} {_MONTH_NAMES[int(month) - 1]}"


def _ranges(positions: Sequence[int], names: Sequence[str]) -> str:
    """Return names, neighbours joined: ``Monday to Friday, Sunday``; months may run over the new year."""
    ordered = sorted(set(positions))
    if len(names) == len(MONTHS) and {0, 11} <= set(ordered):
        first = next((one for one in ordered if one and one - 1 not in ordered), 0)
        ordered = [one for one in ordered if one >= first] + [one for one in ordered if one < first]
    runs: list[list[int]] = []
    for one in ordered:
        # A holiday is the neighbour of no weekday.
        if runs and one == (runs[-1][-1] + 1) % len(names) and not (names is _DAY_NAMES and one == HOLIDAY):
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]} to {names[run[-1]]}" for run in runs)
