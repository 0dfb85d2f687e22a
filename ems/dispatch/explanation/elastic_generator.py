"""Limits of a generator that may be broken: output, times on and off, ramps, starts, fuel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ems.assets.commitment import OutputSpan, lags_within, remaining_h, summed_back
from ems.assets.generation_limits import less_reserve_kw, plus_reserve_kw, ramp_hours
from ems.assets.generator import Generator
from ems.assets.startup_cost import ROUNDING_H, begins_of
from ems.dispatch.explanation.draft import Draft, when
from ems.dispatch.explanation.elastic import Change, Limit, enough, power_change, shown
from ems.dispatch.explanation.elastic_limits import lowered, needed_kw, raised, ramp_limit
from ems.dispatch.formulation.declaration import Formulation
from ems.dispatch.problem import DispatchProblem
from ems.horizon import Horizon

SMALLEST_OUTPUT = 1e-3
"""Share of the highest output that a generator out of service is taken to give where it is on all the same."""


@dataclass(frozen=True)
class _Opened:
    """A generator whose limits are being opened, and what its limits are made of.

    Parameters
    ----------
    asset : Generator
    horizon : Horizon
    timezone : str
    span : OutputSpan
        As it was.
    required_on : ndarray (steps,), optional
    """

    asset: Generator
    horizon: Horizon
    timezone: str
    span: OutputSpan
    required_on: np.ndarray | None

    def above_low_kw(self, unit: Any, t: Any) -> Any:
        """Return the output above the lowest one, whatever is opened of that; all of it where it always runs."""
        if not unit.has("is_started"):
            return unit.output_kw[t]
        return unit.output_kw[t] - unit.is_on[t] * self.span.low_kw[t]

    def hourly(self, field: str, words: str, declare: Any, change: Any, **others: Any) -> Limit:
        """Return a limit in each step."""
        step_h = self.horizon.step_h
        return Limit(self.asset.id, field, words, self.horizon.steps, step_h, declare, change, **others)


def open_generator(asset: Generator, problem: DispatchProblem, draft: Draft, ample_kw: float) -> Iterator[Limit]:
    """Open what a generator may do; whether it is on stays a decision where that matters for a schedule."""
    inputs, horizon = problem.inputs_of(asset), problem.horizon
    low, high = asset.over_steps("min_output_kw", inputs), asset.over_steps("max_output_kw", inputs)
    required_on = inputs.series.get("required_on")
    is_available = (high >= low) & (high > 0)
    if not asset.is_committable and required_on is not None:
        is_available &= required_on != 0
    span = OutputSpan(np.where(is_available, low, 0.0), np.where(is_available, high, 0.0), is_available)
    one = _Opened(asset, horizon, inputs.timezone, span, required_on)
    free = asset.replace(
        startup_cost=0,
        startup_costs=(),
        shutdown_cost=0,
        no_load_cost_per_h=0,
        maintenance_cost_per_h=0,
        cost_curve=(),
        fuel_cost_per_kwh=0,
    )
    is_committed = asset.is_committable and (
        free.needs_commitment(horizon) or required_on is not None or bool(span.low_kw.any())
    )
    draft.change(
        "assets",
        asset.id,
        **{name: getattr(free, name) for name in ("startup_cost", "startup_costs", "no_load_cost_per_h")},
        **{name: getattr(free, name) for name in ("maintenance_cost_per_h", "cost_curve", "fuel_cost_per_kwh")},
        shutdown_cost=float(is_committed),
        quadratic_cost_per_kw2h=0,
        min_output_kw=0,
        max_output_kw=max(ample_kw, float(high.max())),
        must_run=False,
        min_uptime_h=0,
        min_downtime_h=0,
        max_startup_kw=None,
        max_shutdown_kw=None,
        ramp_up_rate_kw_per_min=None,
        ramp_down_rate_kw_per_min=None,
        fuel_tank_capacity_l=None,
    )
    for name in ("min_output_kw", "max_output_kw", "required_on", "fuel_cost_per_kwh"):
        draft.set_series(asset.id, name, None)
    yield _highest(one, high)
    if span.low_kw.any():
        yield _lowest(one)
    if is_committed:
        yield from _times(one)
        yield from _orders(one)
        yield from _switch_limits(one)
    yield from _ramps(one)
    if asset.fuel_tank_capacity_l is not None and asset.fuel_consumption_l_per_kwh is not None:
        yield _tank(one)


def _highest(one: _Opened, stated_kw: np.ndarray) -> Limit:
    asset, high, words = one.asset, one.span.high_kw, f"{one.asset.id} output limit"
    is_out = ~one.span.is_available

    def declare(limit: Any, units: Formulation) -> None:
        unit = units.assets[asset.id]
        has_switch = unit.has("is_started")

        def highest(t: Any) -> Any:
            most = unit.is_on[t] * high[t] if has_switch else high[t]
            return plus_reserve_kw(unit, t, unit.output_kw[t]) - limit.beyond[t] <= most

        limit.add_constraint("limit", highest)
        if has_switch and is_out.any():
            least_kw = SMALLEST_OUTPUT * max(asset.max_output_kw, 1.0)
            limit.add_constraint(
                "out_of_service",
                lambda t: unit.is_on[t] * least_kw <= limit.beyond[t],
                over=np.flatnonzero(is_out).tolist(),
            )

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        needed = needed_kw(high, beyond)

        def apply(draft: Draft) -> None:
            now = draft.record("assets", asset.id)
            if now.cost_curve and now.cost_curve[-1].output_kw < needed.max():
                last = now.cost_curve[-1]
                before = now.cost_curve[-2] if len(now.cost_curve) > 1 else last
                rise = (last.cost_per_h - before.cost_per_h) / max(last.output_kw - before.output_kw, 1e-9)
                top = last.replace(
                    output_kw=float(needed.max()),
                    cost_per_h=last.cost_per_h + max(rise, 0.0) * (float(needed.max()) - last.output_kw),
                )
                draft.change("assets", asset.id, cost_curve=(*now.cost_curve, top))
            at_least_low = np.where(beyond > 0, np.maximum(needed, asset.min_output_kw), stated_kw)
            raised(asset.id, "max_output_kw", at_least_low)(draft)

        limit = (asset.id, "max_output_kw", words)
        return power_change(limit, (one.horizon, one.timezone), high, beyond, apply)

    return one.hourly("max_output_kw", words, declare, change, highest_weight=1.0)


def _lowest(one: _Opened) -> Limit:
    asset, low, words = one.asset, one.span.low_kw, f"{one.asset.id} lowest output"

    def declare(limit: Any, units: Formulation) -> None:
        unit = units.assets[asset.id]

        def lowest(t: Any) -> Any:
            least = unit.is_on[t] * low[t] if unit.has("is_started") else low[t]
            return less_reserve_kw(unit, t, unit.output_kw[t]) + limit.beyond[t] >= least

        limit.add_constraint("limit", lowest)

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        needed = np.maximum(needed_kw(low, beyond, -1), 0.0)

        def apply(draft: Draft) -> None:
            curve = draft.record("assets", asset.id).cost_curve
            if curve and curve[0].output_kw > needed.min():
                # Down to the new lowest output at the cost of the old one.
                first = curve[0].replace(output_kw=float(needed.min()))
                draft.change("assets", asset.id, cost_curve=(first, *curve))
            lowered(asset.id, "min_output_kw", needed)(draft)

        limit = (asset.id, "min_output_kw", words)
        return power_change(limit, (one.horizon, one.timezone), low, beyond, apply, fault="too high")

    return one.hourly("min_output_kw", words, declare, change, highest_weight=1.0)


def _times(one: _Opened) -> Iterator[Limit]:
    """Give the shortest times on and off, as far as they reach over steps or from before the horizon."""
    asset, horizon = one.asset, one.horizon
    was_on = float(asset.initial_is_on)
    is_held = (begins_of(horizon) < remaining_h(asset) - ROUNDING_H) & one.span.is_available
    for field, switch, is_up in (("min_uptime_h", "is_started", True), ("min_downtime_h", "is_stopped", False)):
        hours = getattr(asset, field)
        lags = lags_within(horizon, hours)
        held = np.flatnonzero(is_held).tolist() if is_up == asset.initial_is_on else []
        if len(lags) < 2 and not held:
            continue
        words = f"{asset.id} shortest time {'on' if is_up else 'off'}"

        def declare(
            limit: Any,
            units: Formulation,
            *,
            switch: str = switch,
            is_up: bool = is_up,
            lags: list[np.ndarray] = lags,
            held: list[int] = held,
        ) -> None:
            unit = units.assets[asset.id]

            def minimum(t: Any) -> Any:
                state = unit.is_on[t] if is_up else 1 - unit.is_on[t]
                return summed_back(getattr(unit, switch), lags, t) - limit.beyond[t] <= state

            limit.add_constraint("limit", minimum)
            if held:
                sign = 1 if is_up else -1
                limit.add_constraint(
                    "initial", lambda t: sign * (unit.is_on[t] - was_on) + limit.beyond[t] >= 0, over=held
                )

        def change(
            units: Formulation, beyond: np.ndarray, field: str = field, hours: float = hours, is_up: bool = is_up
        ) -> Change | None:
            if not beyond.any():
                return None
            is_on = np.asarray(units.assets[asset.id].is_on) > 0.5
            shortest = _shortest_h(is_on == is_up, asset.initial_is_on == is_up, asset.initial_state_h, horizon)
            new = min(shortest, hours)
            steps = np.flatnonzero(beyond).tolist()

            def apply(draft: Draft) -> None:
                draft.change("assets", asset.id, **{field: new})

            text = (
                f"{asset.id} shortest time {'on' if is_up else 'off'} {shown(hours)} h is {shown(hours - new)} h too "
                f"long {when(steps, horizon, one.timezone)}"
            )
            return Change(asset.id, field, hours - new, "h", tuple(steps), text, apply)

        yield one.hourly(field, words, declare, change)


def _shortest_h(is_in: np.ndarray, was_in: bool, before_h: float | None, horizon: Horizon) -> float:
    """Return the shortest time in a state that ended within the horizon, that from before it included."""
    boundaries_h = np.concatenate(([0.0], np.cumsum(horizon.step_h)))
    shortest, since_h = math.inf, (-math.inf if before_h is None else -before_h) if was_in else None
    for step, state in enumerate([*is_in.tolist(), None]):
        if state is True and since_h is None:
            since_h = float(boundaries_h[step])
        elif state is False and since_h is not None:
            shortest = min(shortest, float(boundaries_h[step]) - since_h)
            since_h = None
    return max(shortest, 0.0)


def _orders(one: _Opened) -> Iterator[Limit]:
    """Give the wish that it runs at all times, and the series that says when it is on."""
    asset, horizon, timezone = one.asset, one.horizon, one.timezone
    available = np.flatnonzero(one.span.is_available).tolist()
    if asset.must_run and available:

        def must_run(limit: Any, units: Formulation) -> None:
            is_on = units.assets[asset.id].is_on
            limit.add_constraint("limit", lambda t: is_on[t] + limit.beyond[t] >= 1, over=available)

        def let_off(_: Formulation, beyond: np.ndarray) -> Change | None:
            if not beyond.any():
                return None
            steps = np.flatnonzero(beyond).tolist()

            def apply(draft: Draft) -> None:
                draft.change("assets", asset.id, must_run=False)

            text = f"let {asset.id} be off {when(steps, horizon, timezone)} (must_run)"
            return Change(asset.id, "must_run", float(horizon.step_h[steps].sum()), "h", tuple(steps), text, apply)

        yield one.hourly("must_run", f"must_run of {asset.id}", must_run, let_off)
    if one.required_on is None:
        return
    required = one.required_on

    def as_required(limit: Any, units: Formulation) -> None:
        is_on = units.assets[asset.id].is_on
        limit.add_constraint("on", lambda t: is_on[t] + limit.beyond[t] >= (required[t] == 1) * 1.0)
        limit.add_constraint("off", lambda t: is_on[t] - limit.beyond[t] <= (required[t] != 0) * 1.0)

    def otherwise(units: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        steps = np.flatnonzero(beyond).tolist()
        is_on = np.round(np.asarray(units.assets[asset.id].is_on))

        def apply(draft: Draft) -> None:
            draft.set_series(asset.id, "required_on", np.where(beyond > 0, is_on, required))

        text = f"do not hold {asset.id} to required_on {when(steps, horizon, timezone)}"
        return Change(asset.id, "required_on", float(horizon.step_h[steps].sum()), "h", tuple(steps), text, apply)

    yield one.hourly("required_on", f"required_on of {asset.id}", as_required, otherwise)


def _switch_limits(one: _Opened) -> Iterator[Limit]:
    """Give the highest output in the first and in the last step on."""
    asset, width, steps = one.asset, one.span.width_kw, len(one.horizon)
    for field, limit_kw in (("max_startup_kw", asset.max_startup_kw), ("max_shutdown_kw", asset.max_shutdown_kw)):
        if limit_kw is None:
            continue
        is_start = field == "max_startup_kw"
        words = f"{asset.id} output limit of a {'start' if is_start else 'stop'}"
        less_kw = np.maximum(width - np.maximum(limit_kw - one.span.low_kw, 0.0), 0.0)

        def declare(
            limit: Any,
            units: Formulation,
            *,
            is_start: bool = is_start,
            less_kw: np.ndarray = less_kw,
            limit_kw: float = limit_kw,
        ) -> None:
            unit = units.assets[asset.id]

            def near_switch(t: Any) -> Any:
                switch = unit.is_started[t] if is_start else unit.is_stopped[t + 1]
                above_kw = plus_reserve_kw(unit, t, one.above_low_kw(unit, t))
                return above_kw + switch * less_kw[t] - limit.beyond[t] <= width[t]

            limit.add_constraint("limit", near_switch, over=range(steps if is_start else steps - 1))
            before_kw = asset.initial_output_kw or 0.0
            if not is_start and one.span.is_available[0] and before_kw > limit_kw:
                limit.add_constraint("first", (before_kw - limit_kw) * unit.is_stopped[0] - limit.beyond[0] <= 0.0)

        def change(
            _: Formulation, beyond: np.ndarray, field: str = field, limit_kw: float = limit_kw, words: str = words
        ) -> Change | None:
            new = enough(limit_kw + float(beyond.max()))

            def apply(draft: Draft) -> None:
                draft.change("assets", asset.id, **{field: new})

            whole = np.full(steps, limit_kw)
            return power_change((asset.id, field, words), (one.horizon, one.timezone), whole, beyond, apply)

        yield one.hourly(field, words, declare, change, highest_weight=1.0)


def _ramps(one: _Opened) -> Iterator[Limit]:
    asset, span = one.asset, one.span
    hours = ramp_hours(one.horizon)
    for way, rate, sign in (
        ("up", asset.ramp_up_rate_kw_per_min, 1),
        ("down", asset.ramp_down_rate_kw_per_min, -1),
    ):
        if rate is None:
            continue
        change_kw = rate * 60 * hours
        jump = np.append(0.0, np.where(span.is_available[1:] != span.is_available[:-1], np.diff(span.low_kw), 0.0))

        def declare(
            limit: Any,
            units: Formulation,
            sign: int = sign,
            change_kw: np.ndarray = change_kw,
            jump: np.ndarray = jump,
        ) -> None:
            unit = units.assets[asset.id]
            is_switched = unit.has("is_started")
            ready = plus_reserve_kw if sign > 0 else less_reserve_kw
            most_kw = change_kw if is_switched else change_kw + sign * jump

            def ramp(t: Any) -> Any:
                rise_kw = ready(unit, t, one.above_low_kw(unit, t)) - one.above_low_kw(unit, t - 1)
                return sign * rise_kw - limit.beyond[t] <= most_kw[t]

            limit.add_constraint("limit", ramp, over=range(1, len(one.horizon)))
            # A generator that was off starts from its lowest output; of one that was on it may not be known.
            before_kw = 0.0 if is_switched and not asset.initial_is_on else asset.initial_output_kw
            if not is_switched:
                before_kw = asset.output_before_kw
            if before_kw is None or not span.is_available[0]:
                return
            if is_switched:
                before_kw = max(before_kw - span.low_kw[0], 0.0)
            first_kw = sign * (ready(unit, 0, one.above_low_kw(unit, 0)) - before_kw)
            limit.add_constraint("first", first_kw - limit.beyond[0] <= change_kw[0])

        yield ramp_limit(
            asset.id,
            f"ramp_{way}_rate_kw_per_min",
            f"{asset.id} ramp {way}",
            horizon=one.horizon,
            timezone=one.timezone,
            rate_kw_per_h=rate * 60,
            per_h=60,
            declare=declare,
            hours=hours,
        )


def _tank(one: _Opened) -> Limit:
    asset, words = one.asset, f"{one.asset.id} fuel tank"
    capacity_l, l_per_kwh = float(asset.fuel_tank_capacity_l or 0), float(asset.fuel_consumption_l_per_kwh or 0)

    def declare(limit: Any, units: Formulation) -> None:
        unit = units.assets[asset.id]
        limit.add_variable("fuel_l", over="boundaries")
        limit.add_constraint("full", limit.fuel_l[0] == 0)
        used = l_per_kwh * one.horizon.step_h
        limit.add_constraint("use", lambda t: limit.fuel_l[t + 1] == limit.fuel_l[t] + unit.output_kw[t] * used[t])
        limit.add_constraint("limit", limit.fuel_l[len(one.horizon)] - limit.beyond["l"] <= capacity_l)

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        by = float(beyond[0])

        def apply(draft: Draft) -> None:
            draft.change("assets", asset.id, fuel_tank_capacity_l=enough(capacity_l + by))

        text = f"{words} {shown(capacity_l)} l is {shown(by)} l too small"
        return Change(asset.id, "fuel_tank_capacity_l", by, "l", (), text, apply)

    weight = np.array([1 / max(l_per_kwh, 1e-9)])
    return Limit(asset.id, "fuel_tank_capacity_l", words, ["l"], weight, declare, change)
