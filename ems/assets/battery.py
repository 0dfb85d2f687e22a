"""Battery: fields and part of a dispatch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from ems.assets.asset import Asset, AssetInputs
from ems.record import Efficiency, Fraction, NonNegative, Positive

EFFICIENCY_TOLERANCE = 0.005
"""Data sheets round to half a percent; a larger gap between round trip and one-way figures is a mistake."""
DEFAULT_ROUND_TRIP = 0.95


class Battery(Asset):
    """A store of electric energy behind an inverter; powers are measured at the site's bus."""

    kind: Literal["battery"] = "battery"
    capacity_kwh: Positive
    """Energy content at a state of charge of 1."""
    max_charge_kw: Positive
    """Highest charging power, at the site's bus."""
    max_discharge_kw: Positive
    """Highest discharging power, at the site's bus."""
    round_trip_efficiency: Efficiency
    """Energy out per energy in, of a whole cycle; the product of the two ways, 0.95 where none is given."""
    charge_efficiency: Efficiency
    """Energy stored per energy taken from the bus; follows from the round trip, or equals the other way."""
    discharge_efficiency: Efficiency
    """Energy given to the bus per energy taken from the store; derived like the charging one."""
    min_soc: Fraction = 0.1
    """Lowest state of charge in operation."""
    max_soc: Fraction = 0.9
    """Highest state of charge in operation."""
    initial_soc: Fraction = 0.5
    """State of charge at the beginning of the horizon."""
    final_soc_rule: Literal["at_least", "exactly", "free"] = "at_least"
    """How the state of charge at the end of the horizon relates to the target."""
    target_soc: Fraction
    """State of charge wanted at the end of the horizon; the initial one where nothing is given."""
    degradation_cost_per_kwh: NonNegative = 0.01
    """Wear of the cells for each kWh discharged, at the site's bus."""

    exclusive: ClassVar[tuple[tuple[str, str], ...]] = (("charge_kw", "discharge_kw"),)

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return efficiencies from those given, and the target from the initial state of charge."""
        charge, discharge = (_share(given.get(f"{way}_efficiency")) for way in ("charge", "discharge"))
        round_trip = _share(given.get("round_trip_efficiency"))
        if round_trip is None:
            one_way = charge or discharge
            round_trip = (charge or one_way) * (discharge or one_way) if one_way else DEFAULT_ROUND_TRIP
        return {
            **super().derive(given),
            "round_trip_efficiency": round_trip,
            "charge_efficiency": round_trip / discharge if discharge else math.sqrt(round_trip),
            "discharge_efficiency": round_trip / charge if charge else math.sqrt(round_trip),
            "target_soc": given.get("initial_soc", cls.model_fields["initial_soc"].default),
        }

    @model_validator(mode="after")
    def _in_order(self) -> Battery:
        if self.min_soc >= self.max_soc:
            raise ValueError(f"min_soc = {self.min_soc:g}: must be less than max_soc = {self.max_soc:g}")
        for name in ("initial_soc", "target_soc"):
            value = getattr(self, name)
            if not self.min_soc <= value <= self.max_soc:
                raise ValueError(
                    f"{name} = {value:g}: must lie between min_soc = {self.min_soc:g} and max_soc = {self.max_soc:g}"
                )
        product = self.charge_efficiency * self.discharge_efficiency
        if abs(product - self.round_trip_efficiency) > EFFICIENCY_TOLERANCE:
            raise ValueError(
                f"round_trip_efficiency = {self.round_trip_efficiency:g}: charge_efficiency x discharge_efficiency "
                f"give {product:g}; leave out what follows from the others"
            )
        return self

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare charging, discharging and energy content.

        energy[t+1] = energy[t] + (charge_efficiency * charge[t] - discharge[t] / discharge_efficiency) * step[t]

        Charging and discharging in one step is excluded in two stages: `one_direction` is the convex hull of the
        two directions without the energy, and the solver adds a binary to the steps where that is not enough.
        """
        from pyomo.core import Constraint, Var

        model = unit.model()
        unit.charge_kw = Var(model.steps, bounds=(0, self.max_charge_kw))
        unit.discharge_kw = Var(model.steps, bounds=(0, self.max_discharge_kw))
        unit.energy_kwh = Var(
            model.boundaries, bounds=(self.min_soc * self.capacity_kwh, self.max_soc * self.capacity_kwh)
        )
        unit.energy_kwh[0].fix(self.initial_soc * self.capacity_kwh)

        def energy_balance(unit: Any, t: Any) -> Any:
            stored_kw = self.charge_efficiency * unit.charge_kw[t] - unit.discharge_kw[t] / self.discharge_efficiency
            return unit.energy_kwh[t + 1] == unit.energy_kwh[t] + stored_kw * model.step_h[t]

        def one_direction(unit: Any, t: Any) -> Any:
            return unit.charge_kw[t] / self.max_charge_kw + unit.discharge_kw[t] / self.max_discharge_kw <= 1

        unit.energy_balance = Constraint(model.steps, rule=energy_balance)
        unit.one_direction = Constraint(model.steps, rule=one_direction)
        final_kwh, target_kwh = unit.energy_kwh[len(inputs.horizon)], self.target_soc * self.capacity_kwh
        if self.final_soc_rule == "at_least":
            unit.final_energy = Constraint(expr=final_kwh >= target_kwh)
        elif self.final_soc_rule == "exactly":
            unit.final_energy = Constraint(expr=final_kwh == target_kwh)

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return discharging less charging, in kW."""
        return unit.discharge_kw[t] - unit.charge_kw[t]

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return the wear of the energy discharged."""
        return {"wear_cost": self.degradation_cost_per_kwh * unit.discharge_kw[t] * step_h[t]}

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return the state of charge at the end of the step."""
        return {"soc": unit.energy_kwh[t + 1] / self.capacity_kwh}


def _share(value: object) -> float | None:
    """Return a number that can be an efficiency; anything else is left to the check of its field."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < float(value) <= 1 else None  # type: ignore[arg-type]
