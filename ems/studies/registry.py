"""Studies by name."""

from __future__ import annotations

import importlib

from ems.errors import UnknownName, did_you_mean, show
from ems.studies.study import Study

_PLACES = {
    "dispatch": ("ems.studies.dispatch", "DispatchStudy"),
    "register": ("ems.studies.register", "RegisterStudy"),
    "tariffs": ("ems.studies.tariffs", "TariffsStudy"),
    "forecast": ("ems.studies.forecast", "ForecastStudy"),
    "backtest": ("ems.studies.backtest", "BacktestStudy"),
    "sizing": ("ems.studies.sizing", "SizingStudy"),
    "rolling": ("ems.studies.rolling", "RollingStudy"),
    "comparison": ("ems.studies.comparison", "ComparisonStudy"),
}
STUDIES = tuple(_PLACES)


def study_class(name: str) -> type[Study]:
    """Return the class of a study.

    Raises
    ------
    UnknownName
        If there is no such study; says which there are.
    """
    if name not in _PLACES:
        raise UnknownName(f"study {show(name)}", did_you_mean(name, STUDIES))
    module, attribute = _PLACES[name]
    found: type[Study] = getattr(importlib.import_module(module), attribute)
    return found
