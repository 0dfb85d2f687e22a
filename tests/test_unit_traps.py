"""A number in another unit than its name says is answered with what it was meant to be, or not at all."""

from __future__ import annotations

import pytest
from builders import battery, solar
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.unit_traps import megawatt_hints, remedy_for


@pytest.mark.parametrize(
    ("name", "value", "bound", "remedy"),
    [
        ("min_soc", 10, 1, "; looks like percent, write 0.1"),
        ("charge_efficiency", 95, 1, "; looks like percent, write 0.95"),
        ("power_coefficient", 45, 0.59, "; looks like percent, write 0.45"),
        ("system_losses", 14, 1, "; looks like percent, write 0.14"),
        ("degradation_rate_per_a", 0.5, 0.1, "; looks like percent, write 0.005"),
        ("temperature_coefficient_per_k", -0.35, -0.02, "; looks like percent, write -0.0035"),
        ("azimuth_deg", 360, 360, "; north is 0, write 0"),
        ("azimuth_deg", 450, 360, "; a full turn is 360, write 90"),
        ("azimuth_deg", -90, 0, "; counted clockwise from north: east 90, south 180, west 270"),
        ("voltage_level_kv", 400, 200, "; looks like V, write 0.4"),
        ("max_power_kw", 22_000, 10_000, "; looks like W, write 22"),
        ("optimal_temp_degc", 298.15, 100, "; looks like kelvin, write 25"),
        ("latitude", 139.7, 90, "; looks like a longitude, are the two exchanged?"),
        ("max_discharge_kw", -50, 0, "; the name tells the direction, write 50"),
    ],
)
def test_remedy_for__says_what_was_meant(name, value, bound, remedy):
    assert remedy_for(name, value, bound) == remedy


@pytest.mark.parametrize(
    ("name", "value", "bound"),
    [
        ("min_soc", 1.2, 1),  # a slip of the pen, or 120 percent
        ("charge_efficiency", 3, 1),  # may be a coefficient of performance
        ("min_soc", 500, 1),  # 5 is no share either
        ("min_soc", -0.1, 0),
        ("capacity_kwh", -5, 0),
        ("tilt_angle_deg", 120, 90),
        ("number_of_ports", 0, 1),
        ("azimuth_deg", 1e6, 360),
        ("max_power_kw", 2e9, 10_000),  # more than W explains
        ("latitude", 4_000, 90),
    ],
)
def test_remedy_for__is_silent_where_it_is_not_sure(name, value, bound):
    assert remedy_for(name, value, bound) == ""


@given(value=st.floats(1, 1e6, exclude_min=True), name=st.sampled_from(["min_soc", "charge_efficiency", "gap"]))
def test_remedy_for__what_it_offers_keeps_the_bound(name, value):
    """A remedy that breaks the same bound would send a person in circles."""
    remedy = remedy_for(name, value, 1)
    if remedy:
        assert 0 < float(remedy.rsplit(" ", 1)[1]) <= 1


def test_record__message_ends_with_the_remedy():
    with pytest.raises(InvalidInput, match=r"min_soc = 10: must be at most 1; looks like percent, write 0\.1$"):
        battery(min_soc=10)
    with pytest.raises(InvalidInput, match=r"azimuth_deg = 360 °: must be less than 360 °; north is 0, write 0$"):
        solar(azimuth_deg=360)


@pytest.mark.parametrize(
    ("kind", "fields", "meant"),
    [
        ("wind_turbine", {"rated_capacity_kw": 3.45, "rotor_diameter_m": 126}, "write 3450"),
        ("solar_pv", {"rated_capacity_kw": 0.5, "number_of_panels": 1200, "panel_capacity_w": 420}, "write 500"),
        ("battery", {"capacity_kwh": 2000, "max_charge_kw": 1, "max_discharge_kw": 1000}, "max_charge_kw = 1 kW"),
    ],
)
def test_megawatt_hints__other_fields_show_the_size(kind, fields, meant):
    (finding,) = megawatt_hints(kind, fields)

    assert meant in finding
    assert "looks like MW" in finding


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("wind_turbine", {"rated_capacity_kw": 3450, "rotor_diameter_m": 126}),
        ("wind_turbine", {"rated_capacity_kw": 1, "rotor_diameter_m": 2.5}),
        ("solar_pv", {"rated_capacity_kw": 10, "number_of_panels": 24, "panel_capacity_w": 420}),
        ("solar_pv", {"rated_capacity_kw": 0.4}),
        ("battery", {"capacity_kwh": 1000, "max_charge_kw": 10, "max_discharge_kw": 10}),  # 100 h, iron-air
        ("battery", {"capacity_kwh": 2, "max_charge_kw": 1, "max_discharge_kw": 1}),
        ("load", {"rated_load_kw": 0.001}),
    ],
)
def test_megawatt_hints__real_equipment_has_none(kind, fields):
    assert megawatt_hints(kind, fields) == []
