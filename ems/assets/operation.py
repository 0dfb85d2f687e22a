"""What an asset does and what is done to it: live status, maintenance, performance of a period."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ems.errors import show
from ems.record import Count, Date, Fraction, FromList, Metadata, Moment, Name, NonNegative, Record, Slug, Text

OperationalStatus = Literal["online", "offline", "standby", "fault", "maintenance"]
AlarmLevel = Literal["none", "info", "warning", "error", "critical"]
ALARM_LEVELS: tuple[AlarmLevel, ...] = ("none", "info", "warning", "error", "critical")
"""Levels of alarms, from the least to the greatest."""

ROUNDING = 1e-6
"""Relative difference that comes from adding up or rounding to a microsecond, and from nothing else."""


class AssetStatus(Record):
    """What an asset says of itself at a moment."""

    asset_id: Slug
    """Asset. Acts in the status dashboard."""
    reported_at: Moment
    """When this was the state. Acts in the history of states."""
    online: bool = False
    """Whether the asset could be reached. Acts in the effective status."""
    operational_status: OperationalStatus = "offline"
    """What it was doing. Acts in the effective status and fleet numbers."""
    current_power_kw: float | None = None
    """Power into the site's bus; negative where it takes power. Acts in the status dashboard."""
    current_soc: Fraction | None = None
    """State of charge. Acts in the status dashboard."""
    fault_code: Name | None = None
    """Code of the fault, in the words of its maker. Acts in alarms."""
    alarm_level: AlarmLevel = "none"
    """How grave its alarm is. Acts in alarms and fleet numbers."""
    alarm_message: Text | None = None
    """What the alarm says. Acts in alarms."""
    last_communication: Moment | None = None
    """When the last message came in. Acts in the effective status: silence for too long counts as offline."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything else, by name. Describes only."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return f"status of {show(given.get('asset_id') or '?')}"

    @model_validator(mode="after")
    def _alarm_has_a_level(self) -> AssetStatus:
        if self.alarm_message and self.alarm_level == "none":
            raise ValueError(
                f"alarm_message = {show(self.alarm_message)}: shows in no list of alarms while alarm_level = 'none'; "
                "give a level from info to critical"
            )
        return self


@dataclass(frozen=True)
class EffectiveStatus:
    """What an asset can be taken to do now, and why.

    Parameters
    ----------
    operational_status : str
        As reported, or ``offline`` where the report cannot be relied upon.
    is_stale : bool
        Whether the asset has been silent for longer than allowed.
    silent_min : float or None
        Minutes since the last message; None where there never was one.
    reason : str
        One sentence for people.
    """

    operational_status: OperationalStatus
    is_stale: bool
    silent_min: float | None
    reason: str


def effective_status(status: AssetStatus, now: dt.datetime, stale_after_min: float) -> EffectiveStatus:
    """Return what an asset can be taken to do now: without a message for too long, it is offline.

    Parameters
    ----------
    status : AssetStatus
        The last state reported.
    now : datetime
        With its offset from UTC.
    stale_after_min : float
        Minutes of silence that are still normal; a message exactly as old still counts.
    """
    if status.last_communication is None:
        return EffectiveStatus("offline", True, None, "offline: it has never sent a message")
    # A clock that runs ahead of ours makes a message from the future, which is as fresh as can be.
    silent_min = max(0.0, (now - status.last_communication) / dt.timedelta(minutes=1))
    if silent_min > stale_after_min:
        reason = f"offline: no message for {_duration(silent_min)}; more than {stale_after_min:g} min count as offline"
        return EffectiveStatus("offline", True, silent_min, reason)
    said = f"said {_duration(silent_min)} ago"
    if not status.online and status.operational_status == "online":
        return EffectiveStatus("offline", False, silent_min, f"offline: it cannot be reached, {said}")
    fault = f" {status.fault_code}" if status.operational_status == "fault" and status.fault_code else ""
    return EffectiveStatus(status.operational_status, False, silent_min, f"{status.operational_status}{fault}, {said}")


def _duration(minutes: float) -> str:
    """Return a length of time in the unit that people would use.

    >>> _duration(7.2), _duration(600), _duration(5000)
    ('7 min', '10.0 h', '3.5 days')
    """
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 2880 else f"{minutes / 1440:.1f} days"


class MaintenanceRecord(Record):
    """A piece of maintenance: planned, under way or done."""

    id: Slug
    """Id of the record. Acts in everything."""
    asset_id: Slug
    """Asset that is maintained. Acts in schedule and health."""
    maintenance_type: Literal["preventive", "corrective", "predictive", "condition_based", "emergency"] = "preventive"
    """Why it is done. Acts in filters and reports."""
    scheduled_date: Date | None = None
    """Day for which it is planned. Acts in schedule and calendar; past it, an open record is overdue."""
    completed_date: Date | None = None
    """Day on which it was done. Acts in the calendar and in what is due next."""
    duration_h: NonNegative | None = None
    """Hours of work. Acts in reports."""
    performed_by: Name | None = None
    """Who did it. Acts in reports."""
    service_provider: Name | None = None
    """Company that did it. Acts in reports."""
    description: Text = ""
    """What is to be done. Acts in schedule and calendar."""
    work_performed: Text = ""
    """What was done. Acts in reports."""
    parts_replaced: Annotated[tuple[Name, ...], FromList] = ()
    """Parts that were replaced. Acts in reports."""
    cost: NonNegative | None = None
    """What it cost. Acts in reports."""
    downtime_h: NonNegative | None = None
    """Hours during which the asset could not run. Acts in reports."""
    next_maintenance_date: Date | None = None
    """Day by which the next one is due. Acts in schedule and health."""
    status: Literal["scheduled", "in_progress", "completed", "cancelled", "overdue"] = "scheduled"
    """How far it is; overdue follows from the day by itself. Acts in schedule, fleet numbers and health."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything else, by name. Describes only."""

    @model_validator(mode="after")
    def _dates_fit_the_status(self) -> MaintenanceRecord:
        if self.status == "completed" and self.completed_date is None:
            raise ValueError("completed_date: is required where status = 'completed'")
        if self.completed_date is not None and self.status != "completed":
            raise ValueError(
                f"completed_date = {self.completed_date}: needs status = 'completed', not '{self.status}'"
            )
        if self.status in ("scheduled", "overdue") and self.scheduled_date is None:
            raise ValueError(f"scheduled_date: is required where status = '{self.status}'")
        done = self.completed_date or self.scheduled_date
        if self.next_maintenance_date is not None and done is not None and self.next_maintenance_date <= done:
            raise ValueError(f"next_maintenance_date = {self.next_maintenance_date}: must be after {done}")
        return self


class Performance(Record):
    """What an asset did in a period; a figure that is not known or does not apply is left out."""

    id: Slug
    """Id of the record. Acts in everything."""
    asset_id: Slug
    """Asset. Acts in summaries and reports."""
    period_start: Moment
    """Beginning of the period. Acts in filters and summaries."""
    period_end: Moment
    """End of the period. Acts in filters and summaries."""
    total_energy_generated_kwh: float | None = None
    """Energy given into the bus; at a grid connection, energy bought. Acts in summaries."""
    total_energy_consumed_kwh: float | None = None
    """Energy taken from the bus for good; at a grid connection, energy sold and lost. Acts in summaries."""
    total_energy_charged_kwh: NonNegative | None = None
    """Energy that a battery took from the bus. Acts in summaries."""
    total_energy_discharged_kwh: NonNegative | None = None
    """Energy that a battery gave to the bus. Acts in summaries."""
    average_efficiency: NonNegative | None = None
    """Energy out, and left in store, per energy in. Acts in summaries."""
    capacity_factor: NonNegative | None = None
    """Mean power as a share of the rated one. Acts in summaries."""
    availability: Fraction | None = None
    """Share of the period in which it could run. Acts in summaries."""
    total_revenue: float | None = None
    """Money earned. Acts in summaries."""
    total_cost: float | None = None
    """Money spent. Acts in summaries."""
    net_profit: float | None = None
    """Money earned less money spent; follows from the two. Acts in summaries."""
    co2_avoided_kg: float | None = None
    """Carbon dioxide that the grid did not emit because of it. Acts in summaries."""
    co2_emitted_kg: NonNegative | None = None
    """Carbon dioxide emitted by it, or by the grid for what was bought. Acts in summaries."""
    operating_h: NonNegative | None = None
    """Hours in which it ran. Acts in maintenance and summaries."""
    number_of_starts: Count | None = None
    """How often a generator was started. Acts in summaries."""
    number_of_faults: Count | None = None
    """How often it failed. Acts in health and summaries."""
    downtime_h: NonNegative | None = None
    """Hours in which it could not run. Acts in summaries."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything else, by name. Describes only."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the profit that follows from revenue and cost."""
        money = [given.get(name) for name in ("total_revenue", "total_cost")]
        revenue, cost = (
            value if isinstance(value, int | float) and not isinstance(value, bool) else None for value in money
        )
        return {"net_profit": None if revenue is None or cost is None else revenue - cost}

    @property
    def period_h(self) -> float:
        """Length of the period in hours."""
        return (self.period_end - self.period_start) / dt.timedelta(hours=1)

    @model_validator(mode="after")
    def _figures_fit_each_other(self) -> Performance:
        if self.period_end <= self.period_start:
            raise ValueError(
                f"period_end = {self.period_end.isoformat()}: must be after "
                f"period_start = {self.period_start.isoformat()}"
            )
        for name in ("operating_h", "downtime_h"):
            hours = getattr(self, name)
            if hours is not None and hours > self.period_h * (1 + ROUNDING):
                raise ValueError(f"{name} = {hours:g} h: the period has only {self.period_h:g} h")
        if self.total_revenue is not None and self.total_cost is not None and self.net_profit is not None:
            profit = self.total_revenue - self.total_cost
            scale = max(abs(self.total_revenue), abs(self.total_cost), 1.0)
            if not math.isclose(self.net_profit, profit, rel_tol=0, abs_tol=scale * 0.005):
                raise ValueError(
                    f"net_profit = {self.net_profit:g}: total_revenue less total_cost is {profit:g}; leave it out"
                )
        return self
