"""Import of tariffs as the Utility Rate Database (URDB) of OpenEI states them [1]_.

References
----------
.. [1] OpenEI, "Utility rates API, version 8," https://openei.org/services/doc/rest/util_rates/?version=8.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ems.errors import EmsWarning, InvalidInput, show
from ems.tariffs.clock import MONTHS
from ems.tariffs.demand_charge import DemandCharge, DemandSeason, DemandTier, Ratchet
from ems.tariffs.schedule import Schedule, energy_periods, hours_of_schedule
from ems.tariffs.tariff import EnergyPeriod, EnergyTier, Tariff

KW_PER_HORSEPOWER = 0.7457
"""Electrical horsepower of 745.7 W."""
MONTHS_PER_YEAR = 12
DAYS_PER_MONTH = 365 / 12
NO_END = 1e30
"""What databases write for a tier without an end is 1e38, in single precision."""
_METERING = {
    "net metering": "net_metering",
    "net billing instantaneous": "net_billing",
    "net billing hourly": "net_billing",
    "net billing": "net_billing",
    "buy all sell all": "buy_all_sell_all",
}
_WITHOUT_A_COUNTERPART = {
    "demandreactivepowercharge": "reactive power is not billed; leave it out",
    "demandratchetpercentage": "a share for each month is not known; state it as lookbackPercent and lookbackMonths",
}


def tariff_from_urdb(
    given: Mapping[str, Any],
    *,
    tariff_id: str | None = None,
    holiday_calendar: str | None = None,
    power_factor: float | None = None,
    coincident_times: Sequence[dt.datetime] = (),
) -> Tariff:
    """Return the tariff that a rate of the Utility Rate Database states.

    Saturdays, Sundays and holidays go by its weekend schedules. Its look-back holds for the flat demand, as in REopt.

    Parameters
    ----------
    given : mapping
        A rate, or an answer of the database with one rate in ``items``. Upper and lower case of names are alike.
    tariff_id : str, optional
        Id of the tariff; made of the rate's label by default.
    holiday_calendar : str, optional
        Country or region whose public holidays go by the schedules of weekends, as in US or US-CA.
    power_factor : float, optional
        Needed where power is billed in kVA.
    coincident_times : sequence of datetime
        Moments of the utility's peaks in local time, needed where the rate bills coincident power.

    Raises
    ------
    InvalidInput
        If it is no such rate, or states what a tariff here cannot; each finding names the field.
    """
    items = given.get("items")
    if items is not None:
        if not isinstance(items, list) or len(items) != 1:
            raise InvalidInput("URDB rates", "items: must hold one rate; choose one of them")
        given = items[0]
    rate = _Rate({str(key).lower(): value for key, value in given.items()}, has_holidays=holiday_calendar is not None)
    rate.refuse_what_has_no_counterpart()
    tiers, tier_period = rate.energy_tiers()
    has_tiers = any(len(one) > 1 for one in tiers)
    fields = {
        "id": tariff_id or rate.slug,
        "name": rate.name,
        "currency": "USD",
        "holiday_calendar": holiday_calendar,
        "periods": rate.energy_periods(tiers),
        "tier_period": tier_period if has_tiers else "month",
        "metering": rate.metering,
        "demand_charges": (
            *rate.flat_demand(power_factor),
            *rate.window_demand(power_factor),
            *rate.coincident_demand(power_factor, coincident_times),
        ),
        **rate.fixed_charges(),
    }
    return Tariff.from_mapping(fields)


class _Rate:
    """A rate under import; each method reads one topic of it."""

    def __init__(self, fields: Mapping[str, Any], has_holidays: bool) -> None:
        self.fields = fields
        self.has_holidays = has_holidays
        label, title = fields.get("label"), fields.get("name") or fields.get("label")
        self.name = " ".join(str(one) for one in (fields.get("utility"), title) if one) or "rate"
        self.slug = re.sub("[^a-z0-9]+", "-", str(label or self.name).lower()).strip("-") or "rate"

    def refused(self, field: str, why: str) -> InvalidInput:
        return InvalidInput(f"URDB rate {show(self.name)}", f"{field}: {why}")

    def number(self, field: str) -> float:
        value = self.fields.get(field)
        if value is None or value == "":
            return 0.0
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refused(field, f"is {show(value)} and must be a number")
        return float(value)

    def refuse_what_has_no_counterpart(self) -> None:
        for field, why in _WITHOUT_A_COUNTERPART.items():
            value = self.fields.get(field)
            if any(value) if isinstance(value, list) else value:
                raise self.refused(field, why)
        minutes = self.number("demandwindow")
        if minutes:
            text = f"demandwindow = {minutes:g} min: each step's power is billed; choose step_h = {minutes / 60:g}"
            warnings.warn(f"URDB rate {show(self.name)}: {text}", EmsWarning, stacklevel=3)

    # ------------------------------------------------------------------------------------------ energy
    def structure(self, field: str) -> list[list[Mapping[str, Any]]]:
        """Return the periods of a rate structure, each a list of tiers."""
        value = self.fields.get(field) or []
        is_usable = isinstance(value, list) and all(
            isinstance(period, list) and period and all(isinstance(tier, Mapping) for tier in period)
            for period in value
        )
        if not is_usable:
            raise self.refused(field, "must be a list of periods, each a list of tiers")
        return value

    def schedules(self, kind: str, count: int) -> tuple[Schedule, Schedule]:
        """Return the schedules of weekdays and weekends, of so many periods; one stands for both where it is alone."""
        names = f"{kind}weekdayschedule", f"{kind}weekendschedule"
        stated = [self.schedule(name, count) for name in names if self.fields.get(name)]
        if not stated:
            raise self.refused(names[0], "is required beside the structure of its rates")
        return stated[0], stated[-1]

    def schedule(self, name: str, count: int) -> Schedule:
        """Return one schedule, checked."""
        rows = self.fields[name]
        is_table = isinstance(rows, list) and [len(row) if isinstance(row, list) else 0 for row in rows] == [24] * 12
        if not is_table or not all(number in range(count) for row in rows for number in row):
            raise self.refused(name, f"must have 12 months of 24 hours, with numbers of periods from 0 to {count - 1}")
        return [[int(number) for number in row] for row in rows]

    def energy_tiers(self) -> tuple[list[tuple[EnergyTier, ...]], str]:
        """Return the tiers of each energy period, and what their ends are stated for."""
        structure = self.structure("energyratestructure")
        if not structure:
            raise self.refused("energyratestructure", "is required")
        units = {str(tier.get("unit") or "kWh").lower() for period in structure for tier in period if len(period) > 1}
        if units - {"kwh", "kwh daily"} or len(units) > 1:
            raise self.refused("energyratestructure", f"unit: is {', '.join(sorted(units))}; must be kWh or kWh daily")
        sells = any(tier.get("sell") is not None for period in structure for tier in period)
        tiers = [
            tuple(
                EnergyTier(
                    up_to_kwh=end,
                    import_price_per_kwh=_price(tier),
                    export_price_per_kwh=float(tier.get("sell") or 0) if sells else None,
                )
                for tier, end in zip(period, _ends(period), strict=True)
            )
            for period in structure
        ]
        return tiers, "day" if units == {"kwh daily"} else "month"

    def energy_periods(self, tiers: Sequence[Sequence[EnergyTier]]) -> tuple[EnergyPeriod, ...]:
        """Return the energy periods; fuel adjustments of a month make a period of its own."""
        count = len(tiers)
        adjustments = self.fields.get("fueladjustmentsmonthly") or [0.0] * MONTHS_PER_YEAR
        if len(adjustments) != MONTHS_PER_YEAR:
            raise self.refused("fueladjustmentsmonthly", "must have 12 numbers, one for each month")
        kinds = sorted({float(one) for one in adjustments})
        shift = [kinds.index(float(one)) * count for one in adjustments]
        weekday, weekend = (
            [[int(number) + more for number in row] for row, more in zip(schedule, shift, strict=True)]
            for schedule in self.schedules("energy", count)
        )
        prices = {
            kind * count + number: [_with_adjustment(tier, adjustment) for tier in tiers[number]]
            for kind, adjustment in enumerate(kinds)
            for number in range(count)
        }
        names = {number: f"period {number % count}" for number in prices}
        return energy_periods(weekday, weekend, prices, names, self.has_holidays)

    @property
    def metering(self) -> str:
        """How import and export meet."""
        rules = self.fields.get("dgrules")
        if rules is None:
            return "net_metering" if self.fields.get("usenetmetering") else "net_billing"
        known = _METERING.get(str(rules).lower())
        if known is None:
            raise self.refused("dgrules", f"is {show(rules)}; must be one of {', '.join(_METERING)}")
        return known

    # ------------------------------------------------------------------------------------------ power
    def flat_demand(self, power_factor: float | None) -> tuple[DemandCharge, ...]:
        """Return the charge on each month's highest power, with its look-back."""
        structure = self.structure("flatdemandstructure")
        ratchet = self.ratchet()
        if not structure:
            if ratchet is not None:
                raise self.refused("lookbackPercent", "holds for flatdemandstructure, of which there is none")
            return ()
        months = self.fields.get("flatdemandmonths") or [0] * MONTHS_PER_YEAR
        if len(months) != MONTHS_PER_YEAR or not set(months) <= set(range(len(structure))):
            raise self.refused("flatdemandmonths", "must have 12 numbers of periods of flatdemandstructure")
        measured, factor = self.power_unit("flatdemandunit", power_factor)
        seasons = [
            DemandSeason(
                months=tuple(month for month, at in zip(MONTHS, months, strict=True) if at == number),
                tiers=_demand_tiers(structure[number], factor),
            )
            for number in sorted(set(months))
        ]
        if not any(tier.rate_per_kw for season in seasons for tier in season.tiers):
            return ()
        return (DemandCharge(name="flat demand", seasons=tuple(seasons), ratchet=ratchet, **measured),)

    def ratchet(self) -> Ratchet | None:
        """Return the look-back, as a share of the peaks of named or of previous months."""
        share, previous = self.number("lookbackpercent"), int(self.number("lookbackrange"))
        flags = self.fields.get("lookbackmonths") or []
        months = tuple(month for month, flag in zip(MONTHS, flags, strict=False) if flag)
        if not share or not (previous or months):
            return None
        if previous and months:
            raise self.refused("lookbackRange", "and lookbackMonths both say what is looked back at; keep one")
        return Ratchet(share=share, previous=previous) if previous else Ratchet(share=share, periods=months)

    def window_demand(self, power_factor: float | None) -> tuple[DemandCharge, ...]:
        """Return the charges on the highest power of each period of the schedule."""
        structure = self.structure("demandratestructure")
        if not any(_price(tier) for period in structure for tier in period):
            return ()
        measured, factor = self.power_unit("demandrateunit", power_factor)
        hours = hours_of_schedule(*self.schedules("demand", len(structure)), self.has_holidays)
        tiers = {number: _demand_tiers(structure[number], factor) for number in hours}
        return tuple(
            DemandCharge(name=f"demand of period {number}", windows=windows, tiers=tiers[number], **measured)
            for number, windows in hours.items()
            if any(tier.rate_per_kw for tier in tiers[number])
        )

    def coincident_demand(self, power_factor: float | None, times: Sequence[dt.datetime]) -> tuple[DemandCharge, ...]:
        """Return the charges on the power at the utility's peaks."""
        structure = self.structure("coincidentratestructure")
        if not any(_price(tier) for period in structure for tier in period):
            return ()
        if not times:
            raise self.refused("coincidentratestructure", "needs the moments of the peaks: give coincident_times")
        name = "coincidentrateschedule"
        schedule = self.schedule(name, len(structure)) if self.fields.get(name) else [[0] * 24] * MONTHS_PER_YEAR
        measured, factor = self.power_unit("coincidentrateunit", power_factor)
        found = []
        for number, period in enumerate(structure):
            inside = tuple(one for one in times if schedule[one.month - 1][one.hour] == number)
            tiers = _demand_tiers(period, factor)
            if inside and any(tier.rate_per_kw for tier in tiers):
                name = f"coincident demand of period {number}"
                found.append(DemandCharge(name=name, coincident_times=inside, tiers=tiers, **measured))
        return tuple(found)

    def power_unit(self, field: str, power_factor: float | None) -> tuple[dict[str, Any], float]:
        """Return how a power is measured, and the kW in one of its units."""
        unit = str(self.fields.get(field) or "kW").lower()
        kind, _, per = unit.partition(" ")
        if kind not in ("kw", "kva", "hp") or per not in ("", "daily"):
            raise self.refused(field, f"is {show(unit)}; must be kW, kVA or hp, or one of them daily")
        measured: dict[str, Any] = {"period": "day"} if per else {}
        if kind == "kva":
            if power_factor is None:
                raise self.refused(field, "is kVA: give power_factor")
            measured |= {"unit": "kva", "power_factor": power_factor}
        return measured, KW_PER_HORSEPOWER if kind == "hp" else 1.0

    # ------------------------------------------------------------------------------------------ the rest
    def fixed_charges(self) -> dict[str, float]:
        """Return fixed and minimum charges by the tariff's field."""
        fixed, unit = self.number("fixedchargefirstmeter"), self.unit_of_charge("fixedchargeunits")
        least, least_unit = self.number("mincharge"), self.unit_of_charge("minchargeunits")
        if least and least_unit == "$/day":
            month = least * DAYS_PER_MONTH
            text = f"mincharge = {least:g} $/day: is taken as {month:.4g} $/month, the mean over a year"
            warnings.warn(f"URDB rate {show(self.name)}: {text}", EmsWarning, stacklevel=3)
        by_month = {"$/month": 1.0, "$/day": 0.0, "$/year": 1 / MONTHS_PER_YEAR}[unit]
        least_by_month = {"$/month": 1.0, "$/day": DAYS_PER_MONTH, "$/year": 0.0}[least_unit]
        return {
            "fixed_cost_per_month": fixed * by_month + self.number("fixedmonthlycharge"),
            "fixed_cost_per_d": fixed if unit == "$/day" else 0.0,
            "minimum_cost_per_month": max(least * least_by_month, self.number("minmonthlycharge")),
            "minimum_cost_per_a": max(least if least_unit == "$/year" else 0.0, self.number("annualmincharge")),
        }

    def unit_of_charge(self, field: str) -> str:
        unit = str(self.fields.get(field) or "$/month").lower()
        if unit not in ("$/month", "$/day", "$/year"):
            raise self.refused(field, f"is {show(unit)}; must be $/month, $/day or $/year")
        return unit


def _with_adjustment(tier: EnergyTier, adjustment_per_kwh: float) -> EnergyTier:
    """Return a tier whose imports cost more."""
    return tier.replace(import_price_per_kwh=tier.import_price_per_kwh + adjustment_per_kwh)


def _price(tier: Mapping[str, Any]) -> float:
    """Return the price of a tier with its adjustment."""
    return float(tier.get("rate") or 0) + float(tier.get("adj") or 0)


def _ends(period: Sequence[Mapping[str, Any]]) -> list[float | None]:
    """Return the end of each tier; the last one has none, whatever the database says."""
    stated = [None if tier.get("max") is None or tier["max"] > NO_END else float(tier["max"]) for tier in period]
    return [*stated[:-1], None]


def _demand_tiers(period: Sequence[Mapping[str, Any]], kw_per_unit: float) -> tuple[DemandTier, ...]:
    """Return the tiers of a power, in kW or kVA."""
    return tuple(
        DemandTier(
            up_to_kw=None if end is None else end * kw_per_unit,
            rate_per_kw=_price(tier) / kw_per_unit,
        )
        for tier, end in zip(period, _ends(period), strict=True)
    )
