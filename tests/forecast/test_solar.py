"""Power of a PV plant: as PVWatts of NREL's System Advisor Model has it, with the plant's own fields in effect."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import PySAM.Pvwattsv8
import pytest
import xarray as xr
from builders import solar
from hypothesis import given
from hypothesis import strategies as st
from pvlib.location import Location

from ems.assets.portfolio import Site
from ems.errors import InvalidInput, MissingValues
from ems.forecast.irradiance import sun_path
from ems.forecast.solar import assumptions_of, losses_of, solar_available_kw, surface_angles
from ems.horizon import Horizon

BERLIN = Site(id="site", timezone="Europe/Berlin", latitude=52.5, longitude=13.4)
SUMMER_DAY = Horizon.regular(dt.datetime(2023, 6, 21, tzinfo=dt.UTC), 24)
YEAR = Horizon.regular(dt.datetime(2023, 1, 1, tzinfo=dt.UTC), 8760)


def weather_of(horizon: Horizon, **changes) -> dict[str, np.ndarray]:
    """Clear skies over equal steps, averaged from five-minute values, with 20 °C and a wind of 3 m/s."""
    count = round(horizon.length_h * 12)
    fine = pd.date_range(horizon.times[0], periods=count, freq="5min", tz="UTC") + pd.Timedelta("150s")
    sky = Location(BERLIN.latitude, BERLIN.longitude).get_clearsky(fine, model="ineichen", linke_turbidity=3.0)
    ghi, dni, dhi = sky[["ghi", "dni", "dhi"]].to_numpy().reshape(len(horizon), -1, 3).mean(axis=1).T
    weather = {
        "ghi_w_per_m2": ghi,
        "dni_w_per_m2": dni,
        "dhi_w_per_m2": dhi,
        "outdoor_temperature_degc": np.full(len(horizon), 20.0),
        "wind_speed_m_per_s": np.full(len(horizon), 3.0),
    }
    return {name: values for name, values in {**weather, **changes}.items() if values is not None}


CLEAR = weather_of(SUMMER_DAY)


def plant(**fields):
    """A plant of 50 kW that faces south."""
    return solar(**{"tilt_angle_deg": 35, "azimuth_deg": 180, **fields})


def energy_kwh(weather=CLEAR, **fields) -> float:
    """Energy of the clear summer day."""
    return float(solar_available_kw(plant(**fields), BERLIN, SUMMER_DAY, weather).sum())


@pytest.mark.parametrize(
    ("array_type", "fields", "tolerance"),
    [
        (0, {}, 0.03),
        (1, {"installation_type": "rooftop"}, 0.08),  # Sandia's roofs are hotter than those of PVWatts
        (3, {"tracking_type": "single_axis", "tilt_angle_deg": 0}, 0.03),
        (4, {"tracking_type": "dual_axis"}, 0.03),
    ],
)
def test_solar_available_kw__agrees_with_pvwatts_8(array_type, fields, tolerance):
    """Over a year of clear skies; the sky's model, the glass and the cells' temperature are others, hence percents."""
    weather = weather_of(YEAR)
    reference = PySAM.Pvwattsv8.new()
    times = YEAR.times
    stamps = {"year": times.year, "month": times.month, "day": times.day, "hour": times.hour}
    names = {"gh": "ghi_w_per_m2", "dn": "dni_w_per_m2", "df": "dhi_w_per_m2"}
    names |= {"tdry": "outdoor_temperature_degc", "wspd": "wind_speed_m_per_s"}
    reference.SolarResource.solar_resource_data = {
        "lat": BERLIN.latitude,
        "lon": BERLIN.longitude,
        "tz": 0,
        "elev": 0,
        "minute": [30] * 8760,
        **{name: values.tolist() for name, values in stamps.items()},
        **{name: weather[ours].tolist() for name, ours in names.items()},
    }
    design = {"system_capacity": 50, "dc_ac_ratio": 1, "inv_eff": 96, "losses": 14, "module_type": 0}
    tilt = fields.get("tilt_angle_deg", 35)
    design |= {"array_type": array_type, "tilt": tilt, "azimuth": 180, "gcr": 0.3 if array_type == 3 else 0.01}
    reference.SystemDesign.assign(design)
    reference.AdjustmentFactors.assign({"adjust_constant": 0})
    reference.execute()
    wanted_kw = np.array(reference.Outputs.ac) / 1000

    found_kw = solar_available_kw(plant(**fields), BERLIN, YEAR, weather)

    assert found_kw.sum() == pytest.approx(wanted_kw.sum(), rel=tolerance)
    assert np.corrcoef(found_kw, wanted_kw)[0, 1] > 0.999


def test_solar_available_kw__exactly_zero_while_the_sun_is_down():
    """Weather that is an hour late has light after sunset; the plant has none."""
    late = {**CLEAR, "ghi_w_per_m2": np.roll(CLEAR["ghi_w_per_m2"], 3), "dni_w_per_m2": None, "dhi_w_per_m2": None}
    late = {name: values for name, values in late.items() if values is not None}
    sun = sun_path(SUMMER_DAY, BERLIN.latitude, BERLIN.longitude)
    is_dark = sun.mean(sun.cos_zenith) == 0
    found = solar_available_kw(plant(), BERLIN, SUMMER_DAY, late)
    assert np.any(late["ghi_w_per_m2"][is_dark] > 0)
    assert np.all(found[is_dark] == 0)


def test_solar_available_kw__clipped_by_inverters_and_rating():
    weather = {**CLEAR, "outdoor_temperature_degc": np.full(24, -20.0)}
    assert solar_available_kw(plant(inverter_capacity_kw=20), BERLIN, SUMMER_DAY, weather).max() == 20
    crowded = plant(dc_capacity_kw=200)
    assert solar_available_kw(crowded, BERLIN, SUMMER_DAY, weather).max() == 50


def test_solar_available_kw__quarter_hours_give_the_energy_of_hours():
    """The path of the sun within an hour is counted either way: the same energy to half a percent."""
    quarters = Horizon.regular(SUMMER_DAY.start, 24, 0.25)
    found = solar_available_kw(plant(), BERLIN, quarters, weather_of(quarters))
    assert found.sum() / 4 == pytest.approx(energy_kwh(), rel=0.005)


def test_solar_available_kw__of_a_dataset():
    weather = xr.Dataset({name: ("time", values) for name, values in CLEAR.items()}, {"time": SUMMER_DAY.times})
    found = solar_available_kw(plant(), BERLIN, SUMMER_DAY, weather)
    np.testing.assert_array_equal(found, solar_available_kw(plant(), BERLIN, SUMMER_DAY, CLEAR))


def test_solar_available_kw__every_field_has_an_effect():
    usual = energy_kwh()
    assert energy_kwh(dc_capacity_kw=25) < 0.51 * usual
    assert energy_kwh(tilt_angle_deg=90) < energy_kwh(azimuth_deg=90) < usual
    assert usual < energy_kwh(tracking_type="single_axis", tilt_angle_deg=0) < energy_kwh(tracking_type="dual_axis")
    assert energy_kwh(temperature_coefficient_per_k=-0.006) < usual < energy_kwh(temperature_coefficient_per_k=0)
    assert energy_kwh(panel_type="monocrystalline") == usual < energy_kwh(panel_type="thin_film")
    assert energy_kwh(inverter_efficiency=0.9) < usual
    assert energy_kwh(installation_type="building_integrated") < energy_kwh(installation_type="rooftop") < usual
    assert energy_kwh(installation_type="ground_mount") == usual
    assert energy_kwh(commissioning_date=dt.date(2013, 6, 21)) < usual


def test_solar_available_kw__weather_has_an_effect():
    usual = energy_kwh()
    assert energy_kwh({**CLEAR, "outdoor_temperature_degc": np.full(24, 35.0)}) < usual
    assert energy_kwh({**CLEAR, "wind_speed_m_per_s": np.full(24, 10.0)}) > usual
    calm = {name: values for name, values in CLEAR.items() if name != "wind_speed_m_per_s"}
    roof, rack = (energy_kwh(calm, installation_type=one) for one in ("rooftop", "ground_mount"))
    assert roof < rack


@given(st.floats(0, 90), st.floats(0, 359), st.floats(0, 1200))
def test_solar_available_kw__within_its_limits(tilt_deg, azimuth_deg, ghi):
    hours = Horizon.regular(SUMMER_DAY.start, 24, 2)
    weather = {"ghi_w_per_m2": np.full(12, ghi), "outdoor_temperature_degc": np.full(12, 10.0)}
    found = solar_available_kw(plant(tilt_angle_deg=tilt_deg, azimuth_deg=azimuth_deg), BERLIN, hours, weather)
    assert np.all((found >= 0) & (found <= 50))


def test_losses_of__usual_dirt_is_not_taken_off_twice():
    """The system losses of 14 % hold 2 % of dirt; a clean plant gains them, shade of 10 % is lost beside."""
    assert losses_of(plant(), SUMMER_DAY).tolist() == pytest.approx([0.14] * 24, abs=1e-12)
    assert losses_of(plant(soiling_factor=1), SUMMER_DAY)[0] == pytest.approx(1 - 0.86 / 0.98, abs=1e-12)
    assert losses_of(plant(shading_factor=0.9), SUMMER_DAY)[0] == pytest.approx(1 - 0.86 * 0.9, abs=1e-12)
    assert losses_of(plant(system_losses=0.05), SUMMER_DAY)[0] == pytest.approx(0.05, abs=1e-12)


def test_losses_of__grow_with_age():
    """Ten years of 1,461 / 4 days at 1 %: 0.99 to the power of ten is left; none is lost before the first day."""
    old = plant(installation_date=dt.date(2013, 6, 21), degradation_rate_per_a=0.01, system_losses=0)
    days = (dt.date(2023, 6, 21) - dt.date(2013, 6, 21)).days
    assert losses_of(old, SUMMER_DAY)[0] == pytest.approx(1 - 0.99 ** (days / 365.25), abs=1e-12)
    assert losses_of(old.replace(commissioning_date=dt.date(2024, 1, 1)), SUMMER_DAY)[0] == pytest.approx(0, abs=1e-12)


def test_surface_angles__trackers_face_the_sun():
    """At noon a level axis from north to south lies flat; two axes stand as the sun does, and lie flat at night."""
    sun = sun_path(SUMMER_DAY, BERLIN.latitude, BERLIN.longitude)
    noon = int(np.argmin(sun.zenith_deg))
    tilt_deg, _ = surface_angles(plant(tracking_type="single_axis", tilt_angle_deg=None, azimuth_deg=None), sun)
    assert tilt_deg[noon] < 2
    assert tilt_deg.max() <= 45 + 1e-9
    tilt_deg, azimuth_deg = surface_angles(plant(tracking_type="dual_axis"), sun)
    assert (tilt_deg[noon], azimuth_deg[noon]) == (sun.zenith_deg[noon], sun.azimuth_deg[noon])
    assert np.all(tilt_deg[sun.zenith_deg >= 90] == 0)


def test_solar_available_kw__names_all_that_is_missing():
    bare = solar()
    with pytest.raises(InvalidInput) as caught:
        solar_available_kw(bare, Site(id="yard", timezone="UTC"), SUMMER_DAY, CLEAR)
    words = str(caught.value)
    for name in ("latitude of site 'yard'", "longitude of site 'yard'", "tilt_angle_deg", "azimuth_deg"):
        assert f"{name} is not stated" in words


def test_solar_available_kw__level_panels_need_no_direction():
    level = solar(tilt_angle_deg=0)
    assert solar_available_kw(level, BERLIN, SUMMER_DAY, CLEAR).sum() > 0


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"outdoor_temperature_degc": None}, InvalidInput, "outdoor_temperature_degc is not given"),
        ({"ghi_w_per_m2": None, "dni_w_per_m2": None}, InvalidInput, "ghi_w_per_m2 is not given, nor"),
        ({"wind_speed_m_per_s": np.full(24, np.nan)}, MissingValues, "wind_speed_m_per_s lacks 24 of 24"),
        ({"ghi_w_per_m2": np.zeros(23)}, InvalidInput, r"shape \(23,\): must have one value for each of 24 steps"),
    ],
)
def test_solar_available_kw__refuses_weather_with_holes(changes, error, words):
    with pytest.raises(error, match=words):
        solar_available_kw(plant(), BERLIN, SUMMER_DAY, weather_of(SUMMER_DAY, **changes))


def test_assumptions_of__each_value_that_was_not_stated():
    light_only = {"ghi_w_per_m2": np.zeros(24), "outdoor_temperature_degc": np.zeros(24)}
    found = " | ".join(assumptions_of(plant(tracking_type="single_axis", azimuth_deg=None), light_only))
    for word in ("-0.0037 1/K", "0.96", "open rack", "level axis", "45°", "as new", "usual wind", "diffuse light"):
        assert word in found
    stated = plant(
        temperature_coefficient_per_k=-0.004,
        inverter_efficiency=0.97,
        installation_type="rooftop",
        commissioning_date=dt.date(2020, 1, 1),
    )
    assert assumptions_of(stated, CLEAR) == []
    assert "back of its panels" in assumptions_of(stated.replace(panel_type="bifacial"), CLEAR)[0]
