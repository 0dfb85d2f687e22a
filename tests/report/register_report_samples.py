"""A small register as reports see it: one site of all kinds, and another without coordinates."""

from __future__ import annotations

import datetime as dt
from typing import Any

import builders

from ems.assets.portfolio import Portfolio, Site
from ems.report.register_rows import DueRow, HealthRow, StatusRow

TODAY = dt.date(2025, 6, 30)


def make_register(name: str = "Quay battery", **changes: Any) -> Portfolio:
    """Return two sites: at `quay` a grid connection of 900 kW, solar, generator and battery; at `depot` a load."""
    given: dict[str, Any] = {
        "currency": "EUR",
        "sites": (
            Site(id="quay", name="Quay", timezone="Europe/Berlin", latitude=53.5, longitude=9.9),
            Site(id="depot", name="Depot", timezone="Europe/Berlin"),
        ),
        "assets": (
            builders.grid(id="grid", site_id="quay", max_import_kw=900, transformer_capacity_kva=1000),
            builders.solar(id="roof", name="Roof", site_id="quay", rated_capacity_kw=300),
            builders.generator(id="diesel", name="Diesel", site_id="quay", status="maintenance", max_output_kw=200),
            builders.battery(id="battery", name=name, site_id="quay", capacity_kwh=400, rated_power_kw=100),
            builders.load(id="workshop", name="Workshop", site_id="depot", rated_load_kw=60),
            builders.generator(id="old", name="Old diesel", site_id="depot", status="decommissioned"),
        ),
    }
    return Portfolio(**{**given, **changes})


def status_row(asset_id: str, state: str = "online", **fields: Any) -> StatusRow:
    return StatusRow(**{**_named(asset_id), "state": state, "rating_kw": 100.0, **fields})


def due_row(asset_id: str, due: dt.date | None, **fields: Any) -> DueRow:
    return DueRow(**{**_named(asset_id), "due": due, "what": "preventive", "reason": "asked for", **fields})


def health_row(asset_id: str, score: float | None, **fields: Any) -> HealthRow:
    return HealthRow(**{**_named(asset_id), "score": score, **fields})


def _named(asset_id: str) -> dict[str, Any]:
    return {"asset_id": asset_id, "name": asset_id.capitalize(), "kind": "battery", "site": "Quay"}
