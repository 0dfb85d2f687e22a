"""RollingResult: what each policy did and planned, and what it cost by settlement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.display import Card, Shown, counted
from ems.settlement.bill import Bill, settle
from ems.settlement.replay import violations_of
from ems.studies.rolling_case import Key, RollingCase
from ems.studies.rolling_loop import PolicyRun
from ems.studies.rolling_own import OwnForecasts
from ems.units import unit_of

OPTIMUM = "perfect_foresight"
"""The policy that knows all of the loop at once."""
RULE = "self_consumption"
"""The rule against which a plan's gain is counted."""


@dataclass(frozen=True, repr=False)
class RollingResult(Shown):
    """Policies side by side on the same truth.

    Parameters
    ----------
    case : RollingCase
    runs : mapping of str to PolicyRun
        By policy, in the order in which they were asked for.
    forecasts : mapping of str to mapping of (asset, name) to ndarray (decisions, measured steps)
        What was forecast at each decision, by name: naive, own, careful (own as the plan took it) and perfect.
    own : OwnForecasts or None
        Own forecasts with those before the loop.
    """

    case: RollingCase
    runs: Mapping[str, PolicyRun]
    forecasts: Mapping[str, Mapping[Key, np.ndarray]] = field(default_factory=dict, repr=False)
    own: OwnForecasts | None = field(default=None, repr=False)

    def caption(self) -> str:
        """Return what it is about."""
        return f"{counted(len(self.runs), 'policy', 'policies')} over {self.case.horizon.length_h:,.6g} h"

    def card(self) -> Card:
        """Return what each policy cost."""
        currency = self.case.portfolio.currency
        rows = [(str(name).replace("_", " "), f"{cost:,.2f} {currency}") for name, cost in self.costs.items()]
        return Card(self.caption(), rows)

    @property
    def policies(self) -> list[str]:
        """Names of the policies."""
        return list(self.runs)

    @cached_property
    def series(self) -> xr.Dataset:
        """What truly came, as settlement takes it (time, asset)."""
        case = self.case
        here = slice(case.begin, case.begin + case.steps)
        ids = [one.id for one in case.portfolio.active()]
        columns: dict[str, np.ndarray] = {}
        for (asset_id, name), values in case.truth.items():
            if asset_id in ids:
                table = columns.setdefault(name, np.full((case.steps, len(ids)), np.nan))
                table[:, ids.index(asset_id)] = values[here]
        currency = case.portfolio.currency
        return xr.Dataset(
            {
                name: (("time", "asset"), table, {"units": unit_of(name, currency) or "1"})
                for name, table in columns.items()
            },
            coords=self._coords,
        )

    @cached_property
    def _coords(self) -> dict[str, object]:
        assets, horizon = self.case.portfolio.active(), self.case.horizon
        return {
            "time": horizon.times.to_numpy(),
            "asset": [one.id for one in assets],
            "kind": ("asset", [one.kind for one in assets]),
            "name": ("asset", [one.name for one in assets]),
            "site": ("asset", [one.site_id for one in assets]),
            "step_h": ("time", horizon.step_h),
        }

    def flows(self, policy: str) -> xr.Dataset:
        """Return what a policy did, in the form of a dispatch: (time, asset), contents over (boundary, asset)."""
        named = self._whole(self.runs[policy].flows)
        return self._dataset(named)

    def _whole(self, given: Mapping[Key, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """Return flows by name and asset, with what follows from them: loads, contents at boundaries, injections."""
        case, named = self.case, {}  # type: ignore[var-annotated]
        for (asset_id, name), values in given.items():
            named.setdefault(name, {})[asset_id] = values
        here = slice(case.begin, case.begin + case.steps)
        for asset in case.portfolio.active():
            injection = None
            if isinstance(asset, Load):
                demand = case.truth[asset.id, "demand_kw"][here]
                named.setdefault("demand_kw", {})[asset.id] = demand
                named.setdefault("served_kw", {})[asset.id] = demand
                named.setdefault("unserved_kw", {})[asset.id] = np.zeros(case.steps)
                injection = -demand
            elif isinstance(asset, Battery):
                contents = named["energy_kwh"][asset.id]
                first = asset.initial_soc * asset.content_kwh
                named["energy_kwh"][asset.id] = np.concatenate([[first], contents])
                powers = [named[name][asset.id] for name in ("discharge_kw", "charge_kw")]
                injection = powers[0] - powers[1] - asset.auxiliary_load_kw
            elif isinstance(asset, GridConnection):
                powers = [named[name][asset.id] for name in ("import_kw", "export_kw")]
                injection = powers[0] - powers[1] - asset.transformer_losses_kw
            else:
                injection = named["used_kw"][asset.id]
                named.setdefault("available_kw", {})[asset.id] = case.truth[asset.id, "available_kw"][here]
            named.setdefault("injection_kw", {})[asset.id] = injection
        return named

    def _dataset(self, named: Mapping[str, Mapping[str, np.ndarray]]) -> xr.Dataset:
        assets, currency = [one.id for one in self.case.portfolio.active()], self.case.portfolio.currency
        variables = {}
        for name, by_asset in named.items():
            length = len(next(iter(by_asset.values())))
            stacked = np.stack([by_asset.get(one, np.full(length, np.nan)) for one in assets], axis=1)
            dimension = "time" if length == self.case.steps else "boundary"
            variables[name] = ((dimension, "asset"), stacked, {"units": unit_of(name, currency) or "1"})
        coords = {**self._coords, "boundary": self.case.horizon.boundaries.to_numpy()}
        return xr.Dataset(variables, coords=coords)

    @cached_property
    def dataset(self) -> xr.Dataset:
        """All policies: flows and ``cost`` (policy, time, asset), contents (policy, boundary, asset).

        What plans expected stands beside as ``planned_<flow>``; it is NaN of rules. ``cost`` is money of each step by
        its prices, without what belongs to months, as peaks.
        """
        found = []
        for name, run in self.runs.items():
            one = self.flows(name)
            named: dict[str, dict[str, np.ndarray]] = {}
            for (asset_id, flow), values in run.planned.items():
                named.setdefault(f"planned_{flow}", {})[asset_id] = values
            one = one.assign(self._dataset(named).data_vars) if named else one
            found.append(one.assign(cost=self.step_costs(name)))
        whole = xr.concat(
            found, pd.Index(self.policies, name="policy"), data_vars="all", coords="minimal", compat="override"
        )
        return whole.assign_attrs(currency=self.case.portfolio.currency, timezone=self.case.timezone)

    def step_costs(self, policy: str) -> xr.DataArray:
        """Return the money of each step by its prices (time, asset): energy bought and sold, wear."""
        case, flows = self.case, self.runs[policy].flows
        here = slice(case.begin, case.begin + case.steps)
        costs = []
        for asset in case.portfolio.active():
            cost = np.zeros(case.steps)
            if isinstance(asset, GridConnection):
                bought, sold = (case.truth[asset.id, f"{way}_price_per_kwh"][here] for way in ("import", "export"))
                cost = flows[asset.id, "import_kw"] * bought - flows[asset.id, "export_kw"] * sold
            elif isinstance(asset, Battery):
                wear = case.truth.get((asset.id, "degradation_cost_per_kwh"))
                price = asset.degradation_cost_per_kwh if wear is None else wear[here]
                charging = case.truth.get((asset.id, "charge_cost_per_kwh"))
                charge_price = asset.charge_cost_per_kwh if charging is None else charging[here]
                cost = flows[asset.id, "discharge_kw"] * price + flows[asset.id, "charge_kw"] * charge_price
            costs.append(cost * case.step_h)
        dims = ("time", "asset")
        return xr.DataArray(
            np.stack(costs, axis=1), dims=dims, coords=self._coords, attrs={"units": case.portfolio.currency}
        )

    def bill(self, policy: str) -> Bill:
        """Return a policy's bill by settlement, less the worth of what is left in batteries."""
        return self.bills[policy]

    @cached_property
    def bills(self) -> dict[str, Bill]:
        """Bills of all policies."""
        return {name: settle(self.flows(name), self.series, self.case.settled) for name in self.policies}

    @cached_property
    def costs(self) -> pd.Series[float]:
        """What each policy cost: its bill, less the worth of what is left in batteries, all at one price."""
        return pd.Series({name: bill.total_cost for name, bill in self.bills.items()}, name="cost")

    def violations(self, policy: str) -> list[str]:
        """Return the laws that a policy's flows break when settlement replays them."""
        return violations_of(self.flows(policy), self.series, self.case.settled)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """For each policy: cost, saving against no control, share of the gap closed, energy, highest import, flips.

        ``gap_closed`` is the share of the distance between the rule and perfect foresight.
        """
        rows = {}
        costs = self.costs
        for name, run in self.runs.items():
            grid = self.case.connections
            imports = sum(run.flows[one.id, "import_kw"] for one in grid)
            exports = sum(run.flows[one.id, "export_kw"] for one in grid)
            flips = np.array(run.flips, dtype=float).reshape(-1, 2)
            rows[name] = {
                "cost": costs[name],
                "saving": costs["no_control"] - costs[name] if "no_control" in costs else np.nan,
                "gap_closed": self.gap_closed(name),
                "import_kwh": float(np.sum(imports)) * self.case.step_h,
                "export_kwh": float(np.sum(exports)) * self.case.step_h,
                "peak_import_kw": float(np.max(imports)),
                "discharged_kwh": self._discharged_kwh(run),
                "flips_per_plan": float(flips[:, 0].mean()) if len(flips) else np.nan,
                "failed_windows": len(run.notes),
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("policy")

    def gap_closed(self, name: str) -> float:
        """Return the share of the distance from the rule to perfect foresight that a policy closes; else NaN."""
        if RULE not in self.costs or OPTIMUM not in self.costs:
            return np.nan
        gap = self.costs[RULE] - self.costs[OPTIMUM]
        return float((self.costs[RULE] - self.costs[name]) / gap) if abs(gap) > 1e-9 else np.nan

    def _discharged_kwh(self, run: PolicyRun) -> float:
        total = sum(run.flows[one.id, "discharge_kw"] for one in self.case.batteries)
        return float(np.sum(total)) * self.case.step_h

    @property
    def notes(self) -> list[str]:
        """What a reader should know of windows that failed, by policy."""
        return [f"{name}: {note}" for name, run in self.runs.items() for note in run.notes]

    def with_runs(self, runs: Sequence[PolicyRun]) -> RollingResult:
        """Return the result with further policies."""
        return RollingResult(self.case, {**self.runs, **{one.name: one for one in runs}}, self.forecasts, self.own)
