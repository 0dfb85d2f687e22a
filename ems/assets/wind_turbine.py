"""Wind turbine: fields; its part of a dispatch is that of any variable renewable."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ems.assets.variable_renewable import VariableRenewable
from ems.record import Fraction, Name, NonNegative, Positive

BETZ_LIMIT = 16 / 27
"""Greatest share of the wind's power that any rotor can take (A. Betz, 1920); fields stop at 0.59 below it."""


class WindTurbine(VariableRenewable):
    """A wind turbine or a farm of them."""

    kind: Literal["wind_turbine"] = "wind_turbine"
    turbine_type: Literal["horizontal_axis", "vertical_axis"] | None = None
    """How its axis stands. Acts in filters."""
    turbine_class: Name | None = None
    """Class of wind that it is made for, by IEC 61400: IIIA. Describes only."""
    rotor_diameter_m: Positive
    """Diameter of the rotor. Acts in forecasts."""
    hub_height_m: Positive
    """Height of the hub above ground. Acts in forecasts, by the profile of the wind."""
    swept_area_m2: Positive
    """Area that the rotor sweeps; that of its circle where nothing is given. Acts in forecasts."""
    number_of_blades: Annotated[int, Field(ge=1)] | None = None
    """Blades of the rotor. Describes only."""
    blade_length_m: Positive | None = None
    """Length of a blade. Describes only."""
    cut_in_wind_speed_m_per_s: NonNegative
    """Speed at which it begins to give power. Acts in forecasts."""
    rated_wind_speed_m_per_s: Positive
    """Speed from which it gives its rated power. Acts in forecasts."""
    cut_out_wind_speed_m_per_s: Positive
    """Speed at which it stops to save itself. Acts in forecasts."""
    survival_wind_speed_m_per_s: Positive | None = None
    """Speed that it withstands at rest. Describes only."""
    power_coefficient: Annotated[float, Field(gt=0, le=0.59)] | None = None
    """Share of the wind's power that it takes; below the limit of Betz. Acts in forecasts."""
    capacity_factor: Fraction | None = None
    """Mean power as a share of the rated one. Describes only."""
    generator_type: Literal["synchronous", "asynchronous", "doubly_fed_induction", "permanent_magnet"] | None = None
    """Kind of its generator. Acts in filters."""
    pitch_control: bool = False
    """Whether blades turn to limit the power. Describes only."""
    yaw_control: bool = False
    """Whether the rotor turns into the wind. Describes only."""
    variable_speed: bool = False
    """Whether the rotor's speed follows the wind. Describes only."""
    grid_tied: bool = True
    """Whether it needs the grid to run. Describes only."""
    voltage_regulation_capable: bool = False
    """Whether it can hold the voltage. Describes only."""
    reactive_power_control: bool = False
    """Whether it can give reactive power. Describes only."""
    ramp_up_rate_kw_per_s: Positive | None = None
    """How fast its power may rise. Describes only."""
    ramp_down_rate_kw_per_s: Positive | None = None
    """How fast its power may fall. Describes only."""
    noise_level_db: NonNegative | None = None
    """Sound at its foot. Describes only."""
    shadow_flicker_h_per_a: NonNegative | None = None
    """Hours of a year in which its shadow flickers on neighbours. Describes only."""
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
    operating_h: NonNegative = 0
    """Hours that it has run. Acts in maintenance and health."""
    availability: Fraction | None = None
    """Share of the time in which it can run. Acts in forecasts."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the swept area from the rotor's diameter."""
        diameter = given.get("rotor_diameter_m")
        is_number = isinstance(diameter, int | float) and not isinstance(diameter, bool) and diameter > 0
        return {
            **super().derive(given),
            "swept_area_m2": math.pi / 4 * diameter**2 if is_number and diameter else None,
        }

    @model_validator(mode="after")
    def _in_order(self) -> WindTurbine:
        speeds = ("cut_in_wind_speed_m_per_s", "rated_wind_speed_m_per_s", "cut_out_wind_speed_m_per_s")
        for low, high in itertools.pairwise(speeds):
            if getattr(self, low) >= getattr(self, high):
                raise ValueError(
                    f"{low} = {getattr(self, low):g} m/s: must be less than {high} = {getattr(self, high):g} m/s"
                )
        survival = self.survival_wind_speed_m_per_s
        if survival is not None and survival < self.cut_out_wind_speed_m_per_s:
            raise ValueError(
                f"survival_wind_speed_m_per_s = {survival:g} m/s: must be at least "
                f"cut_out_wind_speed_m_per_s = {self.cut_out_wind_speed_m_per_s:g} m/s"
            )
        return self
