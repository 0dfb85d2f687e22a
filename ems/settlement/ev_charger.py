"""Settlement of an EV charger: what drivers pay and lack, and the energy of their vehicles replayed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ems.assets.charging_session import ChargingSession
from ems.assets.ev_charger import EvCharger
from ems.errors import MissingValues
from ems.settlement.ledger import TOLERANCE, Ledger, Replay, Schedule


@dataclass(frozen=True)
class Vehicle:
    """A vehicle at a charger: the hours that it is there in each step, shape (steps,), and the port that it takes."""

    session: ChargingSession
    there_h: np.ndarray
    port: int

    @property
    def is_there(self) -> np.ndarray:
        """Whether it is there in a part of each step."""
        return self.there_h > 0


def bill(asset: EvCharger, ledger: Ledger) -> None:
    """Write what drivers pay, as an income, what power given back costs, and what vehicles lack."""
    if asset.usage_fee_per_kwh:
        price = np.full(len(ledger.step_h), -asset.usage_fee_per_kwh)
        ledger.add_energy(asset.id, "usage_revenue", ledger.flow("charge_kw", asset.id), price)
    if asset.v2g_capable and asset.discharge_cost_per_kwh:
        price = np.full(len(ledger.step_h), asset.discharge_cost_per_kwh)
        ledger.add_energy(asset.id, "wear_cost", ledger.flow("discharge_kw", asset.id), price)
    vehicles = _vehicles(asset, ledger)
    priced = [(vehicle, _price(asset, vehicle.session)) for vehicle in vehicles]
    if any(kwh_price is not None for _, kwh_price in priced):
        missing_kwh = cost = 0.0
        for vehicle, kwh_price in priced:
            if kwh_price is not None:
                content = _contents_kwh(asset, vehicle, len(_ports(vehicles)), ledger)[-1]
                wanted = vehicle.session.arrival_energy_kwh + vehicle.session.energy_kwh
                missing_kwh += max(wanted - content, 0.0)
                cost += max(wanted - content, 0.0) * kwh_price
        ledger.add(asset.id, "unmet_cost", missing_kwh, "kWh", cost)


def replay(asset: EvCharger, replay: Replay) -> np.ndarray:
    """Check powers against the vehicles that are there, and the energy of each; return the power into the bus."""
    charge = replay.power("charge_kw", asset.id)
    give = replay.power("discharge_kw", asset.id) if asset.v2g_capable else np.zeros_like(charge)
    vehicles = _vehicles(asset, replay)
    at_once = asset.number_of_ports if asset.simultaneous_charging else 1
    there = sum((one.there_h / replay.step_h for one in vehicles), np.zeros_like(charge))
    limits_kw = _limits_kw(asset, replay)
    for word, power, limit in zip(("charges", "gives back"), (charge, give), limits_kw, strict=True):
        most = limit * np.minimum(there, at_once)
        replay.note(asset.id, f"{word} above what the vehicles there can take", power - most)
    is_plain = not asset.v2g_capable and all(_is_plain(asset, one.session) for one in vehicles)
    if is_plain:
        _check_sums(asset, vehicles, charge, replay)
    ports = _ports(vehicles)
    if len(ports) > 1 and f"port_{ports[0]}_charge_kw" in replay.flows:
        for name, total in (("charge_kw", charge), ("discharge_kw", give)):
            if name == "charge_kw" or asset.v2g_capable:
                parts = sum((_flow(asset, port, len(ports), name, replay) for port in ports), np.zeros_like(charge))
                replay.note(asset.id, f"{name} of its ports differs from its own", np.abs(parts - total))
    injection: np.ndarray = give - charge
    if len(ports) > 1 and f"port_{ports[0]}_charge_kw" not in replay.flows:
        return injection
    for port in ports:
        _check_port(asset, [one for one in vehicles if one.port == port], len(ports), limits_kw, replay)
    if not is_plain or len(ports) > 1:
        for vehicle in vehicles:
            _check_vehicle(asset, vehicle, len(ports), replay)
    return injection


def _check_sums(asset: EvCharger, vehicles: list[Vehicle], charge: np.ndarray, replay: Replay) -> None:
    """Check all vehicles together, where each wants to be full at departure.

    What the vehicles that left had wanted <= energy charged so far <= what the vehicles that came want.
    """
    left_kwh, came_kwh = np.zeros_like(charge), np.zeros_like(charge)
    for vehicle in vehicles:
        first, last = np.flatnonzero(vehicle.is_there)[[0, -1]]
        came_kwh[first:] += vehicle.session.energy_kwh
        if not _stays_on(vehicle, replay):
            left_kwh[last:] += vehicle.session.energy_kwh
    stored_kwh = np.cumsum(charge * replay.step_h) * asset.charge_efficiency
    scale = float(stored_kwh[-1])
    replay.note(asset.id, "a vehicle leaves without its energy", left_kwh - stored_kwh, "kWh", scale)
    replay.note(asset.id, "charges more than the vehicles that came want", stored_kwh - came_kwh, "kWh", scale)


def _check_port(
    asset: EvCharger,
    vehicles: list[Vehicle],
    ports: int,
    limits_kw: tuple[np.ndarray, np.ndarray],
    replay: Replay,
) -> None:
    """Check the powers of a port: its limits, its lowest power, and that it has one direction."""
    port = vehicles[0].port
    there = sum((one.there_h for one in vehicles), np.zeros_like(replay.step_h)) / replay.step_h
    charge = _flow(asset, port, ports, "charge_kw", replay)
    give = _flow(asset, port, ports, "discharge_kw", replay) if asset.v2g_capable else np.zeros_like(charge)
    name = f"port {port} " if ports > 1 else ""
    if ports > 1:
        for word, power, limit in zip(("charges", "gives back"), (charge, give), limits_kw, strict=True):
            replay.note(asset.id, f"{name}{word} above its limit", power - limit * there)
    replay.note(asset.id, f"{name}charges and gives back at once", np.minimum(charge, give))
    if asset.smart_charging_capable and asset.min_charge_kw > 0:
        # A solver counts a decision as 0 below 1e-6; times the highest power, that is what passes without one.
        slack_kw = TOLERANCE * limits_kw[0]
        below = np.where(charge > TOLERANCE + slack_kw, asset.min_charge_kw * there - charge - slack_kw, 0.0)
        replay.note(asset.id, f"{name}charges below {asset.min_charge_kw:g} kW", below)


def _check_vehicle(asset: EvCharger, vehicle: Vehicle, ports: int, replay: Replay) -> None:
    """Check the content of a vehicle at the end of each of its steps, and what it has at departure."""
    session = vehicle.session
    wanted = session.arrival_energy_kwh + session.energy_kwh
    most = session.battery_capacity_kwh or max(wanted, session.arrival_energy_kwh)
    contents = np.zeros(len(replay.step_h))
    contents[vehicle.is_there] = _contents_kwh(asset, vehicle, ports, replay)
    name = f"the vehicle of {session.arrival:%F %H:%M}"
    over, under = contents - most, -contents
    replay.note(asset.id, f"{name} holds more than it can", np.where(vehicle.is_there, over, 0.0), "kWh", most)
    replay.note(asset.id, f"{name} holds less than nothing", np.where(vehicle.is_there, under, 0.0), "kWh", most)
    if _price(asset, session) is None and not _stays_on(vehicle, replay):
        last = int(np.flatnonzero(vehicle.is_there)[-1])
        missing = np.zeros(len(contents))
        missing[last] = wanted - contents[last]
        replay.note(asset.id, f"{name} leaves without its energy", missing, "kWh", most)


def _contents_kwh(asset: EvCharger, vehicle: Vehicle, ports: int, schedule: Schedule) -> np.ndarray:
    """Return the content of a vehicle at the end of each step in which it is there."""
    charge = _flow(asset, vehicle.port, ports, "charge_kw", schedule)
    stored_kw = charge * asset.charge_efficiency
    if asset.v2g_capable:
        stored_kw = (
            stored_kw - _flow(asset, vehicle.port, ports, "discharge_kw", schedule) / asset.discharge_efficiency
        )
    stored_kwh = (stored_kw * schedule.step_h)[vehicle.is_there]
    contents: np.ndarray = vehicle.session.arrival_energy_kwh + np.cumsum(stored_kwh)
    return contents


def _flow(asset: EvCharger, port: int, ports: int, name: str, schedule: Schedule) -> np.ndarray:
    """Return a power of a port; that of the charger where it has only one."""
    own = name if ports == 1 else f"port_{port}_{name}"
    if own not in schedule.flows:
        raise MissingValues(f"{own} of '{asset.id}'", "is not in the schedule, so that no vehicle's energy is known")
    return schedule.flow(own, asset.id)


def _vehicles(asset: EvCharger, schedule: Schedule) -> list[Vehicle]:
    """Return the vehicles that come within the schedule, in the order of arrival.

    Each takes the port with the lowest number at which nobody else is in any of its steps.
    """
    begin = schedule.times
    end = begin + (schedule.step_h * 3600).round().astype("timedelta64[s]")
    taken: list[np.ndarray] = []
    found = []
    for session, arrival, departure in _by_arrival(asset.sessions):
        if departure <= begin[0] or arrival >= end[-1]:
            continue
        there_h = np.clip((np.minimum(end, departure) - np.maximum(begin, arrival)) / np.timedelta64(1, "h"), 0, None)
        port = next((number for number, busy in enumerate(taken) if not (busy & (there_h > 0)).any()), len(taken))
        if port == len(taken):
            taken.append(np.zeros(len(begin), dtype=bool))
        taken[port] |= there_h > 0
        found.append(Vehicle(session, there_h, port + 1))
    return found


def _by_arrival(
    sessions: tuple[ChargingSession, ...],
) -> Iterator[tuple[ChargingSession, np.datetime64, np.datetime64]]:
    for session in sorted(sessions, key=lambda one: one.arrival):
        yield session, _utc(session.arrival), _utc(session.departure)


def _stays_on(vehicle: Vehicle, schedule: Schedule) -> bool:
    """Return whether a vehicle is still there when the schedule ends."""
    length = np.timedelta64(round(float(schedule.step_h[-1]) * 3600), "s")
    return bool(_utc(vehicle.session.departure) > schedule.times[-1] + length)


def _ports(vehicles: list[Vehicle]) -> list[int]:
    return sorted({vehicle.port for vehicle in vehicles})


def _limits_kw(asset: EvCharger, schedule: Schedule) -> tuple[np.ndarray, np.ndarray]:
    """Return the highest charging and returning power of a port in each step."""
    most = schedule.over_steps(asset, "max_power_kw")
    if not asset.v2g_capable:
        return most, np.zeros_like(most)
    return most, schedule.over_steps(asset, "max_discharge_kw")


def _is_plain(asset: EvCharger, session: ChargingSession) -> bool:
    """Return whether a vehicle leaves with just what it wants, whatever that costs."""
    full = session.arrival_energy_kwh + session.energy_kwh
    can_take_no_more = session.battery_capacity_kwh is None or session.battery_capacity_kwh <= full
    return can_take_no_more and session.energy_kwh >= 0 and _price(asset, session) is None


def _price(asset: EvCharger, session: ChargingSession) -> float | None:
    """Return what a kWh costs that a vehicle lacks at departure; None where it must not lack any."""
    return asset.unmet_cost_per_kwh if session.unmet_cost_per_kwh is None else session.unmet_cost_per_kwh


def _utc(moment: dt.datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns")
