"""Why: what a kWh is worth where and when, and what one more kW of a limit would save over the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ems.assets.battery import Battery
from ems.dispatch.explanation.draft import Draft
from ems.dispatch.formulation.compile import compile_problem
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solvers.exactness import solve_exactly
from ems.dispatch.solvers.highs import solve_with_highs
from ems.errors import NoSolution
from ems.units import unit_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ems.dispatch.result import DispatchResult

NO_WORTH = 1e-9
"""Money per unit below which a limit does not bind."""

RAISED = {
    "battery": ("max_charge_kw", "max_discharge_kw", "capacity_kwh"),
    "ev_charger": ("max_power_kw",),
    "generator": ("max_output_kw", "fuel_tank_capacity_l"),
    "grid_connection": ("max_import_kw", "max_export_kw"),
}
"""Fields of each kind of which one more unit may be worth something."""


def duals_of(result: DispatchResult) -> tuple[np.ndarray, np.ndarray]:
    """Return the prices of the rows and columns of the final matrix, with decisions as they are.

    Those of the solution where they are its prices, which is checked by duality: ``cost - A' rows == columns``. Where
    the solver said none, or a plan was chosen among equals afterwards, the final programme is solved once more.

    Raises
    ------
    NoSolution
        If decisions that a solver met only to within its tolerance leave no linear programme to price.
    """
    final, solution = result.final, result.solution
    rows, columns = solution.row_prices, solution.column_prices
    if rows is not None and columns is not None and len(rows) == final.rows and len(columns) == final.columns:
        missed = np.abs(final.cost - final.coefficients.T @ rows - columns)
        if np.all(missed <= 1e-6 * (1 + np.abs(final.cost))):
            return rows, columns
    if final.is_integer.any():
        final = final.fixed_at(result.x, final.is_integer)
    again = solve_with_highs(final, SolverOptions())
    if again.row_prices is None or again.column_prices is None:
        raise NoSolution("the schedule has no prices: its decisions leave no linear programme")
    return again.row_prices, again.column_prices


def prices_of(result: DispatchResult) -> xr.Dataset:
    """Return what energy is worth, with on/off decisions as they are.

    ``price_per_kwh(time, site)`` is by how much the objective rises with one more kWh of demand at a site in a step.
    ``stored_value_per_kwh(boundary, asset)`` is by how much it falls with one more kWh in a battery.

    Parameters
    ----------
    result : DispatchResult
        Prices are in what its goal minimises last, which is money unless emissions or peaks are weighed in.

    References
    ----------
    .. [1] R. P. O'Neill, P. M. Sotkiewicz, B. F. Hobbs, M. H. Rothkopf and W. R. Stewart, "Efficient market-clearing
       prices in markets with nonconvexities," European Journal of Operational Research, vol. 164, no. 1, 2005,
       doi:10.1016/j.ejor.2003.12.011.
    """
    return _prices(result, duals_of(result)[0])


def _prices(result: DispatchResult, row_prices: np.ndarray) -> xr.Dataset:
    import xarray as xr

    problem, final = result.problem, result.final
    horizon, step_h = problem.horizon, problem.horizon.step_h
    sites = [site.id for site in problem.portfolio.sites]
    batteries = [asset for asset in problem.assets if isinstance(asset, Battery)]
    price = np.full((len(horizon), len(sites)), np.nan)
    value = np.full((len(horizon) + 1, len(batteries)), np.nan)
    for number, site in enumerate(sites):
        for steps, at in _rows(final, f"site {site}", "power_balance"):
            price[steps, number] = row_prices[at] / step_h[steps]
    for number, asset in enumerate(batteries):
        for steps, at in _rows(final, asset.id, "energy_balance"):
            value[steps + 1, number] = -row_prices[at]
        kept = (1 - asset.standing_loss_per_h) ** step_h[0]
        value[0, number] = kept * value[1, number]
    unit = f"{problem.portfolio.currency}/kWh"
    return xr.Dataset(
        {
            "price_per_kwh": (("time", "site"), price + 0.0, {"units": unit}),
            "stored_value_per_kwh": (("boundary", "asset"), value + 0.0, {"units": unit}),
        },
        coords={
            "time": horizon.times.to_numpy(),
            "boundary": horizon.boundaries.to_numpy(),
            "site": sites,
            "asset": [asset.id for asset in batteries],
        },
    )


def _rows(matrix: Matrix, owner: str, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return steps and rows of a constraint; empty where a model has lost it."""
    return [
        (np.array(list(block.keys), dtype=int), block.at)
        for block in matrix.constraints
        if block.owner == owner and block.name == name
    ]


def worth_of_limits(result: DispatchResult) -> pd.DataFrame:
    """Return what one more kW, kWh or litre of each limit would save over the horizon, with decisions as they are.

    By the envelope theorem [1]_: each field is raised a little in its record, the dispatch is declared anew, and what
    changes in the matrix is priced. So everything counts that follows from a field.

    Returns
    -------
    DataFrame
        Columns ``asset`` (or group), ``field``, ``worth``, ``unit``; dearest first.

    References
    ----------
    .. [1] P. Milgrom and I. Segal, "Envelope theorems for arbitrary choice sets," Econometrica, vol. 70, no. 2, 2002,
       doi:10.1111/1468-0262.00296.
    """
    import pandas as pd

    problem, currency = result.problem, result.problem.portfolio.currency
    duals = duals_of(result)
    # The matrix of the records alone: a model that somebody changed has the same columns in another order.
    base = compile_problem(problem).matrix
    table = []
    fields = [(asset.id, field, "assets") for asset in problem.assets for field in RAISED.get(asset.kind, ())]
    for group, members in problem.limited_groups():
        fields += [(group.id, field, "groups") for field in ("max_import_kw", "max_export_kw") if members]
    for owner, field, what in fields:
        raised = _raised(problem, owner, field, what)
        if raised is None:
            continue
        by, changed = raised
        matrix = compile_problem(changed).matrix
        saved = _priced_change(result, duals, base, matrix)
        if saved is None:  # a limit of nothing had no rows: solved anew
            saved = result.solution.objective - solve_exactly(matrix, SolverOptions())[0].objective
        worth = saved / by
        unit = f"{currency}/{unit_of(field)}"
        table.append({"asset": owner, "field": field, "worth": worth if worth > NO_WORTH else 0.0, "unit": unit})
    whole = pd.DataFrame(table, columns=["asset", "field", "worth", "unit"])
    return whole.sort_values("worth", ascending=False, kind="stable", ignore_index=True)


def _raised(problem: DispatchProblem, owner: str, field: str, what: str) -> tuple[float, DispatchProblem] | None:
    """Return by how much a field is raised and the dispatch with it; None where it has no number to raise."""
    draft = Draft(problem)
    record = draft.record(what, owner)
    value, series = getattr(record, field), draft.series(owner, field)
    if (value is None or value == 0) and series is None:
        return None
    by = 1e-4 * max(1e-3, float(value or 0.0), float(series.max()) if series is not None else 0.0)
    others = {}
    if field == "capacity_kwh":
        others = {"usable_capacity_kwh": record.usable_capacity_kwh + by, "target_soc": record.target_soc}
    if isinstance(record, Battery) and field != "capacity_kwh":
        continuous = field.replace("max", "continuous")
        others = {continuous: (getattr(record, continuous) or np.inf) + by} if getattr(record, continuous) else {}
    if field == "max_output_kw" and record.cost_curve:
        last, before = record.cost_curve[-1], record.cost_curve[-2]
        rise = (last.cost_per_h - before.cost_per_h) / (last.output_kw - before.output_kw)
        top = last.replace(output_kw=last.output_kw + by, cost_per_h=last.cost_per_h + rise * by)
        others = {"cost_curve": (*record.cost_curve[:-1], top)}
    if field == "max_power_kw":
        others = {"max_discharge_kw": record.max_discharge_kw, "min_charge_kw": record.min_charge_kw}
        others["min_current_ampere"] = None
    draft.change(what, owner, **{field: value + by, **others})
    if series is not None:
        draft.set_series(owner, field, series + by)
    return by, draft.problem()


def _priced_change(
    result: DispatchResult, duals: tuple[np.ndarray, np.ndarray], base: Matrix, changed: Matrix
) -> float | None:
    """Return what a changed matrix saves, to first order; None where rows or columns came or went."""
    if not (_is_alike(base, changed) and _is_alike(base, result.compiled.matrix)):
        return None
    rows, columns, x = duals[0][: base.rows], duals[1][: base.columns], result.x[: base.columns]

    def difference(new: np.ndarray, old: np.ndarray) -> np.ndarray:
        is_change = np.isfinite(new) & np.isfinite(old)
        return np.where(is_change, np.where(is_change, new, 0.0) - np.where(is_change, old, 0.0), 0.0)

    right = np.where(
        rows < 0, difference(changed.row_upper, base.row_upper), difference(changed.row_lower, base.row_lower)
    )
    bound = np.where(columns < 0, difference(changed.upper, base.upper), difference(changed.lower, base.lower))
    left = (changed.coefficients - base.coefficients) @ x
    rises = rows @ (right - left) + columns @ bound + (changed.cost - base.cost) @ x
    return -float(rises) - _priced_directions(result, duals[0], changed.upper - base.upper)


def _is_alike(one: Matrix, other: Matrix) -> bool:
    """Return whether two matrices have the same names in the same places."""
    return (one.rows, one.columns) == (other.rows, other.columns) and all(
        (a.owner, a.name) == (b.owner, b.name) and np.array_equal(a.at, b.at)
        for blocks in ((one.variables, other.variables), (one.constraints, other.constraints))
        for a, b in zip(*blocks, strict=False)
    )


def _priced_directions(result: DispatchResult, rows: np.ndarray, wider: np.ndarray) -> float:
    """Return by how much cost rises as the bounds in the rows of added directions change; they are their big-M."""
    rises = 0.0
    for block in result.final.constraints:
        if block.owner != "directions":
            continue
        of_pairs = next(
            one for one in result.final.variables if one.owner == "directions" and list(one.keys) == list(block.keys)
        )
        is_forward = result.final.lower[of_pairs.at]
        by = np.array([wider[pair[0 if block.name == "forward" else 1]] for pair in block.keys])
        by = np.where(np.isfinite(by), by, 0.0)
        share = is_forward if block.name == "forward" else 1 - is_forward
        rises += float(rows[block.at] @ (by * share))
    return rises
