"""Signals known ahead, with what physics derives from them: wind speed of its components, the residual load."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations

import numpy as np

from ems.units import unit_of

HEATING_LIMIT_DEGC = 15.0
COOLING_LIMIT_DEGC = 18.0
KELVIN = 273.15
MOST_POWERS = 4
"""Signals of power whose differences are taken; of more, the pairs would be too many."""


def helpful_signals(ahead: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    """Return the signals, and those that physics derives from them, each of its signals' shape.

    Speed and direction of wind whose components toward east and north are given as a pair named u... and v...; the
    cube of a wind speed, as the power in the wind; degrees above and below the limits of cooling and heating for
    loads; differences of signals of power, as demand less renewable generation, for loads and prices.

    Parameters
    ----------
    ahead : mapping of str to ndarray (steps,)
    kind : str
        Kind of what is forecast.
    """
    found: dict[str, np.ndarray] = dict(ahead)
    for name, along in ahead.items():
        partner = _partner(name, ahead)
        if partner is not None:
            speed = np.hypot(along, ahead[partner])
            angle = np.arctan2(along, ahead[partner])
            rest = name[1:]
            found |= {f"speed{rest}": speed, f"sine{rest}": np.sin(angle), f"cosine{rest}": np.cos(angle)}
    if kind == "wind":
        speeds = [name for name in found if name.startswith("speed") or _is_wind_speed(name)]
        found |= {f"{name} cubed": found[name] ** 3 for name in speeds}
    if kind == "load":
        for name, values in ahead.items():
            degrees = _degrees(name, values)
            if degrees is not None:
                found[f"{name} for cooling"] = np.maximum(degrees - COOLING_LIMIT_DEGC, 0.0)
                found[f"{name} for heating"] = np.maximum(HEATING_LIMIT_DEGC - degrees, 0.0)
    if kind in ("load", "price"):
        powers = [name for name in ahead if unit_of(name) in ("kW", "MW", "W")]
        if len(powers) <= MOST_POWERS:
            for one, other in combinations(powers, 2):
                if unit_of(one) == unit_of(other):
                    found[f"{one} less {other}"] = ahead[one] - ahead[other]
    return found


def _partner(name: str, known: Mapping[str, np.ndarray]) -> str | None:
    """Return the name of the component toward north that belongs to one toward east, or None."""
    is_component = re.fullmatch(r"u_?\d*.*", name) is not None
    other = f"v{name[1:]}"
    return other if is_component and other in known else None


def _is_wind_speed(name: str) -> bool:
    return "wind" in name and ("speed" in name or name.endswith(("_m_per_s", "_ms")))


def _degrees(name: str, values: np.ndarray) -> np.ndarray | None:
    """Return a temperature in °C, or None where a signal is none."""
    words = re.split(r"[_.]", name.lower())
    if unit_of(name) == "°C" or words[-1] in ("degc", "celsius") or (words[0].startswith("temp")):
        # A temperature that is nowhere below 150 is given in kelvin.
        return values - KELVIN if np.nanmin(values, initial=1e3) > 150 else values
    if words[-1] == "k" and words[0].startswith("t"):
        return values - KELVIN
    return None
