"""The cases in linopy."""

from __future__ import annotations

from typing import Any

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.peers import cases
from benchmarks.peers.cases import Case


def least_cost(case: Case, initial_kwh: float | None = None) -> tuple[float, np.ndarray]:
    """Return the cheapest cost and the contents at the ends of the steps, shape (steps, sites)."""
    model, time, site = linopy.Model(), pd.RangeIndex(case.steps, name="time"), pd.RangeIndex(case.sites, name="site")

    def variable(name: str, lower: Any, upper: Any) -> Any:
        return model.add_variables(lower=lower, upper=upper, coords=[time, site], name=name)

    def series(values: np.ndarray) -> xr.DataArray:
        return xr.DataArray(values, coords=[time, site] if values.ndim == 2 else [time])

    start_kwh = cases.INITIAL_SOC * cases.CAPACITY_KWH
    charge, discharge = variable("charge_kw", 0, cases.POWER_KW), variable("discharge_kw", 0, cases.POWER_KW)
    energy = variable("energy_kwh", cases.MIN_SOC * cases.CAPACITY_KWH, cases.MAX_SOC * cases.CAPACITY_KWH)
    bought, sold = variable("import_kw", 0, cases.CONNECTION_KW), variable("export_kw", 0, cases.CONNECTION_KW)
    used = variable("used_kw", 0, series(case.available_kw))
    model.add_constraints(bought - sold + used + discharge - charge == series(case.demand_kw))
    stored = (cases.EFFICIENCY * charge - discharge / cases.EFFICIENCY) * cases.STEP_H
    first, later = energy.isel(time=0), energy.isel(time=slice(1, None))
    model.add_constraints(first - stored.isel(time=0) == (start_kwh if initial_kwh is None else initial_kwh))
    model.add_constraints(
        later - energy.shift(time=1).isel(time=slice(1, None)) - stored.isel(time=slice(1, None)) == 0
    )
    model.add_constraints(energy.isel(time=-1) >= start_kwh)
    if case.feeder_kw is not None:
        through = (bought - sold).sum("site")
        model.add_constraints(through <= case.feeder_kw)
        model.add_constraints(through >= -case.feeder_kw)
    paid = series(case.import_price_per_kwh) * bought - series(case.export_price_per_kwh) * sold
    model.add_objective(((paid + cases.WEAR_PER_KWH * discharge) * cases.STEP_H).sum())
    model.solve(solver_name="highs", io_api="direct", output_flag=False, threads=1)
    return float(model.objective.value), energy.solution.to_numpy()


def roll(windows: list[Case]) -> float:
    """Return the sum of the costs of windows, each of which begins with the content after a day of the last."""
    total, content = 0.0, None
    for window in windows:
        cost, energy = least_cost(window, content)
        total += cost
        content = float(energy[cases.STEPS_OF_DAY - 1, 0])
    return total
