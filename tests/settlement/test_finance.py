"""Net present value, rate of return, payback and levelized cost, by hand and by law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.settlement.finance import (
    annuity_factor,
    capital_recovery_factor,
    discount_factors,
    irr,
    levelized_cost_per_kwh,
    npv,
    payback_a,
)

OUTLAYS = st.floats(1, 1e6)
EARNINGS = st.lists(st.floats(0, 1e6), min_size=1, max_size=30).filter(lambda flows: sum(flows) > 1e-3)
RATES = st.floats(0, 1)


def test_npv__of_two_years():
    """-100 now, 60 after a year and 60 after two are worth -100 + 60 / 1.1 + 60 / 1.21 = 4.1322 at 10 %."""
    assert npv([-100, 60, 60], 0.10) == pytest.approx(-100 + 60 / 1.1 + 60 / 1.21, abs=1e-12)


def test_annuity_factor__without_interest_is_the_number_of_years():
    assert annuity_factor(0, 20) == 20
    # At a rate of 1e-12 the factor is 20 - 210e-12: a difference of powers would lose all but four digits.
    assert annuity_factor(1e-12, 20) == pytest.approx(20 - 210e-12, rel=1e-14)


@given(RATES, st.integers(1, 40))
def test_annuity_factor__is_the_sum_of_discount_factors(rate: float, years: int):
    """The law by which REopt turns yearly costs into a present value: a sum of discount factors."""
    assert annuity_factor(rate, years) == pytest.approx(discount_factors(rate, years)[1:].sum(), rel=1e-12)
    assert capital_recovery_factor(rate, years) * annuity_factor(rate, years) == pytest.approx(1, rel=1e-12)


def test_irr__of_one_year():
    """100 that become 110 in a year earn 10 %."""
    assert irr([-100, 110]).value == pytest.approx(0.10, abs=1e-12)


def test_irr__of_a_loss_is_below_zero():
    """100 that become 90 in a year lose 10 %."""
    assert irr([-100, 90]).value == pytest.approx(-0.10, abs=1e-12)


@pytest.mark.parametrize(
    ("flows", "reason"),
    [
        ([-100, -5], "nothing is earned"),
        ([0, 5], "nothing is paid"),
        ([10, -20, 15], "no rate makes the net present value zero"),
        # -100 + 230 / (1 + r) - 132 / (1 + r)^2 = -(1.1 / (1 + r) - 1) * (1.2 / (1 + r) - 1) * 100
        ([-100, 230, -132], "the net present value is zero at several rates, 10 % and 20 %"),
    ],
)
def test_irr__is_not_defined(flows: list[float], reason: str):
    found = irr(flows)

    assert math.isnan(found.value)
    assert not found.is_defined
    assert found.reason == reason


def test_irr__double_root_counts_once():
    """-100 + 200 v - 100 v^2 = -100 (1 - v)^2 is zero at v = 1 only, a rate of 0."""
    # A double root is found to the root of a float's rounding only.
    assert irr([-100, 200, -100]).value == pytest.approx(0, abs=1e-7)


@given(OUTLAYS, EARNINGS)
def test_irr__makes_the_net_present_value_zero(outlay: float, earned: list[float]):
    flows = np.array([-outlay, *earned])

    found = irr(flows)

    assert found.is_defined
    size = float(np.abs(flows) @ discount_factors(found.value, len(earned)))
    assert npv(flows, found.value) == pytest.approx(0, abs=1e-9 * size)


@given(OUTLAYS, EARNINGS, RATES, RATES)
def test_npv__of_an_outlay_that_earns_falls_with_the_rate(
    outlay: float, earned: list[float], one: float, other: float
):
    low, high = sorted((one, other))
    flows = [-outlay, *earned]

    assert npv(flows, high) <= npv(flows, low) + 1e-9 * (outlay + sum(earned))


@given(OUTLAYS, EARNINGS, RATES)
def test_npv__is_above_zero_just_below_the_rate_of_return(outlay: float, earned: list[float], rate: float):
    flows = [-outlay, *earned]
    size, value = outlay + sum(earned), npv(flows, rate)

    if abs(value) > 1e-6 * size:
        assert (value > 0) == (irr(flows).value > rate)


def test_payback__lies_within_a_year():
    """100 come back with 40 a year after 2.5 years."""
    assert payback_a([-100, 40, 40, 40]).value == pytest.approx(2.5)


def test_payback__discounted_comes_later():
    """At 25 % the 80, 80 and 80 are worth 64, 51.2 and 40.96: 100 are back after 1 + 36 / 51.2 years."""
    assert payback_a([-100, 80, 80, 80], 0.25).value == pytest.approx(1 + 36 / 51.2)


def test_payback__never():
    found = payback_a([-100, 10, 10])

    assert not found.is_defined
    assert found.reason == "it is not paid back within 2 years"


@given(OUTLAYS, EARNINGS, RATES, st.floats(1, 3))
def test_payback__is_earlier_with_more_earned_and_later_with_a_rate(
    outlay: float, earned: list[float], rate: float, more: float
):
    flows = np.array([-outlay, *earned])
    simple, discounted = payback_a(flows), payback_a(flows, rate)
    richer = payback_a(np.array([-outlay, *(more * one for one in earned)]))

    # Rounding of a sum of 30 amounts can move a crossing by far less than a millionth of a year.
    assert not (simple.is_defined and richer.value > simple.value + 1e-6)
    assert not (discounted.is_defined and simple.value > discounted.value + 1e-6)


def test_levelized_cost__is_the_annuity_of_the_outlay_over_the_energy():
    """1,000 over 20 years at 5 % for 100 kWh a year: 1,000 * CRF / 100 = 0.8024 a kWh."""
    costs, energy = [1000.0] + [0.0] * 20, [0.0] + [100.0] * 20

    found = levelized_cost_per_kwh(costs, energy, 0.05)

    assert found.value == pytest.approx(1000 * capital_recovery_factor(0.05, 20) / 100, rel=1e-12)
    assert found.value == pytest.approx(0.802426, abs=1e-6)


def test_levelized_cost__without_energy_is_not_defined():
    assert levelized_cost_per_kwh([100, 0], [0, 0], 0.05).reason == "no energy is given"


@given(OUTLAYS, st.lists(st.floats(1, 1e4), min_size=1, max_size=30), RATES)
def test_levelized_cost__as_a_price_earns_just_nothing(outlay: float, energy: list[float], rate: float):
    """Sold at its levelized cost, the energy has a net present value of zero: what the figure means."""
    energy_kwh = np.array([0.0, *energy])
    costs = np.zeros(len(energy_kwh))
    costs[0] = outlay

    price = levelized_cost_per_kwh(costs, energy_kwh, rate).value

    assert npv(price * energy_kwh - costs, rate) == pytest.approx(0, abs=1e-9 * outlay)
