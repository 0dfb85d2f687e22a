"""What a site's bus pays for power: import, export, curtailment, shedding, each used where it is cheapest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.problem import DispatchProblem


@dataclass(frozen=True)
class Choice:
    """Power that the bus may take from somewhere, or give somewhere, at a price.

    Parameters
    ----------
    owner, name : str
        Which variable of the dispatch it is.
    is_source : bool
        Whether the power comes into the bus.
    cost_per_kwh, limit_kw : ndarray (steps,)
        Cost of its use and its highest power.
    whole_kw : ndarray (steps,), optional
        Where given, the variable is this less the use: power used is power available less power curtailed.
    """

    owner: str
    name: str
    is_source: bool
    cost_per_kwh: np.ndarray
    limit_kw: np.ndarray
    whole_kw: np.ndarray | None = None

    @property
    def slope_per_kwh(self) -> np.ndarray:
        """What a kWh more that the bus has to come up with costs while this use gives way to it."""
        slope: np.ndarray = self.cost_per_kwh if self.is_source else -self.cost_per_kwh
        return slope


@dataclass(frozen=True)
class BusCost:
    """What a bus pays for a power that it has to come up with.

    Its choices are laid end to end by slope from ``lowest_kw``, at which all that takes power away is at its limit.
    """

    choices: list[Choice]
    order: np.ndarray
    slope_per_kwh: np.ndarray
    begin_kw: np.ndarray
    length_kw: np.ndarray

    @property
    def lowest_kw(self) -> np.ndarray:
        """Least power that the bus has to come up with, below zero where more is thrown away or sold."""
        lowest: np.ndarray = self.begin_kw[0]
        return lowest

    @property
    def highest_kw(self) -> np.ndarray:
        """Highest power that the bus can come up with."""
        highest: np.ndarray = self.begin_kw[-1] + self.length_kw[-1]
        return highest

    def uses_kw(self, power_kw: np.ndarray) -> np.ndarray:
        """Return the cheapest use of each choice at a power, shape (choices, steps)."""
        filled = np.clip(power_kw - self.begin_kw, 0.0, self.length_kw)
        uses: np.ndarray = np.empty_like(filled)
        np.put_along_axis(uses, self.order, filled, axis=0)
        for use, choice in zip(uses, self.choices, strict=True):
            if not choice.is_source:
                np.subtract(choice.limit_kw, use, out=use)
        return uses


def choices_of(problem: DispatchProblem) -> tuple[list[Choice], np.ndarray, float]:
    """Return what the bus can choose, its net demand with all available power used, and the cost that is fixed."""
    steps, step_h = len(problem.horizon), problem.horizon.step_h
    net_demand_kw, fixed_cost = np.zeros(steps), 0.0
    takes: list[Choice] = []
    gives: list[Choice] = []
    # Of loads with the same interruption cost the one with the lowest rank is shed first.
    for asset in sorted(problem.assets, key=lambda one: one.shedding_rank if isinstance(one, Load) else 0):
        inputs = problem.inputs_of(asset)
        if isinstance(asset, Battery):
            net_demand_kw += asset.auxiliary_load_kw
        elif isinstance(asset, GridConnection):
            net_demand_kw += asset.transformer_losses_kw
            import_limit_kw, export_limit_kw = asset.limits_kw(inputs)
            prices = inputs.series["import_price_per_kwh"], inputs.series["export_price_per_kwh"]
            gives.append(Choice(asset.id, "import_kw", True, prices[0], import_limit_kw))
            takes.append(Choice(asset.id, "export_kw", False, -prices[1], export_limit_kw))
        elif isinstance(asset, Load):
            demand_kw = inputs.series["demand_kw"]
            net_demand_kw += demand_kw
            if asset.is_sheddable:
                cost = asset.over_steps("interruption_cost_per_kwh", inputs)
                limit_kw = asset.sheddable_share * np.maximum(demand_kw, 0.0)
                gives.append(Choice(asset.id, "unserved_kw", True, cost, limit_kw))
        elif isinstance(asset, VariableRenewable):
            available_kw = inputs.series["available_kw"]
            net_demand_kw -= available_kw
            use_cost = asset.over_steps("variable_om_cost_per_kwh", inputs)
            fixed_cost += float(np.sum(use_cost * available_kw * step_h))
            cost = asset.over_steps("curtailment_cost_per_kwh", inputs) - use_cost
            limit_kw = np.maximum(available_kw, 0.0) * asset.is_curtailable
            takes.append(Choice(asset.id, "used_kw", False, cost, limit_kw, whole_kw=available_kw))
    site = problem.portfolio.site(problem.assets[0].site_id)
    unbounded = np.full(steps, np.inf)
    if site.spill_cost_per_kwh is not None:
        spill_cost = np.full(steps, site.spill_cost_per_kwh)
        takes.append(Choice(f"site {site.id}", "spilled_kw", False, spill_cost, unbounded))
    if site.unserved_cost_per_kwh is not None:
        missing_cost = np.full(steps, site.unserved_cost_per_kwh)
        gives.append(Choice(f"site {site.id}", "missing_kw", True, missing_cost, unbounded))
    # With equal slopes what takes gives way first, so that nothing is bought only to be sold.
    return [*takes, *gives], net_demand_kw, fixed_cost


def bus_cost(choices: list[Choice], reach_kw: np.ndarray) -> BusCost:
    """Return the choices in the order of their slopes, none longer than it can be of use.

    A use beyond the reach of demand and battery pays only together with an opposite one that is cheaper.
    """
    useful = []
    for one in choices:
        limit_kw = reach_kw.copy()
        for other in choices:
            if other.is_source != one.is_source:
                source, sink = (one, other) if one.is_source else (other, one)
                limit_kw += np.where(source.slope_per_kwh < sink.slope_per_kwh, other.limit_kw, 0.0)
        useful.append(replace(one, limit_kw=np.minimum(one.limit_kw, limit_kw)))
    slopes = np.stack([one.slope_per_kwh for one in useful])
    lengths = np.stack([one.limit_kw for one in useful])
    order = np.argsort(slopes, axis=0, kind="stable")
    lengths = np.take_along_axis(lengths, order, axis=0)
    lowest = -sum((one.limit_kw for one in useful if not one.is_source), np.zeros(len(reach_kw)))
    begins = lowest + np.concatenate((np.zeros((1, len(reach_kw))), np.cumsum(lengths[:-1], axis=0)))
    return BusCost(useful, order, np.take_along_axis(slopes, order, axis=0), begins, lengths)
