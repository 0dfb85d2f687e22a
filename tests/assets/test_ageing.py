"""Cycles, life curves, losses and the price of wear, against the standard's example and sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from builders import battery
from hypothesis import given
from hypothesis import strategies as st

from ems.assets.ageing import (
    calendar_loss,
    cycle_depths,
    cycle_loss,
    equivalent_full_cycles,
    life_curve,
    life_curve_of,
    rainflow,
    turning_points,
    wear_cost_of,
    wear_cost_per_kwh,
)
from ems.errors import InvalidInput, MissingValues

EXACT = 1e-12  # sums of a few products of short decimal numbers
ROUNDING = 1e-9  # sums of up to a hundred numbers below 100, in another order

# The history of figure 6 of ASTM E1049-85, with a value repeated where it stays.
STANDARD = np.array([-2, 1, -3, 5, -1, 3, -4, 4, -2], dtype=float)

series = st.lists(st.integers(-20, 20).map(lambda number: number / 4), min_size=0, max_size=60).map(np.array)
socs = st.lists(st.floats(0, 1), min_size=2, max_size=60).map(np.array)


def counted(values: np.ndarray) -> dict[float, float]:
    """Cycles by range."""
    cycles = rainflow(values)
    found: dict[float, float] = {}
    for size, count in zip(cycles.range.tolist(), cycles.count.tolist(), strict=True):
        found[size] = found.get(size, 0) + count
    return found


# -------------------------------------------------------------------------------------------------- cycles
@pytest.mark.parametrize("values", [STANDARD, np.repeat(STANDARD, 2)], ids=["as printed", "values repeated"])
def test_rainflow__example_of_the_standard(values):
    """Table of figure 6: ranges 3, 4, 6, 8, 9 with 0.5, 1.5, 0.5, 1.0, 0.5 cycles."""
    assert counted(values) == {3: 0.5, 4: 1.5, 6: 0.5, 8: 1.0, 9: 0.5}


def test_rainflow__says_where_and_around_what():
    """The one full cycle of the standard's history is E-F: from -1 at 4 to 3 at 5, mean 1, range 4."""
    cycles = rainflow(STANDARD)
    (full,) = np.flatnonzero(cycles.count == 1)

    assert (cycles.start[full], cycles.end[full]) == (4, 5)
    assert (cycles.range[full], cycles.mean[full]) == (4, 1)


def test_rainflow__second_history():
    """A longer history whose counts were found by two other programs."""
    values = [-1.5, 1, -3, 10, -1, 3, -8, 4, -2, 6, -1, -4, -8, 2, 1, -5, 0, 2.5, -4, 1, 0, 2, -0.5]

    assert counted(np.array(values)) == {
        1.0: 1, 2.5: 1, 4.0: 1.5, 6.0: 1.5, 6.5: 0.5, 7.0: 1, 10.5: 0.5, 13.0: 0.5, 14.0: 1, 18.0: 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0, 1.0]])
def test_rainflow__nothing_moves(values):
    assert counted(np.array(values)) == {}


def test_rainflow__gap():
    with pytest.raises(MissingValues, match="1 values are missing"):
        rainflow(np.array([0.0, np.nan, 1.0]))


def test_turning_points__of_equal_neighbours_the_first():
    assert turning_points(np.array([0, 0, 1, 1, 2, 2, 1, 1])).tolist() == [0, 4, 6]


@given(series)
def test_rainflow__ranges_add_up_to_the_way_that_was_made(values):
    """Twice count times range is the way up and down: no part of it is lost or counted twice."""
    cycles = rainflow(values)

    assert 2 * (cycles.count * cycles.range).sum() == pytest.approx(np.abs(np.diff(values)).sum(), abs=ROUNDING)


@given(series)
def test_rainflow__greatest_range_is_that_of_the_series(values):
    cycles = rainflow(values)

    assert set(cycles.count.tolist()) <= {0.5, 1.0}
    if len(cycles.range):
        assert cycles.range.max() == values.max() - values.min()
        assert (cycles.start < cycles.end).all()


@given(series)
def test_rainflow__mirrored_series_has_the_same_cycles(values):
    assert counted(-values) == counted(values)


def test_rainflow__a_year_of_quarter_hours():
    """Every quarter of an hour another direction is the worst case."""
    soc = np.random.default_rng(1).random(35_040)

    cycles = rainflow(soc)

    assert len(cycles.count) > 10_000


def test_equivalent_full_cycles__down_and_up_again():
    """From 0.9 to 0.1 and back is 1.6 of way: 0.8 of a full cycle."""
    assert equivalent_full_cycles(np.array([0.9, 0.1, 0.9])) == pytest.approx(0.8, abs=EXACT)


# --------------------------------------------------------------------------------------------------- losses
def test_cycle_loss__one_cycle_at_full_depth():
    """Empty, full, empty is one full cycle in two halves: a 1000th of the 20 percent of life."""
    loss = cycle_loss(np.array([0.0, 1.0, 0.0]), life_curve("lithium_ion", 1000))

    assert loss == pytest.approx(0.2 / 1000, abs=EXACT)


def test_cycle_loss__half_depth_by_energy_and_by_the_power_curve():
    """Half the depth wears half by energy, and 0.5 ** 2.03 = 0.2449 of it with nickel, manganese and cobalt."""
    soc = np.array([0.25, 0.75, 0.25])

    assert cycle_loss(soc, life_curve("lithium_iron_phosphate", 1000)) == pytest.approx(0.0001, abs=EXACT)
    assert cycle_loss(soc, life_curve("lithium_ion", 1000)) == pytest.approx(0.2 / 1000 * 0.5**2.03, abs=EXACT)
    assert pytest.approx(0.2449, abs=5e-5) == 0.5**2.03


@given(socs, st.sampled_from([None, "lithium_ion", "lithium_iron_phosphate", "lead_acid"]))
def test_cycle_loss__never_above_that_of_the_energy_moved(soc, chemistry):
    """A curve may forgive shallow cycles, but none punishes them beyond their energy."""
    loss = cycle_loss(soc, life_curve(chemistry, 1000))

    assert 0 <= loss <= 0.2 * equivalent_full_cycles(soc) / 1000 + ROUNDING


@given(socs)
def test_cycle_loss__by_energy_is_that_of_equivalent_full_cycles(soc):
    depth, count = cycle_depths(soc)

    assert (depth * count).sum() == pytest.approx(equivalent_full_cycles(soc), abs=ROUNDING)


def test_life_curve__unknown_chemistry_counts_energy_and_says_so():
    assert life_curve(None, 1000).exponent == 1
    assert "no curve over depth is assumed" in life_curve("flow_battery", 1000).source
    assert "10.1109/TPWRS.2017.2733339" in life_curve("lithium_ion", 1000).source


def test_life_curve__no_life():
    with pytest.raises(InvalidInput, match="cycle_life = 0: must be greater than 0"):
        life_curve(None, 0)


def test_life_curve_of__cycle_life_or_loss_per_cycle():
    """20 percent of life at 0.00005 a cycle are 4000 cycles."""
    assert life_curve_of(battery(cycle_life=6000)).cycles_at_full_depth == 6000
    by_rate = life_curve_of(battery(degradation_rate_per_cycle=0.00005))
    assert by_rate.cycles_at_full_depth == pytest.approx(4000, rel=EXACT)
    assert life_curve_of(battery()) is None


def test_calendar_loss__whole_life_is_a_fifth():
    assert calendar_loss(0, 15, 15, "lithium_ion") == pytest.approx(0.2, abs=EXACT)
    assert calendar_loss(0, 15, 15, "lead_acid") == pytest.approx(0.2, abs=EXACT)


def test_calendar_loss__root_of_time_for_lithium_only():
    """A quarter of the life costs half the loss by the root, and a quarter of it in proportion."""
    assert calendar_loss(0, 4, 16, "lithium_iron_phosphate") == pytest.approx(0.1, abs=EXACT)
    assert calendar_loss(0, 4, 16, "lead_acid") == pytest.approx(0.05, abs=EXACT)


@given(st.floats(0, 30), st.floats(0, 30), st.sampled_from(["lithium_ion", "other"]))
def test_calendar_loss__adds_up_over_time(first, more, chemistry):
    whole = calendar_loss(0, first + more, 15, chemistry)
    parts = calendar_loss(0, first, 15, chemistry) + calendar_loss(first, first + more, 15, chemistry)

    assert whole == pytest.approx(parts, abs=ROUNDING)


def test_calendar_loss__ages_fall():
    with pytest.raises(InvalidInput, match="from 3 a to 2 a: ages must rise"):
        calendar_loss(3, 2, 15)


# --------------------------------------------------------------------------------------------- price of wear
def test_wear_cost_per_kwh__by_hand():
    """30,000 over 6000 cycles of 100 kWh, 600,000 kWh, are 0.05 a kWh; half of it is lost before the bus: 0.10."""
    curve = life_curve("lithium_iron_phosphate", 6000)

    assert wear_cost_per_kwh(30_000, 100, curve) == pytest.approx(0.05, abs=EXACT)
    assert wear_cost_per_kwh(30_000, 100, curve, discharge_efficiency=0.5) == pytest.approx(0.1, abs=EXACT)


def test_wear_cost_of__shallow_cycles_are_cheaper_with_lithium_ion():
    """At depth d a kWh costs d ** 1.03 of what it costs at full depth: 0.5 ** 1.03 = 0.4897."""
    fields = {"chemistry": "lithium_ion", "cycle_life": 6000, "capital_cost": 30_000, "round_trip_efficiency": 1}

    full = wear_cost_of(battery(**fields))
    half = wear_cost_of(battery(**fields, min_soc=0.25, max_soc=0.75))

    assert full == pytest.approx(0.05, abs=EXACT)
    assert half / full == pytest.approx(0.5**1.03, abs=EXACT)


def test_wear_cost_of__not_known_without_cost_or_life():
    assert wear_cost_of(battery(cycle_life=6000)) is None
    assert wear_cost_of(battery(capital_cost=30_000)) is None
