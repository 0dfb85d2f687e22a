"""DispatchResult: the schedule as labelled data, with its costs and its proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ems.dispatch.formulation.compile import Compiled, solved
from ems.dispatch.formulation.declaration import Formulation, costs_once, costs_over_steps, emissions_kg
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solvers.solution import Solution
from ems.display import Card, Shown, shown_number
from ems.units import unit_of

NOISE = 1e-9
"""Smaller values are the solver's rounding and are reported as zero."""


@dataclass(frozen=True, repr=False)
class DispatchResult(Shown):
    """A schedule and what it costs.

    Parameters
    ----------
    compiled : Compiled
        What was asked, as a matrix with names.
    solution : Solution
        The proof: solver, status, objective, bound, gap, seconds.
    final : Matrix
        What was solved last, with decisions fixed: the prices of limits belong to it.
    binaries : int
        On/off decisions added so that no asset runs in two directions at once; the schedule has none left that does.
    """

    compiled: Compiled = field(repr=False)
    solution: Solution
    final: Matrix = field(repr=False)
    binaries: int

    def caption(self) -> str:
        """Return what was asked and how good the answer is."""
        return f"{self.problem.caption()}, {self.status}, gap {self.gap:.2%}"

    def card(self) -> Card:
        """Return what the schedule costs, by type of cost, and its proof."""
        currency, solution = self.problem.portfolio.currency, self.solution
        types = self.costs.groupby("cost_type", sort=False)["cost"].sum()
        costs = [
            (str(name).replace("_", " "), f"{shown_number(float(cost), 2)} {currency}") for name, cost in types.items()
        ]
        emitted_kg = sum(self.emissions_kg.values())
        return Card(
            f"Schedule: {self.problem.caption()}",
            [
                *costs,
                ("total cost", f"{shown_number(self.total_cost, 2)} {currency}"),
                *([("emissions", f"{shown_number(emitted_kg, 1)} kg")] if emitted_kg else []),
                ("proof", f"{self.status}, gap {self.gap:.2%}"),
                ("solver", f"{solution.solver}, {solution.seconds:.2f} s"),
            ],
        )

    @property
    def problem(self) -> DispatchProblem:
        """What was asked."""
        return self.compiled.problem

    @property
    def status(self) -> str:
        """``optimal`` within the gap, or ``feasible`` where a limit stopped the search."""
        return self.solution.status

    @property
    def gap(self) -> float:
        """Distance between objective and bound, as a share of the objective."""
        return self.solution.gap

    @property
    def bound(self) -> float:
        """Value of the objective below which no schedule can be."""
        return self.solution.bound

    @property
    def x(self) -> np.ndarray:
        """Values of the columns."""
        assert self.solution.x is not None, "a result has a schedule"
        return self.solution.x

    @cached_property
    def units(self) -> Formulation:
        """The units with the numbers of the schedule."""
        return solved(self.compiled, self.x)

    @cached_property
    def flows(self) -> xr.Dataset:
        """The schedule.

        Each variable and series of each asset's unit and ``injection_kw`` over (time, asset), contents over
        (boundary, asset), and what a bus throws away or lacks over (time, bus); NaN where an asset has none of that
        name. Coordinates ``kind``, ``name`` and ``site`` belong to ``asset``.
        """
        t = np.arange(len(self.problem.horizon))
        named: dict[str, dict[str, np.ndarray]] = {}
        for asset in self.problem.assets:
            unit = self.units.assets[asset.id]
            values = {
                **{name: array for name, array in vars(unit).items() if self._is_flow(array)},
                "injection_kw": asset.injection_kw(unit, t),
                **asset.reported(unit, t),
            }
            for name, array in values.items():
                named.setdefault(name, {})[asset.id] = _tidy(np.broadcast_to(array, np.shape(array) or len(t)))
        flows = self._dataset(named)
        for dimension, units, names in (
            ("bus", self.units.sites, ("spilled_kw", "missing_kw")),
            ("reserve", self.units.reserves, ("offered_kw",)),
        ):
            for name in names:
                if any(unit.has(name) for unit in units.values()):
                    columns = [getattr(unit, name) if unit.has(name) else np.zeros(len(t)) for unit in units.values()]
                    flows[name] = (("time", dimension), _tidy(np.stack(columns, axis=1)), {"units": "kW"})
                    flows = flows.assign_coords({dimension: list(units)})
        return flows

    def _is_flow(self, array: Any) -> bool:
        steps = len(self.problem.horizon)
        return isinstance(array, np.ndarray) and array.ndim == 1 and len(array) in (steps, steps + 1)

    @cached_property
    def _costs_over_steps(self) -> dict[tuple[str, str], np.ndarray]:
        t = np.arange(len(self.problem.horizon))
        found = costs_over_steps(self.problem, self.units, t)
        return {key: np.broadcast_to(np.asarray(value, dtype=float), len(t)) for key, value in found.items()}

    @cached_property
    def cost(self) -> xr.Dataset:
        """Money over (time, asset) by type of cost (``import_cost``, ``wear_cost``); an income is negative."""
        known = {asset.id for asset in self.problem.assets}
        named: dict[str, dict[str, np.ndarray]] = {}
        for (owner, name), values in self._costs_over_steps.items():
            if owner in known:
                named.setdefault(name, {})[owner] = values
        return self._dataset(named)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """Money by asset (or site, or reserve) and type of cost: columns ``asset``, ``cost_type``, ``cost``."""
        sums = {key: float(values.sum()) for key, values in self._costs_over_steps.items()}
        for key, value in costs_once(self.problem, self.units).items():
            sums[key] = sums.get(key, 0.0) + float(value)
        rows = [{"asset": owner, "cost_type": name, "cost": cost} for (owner, name), cost in sums.items()]
        return pd.DataFrame(rows, columns=["asset", "cost_type", "cost"])

    @property
    def total_cost(self) -> float:
        """Money spent in the whole horizon, from the schedule."""
        return float(self.costs["cost"].sum())

    @cached_property
    def emissions_kg(self) -> dict[str, float]:
        """Carbon dioxide emitted in the whole horizon, by asset, where it emits any."""
        t = np.arange(len(self.problem.horizon))
        found = emissions_kg(self.problem, self.units, t)
        return {asset_id: float(np.sum(np.broadcast_to(kg, len(t)))) for asset_id, kg in found.items()}

    @cached_property
    def price_per_kwh(self) -> xr.DataArray:
        """Price of energy at each site in each step (time, site): what one more kWh of demand would cost."""
        from ems.dispatch.explanation.why import prices_of

        price: xr.DataArray = prices_of(self)["price_per_kwh"]
        return price

    def to_dataset(self) -> xr.Dataset:
        """Return all of the result as one dataset: flows, contents, costs, emissions, prices, and its proof.

        Flows and costs are over (time, asset), contents and the value of stored energy over (boundary, asset), the
        price of energy over (time, bus). The proof stands in the attributes: solver, status, objective, bound, gap,
        total cost.
        """
        from ems.dispatch.explanation.why import prices_of

        prices = prices_of(self)
        whole = self.flows.assign(self.cost.data_vars)
        whole["price_per_kwh"] = prices["price_per_kwh"].rename(site="bus")
        if "stored_value_per_kwh" in prices:
            whole["stored_value_per_kwh"] = prices["stored_value_per_kwh"].reindex(asset=whole.asset)
        t = np.arange(len(self.problem.horizon))
        found = emissions_kg(self.problem, self.units, t)
        if found:
            named = {asset_id: np.broadcast_to(np.asarray(kg, float), len(t)) for asset_id, kg in found.items()}
            whole["emissions_kg"] = self._dataset({"emissions_kg": named})["emissions_kg"]
        return whole.assign_attrs(
            solver=self.solution.solver,
            status=self.status,
            objective=self.solution.objective,
            bound=self.bound,
            gap=self.gap,
            total_cost=self.total_cost,
            currency=self.problem.portfolio.currency,
        )

    def to_dataframe(self) -> pd.DataFrame:
        """Return the flows in the long form: a row for each step and asset, a column for each that has a value."""
        over_steps = self.flows[[name for name, one in self.flows.items() if one.dims == ("time", "asset")]]
        frame = over_steps.drop_vars(["kind", "name", "site", "step_h"], errors="ignore").to_dataframe()
        return frame.dropna(axis="columns", how="all")

    def _dataset(self, named: dict[str, dict[str, np.ndarray]]) -> xr.Dataset:
        horizon, assets = self.problem.horizon, self.problem.assets
        variables = {}
        for name, by_asset in named.items():
            length = len(next(iter(by_asset.values())))
            nothing = np.full(length, np.nan)
            stacked = np.stack([by_asset.get(asset.id, nothing) for asset in assets], axis=1)
            dimension = "time" if length == len(horizon) else "boundary"
            units = unit_of(name, self.problem.portfolio.currency) or "1"
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


def _tidy(values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    return np.where(np.abs(array) < NOISE, 0.0, array)
