"""Health of an asset: how far it is from its end, by each figure that is known; what is not known says so."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ems.assets.ageing import (
    END_OF_LIFE_HEALTH,
    calendar_loss,
    cycle_depths,
    life_curve_of,
    wear_cost_of,
)
from ems.assets.asset import Asset
from ems.assets.battery import Battery
from ems.assets.generator import Generator
from ems.assets.maintenance import dues_of
from ems.assets.operation import MaintenanceRecord
from ems.assets.solar_pv import SolarPV
from ems.assets.variable_renewable import VariableRenewable
from ems.assets.wind_turbine import WindTurbine
from ems.errors import InvalidInput

DAYS_PER_YEAR = 365.25
WIND_DESIGN_LIFE_A = 20.0
"""Shortest design lifetime of a wind turbine by IEC 61400-1."""
PV_END_OF_LIFE_POWER = 0.8
"""Share of its first power at which a PV plant is said to have failed, by D. C. Jordan and S. R. Kurtz, "Photovoltaic
degradation rates: an analytical review," Progress in Photovoltaics, vol. 21, no. 1, 2013, doi:10.1002/pip.1182."""
MAINTENANCE_INTERVAL_D = 365.0
"""Usual time between two visits, by which a delay is measured where hours run do not tell."""


@dataclass(frozen=True)
class Health:
    """How far an asset is from its end.

    Parameters
    ----------
    asset_id : str
    score : float or None
        0 at the end, 1 as new: that of the weakest part, as equipment fails by its weakest part. None where no part is
        known.
    parts : mapping of str to (float or None, str)
        Each figure with its sentence; None where it is not known.
    remaining_life_a : float or None
        Years until the first of the ends that are known, at the use made so far. None where none is known.
    end_of_life_date : date or None
        The day of that end.
    warranty : str
        ``ends in 123 days``, ``ended 3 days ago`` or ``unknown``.
    warranty_d : int or None
        Days of warranty left, below zero once it has ended.
    wear_cost_per_kwh : float or None
        Wear of a battery for each kWh given to the bus; None where cost or cycle life is not stated.
    """

    asset_id: str
    score: float | None
    parts: Mapping[str, tuple[float | None, str]]
    remaining_life_a: float | None
    end_of_life_date: dt.date | None
    warranty: str
    warranty_d: int | None
    wear_cost_per_kwh: float | None = None

    @property
    def weakest(self) -> str | None:
        """Name of the part that makes the score."""
        known = {name: value for name, (value, _) in self.parts.items() if value is not None}
        return min(known, key=lambda name: known[name]) if known else None


@dataclass
class _Findings:
    """Parts and ends of life found so far."""

    parts: dict[str, tuple[float | None, str]] = field(default_factory=dict)
    remaining_a: list[float] = field(default_factory=list)

    def note(self, name: str, value: float | None, words: str) -> None:
        self.parts[name] = (None if value is None else min(1.0, max(0.0, value)), words)


def health_of(
    asset: Asset,
    *,
    today: dt.date,
    soc: np.ndarray | None = None,
    soc_step_h: float | None = None,
    operating_h: float | None = None,
    faults: int | None = None,
    maintenance: Iterable[MaintenanceRecord] = (),
) -> Health:
    """Return the health of an asset, by part and in all.

    Parts and their values, each cut to 0 to 1:

    - battery, ``state_of_health``: (state_of_health - 0.8) / (1 - 0.8), where it is not stated but cycles and age are
      known, by the models of `ems.assets.ageing`; ``cycles``: 1 - cycle life used; ``age``: 1 - age / calendar_life.
    - generator, ``service``: 1 until a service is due by hours run, then less by each interval of delay.
    - PV, ``degradation``: (power left - 0.8) / (1 - 0.8), with power left = (1 - degradation_rate) ** age.
    - wind turbine, ``age``: 1 - age / 20 years, the design lifetime of IEC 61400-1.
    - PV and wind, ``production``: actual over expected production of a year.
    - all, ``maintenance``: 1 until a visit is overdue, then less by each year of delay;
      ``faults``: 1 / (1 + faults).

    Parameters
    ----------
    asset : Asset
    today : date
    soc : ndarray (values,), optional
        State of charge of a battery since its cycles were counted last, at equal steps; its rainflow cycles add to
        the count, and give the rate at which it ages.
    soc_step_h : float, optional
        Length of a step of ``soc`` in hours; needed with it.
    operating_h : float, optional
        Hours that a generator has run; the register's count where nothing is given.
    faults : int, optional
        Faults in the time looked at; not known where nothing is given.
    maintenance : iterable of MaintenanceRecord
        Those of other assets are left aside.

    Raises
    ------
    InvalidInput
        If ``soc`` is given without the length of its steps, or for another kind.
    """
    findings = _Findings()
    records = [record for record in maintenance if record.asset_id == asset.id]
    age_a, began = _age(asset, today)
    if isinstance(asset, Battery):
        _battery(findings, asset, age_a, _checked(soc, soc_step_h, asset))
    elif soc is not None:
        raise InvalidInput(f"health of '{asset.id}'", f"soc is of batteries; this is a {asset.kind}")
    elif isinstance(asset, VariableRenewable):
        _renewable(findings, asset, age_a)
    else:
        words = "when it was installed is not stated" if age_a is None else f"{age_a:.1f} years since {began}"
        findings.note("age", None, f"{words}; no length of life is stated for this kind")
    if isinstance(asset, Generator):
        _service(findings, asset, today, operating_h)
    _visits(findings, asset, today, records)
    if faults is None:
        findings.note("faults", None, "faults are not counted")
    else:
        findings.note("faults", 1 / (1 + faults), f"{faults} fault{'' if faults == 1 else 's'}")

    known = [value for value, _ in findings.parts.values() if value is not None]
    # What has hardly been used at all would last for ever, which says nothing of its end.
    ends_a = [years for years in findings.remaining_a if math.isfinite(years)]
    remaining_a = max(0.0, min(ends_a)) if ends_a else None
    warranty, warranty_d = _warranty(asset, today)
    return Health(
        asset_id=asset.id,
        score=min(known) if known else None,
        parts=findings.parts,
        remaining_life_a=remaining_a,
        end_of_life_date=None if remaining_a is None else _day_in(today, remaining_a),
        warranty=warranty,
        warranty_d=warranty_d,
        wear_cost_per_kwh=wear_cost_of(asset) if isinstance(asset, Battery) else None,
    )


def _age(asset: Asset, today: dt.date) -> tuple[float | None, dt.date | None]:
    """Return the age in years and the day on which it began; 0 before that day."""
    began = asset.commissioning_date or asset.installation_date
    return (None, None) if began is None else (max(0.0, (today - began).days / DAYS_PER_YEAR), began)


def _day_in(today: dt.date, years: float) -> dt.date | None:
    """Return the day in so many years, or None beyond the calendar."""
    days = years * DAYS_PER_YEAR
    return today + dt.timedelta(days=math.floor(days)) if days < (dt.date.max - today).days else None


def _warranty(asset: Asset, today: dt.date) -> tuple[str, int | None]:
    last_day = asset.warranty_expiry_date
    if last_day is None:
        return "unknown", None
    left = (last_day - today).days
    days = "1 day" if abs(left) == 1 else f"{abs(left)} days"
    if left == 0:
        return "ends today", 0
    return (f"ends in {days}" if left > 0 else f"ended {days} ago"), left


def _checked(soc: np.ndarray | None, soc_step_h: float | None, asset: Battery) -> tuple[np.ndarray, float] | None:
    if soc is None:
        return None
    if soc_step_h is None or not soc_step_h > 0:
        raise InvalidInput(f"health of '{asset.id}'", "soc needs soc_step_h, the length of its steps in hours")
    return np.asarray(soc, dtype=float), soc_step_h * (len(soc) - 1) / (24 * DAYS_PER_YEAR)


# ------------------------------------------------------------------------------------------------- by kind
def _cycles(
    findings: _Findings, asset: Battery, age_a: float | None, observed: tuple[np.ndarray, float] | None
) -> float | None:
    """Note the cycles made and return the share of the cycle life that they used."""
    curve = life_curve_of(asset)
    if curve is None:
        findings.note("cycles", None, "neither cycle life nor loss per cycle is stated")
        return None
    life, made, span_a = curve.cycles_at_full_depth, asset.current_cycle_count, age_a or 0.0
    in_span = made
    if observed is not None:
        soc, span_a = observed
        in_span = curve.life_used(*cycle_depths(soc)) * life
        made += in_span
    findings.note("cycles", 1 - made / life, f"{made:.0f} of {life:.0f} full cycles made; counted by {curve.source}")
    if span_a > 0 and in_span > 0:
        findings.remaining_a.append((life - made) * span_a / in_span)
    return made / life


def _battery(
    findings: _Findings, asset: Battery, age_a: float | None, observed: tuple[np.ndarray, float] | None
) -> None:
    used = _cycles(findings, asset, age_a, observed)
    life_a = asset.calendar_life_a
    if life_a is None:
        findings.note("age", None, "calendar life is not stated")
    elif age_a is None:
        findings.note("age", None, "when it was installed is not stated")
    else:
        findings.note("age", 1 - age_a / life_a, f"{age_a:.1f} of {life_a:g} years of calendar life")
        findings.remaining_a.append(life_a - age_a)

    if "state_of_health" in asset.model_fields_set:
        left, words = asset.state_of_health, f"{asset.state_of_health:.1%} of the capacity is left"
        if age_a and left < 1:
            findings.remaining_a.append((left - END_OF_LIFE_HEALTH) / ((1 - left) / age_a))
    elif used is not None and age_a is not None and life_a is not None:
        # Both ways of ageing have to be known: one alone would flatter the battery.
        by_cycles = (1 - END_OF_LIFE_HEALTH) * used
        left = 1 - by_cycles - calendar_loss(0, age_a, life_a, asset.chemistry)
        words = f"{left:.1%} of the capacity is left by the ageing model, as none is stated"
    else:
        findings.note("state_of_health", None, "state of health is not stated")
        return
    value = (left - END_OF_LIFE_HEALTH) / (1 - END_OF_LIFE_HEALTH)
    findings.note("state_of_health", value, f"{words}; life ends at {END_OF_LIFE_HEALTH:.0%}")


def _renewable(findings: _Findings, asset: VariableRenewable, age_a: float | None) -> None:
    if isinstance(asset, SolarPV):
        rate = asset.degradation_rate_per_a
        if age_a is None:
            findings.note("degradation", None, "when it was installed is not stated")
        else:
            left = (1 - rate) ** age_a
            value = (left - PV_END_OF_LIFE_POWER) / (1 - PV_END_OF_LIFE_POWER)
            words = f"{left:.1%} of its first power is left after {age_a:.1f} years at {rate:.2%} a year"
            findings.note("degradation", value, f"{words}; life ends at {PV_END_OF_LIFE_POWER:.0%}")
            if rate > 0:
                findings.remaining_a.append(math.log(PV_END_OF_LIFE_POWER) / math.log1p(-rate) - age_a)
    if isinstance(asset, WindTurbine):
        if age_a is None:
            findings.note("age", None, "when it was installed is not stated")
        else:
            words = f"{age_a:.1f} of {WIND_DESIGN_LIFE_A:g} years of design lifetime"
            findings.note("age", 1 - age_a / WIND_DESIGN_LIFE_A, words)
            findings.remaining_a.append(WIND_DESIGN_LIFE_A - age_a)
    if isinstance(asset, SolarPV | WindTurbine):
        expected, actual = asset.expected_annual_production_kwh, asset.actual_annual_production_kwh
        if expected and actual is not None:
            findings.note("production", actual / expected, f"{actual:,.0f} of {expected:,.0f} kWh expected in a year")
        else:
            findings.note("production", None, "expected or actual production of a year is not stated")


def _service(findings: _Findings, asset: Generator, today: dt.date, operating_h: float | None) -> None:
    due = next(
        (one for one in dues_of(asset, today=today, operating_h=operating_h) if one.remaining is not None), None
    )
    if due is None or due.remaining is None:
        findings.note("service", None, "neither maintenance interval nor the next service is stated")
    elif due.remaining >= 0:
        findings.note("service", 1.0, due.words)
    elif asset.maintenance_interval_h is None:
        findings.note("service", 0.0, f"{due.words}; no interval says how long that may be")
    else:
        findings.note("service", 1 + due.remaining / asset.maintenance_interval_h, due.words)


def _visits(findings: _Findings, asset: Asset, today: dt.date, records: list[MaintenanceRecord]) -> None:
    """Note the worst delay of planned maintenance."""
    dues = [one for one in dues_of(asset, records, today=today) if one.reason in ("planned", "calendar")]
    if not dues:
        done = any(record.completed_date is not None for record in records)
        findings.note("maintenance", None, "no next visit is planned" if done else "no maintenance is recorded")
        return
    first = dues[0]
    delay_d = (today - first.due_date).days if first.is_overdue and first.due_date is not None else 0
    findings.note("maintenance", 1 - delay_d / MAINTENANCE_INTERVAL_D, first.words)
