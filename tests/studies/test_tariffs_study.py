"""The study `tariffs`: from a site file and a meter to a ranking that a person can check."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import bakery_series
import numpy as np
import pandas as pd
import pytest
import yaml
from report_fixtures import Reports

from ems.errors import InvalidInput, UnknownName
from ems.studies.tariffs import TariffsStudy
from ems.studies.tariffs_view import TariffsView, joined

CENT = 0.005
TARIFFS: list[dict[str, Any]] = [
    {
        "id": "flat",
        "name": "Flat",
        "periods": [{"name": "all", "import_price_per_kwh": 0.25, "export_price_per_kwh": 0.1}],
    },
    {
        "id": "two",
        "name": "Two prices",
        "periods": [
            {"name": "low", "until_time": "12:00", "import_price_per_kwh": 0.1, "export_price_per_kwh": 0.1},
            {"name": "high", "import_price_per_kwh": 0.3, "export_price_per_kwh": 0.1},
        ],
    },
    {
        "id": "peak",
        "name": "Peak",
        "periods": [{"name": "all", "import_price_per_kwh": 0.05, "export_price_per_kwh": 0.1}],
        "demand_charges": [{"name": "highest", "rate_per_kw": 5}],
    },
]


def written(
    folder: Path,
    *,
    tariffs: list[dict[str, Any]] | None = None,
    battery: dict[str, Any] | None = None,
    available_kw: float = 0,
    columns: dict[str, float] | None = None,
    hours: int = 24,
    currency: str = "EUR",
) -> None:
    """Write a site `small` in UTC with a load of 10 kW, and its series of a day in June."""
    assets: list[dict[str, Any]] = [
        {"kind": "grid_connection", "id": "grid", "max_import_kw": 100, "max_export_kw": 100, "tariff_id": "flat"},
        {"kind": "load", "id": "load", "rated_load_kw": 100},
        {"kind": "solar_pv", "id": "roof", "rated_capacity_kw": 100},
    ]
    if battery is not None:
        assets.append({"kind": "battery", "id": "battery", "max_charge_kw": 50, "max_discharge_kw": 50, **battery})
    site = {"id": "small", "timezone": "UTC"}
    given = {"currency": currency, "site": site, "tariffs": tariffs or TARIFFS, "assets": assets}
    (folder / "data" / "sites" / "small.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    time = [(dt.datetime(2024, 6, 3, tzinfo=dt.UTC) + dt.timedelta(hours=t)).isoformat() for t in range(hours)]
    series = pd.DataFrame({"time": time, "demand_kw": 10.0, "available_kw": 0.0})
    # The sun shines in the sixth hour.
    series.loc[6, "available_kw"] = available_kw
    for name, value in (columns or {}).items():
        series[name] = value
    series.to_csv(folder / "data" / "series" / "small.csv", index=False)


def compared(**parameters: Any) -> TariffsView:
    study = TariffsStudy(**{"site": "small", **parameters})
    return study.compare(study.load_site())


def test_compare__ranks_three_tariffs_by_hand(project: Path):
    """240 kWh cost 60 at 0.25; 12 + 36 at two prices; 12 and 10 kW * 5 with a peak."""
    written(project)

    view = compared()

    assert view.ranking["cost"].to_dict() == pytest.approx({"two": 48, "flat": 60, "peak": 62})
    assert list(view.ranking.index) == ["two", "flat", "peak"]
    assert view.ranking["saving"].to_dict() == pytest.approx({"two": 12, "flat": 0, "peak": -2})
    assert view.ranking["cost_per_kwh"]["two"] == pytest.approx(48 / 240)
    assert view.charges()["Peak"].to_dict() == pytest.approx({"import_cost": 12, "demand_cost": 50})
    assert view.months().loc["2024-06"].to_dict() == pytest.approx({"Two prices": 48, "Flat": 60, "Peak": 62})
    assert view.conclusion() == (
        "From 2024-06-03 to 2024-06-03, 'Two prices' would have cost the least: 48.00 EUR. The present tariff, "
        "'Flat', costs 60.00 EUR, 12.00 EUR more. The dearest is 'Peak' with 62.00 EUR."
    )


def test_compare__values_what_the_battery_holds_at_the_end(project: Path):
    """Of 50 kW sun in one hour 40 kWh are stored; 16 of the 17 hours after it they serve 10 kW each: 40 kWh are gone.

    Without a battery 230 kWh are bought and 40 kWh sold; with it 190 kWh are bought and none sold: under the flat
    tariff 57.50 - 4 = 53.50 against 47.50.
    """
    lossless = {"capacity_kwh": 100, "round_trip_efficiency": 1, "min_soc": 0, "max_soc": 1, "initial_soc": 0}
    written(project, battery=lossless, available_kw=50)

    view = compared()

    assert view.ranking["cost_without_battery"]["flat"] == pytest.approx(53.5)
    assert view.ranking["battery_saving"]["flat"] == pytest.approx(6.0)
    assert "stored_energy_value" not in view.charges().index


def test_compare__a_battery_that_is_emptied_does_not_seem_to_save(project: Path):
    """50 kWh of the first content serve the load: 12.50 less on the bill, and 12.50 less in the battery."""
    lossless = {"capacity_kwh": 100, "round_trip_efficiency": 1, "min_soc": 0, "max_soc": 1, "initial_soc": 0.5}
    written(project, battery=lossless)

    view = compared()

    assert view.bills["flat"]["self_consumption"]["cost"].sum() == pytest.approx(47.5)
    assert view.ranking["battery_saving"]["flat"] == pytest.approx(0, abs=CENT)
    assert view.charges()["Flat"]["stored_energy_value"] == pytest.approx(12.5)
    assert compared(with_battery=False).ranking["cost"]["flat"] == pytest.approx(60)


def test_compare__whether_the_battery_pays(project: Path):
    """6 a day are 2,190 a year; 10,950 for the battery are back after 5 years and doubled after 10."""
    lossless = {"capacity_kwh": 100, "round_trip_efficiency": 1, "min_soc": 0, "max_soc": 1, "initial_soc": 0}
    written(project, battery={**lossless, "capital_cost": 10950}, available_kw=50)

    view = compared(life_a=10, discount_share_per_a=0, degradation_share_per_a=0)
    found = view.finance["flat"]

    assert found.npv == pytest.approx(10950)
    assert found.payback_a.value == pytest.approx(5)
    # 40 kWh a day that would have been sold for 4: (10,950 + 10 * 365 * 4) / (10 * 365 * 40).
    assert found.levelized_cost_per_kwh.value == pytest.approx((10950 + 14600) / 146000)
    assert view.notes()[-1] == "the battery's savings of 24 h were scaled to a year for its finance"


def test_compare__leaves_out_what_cannot_be_billed(project: Path):
    market = {"id": "market", "name": "Market", "price_series": True, "surcharge_per_kwh": 0.05, "export_factor": 1.0}
    written(project, tariffs=[*TARIFFS, market])

    without = compared()
    written(project, tariffs=[*TARIFFS, market], columns={"import_price_per_kwh": 0.1})
    with_prices = compared()

    assert set(without.bills) == {"flat", "two", "peak"}
    assert "needs the market's prices" in without.refused["market"]
    assert "left out: tariff 'market'" in without.notes()[-1]
    assert "1 more could not be billed." in without.conclusion()
    assert with_prices.ranking["cost"]["market"] == pytest.approx(240 * 0.15)


def test_compare__cuts_to_the_time_asked_for(project: Path):
    """From 06:00 on, 18 h of 10 kW: 6 h at 0.10 and 12 h at 0.30."""
    written(project)

    assert compared(start="2024-06-03T06:00").ranking["cost"]["two"] == pytest.approx(6 + 36)
    assert compared(start="2024-06-03T06:00", horizon_h=6).ranking["cost"]["two"] == pytest.approx(6)


def test_compare__bill_of_the_dearest_month(project: Path):
    """Of 40 days from 3 June, 28 are in June; its lines are those of the bill."""
    written(project, hours=40 * 24)

    invoice = compared().invoice()

    assert set(invoice["month"]) == {"2024-06"}
    assert invoice.set_index("charge")["quantity"].to_dict() == pytest.approx({"all": 28 * 240, "highest": 10})


def test_tariffs__from_a_file_and_a_rate_database(project: Path):
    written(project)
    (project / "data" / "tariffs").mkdir(exist_ok=True)
    (project / "data" / "tariffs" / "offers.yaml").write_text(yaml.safe_dump({"tariffs": TARIFFS[1:]}))
    rate = {
        "label": "abc",
        "name": "Rate A",
        "energyratestructure": [[{"rate": 0.2, "sell": 0.05}]],
        "energyweekdayschedule": [[0] * 24] * 12,
        "energyweekendschedule": [[0] * 24] * 12,
    }
    (project / "data" / "tariffs" / "rate.json").write_text(json.dumps({"items": [rate]}))

    assert list(compared(tariffs="offers").ranking.index) == ["two", "peak"]
    assert compared(tariffs="offers").present is None
    with pytest.raises(InvalidInput, match="tariff 'abc': currency = 'USD': the portfolio's is EUR"):
        compared(tariffs="rate")
    written(project, currency="USD")
    assert compared(tariffs="rate").ranking["cost"].tolist() == pytest.approx([48])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tariffs: []", "has no tariffs in it"),
        ("tariffs: 5", "tariffs = 5: must be a list"),
        ("tariffs: [5]", "must be lines of 'name: value'"),
        ("tariffs: [{id: a, name: A}]", "1: tariff 'a': periods: at least one is required"),
        (
            "tariffs: [{id: a, name: A, currency: USD, periods: [{name: all, import_price_per_kwh: 1}]}]",
            "tariff 'a': currency = 'USD': the portfolio's is EUR",
        ),
        (
            "tariffs:\n" + 2 * "- {id: a, name: A, periods: [{name: all, import_price_per_kwh: 1}]}\n",
            "two tariffs have the id 'a'",
        ),
    ],
)
def test_tariffs__of_a_file_that_cannot_be_used(project: Path, text: str, message: str):
    written(project)
    path = project / "offers.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInput, match=message):
        compared(tariffs=str(path))


def test_connection__that_is_not_there(project: Path):
    written(project)

    with pytest.raises(InvalidInput, match=r"connection = 'gird': no such grid connection; did you mean grid\?"):
        compared(connection="gird")
    assert TariffsStudy(site="small", connection="gird").report_timezone() == "UTC"


def test_check__file_that_is_not_there(project: Path):
    with pytest.raises(UnknownName, match="tariffs 'offers'"):
        TariffsStudy(tariffs="offers").check()


def test_site__with_a_generator_is_refused(project: Path):
    with pytest.raises(InvalidInput, match="is of kind generator: no rule says when it runs"):
        _ = compared(site="clinic", tariffs=str(project / "data" / "sites" / "bakery.yaml")).bills


def test_bakery__is_the_year_of_its_formulas():
    stored = pd.read_parquet(bakery_series.FILE)

    made = bakery_series.bakery()

    assert stored.columns.tolist() == made.columns.tolist()
    assert (stored["time"] == made["time"]).all()
    for column in made.columns[1:]:
        # A last digit may be rounded otherwise by another machine's cosine.
        assert np.abs(stored[column] - made[column]).max() <= (0.001001 if "price" in column else 0.1001), column


def test_bakery__bills_add_up(project: Path):
    """What each charge makes is what each month makes, and both are the ranking's cost."""
    study = TariffsStudy()
    view = study.compare(study.load_site())

    assert view.operations["self_consumption"].violations == []
    assert view.refused == {}
    for tariff_id, name in view.names().items():
        cost = view.ranking["cost"][tariff_id]
        assert view.charges()[name].sum() == pytest.approx(cost, abs=6 * CENT)  # rows below half a cent are not shown
        stored = view.charges()[name].get("stored_energy_value", 0.0)
        assert view.months()[name].sum() == pytest.approx(cost - stored, abs=6 * CENT)
    assert view.ranking["cost"].is_monotonic_increasing
    assert all(table.shape == (12, 24) for table in view.price_tables().values())
    assert all(table.notna().all(axis=None) for table in view.price_tables().values())


def test_run__demo_answers_and_keeps_its_answer(reports: Reports):
    assert "Three prices a day" in reports.said["tariffs"].splitlines()[0]
    assert dict(reports.run("tariffs").headline)["Tariffs compared"] == "6"


def test_joined__lists_words():
    assert [joined(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
