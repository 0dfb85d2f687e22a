"""Sensitivity: what a dispatch costs with other prices, loads and capacities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ems.dispatch.explanation.draft import Draft
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solve import solve
from ems.errors import Infeasible, InvalidInput, UnknownName, did_you_mean
from ems.units import unit_of

if TYPE_CHECKING:
    import pandas as pd

FACTORS = (0.9, 1.1)
OF_KIND = {
    "battery": ("capacity_kwh", "max_charge_kw", "max_discharge_kw"),
    "ev_charger": ("max_power_kw",),
    "generator": ("max_output_kw",),
    "grid_connection": ("max_import_kw", "max_export_kw"),
}
"""Capacities that are looked at where nothing is asked for."""


def sensitivity(
    problem: DispatchProblem,
    options: SolverOptions | None = None,
    of: Sequence[str] | None = None,
    factors: Sequence[float] = FACTORS,
) -> pd.DataFrame:
    """Return the total cost of a dispatch with one thing after the other scaled, each solved anew.

    Parameters
    ----------
    problem : DispatchProblem
    options : SolverOptions, optional
    of : sequence of str, optional
        What is scaled: a series of all assets that have it, ``import_price_per_kwh``, ``demand_kw``; or a field or
        series of one asset, ``battery.capacity_kwh``. All prices, demands, available powers and capacities where
        nothing is given.
    factors : sequence of float

    Returns
    -------
    DataFrame
        Columns ``of``, ``factor``, ``value`` (of a field, as scaled; else NaN), ``unit``, ``total_cost``, and
        ``change`` against the cost as it is. Costs are NaN where there is no schedule.

    Raises
    ------
    UnknownName
        If no asset has such a field or series.
    InvalidInput
        If a factor is negative, or a record refuses the value.
    """
    import pandas as pd

    if any(not factor >= 0 for factor in factors):
        raise InvalidInput("factors", f"{min(factors):g} must be at least 0")
    base = solve(problem, options).total_cost
    table = []
    for name in _everything(problem) if of is None else of:
        for factor in factors:
            scaled, value = _scaled(problem, name, float(factor))
            try:
                cost = solve(scaled, options).total_cost
            except Infeasible:
                cost = float("nan")
            table.append(
                {
                    "of": name,
                    "factor": float(factor),
                    "value": value,
                    "unit": unit_of(name.split(".")[-1], problem.portfolio.currency) or "1",
                    "total_cost": cost,
                    "change": cost - base,
                }
            )
    return pd.DataFrame(table)


def _everything(problem: DispatchProblem) -> list[str]:
    """Return what is worth looking at: prices, demands and available powers, and capacities that are not zero."""
    names = [
        str(name)
        for name, column in problem.series.data_vars.items()
        if ("price" in str(name) or name in ("demand_kw", "available_kw")) and np.isfinite(column.to_numpy()).any()
    ]
    for asset in problem.assets:
        names += [f"{asset.id}.{field}" for field in OF_KIND.get(asset.kind, ()) if getattr(asset, field) > 0]
    return names


def _scaled(problem: DispatchProblem, name: str, factor: float) -> tuple[DispatchProblem, float]:
    """Return a dispatch in which a series or field is scaled, and the new value of a field."""
    draft = Draft(problem)
    owner, _, field = name.rpartition(".")
    owners = [owner] if owner else [asset.id for asset in problem.assets]
    known = {asset.id: asset for asset in problem.assets}
    if owner and owner not in known:
        raise UnknownName(f"'{name}'", f"no active asset '{owner}'; {did_you_mean(owner, known)}")
    value, is_found = float("nan"), False
    for one in owners:
        series = draft.series(one, field)
        if series is not None:
            draft.set_series(one, field, series * factor)
            is_found = True
        elif owner and isinstance(getattr(known[one], field, None), int | float):
            value = float(getattr(known[one], field)) * factor
            draft.change("assets", one, **{field: value}, **_along(known[one], field, factor))
            is_found = True
    if not is_found:
        fields = type(known[owner]).model_fields if owner else {}
        names = [*map(str, problem.series.data_vars), *fields]
        raise UnknownName(f"'{name}'", f"no asset has such a series or number; {did_you_mean(field, names)}")
    return draft.problem(), value


def _along(asset: object, field: str, factor: float) -> dict[str, float]:
    """Return what is scaled with a field so that the record stays in order."""
    if field == "capacity_kwh":
        return {"usable_capacity_kwh": asset.usable_capacity_kwh * factor}  # type: ignore[attr-defined]
    continuous = getattr(asset, field.replace("max", "continuous"), None) if field.startswith("max_") else None
    return {field.replace("max", "continuous"): continuous * factor} if continuous else {}
