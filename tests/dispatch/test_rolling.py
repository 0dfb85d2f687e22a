"""A window that is compiled once and patched is the dispatch of that window, solved alone."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio, Site
from ems.assets.solar_pv import SolarPV
from ems.dispatch.rolling import PeakState, WindowPlanner, WindowState
from ems.dispatch.rolling_portfolio import peak_slots, window_problem
from ems.dispatch.rolling_rows import RiskAversion
from ems.dispatch.solve import solve
from ems.errors import Infeasible
from ems.horizon import Horizon
from ems.tariffs.demand_charge import DemandCharge

STEPS = 12
HORIZON = Horizon.regular(dt.datetime(2024, 6, 1, tzinfo=dt.UTC), STEPS, 1.0)
START_KWH = 3.0


def portfolio(**connection: object) -> Portfolio:
    return Portfolio(
        currency="EUR",
        sites=(Site(id="home", timezone="UTC"),),
        assets=(
            GridConnection(id="grid", site_id="home", max_import_kw=10, max_export_kw=10, **connection),
            Load(id="rooms", site_id="home", rated_load_kw=10),
            SolarPV(id="roof", site_id="home", rated_capacity_kw=5),
            Battery(
                id="battery", site_id="home", capacity_kwh=8, max_charge_kw=3, max_discharge_kw=3, min_soc=0,
                max_soc=1, initial_soc=0.5, round_trip_efficiency=0.9, final_soc_rule="free",
            ),
        ),
    )  # fmt: skip


def series_of(seed: int) -> dict[tuple[str, str], np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        ("grid", "import_price_per_kwh"): random.uniform(0.1, 0.5, STEPS),
        ("grid", "export_price_per_kwh"): random.uniform(0.0, 0.09, STEPS),
        ("rooms", "demand_kw"): random.uniform(0, 4, STEPS),
        ("roof", "available_kw"): random.uniform(0, 5, STEPS),
    }


def cost_of(plan, series) -> float:
    bought, sold = (series["grid", f"{way}_price_per_kwh"] for way in ("import", "export"))
    flows = plan.of("grid", "import_kw") @ bought - plan.of("grid", "export_kw") @ sold
    return float(flows + 0.01 * plan.of("battery", "discharge_kw").sum())


def test_plan__is_the_dispatch_of_its_window() -> None:
    planner = WindowPlanner(window_problem(portfolio(), HORIZON, series_of(0)))
    for seed in range(1, 6):
        series = series_of(seed)
        alone = portfolio()
        alone = alone.replace(
            assets=tuple(
                one.replace(initial_soc=START_KWH / 8) if one.id == "battery" else one for one in alone.assets
            )
        )

        plan = planner.plan(series, WindowState({"battery": START_KWH}))

        assert cost_of(plan, series) == pytest.approx(
            solve(window_problem(alone, HORIZON, series)).total_cost, abs=1e-4
        )


def test_plan__keeps_what_is_worth_more_later() -> None:
    """A kWh worth 0.6 EUR at the end is dearer than any price: the battery is full at the end; at 0 it is empty."""
    planner = WindowPlanner(window_problem(portfolio(), HORIZON, series_of(0)), segments=2)
    widths = {"battery": np.array([4.0, 4.0])}

    ends = [
        planner.plan(
            series_of(1), WindowState({"battery": START_KWH}, widths, {"battery": np.array([value, value])})
        ).of("battery", "energy_kwh")[-1]
        for value in (0.6, 0.0)
    ]

    assert ends == pytest.approx([8.0, 0.0], abs=1e-6)


def test_plan__goes_up_to_the_peak_so_far_for_nothing() -> None:
    """With a dear peak the highest import is as low as can be, but no lower than the peak that is there already."""
    site = portfolio(demand_charges=(DemandCharge(name="month", rate_per_kw=100.0),))
    (slots, *_) = peak_slots(site, STEPS)
    planner = WindowPlanner(window_problem(site, HORIZON, series_of(0)), [slots])
    levels, prices = np.zeros(slots.levels), np.full(slots.levels, 100.0 / slots.levels)

    def highest(so_far_kw: float) -> float:
        peak = PeakState(np.ones(STEPS, dtype=bool), so_far_kw, levels, prices)
        plan = planner.plan(series_of(2), WindowState({"battery": START_KWH}, peaks={("month", 0): peak}))
        return float(plan.of("grid", "import_kw").max())

    lowest = highest(0.0)
    assert lowest < 4.0
    assert highest(lowest + 1.0) <= lowest + 1.0 + 1e-6


def test_plan__of_scenarios_shares_the_first_powers_alone() -> None:
    planner = WindowPlanner(window_problem(portfolio(), HORIZON, series_of(0)), scenarios=3, common_steps=2)
    several = {key: np.stack([series_of(seed)[key] for seed in (1, 2, 3)]) for key in series_of(0)}

    plan = planner.plan(several, WindowState({"battery": START_KWH}))
    power = plan.scenarios_of("battery", "charge_kw") - plan.scenarios_of("battery", "discharge_kw")

    assert np.ptp(power[:, :2], axis=0) == pytest.approx([0, 0], abs=1e-7)
    assert np.ptp(power[:, 2:], axis=0).max() > 0.1


def test_plan__averse_to_risk_costs_less_at_worst() -> None:
    """With all weight on the dearest third, the dearest scenario costs at most what it costs a plan for the mean."""
    several = {key: np.stack([series_of(seed)[key] for seed in (1, 2, 3)]) for key in series_of(0)}

    def worst(risk: RiskAversion | None) -> float:
        planner = WindowPlanner(window_problem(portfolio(), HORIZON, series_of(0)), scenarios=3, risk=risk)
        costs = []
        for _ in range(2):  # the second plan is a patched one
            plan = planner.plan(several, WindowState({"battery": START_KWH}))
            bought, sold = (plan.scenarios_of("grid", f"{way}_kw") for way in ("import", "export"))
            cost = (bought * several["grid", "import_price_per_kwh"]).sum(axis=1)
            cost = cost - (sold * several["grid", "export_price_per_kwh"]).sum(axis=1)
            costs.append(float((cost + 0.01 * plan.scenarios_of("battery", "discharge_kw").sum(axis=1)).max()))
        assert costs[0] == pytest.approx(costs[1], abs=1e-6)
        return costs[0]

    assert worst(RiskAversion(weight=1.0, level=2 / 3)) <= worst(None) + 1e-6


def test_plan__after_a_reset_is_the_same() -> None:
    planner = WindowPlanner(window_problem(portfolio(), HORIZON, series_of(0)))
    state = WindowState({"battery": START_KWH})
    planner.plan(series_of(1), state)
    warm = planner.plan(series_of(2), state)
    planner.reset()

    fresh = planner.plan(series_of(2), state)

    assert fresh.objective == pytest.approx(warm.objective, abs=1e-9)


def test_plan__without_a_way_out_is_infeasible() -> None:
    planner = WindowPlanner(window_problem(portfolio(), HORIZON, series_of(0)))
    series = {**series_of(1), ("rooms", "demand_kw"): np.full(STEPS, 50.0)}

    with pytest.raises(Infeasible):
        planner.plan(series, WindowState({"battery": START_KWH}))
