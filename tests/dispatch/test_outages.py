"""What is out of service takes no part for that time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from builders import START, battery, charger, generator, grid, horizon, load, prices, problem, session, solar

from ems.assets.shiftable_use import ShiftableUse
from ems.assets.thermal_zone import ThermalZone
from ems.dispatch.goal import Goal, Outage
from ems.dispatch.options import SolverOptions
from ems.dispatch.outages import in_service_share
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import InvalidInput, MissingValues

NEAR = 1e-5
"""Powers and money of these cases are below 1000; solvers keep constraints to 1e-6 and cost follows."""
EXACT = SolverOptions(mip_gap=0)


def goal(*outages: tuple[str, float, float]) -> Goal:
    """A goal with outages of assets, in hours after `START`."""
    hour = dt.timedelta(hours=1)
    return Goal(
        outages=tuple(
            Outage(asset_id=asset_id, begin=START + begin_h * hour, end=START + end_h * hour)
            for asset_id, begin_h, end_h in outages
        )
    )


def flow(result: DispatchResult, asset: str, name: str) -> list[float]:
    values: list[float] = result.flows[name].sel(asset=asset).values.tolist()
    return values


def near(*values: float) -> Any:
    return pytest.approx(list(values), abs=NEAR)


def test_in_service_share__part_of_a_step():
    """Out from 0:30 to 2:15 in steps of 1, 1 and 2 h: in service for a half, nothing, and 1.75 of 2 h."""
    share = in_service_share(goal(("a", 0.5, 2.25)).outages, "a", horizon(1, 1, 2))
    assert share == pytest.approx([0.5, 0, 0.875])


def test_in_service_share__outages_that_overlap_count_once():
    """Out from 0:00 to 0:45 and from 0:30 to 1:15, and before and after the horizon: 75 of 120 minutes."""
    outages = goal(("a", -5, -1), ("a", 0, 0.75), ("a", 0.5, 1.25), ("a", 0.6, 0.7), ("a", 4, 5), ("b", 0, 9)).outages
    assert in_service_share(outages, "a", horizon(1, 1)) == pytest.approx([0, 0.75])
    assert in_service_share(outages, "c", horizon(1, 1)) == pytest.approx([1, 1])


def test_outage__of_the_grid_for_half_a_step():
    """The connection of 100 kW is out for half an hour of two: a store sells 50 kWh, then 100 kWh."""
    assets = [battery(capacity_kwh=200, max_discharge_kw=200, initial_soc=1, final_soc_rule="free"), grid()]
    result = solve(problem(assets, prices(0.1), [1, 1], goal=goal(("grid", 0, 0.5))))
    assert flow(result, "grid", "export_kw") == near(50, 100)
    assert result.total_cost == pytest.approx(-15, abs=NEAR)


def test_outage__of_a_generator_below_its_lowest_output():
    """A generator of 20 to 40 kW that is out for three quarters of an hour could give 10 kW: it stays off."""
    assets = [generator(min_output_kw=20), grid()]
    result = solve(problem(assets, prices(0.3), [1, 1], goal=goal(("generator", 0, 0.75))), EXACT)
    assert flow(result, "generator", "output_kw") == near(0, 40)


def test_outage__of_a_store_keeps_its_content():
    """Out in the dear hour the store does nothing; 50 kWh stay in it."""
    asked = problem(
        [battery(final_soc_rule="free", max_discharge_kw=50), grid()],
        prices([0.1, 0.9, 0.2]),
        [1, 1, 1],
        goal=goal(("battery", 1, 2)),
    )
    result = solve(asked)
    # 50 kWh are sold in the last hour at 0.20; charging 50 more at 0.10 cannot be sold, as that hour takes only 50.
    assert flow(result, "battery", "discharge_kw") == near(0, 0, 50)
    assert result.total_cost == pytest.approx(-10, abs=NEAR)


def test_outage__of_sun_and_load():
    """Without sun in the first hour the grid serves 30 kW; without the load in the second the sun is sold."""
    series = {**prices(0.3, 0.1), "solar.available_kw": 30, "load.demand_kw": 30}
    asked = problem([solar(), grid(), load()], series, [1, 1], goal=goal(("solar", 0, 1), ("load", 1, 2)))
    result = solve(asked)
    assert (flow(result, "grid", "import_kw"), flow(result, "grid", "export_kw")) == (near(30, 0), near(0, 30))
    assert flow(result, "load", "served_kw") == near(30, 0)


def test_outage__of_a_charger_moves_the_charge():
    """10 kWh over three hours with 10 kW: the cheap hour is out, so the next best is taken."""
    car = charger(sessions=[session(0, 3, 10)], charge_efficiency=1)
    result = solve(problem([car, grid()], prices([0.2, 0.1, 0.3]), [1, 1, 1], goal=goal(("charger", 1, 2))))
    assert flow(result, "charger", "charge_kw") == near(10, 0, 0)


def test_outage__of_a_shiftable_use():
    """A block of two hours cannot run while its machine is out in the second of four hours."""
    machine = load(shiftable=ShiftableUse(power_kw=10, duration_h=2))
    asked = problem([machine, grid()], prices([0.1, 0.1, 0.3, 0.3]), [1] * 4, goal=goal(("load", 1, 1.5)))
    assert flow(solve(asked, EXACT), "load", "served_kw") == near(0, 0, 10, 10)


def test_outage__of_a_zone_is_refused():
    zone = ThermalZone(
        capacitance_kwh_per_k=10,
        resistance_k_per_kw=2,
        max_power_kw=5,
        comfort_min_degc=19,
        comfort_max_degc=23,
        initial_temperature_degc=21,
    )
    with pytest.raises(InvalidInput, match="outage of 'load': a zone cannot be without heating or cooling"):
        problem(
            [load(thermal=zone), grid()],
            {**prices(0.1), "load.outdoor_temperature_degc": 0},
            goal=goal(("load", 0, 1)),
        )


def test_outage__a_series_of_limits_is_reduced():
    """Of 60 and 80 kW that the connection may take, the second is out for a quarter of its hour: 60 kW."""
    series = {**prices(0.1, 0), "grid.max_import_kw": [60, 80]}
    store = battery(capacity_kwh=500, max_charge_kw=200, initial_soc=0, final_energy_value_per_kwh=1)
    result = solve(problem([store, grid()], series, [1, 1], goal=goal(("grid", 1, 1.25))))
    assert flow(result, "grid", "import_kw") == near(60, 60)


def test_outage__a_needed_series_is_still_missed():
    with pytest.raises(MissingValues, match="demand_kw of 'load'"):
        problem([grid(), load()], prices(0.1), goal=goal(("load", 0, 1)))


def test_outage__of_an_unknown_asset():
    with pytest.raises(InvalidInput, match="outage of 'turbine': no such active asset"):
        problem([grid(), load()], {**prices(0.1), "load.demand_kw": 1}, goal=goal(("turbine", 0, 1)))


def test_outage__must_end_after_it_begins():
    with pytest.raises(InvalidInput, match="must be after begin"):
        goal(("grid", 2, 1))


def test_outage__nothing_out_leaves_the_series_alone():
    asked = problem([grid(), load()], {**prices(0.1), "load.demand_kw": [1, 2]}, [1, 1])
    out_later = problem([grid(), load()], {**prices(0.1), "load.demand_kw": [1, 2]}, [1, 1], goal=goal(("grid", 2, 3)))
    assert np.array_equal(out_later.series.demand_kw, asked.series.demand_kw, equal_nan=True)
    assert solve(out_later).total_cost == pytest.approx(solve(asked).total_cost)
