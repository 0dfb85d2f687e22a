"""Solar PV: fields; its part of a dispatch is that of any variable renewable."""

from __future__ import annotations

from typing import Literal

from ems.assets.variable_renewable import VariableRenewable


class SolarPV(VariableRenewable):
    """A photovoltaic plant behind its inverter."""

    kind: Literal["solar_pv"] = "solar_pv"
