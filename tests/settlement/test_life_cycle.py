"""Life cycles: replacements, residual values and averages found by hand, and laws of net present value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.settlement.life_cycle import Equipment, ProjectTerms, compare, life_cycle


def battery(**fields: object) -> Equipment:
    return Equipment(**{"name": "battery", "cost_per_unit": 100, "life_a": 4, **fields})


def terms(**fields: object) -> ProjectTerms:
    return ProjectTerms(**{"project_a": 6, "discount_share_per_a": 0.0, **fields})


def test_yearly__replaced_and_sold_for_the_rest_of_its_life():
    """Bought for 100, again for 60 after 4 years, of whose 4 years 2 are left: 30 come back."""
    flows = battery(replacement_share=0.6, upkeep_per_unit_a=1).yearly(10, terms())

    assert flows["investment"].tolist() == [-1000, 0, 0, 0, 0, 0, 0]
    assert flows["replacement"].tolist() == [0, 0, 0, 0, -600, 0, 0]
    assert flows["maintenance"].tolist() == [0, -10, -10, -10, -10, -10, -10]
    assert flows["residual"].tolist() == [0, 0, 0, 0, 0, 0, 300]


@pytest.mark.parametrize(
    ("life_a", "replacements", "residual"),
    [(2, 2, 0.0), (3, 1, 0.0), (4, 1, 50.0), (5, 1, 80.0), (6, 0, 0.0), (12, 0, 50.0)],
)
def test_yearly__lives_of_any_length(life_a: int, replacements: int, residual: float):
    """A life that ends with the project is not begun anew, and nothing is left of it."""
    flows = battery(life_a=life_a).yearly(1, terms())

    assert flows["replacement"].sum() == -100 * replacements
    assert flows["residual"].sum() == pytest.approx(residual)


def test_cost_per_unit_a__is_the_annuity_of_what_is_never_replaced():
    """Over its own life without upkeep: 0.25 / (1 - 1.25 ** -2) of the price."""
    found = battery(life_a=2).cost_per_unit_a(terms(project_a=2, discount_share_per_a=0.25))

    assert found == pytest.approx(100 * 0.25 / (1 - 1.25**-2))


def test_kept_share__is_the_mean_until_it_is_replaced():
    """Half is lost each year of two, then it is new: 1, 0.5, 1, 0.5."""
    assert battery(life_a=2, degradation_share_per_a=0.5).kept_share(terms(project_a=4)) == pytest.approx(0.75)
    # At a rate of 1 the years weigh 1/2, 1/4, 1/8, 1/16.
    weighed = battery(life_a=2, degradation_share_per_a=0.5).kept_share(terms(project_a=4, discount_share_per_a=1.0))
    assert weighed == pytest.approx((0.5 + 0.125 + 0.125 + 0.03125) / (15 / 16))


def test_compare__by_hand():
    """100 paid; 60 saved in the first year and 66 in the second, as prices rise by a tenth; 10 % interest."""
    over = terms(project_a=2, discount_share_per_a=0.1, price_escalation_share_per_a=0.1)
    equipment = battery(life_a=2)

    found = compare(life_cycle([(equipment, 1)], 40, over), life_cycle([(equipment, 0)], 100, over))

    assert found.cash_flows["net"].tolist() == pytest.approx([-100, 60, 66])
    assert found.npv == pytest.approx(-100 + 60 / 1.1 + 66 / 1.21)
    assert found.payback_a.value == pytest.approx(1 + 40 / 66)
    # 100 x**2 = 60 x + 66 with x = 1 + rate.
    assert found.irr.value == pytest.approx((60 + (60**2 + 4 * 100 * 66) ** 0.5) / 200 - 1)


def test_compare__nothing_is_invested():
    found = compare(life_cycle([(battery(), 0)], 40, terms()), life_cycle([(battery(), 0)], 40, terms()))

    assert found.npv == 0
    assert found.payback_a.reason == "nothing is invested"


def test_compare__next_to_nothing_is_invested():
    """A rate of return of 1e300 and more is none."""
    found = compare(life_cycle([(battery(), 1e-305)], 40, terms()), life_cycle([(battery(), 0)], 90, terms()))

    assert found.npv == pytest.approx(300)
    assert found.irr.reason == "nothing is invested"


@given(
    size=st.floats(0, 1e3),
    bills=st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)),
    price=st.floats(0, 1e3),
    life_a=st.integers(1, 30),
    project_a=st.integers(1, 30),
    rate=st.floats(0, 0.2),
    escalation=st.floats(-0.05, 0.1),
)
def test_law__value_is_the_difference_of_both_life_cycles(
    *,
    size: float,
    bills: tuple[float, float],
    price: float,
    life_a: int,
    project_a: int,
    rate: float,
    escalation: float,
):
    """And a life cycle is a price a year of each unit and the level of the bill, times the annuity of the project."""
    over = ProjectTerms(project_a=project_a, discount_share_per_a=rate, price_escalation_share_per_a=escalation)
    equipment = battery(cost_per_unit=price, life_a=life_a, upkeep_per_unit_a=price / 50)
    invested, baseline = (
        life_cycle([(equipment, kwh)], bill, over) for kwh, bill in zip((size, 0), bills, strict=True)
    )
    near = 1e-9 * (invested.total + baseline.total + price * size * 10 + 1)

    assert compare(invested, baseline).npv == pytest.approx(baseline.total - invested.total, abs=near)
    yearly = equipment.cost_per_unit_a(over) * size + over.price_level * bills[0]
    assert invested.total == pytest.approx(yearly * over.annuity, abs=near)
    discounted = sum(flow / (1 + rate) ** year for year, flow in enumerate(invested.yearly.sum(axis=1)))
    assert invested.total == pytest.approx(-discounted, abs=near)
