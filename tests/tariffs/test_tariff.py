"""A tariff says for each minute of local civil time which of its periods holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.tariffs.calendar import CivilTime
from ems.tariffs.clock import DAYS, WEEKDAYS, minutes_of
from ems.tariffs.period_table import HoursTable
from ems.tariffs.tariff import EnergyPeriod, Tariff

REST = {"name": "rest", "import_price_per_kwh": 0.1}
EARLY = {**REST, "name": "early", "from_time": "06:00"}
TIER = {"import_price_per_kwh": 0.2}
FIRST = {"import_price_per_kwh": 0.1, "up_to_kwh": 100}


def tariff(*periods: dict) -> Tariff:
    return Tariff(id="contract", name="Contract", periods=[*periods])


def period(**fields) -> EnergyPeriod:
    return EnergyPeriod(**{**REST, **fields})


@pytest.mark.parametrize(
    ("from_time", "until_time", "inside", "outside"),
    [
        ("08:00", "20:00", ["08:00", "19:59"], ["07:59", "20:00", "00:00"]),
        ("22:00", "06:00", ["22:00", "23:59", "00:00", "05:59"], ["06:00", "21:59"]),
        ("22:00", "24:00", ["22:00", "23:59"], ["00:00", "21:59"]),
        ("00:00", "24:00", ["00:00", "12:00", "23:59"], []),
        ("08:30", "08:30", ["08:30", "08:29", "00:00"], []),
        ("24:00", "06:00", ["00:00", "05:59"], ["06:00", "23:59"]),
    ],
)
def test_holds_at__wall_clock(from_time, until_time, inside, outside):
    """The beginning is inside and the end is not; equal ends go once round the clock."""
    hours = period(from_time=from_time, until_time=until_time)
    assert all(hours.holds_at(1, 0, minutes_of(time)) for time in inside)
    assert not any(hours.holds_at(1, 0, minutes_of(time)) for time in outside)


def test_holds_at__hours_after_midnight_belong_to_the_new_day():
    """Friday 22:00 to 06:00 is Friday evening and Friday's own early morning, not Saturday's."""
    night = period(from_time="22:00", until_time="06:00", weekdays=["fri"])
    friday, saturday = WEEKDAYS.index("fri"), WEEKDAYS.index("sat")
    assert night.holds_at(1, friday, minutes_of("23:00"))
    assert night.holds_at(1, friday, minutes_of("05:00"))
    assert not night.holds_at(1, saturday, minutes_of("05:00"))


def test_holds_at__months():
    winter = period(months=[11, 12, 1, 2])
    assert [month for month in range(1, 13) if winter.holds_at(month, 0, 0)] == [1, 2, 11, 12]


def held_at(contract: Tariff, moment: str) -> str:
    """Name of the period that holds at a moment of local civil time."""
    when = contract.calendar.at(pd.DatetimeIndex([moment]))
    return contract.periods[HoursTable(contract.periods).at(when)[0]].name


def test_hours_table__first_that_holds_wins():
    """On Sunday 7 January 2024 both hold at noon; before 08:00 only the later ones do."""
    contract = tariff({**REST, "name": "sun", "weekdays": ["sun"], "from_time": "08:00"}, EARLY, REST)
    moments = ["2024-01-07 12:00", "2024-01-07 07:00", "2024-01-07 05:59", "2024-01-08 12:00"]
    assert [held_at(contract, one) for one in moments] == ["sun", "early", "rest", "early"]


@pytest.mark.parametrize(
    ("first", "last", "inside", "outside"),
    [
        ("06-01", "09-30", ["2024-06-01 00:00", "2024-09-30 23:59"], ["2024-05-31 23:59", "2024-10-01 00:00"]),
        ("11-15", "02-29", ["2024-11-15", "2023-02-28 23:59", "2024-02-29"], ["2024-11-14 23:59", "2024-03-01"]),
        ("12-31", "12-31", ["2024-12-31"], ["2024-12-30", "2025-01-01"]),
    ],
)
def test_hours_table__season_between_dates(first, last, inside, outside):
    """Both days belong to the season; one that ends before it begins spans the new year."""
    contract = tariff({**REST, "name": "season", "from_date": first, "until_date": last}, REST)
    assert [held_at(contract, one) for one in inside] == ["season"] * len(inside)
    assert [held_at(contract, one) for one in outside] == ["rest"] * len(outside)


def test_hours_table__holidays_of_a_region_are_no_weekdays():
    """Corpus Christi, Thursday 30 May 2024, is a holiday in Bavaria and a workday in Berlin."""
    periods = ({**REST, "name": "work", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}, REST)
    held = [
        held_at(Tariff(id="a", name="A", holiday_calendar=code, periods=periods), "2024-05-30 12:00")
        for code in ("DE-BY", "DE-BE")
    ]
    assert held == ["rest", "work"]


@pytest.mark.parametrize(
    ("periods", "slot"),
    [
        ([{**REST, "from_time": "08:00", "until_time": "20:00"}], "month 1 on mon at 00:00"),
        ([{**REST, "until_time": "23:30"}], "month 1 on mon at 23:30"),
        ([{**REST, "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat"]}], "month 1 on sun at 00:00"),
        ([{**REST, "months": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}], "month 12 on mon at 00:00"),
        (
            [
                {**REST, "from_time": "06:00", "until_time": "22:00"},
                {**REST, "from_time": "22:00", "until_time": "05:45"},
            ],
            "month 1 on mon at 05:45",
        ),
    ],
)
def test_tariff__gap_in_cover_is_named(periods, slot):
    with pytest.raises(InvalidInput, match=f"tariff 'contract': no period holds in {slot}; end the list with one"):
        tariff(*periods)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"from_time": "8:00"}, r"periods\.1\.from_time = '8:00': must be a time of day from 00:00 to 24:00"),
        ({"until_time": "24:01"}, r"periods\.1\.until_time = '24:01': must be a time of day"),
        ({"from_time": "08:00\n"}, r"periods\.1\.from_time = '08:00\\u000a': must be a time of day"),
        ({"from_time": 480}, r"periods\.1\.from_time = 480: must be text; put it in quotes"),
        ({"weekdays": ["mo"]}, r"periods\.1\.weekdays\.1 = 'mo': must be 'mon', 'tue'"),
        ({"months": [13]}, r"periods\.1\.months\.1 = 13: must be at most 12"),
        ({"import_price_per_kwh": "0,18"}, r"periods\.1\.import_price_per_kwh = '0,18': must be a number"),
        ({"import_price": 0.18}, r"periods\.1\.import_price: no such field; did you mean import_price_per_kwh\?"),
    ],
)
def test_tariff__message_names_period_field_and_value(fields, message):
    with pytest.raises(InvalidInput, match=message):
        tariff({**REST, **fields})


def test_tariff__no_period():
    with pytest.raises(InvalidInput, match="periods: at least one is required, where price_series does not give"):
        tariff()


def test_tariff__holiday_without_a_period_is_a_gap():
    week = {**REST, "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
    with pytest.raises(InvalidInput, match="no period holds in month 1 on holiday at 00:00"):
        Tariff(id="a", name="A", holiday_calendar="US", periods=[week])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"currency": "eur"}, "currency = 'eur': must be 3 capital letters, as in EUR"),
        ({"holiday_calendar": "XX"}, "holiday_calendar = 'XX': no such country"),
        ({"holiday_calendar": "DE-BX"}, r"holiday_calendar = 'DE-BX': no such region; did you mean DE-"),
        ({"price_factor": 2}, "price_factor = 2: needs price_series: true"),
        ({"surcharge_per_kwh": 0.02}, "surcharge_per_kwh = 0.02: needs price_series: true"),
        ({"export_factor": 1}, "export_factor = 1: needs price_series: true"),
        ({"price_series": True, "export_deduction_per_kwh": 0.01}, "export_deduction_per_kwh = 0.01: needs export"),
        ({"year_end_price_per_kwh": 0.03}, "year_end_price_per_kwh = 0.03: needs metering: net_metering"),
        ({"year_end_month": 3}, "year_end_month = 3: needs metering: net_metering"),
        ({"price_series": True, "metering": "net_metering"}, "hours with different market prices cannot balance"),
        ({"tier_period": "day"}, "tier_period = 'day': needs energy tiers"),
        ({"contracted_kw": 20}, "contracted_kw and capacity_cost_per_kw_month: need each other"),
        ({"minimum_cost_per_a": -1}, "minimum_cost_per_a = -1.*: must be at least 0"),
        ({"levies": [{"name": "a", "rate_per_kwh": 1}] * 2}, "two levies have the name 'a'; names are unique"),
        ({"taxes": [{"name": "a", "share": -0.1}]}, r"taxes\.1\.share = -0.1: must be at least 0"),
        ({"periods": [{**REST, "weekdays": ["holiday"]}, REST]}, "weekdays = 'holiday': needs holiday_calendar"),
        ({"periods": [{"name": "all"}]}, "import_price_per_kwh: is required, where tiers do not give the price"),
        ({"periods": [{**REST, "tiers": [TIER]}]}, "import_price_per_kwh = 0.1: the tiers give the price already"),
        ({"periods": [{"name": "all", "tiers": [FIRST]}]}, "the last one ends at up_to_kwh = 100 kWh; leave it out"),
        ({"periods": [{"name": "all", "tiers": [TIER, TIER]}]}, "tiers: up_to_kwh is required in all but the last"),
        (
            {"periods": [{"name": "all", "tiers": [FIRST, FIRST, TIER]}]},
            "up_to_kwh = 100 kWh: must be above that of the tier before, 100 kWh",
        ),
        ({"periods": [{**REST, "from_date": "06-01"}]}, "from_date = '06-01': needs until_date, too"),
        ({"periods": [{**REST, "from_date": "06-31", "until_date": "07-01"}]}, "must be a month and a day, as in 06-"),
        ({"periods": [{**REST, "weekdays": []}]}, r"periods\.1\.weekdays"),
    ],
)
def test_tariff__field_that_could_have_no_effect_is_refused(fields, message):
    with pytest.raises(InvalidInput, match=message):
        Tariff(**{"id": "contract", "name": "Contract", "periods": [REST], **fields})


CLOCK = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


@given(CLOCK, CLOCK | st.just("24:00"), st.lists(st.sampled_from(DAYS), min_size=1, unique=True))
def test_hours_table__is_the_slow_reading_of_each_minute(from_time, until_time, weekdays):
    """Looking up season, kind of day and break gives what each line of the contract says of the minute."""
    hours = period(from_time=from_time, until_time=until_time, weekdays=weekdays)
    minute = np.arange(1440)
    for kind in range(len(DAYS)):
        same = np.zeros(1440, dtype=int)
        found = HoursTable([hours, period()]).at(CivilTime(same, same, same + kind, same + 101, minute))
        assert (found == 0).tolist() == [hours.holds_at(1, kind, one) for one in range(1440)]
