"""Demand charges: windows and periods in local civil time, labels, ratchets and what a record refuses."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.tariffs.calendar import Calendar
from ems.tariffs.clock import WEEKDAYS
from ems.tariffs.demand_charge import DemandCharge, Ratchet
from ems.tariffs.demand_periods import DemandPeriod, demand_periods
from ems.tariffs.period_table import HoursTable
from ems.tariffs.tariff import EnergyPeriod


def charge(**fields) -> DemandCharge:
    return DemandCharge(**{"name": "peak", "rate_per_kw": 10, **fields})


def periods(
    one: DemandCharge, start: str, steps: int, step_h: float = 1.0, timezone: str = "Europe/Berlin", **series
) -> dict[str, DemandPeriod]:
    """The periods of a charge by label, for steps from a local time."""
    begin = pd.Timestamp(start, tz=timezone).to_pydatetime().astimezone(dt.UTC)
    horizon = Horizon.regular(begin, steps * step_h, step_h)
    given = {name: np.array(values, dtype=float) for name, values in series.items()}
    return {found.label: found for found in demand_periods(one, horizon, timezone, given)}


def test_demand_periods__months_begin_at_local_midnight():
    """From 22:00 on 31 May, two hours are in May and two in June; in UTC all four would be in May."""
    found = periods(charge(), "2024-05-31 22:00", 4)

    assert {label: one.steps.tolist() for label, one in found.items()} == {"2024-05": [0, 1], "2024-06": [2, 3]}


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-03", 24)])
def test_demand_periods__days_of_23_and_25_hours(day, hours):
    found = periods(charge(period="day"), day, 30)

    assert len(found[day].steps) == hours
    assert sum(len(one.steps) for one in found.values()) == 30


def test_demand_periods__window_of_weekdays():
    """Friday 7 June 2024 to Monday 10 June: 16:00 to 20:00 counts on two of the four days."""
    one = charge(from_time="16:00", until_time="20:00", weekdays=["mon", "tue", "wed", "thu", "fri"])
    found = periods(one, "2024-06-07", 96)

    assert found["2024-06"].steps.tolist() == [16, 17, 18, 19, 88, 89, 90, 91]


def test_demand_periods__window_over_midnight():
    """Hours after midnight belong to the new day: Saturday counts from 00:00 to 06:00 and from 22:00."""
    one = charge(from_time="22:00", until_time="06:00", weekdays=["sat"])
    found = periods(one, "2024-06-07 18:00", 36)

    assert found["2024-06"].steps.tolist() == [6, 7, 8, 9, 10, 11, 28, 29]


def test_demand_periods__closed_months_and_days_are_no_periods():
    """A charge on summers leaves May out, one on Sundays all other days."""
    assert list(periods(charge(months=[6, 7]), "2024-05-31", 48)) == ["2024-06"]
    assert list(periods(charge(period="day", weekdays=["sun"]), "2024-06-07", 96)) == ["2024-06-09"]


def test_demand_periods__open_month_without_an_open_step_counts_its_prior_peak():
    """On a Saturday nothing can be added to June's peak of weekdays, but it is still to be paid."""
    one = charge(weekdays=["mon"], prior_peaks_kw={"2024-06": 80})
    found = periods(one, "2024-06-08", 24)

    assert found["2024-06"].steps.tolist() == []
    assert found["2024-06"].prior_peak_kw == 80


@pytest.mark.parametrize(
    ("fields", "start", "step_h", "message"),
    [
        ({"from_time": "08:30"}, "2024-06-03 00:00", 1.0, "changes at 2024-06-03 08:30 CEST, within a step of 1 h"),
        ({"until_time": "08:30"}, "2024-06-03 00:00", 1.0, "choose step_h so that steps begin there"),
        ({}, "2024-05-31 20:00", 6.0, "the month changes at 2024-06-01 00:00 CEST, within a step of 6 h"),
        ({"period": "day"}, "2024-05-31 00:30", 1.0, "the day changes at 2024-06-01 00:00 CEST"),
        # The clock goes from 02:00 to 03:00; a step from 01:00 for 2 h reaches 04:00 on the wall.
        ({"until_time": "03:00"}, "2024-03-31 01:00", 2.0, "changes at 2024-03-31 03:00 CEST"),
    ],
)
def test_demand_periods__step_over_a_change(fields, start, step_h, message):
    with pytest.raises(InvalidInput, match=message):
        periods(charge(**fields), start, 24, step_h)


def test_demand_periods__step_over_a_change_where_nothing_counts():
    """A window of Mondays does not change on a Sunday, nor does a month end matter outside of it."""
    found = periods(charge(from_time="08:30", weekdays=["mon"]), "2024-06-09", 24)
    assert found["2024-06"].steps.tolist() == []
    found = periods(charge(from_time="06:00", until_time="18:00"), "2024-05-31 18:00", 2, 12.0)
    assert found["2024-06"].steps.tolist() == [1]


def test_demand_periods__whole_horizon():
    found = periods(charge(period="horizon"), "2024-05-31", 48)
    assert list(found) == ["horizon"]
    assert len(found["horizon"].steps) == 48


def test_demand_periods__series_replace_the_calendar():
    """Periods 7 and 3 in their order of time, with steps 0 and 3 counted."""
    one = charge(window_series="is_peak", period_series="season", rates_per_kw={"3": 4})
    found = periods(one, "2024-06-03", 4, is_peak=[1, 0, 0, 1], season=[7, 7, 3, 3])

    assert {label: one.steps.tolist() for label, one in found.items()} == {"7": [0], "3": [3]}
    assert {label: one.rate_per_kw for label, one in found.items()} == {"7": 10, "3": 4}


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({"is_peak": [1, 0.5], "season": [1, 1]}, "demand charge 'peak': is_peak = 0.5: must be 1 in the steps that"),
        (
            {"is_peak": [1, 0], "season": [1, 1.5]},
            "demand charge 'peak': season = 1.5: must be the number of a period",
        ),
    ],
)
def test_demand_periods__unusable_series(series, message):
    with pytest.raises(InvalidInput, match=message):
        periods(charge(window_series="is_peak", period_series="season"), "2024-06-03", 2, **series)


def test_demand_periods__period_without_a_price():
    one = charge(rate_per_kw=None, rates_per_kw={"2024-05": 3})
    with pytest.raises(InvalidInput, match="rates_per_kw: has no price for 2024-06; add it"):
        periods(one, "2024-05-31", 48)


@pytest.mark.parametrize(
    ("ratchet", "inside", "floor_kw"),
    [
        ({"share": 0.5, "previous": 1}, {"2024-01": (), "2024-02": ("2024-01",)}, {"2024-01": 30, "2024-02": 0}),
        (
            {"share": 0.5, "previous": 2},
            {"2024-01": (), "2024-02": ("2024-01",)},
            {"2024-01": 100, "2024-02": 30},
        ),
        (
            {"share": 0.5, "periods": ["2024-02", "2023-12"]},
            {"2024-01": ("2024-02",), "2024-02": ("2024-02",)},
            {"2024-01": 30, "2024-02": 30},
        ),
        # November of any year, and February.
        (
            {"share": 0.5, "periods": [2, 11]},
            {"2024-01": ("2024-02",), "2024-02": ("2024-02",)},
            {"2024-01": 100, "2024-02": 100},
        ),
    ],
)
def test_demand_periods__ratchet(ratchet, inside, floor_kw):
    """Peaks before the horizon were 200 kW in November and 60 kW in December; half of them is the floor.

    A period that is named looks back at itself, too, which matters where a part of its peak is free.
    """
    one = charge(ratchet=Ratchet(**ratchet), prior_peaks_kw={"2023-11": 200, "2023-12": 60})
    found = periods(one, "2024-01-31", 48)

    assert {label: one.looks_back_at for label, one in found.items()} == inside
    assert {label: one.floor_kw for label, one in found.items()} == floor_kw


def test_demand_periods__ratchet_over_the_periods_of_a_series():
    """Those before are the ones that came earlier, whatever their numbers."""
    one = charge(period_series="season", ratchet=Ratchet(share=0.8, previous=1))
    found = periods(one, "2024-06-03", 3, season=[12, 1, 2])
    assert {label: one.looks_back_at for label, one in found.items()} == {"12": (), "1": ("12",), "2": ("1",)}

    one = charge(period_series="season", ratchet=Ratchet(share=0.8, periods=[12, "2"]))
    found = periods(one, "2024-06-03", 3, season=[12, 1, 2])
    assert {label: one.looks_back_at for label, one in found.items()} == dict.fromkeys(["12", "1", "2"], ("12", "2"))


def test_demand_periods__ratchet_over_the_periods_before_those_of_a_series():
    """Peaks of periods 8 and 9 were before the horizon; half of that of 9 is the floor of the first period in it."""
    one = charge(period_series="season", ratchet=Ratchet(share=0.5, previous=1), prior_peaks_kw={"9": 8, "8": 90})

    found = periods(one, "2024-06-03", 3, season=[10, 10, 11])

    assert {label: one.looks_back_at for label, one in found.items()} == {"10": (), "11": ("10",)}
    assert {label: one.floor_kw for label, one in found.items()} == {"10": 4, "11": 0}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rate_per_kw": -1}, "rate_per_kw = -1.*: must be at least 0"),
        ({"rate_per_kw": None}, "rate_per_kw: is required, where rates_per_kw does not give the price"),
        ({"rates_per_kw": {"June": 3}}, "rates_per_kw = 'June': must be a month, as in 2024-06"),
        ({"prior_peaks_kw": {"2024-6": 3}}, "prior_peaks_kw = '2024-6': must be a month"),
        ({"period": "day", "prior_peaks_kw": {"2024-06": 3}}, "prior_peaks_kw = '2024-06': must be a day"),
        (
            {"period_series": "season", "rates_per_kw": {"06": 3}},
            "rates_per_kw = '06': must be the number of a period",
        ),
        ({"window_series": "w", "weekdays": ["mon"]}, "weekdays: window_series = 'w' says it already; keep one"),
        ({"period_series": "p", "period": "day"}, "period: period_series = 'p' says it already; keep one"),
        ({"period": "horizon", "ratchet": {"share": 0.5, "previous": 1}}, "ratchet: there is no other period"),
        ({"ratchet": {"share": 0.5}}, "a ratchet looks back at named periods or at the previous ones"),
        ({"ratchet": {"share": 0.5, "periods": [13]}}, "ratchet.periods = 13: must be a month from 1 to 12"),
        ({"period": "day", "ratchet": {"share": 0.5, "periods": [3]}}, "ratchet.periods = 3: must be a day"),
        ({"ratchet": {"share": 50, "previous": 1}}, "ratchet.share = 50: must be at most 1"),
        ({"weekdays": []}, "weekdays"),
    ],
)
def test_demand_charge__message_names_field_and_value(fields, message):
    with pytest.raises(InvalidInput, match=message):
        charge(**fields)


def test_demand_charge__labels_that_yaml_reads_as_numbers_and_days():
    one = charge(period="day", prior_peaks_kw={dt.date(2024, 6, 3): 5})
    assert one.prior_peak_of("2024-06-03") == 5
    other = charge(period_series="season", prior_peaks_kw={6: 5})
    assert other.prior_peak_of("6") == 5


CLOCK = st.builds(lambda hour, minute: f"{hour:02d}:{minute:02d}", st.integers(0, 23), st.integers(0, 59))


@given(
    CLOCK,
    CLOCK,
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    st.lists(st.integers(1, 12), min_size=1, unique=True),
    st.lists(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)), min_size=1, max_size=20),
)
def test_window__is_that_of_an_energy_period(begin, end, weekdays, months, moments):
    """The same four fields mean the same hours in an energy period and in a demand charge."""
    window = {"from_time": begin, "until_time": end, "weekdays": tuple(weekdays), "months": tuple(months)}
    energy = EnergyPeriod(name="peak", import_price_per_kwh=0.1, **window)
    local = pd.DatetimeIndex(moments).tz_localize("UTC")

    expected = [energy.holds_at(one.month, one.weekday(), one.hour * 60 + one.minute) for one in local]
    is_open = HoursTable(charge(**window).hours).at(Calendar().at(local)) >= 0
    assert is_open.tolist() == expected
