"""PVWatts and the temperature of cells: from light on a module to power, as formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

Mounting: TypeAlias = Literal["open_rack", "close_to_roof", "insulated_back"]
REFERENCE_W_PER_M2 = 1000.0
REFERENCE_DEGC = 25.0
REFERENCE_EFFICIENCY = 0.9637
"""Of the inverter whose part-load curve PVWatts scales."""
INVERTER_EFFICIENCY = 0.96
"""Of an inverter that states none; the default of PVWatts."""
SANDIA: dict[Mounting, tuple[float, float, float]] = {
    "open_rack": (-3.56, -0.075, 3.0),
    "close_to_roof": (-2.98, -0.0471, 1.0),
    "insulated_back": (-2.81, -0.0455, 0.0),
}
"""a, b and the cell's excess over the module in K at 1000 W/m², of King (2004)."""
PVSYST_W_PER_M2_PER_K: dict[Mounting, float] = {"open_rack": 29.0, "close_to_roof": 20.0, "insulated_back": 15.0}
"""Heat lost by each m² and K, of PVsyst's handbook: free-standing, semi-integrated, insulated."""
PVSYST_HEAT_SHARE = 0.9 * (1 - 0.1)
"""Share of light that heats a module: absorbed, and not turned into power."""


def combined_losses(losses: Sequence[float]) -> float:
    """Return the loss of several in turn: 1 - product of (1 - loss).

    >>> round(combined_losses([0.02, 0.03, 0.02, 0.02, 0.005, 0.015, 0.01, 0.03]), 4)  # those of PVWatts
    0.1408
    """
    return float(1 - np.prod(1 - np.asarray(losses, dtype=float)))


def dc_power_kw(
    light_w_per_m2: ArrayLike,
    cell_degc: ArrayLike,
    dc_capacity_kw: ArrayLike,
    temperature_coefficient_per_k: ArrayLike,
    low_light_factor: float = 0.0,
) -> np.ndarray:
    """Return the power of panels by PVWatts [1]_, never below zero, with a correction for low light [2]_.

    dc = capacity * (light / 1000 * (1 + coefficient * (cell - 25)) - error), with
    error = low_light_factor * (1 - (1 - light / 200)**4) up to 200 W/m², and
    error = low_light_factor * (1000 - light) / 800 above

    Parameters
    ----------
    light_w_per_m2, cell_degc : array
        Light that reaches the cells, and their temperature.
    dc_capacity_kw : array or float
        Power under standard conditions.
    temperature_coefficient_per_k : array or float
        Change of power with each kelvin, as a share; negative.
    low_light_factor : float
        Share of capacity that is missing at 200 W/m².

    References
    ----------
    .. [1] A. P. Dobos, "PVWatts Version 5 Manual," NREL/TP-6A20-62641, 2014, doi:10.2172/1158421.
    .. [2] B. Marion, "Comparison of predictive models for photovoltaic module performance," 33rd IEEE Photovoltaic
       Specialists Conference, 2008, doi:10.1109/PVSC.2008.4922586.
    """
    light = np.asarray(light_w_per_m2, dtype=float)
    warmth = 1 + np.asarray(temperature_coefficient_per_k) * (np.asarray(cell_degc, dtype=float) - REFERENCE_DEGC)
    error = np.where(light <= 200, 1 - (1 - light / 200) ** 4, (REFERENCE_W_PER_M2 - light) / 800)
    power = np.asarray(dc_capacity_kw) * (light / REFERENCE_W_PER_M2 * warmth - low_light_factor * error)
    return np.maximum(power, 0.0)


def ac_power_kw(
    dc_kw: ArrayLike, max_dc_kw: ArrayLike, inverter_efficiency: float = INVERTER_EFFICIENCY
) -> np.ndarray:
    """Return the power of inverters by PVWatts, from zero to their rating max_dc * efficiency [1]_.

    ac = efficiency / 0.9637 * (-0.0162 * z - 0.0059 / z + 0.9858) * dc, with z = dc / max_dc

    Parameters
    ----------
    dc_kw : array
        Power of the panels.
    max_dc_kw : array or float
        Direct-current power at which the inverters reach their rating.
    inverter_efficiency : float
        At that power.

    References
    ----------
    .. [1] A. P. Dobos, "PVWatts Version 5 Manual," NREL/TP-6A20-62641, 2014, doi:10.2172/1158421.
    """
    dc, limit = np.asarray(dc_kw, dtype=float), np.asarray(max_dc_kw, dtype=float)
    # The efficiency times the power, so that nothing is divided by a power of zero.
    scaled = -0.0162 * dc**2 / limit - 0.0059 * limit + 0.9858 * dc
    power = inverter_efficiency / REFERENCE_EFFICIENCY * scaled
    return np.where(dc > 0, np.clip(power, 0.0, inverter_efficiency * limit), 0.0)


def sandia_cell_degc(
    light_w_per_m2: ArrayLike, air_degc: ArrayLike, wind_speed_m_per_s: ArrayLike, mounting: Mounting = "open_rack"
) -> np.ndarray:
    """Return the cells' temperature by Sandia's model [1]_.

    cell = air + light * exp(a + b * wind) + light / 1000 * excess

    Parameters
    ----------
    light_w_per_m2 : array
        All light on the plane.
    air_degc, wind_speed_m_per_s : array
        Weather, the wind at 10 m.
    mounting : str
        How freely air cools the panels.

    References
    ----------
    .. [1] D. L. King, W. E. Boyson and J. A. Kratochvil, "Photovoltaic array performance model," Sandia National
       Laboratories, SAND2004-3535, 2004, doi:10.2172/919131.
    """
    a, b, excess_k = SANDIA[mounting]
    light = np.asarray(light_w_per_m2, dtype=float)
    warmer_k = light * np.exp(a + b * np.asarray(wind_speed_m_per_s)) + light / REFERENCE_W_PER_M2 * excess_k
    return np.asarray(air_degc, dtype=float) + warmer_k


def faiman_cell_degc(
    light_w_per_m2: ArrayLike,
    air_degc: ArrayLike,
    wind_speed_m_per_s: ArrayLike,
    heat_loss_w_per_m2_per_k: float = 25.0,
    heat_loss_by_wind: float = 6.84,
) -> np.ndarray:
    """Return the cells' temperature by Faiman's model [1]_: air + light / (heat_loss + heat_loss_by_wind * wind).

    With the heat loss of PVsyst divided by the share of light that heats, it is PVsyst's model.

    References
    ----------
    .. [1] D. Faiman, "Assessing the outdoor operating temperature of photovoltaic modules," Progress in
       Photovoltaics, vol. 16, no. 4, 2008, doi:10.1002/pip.813.
    """
    loss = heat_loss_w_per_m2_per_k + heat_loss_by_wind * np.asarray(wind_speed_m_per_s, dtype=float)
    return np.asarray(air_degc, dtype=float) + np.asarray(light_w_per_m2, dtype=float) / loss
