"""Limits of a battery in a dispatch: powers and contents over time, taper, targets, cycles a day, reserve."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ems.assets.asset import AssetInputs
from ems.assets.unit import Unit
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.record import Fraction, Moment, Record

if TYPE_CHECKING:
    from ems.assets.battery import Battery

ROUNDING = 1e-9
"""Shares that differ by less are equal: 0.1 + 0.2 is not 0.3."""


class SocTarget(Record):
    """A state of charge wanted at a moment."""

    time: Moment
    """When it is wanted; the end of a step. Acts in dispatch and settlement."""
    soc: Fraction
    """State of charge wanted. Acts in dispatch and settlement."""
    rule: Literal["at_least", "exactly", "at_most"] = "at_least"
    """How the state of charge relates to it. Acts in dispatch and settlement."""


class TaperPoint(Record):
    """A point of the curve by which a power limit depends on the state of charge."""

    soc: Fraction
    """State of charge. Acts in dispatch and settlement."""
    share: Fraction
    """Share of the power limit that is allowed there. Acts in dispatch and settlement."""


@dataclass(frozen=True)
class BatteryLimits:
    """What a battery may do in each step; all arrays have the shape (steps,).

    Parameters
    ----------
    charge_kw, discharge_kw : ndarray
        Highest powers: the tighter of the highest and the continuous one.
    min_kwh, max_kwh : ndarray
        Content at the end of the step.
    """

    charge_kw: np.ndarray
    discharge_kw: np.ndarray
    min_kwh: np.ndarray
    max_kwh: np.ndarray


def limits_of(battery: Battery, inputs: AssetInputs) -> BatteryLimits:
    """Return the limits of a battery in each step, from its fields and the series that stand in for them.

    Raises
    ------
    InvalidInput
        If a series holds a negative power, a share outside 0 to 1, or a lowest content above the highest.
    """
    names = ("max_charge_kw", "max_discharge_kw", "min_soc", "max_soc")
    charge, discharge, low, high = (battery.over_steps(name, inputs) for name in names)
    drain = battery.over_steps("drain_kw", inputs)
    findings = [
        _worst(f"{name} = {values[place]:g}{unit}", f"must be {bound}", place, inputs.horizon)
        for name, values, unit, bound, is_bad in (
            ("max_charge_kw", charge, " kW", "at least 0 kW", charge < 0),
            ("max_discharge_kw", discharge, " kW", "at least 0 kW", discharge < 0),
            ("drain_kw", drain, " kW", "at least 0 kW", drain < 0),
            ("min_soc", low, "", "from 0 to 1", (low < 0) | (low > 1)),
            ("max_soc", high, "", "from 0 to 1", (high < 0) | (high > 1)),
            ("min_soc", low, "", "at most max_soc", low > high),
        )
        if is_bad.any()
        for place in (int(np.argmax(is_bad)),)
    ]
    for name, points in (("charge_taper", battery.charge_taper), ("discharge_taper", battery.discharge_taper)):
        fault = None if findings else taper_fault(name, points, float(low.min()), float(high.max()))
        findings += [fault] if fault else []
    if battery.cycle_depth_segments and "degradation_cost_per_kwh" in inputs.series:
        findings.append("degradation_cost_per_kwh is given as a series: leave it out, cycle_depth_segments price wear")
    if findings:
        raise InvalidInput(f"battery '{battery.id}'", findings)
    return BatteryLimits(
        charge if battery.continuous_charge_kw is None else np.minimum(charge, battery.continuous_charge_kw),
        discharge
        if battery.continuous_discharge_kw is None
        else np.minimum(discharge, battery.continuous_discharge_kw),
        low * battery.content_kwh,
        high * battery.content_kwh,
    )


def _worst(what: str, must: str, place: int, horizon: Horizon) -> str:
    return f"{what} at {horizon.times[place]:%Y-%m-%d %H:%M} UTC: {must}; correct the series"


# ------------------------------------------------------------------------------------------- taper
def taper_lines(points: tuple[TaperPoint, ...]) -> list[tuple[float, float]]:
    """Return intercept and slope over the state of charge of the line through each two neighbouring points."""
    lines = []
    for one, other in itertools.pairwise(points):
        slope = (other.share - one.share) / (other.soc - one.soc)
        lines.append((one.share - slope * one.soc, slope))
    return lines


def taper_fault(name: str, points: tuple[TaperPoint, ...], min_soc: float, max_soc: float) -> str | None:
    """Return what is wrong with a taper between two states of charge, or None.

    It has to be concave: then it is the least of its lines, which need no decisions, and a power that keeps to it at
    both ends of a step keeps to it between them.
    """
    if not points:
        return None
    if len(points) == 1:
        return f"{name} has 1 point: must have at least 2, between which the limit is a line"
    for one, other in itertools.pairwise(points):
        if other.soc <= one.soc:
            return f"{name}: soc = {other.soc:g} follows {one.soc:g}: must rise from point to point"
    slopes = [slope for _, slope in taper_lines(points)]
    for place, (before, after) in enumerate(itertools.pairwise(slopes), 1):
        if after > before + ROUNDING * max(1.0, abs(before)):
            return (
                f"{name}: turns upwards at soc = {points[place].soc:g}, share = {points[place].share:g}: must be "
                "concave, as a limit that falls ever faster"
            )
    for soc in (min_soc, max_soc):
        least = min(intercept + slope * soc for intercept, slope in taper_lines(points))
        if least < -ROUNDING:
            return (
                f"{name}: its line gives a share of {least:g} at soc = {soc:g}: must be at least 0 from min_soc to "
                "max_soc; state a point there"
            )
    return None


def declare_taper(battery: Battery, unit: Unit, limits: BatteryLimits) -> None:
    """Declare how the power limits depend on the content, as linear cuts.

    charge[t] <= limit[t] * (intercept + slope * soc), for each line of the taper, at soc[t] and at soc[t+1]

    Power is constant within a step, so the content moves straight from one end to the other; a concave limit that
    holds at both ends holds between them. Beyond its points the outer lines go on, up to the whole limit.
    """
    content_kwh = battery.content_kwh

    def charging(t: Any) -> Any:
        return unit.charge_kw[t]

    def discharging(t: Any) -> Any:
        return unit.discharge_kw[t]

    def charging_with_reserve(t: Any) -> Any:
        return unit.charge_kw[t] - unit.discharge_kw[t] + unit.reserve_down_kw[t]

    def discharging_with_reserve(t: Any) -> Any:
        return unit.discharge_kw[t] - unit.charge_kw[t] + unit.reserve_up_kw[t]

    powers: list[tuple[str, tuple[TaperPoint, ...], np.ndarray, Callable[[Any], Any]]] = [
        ("charge_taper", battery.charge_taper, limits.charge_kw, charging),
        ("discharge_taper", battery.discharge_taper, limits.discharge_kw, discharging),
    ]
    if unit.has("reserve_down_kw"):
        powers.append(("reserve_down_taper", battery.charge_taper, limits.charge_kw, charging_with_reserve))
    if unit.has("reserve_up_kw"):
        powers.append(("reserve_up_taper", battery.discharge_taper, limits.discharge_kw, discharging_with_reserve))
    for name, points, limit_kw, power_kw in powers:
        for number, (intercept, slope) in enumerate(taper_lines(points), 1):
            for later, end in enumerate(("start", "end")):

                def below(
                    t: Any,
                    power_kw: Callable[[Any], Any] = power_kw,
                    base_kw: np.ndarray = limit_kw * intercept,
                    rise_per_h: np.ndarray = limit_kw * (slope / content_kwh),
                    later: int = later,
                ) -> Any:
                    return power_kw(t) <= base_kw[t] + rise_per_h[t] * unit.energy_kwh[t + later]

                unit.add_constraint(f"{name}_{number}_{end}", below)


# ------------------------------------------------------------------------------------------- targets
def target_faults(battery: Battery) -> list[str]:
    """Return what is wrong with the targets of a battery against its limits of state of charge."""
    return [
        f"soc_targets: {target.rule} {target.soc:g} at {target.time.isoformat()}: must lie between "
        f"min_soc = {battery.min_soc:g} and max_soc = {battery.max_soc:g}"
        for target in battery.soc_targets
        if not battery.min_soc <= target.soc <= battery.max_soc
    ]


def off_boundary(battery: Battery, horizon: Horizon) -> list[str]:
    """Return a finding for each target within the horizon that is not at the end of a step."""
    boundaries = horizon.boundaries.to_numpy()
    findings = []
    for target in battery.soc_targets:
        moment = _utc(target.time)
        if boundaries[0] < moment < boundaries[-1] and moment not in boundaries:
            nearest = boundaries[int(np.argmin(np.abs(boundaries - moment)))]
            shown = [np.datetime_as_string(one, unit="s").replace("T", " ") for one in (moment, nearest)]
            findings.append(
                f"soc_targets: {shown[0]} UTC lies within a step: must be its end; the nearest end is {shown[1]} UTC"
            )
    return findings


def declare_targets(battery: Battery, unit: Unit) -> None:
    """Declare the state of charge at given moments; what lies outside the horizon is ignored.

    The content at the beginning of the horizon is given or, with a cyclic rule, that at its end, so a target at the
    beginning acts with a cyclic rule alone.
    """
    boundaries = unit.horizon.boundaries.to_numpy()
    first = 0 if battery.final_soc_rule == "cyclic" else 1
    for number, target in enumerate(battery.soc_targets, 1):
        for boundary in np.flatnonzero(boundaries == _utc(target.time)).tolist():
            if boundary < first:
                continue
            content, wanted_kwh = unit.energy_kwh[boundary], target.soc * battery.content_kwh
            if target.rule == "at_least":
                relation = content >= wanted_kwh
            else:
                relation = content == wanted_kwh if target.rule == "exactly" else content <= wanted_kwh
            unit.add_constraint(f"soc_target_{number}", relation)


def _utc(moment: dt.datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns")


# ------------------------------------------------------------------------------------------- days and reserve
def declare_daily_cycles(battery: Battery, unit: Unit, timezone: str) -> None:
    """Declare how much may be discharged in a calendar day of the site.

    sum(discharge[t] / discharge_efficiency * step[t] for t in day) <= max_cycles_per_d * content

    A step belongs to the day in which it begins; a day that is only partly in the horizon has its whole budget.
    """
    if battery.max_cycles_per_d is None:
        return
    local = unit.horizon.local_times(timezone).tz_localize(None).normalize().to_numpy()
    _, begins = np.unique(local, return_index=True)
    days = [range(begin, end) for begin, end in itertools.pairwise([*begins.tolist(), len(local)])]
    content_h = (unit.step_h / battery.discharge_efficiency).tolist()
    budget_kwh = battery.max_cycles_per_d * battery.content_kwh

    def daily_cycles(day: int) -> Any:
        return sum(unit.discharge_kw[t] * content_h[t] for t in days[day]) <= budget_kwh

    unit.add_constraint_each("daily_cycles", daily_cycles, over=range(len(days)))


def declare_reserve(battery: Battery, unit: Unit, inputs: AssetInputs, limits: BatteryLimits) -> None:
    """Declare the reserve that a battery can give, limited by its power and by its content.

    reserve_up[t] <= discharge_limit[t] - discharge[t] + charge[t]
    reserve_up[t] * hours / discharge_efficiency <= energy[t+1] - min_energy[t]
    reserve_down[t] <= charge_limit[t] - charge[t] + discharge[t]
    reserve_down[t] * hours * charge_efficiency <= max_energy[t] - energy[t+1]
    """
    span_kw = limits.charge_kw + limits.discharge_kw
    if inputs.reserve_up_h is not None:
        per_kw = inputs.reserve_up_h / battery.discharge_efficiency
        unit.add_variable("reserve_up_kw", upper=span_kw)
        unit.add_constraint(
            "reserve_up_power",
            lambda t: unit.reserve_up_kw[t] + unit.discharge_kw[t] - unit.charge_kw[t] <= limits.discharge_kw[t],
        )
        unit.add_constraint(
            "reserve_up_energy",
            lambda t: unit.energy_kwh[t + 1] - per_kw * unit.reserve_up_kw[t] >= limits.min_kwh[t],
        )
    if inputs.reserve_down_h is not None:
        per_taken_kw = inputs.reserve_down_h * battery.charge_efficiency
        unit.add_variable("reserve_down_kw", upper=span_kw)
        unit.add_constraint(
            "reserve_down_power",
            lambda t: unit.reserve_down_kw[t] + unit.charge_kw[t] - unit.discharge_kw[t] <= limits.charge_kw[t],
        )
        unit.add_constraint(
            "reserve_down_energy",
            lambda t: unit.energy_kwh[t + 1] + per_taken_kw * unit.reserve_down_kw[t] <= limits.max_kwh[t],
        )
