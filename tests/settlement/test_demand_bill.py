"""Power as tariffs bill it, with answers found by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tariff_samples import HOURS, NEW_YEAR, bill, hours, power, tariff

from ems.settlement.demand_bill import blocks_of
from ems.settlement.tariff_bill import bill_of
from ems.tariffs.clock import Hours
from ems.tariffs.demand_charge import DemandCharge, DemandSeason, DemandTier, Ratchet

TWO_MONTHS = sum(HOURS.values())
TYPICAL_YEAR = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)


def demand_of(readings: np.ndarray, start: dt.datetime = NEW_YEAR, **fields: Any) -> pd.DataFrame:
    """The lines of one demand charge, at 10 a kW unless it says otherwise."""
    priced = {"rate_per_kw", "tiers", "seasons"} & set(fields)
    charge = DemandCharge(name="peak", **({} if priced else {"rate_per_kw": 10}), **fields)
    lines = bill_of(tariff(demand_charges=(charge,)), hours(len(readings), start), "UTC", readings, readings)
    return lines[lines.cost_type == "demand_cost"]


def test_demand__highest_power_of_each_month() -> None:
    """50 kW in January and 30 kW in February, at 10 a kW."""
    lines = demand_of(power(TWO_MONTHS, h5=50, h6=20, h800=30))

    assert lines[["month", "charge", "quantity", "unit", "rate", "cost"]].to_numpy().tolist() == [
        ["2024-01", "peak", 50.0, "kW", 10.0, 500.0],
        ["2024-02", "peak", 30.0, "kW", 10.0, 300.0],
    ]


def test_demand__charges_of_the_connection_add_to_those_of_the_tariff() -> None:
    """5 kW at 10 and at 3."""
    contract = tariff(demand_charges=(DemandCharge(name="utility", rate_per_kw=10),))

    lines = bill(contract, power(24, h5=5), demand_charges=(DemandCharge(name="grid", rate_per_kw=3),))

    assert dict(zip(lines.charge, lines.cost, strict=True)) == pytest.approx(
        {"always": 0.5, "utility": 50, "grid": 15}
    )


def test_demand__tiers() -> None:
    """Of 120 kW the first 100 cost 5 and 20 cost 8; of 60 kW each costs 5."""
    tiers = (DemandTier(up_to_kw=100, rate_per_kw=5), DemandTier(rate_per_kw=8))

    lines = demand_of(power(TWO_MONTHS, h5=120, h800=60), tiers=tiers)

    assert lines.cost.tolist() == pytest.approx([500, 160, 300])
    assert lines.charge.tolist() == ["peak, tier 1", "peak, tier 2", "peak"]


def test_demand__seasons() -> None:
    """10 kW cost 7 each in February; January, without a price, has no line."""
    lines = demand_of(np.full(TWO_MONTHS, 10.0), rate_per_kw=0, seasons=(DemandSeason(months=(2,), rate_per_kw=7),))

    assert lines[["month", "cost"]].to_numpy().tolist() == [["2024-02", 70.0]]


def test_demand__windows() -> None:
    """Only mornings and evenings count: 30 kW at 7:00 and not 80 kW at noon."""
    windows = (Hours(from_time="06:00", until_time="09:00"), Hours(from_time="17:00", until_time="20:00"))

    lines = demand_of(power(24, h7=30, h12=80, h18=20), windows=windows)

    assert lines.quantity.tolist() == [30]


def test_demand__mean_of_the_highest_days() -> None:
    """Daily peaks are 40, 10 and 30 kW; the mean of the two highest is 35 kW, and not that of two hours of one day."""
    lines = demand_of(power(72, h5=40, h6=39, h30=10, h60=30), highest_days=2)

    assert lines.quantity.tolist() == [35]


def test_demand__highest_days_before_the_horizon() -> None:
    """A day with 50 kW before counts with today's 40 kW: 45 kW; today had 20 kW already, which is less."""
    readings = power(24, h5=40)

    lines = demand_of(
        readings,
        start=dt.datetime(2024, 1, 20, tzinfo=dt.UTC),
        highest_days=2,
        prior_daily_peaks_kw={"2024-01-03": 50, "2024-01-20": 20},
    )

    assert lines.quantity.tolist() == [45]


def test_demand__apparent_power() -> None:
    """90 kW at a power factor of 0.9 are 100 kVA."""
    lines = demand_of(power(24, h5=90), unit="kva", power_factor=0.9)

    assert lines[["quantity", "unit"]].to_numpy().tolist() == [[pytest.approx(100), "kVA"]]


@pytest.mark.parametrize(("what", "billed_kw"), [("max", 30), ("mean", 20)])
def test_demand__at_the_utilitys_own_peaks(what: str, billed_kw: float) -> None:
    """At 03:15 and 05:30 the power was 10 and 30 kW; the 90 kW at noon do not count."""
    moments = (dt.datetime(2024, 1, 1, 3, 15, tzinfo=dt.UTC), dt.datetime(2024, 1, 1, 5, 30, tzinfo=dt.UTC))

    lines = demand_of(power(24, h3=10, h5=30, h12=90), coincident_times=moments, coincident_of=what)

    assert lines.quantity.tolist() == [billed_kw]


def test_demand__ratchet() -> None:
    """February's 10 kW are billed as 60 % of January's 50 kW."""
    lines = demand_of(power(TWO_MONTHS, h5=50, h800=10), ratchet=Ratchet(share=0.6, previous=1))

    assert lines.quantity.tolist() == pytest.approx([50, 30])


def test_demand__ratchet_round_the_year() -> None:
    """A January looks back at the December of the same year: 80 % of 100 kW; the others at nothing."""
    readings = np.zeros(8760)
    readings[-1] = 100
    lines = demand_of(readings, start=TYPICAL_YEAR, ratchet=Ratchet(share=0.8, previous=1, wraps=True))

    assert lines.quantity.tolist() == pytest.approx([80, *[0] * 10, 100])


def test_demand__ratchet_of_named_months() -> None:
    """75 % of the highest of January and December, which is 40 kW, is the least of each month, and 35 kW are more."""
    readings = np.zeros(8760)
    readings[0], readings[-1], readings[2000] = 20, 40, 35
    lines = demand_of(readings, start=TYPICAL_YEAR, ratchet=Ratchet(share=0.75, periods=(1, 12)))

    assert lines.quantity.tolist() == pytest.approx([30, 30, 35, *[30] * 8, 40])


def test_demand__free_power_minimum_and_prior_peak() -> None:
    """Of January's 60 kW before the horizon 20 are free; February is billed the minimum of 15 kW."""
    lines = demand_of(power(TWO_MONTHS, h5=50, h800=30), free_kw=20, minimum_kw=15, prior_peaks_kw={"2024-01": 60})

    assert lines.quantity.tolist() == [40, 15]


def test_demand__of_each_day() -> None:
    """Each day has a line of its own, in its month."""
    lines = demand_of(power(48, h5=3, h30=4), period="day", rate_per_kw=1)

    assert lines[["month", "charge", "cost"]].to_numpy().tolist() == [
        ["2024-01", "peak, 2024-01-01", 3.0],
        ["2024-01", "peak, 2024-01-02", 4.0],
    ]


def test_demand__of_the_whole_horizon() -> None:
    """The highest power of two months is billed once, where they end."""
    lines = demand_of(power(TWO_MONTHS, h5=50, h800=30), period="horizon")

    assert lines[["month", "cost"]].to_numpy().tolist() == [["2024-02", 500.0]]


def test_demand__of_export() -> None:
    """What is fed in counts, and not what is drawn."""
    charge = DemandCharge(name="feed-in", basis="export", rate_per_kw=2)

    lines = bill(tariff(demand_charges=(charge,)), power(24, h3=50), power(24, h12=7))

    assert lines[lines.cost_type == "demand_cost"].quantity.tolist() == [7]


def test_blocks_of__exact_ends() -> None:
    """Nothing at all is a block of 0; a power at the end of a tier does not reach the next."""
    tiers = (DemandTier(up_to_kw=10, rate_per_kw=1), DemandTier(rate_per_kw=2))

    assert blocks_of(0, tiers) == ((0.0, 1),)
    assert blocks_of(10, tiers) == ((10, 1),)
    assert blocks_of(12, tiers) == ((10, 1), (2, 2))
