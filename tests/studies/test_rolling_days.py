"""Days of a rolling comparison: they sum to the whole, and an hour that a day does not have stays empty."""

from __future__ import annotations

import numpy as np
import pytest
from rolling_samples import home_case

from ems.studies.rolling_days import daily_costs, filling, hours, prices, savings, worst_days
from ems.studies.rolling_result import RollingResult
from ems.studies.rolling_run import run_policies


@pytest.fixture(scope="module")
def result() -> RollingResult:
    """Four days of a home; without plans on own forecasts, which take longer."""
    return run_policies(home_case(first_day=1, days=5), ["no_control", "plan_naive", "perfect_foresight"], {})


def test_daily_costs__sum_to_the_cost_of_all_steps(result: RollingResult) -> None:
    costs = daily_costs(result)

    for policy in result.policies:
        assert costs[policy].sum() == pytest.approx(float(result.step_costs(policy).sum()), abs=1e-9)
    assert savings(result, "plan_naive").sum() == pytest.approx(
        costs["no_control"].sum() - costs["plan_naive"].sum(), abs=1e-9
    )


def test_worst_days__are_those_of_the_largest_regret(result: RollingResult) -> None:
    found = worst_days(result, "plan_naive", most=2)

    assert len(found) == 2
    assert found["regret"].is_monotonic_decreasing
    assert (
        found["regret"].iloc[0] == (daily_costs(result)["plan_naive"] - daily_costs(result)["perfect_foresight"]).max()
    )
    assert worst_days(result).empty
    assert savings(result).empty


def test_hours__shares_of_what_is_full_and_prices_of_each_hour(result: RollingResult) -> None:
    """On 31 March 2024 the hour from 2 to 3 is skipped in Berlin."""
    full, dear = filling(result, "perfect_foresight"), prices(result)
    maps, units = hours(result)

    assert np.nanmin(full.to_numpy()) >= -1e-9
    assert np.nanmax(full.to_numpy()) <= 1 + 1e-9
    assert np.isnan(dear.loc[2, "2024-03-31"])
    assert dear.shape == full.shape
    assert maps["Batteries, plan on own forecasts"].empty
    assert units["Price of import"] == "EUR/kWh"
