"""Objective, settled bill and their difference by cause; a schedule that leaves the plan is found and named."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import xarray as xr
from builders import START, grid, load, problem, solar

from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of
from ems.studies.reconciliation import ROUNDING_WORDS, UNEXPLAINED_WORDS, deviations, differences, notes_of
from ems.tariffs.tariff import Tariff

ALL = {"name": "all", "import_price_per_kwh": 0.2, "export_price_per_kwh": 0.05}


def planned(steps: int = 24, **fields: Any) -> DispatchResult:
    """A load of 20 kW and sun of 30 kW in every other hour, at 0.20 bought and 0.05 sold."""
    tariff = Tariff(**{"id": "contract", "name": "Contract", "periods": [ALL], **fields})
    values = {"load.demand_kw": 20, "solar.available_kw": [0, 30] * (steps // 2)}
    return solve(problem([grid(tariff_id="contract"), load(), solar()], values, [1] * steps, tariffs=[tariff]))


def against_bill(result: DispatchResult, flows: xr.Dataset) -> pd.DataFrame:
    asked = result.problem
    return differences(result, settle(flows, asked.series, asked.portfolio))


def test_differences__none():
    """12 hours of 20 kW bought and of 10 kW sold: 48 and 6."""
    result = planned(fixed_cost_per_month=10)
    table = against_bill(result, result.flows)
    assert table.index.tolist() == ["export_revenue", "fixed_cost", "import_cost", "total"]
    assert table["objective"].tolist() == pytest.approx([-6, 10, 48, 52])
    assert table["settled_bill"].tolist() == pytest.approx([-6, 10, 48, 52])
    assert set(table["cause"]) == {ROUNDING_WORDS}


def test_differences__one_kwh_in_one_hour_is_found_and_named():
    """21 in place of 20 kWh at 14:00 cost 0.20 more; no note explains that, and the hour is named twice."""
    result = planned()
    flows = result.flows.copy(deep=True)
    flows.import_kw.loc[{"asset": "grid", "time": "2024-06-03T14:00"}] += 1
    table = against_bill(result, flows)
    assert table.loc["import_cost", "difference"] == pytest.approx(0.2)
    assert table.loc["import_cost", "cause"] == UNEXPLAINED_WORDS
    assert table.loc["export_revenue", "cause"] == ROUNDING_WORDS
    found = deviations(result, flows)
    assert found["time"].tolist() == [pd.Timestamp(START).tz_localize(None) + pd.Timedelta(hours=14)]
    row = found.iloc[0]
    assert (row["asset"], row["flow"]) == ("grid", "import_kw")
    assert (row["planned_kw"], row["actual_kw"], row["more_kwh"], row["cost"]) == pytest.approx((20, 21, 1, 0.2))
    asked = result.problem
    assert violations_of(flows, asked.series, asked.portfolio) == [
        "'site': the power balance is open by 1 kW at 2024-06-03 14:00 UTC"
    ]


def test_deviations__none_in_the_plan_itself():
    result = planned()
    assert deviations(result, result.flows).empty


def test_differences__levy_on_own_use_is_told():
    """The site uses 20 of 30 kW of its own in 12 hours: 240 kWh at 0.01, which no plan of a connection sees."""
    levy = {"name": "own use", "rate_per_kwh": 0.01, "applies_to": "self_consumption"}
    result = planned(levies=[levy], taxes=[{"name": "VAT", "share": 0.1}])
    table = against_bill(result, result.flows)
    assert table.loc["levy_cost", "difference"] == pytest.approx(2.4)
    assert "levy 'own use' is on energy that the site makes and uses" in table.loc["levy_cost", "cause"]
    assert table.loc["tax_cost", "difference"] == pytest.approx(0.24)
    assert table.loc["total", "difference"] == pytest.approx(2.64)


def test_differences__pro_rata_tiers_are_told():
    """Of 240 kWh, 140 are beyond the tier: 70 at night step by 0.10, 70 by day not at all; the plan takes the mean.

    Night and day have 6 hours with imports each of 12, so that the mean step of 0.05 makes the same 7.
    """
    first = {"up_to_kwh": 100, "import_price_per_kwh": 0.2, "export_price_per_kwh": 0.05}
    night = [first, {**first, "up_to_kwh": None, "import_price_per_kwh": 0.3}]
    day = [first, {**first, "up_to_kwh": None}]
    periods = [
        {"name": "day", "from_time": "06:00", "until_time": "18:00", "tiers": day},
        {"name": "night", "tiers": night},
    ]
    even = planned(periods=periods)
    assert against_bill(even, even.flows).loc["total", "difference"] == pytest.approx(0, abs=1e-6)
    assert "the mean step, which is up to 0.05 per kWh" in notes_of(even.problem)["import_cost"]
    # 06:00 to 09:00 has 3 of 24 hours, but 2 of the 12 with imports: 40 of 240 kWh.
    periods[0]["until_time"] = "09:00"
    uneven = planned(periods=periods)
    table = against_bill(uneven, uneven.flows)
    assert table.loc["import_cost", "difference"] == pytest.approx(140 * (0.1 * 200 / 240 - 0.1 * 21 / 24))
    assert "energy periods share a month's tiers pro rata" in table.loc["import_cost", "cause"]


def test_settle__lines_of_a_tariff_are_by_month_and_charge():
    result = planned(fixed_cost_per_month=10, taxes=[{"name": "VAT", "share": 0.1}])
    asked = result.problem
    lines = settle(result.flows, asked.series, asked.portfolio).lines
    assert list(zip(lines["month"], lines["charge"], lines["cost"], strict=True)) == [
        ("2024-06", "all", pytest.approx(48)),
        ("2024-06", "all, fed in", pytest.approx(-6)),
        ("2024-06", "fixed charge", pytest.approx(10)),
        ("2024-06", "VAT", pytest.approx(5.8)),
    ]
    assert lines["rate_per_unit"].tolist() == pytest.approx([0.2, 0.05, 10, 0.1])
