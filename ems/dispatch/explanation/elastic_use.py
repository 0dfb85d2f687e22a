"""Limits of loads, chargers and buses that may be broken: demand, times of use, comfort, energy of vehicles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np

from ems.assets.charging_port import port_name, ports_of, stays_in
from ems.assets.ev_charger import EvCharger
from ems.assets.load import Load
from ems.assets.portfolio import Site
from ems.assets.shiftable_use import UseWindow
from ems.dispatch.explanation.draft import Draft, ranges_of, when
from ems.dispatch.explanation.elastic import Change, Limit, enough, power_change, shown, timezone_of
from ems.dispatch.explanation.elastic_limits import needed_kw, raised
from ems.dispatch.formulation.declaration import Formulation
from ems.dispatch.problem import DispatchProblem

OF_CRITICAL, OF_BUS = 10.0, 5.0
"""How much dearer it is to cut a critical load, and to leave power at a bus that no asset takes."""


def open_load(asset: Load, problem: DispatchProblem, draft: Draft, ample_kw: float) -> Iterator[Limit]:
    """Open the demand of a load, or the times of a shiftable one, or the comfort of a zone."""
    if asset.shiftable is not None:
        yield from _open_windows(asset, problem, draft)
    elif asset.thermal is not None:
        yield from _open_zone(asset, problem, draft, ample_kw)
    elif problem.portfolio.site(asset.site_id).unserved_cost_per_kwh is None and asset.sheddable_share < 1:
        yield _demand(asset, problem)


def _demand(asset: Load, problem: DispatchProblem) -> Limit:
    """Return the demand: what of it is cut, the bus lacks, so that shedding and what follows from it stay as is."""
    horizon, share = problem.horizon, 1 - asset.sheddable_share
    demand_kw = problem.inputs_of(asset).series["demand_kw"]
    most_kw = np.maximum(demand_kw, 0.0) * share
    words = f"demand of {asset.id}"

    def declare(limit: Any, units: Formulation) -> None:
        limit.add_constraint("limit", lambda t: limit.beyond[t] <= most_kw[t])
        units.assets[asset.id].cut_kw = limit.beyond

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        steps = np.flatnonzero(beyond).tolist()
        by = float(beyond @ horizon.step_h)
        cut_kw = np.where(beyond > 0, np.minimum(beyond + 1e-6 * np.maximum(1.0, demand_kw), most_kw), 0.0) / share

        def apply(draft: Draft) -> None:
            series = draft.series(asset.id, "demand_kw")
            assert series is not None, "a load has its demand"
            draft.set_series(asset.id, "demand_kw", series - cut_kw)

        text = f"shed {shown(by)} kWh of {asset.id} {when(steps, horizon, timezone_of(problem, asset.id))}"
        return Change(asset.id, "demand_kw", by, "kWh", tuple(steps), text, apply)

    dear = OF_CRITICAL if asset.is_critical else 1 + 0.01 * asset.shedding_rank
    return Limit(asset.id, "demand_kw", words, horizon.steps, horizon.step_h * dear, declare, change)


def _open_windows(asset: Load, problem: DispatchProblem, draft: Draft) -> Iterator[Limit]:
    use, horizon = asset.shiftable, problem.horizon
    assert use is not None, "the caller saw it"
    inputs = problem.inputs_of(asset)
    is_allowed = inputs.series.get("shiftable_is_allowed")
    allowed = use.allowed_steps(horizon) if is_allowed is None else is_allowed > 0.5
    if allowed.all():
        return
    power_kw = asset.over_steps("shiftable_power_kw", inputs)
    draft.change("assets", asset.id, shiftable=use.replace(windows=()))
    draft.set_series(asset.id, "shiftable_is_allowed", None)
    forbidden = np.flatnonzero(~allowed).tolist()
    words = f"windows of {asset.id}"

    def declare(limit: Any, units: Formulation) -> None:
        is_running = units.assets[asset.id].is_running
        limit.add_constraint("limit", lambda t: is_running[t] <= limit.beyond[t], over=forbidden)

    def change(units: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        is_running = np.asarray(units.assets[asset.id].is_running) > 0.5
        steps = np.flatnonzero(beyond > 0.5).tolist()
        moments = [moment.to_pydatetime().replace(tzinfo=dt.UTC) for moment in horizon.boundaries]
        added = tuple(
            UseWindow(earliest=moments[first], latest=moments[end])
            for first, end in ranges_of(np.flatnonzero(is_running).tolist())
            if not allowed[first:end].all()
        )

        def apply(draft: Draft) -> None:
            series = draft.series(asset.id, "shiftable_is_allowed")
            if series is not None:
                draft.set_series(asset.id, "shiftable_is_allowed", np.where(is_running, 1.0, series))
            else:
                now = draft.record("assets", asset.id).shiftable
                draft.change("assets", asset.id, shiftable=now.replace(windows=(*now.windows, *added)))

        by = float(horizon.step_h[steps].sum())
        text = f"let {asset.id} run outside its windows {when(steps, horizon, inputs.timezone)}"
        return Change(asset.id, "shiftable", by, "h", tuple(steps), text, apply)

    weights = horizon.step_h * np.maximum(power_kw, 1e-3)
    yield Limit(asset.id, "shiftable", words, horizon.steps, weights, declare, change)


def _open_zone(asset: Load, problem: DispatchProblem, draft: Draft, ample_kw: float) -> Iterator[Limit]:
    zone, horizon, timezone = asset.thermal, problem.horizon, timezone_of(problem, asset.id)
    assert zone is not None, "the caller saw it"
    limit_kw = np.full(len(horizon), zone.max_power_kw)
    is_hard = zone.discomfort_cost_per_kh is None
    open_kw = 2 * (ample_kw + zone.max_power_kw)
    free = zone.replace(max_power_kw=open_kw, discomfort_cost_per_kh=1.0)
    draft.change("assets", asset.id, thermal=free, rated_load_kw=max(asset.rated_load_kw, open_kw))

    def power(limit: Any, units: Formulation) -> None:
        power_kw = getattr(units.assets[asset.id], zone.power_name)
        limit.add_constraint("limit", lambda t: power_kw[t] - limit.beyond[t] <= limit_kw[t])

    def stronger(_: Formulation, beyond: np.ndarray) -> Change | None:
        new = float(needed_kw(limit_kw, beyond).max())

        def apply(draft: Draft) -> None:
            now = draft.record("assets", asset.id)
            draft.change(
                "assets",
                asset.id,
                thermal=now.thermal.replace(max_power_kw=new),
                rated_load_kw=max(now.rated_load_kw, new),
            )

        return power_change((asset.id, "thermal", words), (horizon, timezone), limit_kw, beyond, apply)

    words = f"{asset.id} {zone.mode} power"
    yield Limit(asset.id, "thermal", words, horizon.steps, horizon.step_h, power, stronger, highest_weight=1.0)
    if not is_hard:
        return

    def comfort(limit: Any, units: Formulation) -> None:
        unit = units.assets[asset.id]
        limit.add_constraint("limit", lambda t: unit.discomfort_k[t] <= limit.beyond[t])

    def wider(units: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        reached = units.assets[asset.id].temperature_degc[1:]
        low = min(zone.comfort_min_degc, float(reached[beyond > 0].min()) - 1e-5)
        high = max(zone.comfort_max_degc, float(reached[beyond > 0].max()) + 1e-5)
        steps = np.flatnonzero(beyond).tolist()

        def apply(draft: Draft) -> None:
            now = draft.record("assets", asset.id).thermal
            wide = now.replace(comfort_min_degc=low, comfort_max_degc=high)
            draft.change("assets", asset.id, thermal=wide)

        parts = [
            f"{way} {shown(new)} °C instead of {shown(old)} °C"
            for way, new, old in (("down to", low, zone.comfort_min_degc), ("up to", high, zone.comfort_max_degc))
            if abs(new - old) > 1e-4
        ]
        text = f"let {asset.id} go {' and '.join(parts)} {when(steps, horizon, timezone)} (comfort)"
        return Change(asset.id, "comfort", float(beyond.max()), "K", tuple(steps), text, apply)

    band = f"comfort band of {asset.id}"
    yield Limit(asset.id, "comfort", band, horizon.steps, horizon.step_h, comfort, wider, highest_weight=1.0)


def open_charger(asset: EvCharger, problem: DispatchProblem, draft: Draft, ample_kw: float) -> Iterator[Limit]:
    """Open the energy that vehicles want and, where charging can wait, the power of the ports."""
    horizon, inputs = problem.horizon, problem.inputs_of(asset)
    stays = stays_in(asset.sessions, horizon)
    hard = [stay.number for stay in stays if asset.unmet_price_of(stay.session) is None]
    if hard:
        sessions = tuple(
            one.replace(unmet_cost_per_kwh=1.0) if number in hard else one for number, one in enumerate(asset.sessions)
        )
        draft.change("assets", asset.id, sessions=sessions)
        yield _vehicle_energy(asset, problem, sorted(hard))
    if not asset.smart_charging_capable or not stays:
        return
    limit_kw = asset.over_steps("max_power_kw", inputs)
    kept = {"max_discharge_kw": asset.max_discharge_kw, "min_charge_kw": asset.min_charge_kw}
    draft.change("assets", asset.id, max_power_kw=ample_kw, min_current_ampere=None, **kept)
    draft.set_series(asset.id, "max_power_kw", None)
    ports = ports_of(stays)
    shares = np.zeros((len(ports), len(horizon)))
    for number, port in enumerate(ports):
        for stay in port:
            shares[number, stay.steps] = stay.share
    words = f"{asset.id} power limit"

    def declare(limit: Any, units: Formulation) -> None:
        unit = units.assets[asset.id]
        for number in range(len(ports)):
            charge_kw = getattr(unit, port_name("charge_kw", number + 1, len(ports)))
            limit.add_constraint(
                f"port_{number + 1}",
                lambda t, charge_kw=charge_kw, share=shares[number]: (
                    charge_kw[t] - limit.beyond[t] * share[t] <= limit_kw[t] * share[t]
                ),
            )
        limit.add_constraint(
            "all_ports",
            lambda t: unit.charge_kw[t] - limit.beyond[t] * asset.ports_at_once <= limit_kw[t] * asset.ports_at_once,
        )

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        needed = needed_kw(limit_kw, beyond)

        def apply(draft: Draft) -> None:
            now = draft.record("assets", asset.id)
            if now.min_current_ampere is not None:  # the lowest power would follow the highest
                draft.change("assets", asset.id, min_current_ampere=None, min_charge_kw=asset.min_charge_kw)
            draft.change("assets", asset.id, max_discharge_kw=asset.max_discharge_kw)
            raised(asset.id, "max_power_kw", needed)(draft)

        limit = (asset.id, "max_power_kw", words)
        return power_change(limit, (horizon, inputs.timezone), limit_kw, beyond, apply)

    yield Limit(asset.id, "max_power_kw", words, horizon.steps, horizon.step_h, declare, change, highest_weight=1.0)


def _vehicle_energy(asset: EvCharger, problem: DispatchProblem, numbers: list[int]) -> Limit:
    words = f"energy wanted at {asset.id}"
    wanted = {number: asset.sessions[number].energy_kwh for number in numbers}

    def declare(limit: Any, units: Formulation) -> None:
        unmet_kwh = units.assets[asset.id].unmet_kwh
        limit.add_constraint_each("limit", lambda number: unmet_kwh[number] <= limit.beyond[number], over=numbers)

    def change(_: Formulation, beyond: np.ndarray) -> Change | None:
        if not beyond.any():
            return None
        missing = {number: float(by) for number, by in zip(numbers, beyond, strict=True) if by > 0}

        def apply(draft: Draft) -> None:
            now = draft.record("assets", asset.id).sessions
            less = {
                number: max(one.energy_kwh - enough(missing[number]), -one.arrival_energy_kwh)
                for number, one in enumerate(now)
                if number in missing
            }
            draft.change(
                "assets",
                asset.id,
                sessions=tuple(
                    one.replace(energy_kwh=less[number]) if number in less else one for number, one in enumerate(now)
                ),
            )

        local = timezone_of(problem, asset.id)
        parts = []
        for number, by in missing.items():
            leaves = np.datetime64(asset.sessions[number].departure.astimezone(dt.UTC).replace(tzinfo=None), "ns")
            moment = _local(leaves, local)
            parts.append(
                f"vehicle {number + 1}, which leaves {moment}, {shown(wanted[number] - by)} kWh instead of "
                f"{shown(wanted[number])} kWh"
            )
        text = f"give at {asset.id} {'; '.join(parts)}"
        return Change(asset.id, "sessions", float(sum(missing.values())), "kWh", (), text, apply)

    return Limit(asset.id, "sessions", words, numbers, np.ones(len(numbers)), declare, change)


def _local(moment: np.datetime64, timezone: str) -> str:
    import pandas as pd

    return f"{pd.Timestamp(moment).tz_localize('UTC').tz_convert(timezone):%Y-%m-%d %H:%M}"


def open_site(site: Site, problem: DispatchProblem, draft: Draft) -> Iterator[Limit]:
    """Open the balance of a bus: what it lacks, beyond the demand that is cut, and what it throws away."""
    members = [asset for asset in problem.assets if asset.site_id == site.id]
    if not members:
        return
    horizon = problem.horizon
    for field, name, word in (
        ("unserved_cost_per_kwh", "missing_kw", "lack"),
        ("spill_cost_per_kwh", "spilled_kw", "throw away"),
    ):
        if getattr(site, field) is not None:
            continue
        draft.change("sites", site.id, **{field: 1.0})

        def declare(limit: Any, units: Formulation, name: str = name) -> None:
            power_kw = getattr(units.sites[site.id], name)
            cuts = []
            if name == "missing_kw":
                cuts = [units.assets[one.id] for one in members if units.assets[one.id].has("cut_kw")]
            limit.add_constraint(
                "limit", lambda t: power_kw[t] == limit.beyond[t] + sum(one.cut_kw[t] for one in cuts)
            )

        def change(_: Formulation, beyond: np.ndarray, field: str = field, word: str = word) -> Change | None:
            if not beyond.any():
                return None
            steps = np.flatnonzero(beyond).tolist()
            by = float(beyond @ horizon.step_h)

            def apply(draft: Draft) -> None:
                draft.change("sites", site.id, **{field: dear_price(problem)})

            text = f"let the bus of {site.id} {word} {shown(by)} kWh {when(steps, horizon, site.timezone)} ({field})"
            return Change(site.id, field, by, "kWh", tuple(steps), text, apply)

        words = f"balance of {site.id}"
        weights = horizon.step_h * OF_BUS
        yield Limit(site.id, field, words, horizon.steps, weights, declare, change, kind="bus")


def dear_price(problem: DispatchProblem) -> float:
    """Return a price at which nobody leaves energy by choice: ten times the highest of the dispatch."""
    prices = [
        float(np.nanmax(np.abs(values)))
        for name, column in problem.series.data_vars.items()
        if "price" in str(name)
        for values in (column.to_numpy(),)
        if np.isfinite(values).any()
    ]
    return 10 * max([1.0, *prices])
