"""Random tariffs in the neutral form, and the same ones as the independent SAM Simulation Core bills them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySAM import Utilityrate5

HOURS_PER_YEAR = 8760
NO_END = 1e38
"""What SAM writes for the end of a last tier."""
METERING_OPTION = {"net_metering": 0, "net_billing": 2, "buy_all_sell_all": 4}
ROLLOVER_HOURS = (0, 5, 11, 17)
"""Hours of a weekday at which SAM looks up the period that a surplus goes to."""
CALENDAR = {"calendar": "typical", "first_weekday": 0}


def random_case(rng: np.random.Generator) -> dict[str, Any]:
    """Return ``case.json`` of a random tariff, and a year of hours of load and generation in ``inputs``."""
    metering = str(rng.choice(["none", "net_billing", "net_metering", "buy_all_sell_all"]))
    periods = int(rng.integers(1, 5))
    # SAM fills the tiers of net billing and of two meters hour by hour, which is the same for one price of a tier.
    tiers = int(rng.integers(1, 4)) if metering in ("none", "net_metering") or periods == 1 else 1
    load_kw = _load(rng)
    made_kw = np.zeros(HOURS_PER_YEAR) if metering == "none" else _generation(rng)
    tariff: dict[str, Any] = {
        "energy": _energy(rng, periods, tiers, float(load_kw.sum()) / 12, is_same_all_year=metering == "net_metering"),
        "metering": "net_billing" if metering == "none" else metering,
    }
    if metering == "net_metering":
        tariff["year_end_sell"] = _price(rng, 0.05)
    if rng.random() < 0.7:
        # SAM bills the peaks of a year before at the meter of generation, too.
        may_wrap = metering != "buy_all_sell_all"
        tariff |= _demand(rng, float(load_kw.max()), has_lookback=rng.random() < 0.5, may_wrap=may_wrap)
    if rng.random() < 0.5:
        tariff["fixed_monthly"] = _price(rng, 50)
    if rng.random() < 0.3:
        tariff["minimum_annual"] = _price(rng, 0.3) * float(load_kw.sum())
    return {
        "units": {"power": "kW"},
        "time": {"start": "2001-01-01T00:00+00:00", "tz": "UTC", "step_h": 1.0, "n": HOURS_PER_YEAR, **CALENDAR},
        "inputs": {"load": load_kw.tolist(), "generation": made_kw.tolist()},
        "tariff": tariff,
    }


def _price(rng: np.random.Generator, most: float) -> float:
    return round(float(rng.uniform(0, most)), 4)


def _load(rng: np.random.Generator) -> np.ndarray:
    hour = np.arange(HOURS_PER_YEAR)
    daily = 1 + 0.6 * np.sin((hour % 24 - rng.uniform(4, 14)) / 24 * 2 * np.pi)
    yearly = 1 + 0.4 * np.cos((hour / HOURS_PER_YEAR - rng.uniform(0, 1)) * 2 * np.pi)
    size_kw = 10 ** rng.uniform(0, 3)
    load: np.ndarray = size_kw * daily * yearly * rng.uniform(0.3, 1.0, HOURS_PER_YEAR)
    return load


def _generation(rng: np.random.Generator) -> np.ndarray:
    hour = np.arange(HOURS_PER_YEAR)
    sun = np.maximum(np.sin((hour % 24 - 6) / 12 * np.pi), 0.0) * (hour % 24 >= 6) * (hour % 24 < 18)
    made: np.ndarray = 10 ** rng.uniform(0, 3) * sun * rng.uniform(0.1, 1.0, HOURS_PER_YEAR)
    return made


def _row(rng: np.random.Generator, periods: int) -> list[int]:
    """Return the periods of a day in up to four blocks."""
    row: np.ndarray = np.empty(24, dtype=int)
    for part in np.split(np.arange(24), np.sort(rng.integers(1, 24, 3))):
        row[part] = rng.integers(1, periods + 1)
    return [int(one) for one in row]


def _schedule(rng: np.random.Generator, periods: int) -> dict[str, list[list[int]]]:
    """Return a schedule of two seasons, with weekends of their own."""
    seasons = [[_row(rng, periods), _row(rng, periods)] for _ in range(2)]
    first, last = sorted(rng.integers(0, 12, 2).tolist())
    return {
        kind: [seasons[int(first <= month <= last)][number] for month in range(12)]
        for number, kind in enumerate(("weekday", "weekend"))
    }


def _energy(
    rng: np.random.Generator, periods: int, tiers: int, month_kwh: float, *, is_same_all_year: bool
) -> dict[str, Any]:
    schedule = _schedule(rng, periods)
    if is_same_all_year:
        # SAM loses the surplus of a period that does not hold at its four hours.
        row = [1 + sum(hour >= one for one in ROLLOVER_HOURS[1:periods]) for hour in range(24)]
        schedule = {"weekday": [row] * 12, "weekend": [[1] * 24] * 12}
    is_daily = bool(rng.random() < 0.3)
    ends = np.sort(rng.uniform(0.1, 1.5, tiers - 1)) * month_kwh / (30 if is_daily else 1)
    limits = [*np.round(ends, 3).tolist(), None]
    return {
        "schedule": schedule,
        "tier_unit": "kWh/day" if is_daily else "kWh/month",
        "periods": {
            str(period): [{"max": end, "buy": _price(rng, 0.4), "sell": _price(rng, 0.2)} for end in limits]
            for period in range(1, periods + 1)
        },
    }


def _ends(rng: np.random.Generator, peak_kw: float) -> list[float | None]:
    ends = np.sort(rng.uniform(0.1, 1.0, int(rng.integers(0, 3)))) * peak_kw
    return [*np.round(ends, 3).tolist(), None]


def _demand_tiers(rng: np.random.Generator, ends: list[float | None], most: float) -> list[dict[str, Any]]:
    return [{"max": end, "rate": _price(rng, most)} for end in ends]


def _demand(rng: np.random.Generator, peak_kw: float, *, has_lookback: bool, may_wrap: bool) -> dict[str, Any]:
    months = rng.permutation(12) + 1
    parts = np.split(months, np.sort(rng.integers(1, 12, 2)))
    flat = [
        {"months": sorted(part.tolist()), "tiers": _demand_tiers(rng, _ends(rng, peak_kw), 20)}
        for part in parts
        if len(part)
    ]
    if has_lookback:
        # Over the new year SAM looks back at one month more than it is told, which all twelve do not show.
        wraps = may_wrap and bool(rng.random() < 0.5)
        previous = 12 if wraps else int(rng.integers(1, 12))
        return {"demand_flat": flat, "lookback": {"fraction": _price(rng, 1), "previous_n": previous, "wraps": wraps}}
    periods, ends = int(rng.integers(1, 4)), _ends(rng, peak_kw)
    tou = {str(period): _demand_tiers(rng, ends, 15) for period in range(1, periods + 1)}
    return {"demand_flat": flat, "demand_tou": {"schedule": _schedule(rng, periods), "periods": tou}}


def billed_by_sam(case: Mapping[str, Any]) -> float:
    """Return what SAM bills for a case in its first year."""
    tariff, energy = case["tariff"], case["tariff"]["energy"]
    model = Utilityrate5.new()
    rates = model.ElectricityRates
    rates.en_electricity_rates = 1
    rates.rate_escalation = [0]
    has_generation = any(case["inputs"]["generation"])
    rates.ur_metering_option = METERING_OPTION[tariff["metering"]] if has_generation else 0
    rates.ur_monthly_fixed_charge = tariff.get("fixed_monthly", 0)
    rates.ur_monthly_min_charge, rates.ur_annual_min_charge = 0, tariff.get("minimum_annual", 0)
    rates.ur_nm_yearend_sell_rate, rates.ur_nm_credit_month, rates.ur_nm_credit_rollover = (
        tariff.get("year_end_sell", 0), 11, 0,
    )  # fmt: skip
    rates.ur_en_ts_buy_rate = rates.ur_en_ts_sell_rate = rates.ur_sell_eq_buy = rates.TOU_demand_single_peak = 0
    rates.ur_ec_sched_weekday, rates.ur_ec_sched_weekend = energy["schedule"]["weekday"], energy["schedule"]["weekend"]
    unit = 2 if energy["tier_unit"] == "kWh/day" else 0
    rates.ur_ec_tou_mat = [
        [int(period), number, one["max"] or NO_END, unit, one["buy"], one["sell"]]
        for period, tiers in energy["periods"].items()
        for number, one in enumerate(tiers, 1)
    ]
    load_kw, made_kw = np.array(case["inputs"]["load"]), np.array(case["inputs"]["generation"])
    _set_demand(rates, tariff, load_kw if tariff["metering"] == "buy_all_sell_all" else load_kw - made_kw)
    model.Load.load, model.Load.load_escalation = case["inputs"]["load"], [0]
    model.SystemOutput.gen, model.SystemOutput.degradation = case["inputs"]["generation"], [0]
    model.Lifetime.analysis_period, model.Lifetime.inflation_rate = 1, 0
    model.Lifetime.system_use_lifetime_output = 0
    model.execute(0)
    return float(model.Outputs.utility_bill_w_sys_year1)


def _set_demand(rates: Any, tariff: Mapping[str, Any], net_kw: np.ndarray) -> None:
    """State the charges of power; the peaks of a year before are those of this one, or unknown."""
    rates.ur_dc_enable = int("demand_flat" in tariff)
    if "demand_flat" not in tariff:
        return
    no_windows = {"schedule": {kind: [[1] * 24] * 12 for kind in ("weekday", "weekend")}}
    tou = tariff.get("demand_tou", {**no_windows, "periods": {"1": [{"max": None, "rate": 0}]}})
    rates.ur_dc_sched_weekday, rates.ur_dc_sched_weekend = tou["schedule"]["weekday"], tou["schedule"]["weekend"]
    rates.ur_dc_tou_mat = [
        [int(period), number, one["max"] or NO_END, one["rate"]]
        for period, tiers in tou["periods"].items()
        for number, one in enumerate(tiers, 1)
    ]
    rates.ur_dc_flat_mat = [
        [month - 1, number, one["max"] or NO_END, one["rate"]]
        for group in tariff["demand_flat"]
        for month in group["months"]
        for number, one in enumerate(group["tiers"], 1)
    ]
    lookback = tariff.get("lookback")
    if lookback:
        month = (
            np.arange("2001-01-01T00", "2002-01-01T00", dtype="datetime64[h]").astype("datetime64[M]").astype(int) % 12
        )
        peaks = [max(float(net_kw[month == number].max()), 0.0) for number in range(12)]
        rates.ur_enable_billing_demand = 1
        rates.ur_billing_demand_minimum = 0
        rates.ur_billing_demand_lookback_percentages = [[100 * lookback["fraction"], 1]] * 12
        rates.ur_billing_demand_lookback_period = lookback["previous_n"]
        rates.ur_dc_billing_demand_periods = [[1, 1]]
        rates.ur_yearzero_usage_peaks = peaks if lookback["wraps"] else [0.0] * 12
