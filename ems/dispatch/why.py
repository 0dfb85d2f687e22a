"""Why: what a kWh is worth where and when, which limits bind, and what one more kW of them would save."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.assets.battery import Battery
from ems.assets.load import Load
from ems.dispatch.compile import compile_problem
from ems.dispatch.draft import Draft, ranges_of, when
from ems.dispatch.elastic import timezone_of
from ems.dispatch.exactness import solve_exactly
from ems.dispatch.highs import solve_with_highs
from ems.dispatch.matrix import Block, Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.errors import NoSolution
from ems.units import unit_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ems.dispatch.result import DispatchResult

NO_WORTH = 1e-9
"""Money per unit below which a limit does not bind."""

LAWS = re.compile(
    r"power_balance|heat_balance|.*energy_balance|.*balance|switching|first_switching|metered_.*|all_ports_.*|billed_.*"
    r"|demand_bill|demand_ratchet|.*tangent.*|segment.*|.*cost.*|point_of_curve|one_run|.*piece.*|backlog|full_tank"
    r"|fuel_budget|offered|.*_once|energy_sharing|start_and_stop|first_curtailment|runs_.*|forward|backward|.*_reached"
)
"""Constraints that are nobody's limit: laws of physics, and what follows from decisions."""

FIELD_OF_ROW = {
    "final_energy": "target_soc",
    "daily_cycles": "max_cycles_per_d",
    "highest_output": "max_output_kw",
    "highest_output_beside_stop": "max_output_kw",
    "highest_output_beside_start": "max_output_kw",
    "lowest_output": "min_output_kw",
    "ramp_up": "ramp up",
    "ramp_down": "ramp down",
    "first_ramp_up": "ramp up",
    "first_ramp_down": "ramp down",
    "group_import_limit": "max_import_kw",
    "group_export_limit": "max_export_kw",
    "reserve": "requirement_kw",
    "departure_energy": "sessions",
    "running_time": "shiftable",
    "number_of_runs": "shiftable",
}
"""What the field calls the limit that a constraint is; others go by their own name."""

FIELDS_OF_COLUMN = {
    "import_kw": ("", "max_import_kw"),
    "metered_import_kw": ("", "max_import_kw"),
    "export_kw": ("", "max_export_kw"),
    "metered_export_kw": ("", "max_export_kw"),
    "charge_kw": ("", "max_charge_kw"),
    "discharge_kw": ("", "max_discharge_kw"),
    "energy_kwh": ("min_soc", "max_soc"),
    "output_kw": ("min_output_kw", "max_output_kw"),
    "used_kw": ("", "available_kw"),
    "unserved_kw": ("", "max_curtailment"),
    "heating_power_kw": ("", "thermal.max_power_kw"),
    "cooling_power_kw": ("", "thermal.max_power_kw"),
    "temperature_degc": ("thermal.comfort_min_degc", "thermal.comfort_max_degc"),
    "fuel_l": ("fuel_tank_capacity_l", "fuel_tank_capacity_l"),
}
"""Field that a variable's lower and upper bound come from; without one there is no limit of people."""

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


def binding_limits(result: DispatchResult) -> pd.DataFrame:
    """Return the limits that make the schedule dearer, with the times, dearest first.

    Returns
    -------
    DataFrame
        Columns ``asset`` (or site, group, reserve), ``limit`` as the field calls it, ``begin`` and ``end`` in UTC,
        ``when`` in local words, ``steps``, ``worth``: money that one more unit of the limit, up or down as it
        loosens, saves over these times together, and ``unit`` of it.
    """
    import pandas as pd

    row_prices, column_prices = duals_of(result)
    found: dict[tuple[str, str, str], np.ndarray] = {}
    steps = len(result.problem.horizon)

    def add(owner: str, field: str, base: str, keys: Any, worth: np.ndarray) -> None:
        places = np.array([_step_of(key, steps, base) for key in keys])
        total = found.setdefault((owner.split(" ", 1)[-1], field, base), np.zeros(steps))
        np.add.at(total, np.clip(places, 0, steps - 1), worth)

    for block in result.final.constraints:
        _add_row_worth(result, block, row_prices[block.at], add)
    for block in result.final.variables:
        name = re.sub(r"^port_\d+_", "", block.name)
        for place, bound in enumerate(FIELDS_OF_COLUMN.get(name, ("", ""))):
            prices = column_prices[block.at]
            worth = np.clip(prices if place == 0 else -prices, 0, None)
            if bound and not (name == "unserved_kw" and not _can_shed(result.problem, block.owner)):
                base = unit_of(name) or "1"
                is_first = np.array([bound.endswith("_soc") and key == 0 for key in block.keys])
                add(block.owner, bound, base, block.keys, np.where(is_first, 0.0, worth))
                add(block.owner, "initial_soc", base, block.keys, np.where(is_first, worth, 0.0))
    horizon, currency = result.problem.horizon, result.problem.portfolio.currency
    table = []
    for (owner, limit, base), by_step in found.items():
        for first, end in ranges_of(np.flatnonzero(by_step > NO_WORTH).tolist()):
            table.append(
                {
                    "asset": owner,
                    "limit": limit,
                    "begin": horizon.boundaries[first],
                    "end": horizon.boundaries[end],
                    "when": when(range(first, end), horizon, timezone_of(result.problem, owner)),
                    "steps": end - first,
                    "worth": float(by_step[first:end].sum()),
                    "unit": f"{currency}/{base}" if base != "1" else currency,
                }
            )
    columns = ["asset", "limit", "begin", "end", "when", "steps", "worth", "unit"]
    whole = pd.DataFrame(table, columns=columns)
    return whole.sort_values("worth", ascending=False, kind="stable", ignore_index=True)


def _can_shed(problem: DispatchProblem, owner: str) -> bool:
    """Return whether a load may be shed at all; the demand of a firm one is no limit of shedding."""
    return any(asset.id == owner and isinstance(asset, Load) and asset.is_sheddable for asset in problem.assets)


def _step_of(key: Any, steps: int, base: str) -> int:
    """Return the step that a key belongs to: a boundary to the step before it; the first where it has no time."""
    if not isinstance(key, int | np.integer):
        return 0
    return int(key) - 1 if base in ("kWh", "°C", "l") else int(key)


def _add_row_worth(result: DispatchResult, block: Block, prices: np.ndarray, add: Any) -> None:
    """Add what one more unit of a constraint's limit is worth."""
    worth = np.abs(prices)
    if LAWS.fullmatch(block.name) or not np.any(worth > NO_WORTH):
        return
    final, x = result.final, result.x
    if block.name.endswith("one_direction"):
        # a * x <= limit with a = 1 / upper: a larger upper bound makes a smaller.
        owners = {int(at): (one.owner, one.name) for one in final.variables for at in one.at}
        for key, at, price in zip(block.keys, block.at, worth, strict=True):
            row = final.coefficients[[int(at)], :].tocoo()
            for column, a in zip(row.col.tolist(), row.data.tolist(), strict=True):
                owner, name = owners[column]
                field = FIELDS_OF_COLUMN.get(re.sub(r"^port_\d+_", "", name), ("", ""))[1]
                upper = final.upper[column]
                if field and np.isfinite(upper) and upper > 0 and x[column] > 0:
                    add(owner, field, "kW", [key], np.array([price * a * x[column] / upper]))
        return
    field = FIELD_OF_ROW.get(block.name, block.name)
    if field.startswith("soc_target"):
        field = "soc_targets"
    elif field.startswith("demand_peak"):
        field = "demand_charges"
    if field in ("max_output_kw", "min_output_kw"):
        unit = result.units.assets[block.owner]
        if unit.has("is_on"):
            worth = worth * np.asarray(unit.is_on)[np.array(list(block.keys), dtype=int)]
    base = "kWh" if field in ("target_soc", "soc_targets", "max_cycles_per_d", "sessions") else "kW"
    if field == "shiftable":
        base = "1"
    keys = [len(result.problem.horizon)] if field == "target_soc" else block.keys
    add(block.owner, field, base, keys, worth)


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
