"""Goal: what a dispatch is for: its type, what it minimises, what is out of service, and how it trades."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from ems.record import FromList, Moment, NonNegative, Positive, Record, Slug

OptimizationType = Literal[
    "battery_dispatch",
    "unit_commitment",
    "economic_dispatch",
    "procurement",
    "self_consumption",
    "peak_shaving",
    "vpp",
    "resilience",
]
Objective = Literal["cost", "emissions", "self_consumption", "peak", "weighted"]

OBJECTIVE_OF: dict[OptimizationType, Objective] = {"self_consumption": "self_consumption", "peak_shaving": "peak"}
"""What a type minimises where the goal does not say; all others minimise cost."""


class Outage(Record):
    """A time in which an asset is out of service."""

    asset_id: Slug
    """Asset that is out. Acts in dispatch and settlement."""
    begin: Moment
    """When it goes out. Acts in dispatch and settlement."""
    end: Moment
    """When it is back. Acts in dispatch and settlement."""

    @model_validator(mode="after")
    def _in_order(self) -> Outage:
        if self.end <= self.begin:
            raise ValueError(f"end = {self.end.isoformat()}: must be after begin")
        return self


class Goal(Record):
    """What a dispatch is for."""

    optimization_type: OptimizationType = "battery_dispatch"
    """What is decided: battery_dispatch all that assets leave open; unit_commitment the same, and needs a generator;
    economic_dispatch takes these as running, procurement buys a position ahead, vpp trades all sites as one;
    self_consumption, peak_shaving and resilience (the worth of what is not served) put that aim before cost. Acts in
    dispatch."""
    objective: Objective
    """What is least: cost, emissions, energy from the grid (self_consumption), the highest import (peak), or the sum
    of cost and weighted others. Cost decides among plans that are equal in any other. Acts in dispatch."""
    emissions_price_per_kg: NonNegative = 0
    """Weight of emissions where the objective is weighted. Acts in dispatch."""
    import_price_per_kwh: NonNegative = 0
    """Weight of energy from the grid where the objective is weighted. Acts in dispatch."""
    peak_price_per_kw: NonNegative = 0
    """Weight of the highest import where the objective is weighted. Acts in dispatch."""
    market_period_h: Positive = 1.0
    """Length of the periods in which procurement buys a position ahead. Acts in dispatch."""
    outages: Annotated[tuple[Outage, ...], FromList] = ()
    """Times in which assets are out of service. Acts in dispatch and settlement."""

    @classmethod
    def derive(cls, given: dict[str, object]) -> dict[str, object]:  # type: ignore[override]
        """Return the objective of the type."""
        return {"objective": OBJECTIVE_OF.get(str(given.get("optimization_type")), "cost")}  # type: ignore[call-overload]

    @model_validator(mode="after")
    def _weights_have_effect(self) -> Goal:
        weights = ("emissions_price_per_kg", "import_price_per_kwh", "peak_price_per_kw")
        if self.objective != "weighted":
            for name in weights:
                if getattr(self, name) > 0:
                    raise ValueError(f"{name} = {getattr(self, name):g}: has no effect unless objective = 'weighted'")
        elif not any(getattr(self, name) for name in weights):
            raise ValueError(f"objective = 'weighted': needs a weight above 0; give one of {', '.join(weights)}")
        wanted = OBJECTIVE_OF.get(self.optimization_type)
        if wanted is not None and self.objective != wanted:
            raise ValueError(
                f"objective = '{self.objective}': optimization_type = '{self.optimization_type}' has "
                f"objective '{wanted}'; choose another type"
            )
        return self
