"""What a report says of an optimization: what was minimised first, in its unit, and what is paid."""

from __future__ import annotations

import pytest

from ems.batch.reporting import proof_of
from ems.database.records import OptimizationJob


def job(optimization_type: str, objective: str) -> OptimizationJob:
    return OptimizationJob(
        id="r1-plan",
        run_id="r1",
        optimization_type=optimization_type,
        objective=objective,
        solver="highs",
        status="optimal",
        objective_value=12.5,
        bound=12.0,
        total_cost=7.0,
        settled_cost=7.0,
        currency="EUR",
    )


@pytest.mark.parametrize(
    ("optimization_type", "objective", "words", "value"),
    [
        ("battery_dispatch", "cost", "total cost", "12.500000 EUR"),
        ("battery_dispatch", "emissions", "carbon dioxide emitted", "12.500000 kg"),
        ("battery_dispatch", "weighted", "cost and weighted others together", "12.500000 EUR"),
        ("self_consumption", "self_consumption", "energy taken from the grid", "12.500000 kWh"),
        ("peak_shaving", "peak", "highest import", "12.500000 kW"),
        ("resilience", "cost", "worth of what is not served", "12.500000 EUR"),
    ],
)
def test_proof_of__what_each_goal_minimises_first(optimization_type, objective, words, value):
    proof = dict(proof_of(job(optimization_type, objective)))

    assert (proof["Objective"], proof["Objective value"]) == (words, value)
    assert proof["Bound"] == value.replace("12.5", "12.0")
    assert proof["Settled bill"] == "7.000000 EUR"
    assert proof.get("Cost of the schedule") == (None if words == "total cost" else "7.000000 EUR")
