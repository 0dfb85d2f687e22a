"""Battery: fields and part of a dispatch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from ems.assets.asset import Asset, AssetInputs, add_ramps
from ems.assets.battery_ageing import ageing_fault, cycle_depth_cost, declare_segments
from ems.assets.battery_limits import (
    SocTarget,
    TaperPoint,
    declare_daily_cycles,
    declare_reserve,
    declare_taper,
    declare_targets,
    limits_of,
    off_boundary,
    taper_fault,
    target_faults,
)
from ems.assets.unit import Unit
from ems.horizon import Horizon
from ems.record import Efficiency, Fraction, FromList, Name, NonNegative, Positive

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
    rated_power_kw: NonNegative
    """Power on the name plate; the greater of both directions where nothing is given. Acts in reports."""
    max_charge_kw: NonNegative
    """Highest charging power, at the site's bus; zero for a store that only gives. Acts in dispatch and settlement."""
    max_discharge_kw: NonNegative
    """Highest discharging power, at the site's bus; zero for a store that only takes. Acts in dispatch and
    settlement."""
    continuous_charge_kw: Positive | None = None
    """Charging power that can be kept up; holds where it is below the highest. Acts in dispatch and settlement."""
    continuous_discharge_kw: Positive | None = None
    """Discharging power that can be kept up; holds where it is below the highest. Acts in dispatch and settlement."""
    charge_taper: Annotated[tuple[TaperPoint, ...], FromList] = ()
    """Share of the charging limit that is allowed over the state of charge, as a concave line through points. Acts in
    dispatch and settlement."""
    discharge_taper: Annotated[tuple[TaperPoint, ...], FromList] = ()
    """Share of the discharging limit that is allowed over the state of charge, as a concave line through points. Acts
    in dispatch and settlement."""
    may_charge_while_discharging: bool = False
    """Whether it can do both in one step, as several units behind one meter can. Acts in dispatch and settlement."""
    round_trip_efficiency: Efficiency
    """Energy out per energy in, of a whole cycle; the product of both ways, else 0.95. Acts in dispatch."""
    charge_efficiency: Efficiency
    """Energy stored per energy taken from the bus; follows from the round trip, or equals the other way. Acts in
    dispatch and settlement."""
    discharge_efficiency: Efficiency
    """Energy given to the bus per energy taken from the store; derived like the charging one. Acts in dispatch and
    settlement."""
    standing_loss_per_h: Annotated[float, Field(ge=0, lt=1)] = 0
    """Share of the content that is lost in each hour. Acts in dispatch and settlement."""
    drain_kw: NonNegative = 0
    """Power that is taken from the content at all times. Acts in dispatch and settlement."""
    min_soc: Fraction = 0.1
    """Lowest state of charge in operation, at the end of each step. Acts in dispatch and settlement."""
    max_soc: Fraction = 0.9
    """Highest state of charge in operation, at the end of each step. Acts in dispatch and settlement."""
    initial_soc: Fraction = 0.5
    """State of charge at the beginning of the horizon; free to choose with a cyclic rule. Acts in dispatch and
    settlement."""
    final_soc_rule: Literal["at_least", "exactly", "free", "cyclic"] = "at_least"
    """How the state of charge at the end of the horizon relates to the target, or, where it is cyclic, to that at the
    beginning. Acts in dispatch and settlement."""
    target_soc: Fraction
    """State of charge wanted at the end of the horizon, at least or exactly; the initial one where nothing is given.
    Acts in dispatch and settlement."""
    soc_targets: Annotated[tuple[SocTarget, ...], FromList] = ()
    """States of charge wanted at given moments. Acts in dispatch and settlement."""
    final_energy_value_per_kwh: float | None = None
    """Worth of each kWh that is left at the end of the horizon, with a rule of at least or free. Acts in dispatch and
    settlement, as an income."""
    max_cycles_per_d: Positive | None = None
    """Energy discharged from the content in a calendar day of the site, as a number of contents. Acts in dispatch and
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
    """What its cells are made of. Acts in dispatch and health, by the life curve, and in filters."""
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
    """Full cycles until the end of life. Acts in health, and in dispatch by depth segments."""
    calendar_life_a: Positive | None = None
    """Years until the end of life without any cycle. Acts in health."""
    degradation_rate_per_cycle: NonNegative | None = None
    """Loss of capacity with each full cycle, as a share. Acts in health, and in dispatch by depth segments."""
    degradation_cost_per_kwh: NonNegative = 0.01
    """Wear of the cells for each kWh discharged, at the site's bus; none where depth segments price it. Acts in
    dispatch and settlement."""
    cycle_depth_segments: Annotated[int, Field(ge=0, le=50)] = 0
    """Segments of depth by which wear is priced from the life curve and the capital cost; none where it is zero. Acts
    in dispatch and settlement."""
    charge_cost_per_kwh: NonNegative = 0
    """Cost of each kWh charged, at the site's bus. Acts in dispatch and settlement."""
    holding_cost_per_kwh_h: float = 0
    """Cost of each kWh in the content at the end of a step, for each hour of the step. Acts in dispatch and
    settlement."""
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
    """Price of the equipment. Acts in health and dispatch, by the price of wear."""
    installation_cost: NonNegative | None = None
    """Price of putting it up. Describes only."""
    maintenance_cost_per_a: NonNegative | None = None
    """Cost of its upkeep. Describes only."""
    communication_protocol: Name | None = None
    """How it is talked to: modbus_tcp, sunspec. Describes only."""
    control_mode: Literal["manual", "automatic", "remote", "hybrid"] | None = None
    """Who decides what it does. Describes only."""

    series_optional: ClassVar[tuple[str, ...]] = (
        "max_charge_kw",
        "max_discharge_kw",
        "min_soc",
        "max_soc",
        "drain_kw",
        "charge_cost_per_kwh",
        "degradation_cost_per_kwh",
    )

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return efficiencies from those given, the first content as target, no wear by kWh beside that by depth."""
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
            "degradation_cost_per_kwh": 0.0 if given.get("cycle_depth_segments") else None,
            "rated_power_kw": _greater(given.get("max_charge_kw"), given.get("max_discharge_kw")),
        }

    @property
    def content_kwh(self) -> float:
        """Energy content at a state of charge of 1 as it is today: usable capacity by state of health."""
        return self.usable_capacity_kwh * self.state_of_health

    @property
    def charge_limit_kw(self) -> float:
        """Charging power that may be planned: the tighter of the highest and the continuous one."""
        return min(self.max_charge_kw, self.continuous_charge_kw or math.inf)

    @property
    def discharge_limit_kw(self) -> float:
        """Discharging power that may be planned: the tighter of the highest and the continuous one."""
        return min(self.max_discharge_kw, self.continuous_discharge_kw or math.inf)

    @model_validator(mode="after")
    def _in_order(self) -> Battery:
        if self.usable_capacity_kwh > self.capacity_kwh:
            raise ValueError(
                f"usable_capacity_kwh = {self.usable_capacity_kwh:g} kWh: must be at most "
                f"capacity_kwh = {self.capacity_kwh:g} kWh"
            )
        if self.max_charge_kw == self.max_discharge_kw == 0:
            raise ValueError("max_charge_kw = 0 kW: must be greater than 0 kW, or max_discharge_kw must")
        if self.rated_power_kw == 0:
            raise ValueError("rated_power_kw = 0 kW: must be greater than 0 kW")
        low, high = self.operating_temp_min_degc, self.operating_temp_max_degc
        if low is not None and high is not None and low >= high:
            raise ValueError(
                f"operating_temp_min_degc = {low:g} °C: must be less than operating_temp_max_degc = {high:g} °C"
            )
        product = self.charge_efficiency * self.discharge_efficiency
        if abs(product - self.round_trip_efficiency) > EFFICIENCY_TOLERANCE:
            raise ValueError(
                f"round_trip_efficiency = {self.round_trip_efficiency:g}: charge_efficiency x discharge_efficiency "
                f"give {product:g}; leave out what follows from the others"
            )
        if fault := ageing_fault(self):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _contents_in_order(self) -> Battery:
        if self.min_soc >= self.max_soc:
            raise ValueError(f"min_soc = {self.min_soc:g}: must be less than max_soc = {self.max_soc:g}")
        for name in ("initial_soc", "target_soc"):
            value = getattr(self, name)
            if not self.min_soc <= value <= self.max_soc:
                raise ValueError(
                    f"{name} = {value:g}: must lie between min_soc = {self.min_soc:g} and max_soc = {self.max_soc:g}"
                )
        if self.final_energy_value_per_kwh is not None and self.final_soc_rule in ("exactly", "cyclic"):
            raise ValueError(
                f"final_energy_value_per_kwh = {self.final_energy_value_per_kwh:g} currency/kWh: must be left out, or "
                f"final_soc_rule must be 'at_least' or 'free', as '{self.final_soc_rule}' leaves nothing to choose"
            )
        for fault in target_faults(self):
            raise ValueError(fault)
        for name in ("charge_taper", "discharge_taper"):
            if found := taper_fault(name, getattr(self, name), self.min_soc, self.max_soc):
                raise ValueError(found)
        return self

    def check_horizon(self, horizon: Horizon) -> list[str]:
        """Return a finding for each target that lies within a step."""
        return off_boundary(self, horizon)

    def declare(self, unit: Unit, inputs: AssetInputs) -> None:
        """Declare charging, discharging and energy content.

        energy[t+1] == energy[t] * (1 - standing_loss) ** step[t]
            + (charge_efficiency * charge[t] - discharge[t] / discharge_efficiency - drain[t]) * step[t]

        Charging and discharging in one step is excluded where the cheapest schedule would do both, by a decision in
        those steps alone; in all others nobody needs a constraint to keep from waste.
        """
        limits, drain_kw = limits_of(self, inputs), self.over_steps("drain_kw", inputs)
        for name in ("charge_cost_per_kwh", "degradation_cost_per_kwh"):
            if name in inputs.series:
                unit.add_series(name, inputs.series[name])
        lowest, highest = (np.concatenate((ends[-1:], ends)) for ends in (limits.min_kwh, limits.max_kwh))
        if self.final_soc_rule != "cyclic":
            lowest[0] = highest[0] = self.initial_soc * self.content_kwh
        unit.add_variable("charge_kw", upper=limits.charge_kw)
        unit.add_variable("discharge_kw", upper=limits.discharge_kw)
        unit.add_variable("energy_kwh", over="boundaries", lower=lowest, upper=highest)
        kept = (1 - self.standing_loss_per_h) ** inputs.horizon.step_h

        def energy_balance(t: Any) -> Any:
            stored_kw = self.charge_efficiency * unit.charge_kw[t] - unit.discharge_kw[t] / self.discharge_efficiency
            return unit.energy_kwh[t + 1] == unit.energy_kwh[t] * kept[t] + (stored_kw - drain_kw[t]) * unit.step_h[t]

        unit.add_constraint("energy_balance", energy_balance)
        if not self.may_charge_while_discharging:
            unit.exclude("charge_kw", "discharge_kw")
        self._declare_final_content(unit)
        declare_targets(self, unit)
        declare_daily_cycles(self, unit, inputs.timezone)
        declare_reserve(self, unit, inputs, limits)
        declare_taper(self, unit, limits)
        declare_segments(self, unit, kept, drain_kw)
        add_ramps(
            unit,
            lambda t: unit.discharge_kw[t] - unit.charge_kw[t],
            up_kw_per_h=None if self.ramp_up_rate_kw_per_s is None else self.ramp_up_rate_kw_per_s * 3600,
            down_kw_per_h=None if self.ramp_down_rate_kw_per_s is None else self.ramp_down_rate_kw_per_s * 3600,
            range_kw=float((limits.charge_kw + limits.discharge_kw).max()),
        )

    def _declare_final_content(self, unit: Unit) -> None:
        """Declare how the content at the end relates to the target, or to that at the beginning."""
        final_kwh, target_kwh = unit.energy_kwh[len(unit.horizon)], self.target_soc * self.content_kwh
        if self.final_soc_rule == "at_least":
            unit.add_constraint("final_energy", final_kwh >= target_kwh)
        elif self.final_soc_rule == "exactly":
            unit.add_constraint("final_energy", final_kwh == target_kwh)
        elif self.final_soc_rule == "cyclic":
            unit.add_constraint("final_energy", final_kwh == unit.energy_kwh[0])

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return discharging less charging less the auxiliary load, in kW."""
        return unit.discharge_kw[t] - unit.charge_kw[t] - self.auxiliary_load_kw

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return the wear of the energy discharged, and the cost of charging it and of keeping it."""
        costs: dict[str, Any] = {}
        if self.cycle_depth_segments:
            costs["cycle_depth_cost"] = cycle_depth_cost(self, unit, t, step_h)
        else:
            costs["wear_cost"] = self._price(unit, "degradation_cost_per_kwh", t) * unit.discharge_kw[t] * step_h[t]
        if self.charge_cost_per_kwh or hasattr(unit, "charge_cost_per_kwh"):
            costs["charge_cost"] = self._price(unit, "charge_cost_per_kwh", t) * unit.charge_kw[t] * step_h[t]
        if self.holding_cost_per_kwh_h:
            costs["holding_cost"] = self.holding_cost_per_kwh_h * unit.energy_kwh[t + 1] * step_h[t]
        return costs

    def costs_once(self, unit: Any) -> dict[str, Any]:
        """Return the worth of the energy that is left at the end, as an income."""
        if self.final_energy_value_per_kwh is None:
            return {}
        return {"final_energy_value": -self.final_energy_value_per_kwh * unit.energy_kwh[len(unit.horizon)]}

    def _price(self, unit: Any, name: str, t: Any) -> Any:
        """Return a price in step ``t``: from its series where one is given, else the field."""
        series = getattr(unit, name, None)
        return getattr(self, name) if series is None else series[t]

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
