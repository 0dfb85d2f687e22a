"""A battery's fields: efficiencies follow from each other, states of charge are in order."""

from __future__ import annotations

import math

import pytest
from builders import battery
from hypothesis import given
from hypothesis import strategies as st

from ems.assets.battery import Battery
from ems.errors import InvalidInput

PLAIN = {"id": "b1", "site_id": "site", "capacity_kwh": 100, "max_charge_kw": 50, "max_discharge_kw": 50}


def efficiencies(**fields: float) -> tuple[float, float, float]:
    one = Battery(**PLAIN, **fields)
    return one.round_trip_efficiency, one.charge_efficiency, one.discharge_efficiency


def test_battery__defaults():
    """The round trip of 0.95 is shared by both ways; the target is the first state of charge."""
    one = Battery(**PLAIN)
    assert (one.round_trip_efficiency, one.charge_efficiency) == (0.95, math.sqrt(0.95))
    assert (one.min_soc, one.max_soc, one.initial_soc, one.target_soc) == (0.1, 0.9, 0.5, 0.5)
    assert (one.name, one.final_soc_rule, one.degradation_cost_per_kwh) == ("b1", "at_least", 0.01)


@pytest.mark.parametrize(
    ("given_fields", "expected"),
    [
        ({"round_trip_efficiency": 0.81}, (0.81, 0.9, 0.9)),
        ({"charge_efficiency": 0.9, "discharge_efficiency": 0.8}, (0.72, 0.9, 0.8)),
        ({"round_trip_efficiency": 0.72, "charge_efficiency": 0.9}, (0.72, 0.9, 0.8)),
        ({"round_trip_efficiency": 0.72, "discharge_efficiency": 0.8}, (0.72, 0.9, 0.8)),
        ({"charge_efficiency": 0.9}, (0.81, 0.9, 0.9)),
        ({"discharge_efficiency": 0.9}, (0.81, 0.9, 0.9)),
    ],
)
def test_battery__efficiency_follows_from_those_given(given_fields, expected):
    """0.9 x 0.8 = 0.72; one way alone stands for both."""
    assert efficiencies(**given_fields) == pytest.approx(expected, abs=1e-12)  # one multiplication or root


def test_battery__rounded_data_sheet_is_accepted():
    """0.97 x 0.98 = 0.9506, which a data sheet gives as 95 %."""
    assert efficiencies(charge_efficiency=0.97, discharge_efficiency=0.98, round_trip_efficiency=0.95)[0] == 0.95


def test_battery__efficiencies_disagree():
    message = r"battery 'b1': round_trip_efficiency = 0\.95: charge_efficiency x discharge_efficiency give 0\.81"
    with pytest.raises(InvalidInput, match=message):
        efficiencies(round_trip_efficiency=0.95, charge_efficiency=0.9, discharge_efficiency=0.9)


@pytest.mark.parametrize("value", [0, 1.01, 95, -0.9])
@pytest.mark.parametrize("name", ["round_trip_efficiency", "charge_efficiency", "discharge_efficiency"])
def test_battery__no_efficiency(name, value):
    """Only the value that was given is complained of, not those that would follow from it."""
    with pytest.raises(InvalidInput) as caught:
        efficiencies(**{name: value})
    assert [finding.split(" = ")[0] for finding in caught.value.findings] == [name]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_soc": 0.9, "max_soc": 0.1}, "min_soc = 0.9: must be less than max_soc = 0.1"),
        ({"min_soc": 0.5, "max_soc": 0.5}, "min_soc = 0.5: must be less than max_soc = 0.5"),
        ({"initial_soc": 0.95}, "initial_soc = 0.95: must lie between min_soc = 0.1 and max_soc = 0.9"),
        ({"target_soc": 0.05}, "target_soc = 0.05: must lie between min_soc = 0.1 and max_soc = 0.9"),
        ({"max_soc": 90}, "max_soc = 90: must be at most 1"),
        ({"final_soc_rule": "same"}, "final_soc_rule = 'same': must be 'at_least', 'exactly' or 'free'"),
        ({"degradation_cost_per_kwh": -1}, "degradation_cost_per_kwh = -1 currency/kWh: must be at least 0"),
        ({"status": "broken"}, "status = 'broken': must be 'active', 'inactive', 'maintenance' or 'decommissioned'"),
        ({"capacity_kwh": 0}, "capacity_kwh = 0 kWh: must be greater than 0 kWh"),
        ({"capacity": 5}, r"capacity: no such field; did you mean capacity_kwh\?"),
    ],
)
def test_battery__message_names_field_and_bounds(fields, message):
    with pytest.raises(InvalidInput, match=f"battery 'b1': {message}"):
        Battery(**{**PLAIN, **fields})


def test_replace__what_follows_is_derived_anew():
    """A new round trip gives new one-way figures, a new first state of charge a new target."""
    one = Battery(**PLAIN, round_trip_efficiency=0.81)
    assert one.replace(round_trip_efficiency=0.64).charge_efficiency == pytest.approx(0.8, abs=1e-12)
    assert one.replace(initial_soc=0.3).target_soc == 0.3
    assert one.replace(initial_soc=0.3, target_soc=0.6).replace(initial_soc=0.2).target_soc == 0.6


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_battery__round_trip_is_the_product_of_the_ways(charge, discharge):
    one = battery(charge_efficiency=charge, discharge_efficiency=discharge)
    assert one.round_trip_efficiency == pytest.approx(charge * discharge, rel=1e-12)
    other = battery(round_trip_efficiency=one.round_trip_efficiency)
    assert other.charge_efficiency * other.discharge_efficiency == pytest.approx(charge * discharge, rel=1e-12)
