"""Sun and irradiance: where the sun stands in each step, and how much of its light falls on a plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from ems.errors import InvalidInput, did_you_mean, show
from ems.horizon import Horizon

Transposition: TypeAlias = Literal["isotropic", "klucher", "haydavies", "reindl", "perez", "perez-driesse"]
"""Models of the sky's light on a tilted plane, as pvlib names them."""
PART_H = 1 / 6
"""Longest part of a step for which the sun is said to stand still; it moves by 2.5 degrees in it."""
HORIZON_DEG = 90.0


@dataclass(frozen=True)
class SunPath:
    """Where the sun stands in the middle of equal parts of each step.

    Parameters
    ----------
    zenith_deg, azimuth_deg : ndarray (parts,)
        Apparent angle from the vertical, and direction clockwise from north.
    extraterrestrial_w_per_m2 : ndarray (parts,)
        Irradiance above the atmosphere on a plane that faces the sun.
    first_part : ndarray (steps,)
        Position of the first part of each step.
    """

    zenith_deg: np.ndarray
    azimuth_deg: np.ndarray
    extraterrestrial_w_per_m2: np.ndarray
    first_part: np.ndarray

    @property
    def parts_of_step(self) -> np.ndarray:
        """Number of parts of each step, shape (steps,)."""
        counts: np.ndarray = np.diff(np.append(self.first_part, self.zenith_deg.size))
        return counts

    @property
    def cos_zenith(self) -> np.ndarray:
        """Sine of the sun's height; zero where it is below the horizon, shape (parts,)."""
        height: np.ndarray = np.where(self.zenith_deg < HORIZON_DEG, np.cos(np.radians(self.zenith_deg)), 0.0)
        return height

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return the value of each step in all its parts, shape (parts,)."""
        repeated: np.ndarray = np.repeat(values, self.parts_of_step)
        return repeated

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over the parts of each step, shape (steps,)."""
        means: np.ndarray = np.add.reduceat(values, self.first_part) / self.parts_of_step
        return means

    def shaped(self, values: np.ndarray, shape: np.ndarray) -> np.ndarray:
        """Return values in each part, in proportion to a shape, with the given mean in each step.

        Where the shape is zero in all parts of a step, the value is lost: there is no sun to give it.
        """
        mean = self.spread(self.mean(shape))
        return np.asarray(self.spread(values) * np.divide(shape, mean, out=np.zeros_like(shape), where=mean > 0))


@dataclass(frozen=True)
class Irradiance:
    """Irradiance in each part of the steps, each of shape (parts,) and in W/m².

    Parameters
    ----------
    ghi_w_per_m2 : ndarray
        Global, on the horizontal plane.
    dni_w_per_m2 : ndarray
        Direct, on a plane that faces the sun.
    dhi_w_per_m2 : ndarray
        Diffuse, on the horizontal plane.
    """

    ghi_w_per_m2: np.ndarray
    dni_w_per_m2: np.ndarray
    dhi_w_per_m2: np.ndarray


def sun_path(horizon: Horizon, latitude: float, longitude: float) -> SunPath:
    """Return where the sun stands over the steps of a horizon, to 0.01 degrees [1]_.

    Parameters
    ----------
    horizon : Horizon
    latitude, longitude : float
        Degrees north and east.

    References
    ----------
    .. [1] K. S. Anderson et al., "pvlib python: 2023 project update," Journal of Open Source Software, vol. 8, no. 92,
       2023, doi:10.21105/joss.05994.
    """
    import pandas as pd
    from pvlib.irradiance import get_extra_radiation
    from pvlib.solarposition import ephemeris

    parts = np.maximum(1, np.ceil(horizon.step_h / PART_H - 1e-9)).astype(int)
    first = np.concatenate(([0], np.cumsum(parts)[:-1]))
    within = (np.arange(parts.sum()) - np.repeat(first, parts) + 0.5) * np.repeat(horizon.step_h / parts, parts)
    middle = np.repeat(horizon.times.to_numpy(), parts) + (within * 3.6e12).astype("timedelta64[ns]")
    times = pd.DatetimeIndex(middle, tz="UTC")
    sun = ephemeris(times, latitude, longitude)
    return SunPath(
        zenith_deg=sun["apparent_zenith"].to_numpy(),
        azimuth_deg=sun["azimuth"].to_numpy(),
        extraterrestrial_w_per_m2=get_extra_radiation(times).to_numpy(),
        first_part=first,
    )


def split_irradiance(
    sun: SunPath, ghi: np.ndarray | None, dni: np.ndarray | None = None, dhi: np.ndarray | None = None
) -> Irradiance:
    """Return global, direct and diffuse irradiance in each part of the steps, with the means that are given.

    Within a step, global and diffuse irradiance rise and fall with the height of the sun, and the direct one is
    constant while the sun is up; this keeps the means, also in the steps of sunrise and sunset. What is not given
    follows from ghi = dhi + dni * cos(zenith); the share of diffuse light in global light alone is that of Erbs, in
    the continuous form of Driesse [1]_.

    Parameters
    ----------
    sun : SunPath
    ghi, dni, dhi : ndarray (steps,), optional
        Means over each step in W/m²: the global one, or both others.

    Raises
    ------
    InvalidInput
        If neither is given.

    References
    ----------
    .. [1] A. Driesse, A. Jensen and R. Perez, "A continuous form of the Perez diffuse sky model for forward and
       reverse transposition," Solar Energy, vol. 267, 2024, doi:10.1016/j.solener.2023.112093.
    """
    from pvlib.irradiance import erbs_driesse

    height = sun.cos_zenith
    is_up = np.where(height > 0, 1.0, 0.0)
    direct = None if dni is None else sun.shaped(np.maximum(dni, 0), is_up)
    diffuse = None if dhi is None else sun.shaped(np.maximum(dhi, 0), height)
    if ghi is None:
        if direct is None or diffuse is None:
            raise InvalidInput("irradiance", "ghi_w_per_m2 is not given, nor are both dni_w_per_m2 and dhi_w_per_m2")
        return Irradiance(diffuse + direct * height, direct, diffuse)
    horizontal = sun.shaped(np.maximum(ghi, 0), height)
    if direct is None and diffuse is None:
        found = erbs_driesse(horizontal, sun.zenith_deg, dni_extra=sun.extraterrestrial_w_per_m2)
        return Irradiance(horizontal, is_up * found["dni"], is_up * found["dhi"])
    if direct is None:
        assert diffuse is not None
        beam = np.maximum(horizontal - diffuse, 0)
        direct = np.divide(beam, height, out=np.zeros_like(beam), where=height > 0)
        direct = np.minimum(direct, sun.extraterrestrial_w_per_m2)
    if diffuse is None:
        diffuse = np.maximum(horizontal - direct * height, 0)
    return Irradiance(horizontal, direct, diffuse)


def sky_diffuse_w_per_m2(
    model: Transposition,
    tilt_deg: np.ndarray | float,
    azimuth_deg: np.ndarray | float,
    sun: SunPath,
    light: Irradiance,
) -> np.ndarray:
    """Return the sky's diffuse light on a plane, shape (parts,), by one of several models.

    ``isotropic``: dhi * (1 + cos(tilt)) / 2. The others add the brightness around the sun and near the horizon:
    Klucher, Hay and Davies, Reindl, Perez, and Perez in the continuous form of Driesse [1]_.

    Raises
    ------
    InvalidInput
        If there is no model of that name.

    References
    ----------
    .. [1] A. Driesse, A. Jensen and R. Perez, "A continuous form of the Perez diffuse sky model for forward and
       reverse transposition," Solar Energy, vol. 267, 2024, doi:10.1016/j.solener.2023.112093.
    """
    from pvlib.irradiance import get_sky_diffuse

    if model not in get_args(Transposition):
        raise InvalidInput(
            f"transposition = {show(model)}", f"no such model; {did_you_mean(str(model), get_args(Transposition))}"
        )
    found: np.ndarray = np.asarray(
        get_sky_diffuse(
            tilt_deg,
            azimuth_deg,
            sun.zenith_deg,
            sun.azimuth_deg,
            light.dni_w_per_m2,
            light.ghi_w_per_m2,
            light.dhi_w_per_m2,
            dni_extra=sun.extraterrestrial_w_per_m2,
            model=model,
        ),
        dtype=float,
    )
    return np.where(sun.cos_zenith > 0, np.maximum(np.nan_to_num(found), 0), 0.0)


def incidence_deg(sun: SunPath, tilt_deg: np.ndarray | float, azimuth_deg: np.ndarray | float) -> np.ndarray:
    """Return the angle between the sun and the normal of a plane, shape (parts,)."""
    zenith, tilt = np.radians(sun.zenith_deg), np.radians(tilt_deg)
    turn = np.radians(sun.azimuth_deg - azimuth_deg)
    cosine = np.cos(zenith) * np.cos(tilt) + np.sin(zenith) * np.sin(tilt) * np.cos(turn)
    angle: np.ndarray = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return angle


def light_on_plane_w_per_m2(
    sun: SunPath,
    light: Irradiance,
    tilt_deg: np.ndarray | float,
    azimuth_deg: np.ndarray | float,
    *,
    transposition: Transposition = "perez-driesse",
    albedo: float = 0.2,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the light on a plane, and what of it passes the glass, each of shape (parts,).

    on_plane = dni * cos(incidence) + sky + ghi * albedo * (1 - cos(tilt)) / 2; each of the three passes the glass by
    its own share [1]_.

    Parameters
    ----------
    sun : SunPath
    light : Irradiance
    tilt_deg, azimuth_deg : float or ndarray (parts,)
        Angle between plane and ground, and the direction it faces, clockwise from north.
    transposition : str
        Model of the sky's light.
    albedo : float
        Share of light that the ground reflects; 0.2 is that of grass and of PVWatts.

    References
    ----------
    .. [1] Y. Xie, M. Sengupta, A. Habte and A. Andreas, "The 'Fresnel Equations' for Diffuse radiation on Inclined
       photovoltaic Surfaces (FEDIS)," Renewable and Sustainable Energy Reviews, vol. 161, 2022,
       doi:10.1016/j.rser.2022.112362.
    """
    from pvlib.iam import schlick, schlick_diffuse

    incidence = incidence_deg(sun, tilt_deg, azimuth_deg)
    beam = np.where(sun.cos_zenith > 0, light.dni_w_per_m2 * np.maximum(np.cos(np.radians(incidence)), 0), 0.0)
    sky = sky_diffuse_w_per_m2(transposition, tilt_deg, azimuth_deg, sun, light)
    ground = light.ghi_w_per_m2 * albedo * (1 - np.cos(np.radians(tilt_deg))) / 2
    passing = schlick_diffuse(np.broadcast_to(np.asarray(tilt_deg, dtype=float), sky.shape))
    through = beam * schlick(incidence) + sky * passing["sky"] + ground * passing["ground"]
    return beam + sky + ground, np.nan_to_num(through)
