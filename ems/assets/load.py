"""Load: fields and part of a dispatch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ems.assets.asset import Asset, AssetInputs, add_series
from ems.record import Fraction, NonNegative, Positive


class Load(Asset):
    """A demand for power, firm or sheddable at a price."""

    kind: Literal["load"] = "load"
    load_type: Literal["residential", "commercial", "industrial", "agricultural", "critical", "flexible"] | None = None
    """Who uses the power. Acts in filters."""
    rated_load_kw: Positive
    """Highest power that it is built for. Acts in the check of its demand."""
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
    """Rank among loads, 1 is served first. Acts in the order of lists."""
    max_curtailment: Fraction | None = None
    """Share of the demand that may be left unserved in a step; all of it where nothing is given. Acts in dispatch and
    settlement."""
    curtailment_response_time_s: NonNegative | None = None
    """Time from an order to less power. Describes only."""
    max_curtailment_duration_min: NonNegative | None = None
    """Longest time with less power. Describes only."""
    min_recovery_time_min: NonNegative | None = None
    """Shortest time between two such times. Describes only."""
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
    """Worth of a kWh that is not served; needed where the load is sheddable. Acts in dispatch and settlement."""

    series_needed: ClassVar[tuple[str, ...]] = ("demand_kw",)

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

    @property
    def sheddable_share(self) -> float:
        """Share of the demand that may be left unserved in a step."""
        if not self.is_sheddable:
            return 0.0
        return 1.0 if self.max_curtailment is None else self.max_curtailment

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare the demand and, where the load is sheddable, the part of it that is not served."""
        from pyomo.core import Constraint, Var

        steps = unit.model().steps
        add_series(unit, "demand_kw", inputs.series["demand_kw"])
        # A firm load has no freedom; its variable is fixed at nothing and leaves the matrix.
        unit.unserved_kw = Var(steps, bounds=(0, None))
        if self.is_sheddable:

            def shed_at_most_demand(unit: Any, t: Any) -> Any:
                return unit.unserved_kw[t] <= self.sheddable_share * unit.demand_kw[t]

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
