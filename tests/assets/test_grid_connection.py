"""A grid connection's fields: limits, switches and one source of prices."""

from __future__ import annotations

import numpy as np
import pytest
from builders import grid, horizon

from ems.assets.asset import AssetInputs
from ems.errors import InvalidInput


def test_limits__disabled_way_is_closed():
    one = grid(import_enabled=False)
    assert (one.import_limit_kw, one.export_limit_kw) == (0, 100)
    other = grid(export_enabled=False)
    assert (other.import_limit_kw, other.export_limit_kw) == (100, 0)


@pytest.mark.parametrize("name", ["import_price_per_kwh", "export_price_per_kwh"])
def test_grid_connection__tariff_and_flat_price(name):
    message = f"grid_connection 'grid': {name} = 0.2: tariff_id gives the price already; keep one"
    with pytest.raises(InvalidInput, match=message):
        grid(tariff_id="contract", **{name: 0.2})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_import_kw": -1}, "max_import_kw = -1 kW: must be at least 0 kW"),
        ({"phases": True}, "phases = true: must be 1 or 3"),
        ({"phases": 2}, "phases = 2: must be 1 or 3"),
        ({"export_enabled": "no"}, "export_enabled = 'no': must be true or false"),
        ({"tariff_id": "Day & night"}, "tariff_id = 'Day & night': must be small letters"),
        ({"co2_intensity_kg_per_kwh": -0.1}, "co2_intensity_kg_per_kwh = -0.1 kg/kWh: must be at least 0 kg/kWh"),
        ({"demand_charges": [{"name": "peak", "rate_per_kw": -2}]}, "demand_charges.1.rate_per_kw = -2.*at least 0"),
        ({"demand_charges": [{"name": "peak"}]}, "rate_per_kw: is required, where rates_per_kw does not give"),
        (
            {"demand_charges": [{"name": "peak", "rate_per_kw": 1}, {"name": "peak", "rate_per_kw": 2}]},
            "two demand_charges have the name 'peak'; names are unique",
        ),
        (
            {"demand_charges": [{"name": "peak", "rate_per_kw": 1, "window_series": "import_price_per_kwh"}]},
            "demand charge 'peak': the series import_price_per_kwh has a meaning of its own",
        ),
        ({"import_price_per_kwh": float("inf")}, "import_price_per_kwh = inf currency/kWh: must be a finite number"),
    ],
)
def test_grid_connection__message_names_field_and_value(fields, message):
    with pytest.raises(InvalidInput, match=f"grid_connection 'grid': {message}"):
        grid(**fields)


def test_grid_connection__series_needed():
    """Prices, and each series of its demand charges once."""
    one = grid(
        demand_charges=[
            {"name": "peak", "rate_per_kw": 1, "window_series": "is_peak", "period_series": "season"},
            {"name": "base", "rate_per_kw": 2, "period_series": "season"},
        ]
    )
    assert one.series_needed == ("import_price_per_kwh", "export_price_per_kwh", "is_peak", "season")


def test_limits_kw__series_transformer_and_switch():
    """80 kVA at a power factor of 0.5 carry 40 kW; a series is below that in the second step."""
    one = grid(transformer_capacity_kva=80, min_power_factor=0.5, export_enabled=False)
    inputs = AssetInputs(horizon(1, 1), {"max_import_kw": np.array([90.0, 30.0])})
    imports, exports = one.limits_kw(inputs)
    assert imports.tolist() == [40, 30]
    assert exports.tolist() == [0, 0]
