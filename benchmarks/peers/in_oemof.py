"""The cases in oemof.solph: a bus a site, sources, sinks and a generic storage."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyomo
from oemof import solph

from benchmarks.peers import cases
from benchmarks.peers.cases import Case


def system_of(case: Case, initial_kwh: float) -> tuple[Any, list[dict[str, Any]]]:
    """Return a case as an energy system, and the parts of each site by name."""
    time = pd.date_range("2024-01-01", periods=case.steps + 1, freq="15min")
    system = solph.EnergySystem(timeindex=time, infer_last_interval=False)
    least, span = cases.MIN_SOC * cases.CAPACITY_KWH, (cases.MAX_SOC - cases.MIN_SOC) * cases.CAPACITY_KWH
    parts = []
    for site in range(case.sites):
        bus = solph.Bus(label=f"bus {site}")
        bought = solph.Flow(nominal_capacity=cases.CONNECTION_KW, variable_costs=case.import_price_per_kwh)
        sold = solph.Flow(nominal_capacity=cases.CONNECTION_KW, variable_costs=-case.export_price_per_kwh)
        demand = solph.Flow(nominal_capacity=1, fix=case.demand_kw[:, site])
        sun = solph.Flow(nominal_capacity=1, max=case.available_kw[:, site])
        part = {
            "bus": bus,
            "import": solph.components.Source(label=f"import {site}", outputs={bus: bought}),
            "export": solph.components.Sink(label=f"export {site}", inputs={bus: sold}),
            "load": solph.components.Sink(label=f"load {site}", inputs={bus: demand}),
            "pv": solph.components.Source(label=f"pv {site}", outputs={bus: sun}),
            # Counted from the lowest content, which without standing loss changes nothing.
            "battery": solph.components.GenericStorage(
                label=f"battery {site}",
                nominal_capacity=span,
                inputs={bus: solph.Flow(nominal_capacity=cases.POWER_KW)},
                outputs={bus: solph.Flow(nominal_capacity=cases.POWER_KW, variable_costs=cases.WEAR_PER_KWH)},
                initial_storage_level=(initial_kwh - least) / span,
                balanced=False,
                inflow_conversion_factor=cases.EFFICIENCY,
                outflow_conversion_factor=cases.EFFICIENCY,
            ),
        }
        system.add(*part.values())
        parts.append(part)
    return system, parts


def least_cost(case: Case, initial_kwh: float | None = None) -> tuple[float, np.ndarray]:
    """Return the cheapest cost and the contents of the first site at the boundaries of the steps."""
    start_kwh = cases.INITIAL_SOC * cases.CAPACITY_KWH
    least = cases.MIN_SOC * cases.CAPACITY_KWH
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        system, parts = system_of(case, start_kwh if initial_kwh is None else initial_kwh)
        model = solph.Model(system)
    content = model.GenericStorageBlock.storage_content
    model.final_content = pyomo.Constraint(
        range(case.sites), rule=lambda _, site: content[parts[site]["battery"], case.steps] >= start_kwh - least
    )
    if case.feeder_kw is not None:

        def feeder(_: Any, t: int) -> Any:
            taken = sum(model.flow[part["import"], part["bus"], t] for part in parts)
            given = sum(model.flow[part["bus"], part["export"], t] for part in parts)
            return pyomo.inequality(-case.feeder_kw, taken - given, case.feeder_kw)

        model.feeder = pyomo.Constraint(model.TIMESTEPS, rule=feeder)
    for prices in ("dual", "rc"):
        if getattr(model, prices) is None:
            delattr(model, prices)  # the solver would ask it whether it is wanted
    solver = pyomo.SolverFactory("appsi_highs")
    solver.highs_options = {"output_flag": False, "threads": 1}
    solver.solve(model)
    first = parts[0]["battery"]
    energy = np.array([pyomo.value(content[first, t]) for t in range(case.steps + 1)]) + least
    cost = float(pyomo.value(model.objective))
    assert math.isfinite(cost)
    return cost, energy


def roll(windows: list[Case]) -> float:
    """Return the sum of the costs of windows, each of which begins with the content after a day of the last."""
    total, content = 0.0, None
    for window in windows:
        cost, energy = least_cost(window, content)
        total += cost
        content = float(energy[cases.STEPS_OF_DAY])
    return total
