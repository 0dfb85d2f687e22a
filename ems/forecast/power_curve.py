"""Power curves: power by wind speed, corrected for the density of the air, smoothed over many turbines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ems.errors import InvalidInput

STANDARD_DENSITY_KG_PER_M3 = 1.225
"""Of dry air at 15 °C and 1013.25 hPa, for which makers state their curves (IEC 61400-12-1)."""
SLOW_M_PER_S, FAST_M_PER_S = 7.5, 12.5
"""Between these speeds the exponent of the density grows from 1/3 to 2/3, as blades begin to pitch."""


@dataclass(frozen=True)
class PowerCurve:
    """Power of a turbine or a farm by the wind speed at its hub.

    Parameters
    ----------
    speeds_m_per_s : ndarray (points,)
        Ascending.
    powers_kw : ndarray (points,)
    source : str
        Where it comes from, in words.
    """

    speeds_m_per_s: np.ndarray
    powers_kw: np.ndarray
    source: str = "power curve"

    def __post_init__(self) -> None:
        speeds, powers = (np.asarray(one, dtype=float) for one in (self.speeds_m_per_s, self.powers_kw))
        if speeds.ndim != 1 or speeds.size < 2 or np.any(np.diff(speeds) <= 0):
            raise InvalidInput(self.source, "speeds_m_per_s must be at least two speeds that ascend")
        if powers.shape != speeds.shape:
            raise InvalidInput(
                self.source, f"there are {powers.size} powers for {speeds.size} speeds: must be as many"
            )
        object.__setattr__(self, "speeds_m_per_s", speeds)
        object.__setattr__(self, "powers_kw", powers)

    def power_kw(self, wind_speed_m_per_s: ArrayLike, density_kg_per_m3: ArrayLike | None = None) -> np.ndarray:
        """Return the power at given wind speeds: a straight line between points, zero outside of them.

        With a density, each point of the curve moves to speed * (1.225 / density)**x, with x from 1/3 at 7.5 m/s and
        below to 2/3 at 12.5 m/s and above [1]_: thin air needs more wind.

        Parameters
        ----------
        wind_speed_m_per_s : array (...)
            At hub height.
        density_kg_per_m3 : array (...), optional
            Of the air at hub height.

        References
        ----------
        .. [1] L. Svenningsen, "Power curve air density correction and other power curve options in WindPRO," EMD
           International, 2010, p. 4.
        """
        speed = np.asarray(wind_speed_m_per_s, dtype=float)
        if density_kg_per_m3 is None:
            return np.asarray(np.interp(speed, self.speeds_m_per_s, self.powers_kw, left=0.0, right=0.0))
        density = np.broadcast_to(np.asarray(density_kg_per_m3, dtype=float), speed.shape)
        exponent = np.interp(self.speeds_m_per_s, [SLOW_M_PER_S, FAST_M_PER_S], [1 / 3, 2 / 3])
        ratio = STANDARD_DENSITY_KG_PER_M3 / density.reshape(-1, 1)
        moved = self.speeds_m_per_s * ratio**exponent
        powers = [
            np.interp(one, points, self.powers_kw, left=0.0, right=0.0)
            for one, points in zip(speed.ravel(), moved, strict=True)
        ]
        return np.reshape(powers, speed.shape)


def power_by_coefficient_kw(
    wind_speed_m_per_s: ArrayLike,
    speeds_m_per_s: ArrayLike,
    power_coefficients: ArrayLike,
    rotor_diameter_m: float,
    density_kg_per_m3: ArrayLike = STANDARD_DENSITY_KG_PER_M3,
) -> np.ndarray:
    """Return the power of a rotor whose share of the wind's power is known by speed, zero outside of the curve.

    power = coefficient * density / 2 * (pi / 4 * diameter**2) * speed**3

    Parameters
    ----------
    wind_speed_m_per_s : array (...)
    speeds_m_per_s, power_coefficients : array (points,)
        The curve, its speeds ascending.
    rotor_diameter_m : float
    density_kg_per_m3 : array (...) or float
    """
    speed = np.asarray(wind_speed_m_per_s, dtype=float)
    coefficient = np.interp(speed, np.asarray(speeds_m_per_s), np.asarray(power_coefficients), left=0.0, right=0.0)
    area_m2 = np.pi / 4 * rotor_diameter_m**2
    return np.asarray(coefficient * np.asarray(density_kg_per_m3) / 2 * area_m2 * speed**3 / 1000)


def smoothed(
    curve: PowerCurve,
    turbulence_intensity: float,
    *,
    least_deviation_m_per_s: float = 0.0,
    block_width_m_per_s: float = 0.5,
    range_m_per_s: float = 15.0,
) -> PowerCurve:
    """Return a curve smoothed by a normal distribution of the wind, as over a farm or within a step [1]_.

    power(v) = sum over u of width * curve(u) * density of N(v, deviation) at u, with
    deviation = turbulence_intensity * v + least_deviation

    Parameters
    ----------
    curve : PowerCurve
    turbulence_intensity : float
        Standard deviation as a share of the speed: 0.1 to 0.2. Staffell and Pfenninger [2]_ take 0.2, and 0.6 m/s for
        the least deviation.
    least_deviation_m_per_s : float
    block_width_m_per_s : float
        Step of the sum.
    range_m_per_s : float
        How far the sum goes to each side, and how far the smoothed curve goes beyond the given one.

    Raises
    ------
    InvalidInput
        If the intensity is not above 0.

    References
    ----------
    .. [1] P. Nørgaard and H. Holttinen, "A multi-turbine power curve approach," Nordic Wind Power Conference, 2004.
    .. [2] I. Staffell and S. Pfenninger, "Using bias-corrected reanalysis to simulate current and future wind power
       output," Energy, vol. 114, 2016, doi:10.1016/j.energy.2016.08.068.
    """
    if not turbulence_intensity > 0:
        raise InvalidInput("power curve", f"turbulence_intensity = {turbulence_intensity:g}: must be greater than 0")
    step = float(np.median(np.diff(curve.speeds_m_per_s)))
    last = curve.speeds_m_per_s[-1]
    beyond = last + step * np.arange(1, np.ceil(range_m_per_s / step - 1e-9) + 1)
    speeds = np.concatenate((curve.speeds_m_per_s, beyond))
    # Beyond its last point the curve falls to zero within a step, as windpowerlib has it.
    extended = replace(
        curve, speeds_m_per_s=speeds, powers_kw=np.concatenate((curve.powers_kw, np.zeros(beyond.size)))
    )
    blocks = np.arange(-range_m_per_s, range_m_per_s + block_width_m_per_s, block_width_m_per_s)
    deviation = (turbulence_intensity * speeds + least_deviation_m_per_s)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # no deviation at 0 m/s, where there is no power either
        weight = np.exp(-(blocks**2) / (2 * deviation**2)) / (deviation * np.sqrt(2 * np.pi)) * block_width_m_per_s
    powers = (weight * extended.power_kw(speeds[:, None] + blocks)).sum(axis=1)
    return replace(extended, powers_kw=np.where(deviation[:, 0] > 0, powers, 0.0))
