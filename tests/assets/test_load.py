"""A load's fields: shedding has a price, or there is none."""

from __future__ import annotations

import pytest
from builders import START, load

from ems.errors import InvalidInput


def test_load__sheddable_without_a_price():
    message = "load 'load': interruption_cost_per_kwh: is required where is_sheddable = true"
    with pytest.raises(InvalidInput, match=message):
        load(is_sheddable=True)


def test_load__price_without_effect():
    with pytest.raises(InvalidInput, match="interruption_cost_per_kwh: has no effect unless is_sheddable = true"):
        load(interruption_cost_per_kwh=5)


def test_load__nothing_may_be_worth_nothing():
    assert load(is_sheddable=True, interruption_cost_per_kwh=0).interruption_cost_per_kwh == 0


def test_load__negative_price():
    with pytest.raises(InvalidInput, match="interruption_cost_per_kwh = -1 currency/kWh: must be at least 0"):
        load(is_sheddable=True, interruption_cost_per_kwh=-1)


SHIFTABLE = {"power_kw": 3.0, "duration_h": 2.0}
THERMAL = {
    "capacitance_kwh_per_k": 1.0,
    "resistance_k_per_kw": 2.0,
    "max_power_kw": 5.0,
    "comfort_min_degc": 18.0,
    "comfort_max_degc": 24.0,
    "initial_temperature_degc": 20.0,
}
SHEDDABLE = {"is_sheddable": True, "interruption_cost_per_kwh": 1}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shiftable": SHIFTABLE, "thermal": THERMAL}, "thermal: has no effect beside shiftable; keep one"),
        ({"shiftable": SHIFTABLE, **SHEDDABLE}, "is_sheddable = true: has no effect beside shiftable; keep one"),
        ({"thermal": THERMAL, **SHEDDABLE}, "is_sheddable = true: has no effect beside thermal; keep one"),
        (
            {"shiftable": SHIFTABLE, "rated_load_kw": 2},
            r"shiftable\.power_kw = 3 kW: must be at most rated_load_kw = 2",
        ),
        ({"thermal": THERMAL, "rated_load_kw": 2}, r"thermal\.max_power_kw = 5 kW: must be at most rated_load_kw = 2"),
        ({"recovered_share": 0.5}, r"recovered_share = 0\.5: has no effect unless is_sheddable = true"),
        ({"recovery_h": 2, **SHEDDABLE}, "recovery_h = 2 h: has no effect unless recovered_share > 0"),
        ({"shiftable": {**SHIFTABLE, "runs": 0}}, r"shiftable\.runs = 0: must be at least 1"),
        ({"shiftable": {**SHIFTABLE, "duration_h": 0}}, r"shiftable\.duration_h = 0 h: must be greater than 0 h"),
        (
            {"shiftable": {**SHIFTABLE, "windows": [{"earliest": START, "latest": START}]}},
            r"latest = 2024-06-03T00:00:00\+00:00: must be after earliest",
        ),
        (
            {"thermal": {**THERMAL, "comfort_min_degc": 25.0}},
            "comfort_min_degc = 25 °C: must be at most comfort_max_degc = 24 °C",
        ),
        (
            {"thermal": {**THERMAL, "initial_temperature_degc": -300.0}},
            r"initial_temperature_degc = -300 °C: must be at least -273\.15 °C",
        ),
        ({"thermal": {**THERMAL, "cop": 0}}, r"thermal\.cop = 0: must be greater than 0"),
        ({"thermal": {**THERMAL, "mode": "both"}}, r"thermal\.mode = 'both': must be 'heating' or 'cooling'"),
    ],
)
def test_load__message_names_field_and_value(fields, message):
    with pytest.raises(InvalidInput, match=message):
        load(**fields)


def test_series_needed__by_what_a_load_follows():
    assert load().series_needed == ("demand_kw",)
    assert load(shiftable=SHIFTABLE).series_needed == ()
    assert load(thermal=THERMAL).series_needed == ("outdoor_temperature_degc",)


def test_shedding_rank__larger_number_is_shed_first():
    """Priority 10 and none come before 5, and 1 is the last."""
    ranks = [load(priority_level=level).shedding_rank for level in (None, 10, 5, 1)]
    assert ranks == [1, 1, 6, 10]
