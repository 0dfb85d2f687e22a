from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import battery, solar, wind
from forecast_samples import noise

from ems.assets.portfolio import Site
from ems.assets.solar_pv import SolarPV
from ems.errors import InvalidInput
from ems.forecast.darkness import dark_steps
from ems.forecast.history import History
from ems.forecast.models.hybrid import Hybrid
from ems.forecast.models.physical import Physical
from ems.forecast.recipe import for_plant, recipe_of
from ems.forecast.solar import solar_available_kw
from ems.horizon import Horizon

SITE = Site(id="site", timezone="Europe/Berlin", latitude=52.5, longitude=13.4)
DAYS = 60


def _plant(**fields: object) -> SolarPV:
    return solar(**{"tilt_angle_deg": 30, "azimuth_deg": 180, **fields})


def _sunny(plant: SolarPV) -> History:
    """What a plant gave in spring, by physics, with noise of 3 %; its weather is known ahead."""
    times = pd.date_range("2024-04-01", periods=DAYS * 24, freq="h", unit="ns")
    hour = (np.asarray(times.hour) + 0.9) % 24
    clear = 850 * np.clip(np.sin(np.pi * (hour - 5) / 15), 0, None)
    light = clear * np.clip(0.7 + 0.25 * noise(len(times), 1, 0.9), 0.1, 1)
    weather = {"ghi_w_per_m2": light, "outdoor_temperature_degc": 12 + 6 * noise(len(times), 2, 0.95)}
    power = solar_available_kw(plant, SITE, Horizon.from_times(times.to_numpy(), 1.0), weather)
    values = power * (1 + 0.03 * noise(len(times), 3, 0.0))
    return History("available_kw", times, values, "Europe/Berlin", "solar", known_ahead=weather, asset="solar")


def test_physical__is_the_power_that_physics_tells() -> None:
    plant = _plant()
    history = _sunny(plant)
    known = history.known_at(50 * 24, 24)

    predicted = Physical(asset=plant, site=SITE).fit(known).predict(known)

    truth = history.values[50 * 24 : 51 * 24]
    assert np.abs(predicted - truth).mean() < 0.04 * truth.mean()


def test_hybrid__mends_a_record_that_is_wrong() -> None:
    """The record says that the plant is half as large and looks to the south; in truth it looks to the west."""
    history = _sunny(_plant(azimuth_deg=270, rated_capacity_kw=50))
    record = _plant(azimuth_deg=180, rated_capacity_kw=25)
    known = history.known_at(50 * 24, 48)

    physics, mended = (
        model.fit(known).predict(known)
        for model in (Physical(asset=record, site=SITE), Hybrid(asset=record, site=SITE, trees=60))
    )

    truth = history.values[50 * 24 : 52 * 24]
    assert np.abs(mended - truth).mean() < 0.4 * np.abs(physics - truth).mean()
    assert (mended[truth == 0] == 0).all()


@pytest.mark.parametrize("kind", [Physical, Hybrid])
def test_plant_model__restored_from_its_state_predicts_the_same(kind: type) -> None:
    plant = _plant()
    known = _sunny(plant).known_at(50 * 24, 24)
    fitted = kind(asset=plant, site=SITE).fit(known)

    restored = kind.restore(fitted.model.model_dump(exclude_unset=True), fitted.state())

    assert np.array_equal(restored.predict(known), fitted.predict(known))


def test_physical__of_a_turbine_follows_the_wind() -> None:
    times = pd.date_range("2024-04-01", periods=20 * 24, freq="h", unit="ns")
    speed = np.tile([0.0, 4.0, 15.0, 30.0], 5 * 24)
    history = History(
        "available_kw", times, np.ones(len(times)), kind="wind", known_ahead={"wind_speed_m_per_s": speed}
    )
    known = history.known_at(15 * 24, 4)

    low, part, full, stormy = (
        Physical(asset=wind(hub_height_m=10), site=SITE, heights_m=[10]).fit(known).predict(known)
    )

    assert low == stormy == 0
    assert 0 < part < full == 50


def test_physical__says_what_it_lacks() -> None:
    plant = _plant()
    known = _sunny(plant).known_at(50 * 24, 24)

    with pytest.raises(InvalidInput, match="needs a solar_pv or wind_turbine and its site"):
        Physical().fit(known)
    with pytest.raises(InvalidInput, match=r"(?s)physical.*latitude of site"):
        Physical(asset=plant, site=Site(id="site", timezone="UTC")).fit(known)
    dull = History(
        "available_kw", known.history.times, known.history.values, known_ahead={"clouds": np.ones(DAYS * 24)}
    )
    with pytest.raises(InvalidInput, match=r"(?s)ghi_w_per_m2, or both.*known ahead is clouds"):
        view = dull.known_at(50 * 24, 24)
        Physical(asset=plant, site=SITE).fit(view).predict(view)


def test_for_plant__an_ensemble_gets_a_hybrid_where_record_and_weather_suffice() -> None:
    plant, light = _plant(), ("ghi_w_per_m2", "outdoor_temperature_degc")

    def members(asset: object, site: Site, signals: tuple[str, ...], name: str = "auto") -> set[str]:
        return set(for_plant(recipe_of(name), asset, site, signals).members)

    plain = set(recipe_of("auto").members)
    assert members(plant, SITE, light) == plain | {"hybrid"}
    assert members(plant, SITE, light[:1]) == plain
    assert members(solar(), SITE, light) == plain
    assert members(battery(), SITE, light) == plain
    assert members(plant, SITE, light, "physical") == {"physical"}
    assert for_plant(recipe_of("physical"), plant, SITE, light).members["physical"].asset == plant


def test_dark_steps__are_those_without_sun() -> None:
    """In Berlin at midsummer the sun rises before 3 UTC and sets after 19 UTC; at midwinter it is up from 7 to 15."""
    summer, winter = (pd.date_range(day, periods=24, freq="h", unit="ns") for day in ("2024-06-21", "2024-12-21"))

    assert np.flatnonzero(dark_steps(summer, 1.0, 52.5, 13.4)).tolist() == [0, 1, 20, 21, 22, 23]
    assert np.flatnonzero(~dark_steps(winter, 1.0, 52.5, 13.4)).tolist() == list(range(7, 15))
