"""Battery: fields and part of a dispatch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ems.assets.asset import Asset, AssetInputs, add_ramps
from ems.record import Efficiency, Fraction, Name, NonNegative, Positive

EFFICIENCY_TOLERANCE = 0.005
"""Data sheets round to half a percent; a larger gap between round trip and one-way figures is a mistake."""
DEFAULT_ROUND_TRIP = 0.95


class Battery(Asset):
    """A store of electric energy behind an inverter; powers are measured at the site's bus."""

    kind: Literal["battery"] = "battery"
    capacity_kwh: Positive
    """Energy content at a state of charge of 1, when new. Acts in dispatch, settlement and health."""
    usable_capacity_kwh: Positive
    """Part of the capacity that may be used; all of it where nothing is given. Acts in dispatch and settlement."""
    rated_power_kw: Positive
    """Power on the name plate; the greater of both directions where nothing is given. Acts in reports."""
    max_charge_kw: Positive
    """Highest charging power, at the site's bus. Acts in dispatch and settlement."""
    max_discharge_kw: Positive
    """Highest discharging power, at the site's bus. Acts in dispatch and settlement."""
    continuous_charge_kw: Positive | None = None
    """Charging power that can be kept up; holds where it is below the highest. Acts in dispatch and settlement."""
    continuous_discharge_kw: Positive | None = None
    """Discharging power that can be kept up; holds where it is below the highest. Acts in dispatch and settlement."""
    round_trip_efficiency: Efficiency
    """Energy out per energy in, of a whole cycle; the product of both ways, else 0.95. Acts in dispatch."""
    charge_efficiency: Efficiency
    """Energy stored per energy taken from the bus; follows from the round trip, or equals the other way. Acts in
    dispatch and settlement."""
    discharge_efficiency: Efficiency
    """Energy given to the bus per energy taken from the store; derived like the charging one. Acts in dispatch and
    settlement."""
    min_soc: Fraction = 0.1
    """Lowest state of charge in operation. Acts in dispatch and settlement."""
    max_soc: Fraction = 0.9
    """Highest state of charge in operation. Acts in dispatch and settlement."""
    initial_soc: Fraction = 0.5
    """State of charge at the beginning of the horizon. Acts in dispatch and settlement."""
    final_soc_rule: Literal["at_least", "exactly", "free"] = "at_least"
    """How the state of charge at the end of the horizon relates to the target. Acts in dispatch and settlement."""
    target_soc: Fraction
    """State of charge wanted at the end of the horizon; the initial one where nothing is given. Acts in dispatch and
    settlement."""
    chemistry: (
        Literal[
            "lithium_ion",
            "lithium_iron_phosphate",
            "lead_acid",
            "nickel_metal_hydride",
            "sodium_sulfur",
            "flow_battery",
            "other",
        ]
        | None
    ) = None
    """What its cells are made of. Acts in health, by the life curve, and in filters."""
    cell_voltage_v: Positive | None = None
    """Nominal voltage of a cell. Describes only."""
    number_of_cells: Annotated[int, Field(ge=1)] | None = None
    """Cells in the whole battery. Describes only."""
    operating_temp_min_degc: float | None = None
    """Lowest temperature of operation. Describes only."""
    operating_temp_max_degc: float | None = None
    """Highest temperature of operation. Describes only."""
    optimal_temp_degc: float | None = None
    """Temperature at which it ages least. Describes only."""
    cooling_type: Literal["air_cooled", "liquid_cooled", "passive", "none"] | None = None
    """How it is cooled. Describes only."""
    cycle_life: Annotated[int, Field(ge=1)] | None = None
    """Full cycles until the end of life. Acts in health."""
    calendar_life_a: Positive | None = None
    """Years until the end of life without any cycle. Acts in health."""
    degradation_rate_per_cycle: NonNegative | None = None
    """Loss of capacity with each full cycle, as a share. Acts in health."""
    degradation_cost_per_kwh: NonNegative = 0.01
    """Wear of the cells for each kWh discharged, at the site's bus. Acts in dispatch and settlement."""
    current_cycle_count: NonNegative = 0
    """Full cycles so far. Acts in health."""
    state_of_health: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the capacity that is left. Acts in dispatch, settlement and health."""
    ramp_up_rate_kw_per_s: Positive | None = None
    """How fast the power into the bus may rise. Acts in dispatch."""
    ramp_down_rate_kw_per_s: Positive | None = None
    """How fast the power into the bus may fall. Acts in dispatch."""
    response_time_ms: NonNegative | None = None
    """Time from an order to its power. Describes only."""
    auxiliary_load_kw: NonNegative = 0
    """Power that its cooling and control draw from the bus at all times. Acts in dispatch and settlement."""
    capital_cost: NonNegative | None = None
    """Price of the equipment. Acts in health, by the price of wear."""
    installation_cost: NonNegative | None = None
    """Price of putting it up. Describes only."""
    maintenance_cost_per_a: NonNegative | None = None
    """Cost of its upkeep. Describes only."""
    communication_protocol: Name | None = None
    """How it is talked to: modbus_tcp, sunspec. Describes only."""
    control_mode: Literal["manual", "automatic", "remote", "hybrid"] | None = None
    """Who decides what it does. Describes only."""

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
            "usable_capacity_kwh": given.get("capacity_kwh"),
            "rated_power_kw": _greater(given.get("max_charge_kw"), given.get("max_discharge_kw")),
        }

    @property
    def content_kwh(self) -> float:
        """Energy content at a state of charge of 1 as it is today: usable capacity by state of health."""
        return self.usable_capacity_kwh * self.state_of_health

    @property
    def charge_limit_kw(self) -> float:
        """Charging power that may be planned: the tighter of the highest and the continuous one."""
        return min(self.max_charge_kw, self.continuous_charge_kw or self.max_charge_kw)

    @property
    def discharge_limit_kw(self) -> float:
        """Discharging power that may be planned: the tighter of the highest and the continuous one."""
        return min(self.max_discharge_kw, self.continuous_discharge_kw or self.max_discharge_kw)

    @model_validator(mode="after")
    def _in_order(self) -> Battery:
        if self.usable_capacity_kwh > self.capacity_kwh:
            raise ValueError(
                f"usable_capacity_kwh = {self.usable_capacity_kwh:g} kWh: must be at most "
                f"capacity_kwh = {self.capacity_kwh:g} kWh"
            )
        low, high = self.operating_temp_min_degc, self.operating_temp_max_degc
        if low is not None and high is not None and low >= high:
            raise ValueError(
                f"operating_temp_min_degc = {low:g} °C: must be less than operating_temp_max_degc = {high:g} °C"
            )
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
        unit.charge_kw = Var(model.steps, bounds=(0, self.charge_limit_kw))
        unit.discharge_kw = Var(model.steps, bounds=(0, self.discharge_limit_kw))
        unit.energy_kwh = Var(
            model.boundaries, bounds=(self.min_soc * self.content_kwh, self.max_soc * self.content_kwh)
        )
        unit.energy_kwh[0].fix(self.initial_soc * self.content_kwh)

        def energy_balance(unit: Any, t: Any) -> Any:
            stored_kw = self.charge_efficiency * unit.charge_kw[t] - unit.discharge_kw[t] / self.discharge_efficiency
            return unit.energy_kwh[t + 1] == unit.energy_kwh[t] + stored_kw * model.step_h[t]

        def one_direction(unit: Any, t: Any) -> Any:
            return unit.charge_kw[t] / self.charge_limit_kw + unit.discharge_kw[t] / self.discharge_limit_kw <= 1

        unit.energy_balance = Constraint(model.steps, rule=energy_balance)
        unit.one_direction = Constraint(model.steps, rule=one_direction)
        add_ramps(
            unit,
            lambda unit, t: unit.discharge_kw[t] - unit.charge_kw[t],
            inputs.horizon,
            up_kw_per_h=None if self.ramp_up_rate_kw_per_s is None else self.ramp_up_rate_kw_per_s * 3600,
            down_kw_per_h=None if self.ramp_down_rate_kw_per_s is None else self.ramp_down_rate_kw_per_s * 3600,
            range_kw=self.charge_limit_kw + self.discharge_limit_kw,
        )
        final_kwh, target_kwh = unit.energy_kwh[len(inputs.horizon)], self.target_soc * self.content_kwh
        if self.final_soc_rule == "at_least":
            unit.final_energy = Constraint(expr=final_kwh >= target_kwh)
        elif self.final_soc_rule == "exactly":
            unit.final_energy = Constraint(expr=final_kwh == target_kwh)

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return discharging less charging less the auxiliary load, in kW."""
        return unit.discharge_kw[t] - unit.charge_kw[t] - self.auxiliary_load_kw

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return the wear of the energy discharged."""
        return {"wear_cost": self.degradation_cost_per_kwh * unit.discharge_kw[t] * step_h[t]}

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return the state of charge at the end of the step."""
        return {"soc": unit.energy_kwh[t + 1] / self.content_kwh}


def _share(value: object) -> float | None:
    """Return a number that can be an efficiency; anything else is left to the check of its field."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < float(value) <= 1 else None  # type: ignore[arg-type]


def _greater(one: object, other: object) -> object:
    """Return the greater of two numbers; where one is none, the check of its own field says so."""
    numbers = [value for value in (one, other) if isinstance(value, int | float) and not isinstance(value, bool)]
    return max(numbers) if numbers else None
