"""Why no schedule keeps all limits: where power is missing or left over, by a model in which the balance may break."""

from __future__ import annotations

from typing import Any

import numpy as np

from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solvers import solve_model

SMALLEST_KW = 1e-6


def explain_infeasibility(problem: DispatchProblem, options: SolverOptions) -> str:
    """Return a sentence that names the first step at which the balance cannot hold, and by how much.

    The balance of each site gets a shortage and a surplus, and their energy is made as small as possible. What is
    left is the smallest repair by energy from outside.
    """
    model = build_model(problem)
    _relax_balances(model, problem)
    solution = solve_model(model, options)
    name = "', '".join(site.name for site in problem.portfolio.sites)
    if not solution.values:
        return (
            f"dispatch of '{name}' is infeasible whatever the grid gives: the limits of single assets contradict "
            "each other over time (state of charge, sessions)"
        )
    findings = []
    for site in problem.portfolio.sites:
        block = model.site[site.id]
        if not hasattr(block, "shortage_kw"):
            continue
        for word, var in (("short of", block.shortage_kw), ("left with", block.surplus_kw)):
            kw = np.array([solution.values.get(id(var[t]), 0.0) for t in problem.horizon.steps])
            steps = np.flatnonzero(kw > SMALLEST_KW)
            if steps.size:
                findings.append((int(steps[0]), site.id, word, kw, steps))
    if not findings:
        return f"dispatch of '{name}' is infeasible by less than {SMALLEST_KW:g} kW: limits meet exactly; loosen one"
    first, site_id, word, kw, steps = min(findings, key=lambda finding: finding[0])
    energy_kwh = float(kw @ problem.horizon.step_h)
    when = problem.horizon.times[first]
    local = when.tz_localize("UTC").tz_convert(problem.portfolio.site(site_id).timezone)
    return (
        f"dispatch of '{problem.portfolio.site(site_id).name}' is infeasible at {when:%Y-%m-%d %H:%M} UTC "
        f"({local:%H:%M} local time): {_balance_at(problem, site_id, first)}; it is {word} {kw[first]:.6g} kW then, "
        f"and of {energy_kwh:.6g} kWh in {steps.size} steps"
    )


def _relax_balances(model: Any, problem: DispatchProblem) -> None:
    from pyomo.core import Constraint, NonNegativeReals, Objective, Var

    model.total_cost.deactivate()
    missing = []
    for site in problem.portfolio.sites:
        block = model.site[site.id]
        if not hasattr(block, "power_balance"):
            continue
        block.power_balance.deactivate()
        block.shortage_kw = Var(model.steps, domain=NonNegativeReals)
        block.surplus_kw = Var(model.steps, domain=NonNegativeReals)
        members = [asset for asset in problem.assets if asset.site_id == site.id]

        def relaxed_balance(block: Any, t: Any, members: list[Any] = members) -> Any:
            given = sum(asset.injection_kw(model.unit[asset.id], t) for asset in members)
            return given + block.shortage_kw[t] - block.surplus_kw[t] == 0

        block.relaxed_balance = Constraint(model.steps, rule=relaxed_balance)
        missing.append(
            sum(
                (block.shortage_kw[t] + block.surplus_kw[t]) * problem.horizon.steps_h[t]
                for t in problem.horizon.steps
            )
        )
    model.missing_energy = Objective(expr=sum(missing))


def _balance_at(problem: DispatchProblem, site_id: str, t: int) -> str:
    """Return demand and the most that each source can give at a step, in words."""
    demand_kw, sources = 0.0, []
    for asset in problem.assets:
        if asset.site_id != site_id:
            continue
        series = problem.inputs_of(asset).series
        if "demand_kw" in series:
            demand_kw += float(series["demand_kw"][t])
        elif "available_kw" in series:
            sources.append((asset.id, float(series["available_kw"][t])))
        else:
            limit = next(
                (
                    getattr(asset, name)
                    for name in ("import_limit_kw", "discharge_limit_kw", "max_output_kw")
                    if hasattr(asset, name)
                ),
                None,
            )
            if limit is not None:
                sources.append((asset.id, float(limit)))
    total = sum(kw for _, kw in sources)
    parts = ", ".join(f"{name} {kw:g}" for name, kw in sources) or "no source"
    return f"demand {demand_kw:g} kW, available at most {total:g} kW ({parts})"
