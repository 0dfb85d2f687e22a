from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from builders import START, battery, grid, load, prices, problem, solar
from scipy.optimize import linprog

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Site
from ems.assets.solar_pv import SolarPV
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.storage.storage_programme import StorageSchedule, explain_unfit, storage_programme

INSTANCES = 500
COST_TOLERANCE = 1e-6
"""Both are exact; HiGHS keeps constraints to within 1e-7."""
POWER_TOLERANCE_KW = 1e-6


# ------------------------------------------------------------------------------------------- by hand
def test_storage_programme__buys_low_and_sells_high():
    """100 kWh bought at 0.10 and sold at 0.50 earn 40; a kWh in store is worth what it will be sold for."""
    asked = problem([battery(initial_soc=0, min_soc=0), grid()], prices([0.10, 0.50]), steps_h=(1.0, 1.0))
    schedule = solved(asked)
    assert schedule.objective == pytest.approx(-40, abs=1e-9)
    assert schedule.values["battery", "charge_kw"] == pytest.approx([100, 0])
    assert schedule.values["battery", "discharge_kw"] == pytest.approx([0, 100])
    assert schedule.values["battery", "energy_kwh"] == pytest.approx([0, 100, 0])


def test_storage_programme__losses_eat_the_spread():
    """With 80 % each way 1 kWh bought at 0.10 sells as 0.64 kWh at 0.15, for less than it cost: nothing is done."""
    asked = problem(
        [battery(initial_soc=0, charge_efficiency=0.8, discharge_efficiency=0.8), grid()],
        prices([0.10, 0.15]),
        steps_h=(1.0, 1.0),
    )
    schedule = solved(asked)
    assert schedule.objective == 0
    assert not schedule.values["battery", "charge_kw"].any()


def test_storage_programme__standing_loss():
    """Of 100 kWh half are lost in each hour: 50 sold at once at 0.20 earn 10, 12.5 in the third at 0.40 earn 5."""
    asked = problem(
        [battery(initial_soc=1, final_soc_rule="free", standing_loss_per_h=0.5), grid(max_import_kw=0)],
        prices([0.20, 0.20, 0.40]),
        steps_h=(1.0, 1.0, 1.0),
    )
    schedule = solved(asked)
    assert schedule.objective == pytest.approx(-10)
    assert schedule.values["battery", "energy_kwh"] == pytest.approx([100, 0, 0, 0])


def test_storage_programme__value_of_what_is_left():
    """A kWh that is worth 0.30 at the end is not sold at 0.25, but is at 0.35."""
    for price, left_kwh, objective in ((0.25, 100, -30), (0.35, 0, -35)):
        asked = problem(
            [battery(initial_soc=1, final_soc_rule="free", final_energy_value_per_kwh=0.30), grid(max_import_kw=0)],
            prices(price),
        )
        schedule = solved(asked)
        assert schedule.objective == pytest.approx(objective)
        assert schedule.values["battery", "energy_kwh"][-1] == pytest.approx(left_kwh)


def test_storage_programme__surplus_is_stored_before_it_is_curtailed():
    """Of 50 kW sun nothing can be exported; 25 kWh are stored and serve the demand of 25 kW in the next hour."""
    asked = problem(
        [battery(initial_soc=0), grid(max_export_kw=0), solar(), load()],
        {**prices(0.20, 0.05), "solar.available_kw": [50, 0], "load.demand_kw": [0, 25]},
        steps_h=(1.0, 1.0),
    )
    schedule = solved(asked)
    assert schedule.objective == 0
    assert schedule.values["solar", "used_kw"][0] >= 25
    assert not schedule.values["grid", "import_kw"].any()


def test_storage_programme__sheds_what_is_not_worth_its_price():
    """Demand of 30 kW of which 40 % may be shed at 0.15, against a price of 0.20: 18 kWh at 0.20 and 12 at 0.15."""
    asked = problem(
        [
            battery(initial_soc=0),
            grid(),
            load(is_sheddable=True, interruption_cost_per_kwh=0.15, max_curtailment=0.4),
        ],
        {**prices(0.20), "load.demand_kw": [30]},
    )
    schedule = solved(asked)
    assert schedule.objective == pytest.approx(18 * 0.20 + 12 * 0.15)
    assert schedule.values["load", "unserved_kw"] == pytest.approx([12])


def test_storage_programme__low_priority_is_shed_first():
    """Two loads of 10 kW at the same interruption cost, 10 kW of import: the one with the larger number goes."""
    both = [
        load(id=name, is_sheddable=True, interruption_cost_per_kwh=1, priority_level=level)
        for name, level in (("first", 1), ("last", 9))
    ]
    asked = problem(
        [battery(initial_soc=0), grid(max_import_kw=10), *both],
        {**prices(0.20), "first.demand_kw": 10, "last.demand_kw": 10},
    )
    schedule = solved(asked)
    assert schedule.values["first", "unserved_kw"] == pytest.approx([0])
    assert schedule.values["last", "unserved_kw"] == pytest.approx([10])


def test_storage_programme__target_at_a_moment():
    """60 kWh are wanted after the second of three hours, though energy is cheapest in the last: 60 at 0.20."""
    target = {"time": START + dt.timedelta(hours=2), "soc": 0.6}
    asked = problem(
        [battery(initial_soc=0, soc_targets=[target]), grid(max_export_kw=0)],
        prices([0.30, 0.20, 0.10]),
        steps_h=(1.0, 1.0, 1.0),
    )
    assert solved(asked).objective == pytest.approx(12)


def test_storage_programme__bus_with_spilling_and_missing_power():
    """Of 150 kW the battery gives 100 and 50 are missing at 2; then 40 kW of sun can only be thrown away at 0.01."""
    site = Site(id="site", timezone="UTC", spill_cost_per_kwh=0.01, unserved_cost_per_kwh=2)
    asked = problem(
        [
            battery(initial_soc=1, max_charge_kw=0, final_soc_rule="free"),
            grid(max_import_kw=0, max_export_kw=0),
            load(),
            solar(is_curtailable=False),
        ],
        {**prices(0.20), "load.demand_kw": [150, 0], "solar.available_kw": [0, 40]},
        steps_h=(1.0, 1.0),
        sites=(site,),
    )
    schedule = solved(asked)
    assert schedule.objective == pytest.approx(50 * 2 + 40 * 0.01)
    assert schedule.values["site site", "missing_kw"] == pytest.approx([50, 0])
    assert schedule.values["site site", "spilled_kw"] == pytest.approx([0, 40])


@pytest.mark.parametrize(
    ("fields", "demand_kw"),
    [
        ({}, [250.0, 0.0]),  # more than connection and battery give
        ({"initial_soc": 0.5, "target_soc": 1.0, "max_charge_kw": 10}, [0.0, 0.0]),  # 20 kWh charged of 50 wanted
        ({"initial_soc": 0, "drain_kw": 200}, [0.0, 0.0]),  # drained faster than it is charged
    ],
)
def test_storage_programme__infeasible(fields: dict[str, Any], demand_kw: list[float]):
    asked = problem(
        [battery(**fields), grid(), load()], {**prices(0.20), "load.demand_kw": demand_kw}, steps_h=(1.0, 1.0)
    )
    assert explain_unfit(asked) is None
    assert storage_programme(asked) is None


# ------------------------------------------------------------------------------------------- against HiGHS
def test_storage_programme__costs_what_highs_says():
    """500 random instances, a part of them infeasible: the same cost to 1e-6, and every schedule keeps its limits."""
    random = np.random.default_rng(20240603)
    feasible = 0
    for number in range(INSTANCES):
        asked, numbers = random_instance(random)
        schedule, answer = storage_programme(asked), linear_programme(asked, numbers)
        assert (schedule is None) == (answer.status == 2), f"instance {number}: HiGHS says {answer.message}"
        if schedule is None:
            continue
        feasible += 1
        error = abs(schedule.objective - (answer.fun + numbers["fixed_cost"]))
        assert error <= COST_TOLERANCE * max(1.0, abs(answer.fun)), f"instance {number}: {error}"
        check_schedule(asked, schedule, numbers)
    assert feasible > INSTANCES / 2


@pytest.mark.parametrize("loss_per_h", [1e-4, 0.01, 0.5])
def test_storage_programme__scale_of_standing_loss(loss_per_h: float):
    """The content's scale falls to 1e-45 within the horizon; HiGHS, which has no such scale, finds the same cost."""
    random = np.random.default_rng(4)
    loose = {"final_soc_rule": "free", "min_soc": 0, "drain_kw": 0, "initial_soc": 0.5}
    asked, numbers = random_instance(random, steps=300, standing_loss_per_h=loss_per_h, **loose)
    schedule, answer = solved(asked), linear_programme(asked, numbers)
    assert schedule.objective == pytest.approx(answer.fun + numbers["fixed_cost"], rel=COST_TOLERANCE)
    check_schedule(asked, schedule, numbers)


# ------------------------------------------------------------------------------------------- means
def solved(asked: DispatchProblem) -> StorageSchedule:
    """Return the schedule of a problem that has one."""
    assert explain_unfit(asked) is None
    schedule = storage_programme(asked)
    assert schedule is not None
    return schedule


def random_instance(
    random: np.random.Generator, steps: int | None = None, **fields: Any
) -> tuple[Any, dict[str, Any]]:
    """Return a random problem of the form, and its numbers for a linear programme."""
    steps = int(random.integers(1, 49)) if steps is None else steps
    step_h = random.choice([0.25, 0.5, 1.0], size=steps) if random.random() < 0.3 else np.full(steps, 0.5)
    buy = np.round(random.uniform(0.05, 0.5, steps), int(random.integers(1, 7)))
    sell = buy * random.choice([0.0, 0.3, 1.0]) if random.random() < 0.7 else np.minimum(buy, 0.1)
    given: dict[str, Any] = {
        "capacity_kwh": float(random.uniform(20, 300)),
        "max_charge_kw": float(random.uniform(5, 100)),
        "max_discharge_kw": float(random.uniform(5, 100)),
        "charge_efficiency": float(random.uniform(0.7, 1.0)),
        "discharge_efficiency": float(random.uniform(0.7, 1.0)),
        "min_soc": 0.1,
        "max_soc": 0.95,
        "initial_soc": float(random.uniform(0.1, 0.95)),
        "final_soc_rule": str(random.choice(["at_least", "exactly", "free"])),
        "degradation_cost_per_kwh": float(random.choice([0.0, 0.02])),
        "charge_cost_per_kwh": float(random.choice([0.0, 0.01])),
        "holding_cost_per_kwh_h": float(random.choice([0.0, 0.001])),
        "standing_loss_per_h": float(random.choice([0.0, 0.002, 0.05])),
        "drain_kw": float(random.choice([0.0, 0.1])),
        "auxiliary_load_kw": float(random.choice([0.0, 1.0])),
        **fields,
    }
    if given["final_soc_rule"] != "exactly" and random.random() < 0.5:
        given["final_energy_value_per_kwh"] = float(random.uniform(0, 0.4))
    if steps > 4 and random.random() < 0.2:
        moment = START + dt.timedelta(hours=float(step_h[:3].sum()))
        given["soc_targets"] = [{"time": moment, "soc": 0.5, "rule": str(random.choice(["at_least", "at_most"]))}]
    store = battery(**given)
    connection = grid(
        max_import_kw=float(random.uniform(40, 150)),
        max_export_kw=float(random.choice([0.0, 60.0])),
        transformer_losses_kw=0.5,
    )
    demand = random.uniform(0, 80, steps)
    sun = random.uniform(0, 90, steps) * (random.random(steps) < 0.5)
    sheds = bool(random.random() < 0.5)
    bearer = load(is_sheddable=True, interruption_cost_per_kwh=0.3, max_curtailment=0.5) if sheds else load()
    plant = solar(
        is_curtailable=bool(random.random() < 0.8),
        rated_capacity_kw=100,
        variable_om_cost_per_kwh=float(random.choice([0.0, 0.01])),
        # At a price of surplus it would pay to lose energy in the battery, which is refused.
        curtailment_cost_per_kwh=0.005 if given["degradation_cost_per_kwh"] > 0 else 0.0,
    )
    asked = problem(
        [store, connection, bearer, plant],
        {**prices(buy.tolist(), sell.tolist()), "load.demand_kw": demand.tolist(), "solar.available_kw": sun.tolist()},
        steps_h=tuple(step_h),
    )
    numbers = {"buy": buy, "sell": sell, "demand_kw": demand, "available_kw": sun, "step_h": step_h}
    numbers["fixed_cost"] = plant.curtailment_cost_per_kwh * float(sun @ step_h)
    return asked, numbers


def linear_programme(asked: DispatchProblem, numbers: dict[str, Any], *, one_way: bool = False) -> Any:
    """Return HiGHS's answer to the same problem, written down directly.

    Variables are charge, discharge, import, export, used and unserved over the steps, then the content; where the
    answer charges while discharging, as it must to lose energy that has nowhere to go, also whether it charges.
    """
    store, connection, bearer, plant = (of_kind(asked, kind) for kind in (Battery, GridConnection, Load, SolarPV))
    step_h = numbers["step_h"]
    steps = len(step_h)
    one, kept = sp.eye(steps), (1 - store.standing_loss_per_h) ** step_h
    zero, hours = sp.csr_array((steps, steps)), sp.diags(step_h)
    before, after = sp.eye(steps, steps + 1), sp.eye(steps, steps + 1, 1)
    balance = [-one, one, one, -one, one, one, sp.csr_array((steps, steps + 1))]
    stored = [
        -store.charge_efficiency * hours, hours / store.discharge_efficiency, zero, zero, zero, zero,
        after - sp.diags(kept) @ before,
    ]  # fmt: skip
    content = store.content_kwh
    directions = None
    low, high = np.full(steps + 1, store.min_soc * content), np.full(steps + 1, store.max_soc * content)
    low[0] = high[0] = store.initial_soc * content
    if store.final_soc_rule in ("at_least", "exactly"):
        low[-1] = store.target_soc * content
    if store.final_soc_rule == "exactly":
        high[-1] = store.target_soc * content
    for target in store.soc_targets:
        place = int(np.flatnonzero(np.isclose(np.cumsum(step_h), (target.time - START).total_seconds() / 3600))[0]) + 1
        if target.rule == "at_least":
            low[place] = max(low[place], target.soc * content)
        else:
            high[place] = min(high[place], target.soc * content)
    available, demand = numbers["available_kw"], numbers["demand_kw"]
    shed = bearer.sheddable_share * demand
    value = np.zeros(steps + 1)
    value[1:] = store.holding_cost_per_kwh_h * step_h
    value[-1] -= store.final_energy_value_per_kwh or 0.0
    upper = [
        np.full(steps, store.charge_limit_kw), np.full(steps, store.discharge_limit_kw),
        np.full(steps, connection.import_limit_kw), np.full(steps, connection.export_limit_kw), available, shed, high,
    ]  # fmt: skip
    lower = [*[np.zeros(steps)] * 4, available * (not plant.is_curtailable), np.zeros(steps), low]
    cost = [
        store.charge_cost_per_kwh * step_h, store.degradation_cost_per_kwh * step_h, numbers["buy"] * step_h,
        -numbers["sell"] * step_h, (plant.variable_om_cost_per_kwh - plant.curtailment_cost_per_kwh) * step_h,
        (bearer.interruption_cost_per_kwh or 0.0) * step_h, value,
    ]  # fmt: skip
    if one_way:
        others = sp.csr_array((steps, 5 * steps + 1))
        directions = sp.vstack(
            [
                sp.hstack([one, zero, others, -store.charge_limit_kw * one]),
                sp.hstack([zero, one, others, store.discharge_limit_kw * one]),
            ]
        ).tocsr()
        balance, stored = [*balance, zero], [*stored, zero]
        lower, upper, cost = [*lower, np.zeros(steps)], [*upper, np.ones(steps)], [*cost, np.zeros(steps)]
    answer = linprog(
        np.concatenate(cost),
        A_eq=sp.vstack([sp.hstack(balance), sp.hstack(stored)]).tocsr(),
        b_eq=np.concatenate(
            (demand + store.auxiliary_load_kw + connection.transformer_losses_kw, -store.drain_kw * step_h)
        ),
        A_ub=directions,
        b_ub=None if directions is None else np.repeat([0.0, store.discharge_limit_kw], steps),
        bounds=np.column_stack((np.concatenate(lower), np.concatenate(upper))),
        options={"mip_rel_gap": COST_TOLERANCE / 10},
        integrality=None if directions is None else np.repeat([0, 1], [len(np.concatenate(cost)) - steps, steps]),
    )
    both_kw = np.minimum(answer.x[:steps], answer.x[steps : 2 * steps]).max() if answer.status == 0 else 0.0
    return linear_programme(asked, numbers, one_way=True) if both_kw > POWER_TOLERANCE_KW and not one_way else answer


def check_schedule(asked: DispatchProblem, schedule: StorageSchedule, numbers: dict[str, Any]) -> None:
    """Check that a schedule keeps balance, energy law and limits, and never runs two ways at once."""
    store, connection, bearer, plant = (of_kind(asked, kind) for kind in (Battery, GridConnection, Load, SolarPV))
    value = schedule.values
    charge, discharge, content = (value["battery", name] for name in ("charge_kw", "discharge_kw", "energy_kwh"))
    bought, sold, used = value["grid", "import_kw"], value["grid", "export_kw"], value["solar", "used_kw"]
    unserved = value["load", "unserved_kw"] if bearer.is_sheddable else np.zeros(len(charge))
    fixed = numbers["demand_kw"] + store.auxiliary_load_kw + connection.transformer_losses_kw
    assert bought - sold + used + unserved + discharge - charge == pytest.approx(fixed, abs=POWER_TOLERANCE_KW)
    stored_kw = store.charge_efficiency * charge - discharge / store.discharge_efficiency - store.drain_kw
    kept = (1 - store.standing_loss_per_h) ** numbers["step_h"]
    assert content[1:] == pytest.approx(content[:-1] * kept + stored_kw * numbers["step_h"], abs=POWER_TOLERANCE_KW)
    for values, low, high in (
        (charge, 0, store.charge_limit_kw),
        (discharge, 0, store.discharge_limit_kw),
        (bought, 0, connection.import_limit_kw),
        (sold, 0, connection.export_limit_kw),
        (used, 0 if plant.is_curtailable else numbers["available_kw"], numbers["available_kw"]),
        (unserved, 0, bearer.sheddable_share * numbers["demand_kw"]),
        (content[1:], store.min_soc * store.content_kwh, store.max_soc * store.content_kwh),
    ):
        assert (values >= low - POWER_TOLERANCE_KW).all()
        assert (values <= high + POWER_TOLERANCE_KW).all()
    assert not (charge * discharge).any()
    assert (np.minimum(bought, sold) <= POWER_TOLERANCE_KW).all()


def of_kind(asked: DispatchProblem, kind: type[Any]) -> Any:
    """Return the asset of a kind."""
    return next(asset for asset in asked.assets if isinstance(asset, kind))
