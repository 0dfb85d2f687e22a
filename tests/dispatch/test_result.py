"""The result as people take it away: one dataset, one frame."""

from __future__ import annotations

import numpy as np
import pytest
from builders import battery, generator, grid, load, prices, problem

from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve


@pytest.fixture(scope="module")
def result() -> DispatchResult:
    """Two hours at 0.10 and 0.50, a full charge of 50 kWh between them, a generator at 0.20 and 10 kW of demand."""
    assets = [battery(), grid(), load(), generator(fuel_cost_per_kwh=0.2, co2_emissions_kg_per_kwh=0.5)]
    return solve(problem(assets, {**prices([0.1, 0.5]), "load.demand_kw": 10}, [1, 1]))


def test_to_dataset__holds_flows_costs_prices_and_proof(result):
    """In the dear hour the generator sells its 40 kW at 0.50: 20 kg of carbon dioxide; a kWh is worth its price."""
    whole = result.to_dataset()
    assert whole.output_kw.sel(asset="generator").values == pytest.approx([0, 40])
    assert whole.emissions_kg.sel(asset="generator").values == pytest.approx([0, 20])
    assert whole.price_per_kwh.sel(bus="site").values == pytest.approx([0.1, 0.5])
    assert whole.energy_kwh.dims == ("boundary", "asset")
    costs = whole[[name for name in whole if str(name).endswith(("_cost", "_revenue"))]]
    assert float(costs.to_dataarray().sum()) == pytest.approx(result.total_cost)
    assert whole.attrs["status"] == "optimal"
    assert whole.attrs["total_cost"] == pytest.approx(whole.attrs["objective"])


def test_to_dataframe__a_row_for_each_step_and_asset(result):
    frame = result.to_dataframe()
    assert list(frame.index.names) == ["time", "asset"]
    assert len(frame) == 2 * 4
    at = frame.xs("load", level="asset")
    assert at["demand_kw"].tolist() == [10, 10]
    assert np.isnan(at["output_kw"]).all()
