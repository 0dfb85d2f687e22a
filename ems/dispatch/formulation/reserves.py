"""Reserves in a dispatch: who offers how much of each requirement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ems.assets.generator import Generator
from ems.assets.load import Load
from ems.assets.reserve import ReserveRequirement
from ems.assets.unit import Unit

if TYPE_CHECKING:
    from ems.dispatch.problem import DispatchProblem


def declare_reserve(
    reserve: ReserveRequirement, problem: DispatchProblem, units: Mapping[str, Unit], unit: Unit
) -> None:
    """Declare that a reserve is met in every step.

    A reserve of capacity compares the capacity on line with demand and requirement. Any other is offered by assets;
    where several requirements share a direction, each asset's reserve is divided among them.
    """
    unit.add_series("requirement_kw", problem.requirement_kw(reserve))
    required_kw = unit.requirement_kw
    if reserve.kind == "capacity":
        assets = [one for one in problem.assets if not reserve.providers or one.id in reserve.providers]
        loads = [one for one in problem.assets if isinstance(one, Load)]

        def capacity(t: Any) -> Any:
            on_line_kw = sum(one.committed_capacity_kw(units[one.id], t) for one in assets)
            # What is shed is no relief: a reserve is held for the demand that there is.
            demand_kw = sum(
                units[one.id].demand_kw[t] if units[one.id].has("demand_kw") else -one.injection_kw(units[one.id], t)
                for one in loads
            )
            return on_line_kw - demand_kw >= required_kw[t]

        unit.add_constraint("reserve", capacity)
        return
    name = f"reserve_{reserve.direction}_kw"
    givers = [one for one in problem.providers_of(reserve) if units[one.id].has(name)]
    rivals = [
        one
        for one in problem.portfolio.reserves
        if one.kind != "capacity" and one.direction == reserve.direction and one.id != reserve.id
    ]
    unit.add_variable("offered_kw")
    if rivals:
        for giver in givers:
            unit.add_variable(f"from_{giver.id}_kw")

    def offered(t: Any) -> Any:
        shares = [
            getattr(unit, f"from_{one.id}_kw")[t] if rivals else getattr(units[one.id], name)[t] for one in givers
        ]
        return unit.offered_kw[t] <= sum(shares)

    unit.add_constraint("offered", offered)
    unit.add_constraint("reserve", lambda t: unit.offered_kw[t] >= required_kw[t])


def divide_reserves(problem: DispatchProblem, assets: Mapping[str, Unit], reserves: Mapping[str, Unit]) -> None:
    """Declare that an asset's reserve is offered only once."""
    for direction in ("up", "down"):
        name = f"reserve_{direction}_kw"
        for asset_id, unit in assets.items():
            parts = [one for one in reserves.values() if one.has(f"from_{asset_id}_kw") and unit.has(name)]
            parts = [one for one in parts if _reserve_of(one, problem).direction == direction]
            if parts:

                def once(t: Any, parts: list[Unit] = parts, unit: Unit = unit, name: str = name) -> Any:
                    shares = [getattr(one, f"from_{unit.owner}_kw")[t] for one in parts]
                    return sum(shares) <= getattr(unit, name)[t]

                unit.add_constraint(f"reserve_{direction}_once", once)


def reserve_costs(reserve: ReserveRequirement, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
    """Return what standing ready earns in step ``t``, as an income."""
    if reserve.price_per_kw_h == 0:
        return {}
    return {"reserve_revenue": -reserve.price_per_kw_h * unit.offered_kw[t] * step_h[t]}


def gives_reserve(asset: Any, reserve: ReserveRequirement) -> bool:
    """Return whether an asset may offer a reserve."""
    if reserve.kind == "capacity":
        return False
    if reserve.providers:
        return asset.id in reserve.providers
    return reserve.kind == "headroom" or isinstance(asset, Generator)


def _reserve_of(unit: Unit, problem: DispatchProblem) -> ReserveRequirement:
    """Return the requirement that a unit belongs to."""
    return problem.reserve(unit.owner.removeprefix("reserve "))
