"""Random fields of a kind of asset, changed until they keep the laws between them."""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]


def lawful(record: type[Any], given: Fields) -> Fields:
    """Return fields with those filled in that a record needs and that keep its laws."""
    kind = record.model_fields["kind"].default if "kind" in record.model_fields else ""
    given = dict(given)
    if kind in _KEEP:
        _KEEP[kind](given)
    return given


def _battery(given: Fields) -> None:
    given.setdefault("capacity_kwh", 100.0)
    # One efficiency states the others; usable capacity is a part.
    for name in ("charge_efficiency", "discharge_efficiency"):
        given.pop(name, None)
    if "usable_capacity_kwh" in given:
        given["usable_capacity_kwh"] = min(given["usable_capacity_kwh"], given["capacity_kwh"])
    low, high = sorted((given.get("min_soc", 0.1), given.get("max_soc", 0.9)))
    if low == high:
        low, high = 0.1, 0.9
    given |= {"min_soc": low, "max_soc": high, "initial_soc": min(max(given.get("initial_soc", 0.5), low), high)}
    if "target_soc" in given:
        given["target_soc"] = min(max(given["target_soc"], low), high)
    for name in ("max_charge_kw", "max_discharge_kw"):
        given.setdefault(name, 10.0)
    if given["max_charge_kw"] == given["max_discharge_kw"] == 0:
        given["max_charge_kw"] = 10.0
    if not given.get("rated_power_kw"):
        given.pop("rated_power_kw", None)
    if given.get("final_soc_rule") in ("exactly", "cyclic"):
        given.pop("final_energy_value_per_kwh", None)
    # Segments need a price and a life curve beside them, and come with both.
    if given.get("cycle_depth_segments"):
        given |= {"capital_cost": 1000.0, "cycle_life": 5000}
        given.pop("degradation_cost_per_kwh", None)


def _ev_charger(given: Fields) -> None:
    given.setdefault("max_power_kw", 11.0)
    given["smart_charging_capable"] = given.get("smart_charging_capable", False) or given.get("v2g_capable", False)
    # The lowest current states the lowest power: one of them is given.
    if given.get("min_current_ampere") is not None:
        given.pop("min_charge_kw", None)
        given |= {"min_current_ampere": 6.0, "max_current_ampere": 16.0}
    if given.get("min_charge_kw") is not None:
        given["min_charge_kw"] = min(given["min_charge_kw"], given["max_power_kw"])


def _generator(given: Fields) -> None:
    given.setdefault("max_output_kw", 50.0)
    given.setdefault("fuel_cost_per_kwh", 0.3)
    given["min_output_kw"] = min(given.get("min_output_kw", 0.0), given["max_output_kw"])
    for name in ("max_startup_kw", "max_shutdown_kw"):
        if given.get(name) is not None:
            given[name] = max(given[name], given["min_output_kw"])
    if given.get("is_committable", True) and not given.get("initial_is_on", False):
        given.pop("initial_output_kw", None)


def _load(given: Fields) -> None:
    given.setdefault("rated_load_kw", 10.0)
    given["is_sheddable"] = given.get("interruption_cost_per_kwh") is not None
    given["is_critical"] = False if given["is_sheddable"] else given.get("is_critical", False)
    if not given["is_sheddable"]:
        given.pop("recovered_share", None)
    if not given.get("recovered_share"):
        given.pop("recovery_h", None)


def _wind_turbine(given: Fields) -> None:
    given |= {
        "cut_in_wind_speed_m_per_s": 3.0,
        "rated_wind_speed_m_per_s": 12.5,
        "cut_out_wind_speed_m_per_s": 25.0,
        "survival_wind_speed_m_per_s": 59.5,
    }


_KEEP = {
    "battery": _battery,
    "ev_charger": _ev_charger,
    "generator": _generator,
    "load": _load,
    "wind_turbine": _wind_turbine,
}
