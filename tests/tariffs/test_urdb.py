"""Import of rates of the Utility Rate Database."""

from __future__ import annotations

import datetime as dt

import pytest

from ems.errors import EmsWarning, InvalidInput
from ems.tariffs.demand_charge import DemandTier
from ems.tariffs.tariff import Tariff
from ems.tariffs.urdb import KW_PER_HORSEPOWER, tariff_from_urdb

WEEKDAY = [[0] * 16 + [1] * 4 + [0] * 4] * 12
WEEKEND = [[0] * 24] * 12
RATE = {
    "label": "539F6BA3",
    "utility": "Harbour Power",
    "name": "TOU-8",
    "energyratestructure": [[{"rate": 0.10}], [{"rate": 0.30, "adj": 0.02}]],
    "energyweekdayschedule": WEEKDAY,
    "energyweekendschedule": WEEKEND,
}


def imported(arguments: dict | None = None, **fields) -> Tariff:
    return tariff_from_urdb({**RATE, **fields}, **(arguments or {}))


def test_tariff_from_urdb__energy_periods():
    """Weekdays from 16:00 to 20:00 cost 0.30 and an adjustment of 0.02 USD/kWh, all other hours 0.10."""
    tariff = imported()
    assert (tariff.id, tariff.name, tariff.currency) == ("539f6ba3", "Harbour Power TOU-8", "USD")
    prices = {
        hour: next(one.import_price_per_kwh for one in tariff.periods if one.holds_at(6, 0, hour * 60))
        for hour in (15, 16, 19, 20)
    }
    assert prices == pytest.approx({15: 0.10, 16: 0.32, 19: 0.32, 20: 0.10}, abs=1e-15)
    assert all(one.export_price_per_kwh is None for one in tariff.periods)
    assert next(one for one in tariff.periods if one.holds_at(6, 6, 17 * 60)).name == "period 0"


def test_tariff_from_urdb__answer_with_one_rate():
    assert tariff_from_urdb({"items": [RATE]}) == imported()
    with pytest.raises(InvalidInput, match="URDB rates: items: must hold one rate; choose one of them"):
        tariff_from_urdb({"items": [RATE, RATE]})


def test_tariff_from_urdb__upper_and_lower_case_are_alike():
    assert tariff_from_urdb({key.upper(): value for key, value in RATE.items()}) == imported()


def test_tariff_from_urdb__tiers_and_sell_rates():
    """A tier of 20 kWh a day, whose last one ends nowhere, whatever 1e38 the database says."""
    tiers = [{"rate": 0.1, "max": 20, "unit": "kWh daily", "sell": 0.05}, {"rate": 0.2, "max": 1e38}]
    tiers[1]["unit"] = "kWh daily"
    tariff = imported(energyratestructure=[tiers, tiers])
    assert tariff.tier_period == "day"
    assert [(one.up_to_kwh, one.export_price_per_kwh) for one in tariff.periods[0].tiers] == [(20, 0.05), (None, 0)]


def test_tariff_from_urdb__fuel_adjustment_of_a_month():
    """January costs 0.01 USD/kWh more at all hours, and its energy is a period of its own."""
    tariff = imported(fueladjustmentsmonthly=[0.01] + [0] * 11)
    prices = [
        next(one.import_price_per_kwh for one in tariff.periods if one.holds_at(month, 0, hour * 60))
        for month, hour in ((1, 0), (1, 17), (2, 0), (12, 17))
    ]
    assert prices == pytest.approx([0.11, 0.33, 0.10, 0.32], abs=1e-15)


def test_tariff_from_urdb__flat_demand_by_season_with_look_back():
    tariff = imported(
        flatdemandstructure=[[{"rate": 6}], [{"rate": 12, "max": 50}, {"rate": 10}]],
        flatdemandmonths=[0] * 5 + [1] * 4 + [0] * 3,
        lookbackPercent=0.8,
        lookbackMonths=[0] * 6 + [1] + [0] * 5,
        lookbackRange=0,
    )
    (charge,) = tariff.demand_charges
    assert charge.tiers_of("2024-01") == (DemandTier(rate_per_kw=6),)
    assert charge.tiers_of("2024-06") == (DemandTier(up_to_kw=50, rate_per_kw=12), DemandTier(rate_per_kw=10))
    assert (charge.ratchet.share, charge.ratchet.periods) == (0.8, (7,))
    assert (
        imported(flatdemandstructure=[[{"rate": 6}]], lookbackPercent=0.8, lookbackRange=11)
        .demand_charges[0]
        .ratchet.previous
        == 11
    )


def test_tariff_from_urdb__demand_of_windows():
    """Only the period with a price is a charge: weekdays from 16:00 to 20:00."""
    tariff = imported(
        demandratestructure=[[{"rate": 0}], [{"rate": 15}]],
        demandweekdayschedule=WEEKDAY,
        demandweekendschedule=WEEKEND,
    )
    (charge,) = tariff.demand_charges
    assert charge.name == "demand of period 1"
    assert [(one.from_time, one.until_time) for one in charge.hours] == [("16:00", "20:00")]


@pytest.mark.parametrize(
    ("unit", "arguments", "expected"),
    [
        ("hp", {}, ("kw", "month", 10 / KW_PER_HORSEPOWER)),
        ("kVA", {"power_factor": 0.9}, ("kva", "month", 10.0)),
        ("kW daily", {}, ("kw", "day", 10.0)),
    ],
)
def test_tariff_from_urdb__units_of_power(unit, arguments, expected):
    """10 USD for a horsepower are 13.41 USD for a kW."""
    tariff = imported(
        arguments,
        demandratestructure=[[{"rate": 10}]],
        demandweekdayschedule=WEEKEND,
        demandrateunit=unit,
    )
    (charge,) = tariff.demand_charges
    rate = charge.tiers_of("2024-06-01" if expected[1] == "day" else "2024-06")[0].rate_per_kw
    assert (charge.unit, charge.period, rate) == expected


def test_tariff_from_urdb__coincident_demand_at_moments_in_their_period():
    """Of two moments, one at 17:00 and one at 03:00 local time, the first is in the period with a price."""
    zone = dt.timezone(dt.timedelta(hours=-8))
    moments = [dt.datetime(2024, 7, 10, hour, 15, tzinfo=zone) for hour in (17, 3)]
    tariff = imported(
        {"coincident_times": moments},
        coincidentratestructure=[[{"rate": 0}], [{"rate": 7}]],
        coincidentrateschedule=WEEKDAY,
    )
    (charge,) = tariff.demand_charges
    assert charge.coincident_times == (moments[0],)
    assert charge.is_coincident


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"fixedchargefirstmeter": 12}, {"fixed_cost_per_month": 12}),
        ({"fixedchargefirstmeter": 0.4, "fixedchargeunits": "$/day"}, {"fixed_cost_per_d": 0.4}),
        ({"fixedchargefirstmeter": 120, "fixedchargeunits": "$/year"}, {"fixed_cost_per_month": 10}),
        ({"fixedmonthlycharge": 5}, {"fixed_cost_per_month": 5}),
        ({"mincharge": 8}, {"minimum_cost_per_month": 8}),
        ({"mincharge": 90, "minchargeunits": "$/year"}, {"minimum_cost_per_a": 90}),
        ({"minmonthlycharge": 7, "annualmincharge": 100}, {"minimum_cost_per_month": 7, "minimum_cost_per_a": 100}),
        ({"dgrules": "Net Metering"}, {"metering": "net_metering"}),
        ({"dgrules": "Net Billing Hourly"}, {"metering": "net_billing"}),
        ({"dgrules": "Buy All Sell All"}, {"metering": "buy_all_sell_all"}),
        ({"usenetmetering": True}, {"metering": "net_metering"}),
    ],
)
def test_tariff_from_urdb__other_fields(fields, expected):
    tariff = imported(**fields)
    assert {name: getattr(tariff, name) for name in expected} == pytest.approx(expected)


def test_tariff_from_urdb__holidays_go_by_the_weekend_schedule():
    tariff = imported({"holiday_calendar": "US"})
    assert tariff.holiday_calendar == "US"
    assert next(one for one in tariff.periods if one.holds_at(7, 7, 17 * 60)).name == "period 0"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"demandwindow": 15}, "demandwindow = 15 min: each step's power is billed; choose step_h = 0.25"),
        ({"mincharge": 0.4, "minchargeunits": "$/day"}, r"mincharge = 0.4 \$/day: is taken as 12.17 \$/month"),
    ],
)
def test_tariff_from_urdb__approximation_is_said(fields, message):
    """0.4 USD on each of 365 days are 12.17 USD in a mean month."""
    with pytest.warns(EmsWarning, match=message):
        imported(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"energyratestructure": None}, "energyratestructure: is required"),
        ({"energyratestructure": [[0.1]]}, "energyratestructure: must be a list of periods, each a list of tiers"),
        (
            {"energyratestructure": [[{"rate": 1, "max": 9, "unit": "kWh/kW"}, {"rate": 2, "unit": "kWh/kW"}]] * 2},
            "energyratestructure: unit: is kwh/kw; must be kWh or kWh daily",
        ),
        ({"energyweekdayschedule": [[5] * 24] * 12}, "energyweekdayschedule: must have 12 months of 24 hours, with"),
        ({"energyweekendschedule": [[0] * 24] * 9}, "energyweekendschedule: must have 12 months of 24 hours"),
        ({"energyweekdayschedule": None, "energyweekendschedule": []}, "energyweekdayschedule: is required beside"),
        ({"fueladjustmentsmonthly": [1, 2]}, "fueladjustmentsmonthly: must have 12 numbers"),
        ({"demandreactivepowercharge": 0.3}, "demandreactivepowercharge: reactive power is not billed"),
        ({"demandratchetpercentage": [0.5] * 12}, "demandratchetpercentage: a share for each month is not known"),
        ({"lookbackPercent": 0.8, "lookbackRange": 3}, "lookbackPercent: holds for flatdemandstructure, of which"),
        (
            {
                "flatdemandstructure": [[{"rate": 1}]],
                "lookbackPercent": 0.8,
                "lookbackRange": 3,
                "lookbackMonths": [1] * 12,
            },
            "lookbackRange: and lookbackMonths both say what is looked back at; keep one",
        ),
        (
            {"flatdemandstructure": [[{"rate": 1}]], "flatdemandmonths": [1] * 12},
            "flatdemandmonths: must have 12 numbers of periods of flatdemandstructure",
        ),
        ({"coincidentratestructure": [[{"rate": 1}]]}, "coincidentratestructure: needs the moments of the peaks"),
        ({"flatdemandstructure": [[{"rate": 1}]], "flatdemandunit": "kVA"}, "flatdemandunit: is kVA: give power_fac"),
        ({"flatdemandstructure": [[{"rate": 1}]], "flatdemandunit": "A"}, "flatdemandunit: is 'a'; must be kW, kVA"),
        ({"dgrules": "Barter"}, "dgrules: is 'Barter'; must be one of net metering"),
        ({"fixedchargeunits": "$/week"}, r"fixedchargeunits: is '\$/week'; must be \$/month, \$/day or \$/year"),
        ({"fixedchargefirstmeter": "12"}, "fixedchargefirstmeter: is '12' and must be a number"),
    ],
)
def test_tariff_from_urdb__what_a_tariff_cannot_state_is_refused(fields, message):
    with pytest.raises(InvalidInput, match=f"URDB rate 'Harbour Power TOU-8': {message}"):
        imported(**fields)
