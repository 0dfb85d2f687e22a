"""The usual rule of a battery: charge from what generation is left over, discharge into demand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from ems.assets.battery import Battery
from ems.assets.battery_limits import TaperPoint
from ems.settlement.battery import content_of
from ems.settlement.ledger import Schedule

TAPER_HALVINGS = 60
"""Halvings of a power until its taper holds at the end of the step, too: to the last digit of a float."""


def follow_surplus(
    battery: Battery, schedule: Schedule, surplus_kw: np.ndarray, days: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return charging and discharging power of a battery that evens out a surplus or deficit at its bus.

    charge[t] = least of surplus, charging power, room up to max_soc
    discharge[t] = least of deficit, discharging power, content down to min_soc, what the day's cycles leave

    From the grid it takes only what holds it at min_soc against its own losses.

    Parameters
    ----------
    battery : Battery
    schedule : Schedule
        Its series hold the limits that change with time.
    surplus_kw : ndarray (steps,)
        Power that is left over at the bus without the battery; below zero where some is missing.
    days : ndarray of str (steps,)
        Local day of each step, for a limit of cycles a day.

    Returns
    -------
    charge_kw, discharge_kw : ndarray (steps,)
        At the bus; never both above zero.
    """
    content = content_of(battery)
    most_charge, most_discharge = (
        np.minimum(schedule.over_steps(battery, name), math.inf if limit_kw is None else limit_kw).tolist()
        for name, limit_kw in (
            ("max_charge_kw", battery.continuous_charge_kw),
            ("max_discharge_kw", battery.continuous_discharge_kw),
        )
    )
    lowest, highest = ((schedule.over_steps(battery, name) * content).tolist() for name in ("min_soc", "max_soc"))
    kept = ((1 - battery.standing_loss_per_h) ** schedule.step_h).tolist()
    drained = (schedule.over_steps(battery, "drain_kw") * schedule.step_h).tolist()
    surplus = (surplus_kw - battery.auxiliary_load_kw).tolist()
    budget = math.inf if battery.max_cycles_per_d is None else battery.max_cycles_per_d * content
    charges, discharges = np.zeros(len(surplus)), np.zeros(len(surplus))
    energy, today, used = battery.initial_soc * content, "", 0.0
    for t, (step_h, day) in enumerate(zip(schedule.step_h.tolist(), days.tolist(), strict=True)):
        used, today = (used, today) if day == today else (0.0, day)
        left = energy * kept[t] - drained[t]
        stored, taken = battery.charge_efficiency * step_h, step_h / battery.discharge_efficiency  # kWh for each kW
        wanted = max(surplus[t], (lowest[t] - left) / stored, 0.0)
        if wanted > 0:
            most = min(wanted, most_charge[t], max(highest[t] - left, 0.0) / stored)
            if battery.charge_taper:
                most = tapered(battery.charge_taper, most_charge[t], most, (energy, left, stored), content)
            charges[t], energy = most, left + most * stored
        else:
            room = max(min(left - lowest[t], budget - used), 0.0) / taken
            most = min(-surplus[t], most_discharge[t], room)
            if battery.discharge_taper:
                most = tapered(battery.discharge_taper, most_discharge[t], most, (energy, left, -taken), content)
            discharges[t], energy = most, left - most * taken
            used += most * taken
    return charges, discharges


def tapered(
    points: Sequence[TaperPoint], whole_kw: float, most_kw: float, step: tuple[float, float, float], content_kwh: float
) -> float:
    """Return the highest power that a taper allows at the beginning and at the end of a step.

    ``step`` is the content before the step, that after its losses, and the kWh that a kW adds in it. The more power,
    the less a taper allows at the end, so that halving finds the point where both are equal.
    """
    before, left, per_kw = step
    allowed: Callable[[float], float] = lambda kwh: whole_kw * _share_at(points, kwh / content_kwh)  # noqa: E731
    high = max(min(most_kw, allowed(before)), 0.0)
    if high <= allowed(left + high * per_kw):
        return high
    low = 0.0
    for _ in range(TAPER_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if middle <= allowed(left + middle * per_kw) else (low, middle)
    return low


def _share_at(points: Sequence[TaperPoint], soc: float) -> float:
    """Return the share of a power limit at a state of charge: along the points, the outer lines going on."""
    pairs = list(itertools.pairwise(points))
    one, other = next((pair for pair in pairs if soc <= pair[1].soc), pairs[-1])
    return min(one.share + (soc - one.soc) * (other.share - one.share) / (other.soc - one.soc), 1.0)
