"""ThermalZone: a room, a tank or a cold store whose temperature lets its heating or cooling wait."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import model_validator

from ems.assets.unit import Unit
from ems.record import NonNegative, Positive, Record

ABSOLUTE_ZERO_DEGC = -273.15


class ThermalZone(Record):
    """A zone of one temperature, which loses heat to the outside through one resistance.

    Over a step in which powers and the outside are constant its temperature moves exactly [1]_ as

    ``T[t+1] = a * T[t] + (1 - a) * (T_out[t] + R * (gain +/- cop[t] * power[t]))`` with ``a = exp(-step / (R * C))``

    References
    ----------
    .. [1] P. Bacher and H. Madsen, "Identifying suitable models for the heat dynamics of buildings," Energy and
       Buildings, vol. 43, no. 7, 2011, doi:10.1016/j.enbuild.2011.02.005.
    """

    capacitance_kwh_per_k: Positive
    """Heat that warms it by a kelvin. Acts in dispatch and settlement."""
    resistance_k_per_kw: Positive
    """Difference to the outside that lets a kW of heat through. Acts in dispatch and settlement."""
    mode: Literal["heating", "cooling"] = "heating"
    """What its equipment does. Acts in dispatch and settlement."""
    max_power_kw: Positive
    """Highest electric power of its equipment. Acts in dispatch and settlement."""
    cop: Positive = 3.0
    """Heat moved per electric energy; 3 is usual for a heat pump, 1 is a heater, and it may change with time, as the
    series thermal_cop. Acts in dispatch and settlement."""
    comfort_min_degc: float
    """Lowest temperature that is comfortable, at the end of each step. Acts in dispatch and settlement."""
    comfort_max_degc: float
    """Highest temperature that is comfortable, at the end of each step. Acts in dispatch and settlement."""
    initial_temperature_degc: float
    """Temperature at the beginning of the horizon. Acts in dispatch and settlement."""
    discomfort_cost_per_kh: NonNegative | None = None
    """Price of a kelvin beyond the comfortable ones for an hour; it never goes beyond where nothing is given. Acts in
    dispatch and settlement."""
    internal_gain_kw: NonNegative = 0
    """Heat of people and appliances. Acts in dispatch and settlement."""

    @model_validator(mode="after")
    def _in_order(self) -> ThermalZone:
        if self.comfort_min_degc > self.comfort_max_degc:
            raise ValueError(
                f"comfort_min_degc = {self.comfort_min_degc:g} °C: must be at most comfort_max_degc = "
                f"{self.comfort_max_degc:g} °C"
            )
        for name in ("initial_temperature_degc", "comfort_min_degc"):
            if getattr(self, name) < ABSOLUTE_ZERO_DEGC:
                raise ValueError(f"{name} = {getattr(self, name):g} °C: must be at least {ABSOLUTE_ZERO_DEGC} °C")
        return self

    @property
    def power_name(self) -> str:
        """Name of its electric power in results: ``heating_power_kw`` or ``cooling_power_kw``."""
        return f"{self.mode}_power_kw"

    def declare(self, unit: Unit, outdoor_temperature_degc: np.ndarray, cop: np.ndarray) -> None:
        """Declare power and temperature; beyond the comfortable ones, too, where that has a price.

        Parameters
        ----------
        unit : Unit
        outdoor_temperature_degc, cop : ndarray (steps,)
        """
        unit.add_series("outdoor_temperature_degc", outdoor_temperature_degc)
        unit.add_series("thermal_cop", cop)
        unit.add_variable(self.power_name, upper=self.max_power_kw)
        is_hard = self.discomfort_cost_per_kh is None
        boundaries = len(unit.horizon) + 1
        lowest = np.full(boundaries, self.comfort_min_degc if is_hard else ABSOLUTE_ZERO_DEGC)
        highest = np.full(boundaries, self.comfort_max_degc if is_hard else np.inf)
        lowest[0] = highest[0] = self.initial_temperature_degc
        unit.add_variable("temperature_degc", "boundaries", lowest, highest)
        power_kw, temperature_degc = getattr(unit, self.power_name), unit.temperature_degc
        kept = np.exp(-unit.step_h / (self.resistance_k_per_kw * self.capacitance_kwh_per_k))
        # The equipment's heat per electric energy, and what the temperature would come to without it.
        heat = cop if self.mode == "heating" else -cop
        unheated_degc = outdoor_temperature_degc + self.resistance_k_per_kw * self.internal_gain_kw

        def heat_balance(t: Any) -> Any:
            warming_degc = power_kw[t] * (self.resistance_k_per_kw * heat[t]) + unheated_degc[t]
            return temperature_degc[t + 1] == temperature_degc[t] * kept[t] + warming_degc * (1 - kept[t])

        unit.add_constraint("heat_balance", heat_balance)
        if not is_hard:
            unit.add_variable("discomfort_k")
            unit.add_constraint(
                "not_too_cold", lambda t: temperature_degc[t + 1] + unit.discomfort_k[t] >= self.comfort_min_degc
            )
            unit.add_constraint(
                "not_too_warm", lambda t: temperature_degc[t + 1] - unit.discomfort_k[t] <= self.comfort_max_degc
            )
