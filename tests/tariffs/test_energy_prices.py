"""Prices of a tariff follow the wall clock of the site, over both clock changes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.tariffs.calendar import Calendar
from ems.tariffs.clock import WEEKDAYS
from ems.tariffs.prices import contract_prices, energy_prices, period_of
from ems.tariffs.tariff import Tariff

BERLIN = "Europe/Berlin"
DAY = {"name": "day", "from_time": "08:00", "until_time": "20:00", "import_price_per_kwh": 0.18}
NIGHT = {"name": "night", "import_price_per_kwh": 0.12}


def tariff(*periods: dict) -> Tariff:
    return Tariff(id="contract", name="Contract", periods=[*periods])


def day_from(text: str, hours: float, step_h: float = 1.0, zone: str = BERLIN) -> Horizon:
    return Horizon.regular(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)), hours, step_h)


def bought(contract: Tariff, steps: Horizon, zone: str = BERLIN) -> list[float]:
    return energy_prices(contract, steps, zone)[0].tolist()


def test_energy_prices__summer_day():
    """12 hours of day between 8 of night before and 4 after, by the local clock, which is 2 h ahead of UTC."""
    assert bought(tariff(DAY, NIGHT), day_from("2024-06-03", 24)) == [0.12] * 8 + [0.18] * 12 + [0.12] * 4


def test_energy_prices__spring_day_has_one_hour_less_of_night():
    assert bought(tariff(DAY, NIGHT), day_from("2024-03-31", 23)) == [0.12] * 7 + [0.18] * 12 + [0.12] * 4


def test_energy_prices__autumn_day_has_one_hour_more_of_night():
    assert bought(tariff(DAY, NIGHT), day_from("2024-10-27", 25)) == [0.12] * 9 + [0.18] * 12 + [0.12] * 4


def test_energy_prices__an_hour_that_comes_twice_has_its_price_twice():
    two_to_three = {**DAY, "from_time": "02:00", "until_time": "03:00"}
    assert bought(tariff(two_to_three, NIGHT), day_from("2024-10-27", 5)) == [0.12, 0.12, 0.18, 0.18, 0.12]


def test_energy_prices__an_hour_that_does_not_come_has_no_price():
    two_to_three = {**DAY, "from_time": "02:00", "until_time": "03:00"}
    assert bought(tariff(two_to_three, NIGHT), day_from("2024-03-31", 4)) == [0.12] * 4


def test_energy_prices__zone_with_quarter_hours():
    """Kathmandu is 5:45 h ahead of UTC: its day begins at 02:15 UTC."""
    steps = Horizon.regular(dt.datetime(2024, 6, 3, tzinfo=dt.UTC), 3, 0.25)
    assert bought(tariff(DAY, NIGHT), steps, "Asia/Kathmandu") == [0.12] * 9 + [0.18] * 3


def test_energy_prices__weekday_and_month():
    """2024-06-30 is a Sunday, 2024-07-01 a Monday in another month."""
    sunday = {"name": "sunday", "import_price_per_kwh": 0.1, "weekdays": ["sun"]}
    july = {"name": "july", "import_price_per_kwh": 0.2, "months": [7]}
    assert bought(tariff(sunday, july, NIGHT), day_from("2024-06-29", 72, 12)) == [0.12, 0.12, 0.1, 0.1, 0.2, 0.2]


def test_energy_prices__export():
    export = {**DAY, "export_price_per_kwh": 0.10}
    sold = energy_prices(tariff(export, NIGHT), day_from("2024-06-03T07:00", 2), BERLIN)[1]
    np.testing.assert_array_equal(sold, [np.nan, 0.10])


@pytest.mark.parametrize(
    ("start", "hours", "step_h", "when"),
    [
        ("2024-06-03T00:00", 24, 3, "2024-06-03 08:00 CEST, within a step of 3 h"),
        ("2024-06-03T00:30", 24, 1, "2024-06-03 08:00 CEST, within a step of 1 h"),
        ("2024-06-03T07:00", 24, 24, "2024-06-03 08:00 CEST, within a step of 24 h"),
        ("2024-06-03T07:59:30", 1 / 60, 1 / 60, "2024-06-03 08:00 CEST, within a step of 0.0166667 h"),
        # 04:00 to 08:00 by the clock before, 04:00 to 09:00 by the clock after: 4 h steps from midnight miss.
        ("2024-10-27T00:00", 16, 4, "2024-10-27 08:00 CET, within a step of 4 h"),
    ],
)
def test_energy_prices__change_within_a_step_is_refused(start, hours, step_h, when):
    with pytest.raises(InvalidInput, match=f"tariff 'contract': the price changes at {when}; choose step_h"):
        bought(tariff(DAY, NIGHT), day_from(start, hours, step_h))


def test_energy_prices__period_that_the_clock_change_shortens_is_not_overlooked():
    """On the spring day 00:00 to 03:00 lasts 2 h: a step of 3 h from 23:30 has night's price at both ends."""
    early = {**DAY, "from_time": "00:00", "until_time": "03:00"}
    with pytest.raises(InvalidInput, match="the price changes at 2024-03-31 00:00 CET, within a step of 3 h"):
        bought(tariff(early, NIGHT), day_from("2024-03-30T23:30", 3, 3))


def test_energy_prices__steps_shorter_than_a_minute():
    """Eight steps of 15 s around 08:00."""
    prices = bought(tariff(DAY, NIGHT), day_from("2024-06-03T07:59:00", 1 / 30, 1 / 240))
    assert prices == [0.12] * 4 + [0.18] * 4


def test_energy_prices__steps_of_changing_length():
    start = dt.datetime(2024, 6, 3, 7, 30, tzinfo=ZoneInfo(BERLIN))
    assert bought(tariff(DAY, NIGHT), Horizon(start, (0.25, 0.25, 12, 11.5))) == [0.12, 0.12, 0.18, 0.12]


MARKET = np.array([0.10, -0.05])


def test_contract_prices__follow_the_market():
    """Twice the market's price plus 0.03, and export at 90 % of it less 0.01."""
    contract = Tariff(
        id="a",
        name="A",
        price_series=True,
        price_factor=2,
        surcharge_per_kwh=0.03,
        export_factor=0.9,
        export_deduction_per_kwh=0.01,
    )
    imports, exports = contract_prices(contract, day_from("2024-06-03", 2), BERLIN, market_price_per_kwh=MARKET)
    np.testing.assert_allclose(imports, [0.23, -0.07], atol=1e-15)
    np.testing.assert_allclose(exports, [0.08, -0.055], atol=1e-15)


def test_contract_prices__periods_come_on_top_of_the_market():
    """Grid fees of 0.12 at night and 0.18 by day; exports do not follow the market and earn the period's price."""
    night = {**NIGHT, "export_price_per_kwh": 0.08}
    contract = Tariff(id="a", name="A", price_series=True, periods=[{**DAY, "export_price_per_kwh": 0.08}, night])
    imports, exports = contract_prices(contract, day_from("2024-06-03T07:00", 2), BERLIN, market_price_per_kwh=MARKET)
    np.testing.assert_allclose(imports, [0.22, 0.13], atol=1e-15)
    np.testing.assert_allclose(exports, [0.08, 0.08], atol=1e-15)


def test_contract_prices__without_the_market():
    with pytest.raises(InvalidInput, match="tariff 'a': price_series = true: needs the market's prices"):
        contract_prices(Tariff(id="a", name="A", price_series=True), day_from("2024-06-03", 2), BERLIN)


TIERS = [
    {"up_to_kwh": 10, "import_price_per_kwh": 0.1},
    {"up_to_kwh": 20, "import_price_per_kwh": 0.2},
    {"import_price_per_kwh": 0.3},
]


@pytest.mark.parametrize(
    ("tier_period", "energy_kwh", "price"),
    [
        ("month", 0, 0.1),
        ("month", 9.9, 0.1),
        ("month", 10, 0.2),
        ("month", 25, 0.3),
        # June has 30 days: the tiers end at 300 and 600 kWh.
        ("day", 299, 0.1),
        ("day", 300, 0.2),
        ("day", 600, 0.3),
    ],
)
def test_contract_prices__tier_that_the_month_has_reached(tier_period, energy_kwh, price):
    contract = Tariff(id="a", name="A", tier_period=tier_period, periods=[{"name": "all", "tiers": TIERS}])
    steps = day_from("2024-06-03", 2)
    assert contract_prices(contract, steps, BERLIN, energy_of_month_kwh=energy_kwh)[0].tolist() == [price] * 2
    with pytest.raises(InvalidInput, match="tariff 'a': period 'all' has 3 tiers, and no single price without"):
        contract_prices(contract, steps, BERLIN)


def test_energy_prices__with_levies_and_taxes():
    """0.12 and a levy of 0.02 make 0.14; 19 % and 1 % on it make 0.168. A levy on own use is on no import."""
    contract = tariff({**NIGHT, "export_price_per_kwh": 0.08}).replace(
        levies=[
            {"name": "electricity tax", "rate_per_kwh": 0.02},
            {"name": "own use", "rate_per_kwh": 0.5, "applies_to": "self_consumption"},
        ],
        taxes=[{"name": "VAT", "share": 0.19}, {"name": "city", "share": 0.01, "base": "energy"}],
    )
    imports, exports = energy_prices(contract, day_from("2024-06-03", 1), BERLIN)
    np.testing.assert_allclose(imports, [0.168], atol=1e-15)
    np.testing.assert_array_equal(exports, [0.08])


def test_period_of__lines_of_one_name_and_price_are_one_period():
    """Morning and evening peak are the first line; night has the same price and another name."""
    peak = {"name": "peak", "import_price_per_kwh": 0.3, "weekdays": ["mon"]}
    contract = tariff(
        {**peak, "from_time": "06:00", "until_time": "08:00"},
        {**peak, "from_time": "08:00", "until_time": "09:00"},
        {"name": "rest", "import_price_per_kwh": 0.3},
    )
    assert period_of(contract, day_from("2024-06-03T05:00", 5), BERLIN).tolist() == [2, 0, 0, 0, 2]
    # A step over 08:00, where one line of the peak follows the other, has one price.
    assert period_of(contract, day_from("2024-06-03T06:00", 3, 3), BERLIN).tolist() == [0]


def test_period_of__holidays_and_typical_years():
    """1 May 2023 was a Monday and a holiday; a typical year has it on a Tuesday."""
    monday = {"name": "monday", "import_price_per_kwh": 0.3, "weekdays": ["mon"]}
    contract = tariff(monday, NIGHT).replace(holiday_calendar="DE")
    steps = day_from("2023-05-01", 48, 24)
    assert period_of(contract, steps, BERLIN).tolist() == [1, 1]
    assert period_of(contract, steps, BERLIN, Calendar()).tolist() == [0, 1]
    steps = day_from("2023-05-07", 48, 24)
    assert period_of(contract, steps, BERLIN, Calendar(is_typical=True)).tolist() == [0, 1]


def slow_price(contract: Tariff, moment: dt.datetime, zone: str) -> float:
    """The price at a moment as a person reads the contract: first line that fits the local clock."""
    local = moment.astimezone(ZoneInfo(zone))
    clock = f"{local:%H:%M}"
    for line in contract.periods:
        begin, end = line.from_time, line.until_time
        fits = begin <= clock < end if begin < end else clock >= begin or clock < end
        if fits and local.month in line.months and WEEKDAYS[local.weekday()] in line.weekdays:
            return line.import_price_per_kwh
    raise AssertionError(f"no line fits {local}")


CLOCK = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.sampled_from([0, 30]))
PERIODS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.just("period"),
            "import_price_per_kwh": st.floats(-1, 1),
            "from_time": CLOCK,
            "until_time": CLOCK | st.just("24:00"),
            "weekdays": st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
            "months": st.lists(st.integers(1, 12), min_size=1, unique=True),
        }
    ),
    max_size=3,
)
# Around clock changes of 2024, and any time.
STARTS = st.builds(
    lambda day, half_hours: day + dt.timedelta(minutes=30 * half_hours),
    st.sampled_from([dt.datetime(2024, month, day, tzinfo=dt.UTC) for month, day in [(3, 30), (10, 26), (4, 6)]])
    | st.datetimes(dt.datetime(1975, 1, 1), dt.datetime(2030, 1, 1)).map(
        lambda moment: moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=dt.UTC)
    ),
    st.integers(0, 47),
)
ZONES = st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo", "UTC"])


@settings(max_examples=examples(30), deadline=None)
@given(PERIODS, STARTS, ZONES)
def test_energy_prices__equal_a_slow_reading_of_the_contract(periods, start, zone):
    """Half-hour steps meet every change: offsets of these zones are whole half hours, Lord Howe's change too."""
    contract = tariff(*periods, NIGHT)
    steps = Horizon.regular(start, 60, 0.5)
    expected = [slow_price(contract, time.to_pydatetime().replace(tzinfo=dt.UTC), zone) for time in steps.times]
    assert bought(contract, steps, zone) == expected


@settings(max_examples=examples(30), deadline=None)
@given(PERIODS, STARTS, ZONES, st.sampled_from([2.0, 3.0, 6.0, 12.0, 36.0]))
def test_energy_prices__refused_just_where_half_hours_within_a_step_differ(periods, start, zone, step_h):
    contract = tariff(*periods, NIGHT)
    steps = Horizon.regular(start, 36, step_h)
    halves = Horizon.regular(start, 36, 0.5)
    slow = [slow_price(contract, time.to_pydatetime().replace(tzinfo=dt.UTC), zone) for time in halves.times]
    groups = np.reshape(slow, (len(steps), -1))
    # Lines of one name and one price count as one, so that a change between them is none.
    prices = [one.import_price_per_kwh for one in contract.periods]
    by_period = contract.replace(
        periods=[
            {**one.given(), "import_price_per_kwh": float(prices.index(one.import_price_per_kwh))}
            for one in contract.periods
        ]
    )
    numbers = [slow_price(by_period, time.to_pydatetime().replace(tzinfo=dt.UTC), zone) for time in halves.times]
    if all(len(set(group)) == 1 for group in np.reshape(numbers, (len(steps), -1)).tolist()):
        assert bought(contract, steps, zone) == groups[:, 0].tolist()
    else:
        with pytest.raises(InvalidInput, match="the price changes at"):
            bought(contract, steps, zone)
