"""Settlement of a battery: wear of what was discharged, and its content replayed."""

from __future__ import annotations

import numpy as np

from ems.assets.battery import Battery
from ems.settlement.ledger import Ledger, Replay


def bill(asset: Battery, ledger: Ledger) -> None:
    """Write the wear of the energy discharged."""
    price = np.full(len(ledger.step_h), asset.degradation_cost_per_kwh)
    ledger.add_energy(asset.id, "wear_cost", ledger.flow("discharge_kw", asset.id), price)


def content_of(battery: Battery) -> float:
    """Return the energy content of a battery at a state of charge of 1, as it is today, in kWh."""
    return battery.usable_capacity_kwh * battery.state_of_health


def replay_energy_kwh(
    battery: Battery, charge_kw: np.ndarray, discharge_kw: np.ndarray, step_h: np.ndarray
) -> np.ndarray:
    """Return the content of a battery at each boundary when it follows given powers, shape (steps + 1,)."""
    content = [battery.initial_soc * content_of(battery)]
    for charge, discharge, hours in zip(charge_kw, discharge_kw, step_h, strict=True):
        stored_kw = charge * battery.charge_efficiency - discharge / battery.discharge_efficiency
        content.append(content[-1] + stored_kw * hours)
    return np.array(content)


def replay(asset: Battery, replay: Replay) -> np.ndarray:
    """Check powers, content and ramps; return the power into the bus."""
    charge, discharge = replay.power("charge_kw", asset.id), replay.power("discharge_kw", asset.id)
    for word, power_kw, limits in (
        ("charges", charge, (asset.max_charge_kw, asset.continuous_charge_kw)),
        ("discharges", discharge, (asset.max_discharge_kw, asset.continuous_discharge_kw)),
    ):
        for limit_kw in limits:
            if limit_kw is not None:
                replay.note(asset.id, f"{word} above {limit_kw:g} kW", power_kw - limit_kw)
    replay.note_ramps(asset.id, discharge - charge, asset.ramp_up_rate_kw_per_s, asset.ramp_down_rate_kw_per_s)
    replay.note(asset.id, "charges and discharges at once", np.minimum(charge, discharge))
    energy = replay_energy_kwh(asset, charge, discharge, replay.step_h)
    replay.note(asset.id, "content above max_soc", energy[1:] - asset.max_soc * content_of(asset), "kWh")
    replay.note(asset.id, "content below min_soc", asset.min_soc * content_of(asset) - energy[1:], "kWh")
    if "energy_kwh" in replay.flows:
        planned = replay.flows.energy_kwh.sel(asset=asset.id).to_numpy()
        replay.note(asset.id, "content differs from the plan's", np.abs(energy - planned)[1:], "kWh")
    missing = asset.target_soc * content_of(asset) - energy[1:]
    missing[:-1] = 0  # only the end of the last step has a target
    if asset.final_soc_rule != "free":
        excess = np.abs(missing) if asset.final_soc_rule == "exactly" else missing
        replay.note(asset.id, "final content misses target_soc", excess, "kWh")
    injection: np.ndarray = discharge - charge - asset.auxiliary_load_kw
    return injection
