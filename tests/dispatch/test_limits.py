"""Limits that cost money: only fields of records, each with its worth by hand in the field's own unit."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from builders import START, battery, charger, generator, grid, load, prices, problem, session, solar
from test_why import random_site

from ems.assets.group import Group, GroupMember
from ems.assets.reserve import ReserveRequirement
from ems.dispatch.explanation.draft import when
from ems.dispatch.explanation.limits import binding_limits
from ems.dispatch.goal import Goal, Outage
from ems.dispatch.options import SolverOptions
from ems.dispatch.solve import solve
from ems.horizon import Horizon

# The solver keeps prices to 1e-7, which a field's unit widens: a kW per minute is 60 kW in an hour.
NEAR = 1e-4
EXACT = SolverOptions(mip_gap=0)


def limits(assets, values, steps_h, **fields) -> dict[tuple[str, str], tuple[float, str, str]]:
    """Return worth, unit and time of limits of which each binds once."""
    found = binding_limits(solve(problem(assets, values, steps_h, **fields), EXACT))
    assert not found.duplicated(["asset", "limit"]).any()
    return {(row.asset, row.limit): (row.worth, row.unit, row.when) for row in found.itertuples()}


def near(worth: float, unit: str, when: str) -> tuple[Any, str, str]:
    return pytest.approx(worth, abs=NEAR), unit, when


def test_binding_limits__import_limit():
    """A battery sells at 0.50 what it got at 0.10 behind 60 kW: one kW more saves 0.40 EUR in the first hour."""
    found = limits([battery(initial_soc=0), grid(max_import_kw=60)], prices([0.1, 0.5]), [1, 1])
    assert found == {("grid", "max_import_kw"): near(0.4, "EUR/kW", "00:00-01:00")}


@pytest.mark.parametrize(("max_soc", "name", "unit"), [(1, "capacity_kwh", "EUR/kWh"), (0.9, "max_soc", "EUR/%")])
def test_binding_limits__full_battery(max_soc, name, unit):
    """One kWh more is worth 0.40 EUR, and is one of 100 %; beyond 100 % it takes a larger battery."""
    assets = [battery(initial_soc=0, max_soc=max_soc, max_charge_kw=150), grid(max_import_kw=150, max_export_kw=150)]
    assets[0] = assets[0].replace(max_discharge_kw=150)
    assert limits(assets, prices([0.1, 0.5]), [1, 1]) == {("battery", name): near(0.4, unit, "00:00-01:00")}


def test_binding_limits__below_nothing_there_is_no_limit():
    """A battery gives what it has; that it is empty then is nobody's choice."""
    unit = battery(initial_soc=0.1, final_soc_rule="free")
    assert limits([unit, grid(), load()], {**prices(0.3, 0), "load.demand_kw": 50}, [1]) == {}


def test_binding_limits__cycles_of_a_day():
    """Half a cycle of 100 kWh earns 0.40 a kWh: a whole one more a day would earn 40 EUR."""
    unit = battery(initial_soc=0, max_cycles_per_d=0.5)
    found = limits([unit, grid()], prices([0.1, 0.5]), [1, 1])
    assert found == {("battery", "max_cycles_per_d"): near(40, "EUR/(1/d)", "00:00-02:00")}


def test_binding_limits__ramp_in_kw_per_minute():
    """From 0 kW by 0.5 kW/min: 60 kW more for each kW/min in the first hour, 120 in the next, at 0.20 EUR/kWh less."""
    unit = generator(max_output_kw=1000, is_committable=False, initial_output_kw=0, ramp_up_rate_kw_per_min=0.5)
    found = limits([unit, grid(), load()], {**prices(0.3, 0), "load.demand_kw": 90}, [1, 1])
    assert found == {("generator", "ramp_up_rate_kw_per_min"): near(36, "EUR/(kW/min)", "00:00-02:00")}


def test_binding_limits__start_and_minimum_times_are_no_limits():
    """On for 30 kW of demand at 0.10: with its start paid, only a larger one would serve more of the 50 kW."""
    unit = generator(max_output_kw=30, min_output_kw=5, startup_cost=1, min_uptime_h=2, min_downtime_h=2)
    found = limits([unit, grid(), load()], {**prices(0.3, 0), "load.demand_kw": 50}, [1, 1, 1])
    assert found == {("generator", "max_output_kw"): near(0.6, "EUR/kW", "00:00-03:00")}


def test_binding_limits__lowest_output_in_use():
    """Kept on for the peak it gives 20 kW for 0.10 in an hour in which a kWh costs 0.05: one kW less saves 0.05."""
    unit = generator(min_output_kw=20, startup_cost=1, must_run=True)
    found = limits([unit, grid(), load()], {**prices([0.3, 0.05], 0), "load.demand_kw": 25}, [1, 1])
    assert found == {("generator", "min_output_kw"): near(0.05, "EUR/kW", "01:00-02:00")}


def test_binding_limits__fuel_is_one_of_the_whole_horizon():
    """A litre more gives 2 kWh that save 0.20 each, whenever they are used."""
    fuel = {"fuel_tank_capacity_l": 10, "fuel_consumption_l_per_kwh": 0.5}
    found = limits([generator(**fuel), grid(), load()], {**prices(0.3, 0), "load.demand_kw": 30}, [1, 1])
    assert found == {("generator", "fuel_tank_capacity_l"): near(0.4, "EUR/l", "00:00-02:00")}


def test_binding_limits__energy_wanted_at_departure():
    """A vehicle that wants one kWh less takes 1 / 0.8 kWh less at 0.20; its power is not at its limit."""
    unit = charger(charge_efficiency=0.8, sessions=[session(0, 2, 5)])
    found = limits([unit, grid()], prices([0.2, 0.2]), [1, 1])
    assert found == {("charger", "sessions.energy_kwh"): near(0.25, "EUR/kWh", "01:00-02:00")}


def test_binding_limits__power_of_a_charger():
    """10 kW for an hour at 0.10, the rest at 0.30: one kW more saves 0.20."""
    unit = charger(charge_efficiency=1, sessions=[session(0, 2, 15)])
    found = limits([unit, grid()], prices([0.1, 0.3]), [1, 1])
    assert found["charger", "max_power_kw"] == near(0.2, "EUR/kW", "00:00-01:00")
    assert set(found) == {("charger", "max_power_kw"), ("charger", "sessions.energy_kwh")}


def test_binding_limits__an_export_limit_binds_only_where_something_could_be_sold():
    """20 kW of sun are left over in the first hour alone, and would be sold at 0.05."""
    values = {**prices(0.3, 0.05), "load.demand_kw": [0, 50], "solar.available_kw": 20}
    found = limits([grid(max_export_kw=0), load(), solar()], values, [1, 1])
    assert found == {("grid", "max_export_kw"): near(0.05, "EUR/kW", "00:00-01:00")}


def test_binding_limits__a_peak_is_a_price_and_weather_is_no_limit():
    charges = [{"name": "peak", "rate_per_kw": 5, "period": "day"}]
    values = {**prices(0.3, 0), "load.demand_kw": 50, "solar.available_kw": 20}
    assert limits([grid(demand_charges=charges), load(), solar()], values, [1, 1]) == {}


def test_binding_limits__deviations_and_market_periods_follow_from_decisions():
    """A position is bought for an hour, and quarters that deviate pay for it; nobody set a limit to that."""
    goal = Goal(optimization_type="procurement")
    imbalance = {"grid.imbalance_short_price_per_kwh": 0.5, "grid.imbalance_long_price_per_kwh": 0.05}
    values = {**prices(0.2), **imbalance, "load.demand_kw": [10, 20, 30, 40]}
    assert limits([grid(), load()], values, [0.25] * 4, goal=goal) == {}


def test_binding_limits__an_outage_is_no_limit_of_a_record():
    """Without the grid the generator serves all; the hour after, one kW more of it would save 0.20 EUR."""
    out = Outage(asset_id="grid", begin=START, end=START + dt.timedelta(hours=1))
    goal = Goal(optimization_type="resilience", outages=(out,))
    assets = [grid(), load(), generator(max_output_kw=60)]
    found = limits(assets, {**prices(0.3, 0), "load.demand_kw": [60, 80]}, [1, 1], goal=goal)
    assert found == {("generator", "max_output_kw"): near(0.2, "EUR/kW", "01:00-02:00")}


def test_binding_limits__of_a_group_and_a_reserve():
    """Behind 50 kW for both, a kWh comes from the generator for 0.10 more; each kW held ready costs as much."""
    group = Group(id="feeder", max_import_kw=50)
    members = (GroupMember(asset_id="grid", group_id="feeder"),)
    values = {**prices(0.3, 0), "load.demand_kw": 60}
    assets = [grid(), load(), generator(fuel_cost_per_kwh=0.4)]
    found = limits(assets, values, [1], groups=(group,), members=members)
    assert found == {("feeder", "max_import_kw"): near(0.1, "EUR/kW", "00:00-01:00")}

    reserve = ReserveRequirement(id="ready", requirement_kw=15, providers=("generator",))
    found = limits([grid(), load(), generator()], values, [1], reserves=(reserve,))
    assert found["ready", "requirement_kw"] == near(0.2, "EUR/kW", "00:00-01:00")


@pytest.mark.parametrize("seed", range(4))
def test_binding_limits__worth_lies_between_what_more_saves_and_what_less_costs(seed):
    """Least cost is convex in a limit; its worths over all times together are a slope at it."""
    asked = random_site(seed)
    result = solve(asked, EXACT)
    worth = binding_limits(result).groupby(["asset", "limit"]).agg({"worth": "sum", "unit": "first"})
    assert len(worth)
    for (owner, name), row in worth.iterrows():
        if name == "capacity_kwh":
            continue  # in a record, other contents move with it
        asset = next(one for one in asked.assets if one.id == owner)
        by = -1e-4 if name == "min_soc" else 1e-4
        costs = []
        for shift in (-by, by):
            others = {"target_soc": asset.target_soc} if owner == "battery" and name != "target_soc" else {}
            moved = asset.replace(**{name: getattr(asset, name) + shift, **others})
            assets = tuple(moved if one is asset else one for one in asked.portfolio.assets)
            costs.append(solve(replace(asked, portfolio=asked.portfolio.replace(assets=assets)), EXACT).total_cost)
        unit = 0.01 if row.unit.endswith("%") else 1
        slopes = sorted(abs(cost - result.total_cost) / 1e-4 * unit for cost in costs)
        assert slopes[0] - 1e-3 <= row.worth <= slopes[1] + 1e-3


@pytest.mark.parametrize(
    ("steps", "hours", "words"),
    [
        (range(24), 24, "all day"),
        (range(17, 18), 24, "17:00-18:00"),
        (range(24, 48), 48, "2024-06-04 all day"),
        (range(48), 72, "2024-06-03 to 2024-06-04"),
        (range(23, 24), 48, "2024-06-03 23:00-00:00"),
        (range(22, 30), 48, "2024-06-03 22:00 to 2024-06-04 06:00"),
    ],
)
def test_when__whole_days_and_spans_of_days(steps, hours, words):
    assert when(steps, Horizon.regular(START, hours, 1), "UTC") == words
