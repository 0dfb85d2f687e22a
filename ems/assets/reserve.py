"""Reserve: capacity that stands ready beside the schedule, and who may offer it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Literal

from pydantic import model_validator

from ems.record import FromList, NonNegative, Positive, Record, Slug


class ReserveRequirement(Record):
    """Power that must be able to come on top of the schedule, or to go off it, in every step."""

    id: Slug
    """Id of the requirement. Acts in dispatch."""
    kind: Literal["capacity", "ramp_limited", "headroom"] = "headroom"
    """What counts: all capacity of generators on line against demand and requirement together (capacity); what
    generators alone can add within a step (ramp_limited); what generators, batteries and renewables can change within
    their limits (headroom). Acts in dispatch."""
    direction: Literal["up", "down"] = "up"
    """Whether power is added to the bus or taken off it. Acts in dispatch."""
    requirement_kw: NonNegative | None = None
    """Reserve that is required in each step; a series reserve_requirement_kw of the same id where it changes. Acts in
    dispatch."""
    price_per_kw_h: NonNegative = 0
    """What is paid for each kW that stands ready for an hour; then more than is required may be offered. Acts in
    dispatch."""
    duration_h: Positive = 1.0
    """Hours for which a store must be able to deliver it. Acts in dispatch."""
    providers: Annotated[tuple[Slug, ...], FromList] = ()
    """Assets that may offer it; all that can where nothing is given. Acts in dispatch."""

    @model_validator(mode="after")
    def _kind_fits(self) -> ReserveRequirement:
        if self.kind != "headroom" and self.direction == "down":
            raise ValueError(
                f"direction = 'down': a reserve of kind = '{self.kind}' only goes up; use kind = 'headroom'"
            )
        if self.kind == "capacity" and self.price_per_kw_h > 0:
            raise ValueError("price_per_kw_h: nobody offers a reserve of kind = 'capacity'; leave the price out")
        return self


def reserves_among(
    reserves: Iterable[ReserveRequirement], asset_ids: Collection[str]
) -> tuple[ReserveRequirement, ...]:
    """Return the reserves that some assets can offer, with only those among their providers."""
    return tuple(
        one.replace(providers=tuple(provider for provider in one.providers if provider in asset_ids))
        for one in reserves
        if not one.providers or any(provider in asset_ids for provider in one.providers)
    )
