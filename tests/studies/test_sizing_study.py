"""The study `sizing`: from a site file and a year of data to sizes that a person can check."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from report_fixtures import Reports

from ems.errors import InvalidInput, UnknownName
from ems.studies.sizing import SizingStudy
from ems.studies.sizing_view import SizingView

TWO_PRICES = {
    "id": "two",
    "name": "Two prices",
    "periods": [
        {"name": "low", "until_time": "12:00", "import_price_per_kwh": 0.1, "export_price_per_kwh": 0.0},
        {"name": "high", "import_price_per_kwh": 0.3, "export_price_per_kwh": 0.0},
    ],
}
PEAK = {
    "id": "peak",
    "name": "Peak",
    "periods": [{"name": "all", "import_price_per_kwh": 0.1, "export_price_per_kwh": 0.0}],
    "demand_charges": [{"name": "highest", "rate_per_kw": 5}],
}
PLAIN: dict[str, Any] = {
    "battery_upkeep_share_per_a": 0.0,
    "battery_degradation_share_per_a": 0.0,
    "battery_cost_per_kw": 0.0,
    "battery_life_a": 10,
    "battery_replacement_share": 1.0,
    "pv_upkeep_share_per_a": 0.0,
    "pv_degradation_share_per_a": 0.0,
    "connection_cost_per_kw": 0.0,
    "connection_charge_per_kw_a": 0.0,
    "project_a": 10,
    "discount_share_per_a": 0.0,
    "sweep_points": 3,
}
"""Without interest, wear and upkeep, so that sums are done in the head."""
LOSSLESS = {"round_trip_efficiency": 1, "min_soc": 0, "max_soc": 1, "initial_soc": 0, "degradation_cost_per_kwh": 0}


def written(folder: Path, *, hours: int = 24, battery: dict[str, Any] | None = None, sun_kw: float = 0.0) -> None:
    """Write a site `small` in UTC with a load of 10 kW, and its series from the first of June."""
    assets: list[dict[str, Any]] = [
        {"kind": "grid_connection", "id": "grid", "max_import_kw": 100, "max_export_kw": 100, "tariff_id": "two"},
        {"kind": "load", "id": "load", "rated_load_kw": 100},
        {"kind": "solar_pv", "id": "roof", "rated_capacity_kw": 10},
    ]
    sized = {"capacity_kwh": 5, "max_charge_kw": 5, "max_discharge_kw": 5}
    assets.append({"kind": "battery", "id": "battery", **sized, **LOSSLESS, **(battery or {})})
    site = {"id": "small", "timezone": "UTC"}
    whole = {"currency": "EUR", "site": site, "tariffs": [TWO_PRICES, PEAK], "assets": assets}
    (folder / "data" / "sites" / "small.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    time = [(dt.datetime(2024, 6, 1, tzinfo=dt.UTC) + dt.timedelta(hours=t)).isoformat() for t in range(hours)]
    table = pd.DataFrame({"time": time, "demand_kw": 10.0, "available_kw": 0.0})
    table.loc[table.index % 24 == 18, "available_kw"] = sun_kw
    table.to_csv(folder / "data" / "series" / "small.csv", index=False)


def sized(**parameters: Any) -> SizingView:
    study = SizingStudy(**{"site": "small", **PLAIN, **parameters})
    return study.find_sizes(study.load_case())


def test_find_sizes__two_prices_by_hand(project: Path):
    """120 kWh are moved by 0.20 each day: 8,760 a year. At 365 a kWh they cost 43,800, in ten years 43,800 are gained.

    The day stands for a year: 365 times. A kWh pays up to 10 * 365 * 0.20 = 730, twice its price.
    """
    written(project)

    view = sized(battery_cost_per_kwh=365.0)

    assert view.sizes[0] == pytest.approx(120, rel=1e-3)
    assert view.sizes[2] == 0
    assert view.outlay == pytest.approx(43800, rel=1e-3)
    assert view.saving_a == pytest.approx(8760, rel=1e-3)
    assert view.npv == pytest.approx(43800, rel=1e-3)
    assert view.comparison.payback_a.value == pytest.approx(5, rel=1e-3)
    assert view.break_even["factor"]["battery"] == pytest.approx(2, rel=0.01)
    assert view.storage_cost_per_kwh.value == pytest.approx(0.1, rel=1e-3)
    assert view.best.violations == []
    assert view.best.both_ways_steps == 0
    assert "stand for a year: their energy and bills are multiplied by 365" in view.notes()[0]
    assert view.conclusion().startswith("Over 10 years a battery of 120.0 kWh")
    assert dict(view.headline())["Payback"] == "5.0 a"


def test_find_sizes__nothing_pays(project: Path):
    """Above 730 a kWh no battery pays, and a roof without sun never does."""
    written(project)

    view = sized(battery_cost_per_kwh=1000.0)

    assert view.sizes[:3] == pytest.approx([0, 0, 0], abs=1e-3)
    assert view.npv == pytest.approx(0, abs=1)
    assert view.comparison.payback_a.reason == "nothing is invested"
    assert view.break_even["factor"]["battery"] == pytest.approx(0.73, rel=0.01)
    assert np.isnan(view.break_even["factor"]["solar roof"])
    assert "neither battery nor solar roof" in view.conclusion()
    assert "A battery would pay below 730 EUR per kWh" in view.conclusion()
    assert "A solar roof would not pay at any price." in view.conclusion()
    assert dict(view.headline())["Battery"] == "none"


def test_find_sizes__bill_programme_and_sweep_agree(project: Path):
    """The bill of the best sizes is the programme's cost, no point of the sweep is cheaper, none is told wrongly."""
    written(project, sun_kw=8, battery={"round_trip_efficiency": 0.9, "min_soc": 0.1, "initial_soc": 0.1})
    money = {"discount_share_per_a": 0.04, "price_escalation_share_per_a": 0.02, "project_a": 12}
    wear = {"battery_degradation_share_per_a": 0.03, "pv_degradation_share_per_a": 0.01, "wear_cost_per_kwh": 0.02}

    view = sized(**money, **wear, battery_cost_per_kwh=150.0, pv_cost_per_kw=300.0, connection_charge_per_kw_a=20.0)

    assert view.best_cost_a == pytest.approx(view.best.sizing.cost_a, rel=1e-6)
    assert np.abs(view.sweep["cost_a"] - view.sweep["planned_cost_a"]).max() < 1e-3
    assert view.sweep["cost_a"].min() >= view.best.sizing.bound_a - 1e-3
    assert view.surface().shape == (3, 3)
    programmed = (view.without.sizing.cost_a - view.best.sizing.cost_a) * view.assumptions.terms.annuity
    assert view.npv == pytest.approx(programmed, rel=1e-5)
    assert (view.tornado["npv"] >= view.tornado["npv_fixed"] - 1e-6).all()
    swing = view.tornado.groupby("assumption", sort=False)["npv"].agg(lambda both: both.max() - both.min())
    assert swing.is_monotonic_decreasing
    saving_a, npv = view.by_rule
    assert saving_a <= view.saving_a + 1e-6
    assert npv <= view.npv + 1e-6


def test_find_sizes__emissions_follow_imports(project: Path):
    """240 kWh a day at 0.5 kg are 43,800 kg a year; a battery without losses moves them, and saves none."""
    written(project)

    view = sized(battery_cost_per_kwh=365.0, co2_intensity_kg_per_kwh=0.5)

    assert view.emissions_kg_a(view.without) == pytest.approx(43800)
    assert view.emissions_kg_a(view.best) == pytest.approx(43800, rel=1e-6)
    assert "43.8 t a year without" in str(view.finance_figures()["Carbon dioxide of the grid's energy"])


def test_find_sizes__in_lots(project: Path):
    written(project)

    view = sized(battery_cost_per_kwh=365.0, lot_battery_kwh=50.0)

    assert view.sizes[0] == pytest.approx(100)
    assert view.size_rows()[0]["lot"] == 50


def test_load_case__months_are_scaled_as_months(project: Path):
    """Thirty days of June are a month: twelve times 7,200 kWh at 0.10 and a peak of 10 kW at 5."""
    written(project, hours=30 * 24)

    view = sized(tariff="peak", battery_cost_per_kwh=1000.0)

    assert view.case.years_per_horizon == 12
    assert view.bill_a(view.without) == pytest.approx(12 * (720 + 50))


def test_load_case__days_of_a_monthly_bill_are_refused(project: Path):
    written(project, hours=48)

    with pytest.raises(InvalidInput, match="no whole months, and the tariff bills by the month"):
        sized(tariff="peak")


def test_load_case__says_what_is_left_out(project: Path):
    written(project, battery={"drain_kw": 0.1, "max_cycles_per_d": 1})

    case = SizingStudy(site="small", battery_round_trip_efficiency=0.8).load_case()

    assert "of the site file's battery, max_cycles_per_d, drain_kw belong to its size and are left out" in case.notes
    battery = next(one for one in case.portfolio.assets if one.id == "battery")
    assert battery.round_trip_efficiency == 0.8
    assert battery.capacity_kwh == 200


def test_load_case__nothing_to_size(project: Path):
    written(project)

    with pytest.raises(InvalidInput, match="neither battery nor solar roof to size"):
        SizingStudy(site="small", max_battery_kwh=0.0, max_pv_kw=0.0).load_case()


def test_load_case__connection_of_no_price_is_taken_in_full(project: Path):
    written(project)

    assert SizingStudy(**{"site": "small", **PLAIN}).load_case().ranges[3].lowest == 100


def test_parameters__out_of_order():
    with pytest.raises(InvalidInput, match="min_pv_kw = 5 kW: must be at most max_pv_kw = 3 kW"):
        SizingStudy(min_pv_kw=5.0, max_pv_kw=3.0)


def test_check__file_that_is_not_there(project: Path):
    with pytest.raises(UnknownName, match="site 'backery'"):
        SizingStudy(site="backery").check()
    assert SizingStudy(connection="gird").report_timezone() == "UTC"
    assert SizingStudy().report_timezone() == "Europe/Berlin"


def test_run__january_of_the_demo_keeps_its_answer(reports: Reports):
    assert reports.said["sizing"].startswith("Battery")
    run = reports.run("sizing")
    assert set(dict(run.headline)) == {
        "Battery",
        "Solar roof",
        "Connection",
        "Cost a year",
        "Saving on the bill a year",
        "Paid at first",
        "Net present value",
        "Payback",
    }
    assert any("stand for a year: their energy and bills are multiplied by 12" in note for note in run.notes)
    page = reports.pages["sizing"].read_text(encoding="utf-8")
    assert "sizes and savings are the best that could be, not what is sure" in page
    assert len(page.encode()) < 700_000
