"""Each demo of the study dispatch is solved, settled and replayed, and shows what it is there to show."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from demo_series import DEMOS, FOLDER, file_of

from ems.batch.parameters import load_case
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "parameters" / "dispatch").glob("*.yaml") if path.stem != "home")
NEAR_KW = 1e-3
"""Stages hold what the one before reached to 1e-7 of it; powers here are below 800 kW."""


@pytest.fixture(autouse=True)
def _in_this_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_PROJECT", str(ROOT))


@cache
def solved(case: str, *settings: str) -> DispatchResult:
    study = load_case("dispatch", case, settings).study
    study.check()
    return solve(study.pose_problem(study.load_portfolio()), study.solver_options())


def flow(result: DispatchResult, asset: str, name: str) -> np.ndarray:
    values: np.ndarray = result.flows[name].sel(asset=asset).to_numpy()
    return values


def cost_of(result: DispatchResult, *types: str) -> float:
    return float(result.costs.groupby("cost_type")["cost"].sum().reindex(types).sum())


def steps_from(result: DispatchResult, begin_h: int, end_h: int) -> np.ndarray:
    """Whether each step begins within hours of the local day."""
    hours = result.problem.horizon.local_times("Europe/Berlin").hour
    return np.asarray((hours >= begin_h) & (hours < end_h))


@pytest.mark.parametrize("name", NAMES)
def test_demo__is_sound_and_its_bill_is_the_objective(name: str):
    result = solved(name)
    problem = result.problem

    bill = settle(result.flows, problem.series, problem.portfolio)

    assert result.status == "optimal"
    assert violations_of(result.flows, problem.series, problem.portfolio) == []
    # What is minimised last is cost; a bill is a sum of some thousand products.
    assert bill.total_cost == pytest.approx(result.compiled.measures[-1].of(result.x), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("name", sorted(DEMOS))
def test_demo_series__follows_its_formula(name: str):
    assert (FOLDER / f"{name}.csv").read_text(encoding="utf-8") == file_of(name)


def test_unit_commitment__night_by_steam_alone_evening_by_all_four():
    """730 kW of steam and gas are 5 kW less than 718 - 43 kW of the load at 18 h with 60 kW of reserve."""
    result = solved("unit-commitment")
    on = {name: flow(result, name, "is_on") for name in ("steam", "gas-1", "gas-2", "diesel")}
    night, evening = steps_from(result, 0, 8), steps_from(result, 18, 19)

    assert on["steam"].all()
    assert not any(on[name][night].any() for name in ("gas-1", "gas-2", "diesel"))
    assert all(on[name][evening].all() for name in on)
    assert result.flows.offered_kw.to_numpy().min() >= 60 - NEAR_KW


def test_economic_dispatch__costs_more_than_a_choice_of_generators():
    assert solved("economic-dispatch").total_cost > solved("unit-commitment").total_cost + 100


def test_economic_dispatch__generators_within_their_limits_have_one_marginal_cost():
    """0.08 + 8e-5 x steam = 0.10 + 8e-5 x gas where both are within their limits: steam gives 250 kW more."""
    result = solved("economic-dispatch")
    steam, gas = flow(result, "steam", "output_kw"), flow(result, "gas-1", "output_kw")
    is_free = (steam > 160.5) & (steam < 399.5) & (gas > 75.5) & (gas < 249.5)

    assert is_free.sum() >= 3
    # A quadratic cost is met by tangents to 1e-6 of it, which is flat over some hundredths of a kW.
    assert (steam - gas)[is_free] == pytest.approx(250, abs=0.1)
    price = result.price_per_kwh.to_numpy()[:, 0]
    assert price[is_free] == pytest.approx(0.08 + 8e-5 * steam[is_free], abs=1e-4)


def test_procurement__the_battery_takes_the_swing_within_the_hour():
    """The position is one power an hour; without a battery, quarters that swing by 25 kW pay for imbalance."""
    result = solved("procurement")
    alone = solve(result.problem.without("battery"))

    by_hour = flow(result, "grid", "position_kw").reshape(24, 4)

    assert by_hour == pytest.approx(np.repeat(by_hour[:, :1], 4, axis=1), abs=NEAR_KW)
    assert cost_of(result, "imbalance_cost") == pytest.approx(0, abs=0.01)
    assert cost_of(alone, "imbalance_cost") > 20


def test_self_consumption__takes_less_from_the_grid_at_a_higher_cost():
    aimed = solved("self-consumption")
    cheap = solved("self-consumption", "optimization_type=battery_dispatch")

    imports_kwh = [float(flow(result, "grid", "import_kw").sum()) for result in (aimed, cheap)]

    assert imports_kwh[0] < imports_kwh[1] - 5
    assert aimed.total_cost > cheap.total_cost + 0.1


def test_peak_shaving__the_press_of_420_kw_less_the_inverter():
    """420 kW of load at 14 h less 120 kW of the battery are 300 kW, more than the 250 kW that June has seen before."""
    result = solved("peak-shaving")

    assert flow(result, "grid", "import_kw").max() == pytest.approx(300, abs=NEAR_KW)
    assert cost_of(result, "demand_cost") == pytest.approx(300 * 9.5, abs=0.01)


def test_vpp__the_feeder_binds_and_the_sun_is_shared():
    result = solved("vpp")
    apart = solved("vpp", "optimization_type=battery_dispatch")
    connections = ["park-grid", "depot-grid", "office-grid"]
    feeder_kw = sum(flow(result, one, "injection_kw") for one in connections)

    assert feeder_kw.max() == pytest.approx(100, abs=NEAR_KW)
    assert flow(result, "office-grid", "shared_in_kw").sum() > 100
    assert result.total_cost < apart.total_cost - 50
    # A run of three hours in one block, within its window.
    running = flow(result, "laundry", "is_running") > 0.5
    assert running.sum() == 3
    assert steps_from(result, 7, 20)[running].all()
    assert np.flatnonzero(running)[-1] - np.flatnonzero(running)[0] == 2


def test_resilience__the_laundry_waits_and_nothing_else():
    result = solved("resilience")
    by_cost = solved("resilience", "optimization_type=battery_dispatch")
    is_out = steps_from(result, 16, 23)

    assert flow(result, "grid", "import_kw")[is_out].max() == 0
    assert flow(result, "wards", "unserved_kw").max() == 0
    assert flow(result, "laboratory", "unserved_kw").max() == pytest.approx(0, abs=NEAR_KW)
    assert flow(result, "laundry", "unserved_kw")[~is_out].max() == pytest.approx(0, abs=NEAR_KW)
    # Fuel at 0.448 EUR/kWh costs more than the laundry's 0.40 EUR/kWh: by cost alone more of it would wait.
    unserved = [float(flow(one, "laundry", "unserved_kw").sum()) for one in (result, by_cost)]
    assert 0 < unserved[0] < unserved[1] - 1
    assert result.total_cost > by_cost.total_cost
