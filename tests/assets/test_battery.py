"""A battery's fields: efficiencies follow from each other, states of charge are in order."""

from __future__ import annotations

import math

import pytest
from builders import battery
from hypothesis import given
from hypothesis import strategies as st

from ems.assets.battery import Battery
from ems.assets.battery_ageing import segment_costs_per_kwh
from ems.assets.battery_limits import taper_lines
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
        ({"final_soc_rule": "same"}, "final_soc_rule = 'same': must be 'at_least', 'exactly', 'free' or 'cyclic'"),
        ({"degradation_cost_per_kwh": -1}, "degradation_cost_per_kwh = -1 currency/kWh: must be at least 0"),
        ({"status": "broken"}, "status = 'broken': must be 'active', 'inactive', 'maintenance' or 'decommissioned'"),
        ({"capacity_kwh": 0}, "capacity_kwh = 0 kWh: must be greater than 0 kWh"),
        ({"capacity": 5}, r"capacity: no such field; did you mean capacity_kwh\?"),
        ({"max_charge_kw": -1}, "max_charge_kw = -1 kW: must be at least 0 kW"),
        ({"max_charge_kw": 0, "max_discharge_kw": 0}, "max_charge_kw = 0 kW: must be greater than 0 kW, or max_dis"),
        ({"rated_power_kw": 0}, "rated_power_kw = 0 kW: must be greater than 0 kW"),
        ({"standing_loss_per_h": 1}, "standing_loss_per_h = 1 1/h: must be less than 1 1/h"),
        ({"cycle_depth_segments": 51}, "cycle_depth_segments = 51: must be at most 50"),
        ({"max_cycles_per_d": 0}, "max_cycles_per_d = 0 1/d: must be greater than 0 1/d"),
    ],
)
def test_battery__message_names_field_and_bounds(fields, message):
    with pytest.raises(InvalidInput, match=f"battery 'b1': {message}"):
        Battery(**{**PLAIN, **fields})


def taper(*points: tuple[float, float]) -> list[dict[str, float]]:
    return [{"soc": soc, "share": share} for soc, share in points]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (taper((0.8, 1)), "charge_taper has 1 point: must have at least 2"),
        (taper((0.8, 1), (0.8, 0.5)), "charge_taper: soc = 0.8 follows 0.8: must rise from point to point"),
        (taper((0.9, 1), (0.8, 0.5)), "charge_taper: soc = 0.8 follows 0.9: must rise"),
        (
            taper((0, 1), (0.5, 0.4), (1, 0.2)),
            r"charge_taper: turns upwards at soc = 0.5, share = 0.4: must be concave",
        ),
        (
            taper((0, 1), (0.8, 0.1)),
            r"charge_taper: its line gives a share of -0\.0125 at soc = 0\.9: must be at least 0",
        ),
        (
            taper((0.2, 0), (0.5, 1)),
            r"charge_taper: its line gives a share of -0\.333\d* at soc = 0\.1: must be at least",
        ),
        (taper((0.8, 1.2), (1, 0)), r"charge_taper\.1\.share = 1\.2: must be at most 1"),
    ],
)
def test_battery__taper_is_no_concave_limit(points, message):
    with pytest.raises(InvalidInput, match=f"battery 'b1': {message}"):
        Battery(**PLAIN, charge_taper=points)


def test_taper_lines__go_through_the_points():
    """From (0, 0.5) to (0.5, 1) the share is 0.5 + soc, from there to (1, 0.2) it is 1.8 - 1.6 soc."""
    one = Battery(**PLAIN, discharge_taper=taper((0, 0.5), (0.5, 1), (1, 0.2)))

    lines = taper_lines(one.discharge_taper)

    assert lines[0] == pytest.approx((0.5, 1))
    assert lines[1] == pytest.approx((1.8, -1.6))


@pytest.mark.parametrize("rule", ["at_least", "exactly", "at_most"])
def test_battery__target_that_limits_forbid(rule):
    message = (
        rf"battery 'b1': soc_targets: {rule} 0\.95 at 2024-06-03T06:00:00\+00:00: must lie between min_soc = 0\.1"
    )
    with pytest.raises(InvalidInput, match=message):
        Battery(**PLAIN, soc_targets=[{"time": "2024-06-03T06:00+00:00", "soc": 0.95, "rule": rule}])


@pytest.mark.parametrize("rule", ["exactly", "cyclic"])
def test_battery__worth_of_what_is_left_where_nothing_can_be_chosen(rule):
    message = r"battery 'b1': final_energy_value_per_kwh = 0\.2 .*final_soc_rule must be 'at_least' or 'free'"
    with pytest.raises(InvalidInput, match=message):
        Battery(**PLAIN, final_soc_rule=rule, final_energy_value_per_kwh=0.2)


AGED = {"cycle_depth_segments": 4, "capital_cost": 50_000, "cycle_life": 1000, "chemistry": "lithium_ion"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"capital_cost": None}, "cycle_depth_segments = 4: needs capital_cost"),
        ({"cycle_life": None}, "cycle_depth_segments = 4: needs cycle_life or degradation_rate_per_cycle"),
        ({"degradation_cost_per_kwh": 0.01}, r"degradation_cost_per_kwh = 0\.01 .*must be left out"),
    ],
)
def test_battery__wear_by_depth_needs_its_numbers(fields, message):
    with pytest.raises(InvalidInput, match=f"battery 'b1': {message}"):
        Battery(**PLAIN, **{**AGED, **fields})


def test_battery__wear_by_depth_takes_the_place_of_wear_by_energy():
    """With segments the default of 0.01 becomes 0, without them it comes back; both keep their given fields."""
    one = Battery(**PLAIN, **AGED)
    assert one.degradation_cost_per_kwh == 0
    assert one.replace(cycle_depth_segments=0).degradation_cost_per_kwh == 0.01
    assert Battery(**one.as_json()) == one


@given(st.integers(1, 50), st.sampled_from(["lithium_ion", "lithium_iron_phosphate", None]))
def test_segment_costs_per_kwh__rise_and_sum_to_a_full_cycle(count, chemistry):
    """Whatever the number of segments, a cycle from full to empty wears 50 000 / 1000."""
    one = Battery(**PLAIN, **{**AGED, "cycle_depth_segments": count, "chemistry": chemistry})

    costs = segment_costs_per_kwh(one)

    assert (costs[1:] >= costs[:-1] - 1e-9).all()  # differences of powers near 1
    assert costs.sum() * 100 / count == pytest.approx(50)


def test_battery__store_that_only_takes():
    one = Battery(**{**PLAIN, "max_discharge_kw": 0}, continuous_discharge_kw=5)
    assert (one.rated_power_kw, one.charge_limit_kw, one.discharge_limit_kw) == (50, 50, 0)


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
