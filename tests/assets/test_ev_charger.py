"""A charger's stays: their order, their ports, and what can be charged in them."""

from __future__ import annotations

import numpy as np
import pytest
from builders import START, charger, horizon, load, problem, session

from ems.assets.ev_charger import presence
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
        ({"sessions": [session(0, 1, 0)]}, r"sessions\.1\.energy_kwh = 0 kWh: must be greater than 0 kWh"),
        ({"sessions": [{**session(0, 1, 1), "arrival": "08:00"}]}, r"sessions\.1\.arrival = '08:00': must be a date"),
        ({"sessions": [{**session(0, 1, 1), "energy": 1}]}, r"energy: no such field; did you mean energy_kwh\?"),
    ],
)
def test_ev_charger__message_names_field_and_value(fields, message):
    with pytest.raises(InvalidInput, match=message):
        charger(**fields)


def test_presence__share_of_each_step():
    """From 00:30 to 02:15 is half of the first hour, the second, and an eighth of the two hours after it."""
    stays = charger(sessions=[session(0.5, 2.25, 1)]).sessions
    np.testing.assert_array_equal(presence(stays, horizon(1, 1, 2)), [[0.5, 1.0, 0.125]])


def test_check_horizon__more_than_can_be_charged():
    """10 kW for 2 h at an efficiency of 0.9 are 18 kWh."""
    message = (
        r"this dispatch: ev_charger 'charger': session 1: energy_kwh = 19 kWh: at most 18 kWh can be reached "
        r"\(10 kW x 2 h x efficiency 0\.9\)"
    )
    with pytest.raises(InvalidInput, match=message):
        problem([charger(sessions=[session(1, 3, 19)])], steps_h=[1] * 4)


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
