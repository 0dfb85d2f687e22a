"""Names state units."""

from __future__ import annotations

import pytest

from ems.units import UNITS, unit_of, with_unit


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("max_charge_kw", "kW"),
        ("capacity_kwh", "kWh"),
        ("temperature_degc", "°C"),
        ("area_m2", "m²"),
        ("ramp_up_kw_per_min", "kW/min"),
        ("wind_speed_m_per_s", "m/s"),
        ("fuel_l_per_kwh", "l/kWh"),
        ("import_price_per_kwh", "EUR/kWh"),
        ("fuel_cost_per_kwh", "EUR/kWh"),
        ("startup_cost", "EUR"),
        ("min_soc", "1"),
        ("charge_efficiency", "1"),
        ("solver", None),
        ("max_charge_kw_hours", None),
    ],
)
def test_unit_of__each_form_of_name(name, unit):
    assert unit_of(name, "EUR") == unit


@pytest.mark.parametrize("name", ["h", "a", "kw", "per", "price_per", "", "_"])
def test_unit_of__a_bare_unit_is_a_word_and_no_number(name):
    """``h`` or ``kw`` alone measure nothing: a unit stands behind the thing that it measures."""
    assert unit_of(name) is None


def test_unit_of__no_currency_known():
    assert unit_of("total_cost") == "currency"
    assert unit_of("import_price_per_kwh") == "currency/kWh"


def test_unit_of__a_share_per_something_is_a_bare_number():
    """One percent a year is 0.01 1/a."""
    assert unit_of("fade_share_per_a") == "1/a"


@pytest.mark.parametrize("suffix", sorted(UNITS))
def test_unit_of__every_suffix_of_the_vocabulary(suffix):
    assert unit_of(f"value_{suffix}") == UNITS[suffix]


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [(-5, "capacity_kwh", "-5 kWh"), (1.5, "min_soc", "1.5"), (3, "count", "3"), (2, "startup_cost", "2 EUR")],
)
def test_with_unit__number_and_unit(value, name, text):
    assert with_unit(value, name, "EUR") == text
