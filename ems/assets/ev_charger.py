"""EV charger: fields and part of a dispatch."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from ems.assets.asset import Asset, AssetInputs
from ems.horizon import Horizon
from ems.record import Efficiency, FromList, Moment, Positive, Record


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
    """Highest charging power of a port, at the site's bus."""
    number_of_ports: Annotated[int, Field(ge=1)] = 1
    """Vehicles that can charge at the same time."""
    charge_efficiency: Efficiency = 0.9
    """Energy stored in the vehicle per energy taken from the bus; 0.9 is usual for on-board chargers."""
    sessions: Annotated[tuple[ChargingSession, ...], FromList] = ()
    """Stays of vehicles."""

    series_needed: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _enough_ports(self) -> EvCharger:
        for session in self.sessions:
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
        return findings

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare the charging power of each stay; its energy is complete at departure."""
        from pyomo.core import Constraint, Var

        model, horizon = unit.model(), inputs.horizon
        limits_kw = {
            (number, int(t)): self.max_power_kw * share[t]
            for number, share in enumerate(presence(self.sessions, horizon))
            for t in np.flatnonzero(share)
        }
        unit.session_kw = Var(list(limits_kw), bounds=lambda _unit, number, t: (0, limits_kw[number, t]))
        unit.charge_kw = Var(model.steps, bounds=(0, self.max_power_kw * self.number_of_ports))
        present: dict[int, list[int]] = {t: [] for t in horizon.steps}
        stays: dict[int, list[int]] = {}
        for number, t in limits_kw:
            present[t].append(number)
            stays.setdefault(number, []).append(t)

        # Who is there differs from step to step, which no template can say: the terms are written one by one.
        unit.charging_power = Constraint(model.steps)
        for t in horizon.steps:
            unit.charging_power[t] = unit.charge_kw[t] == sum(unit.session_kw[number, t] for number in present[t])
        unit.session_energy = Constraint(list(stays))
        for number, steps in stays.items():
            stored_kwh = sum(unit.session_kw[number, t] * horizon.steps_h[t] for t in steps) * self.charge_efficiency
            unit.session_energy[number] = stored_kwh == self.sessions[number].energy_kwh

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
