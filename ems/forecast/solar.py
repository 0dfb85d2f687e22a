"""Power of a PV plant from the weather: PVWatts, with the plant's own geometry, temperature, losses and age."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

from ems.assets.portfolio import Site
from ems.assets.solar_pv import SolarPV
from ems.errors import InvalidInput
from ems.forecast.irradiance import (
    HORIZON_DEG,
    SunPath,
    Transposition,
    light_on_plane_w_per_m2,
    split_irradiance,
    sun_path,
)
from ems.forecast.pvwatts import (
    INVERTER_EFFICIENCY,
    PVSYST_HEAT_SHARE,
    PVSYST_W_PER_M2_PER_K,
    Mounting,
    ac_power_kw,
    dc_power_kw,
    faiman_cell_degc,
    sandia_cell_degc,
)
from ems.forecast.weather import weather_values
from ems.horizon import Horizon

DAYS_PER_YEAR = 365.25
SOILING_IN_SYSTEM_LOSSES = 0.98
"""What PVWatts' loss of 14 % in all already holds for dirt; it is the default of a plant's ``soiling_factor``."""
TEMPERATURE_COEFFICIENTS_PER_K = {"thin_film": -0.0032}
CRYSTALLINE_COEFFICIENT_PER_K = -0.0037
"""Of the module types of PVWatts 8 (cmod_pvwattsv8.cpp of NREL's SAM Simulation Core), where a plant states none."""
TRACKER_LIMIT_DEG = 45.0
TRACKER_COVER = 0.3
"""Furthest turn of a single axis, and share of ground that its rows cover; the defaults of PVWatts 8."""
MOUNTING_OF: Mapping[str | None, Mounting] = {
    "rooftop": "close_to_roof",
    "building_integrated": "insulated_back",
}


def solar_available_kw(
    plant: SolarPV,
    site: Site,
    horizon: Horizon,
    weather: Mapping[Any, Any],
    *,
    transposition: Transposition = "perez-driesse",
    albedo: float = 0.2,
) -> np.ndarray:
    """Return the power that a PV plant could give in each step, shape (steps,) [1]_.

    The light on the panels follows from the sun's path and the plant's tilt, direction and tracking; the cells'
    temperature from light, air and mounting; then `dc_power_kw`, `losses_of`, and `ac_power_kw`. It is exactly zero
    while the sun is down, and never above the inverters' or the rated power.

    Parameters
    ----------
    plant : SolarPV
    site : Site
        With latitude and longitude.
    horizon : Horizon
    weather : mapping of str to array (steps,), or Dataset (time)
        Means over each step: ``outdoor_temperature_degc``, and ``ghi_w_per_m2`` or both ``dni_w_per_m2`` and
        ``dhi_w_per_m2``; ``wind_speed_m_per_s`` at 10 m where it is known. With all of it, nothing is derived.
    transposition : str
        Model of the sky's light on a tilted plane.
    albedo : float
        Share of light that the ground reflects.

    Raises
    ------
    InvalidInput
        If the place or the plant's geometry is not stated, or the weather lacks a variable.
    MissingValues
        If the weather has gaps.

    References
    ----------
    .. [1] A. P. Dobos, "PVWatts Version 5 Manual," NREL/TP-6A20-62641, 2014, doi:10.2172/1158421.
    """
    findings = missing_fields(plant, site)
    if findings:
        raise InvalidInput(f"solar_pv '{plant.id}'", findings)
    assert site.latitude is not None and site.longitude is not None
    names = ("ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2")
    given = {name: weather_values(weather, name, len(horizon)) for name in names if name in weather}
    air_degc = weather_values(weather, "outdoor_temperature_degc", len(horizon))
    sun = sun_path(horizon, site.latitude, site.longitude)
    light = split_irradiance(sun, *(given.get(name) for name in names))
    tilt_deg, azimuth_deg = surface_angles(plant, sun)
    on_plane, through = light_on_plane_w_per_m2(
        sun, light, tilt_deg, azimuth_deg, transposition=transposition, albedo=albedo
    )
    if "wind_speed_m_per_s" in weather:
        wind = sun.spread(weather_values(weather, "wind_speed_m_per_s", len(horizon)))
        cell_degc = sandia_cell_degc(on_plane, sun.spread(air_degc), wind, mounting_of(plant))
    else:
        heat_loss = PVSYST_W_PER_M2_PER_K[mounting_of(plant)] / PVSYST_HEAT_SHARE
        cell_degc = faiman_cell_degc(on_plane, sun.spread(air_degc), 0.0, heat_loss, 0.0)
    dc_kw = dc_power_kw(through, cell_degc, plant.dc_capacity_kw, temperature_coefficient_of(plant))
    dc_kw = dc_kw * sun.spread(1 - losses_of(plant, horizon))
    efficiency = plant.inverter_efficiency or INVERTER_EFFICIENCY
    ac_kw = ac_power_kw(dc_kw, plant.ac_capacity_kw / efficiency, efficiency)
    return sun.mean(np.minimum(ac_kw, plant.rated_capacity_kw))


def missing_fields(plant: SolarPV, site: Site) -> list[str]:
    """Return a sentence for each field without which the physical model cannot be used."""
    findings = [
        f"{name} of site '{site.id}' is not stated; the sun's path needs it"
        for name in ("latitude", "longitude")
        if getattr(site, name) is None
    ]
    if plant.tracking_type in (None, "none", "fixed"):
        findings += [
            f"{name} is not stated; the light on its panels needs it"
            for name in ("tilt_angle_deg", "azimuth_deg")
            if getattr(plant, name) is None and not (name == "azimuth_deg" and plant.tilt_angle_deg == 0)
        ]
    return findings


def assumptions_of(plant: SolarPV, weather: Mapping[Any, Any]) -> list[str]:
    """Return a sentence for each value that the physical model takes because none is stated; reports show them."""
    found = []
    if plant.temperature_coefficient_per_k is None:
        coefficient = temperature_coefficient_of(plant)
        found.append(f"temperature_coefficient_per_k = {coefficient:g} 1/K, that of its panel_type in PVWatts")
    if plant.inverter_efficiency is None:
        found.append(f"inverter_efficiency = {INVERTER_EFFICIENCY:g}, the default of PVWatts")
    if plant.installation_type is None:
        found.append("panels on an open rack, as installation_type is not stated")
    if plant.panel_type == "bifacial":
        found.append("no light on the back of its panels, which the weather does not tell")
    if plant.tracking_type == "single_axis":
        if plant.tilt_angle_deg is None or plant.azimuth_deg is None:
            found.append("a level axis from north to south, as tilt_angle_deg and azimuth_deg are not both stated")
        found.append(f"an axis that turns by up to {TRACKER_LIMIT_DEG:g}° and turns back before rows shade each other")
    if plant.degradation_rate_per_a and began_of(plant) is None:
        found.append("panels as new, as neither commissioning_date nor installation_date is stated")
    if "wind_speed_m_per_s" not in weather:
        found.append("cells cooled by a usual wind, as wind_speed_m_per_s is not given")
    if "dni_w_per_m2" not in weather and "dhi_w_per_m2" not in weather:
        found.append("diffuse light derived from global light, as neither dni_w_per_m2 nor dhi_w_per_m2 is given")
    return found


def surface_angles(plant: SolarPV, sun: SunPath) -> tuple[np.ndarray, np.ndarray]:
    """Return tilt and direction of the panels in each part of the steps, each of shape (parts,).

    A single axis turns its panels towards the sun and back before rows shade each other [1]_; the plant's tilt and
    direction are those of the axis. Two axes face the sun, and lie flat at night.

    References
    ----------
    .. [1] K. Anderson and M. Mikofski, "Slope-aware backtracking for single-axis trackers," NREL/TP-5K00-76626, 2020,
       doi:10.2172/1660126.
    """
    count = sun.zenith_deg.size
    if plant.tracking_type == "dual_axis":
        is_up = sun.zenith_deg < HORIZON_DEG
        return np.where(is_up, sun.zenith_deg, 0.0), sun.azimuth_deg
    if plant.tracking_type == "single_axis":
        from pvlib.tracking import singleaxis

        axis_tilt_deg = plant.tilt_angle_deg or 0.0
        axis_azimuth_deg = 180.0 if plant.azimuth_deg is None else plant.azimuth_deg
        turned = singleaxis(
            sun.zenith_deg,
            sun.azimuth_deg,
            axis_tilt_deg,
            axis_azimuth_deg,
            max_angle=TRACKER_LIMIT_DEG,
            gcr=TRACKER_COVER,
        )
        return (
            np.nan_to_num(turned["surface_tilt"], nan=axis_tilt_deg),
            np.nan_to_num(turned["surface_azimuth"], nan=axis_azimuth_deg),
        )
    azimuth_deg = 180.0 if plant.azimuth_deg is None else plant.azimuth_deg
    return np.full(count, float(plant.tilt_angle_deg or 0.0)), np.full(count, azimuth_deg)


def mounting_of(plant: SolarPV) -> Mounting:
    """Return how freely air cools the panels."""
    return MOUNTING_OF.get(plant.installation_type, "open_rack")


def temperature_coefficient_of(plant: SolarPV) -> float:
    """Return the change of power with each kelvin, in 1/K; that of PVWatts 8 for its panels where none is stated."""
    if plant.temperature_coefficient_per_k is not None:
        return plant.temperature_coefficient_per_k
    return TEMPERATURE_COEFFICIENTS_PER_K.get(plant.panel_type or "", CRYSTALLINE_COEFFICIENT_PER_K)


def began_of(plant: SolarPV) -> dt.date | None:
    """Return the day from which the panels age: that of commissioning, else of installation."""
    return plant.commissioning_date or plant.installation_date


def losses_of(plant: SolarPV, horizon: Horizon) -> np.ndarray:
    """Return the share of direct-current power that is lost in each step, shape (steps,).

    losses = 1 - (1 - system_losses) * soiling_factor / 0.98 * shading_factor * (1 - degradation_rate) ** age

    PVWatts' system losses of 14 % hold 2 % for dirt already, so a soiling factor of 0.98 is not taken off twice:
    a cleaner or dirtier plant is better or worse than that. Shade is what the plant has beside the usual.
    """
    began = began_of(plant)
    age_a: np.ndarray | float = 0.0
    if began is not None:
        days = (horizon.times.to_numpy() - np.datetime64(began, "ns")) / np.timedelta64(1, "D")
        age_a = np.maximum(days / DAYS_PER_YEAR, 0.0)
    clean = plant.soiling_factor / SOILING_IN_SYSTEM_LOSSES
    left = (1 - plant.system_losses) * clean * plant.shading_factor * (1 - plant.degradation_rate_per_a) ** age_a
    return np.broadcast_to(1 - left, (len(horizon),))
