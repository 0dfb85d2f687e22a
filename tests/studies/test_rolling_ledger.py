"""The regret ledger: parts sum to the distance exactly; a forecast that is the truth has no part in it."""

from __future__ import annotations

import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from rolling_samples import home_case

from ems.studies.rolling_care import careful
from ems.studies.rolling_forecasts import mixed, naive_tables, perfect_tables
from ems.studies.rolling_ledger import ValueOfUncertainty, regret_ledger
from ems.studies.rolling_loop import run_policy
from ems.studies.rolling_optimum import perfect_foresight
from ems.studies.rolling_own import OwnForecasts
from ems.studies.rolling_plans import Planned
from ems.studies.rolling_run import run_policies
from ems.tariffs.demand_charge import DemandCharge

MONTHLY = {"demand_charges": (DemandCharge(name="month", rate_per_kw=5.0),)}


def ledger_of(case, true_kinds=()):
    tables = mixed(naive_tables(case), perfect_tables(case), case.kinds, set(true_kinds))
    chosen = careful(case, tables, case.settings.careful_level)
    realised = run_policy(case, Planned("plan_own", case, chosen, perfect_tables(case)))
    return regret_ledger(case, realised, perfect_foresight(case), OwnForecasts(case, tables), longer_h=48)


@settings(max_examples=examples(3), deadline=None)
@given(seed=st.integers(0, 1000), has_peaks=st.booleans())
def test_ledger__sums_to_the_distance(seed: int, has_peaks: bool) -> None:
    case = home_case(seed, days=10, horizon_h=24, prices_known="day_ahead", connection=MONTHLY if has_peaks else None)

    ledger = ledger_of(case)

    assert ledger.parts["part"].sum() == pytest.approx(ledger.total, abs=1e-6)
    assert ledger.total >= -1e-6
    assert list(ledger.parts["cause"]) == ["load", "solar", "price", "horizon", "terminal", "step", "model"]
    assert "plan costs" in ledger.verdict()


@pytest.mark.parametrize("kind", ["load", "solar", "price"])
def test_ledger__true_forecast_has_no_part(kind: str) -> None:
    case = home_case(11, days=10, horizon_h=24, prices_known="day_ahead")

    parts = ledger_of(case, [kind]).parts.set_index("cause")

    assert parts.loc[kind, "part"] == 0
    assert not parts.loc[kind, "is_replaced"]
    others = {"load", "solar"} - {kind}
    assert all(parts.loc[other, "is_replaced"] for other in others)


def test_ledger__model_has_no_part_where_it_simplifies_nothing() -> None:
    """Prices of steps are all that is billed, and windows are told how perfect foresight ends: nothing is left."""
    ledger = ledger_of(home_case(12, days=10, horizon_h=24))

    assert ledger.parts.set_index("cause").loc["model", "part"] == pytest.approx(0, abs=1e-3)


def test_uncertainty__has_a_plain_verdict() -> None:
    case = home_case(13, days=16, first_day=14, horizon_h=24, scenarios=3)
    models = dict.fromkeys(("load", "solar", "price"), "seasonal_naive")

    result = run_policies(case, ("plan_own", "stochastic", "plan_perfect"), models)
    found = ValueOfUncertainty.of(result)

    assert found.vss + found.evpi == pytest.approx(result.costs["plan_own"] - result.costs["plan_perfect"])
    assert "worth it" in found.verdict()
