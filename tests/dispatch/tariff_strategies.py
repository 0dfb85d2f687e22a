"""Random tariffs for dispatches of some hours around the end of May 2024, in UTC."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from random_connections import demand_charges
from random_numbers import rounded

PRICE = rounded(0, 0.5, 3)
DAY = {"from_time": "06:00", "until_time": "23:00"}
ENDS = [[], [15], [15, 60]]
"""Ends of tiers in kWh, of months in which a horizon moves some tens of kWh."""


@st.composite
def tariffs(draw: Any, *, is_pro_rata: bool = False) -> dict[str, Any]:
    """Fields of a tariff that a plan follows exactly; pro rata, its periods step differently from tier to tier."""
    metering = draw(st.sampled_from(["net_billing", "net_billing", "net_metering"]))
    fields: dict[str, Any] = {
        "id": "contract",
        "name": "Contract",
        "metering": metering,
        "levies": draw(levies()),
        "taxes": draw(st.sampled_from([[], [VAT], [VAT, {"name": "on energy", "share": 0.05, "base": "energy"}]])),
        "demand_charges": [
            {"name": f"peak {number}", **one} for number, one in enumerate(draw(st.lists(charges(), max_size=2)))
        ],
        "fixed_cost_per_month": draw(st.sampled_from([0, 0, 12.5])),
        "fixed_cost_per_d": draw(st.sampled_from([0, 0, 0.4])),
        "minimum_cost_per_month": draw(st.sampled_from([0, 0, 8, 25])),
        "minimum_cost_per_a": draw(st.sampled_from([0, 0, 0, 200])),
    }
    if draw(st.booleans()):
        fields |= {"contracted_kw": 50, "capacity_cost_per_kw_month": 0.2}
    if metering == "net_metering" and draw(st.booleans()):
        fields |= {
            "year_end_price_per_kwh": draw(rounded(-0.05, 0.2, 3)),
            "year_end_month": draw(st.sampled_from([5, 6])),
        }
    if metering == "net_billing" and not is_pro_rata and draw(st.integers(0, 3)) == 0:
        market = {"price_series": True, "price_factor": 1.1, "surcharge_per_kwh": 0.02, "export_factor": 0.9}
        return fields | market | {"export_deduction_per_kwh": 0.01}
    return fields | draw(energy(is_pro_rata))


VAT = {"name": "VAT", "share": 0.19}


@st.composite
def energy(draw: Any, is_pro_rata: bool) -> dict[str, Any]:
    """Energy periods of a day and a night, and their tiers."""
    tier_period = draw(st.sampled_from(["month", "day"]))
    ends = draw(st.sampled_from(ENDS[1:] if is_pro_rata else ENDS))
    days = 31 if tier_period == "day" else 1
    steps = [(draw(rounded(-0.1, 0.1, 3)), draw(rounded(-0.05, 0.05, 3))) for _ in ends]
    periods = []
    for name, hours in (("day", DAY), ("night", {})):
        buy, sell = 0.2 + draw(PRICE), draw(PRICE)
        if not ends:
            periods.append({"name": name, **hours, "import_price_per_kwh": buy, "export_price_per_kwh": sell})
            continue
        tiers = [{"up_to_kwh": None, "import_price_per_kwh": buy, "export_price_per_kwh": sell}]
        for end, (more, less) in zip(ends, steps, strict=True):
            tiers[-1]["up_to_kwh"] = end / days
            further = draw(rounded(-0.1, 0.1, 3)) if is_pro_rata else more
            tiers.append(
                {
                    "import_price_per_kwh": tiers[-1]["import_price_per_kwh"] + further,
                    "export_price_per_kwh": tiers[-1]["export_price_per_kwh"] + less,
                }
            )
        periods.append({"name": name, **hours, "tiers": tiers})
    return {"periods": periods, **({"tier_period": tier_period} if ends else {})}


@st.composite
def levies(draw: Any) -> list[dict[str, Any]]:
    """Up to two levies on what is bought, with a limit of the year that is in reach."""
    return [
        {
            "name": f"levy {number}",
            "rate_per_kwh": draw(rounded(-0.02, 0.05, 3)),
            "exempt_above_kwh_per_a": draw(st.sampled_from([None, 0, 20, 60])),
        }
        for number in range(draw(st.integers(0, 2)))
    ]


@st.composite
def charges(draw: Any) -> dict[str, Any]:
    """Fields of a demand charge without its name: tiers, means of days and moments, and bills in kVA."""
    fields: dict[str, Any] = draw(demand_charges())
    if draw(st.booleans()):
        fields |= {"unit": "kva", "power_factor": 0.9}
    if draw(st.booleans()):
        del fields["rate_per_kw"]
        rates = draw(st.lists(rounded(0, 2), min_size=3, max_size=3))
        fields["tiers"] = [{"up_to_kw": 10, "rate_per_kw": rates[0]}, {"up_to_kw": 25, "rate_per_kw": rates[1]}]
        fields["tiers"].append({"rate_per_kw": rates[2]})
        fields["rates_per_kw"] = {}
    kind = draw(st.sampled_from(["peak", "days", "moments"]))
    if kind == "peak" or fields["period"] == "day":
        return fields
    fields["prior_peak_kw"], fields["prior_peaks_kw"] = 0, {}
    if kind == "days":
        before = st.dictionaries(st.sampled_from(["2024-05-29", "2024-05-30"]), rounded(0, 60), max_size=2)
        return fields | {"highest_days": draw(st.integers(2, 3)), "prior_daily_peaks_kw": draw(before)}
    for name in ("from_time", "until_time", "months"):
        fields.pop(name, None)
    moments = ["2024-05-31T21:00+00:00", "2024-05-31T22:00+00:00", "2024-06-01T01:30+00:00"]
    return fields | {
        "coincident_times": draw(st.lists(st.sampled_from(moments), min_size=1, unique=True)),
        "coincident_of": draw(st.sampled_from(["max", "mean"])),
    }
