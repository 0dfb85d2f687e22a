"""The sun's path and the light on a plane: known hours, and means that are kept within each step."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from pvlib.location import Location

from ems.errors import InvalidInput
from ems.forecast.irradiance import (
    Irradiance,
    SunPath,
    incidence_deg,
    light_on_plane_w_per_m2,
    sky_diffuse_w_per_m2,
    split_irradiance,
    sun_path,
)
from ems.horizon import Horizon

BERLIN = (52.5, 13.4)
SUMMER_DAY = Horizon.regular(dt.datetime(2024, 6, 21, tzinfo=dt.UTC), 24)
GHI = np.maximum(0, 800 * np.sin((np.arange(24) - 2.5) / 18 * np.pi)) * ((np.arange(24) >= 3) & (np.arange(24) <= 18))
"""A smooth day between the whole hours of daylight in Berlin, in UTC."""


def one_sun(zenith_deg: float, azimuth_deg: float = 180.0) -> SunPath:
    """A sun that stands still for one step."""
    return SunPath(np.array([zenith_deg]), np.array([azimuth_deg]), np.array([1361.0]), np.array([0]))


def light(ghi: float, dni: float, dhi: float) -> Irradiance:
    """Irradiance in one part."""
    return Irradiance(np.array([ghi]), np.array([dni]), np.array([dhi]))


def test_sun_path__highest_at_noon_of_midsummer():
    """At 52.5° north the sun of midsummer stands 90 - 52.5 + 23.4 degrees high, in the south, 54 minutes before 12."""
    horizon = Horizon(dt.datetime(2024, 6, 21, 11, 6, tzinfo=dt.UTC), (1 / 60,))
    sun = sun_path(horizon, *BERLIN)
    assert sun.zenith_deg[0] == pytest.approx(90 - 60.9, abs=0.1)
    assert sun.azimuth_deg[0] == pytest.approx(180, abs=1)


def test_sun_path__agrees_with_the_algorithm_of_nrel():
    sun = sun_path(SUMMER_DAY, *BERLIN)
    middles = np.arange(24 * 6) * 10 + 5
    times = SUMMER_DAY.times[0].tz_localize("UTC") + np.array(middles, dtype="timedelta64[m]")
    wanted = Location(*BERLIN).get_solarposition(times, method="nrel_numpy")
    is_up = wanted["zenith"].to_numpy() < 85
    # Refraction near the horizon is told by another formula.
    np.testing.assert_allclose(sun.zenith_deg[is_up], wanted["apparent_zenith"][is_up], atol=0.02)
    np.testing.assert_allclose(sun.azimuth_deg[is_up], wanted["azimuth"][is_up], atol=0.05)


def test_sun_path__parts_of_unequal_steps():
    """A quarter of an hour has two parts of at most ten minutes, an hour six, five minutes one."""
    sun = sun_path(Horizon(SUMMER_DAY.start, (0.25, 1.0, 1 / 12)), *BERLIN)
    assert sun.parts_of_step.tolist() == [2, 6, 1]
    assert sun.mean(np.array([1, 3, 0, 0, 0, 6, 6, 6, 7.0])).tolist() == [2, 3, 7]


@pytest.mark.parametrize("given", ["ghi", "ghi dni", "ghi dhi", "dni dhi", "ghi dni dhi"])
def test_split_irradiance__keeps_the_means_and_the_dark(given):
    sun = sun_path(SUMMER_DAY, *BERLIN)
    whole = split_irradiance(sun, GHI)
    values = {
        "ghi": GHI,
        "dni": sun.mean(whole.dni_w_per_m2),
        "dhi": sun.mean(whole.dhi_w_per_m2),
    }
    found = split_irradiance(sun, **{"ghi": None, **{name: values[name] for name in given.split()}})
    parts = {"ghi": found.ghi_w_per_m2, "dni": found.dni_w_per_m2, "dhi": found.dhi_w_per_m2}
    for name in given.split():
        np.testing.assert_allclose(sun.mean(parts[name]), values[name], atol=1e-9)
    for part in parts.values():
        assert np.all(part >= 0)
        assert np.all(part[sun.cos_zenith == 0] == 0)


def test_split_irradiance__needs_global_or_both_others():
    with pytest.raises(InvalidInput, match="ghi_w_per_m2 is not given, nor are both"):
        split_irradiance(one_sun(30), None, dni=np.array([500.0]))


def test_split_irradiance__direct_light_is_no_more_than_above_the_air():
    """With the sun at 80°, 900 W/m² on level ground and 100 of them diffuse would need 4,607 W/m² from the sun."""
    found = split_irradiance(one_sun(80), np.array([900.0]), dhi=np.array([100.0]))
    assert found.dni_w_per_m2[0] == 1361


@pytest.mark.parametrize(("zenith", "sun_azimuth", "angle"), [(50, 180, 20), (30, 180, 0), (30, 0, 60), (90, 90, 90)])
def test_incidence_deg__plane_of_30_degrees_to_the_south(zenith, sun_azimuth, angle):
    # The arc cosine loses half of the digits near zero.
    assert incidence_deg(one_sun(zenith, sun_azimuth), 30, 180)[0] == pytest.approx(angle, abs=1e-5)


def test_sky_diffuse__isotropic():
    """A plane of 60° sees three quarters of the sky."""
    found = sky_diffuse_w_per_m2("isotropic", 60, 180, one_sun(30), light(500, 0, 100))
    assert found[0] == pytest.approx(75, abs=1e-9)


@pytest.mark.parametrize("model", ["haydavies", "reindl", "perez", "perez-driesse", "klucher"])
def test_sky_diffuse__brighter_around_the_sun(model):
    """Under a clear sky, a plane that faces the sun sees more diffuse light than an even sky would give."""
    clear = light(100 + 800 * np.cos(np.radians(40)), 800, 100)
    found = sky_diffuse_w_per_m2(model, 40, 180, one_sun(40), clear)
    assert found[0] > 100 * (1 + np.cos(np.radians(40))) / 2


def test_sky_diffuse__unknown_model():
    with pytest.raises(InvalidInput, match=r"transposition = 'perrez': no such model; did you mean perez\?"):
        sky_diffuse_w_per_m2("perrez", 0, 0, one_sun(30), light(1, 0, 1))


def test_light_on_plane__level_plane_gets_the_global_light():
    sun = one_sun(30)
    day = light(100 + 800 * np.cos(np.radians(30)), 800, 100)
    found, through = light_on_plane_w_per_m2(sun, day, 0, 180, transposition="isotropic")
    assert found[0] == pytest.approx(day.ghi_w_per_m2[0], abs=1e-9)
    assert 0.95 * found[0] < through[0] < found[0]


def test_light_on_plane__wall_sees_the_ground():
    """A wall under an overcast sky of 100 W/m² gets half of it, and half of the 20 that the ground reflects."""
    found, _ = light_on_plane_w_per_m2(one_sun(30), light(100, 0, 100), 90, 180, transposition="isotropic")
    assert found[0] == pytest.approx(50 + 10, abs=1e-9)


def test_light_on_plane__nothing_at_night():
    found, through = light_on_plane_w_per_m2(one_sun(95), light(0, 0, 0), 30, 180)
    assert (found[0], through[0]) == (0, 0)
