"""Grid connection: fields and part of a dispatch."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from ems.assets.asset import Asset, AssetInputs, add_ramps, add_series
from ems.record import Name, NonNegative, Positive, Slug

PowerFactor = Annotated[float, Field(ge=-1, le=1)]


class GridConnection(Asset):
    """The point of common coupling, where energy is bought and sold."""

    kind: Literal["grid_connection"] = "grid_connection"
    max_import_kw: NonNegative
    """Highest power taken from the grid. Acts in dispatch and settlement."""
    max_export_kw: NonNegative
    """Highest power fed into the grid. Acts in dispatch and settlement."""
    rated_capacity_kw: Positive | None = None
    """Power agreed with the grid operator. Acts in reports."""
    import_enabled: bool = True
    """Whether power may be taken from the grid at all. Acts in dispatch and settlement."""
    export_enabled: bool = True
    """Whether power may be fed into the grid at all. Acts in dispatch and settlement."""
    tariff_id: Slug | None = None
    """Tariff that gives the prices of energy. Acts in dispatch and settlement."""
    import_price_per_kwh: float | None = None
    """Price of energy bought, where one holds at all times; otherwise a tariff or a series gives it. Acts in dispatch
    and settlement."""
    export_price_per_kwh: float | None = None
    """Price of energy sold, where one holds at all times; otherwise a tariff or a series gives it. Acts in dispatch
    and settlement."""
    connection_type: Literal["low_voltage", "medium_voltage", "high_voltage", "transmission"] | None = None
    """Level of the grid that it belongs to. Describes only."""
    voltage_level_kv: Positive | None = None
    """Nominal voltage. Describes only."""
    frequency_hz: Positive = 50.0
    """Nominal frequency. Describes only."""
    phases: Literal[1, 3] | None = None
    """Number of phases. Describes only."""
    transformer_capacity_kva: Positive | None = None
    """Apparent power of the transformer; times the least power factor it bounds import and export. Acts in dispatch
    and settlement."""
    transformer_losses_kw: NonNegative = 0
    """Power that the transformer loses at all times. Acts in dispatch and settlement."""
    min_power_factor: PowerFactor | None = None
    """Least power factor in operation; negative where current leads. Acts in dispatch, with the transformer."""
    max_power_factor: PowerFactor | None = None
    """Greatest power factor in operation. Describes only."""
    max_reactive_import_kvar: NonNegative | None = None
    """Highest reactive power taken from the grid. Describes only."""
    max_reactive_export_kvar: NonNegative | None = None
    """Highest reactive power fed into the grid. Describes only."""
    grid_code: Name | None = None
    """Rules of the grid that it keeps: VDE-AR-N 4105. Describes only."""
    fault_ride_through_capable: bool = False
    """Whether it stays connected during faults of the grid. Describes only."""
    utility_company: Name | None = None
    """Who supplies energy or runs the grid. Describes only."""
    meter_id: Name | None = None
    """Number of the meter. Describes only."""
    connection_point_id: Name | None = None
    """Number of the point of common coupling. Describes only."""
    tariff_type: Literal["flat_rate", "time_of_use", "real_time_pricing", "demand_charge"] | None = None
    """Kind of contract, in words; the tariff itself gives the prices. Describes only."""
    demand_charge_applicable: bool = False
    """Whether the contract has a price of peaks. Describes only."""
    ramp_up_rate_kw_per_s: Positive | None = None
    """How fast the power from the grid may rise. Acts in dispatch."""
    ramp_down_rate_kw_per_s: Positive | None = None
    """How fast the power from the grid may fall. Acts in dispatch."""
    connection_fee: NonNegative | None = None
    """Price of the connection, paid once. Describes only."""
    monthly_service_charge: NonNegative | None = None
    """Fixed price of a month. Describes only."""

    series_needed: ClassVar[tuple[str, ...]] = ("import_price_per_kwh", "export_price_per_kwh")
    exclusive: ClassVar[tuple[tuple[str, str], ...]] = (("import_kw", "export_kw"),)

    @model_validator(mode="after")
    def _one_source_of_prices(self) -> GridConnection:
        low, high = self.min_power_factor, self.max_power_factor
        if low is not None and high is not None and abs(low) > abs(high):
            raise ValueError(f"min_power_factor = {low:g}: must be at most max_power_factor = {high:g}")
        if self.tariff_id is not None:
            for name in ("import_price_per_kwh", "export_price_per_kwh"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} = {getattr(self, name):g}: tariff_id gives the price already; keep one")
        return self

    @property
    def import_limit_kw(self) -> float:
        """Highest power that can be taken, 0 where importing is disabled."""
        return min(self.max_import_kw, self._transformer_limit_kw()) if self.import_enabled else 0.0

    @property
    def export_limit_kw(self) -> float:
        """Highest power that can be fed in, 0 where exporting is disabled."""
        return min(self.max_export_kw, self._transformer_limit_kw()) if self.export_enabled else 0.0

    def _transformer_limit_kw(self) -> float:
        """Return the active power that fits through the transformer at the least power factor."""
        if self.transformer_capacity_kva is None:
            return math.inf
        return self.transformer_capacity_kva * abs(1.0 if self.min_power_factor is None else self.min_power_factor)

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare import and export; both in one step is excluded like a battery's two directions."""
        from pyomo.core import Constraint, Var

        steps = unit.model().steps
        for name in self.series_needed:
            add_series(unit, name, inputs.series[name])
        unit.import_kw = Var(steps, bounds=(0, self.import_limit_kw))
        unit.export_kw = Var(steps, bounds=(0, self.export_limit_kw))
        if self.import_limit_kw > 0 and self.export_limit_kw > 0:

            def one_direction(unit: Any, t: Any) -> Any:
                return unit.import_kw[t] / self.import_limit_kw + unit.export_kw[t] / self.export_limit_kw <= 1

            unit.one_direction = Constraint(steps, rule=one_direction)

        add_ramps(
            unit,
            lambda unit, t: unit.import_kw[t] - unit.export_kw[t],
            inputs.horizon,
            up_kw_per_h=None if self.ramp_up_rate_kw_per_s is None else self.ramp_up_rate_kw_per_s * 3600,
            down_kw_per_h=None if self.ramp_down_rate_kw_per_s is None else self.ramp_down_rate_kw_per_s * 3600,
            range_kw=self.import_limit_kw + self.export_limit_kw,
        )

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return import less export less the losses of the transformer, in kW."""
        return unit.import_kw[t] - unit.export_kw[t] - self.transformer_losses_kw

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return what bought energy costs and sold energy earns."""
        return {
            "import_cost": unit.import_price_per_kwh[t] * unit.import_kw[t] * step_h[t],
            "export_revenue": -unit.export_price_per_kwh[t] * unit.export_kw[t] * step_h[t],
        }
