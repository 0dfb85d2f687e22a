"""Limits of grid connections, renewables, groups and reserves that may be broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.group import Group
from ems.assets.load import Load
from ems.assets.reserve import ReserveRequirement
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.explanation.draft import Draft, when
from ems.dispatch.explanation.elastic import Change, Limit, power_change, shown, timezone_of
from ems.dispatch.explanation.elastic_limits import needed_kw, raised, ramp_limit
from ems.dispatch.formulation.declaration import Formulation
from ems.dispatch.problem import DispatchProblem


def open_connection(asset: GridConnection, problem: DispatchProblem, draft: Draft, ample_kw: float) -> Iterator[Limit]:
    """Open import, export and ramps of a connection."""
    inputs, horizon = problem.inputs_of(asset), problem.horizon
    limits_kw = dict(zip(("import", "export"), asset.limits_kw(inputs), strict=True))
    rates = {way: getattr(asset, f"ramp_{way}_rate_kw_per_s") for way in ("up", "down")}
    draft.change("assets", asset.id, demand_charges=(), ramp_up_rate_kw_per_s=None, ramp_down_rate_kw_per_s=None)
    draft.change("assets", asset.id, transformer_capacity_kva=None)
    for way, limit_kw in limits_kw.items():
        open_kw = max(ample_kw, float(limit_kw.max()))
        draft.change("assets", asset.id, **{f"max_{way}_kw": open_kw, f"{way}_enabled": True})
        draft.set_series(asset.id, f"max_{way}_kw", None)
        yield _power_limit(asset, problem, way, limit_kw)
    # From middle to middle of two steps, as the connection itself declares it.
    step_h = horizon.step_h
    hours = np.append(step_h[0], (step_h[1:] + step_h[:-1]) / 2)
    for way, sign in (("up", 1), ("down", -1)):
        rate = rates[way]
        if rate is None or len(horizon) < 2:
            continue

        def declare(unit: Any, units: Formulation, sign: int = sign, rate: float = rate) -> None:
            def net(t: Any) -> Any:
                return asset.net_import_kw(units.assets[asset.id], t)

            unit.add_constraint(
                "limit",
                lambda t: sign * (net(t) - net(t - 1)) - unit.beyond[t] <= rate * 3600 * hours[t],
                over=range(1, len(horizon)),
            )

        yield ramp_limit(
            asset.id,
            f"ramp_{way}_rate_kw_per_s",
            f"{asset.id} ramp {way}",
            horizon=horizon,
            timezone=inputs.timezone,
            rate_kw_per_h=rate * 3600,
            per_h=3600,
            declare=declare,
            hours=hours,
        )


def _power_limit(asset: GridConnection, problem: DispatchProblem, way: str, limit_kw: np.ndarray) -> Limit:
    horizon, name = problem.horizon, f"max_{way}_kw"
    words = f"{asset.id} {way} limit"

    def declare(unit: Any, units: Formulation) -> None:
        of = units.assets[asset.id]
        power_kw = getattr(of, f"metered_{way}_kw" if of.has("shared_in_kw") else f"{way}_kw")
        unit.add_constraint("limit", lambda t: power_kw[t] - unit.beyond[t] <= limit_kw[t])

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        needed = needed_kw(limit_kw, beyond)

        def apply(draft: Draft) -> None:
            raised(asset.id, name, needed)(draft)
            now = draft.record("assets", asset.id)
            if now.transformer_capacity_kva is not None:
                factor = abs(1.0 if now.min_power_factor is None else now.min_power_factor)
                if now.transformer_capacity_kva * factor < needed.max():
                    draft.change("assets", asset.id, transformer_capacity_kva=float(needed.max()) / max(factor, 1e-9))
            draft.change("assets", asset.id, **{f"{way}_enabled": True})

        return power_change(
            (asset.id, name, words), (horizon, timezone_of(problem, asset.id)), limit_kw, beyond, apply
        )

    return Limit(asset.id, name, words, horizon.steps, horizon.step_h, declare, change, highest_weight=1.0)


def open_renewable(
    asset: VariableRenewable, problem: DispatchProblem, draft: Draft, _ample_kw: float
) -> Iterator[Limit]:
    """Open the use of all available power of a renewable that must not be curtailed."""
    if asset.is_curtailable:
        return
    horizon = problem.horizon
    available_kw = problem.inputs_of(asset).series["available_kw"]  # type: ignore[arg-type]
    draft.change("assets", asset.id, is_curtailable=True)

    def declare(unit: Any, units: Formulation) -> None:
        used_kw = units.assets[asset.id].used_kw
        unit.add_constraint("limit", lambda t: used_kw[t] + unit.beyond[t] >= available_kw[t])
        of = units.assets[asset.id]
        if of.has("reserve_down_kw"):  # only what may be curtailed can stand ready to be
            unit.add_constraint("no_reserve", lambda t: of.reserve_down_kw[t] - unit.beyond[t] * 1e3 <= 0)

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        steps = np.flatnonzero(beyond).tolist()
        by = float(beyond @ horizon.step_h)

        def apply(draft: Draft) -> None:
            draft.change("assets", asset.id, is_curtailable=True)

        timezone = timezone_of(problem, asset.id)
        words = f"curtail {shown(by)} kWh of '{asset.id}' {when(steps, horizon, timezone)} (is_curtailable)"
        return Change(asset.id, "is_curtailable", by, "kWh", tuple(steps), words, apply)

    words = f"use of all power of '{asset.id}'"
    yield Limit(asset.id, "is_curtailable", words, horizon.steps, horizon.step_h, declare, change)


def open_group(group: Group, members: list[Any], problem: DispatchProblem, draft: Draft) -> Iterator[Limit]:
    """Open the limits that members of a group share."""
    horizon = problem.horizon
    for way in ("import", "export"):
        limit = getattr(group, f"max_{way}_kw")
        if limit is None or not members:
            continue
        draft.change("groups", group.id, **{f"max_{way}_kw": None})
        yield _group_limit(group, members, problem, way, np.full(len(horizon), float(limit)))


def _group_limit(group: Group, members: list[Any], problem: DispatchProblem, way: str, limit_kw: np.ndarray) -> Limit:
    sign = 1.0 if way == "import" else -1.0
    horizon, name = problem.horizon, f"max_{way}_kw"

    def declare(unit: Any, units: Formulation) -> None:
        unit.add_constraint(
            "limit",
            lambda t: sum(sign * _taken_kw(one, units, t) for one in members) - unit.beyond[t] <= limit_kw[t],
        )

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        needed = float(needed_kw(limit_kw, beyond).max())

        def apply(draft: Draft) -> None:
            draft.change("groups", group.id, **{name: needed})

        words = f"{way} limit of group {group.id}"
        return power_change(
            (group.id, name, words), (horizon, timezone_of(problem, members[0].id)), limit_kw, beyond, apply
        )

    words = f"{way} limit of group {group.id}"
    return Limit(group.id, name, words, horizon.steps, horizon.step_h, declare, change, highest_weight=1.0)


def _taken_kw(member: Any, units: Formulation, t: Any) -> Any:
    """Return what a member takes: a connection from the grid, any other from its site, less demand that is cut."""
    unit = units.assets[member.id]
    if isinstance(member, GridConnection):
        return member.net_import_kw(unit, t)
    taken_kw = -member.injection_kw(unit, t)
    return taken_kw - cut_kw(member, unit, t)


def cut_kw(asset: Any, unit: Any, t: Any) -> Any:
    """Return what a load lacks beyond what it may be shed."""
    return unit.cut_kw[t] if isinstance(asset, Load) and unit.has("cut_kw") else 0.0


def open_reserve(reserve: ReserveRequirement, problem: DispatchProblem, draft: Draft) -> Limit:
    """Open a requirement of reserve."""
    horizon, required_kw = problem.horizon, problem.requirement_kw(reserve)
    draft.change("reserves", reserve.id, requirement_kw=0)
    draft.set_series(reserve.id, "reserve_requirement_kw", None)
    on_line = _capacity_on_line(reserve, problem)

    def declare(unit: Any, units: Formulation) -> None:
        if reserve.kind != "capacity":
            offered_kw = units.reserves[reserve.id].offered_kw
            unit.add_constraint("limit", lambda t: offered_kw[t] + unit.beyond[t] >= required_kw[t])
            return
        loads = [one for one in problem.assets if isinstance(one, Load)]

        def capacity(t: Any) -> Any:
            demand_kw = sum(
                -one.injection_kw(units.assets[one.id], t) - cut_kw(one, units.assets[one.id], t) for one in loads
            )
            return on_line(units, t) - demand_kw + unit.beyond[t] >= required_kw[t]

        unit.add_constraint("limit", capacity)

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        needed = np.maximum(needed_kw(required_kw, beyond, -1), 0.0)

        def apply(draft: Draft) -> None:
            if draft.series(reserve.id, "reserve_requirement_kw") is not None:
                draft.set_series(reserve.id, "reserve_requirement_kw", needed)
            else:
                draft.change("reserves", reserve.id, requirement_kw=float(needed.min()))

        words = f"reserve {reserve.id} of"
        timezone = timezone_of(problem, "")
        return power_change(
            (reserve.id, "requirement_kw", words), (horizon, timezone), required_kw, beyond, apply, fault="too much"
        )

    words = f"reserve {reserve.id}"
    return Limit(
        reserve.id, "requirement_kw", words, horizon.steps, horizon.step_h, declare, change, highest_weight=1.0
    )


def _capacity_on_line(reserve: ReserveRequirement, problem: DispatchProblem) -> Callable[[Formulation, Any], Any]:
    """Return a formula of the capacity on line with the records as they are, whatever is opened of them."""
    from ems.assets.fuel_curve import is_on

    generators = [
        one
        for one in problem.assets
        if isinstance(one, Generator) and (not reserve.providers or one.id in reserve.providers)
    ]
    highest_kw = {one.id: one.over_steps("max_output_kw", problem.inputs_of(one)) for one in generators}

    def capacity_kw(units: Formulation, t: Any) -> Any:
        return sum(is_on(units.assets[one.id], t) * highest_kw[one.id][t] for one in generators)

    return capacity_kw
