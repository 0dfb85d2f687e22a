"""Replay: energy and power of a schedule recomputed step by step with the equipment's limits; violations named."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.assets.variable_renewable import VariableRenewable

TOLERANCE = 1e-5
"""In kW and kWh: an order above the solvers' feasibility tolerance of 1e-6, as tolerances of several steps add up."""


@dataclass
class _Replay:
    """A schedule under check, and the laws found broken so far."""

    flows: xr.Dataset
    series: xr.Dataset
    found: list[str] = field(default_factory=list)

    @property
    def step_h(self) -> np.ndarray:
        values: np.ndarray = self.flows.step_h.to_numpy()
        return values

    @property
    def times(self) -> np.ndarray:
        values: np.ndarray = self.flows.time.to_numpy()
        return values

    def power(self, name: str, asset_id: str) -> np.ndarray:
        """Return a flow that may not be negative."""
        values: np.ndarray = self.flows[name].sel(asset=asset_id).to_numpy()
        self.note(asset_id, f"{name} is negative", -values)
        return values

    def given(self, name: str, asset_id: str) -> np.ndarray:
        values: np.ndarray = self.series[name].sel(asset=asset_id).to_numpy()
        return values

    def note(self, asset_id: str, law: str, excess: np.ndarray, unit: str = "kW") -> None:
        """Note a law that is broken where ``excess``, shape (steps,), is above the tolerance, with the worst step."""
        worst = int(np.argmax(excess))
        # A NaN is a value that nobody can check, and counts as broken.
        if not np.all(excess <= TOLERANCE):
            when = np.datetime_as_string(self.times[worst], unit="m").replace("T", " ")
            self.found.append(f"'{asset_id}': {law} by {excess[worst]:.6g} {unit} at {when} UTC")


def violations_of(flows: xr.Dataset, series: xr.Dataset, portfolio: Portfolio) -> list[str]:
    """Return one sentence for each law that a schedule breaks: limits, energy of stores, balance of sites.

    Parameters
    ----------
    flows : Dataset (time, asset)
        The schedule, as a dispatch or a meter gives it.
    series : Dataset (time, asset)
        Demand and available power.
    portfolio : Portfolio

    Returns
    -------
    list of str
        Empty where the schedule is sound; each sentence names asset, law, time (UTC) and size.
    """
    replay = _Replay(flows, series)
    balance = {site.id: np.zeros(len(replay.times)) for site in portfolio.sites}
    for asset in portfolio.active():
        balance[asset.site_id] += _REPLAYS[type(asset)](replay, asset)
    for site_id, sums in balance.items():
        replay.note(site_id, "the power balance is open", np.abs(sums))
    return replay.found


def replay_energy_kwh(
    battery: Battery, charge_kw: np.ndarray, discharge_kw: np.ndarray, step_h: np.ndarray
) -> np.ndarray:
    """Return the content of a battery at each boundary when it follows given powers, shape (steps + 1,)."""
    content = [battery.initial_soc * content_of(battery)]
    for charge, discharge, hours in zip(charge_kw, discharge_kw, step_h, strict=True):
        stored_kw = charge * battery.charge_efficiency - discharge / battery.discharge_efficiency
        content.append(content[-1] + stored_kw * hours)
    return np.array(content)


def _replay_battery(replay: _Replay, asset: Battery) -> np.ndarray:
    charge, discharge = replay.power("charge_kw", asset.id), replay.power("discharge_kw", asset.id)
    for word, power_kw, limits in (
        ("charges", charge, (asset.max_charge_kw, asset.continuous_charge_kw)),
        ("discharges", discharge, (asset.max_discharge_kw, asset.continuous_discharge_kw)),
    ):
        for limit_kw in limits:
            if limit_kw is not None:
                replay.note(asset.id, f"{word} above {limit_kw:g} kW", power_kw - limit_kw)
    _check_ramps(replay, asset.id, discharge - charge, asset.ramp_up_rate_kw_per_s, asset.ramp_down_rate_kw_per_s)
    replay.note(asset.id, "charges and discharges at once", np.minimum(charge, discharge))
    energy = replay_energy_kwh(asset, charge, discharge, replay.step_h)
    replay.note(asset.id, "content above max_soc", energy[1:] - asset.max_soc * content_of(asset), "kWh")
    replay.note(asset.id, "content below min_soc", asset.min_soc * content_of(asset) - energy[1:], "kWh")
    if "energy_kwh" in replay.flows:
        planned = replay.flows.energy_kwh.sel(asset=asset.id).to_numpy()
        replay.note(asset.id, "content differs from the plan's", np.abs(energy - planned)[1:], "kWh")
    missing = asset.target_soc * content_of(asset) - energy[1:]
    missing[:-1] = 0  # only the end of the last step has a target
    if asset.final_soc_rule != "free":
        excess = np.abs(missing) if asset.final_soc_rule == "exactly" else missing
        replay.note(asset.id, "final content misses target_soc", excess, "kWh")
    injection: np.ndarray = discharge - charge - asset.auxiliary_load_kw
    return injection


def _replay_grid_connection(replay: _Replay, asset: GridConnection) -> np.ndarray:
    imports, exports = replay.power("import_kw", asset.id), replay.power("export_kw", asset.id)
    replay.note(asset.id, f"imports above {asset.import_limit_kw:g} kW", imports - asset.import_limit_kw)
    replay.note(asset.id, f"exports above {asset.export_limit_kw:g} kW", exports - asset.export_limit_kw)
    replay.note(asset.id, "imports and exports at once", np.minimum(imports, exports))
    _check_ramps(replay, asset.id, imports - exports, asset.ramp_up_rate_kw_per_s, asset.ramp_down_rate_kw_per_s)
    injection: np.ndarray = imports - exports - asset.transformer_losses_kw
    return injection


def _replay_load(replay: _Replay, asset: Load) -> np.ndarray:
    demand, unserved = replay.given("demand_kw", asset.id), replay.power("unserved_kw", asset.id)
    may_share = 0.0 if not asset.is_sheddable else 1.0 if asset.max_curtailment is None else asset.max_curtailment
    limit = np.maximum(demand, 0) * may_share
    replay.note(asset.id, "sheds more than it may", unserved - limit)
    injection: np.ndarray = unserved - demand
    return injection


def _replay_renewable(replay: _Replay, asset: VariableRenewable) -> np.ndarray:
    used = replay.power("used_kw", asset.id)
    unused = replay.given("available_kw", asset.id) - used
    replay.note(asset.id, "uses more than is available", -unused)
    if not asset.is_curtailable:
        replay.note(asset.id, "cannot be curtailed but is", unused)
    return used


def _replay_generator(replay: _Replay, asset: Generator) -> np.ndarray:
    output = replay.power("output_kw", asset.id)
    replay.note(asset.id, f"gives more than {asset.max_output_kw:g} kW", output - asset.max_output_kw)
    if asset.fuel_tank_capacity_l is not None and asset.fuel_consumption_l_per_kwh is not None:
        burnt_l = float(output @ replay.step_h) * asset.fuel_consumption_l_per_kwh
        replay.note(asset.id, "burns more than its tank holds", np.array([burnt_l - asset.fuel_tank_capacity_l]), "l")
    if "is_on" not in replay.flows or np.isnan(replay.flows.is_on.sel(asset=asset.id).to_numpy()).all():
        up, down = asset.ramp_up_rate_kw_per_min, asset.ramp_down_rate_kw_per_min
        _check_ramps(replay, asset.id, output, up and up / 60, down and down / 60)
    else:
        on = replay.flows.is_on.sel(asset=asset.id).to_numpy() > 0.5
        # A solver counts a decision as 0 below 1e-6; times the highest output, that is what a unit gives while off.
        slack_kw = asset.max_output_kw * TOLERANCE
        replay.note(asset.id, "gives power while off", np.where(on, 0, output - slack_kw))
        replay.note(asset.id, "runs below its lowest output", np.where(on, asset.min_output_kw - output - slack_kw, 0))
        _check_minimum_times(replay, asset, on)
    return output


def _replay_ev_charger(replay: _Replay, asset: EvCharger) -> np.ndarray:
    """Check powers against the vehicles that are there, and energy at each step's end against comings and leavings.

    What the vehicles that left had wanted <= energy charged so far <= what the vehicles that came want.
    """
    charge = replay.power("charge_kw", asset.id)
    begin = replay.times
    end = begin + (replay.step_h * 3600).round().astype("timedelta64[s]")
    limit_kw, left_kwh, came_kwh = np.zeros_like(charge), np.zeros_like(charge), np.zeros_like(charge)
    for session in asset.sessions:
        arrival, departure = _utc(session.arrival), _utc(session.departure)
        if departure <= begin[0] or arrival >= end[-1]:
            continue
        there_h = np.clip((np.minimum(end, departure) - np.maximum(begin, arrival)) / np.timedelta64(1, "h"), 0, None)
        limit_kw += asset.max_power_kw * there_h / replay.step_h
        came_kwh += np.where(end > arrival, session.energy_kwh, 0)
        left_kwh += np.where(end >= departure, session.energy_kwh, 0)
    ports = asset.number_of_ports if asset.simultaneous_charging else 1
    limit_kw = np.minimum(limit_kw, asset.max_power_kw * ports)
    stored_kwh = np.cumsum(charge * replay.step_h) * asset.charge_efficiency
    replay.note(asset.id, "charges above what the vehicles there can take", charge - limit_kw)
    replay.note(asset.id, "a vehicle leaves without its energy", left_kwh - stored_kwh, "kWh")
    replay.note(asset.id, "charges more than the vehicles that came want", stored_kwh - came_kwh, "kWh")
    return -charge


def _check_ramps(
    replay: _Replay, asset_id: str, power_kw: np.ndarray, up_kw_per_s: float | None, down_kw_per_s: float | None
) -> None:
    """Note where a power changes faster, from the middle of a step to that of the next, than it may."""
    seconds = (replay.step_h[1:] + replay.step_h[:-1]) / 2 * 3600
    change = np.diff(power_kw)
    for word, rate, sign in (("rises", up_kw_per_s, 1), ("falls", down_kw_per_s, -1)):
        if rate is not None and len(change):
            excess = np.concatenate(([0.0], sign * change - rate * seconds))
            replay.note(asset_id, f"{word} faster than {rate:g} kW/s", excess)


def _check_minimum_times(replay: _Replay, asset: Generator, on: np.ndarray) -> None:
    """Note where a generator was on or off for a shorter time than it may; times at the horizon's ends are open."""
    switches = np.flatnonzero(np.diff(on.astype(int))) + 1
    begins = np.concatenate(([0.0], np.cumsum(replay.step_h)))
    for begin, end in itertools.pairwise([0, *switches.tolist()] if on[0] else switches.tolist()):
        least_h = asset.min_uptime_h if on[begin] else asset.min_downtime_h
        missing = np.zeros(len(on))
        missing[begin] = least_h - (begins[end] - begins[begin])
        replay.note(asset.id, f"is {'on' if on[begin] else 'off'} for less than {least_h:g} h", missing, "h")


def content_of(battery: Battery) -> float:
    """Return the energy content of a battery at a state of charge of 1, as it is today, in kWh."""
    return battery.usable_capacity_kwh * battery.state_of_health


def _utc(moment: dt.datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns")


_REPLAYS: Any = {
    Battery: _replay_battery,
    GridConnection: _replay_grid_connection,
    Load: _replay_load,
    Generator: _replay_generator,
    EvCharger: _replay_ev_charger,
    **dict.fromkeys(VariableRenewable.__subclasses__(), _replay_renewable),
}
