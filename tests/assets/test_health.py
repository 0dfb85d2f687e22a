"""Health by part: each figure by hand, and nothing invented where nothing is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from builders import battery, generator, grid, solar, wind
from hypothesis import given
from hypothesis import strategies as st

from ems.assets.health import health_of
from ems.assets.operation import MaintenanceRecord
from ems.errors import InvalidInput

TODAY = dt.date(2024, 6, 3)
EXACT = 1e-9  # quotients of short decimal numbers
YEAR_D = 365.25
ROUND_DAY = 0.01  # an age of whole days is off by up to half a day in a year


def years_ago(years: float) -> dt.date:
    return TODAY - dt.timedelta(days=round(years * YEAR_D))


def value(health, part: str) -> float | None:
    return health.parts[part][0]


# ------------------------------------------------------------------------------------------------ batteries
def test_health_of__battery_by_its_three_clocks():
    """92 percent of capacity are 60 percent of the way to 80; 1500 of 6000 cycles leave 75; 5 of 15 years leave 67.

    The weakest is the state of health: 0.6. At 1.6 points a year, 12 points last 7.5 years; cycles last 15, age 10.
    """
    asset = battery(
        state_of_health=0.92,
        cycle_life=6000,
        current_cycle_count=1500,
        calendar_life_a=15,
        commissioning_date=years_ago(5),
    )

    health = health_of(asset, today=TODAY)

    assert value(health, "state_of_health") == pytest.approx(0.6, abs=EXACT)
    assert value(health, "cycles") == pytest.approx(0.75, abs=EXACT)
    assert value(health, "age") == pytest.approx(2 / 3, abs=ROUND_DAY)
    assert health.score == pytest.approx(0.6, abs=EXACT)
    assert health.weakest == "state_of_health"
    assert health.remaining_life_a == pytest.approx(7.5, abs=ROUND_DAY)
    assert abs((health.end_of_life_date - TODAY).days - 7.5 * YEAR_D) <= 2
    assert health.parts["state_of_health"][1] == "92.0% of the capacity is left; life ends at 80%"


def test_health_of__battery_of_which_nothing_is_known():
    health = health_of(battery(), today=TODAY)

    assert health.score is None
    assert health.weakest is None
    assert health.remaining_life_a is None
    assert health.end_of_life_date is None
    assert health.warranty == "unknown"
    assert all(part is None for part, _ in health.parts.values())
    assert health.parts["state_of_health"][1] == "state of health is not stated"


def test_health_of__battery_state_of_health_from_the_model():
    """Half the cycle life costs 10 points, a quarter of the calendar life of an LFP cell 10 more: 80 are left."""
    asset = battery(
        chemistry="lithium_iron_phosphate",
        cycle_life=6000,
        current_cycle_count=3000,
        calendar_life_a=16,
        installation_date=years_ago(4),
    )

    health = health_of(asset, today=TODAY)

    assert value(health, "state_of_health") == pytest.approx(0, abs=ROUND_DAY)
    assert "by the ageing model, as none is stated" in health.parts["state_of_health"][1]


def test_health_of__battery_cycles_observed_add_to_the_count():
    """Ten days of one full cycle each: 10 more cycles, 365.25 a year; 5990 are left for 16.4 years."""
    soc = np.append(np.tile([1.0, 0.0], 10), 1.0)
    asset = battery(cycle_life=6000, current_cycle_count=0)

    health = health_of(asset, today=TODAY, soc=soc, soc_step_h=12)

    assert value(health, "cycles") == pytest.approx(1 - 10 / 6000, abs=EXACT)
    assert health.remaining_life_a == pytest.approx(5990 / 365.25, abs=EXACT)


def test_health_of__battery_soc_without_the_length_of_steps():
    with pytest.raises(InvalidInput, match="soc needs soc_step_h"):
        health_of(battery(), today=TODAY, soc=np.array([0.0, 1.0]))


def test_health_of__battery_price_of_wear():
    """30,000 over 6000 cycles of 100 kWh: 0.05 a kWh."""
    health = health_of(battery(cycle_life=6000, capital_cost=30_000), today=TODAY)

    assert health.wear_cost_per_kwh == pytest.approx(0.05, abs=EXACT)


def test_health_of__battery_beyond_its_end():
    """20 years of a life of 15: nothing is left, and the end is today, not in the past."""
    health = health_of(battery(calendar_life_a=15, commissioning_date=years_ago(20)), today=TODAY)

    assert health.score == 0
    assert health.remaining_life_a == 0
    assert health.end_of_life_date == TODAY


@given(st.floats(0.01, 1), st.floats(1, 10_000), st.floats(0, 20_000), st.floats(0.5, 40), st.floats(0, 60))
def test_health_of__score_is_a_share_and_the_weakest_part(left, cycle_life, made, calendar_life_a, age_a):
    asset = battery(
        state_of_health=left,
        cycle_life=round(cycle_life),
        current_cycle_count=made,
        calendar_life_a=calendar_life_a,
        commissioning_date=years_ago(age_a),
    )

    health = health_of(asset, today=TODAY)

    known = [part for part, _ in health.parts.values() if part is not None]
    assert health.score == min(known)
    assert 0 <= health.score <= 1
    assert health.remaining_life_a is None or health.remaining_life_a >= 0


# ------------------------------------------------------------------------------------------ the other kinds
def test_health_of__generator_by_hours_run():
    """Before the service all is well; 50 h late of an interval of 250 h costs a fifth."""
    asset = generator(operating_h=200, next_maintenance_h=250, maintenance_interval_h=250)

    assert value(health_of(asset, today=TODAY), "service") == 1
    assert value(health_of(asset, today=TODAY, operating_h=300), "service") == pytest.approx(0.8, abs=EXACT)


def test_health_of__generator_without_interval():
    health = health_of(generator(), today=TODAY)

    assert health.parts["service"] == (None, "neither maintenance interval nor the next service is stated")


def test_health_of__solar_by_degradation_and_production():
    """0.995 ** 10 = 95.11 percent are 75.6 percent of the way to 80; ln 0.8 / ln 0.995 = 44.5 years, 10 are gone."""
    asset = solar(
        degradation_rate_per_a=0.005,
        commissioning_date=years_ago(10),
        expected_annual_production_kwh=50_000,
        actual_annual_production_kwh=45_000,
    )

    health = health_of(asset, today=TODAY)

    assert value(health, "degradation") == pytest.approx((0.995**10 - 0.8) / 0.2, abs=ROUND_DAY)
    assert value(health, "production") == pytest.approx(0.9, abs=EXACT)
    assert health.score == value(health, "degradation")
    assert health.remaining_life_a == pytest.approx(34.5, abs=0.1)  # the two logarithms above, to three digits


def test_health_of__wind_by_design_lifetime():
    """5 of 20 years: three quarters are left."""
    rotor = {
        "rotor_diameter_m": 20,
        "hub_height_m": 30,
        "cut_in_wind_speed_m_per_s": 3,
        "rated_wind_speed_m_per_s": 12,
        "cut_out_wind_speed_m_per_s": 25,
    }
    health = health_of(wind(**rotor, commissioning_date=years_ago(5)), today=TODAY)

    assert health.score == pytest.approx(0.75, abs=ROUND_DAY)
    assert health.remaining_life_a == pytest.approx(15, abs=ROUND_DAY)
    assert health.parts["production"] == (None, "expected or actual production of a year is not stated")


def test_health_of__kind_without_a_length_of_life():
    health = health_of(grid(commissioning_date=years_ago(8)), today=TODAY)

    assert health.parts["age"] == (None, "8.0 years since 2016-06-03; no length of life is stated for this kind")
    assert health.score is None


def test_health_of__state_of_charge_of_something_else():
    with pytest.raises(InvalidInput, match="soc is of batteries; this is a grid_connection"):
        health_of(grid(), today=TODAY, soc=np.array([0.0, 1.0]), soc_step_h=1)


# ------------------------------------------------------------------------ warranty, faults and maintenance
@pytest.mark.parametrize(
    ("in_days", "words"),
    [
        (123, "ends in 123 days"),
        (1, "ends in 1 day"),
        (0, "ends today"),
        (-1, "ended 1 day ago"),
        (-40, "ended 40 days ago"),
    ],
)
def test_health_of__warranty_in_words(in_days, words):
    health = health_of(grid(warranty_expiry_date=TODAY + dt.timedelta(days=in_days)), today=TODAY)

    assert (health.warranty, health.warranty_d) == (words, in_days)


@pytest.mark.parametrize(("faults", "share"), [(None, None), (0, 1), (1, 0.5), (3, 0.25)])
def test_health_of__faults(faults, share):
    assert value(health_of(grid(), today=TODAY, faults=faults), "faults") == share


def test_health_of__overdue_visit():
    """73 days late are a fifth of the usual year between two visits."""
    visit = MaintenanceRecord(id="m-1", asset_id="grid", scheduled_date=TODAY - dt.timedelta(days=73))
    other = visit.replace(asset_id="another", scheduled_date=TODAY - dt.timedelta(days=365))

    health = health_of(grid(), today=TODAY, maintenance=[visit, other])

    assert health.parts["maintenance"] == (
        pytest.approx(0.8, abs=EXACT),
        "preventive maintenance is overdue by 73 days",
    )


def test_health_of__visit_ahead_and_visit_behind():
    ahead = MaintenanceRecord(id="m-1", asset_id="grid", scheduled_date=TODAY + dt.timedelta(days=9))
    behind = MaintenanceRecord(id="m-2", asset_id="grid", status="completed", completed_date=TODAY)

    assert health_of(grid(), today=TODAY, maintenance=[ahead]).parts["maintenance"] == (
        1,
        "preventive maintenance is due in 9 days",
    )
    assert health_of(grid(), today=TODAY, maintenance=[behind]).parts["maintenance"] == (
        None,
        "no next visit is planned",
    )


@pytest.mark.parametrize(
    "asset",
    [
        battery(cycle_life=1, current_cycle_count=5e-324, commissioning_date=years_ago(3)),
        battery(degradation_rate_per_cycle=5e-324, commissioning_date=years_ago(3)),
        solar(degradation_rate_per_a=1e-20, commissioning_date=years_ago(3)),
        generator(operating_h=100, maintenance_interval_h=5e-324),
    ],
    ids=lambda asset: asset.kind,
)
def test_health_of__hardly_any_use_gives_no_end_rather_than_an_error(asset):
    """Rates next to zero, which would make a life of more years than a number can hold."""
    health = health_of(asset, today=TODAY)

    assert health.end_of_life_date is None
    assert health.score is None or 0 <= health.score <= 1
