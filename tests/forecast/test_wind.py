"""Power of wind turbines: curves by hand and as windpowerlib has them, with the turbine's own fields in effect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import wind
from hypothesis import given
from hypothesis import strategies as st
from windpowerlib import density as library_density
from windpowerlib import power_curves, power_output
from windpowerlib import wind_speed as library_speed
from windpowerlib.tools import logarithmic_interpolation_extrapolation

from ems.errors import InvalidInput, MissingValues
from ems.forecast import wind_profile
from ems.forecast.power_curve import PowerCurve, power_by_coefficient_kw, smoothed
from ems.forecast.wind import library_curve, turbine_assumptions, turbine_curve, wind_available_kw

EXACT = 1e-9  # of speeds and powers below some hundred
AT_HUB = {"heights_m": (30.0,)}
CURVE = PowerCurve(np.arange(0, 25.5, 0.5), np.clip((np.arange(0, 25.5, 0.5) - 3) * 10, 0, 100))


def power_kw(speeds, turbine=None, **given) -> list[float]:
    """Power of a turbine at wind speeds of its own height."""
    weather = {"wind_speed_m_per_s": np.asarray(speeds, dtype=float), **given}
    return wind_available_kw(turbine or wind(), weather, **AT_HUB).tolist()


def test_wind_available_kw__cubic_between_cut_in_and_rated_speed():
    """(6**3 - 3**3) / (12**3 - 3**3) = 189 / 1701 of 50 kW at 6 m/s; nothing below 3 and above 25 m/s."""
    assert power_kw([0, 2.99, 6, 12, 25, 25.01]) == pytest.approx([0, 0, 50 * 189 / 1701, 50, 50, 0], abs=EXACT)


def test_wind_available_kw__power_coefficient():
    """0.3 of 1.225 / 2 x 201.06 m² x 6**3 is 7.98 kW, and 50 kW are reached at the rated speed in any case."""
    turbine = wind(power_coefficient=0.3)
    area = np.pi * 8**2
    assert power_kw([2.99, 6, 12], turbine) == pytest.approx([0, 0.3 * 1.225 / 2 * area * 0.216, 50], rel=1e-9)


def test_wind_available_kw__power_coefficient_of_a_farm():
    """500 kW of rotors that by Betz could give 126 kW each at rated speed are at least four."""
    one, farm = wind(power_coefficient=0.3), wind(power_coefficient=0.3, rated_capacity_kw=500)
    assert power_kw([6], farm)[0] == pytest.approx(4 * power_kw([6], one)[0], rel=1e-9)


def test_wind_available_kw__curve_of_a_known_type():
    """The library's E-126/4200 gives its rated power from 14 m/s; a farm of it has that curve, scaled."""
    turbine = wind(model="e-126/4200", rated_wind_speed_m_per_s=14, rated_capacity_kw=8400)
    known = library_curve("E-126/4200")
    assert known is not None
    assert known.powers_kw.max() == 4200
    assert power_kw([7, 14], turbine) == pytest.approx(2 * known.power_kw([7, 14]), rel=1e-9)
    assert power_kw([2.99, 25.01], turbine) == [0, 0]
    assert library_curve("homemade") is None
    assert library_curve(None) is None


def test_wind_available_kw__availability_and_wake():
    weather = {"wind_speed_m_per_s": np.array([15.0])}
    assert wind_available_kw(wind(availability=0.9), weather, wake_efficiency=0.8)[0] == pytest.approx(36, abs=EXACT)
    with pytest.raises(InvalidInput, match="wake_efficiency = 0"):
        wind_available_kw(wind(), weather, wake_efficiency=0)


def test_wind_available_kw__grows_with_height():
    """6 m/s at 10 m are 7.02 m/s at 30 m by the power law of 1/7, and 7.13 m/s over meadows by the logarithmic law."""
    weather = {"wind_speed_m_per_s": np.array([6.0])}
    by_power, by_log = 6 * 3 ** (1 / 7), 6 * np.log(30 / 0.03) / np.log(10 / 0.03)
    assert wind_available_kw(wind(), weather)[0] == pytest.approx(power_kw([by_power])[0], abs=EXACT)
    found = wind_available_kw(wind(), weather, roughness_length_m=0.03)
    assert found[0] == pytest.approx(power_kw([by_log])[0], abs=EXACT)


def test_wind_available_kw__from_two_heights():
    """5 m/s at 10 m and 7 m/s at 90 m are 6 m/s at 30 m, half of the way by the logarithm of the height."""
    weather = xr.Dataset({"wind_speed_m_per_s": (("time", "height_m"), [[5.0, 7.0]])})
    found = wind_available_kw(wind(), weather, heights_m=(10, 90))
    assert found[0] == pytest.approx(power_kw([6])[0], abs=EXACT)


def test_wind_available_kw__thin_and_warm_air_gives_less():
    usual = power_kw([8])[0]
    cold, warm, high = (
        power_kw([8], outdoor_temperature_degc=np.array([degc]), air_pressure_pa=np.array([pressure]))[0]
        for degc, pressure in ((-10.0, 101325.0), (35.0, 101325.0), (15.0, 80000.0))
    )
    assert high < warm < usual < cold


def test_wind_available_kw__turbulence_rounds_the_curve():
    """Near the rated speed gusts lose more than they win; near cut-in they win."""
    weather = {"wind_speed_m_per_s": np.array([3.0, 12.0])}
    low, high = wind_available_kw(wind(), weather, turbulence_intensity=0.15, **AT_HUB)
    assert low > 0
    assert high < 50


@given(st.lists(st.floats(0, 60), min_size=1, max_size=5), st.sampled_from([None, 0.1, 0.3]))
def test_wind_available_kw__within_its_limits(speeds, turbulence):
    weather = {"wind_speed_m_per_s": np.array(speeds)}
    found = wind_available_kw(wind(), weather, turbulence_intensity=turbulence)
    assert np.all((found >= 0) & (found <= 50))


@pytest.mark.parametrize(
    ("weather", "error", "words"),
    [
        ({}, InvalidInput, "wind_speed_m_per_s is not given"),
        ({"wind_speed_m_per_s": np.array([1, np.nan])}, MissingValues, "lacks 1 of 2"),
        ({"wind_speed_m_per_s": np.ones((2, 2))}, InvalidInput, "2 heights and heights_m 1"),
        (
            {
                "wind_speed_m_per_s": np.ones(2),
                "outdoor_temperature_degc": np.ones(3),
                "air_pressure_pa": np.full(2, 1e5),
            },
            InvalidInput,
            "outdoor_temperature_degc has shape",
        ),
    ],
)
def test_wind_available_kw__refuses_weather_with_holes(weather, error, words):
    with pytest.raises(error, match=words):
        wind_available_kw(wind(), weather)


def test_turbine_assumptions__each_value_that_was_not_stated():
    found = " | ".join(turbine_assumptions(wind(), {}))
    for word in ("cube of the wind speed", "1/7", "1.225 kg/m³", "availability = 1"):
        assert word in found
    weather = {"outdoor_temperature_degc": [], "air_pressure_pa": []}
    stated = turbine_assumptions(wind(power_coefficient=0.4, availability=0.97), weather, roughness_length_m=0.1)
    assert stated == [turbine_curve(wind(power_coefficient=0.4)).source]


def test_power_curve__straight_between_points_and_zero_outside():
    curve = PowerCurve(np.array([4, 5, 6]), np.array([300, 400, 500]))
    assert curve.power_kw([2, 4, 5.5, 6, 7]).tolist() == [0, 300, 450, 500, 0]


@pytest.mark.parametrize(
    ("speeds", "powers", "words"),
    [([1], [1], "at least two speeds"), ([2, 1], [1, 2], "that ascend"), ([1, 2], [1], "1 powers for 2 speeds")],
)
def test_power_curve__refuses(speeds, powers, words):
    with pytest.raises(InvalidInput, match=words):
        PowerCurve(np.array(speeds), np.array(powers))


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0.9, 1.4)), min_size=1, max_size=5))
def test_power_curve__density_correction_agrees_with_windpowerlib(given_air):
    speed, density = np.array(given_air).T
    wanted = power_output.power_curve(
        pd.Series(speed), CURVE.speeds_m_per_s, CURVE.powers_kw, density=pd.Series(density), density_correction=True
    )
    np.testing.assert_allclose(CURVE.power_kw(speed, density), wanted, atol=1e-6)


def test_power_by_coefficient__by_hand():
    """0.5 of 1.2 / 2 x 100 m² x 10**3 W: 30 kW."""
    diameter = np.sqrt(400 / np.pi)
    assert power_by_coefficient_kw([10, 20], [5, 15], [0.4, 0.6], diameter, 1.2) == pytest.approx([30, 0], abs=EXACT)


@pytest.mark.parametrize(
    ("intensity", "least", "method"), [(0.15, 0.0, "turbulence_intensity"), (0.2, 0.6, "Staffell_Pfenninger")]
)
def test_smoothed__agrees_with_windpowerlib(intensity, least, method):
    wanted = power_curves.smooth_power_curve(
        pd.Series(CURVE.speeds_m_per_s),
        pd.Series(CURVE.powers_kw),
        standard_deviation_method=method,
        turbulence_intensity=intensity,
    )
    found = smoothed(CURVE, intensity, least_deviation_m_per_s=least)
    np.testing.assert_allclose(found.speeds_m_per_s, wanted["wind_speed"], atol=EXACT)
    np.testing.assert_allclose(found.powers_kw, wanted["value"], atol=EXACT)


def test_smoothed__refuses_no_spread():
    with pytest.raises(InvalidInput, match="turbulence_intensity = 0"):
        smoothed(CURVE, 0)


@given(st.floats(0, 30), st.floats(20, 200), st.floats(0.001, 1), st.floats(0, 10))
def test_hub_wind__agrees_with_windpowerlib(speed, hub_m, roughness_m, obstacle_m):
    found = wind_profile.hub_wind_by_log_law(speed, 10, hub_m, roughness_m, obstacle_m)
    wanted = library_speed.logarithmic_profile(speed, 10, hub_m, roughness_m, obstacle_m)
    assert found == pytest.approx(wanted, rel=1e-9)
    found = wind_profile.hub_wind_by_power_law(speed, 10, hub_m, roughness_length_m=roughness_m)
    assert found == pytest.approx(library_speed.hellman(speed, 10, hub_m, roughness_m), rel=1e-9)
    found = wind_profile.hub_wind_by_power_law(speed, 10, hub_m, 0.2)
    assert found == pytest.approx(library_speed.hellman(speed, 10, hub_m, hellman_exponent=0.2), rel=1e-9)


@pytest.mark.parametrize(("roughness_m", "obstacle_m"), [(0, 0), (11, 0), (0.1, 15)])
def test_hub_wind_by_log_law__refuses_a_height_within_the_roughness(roughness_m, obstacle_m):
    with pytest.raises(InvalidInput, match="height_m = 10 m: must be above"):
        wind_profile.hub_wind_by_log_law([5], 10, 100, roughness_m, obstacle_m)


def test_hub_wind_between__takes_the_two_nearest_heights():
    """Of 10, 80 and 200 m, the hub of 100 m lies between the last two; speeds never fall below zero."""
    speeds = np.array([[3.0, 6.0, 8.0]])
    wanted = logarithmic_interpolation_extrapolation(pd.DataFrame(speeds[:, 1:], columns=[80, 200]), 100)
    assert wind_profile.hub_wind_between(speeds, (10, 80, 200), 100)[0] == pytest.approx(wanted[0], abs=EXACT)
    assert wind_profile.hub_wind_between(speeds[:, ::-1], (200, 80, 10), 100)[0] == pytest.approx(wanted[0], abs=EXACT)
    assert wind_profile.hub_wind_between([[0.1, 4]], (10, 20), 1)[0] == 0


@pytest.mark.parametrize("heights_m", [(10,), (10, 10), (0, 10)])
def test_hub_wind_between__refuses(heights_m):
    with pytest.raises(InvalidInput, match="at least two, all different and above 0 m"):
        wind_profile.hub_wind_between(np.ones((1, len(heights_m))), heights_m, 100)


@given(st.floats(90_000, 105_000), st.floats(250, 310), st.floats(20, 200))
def test_density__agrees_with_windpowerlib(pressure_pa, temperature_k, hub_m):
    for ours, theirs in (
        (wind_profile.barometric_density_kg_per_m3, library_density.barometric),
        (wind_profile.ideal_gas_density_kg_per_m3, library_density.ideal_gas),
    ):
        found = ours(pressure_pa, 0, hub_m, temperature_k)
        assert found == pytest.approx(theirs(pressure_pa, 0, hub_m, temperature_k), rel=1e-9)


def test_temperature_at_height__falls_by_6_5_kelvin_a_kilometre():
    assert wind_profile.temperature_at_height_degc(20, 2, 102) == pytest.approx(19.35, abs=EXACT)
