"""A charger's stays: their order, their ports, and what can be charged in them."""

from __future__ import annotations

import numpy as np
import pytest
from builders import START, charger, horizon, load, problem, session

from ems.assets.charging_port import plan_port, ports_of, stays_in
from ems.errors import InvalidInput


def test_ev_charger__leaves_before_it_comes():
    message = r"ev_charger 'charger': departure = 2024-06-03T01:00:00\+00:00: must be after arrival"
    with pytest.raises(InvalidInput, match=message):
        charger(sessions=[session(1, 1, 5)])


def test_ev_charger__more_vehicles_than_ports():
    """Three stays meet at 02:00."""
    stays = [session(0, 4, 5), session(1, 3, 5), session(2, 5, 5)]
    with pytest.raises(InvalidInput, match=r"3 vehicles are there at 2024-06-03T02:00.*, but number_of_ports = 2"):
        charger(sessions=stays, number_of_ports=2)
    assert len(charger(sessions=stays, number_of_ports=3).sessions) == 3


def test_ev_charger__one_leaves_as_the_next_comes():
    assert len(charger(sessions=[session(0, 2, 5), session(2, 4, 5)]).sessions) == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"number_of_ports": 0}, "number_of_ports = 0: must be at least 1"),
        ({"number_of_ports": 1.5}, "number_of_ports = 1.5: must be a whole number"),
        ({"charge_efficiency": 0}, "charge_efficiency = 0: must be greater than 0"),
        (
            {"sessions": [session(0, 1, -1)]},
            r"energy_kwh = -1 kWh: must be at least -?0 kWh, as no more than arrival_energ",
        ),
        (
            {"sessions": [{**session(0, 1, 5), "arrival_energy_kwh": 3, "battery_capacity_kwh": 7}]},
            r"battery_capacity_kwh = 7 kWh: must be at least arrival_energy_kwh \+ energy_kwh = 8 kWh",
        ),
        (
            {"v2g_capable": True, "smart_charging_capable": False},
            "v2g_capable = true: has no effect unless smart_char",
        ),
        ({"min_charge_kw": 11}, "min_charge_kw = 11 kW: must be at most max_power_kw = 10 kW"),
        ({"min_current_ampere": 6}, "min_current_ampere = 6 A: needs max_current_ampere or voltage_v to be a power"),
        (
            {"min_current_ampere": 6, "voltage_v": 230, "min_charge_kw": 2},
            r"min_charge_kw = 2 kW: min_current_ampere makes it 1\.38 kW; give one",
        ),
        ({"sessions": [{**session(0, 1, 1), "arrival": "08:00"}]}, r"sessions\.1\.arrival = '08:00': must be a date"),
        ({"sessions": [{**session(0, 1, 1), "energy": 1}]}, r"energy: no such field; did you mean energy_kwh\?"),
    ],
)
def test_ev_charger__message_names_field_and_value(fields, message):
    with pytest.raises(InvalidInput, match=message):
        charger(**fields)


def test_ev_charger__lowest_power_of_the_lowest_current():
    """6 of 16 A are 3/8 of 11 kW, on any number of phases; without the highest current 6 A x 230 V are 1.38 kW."""
    assert charger(max_power_kw=11, min_current_ampere=6, max_current_ampere=16).min_charge_kw == 4.125
    assert charger(min_current_ampere=6, voltage_v=230).min_charge_kw == pytest.approx(1.38)


def test_ev_charger__gives_back_as_much_as_it_takes_unless_told():
    assert charger(max_power_kw=11).max_discharge_kw == 11
    assert charger(max_power_kw=11).replace(max_power_kw=7).max_discharge_kw == 7
    assert charger(max_power_kw=11, max_discharge_kw=5).max_discharge_kw == 5


def test_stays_in__share_of_each_step():
    """From 00:30 to 02:15 is half of the first hour, the second, and an eighth of the two hours after it."""
    (stay,) = stays_in(charger(sessions=[session(0.5, 2.25, 1)]).sessions, horizon(1, 1, 2))
    assert (stay.first, stay.end) == (0, 3)
    np.testing.assert_array_equal(stay.share, [0.5, 1.0, 0.125])


def test_stays_in__order_of_arrival_within_the_horizon():
    """Of four stays two are of other days; the later one is listed first, and keeps its number."""
    given = [session(3, 4, 1), session(-2, 0, 1), session(1, 2, 1), session(4, 5, 1)]
    stays = stays_in(charger(sessions=given).sessions, horizon(*[1] * 4))
    assert [(stay.number, stay.first, stay.end) for stay in stays] == [(2, 1, 2), (0, 3, 4)]


def test_ports_of__first_port_that_is_free_in_all_steps():
    """The third comes when the second has left; the fourth within the last step of the third, so it counts apart."""
    given = [session(0, 3, 1), session(0, 1, 1), session(1, 2.5, 1), session(2.5, 4, 1)]
    ports = ports_of(stays_in(charger(sessions=given, number_of_ports=2).sessions, horizon(*[1] * 4)))
    assert [[stay.number for stay in port] for port in ports] == [[0], [1, 2], [3]]


def test_plan_port__content_starts_anew_with_each_vehicle():
    """5 kWh come at 00:00 and leave with 8 at 02:00; 1 kWh comes then, may lack energy, and can hold 20."""
    given = [
        {**session(0, 2, 3), "arrival_energy_kwh": 5},
        {**session(2, 3, 9), "arrival_energy_kwh": 1, "battery_capacity_kwh": 20},
    ]
    plan = plan_port(stays_in(charger(sessions=given).sessions, horizon(*[1] * 4)), 4, frozenset({1}))
    np.testing.assert_array_equal(plan.carried, [0, 1, 0, 0])
    np.testing.assert_array_equal(plan.brought_kwh, [5, 0, 1, 0])
    np.testing.assert_array_equal(plan.lowest_kwh, [5, 0, 8, 0, 0])
    np.testing.assert_array_equal(plan.highest_kwh, [5, 8, 8, 20, 0])
    assert plan.occupied == [0, 1, 2]


def test_check_horizon__more_than_can_be_charged():
    """10 kW for 2 h at an efficiency of 0.9 are 18 kWh."""
    message = (
        r"this dispatch: ev_charger 'charger': session 1: energy_kwh = 19 kWh: at most 18 kWh can be reached "
        r"\(10 kW x 2 h x efficiency 0\.9\)"
    )
    with pytest.raises(InvalidInput, match=message):
        problem([charger(sessions=[session(1, 3, 19)])], steps_h=[1] * 4)


def test_check_horizon__what_has_a_price_may_lack():
    assert charger(sessions=[session(1, 3, 99)], unmet_cost_per_kwh=1).check_horizon(horizon(*[1] * 4)) == []
    assert charger(sessions=[{**session(1, 3, 99), "unmet_cost_per_kwh": 1}]).check_horizon(horizon(*[1] * 4)) == []


@pytest.mark.parametrize("stay", [session(-1, 1, 1), session(3, 5, 1), session(-1, 9, 1)])
def test_check_horizon__stay_reaches_beyond(stay):
    with pytest.raises(
        InvalidInput, match="session 1 reaches beyond the horizon, 2024-06-03 00:00 to 2024-06-03 04:00"
    ):
        problem([charger(sessions=[stay])], steps_h=[1] * 4)


def test_check_horizon__stay_of_another_day_plays_no_part():
    stays = [session(-9, -8, 5), session(24, 26, 5)]
    assert charger(sessions=stays).check_horizon(horizon(*[1] * 24, start=START)) == []


def test_check_horizon__an_inactive_charger_wants_nothing():
    assert problem([charger(sessions=[session(1, 3, 99)], status="maintenance"), load()], {"load.demand_kw": 0}).assets
