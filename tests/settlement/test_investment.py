"""Cash flows of an investment: growth, wear, replacement, tax and residual value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.settlement.finance import annuity_factor, capital_recovery_factor
from ems.settlement.investment import Investment, cash_flows, finance_of


def investment(**fields: Any) -> Investment:
    """1,000 for ten years at 5 %, without upkeep."""
    return Investment(**{"capital_cost": 1000, "life_a": 10, "discount_share_per_a": 0.05, **fields})


def test_finance__of_an_annuity():
    """200 a year for ten years are worth 200 * 7.7217 = 1,544.35; less 1,000 that is 544.35."""
    found = finance_of(investment(), saving_per_a=200)

    assert found.npv == pytest.approx(200 * annuity_factor(0.05, 10) - 1000)
    assert found.npv == pytest.approx(544.35, abs=0.005)
    assert found.payback_a.value == pytest.approx(5)
    assert found.annual_value == pytest.approx(200 - 1000 * capital_recovery_factor(0.05, 10))
    assert found.irr.value > 0.05


def test_finance__break_even_is_where_all_figures_meet():
    """What just pays the annuity has no value, a return of the discount rate, and a payback of the whole life."""
    found = finance_of(investment(), saving_per_a=1000 * capital_recovery_factor(0.05, 10))

    assert found.npv == pytest.approx(0, abs=1e-9)
    assert found.irr.value == pytest.approx(0.05, abs=1e-9)


def test_finance__growing_savings_are_worth_reopts_present_worth_factor():
    """Savings that rise by e and are discounted by d are worth x (1 - x^n) / (1 - x) with x = (1 + e) / (1 + d)."""
    x = 1.02 / 1.05
    factor = x * (1 - x**10) / (1 - x)

    found = finance_of(investment(price_escalation_share_per_a=0.02), saving_per_a=100 * 1.02)

    assert found.npv == pytest.approx(100 * factor - 1000)


def test_cash_flows__with_replacement_and_wear():
    """Of 100 a year at 10 % wear: 100, 90, 81, then as new after the replacement at the end of year 3: 100, 90."""
    one = investment(life_a=5, replacement_after_a=3, replacement_cost=400, degradation_share_per_a=0.1)

    flows = cash_flows(one, saving_per_a=100, energy_kwh_per_a=1000)

    assert flows["saving"].tolist() == pytest.approx([0, 100, 90, 81, 100, 90])
    assert flows["energy_kwh"].tolist() == pytest.approx([0, 1000, 900, 810, 1000, 900])
    assert flows["investment"].tolist() == [-1000, 0, 0, -400, 0, 0]
    assert flows["net"].tolist() == pytest.approx([-1000, 100, 90, -319, 100, 90])
    assert flows["cumulative"].iloc[-1] == pytest.approx(-939)


def test_cash_flows__is_not_replaced_at_the_end_of_its_life():
    one = investment(life_a=6, replacement_after_a=3, replacement_cost=400)

    assert cash_flows(one, 0)["investment"].tolist() == [-1000, 0, 0, -400, 0, 0, 0]


def test_cash_flows__with_installation_upkeep_and_residual_value():
    """1,000 + 200 now; upkeep of 10 rises by 10 % a year; 50 come back at the end."""
    one = investment(
        life_a=3,
        installation_cost=200,
        maintenance_cost_per_a=10,
        maintenance_escalation_share_per_a=0.1,
        residual_value=50,
    )

    flows = cash_flows(one, saving_per_a=500)

    assert flows["net"].tolist() == pytest.approx([-1200, 490, 489, 487.9 + 50])


def test_cash_flows__after_tax():
    """500 - 250 written off are taxed with 20 %: 50 a year for four years; in year 5 all 500: 100."""
    one = investment(life_a=5, tax_share=0.2, depreciation_a=4)

    flows = cash_flows(one, saving_per_a=500)

    assert flows["tax"].tolist() == pytest.approx([0, -50, -50, -50, -50, -100])


def test_cash_flows__what_is_left_is_written_off_at_the_end():
    """1,000 over ten years leave 800 after two; the last year writes off 100 + 800, and 300 are sold: 500 - 600."""
    one = investment(life_a=2, tax_share=0.2, depreciation_a=10, residual_value=300)

    flows = cash_flows(one, saving_per_a=500)

    assert flows["tax"].tolist() == pytest.approx([0, -0.2 * (500 - 100), -0.2 * (500 + 300 - 900)])


def test_cash_flows__given_year_by_year_are_taken_as_they_are():
    one = investment(life_a=3, price_escalation_share_per_a=0.5, degradation_share_per_a=0.1)

    assert cash_flows(one, [10, 20, 30], [1, 2, 3])["saving"].tolist() == [0, 10, 20, 30]


def test_finance__levelized_cost_of_a_storage():
    """(1,000 + 400 * 0.1 a year) over 2 years without interest for 400 kWh a year: 1,080 / 800."""
    one = investment(life_a=2, discount_share_per_a=0)

    found = finance_of(one, saving_per_a=100, energy_kwh_per_a=400, operating_cost_per_a=40)

    assert found.levelized_cost_per_kwh.value == pytest.approx(1080 / 800)


def test_finance__that_never_pays_says_so():
    found = finance_of(investment(), saving_per_a=-5)

    assert found.irr.reason == "nothing is earned"
    assert found.payback_a.reason == "it is not paid back within 10 years"
    assert found.levelized_cost_per_kwh.reason == "no energy is given"


def test_finance__of_a_gift():
    found = finance_of(investment(capital_cost=0), saving_per_a=5)

    assert found.irr.reason == "nothing is paid"
    assert found.payback_a.reason == "nothing is paid for it"


@given(st.floats(0, 500), st.floats(0, 500), st.integers(1, 30), st.floats(0, 0.3), st.floats(0, 0.05))
def test_finance__more_saving_is_worth_more(one: float, other: float, life_a: int, rate: float, wear: float):
    low, high = sorted((one, other))
    given_ = investment(life_a=life_a, discount_share_per_a=rate, degradation_share_per_a=wear)

    assert finance_of(given_, low).npv <= finance_of(given_, high).npv + 1e-9


@given(st.integers(1, 30), st.integers(1, 40), st.floats(0, 1), st.floats(0, 500))
def test_cash_flows__tax_over_the_life_is_on_what_was_earned(life_a: int, over_a: int, share: float, saving: float):
    """All that was paid is written off in the end, whatever the pace: taxes sum up to a share of what is earned."""
    taxed = {"tax_share": share, "depreciation_a": over_a} if share else {}
    flows = cash_flows(investment(life_a=life_a, residual_value=100, **taxed), saving)

    earned = saving * life_a - 1000 + 100
    assert flows["tax"].sum() == pytest.approx(-share * earned, abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"replacement_cost": 5}, "replacement_cost = 5: needs replacement_after_a"),
        ({"replacement_after_a": 10}, "replacement_after_a = 10 a: must be less than life_a = 10 a"),
        ({"tax_share": 0.2}, "tax_share and depreciation_a: need each other"),
        ({"capital_cost": -1}, "capital_cost = -1 currency: must be at least 0"),
    ],
)
def test_investment__that_contradicts_itself(fields: dict[str, Any], message: str):
    with pytest.raises(InvalidInput, match=message):
        investment(**fields)


def test_cash_flows__of_another_length():
    with pytest.raises(InvalidInput, match="saving_per_a has 2 values for a life of 10 a"):
        cash_flows(investment(), [1, 2])


def test_cash_flows__with_a_gap():
    with pytest.raises(InvalidInput, match="saving_per_a has a gap"):
        cash_flows(investment(), float("nan"))
