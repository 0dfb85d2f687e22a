"""Weather as the physical models take it: a mapping of names to arrays, or a dataset along time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ems.errors import InvalidInput, MissingValues


def weather_values(weather: Mapping[Any, Any], name: str, steps: int) -> np.ndarray:
    """Return a variable of the weather, shape (steps, ...).

    Parameters
    ----------
    weather : mapping of str to array, or Dataset
    name : str
        With its unit, as ``outdoor_temperature_degc``.
    steps : int

    Raises
    ------
    InvalidInput
        If it is not there, or of another length.
    MissingValues
        If it has gaps.
    """
    if name not in weather:
        known = ", ".join(sorted(str(one) for one in weather))
        raise InvalidInput("weather", f"{name} is not given, without which no power can be told; given are {known}")
    values = np.asarray(weather[name], dtype=float)
    if values.shape[:1] != (steps,):
        raise InvalidInput(
            "weather", f"{name} has shape {values.shape}: must have one value for each of {steps} steps"
        )
    gaps = int(values.size - np.isfinite(values).sum())
    if gaps:
        raise MissingValues(
            "weather", f"{name} lacks {gaps} of {values.size} values; fill them or shorten the horizon"
        )
    return values
