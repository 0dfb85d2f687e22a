"""Generator: fields and part of a dispatch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from ems.assets.asset import Asset, AssetInputs
from ems.assets.commitment import OutputSpan, declare_commitment, remaining_h
from ems.assets.fuel_curve import CostPoint, check_curve, cost_per_h, declare_curve, is_on
from ems.assets.generation_limits import declare_committed_ramps, declare_generation_limits, declare_steady_limits
from ems.assets.startup_cost import StartupCost, check_startup_costs, declare_start_classes, startup_cost
from ems.assets.unit import Unit
from ems.horizon import Horizon
from ems.record import Efficiency, FromList, Name, NonNegative, Positive


class Generator(Asset):
    """A generator that burns fuel and is switched on and off."""

    kind: Literal["generator"] = "generator"
    rated_capacity_kw: Positive
    """Power on the name plate; the highest output where nothing is given. Acts in reports and performance."""
    max_output_kw: Positive
    """Highest output when on. Acts in dispatch and settlement."""
    min_output_kw: NonNegative = 0
    """Lowest output when on. Acts in dispatch and settlement."""
    generator_type: Literal["diesel", "natural_gas", "biogas", "dual_fuel", "gasoline", "propane", "other"] | None = (
        None
    )
    """What it burns, roughly. Acts in filters."""
    prime_mover: (
        Literal["reciprocating_engine", "gas_turbine", "micro_turbine", "fuel_cell", "steam_turbine"] | None
    ) = None
    """What drives it. Describes only."""
    fuel_type: Name | None = None
    """What it burns, exactly. Describes only."""
    fuel_tank_capacity_l: Positive | None = None
    """Fuel at the site; with the consumption, a budget of the horizon. Acts in dispatch and settlement."""
    fuel_consumption_l_per_kwh: Positive | None = None
    """Fuel for a kWh of output. Acts in dispatch, by tank and fuel cost."""
    fuel_cost_per_l: NonNegative | None = None
    """Price of fuel; with the consumption it gives the fuel cost where none is stated. Acts in dispatch."""
    fuel_cost_per_kwh: NonNegative
    """Cost of fuel for a kWh of output; price of fuel by consumption where nothing is given, nothing beside a
    cost_curve. Acts in dispatch and settlement."""
    quadratic_cost_per_kw2h: NonNegative = 0
    """Cost of fuel for an hour at the square of the output in kW, on top of the others. Acts in dispatch and
    settlement."""
    cost_curve: Annotated[tuple[CostPoint, ...], FromList] = ()
    """Cost of fuel over output, linear between points, from the lowest to the highest output; instead of a cost for a
    kWh. Acts in dispatch and settlement."""
    no_load_cost_per_h: float = 0
    """Cost of fuel for each hour on, whatever the output. Acts in dispatch and settlement."""
    startup_cost: NonNegative = 0
    """Cost of each start. Acts in dispatch and settlement."""
    startup_costs: Annotated[tuple[StartupCost, ...], FromList] = ()
    """Cost of a start by the hours off before it, from hot to cold; instead of one cost. Acts in dispatch and
    settlement."""
    shutdown_cost: NonNegative = 0
    """Cost of each stop. Acts in dispatch and settlement."""
    maintenance_cost_per_h: NonNegative = 0
    """Cost of upkeep for each hour on. Acts in dispatch and settlement."""
    variable_om_cost_per_kwh: NonNegative = 0
    """Cost of operation and upkeep for a kWh of output, beside the fuel. Acts in dispatch and settlement."""
    is_committable: bool = True
    """Whether it can be switched on and off; one that cannot always runs, without starts and their costs and times.
    Acts in dispatch and settlement."""
    must_run: bool = False
    """Whether it is on whenever it is available; it may start in the first step. Acts in dispatch and settlement."""
    min_uptime_h: NonNegative = 1
    """Hours that it stays on once started. Acts in dispatch and settlement."""
    min_downtime_h: NonNegative = 1
    """Hours that it stays off once stopped. Acts in dispatch and settlement."""
    initial_is_on: bool = False
    """Whether it was on before the horizon. Acts in dispatch and settlement."""
    initial_state_h: NonNegative | None = None
    """Hours for which it had been on or off before the horizon; long where nothing is given. Acts in dispatch and
    settlement."""
    initial_output_kw: NonNegative | None = None
    """Output before the horizon, from which it ramps into the first step; any output where nothing is given and it was
    on. Acts in dispatch and settlement."""
    startup_time_min: NonNegative | None = None
    """Time from an order to the first power. Describes only."""
    shutdown_time_min: NonNegative | None = None
    """Time from an order to the last power. Describes only."""
    max_startup_kw: Positive | None = None
    """Highest output in the step of a start. Acts in dispatch and settlement."""
    max_shutdown_kw: Positive | None = None
    """Highest output in the last step before a stop. Acts in dispatch and settlement."""
    efficiency_at_rated_load: Efficiency | None = None
    """Power out per power of fuel at the highest output. Describes only."""
    efficiency_at_min_load: Efficiency | None = None
    """Power out per power of fuel at the lowest output. Describes only."""
    heat_rate_btu_per_kwh: Positive | None = None
    """Heat of fuel for a kWh of output. Describes only."""
    ramp_up_rate_kw_per_min: NonNegative | None = None
    """How fast the output may rise above the lowest one, which a start reaches at once. Acts in dispatch and
    settlement."""
    ramp_down_rate_kw_per_min: NonNegative | None = None
    """How fast the output may fall above the lowest one, from which a stop falls at once. Acts in dispatch and
    settlement."""
    co2_emissions_kg_per_kwh: NonNegative = 0.5
    """Carbon dioxide for a kWh of output. Acts in dispatch and performance."""
    nox_emissions_kg_per_kwh: NonNegative | None = None
    """Nitrogen oxides for a kWh of output. Describes only."""
    sox_emissions_kg_per_kwh: NonNegative | None = None
    """Sulphur oxides for a kWh of output. Describes only."""
    particulate_emissions_kg_per_kwh: NonNegative | None = None
    """Particles for a kWh of output. Describes only."""
    waste_heat_recovery_capable: bool = False
    """Whether its heat can be used. Describes only."""
    waste_heat_capacity_kw: NonNegative | None = None
    """Heat that can be used at the highest output. Describes only."""
    operating_h: NonNegative = 0
    """Hours that it has run. Acts in maintenance and health."""
    maintenance_interval_h: Positive | None = None
    """Hours run between two services. Acts in maintenance and health."""
    next_maintenance_h: NonNegative | None = None
    """Count of hours run at which the next service is due. Acts in maintenance and health."""
    noise_level_db: NonNegative | None = None
    """Sound beside it. Describes only."""
    requires_permit: bool = False
    """Whether an authority must allow it to run. Describes only."""

    series_optional: ClassVar[tuple[str, ...]] = ("max_output_kw", "min_output_kw", "fuel_cost_per_kwh", "required_on")
    """Limits and cost of fuel that change with time, and where it must be on (1) or off (0)."""
    series_with_gaps: ClassVar[tuple[str, ...]] = ("required_on",)

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rated capacity from the output, and the cost of fuel from its price and consumption."""
        factors = [given.get("fuel_consumption_l_per_kwh"), given.get("fuel_cost_per_l")]
        numbers = [value for value in factors if isinstance(value, int | float) and not isinstance(value, bool)]
        fuel_cost = math.prod(numbers) if len(numbers) == len(factors) else None
        return {
            **super().derive(given),
            "rated_capacity_kw": given.get("max_output_kw"),
            "fuel_cost_per_kwh": 0.0 if given.get("cost_curve") else fuel_cost,
        }

    @model_validator(mode="after")
    def _in_order(self) -> Generator:
        if self.min_output_kw > self.max_output_kw:
            raise ValueError(
                f"min_output_kw = {self.min_output_kw:g} kW: must be at most max_output_kw = {self.max_output_kw:g} kW"
            )
        for name in ("max_startup_kw", "max_shutdown_kw"):
            limit_kw = getattr(self, name)
            if limit_kw is not None and limit_kw < self.min_output_kw:
                raise ValueError(
                    f"{name} = {limit_kw:g} kW: must be at least min_output_kw = {self.min_output_kw:g} kW"
                )
        if self.is_committable and not self.initial_is_on and self.initial_output_kw:
            raise ValueError(
                f"initial_output_kw = {self.initial_output_kw:g} kW: must be 0 kW where initial_is_on = false; set "
                "initial_is_on"
            )
        if self.fuel_tank_capacity_l is not None and self.fuel_consumption_l_per_kwh is None:
            raise ValueError(
                f"fuel_tank_capacity_l = {self.fuel_tank_capacity_l:g} l: bounds nothing without "
                "fuel_consumption_l_per_kwh; give both"
            )
        return self

    @model_validator(mode="after")
    def _costs_in_order(self) -> Generator:
        if self.cost_curve:
            if self.fuel_cost_per_kwh:
                raise ValueError(
                    f"fuel_cost_per_kwh = {self.fuel_cost_per_kwh:g} currency/kWh: cost_curve tells it; leave one out"
                )
            check_curve(self.cost_curve, self.min_output_kw, self.max_output_kw)
        if self.startup_costs:
            if self.startup_cost:
                raise ValueError(
                    f"startup_cost = {self.startup_cost:g} currency: startup_costs tell it; leave one out"
                )
            check_startup_costs(self.startup_costs)
        return self

    @property
    def start_classes(self) -> tuple[StartupCost, ...]:
        """Costs of a start from hot to cold; a single one where they do not differ."""
        return self.startup_costs or (StartupCost(offline_h=0, cost=self.startup_cost),)

    @property
    def output_before_kw(self) -> float | None:
        """Output before the horizon; none where it is not known."""
        if self.is_committable and not self.initial_is_on:
            return 0.0
        return self.initial_output_kw

    def needs_commitment(self, horizon: Horizon) -> bool:
        """Return whether it matters in a horizon that the generator is on, apart from its output."""
        if not self.is_committable:
            return False
        hourly = abs(self.no_load_cost_per_h) + self.maintenance_cost_per_h
        of_switches = self.shutdown_cost + self.start_classes[-1].cost
        is_limited = self.max_startup_kw is not None or self.max_shutdown_kw is not None
        costs_at_zero = bool(self.cost_curve) and bool(cost_per_h(self.cost_curve, self.min_output_kw) != 0)
        takes_h = max(self.min_uptime_h, self.min_downtime_h)
        is_bound = takes_h > float(horizon.step_h.min()) or remaining_h(self) > 0
        return self.min_output_kw > 0 or hourly + of_switches > 0 or is_limited or costs_at_zero or is_bound

    def declare(self, unit: Unit, inputs: AssetInputs) -> None:
        """Declare output and, where it matters, being on, being started and being stopped; then cost, fuel, reserve.

        What is on, and for how long, is in `commitment`; the range of the output and its ramps in `generation_limits`;
        classes of starts in `startup_cost`; piecewise cost in `fuel_curve`.
        """
        span, required_on = self._span(inputs), inputs.series.get("required_on")
        for name in ("max_output_kw", "fuel_cost_per_kwh"):
            if name in inputs.series:
                unit.add_series(name, inputs.series[name])
        is_committed = self.is_committable and (
            self.needs_commitment(inputs.horizon) or required_on is not None or bool(span.low_kw.any())
        )
        unit.add_variable("output_kw", lower=0.0 if is_committed else span.low_kw, upper=span.high_kw)
        for name, backed_h in (("reserve_up_kw", inputs.reserve_up_h), ("reserve_down_kw", inputs.reserve_down_h)):
            if backed_h is not None:
                unit.add_variable(name, upper=span.width_kw)
        if is_committed:
            declare_commitment(unit, self, span, required_on)
            declare_generation_limits(unit, self, span)
            declare_committed_ramps(unit, self, span)
            before_h = math.inf if self.initial_state_h is None else self.initial_state_h
            declare_start_classes(unit, self.start_classes, None if self.initial_is_on else before_h)
        else:
            if not self.is_committable:
                unit.add_series("is_on", span.is_available.astype(float))
            declare_steady_limits(unit, self, span)
        if self.cost_curve:
            declare_curve(unit, self, span)
        if self.quadratic_cost_per_kw2h > 0:
            unit.add_convex_cost(
                "quadratic_cost_per_h",
                of="output_kw",
                curve=lambda output_kw: self.quadratic_cost_per_kw2h * output_kw**2,
                slope=lambda output_kw: 2 * self.quadratic_cost_per_kw2h * output_kw,
                lower=span.low_kw,
                upper=span.high_kw,
                on="is_on" if is_committed else None,
            )
        self._declare_tank(unit)

    def _span(self, inputs: AssetInputs) -> OutputSpan:
        """Return the range of the output when on; nothing where less is available than the lowest output."""
        low, high = self.over_steps("min_output_kw", inputs), self.over_steps("max_output_kw", inputs)
        if self.cost_curve:
            low = np.maximum(low, self.cost_curve[0].output_kw)
            high = np.minimum(high, self.cost_curve[-1].output_kw)
        is_available = (high >= low) & (high > 0)
        if not self.is_committable and "required_on" in inputs.series:
            is_available &= inputs.series["required_on"] != 0
        return OutputSpan(np.where(is_available, low, 0.0), np.where(is_available, high, 0.0), is_available)

    def _declare_tank(self, unit: Unit) -> None:
        """Declare what is left in the tank; a sum over the horizon would be one dense row."""
        if self.fuel_tank_capacity_l is None or self.fuel_consumption_l_per_kwh is None:
            return
        l_per_kwh = self.fuel_consumption_l_per_kwh
        unit.add_variable("fuel_l", over="boundaries", upper=self.fuel_tank_capacity_l)
        unit.add_constraint("full_tank", unit.fuel_l[0] == self.fuel_tank_capacity_l)
        unit.add_constraint(
            "fuel_budget",
            lambda t: unit.fuel_l[t + 1] == unit.fuel_l[t] - unit.output_kw[t] * (l_per_kwh * unit.step_h[t]),
        )

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the output, in kW."""
        return unit.output_kw[t]

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return what fuel, upkeep, starts and stops cost.

        Of measured powers, which no dispatch has declared, the cost of fuel is read off its curve, and a start whose
        class is not known counts as cold.
        """
        fuel_price = getattr(unit, "fuel_cost_per_kwh", None)
        fuel_cost = unit.output_kw[t] * (step_h[t] * (self.fuel_cost_per_kwh if fuel_price is None else fuel_price[t]))
        if self.cost_curve:
            on_curve = getattr(unit, "fuel_cost_per_h", None)
            rate = is_on(unit, t) * cost_per_h(self.cost_curve, unit.output_kw[t]) if on_curve is None else on_curve[t]
            fuel_cost = fuel_cost + rate * step_h[t]
        costs = {"fuel_cost": fuel_cost}
        if self.quadratic_cost_per_kw2h > 0:
            of_square = getattr(unit, "quadratic_cost_per_h", None)
            rate = self.quadratic_cost_per_kw2h * unit.output_kw[t] ** 2 if of_square is None else of_square[t]
            costs["quadratic_fuel_cost"] = rate * step_h[t]
        if self.variable_om_cost_per_kwh > 0:
            costs["variable_om_cost"] = unit.output_kw[t] * (self.variable_om_cost_per_kwh * step_h[t])
        for name, cost_per_h_on in (
            ("no_load_cost", self.no_load_cost_per_h),
            ("maintenance_cost", self.maintenance_cost_per_h),
        ):
            if cost_per_h_on != 0:
                costs[name] = unit.is_on[t] * (cost_per_h_on * step_h[t])
        if self.is_committable and self.start_classes[-1].cost > 0:
            costs["startup_cost"] = startup_cost(unit, self.start_classes, t)
        if self.is_committable and self.shutdown_cost > 0:
            costs["shutdown_cost"] = unit.is_stopped[t] * self.shutdown_cost
        return costs

    def emissions_kg(self, unit: Any, t: Any, step_h: Any) -> Any:
        """Return the carbon dioxide of step ``t``, in kg."""
        return unit.output_kw[t] * (self.co2_emissions_kg_per_kwh * step_h[t])

    def committed_capacity_kw(self, unit: Any, t: Any) -> Any:
        """Return the highest output of a generator that is on, in kW."""
        highest_kw = unit.max_output_kw[t] if unit.has("max_output_kw") else self.max_output_kw
        return is_on(unit, t) * highest_kw
