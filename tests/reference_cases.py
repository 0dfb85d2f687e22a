"""Cases of the neutral form `ems-case/1` of kind dispatch as problems of this package, and its schedules as theirs.

Fields that the form lets change with time become series where they do; powers and energies become kW and kWh.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from reference_groups import Groups
from reference_rules import NeutralCase

from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio, Site
from ems.assets.prices import with_prices
from ems.assets.reserve import ReserveRequirement
from ems.assets.solar_pv import SolarPV
from ems.assets.wind_turbine import WindTurbine
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.horizon import Horizon

KILO = {"W": 1e-3, "Wh": 1e-3, "kW": 1.0, "kWh": 1.0, "MW": 1e3, "MWh": 1e3, "GW": 1e6, "GWh": 1e6}
RULES = {">=": "at_least", "==": "exactly", "<=": "at_most", "free": "free", "cyclic": "cyclic"}
FLOWS = {
    "grid_connection": {"imp": "import_kw", "exp": "export_kw"},
    "battery": {"c": "charge_kw", "d": "discharge_kw", "e": "energy_kwh"},
    "ev_charger": {"c": "charge_kw", "d": "discharge_kw"},
    "generator": {"p": "output_kw", "u": "is_on"},
    "load": {"shed": "unserved_kw"},
    "shiftable_load": {"on": "is_running"},
    "solar_pv": {"p": "used_kw"},
    "wind_turbine": {"p": "used_kw"},
}
"""Flows of the form by the package's names."""


@dataclass
class _Entry:
    """Fields and series of one asset while it is read."""

    case: NeutralCase
    given: Mapping[str, Any]
    id: str
    kilo: float
    fields: dict[str, Any] = field(default_factory=dict)
    series: dict[str, np.ndarray] = field(default_factory=dict)

    def put(
        self,
        name: str,
        source: str,
        factor: float = 1.0,
        default: float | None = None,
        at_series: Callable[[np.ndarray], float] = np.max,
    ) -> None:
        """Set a field from a value; one that changes, or a negative price, becomes a series beside the field.

        ``at_series`` gives the field's number where a series takes its place: a limit keeps its extreme, a price is
        then 0.
        """
        value = self.given.get(source)
        if value is None and default is None:
            return
        values = self.case.values(value, 0.0 if default is None else default) * factor
        is_price = at_series is _nothing
        if np.all(values == values[0]) and (not is_price or values[0] >= 0):
            self.fields[name] = float(values[0])
        else:
            self.fields[name] = float(at_series(values))
            self.series[name] = values

    def number(self, source: str, factor: float = 1.0, default: float | None = None) -> float | None:
        """Return a value that the form keeps constant."""
        value = self.given.get(source)
        if value is None:
            return default
        return constant(self.case, value, f"{self.given['name']}: {source}") * factor

    def at_most_once(self, name: str, source: str, factor: float = 1.0) -> None:
        """Set a constant field where the case states it."""
        value = self.number(source, factor)
        if value is not None:
            self.fields[name] = value


def _nothing(values: np.ndarray) -> float:
    return 0.0


def constant(case: NeutralCase, value: Any, what: str) -> float:
    """Return a value that no field takes where it changes with time."""
    values = case.values(value)
    assert np.all(values == values[0]), f"{what} changes with time, which no field takes"
    return float(values[0])


def pose_problem(case: NeutralCase) -> DispatchProblem:
    """Return the dispatch that a case asks for."""
    kilo = KILO[case.given["units"]["power"]]
    assert kilo == KILO[case.given["units"]["energy"]], "power and energy are in units of the same prefix"
    time, options = case.given["time"], case.options
    horizon = Horizon(dt.datetime.fromisoformat(time["start"]), tuple(float(step) for step in case.step_h))
    entries = [
        _Entry(case, given, case_id, kilo) for given, case_id in zip(case.given["assets"], ids_of(case), strict=True)
    ]
    assets = tuple(_READERS[entry.given["type"]](entry, horizon) for entry in entries)
    series = {entry.id: entry.series for entry in entries}
    reserves, requirement = _reserves(case, kilo)
    series.update(requirement)
    slack = {
        f"{name}_per_kwh": constant(case, options[name], name) / kilo
        for name in ("spill_cost", "unserved_cost")
        if options.get(name) is not None
    }
    portfolio = Portfolio(
        currency=case.given["units"].get("money", "EUR"),
        sites=(Site(id="site", timezone=time.get("tz", "UTC"), **slack),),
        assets=assets,
        reserves=reserves,
    )
    return DispatchProblem(portfolio, horizon, with_prices(_dataset(series, horizon), portfolio, horizon))


def ids_of(case: NeutralCase) -> list[str]:
    """Return an id for each asset of a case, in its order."""
    return [
        f"{re.sub('[^a-z0-9]+', '-', asset['name'].lower()).strip('-') or 'asset'}-{number}"
        for number, asset in enumerate(case.given["assets"], 1)
    ]


def options_of(case: NeutralCase, expected: Mapping[str, Any]) -> SolverOptions:
    """Return solver options that find an objective within its tolerance."""
    within = expected.get("objective", {}).get("tol_rel", 1e-6) / 2
    gap = max(min(1e-4, within), min(case.given.get("oracle", {}).get("gap", 0.0), within))
    return SolverOptions(mip_gap=gap, time_limit_s=400)


def flows_of(case: NeutralCase, result: DispatchResult) -> dict[str, np.ndarray]:
    """Return a schedule under the form's names, in the case's units."""
    kilo = KILO[case.given["units"]["power"]]
    flows = {}
    for asset, asset_id in zip(case.given["assets"], ids_of(case), strict=True):
        for suffix, name in FLOWS[asset["type"]].items():
            if name not in result.flows:
                continue
            values = result.flows[name].sel(asset=asset_id).to_numpy()
            if np.isnan(values).all():
                continue
            values = values[-case.steps :]  # contents at boundaries begin before the first step
            flows[f"{asset['name']}.{suffix}"] = values if suffix in ("u", "on") else values / kilo
    return flows


def _dataset(series: Mapping[str, Mapping[str, np.ndarray]], horizon: Horizon) -> xr.Dataset:
    owners = list(series)
    names = list(dict.fromkeys(name for columns in series.values() for name in columns))
    nothing = np.full(len(horizon), np.nan)
    return xr.Dataset(
        {
            name: (("time", "asset"), np.stack([series[owner].get(name, nothing) for owner in owners], axis=1))
            for name in names
        },
        {"time": horizon.times.to_numpy(), "asset": owners},
    )


def _reserves(case: NeutralCase, kilo: float) -> tuple[tuple[ReserveRequirement, ...], dict[str, Any]]:
    reserve = case.options.get("reserve")
    if reserve is None:
        return (), {}
    required_kw = case.values(reserve["requirement"]) * kilo
    record = ReserveRequirement(id="reserve", kind=reserve["type"])
    return (record,), {"reserve": {"reserve_requirement_kw": required_kw}}


def _load(entry: _Entry, horizon: Horizon) -> Load:
    entry.series["demand_kw"] = entry.case.values(entry.given["power"]) * entry.kilo
    if entry.given.get("shed_cost") is not None:
        entry.fields["is_sheddable"] = True
        entry.put("interruption_cost_per_kwh", "shed_cost", 1 / entry.kilo, at_series=_nothing)
    rated_kw = max(float(entry.series["demand_kw"].max()), 1.0)
    return Load(id=entry.id, name=entry.given["name"], site_id="site", rated_load_kw=rated_kw, **entry.fields)


def _shiftable_load(entry: _Entry, horizon: Horizon) -> Load:
    power_kw = entry.case.values(entry.given["power"]) * entry.kilo
    if np.any(power_kw != power_kw[0]):
        entry.series["shiftable_power_kw"] = power_kw
    if entry.given.get("allowed") is not None:
        entry.series["shiftable_is_allowed"] = (entry.case.values(entry.given["allowed"]) > 0).astype(float)
    step_h = constant(entry.case, horizon.step_h, f"{entry.given['name']}: the length of the steps that it takes")
    use = {
        "power_kw": float(power_kw.max()),
        "duration_h": entry.given["duration_steps"] * step_h,
        "is_interruptible": entry.given.get("interruptible", False),
    }
    return Load(
        id=entry.id, name=entry.given["name"], site_id="site", rated_load_kw=float(power_kw.max()), shiftable=use
    )


def _renewable(entry: _Entry, kind: type[Any], **others: Any) -> Any:
    available_kw = entry.case.values(entry.given["power_available"]) * entry.kilo
    entry.series["available_kw"] = available_kw
    entry.put("variable_om_cost_per_kwh", "marginal_cost", 1 / entry.kilo, at_series=_nothing)
    return kind(
        id=entry.id,
        name=entry.given["name"],
        site_id="site",
        rated_capacity_kw=max(float(available_kw.max()), 1.0),
        is_curtailable=entry.given.get("curtailable", True),
        **others,
        **entry.fields,
    )


def _solar_pv(entry: _Entry, horizon: Horizon) -> SolarPV:
    plant: SolarPV = _renewable(entry, SolarPV)
    return plant


def _wind_turbine(entry: _Entry, horizon: Horizon) -> WindTurbine:
    speeds = {"cut_in_wind_speed_m_per_s": 3, "rated_wind_speed_m_per_s": 12, "cut_out_wind_speed_m_per_s": 25}
    turbine: WindTurbine = _renewable(entry, WindTurbine, rotor_diameter_m=100, hub_height_m=100, **speeds)
    return turbine


def _grid_connection(entry: _Entry, horizon: Horizon) -> GridConnection:
    case, given = entry.case, entry.given
    for name in ("import_price", "export_price"):
        entry.series[f"{name}_per_kwh"] = case.values(given.get(name)) / entry.kilo
    for way in ("import", "export"):
        unlimited = largest_flow(case, way)
        entry.put(f"max_{way}_kw", f"{way}_limit", entry.kilo, default=unlimited)
    charges = [
        _demand_charge(entry, charge, number) for number, charge in enumerate(given.get("demand_charges", ()), 1)
    ]
    return GridConnection(
        id=entry.id,
        name=given["name"],
        site_id="site",
        may_import_while_exporting=given.get("allow_simultaneous", False),
        demand_charges=charges,
        **entry.fields,
    )


def largest_flow(case: NeutralCase, way: str) -> float:
    """Return a power that an unlimited connection never exceeds: all that can flow off the bus, or onto it."""
    sinks = {
        "load": "power",
        "battery": "charge_power_max",
        "ev_charger": "charge_power_max",
        "shiftable_load": "power",
    }
    sources = {
        "generator": "p_max",
        "solar_pv": "power_available",
        "wind_turbine": "power_available",
        "battery": "discharge_power_max",
        "ev_charger": "discharge_power_max",
    }
    out = sum(np.max(np.abs(case.values(one.get(sinks[one["type"]])))) for one in case.of_type(*sinks))
    onto = sum(np.max(np.abs(case.values(one.get(sources[one["type"]])))) for one in case.of_type(*sources))
    connections = list(case.of_type("grid_connection"))
    if len(connections) > 1 or "unserved_cost" in case.options or "spill_cost" in case.options:
        wires = sum(
            np.max(case.values(one.get(limit))) for one in connections for limit in ("import_limit", "export_limit")
        )
        return float(out + onto + wires)
    # A load of negative power feeds the bus; a plant of negative power, as an inverter at night, draws from it.
    onto += sum(max(0.0, -float(np.min(case.values(one["power"])))) for one in case.of_type("load"))
    plants = case.of_type("solar_pv", "wind_turbine")
    out += sum(max(0.0, -float(np.min(case.values(one["power_available"])))) for one in plants)
    return float(out if way == "import" else onto)


def _demand_charge(entry: _Entry, charge: Mapping[str, Any], number: int) -> dict[str, Any]:
    case, kilo = entry.case, entry.kilo
    fields: dict[str, Any] = {
        "name": f"{charge.get('name', 'charge')} {number}",  # the form lets two have the same
        "basis": charge.get("basis", "import"),
        "free_kw": charge.get("free_allowance", 0.0) * kilo,
    }
    if charge.get("mask") is not None:
        fields["window_series"] = f"demand_window_{number}"
        entry.series[f"demand_window_{number}"] = (case.values(charge["mask"]) > 0).astype(float)
    groups = Groups.of(charge, case)
    if charge.get("group") is not None:
        fields["period_series"] = f"demand_period_{number}"
        entry.series[f"demand_period_{number}"] = groups.of_step.astype(float)
    else:
        fields["period"] = "horizon"
    for source, one, by_period, factor in (
        ("rate", "rate_per_kw", "rates_per_kw", 1 / kilo),
        ("prior_peak", "prior_peak_kw", "prior_peaks_kw", kilo),
    ):
        value = charge.get(source, 0.0)
        if isinstance(value, Mapping):
            fields[by_period] = {
                f"{group}": one_value * factor for group, one_value in groups.by_number(value).items()
            }
            fields[one] = 0.0
        else:
            fields[one] = value * factor
    ratchet = charge.get("ratchet") or {}
    named = [str(group) for group in groups.named(ratchet.get("months", ()))]
    back = {"previous": int(ratchet["previous_n"])} if "previous_n" in ratchet else {"periods": named}
    if charge.get("group") is not None and any(back.values()):  # else there is no other group to look back at
        fields["ratchet"] = {"share": ratchet["fraction"], **back}
    return fields


def _battery(entry: _Entry, horizon: Horizon) -> Battery:
    given, kilo = entry.given, entry.kilo
    entry.at_most_once("capacity_kwh", "energy_capacity", kilo)
    for name, source in (("max_charge_kw", "charge_power_max"), ("max_discharge_kw", "discharge_power_max")):
        entry.put(name, source, kilo)
    for name in ("charge", "discharge"):
        entry.fields[f"{name}_efficiency"] = entry.number(f"eta_{name}", default=1.0)
    entry.put("min_soc", "soc_min", default=0.0, at_series=np.min)
    entry.put("max_soc", "soc_max", default=1.0)
    entry.put("charge_cost_per_kwh", "charge_cost", 1 / kilo, at_series=_nothing)
    entry.put("degradation_cost_per_kwh", "discharge_cost", 1 / kilo, default=0.0, at_series=_nothing)
    entry.put("drain_kw", "drain", kilo)
    entry.at_most_once("standing_loss_per_h", "standing_loss_per_h")
    entry.at_most_once("holding_cost_per_kwh_h", "holding_cost", 1 / kilo)
    entry.fields |= _final_soc(entry)
    targets = [
        {
            "time": horizon.boundaries[target["step"] + 1].tz_localize("UTC").to_pydatetime(),
            "soc": target["soc"],
            "rule": RULES[target.get("rule", ">=")],
        }
        for target in given.get("soc_targets", ())
    ]
    return Battery(
        id=entry.id,
        name=given["name"],
        site_id="site",
        may_charge_while_discharging=given.get("allow_simultaneous", False),
        soc_targets=targets,
        **entry.fields,
    )


def _final_soc(entry: _Entry) -> dict[str, Any]:
    """Return how the content of a store begins and ends."""
    given = entry.given
    rule = given.get("soc_final_rule", ">=" if "soc_final" in given else "free")
    if rule == "cyclic" and "soc_initial" not in given:
        # The start is free, but the field must lie within the limits.
        return {"final_soc_rule": "cyclic", "initial_soc": entry.fields["max_soc"]}
    fields = {"initial_soc": float(given["soc_initial"])}
    if rule == "cyclic":
        return {**fields, "final_soc_rule": "exactly", "target_soc": fields["initial_soc"]}
    target = {} if rule == "free" else {"target_soc": float(given["soc_final"])}
    return {**fields, "final_soc_rule": RULES[rule], **target}


def _ev_charger(entry: _Entry, horizon: Horizon) -> EvCharger:
    given, kilo = entry.given, entry.kilo
    entry.put("max_power_kw", "charge_power_max", kilo)
    entry.fields["charge_efficiency"] = entry.number("eta_charge", default=1.0)
    if given.get("v2g", False) and np.any(entry.case.values(given.get("discharge_power_max")) > 0):
        entry.fields["v2g_capable"] = True
        entry.put("max_discharge_kw", "discharge_power_max", kilo)
        entry.fields["discharge_efficiency"] = entry.number("eta_discharge", default=1.0)
        entry.at_most_once("discharge_cost_per_kwh", "discharge_cost", 1 / kilo)
    arrival, departure = (
        horizon.boundaries[given[f"{word}_step"]].tz_localize("UTC").to_pydatetime()
        for word in ("arrival", "departure")
    )
    energy_kwh = (given.get("energy_target", 0.0) - given.get("energy_initial", 0.0)) * kilo
    session = {
        "arrival": arrival,
        "departure": departure,
        "energy_kwh": energy_kwh,
        "arrival_energy_kwh": given.get("energy_initial", 0.0) * kilo,
        "battery_capacity_kwh": given["energy_capacity"] * kilo,
    }
    if given.get("unmet_cost") is not None:
        session["unmet_cost_per_kwh"] = given["unmet_cost"] / kilo
    return EvCharger(
        id=entry.id,
        name=given["name"],
        site_id="site",
        smart_charging_capable=True,
        simultaneous_charging=True,
        sessions=[session],
        **entry.fields,
    )


def _generator(entry: _Entry, horizon: Horizon) -> Generator:
    given, kilo, fields = entry.given, entry.kilo, entry.fields
    entry.put("max_output_kw", "p_max", kilo)
    if fields["max_output_kw"] == 0:  # out of order in every step
        fields["max_output_kw"], entry.series["max_output_kw"] = 1.0, np.zeros(len(horizon))
    entry.put("min_output_kw", "p_min", kilo, default=0.0, at_series=np.min)
    _production_cost(entry)
    for name, way in (("ramp_up_rate_kw_per_min", "ramp_up"), ("ramp_down_rate_kw_per_min", "ramp_down")):
        entry.at_most_once(name, way, kilo / 60)
    fields["is_committable"] = given.get("committable", False)
    initial = given.get("initial", {})
    if initial.get("power") is not None:
        fields["initial_output_kw"] = initial["power"] * kilo
    if fields["is_committable"]:
        _commitment(entry, initial)
    return Generator(id=entry.id, name=given["name"], site_id="site", **fields)


def _commitment(entry: _Entry, initial: Mapping[str, Any]) -> None:
    given, kilo, fields = entry.given, entry.kilo, entry.fields
    fields["min_uptime_h"] = entry.number("min_up_h", default=0.0)
    fields["min_downtime_h"] = entry.number("min_down_h", default=0.0)
    entry.at_most_once("max_startup_kw", "startup_limit", kilo)
    entry.at_most_once("max_shutdown_kw", "shutdown_limit", kilo)
    entry.at_most_once("shutdown_cost", "shutdown_cost")
    costs = given.get("startup_cost", 0.0)
    if isinstance(costs, list | tuple):
        fields["startup_costs"] = [{"offline_h": hours, "cost": cost} for hours, cost in costs]
    else:
        fields["startup_cost"] = costs
    fields["must_run"] = given.get("must_run", False)
    if given.get("fixed_commitment") is not None:
        entry.series["required_on"] = entry.case.values(given["fixed_commitment"])
    fields["initial_is_on"] = bool(initial.get("status", 0))
    if initial.get("hours") is not None:
        fields["initial_state_h"] = initial["hours"]
    if not fields["initial_is_on"]:
        fields["initial_output_kw"] = 0.0


def _production_cost(entry: _Entry) -> None:
    """Set what running and output cost; money per hour stays as it is, a price of energy is per kWh."""
    given, kilo, fields = entry.given, entry.kilo, entry.fields
    idle = given.get("no_load_cost", 0.0) if given.get("committable", False) else 0.0
    curve = given.get("cost_curve")
    if curve is None:
        entry.put("fuel_cost_per_kwh", "marginal_cost", 1 / kilo, default=0.0, at_series=_nothing)
    elif curve["type"] == "polynomial":
        idle += curve.get("c0", 0.0)
        price = curve.get("c1", 0.0) / kilo
        fields["fuel_cost_per_kwh"] = max(price, 0.0)
        if price < 0:
            entry.series["fuel_cost_per_kwh"] = np.full(entry.case.steps, price)
        fields["quadratic_cost_per_kw2h"] = curve.get("c2", 0.0) / kilo**2
    else:
        fields["cost_curve"] = [{"output_kw": output * kilo, "cost_per_h": cost} for output, cost in curve["points"]]
    fields["no_load_cost_per_h"] = idle


_READERS: Any = {
    "load": _load,
    "solar_pv": _solar_pv,
    "wind_turbine": _wind_turbine,
    "grid_connection": _grid_connection,
    "battery": _battery,
    "ev_charger": _ev_charger,
    "shiftable_load": _shiftable_load,
    "generator": _generator,
}
