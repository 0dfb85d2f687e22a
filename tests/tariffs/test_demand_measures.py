"""Demand charges by windows, seasons, tiers, highest days, moments and kVA, and what looks back round the year."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.tariffs.calendar import Calendar
from ems.tariffs.clock import Hours
from ems.tariffs.demand_charge import DemandCharge, DemandSeason, DemandTier, Ratchet
from ems.tariffs.demand_periods import DemandPeriod, demand_periods

BERLIN = "Europe/Berlin"
WORK = ("mon", "tue", "wed", "thu", "fri")


def charge(**fields) -> DemandCharge:
    return DemandCharge(**{"name": "peak", "rate_per_kw": 10, **fields})


def periods(
    one: DemandCharge, start: str, steps: int, step_h: float = 1.0, calendar: Calendar | None = None
) -> dict[str, DemandPeriod]:
    """The periods of a charge by label, for hours from a local time in Berlin, or for days in UTC."""
    zone = BERLIN if step_h == 1 else "UTC"
    begin = pd.Timestamp(start, tz=zone).to_pydatetime().astimezone(dt.UTC)
    horizon = Horizon.regular(begin, steps * step_h, step_h)
    return {found.label: found for found in demand_periods(one, horizon, zone, {}, calendar)}


def test_windows__a_step_in_any_of_them_counts():
    """Friday 7 June 2024: early morning and evening, and all of Saturday."""
    night = Hours(from_time="22:00", until_time="06:00", weekdays=WORK)
    found = periods(charge(windows=[night, Hours(weekdays=["sat", "sun"])]), "2024-06-07", 48)
    assert found["2024-06"].steps.tolist() == [*range(6), 22, 23, *range(24, 48)]


def test_windows__months_that_none_of_them_holds_in_are_no_periods():
    summer, march = Hours(months=[6, 7, 8]), Hours(from_date="03-10", until_date="03-20")
    one = charge(windows=[summer, march])
    assert list(periods(one, "2024-02-28", 200, 24.0)) == ["2024-03", "2024-06", "2024-07", "2024-08"]
    assert periods(one, "2024-02-28", 60, 24.0)["2024-03"].steps.tolist() == list(range(11, 22))


def test_windows__date_season_over_the_new_year():
    """From 20 December to 10 January: twelve days of December and ten of January."""
    found = periods(charge(from_date="12-20", until_date="01-10"), "2024-12-01", 70, 24.0)
    assert {label: len(one.steps) for label, one in found.items()} == {"2024-12": 12, "2025-01": 10}


def test_windows__holidays_of_the_tariffs_calendar():
    """Whit Monday, 20 May 2024, is no workday in Germany; without a calendar nobody could tell."""
    one = charge(weekdays=WORK)
    assert periods(one, "2024-05-20", 48, calendar=Calendar("DE"))["2024-05"].steps.tolist() == list(range(24, 48))
    assert len(periods(one, "2024-05-20", 48)["2024-05"].steps) == 48
    with pytest.raises(InvalidInput, match="demand charge 'peak': weekdays = 'holiday': needs the holiday_calendar"):
        periods(charge(weekdays=["sun", "holiday"]), "2024-05-20", 48)


def test_seasons__prices_by_month_of_the_year():
    """June costs 20 a kW; March has tiers; all other months cost 10, and 2024-07 what its label says."""
    one = charge(
        seasons=[
            DemandSeason(months=[6], rate_per_kw=20),
            DemandSeason(months=[3], tiers=[DemandTier(up_to_kw=50, rate_per_kw=1), DemandTier(rate_per_kw=2)]),
        ],
        rates_per_kw={"2024-07": 7},
    )
    assert [one.tiers_of(f"2024-{month:02d}")[0].rate_per_kw for month in (1, 3, 6, 7)] == [10, 1, 20, 7]
    assert [tier.up_to_kw for tier in one.tiers_of("2024-03")] == [50, None]
    assert periods(one, "2024-06-30", 48)["2024-06"].rate_per_kw == 20


def test_seasons__month_without_a_price():
    one = charge(rate_per_kw=None, seasons=[DemandSeason(months=[6], rate_per_kw=20)])
    with pytest.raises(InvalidInput, match="rates_per_kw: has no price for 2024-05; add it, or give rate_per_kw"):
        periods(one, "2024-05-31", 48)


def test_highest_days__have_the_steps_of_each_day_and_the_days_before():
    """From 22:00 on 2 June: two hours of that day, which had 40 kW before, and two of 3 June; 1 June had 60 kW."""
    one = charge(highest_days=3, prior_daily_peaks_kw={"2024-06-01": 60, "2024-06-02": 40, "2024-05-31": 99})
    found = periods(one, "2024-06-02 22:00", 4)["2024-06"]
    assert [(day.label, day.steps.tolist(), day.prior_peak_kw) for day in found.days] == [
        ("2024-06-01", [], 60),
        ("2024-06-02", [0, 1], 40),
        ("2024-06-03", [2, 3], 0),
    ]


def test_highest_days__only_steps_within_the_window_are_of_a_day():
    found = periods(charge(highest_days=2, from_time="08:00", until_time="10:00"), "2024-06-03", 48)["2024-06"]
    assert [(day.label, day.steps.tolist()) for day in found.days] == [
        ("2024-06-03", [8, 9]),
        ("2024-06-04", [32, 33]),
    ]


def test_highest_days__peak_so_far_of_the_month_says_nothing():
    one = charge(highest_days=3, prior_peaks_kw={"2024-06": 80})
    with pytest.raises(InvalidInput, match="prior_peaks_kw of 2024-06: says nothing of the mean that this period is"):
        periods(one, "2024-06-03", 24)


def test_coincident__steps_that_hold_the_moments():
    """Moments at 17:15 and 18:00 on 3 June are in steps 17 and 18; one in May is before the horizon."""
    moments = ["2024-06-03T17:15+02:00", "2024-06-03T16:00Z", "2024-05-20T17:00+02:00"]
    one = charge(coincident_times=moments)
    assert one.is_coincident
    assert periods(one, "2024-06-03", 24)["2024-06"].steps.tolist() == [17, 18]
    assert list(periods(one, "2024-05-31", 48)) == ["2024-05", "2024-06"]
    assert list(periods(one, "2024-06-30", 48)) == ["2024-06"]


def test_unit__kva_is_power_over_the_power_factor():
    assert charge(unit="kva", power_factor=0.8).per_kw == pytest.approx(1.25)
    assert charge().per_kw == 1


def test_minimum__is_a_floor_beside_the_ratchet():
    """Half of last month's 200 kW is above the least of 60 kW, and half of 80 kW is below it."""
    ratchet = Ratchet(share=0.5, previous=1)
    floors = [
        periods(charge(minimum_kw=60, ratchet=ratchet, prior_peaks_kw={"2024-05": peak}), "2024-06-03", 24)["2024-06"]
        for peak in (200, 80)
    ]
    assert [one.floor_kw for one in floors] == [100, 60]


def test_ratchet__of_a_year_that_stands_for_every_year():
    """January looks back at November and December of its own year; where the year before is known, at that."""
    year = {"steps": 365, "step_h": 24.0}
    ratchet = Ratchet(share=0.5, previous=2, wraps=True)
    found = periods(charge(ratchet=ratchet), "2023-01-01", **year, calendar=Calendar(is_typical=True))
    assert found["2023-01"].looks_back_at == ("2023-11", "2023-12")
    assert found["2023-02"].looks_back_at == ("2023-01", "2023-12")
    assert found["2023-03"].looks_back_at == ("2023-01", "2023-02")

    found = periods(charge(ratchet=ratchet, prior_peaks_kw={"2022-12": 80}), "2023-01-01", **year)
    assert (found["2023-01"].looks_back_at, found["2023-01"].floor_kw) == (("2023-11",), 40)


def test_ratchet__twelve_months_round_the_year_are_all_of_it():
    found = periods(charge(ratchet=Ratchet(share=1, previous=12, wraps=True)), "2023-01-01", 365, 24.0)
    assert {one.looks_back_at for one in found.values()} == {tuple(found)}
    assert len(found) == 12


TIERS = [{"up_to_kw": 50, "rate_per_kw": 1}, {"rate_per_kw": 2}]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tiers": TIERS}, "rate_per_kw = 10: the tiers give the price already; keep one"),
        ({"rate_per_kw": None, "tiers": TIERS[:1]}, "tiers: the last one ends at up_to_kw = 50 kW"),
        ({"seasons": [{"months": [6]}]}, "a season has one price, rate_per_kw, or tiers: give one of the two"),
        ({"seasons": [{"months": [6], "rate_per_kw": 1}] * 2}, "two seasons hold month 6; keep it in one"),
        (
            {"seasons": [{"months": [6], "rate_per_kw": 1}], "period": "horizon"},
            "seasons: need periods of the calendar",
        ),
        ({"windows": [{}], "from_time": "08:00"}, "from_time: windows say it already; keep one"),
        ({"windows": [{}], "window_series": "w"}, "windows: window_series = 'w' says it already; keep one"),
        ({"coincident_times": ["2024-06-03T17:00Z"], "months": [6]}, "months: coincident_times say it already"),
        ({"coincident_times": ["2024-06-03T17:00Z"], "windows": [{}]}, "windows: coincident_times say it already"),
        ({"coincident_times": ["2024-06-03T17:00"]}, "must say its offset from UTC"),
        ({"coincident_of": "mean"}, "coincident_of = 'mean': needs coincident_times"),
        (
            {"coincident_of": "mean", "coincident_times": ["2024-06-03T17:00Z"], "prior_peak_kw": 3},
            "prior_peak_kw = 3 kW: says nothing of a mean; leave it out",
        ),
        ({"highest_days": 3, "prior_peak_kw": 3}, "prior_peak_kw = 3 kW: .*give prior_daily_peaks_kw"),
        ({"highest_days": 3, "period": "day"}, "highest_days = 3: needs period: month or horizon"),
        ({"prior_daily_peaks_kw": {"2024-06-03": 3}}, "prior_daily_peaks_kw: needs highest_days above 1"),
        (
            {"highest_days": 3, "prior_daily_peaks_kw": {"2024-06": 3}},
            "prior_daily_peaks_kw = '2024-06': must be a day",
        ),
        ({"highest_days": 0}, "highest_days = 0: must be at least 1"),
        ({"unit": "kva"}, "power_factor: is required for a bill in kVA"),
        ({"power_factor": 0.9}, "power_factor = 0.9: needs unit: kva; active power has none"),
        ({"unit": "kva", "power_factor": 0}, "power_factor = 0: must be greater than 0"),
        ({"ratchet": {"share": 1, "periods": [1], "wraps": True}}, "wraps = true: needs previous"),
        (
            {"period": "day", "ratchet": {"share": 1, "previous": 1, "wraps": True}},
            "ratchet.wraps = true: needs period: month, of which a year has twelve",
        ),
    ],
)
def test_demand_charge__contradiction_is_named(fields, message):
    with pytest.raises(InvalidInput, match=message):
        charge(**fields)


def test_demand_charge__saved_and_loaded_is_equal():
    one = charge(
        rate_per_kw=None,
        tiers=TIERS,
        windows=[{"from_date": "11-01", "until_date": "03-31"}],
        ratchet={"share": 0.8, "previous": 11, "wraps": True},
        highest_days=3,
    )
    assert DemandCharge.from_mapping(one.model_dump(mode="json", exclude_unset=True)) == one
