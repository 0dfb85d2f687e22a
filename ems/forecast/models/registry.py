"""Models by name; each is imported when it is used, as learners take long to load."""

from __future__ import annotations

import importlib

from ems.errors import UnknownName, did_you_mean, show
from ems.forecast.models.model import Model

MODELS = {
    "last_value": "naive:LastValue",
    "seasonal_naive": "naive:SeasonalNaive",
    "ridge": "ridge:Ridge",
    "profile_ridge": "profile_ridge:ProfileRidge",
    "lightgbm": "boosting:LightGbm",
    "boosted_ridge": "boosting:BoostedRidge",
    "ets": "classical:Ets",
    "theta": "classical:Theta",
    "mstl": "classical:Mstl",
    "arima": "classical:Arima",
    "sktime": "sktime_model:SktimeModel",
    "physical": "physical:Physical",
    "hybrid": "hybrid:Hybrid",
    "standard_profile": "standard_profile:StandardProfile",
    "interval_width": "boosting:IntervalWidth",
}
"""Where each model is found, below ems.forecast.models."""


def model_class(name: str) -> type[Model]:
    """Return the class of a model.

    Raises
    ------
    UnknownName
        If there is no such model; says which there are.
    """
    if name not in MODELS:
        raise UnknownName(f"model {show(name)}", did_you_mean(name, MODELS))
    module, attribute = MODELS[name].split(":")
    found: type[Model] = getattr(importlib.import_module(f"ems.forecast.models.{module}"), attribute)
    return found
