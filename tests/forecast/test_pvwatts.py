"""Formulas from light to power: by hand, and as pvlib and PVWatts have them."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pvlib import inverter, pvsystem, temperature

from ems.assets.solar_pv import SolarPV
from ems.forecast import pvwatts

EXACT = 1e-9  # of powers of some hundred kW


def test_dc_power__warm_cells_give_less():
    """900 W/m² give 90 kW of 100; 5 K above 25 °C cost 0.3 % each: 88.65 kW."""
    assert pvwatts.dc_power_kw(900, 30, 100, -0.003) == pytest.approx(88.65, abs=EXACT)


def test_dc_power__never_below_zero():
    assert pvwatts.dc_power_kw([0, 1000, 10], [25, 400, 25], 100, -0.004, low_light_factor=0.9).tolist() == [0, 0, 0]


@given(st.floats(0, 1400), st.floats(-30, 90), st.floats(-0.006, 0), st.floats(0, 0.05))
def test_dc_power__agrees_with_pvlib(light, cell_degc, coefficient, factor):
    found = pvwatts.dc_power_kw(light, cell_degc, 100, coefficient, low_light_factor=factor)
    assert found == pytest.approx(
        max(0.0, pvsystem.pvwatts_dc(light, cell_degc, 100, coefficient, k=factor)), abs=EXACT
    )


def test_ac_power__zero_at_night_and_clipped_at_the_rating():
    """Nothing comes of nothing, nor of what the inverter itself needs; 130 kW meet an inverter of 95 kW."""
    found = pvwatts.ac_power_kw([0, 0.01, 130], 100, 0.95)
    assert found.tolist() == [0, 0, 95]


@given(st.floats(0, 200), st.floats(0.8, 1))
def test_ac_power__agrees_with_pvlib(dc_kw, efficiency):
    found = pvwatts.ac_power_kw(dc_kw, 100, efficiency)
    assert found == pytest.approx(inverter.pvwatts(dc_kw, 100, efficiency), abs=EXACT)


@pytest.mark.parametrize(
    ("mounting", "name"),
    [
        ("open_rack", "open_rack_glass_polymer"),
        ("close_to_roof", "close_mount_glass_glass"),
        ("insulated_back", "insulated_back_glass_polymer"),
    ],
)
def test_sandia_cell_degc__agrees_with_pvlib(mounting, name):
    light, air, wind = np.array([0, 500, 1000]), np.array([-10, 20, 35]), np.array([0, 3, 10])
    parameters = temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"][name]
    wanted = temperature.sapm_cell(light, air, wind, **parameters)
    np.testing.assert_allclose(pvwatts.sandia_cell_degc(light, air, wind, mounting), wanted, atol=EXACT)


def test_faiman_cell_degc__by_hand():
    """800 W/m² over 25 + 6.84 x 1 W/(m² K) warm the cells by 25.13 K."""
    assert pvwatts.faiman_cell_degc(800, 20, 1) == pytest.approx(20 + 800 / 31.84, abs=EXACT)


@pytest.mark.parametrize(
    ("mounting", "name"),
    [("open_rack", "freestanding"), ("close_to_roof", "semi_integrated"), ("insulated_back", "insulated")],
)
def test_faiman_cell_degc__with_the_heat_loss_of_pvsyst(mounting, name):
    loss = pvwatts.PVSYST_W_PER_M2_PER_K[mounting] / pvwatts.PVSYST_HEAT_SHARE
    wanted = temperature.pvsyst_cell(900, 20, 0, **temperature.TEMPERATURE_MODEL_PARAMETERS["pvsyst"][name])
    assert pvwatts.faiman_cell_degc(900, 20, 5, loss, 0) == pytest.approx(wanted, abs=EXACT)


def test_combined_losses__of_pvwatts_are_the_default_of_a_plant():
    parts = [0.02, 0.03, 0.02, 0.02, 0.005, 0.015, 0.01, 0.03]
    assert pvwatts.combined_losses(parts) == pytest.approx(pvsystem.pvwatts_losses() / 100, abs=EXACT)
    assert round(pvwatts.combined_losses(parts), 2) == SolarPV.model_fields["system_losses"].default
    assert doctest.testmod(pvwatts).failed == 0
