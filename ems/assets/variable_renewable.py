"""What solar PV and wind turbines share: available power that may be used or curtailed."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ems.assets.asset import Asset, AssetInputs
from ems.assets.unit import Unit
from ems.record import NonNegative, Positive


class VariableRenewable(Asset):
    """A generator whose available power is given by the weather."""

    rated_capacity_kw: Positive
    """Highest power under rated conditions, at the site's bus. Acts in forecasts, health and reports."""
    is_curtailable: bool = True
    """Whether available power may be left unused. Acts in dispatch and settlement."""
    variable_om_cost_per_kwh: float = 0.0
    """Operation and upkeep for each kWh used; negative where it is paid for, and may change with time. Acts in
    dispatch and settlement."""
    curtailment_cost_per_kwh: NonNegative = 0.0
    """What each available kWh costs that is left unused. Acts in dispatch and settlement."""

    series_needed: ClassVar[tuple[str, ...]] = ("available_kw",)
    series_optional: ClassVar[tuple[str, ...]] = ("variable_om_cost_per_kwh",)

    def declare(self, unit: Unit, inputs: AssetInputs) -> None:
        """Declare the power used: at most what is available, or just that where it cannot be curtailed.

        Power that is available below zero, as what an inverter draws at night, is drawn in any case. Where reserve
        is asked, power that is used may be curtailed at once, for any time.
        """
        available_kw = inputs.series["available_kw"]
        unit.add_series("available_kw", available_kw)
        lowest_kw = np.minimum(available_kw, 0) if self.is_curtailable else available_kw
        unit.add_variable("used_kw", lower=lowest_kw, upper=available_kw)
        om_cost = self.over_steps("variable_om_cost_per_kwh", inputs)
        if np.any(om_cost):
            unit.add_series("variable_om_cost_per_kwh", om_cost)
        if self.is_curtailable and inputs.reserve_down_h is not None:
            unit.add_variable("reserve_down_kw", upper=np.maximum(available_kw, 0))
            unit.add_constraint(
                "reserve_down_at_most_used", lambda t: unit.reserve_down_kw[t] <= unit.used_kw[t] - lowest_kw[t]
            )

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the power used, in kW."""
        return unit.used_kw[t]

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return upkeep of the energy used and the price of what was left unused."""
        costs = {}
        if unit.has("variable_om_cost_per_kwh"):
            costs["variable_om_cost"] = unit.used_kw[t] * (unit.variable_om_cost_per_kwh[t] * step_h[t])
        if self.curtailment_cost_per_kwh and self.is_curtailable:
            unused_kw = unit.available_kw[t] - unit.used_kw[t]
            costs["curtailment_cost"] = unused_kw * (self.curtailment_cost_per_kwh * step_h[t])
        return costs

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return the available power that was left unused."""
        return {"curtailed_kw": unit.available_kw[t] - unit.used_kw[t]}
