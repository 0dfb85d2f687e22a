"""Generator: fields and part of a dispatch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from ems.assets.asset import Asset, AssetInputs
from ems.record import NonNegative, Positive


class Generator(Asset):
    """A generator that burns fuel and is switched on and off."""

    kind: Literal["generator"] = "generator"
    max_output_kw: Positive
    """Highest output when on."""
    min_output_kw: NonNegative = 0
    """Lowest output when on."""
    fuel_cost_per_kwh: NonNegative
    """Cost of fuel for a kWh of output."""
    startup_cost: NonNegative = 0
    """Cost of each start; a generator that runs in the first step has been started in it."""

    @model_validator(mode="after")
    def _in_order(self) -> Generator:
        if self.min_output_kw > self.max_output_kw:
            raise ValueError(
                f"min_output_kw = {self.min_output_kw:g} kW: must be at most max_output_kw = {self.max_output_kw:g} kW"
            )
        return self

    @property
    def is_committable(self) -> bool:
        """Whether it matters that the generator is on, apart from its output."""
        return self.min_output_kw > 0 or self.startup_cost > 0

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare output and, where it matters, being on and being started."""
        from pyomo.core import Binary, Constraint, Var

        steps = unit.model().steps
        unit.output_kw = Var(steps, bounds=(0, self.max_output_kw))
        if not self.is_committable:
            return
        unit.is_on = Var(steps, domain=Binary)
        unit.is_started = Var(steps, bounds=(0, 1))

        def lowest_output(unit: Any, t: Any) -> Any:
            return unit.output_kw[t] >= self.min_output_kw * unit.is_on[t]

        def highest_output(unit: Any, t: Any) -> Any:
            return unit.output_kw[t] <= self.max_output_kw * unit.is_on[t]

        def start(unit: Any, t: Any) -> Any:
            return unit.is_started[t] >= unit.is_on[t] - unit.is_on[t - 1]

        unit.lowest_output = Constraint(steps, rule=lowest_output)
        unit.highest_output = Constraint(steps, rule=highest_output)
        unit.first_start = Constraint(expr=unit.is_started[0] >= unit.is_on[0])
        unit.start = Constraint(range(1, len(inputs.horizon)), rule=start)

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the output, in kW."""
        return unit.output_kw[t]

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return what fuel and starts cost."""
        costs = {"fuel_cost": self.fuel_cost_per_kwh * unit.output_kw[t] * step_h[t]}
        if self.startup_cost > 0:
            costs["startup_cost"] = self.startup_cost * unit.is_started[t]
        return costs
