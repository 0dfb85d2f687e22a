"""A matrix that is patched has the answers of one that is built anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import battery, generator, grid, load, prices, problem, solar

from ems.dispatch.options import SolverOptions
from ems.dispatch.solve import solve
from ems.dispatch.warm import WarmDispatch
from ems.errors import Infeasible, InvalidInput

STEPS = 24


def site(**battery_fields):
    random = np.random.default_rng(3)
    values = {
        **prices(random.uniform(0.05, 0.4, STEPS).tolist(), 0.02),
        "load.demand_kw": random.uniform(5, 60, STEPS).tolist(),
        "solar.available_kw": random.uniform(0, 50, STEPS).tolist(),
    }
    fields = {"round_trip_efficiency": 0.9, "final_soc_rule": "free", **battery_fields}
    return problem([battery(**fields), grid(), load(), solar()], values, [0.5] * STEPS)


@pytest.mark.parametrize("seed", range(5))
def test_warm_dispatch__has_the_cost_of_a_cold_one(seed):
    first = site()
    warm = WarmDispatch(first)
    random = np.random.default_rng(seed)
    for _ in range(3):
        changed = first.series.copy(deep=True)
        for name in changed.data_vars:
            changed[name] = changed[name] * random.uniform(0.5, 1.2, changed[name].shape)
        soc = float(random.uniform(0, 1))
        asked = replace(
            first,
            series=changed,
            portfolio=first.portfolio.replace(
                assets=(site().assets[0].replace(initial_soc=soc), *first.portfolio.assets[1:])
            ),
        )
        solution = warm.solve(changed, {"battery": soc * 100})
        cold = solve(asked)
        assert solution.objective == pytest.approx(cold.total_cost, abs=1e-6)
        assert warm.result(asked, solution).total_cost == pytest.approx(cold.total_cost, abs=1e-6)


def test_warm_dispatch__export_that_pays_for_waste():
    """Where selling is dearer than buying, decisions are added and the answer is that of a cold start."""
    first = site()
    warm = WarmDispatch(first)
    changed = first.series.copy(deep=True)
    changed["export_price_per_kwh"] = changed["import_price_per_kwh"] + 0.1
    assert warm.solve(changed).objective == pytest.approx(solve(replace(first, series=changed)).total_cost, abs=1e-6)


def test_warm_dispatch__units_that_are_switched():
    values = {**prices([0.3] * 4, 0.0), "load.demand_kw": [10, 30, 30, 10]}
    first = problem([generator(min_output_kw=20, startup_cost=1), grid(), load()], values, [1] * 4)
    warm = WarmDispatch(first, SolverOptions(mip_gap=0))
    changed = first.series.copy(deep=True)
    changed["demand_kw"] = changed["demand_kw"] * 0.8
    cold = solve(replace(first, series=changed), SolverOptions(mip_gap=0))
    assert warm.solve(changed).objective == pytest.approx(cold.total_cost, abs=1e-6)


def test_warm_dispatch__window_without_a_schedule():
    warm = WarmDispatch(site())
    with pytest.raises(Infeasible):
        warm.solve({("load", "demand_kw"): np.full(STEPS, 500.0)})


def test_warm_dispatch__solver_that_starts_cold():
    with pytest.raises(InvalidInput, match="cbc"):
        WarmDispatch(site(), SolverOptions(solver="cbc"))
