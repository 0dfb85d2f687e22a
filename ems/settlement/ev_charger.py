"""Settlement of an EV charger: what drivers pay, and the energy of their vehicles replayed."""

from __future__ import annotations

import datetime as dt

import numpy as np

from ems.assets.ev_charger import EvCharger
from ems.settlement.ledger import Ledger, Replay


def bill(asset: EvCharger, ledger: Ledger) -> None:
    """Write what drivers pay, as an income."""
    if asset.usage_fee_per_kwh:
        price = np.full(len(ledger.step_h), -asset.usage_fee_per_kwh)
        ledger.add_energy(asset.id, "usage_revenue", ledger.flow("charge_kw", asset.id), price)


def replay(asset: EvCharger, replay: Replay) -> np.ndarray:
    """Check powers against the vehicles that are there, and energy at each step's end against comings and leavings.

    What the vehicles that left had wanted <= energy charged so far <= what the vehicles that came want.
    """
    charge = replay.power("charge_kw", asset.id)
    begin = replay.times
    end = begin + (replay.step_h * 3600).round().astype("timedelta64[s]")
    limit_kw, left_kwh, came_kwh = np.zeros_like(charge), np.zeros_like(charge), np.zeros_like(charge)
    for session in asset.sessions:
        arrival, departure = _utc(session.arrival), _utc(session.departure)
        if departure <= begin[0] or arrival >= end[-1]:
            continue
        there_h = np.clip((np.minimum(end, departure) - np.maximum(begin, arrival)) / np.timedelta64(1, "h"), 0, None)
        limit_kw += asset.max_power_kw * there_h / replay.step_h
        came_kwh += np.where(end > arrival, session.energy_kwh, 0)
        left_kwh += np.where(end >= departure, session.energy_kwh, 0)
    ports = asset.number_of_ports if asset.simultaneous_charging else 1
    limit_kw = np.minimum(limit_kw, asset.max_power_kw * ports)
    stored_kwh = np.cumsum(charge * replay.step_h) * asset.charge_efficiency
    replay.note(asset.id, "charges above what the vehicles there can take", charge - limit_kw)
    replay.note(asset.id, "a vehicle leaves without its energy", left_kwh - stored_kwh, "kWh")
    replay.note(asset.id, "charges more than the vehicles that came want", stored_kwh - came_kwh, "kWh")
    return -charge


def _utc(moment: dt.datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns")
