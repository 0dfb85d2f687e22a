"""Prices, limits and reasons of dispatches whose answers are found by hand, and flip prices tried on both sides."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from builders import battery, charger, generator, grid, load, prices, problem, session, solar

from ems.dispatch.explanation.reasons import action_of, flip_price, reasons
from ems.dispatch.explanation.why import prices_of, worth_of_limits
from ems.dispatch.options import SolverOptions
from ems.dispatch.sensitivity import sensitivity
from ems.dispatch.solve import solve
from ems.errors import InvalidInput, UnknownName

# Prices are below 1 per kWh; the solver keeps reduced costs to 1e-7, which a division by steps of 0.25 h widens.
NEAR = 1e-6


def near(*values: float):
    return pytest.approx(list(values), abs=NEAR)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_prices_of__merit_order(solver, options):
    """Of 50 kW of demand the grid gives 10 at 0.30, which one more kWh costs; 30 kW are within a generator at 0.10.

    Prices are of energy: steps of half an hour have the same.
    """
    asked = problem([grid(), load(), generator()], {**prices(0.3, 0), "load.demand_kw": [50, 30]}, [0.5, 0.5])
    found = prices_of(solve(asked, options(solver)))
    assert found.price_per_kwh.sel(site="site").values.tolist() == near(0.3, 0.1)
    assert found.price_per_kwh.attrs["units"] == "EUR/kWh"


def test_prices_of__stored_value_of_a_battery_between_two_prices():
    """100 kWh bought at 0.10, as much as goes in, and sold at 0.50: a kWh that is there already is worth 0.50.

    With one-way efficiencies of 0.9, a stored kWh gives 0.9 kWh at 0.50 less 0.01 of wear: 0.441 EUR.
    """
    unit = battery(initial_soc=0, round_trip_efficiency=0.81, degradation_cost_per_kwh=0.01)
    found = prices_of(solve(problem([unit, grid()], prices([0.1, 0.5]), [1, 1])))
    assert found.stored_value_per_kwh.sel(asset="battery").values.tolist() == near(0.441, 0.441, 0.441)


def test_prices_of__standing_loss():
    """Sold at 0.50 in an hour in which a tenth of the content is lost: a kWh there before it is worth 0.45 EUR."""
    unit = battery(standing_loss_per_h=0.1, final_soc_rule="free")
    found = prices_of(solve(problem([unit, grid()], prices(0.5))))
    assert found.stored_value_per_kwh.sel(asset="battery").values.tolist() == near(0.45, 0.5)


def test_prices_of__on_and_off_decisions_stay():
    """A generator that runs for 2 hours at 0.10 with a start of 5 EUR: the next kWh costs fuel alone."""
    assets = [grid(max_export_kw=0), load(), generator(min_output_kw=20, startup_cost=5)]
    result = solve(problem(assets, {**prices(0.3), "load.demand_kw": 30}, [1, 1]))
    assert prices_of(result).price_per_kwh.sel(site="site").values.tolist() == near(0.1, 0.1)


def test_prices_of__a_chosen_plan_has_the_same_prices(options):
    """Prices belong to the least cost, not to the rules that choose among plans of equal cost.

    What the battery gives in the third hour it can take back at 0.10: that is the price of all three.
    """
    asked = problem([battery(), grid(), load()], {**prices([0.1, 0.1, 0.5], 0.05), "load.demand_kw": 5}, [1, 1, 1])
    found = [prices_of(solve(asked, options(choose_plan=choose))).price_per_kwh for choose in (False, True)]
    assert found[1].values.ravel().tolist() == near(0.1, 0.1, 0.1)
    assert found[0].values.ravel().tolist() == near(0.1, 0.1, 0.1)


def test_worth_of_limits__import_limit():
    """A battery sells at 0.50 what it got at 0.10 behind 60 kW: one kW more saves 0.40 EUR in the first hour."""
    unit = battery(initial_soc=0)
    result = solve(problem([unit, grid(max_import_kw=60)], prices([0.1, 0.5]), [1, 1]))
    worth = worth_of_limits(result).set_index(["asset", "field"]).worth
    assert worth["grid", "max_import_kw"] == pytest.approx(0.4, abs=NEAR)
    assert worth["battery", "max_charge_kw"] == pytest.approx(0, abs=NEAR)


def test_worth_of_limits__power_is_worth_what_it_earns_in_all_steps():
    """A generator of 40 kW at 0.10 beside a grid at 0.30, for 2 h with 50 kW of demand: 2 * 0.20 EUR for a kW more."""
    asked = problem([grid(), load(), generator()], {**prices(0.3, 0), "load.demand_kw": 50}, [1, 1])
    worth = worth_of_limits(solve(asked)).set_index(["asset", "field"]).worth
    assert worth["generator", "max_output_kw"] == pytest.approx(0.4, abs=NEAR)


@pytest.mark.parametrize("seed", range(6))
def test_worth_of_limits__lies_between_what_more_saves_and_what_less_costs(seed):
    """Least cost is convex in its limits: the first kW more saves no less than a next one, and no more than the last.

    Limits are moved by a thousandth; a power limit also stands in the cut of two directions, which is not quite
    linear in it, by some thousandths of the worth.
    """
    asked = random_site(seed)
    result = solve(asked)
    for row in worth_of_limits(result).itertuples():
        asset = next(one for one in asked.assets if one.id == row.asset)
        by = 1e-3 * getattr(asset, row.field)
        costs = []
        for shift in (-by, by):
            other = {row.field: getattr(asset, row.field) + shift}
            if row.field == "capacity_kwh":
                other |= {"usable_capacity_kwh": asset.usable_capacity_kwh + shift}
            assets = tuple(asset.replace(**other) if one is asset else one for one in asked.portfolio.assets)
            costs.append(solve(replace(asked, portfolio=asked.portfolio.replace(assets=assets))).total_cost)
        slack = 1e-5 + 5e-3 * row.worth
        assert (result.total_cost - costs[1]) / by - slack <= row.worth <= (costs[0] - result.total_cost) / by + slack


def test_reasons__charge_rest_and_discharge():
    """Bought at 0.10, kept at 0.45, sold at 0.50: efficiencies of 0.9 pay from 0.50 * 0.81 down."""
    unit = battery(initial_soc=0, round_trip_efficiency=0.81)
    asked = problem([unit, grid()], prices([0.1, 0.45, 0.5], [0.05, 0.4, 0.5]), [1, 1, 1])
    found = reasons(solve(asked))
    assert found.action.tolist() == ["charge", "idle", "discharge"]
    assert found.stored_value_per_kwh.tolist() == near(0.45, 0.45, 0.45)
    assert found.breakeven_price_per_kwh.tolist() == near(0.405, 0.5, 0.5)
    assert found.sentence[0].startswith(
        "2024-06-03 00:00 battery charges 100 kW because 1 kWh bought at 0.1 EUR is worth 0.45 EUR stored; it pays up "
        "to 0.405 EUR/kWh"
    )
    assert found.flip_price_per_kwh[0] == pytest.approx(0.405, abs=1e-5)
    assert found.flip_price_name[0] == "import_price_per_kwh"


def test_reasons__where_another_price_changes_the_decision():
    """Bought at 0.10 below 0.36, sold at 0.45 from 0.25 on: kept between a use at 0.20 and one at 0.40.

    A dearer hour ends charging, a cheaper one discharging.
    """
    unit = battery(initial_soc=0, round_trip_efficiency=0.81)
    asked = problem([unit, grid(max_export_kw=0), load()], {**prices([0.1, 0.45]), "load.demand_kw": [0, 50]}, [1, 1])
    found = reasons(solve(asked))
    assert found.flip_price_per_kwh.tolist() == [pytest.approx(0.3645, abs=1e-5), pytest.approx(0.1 / 0.81, abs=1e-5)]
    assert found.sentence[0].endswith("; from an import price of 0.3645 on, not so")
    assert found.sentence[1].endswith("; below an import price of 0.1235, not so")


def test_reasons__what_rests_may_go_either_way():
    """Between 0.30 and 0.32 the losses of 0.9 each way are not earned: below 0.81 * 0.32 it would charge."""
    unit = battery(initial_soc=0, round_trip_efficiency=0.81)
    asked = problem([unit, grid(max_export_kw=0), load()], {**prices([0.3, 0.32]), "load.demand_kw": 20}, [1, 1])
    assert reasons(solve(asked)).sentence[0].endswith("; below an import price of 0.2592 it would charge")


def test_reasons__another_plan_of_the_same_cost():
    """Lossless and of one price: whether it charges is all one."""
    unit = battery(initial_soc=0, final_soc_rule="free")
    asked = problem([unit, grid(max_export_kw=0), load()], {**prices(0.2), "load.demand_kw": 20}, [1, 1])
    assert "; another plan of the same cost does something else" in " ".join(reasons(solve(asked)).sentence)


def test_reasons__without_a_battery():
    found = reasons(solve(problem([grid(), load()], {**prices(0.1), "load.demand_kw": 5})))
    assert found.empty
    assert {"asset", "sentence", "flip_price_per_kwh"} <= set(found.columns)


def random_site(seed: int):
    """A battery between a load, sun and a grid with prices that no two steps share."""
    rng = random.Random(seed)
    steps = rng.randint(6, 16)
    buy = [round(rng.uniform(0.05, 0.5), 3) for _ in range(steps)]
    values = {
        **prices(buy, [round(0.6 * price, 4) for price in buy]),
        "load.demand_kw": [round(rng.uniform(5, 60), 1) for _ in range(steps)],
        "solar.available_kw": [round(rng.uniform(0, 50), 1) for _ in range(steps)],
    }
    unit = battery(
        capacity_kwh=rng.choice([40, 90]),
        max_charge_kw=rng.choice([20, 35]),
        max_discharge_kw=rng.choice([20, 35]),
        round_trip_efficiency=0.9,
        min_soc=0.1,
        degradation_cost_per_kwh=rng.choice([0.0, 0.012]),
    )
    return problem([unit, grid(max_import_kw=65), load(), solar()], values, [rng.choice([0.5, 1.0])] * steps)


@pytest.mark.parametrize("seed", range(20))
def test_flip_price__decision_changes_just_there(seed):
    """Solved again a little on the near side of the flip price the decision stays, on the far side it does not."""
    asked = random_site(seed)
    result = solve(asked)
    table = reasons(result)
    flipping = table[np.isfinite(table.flip_price_per_kwh)]
    assert len(flipping)
    for row in flipping.sample(min(4, len(flipping)), random_state=seed).itertuples():
        step = int(np.flatnonzero(asked.horizon.times == row.time)[0])
        now = float(asked.series[row.flip_price_name].sel(asset="grid")[step])
        away = math.copysign(1e-4, row.flip_price_per_kwh - now)
        near_side, far_side = (
            again_at(asked, row.flip_price_name, step, row.flip_price_per_kwh + shift) for shift in (-away, away)
        )
        if abs(row.flip_price_per_kwh - now) > 1e-4:
            assert near_side == row.action
        assert far_side != row.action


def again_at(asked, name: str, step: int, price: float) -> str:
    """Return what the battery does in a step when one price is another."""
    column = asked.series[name].copy()
    column.loc[{"time": asked.series.time[step], "asset": "grid"}] = price
    result = solve(replace(asked, series=asked.series.assign({name: column})), SolverOptions(mip_gap=0.0))
    unit = result.units.assets["battery"]
    return action_of(float(unit.discharge_kw[step] - unit.charge_kw[step]))


def test_flip_price__of_what_is_no_battery():
    result = solve(problem([grid(), load()], {**prices(0.1), "load.demand_kw": 5}))
    with pytest.raises(InvalidInput, match="asset 'load': is no active battery; only batteries have a flip price"):
        flip_price(result, "load", 0)


def test_flip_price__site_without_a_grid():
    """Nothing is bought or sold on an island."""
    unit = battery(final_soc_rule="free")
    result = solve(problem([unit, load()], {"load.demand_kw": 5}))
    assert math.isnan(flip_price(result, "battery", 0).price_per_kwh)


def test_sensitivity__demand_and_price():
    """10 kW for an hour at 0.20 cost 2 EUR; a tenth more of either costs 0.20 EUR more, less than nothing changes."""
    asked = problem([grid(), load()], {**prices(0.2), "load.demand_kw": 10})
    found = sensitivity(asked, of=["demand_kw", "import_price_per_kwh", "grid.max_import_kw"])
    assert found.total_cost.tolist() == near(1.8, 2.2, 1.8, 2.2, 2, 2)
    assert found.change.tolist() == near(-0.2, 0.2, -0.2, 0.2, 0, 0)
    assert found.value.tolist()[4:] == near(90, 110)


def test_sensitivity__no_schedule_is_no_number():
    """Behind 9 kW there is no schedule for 10 kW."""
    asked = problem([grid(max_import_kw=10), load()], {**prices(0.2), "load.demand_kw": 10})
    found = sensitivity(asked, of=["grid.max_import_kw"], factors=[0.9, 1.0])
    assert np.isnan(found.total_cost[0])
    assert found.total_cost[1] == pytest.approx(2, abs=NEAR)


def test_sensitivity__everything_that_there_is():
    assets = [grid(), load(), battery(), charger(sessions=[session(0, 1, 5)])]
    found = sensitivity(problem(assets, {**prices([0.2, 0.3]), "load.demand_kw": 10}, [1, 1]))
    assert set(found.of) >= {"import_price_per_kwh", "demand_kw", "battery.capacity_kwh", "charger.max_power_kw"}
    assert not found.total_cost.isna().any()


@pytest.mark.parametrize("name", ["demand", "grid.max_improt_kw", "gird.max_import_kw"])
def test_sensitivity__unknown_name(name):
    asked = problem([grid(), load()], {**prices(0.2), "load.demand_kw": 10})
    with pytest.raises(UnknownName, match="did you mean"):
        sensitivity(asked, of=[name])
