"""Load: fields and part of a dispatch."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from ems.assets.asset import Asset, AssetInputs, add_series
from ems.record import NonNegative


class Load(Asset):
    """A demand for power, firm or sheddable at a price."""

    kind: Literal["load"] = "load"
    is_sheddable: bool = False
    """Whether demand may be left unserved, at the interruption cost."""
    interruption_cost_per_kwh: NonNegative | None = None
    """Worth of a kWh that is not served; needed where the load is sheddable."""

    series_needed: ClassVar[tuple[str, ...]] = ("demand_kw",)

    @model_validator(mode="after")
    def _priced_if_sheddable(self) -> Load:
        if self.is_sheddable and self.interruption_cost_per_kwh is None:
            raise ValueError("interruption_cost_per_kwh: is required where is_sheddable = true")
        if not self.is_sheddable and self.interruption_cost_per_kwh is not None:
            raise ValueError(
                "interruption_cost_per_kwh: has no effect unless is_sheddable = true; set it or leave it out"
            )
        return self

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare the demand and, where the load is sheddable, the part of it that is not served."""
        from pyomo.core import Constraint, Var

        steps = unit.model().steps
        add_series(unit, "demand_kw", inputs.series["demand_kw"])
        # A firm load has no freedom; its variable is fixed at nothing and leaves the matrix.
        unit.unserved_kw = Var(steps, bounds=(0, None))
        if self.is_sheddable:

            def shed_at_most_demand(unit: Any, t: Any) -> Any:
                return unit.unserved_kw[t] <= unit.demand_kw[t]

            unit.shed_at_most_demand = Constraint(steps, rule=shed_at_most_demand)
        else:
            unit.unserved_kw.fix(0)

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the demand served, negative because it leaves the bus, in kW."""
        return unit.unserved_kw[t] - unit.demand_kw[t]

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return the worth of demand that was not served."""
        if not self.is_sheddable:
            return {}
        return {"interruption_cost": self.interruption_cost_per_kwh * unit.unserved_kw[t] * step_h[t]}

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return the demand that was served."""
        return {"served_kw": unit.demand_kw[t] - unit.unserved_kw[t]}
