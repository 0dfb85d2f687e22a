"""The reader of the form's bills, on cases with answers found by hand, where the folder of cases is not at hand."""

from __future__ import annotations

from typing import Any

import pytest
from reference_bills import check_bill, metrics_of, read_bill
from reference_rules import NeutralCase

EVERY_HOUR = {"weekday": [[1] * 24] * 12}
DAY_AND_NIGHT = {"weekday": [[1] * 6 + [2] * 16 + [1] * 2] * 12, "weekend": [[1] * 24] * 12}


def case(load: Any, tariff: dict[str, Any], *, power: str = "kW", n: int = 8760, **time: Any) -> NeutralCase:
    """A case of kind `bill` in a typical year of hours."""
    calendar = {"calendar": "typical", "first_weekday": 0, **time}
    return NeutralCase(
        {
            "units": {"power": power},
            "time": {"start": "2001-01-01T00:00:00-06:00", "tz": "Etc/GMT+6", "step_h": 1.0, "n": n, **calendar},
            "inputs": {"load": load},
            "tariff": {"energy": {"schedule": EVERY_HOUR, "periods": {"1": [{"max": None, "buy": 0.0}]}}, **tariff},
        }
    )


def test_read_bill__weekends() -> None:
    """A week that begins on a Monday has 80 hours of the second period and 88 of the first: 16 + 4.40."""
    energy = {
        "schedule": DAY_AND_NIGHT,
        "periods": {"1": [{"max": None, "buy": 0.05}], "2": [{"max": 1e38, "buy": 0.2}]},
    }

    assert metrics_of(read_bill(case(1, {"energy": energy}, n=168)))["energy"] == pytest.approx(20.4)


def test_read_bill__megawatts() -> None:
    """2 MW over a day at 50 a MWh, 1 MWh of it a day at 10, and at 1000 a MW: 10 + 47 * 50 + 2000."""
    energy = {"schedule": EVERY_HOUR, "periods": {"1": [{"max": 31, "buy": 10}, {"max": None, "buy": 50}]}}
    flat = [{"tiers": [{"max": None, "rate": 1000}]}]
    found = metrics_of(read_bill(case(2, {"energy": energy, "demand_flat": flat}, power="MW", n=24)))

    assert found["total"] == pytest.approx(31 * 10 + 17 * 50 + 2000)


def test_read_bill__coincident_peaks_fixed_and_minimum() -> None:
    """The power of 3 and 5 at the utility's peaks costs 5 * 2; 12 * 7 are fixed, and 106 are missing to 200."""
    load = [0.0] * 8760
    load[100], load[200], load[300] = 3, 5, 9
    tariff = {"coincident_peak": [{"steps": [100, 200], "rate": 2}], "fixed_monthly": 7, "minimum_annual": 200}

    found = metrics_of(read_bill(case(load, tariff)))

    assert (found["coincident"], found["fixed"], found["minimum"]) == pytest.approx((10, 84, 106))


def test_read_bill__look_back_over_the_new_year() -> None:
    """Half of December's 8 kW are billed in January and February, two months back, at 10 each."""
    load = [0.0] * 8760
    load[-1] = 8
    tariff = {
        "demand_flat": [{"tiers": [{"max": None, "rate": 10}]}],
        "lookback": {"fraction": 0.5, "previous_n": 2},
    }

    assert metrics_of(read_bill(case(load, tariff)))["demand_flat"] == pytest.approx(80 + 2 * 40)


def test_check_bill__finds_a_wrong_answer() -> None:
    """8760 kWh at 0.10 are 876, and not 877."""
    flat = case(1, {"energy": {"schedule": EVERY_HOUR, "periods": {"1": [{"max": None, "buy": 0.1}]}}})

    assert check_bill(flat, {"metrics": {"total": {"value": 876, "tol_abs": 0.01}}}) == pytest.approx((876, 876))
    with pytest.raises(AssertionError, match="total"):
        check_bill(flat, {"metrics": {"total": {"value": 877, "tol_abs": 0.01}}})


def test_read_bill__unknown_field() -> None:
    with pytest.raises(AssertionError, match="surprise"):
        read_bill(case(1, {"surprise": 1}))
