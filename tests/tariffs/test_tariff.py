"""A tariff says for each minute of local civil time which of its periods holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.tariffs.tariff import WEEKDAYS, EnergyPeriod, Tariff, minutes_of

REST = {"name": "rest", "import_price_per_kwh": 0.1}


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


def test_period_at__first_that_holds_wins():
    """Both hold at noon on a Sunday; before 08:00 only the last one does."""
    contract = tariff({**REST, "weekdays": ["sun"], "from_time": "08:00"}, {**REST, "from_time": "06:00"}, REST)
    sunday = WEEKDAYS.index("sun")
    assert contract.period_at(1, sunday, minutes_of("12:00")) == 0
    assert contract.period_at(1, sunday, minutes_of("07:00")) == 1
    assert contract.period_at(1, sunday, minutes_of("05:59")) == 2
    assert contract.period_at(1, 0, minutes_of("12:00")) == 1


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
    with pytest.raises(InvalidInput, match="periods = "):
        tariff()


CLOCK = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


@given(CLOCK, CLOCK | st.just("24:00"), st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True))
def test_period_at__changes_only_at_breaks(from_time, until_time, weekdays):
    """Between two neighbouring breaks one period holds, each minute of them."""
    contract = tariff({**REST, "from_time": from_time, "until_time": until_time, "weekdays": weekdays}, REST)
    for weekday in range(7):
        held = [contract.period_at(1, weekday, minute) for minute in range(1440)]
        changes = {minute for minute in range(1, 1440) if held[minute] != held[minute - 1]}
        assert changes <= set(contract.breaks())
