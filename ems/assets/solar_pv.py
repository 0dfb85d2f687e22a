"""Solar PV: fields; its part of a dispatch is that of any variable renewable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ems.assets.variable_renewable import VariableRenewable
from ems.record import Efficiency, Fraction, NonNegative, Positive, Slug


class SolarPV(VariableRenewable):
    """A photovoltaic plant behind its inverter."""

    kind: Literal["solar_pv"] = "solar_pv"
    dc_capacity_kw: Positive
    """Power of all panels under standard conditions; the rated one where nothing is given. Acts in forecasts."""
    ac_capacity_kw: Positive
    """Power that its inverters can give; what they are rated for, else the rated one. Acts in forecasts."""
    panel_type: Literal["monocrystalline", "polycrystalline", "thin_film", "bifacial", "other"] | None = None
    """What its panels are made of. Acts in filters."""
    number_of_panels: Annotated[int, Field(ge=1)] | None = None
    """Panels in the whole plant. Describes only."""
    panel_capacity_w: Positive | None = None
    """Power of a panel under standard conditions. Describes only."""
    panel_efficiency: Efficiency | None = None
    """Share of the sun's power that a panel turns into power. Describes only."""
    panel_area_m2: Positive | None = None
    """Area of all panels. Describes only."""
    temperature_coefficient_per_k: Annotated[float, Field(ge=-0.02, le=0)] | None = None
    """Change of power with each kelvin of the cells, as a share; negative. Acts in forecasts."""
    tilt_angle_deg: Annotated[float, Field(ge=0, le=90)] | None = None
    """Angle between panels and ground. Acts in forecasts."""
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    """Direction that panels face, clockwise from north: 180 is south. Acts in forecasts."""
    tracking_type: Literal["fixed", "single_axis", "dual_axis", "none"] | None = None
    """How panels follow the sun. Acts in forecasts."""
    inverter_type: Literal["string_inverter", "micro_inverter", "central_inverter", "hybrid_inverter"] | None = None
    """Kind of its inverters. Describes only."""
    inverter_efficiency: Efficiency | None = None
    """Share of the panels' power that comes out of an inverter. Acts in forecasts."""
    inverter_capacity_kw: Positive | None = None
    """Power of all inverters together. Acts in forecasts, where they clip."""
    number_of_inverters: Annotated[int, Field(ge=1)] | None = None
    """Inverters in the whole plant. Describes only."""
    performance_ratio: Efficiency | None = None
    """Yield as a share of what the sun would give at rated efficiency. Acts in reports."""
    degradation_rate_per_a: Annotated[float, Field(ge=0, lt=1)] = 0.005
    """Loss of power with each year, as a share. Acts in forecasts and health."""
    system_losses: Annotated[float, Field(ge=0, lt=1)] = 0.14
    """Share that is lost in cables, mismatch and downtime. Two percent of it are dirt. Acts in forecasts."""
    installation_type: Literal["ground_mount", "rooftop", "carport", "floating", "building_integrated"] | None = None
    """Where its panels are mounted. Acts in forecasts, by how warm they get."""
    shading_factor: Fraction = 1.0
    """Share of the sun's power that shade leaves. Acts in forecasts."""
    soiling_factor: Fraction = 0.98
    """Share of the sun's power that dirt leaves. Against the 0.98 that the system losses hold. Acts in forecasts."""
    grid_tied: bool = True
    """Whether it needs the grid to run. Describes only."""
    has_battery_storage: bool = False
    """Whether a battery stands behind the same inverter. Describes only."""
    battery_asset_id: Slug | None = None
    """That battery. Acts in the one-line diagram."""
    capital_cost: NonNegative | None = None
    """Price of the equipment. Describes only."""
    installation_cost: NonNegative | None = None
    """Price of putting it up. Describes only."""
    maintenance_cost_per_a: NonNegative | None = None
    """Cost of its upkeep. Describes only."""
    expected_annual_production_kwh: NonNegative | None = None
    """Energy that a year should give. Acts in health."""
    actual_annual_production_kwh: NonNegative | None = None
    """Energy that the last full year gave. Acts in health."""
    capacity_factor: Fraction | None = None
    """Mean power as a share of the rated one. Describes only."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the powers of panels and inverters from the rated one."""
        rated = given.get("rated_capacity_kw")
        inverter = given.get("inverter_capacity_kw")
        return {
            **super().derive(given),
            "dc_capacity_kw": rated,
            "ac_capacity_kw": rated if inverter is None else inverter,
        }

    @model_validator(mode="after")
    def _battery_is_named(self) -> SolarPV:
        if self.battery_asset_id is not None and not self.has_battery_storage:
            raise ValueError(f"battery_asset_id = '{self.battery_asset_id}': needs has_battery_storage = true")
        return self
