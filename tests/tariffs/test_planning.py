"""Blocks of a month's energy, and what prices of steps leave out of a tariff."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.tariffs.planning import month_blocks, planning_differences
from ems.tariffs.tariff import Tariff


def tiers(*steps: tuple[float | None, float, float]) -> list[dict]:
    return [
        {"up_to_kwh": end, "import_price_per_kwh": bought, "export_price_per_kwh": sold} for end, bought, sold in steps
    ]


def tariff(day: list[dict], night: list[dict], **fields) -> Tariff:
    periods = [
        {"name": "day", "from_time": "08:00", "until_time": "20:00", "tiers": day},
        {"name": "night", "tiers": night},
    ]
    return Tariff(id="contract", name="Contract", periods=periods, **fields)


def pro_rata_cost(contract: Tariff, energy_kwh: tuple[float, ...], scale: float = 1.0) -> float:
    """The month's import cost as the rule reads: the total fills the tiers, each period has its share in each."""
    total, cost = sum(energy_kwh), 0.0
    for period, energy in zip(contract.periods, energy_kwh, strict=True):
        lower = 0.0
        for tier in period.tiers:
            upper = np.inf if tier.up_to_kwh is None else tier.up_to_kwh * scale
            cost += tier.import_price_per_kwh * max(min(total, upper) - lower, 0.0) * energy / total
            lower = upper
    return cost


ENERGY = st.floats(1, 1000)
PRICE = st.floats(-0.5, 0.5)


@given(st.tuples(ENERGY, ENERGY), st.tuples(PRICE, PRICE), PRICE, PRICE, st.sampled_from(["month", "day"]))
def test_month_blocks__cost_is_that_of_the_pro_rata_rule(energies_kwh, firsts, second, third, tier_period):
    """Where day and night have the same ends and steps in price, blocks of the total bill the same."""
    ends, days = (10.0, 25.0), 30
    by_period = [tiers((ends[0], p, 0), (ends[1], p + second, 0), (None, p + third, 0)) for p in firsts]
    contract = tariff(*by_period, tier_period=tier_period)
    blocks = month_blocks(contract, days)
    assert blocks is not None

    total = sum(energies_kwh)
    filled = np.diff(np.minimum(total, np.concatenate(([0.0], blocks.ends_kwh))))
    cost = np.dot(firsts, energies_kwh) + filled @ blocks.import_markup_per_kwh
    expected = pro_rata_cost(contract, energies_kwh, days if tier_period == "day" else 1)
    # A thousand kWh at half a unit, rounded to sixteen digits in some twenty operations.
    assert cost == pytest.approx(expected, abs=1e-9)


def test_month_blocks__convex_where_more_gets_dearer():
    rising, falling = tiers((100, 0.1, 0.05), (None, 0.2, 0.05)), tiers((100, 0.2, 0), (None, 0.1, 0))
    exports_rise = tiers((100, 0.1, 0.05), (None, 0.2, 0.06))
    convex = [month_blocks(tariff(one, one), 30).is_convex for one in (rising, falling, exports_rise)]
    assert convex == [True, False, False]


def test_month_blocks__none_where_periods_differ():
    one = tiers((100, 0.1, 0), (None, 0.2, 0))
    other_end, other_step = tiers((90, 0.1, 0), (None, 0.2, 0)), tiers((100, 0.1, 0), (None, 0.3, 0))
    assert month_blocks(tariff(one, other_end), 30) is None
    assert month_blocks(tariff(one, other_step), 30) is None
    assert month_blocks(tariff(one, tiers((None, 0.2, 0))), 30) is None


FLAT = tiers((None, 0.2, 0.1))


@pytest.mark.parametrize(
    ("contract", "topics"),
    [
        (tariff(FLAT, FLAT), {}),
        (tariff(tiers((9, 0.1, 0), (None, 0.2, 0)), FLAT), {"tiers": "pro rata with different steps in price"}),
        (
            tariff(*[tiers((9, 0.1, 0), (None, 0.2, 0))] * 2),
            {"tiers": "prices of energy step with the energy of the month"},
        ),
        (tariff(FLAT, FLAT, metering="net_metering"), {"metering": "exported kWh balance imported ones"}),
        (tariff(FLAT, FLAT, metering="buy_all_sell_all"), {"metering": "all generation is sold"}),
        (
            tariff(FLAT, FLAT, levies=[{"name": "KWKG", "rate_per_kwh": 0.003, "exempt_above_kwh_per_a": 1e6}]),
            {"levy_exemption": r"levy 'KWKG' ends at 1e\+06 kWh a year"},
        ),
        (
            tariff(FLAT, FLAT, levies=[{"name": "own", "rate_per_kwh": 0.02, "applies_to": "self_consumption"}]),
            {"self_consumption_levy": "levy 'own' is on energy that the site makes and uses"},
        ),
        (tariff(FLAT, FLAT, minimum_cost_per_a=100), {"minimum_cost": "below the least that is billed"}),
        (
            tariff(
                FLAT,
                FLAT,
                demand_charges=[
                    {"name": "peak", "tiers": [{"up_to_kw": 100, "rate_per_kw": 10}, {"rate_per_kw": 5}]},
                ],
            ),
            {"demand_tiers": "more power of 'peak' is cheaper"},
        ),
    ],
)
def test_planning_differences__name_what_prices_of_steps_leave_out(contract, topics):
    found = planning_differences(contract)
    assert list(found) == list(topics)
    assert all(re.search(words, found[topic]) for topic, words in topics.items()), found
