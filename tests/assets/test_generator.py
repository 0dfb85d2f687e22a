"""A generator's fields."""

from __future__ import annotations

import pytest
from builders import generator, horizon

from ems.assets.generator import Generator, steps_back
from ems.errors import InvalidInput


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_output_kw": 41}, "min_output_kw = 41 kW: must be at most max_output_kw = 40 kW"),
        ({"min_output_kw": -1}, "min_output_kw = -1 kW: must be at least 0 kW"),
        ({"max_output_kw": 0}, "max_output_kw = 0 kW: must be greater than 0 kW"),
        ({"startup_cost": -5}, "startup_cost = -5 currency: must be at least 0"),
        ({"fuel_cost_per_kwh": None}, "fuel_cost_per_kwh = nothing: must be a number"),
        ({"startup_costs": 5}, r"startup_costs: no such field; did you mean startup_cost\?"),
    ],
)
def test_generator__message_names_field_value_and_bound(fields, message):
    with pytest.raises(InvalidInput, match=f"generator 'generator': {message}"):
        generator(**fields)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [({}, False), ({"min_output_kw": 10}, True), ({"startup_cost": 1}, True), ({"min_output_kw": 40}, True)],
)
def test_is_committable__only_where_being_on_matters(fields, answer):
    assert generator(**fields).is_committable(horizon(1, 1)) is answer


@pytest.mark.parametrize(("uptime_h", "answer"), [(0, False), (1, False), (2, True)])
def test_is_committable__minimum_times_longer_than_a_step(uptime_h, answer):
    asset = generator(min_uptime_h=uptime_h)

    assert asset.is_committable(horizon(1, 1)) is answer
    assert asset.is_committable(horizon(2, 2)) is False


def test_generator__fuel_cost_follows_from_price_and_consumption():
    """0.3 l/kWh at 1.50 a litre are 0.45 a kWh."""
    asset = Generator(id="g", site_id="s", max_output_kw=10, fuel_consumption_l_per_kwh=0.3, fuel_cost_per_l=1.5)

    assert asset.fuel_cost_per_kwh == pytest.approx(0.45)
    assert asset.rated_capacity_kw == 10
    assert "fuel_cost_per_kwh" not in asset.given()


def test_steps_back__spans_the_minimum_time():
    """Steps of 1 h: 2 h reach back one step; 1.5 h too, since a step is not half bound."""
    four = horizon(1, 1, 1, 1)

    assert steps_back(four, 3, 0) == [3]
    assert steps_back(four, 3, 1) == [3]
    assert steps_back(four, 3, 1.5) == [2, 3]
    assert steps_back(four, 3, 2) == [2, 3]
    assert steps_back(four, 1, 9) == [0, 1]
