"""Random cases of the neutral form: schedules keep its rules at the cost reported, and none is cheaper."""

from __future__ import annotations

import numpy as np
import pytest
from example_counts import examples
from hypothesis import given, note, settings
from random_cases import least_cost, neutral_cases, unit_commitments
from reference_cases import flows_of, pose_problem
from reference_rules import NeutralCase, audit

from ems.dispatch.options import SolverOptions
from ems.dispatch.solve import solve
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of

EXACT = SolverOptions(mip_gap=0)
WITHIN = 1e-5
"""Of a cost: an order above the solver's tolerance of 1e-6, which sums of steps add up."""


@settings(max_examples=examples(20), deadline=None)
@given(case=neutral_cases())
def test_solve__random_neutral_case(case: NeutralCase) -> None:
    """A schedule breaks no rule of the form and costs what is reported; its settlement says the same."""
    problem = pose_problem(case)

    result = solve(problem, EXACT)

    flows = flows_of(case, result)
    note(str({name: np.round(values, 6).tolist() for name, values in flows.items()}))
    found = audit(case, flows)
    assert found.broken == []
    assert result.total_cost == pytest.approx(found.total_cost, rel=WITHIN, abs=WITHIN)
    assert result.total_cost <= result.bound + WITHIN * (1 + abs(result.bound))
    assert violations_of(result.flows, problem.series, problem.portfolio) == []
    bill = settle(result.flows, problem.series, problem.portfolio)
    assert bill.total_cost == pytest.approx(result.total_cost, rel=WITHIN, abs=WITHIN)


@settings(max_examples=examples(12), deadline=None)
@given(case=unit_commitments())
def test_solve__random_unit_commitment(case: NeutralCase) -> None:
    """No commitment of a few units over a few hours is cheaper than the schedule; all are tried."""
    result = solve(pose_problem(case), EXACT)

    found = audit(case, flows_of(case, result))
    assert found.broken == []
    assert result.total_cost == pytest.approx(least_cost(case), rel=WITHIN, abs=WITHIN)
