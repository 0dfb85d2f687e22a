"""Ports of a charger over a horizon: which vehicle is where and when, and its part of a dispatch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ems.assets.charging_session import ChargingSession
from ems.assets.unit import Unit
from ems.horizon import Horizon


@dataclass(frozen=True)
class Stay:
    """A session within a horizon: the neighbouring steps in which its vehicle is there.

    Parameters
    ----------
    number : int
        Place of the session among all of its charger, from 0.
    session : ChargingSession
    first : int
        Its first step.
    share : ndarray (steps of the stay,)
        Part of each of its steps during which the vehicle is there, above 0 and up to 1.
    """

    number: int
    session: ChargingSession
    first: int
    share: np.ndarray

    @property
    def end(self) -> int:
        """The step after its last one, which is also the boundary at which it is over."""
        return self.first + len(self.share)

    @property
    def steps(self) -> slice:
        """Its steps, to cut them out of an array."""
        return slice(self.first, self.end)


def stays_in(sessions: Sequence[ChargingSession], horizon: Horizon) -> list[Stay]:
    """Return the stays that meet a horizon, in the order of arrival."""
    boundaries = horizon.boundaries.to_numpy()
    hour = np.timedelta64(3600, "s")
    stays = []
    for number, session in sorted(enumerate(sessions), key=lambda item: item[1].arrival):
        arrival, departure = utc(session.arrival), utc(session.departure)
        if departure <= boundaries[0] or arrival >= boundaries[-1]:
            continue
        first = max(int(np.searchsorted(boundaries, arrival, side="right")) - 1, 0)
        end = min(int(np.searchsorted(boundaries, departure, side="left")), len(horizon))
        begins, ends = boundaries[first:end], boundaries[first + 1 : end + 1]
        hours = (np.minimum(ends, departure) - np.maximum(begins, arrival)) / hour
        stays.append(Stay(number, session, first, hours / horizon.step_h[first:end]))
    return stays


def utc(moment: dt.datetime) -> np.datetime64:
    """Return a moment in UTC as numpy has it, without zone."""
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns")


def ports_of(stays: Sequence[Stay]) -> list[list[Stay]]:
    """Return which stays take which port: each the first one that is free in all of its steps.

    Where one vehicle leaves and another comes within a step, they count as two ports in that step.

    Parameters
    ----------
    stays : sequence of Stay
        In the order of arrival.
    """
    ports: list[list[Stay]] = []
    for stay in stays:
        free = next((port for port in ports if port[-1].end <= stay.first), None)
        if free is None:
            ports.append([stay])
        else:
            free.append(stay)
    return ports


@dataclass(frozen=True)
class PortPlan:
    """What the stays at one port make of its power and content.

    ``energy[t+1] = carried[t] * energy[t] + brought_kwh[t] + (what is charged and discharged in t)``

    Parameters
    ----------
    share : ndarray (steps,)
        Part of each step in which a vehicle is there.
    carried : ndarray (steps,)
        1 where the vehicle of the step before stays on, else 0.
    brought_kwh : ndarray (steps,)
        Content with which a vehicle comes.
    lowest_kwh, highest_kwh : ndarray (steps + 1,)
        Limits of the content at each boundary, of the vehicle there in the step before it.
    """

    share: np.ndarray
    carried: np.ndarray
    brought_kwh: np.ndarray
    lowest_kwh: np.ndarray
    highest_kwh: np.ndarray

    @property
    def occupied(self) -> list[int]:
        """Steps in which a vehicle is there."""
        steps: list[int] = np.flatnonzero(self.share).tolist()
        return steps


def plan_port(stays: Sequence[Stay], steps: int, priced: frozenset[int]) -> PortPlan:
    """Return the plan of a port.

    Parameters
    ----------
    stays : sequence of Stay
        Those of one port, in the order of arrival.
    steps : int
        Number of steps of the horizon.
    priced : frozenset of int
        Numbers of the stays that may leave without their energy, at a price.
    """
    share, carried, brought = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    lowest, highest = np.zeros(steps + 1), np.zeros(steps + 1)
    for stay in stays:
        share[stay.steps] = stay.share
        carried[stay.first + 1 : stay.end] = 1
        brought[stay.first] = stay.session.arrival_energy_kwh
        if stay.first == 0 or share[stay.first - 1] == 0:
            lowest[stay.first] = highest[stay.first] = stay.session.arrival_energy_kwh
        highest[stay.first + 1 : stay.end + 1] = stay.session.highest_energy_kwh
        lowest[stay.end] = 0 if stay.number in priced else max(stay.session.departure_energy_kwh, 0)
    return PortPlan(share, carried, brought, lowest, highest)


def charge_at_once(
    stays: Sequence[Stay], horizon: Horizon, *, limit_kw: np.ndarray, total_kw: np.ndarray, charge_efficiency: float
) -> list[np.ndarray]:
    """Return the power of each stay in its steps when every vehicle charges from its arrival as fast as it goes.

    Vehicles that share the power of one port are served in the order of their arrival.

    Parameters
    ----------
    stays : sequence of Stay
        In the order of arrival.
    horizon : Horizon
    limit_kw, total_kw : ndarray (steps,)
        Highest power of a port and of all together.
    charge_efficiency : float
    """
    free_kw = total_kw.copy()
    powers = []
    for stay in stays:
        step_h = horizon.step_h[stay.steps]
        possible_kwh = np.minimum(limit_kw[stay.steps] * stay.share, free_kw[stay.steps]) * step_h
        before_kwh = np.cumsum(possible_kwh) - possible_kwh
        wanted_kwh = max(stay.session.energy_kwh, 0) / charge_efficiency
        kw = np.clip(wanted_kwh - before_kwh, 0, possible_kwh) / step_h
        free_kw[stay.steps] -= kw
        powers.append(kw)
    return powers


def port_name(name: str, number: int, ports: int) -> str:
    """Return what a variable of a port is called: ``port_2_charge_kw``; of an only port, ``charge_kw``."""
    return name if ports == 1 else f"port_{number}_{name}"


@dataclass(frozen=True)
class PortPowers:
    """Limits of a port's powers in each step, shape (steps,), as means over the step.

    Parameters
    ----------
    least_kw : ndarray
        Lowest power of a port that charges at all; 0 where it may be any.
    from_kw, to_kw : ndarray
        Range of the charging power; equal where it cannot be chosen.
    give_kw : ndarray, optional
        Highest power given back; None where none can be.
    """

    least_kw: np.ndarray
    from_kw: np.ndarray
    to_kw: np.ndarray
    give_kw: np.ndarray | None


def declare_port(
    unit: Unit, names: Mapping[str, str], plan: PortPlan, powers: PortPowers, efficiencies: tuple[float, float]
) -> None:
    """Declare power and content of the vehicles at a port.

    energy[t+1] = energy[t] + (charge_efficiency * charge[t] - discharge[t] / discharge_efficiency) * step

    The content starts anew with each vehicle. A vehicle never charges and gives back at once.

    Parameters
    ----------
    unit : Unit
    names : mapping of str to str
        What its variables are called.
    plan : PortPlan
    powers : PortPowers
    efficiencies : tuple of float
        Of charging and of giving back.
    """
    charge_efficiency, discharge_efficiency = efficiencies
    step_h = unit.step_h
    unit.add_variable(names["charge_kw"], lower=powers.from_kw, upper=powers.to_kw)
    unit.add_variable(names["energy_kwh"], "boundaries", plan.lowest_kwh, plan.highest_kwh)
    charge_kw, energy_kwh = getattr(unit, names["charge_kw"]), getattr(unit, names["energy_kwh"])
    if powers.give_kw is not None:
        unit.add_variable(names["discharge_kw"], upper=powers.give_kw)
    discharge_kw = None if powers.give_kw is None else getattr(unit, names["discharge_kw"])

    def energy_balance(t: Any) -> Any:
        stored_kw = charge_efficiency * charge_kw[t]
        if discharge_kw is not None:
            stored_kw = stored_kw - discharge_kw[t] * (1 / discharge_efficiency)
        return energy_kwh[t + 1] == energy_kwh[t] * plan.carried[t] + stored_kw * step_h[t] + plan.brought_kwh[t]

    unit.add_constraint(names["energy_balance"], energy_balance, over=plan.occupied)
    has_least = bool(np.any(powers.least_kw > 0))
    if has_least:
        unit.add_variable(names["is_charging"], upper=(powers.to_kw >= powers.least_kw) * 1.0, is_binary=True)
        is_charging = getattr(unit, names["is_charging"])
        over = plan.occupied
        unit.add_constraint(
            names["highest_charge"], lambda t: charge_kw[t] <= powers.to_kw[t] * is_charging[t], over=over
        )
        unit.add_constraint(
            names["lowest_charge"], lambda t: charge_kw[t] >= powers.least_kw[t] * is_charging[t], over=over
        )
    give_kw = powers.give_kw
    if discharge_kw is None or give_kw is None:
        return
    both = np.flatnonzero((powers.to_kw > 0) & (give_kw > 0)).tolist()
    if has_least:
        unit.add_constraint(
            names["one_direction"], lambda t: discharge_kw[t] <= give_kw[t] * (1 - is_charging[t]), over=both
        )
    else:
        highest_kw = np.where(powers.to_kw > 0, powers.to_kw, 1.0)
        highest_give_kw = np.where(give_kw > 0, give_kw, 1.0)
        unit.add_constraint(
            names["one_direction"],
            lambda t: charge_kw[t] * (1 / highest_kw[t]) + discharge_kw[t] * (1 / highest_give_kw[t]) <= 1,
            over=both,
        )
        unit.exclude(names["charge_kw"], names["discharge_kw"])
