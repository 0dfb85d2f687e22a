"""Why no schedule keeps all limits: what is short or left over and when, which limits contradict, what would do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ems.assets.asset import Asset
from ems.dispatch.explanation.budget import Budget
from ems.dispatch.explanation.conflict import Conflict, conflicting_blocks, find_conflict
from ems.dispatch.explanation.elastic import Elastic, make_elastic
from ems.dispatch.explanation.repair import Repair, repairs_of
from ems.dispatch.formulation.compile import Compiled, compile_problem
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solvers.exactness import LEAST_S

BUDGET_S = 20.0
"""Of an explanation, whatever time the dispatch itself may take: a solve of it can be as hard as the dispatch."""
LARGEST_STEPS = 20_000
"""Assets times steps beyond which only the shortfall is told: to filter limits one by one would take minutes."""


@dataclass(frozen=True)
class Diagnosis:
    """Why a dispatch has no schedule.

    Parameters
    ----------
    shortfall : str
        Where and when power is short or left over; or that it is neither.
    conflict : Conflict or None
        Limits that contradict each other.
    repairs : tuple of Repair
        What would do, each by itself, the smallest first; `ems.dispatch.explanation.repair.apply_repair` does it.
    stopped_after_s : float or None
        Time after which the search was stopped, if it was.
    """

    shortfall: str
    conflict: Conflict | None
    repairs: tuple[Repair, ...]
    stopped_after_s: float | None = None

    def __str__(self) -> str:
        """Return all of it as text."""
        parts = [self.shortfall]
        if self.conflict is not None and self.conflict.members:
            word = "these limits contradict" if len(self.conflict.members) > 1 else "this limit contradicts the rest"
            each = " each other" if len(self.conflict.members) > 1 else ""
            parts.append(f"{word}{each}: {self.conflict}")
        if self.repairs:
            parts.append(f"what would do: {'; or '.join(str(repair) for repair in self.repairs)}")
        if self.stopped_after_s is not None:
            stopped = f"the time of an explanation, {self.stopped_after_s:g} s, did not suffice for more"
            doubt = ": fewer limits may contradict each other, and less or something else may do"
            parts.append(stopped + (doubt if self.conflict is not None or self.repairs else ""))
        return ". ".join(f"{part[0].upper()}{part[1:]}" if number else part for number, part in enumerate(parts))


def explain_infeasibility(compiled: Compiled, options: SolverOptions) -> str:
    """Return why a dispatch has no schedule, and what would do, as text.

    Parameters
    ----------
    compiled : Compiled
        Which has none; from a model that somebody changed, too.
    options : SolverOptions
    """
    return str(diagnose(compiled.problem, options, compiled))


def diagnose(
    problem: DispatchProblem,
    options: SolverOptions | None = None,
    compiled: Compiled | None = None,
    budget_s: float = BUDGET_S,
) -> Diagnosis:
    """Return why a dispatch has no schedule: the shortfall, the conflict, and repairs.

    Parameters
    ----------
    problem : DispatchProblem
    options : SolverOptions, optional
    compiled : Compiled, optional
        The dispatch as a matrix, where somebody changed it as a Pyomo model.
    budget_s : float
        Seconds after which what is known is told; half of them at the most for the conflict.
    """
    # HiGHS gives prices, which make the search short, and is always there.
    options = (options or SolverOptions()).replace(solver="highs", time_limit_s=max(budget_s, LEAST_S))
    names = "', '".join(site.name for site in problem.portfolio.sites)
    elastic = make_elastic(problem, Budget(budget_s))
    shortfall = _shortfall(elastic, options)
    conflict, repairs, budgets = None, [], [elastic.budget]
    if shortfall is None:
        shortfall = _contradicted_by_model(problem, compiled, options, names, elastic.budget)
    elif len(problem.assets) * len(problem.horizon) <= LARGEST_STEPS and elastic.budget.has_time():
        budgets.append(elastic.budget.part(budget_s / 2))
        conflict = find_conflict(replace(elastic, budget=budgets[-1]), options)
        numbers = None if conflict is None else [member.number for member in conflict.members]
        repairs = repairs_of(elastic, options, numbers)
    stopped_after_s = budget_s if any(one.is_exceeded for one in budgets) else None
    return Diagnosis(shortfall, conflict, tuple(repairs), stopped_after_s)


def _shortfall(elastic: Elastic, options: SolverOptions) -> str | None:
    """Return what is short or left over at the buses, when everything else holds; None where nothing is."""
    problem = elastic.problem
    name = "', '".join(site.name for site in problem.portfolio.sites)
    buses = [number for number, limit in enumerate(elastic.limits) if limit.kind == "bus"]
    solution, _ = elastic.solve(frozenset(buses), options)
    if solution.status == "no_solution":
        return f"dispatch of '{name}' is infeasible; where and why has not been found"
    if solution.x is None:
        return (
            f"dispatch of '{name}' is infeasible whatever the grid gives: the limits of single assets contradict each "
            "other over time"
        )
    findings = []
    for number in buses:
        kw = elastic.beyond(number, solution.x)
        steps = np.flatnonzero(kw)
        if steps.size:
            findings.append((int(steps[0]), number, kw, steps))
    if not findings:
        return None
    first, number, kw, steps = min(findings, key=lambda finding: finding[:2])
    limit = elastic.limits[number]
    site = problem.portfolio.site(limit.owner)
    so_far = "" if solution.status == "optimal" else ", as far as has been found,"
    word = "short of" if limit.field == "unserved_cost_per_kwh" else "left with"
    energy_kwh = float(kw @ problem.horizon.step_h)
    moment = problem.horizon.times[first]
    local = moment.tz_localize("UTC").tz_convert(site.timezone)
    return (
        f"dispatch of '{site.name}' is infeasible at {moment:%Y-%m-%d %H:%M} UTC ({local:%H:%M} local time): "
        f"{_balance_at(problem, site.id, first)}; it is{so_far} {word} {kw[first]:.6g} kW then, and of "
        f"{energy_kwh:.6g} kWh in {steps.size} steps{_outages_at(problem, first)}"
    )


def _contradicted_by_model(
    problem: DispatchProblem, compiled: Compiled | None, options: SolverOptions, names: str, budget: Budget
) -> str:
    """Return which constraints of a changed model contradict a dispatch that has a schedule by itself."""
    by_little = f"dispatch of '{names}' is infeasible by less than a solver can tell: limits meet exactly; loosen one"
    if compiled is None:
        return by_little
    declared = {(block.owner, block.name) for block in compile_problem(problem).matrix.constraints}
    own = [block for block in compiled.matrix.constraints if (block.owner, block.name) not in declared]
    found = conflicting_blocks(compiled.matrix, own, options, budget)
    if not found:
        return by_little
    listed = ", ".join(f"'{block.name}'" for block in found)
    return (
        f"dispatch of '{names}' has a schedule by itself, but none with what was added to its model: constraint "
        f"{listed}; loosen or leave out one of them"
    )


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
            limit_kw = _highest_kw(asset, problem, t)
            if limit_kw is not None:
                sources.append((asset.id, limit_kw))
    total = sum(kw for _, kw in sources)
    parts = ", ".join(f"{name} {kw:g}" for name, kw in sources) or "no source"
    return f"demand {demand_kw:g} kW, available at most {total:g} kW ({parts})"


def _highest_kw(asset: Asset, problem: DispatchProblem, t: int) -> float | None:
    """Return the most that a source can give at a step; None for what is none."""
    inputs = problem.inputs_of(asset)  # type: ignore[arg-type]
    if asset.kind == "grid_connection":
        return float(asset.limits_kw(inputs)[0][t])  # type: ignore[attr-defined]
    if asset.kind == "battery":
        limit_kw = float(asset.over_steps("max_discharge_kw", inputs)[t])
        return min(limit_kw, getattr(asset, "continuous_discharge_kw", None) or limit_kw)
    return float(asset.over_steps("max_output_kw", inputs)[t]) if asset.kind == "generator" else None


def _outages_at(problem: DispatchProblem, t: int) -> str:
    """Return which assets are out at a step."""
    begin, end = problem.horizon.boundaries[t], problem.horizon.boundaries[t + 1]
    out = [
        f"'{one.asset_id}'"
        for one in problem.goal.outages
        if _utc(one.begin) < end.to_datetime64() and _utc(one.end) > begin.to_datetime64()
    ]
    return f", while {', '.join(out)} is out of service" if out else ""


def _utc(moment: object) -> np.datetime64:
    import datetime as dt

    assert isinstance(moment, dt.datetime), "the record checked it"
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns")
