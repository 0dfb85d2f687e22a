"""ChargingSession: a vehicle's stay at a charger and what it wants."""

from __future__ import annotations

from pydantic import model_validator

from ems.record import Moment, NonNegative, Positive, Record

ROUNDING = 1e-9
"""Share by which sums of energies that people write may differ from each other."""


class ChargingSession(Record):
    """A vehicle's stay at a charger."""

    arrival: Moment
    """When the vehicle is plugged in. Acts in dispatch and settlement."""
    departure: Moment
    """When it leaves; the energy must be in its battery by then. Acts in dispatch and settlement."""
    energy_kwh: float
    """Energy that its battery shall have gained at departure; negative where it may leave with less than it came
    with. Acts in dispatch and settlement."""
    arrival_energy_kwh: NonNegative = 0
    """Energy in its battery when it comes. Acts in dispatch and settlement, where it gives power back."""
    battery_capacity_kwh: Positive | None = None
    """Energy that its battery can hold; just what it wants at departure where nothing is given. Acts in dispatch and
    settlement."""
    unmet_cost_per_kwh: NonNegative | None = None
    """Price of each kWh that is missing at departure; that of the charger where nothing is given, and nothing may be
    missing where that has none. Acts in dispatch and settlement."""

    @model_validator(mode="after")
    def _in_order(self) -> ChargingSession:
        if self.departure <= self.arrival:
            raise ValueError(f"departure = {self.departure.isoformat()}: must be after arrival")
        if self.departure_energy_kwh < -ROUNDING * self.arrival_energy_kwh:
            raise ValueError(
                f"energy_kwh = {self.energy_kwh:g} kWh: must be at least {-self.arrival_energy_kwh:g} kWh, as no more "
                "than arrival_energy_kwh can be taken out"
            )
        if self.battery_capacity_kwh is None:
            return self
        for name, needed_kwh in (
            ("arrival_energy_kwh", self.arrival_energy_kwh),
            ("arrival_energy_kwh + energy_kwh", self.departure_energy_kwh),
        ):
            if needed_kwh > self.battery_capacity_kwh * (1 + ROUNDING):
                raise ValueError(
                    f"battery_capacity_kwh = {self.battery_capacity_kwh:g} kWh: must be at least {name} = "
                    f"{needed_kwh:g} kWh"
                )
        return self

    @property
    def departure_energy_kwh(self) -> float:
        """Content that is wanted at departure."""
        return self.arrival_energy_kwh + self.energy_kwh

    @property
    def highest_energy_kwh(self) -> float:
        """Content that the battery never exceeds."""
        if self.battery_capacity_kwh is None:
            return max(self.arrival_energy_kwh, self.departure_energy_kwh)
        return max(self.battery_capacity_kwh, self.departure_energy_kwh)
