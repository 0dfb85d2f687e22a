"""Reconciliation: the plan's objective beside the settled bill, and where a schedule leaves the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ems.assets.grid_connection import GridConnection
from ems.assets.tariff_terms import planning_notes

if TYPE_CHECKING:
    import xarray as xr

    from ems.dispatch.problem import DispatchProblem
    from ems.dispatch.result import DispatchResult
    from ems.settlement.bill import Bill

NEAR = 1e-6
"""Share of the money moved below which a difference is the solver's tolerance."""
NEAR_KW = 1e-4
"""Power below which a difference is the solver's tolerance, summed over what makes it up."""
ROUNDING_WORDS = "within the solver's tolerance"
UNEXPLAINED_WORDS = "not explained by the plan: compare the schedules with deviations"


def differences(result: DispatchResult, bill: Bill) -> pd.DataFrame:
    """Return objective, settled bill and their difference by type of cost, each with its cause.

    The plan's wear is a cost of both. A difference has a cause where the plan is known to take something otherwise
    than the bill; one that nothing explains points at a schedule other than the plan's, or at a mistake. Below a
    bill's minimum, the plan's cost of energy and of what is missing to the minimum only sum up to the bill's.

    Parameters
    ----------
    result : DispatchResult
    bill : Bill
        Of the schedule, or of the one that was metered.

    Returns
    -------
    DataFrame
        Indexed by ``cost_type``, with ``total`` last; columns ``objective``, ``settled_bill``, ``difference`` (bill
        less objective) in money, and ``cause``.
    """
    columns = {
        "objective": result.costs.groupby("cost_type")["cost"].sum(),
        "settled_bill": bill.lines.groupby("cost_type")["cost"].sum(),
    }
    table = pd.DataFrame(columns).fillna(0.0)
    table = table[(table != 0).any(axis=1)]
    moved = float(table.abs().to_numpy().sum())
    table.loc["total"] = table.sum()
    table["difference"] = table["settled_bill"] - table["objective"]
    notes = notes_of(result.problem)
    is_near = table["difference"].abs() <= NEAR * max(1.0, moved)
    table["cause"] = [_cause(str(name), bool(near), notes) for name, near in zip(table.index, is_near, strict=True)]
    table.index.name = "cost_type"
    return table


def _cause(cost_type: str, is_near: bool, notes: dict[str, str]) -> str:
    if is_near:
        return ROUNDING_WORDS
    if cost_type == "total":
        return "; ".join(dict.fromkeys(notes.values())) or UNEXPLAINED_WORDS
    return notes.get(cost_type, UNEXPLAINED_WORDS)


def notes_of(problem: DispatchProblem) -> dict[str, str]:
    """Return what a plan takes otherwise than the bill, a sentence by type of cost, of all its tariffs."""
    found: dict[str, dict[str, None]] = {}
    for asset in problem.assets:
        if isinstance(asset, GridConnection) and asset.tariff_id is not None:
            tariff = problem.portfolio.tariff(asset.tariff_id)
            timezone = problem.portfolio.site(asset.site_id).timezone
            for cost_type, note in planning_notes(tariff, problem.horizon, timezone).items():
                found.setdefault(cost_type, {})[f"tariff '{tariff.id}': {note}"] = None
    return {cost_type: "; ".join(sentences) for cost_type, sentences in found.items()}


def deviations(result: DispatchResult, flows: xr.Dataset) -> pd.DataFrame:
    """Return where another schedule has another power at a connection than the plan, the dearest step first.

    Parameters
    ----------
    result : DispatchResult
    flows : Dataset (time, asset)
        ``import_kw`` and ``export_kw`` of the schedule, as metered.

    Returns
    -------
    DataFrame
        Columns ``asset``, ``time`` (beginning of the step, UTC), ``flow``, ``planned_kw``, ``actual_kw``,
        ``more_kwh``, and ``cost``: the energy at the step's price, levies and taxes included, without what tiers and
        peaks make of it.
    """
    rows = []
    step_h = result.problem.horizon.step_h
    for asset in result.problem.assets:
        if not isinstance(asset, GridConnection):
            continue
        for way, sign in (("import", 1.0), ("export", -1.0)):
            planned, actual = (one[f"{way}_kw"].sel(asset=asset.id).to_numpy() for one in (result.flows, flows))
            price = result.flows[f"{way}_price_per_kwh"].sel(asset=asset.id).to_numpy()
            for t in np.flatnonzero(np.abs(actual - planned) > NEAR_KW).tolist():
                more_kwh = (actual[t] - planned[t]) * step_h[t]
                when = result.problem.horizon.times[t]
                cost = sign * more_kwh * price[t]
                rows.append((asset.id, when, f"{way}_kw", planned[t], actual[t], more_kwh, cost))
    names = ["asset", "time", "flow", "planned_kw", "actual_kw", "more_kwh", "cost"]
    return pd.DataFrame(rows, columns=names).sort_values("cost", key=lambda cost: -cost.abs(), ignore_index=True)
