"""Settlement of a load: the worth of what was not served, and what may be shed, shifted or left to warm up."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

import numpy as np

from ems.assets.load import Load
from ems.assets.shiftable_use import ShiftableUse
from ems.assets.thermal_zone import ThermalZone
from ems.settlement.ledger import TOLERANCE, Ledger, Replay, Schedule

NEAR_H = 1e-6
"""Times in hours that differ by less are equal: above the rounding of sums of steps, below a second."""


def bill(asset: Load, ledger: Ledger) -> None:
    """Write the worth of demand that was not served, or of temperatures that were not comfortable."""
    if asset.interruption_cost_per_kwh is not None:
        price = ledger.over_steps(asset, "interruption_cost_per_kwh")
        ledger.add_energy(asset.id, "interruption_cost", ledger.flow("unserved_kw", asset.id), price)
    zone = asset.thermal
    if zone is not None and zone.discomfort_cost_per_kh:
        beyond_k = _beyond_comfort_k(zone, _temperature_degc(asset, zone, ledger))
        beyond_kh = float(beyond_k @ ledger.step_h)
        ledger.add(asset.id, "discomfort_cost", beyond_kh, "K h", beyond_kh * zone.discomfort_cost_per_kh)


def replay(asset: Load, replay: Replay) -> np.ndarray:
    """Check what is shed, shifted or heated; return the power into the bus."""
    if asset.shiftable is not None:
        return -_replay_shiftable(asset, asset.shiftable, replay)
    if asset.thermal is not None:
        return -_replay_zone(asset, asset.thermal, replay)
    demand: np.ndarray = replay.given("demand_kw", asset.id)
    unserved = replay.power("unserved_kw", asset.id)
    may_share = 0.0 if not asset.is_sheddable else 1.0 if asset.max_curtailment is None else asset.max_curtailment
    replay.note(asset.id, "sheds more than it may", unserved - np.maximum(demand, 0) * may_share)
    if asset.is_sheddable:
        _check_episodes(asset, unserved, replay)
    if asset.is_sheddable and asset.recovered_share > 0:
        recovery = replay.power("recovery_kw", asset.id)
        _check_recovery(asset, asset.recovered_share, (demand, unserved, recovery), replay)
        unserved = unserved - recovery
    injection: np.ndarray = unserved - demand
    return injection


def _check_episodes(asset: Load, unserved: np.ndarray, replay: Replay) -> None:
    """Note where a curtailment lasts too long or follows too soon; each is told by the plan, else by what is shed."""
    is_curtailed = unserved > TOLERANCE
    if replay.has("is_curtailed", asset.id):
        planned = replay.flow("is_curtailed", asset.id) > 0.5
        # A solver counts a decision as 0 below 1e-6; times the power, that is what may be shed without one.
        slack_kw = TOLERANCE * np.maximum(replay.given("demand_kw", asset.id), 0)
        replay.note(asset.id, "sheds outside of its curtailments", np.where(planned, 0.0, unserved - slack_kw))
        is_curtailed = planned
    begins = np.concatenate(([0.0], np.cumsum(replay.step_h)))
    spans = list(_spans(is_curtailed))
    if asset.max_curtailment_duration_min is not None:
        for begin, end in spans:
            too_long = np.zeros(len(unserved))
            too_long[begin] = begins[end] - begins[begin] - asset.max_curtailment_duration_min / 60
            law = f"is curtailed for more than {asset.max_curtailment_duration_min:g} min"
            replay.note(asset.id, law, too_long, "h")
    if asset.min_recovery_time_min:
        for (_, end), (begin, _) in itertools.pairwise(spans):
            too_short = np.zeros(len(unserved))
            too_short[begin] = asset.min_recovery_time_min / 60 - (begins[begin] - begins[end])
            law = f"is curtailed again within {asset.min_recovery_time_min:g} min"
            replay.note(asset.id, law, too_short, "h")


def _check_recovery(
    asset: Load, share: float, powers: tuple[np.ndarray, np.ndarray, np.ndarray], replay: Replay
) -> None:
    """Note where energy is drawn again before it was shed, too late, or beyond what the load is built for."""
    demand, unserved, recovery = powers
    replay.note(asset.id, "draws again what it sheds", np.minimum(unserved, recovery))
    above = demand + recovery - np.maximum(asset.rated_load_kw, demand)
    replay.note(asset.id, f"draws more than {asset.rated_load_kw:g} kW", above, scale=asset.rated_load_kw)
    shed_kwh, drawn_kwh = share * np.cumsum(unserved * replay.step_h), np.cumsum(recovery * replay.step_h)
    replay.note(asset.id, "draws again more than it has shed", drawn_kwh - shed_kwh, "kWh", shed_kwh[-1])
    end_h = np.cumsum(replay.step_h)
    for t, now_h in enumerate(end_h):
        is_due = np.ones(t + 1, dtype=bool)
        if t + 1 < len(end_h):
            is_due = end_h[: t + 1] <= now_h - (np.inf if asset.recovery_h is None else asset.recovery_h) + NEAR_H
        late = np.zeros(len(end_h))
        late[t] = share * float((unserved * replay.step_h)[: t + 1][is_due].sum()) - drawn_kwh[t]
        replay.note(asset.id, "draws what it has shed too late", late, "kWh", shed_kwh[-1])


def _replay_shiftable(asset: Load, use: ShiftableUse, replay: Replay) -> np.ndarray:
    """Check that it runs in whole blocks or steps, as often as it shall, when it may; return the power drawn."""
    running = replay.flow("is_running", asset.id)
    replay.note(asset.id, "runs in part", np.abs(running - np.round(running)), "")
    is_running = running > 0.5
    step_h = replay.step_h
    wrong_h = np.zeros(len(step_h))
    wrong_h[-1] = abs(float(is_running @ step_h) - use.runs * use.duration_h)
    replay.note(asset.id, f"does not run for {use.runs} x {use.duration_h:g} h", wrong_h, "h")
    begins = np.concatenate(([0.0], np.cumsum(step_h)))
    allowed = replay.series.get("shiftable_is_allowed")
    may_run = np.ones(len(step_h), dtype=bool)
    has_series = allowed is not None and asset.id in replay.series.asset.values
    if has_series:
        may_run = replay.given("shiftable_is_allowed", asset.id) > 0.5
        has_series = not np.isnan(replay.given("shiftable_is_allowed", asset.id)).all()
    if has_series:
        replay.note(asset.id, "runs when it is not allowed to", (is_running & ~may_run) * 1.0, "")
    for begin, end in _spans(is_running):
        pieces = [(t, t + 1) for t in range(begin, end)] if use.is_interruptible else [(begin, end)]
        if not use.is_interruptible:
            # Blocks that follow each other without a pause are told apart by their length.
            blocks = max(1, round((begins[end] - begins[begin]) / use.duration_h))
            marks = begins[begin] + use.duration_h * np.arange(blocks + 1)
            cuts = [int(np.argmin(np.abs(begins - mark))) for mark in marks]
            wrong_h = np.zeros(len(step_h))
            wrong_h[begin] = float(np.abs(begins[cuts] - marks).max()) + abs(begins[end] - marks[-1])
            replay.note(asset.id, f"runs in other blocks than of {use.duration_h:g} h", wrong_h, "h")
            pieces = list(itertools.pairwise(cuts))
        if has_series or not use.windows:
            continue
        for first, last in pieces:
            is_outside = np.zeros(len(step_h))
            is_outside[first] = not _is_in_a_window(use, replay, first, begins[last] - begins[first])
            replay.note(asset.id, "runs outside of its windows", is_outside, "")
    drawn: np.ndarray = running * _series_or(replay, asset, "shiftable_power_kw", use.power_kw)
    return drawn


def _is_in_a_window(use: ShiftableUse, replay: Replay, first: int, length_h: float) -> bool:
    second = np.timedelta64(1, "s")
    begin_s = (replay.times[first] - replay.times[0]) / second
    for window in use.windows:
        earliest_s, latest_s = (
            (np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns") - replay.times[0]) / second
            for moment in (window.earliest, window.latest)
        )
        if earliest_s - 1 <= begin_s and begin_s + length_h * 3600 <= latest_s + 1:
            return True
    return False


def _replay_zone(asset: Load, zone: ThermalZone, replay: Replay) -> np.ndarray:
    """Check power and temperature of a zone; return the power drawn."""
    power = replay.power(f"{zone.mode}_power_kw", asset.id)
    replay.note(asset.id, f"draws more than {zone.max_power_kw:g} kW", power - zone.max_power_kw)
    temperature = _temperature_degc(asset, zone, replay)
    if replay.has("temperature_degc", asset.id):
        planned = replay.flow("temperature_degc", asset.id)
        replay.note(asset.id, "temperature differs from the plan's", np.abs(temperature - planned)[1:], "K")
    if zone.discomfort_cost_per_kh is None:
        replay.note(asset.id, "temperature is not comfortable", _beyond_comfort_k(zone, temperature), "K")
    return power


def _temperature_degc(asset: Load, zone: ThermalZone, schedule: Schedule) -> np.ndarray:
    """Return the temperature of a zone at each boundary when its equipment follows its powers, shape (steps + 1,).

    It nears the temperature at which losses and gains are equal, by the same share in equal times.
    """
    power_kw = schedule.flow(f"{zone.mode}_power_kw", asset.id)
    sign = 1.0 if zone.mode == "heating" else -1.0
    heat_kw = zone.internal_gain_kw + sign * power_kw * _series_or(schedule, asset, "thermal_cop", zone.cop)
    settles_at = schedule.given("outdoor_temperature_degc", asset.id) + zone.resistance_k_per_kw * heat_kw
    time_constant_h = zone.resistance_k_per_kw * zone.capacitance_kwh_per_k
    temperatures = [zone.initial_temperature_degc]
    for goal, hours in zip(settles_at, schedule.step_h, strict=True):
        temperatures.append(goal + (temperatures[-1] - goal) * np.exp(-hours / time_constant_h))
    return np.array(temperatures)


def _beyond_comfort_k(zone: ThermalZone, temperature_degc: np.ndarray) -> np.ndarray:
    """Return by how much the temperature at the end of each step is too low or too high."""
    ends = temperature_degc[1:]
    beyond: np.ndarray = np.maximum(zone.comfort_min_degc - ends, 0) + np.maximum(ends - zone.comfort_max_degc, 0)
    return beyond


def _series_or(schedule: Schedule, asset: Load, name: str, number: float) -> np.ndarray:
    """Return a series of an asset where it has one, else a number in each step."""
    if name in schedule.series and asset.id in schedule.series.asset.values:
        values = schedule.given(name, asset.id)
        if not np.isnan(values).all():
            return values
    return np.full(len(schedule.step_h), number)


def _spans(is_on: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield first step and the step after the last of each time that is on without a pause."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_on.astype(int), [0]))))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        yield int(begin), int(end)
