"""The demo's cost equals that of a linear programme written anew from the numbers of its description."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import highspy
import numpy as np
import pytest

from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solve import solve
from ems.studies.dispatch import DispatchStudy

ROOT = Path(__file__).resolve().parents[2]
STEPS = 24


def demo_load_kw() -> np.ndarray:
    """The first day of the file, in local hours."""
    with (ROOT / "data/series/demo.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:STEPS]
    clock = [dt.datetime.fromisoformat(row["time"]) for row in rows]
    assert [time.hour for time in clock] == list(range(STEPS))
    assert all(time.utcoffset() == dt.timedelta(hours=2) for time in clock)
    return np.array([float(row["demand_kw"]) for row in rows])


def independent_cost(has_battery: bool) -> float:
    """Return the least cost of the demo's day, by a linear programme of columns and rows alone.

    Columns by hour: charge, discharge, content at the hour's end, import, export. Rows by hour: content and power.
    Importing and exporting at once never pays, as energy is bought dearer than it is sold in every hour, nor does
    charging and discharging at once, as it loses energy; so the programme needs no decision.
    """
    load_kw = demo_load_kw()
    is_day = (np.arange(STEPS) >= 8) & (np.arange(STEPS) < 20)
    buy, sell = np.where(is_day, 0.18, 0.12), np.where(is_day, 0.10, 0.06)
    one_way = 0.95**0.5
    power_kw = 50.0 if has_battery else 0.0
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    charge, discharge, content, imports, exports = (np.arange(STEPS) + STEPS * i for i in range(5))
    for cost, low, high in [
        (np.zeros(STEPS), 0, power_kw),
        (np.full(STEPS, 0.01), 0, power_kw),
        (np.zeros(STEPS), 10, 90),
        (buy, 0, 100),
        (-sell, 0, 50),
    ]:
        for hour in range(STEPS):
            ends = low == 10 and hour == STEPS - 1
            highs.addCol(cost[hour], 50 if ends else low, high, 0, np.array([], np.int32), np.array([]))
    for hour in range(STEPS):
        columns, factors = [content[hour], charge[hour], discharge[hour]], [1.0, -one_way, 1 / one_way]
        before = 50.0
        if hour > 0:
            columns, factors, before = [*columns, content[hour - 1]], [*factors, -1.0], 0.0
        highs.addRow(before, before, len(columns), np.array(columns, np.int32), np.array(factors))
        columns = [imports[hour], exports[hour], discharge[hour], charge[hour]]
        need = load_kw[hour]
        highs.addRow(need, need, 4, np.array(columns, np.int32), np.array([1.0, -1.0, 1.0, -1.0]))
    assert (highs.getNumCol(), highs.getNumRow()) == (5 * STEPS, 2 * STEPS)
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(highs.getInfo().objective_function_value)


@pytest.fixture
def demo(monkeypatch) -> DispatchProblem:
    """The demo as a study poses it."""
    monkeypatch.setenv("EMS_PROJECT", str(ROOT))
    study = DispatchStudy()
    return study.pose_problem(study.load_portfolio())


def test_independent_cost__without_battery_is_load_times_price():
    """Load by the hour at its price: the sum that anyone can do."""
    load_kw = demo_load_kw()
    by_hand = sum(kw * (0.18 if 8 <= hour < 20 else 0.12) for hour, kw in enumerate(load_kw))
    assert independent_cost(has_battery=False) == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_demo__total_cost_is_the_independent_optimum(demo, solver):
    """To 1e-6 EUR: prices have two digits, powers are kept to 1e-7 kW by both solvers here."""
    result = solve(demo, SolverOptions(solver=solver))
    assert (len(demo.horizon), result.status) == (STEPS, "optimal")
    assert result.total_cost == pytest.approx(independent_cost(has_battery=True), abs=1e-6)
    baseline = solve(demo.without("battery"), SolverOptions(solver=solver))
    assert baseline.total_cost == pytest.approx(independent_cost(has_battery=False), abs=1e-6)
    assert result.total_cost < baseline.total_cost


def test_demo__load_is_as_described():
    """35 to 55 kW from 06 to 22 h, 15 to 23 kW at night."""
    load_kw = demo_load_kw()
    day, night = load_kw[6:22], np.concatenate((load_kw[:6], load_kw[22:]))
    assert (day.min(), day.max()) == (35, 55)
    assert (night.min(), night.max()) == (15, 23)
