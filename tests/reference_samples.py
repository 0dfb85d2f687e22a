"""Small cases of the neutral form whose answer is found by hand, each said in its title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from reference_rules import NeutralCase


def case(*assets: Mapping[str, Any], n: int, step_h: Any = 1.0, power: str = "MW", **options: Any) -> NeutralCase:
    """Return a case of assets on one bus."""
    time = {"start": "2024-06-03T00:00:00+02:00", "tz": "Europe/Berlin", "step_h": step_h, "n": n}
    units = {"power": power, "energy": f"{power}h", "money": "EUR", "time": "h"}
    return NeutralCase(
        {
            "schema": "ems-case/1",
            "kind": "dispatch",
            "units": units,
            "time": time,
            "assets": list(assets),
            "options": {"sense": "min_cost", **options},
        },
        {"ones": np.ones(n)},
    )


def grid(buy: Any, sell: Any = 0, **fields: Any) -> dict[str, Any]:
    """A connection without limits."""
    return {"name": "grid", "type": "grid_connection", "import_price": buy, "export_price": sell, **fields}


def load(power: Any, **fields: Any) -> dict[str, Any]:
    """A firm load."""
    return {"name": "load", "type": "load", "power": power, **fields}


def battery(**fields: Any) -> dict[str, Any]:
    """A lossless battery of 1, empty at first."""
    easy = {"energy_capacity": 1, "charge_power_max": 1, "discharge_power_max": 1}
    start = {} if "soc_initial" in fields or fields.get("soc_final_rule") == "cyclic" else {"soc_initial": 0}
    return {"name": "battery", "type": "battery", **easy, **start, **fields}


def unit(name: str, p_max: Any, marginal_cost: Any = None, **fields: Any) -> dict[str, Any]:
    """A generator; committable where something says so."""
    price = {} if marginal_cost is None else {"marginal_cost": marginal_cost}
    return {"name": name, "type": "generator", "p_max": p_max, **price, **fields}


SAMPLES: dict[str, tuple[str, NeutralCase, dict[str, Any]]] = {}


def _sample(name: str, title: str, given: NeutralCase, value: float | None, **expected: Any) -> None:
    if value is not None:
        expected["objective"] = {"value": value, "tol_rel": 1e-6, "tol_abs": 1e-6}
    SAMPLES[name] = (title, given, expected)


_sample(
    "battery_losses",
    "To give 1 at step 1, 2.1 / 0.9 = 2.3333 must be left after step 0: 2 x 2.4333 bought at 1 + 0.1, held at 0.01, "
    "given at 0.2",
    case(
        grid([1, 10], export_limit=0),
        load([0, 1]),
        battery(
            energy_capacity=10,
            charge_power_max=10,
            discharge_power_max={"series": "ones", "scale": 10},
            eta_charge=0.5,
            eta_discharge=0.5,
            charge_cost=0.1,
            discharge_cost=0.2,
            holding_cost=0.01,
            standing_loss_per_h=0.1,
            drain=0.1,
        ),
        n=2,
    ),
    5.353333333333333 + 0.023333333333333 + 0.2,
    schedule={"battery.c": [4.866666667, 0], "battery.d": [0, 1], "battery.e": [2.333333333, 0]},
    schedule_unique=True,
    schedule_tol_abs=1e-5,
)
_sample(
    "battery_cycle",
    "A cycle that begins full sells 1 at 3 and buys it back at 1",
    case(grid([3, 1], [3, 1]), battery(soc_final_rule="cyclic"), n=2),
    -2,
)
_sample(
    "battery_cycle_within_a_series",
    "A cycle within a limit from a series begins half full: it sells 0.5 at 3 and buys it back at 1",
    case(grid([3, 1], [3, 1]), battery(soc_final_rule="cyclic", soc_max={"series": "ones", "scale": 0.5}), n=2),
    -1,
)
_sample(
    "battery_targets",
    "Half of 2 kWh bought at 1 for the target, the other half at 3 for the end",
    case(
        grid([1, 2, 3, 4], export_limit=0),
        battery(
            energy_capacity=2,
            charge_power_max=4,
            soc_targets=[{"step": 1, "soc": 0.5, "rule": "=="}],
            soc_final=1,
            soc_final_rule="==",
        ),
        n=4,
        step_h=0.5,
        power="kW",
    ),
    4,
    checks=[
        {"var": "battery.e", "steps": [1, 1], "op": "==", "value": 1},
        {"var": "battery.c", "agg": "sum", "op": "==", "value": 4},
    ],
)
_sample(
    "battery_two_directions",
    "At a price of -1, 4 in and 1 out burn 3 where both are allowed at once",
    case(
        grid(-1, -1),
        battery(
            energy_capacity=2,
            charge_power_max=4,
            eta_charge=0.5,
            eta_discharge=0.5,
            soc_initial=1,
            allow_simultaneous=True,
        ),
        n=1,
    ),
    -3,
)
_sample(
    "grid_two_directions",
    "1 bought at 1 and sold at 3 where both are allowed at once",
    case(grid(1, 3, import_limit=2, export_limit=1, allow_simultaneous=True), n=1),
    -2,
)
_sample(
    "demand_charges",
    "All steps: 3 x 10 + 0.75 x 4 x 20 = 90; without the first: 2 x 10 + 0.75 x 3 x 20 = 65",
    case(
        grid(
            0,
            demand_charges=[
                {
                    "name": f"charge {number}",
                    "rate": {"1": 10, "2": 20},
                    "group": [1, 1, 2],
                    "mask": mask,
                    "prior_peak": 3,
                    "free_allowance": 1,
                    "ratchet": {"fraction": 0.75, "previous_n": 1},
                }
                for number, mask in enumerate(([1, 1, 1], [0, 1, 1]))
            ],
        ),
        load([4, 2, 1]),
        n=3,
    ),
    155,
)
_sample(
    "ratchets_by_number",
    "Half of June's 4 holds in July: 40 + 20; half of May's 10, known from before, in both: 50 + 50",
    case(
        grid(
            0,
            demand_charges=[
                {"name": "june", "rate": 10, "group": [6, 7], "ratchet": {"fraction": 0.5, "months": [6]}},
                {
                    "name": "may",
                    "rate": 10,
                    "group": [6, 7],
                    "prior_peak": {"5": 10},
                    "ratchet": {"fraction": 0.5, "months": [5]},
                },
            ],
        ),
        load([4, 1]),
        n=2,
    ),
    160,
)
_sample(
    "export_charge",
    "3 sold at 2, 2 of its power free of a price of 4",
    case(
        grid(9, 2, demand_charges=[{"name": "feed", "rate": 4, "free_allowance": 2, "basis": "export"}]),
        {"name": "pv", "type": "solar_pv", "power_available": [3], "curtailable": False},
        n=1,
    ),
    -2,
)
_sample(
    "charges_of_one_name",
    "4 x 10 in all steps and 2 x 5 in the last, by two charges that are called the same",
    case(
        grid(0, demand_charges=[{"name": "peak", "rate": 10}, {"name": "peak", "rate": 5, "mask": [0, 1]}]),
        load([4, 2]),
        n=2,
    ),
    50,
)
_sample(
    "charge_looks_back_before_the_horizon",
    "Half of the 8 of the group before are 4, above the 2 of this one: 4 x 10",
    case(
        grid(
            0,
            demand_charges=[
                {
                    "name": "peak",
                    "rate": 10,
                    "group": [10] * 4,
                    "prior_peak": {"9": 8},
                    "ratchet": {"fraction": 0.5, "previous_n": 1},
                }
            ],
        ),
        load([2, 1, 1, 1]),
        n=4,
    ),
    40,
)
_MONTHS = {"name": "peak", "group": ["2024-01", "2024-01", "2024-02"], "rate": {"2024-01": 1, "2024-02": 2}}
_sample(
    "charge_by_months",
    "January is billed half of the 8 of December, February its own: 4 x 1 + 6 x 2",
    case(
        grid(
            0,
            demand_charges=[{**_MONTHS, "prior_peak": {"2023-12": 8}, "ratchet": {"fraction": 0.5, "previous_n": 1}}],
        ),
        load([1, 2, 6]),
        n=3,
    ),
    16,
)
_sample(
    "charge_by_named_months",
    "Both are billed half of the 8 of December, by its number, or their own: 4 x 1 + 6 x 2",
    case(
        grid(
            0, demand_charges=[{**_MONTHS, "prior_peak": {"2023-12": 8}, "ratchet": {"fraction": 0.5, "months": [12]}}]
        ),
        load([1, 2, 6]),
        n=3,
    ),
    16,
)
_sample(
    "fields_that_are_null",
    "3 bought at 1 and 1 at 3, as 1 is stored, and 3 are the peak at 1",
    case(
        grid(
            [1, 3],
            import_limit=None,
            allow_simultaneous=None,
            demand_charges=[
                {
                    "name": "peak",
                    "rate": 1,
                    "prior_peak": None,
                    "free_allowance": None,
                    "mask": None,
                    "group": None,
                    "basis": None,
                    "ratchet": None,
                }
            ],
        ),
        load(2, shed_cost=None),
        battery(soc_final=None, soc_final_rule=None, soc_max=None, soc_targets=None, allow_simultaneous=None),
        n=2,
        spill_cost=None,
        reserve=None,
    ),
    9,
)
_sample(
    "plant_at_night",
    "What its inverter draws is bought on top of the load: 1.5 at 2",
    case(grid(2), load(1), {"name": "pv", "type": "solar_pv", "power_available": [-0.5], "curtailable": False}, n=1),
    3,
)
_sample(
    "always_on_from_before",
    "A unit that always runs rises from 1 by 2 to 3; 2 of 5 lack at 100",
    case(load(5), unit("unit", 10, 1, ramp_up=2, initial={"power": 1}), n=1, unserved_cost=100),
    203,
)
_sample(
    "unit_starts",
    "Off for the two hours without load: 2 x 10 idle, 10 of energy, 1 for the stop, 2 for the warm start",
    case(
        load([5, 0, 0, 5]),
        unit(
            "unit",
            10,
            1,
            p_min=1,
            committable=True,
            no_load_cost=10,
            startup_cost=[[1, 2], [3, 8]],
            shutdown_cost=1,
            initial={"status": 1, "hours": 5},
        ),
        n=4,
    ),
    33,
    checks=[{"var": "unit.u", "agg": "sum", "op": "==", "value": 2}],
)
_sample(
    "unit_rises",
    "Started at 2, then 3 more each hour: 2 + 5 + 8 of the 18 wanted, 3 lack at 100",
    case(
        load([3, 6, 9]),
        unit("unit", 10, 1, p_min=2, committable=True, startup_limit=2, ramp_up=3, initial={"status": 0, "hours": 9}),
        n=3,
        unserved_cost=100,
    ),
    315,
)
_sample(
    "unit_falls",
    "From 6 it falls by 2 each hour and stops only from 2: 6 + 4 + 2 at 1",
    case(
        load([6, 3, 0]),
        grid(100, export_limit=10),
        unit(
            "unit",
            10,
            1,
            p_min=1,
            committable=True,
            shutdown_limit=2,
            ramp_down=2,
            initial={"status": 1, "hours": 9, "power": 6},
        ),
        n=3,
    ),
    12,
)
_sample(
    "units_bound_before",
    "Two hours on at 10, three at 5, the last at 2 for 0.5, and 0.5 bought at 1",
    case(
        grid(1, export_limit=0),
        load(2),
        unit("young", 5, 10, p_min=1, committable=True, min_up_h=3, initial={"status": 1, "hours": 1}),
        unit("always", 5, 5, p_min=1, committable=True, must_run=True),
        unit("late", 5, 2, p_min=0.5, committable=True, fixed_commitment=[0, 0, 1]),
        n=3,
    ),
    36.5,
)
_sample(
    "unit_rests_before",
    "Off for one of three hours before, so two more are bought at 10",
    case(
        grid(10, export_limit=0),
        load(1),
        unit("unit", 5, 1, p_min=1, committable=True, min_down_h=3, initial={"status": 0, "hours": 1}),
        n=3,
    ),
    21,
)
_sample(
    "cost_curves",
    "6 on the curve that flattens cost 22, an idle quadratic one 1",
    case(
        load(6),
        unit("bent", 8, cost_curve={"type": "piecewise", "points": [[0, 0], [4, 20], [8, 24]]}),
        unit("round", 8, cost_curve={"type": "polynomial", "c0": 1, "c1": 2, "c2": 0.5}),
        n=1,
    ),
    23,
)
_sample(
    "prices_of_power",
    "At equal marginal costs 1 + x = 2 + y, 5 is shared as 3 and 2: 3 + 4.5 + 4 + 2",
    case(
        load(5),
        unit("one", 8, cost_curve={"type": "polynomial", "c0": 0, "c1": 1, "c2": 0.5}),
        unit("other", 8, cost_curve={"type": "polynomial", "c0": 0, "c1": 2, "c2": 0.5}),
        n=1,
    ),
    13.5,
    marginal_price={"value": 4, "tol_abs": 0.01},
    schedule={"one.p": [3], "other.p": [2]},
    schedule_unique=True,
    schedule_tol_abs=0.01,
)
_sample(
    "vehicle",
    "2 bought at 1, 2 sold at 5 with wear of 0.5, 4 lack at 3",
    case(
        grid([1, 5, 1], [0, 5, 0]),
        {
            "name": "car",
            "type": "ev_charger",
            "energy_capacity": 10,
            "energy_initial": 4,
            "energy_target": 8,
            "arrival_step": 0,
            "departure_step": 2,
            "charge_power_max": 2,
            "v2g": True,
            "discharge_power_max": 2,
            "discharge_cost": 0.5,
            "unmet_cost": 3,
        },
        n=3,
    ),
    5,
)
_CAR = {
    "name": "car",
    "type": "ev_charger",
    "energy_capacity": 10,
    "energy_initial": 4,
    "energy_target": 0,
    "arrival_step": 0,
    "departure_step": 2,
    "charge_power_max": 2,
    "v2g": True,
}
_sample(
    "vehicle_gives_in_turn",
    "It may give nothing at 5 and 3 at 1",
    case(grid([5, 1], [5, 1]), {**_CAR, "discharge_power_max": [0, 3]}, n=2),
    -3,
)
_sample(
    "vehicle_gives_nothing",
    "No power back is no way back",
    case(grid([5, 1], [5, 1]), {**_CAR, "discharge_power_max": 0}, n=2),
    0,
)
_sample(
    "vehicle_in_haste",
    "At most 4 of the 5 wanted can be reached in two hours",
    case(grid(1), {**_CAR, "energy_target": 9, "discharge_power_max": 2}, n=2),
    None,
    status="infeasible",
)
_sample(
    "moved_loads",
    "The block in the last two steps for 3; the other in the cheapest two that are allowed for 3",
    case(
        grid([1, 4, 2, 1], export_limit=0),
        {"name": "block", "type": "shiftable_load", "power": 1, "duration_steps": 2},
        {
            "name": "parts",
            "type": "shiftable_load",
            "power": 1,
            "duration_steps": 2,
            "interruptible": True,
            "allowed": [0, 1, 1, 1],
        },
        n=4,
    ),
    6,
)
_sample(
    "reserve_of_capacity",
    "8 of capacity need the second unit at its least: 4 x 1 + 1 x 2 + 1",
    case(
        load(5),
        unit("first", 6, 1),
        unit("second", 4, 2, p_min=1, committable=True, no_load_cost=1),
        n=1,
        reserve={"type": "capacity", "requirement": 3},
    ),
    7,
)
_sample(
    "reserve_limited_by_ramps",
    "A flat first unit can add 2 of 3, so the second runs at its least in step 1: 5 + 4 + 3",
    case(
        load(5),
        unit("first", 10, 1, ramp_up=2),
        unit("second", 4, 3, p_min=1, committable=True),
        n=2,
        reserve={"type": "ramp_limited", "requirement": 3},
    ),
    12,
)
_sample(
    "reserve_before_a_stop",
    "At 2 it can still add 4, though it must come down to 1 + 2 before it stops",
    case(
        load([2, 0]),
        unit("unit", 10, 1, p_min=1, committable=True, ramp_down=2, initial={"status": 1, "hours": 9}),
        n=2,
        reserve={"type": "ramp_limited", "requirement": [4, 0]},
    ),
    2,
)
_sample(
    "slack_of_the_bus",
    "2 spilled at 2, 2 lacking at 10, 6 of wind at 0.5",
    case(
        load([1, 5]),
        {"name": "wind", "type": "wind_turbine", "power_available": 3, "curtailable": False, "marginal_cost": 0.5},
        n=2,
        spill_cost=2,
        unserved_cost=10,
    ),
    27,
)
_sample(
    "load_shed",
    "3 bought at 1 and 1 shed at 6, then all 4 shed",
    case(grid([1, 10], export_limit=0, import_limit=3), load(4, shed_cost=6), n=2),
    33,
)
_sample(
    "load_that_feeds",
    "What it gives is sold at 0.5, and of what it takes 4 are shed at 6",
    case(grid(10, 0.5), load([-1, 4], shed_cost=6), n=2),
    23.5,
)
_sample(
    "nothing_to_do",
    "A load of 5 behind 4",
    case(grid(1, import_limit=4), load(5), n=1),
    None,
    status="infeasible",
)

SCHEDULES: dict[str, dict[str, list[float]]] = {
    "battery_losses": {
        "grid.imp": [4.866666667, 0],
        "grid.exp": [0, 0],
        "battery.c": [4.866666667, 0],
        "battery.d": [0, 1],
    },
    "battery_targets": {
        "grid.imp": [2, 0, 2, 0],
        "grid.exp": [0, 0, 0, 0],
        "battery.c": [2, 0, 2, 0],
        "battery.d": [0, 0, 0, 0],
    },
    "unit_starts": {"unit.p": [5, 0, 0, 5], "unit.u": [1, 0, 0, 1]},
    "unit_rises": {"unit.p": [2, 5, 8], "unit.u": [1, 1, 1]},
    "unit_falls": {"grid.imp": [0, 0, 0], "grid.exp": [0, 1, 2], "unit.p": [6, 4, 2], "unit.u": [1, 1, 1]},
    "units_bound_before": {
        "grid.imp": [0, 0, 0.5],
        "grid.exp": [0, 0, 0],
        "young.p": [1, 1, 0],
        "young.u": [1, 1, 0],
        "always.p": [1, 1, 1],
        "always.u": [1, 1, 1],
        "late.p": [0, 0, 0.5],
        "late.u": [0, 0, 1],
    },
    "unit_rests_before": {"grid.imp": [1, 1, 0], "grid.exp": [0, 0, 0], "unit.p": [0, 0, 1], "unit.u": [0, 0, 1]},
    "vehicle": {"grid.imp": [2, 0, 0], "grid.exp": [0, 2, 0], "car.c": [2, 0, 0], "car.d": [0, 2, 0]},
    "moved_loads": {
        "grid.imp": [0, 0, 2, 2],
        "grid.exp": [0, 0, 0, 0],
        "block.on": [0, 0, 1, 1],
        "parts.on": [0, 0, 1, 1],
    },
    "reserve_of_capacity": {"first.p": [4], "second.p": [1], "second.u": [1]},
    "reserve_limited_by_ramps": {"first.p": [5, 4], "second.p": [0, 1], "second.u": [0, 1]},
    "slack_of_the_bus": {"wind.p": [3, 3]},
    "load_shed": {"grid.imp": [3, 0], "grid.exp": [0, 0], "load.shed": [1, 4]},
}
"""The answers to some samples, as found by hand."""
