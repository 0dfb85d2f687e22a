"""What a dispatch came to, in sentences: for any aim, with or without batteries, generators, outages or a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ems.assets.generator import Generator
from ems.report.style import local_times
from ems.studies.objective_words import measured, money, objective_words

if TYPE_CHECKING:
    from ems.studies.dispatch_plan import DispatchPlan

KINDS = {
    "battery": ("battery", "batteries"),
    "solar_pv": ("solar power", "solar power"),
    "wind_turbine": ("wind power", "wind power"),
    "generator": ("generator", "generators"),
    "ev_charger": ("EV charger", "EV chargers"),
}
"""One and several of a kind, as people call them."""
UNSERVED_COSTS = ("interruption_cost", "unserved_cost", "unmet_cost")
"""Types of cost that nobody pays: the worth of what loads, buses and vehicles do not get."""
HOURS_OF_A_DAY = 24
SMALL = 0.005
"""Less than this rounds to 0.00."""


def kind_words(kind: str, count: int) -> str:
    """Return what people call so many assets of a kind.

    >>> kind_words("battery", 2)
    'batteries'
    """
    return KINDS[kind][count != 1]


def conclusion_of(plan: DispatchPlan) -> str:
    """Return the answer of a study in a few sentences."""
    parts = [*_aim(plan), *_cost(plan), *_served(plan), *_generators(plan), *_emissions(plan)]
    return " ".join(parts)


def _aim(plan: DispatchPlan) -> Iterator[str]:
    """Say what was least, where that is not cost, and what it would be without."""
    solution, measure = plan.result.solution, plan.result.compiled.measures[0].name
    if measure in ("cost", "weighted", "unserved_cost"):
        return
    said = f"The {objective_words(measure)} is {measured(solution.objective, measure, plan.currency, 1)}"
    if plan.baseline is not None:
        without = measured(plan.baseline.solution.objective, measure, plan.currency, 1)
        said += f"; without {plan.label} it would be {without} at the least"
    yield f"{said}."


def _cost(plan: DispatchPlan) -> Iterator[str]:
    """Say what the plan costs, and what the kind that the baseline lacks is worth."""
    hours, currency = plan.result.problem.horizon.length_h, plan.currency
    types = plan.result.costs.groupby("cost_type")["cost"].sum()
    unserved = float(types.reindex(UNSERVED_COSTS).sum())
    cost = f"Over {hours:g} h the plan costs {money(plan.total_cost, currency)}"
    if unserved >= SMALL:
        cost += f", of it {money(unserved, currency)} as the worth of what is not served"
    if plan.without is None:
        yield f"{cost}."
        return
    if plan.saving is None or plan.baseline_cost is None:
        yield f"{cost}. Without {plan.label} no schedule was found."
        return
    if abs(plan.saving) < SMALL:
        yield f"{cost}, and without {plan.label} it would cost the same: here it earns nothing in this horizon."
        return
    yield f"{cost}; without {plan.label} it would cost {money(plan.baseline_cost, currency)}."
    one, several = KINDS[plan.without]
    who = plan.label.capitalize() if one == several else f"The {plan.label}"
    verb = "save" if plan.saving > 0 else "cost"
    said = f"{who} {verb}{'s' if plan.label == one else ''} {money(abs(plan.saving), currency)}"
    # A peak is billed once, however long the horizon.
    if hours != HOURS_OF_A_DAY and "demand_cost" not in types:
        said += f", or {money(abs(plan.saving) / hours * HOURS_OF_A_DAY, currency)} a day"
    yield f"{said}."
    neutral = plan.kpi("soc_neutral_saving")
    if abs(neutral - plan.saving) >= SMALL:
        yield f"With what is left in storage at the mean import price that is {money(neutral, currency)}."


def _served(plan: DispatchPlan) -> Iterator[str]:
    """Say what was not served, and how outages were got through."""
    problem = plan.result.problem
    owners = [("unserved_kw", "asset", asset.id, f"of {asset.name}") for asset in problem.assets]
    owners += [("missing_kw", "bus", site.id, f"at {site.name}") for site in problem.portfolio.sites]
    unserved = [
        f"{energy_kwh:,.1f} kWh {words}"
        for name, dimension, owner, words in owners
        if (energy_kwh := _energy_kwh(plan, name, dimension, owner)) >= SMALL
    ]
    said = f"not served are {' and '.join(unserved)}" if unserved else "all demand is served"
    if problem.goal.outages:
        yield f"Through the outage of {'; of '.join(_outages(plan))}, {said}."
    elif unserved:
        yield f"{said[0].upper()}{said[1:]}."


def _energy_kwh(plan: DispatchPlan, name: str, dimension: str, owner: str) -> float:
    """Return the energy of a flow of an asset or a bus; none where it has no such flow."""
    flows = plan.result.flows
    if name not in flows or owner not in flows[dimension].values:
        return 0.0
    return float(np.nan_to_num(flows[name].sel({dimension: owner}).to_numpy()) @ plan.result.problem.horizon.step_h)


def _outages(plan: DispatchPlan) -> Iterator[str]:
    """Give each outage with its local times."""
    problem = plan.result.problem
    for one in problem.goal.outages:
        asset = next(asset for asset in problem.assets if asset.id == one.asset_id)
        zone = problem.portfolio.site(asset.site_id).timezone
        moments = np.array([np.datetime64(int(moment.timestamp()), "s") for moment in (one.begin, one.end)])
        begin, end = local_times(moments, zone)
        day = "" if begin.date() == end.date() else "%Y-%m-%d "
        yield f"{asset.name} from {begin:%Y-%m-%d %H:%M} to {end.strftime(day + '%H:%M %Z')}"


def _generators(plan: DispatchPlan) -> Iterator[str]:
    """Say how many generators run, and how often they start."""
    generators = [asset for asset in plan.result.problem.assets if isinstance(asset, Generator)]
    if not generators:
        return
    kpis = plan.kpis
    running = kpis[kpis["kpi"] == "running_h"].set_index("asset")["value"]
    starts = int(kpis[kpis["kpi"] == "starts"]["value"].sum())
    count = int((running > 0).sum())
    times = f"{starts} start{'' if starts == 1 else 's'}"
    if len(generators) == 1:
        yield f"{generators[0].name} runs {running.iloc[0]:,.3g} h, with {times}."
    else:
        verb = "runs" if count == 1 else "run"
        yield f"{count} of {len(generators)} generators {verb}, {running.sum():,.3g} h together, with {times}."


def _emissions(plan: DispatchPlan) -> Iterator[str]:
    """Say what is emitted, and what less would cost, where that was asked."""
    if plan.emissions_kg >= SMALL and plan.result.compiled.measures[0].name != "emissions_kg":
        yield f"It emits {plan.emissions_kg:,.1f} kg of carbon dioxide."
    if len(plan.front) > 1:
        points = plan.pareto()
        rise = float(points["cost"].iloc[-1] - points["cost"].iloc[0])
        fall = float(points["emissions_kg"].iloc[0] - points["emissions_kg"].iloc[-1])
        yield (
            f"Emissions can fall by {fall:,.1f} kg at the most, for {money(rise, plan.currency)} more than the least "
            "cost."
        )
