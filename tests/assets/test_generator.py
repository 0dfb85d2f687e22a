"""A generator's fields."""

from __future__ import annotations

import pytest
from builders import generator

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
    assert generator(**fields).is_committable is answer
