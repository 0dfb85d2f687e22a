"""Cases of kind `bill` of the neutral form: read as a tariff and metered powers, and their answers checked."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from reference_rules import NeutralCase

from ems.horizon import Horizon
from ems.settlement.tariff_bill import bill_of
from ems.tariffs.calendar import Calendar
from ems.tariffs.clock import Hours
from ems.tariffs.demand_charge import DemandCharge, DemandSeason, DemandTier, Ratchet
from ems.tariffs.tariff import EnergyPeriod, EnergyTier, Tariff

LARGEST_END = 1e30
"""Ends of tiers above it mean that there is none."""
KNOWN = {
    "energy", "demand_flat", "demand_tou", "lookback", "coincident_peak", "fixed_monthly", "minimum_annual",
    "metering", "year_end_sell",
}  # fmt: skip
DAYS = {"weekday": ("mon", "tue", "wed", "thu", "fri"), "weekend": ("sat", "sun")}


@dataclass(frozen=True)
class BillCase:
    """A case as what this package bills."""

    tariff: Tariff
    horizon: Horizon
    timezone: str
    calendar: Calendar
    import_kw: np.ndarray
    export_kw: np.ndarray

    def bill(self) -> pd.DataFrame:
        """Return the lines of its bill."""
        return bill_of(
            self.tariff, self.horizon, self.timezone, self.import_kw, self.export_kw, calendar=self.calendar
        )


def read_bill(case: NeutralCase) -> BillCase:
    """Return the tariff and the powers of a case, in kW and kWh."""
    given, time = case.given["tariff"], case.given["time"]
    unknown = set(given) - KNOWN - {"name", "note", "source", "provenance"}
    assert not unknown, f"the form has no such fields of a tariff: {unknown}"
    kilo = {"kW": 1.0, "MW": 1e3}[case.given["units"]["power"]]
    horizon = Horizon(dt.datetime.fromisoformat(time["start"]), tuple(case.step_h.tolist()))
    load, made = (case.values(case.given["inputs"].get(name)) * kilo for name in ("load", "generation"))
    metering = given.get("metering", "net_billing")
    net = load - made
    separate = metering == "buy_all_sell_all"
    return BillCase(
        tariff_of(given, kilo, horizon),
        horizon,
        time["tz"],
        Calendar(is_typical=time.get("calendar") == "typical", first_weekday=time.get("first_weekday", 0)),
        load + np.maximum(-made, 0.0) if separate else np.maximum(net, 0.0),
        np.maximum(made, 0.0) if separate else np.maximum(-net, 0.0),
    )


def tariff_of(given: Mapping[str, Any], kilo: float, horizon: Horizon) -> Tariff:
    """Return a tariff of the form as a record, in kW and kWh."""
    energy = given.get("energy") or {"schedule": {"weekday": [[0] * 24] * 12}, "periods": {"0": [{"buy": 0.0}]}}
    unit = energy.get("tier_unit", "kWh/month")
    tiers = {
        name: [_energy_tier(one, kilo, is_last) for one, is_last in _with_last(steps)]
        for name, steps in energy["periods"].items()
    }
    return Tariff(
        id="case",
        name="Case",
        periods=[
            EnergyPeriod(name=f"period {name}", tiers=tiers[name], **hours)
            for name, hours in _hours_of(energy["schedule"])
        ],
        tier_period="day" if "day" in unit or "daily" in unit else "month",
        metering=given.get("metering", "net_billing"),
        demand_charges=[*_demand_flat(given, kilo), *_demand_tou(given, kilo), *_coincident(given, kilo, horizon)],
        fixed_cost_per_month=given.get("fixed_monthly") or 0.0,
        minimum_cost_per_a=given.get("minimum_annual") or 0.0,
        **({"year_end_price_per_kwh": given["year_end_sell"] / kilo} if given.get("year_end_sell") else {}),
    )


def _hours_of(schedule: Mapping[str, Sequence[Sequence[float]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the hours of a 12 x 24 schedule, with the name of their period."""
    for kind, days in DAYS.items():
        months_of: dict[tuple[int, ...], list[int]] = {}
        for month, row in enumerate(schedule.get(kind, schedule["weekday"]), 1):
            months_of.setdefault(tuple(int(period) for period in row), []).append(month)
        for row, months in months_of.items():
            hour = 0
            for period, run in itertools.groupby(row):
                end = hour + len(list(run))
                clock = {"from_time": f"{hour:02d}:00", "until_time": f"{end:02d}:00"}
                yield str(period), {"months": tuple(months), "weekdays": days, **clock}
                hour = end


def _with_last(steps: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Give tiers up to the first without an end, and whether each is the last."""
    for number, one in enumerate(steps, 1):
        is_last = number == len(steps) or _end_of(one) is None
        yield one, is_last
        if is_last:
            return


def _end_of(tier: Mapping[str, Any]) -> float | None:
    return None if tier.get("max") is None or tier["max"] > LARGEST_END else tier["max"]


def _energy_tier(given: Mapping[str, Any], kilo: float, is_last: bool) -> EnergyTier:
    end = None if is_last else _end_of(given)
    return EnergyTier(
        up_to_kwh=None if end is None else end * kilo,
        import_price_per_kwh=given["buy"] / kilo,
        export_price_per_kwh=given.get("sell", 0.0) / kilo,
    )


def _demand_tiers(steps: Sequence[Mapping[str, Any]], kilo: float) -> list[DemandTier]:
    ends = [(one["rate"] / kilo, None if is_last else _end_of(one)) for one, is_last in _with_last(steps)]
    return [DemandTier(up_to_kw=None if end is None else end * kilo, rate_per_kw=rate) for rate, end in ends]


def _demand_flat(given: Mapping[str, Any], kilo: float) -> Iterator[DemandCharge]:
    """Give a charge for each group of months; all measure every month, as look-backs ask for their peaks."""
    lookback = given.get("lookback")
    ratchet = None
    if lookback and lookback.get("months"):
        ratchet = Ratchet(share=lookback["fraction"], periods=tuple(int(month) for month in lookback["months"]))
    elif lookback and lookback.get("previous_n"):
        ratchet = Ratchet(
            share=lookback["fraction"], previous=lookback["previous_n"], wraps=lookback.get("wraps", True)
        )
    for number, group in enumerate(given.get("demand_flat") or ()):
        tiers, months = _demand_tiers(group["tiers"], kilo), group.get("months", list(range(1, 13)))
        if months:
            season = DemandSeason(months=tuple(months), tiers=tiers)
            yield DemandCharge(name=f"flat {number}", seasons=(season,), rate_per_kw=0.0, ratchet=ratchet)


def _demand_tou(given: Mapping[str, Any], kilo: float) -> Iterator[DemandCharge]:
    demand = given.get("demand_tou")
    if demand:
        hours = list(_hours_of(demand["schedule"]))
        for name in dict.fromkeys(period for period, _ in hours):
            windows = tuple(Hours(**one) for period, one in hours if period == name)
            yield DemandCharge(name=f"tou {name}", windows=windows, tiers=_demand_tiers(demand["periods"][name], kilo))


def _coincident(given: Mapping[str, Any], kilo: float, horizon: Horizon) -> Iterator[DemandCharge]:
    """Give a charge for each list of steps of the utility's own peaks, stated one by one or side by side."""
    entries = given.get("coincident_peak") or ()
    for number, entry in enumerate([entries] if isinstance(entries, Mapping) else entries):
        lists = entry["steps"] if isinstance(entry["steps"][0], Sequence) else [entry["steps"]]
        rates = entry["rate"] if isinstance(entry["rate"], Sequence) else [entry["rate"]] * len(lists)
        for part, (steps, rate) in enumerate(zip(lists, rates, strict=True)):
            times = tuple(time.to_pydatetime().replace(tzinfo=dt.UTC) for time in horizon.times[list(steps)])
            name = f"coincident {number}.{part}"
            yield DemandCharge(name=name, period="horizon", coincident_times=times, rate_per_kw=rate / kilo)


def metrics_of(case: BillCase) -> dict[str, float]:
    """Return what the form asks of a bill."""
    lines = case.bill()
    cost = lines.groupby("cost_type")["cost"].sum()
    demand = lines[lines.cost_type == "demand_cost"]
    kinds = demand.groupby(demand.charge.str.split().str[0])["cost"].sum()
    return {
        "total": float(lines.cost.sum()),
        "energy": float(cost.get("import_cost", 0.0)),
        "export_credit": -float(cost.get("export_revenue", 0.0)),
        "demand_flat": float(kinds.get("flat", 0.0)),
        "demand_tou": float(kinds.get("tou", 0.0)),
        "coincident": float(kinds.get("coincident", 0.0)),
        "true_up_credit": -float(cost.get("year_end_revenue", 0.0)),
        "fixed": float(cost.get("fixed_cost", 0.0)),
        "minimum": float(cost.get("minimum_cost", 0.0)),
        "steps": float(len(case.horizon)),
        "import_kwh": float(case.import_kw @ case.horizon.step_h),
        "export_kwh": float(case.export_kw @ case.horizon.step_h),
    }


def check_bill(case: NeutralCase, expected: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Bill a case and compare it with its answer; return a number of it, expected and found."""
    found = metrics_of(read_bill(case))
    for name, wanted in expected["metrics"].items():
        tolerance = max(abs(wanted["value"]) * wanted.get("tol_rel", 0.0), wanted.get("tol_abs", 1e-9))
        assert found[name] == pytest.approx(wanted["value"], rel=0, abs=tolerance), name
    first = next(iter(expected["metrics"]))
    return expected["metrics"][first]["value"], found[first]
