"""Physics: the power that sun or wind would give to a plant, from its geometry or curve and the weather forecast."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from ems.assets.portfolio import Site
from ems.assets.solar_pv import SolarPV
from ems.assets.wind_turbine import WindTurbine
from ems.errors import InvalidInput
from ems.forecast.models.model import FittedModel, Model, State
from ems.horizon import Horizon
from ems.record import Fraction, FromList, Positive

if TYPE_CHECKING:
    from ems.forecast.history import Known

SUN = ("ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2")
SOLAR_WEATHER = (*SUN, "outdoor_temperature_degc", "wind_speed_m_per_s")
USUAL_PRESSURE_PA = 101_325.0
WIND_WEATHER = ("wind_speed_m_per_s", "outdoor_temperature_degc", "air_pressure_pa")


class Plant(Model):
    """A plant at its site: what models that know physics have in common."""

    asset: SolarPV | WindTurbine | None = None
    """Plant whose power is forecast; a study fills in the asset that it is about."""
    site: Site | None = None
    """Where it stands; a study fills in the asset's site."""
    albedo: Fraction = 0.2
    """Share of light that the ground reflects; of solar plants."""
    heights_m: Annotated[tuple[Positive, ...], FromList, Field(min_length=1, max_length=1)] = (10.0,)
    """Height above ground of the wind speed; of turbines."""
    roughness_length_m: Positive | None = None
    """Roughness of the land around; without it wind grows with height to the power of 1/7; of turbines."""

    def plant(self) -> tuple[SolarPV | WindTurbine, Site]:
        """Return the plant and its site.

        Raises
        ------
        InvalidInput
            If they are not stated, or lack what the physics needs.
        """
        if self.asset is None or self.site is None:
            raise InvalidInput(
                f"model '{self.name}'", "needs a solar_pv or wind_turbine and its site, as options asset and site"
            )
        findings = _geometry_findings(self.asset, self.site)
        if findings:
            raise InvalidInput(f"model '{self.name}' for solar_pv '{self.asset.id}'", findings)
        return self.asset, self.site

    def power_kw(self, known: Known, steps: slice) -> np.ndarray:
        """Return the power that physics tells for steps of the window; NaN where the weather has a gap.

        Raises
        ------
        InvalidInput
            If plant, site or weather are not stated.
        """
        asset, site = self.plant()
        names = SOLAR_WEATHER if isinstance(asset, SolarPV) else WIND_WEATHER
        weather = {name: known.ahead[name][steps] for name in names if name in known.ahead}
        findings = _weather_findings(asset, weather)
        if findings:
            given = ", ".join(sorted(known.ahead)) or "nothing"
            findings[-1] += f"; known ahead is {given}; name a column as in ghi_w_per_m2=COLUMN"
            raise InvalidInput(f"model '{self.name}' for {known.history.label}", findings)
        whole = np.all([np.isfinite(values) for values in weather.values()], axis=0)
        # A gap is filled only to be taken out again: physics looks at each step alone.
        usual = {"air_pressure_pa": USUAL_PRESSURE_PA}
        filled = {name: np.where(whole, values, usual.get(name, 0.0)) for name, values in weather.items()}
        if isinstance(asset, SolarPV):
            from ems.forecast.solar import solar_available_kw

            times = known.history.times[known.window][steps]
            horizon = Horizon.from_times(times.to_numpy(), known.history.step_h)
            power = solar_available_kw(asset, site, horizon, filled, albedo=self.albedo)
        else:
            from ems.forecast.wind import wind_available_kw

            power = wind_available_kw(
                asset, filled, heights_m=self.heights_m, roughness_length_m=self.roughness_length_m
            )
        return np.where(whole, power, np.nan)


def missing_of(asset: SolarPV | WindTurbine, site: Site, signals: Collection[str]) -> list[str]:
    """Return a sentence for each thing without which physics cannot tell a plant's power."""
    return [*_geometry_findings(asset, site), *_weather_findings(asset, signals)]


def _geometry_findings(asset: SolarPV | WindTurbine, site: Site) -> list[str]:
    from ems.forecast.solar import missing_fields

    return missing_fields(asset, site) if isinstance(asset, SolarPV) else []


def _weather_findings(asset: SolarPV | WindTurbine, signals: Collection[str]) -> list[str]:
    if isinstance(asset, WindTurbine):
        return [] if "wind_speed_m_per_s" in signals else ["wind_speed_m_per_s: must be known ahead"]
    findings = []
    if "ghi_w_per_m2" not in signals and not {"dni_w_per_m2", "dhi_w_per_m2"} <= set(signals):
        findings.append("ghi_w_per_m2, or both dni_w_per_m2 and dhi_w_per_m2: must be known ahead")
    if "outdoor_temperature_degc" not in signals:
        findings.append("outdoor_temperature_degc: must be known ahead")
    return findings


class Physical(Plant):
    """The power that physics tells, without learning anything from what was measured."""

    name: ClassVar[str] = "physical"
    meaning: ClassVar[str] = "power of sun or wind from the plant's record and the weather forecast, by physics alone"

    def fit(self, known: Known) -> FittedPhysical:
        """Return the model; it learns nothing, but says what it lacks."""
        self.plant()
        return FittedPhysical(self)

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedPhysical:
        """Return the model."""
        return FittedPhysical(cls(**options))


@dataclass(frozen=True)
class FittedPhysical(FittedModel):
    """Physics, which has learned nothing."""

    model: Physical

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step."""
        return self.model.power_kw(known, slice(known.past_steps, None))

    def state(self) -> State:
        """Return nothing: there is nothing to keep."""
        return {}
