"""A tariff in sentences, and its prices by month and hour."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from ems.horizon import Horizon
from ems.tariffs.clock import Hours
from ems.tariffs.description import describe, describe_hours
from ems.tariffs.price_table import price_table, tariff_price_table
from ems.tariffs.prices import energy_prices
from ems.tariffs.tariff import Tariff

WORK = ["mon", "tue", "wed", "thu", "fri"]
PEAK = {"name": "peak", "import_price_per_kwh": 0.3, "from_time": "16:00", "until_time": "20:00", "weekdays": WORK}
REST = {"name": "rest", "import_price_per_kwh": 0.1, "export_price_per_kwh": 0.08}


def tariff(*periods: dict, **fields) -> Tariff:
    return Tariff(id="contract", name="Contract", periods=[*periods], **fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "at all times"),
        ({"from_time": "08:30", "until_time": "08:30"}, "at all times"),
        ({"from_time": "22:00", "until_time": "06:00"}, "22:00 to 06:00"),
        ({"weekdays": WORK}, "Monday to Friday"),
        ({"weekdays": ["sun", "holiday"]}, "Sunday, holidays"),
        ({"weekdays": ["mon", "wed"]}, "Monday, Wednesday"),
        ({"months": [11, 12, 1, 2]}, "November to February"),
        ({"months": [12]}, "December"),
        ({"months": [1, 6, 7, 12]}, "June to July, December to January"),
        ({"from_date": "11-15", "until_date": "03-01"}, "15 November to 1 March"),
        ({"weekdays": ["sat"], "from_time": "08:00", "months": [6]}, "Saturday, 08:00 to 24:00, June"),
    ],
)
def test_describe_hours__words(fields, words):
    assert describe_hours(Hours(**fields)) == words


def test_describe__energy():
    assert describe(tariff(PEAK, {**PEAK, "weekdays": ["sat"], "from_time": "18:00"}, REST, currency="EUR")) == (
        "peak (Monday to Friday, 16:00 to 20:00; or Saturday, 18:00 to 20:00): import 0.3 EUR/kWh.",
        "rest (at all other times): import 0.1 EUR/kWh, export 0.08 EUR/kWh.",
    )


def test_describe__tiers_and_net_metering():
    tiers = [{"up_to_kwh": 10, "import_price_per_kwh": 0.1}, {"import_price_per_kwh": 0.2}]
    contract = tariff(
        {"name": "all", "tiers": tiers},
        tier_period="day",
        metering="net_metering",
        year_end_price_per_kwh=0.03,
        year_end_month=3,
    )
    assert describe(contract, "USD") == (
        "all (at all times): import 0.1 USD/kWh up to 10 kWh of a day; import 0.2 USD/kWh above 10 kWh of a day.",
        "Exported kWh of a period balance imported ones of the month; the rest goes into the next month.",
        "What is left at the end of March is paid 0.03 USD/kWh.",
    )


def test_describe__market_price_levies_and_taxes():
    contract = Tariff(
        id="a",
        name="A",
        price_series=True,
        surcharge_per_kwh=0.02,
        export_factor=0.9,
        holiday_calendar="DE-BY",
        levies=[
            {"name": "KWKG", "rate_per_kwh": 0.003, "exempt_above_kwh_per_a": 100_000},
            {"name": "own use", "rate_per_kwh": 0.02, "applies_to": "self_consumption"},
        ],
        taxes=[{"name": "VAT", "share": 0.19}, {"name": "city tax", "share": 0.05, "base": "energy"}],
    )
    assert describe(contract, "EUR") == (
        "Import costs 1 times the market's price plus 0.02 EUR/kWh.",
        "Export earns 0.9 times the market's price less 0 EUR/kWh.",
        "Holidays are those of DE-BY.",
        "KWKG is 0.003 EUR for each kWh imported, up to 100000 kWh a year.",
        "own use is 0.02 EUR for each kWh made and used on site.",
        "VAT of 0.19 is on all charges.",
        "city tax of 0.05 is on the cost of energy and its levies.",
    )


@pytest.mark.parametrize(
    ("charge", "sentence"),
    [
        (
            {"rate_per_kw": 10, "free_kw": 5, "minimum_kw": 20},
            "p: the highest power of each month (at all times) costs 10 EUR/kW; 5 kW are free; at least 20 kW are "
            "billed.",
        ),
        (
            {"rate_per_kw": 10, "unit": "kva", "power_factor": 0.9, "basis": "export", "period": "day"},
            "p: the highest power of export of each day (at all times) costs 10 EUR/kVA.",
        ),
        (
            {"rate_per_kw": 10, "highest_days": 3, "ratchet": {"share": 0.8, "previous": 11}},
            "p: the mean of the 3 highest daily peaks of each month (at all times) costs 10 EUR/kW; at least 0.8 of "
            "the highest peak of the 11 months before is billed.",
        ),
        (
            {"rate_per_kw": 10, "ratchet": {"share": 0.8, "periods": [1, 7]}, "window_series": "is_peak"},
            "p: the highest power of each month (where is_peak is 1) costs 10 EUR/kW; at least 0.8 of the highest "
            "peak of January, July is billed.",
        ),
        (
            {"rate_per_kw": 10, "coincident_times": ["2024-06-03T17:00Z"], "coincident_of": "mean"},
            "p: the mean power of each month, at the 1 given moments of the utility's peaks, costs 10 EUR/kW.",
        ),
        (
            {
                "seasons": [{"months": [6, 7], "rate_per_kw": 20}],
                "tiers": [{"up_to_kw": 50, "rate_per_kw": 4}, {"rate_per_kw": 5}],
                "windows": [{"weekdays": ["sat"]}, {"from_time": "08:00"}],
            },
            "p: the highest power of each month (Saturday; or 08:00 to 24:00) costs 20 EUR/kW in June to July, 4 "
            "EUR/kW up to 50 kW and 5 EUR/kW above 50 kW otherwise.",
        ),
    ],
)
def test_describe__demand(charge, sentence):
    contract = tariff(REST, demand_charges=[{"name": "p", **charge}], currency="EUR")
    assert describe(contract)[1:] == (sentence,)


def test_describe__fixed_charges():
    contract = tariff(
        REST,
        fixed_cost_per_month=12,
        fixed_cost_per_d=0.4,
        minimum_cost_per_month=5,
        minimum_cost_per_a=100,
        contracted_kw=50,
        capacity_cost_per_kw_month=2,
        metering="buy_all_sell_all",
    )
    assert describe(contract, "EUR")[1:] == (
        "All generation is sold and all demand is bought.",
        "A fixed charge is 12 EUR a month.",
        "A fixed charge is 0.4 EUR a day.",
        "The least charge is 5 EUR a month.",
        "The least charge is 100 EUR a year.",
        "The contracted 50 kW cost 2 EUR for each kW and month.",
    )


def test_tariff_price_table__mean_of_kinds_of_days_and_parts_of_hours():
    """From 16:30, the hour of 16 is half at the peak's 0.3: 0.2 on a workday, 0.171 as mean of a week."""
    contract = tariff({**PEAK, "from_time": "16:30", "months": [6]}, REST)
    workday = tariff_price_table(contract, ("mon",))
    assert workday.loc[6, 15:20].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.3, 0.3, 0.1])
    assert workday.loc[5].tolist() == pytest.approx([0.1] * 24)
    assert tariff_price_table(contract).loc[6, 16] == pytest.approx((5 * 0.2 + 2 * 0.1) / 7)


def test_tariff_price_table__season_that_begins_within_a_month():
    """June has 30 days, of which the last ten cost 0.4."""
    contract = tariff(
        {"name": "season", "import_price_per_kwh": 0.4, "from_date": "06-21", "until_date": "07-31"}, REST
    )
    assert tariff_price_table(contract).loc[[6, 7], 0].tolist() == pytest.approx([(20 * 0.1 + 10 * 0.4) / 30, 0.4])


def test_tariff_price_table__on_top_of_the_market():
    contract = Tariff(id="a", name="A", price_series=True, surcharge_per_kwh=0.02)
    np.testing.assert_allclose(tariff_price_table(contract), 0.02, rtol=1e-12)


def test_price_table__is_that_of_the_contract_over_a_common_year():
    """Over all days of 2023, hours of a month have the mean of its workdays and weekends."""
    contract = tariff(PEAK, REST)
    steps = Horizon.regular(dt.datetime(2023, 1, 1, tzinfo=dt.UTC), 8760, 0.5)
    prices = energy_prices(contract, steps, "UTC")[0]
    table = price_table(prices, steps, "UTC")
    # June 2023 has 22 workdays and 8 days of weekends.
    assert table.loc[6, [0, 17]].tolist() == pytest.approx([0.1, (22 * 0.3 + 8 * 0.1) / 30])
    by_kind = price_table(prices, steps, "UTC", ("tue",))
    np.testing.assert_allclose(by_kind, tariff_price_table(contract, ("tue",)), atol=1e-12)


def test_price_table__hours_outside_the_horizon_are_empty():
    steps = Horizon.regular(dt.datetime(2024, 6, 3, 22, tzinfo=dt.UTC), 2)
    table = price_table(np.array([0.1, 0.2]), steps, "Europe/Berlin")
    assert table.loc[6, [0, 1]].tolist() == [0.1, 0.2]
    assert table.notna().sum(axis=None) == 2
