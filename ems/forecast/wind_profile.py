"""Air above ground: wind speed, temperature and density at the height of a hub."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ems.errors import InvalidInput
from ems.forecast.power_curve import STANDARD_DENSITY_KG_PER_M3

KELVIN = 273.15
DISPLACEMENT_PER_OBSTACLE = 0.7
"""Height by which obstacles lift the wind's profile, as a share of their own."""
COOLING_K_PER_M = 0.0065
"""Fall of the temperature with height in the standard atmosphere (ISO 2533)."""
PRESSURE_FALL_PA_PER_M = 100 / 8
"""Near the ground, 1 hPa for each 8 m."""
GAS_CONSTANT_J_PER_KG_PER_K = 287.058
"""Of dry air."""
STANDARD_PRESSURE_PA = 101330.0
"""As the source of the formula rounds it; the density is 0.005 % lower for it."""
STANDARD_TEMPERATURE_K = 288.15


def hub_wind_by_log_law(
    wind_speed_m_per_s: ArrayLike,
    height_m: float,
    hub_height_m: float,
    roughness_length_m: ArrayLike,
    obstacle_height_m: float = 0.0,
) -> np.ndarray:
    """Return the wind speed at hub height by the logarithmic law [1]_.

    hub = speed * ln((hub_height - d) / roughness) / ln((height - d) / roughness), with d = 0.7 * obstacle_height

    Parameters
    ----------
    wind_speed_m_per_s : array (...)
    height_m, hub_height_m : float
        Above ground; of the wind speed and of the hub.
    roughness_length_m : array (...) or float
        Of the land around.
    obstacle_height_m : float
        Of trees or houses around.

    Raises
    ------
    InvalidInput
        If a height is not above the roughness, where the law has no speed.

    References
    ----------
    .. [1] E. Hau, "Windkraftanlagen: Grundlagen, Technik, Einsatz, Wirtschaftlichkeit," 4th ed., Springer, 2008,
       p. 515.
    """
    lift_m = DISPLACEMENT_PER_OBSTACLE * obstacle_height_m
    roughness = np.asarray(roughness_length_m, dtype=float)
    lowest = min(height_m, hub_height_m) - lift_m
    if np.any(roughness <= 0) or np.any(lowest <= roughness):
        raise InvalidInput(
            "wind by the logarithmic law",
            f"height_m = {min(height_m, hub_height_m):g} m: must be above {lift_m:g} m, by which obstacles lift the "
            f"wind, and the roughness of {float(np.max(roughness)):g} m, itself above 0 m",
        )
    ratio = np.log((hub_height_m - lift_m) / roughness) / np.log((height_m - lift_m) / roughness)
    return np.asarray(np.asarray(wind_speed_m_per_s, dtype=float) * ratio)


def hub_wind_by_power_law(
    wind_speed_m_per_s: ArrayLike,
    height_m: float,
    hub_height_m: float,
    exponent: ArrayLike | None = None,
    roughness_length_m: ArrayLike | None = None,
) -> np.ndarray:
    """Return the wind speed at hub height by the power law of Hellmann: speed * (hub_height / height)**exponent.

    Parameters
    ----------
    wind_speed_m_per_s : array (...)
    height_m, hub_height_m : float
        Above ground; of the wind speed and of the hub.
    exponent : array (...) or float, optional
        Where it is not given, 1 / ln(hub_height / roughness_length) [1]_, or 1/7 without a roughness, which holds for
        open land and a neutral atmosphere.
    roughness_length_m : array (...) or float, optional
        Of the land around.

    References
    ----------
    .. [1] E. Hau, "Windkraftanlagen: Grundlagen, Technik, Einsatz, Wirtschaftlichkeit," 4th ed., Springer, 2008,
       p. 517.
    """
    if exponent is None:
        exponent = 1 / 7 if roughness_length_m is None else 1 / np.log(hub_height_m / np.asarray(roughness_length_m))
    return np.asarray(wind_speed_m_per_s, dtype=float) * (hub_height_m / height_m) ** np.asarray(exponent, dtype=float)


def hub_wind_between(wind_speed_m_per_s: ArrayLike, heights_m: Sequence[float], hub_height_m: float) -> np.ndarray:
    """Return the wind speed at hub height from those at other heights, shape (steps,), never below zero.

    By the logarithmic law through the two nearest heights:
    hub = low + (high - low) * ln(hub_height / low_height) / ln(high_height / low_height)

    Parameters
    ----------
    wind_speed_m_per_s : array (steps, heights)
    heights_m : sequence of float
        At least two, all different.
    hub_height_m : float

    Raises
    ------
    InvalidInput
        If heights are fewer than two, equal, or not above ground.
    """
    heights = np.asarray(heights_m, dtype=float)
    if np.unique(heights).size < 2 or np.unique(heights).size < heights.size or np.any(heights <= 0):
        raise InvalidInput("wind between heights", "heights_m: must be at least two, all different and above 0 m")
    nearest = np.argsort(np.abs(np.log(heights / hub_height_m)), kind="stable")[:2]
    first, second = nearest[np.argsort(heights[nearest])]
    speeds = np.asarray(wind_speed_m_per_s, dtype=float)
    share = np.log(hub_height_m / heights[first]) / np.log(heights[second] / heights[first])
    return np.asarray(np.maximum(speeds[:, first] + (speeds[:, second] - speeds[:, first]) * share, 0.0))


def temperature_at_height_degc(temperature_degc: ArrayLike, height_m: float, hub_height_m: float) -> np.ndarray:
    """Return the temperature at hub height, which falls by 6.5 K for each km."""
    return np.asarray(temperature_degc, dtype=float) - COOLING_K_PER_M * (hub_height_m - height_m)


def barometric_density_kg_per_m3(
    pressure_pa: ArrayLike, pressure_height_m: float, hub_height_m: float, hub_temperature_k: ArrayLike
) -> np.ndarray:
    """Return the density of the air at hub height, scaled from that of the standard atmosphere [1]_.

    density = pressure_at_hub / 101330 * 1.225 * 288.15 / temperature, with a pressure that falls by 1 hPa for each 8 m

    Parameters
    ----------
    pressure_pa : array (...)
    pressure_height_m, hub_height_m : float
        Above ground.
    hub_temperature_k : array (...)

    References
    ----------
    .. [1] E. Hau, "Windkraftanlagen: Grundlagen, Technik, Einsatz, Wirtschaftlichkeit," 4th ed., Springer, 2008,
       p. 560.
    """
    at_hub = _pressure_at_hub(pressure_pa, pressure_height_m, hub_height_m)
    standard = STANDARD_DENSITY_KG_PER_M3 * STANDARD_TEMPERATURE_K / STANDARD_PRESSURE_PA
    return np.asarray(at_hub * standard / np.asarray(hub_temperature_k, dtype=float))


def ideal_gas_density_kg_per_m3(
    pressure_pa: ArrayLike, pressure_height_m: float, hub_height_m: float, hub_temperature_k: ArrayLike
) -> np.ndarray:
    """Return the density of dry air at hub height: pressure_at_hub / (287.058 * temperature).

    Parameters are those of `barometric_density_kg_per_m3`.
    """
    at_hub = _pressure_at_hub(pressure_pa, pressure_height_m, hub_height_m)
    return np.asarray(at_hub / (GAS_CONSTANT_J_PER_KG_PER_K * np.asarray(hub_temperature_k, dtype=float)))


def _pressure_at_hub(pressure_pa: ArrayLike, pressure_height_m: float, hub_height_m: float) -> np.ndarray:
    fall = PRESSURE_FALL_PA_PER_M * (hub_height_m - pressure_height_m)
    return np.asarray(np.asarray(pressure_pa, dtype=float) - fall)
