"""What solar PV and wind turbines share: available power that may be used or curtailed."""

from __future__ import annotations

from typing import Any, ClassVar

from ems.assets.asset import Asset, AssetInputs, add_series
from ems.record import Positive


class VariableRenewable(Asset):
    """A generator whose available power is given by the weather."""

    rated_capacity_kw: Positive
    """Highest power under rated conditions, at the site's bus. Acts in forecasts, health and reports."""
    is_curtailable: bool = True
    """Whether available power may be left unused. Acts in dispatch and settlement."""

    series_needed: ClassVar[tuple[str, ...]] = ("available_kw",)

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare the power used: at most what is available, or just that where it cannot be curtailed."""
        from pyomo.core import Constraint, Var

        steps = unit.model().steps
        add_series(unit, "available_kw", inputs.series["available_kw"])
        unit.used_kw = Var(steps, bounds=(0, None))

        def available_power(unit: Any, t: Any) -> Any:
            if self.is_curtailable:
                return unit.used_kw[t] <= unit.available_kw[t]
            return unit.used_kw[t] == unit.available_kw[t]

        unit.available_power = Constraint(steps, rule=available_power)

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the power used, in kW."""
        return unit.used_kw[t]

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return the available power that was left unused."""
        return {"curtailed_kw": unit.available_kw[t] - unit.used_kw[t]}
