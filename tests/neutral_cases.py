"""Cases of the neutral form `ems-case/1` as projects of this package."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from project_fixtures import make_project

NO_LIMIT_KW = 1e6
FIELDS: dict[str, dict[str, str]] = {
    "load": {"shed_cost": "interruption_cost_per_kwh"},
    "solar_pv": {"curtailable": "is_curtailable"},
    "wind_turbine": {"curtailable": "is_curtailable"},
    "grid_connection": {"import_limit": "max_import_kw", "export_limit": "max_export_kw"},
    "battery": {
        "energy_capacity": "capacity_kwh",
        "charge_power_max": "max_charge_kw",
        "discharge_power_max": "max_discharge_kw",
        "eta_charge": "charge_efficiency",
        "eta_discharge": "discharge_efficiency",
        "soc_min": "min_soc",
        "soc_max": "max_soc",
        "soc_initial": "initial_soc",
    },
    "ev_charger": {"charge_power_max": "max_power_kw", "eta_charge": "charge_efficiency"},
    "generator": {"p_min": "min_output_kw", "p_max": "max_output_kw", "marginal_cost": "fuel_cost_per_kwh"},
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "battery": {"final_soc_rule": "free", "degradation_cost_per_kwh": 0.0},
    "ev_charger": {"charge_efficiency": 1.0, "smart_charging_capable": True},
    "generator": {"min_uptime_h": 0, "min_downtime_h": 0},
    "load": {"rated_load_kw": NO_LIMIT_KW},
    "grid_connection": {"max_import_kw": NO_LIMIT_KW, "max_export_kw": NO_LIMIT_KW},
    "solar_pv": {"rated_capacity_kw": NO_LIMIT_KW},
    "wind_turbine": {
        "rated_capacity_kw": NO_LIMIT_KW,
        "rotor_diameter_m": 100,
        "hub_height_m": 100,
        "cut_in_wind_speed_m_per_s": 3,
        "rated_wind_speed_m_per_s": 12,
        "cut_out_wind_speed_m_per_s": 25,
    },
}
SERIES = {
    "power": "demand_kw",
    "power_available": "available_kw",
    "import_price": "import_price_per_kwh",
    "export_price": "export_price_per_kwh",
}


@dataclass(frozen=True)
class CaseProject:
    """A project made of a case, and the parameters of its study."""

    folder: Path
    parameters: dict[str, Any]


def make_case_project(case_folder: Path, folder: Path) -> CaseProject:
    """Write a case's assets and series as a site of a project; faults in them are kept as they are."""
    case = json.loads((case_folder / "case.json").read_text())
    make_project(folder)
    source = case_folder / case["file"]
    shutil.copy(source, folder / "data" / "series" / "case.csv")
    assets, columns = [], []
    for number, given in enumerate(case["assets"], 1):
        asset, uses = _asset_of(given, number, _start_of(source))
        assets.append(asset)
        columns += uses
    given_parameters = dict(case.get("parameters", {}))
    site = {
        "currency": "EUR",
        "site": {"id": "case", "name": "Case", "timezone": given_parameters.pop("timezone", "Europe/Berlin")},
        "assets": assets,
        "series": {"columns": columns},
    }
    text = yaml.safe_dump(site, allow_unicode=True, sort_keys=False)
    (folder / "data" / "sites" / "case.yaml").write_text(text, encoding="utf-8")
    parameters = {"site": "case", **given_parameters, **case.get("options", {})}
    if not any(asset["kind"] == "battery" for asset in assets):
        parameters.setdefault("baseline_without", "solar_pv")
    return CaseProject(folder, parameters)


def _asset_of(given: dict[str, Any], number: int, start: dt.datetime) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    given = dict(given)
    kind, name = given.pop("type"), given.pop("name")
    asset_id = _slug_of(name) or f"asset-{number}"
    asset: dict[str, Any] = {"kind": kind, "id": asset_id, "name": name, **DEFAULTS.get(kind, {})}
    columns = []
    for field in list(given):
        if field in SERIES and isinstance(given[field], dict):
            column = given.pop(field)
            use = {"column": column["series"], "asset": asset_id, "variable": SERIES[field]}
            columns.append({**use, "multiply_by": column.get("scale", 1.0)})
        elif field in ("import_price", "export_price"):
            asset[SERIES[field]] = given.pop(field)
    if kind == "ev_charger":
        begin, end = (start + dt.timedelta(hours=given.pop(f"{word}_step")) for word in ("arrival", "departure"))
        energy_kwh = given.pop("energy_target") - given.pop("energy_initial", 0)
        session = {"arrival": begin.isoformat(), "departure": end.isoformat(), "energy_kwh": energy_kwh}
        asset["sessions"] = [session]
        for unused in ("energy_capacity", "v2g"):
            given.pop(unused, None)
    if kind == "generator":
        given.pop("committable", None)
    for field, value in given.items():
        asset[FIELDS[kind].get(field, field)] = value
    return asset, columns


def _slug_of(name: str) -> str:
    words = "".join(c.lower() if c.isascii() and c.isalnum() else " " for c in name).split()
    return "-".join(words)[:60].strip("-")


def _start_of(source: Path) -> dt.datetime:
    with source.open(encoding="latin-1", newline="") as file:
        lines = [line[:200] for _, line in zip(range(2), file, strict=False)]
    try:
        return dt.datetime.fromisoformat(lines[1].split(",")[0])
    except (IndexError, ValueError):
        return dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
