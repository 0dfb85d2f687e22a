"""Power of wind turbines from the weather: wind at hub height, density of the air, power curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ems.assets.wind_turbine import BETZ_LIMIT, WindTurbine
from ems.errors import InvalidInput
from ems.forecast.power_curve import STANDARD_DENSITY_KG_PER_M3, PowerCurve, smoothed
from ems.forecast.weather import weather_values
from ems.forecast.wind_profile import (
    KELVIN,
    hub_wind_between,
    hub_wind_by_log_law,
    hub_wind_by_power_law,
    ideal_gas_density_kg_per_m3,
    temperature_at_height_degc,
)

CURVE_STEP_M_PER_S = 0.1
SMOOTHING_BLOCK_M_PER_S = 0.1
TEMPERATURE_HEIGHT_M = 2.0
"""Height above ground at which weather services measure and forecast the air's temperature."""


def wind_available_kw(
    turbine: WindTurbine,
    weather: Mapping[Any, Any],
    *,
    heights_m: Sequence[float] = (10.0,),
    roughness_length_m: float | None = None,
    turbulence_intensity: float | None = None,
    wake_efficiency: float = 1.0,
) -> np.ndarray:
    """Return the power that a turbine, or a farm of equal ones, could give in each step, shape (steps,) [1]_.

    The wind is brought to hub height, the turbine's curve is read there, with its speeds corrected for the density of
    the air where the weather tells it, and the result is multiplied by availability and wake efficiency.

    Parameters
    ----------
    turbine : WindTurbine
    weather : mapping of str to array, or Dataset (time)
        ``wind_speed_m_per_s`` of shape (steps,), or (steps, heights) for two heights or more; for the density of the
        air both ``outdoor_temperature_degc`` at 2 m and ``air_pressure_pa`` at ground.
    heights_m : sequence of float
        Heights above ground of the wind speeds; 10 m is that of weather services.
    roughness_length_m : float, optional
        Of the land around: 0.03 for meadows, 0.1 for fields, 0.5 for suburbs. Without it, a wind of one height follows
        the power law with an exponent of 1/7; with two heights, it is not needed.
    turbulence_intensity : float, optional
        Spread of the wind within a step or over a farm as a share of its speed, by which the curve is smoothed.
    wake_efficiency : float
        Share of power that a farm's turbines leave to each other.

    Raises
    ------
    InvalidInput
        If the weather lacks the wind, or its heights do not fit.
    MissingValues
        If the weather has gaps.

    References
    ----------
    .. [1] S. Haas et al., "windpowerlib," doi:10.5281/zenodo.824267.
    """
    if not 0 < wake_efficiency <= 1:
        raise InvalidInput("wind power", f"wake_efficiency = {wake_efficiency:g}: must be above 0 and at most 1")
    speed = np.asarray(weather["wind_speed_m_per_s"]) if "wind_speed_m_per_s" in weather else np.empty(0)
    steps = speed.shape[0] if speed.ndim else 1
    speed = weather_values(weather, "wind_speed_m_per_s", steps)
    hub_speed = _at_hub(speed, turbine.hub_height_m, heights_m, roughness_length_m)
    curve = turbine_curve(turbine)
    if turbulence_intensity is not None:
        curve = smoothed(curve, turbulence_intensity, block_width_m_per_s=SMOOTHING_BLOCK_M_PER_S)
    density = None
    if "outdoor_temperature_degc" in weather and "air_pressure_pa" in weather:
        ground_degc = weather_values(weather, "outdoor_temperature_degc", steps)
        hub_degc = temperature_at_height_degc(ground_degc, TEMPERATURE_HEIGHT_M, turbine.hub_height_m)
        pressure = weather_values(weather, "air_pressure_pa", steps)
        density = ideal_gas_density_kg_per_m3(pressure, 0.0, turbine.hub_height_m, hub_degc + KELVIN)
    share = (1.0 if turbine.availability is None else turbine.availability) * wake_efficiency
    power_kw: np.ndarray = np.clip(curve.power_kw(hub_speed, density), 0.0, turbine.rated_capacity_kw) * share
    return power_kw


def turbine_assumptions(
    turbine: WindTurbine,
    weather: Mapping[Any, Any],
    heights_m: Sequence[float] = (10.0,),
    roughness_length_m: float | None = None,
) -> list[str]:
    """Return a sentence for each value that the physical model takes because none is stated; reports show them."""
    found = [turbine_curve(turbine).source]
    if len(heights_m) == 1 and roughness_length_m is None and heights_m[0] != turbine.hub_height_m:
        found.append("wind that grows with height by the power law with an exponent of 1/7")
    if "outdoor_temperature_degc" not in weather or "air_pressure_pa" not in weather:
        density = f"{STANDARD_DENSITY_KG_PER_M3:g} kg/m³"
        found.append(f"air of {density}, as outdoor_temperature_degc and air_pressure_pa are not both given")
    if turbine.availability is None:
        found.append("availability = 1, as none is stated")
    return found


def _at_hub(
    speed: np.ndarray, hub_height_m: float, heights_m: Sequence[float], roughness_length_m: float | None
) -> np.ndarray:
    columns = speed.reshape(len(speed), -1)
    if columns.shape[1] != len(heights_m):
        raise InvalidInput(
            "wind power", f"wind_speed_m_per_s has {columns.shape[1]} heights and heights_m {len(heights_m)}: must fit"
        )
    if len(heights_m) > 1:
        return hub_wind_between(columns, heights_m, hub_height_m)
    if roughness_length_m is not None:
        return hub_wind_by_log_law(columns[:, 0], heights_m[0], hub_height_m, roughness_length_m)
    return hub_wind_by_power_law(columns[:, 0], heights_m[0], hub_height_m)


def turbine_curve(turbine: WindTurbine) -> PowerCurve:
    """Return the power curve of a turbine, zero below cut-in and above cut-out.

    That of its ``model`` where windpowerlib's library of turbines has it, scaled to the rated power. Else, from cut-in
    to rated speed, the wind's power times the power coefficient; without one, the curve that grows with the cube of
    the speed [1]_: rated * (v**3 - cut_in**3) / (rated_speed**3 - cut_in**3).

    References
    ----------
    .. [1] C. Carrillo, A. F. Obando Montaño, J. Cidrás and E. Díaz-Dorado, "Review of power curve modelling for wind
       turbines," Renewable and Sustainable Energy Reviews, vol. 21, 2013, doi:10.1016/j.rser.2013.01.012.
    """
    cut_in, cut_out = turbine.cut_in_wind_speed_m_per_s, turbine.cut_out_wind_speed_m_per_s
    rated_speed, rated_kw = turbine.rated_wind_speed_m_per_s, turbine.rated_capacity_kw
    # Just below cut-in the power is zero, however much there is just above.
    exact = [np.nextafter(cut_in, 0), cut_in, rated_speed, cut_out]
    speeds = np.union1d(np.arange(0, cut_out, CURVE_STEP_M_PER_S), exact)
    known = library_curve(turbine.model)
    if known is not None:
        powers = np.where(speeds < cut_in, 0.0, known.power_kw(speeds) * (rated_kw / known.powers_kw.max()))
        return PowerCurve(speeds, powers, f"power curve of {turbine.model}, scaled to {rated_kw:g} kW")
    if turbine.power_coefficient is not None:
        wind_kw = 0.5 * STANDARD_DENSITY_KG_PER_M3 * turbine.swept_area_m2 * speeds**3 / 1000
        # A farm has as many rotors as its rated power needs at least; of one turbine it is one.
        wind_at_rated_kw = 0.5 * STANDARD_DENSITY_KG_PER_M3 * turbine.swept_area_m2 * rated_speed**3 / 1000
        rotors = np.ceil(rated_kw / (BETZ_LIMIT * wind_at_rated_kw))
        powers = np.minimum(rated_kw, turbine.power_coefficient * rotors * wind_kw)
        source = f"power curve of a constant power_coefficient = {turbine.power_coefficient:g}"
    else:
        powers = rated_kw * (speeds**3 - cut_in**3) / (rated_speed**3 - cut_in**3)
        source = (
            "power curve that grows with the cube of the wind speed, as neither model nor power_coefficient tells it"
        )
    powers = np.where(speeds < cut_in, 0.0, np.where(speeds >= rated_speed, rated_kw, powers))
    return PowerCurve(speeds, powers, source)


def library_curve(model: str | None) -> PowerCurve | None:
    """Return the power curve of a type of turbine from the library that comes with windpowerlib, or None."""
    if not model:
        return None
    from windpowerlib import WindTurbine as LibraryTurbine
    from windpowerlib import get_turbine_types

    types = get_turbine_types(turbine_library="local", print_out=False)
    names = types.loc[types["has_power_curve"], "turbine_type"]
    same = names[names.str.casefold() == model.casefold()]
    if same.empty:
        return None
    curve = LibraryTurbine(hub_height=100, turbine_type=same.iloc[0]).power_curve
    return PowerCurve(curve["wind_speed"].to_numpy(), curve["value"].to_numpy() / 1000, f"power curve of {model}")
