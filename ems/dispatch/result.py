"""DispatchResult: the schedule as labelled data, with its costs and its proof."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solution import Solution
from ems.units import unit_of

NOISE = 1e-9
"""Smaller values are the solver's rounding and are reported as zero."""


@dataclass(frozen=True)
class DispatchResult:
    """A schedule and what it costs.

    Parameters
    ----------
    problem : DispatchProblem
        What was asked.
    flows : Dataset (time, asset) and (boundary, asset)
        Each variable and series of each asset's block, and ``injection_kw``; NaN where an asset has none of that
        name. Coordinates ``kind``, ``name`` and ``site`` belong to ``asset``.
    cost : Dataset (time, asset)
        Money by type of cost (``import_cost``, ``wear_cost``); an income is negative.
    solution : Solution
        The proof: solver, status, objective, bound, gap, seconds.
    binaries : int
        On/off decisions added so that no asset runs in two directions at once; the schedule has none left that does.
    """

    problem: DispatchProblem
    flows: xr.Dataset
    cost: xr.Dataset
    solution: Solution
    binaries: int

    @property
    def status(self) -> str:
        """``optimal`` within the gap, or ``feasible`` where a limit stopped the search."""
        return self.solution.status

    @property
    def gap(self) -> float:
        """Distance between cost and bound, as a share of the cost."""
        return self.solution.gap

    @property
    def bound(self) -> float:
        """Cost below which no schedule can be."""
        return self.solution.bound

    @property
    def costs(self) -> pd.DataFrame:
        """Money by asset and type of cost: columns ``asset``, ``cost_type``, ``cost``."""
        rows = [
            {"asset": str(asset), "cost_type": str(name), "cost": float(value)}
            for name, column in self.cost.data_vars.items()
            for asset, value in zip(column.asset.values, column.sum("time", skipna=False).values, strict=True)
            if np.isfinite(value)
        ]
        return pd.DataFrame(rows, columns=["asset", "cost_type", "cost"])

    @property
    def total_cost(self) -> float:
        """Money spent in the whole horizon, from the schedule."""
        return float(self.costs["cost"].sum())


def result_of(problem: DispatchProblem, model: Any, solution: Solution, binaries: int) -> DispatchResult:
    """Return the labelled result of a solved model; formulas are evaluated again on the arrays of the solution."""
    horizon = problem.horizon
    t = np.arange(len(horizon))
    flows: dict[str, dict[str, np.ndarray]] = {}
    costs: dict[str, dict[str, np.ndarray]] = {}
    for asset in problem.assets:
        unit = _arrays_of(model.unit[asset.id], solution, len(horizon))
        named = {
            **vars(unit),
            "injection_kw": asset.injection_kw(unit, t),
            **asset.reported(unit, t),
        }
        for name, values in named.items():
            flows.setdefault(name, {})[asset.id] = _tidy(values)
        for name, values in asset.costs(unit, t, horizon.step_h).items():
            costs.setdefault(name, {})[asset.id] = np.asarray(values, dtype=float)
    return DispatchResult(
        problem=problem,
        flows=_dataset(problem, flows),
        cost=_dataset(problem, costs),
        solution=solution,
        binaries=binaries,
    )


def _arrays_of(unit: Any, solution: Solution, steps: int) -> SimpleNamespace:
    """Return the series and solved variables of a block as arrays over steps or boundaries, by name."""
    from pyomo.core import Param, Var

    arrays = {}
    for param in unit.component_objects(Param, descend_into=False):
        arrays[param.local_name] = np.fromiter((param[t] for t in range(steps)), dtype=float, count=steps)
    for var in unit.component_objects(Var, descend_into=False):
        keys = list(var.keys())
        if not keys or not isinstance(keys[0], int) or len(keys) not in (steps, steps + 1):
            continue  # a variable over something else than time, as the stays of vehicles
        arrays[var.local_name] = np.fromiter(
            (_value_of(data, solution) for data in var.values()), dtype=float, count=len(keys)
        )
    return SimpleNamespace(**arrays)


def _value_of(var: Any, solution: Solution) -> float:
    if var.fixed:
        return float(var.value)
    value = solution.values.get(id(var))
    if value is None:  # the variable is in no constraint and costs nothing: any value within its limits will do
        return float(var.lb if var.lb is not None else 0.0)
    low, high = var.bounds
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def _tidy(values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    return np.where(np.abs(array) < NOISE, 0.0, array)


def _dataset(problem: DispatchProblem, named: dict[str, dict[str, np.ndarray]]) -> xr.Dataset:
    horizon, assets = problem.horizon, problem.assets
    variables = {}
    for name, by_asset in named.items():
        length = len(next(iter(by_asset.values())))
        nothing = np.full(length, np.nan)
        stacked = np.stack([by_asset.get(asset.id, nothing) for asset in assets], axis=1)
        dimension = "time" if length == len(horizon) else "boundary"
        units = unit_of(name, problem.portfolio.currency) or "1"
        variables[name] = ((dimension, "asset"), stacked, {"units": units})
    return xr.Dataset(
        variables,
        coords={
            "time": horizon.times.to_numpy(),
            "boundary": horizon.boundaries.to_numpy(),
            "asset": [asset.id for asset in assets],
            "kind": ("asset", [asset.kind for asset in assets]),
            "name": ("asset", [asset.name for asset in assets]),
            "site": ("asset", [asset.site_id for asset in assets]),
            "step_h": ("time", horizon.step_h),
        },
    )
