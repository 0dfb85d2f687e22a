"""Load: fields and part of a dispatch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from ems.assets.asset import Asset, AssetInputs
from ems.assets.curtailment import declare_episodes, declare_recovery
from ems.assets.shiftable_use import ShiftableUse
from ems.assets.thermal_zone import ThermalZone
from ems.assets.unit import Unit
from ems.horizon import Horizon
from ems.record import Fraction, NonNegative, Positive

LOWEST_PRIORITY = 10


class Load(Asset):
    """A demand for power.

    It follows a given profile, firm or sheddable at a price; or it is one use that can be shifted in time; or it keeps
    a zone at a comfortable temperature.
    """

    kind: Literal["load"] = "load"
    load_type: Literal["residential", "commercial", "industrial", "agricultural", "critical", "flexible"] | None = None
    """Who uses the power. Acts in filters."""
    rated_load_kw: Positive
    """Highest power that it is built for. Acts in the check of its demand, and in
    dispatch and settlement, where it bounds the recovery of what was shed."""
    average_load_kw: NonNegative | None = None
    """Mean power. Describes only."""
    peak_load_kw: NonNegative | None = None
    """Highest power measured. Describes only."""
    min_load_kw: NonNegative | None = None
    """Lowest power measured. Describes only."""
    is_flexible: bool = False
    """Whether it can be moved in time. Describes only."""
    is_critical: bool = False
    """Whether it must be served in any case; such a load cannot be sheddable. Acts in dispatch and outages."""
    is_sheddable: bool = False
    """Whether demand may be left unserved, at the interruption cost. Acts in dispatch and settlement."""
    priority_level: Annotated[int, Field(ge=1, le=10)] | None = None
    """Rank among loads, 1 is served first; of loads with the same interruption cost the one with the larger number is
    shed first, and one without a number before all. Acts in dispatch and the order of lists."""
    max_curtailment: Fraction | None = None
    """Share of the demand that may be left unserved in a step; all of it where nothing is given. Acts in dispatch and
    settlement."""
    curtailment_response_time_s: NonNegative | None = None
    """Time from an order to less power. Describes only."""
    max_curtailment_duration_min: NonNegative | None = None
    """Longest time with less power. Acts in dispatch and settlement, where the load is sheddable."""
    min_recovery_time_min: NonNegative | None = None
    """Shortest time between two such times. Acts in dispatch and settlement, where the load is sheddable."""
    recovered_share: Fraction = 0
    """Share of the energy not served that is drawn again later, by the end of the horizon at the latest. Acts in
    dispatch and settlement."""
    recovery_h: Positive | None = None
    """Time within which that energy is drawn; any time where nothing is given. Acts in dispatch and settlement."""
    shiftable: ShiftableUse | None = None
    """Use of power whose time may be chosen, in place of a profile. Acts in dispatch and settlement."""
    thermal: ThermalZone | None = None
    """Zone that it heats or cools, in place of a profile. Acts in dispatch and settlement."""
    load_factor: Fraction | None = None
    """Mean power as a share of the peak. Describes only."""
    voltage_tolerance: Fraction | None = None
    """Deviation of voltage that it bears, as a share. Describes only."""
    frequency_tolerance_hz: NonNegative | None = None
    """Deviation of frequency that it bears. Describes only."""
    operating_h_per_d: Annotated[float, Field(ge=0, le=24)] | None = None
    """Hours of a day in which it runs. Describes only."""
    operating_d_per_week: Annotated[int, Field(ge=0, le=7)] | None = None
    """Days of a week on which it runs. Describes only."""
    seasonal_variation: bool = False
    """Whether its power changes with the season. Describes only."""
    electricity_cost_per_kwh: NonNegative | None = None
    """What its user pays for energy. Describes only."""
    demand_charge_per_kw: NonNegative | None = None
    """What its user pays for the peak of a month. Describes only."""
    interruption_cost_per_kwh: NonNegative | None = None
    """Worth of a kWh that is not served; needed where the load is sheddable, and may change with time. Acts in
    dispatch and settlement."""

    series_optional: ClassVar[tuple[str, ...]] = (
        "interruption_cost_per_kwh",
        "shiftable_power_kw",
        "shiftable_is_allowed",
        "thermal_cop",
    )

    @property
    def series_needed(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the series without which it cannot be dispatched, by what it follows."""
        if self.shiftable is not None:
            return ()
        return ("demand_kw",) if self.thermal is None else ("outdoor_temperature_degc",)

    @model_validator(mode="after")
    def _priced_if_sheddable(self) -> Load:
        if self.is_critical and self.is_sheddable:
            raise ValueError("is_sheddable = true: a load with is_critical = true is always served; keep one")
        low, high = self.min_load_kw, self.peak_load_kw
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_load_kw = {low:g} kW: must be at most peak_load_kw = {high:g} kW")
        if self.is_sheddable and self.interruption_cost_per_kwh is None:
            raise ValueError("interruption_cost_per_kwh: is required where is_sheddable = true")
        if not self.is_sheddable and self.interruption_cost_per_kwh is not None:
            raise ValueError(
                "interruption_cost_per_kwh: has no effect unless is_sheddable = true; set it or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _follows_one_thing(self) -> Load:
        if self.shiftable is not None and self.thermal is not None:
            raise ValueError("thermal: has no effect beside shiftable; keep one")
        uses_kw = {}
        if self.shiftable is not None:
            uses_kw["shiftable.power_kw"] = self.shiftable.power_kw
        if self.thermal is not None:
            uses_kw["thermal.max_power_kw"] = self.thermal.max_power_kw
        for name, use_kw in uses_kw.items():
            if self.is_sheddable:
                raise ValueError(f"is_sheddable = true: has no effect beside {name.split('.')[0]}; keep one")
            if use_kw > self.rated_load_kw * (1 + 1e-9):
                raise ValueError(f"{name} = {use_kw:g} kW: must be at most rated_load_kw = {self.rated_load_kw:g} kW")
        if self.recovered_share > 0 and not self.is_sheddable:
            raise ValueError(f"recovered_share = {self.recovered_share:g}: has no effect unless is_sheddable = true")
        if self.recovery_h is not None and self.recovered_share == 0:
            raise ValueError(f"recovery_h = {self.recovery_h:g} h: has no effect unless recovered_share > 0")
        return self

    @property
    def sheddable_share(self) -> float:
        """Share of the demand that may be left unserved in a step."""
        if not self.is_sheddable:
            return 0.0
        return 1.0 if self.max_curtailment is None else self.max_curtailment

    @property
    def shedding_rank(self) -> int:
        """Place in the order of shedding among loads with the same interruption cost: the smallest is shed first.

        From 1 for the lowest priority, or none, to 10 for priority 1. Cost comes first: the rank only breaks ties.
        """
        return LOWEST_PRIORITY + 1 - (LOWEST_PRIORITY if self.priority_level is None else self.priority_level)

    @property
    def shiftable_power_kw(self) -> float | None:
        """Power of a shiftable use while it runs."""
        return None if self.shiftable is None else self.shiftable.power_kw

    @property
    def thermal_cop(self) -> float | None:
        """Heat moved per electric energy by the equipment of a zone."""
        return None if self.thermal is None else self.thermal.cop

    @property
    def longest_curtailment_h(self) -> float | None:
        """Longest time with less power, in hours."""
        minutes = self.max_curtailment_duration_min
        return None if minutes is None or not self.is_sheddable else minutes / 60

    @property
    def curtailment_gap_h(self) -> float:
        """Shortest time between two curtailments, in hours."""
        return (self.min_recovery_time_min or 0) / 60 if self.is_sheddable else 0.0

    def check_horizon(self, horizon: Horizon) -> list[str]:
        """Return findings on runs that do not fit, and on curtailments that are shorter than every step."""
        if self.shiftable is not None:
            return self.shiftable.check_horizon(horizon)
        longest_h = self.longest_curtailment_h
        if longest_h is not None and longest_h < horizon.step_h.min() * (1 - 1e-9):
            return [
                f"max_curtailment_duration_min = {self.max_curtailment_duration_min:g} min: is shorter than every "
                "step, so that nothing can be shed; use shorter steps or set is_sheddable to false"
            ]
        return []

    def declare(self, unit: Unit, inputs: AssetInputs) -> None:
        """Declare what the load follows: a shiftable use, a zone, or a demand of which a part may be shed."""
        if self.shiftable is not None:
            is_allowed = inputs.series.get("shiftable_is_allowed")
            self.shiftable.declare(
                unit,
                self.over_steps("shiftable_power_kw", inputs),
                None if is_allowed is None else is_allowed > 0.5,
            )
        elif self.thermal is not None:
            self.thermal.declare(
                unit, inputs.series["outdoor_temperature_degc"], self.over_steps("thermal_cop", inputs)
            )
        else:
            self._declare_demand(unit, inputs)

    def _declare_demand(self, unit: Unit, inputs: AssetInputs) -> None:
        demand_kw = inputs.series["demand_kw"]
        shed_limit_kw = np.maximum(demand_kw, 0) * self.sheddable_share
        unit.add_series("demand_kw", demand_kw)
        if not self.is_sheddable:  # there is nothing to decide
            unit.add_series("unserved_kw", np.zeros(len(unit.steps)))
            return
        unit.add_variable("unserved_kw", upper=shed_limit_kw)
        unit.add_series("interruption_cost_per_kwh", self.over_steps("interruption_cost_per_kwh", inputs))
        if self.longest_curtailment_h is not None or self.curtailment_gap_h > 0:
            declare_episodes(unit, shed_limit_kw, self.longest_curtailment_h, self.curtailment_gap_h)
        if self.recovered_share > 0:
            free_kw = np.maximum(self.rated_load_kw - demand_kw, 0)
            declare_recovery(unit, shed_limit_kw, free_kw, self.recovered_share, self.recovery_h)

    def served_kw(self, unit: Any, t: Any) -> Any:
        """Return the power that it draws from the bus in step ``t``, in kW."""
        if self.shiftable is not None:
            return unit.is_running[t] * unit.shiftable_power_kw[t]
        if self.thermal is not None:
            return getattr(unit, self.thermal.power_name)[t]
        drawn_kw = unit.demand_kw[t] - unit.unserved_kw[t]
        return drawn_kw + unit.recovery_kw[t] if unit.has("recovery_kw") else drawn_kw

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the power drawn, negative because it leaves the bus, in kW."""
        return -self.served_kw(unit, t)

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return the worth of demand that was not served, or of temperatures that were not comfortable."""
        if self.is_sheddable:
            worth = unit.interruption_cost_per_kwh[t] * step_h[t]
            return {"interruption_cost": unit.unserved_kw[t] * worth}
        if self.thermal is not None and self.thermal.discomfort_cost_per_kh:
            return {"discomfort_cost": unit.discomfort_k[t] * (self.thermal.discomfort_cost_per_kh * step_h[t])}
        return {}

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return the power that it draws."""
        return {"served_kw": self.served_kw(unit, t)}
