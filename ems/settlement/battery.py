"""Settlement of a battery: what charging, wear and keeping energy cost, and its content replayed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ems.assets.ageing import life_curve_of
from ems.assets.battery import Battery
from ems.assets.battery_limits import SocTarget, TaperPoint
from ems.settlement.ledger import TOLERANCE, Ledger, Replay, Schedule

LARGEST_PASSES = 1000
"""Times that a cyclic schedule is run through before its segments of depth are taken as settled."""


def bill(asset: Battery, ledger: Ledger) -> None:
    """Write wear, the cost of charging and of keeping energy, and the worth of what is left."""
    discharge = ledger.flow("discharge_kw", asset.id)
    if asset.cycle_depth_segments:
        taken_kwh, cost = cycle_depth_wear(asset, ledger, ledger.flow("charge_kw", asset.id), discharge)
        ledger.add(asset.id, "cycle_depth_cost", taken_kwh, "kWh", cost)
    else:
        price = ledger.over_steps(asset, "degradation_cost_per_kwh")
        ledger.add_energy(asset.id, "wear_cost", discharge, price)
    price = ledger.over_steps(asset, "charge_cost_per_kwh")
    if price.any():
        ledger.add_energy(asset.id, "charge_cost", ledger.flow("charge_kw", asset.id), price)
    if asset.holding_cost_per_kwh_h or asset.final_energy_value_per_kwh is not None:
        energy = replay_energy_kwh(asset, ledger, ledger.flow("charge_kw", asset.id), discharge)
        if asset.holding_cost_per_kwh_h:
            held_kwh_h = float(energy[1:] @ ledger.step_h)
            ledger.add(asset.id, "holding_cost", held_kwh_h, "kWh h", held_kwh_h * asset.holding_cost_per_kwh_h)
        if asset.final_energy_value_per_kwh is not None:
            worth = energy[-1] * asset.final_energy_value_per_kwh
            ledger.add(asset.id, "final_energy_value", energy[-1], "kWh", -worth)


def content_of(battery: Battery) -> float:
    """Return the energy content of a battery at a state of charge of 1, as it is today, in kWh."""
    return battery.usable_capacity_kwh * battery.state_of_health


def replay_energy_kwh(
    battery: Battery, schedule: Schedule, charge_kw: np.ndarray, discharge_kw: np.ndarray
) -> np.ndarray:
    """Return the content of a battery at each boundary when it follows given powers, shape (steps + 1,)."""
    drain_kw = schedule.over_steps(battery, "drain_kw")
    stored_kwh = (
        charge_kw * battery.charge_efficiency - discharge_kw / battery.discharge_efficiency - drain_kw
    ) * schedule.step_h
    kept = (1 - battery.standing_loss_per_h) ** schedule.step_h
    if battery.final_soc_rule == "cyclic":
        first_kwh = _cyclic_start(battery, schedule, stored_kwh, kept)
    else:
        first_kwh = battery.initial_soc * content_of(battery)
    return _followed(first_kwh, stored_kwh, kept)


def _followed(first_kwh: float, stored_kwh: np.ndarray, kept: np.ndarray) -> np.ndarray:
    content = [first_kwh]
    for stored, share in zip(stored_kwh.tolist(), kept.tolist(), strict=True):
        content.append(content[-1] * share + stored)
    return np.array(content)


def _cyclic_start(battery: Battery, schedule: Schedule, stored_kwh: np.ndarray, kept: np.ndarray) -> float:
    """Return the content at the beginning: that of the schedule, else one that comes back at the end."""
    if "energy_kwh" in schedule.flows:
        return float(schedule.flows.energy_kwh.sel(asset=battery.id).to_numpy()[0])
    without = _followed(0.0, stored_kwh, kept)  # what the content would be from an empty battery
    left = float(np.prod(kept))
    if left < 1:
        return float(without[-1] / (1 - left))
    # Without standing loss any start comes back; the lowest one keeps the content above its least.
    return float((schedule.over_steps(battery, "min_soc") * content_of(battery) - without[1:]).max())


# ------------------------------------------------------------------------------------------- wear by depth
def cycle_depth_wear(
    battery: Battery, schedule: Schedule, charge_kw: np.ndarray, discharge_kw: np.ndarray
) -> tuple[float, float]:
    """Return the energy taken from the content and its wear, as depth segments count it [1]_.

    The content is kept in segments of equal size. What goes in fills the shallowest one that has room; what goes out
    comes from the shallowest one that holds something, at its price; what passes through within a step counts at the
    shallowest. The first content lies in the deepest segments. A cyclic schedule is run through until its segments
    end as they began, so that a cycle over its end counts as one.

    References
    ----------
    .. [1] B. Xu et al., "Factoring the cycle aging cost of batteries participating in electricity markets," IEEE
       Transactions on Power Systems, vol. 33, no. 2, 2018, doi:10.1109/TPWRS.2017.2733339.
    """
    count, content_kwh = battery.cycle_depth_segments, content_of(battery)
    size_kwh, curve = content_kwh / count, life_curve_of(battery)
    assert curve is not None, "a battery with segments states its cycle life"
    worn = [curve.life_used(np.array([j / count]), np.array([1.0])) for j in range(count + 1)]
    prices = (np.diff(worn) * (battery.capital_cost or 0.0) / size_kwh).tolist()
    drain_kw = schedule.over_steps(battery, "drain_kw")
    in_kwh = (charge_kw * battery.charge_efficiency * schedule.step_h).tolist()
    out_kwh = ((discharge_kw / battery.discharge_efficiency + drain_kw) * schedule.step_h).tolist()
    kept = ((1 - battery.standing_loss_per_h) ** schedule.step_h).tolist()
    first_kwh = float(replay_energy_kwh(battery, schedule, charge_kw, discharge_kw)[0])
    deepest_first = [min(max(first_kwh - size_kwh * (count - 1 - j), 0.0), size_kwh) for j in range(count)]

    def run(held: list[float]) -> tuple[list[float], float]:
        held, cost = list(held), 0.0
        for stored, taken, share in zip(in_kwh, out_kwh, kept, strict=True):
            if share < 1:
                held = [one * share for one in held]
            cost += min(stored, taken) * prices[0]
            more, less = max(stored - taken, 0.0), max(taken - stored, 0.0)
            for j in range(count):
                if more <= 0 and less <= 0:
                    break
                filled, emptied = min(more, size_kwh - held[j]), min(less, held[j])
                held[j] += filled - emptied
                cost += emptied * prices[j]
                more, less = more - filled, less - emptied
        return held, cost

    if battery.final_soc_rule != "cyclic":
        return sum(out_kwh), run(deepest_first)[1]
    held = [min(max(first_kwh - size_kwh * j, 0.0), size_kwh) for j in range(count)]
    cost = 0.0
    for _ in range(LARGEST_PASSES):
        after, cost = run(held)
        if max(abs(one - other) for one, other in zip(held, after, strict=True)) <= TOLERANCE:
            break
        held = after
    return sum(out_kwh), cost


# ------------------------------------------------------------------------------------------- replay
def replay(asset: Battery, replay: Replay) -> np.ndarray:
    """Check powers, content, targets, cycles a day and ramps; return the power into the bus."""
    charge, discharge = replay.power("charge_kw", asset.id), replay.power("discharge_kw", asset.id)
    for word, power_kw, name, limit_kw in (
        ("charges", charge, "max_charge_kw", asset.continuous_charge_kw),
        ("discharges", discharge, "max_discharge_kw", asset.continuous_discharge_kw),
    ):
        highest_kw = replay.over_steps(asset, name)
        replay.note(asset.id, f"{word} above {highest_kw.max():g} kW", power_kw - highest_kw)
        if limit_kw is not None:
            replay.note(asset.id, f"{word} above {limit_kw:g} kW", power_kw - limit_kw)
    replay.note_ramps(asset.id, discharge - charge, asset.ramp_up_rate_kw_per_s, asset.ramp_down_rate_kw_per_s)
    if not asset.may_charge_while_discharging:
        replay.note(asset.id, "charges and discharges at once", np.minimum(charge, discharge))
    energy = replay_energy_kwh(asset, replay, charge, discharge)
    content = content_of(asset)
    lowest, highest = (replay.over_steps(asset, name) * content for name in ("min_soc", "max_soc"))
    replay.note(asset.id, "content above max_soc", energy[1:] - highest, "kWh")
    replay.note(asset.id, "content below min_soc", lowest - energy[1:], "kWh")
    if "energy_kwh" in replay.flows:
        planned = replay.flows.energy_kwh.sel(asset=asset.id).to_numpy()
        replay.note(asset.id, "content differs from the plan's", np.abs(energy - planned)[1:], "kWh")
    _check_final(asset, replay, energy)
    for target in asset.soc_targets:
        _check_target(asset, replay, energy, target)
    for word, power_kw, name, limit_kw, points in (
        ("charges", charge, "max_charge_kw", asset.continuous_charge_kw, asset.charge_taper),
        ("discharges", discharge, "max_discharge_kw", asset.continuous_discharge_kw, asset.discharge_taper),
    ):
        if points:
            whole_kw = replay.over_steps(asset, name)
            whole_kw = whole_kw if limit_kw is None else np.minimum(whole_kw, limit_kw)
            for soc in (energy[:-1] / content, energy[1:] / content):
                allowed_kw = whole_kw * _tapered_share(points, soc)
                replay.note(asset.id, f"{word} above its taper", power_kw - allowed_kw)
    _check_days(asset, replay, discharge)
    for name, free_kw in (
        ("reserve_up_kw", replay.over_steps(asset, "max_discharge_kw") - discharge + charge),
        ("reserve_down_kw", replay.over_steps(asset, "max_charge_kw") - charge + discharge),
    ):
        if replay.has(name, asset.id):
            replay.note(asset.id, f"{name} above what is free", replay.power(name, asset.id) - free_kw)
    injection: np.ndarray = discharge - charge - asset.auxiliary_load_kw
    return injection


def _check_final(asset: Battery, replay: Replay, energy_kwh: np.ndarray) -> None:
    """Note a content at the end that misses the target, or the content at the beginning."""
    missing = np.zeros(len(replay.step_h))  # only the end of the last step has a target
    if asset.final_soc_rule == "cyclic":
        missing[-1] = abs(energy_kwh[0] - energy_kwh[-1])
        replay.note(asset.id, "final content differs from the first", missing, "kWh")
    elif asset.final_soc_rule != "free":
        missing[-1] = asset.target_soc * content_of(asset) - energy_kwh[-1]
        excess = np.abs(missing) if asset.final_soc_rule == "exactly" else missing
        replay.note(asset.id, "final content misses target_soc", excess, "kWh")


def _check_target(asset: Battery, replay: Replay, energy_kwh: np.ndarray, target: SocTarget) -> None:
    """Note a content that misses a target at the end of a step."""
    ends = replay.times + (replay.step_h * 3600).round().astype("timedelta64[s]")
    is_then = ends == pd.Timestamp(target.time).tz_convert("UTC").tz_localize(None).to_datetime64()
    missing_kwh = target.soc * content_of(asset) - energy_kwh[1:]
    sign = {"at_least": missing_kwh, "at_most": -missing_kwh, "exactly": np.abs(missing_kwh)}[target.rule]
    replay.note(asset.id, f"content is not {target.rule} soc = {target.soc:g}", np.where(is_then, sign, 0), "kWh")


def _tapered_share(points: tuple[TaperPoint, ...], soc: np.ndarray) -> np.ndarray:
    """Return the share of a power limit at states of charge: along the points, the outer lines going on."""
    x, y = (np.array([getattr(point, name) for point in points]) for name in ("soc", "share"))
    share = np.interp(soc, x, y)
    share = np.where(soc < x[0], y[0] + (soc - x[0]) * (y[1] - y[0]) / (x[1] - x[0]), share)
    share = np.where(soc > x[-1], y[-1] + (soc - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2]), share)
    limited: np.ndarray = np.minimum(share, 1.0)
    return limited


def _check_days(asset: Battery, replay: Replay, discharge_kw: np.ndarray) -> None:
    """Note a local day in which more is discharged than its cycles allow."""
    if asset.max_cycles_per_d is None:
        return
    timezone = replay.portfolio.site(asset.site_id).timezone
    days = pd.DatetimeIndex(replay.times).tz_localize("UTC").tz_convert(timezone).strftime("%Y-%m-%d")
    taken_kwh = pd.Series(discharge_kw * replay.step_h / asset.discharge_efficiency).groupby(days.to_numpy()).cumsum()
    budget_kwh = asset.max_cycles_per_d * content_of(asset)
    words = f"discharges more than {asset.max_cycles_per_d:g} cycles in a day"
    replay.note(asset.id, words, taken_kwh.to_numpy() - budget_kwh, "kWh")
