"""Generator: fields and part of a dispatch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from ems.assets.asset import Asset, AssetInputs, add_ramps
from ems.horizon import Horizon
from ems.record import Count, Efficiency, Name, NonNegative, Positive


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
    """Cost of fuel for a kWh of output; price of fuel by consumption where nothing is given. Acts in dispatch and
    settlement."""
    startup_cost: NonNegative = 0
    """Cost of each start; a generator that runs in the first step has been started in it. Acts in dispatch and
    settlement."""
    shutdown_cost: NonNegative = 0
    """Cost of each stop. Acts in dispatch and settlement."""
    maintenance_cost_per_h: NonNegative = 0
    """Cost of upkeep for each hour on. Acts in dispatch and settlement."""
    variable_om_cost_per_kwh: NonNegative = 0
    """Cost of operation and upkeep for a kWh of output, beside the fuel. Acts in dispatch and settlement."""
    min_uptime_h: Count = 1
    """Hours that it stays on once started. Acts in dispatch and settlement."""
    min_downtime_h: Count = 1
    """Hours that it stays off once stopped. Acts in dispatch and settlement."""
    startup_time_min: NonNegative | None = None
    """Time from an order to the first power. Describes only."""
    shutdown_time_min: NonNegative | None = None
    """Time from an order to the last power. Describes only."""
    efficiency_at_rated_load: Efficiency | None = None
    """Power out per power of fuel at the highest output. Describes only."""
    efficiency_at_min_load: Efficiency | None = None
    """Power out per power of fuel at the lowest output. Describes only."""
    heat_rate_btu_per_kwh: Positive | None = None
    """Heat of fuel for a kWh of output. Describes only."""
    ramp_up_rate_kw_per_min: Positive | None = None
    """How fast the output may rise; a start reaches the lowest output at once. Acts in dispatch."""
    ramp_down_rate_kw_per_min: Positive | None = None
    """How fast the output may fall; a stop falls from the lowest output at once. Acts in dispatch."""
    co2_emissions_kg_per_kwh: NonNegative = 0.5
    """Carbon dioxide for a kWh of output. Acts in performance."""
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

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rated capacity from the output, and the cost of fuel from its price and consumption."""
        factors = [given.get("fuel_consumption_l_per_kwh"), given.get("fuel_cost_per_l")]
        numbers = [value for value in factors if isinstance(value, int | float) and not isinstance(value, bool)]
        return {
            **super().derive(given),
            "rated_capacity_kw": given.get("max_output_kw"),
            "fuel_cost_per_kwh": math.prod(numbers) if len(numbers) == len(factors) else None,
        }

    @model_validator(mode="after")
    def _in_order(self) -> Generator:
        if self.min_output_kw > self.max_output_kw:
            raise ValueError(
                f"min_output_kw = {self.min_output_kw:g} kW: must be at most max_output_kw = {self.max_output_kw:g} kW"
            )
        if self.fuel_tank_capacity_l is not None and self.fuel_consumption_l_per_kwh is None:
            raise ValueError(
                f"fuel_tank_capacity_l = {self.fuel_tank_capacity_l:g} l: bounds nothing without "
                "fuel_consumption_l_per_kwh; give both"
            )
        return self

    def is_committable(self, horizon: Horizon) -> bool:
        """Return whether it matters in a horizon that the generator is on, apart from its output."""
        shortest_h = float(horizon.step_h.min())
        costs = self.startup_cost + self.shutdown_cost + self.maintenance_cost_per_h
        return self.min_output_kw > 0 or costs > 0 or max(self.min_uptime_h, self.min_downtime_h) > shortest_h

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare output and, where it matters, being on, being started and being stopped.

        Three binaries with ``on[t] - on[t-1] = started[t] - stopped[t]``; minimum times are the turn-on and turn-off
        inequalities of Rajan and Takriti [1]_, which with the three binaries describe the convex hull. Before the
        horizon the generator has been off for long.

        References
        ----------
        .. [1] D. Rajan and S. Takriti, "Minimum up/down polytopes of the unit commitment problem with start-up
           costs," IBM Research Report RC23628, 2005.
        """
        from pyomo.core import Binary, Constraint, Var

        steps, horizon = unit.model().steps, inputs.horizon
        unit.output_kw = Var(steps, bounds=(0, self.max_output_kw))
        if self.fuel_tank_capacity_l is not None and self.fuel_consumption_l_per_kwh is not None:
            burnt_l = (
                sum(unit.output_kw[t] * horizon.steps_h[t] for t in horizon.steps) * self.fuel_consumption_l_per_kwh
            )
            unit.fuel_budget = Constraint(expr=burnt_l <= self.fuel_tank_capacity_l)
        if not self.is_committable(horizon):
            self._add_ramps(unit, horizon, lambda unit, t: unit.output_kw[t])
            return
        unit.is_on = Var(steps, domain=Binary)
        unit.is_started = Var(steps, bounds=(0, 1))
        unit.is_stopped = Var(steps, bounds=(0, 1))

        def lowest_output(unit: Any, t: Any) -> Any:
            return unit.output_kw[t] >= self.min_output_kw * unit.is_on[t]

        def highest_output(unit: Any, t: Any) -> Any:
            return unit.output_kw[t] <= self.max_output_kw * unit.is_on[t]

        def switching(unit: Any, t: Any) -> Any:
            return unit.is_on[t] - unit.is_on[t - 1] == unit.is_started[t] - unit.is_stopped[t]

        unit.lowest_output = Constraint(steps, rule=lowest_output)
        unit.highest_output = Constraint(steps, rule=highest_output)
        unit.first_switching = Constraint(expr=unit.is_on[0] == unit.is_started[0])
        unit.never_on_before = Constraint(expr=unit.is_stopped[0] == 0)
        unit.switching = Constraint(range(1, len(horizon)), rule=switching)
        # How many steps a minimum time spans may differ from step to step, which no template can say.
        unit.minimum_uptime = Constraint(steps)
        unit.minimum_downtime = Constraint(steps)
        for t in horizon.steps:
            started = sum(unit.is_started[k] for k in steps_back(horizon, t, self.min_uptime_h))
            stopped = sum(unit.is_stopped[k] for k in steps_back(horizon, t, self.min_downtime_h))
            unit.minimum_uptime[t] = started <= unit.is_on[t]
            unit.minimum_downtime[t] = stopped <= 1 - unit.is_on[t]
        # On the power above the lowest output, so that a start and a stop pass that one at once.
        self._add_ramps(unit, horizon, lambda unit, t: unit.output_kw[t] - self.min_output_kw * unit.is_on[t])

    def _add_ramps(self, unit: Any, horizon: Horizon, power_kw: Any) -> None:
        up, down = self.ramp_up_rate_kw_per_min, self.ramp_down_rate_kw_per_min
        add_ramps(
            unit,
            power_kw,
            horizon,
            up_kw_per_h=None if up is None else up * 60,
            down_kw_per_h=None if down is None else down * 60,
            range_kw=self.max_output_kw - self.min_output_kw,
        )

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the output, in kW."""
        return unit.output_kw[t]

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return what fuel, upkeep, starts and stops cost."""
        costs = {"fuel_cost": self.fuel_cost_per_kwh * unit.output_kw[t] * step_h[t]}
        if self.variable_om_cost_per_kwh > 0:
            costs["variable_om_cost"] = self.variable_om_cost_per_kwh * unit.output_kw[t] * step_h[t]
        if self.maintenance_cost_per_h > 0:
            costs["maintenance_cost"] = self.maintenance_cost_per_h * unit.is_on[t] * step_h[t]
        if self.startup_cost > 0:
            costs["startup_cost"] = self.startup_cost * unit.is_started[t]
        if self.shutdown_cost > 0:
            costs["shutdown_cost"] = self.shutdown_cost * unit.is_stopped[t]
        return costs


def steps_back(horizon: Horizon, t: int, hours: float) -> list[int]:
    """Return step ``t`` and the steps that began less than some hours before it.

    A start in one of them binds the generator to be on in ``t``; at least ``t`` itself is among them.
    """
    begins = horizon.step_h.cumsum() - horizon.step_h
    return [k for k in range(t + 1) if k == t or begins[t] - begins[k] < hours - 1e-9]
