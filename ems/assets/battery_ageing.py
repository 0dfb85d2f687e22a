"""Cycle-depth ageing of a battery in a dispatch: its content in segments of depth, of which deeper ones wear more.

The content is cut into segments of equal size. What is taken from the first is the shallow part of a cycle, and each
further one is dearer, as the life curve is convex; so the cheapest way to discharge is from the shallowest segment
that holds something, and the segments count cycles by depth as rainflow counting does [1]_.

References
----------
.. [1] B. Xu, J. Zhao, T. Zheng, E. Litvinov, D. S. Kirschen, "Factoring the cycle aging cost of batteries
   participating in electricity markets," IEEE Transactions on Power Systems, vol. 33, no. 2, 2018,
   doi:10.1109/TPWRS.2017.2733339.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ems.assets.ageing import life_curve_of
from ems.assets.unit import Unit

if TYPE_CHECKING:
    from ems.assets.battery import Battery


def ageing_fault(battery: Battery) -> str | None:
    """Return what is missing for, or contradicts, wear by cycle depth, or None."""
    segments = battery.cycle_depth_segments
    if not segments:
        return None
    if battery.degradation_cost_per_kwh > 0:
        return (
            f"degradation_cost_per_kwh = {battery.degradation_cost_per_kwh:g} currency/kWh: must be left out with "
            f"cycle_depth_segments = {segments}, by which wear is priced"
        )
    if battery.capital_cost is None:
        return f"cycle_depth_segments = {segments}: needs capital_cost, the price of a new battery"
    if life_curve_of(battery) is None:
        return f"cycle_depth_segments = {segments}: needs cycle_life or degradation_rate_per_cycle"
    return None


def segment_costs_per_kwh(battery: Battery) -> np.ndarray:
    """Return what each kWh taken from a segment of the content costs in wear, the shallowest segment first.

    cost[j] = capital_cost / content * segments * (used(j / segments) - used((j - 1) / segments))

    where used(depth) is the share of a life that one cycle of that depth uses, from the life curve.

    Returns
    -------
    ndarray (segments,)
        Never falling, as the exponent of each life curve is at least 1.
    """
    curve, count = life_curve_of(battery), battery.cycle_depth_segments
    assert curve is not None, "ageing_fault is asked first"
    assert battery.capital_cost is not None, "ageing_fault is asked first"
    used = 1 / curve.cycles_to_end(np.arange(count + 1) / count)
    costs: np.ndarray = battery.capital_cost / battery.content_kwh * count * np.diff(used)
    return costs


def declare_segments(battery: Battery, unit: Unit, kept: np.ndarray, drain_kw: np.ndarray) -> None:
    """Declare the content of each segment and what is taken from it.

    sum over j of segment_energy[j, t] == energy[t]
    sum over j of segment_output[j, t] == discharge[t] / discharge_efficiency + drain[t]
    segment_energy[j, t+1] >= kept[t] * segment_energy[j, t] - segment_output[j, t] * step[t]

    What the last relation leaves open is what the segment is charged with, so all of it is what the battery is
    charged with. The first content fills the deepest segments, as if the battery had been full before: its first
    discharge goes on a cycle that is already so deep. With a cyclic rule each segment ends as it began.

    Parameters
    ----------
    battery : Battery
    unit : Unit
        With ``charge_kw``, ``discharge_kw`` and ``energy_kwh``.
    kept : ndarray (steps,)
        Share of the content that standing loss leaves in each step.
    drain_kw : ndarray (steps,)
    """
    count, steps = battery.cycle_depth_segments, len(unit.horizon)
    if not count:
        return
    size_kwh = battery.content_kwh / count
    for j in range(count):
        lower, upper = np.zeros(steps + 1), np.full(steps + 1, size_kwh)
        if battery.final_soc_rule != "cyclic":
            deeper_kwh = size_kwh * (count - 1 - j)
            first_kwh = min(max(battery.initial_soc * battery.content_kwh - deeper_kwh, 0.0), size_kwh)
            lower[0] = upper[0] = first_kwh
        unit.add_variable(_energy(j), over="boundaries", lower=lower, upper=upper)
        unit.add_variable(_output(j))
        energy, output = getattr(unit, _energy(j)), getattr(unit, _output(j))

        def charged(t: Any, energy: Any = energy, output: Any = output) -> Any:
            return energy[t + 1] >= energy[t] * kept[t] - output[t] * unit.step_h[t]

        unit.add_constraint(f"segment_{j + 1}_charge", charged)
        if battery.final_soc_rule == "cyclic":
            unit.add_constraint(f"segment_{j + 1}_cyclic", energy[steps] == energy[0])

    def segments_energy(t: Any) -> Any:
        return sum(getattr(unit, _energy(j))[t] for j in range(count)) == unit.energy_kwh[t]

    def segments_output(t: Any) -> Any:
        taken_kw = unit.discharge_kw[t] / battery.discharge_efficiency + drain_kw[t]
        return sum(getattr(unit, _output(j))[t] for j in range(count)) == taken_kw

    unit.add_constraint("segments_energy", segments_energy, over=range(steps + 1))
    unit.add_constraint("segments_output", segments_output)


def cycle_depth_cost(battery: Battery, unit: Any, t: Any, step_h: Any) -> Any:
    """Return the wear of what is taken from the segments in step ``t``, in money."""
    costs = segment_costs_per_kwh(battery).tolist()
    return sum(cost * getattr(unit, _output(j))[t] * step_h[t] for j, cost in enumerate(costs))


def _energy(j: int) -> str:
    return f"segment_{j + 1}_energy_kwh"


def _output(j: int) -> str:
    return f"segment_{j + 1}_output_kw"
