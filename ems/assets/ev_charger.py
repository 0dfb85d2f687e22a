"""EV charger: fields and part of a dispatch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from ems.assets.asset import Asset, AssetInputs
from ems.assets.charging_port import (
    PortPowers,
    Stay,
    charge_at_once,
    declare_port,
    plan_port,
    port_name,
    ports_of,
    stays_in,
)
from ems.assets.charging_session import ChargingSession
from ems.assets.unit import Unit
from ems.horizon import Horizon
from ems.record import Efficiency, FromList, Name, NonNegative, Positive


class EvCharger(Asset):
    """A charging point for vehicles, which chooses when to charge within each stay.

    Each port follows the content of the vehicle at it; of several ports the results are told apart by number:
    ``port_2_charge_kw``. Vehicles take the ports in the order of arrival, each the first one that is free.
    """

    kind: Literal["ev_charger"] = "ev_charger"
    max_power_kw: Positive
    """Highest charging power of a port, at the site's bus; may change with time. Acts in dispatch and settlement."""
    min_charge_kw: NonNegative = 0
    """Lowest power of a port that charges at all; follows from its lowest current. Acts in dispatch and settlement,
    where charging can wait."""
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
    unmet_cost_per_kwh: NonNegative | None = None
    """Price of each kWh that a vehicle lacks at departure; nothing may lack where nothing is given, here or in its
    session. Acts in dispatch and settlement."""
    charger_level: Literal["level_1", "level_2", "dc_fast", "ultra_fast"] | None = None
    """Class of its power. Acts in filters."""
    connector_type: Literal["type_1", "type_2", "ccs", "chademo", "tesla", "gbt"] | None = None
    """Plug. Acts in filters."""
    voltage_v: Positive | None = None
    """Nominal voltage. Acts in dispatch, by the power of the lowest current."""
    max_current_ampere: Positive | None = None
    """Highest current of a port. Acts in dispatch, by the power of the lowest current."""
    min_current_ampere: Positive | None = None
    """Lowest current of a port that charges; 6 A by IEC 61851-1. Its power is that share of the highest power which it
    is of the highest current, else current by voltage. Acts in dispatch and settlement."""
    v2g_capable: bool = False
    """Whether vehicles can give power back. Acts in dispatch and settlement."""
    max_discharge_kw: Positive
    """Highest power that a port gives back, at the site's bus; the charging one where nothing is given; may change
    with time. Acts in dispatch and settlement, where vehicles can give power back."""
    discharge_efficiency: Efficiency = 0.9
    """Energy given to the bus per energy taken from the vehicle. Acts in dispatch and settlement, where vehicles can
    give power back."""
    discharge_cost_per_kwh: NonNegative = 0
    """What each kWh given back costs, at the bus: wear of the battery, or what its driver gets. Acts in dispatch and
    settlement, where vehicles can give power back."""
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

    series_optional: ClassVar[tuple[str, ...]] = ("max_power_kw", "max_discharge_kw")

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the power given back from the charging power, and the lowest power from the lowest current."""
        return {
            **super().derive(given),
            "max_discharge_kw": given.get("max_power_kw"),
            "min_charge_kw": _power_of_current(given),
        }

    @property
    def ports_at_once(self) -> int:
        """Ports that can have their full power at the same time."""
        return self.number_of_ports if self.simultaneous_charging else 1

    @property
    def total_limit_kw(self) -> float:
        """Highest power of all ports together."""
        return self.max_power_kw * self.ports_at_once

    @model_validator(mode="after")
    def _powers_in_order(self) -> EvCharger:
        if self.v2g_capable and not self.smart_charging_capable:
            raise ValueError("v2g_capable = true: has no effect unless smart_charging_capable = true; set it, too")
        if self.min_current_ampere is not None:
            power_kw = _power_of_current(dict(self))
            if power_kw is None:
                raise ValueError(
                    f"min_current_ampere = {self.min_current_ampere:g} A: needs max_current_ampere or voltage_v to be "
                    "a power"
                )
            if abs(self.min_charge_kw - power_kw) > 1e-6 * power_kw:
                raise ValueError(
                    f"min_charge_kw = {self.min_charge_kw:g} kW: min_current_ampere makes it {power_kw:g} kW; give one"
                )
        if self.min_charge_kw > self.max_power_kw * (1 + 1e-9):
            raise ValueError(
                f"min_charge_kw = {self.min_charge_kw:g} kW: must be at most max_power_kw = {self.max_power_kw:g} kW"
            )
        return self

    @model_validator(mode="after")
    def _enough_ports(self) -> EvCharger:
        for session in self.sessions:
            minutes = (session.departure - session.arrival) / dt.timedelta(minutes=1)
            if self.max_session_duration_min is not None and minutes > self.max_session_duration_min:
                raise ValueError(
                    f"sessions: the stay from {session.arrival.isoformat()} lasts {minutes:g} min; at most "
                    f"max_session_duration_min = {self.max_session_duration_min:g} min are allowed"
                )
        # A vehicle that leaves makes room for one that comes at the same moment.
        moves = sorted([(one.departure, -1) for one in self.sessions] + [(one.arrival, 1) for one in self.sessions])
        present = 0
        for moment, change in moves:
            present += change
            if present > self.number_of_ports:
                raise ValueError(
                    f"sessions: {present} vehicles are there at {moment.isoformat()}, "
                    f"but number_of_ports = {self.number_of_ports}"
                )
        return self

    def check_horizon(self, horizon: Horizon) -> list[str]:
        """Return a finding for each session that reaches beyond the horizon or wants more than can be charged."""
        findings = []
        stays = stays_in(self.sessions, horizon)
        for stay in sorted(stays, key=lambda one: one.number):
            session, name = stay.session, f"session {stay.number + 1}"
            if session.arrival < horizon.start or session.departure > horizon.end:
                findings.append(
                    f"{name} reaches beyond the horizon, {horizon.start:%F %H:%M} to {horizon.end:%F %H:%M} UTC"
                )
                continue
            hours = (session.departure - session.arrival) / dt.timedelta(hours=1)
            reachable_kwh = self.max_power_kw * hours * self.charge_efficiency
            if self.unmet_price_of(session) is None and session.energy_kwh > reachable_kwh * (1 + 1e-9):
                findings.append(
                    f"{name}: energy_kwh = {session.energy_kwh:g} kWh: at most {reachable_kwh:g} kWh can be reached "
                    f"({self.max_power_kw:g} kW x {hours:g} h x efficiency {self.charge_efficiency:g})"
                )
        if findings or self.smart_charging_capable:
            return findings
        limit_kw = np.full(len(horizon), self.max_power_kw)
        for stay, charge_kw in zip(stays, self._at_once_kw(stays, horizon, limit_kw), strict=True):
            wanted_kwh = stay.session.energy_kwh
            kwh = float(charge_kw @ horizon.step_h[stay.steps]) * self.charge_efficiency
            if self.unmet_price_of(stay.session) is None and kwh < wanted_kwh * (1 - 1e-9):
                findings.append(
                    f"session {stay.number + 1}: energy_kwh = {wanted_kwh:g} kWh: only {kwh:g} kWh are reached when "
                    "all vehicles charge as soon as they come; set smart_charging_capable or simultaneous_charging"
                )
        return findings

    def unmet_price_of(self, session: ChargingSession) -> float | None:
        """Return the price of a kWh that a vehicle lacks at departure; None where nothing may lack."""
        return self.unmet_cost_per_kwh if session.unmet_cost_per_kwh is None else session.unmet_cost_per_kwh

    def _at_once_kw(self, stays: list[Stay], horizon: Horizon, limit_kw: np.ndarray) -> list[np.ndarray]:
        return charge_at_once(
            stays,
            horizon,
            limit_kw=limit_kw,
            total_kw=limit_kw * self.ports_at_once,
            charge_efficiency=self.charge_efficiency,
        )

    def declare(self, unit: Unit, inputs: AssetInputs) -> None:
        """Declare power and content of each port, what all take and give together, and what vehicles lack."""
        steps = len(inputs.horizon)
        stays = stays_in(self.sessions, inputs.horizon)
        ports = ports_of(stays)
        limit_kw = self.over_steps("max_power_kw", inputs)
        give_kw = self.over_steps("max_discharge_kw", inputs) if self.v2g_capable else None
        priced = frozenset(stay.number for stay in stays if self.unmet_price_of(stay.session) is not None)
        charge_kw = np.zeros((len(ports), steps))
        if not self.smart_charging_capable:
            place = {stay.number: number for number, port in enumerate(ports) for stay in port}
            for stay, kw in zip(stays, self._at_once_kw(stays, inputs.horizon, limit_kw), strict=True):
                charge_kw[place[stay.number], stay.steps] = kw
        for number, port in enumerate(ports):
            plan = plan_port(port, steps, priced)
            highest_kw = limit_kw * plan.share
            powers = PortPowers(
                least_kw=self.min_charge_kw * plan.share * self.smart_charging_capable,
                from_kw=charge_kw[number],
                to_kw=highest_kw if self.smart_charging_capable else charge_kw[number],
                give_kw=None if give_kw is None else give_kw * plan.share,
            )
            names = {name: port_name(name, number + 1, len(ports)) for name in _PORT_NAMES}
            declare_port(unit, names, plan, powers, (self.charge_efficiency, self.discharge_efficiency))
        self._declare_totals(unit, limit_kw, give_kw, len(ports))
        self._declare_unmet(unit, ports, priced)

    def _declare_totals(self, unit: Unit, limit_kw: np.ndarray, give_kw: np.ndarray | None, ports: int) -> None:
        """Declare what all ports take and give together; an only port is told by its own variables."""
        if ports == 1:
            return
        for name, port_kw in (("charge_kw", limit_kw), ("discharge_kw", give_kw)):
            if port_kw is None:
                continue
            unit.add_variable(name, upper=port_kw * (self.ports_at_once if ports else 0))
            total, members = getattr(unit, name), [getattr(unit, one) for one in _of_each_port(name, ports)]

            def all_ports(t: Any, total: Any = total, members: list[Any] = members) -> Any:
                return total[t] == sum(member[t] for member in members)

            if members:
                unit.add_constraint(f"all_ports_{name.removesuffix('_kw')}", all_ports)

    def _declare_unmet(self, unit: Unit, ports: list[list[Stay]], priced: frozenset[int]) -> None:
        """Declare what vehicles lack at departure, where that has a price."""
        stays = sorted((stay for port in ports for stay in port if stay.number in priced), key=lambda one: one.number)
        if not stays:
            return
        wanted_kwh = {stay.number: max(stay.session.departure_energy_kwh, 0.0) for stay in stays}
        unit.add_variable("unmet_kwh", list(wanted_kwh), upper=np.array(list(wanted_kwh.values())))
        content_kwh = {
            stay.number: getattr(unit, name)[stay.end]
            for name, port in zip(_of_each_port("energy_kwh", len(ports)), ports, strict=True)
            for stay in port
        }
        unit.add_constraint_each(
            "departure_energy",
            lambda number: content_kwh[number] + unit.unmet_kwh[number] >= wanted_kwh[number],
            over=list(wanted_kwh),
        )

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return what vehicles give back less what they take, in kW."""
        return unit.discharge_kw[t] - unit.charge_kw[t] if unit.has("discharge_kw") else -unit.charge_kw[t]

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return what drivers pay, as an income, and what they get for power given back."""
        costs = {}
        if self.usage_fee_per_kwh:
            costs["usage_revenue"] = -self.usage_fee_per_kwh * unit.charge_kw[t] * step_h[t]
        if self.discharge_cost_per_kwh and unit.has("discharge_kw"):
            costs["wear_cost"] = self.discharge_cost_per_kwh * unit.discharge_kw[t] * step_h[t]
        return costs

    def costs_once(self, unit: Any) -> dict[str, Any]:
        """Return the price of what vehicles lack at departure."""
        if not unit.has("unmet_kwh"):
            return {}
        prices = {stay.number: self.unmet_price_of(stay.session) for stay in stays_in(self.sessions, unit.horizon)}
        return {
            "unmet_cost": sum(
                price * unit.unmet_kwh[number] for number, price in sorted(prices.items()) if price is not None
            )
        }

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return the content of all vehicles there, at each boundary."""
        ports = len(ports_of(stays_in(self.sessions, unit.horizon)))
        if ports == 1:
            return {}
        contents = [getattr(unit, name) for name in _of_each_port("energy_kwh", ports)]
        return {"energy_kwh": sum(contents, np.zeros(len(unit.horizon) + 1))}


_PORT_NAMES = (
    "charge_kw",
    "discharge_kw",
    "energy_kwh",
    "is_charging",
    "energy_balance",
    "highest_charge",
    "lowest_charge",
    "one_direction",
)
"""Variables and constraints of a port."""


def _of_each_port(name: str, ports: int) -> list[str]:
    return [port_name(name, number + 1, ports) for number in range(ports)]


def _power_of_current(given: Mapping[str, Any]) -> float | None:
    """Return the power of a port's lowest current; what is no number is left to the check of its field."""
    lowest, highest, voltage_v, max_power_kw = (
        _number(given.get(name)) for name in ("min_current_ampere", "max_current_ampere", "voltage_v", "max_power_kw")
    )
    if lowest is None:
        return None
    if highest and max_power_kw:  # right for one phase and for three
        return max_power_kw * lowest / highest
    return lowest * voltage_v / 1000 if voltage_v else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
