"""Bills of random tariffs and years, agreed with the independent SAM Simulation Core of NREL (PySAM Utilityrate5)."""

from __future__ import annotations

import numpy as np
import pytest
from random_tariffs import billed_by_sam, random_case
from reference_bills import read_bill
from reference_rules import NeutralCase

CENT = 0.01
"""Of bills up to millions, whose sums of 8760 products round at 1e-7."""


@pytest.mark.parametrize("batch", range(10))
def test_bill_of__agrees_with_sam(batch: int) -> None:
    """Twenty tariffs of each batch agree within a cent: times of use, tiers, windows of power, ratchets, metering."""
    for seed in range(batch * 20, batch * 20 + 20):
        case = random_case(np.random.default_rng(seed))

        found = read_bill(NeutralCase(case)).bill().cost.sum()

        assert found == pytest.approx(billed_by_sam(case), rel=0, abs=CENT), f"seed {seed}: {case['tariff']}"


def test_random_case__covers_what_tariffs_have() -> None:
    """Two hundred tariffs have each part of a tariff, and each way of metering, at least ten times."""
    cases = [random_case(np.random.default_rng(seed)) for seed in range(200)]
    tariffs = [case["tariff"] for case in cases]

    parts = {
        "times of use": sum(len(one["energy"]["periods"]) > 1 for one in tariffs),
        "tiers": sum(len(one["energy"]["periods"]["1"]) > 1 for one in tariffs),
        "tiers of a day": sum(one["energy"]["tier_unit"] == "kWh/day" for one in tariffs),
        "windows": sum("demand_tou" in one for one in tariffs),
        "ratchets": sum("lookback" in one for one in tariffs),
        "ratchets over the year": sum(one.get("lookback", {}).get("wraps", False) for one in tariffs),
        "minimums": sum("minimum_annual" in one for one in tariffs),
        **{
            metering: sum(one["metering"] == metering for one in tariffs)
            for metering in ("net_billing", "net_metering", "buy_all_sell_all")
        },
    }

    assert min(parts.values()) >= 10, parts
