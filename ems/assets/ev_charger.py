"""EV charger: fields and part of a dispatch."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from ems.assets.asset import Asset, AssetInputs
from ems.horizon import Horizon
from ems.record import Efficiency, FromList, Moment, Name, NonNegative, Positive, Record


class ChargingSession(Record):
    """A vehicle's stay at a charger."""

    arrival: Moment
    """When the vehicle is plugged in."""
    departure: Moment
    """When it leaves; the energy must be in its battery by then."""
    energy_kwh: Positive
    """Energy that its battery shall have gained at departure."""

    @model_validator(mode="after")
    def _in_order(self) -> ChargingSession:
        if self.departure <= self.arrival:
            raise ValueError(f"departure = {self.departure.isoformat()}: must be after arrival")
        return self


class EvCharger(Asset):
    """A charging point for vehicles, which chooses when to charge within each stay."""

    kind: Literal["ev_charger"] = "ev_charger"
    max_power_kw: Positive
    """Highest charging power of a port, at the site's bus. Acts in dispatch and settlement."""
    number_of_ports: Annotated[int, Field(ge=1)] = 1
    """Vehicles that can be plugged in at the same time. Acts in dispatch and settlement."""
    simultaneous_charging: bool = False
    """Whether every port can give its full power at once; otherwise all share that of one. Acts in dispatch and
    settlement."""
    smart_charging_capable: bool = False
    """Whether charging can wait; otherwise each vehicle is charged at once as fast as it goes. Acts in dispatch."""
    charge_efficiency: Efficiency = 0.9
    """Energy stored in the vehicle per energy taken from the bus; 0.9 is usual for on-board chargers. Acts in dispatch
    and settlement."""
    sessions: Annotated[tuple[ChargingSession, ...], FromList] = ()
    """Stays of vehicles. Acts in dispatch and settlement."""
    charger_level: Literal["level_1", "level_2", "dc_fast", "ultra_fast"] | None = None
    """Class of its power. Acts in filters."""
    connector_type: Literal["type_1", "type_2", "ccs", "chademo", "tesla", "gbt"] | None = None
    """Plug. Acts in filters."""
    voltage_v: Positive | None = None
    """Nominal voltage. Describes only."""
    max_current_ampere: Positive | None = None
    """Highest current of a port. Describes only."""
    v2g_capable: bool = False
    """Whether vehicles can give power back. Describes only."""
    load_balancing: bool = False
    """Whether it shares power with other chargers. Describes only."""
    networked: bool = False
    """Whether it can be reached from afar. Describes only."""
    communication_protocol: Name | None = None
    """How it is talked to. Describes only."""
    ocpp_version: Name | None = None
    """Version of the Open Charge Point Protocol. Describes only."""
    usage_fee_per_kwh: NonNegative | None = None
    """What a driver pays for a kWh taken from the bus. Acts in dispatch and settlement, as an income."""
    idle_fee_per_min: NonNegative | None = None
    """What a driver pays for standing after charging. Describes only."""
    session_fee: NonNegative | None = None
    """What a driver pays for a stay. Describes only."""
    max_session_duration_min: Positive | None = None
    """Longest stay. Acts in the check of sessions."""
    reservation_capable: bool = False
    """Whether a stay can be booked. Describes only."""

    series_needed: ClassVar[tuple[str, ...]] = ()

    @property
    def total_limit_kw(self) -> float:
        """Highest power of all ports together."""
        return self.max_power_kw * (self.number_of_ports if self.simultaneous_charging else 1)

    @model_validator(mode="after")
    def _enough_ports(self) -> EvCharger:
        for session in self.sessions:
            minutes = (session.departure - session.arrival) / dt.timedelta(minutes=1)
            if self.max_session_duration_min is not None and minutes > self.max_session_duration_min:
                raise ValueError(
                    f"sessions: the stay from {session.arrival.isoformat()} lasts {minutes:g} min; at most "
                    f"max_session_duration_min = {self.max_session_duration_min:g} min are allowed"
                )
            present = sum(one.arrival <= session.arrival < one.departure for one in self.sessions)
            if present > self.number_of_ports:
                raise ValueError(
                    f"sessions: {present} vehicles are there at {session.arrival.isoformat()}, "
                    f"but number_of_ports = {self.number_of_ports}"
                )
        return self

    def check_horizon(self, horizon: Horizon) -> list[str]:
        """Return a finding for each session that reaches beyond the horizon or wants more than can be charged."""
        findings = []
        for number, session in enumerate(self.sessions, 1):
            if session.departure <= horizon.start or session.arrival >= horizon.end:
                continue
            name = f"session {number}"
            if session.arrival < horizon.start or session.departure > horizon.end:
                findings.append(
                    f"{name} reaches beyond the horizon, {horizon.start:%F %H:%M} to {horizon.end:%F %H:%M} UTC"
                )
                continue
            hours = (session.departure - session.arrival) / dt.timedelta(hours=1)
            reachable_kwh = self.max_power_kw * hours * self.charge_efficiency
            if session.energy_kwh > reachable_kwh * (1 + 1e-9):
                findings.append(
                    f"{name}: energy_kwh = {session.energy_kwh:g} kWh: at most {reachable_kwh:g} kWh can be reached "
                    f"({self.max_power_kw:g} kW x {hours:g} h x efficiency {self.charge_efficiency:g})"
                )
        if findings or self.smart_charging_capable:
            return findings
        limits_kw = self._limits_kw(horizon)
        stored_kwh = dict.fromkeys({number for number, _ in limits_kw}, 0.0)
        for (number, t), kw in self._at_once_kw(horizon, limits_kw).items():
            stored_kwh[number] += kw * horizon.steps_h[t] * self.charge_efficiency
        for number, kwh in stored_kwh.items():
            wanted_kwh = self.sessions[number].energy_kwh
            if kwh < wanted_kwh * (1 - 1e-9):
                findings.append(
                    f"session {number + 1}: energy_kwh = {wanted_kwh:g} kWh: only {kwh:g} kWh are reached when all "
                    "vehicles charge as soon as they come; set smart_charging_capable or simultaneous_charging"
                )
        return findings

    def _limits_kw(self, horizon: Horizon) -> dict[tuple[int, int], float]:
        """Return the highest mean power of each stay in each step in which its vehicle is there."""
        return {
            (number, int(t)): self.max_power_kw * share[t]
            for number, share in enumerate(presence(self.sessions, horizon))
            for t in np.flatnonzero(share)
        }

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare the charging power of each stay; its energy is complete at departure."""
        from pyomo.core import Constraint, Var

        model, horizon = unit.model(), inputs.horizon
        limits_kw = self._limits_kw(horizon)
        unit.session_kw = Var(list(limits_kw), bounds=lambda _unit, number, t: (0, limits_kw[number, t]))
        unit.charge_kw = Var(model.steps, bounds=(0, self.total_limit_kw))
        present: dict[int, list[int]] = {t: [] for t in horizon.steps}
        stays: dict[int, list[int]] = {}
        for number, t in limits_kw:
            present[t].append(number)
            stays.setdefault(number, []).append(t)

        # Who is there differs from step to step, which no template can say: the terms are written one by one.
        unit.charging_power = Constraint(model.steps)
        for t in horizon.steps:
            unit.charging_power[t] = unit.charge_kw[t] == sum(unit.session_kw[number, t] for number in present[t])
        if not self.smart_charging_capable:
            for key, kw in self._at_once_kw(horizon, limits_kw).items():
                unit.session_kw[key].fix(kw)
            return
        unit.session_energy = Constraint(list(stays))
        for number, steps in stays.items():
            stored_kwh = sum(unit.session_kw[number, t] * horizon.steps_h[t] for t in steps) * self.charge_efficiency
            unit.session_energy[number] = stored_kwh == self.sessions[number].energy_kwh

    def _at_once_kw(self, horizon: Horizon, limits_kw: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
        """Return the power of each stay and step when every vehicle charges from its arrival as fast as it goes.

        Vehicles that share the power of one port are served in the order of their arrival.
        """
        left_kwh = {
            number: session.energy_kwh / self.charge_efficiency for number, session in enumerate(self.sessions)
        }
        order = sorted(range(len(self.sessions)), key=lambda number: self.sessions[number].arrival)
        powers = {}
        for t in horizon.steps:
            free_kw = self.total_limit_kw
            for number in order:
                if (number, t) in limits_kw:
                    kw = min(limits_kw[number, t], free_kw, left_kwh[number] / horizon.steps_h[t])
                    powers[number, t] = kw
                    free_kw -= kw
                    left_kwh[number] -= kw * horizon.steps_h[t]
        return powers

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return what drivers pay, as an income."""
        if not self.usage_fee_per_kwh:
            return {}
        return {"usage_revenue": -self.usage_fee_per_kwh * unit.charge_kw[t] * step_h[t]}

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the charging power, negative because it leaves the bus, in kW."""
        return -unit.charge_kw[t]


def presence(sessions: tuple[ChargingSession, ...], horizon: Horizon) -> list[np.ndarray]:
    """Return for each session the share of each step during which the vehicle is there, shape (steps,)."""
    begin = horizon.boundaries.to_numpy()
    shares = []
    for session in sessions:
        arrival, departure = (
            np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns")
            for moment in (session.arrival, session.departure)
        )
        overlap = np.minimum(begin[1:], departure) - np.maximum(begin[:-1], arrival)
        hours = overlap / np.timedelta64(3600, "s")
        shares.append(np.clip(hours, 0, None) / horizon.step_h)
    return shares
