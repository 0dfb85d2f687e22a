"""Wind turbine: fields; its part of a dispatch is that of any variable renewable."""

from __future__ import annotations

from typing import Literal

from ems.assets.variable_renewable import VariableRenewable


class WindTurbine(VariableRenewable):
    """A wind turbine or a farm of them."""

    kind: Literal["wind_turbine"] = "wind_turbine"
