"""A grid connection's fields: limits, switches and one source of prices."""

from __future__ import annotations

import pytest
from builders import grid

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
        ({"export_enabled": "no"}, "export_enabled = 'no': must be true or false"),
        ({"tariff_id": "Day & night"}, "tariff_id = 'Day & night': must be small letters"),
        ({"import_price_per_kwh": float("inf")}, "import_price_per_kwh = inf currency/kWh: must be a finite number"),
    ],
)
def test_grid_connection__message_names_field_and_value(fields, message):
    with pytest.raises(InvalidInput, match=f"grid_connection 'grid': {message}"):
        grid(**fields)
