"""Maintenance: what is overdue, what is due next, and what falls due when, given a plan."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ems.assets.ageing import life_curve_of
from ems.assets.asset import Asset
from ems.assets.battery import Battery
from ems.assets.generator import Generator
from ems.assets.operation import MaintenanceRecord
from ems.errors import InvalidInput

Status = Literal["scheduled", "in_progress", "completed", "cancelled", "overdue"]
FARTHEST_D = 36_525
"""A century: what lies beyond falls due after anybody's plans, and gets no date."""


@dataclass(frozen=True)
class Due:
    """Maintenance that is due, or will be.

    Parameters
    ----------
    asset_id : str
    reason : str
        ``planned``: a record asks for it; ``calendar``: the last record named its day; ``operating_h``: hours run;
        ``cycles``: cycle life.
    due_date : date or None
        None where it depends on use and no plan says when.
    is_overdue : bool
    words : str
        One sentence for people.
    record_id : str or None
        The record that asks for it.
    remaining : float or None
        Hours run or cycles left; below zero once it is overdue.
    """

    asset_id: str
    reason: Literal["planned", "calendar", "operating_h", "cycles"]
    due_date: dt.date | None
    is_overdue: bool
    words: str
    record_id: str | None = None
    remaining: float | None = None


def status_on(record: MaintenanceRecord, today: dt.date) -> Status:
    """Return how far a piece of maintenance is on a day: what is planned for an earlier day is overdue by itself."""
    if record.status not in ("scheduled", "overdue") or record.scheduled_date is None:
        return record.status
    return "overdue" if record.scheduled_date < today else "scheduled"


def dues_of(
    asset: Asset,
    records: Iterable[MaintenanceRecord] = (),
    *,
    today: dt.date,
    operating_h: float | None = None,
    cycles: float | None = None,
) -> list[Due]:
    """Return all that is due for an asset, or will be: overdue first, then by day, then what has no day.

    - Each open record falls due on its day.
    - The latest completed record may name the day of the next; an open record planned for that day or before, and
      after the last one, stands for it.
    - A generator falls due at `next_maintenance_h`; where that is not stated, at the next multiple of
      `maintenance_interval_h`.
    - A battery falls due when its cycle life is used up.

    Parameters
    ----------
    asset : Asset
    records : iterable of MaintenanceRecord
        Those of other assets are left aside.
    today : date
    operating_h : float, optional
        Hours that it has run; the register's count where nothing is given.
    cycles : float, optional
        Full cycles that it has made; the register's count where nothing is given.
    """
    own = [record for record in records if record.asset_id == asset.id]
    dues = [_planned(record, today) for record in own if record.status in ("scheduled", "in_progress", "overdue")]
    dues += _by_calendar(asset, own, today)
    if isinstance(asset, Generator):
        dues += _by_hours(asset, today, asset.operating_h if operating_h is None else operating_h)
    if isinstance(asset, Battery):
        dues += _by_cycles(asset, today, asset.current_cycle_count if cycles is None else cycles)
    return sorted(dues, key=_urgency)


def next_due(
    asset: Asset,
    records: Iterable[MaintenanceRecord] = (),
    *,
    today: dt.date,
    operating_h: float | None = None,
    cycles: float | None = None,
) -> Due | None:
    """Return the most urgent of `dues_of`, or None where nothing is known to fall due."""
    return next(iter(dues_of(asset, records, today=today, operating_h=operating_h, cycles=cycles)), None)


def schedule(
    assets: Iterable[Asset],
    records: Iterable[MaintenanceRecord],
    today: dt.date | Mapping[str, dt.date],
    horizon_d: int,
) -> list[Due]:
    """Return what is overdue or falls due within some days, for all assets in use: overdue first, then by day.

    Parameters
    ----------
    assets : iterable of Asset
        Decommissioned ones need nothing.
    records : iterable of MaintenanceRecord
    today : date or mapping of str to date
        One day for all, or that of each asset where their sites' clocks differ.
    horizon_d : int
        Days ahead, the last one included.
    """
    by_asset: dict[str, list[MaintenanceRecord]] = {}
    for record in records:
        by_asset.setdefault(record.asset_id, []).append(record)
    dues: list[Due] = []
    for asset in assets:
        if asset.status == "decommissioned":
            continue
        day = today if isinstance(today, dt.date) else today[asset.id]
        last = day + dt.timedelta(days=horizon_d)
        dues += [
            due
            for due in dues_of(asset, by_asset.get(asset.id, ()), today=day)
            if due.is_overdue or (due.due_date is not None and due.due_date <= last)
        ]
    return sorted(dues, key=_urgency)


def calendar_of(
    records: Iterable[MaintenanceRecord], first: dt.date | None = None, last: dt.date | None = None
) -> dict[dt.date, tuple[MaintenanceRecord, ...]]:
    """Return records by day, days in order: the day on which it was done, else the day for which it is planned.

    Parameters
    ----------
    records : iterable of MaintenanceRecord
        Those that were cancelled, or have no day, are left out.
    first, last : date, optional
        Days to show, both included; all where nothing is given.
    """
    days: dict[dt.date, list[MaintenanceRecord]] = {}
    for record in records:
        day = record.completed_date or record.scheduled_date
        if day is None or record.status == "cancelled" or day < (first or day) or day > (last or day):
            continue
        days.setdefault(day, []).append(record)
    return {day: tuple(sorted(days[day], key=lambda record: (record.asset_id, record.id))) for day in sorted(days)}


# --------------------------------------------------------------------------------------------- given a plan
def planned_use(
    asset: Asset, flows: Mapping[str, np.ndarray], step_h: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Return hours on and full cycles of each day of a planned dispatch, both of shape (days,).

    Parameters
    ----------
    asset : Asset
        A generator runs while ``is_on``, or where that is not there, while ``output_kw`` is above zero. A battery
        makes full cycles by half the energy that ``charge_kw`` and ``discharge_kw`` move in its store, by its content.
    flows : mapping of str to ndarray (steps,)
        The asset's flows, from the beginning of the first day.
    step_h : ndarray (steps,) or float
        Length of each step in hours.

    Notes
    -----
    A day is 24 h after another; a step belongs to the day in which it begins. A last day that is not full counts as if
    it went on as it began.
    """
    steps = len(next(iter(flows.values()), ()))
    hours = np.broadcast_to(np.asarray(step_h, dtype=float), (steps,))
    day = ((np.cumsum(hours) - hours + 1e-9) // 24).astype(int)
    days = int(day[-1]) + 1 if steps else 0
    on_h, cycles = np.zeros(steps), np.zeros(steps)
    if isinstance(asset, Generator):
        is_on = flows["is_on"] > 0.5 if "is_on" in flows else np.asarray(flows["output_kw"]) > 0
        on_h = np.where(is_on, hours, 0.0)
    if isinstance(asset, Battery):
        stored_kw = (
            np.asarray(flows["charge_kw"]) * asset.charge_efficiency
            + np.asarray(flows["discharge_kw"]) / asset.discharge_efficiency
        )
        cycles = stored_kw * hours / (2 * asset.content_kwh)
    full_days = np.bincount(day, hours, days) / 24
    return np.bincount(day, on_h, days) / full_days, np.bincount(day, cycles, days) / full_days


def predict_due(
    asset: Asset,
    records: Iterable[MaintenanceRecord] = (),
    *,
    today: dt.date,
    planned_h_per_d: np.ndarray | float = 0.0,
    planned_cycles_per_d: np.ndarray | float = 0.0,
    operating_h: float | None = None,
    cycles: float | None = None,
) -> list[Due]:
    """Return all that falls due for an asset with its day, given how it is planned to be used.

    Parameters
    ----------
    asset, records, today, operating_h, cycles
        As in `dues_of`.
    planned_h_per_d, planned_cycles_per_d : ndarray (days,) or float
        Hours on and full cycles of each day from today; after the last day, the mean of all goes on. `planned_use`
        reads them from a planned dispatch.

    Returns
    -------
    list of Due
        As from `dues_of`; hours and cycles that are reached within a century have the day on which that happens.
    """
    plans = {
        "operating_h": np.atleast_1d(np.asarray(planned_h_per_d, dtype=float)),
        "cycles": np.atleast_1d(np.asarray(planned_cycles_per_d, dtype=float)),
    }
    for name, plan in plans.items():
        if not (np.isfinite(plan).all() and (plan >= 0).all()):
            raise InvalidInput(f"the planned use of '{asset.id}'", f"{name} of a day must be numbers from 0 upwards")
    dues = []
    for due in dues_of(asset, records, today=today, operating_h=operating_h, cycles=cycles):
        if due.due_date is None and due.remaining is not None and not due.is_overdue:
            days = _days_until(due.remaining, plans[due.reason])
            if days is not None:
                day = today + dt.timedelta(days=days)
                dues.append(replace(due, due_date=day, words=f"{due.words}; by the plan that is on {day}"))
                continue
        dues.append(due)
    return sorted(dues, key=_urgency)


def _days_until(amount: float, per_day: np.ndarray) -> int | None:
    """Return in how many days an amount is used up, 0 for today, or None if not within a century."""
    total = np.cumsum(per_day)
    reached = np.flatnonzero(total >= amount * (1 - 1e-12))
    if len(reached):
        return int(reached[0])
    mean = float(per_day.mean()) if len(per_day) else 0.0
    if mean <= 0:
        return None
    days = len(per_day) - 1 + (amount - float(total[-1])) / mean * (1 - 1e-12)
    return math.ceil(days) if days <= FARTHEST_D else None


# ---------------------------------------------------------------------------------------------- what is due
def _urgency(due: Due) -> tuple[bool, dt.date, str, str]:
    return (not due.is_overdue, due.due_date or dt.date.max, due.asset_id, due.words)


def _planned(record: MaintenanceRecord, today: dt.date) -> Due:
    is_overdue = status_on(record, today) == "overdue"
    what = record.maintenance_type.replace("_", " ")
    if record.scheduled_date is None:
        words = f"{what} maintenance is under way"
    elif record.status == "in_progress":
        words = f"{what} maintenance is under way, planned for {record.scheduled_date}"
    elif is_overdue:
        words = f"{what} maintenance is overdue by {_days(today - record.scheduled_date)}"
    else:
        words = f"{what} maintenance {_in_days(record.scheduled_date - today)}"
    return Due(record.asset_id, "planned", record.scheduled_date, is_overdue, words, record.id)


def _by_calendar(asset: Asset, records: list[MaintenanceRecord], today: dt.date) -> list[Due]:
    done = [(record.completed_date, record.id, record) for record in records if record.completed_date is not None]
    if not done:
        return []
    last_day, _, last = max(done, key=lambda one: one[:2])
    day = last.next_maintenance_date
    if day is None or any(
        record.scheduled_date is not None and last_day < record.scheduled_date <= day
        for record in records
        if record.status in ("scheduled", "in_progress", "overdue")
    ):
        return []
    words = (
        f"maintenance is overdue by {_days(today - day)}" if day < today else f"maintenance {_in_days(day - today)}"
    )
    return [Due(asset.id, "calendar", day, day < today, f"{words}, as set on {last_day}", last.id)]


def _by_hours(asset: Generator, today: dt.date, operating_h: float) -> list[Due]:
    interval_h, due_h = asset.maintenance_interval_h, asset.next_maintenance_h
    if due_h is None:
        if interval_h is None:
            return []
        due_h = operating_h - math.fmod(operating_h, interval_h) + interval_h
    left_h = due_h - operating_h
    if left_h <= 0:
        words = f"service was due at {due_h:g} h run, {-left_h:g} h ago"
        return [Due(asset.id, "operating_h", today, True, words, remaining=left_h)]
    words = f"service is due at {due_h:g} h run, in {left_h:g} h"
    return [Due(asset.id, "operating_h", None, False, words, remaining=left_h)]


def _by_cycles(asset: Battery, today: dt.date, cycles: float) -> list[Due]:
    curve = life_curve_of(asset)
    if curve is None:
        return []
    life = curve.cycles_at_full_depth
    left = life - cycles
    if left <= 0:
        words = f"cycle life of {life:g} full cycles is used up, {cycles:g} were made"
        return [Due(asset.id, "cycles", today, True, words, remaining=left)]
    words = f"cycle life of {life:g} full cycles ends in {left:g} cycles"
    return [Due(asset.id, "cycles", None, False, words, remaining=left)]


def _days(span: dt.timedelta) -> str:
    return "1 day" if span.days == 1 else f"{span.days} days"


def _in_days(span: dt.timedelta) -> str:
    return "is due today" if span.days == 0 else f"is due in {_days(span)}"
