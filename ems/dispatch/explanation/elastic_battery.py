"""Limits of a battery that may be broken: powers, contents, targets, cycles and ramps."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from ems.assets.battery import Battery
from ems.dispatch.explanation.draft import Draft, when
from ems.dispatch.explanation.elastic import SMALLEST, Change, Limit, enough, power_change, shown, timezone_of
from ems.dispatch.explanation.elastic_limits import needed_kw, raised, ramp_limit
from ems.dispatch.formulation.declaration import Formulation
from ems.dispatch.problem import DispatchProblem

PER_STEP = 1e-3
"""Price of a content beyond its limits in each further step, beside that of the largest breach."""


def open_battery(asset: Battery, problem: DispatchProblem, draft: Draft, ample_kw: float) -> Iterator[Limit]:
    """Open what a battery may do.

    Powers stay as they are where they taper with the content or stand ready as reserve, and so do contents: what
    follows from them is not said in one number.
    """
    inputs = problem.inputs_of(asset)
    is_plain = not asset.charge_taper and not asset.discharge_taper
    is_plain = is_plain and inputs.reserve_up_h is None and inputs.reserve_down_h is None
    is_cyclic = asset.final_soc_rule == "cyclic"
    powers = {name: asset.over_steps(name, inputs) for name in ("max_charge_kw", "max_discharge_kw")}
    contents = {name: asset.over_steps(name, inputs) * asset.content_kwh for name in ("min_soc", "max_soc")}
    draft.change(
        "assets",
        asset.id,
        final_soc_rule="free",
        target_soc=asset.target_soc,
        soc_targets=(),
        max_cycles_per_d=None,
        cycle_depth_segments=0,
        degradation_cost_per_kwh=0,
        final_energy_value_per_kwh=None,
        ramp_up_rate_kw_per_s=None,
        ramp_down_rate_kw_per_s=None,
    )
    if is_plain:
        for name, stated_kw in powers.items():
            continuous = getattr(asset, name.replace("max", "continuous"))
            limit_kw = stated_kw if continuous is None else np.minimum(stated_kw, continuous)
            if limit_kw.any():
                draft.change("assets", asset.id, **{name: ample_kw, name.replace("max", "continuous"): None})
                draft.set_series(asset.id, name, None)
                yield _power_limit(asset, problem, name, limit_kw)
        draft.change("assets", asset.id, min_soc=0, max_soc=1)
        for name, limit_kwh in contents.items():
            draft.set_series(asset.id, name, None)
            yield _content_limit(asset, problem, name, limit_kwh, 0 if is_cyclic else 1)
    if not is_cyclic:
        yield _initial_limit(asset, problem)
    if asset.final_soc_rule != "free":
        yield _final_limit(asset, problem)
    if wanted := _targets_within(asset, problem, 0 if is_cyclic else 1):
        yield _target_limit(asset, problem, wanted)
    if asset.max_cycles_per_d is not None:
        yield _cycle_limit(asset, problem, inputs.timezone)
    step_h = problem.horizon.step_h
    hours = np.append(step_h[0], (step_h[1:] + step_h[:-1]) / 2)
    for way, sign in (("up", 1), ("down", -1)):
        rate = getattr(asset, f"ramp_{way}_rate_kw_per_s")
        if rate is not None and len(step_h) > 1:

            def declare(unit: Any, units: Formulation, sign: int = sign, rate: float = rate) -> None:
                def power(t: Any) -> Any:
                    return asset.injection_kw(units.assets[asset.id], t)

                unit.add_constraint(
                    "limit",
                    lambda t: sign * (power(t) - power(t - 1)) - unit.beyond[t] <= rate * 3600 * hours[t],
                    over=range(1, len(step_h)),
                )

            yield ramp_limit(
                asset.id,
                f"ramp_{way}_rate_kw_per_s",
                f"{asset.id} ramp {way}",
                horizon=problem.horizon,
                timezone=inputs.timezone,
                rate_kw_per_h=rate * 3600,
                per_h=3600,
                declare=declare,
                hours=hours,
            )


def _power_limit(asset: Battery, problem: DispatchProblem, name: str, limit_kw: np.ndarray) -> Limit:
    horizon, way = problem.horizon, name.removeprefix("max_")
    words = f"{asset.id} {'charging' if way == 'charge_kw' else 'discharging'} limit"

    def declare(unit: Any, units: Formulation) -> None:
        power_kw = getattr(units.assets[asset.id], way)
        unit.add_constraint("limit", lambda t: power_kw[t] - unit.beyond[t] <= limit_kw[t])

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        needed = needed_kw(limit_kw, beyond)

        def apply(draft: Draft) -> None:
            raised(asset.id, name, needed)(draft)
            continuous = name.replace("max", "continuous")
            if (getattr(draft.record("assets", asset.id), continuous) or np.inf) < needed.max():
                draft.change("assets", asset.id, **{continuous: float(needed.max())})

        return power_change(
            (asset.id, name, words), (horizon, timezone_of(problem, asset.id)), limit_kw, beyond, apply
        )

    return Limit(asset.id, name, words, horizon.steps, horizon.step_h, declare, change, highest_weight=1.0)


def _content_limit(asset: Battery, problem: DispatchProblem, name: str, limit_kwh: np.ndarray, first: int) -> Limit:
    horizon, sign = problem.horizon, 1 if name == "max_soc" else -1
    at_boundary = np.concatenate((limit_kwh[-1:], limit_kwh))
    boundaries = range(first, len(horizon) + 1)
    words = f"{'highest' if sign > 0 else 'lowest'} SOC of {asset.id}"

    def declare(unit: Any, units: Formulation) -> None:
        energy_kwh = units.assets[asset.id].energy_kwh
        unit.add_constraint(
            "limit", lambda t: sign * energy_kwh[t] - unit.beyond[t] <= sign * at_boundary[t], over=boundaries
        )

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        at = np.flatnonzero(beyond)
        if not len(at):
            return None
        worst = int(at[np.argmax(beyond[at])])
        reached = at_boundary[first:] + sign * beyond
        needed = np.clip(needed_kw(at_boundary[first:], beyond, sign) / asset.content_kwh, 0.0, 1.0)
        steps = np.maximum(at + first - 1, 0).tolist()

        def apply(draft: Draft) -> None:
            series = draft.series(asset.id, name)
            if series is not None:
                of_steps = needed[-len(horizon) :]
                looser = np.maximum(series, of_steps) if sign > 0 else np.minimum(series, of_steps)
                draft.set_series(asset.id, name, looser)
            else:
                new = max(asset.max_soc, needed.max()) if sign > 0 else min(asset.min_soc, needed.min())
                draft.change("assets", asset.id, **{name: float(new)}, **_kept(draft.record("assets", asset.id)))

        shown_soc = [100 * value / asset.content_kwh for value in (reached[worst], at_boundary[first:][worst])]
        text = (
            f"{words} {'up' if sign > 0 else 'down'} to {shown(shown_soc[0])} % instead of {shown(shown_soc[1])} % "
            f"({shown(beyond[worst])} kWh) {when(set(steps), horizon, timezone_of(problem, asset.id))}"
        )
        return Change(asset.id, name, float(beyond[worst]), "kWh", tuple(steps), text, apply)

    weights = np.full(len(boundaries), PER_STEP)
    return Limit(asset.id, name, words, boundaries, weights, declare, change, highest_weight=1.0)


def _kept(asset: Battery) -> dict[str, float]:
    """Return fields that would follow from others, so that they stay while those change."""
    return {"target_soc": asset.target_soc, "initial_soc": asset.initial_soc}


def _initial_limit(asset: Battery, problem: DispatchProblem) -> Limit:
    initial_kwh = asset.initial_soc * asset.content_kwh
    lowest, highest = asset.min_soc * asset.content_kwh, asset.max_soc * asset.content_kwh
    words = f"first SOC of {asset.id}"

    def declare(unit: Any, units: Formulation) -> None:
        first = units.assets[asset.id].energy_kwh[0]
        unit.add_constraint("limit", first == initial_kwh + unit.beyond["more"] - unit.beyond["less"])
        unit.add_constraint("at_most", unit.beyond["more"] <= max(highest - initial_kwh, 0.0))
        unit.add_constraint("at_least", unit.beyond["less"] <= max(initial_kwh - lowest, 0.0))

    def change(units: Formulation, beyond: np.ndarray) -> Change | None:
        by = float(beyond.max())
        if by <= SMALLEST:
            return None
        sign = 1 if beyond[0] >= beyond[1] else -1
        first_kwh = float(np.clip(initial_kwh + sign * enough(abs(beyond[0] - beyond[1])), lowest, highest))
        soc = first_kwh / asset.content_kwh

        def apply(draft: Draft) -> None:
            target_soc = draft.record("assets", asset.id).target_soc
            draft.change("assets", asset.id, initial_soc=soc, target_soc=target_soc)

        text = f"start {asset.id} at SOC {shown(100 * soc)} % instead of {shown(100 * asset.initial_soc)} %"
        return Change(asset.id, "initial_soc", by, "kWh", (), text, apply)

    return Limit(asset.id, "initial_soc", words, ["more", "less"], np.ones(2), declare, change)


def _final_limit(asset: Battery, problem: DispatchProblem) -> Limit:
    rule, end = asset.final_soc_rule, len(problem.horizon)
    target_kwh = asset.target_soc * asset.content_kwh
    words = f"last SOC of {asset.id}"

    def declare(unit: Any, units: Formulation) -> None:
        energy_kwh = units.assets[asset.id].energy_kwh
        wanted = energy_kwh[0] if rule == "cyclic" else target_kwh
        if rule == "at_least":
            unit.add_constraint("limit", energy_kwh[end] + unit.beyond["less"] >= wanted)
            unit.add_constraint("unused", unit.beyond["more"] <= 0)
        else:
            unit.add_constraint("limit", energy_kwh[end] + unit.beyond["less"] == unit.beyond["more"] + wanted)

    def change(units: Formulation, beyond: np.ndarray) -> Change | None:
        by = float(beyond.max())
        if by <= SMALLEST:
            return None
        contents = units.assets[asset.id].energy_kwh / asset.content_kwh
        first, last = float(contents[0]), float(contents[end])
        low, high = asset.min_soc, asset.max_soc
        reached = float(np.clip(last - (0.0 if rule == "exactly" else 2e-6), low, high))

        def apply(draft: Draft) -> None:
            now = draft.record("assets", asset.id)
            if rule == "cyclic":
                draft.change(
                    "assets",
                    asset.id,
                    final_soc_rule="at_least",
                    target_soc=reached,
                    initial_soc=float(np.clip(first, now.min_soc, now.max_soc)),
                )
            else:
                draft.change("assets", asset.id, target_soc=float(np.clip(reached, now.min_soc, now.max_soc)))

        instead = "where it began" if rule == "cyclic" else f"{shown(100 * asset.target_soc)} %"
        text = f"end {asset.id} at SOC {shown(100 * last)} % instead of {instead} ({shown(by)} kWh)"
        return Change(asset.id, "target_soc", by, "kWh", (), text, apply)

    return Limit(asset.id, "target_soc", words, ["more", "less"], np.ones(2), declare, change)


def _targets_within(asset: Battery, problem: DispatchProblem, first: int) -> dict[int, int]:
    """Return the boundary of each target within the horizon, by its place in the record."""
    boundaries = problem.horizon.boundaries.to_numpy()
    found = {}
    for number, target in enumerate(asset.soc_targets):
        moment = np.datetime64(target.time.astimezone(dt.UTC).replace(tzinfo=None), "ns")
        for boundary in np.flatnonzero(boundaries == moment).tolist():
            if boundary >= first:
                found[number] = boundary
    return found


def _target_limit(asset: Battery, problem: DispatchProblem, boundary_of: dict[int, int]) -> Limit:
    words = f"SOC targets of {asset.id}"
    numbers = list(boundary_of)

    def declare(unit: Any, units: Formulation) -> None:
        energy_kwh = units.assets[asset.id].energy_kwh
        for number, boundary in boundary_of.items():
            target = asset.soc_targets[number]
            wanted_kwh = target.soc * asset.content_kwh
            if target.rule != "at_most":
                unit.add_constraint(f"limit_{number}", energy_kwh[boundary] + unit.beyond[number] >= wanted_kwh)
            if target.rule != "at_least":
                unit.add_constraint(f"upper_limit_{number}", energy_kwh[boundary] - unit.beyond[number] <= wanted_kwh)

    def change(units: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        contents = units.assets[asset.id].energy_kwh / asset.content_kwh
        reached, parts = {}, []
        local = problem.horizon.boundaries.tz_localize("UTC").tz_convert(timezone_of(problem, asset.id))
        for number, by in zip(numbers, beyond, strict=True):
            if by > 0:
                target, soc = asset.soc_targets[number], float(contents[boundary_of[number]])
                slack = {"at_least": -2e-6, "at_most": 2e-6, "exactly": 0.0}[target.rule]
                reached[number] = float(np.clip(soc + slack, asset.min_soc, asset.max_soc))
                moment = f"{local[boundary_of[number]]:%Y-%m-%d %H:%M}"
                parts.append(f"SOC {shown(100 * soc)} % instead of {shown(100 * target.soc)} % at {moment}")

        def apply(draft: Draft) -> None:
            now = draft.record("assets", asset.id)
            targets = tuple(
                one.replace(soc=float(np.clip(reached[number], now.min_soc, now.max_soc)))
                if number in reached
                else one
                for number, one in enumerate(now.soc_targets)
            )
            draft.change("assets", asset.id, soc_targets=targets)

        steps = tuple(boundary_of[number] - 1 for number in reached)
        return Change(
            asset.id,
            "soc_targets",
            float(beyond.max()),
            "kWh",
            steps,
            f"want of {asset.id} {', '.join(parts)}",
            apply,
        )

    return Limit(asset.id, "soc_targets", words, numbers, np.ones(len(numbers)), declare, change)


def _cycle_limit(asset: Battery, problem: DispatchProblem, timezone: str) -> Limit:
    assert asset.max_cycles_per_d is not None, "the caller saw it"
    local = problem.horizon.local_times(timezone).tz_localize(None).normalize().to_numpy()
    _, begins = np.unique(local, return_index=True)
    days = [range(begin, end) for begin, end in itertools.pairwise([*begins.tolist(), len(local)])]
    content_h = (problem.horizon.step_h / asset.discharge_efficiency).tolist()
    per_d = asset.max_cycles_per_d
    words = f"cycles a day of {asset.id}"

    def declare(unit: Any, units: Formulation) -> None:
        discharge_kw = units.assets[asset.id].discharge_kw
        unit.add_constraint_each(
            "limit",
            lambda day: (
                sum(discharge_kw[t] * content_h[t] for t in days[day]) - unit.beyond[day] <= per_d * asset.content_kwh
            ),
            over=range(len(days)),
        )

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        by = float(beyond.max()) / asset.content_kwh
        steps = [step for day in np.flatnonzero(beyond).tolist() for step in days[day]]

        def apply(draft: Draft) -> None:
            draft.change("assets", asset.id, max_cycles_per_d=enough(per_d + by))

        text = (
            f"{shown(per_d)} {words} are {shown(by)} too few on "
            f"{local[steps[0]].astype('datetime64[D]')} (max_cycles_per_d)"
        )
        return Change(asset.id, "max_cycles_per_d", by, "1/d", tuple(steps), text, apply)

    return Limit(
        asset.id, "max_cycles_per_d", words, range(len(days)), np.ones(len(days)), declare, change, highest_weight=1.0
    )
