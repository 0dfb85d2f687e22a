"""Standard load profiles: what a household or a business of a sort uses, for sites that were never measured."""

from __future__ import annotations

import datetime as dt
import warnings
from functools import cache
from typing import Literal, get_args

import numpy as np
import pandas as pd

from ems.errors import InvalidInput, did_you_mean, show
from ems.forecast.calendar import LocalCalendar, holidays_of

Profile = Literal["h0", "g0", "g1", "g2", "g3", "g4", "g5", "g6", "l0", "l1", "l2"]
"""Household; business in general, on weekdays 8 to 18 h, in evenings, all day, shops, bakeries, on weekends; farms in
general, with dairy, others."""
QUARTERS_PER_DAY = 96


def standard_profile_kw(
    times: pd.DatetimeIndex,
    step_h: float,
    timezone: str,
    profile: Profile,
    annual_kwh: float,
    *,
    country: str | None = "DE",
) -> np.ndarray:
    """Return the mean power of a standard load profile in each step, shape (steps,) [1]_.

    Parameters
    ----------
    times : DatetimeIndex (steps,)
        Beginnings of steps, UTC without zone.
    step_h : float
        A quarter of an hour or a whole number of them.
    timezone : str
        Whose clock the profile goes by.
    profile : str
        ``h0`` households, with their seasonal correction; ``g0`` to ``g6`` businesses; ``l0`` to ``l2`` farms.
    annual_kwh : float
        Energy of a year.
    country : str, optional
        Whose holidays are like Sundays; None has none.

    Raises
    ------
    InvalidInput
        If there is no such profile, or an argument is out of its bounds.

    References
    ----------
    .. [1] VDEW, "Repräsentative VDEW-Lastprofile," 1999; data of demandlib, doi:10.5281/zenodo.2553504.
    """
    findings = []
    if profile not in get_args(Profile):
        findings.append(f"profile = {show(profile)}: {did_you_mean(profile, get_args(Profile))}")
    if not annual_kwh > 0:
        findings.append(f"annual_kwh = {annual_kwh:g} kWh: must be greater than 0 kWh")
    quarters = round(step_h * 4)
    if quarters < 1 or abs(quarters - step_h * 4) > 1e-9:
        findings.append(f"step_h = {step_h:g} h: must be a whole number of quarter hours")
    if findings:
        raise InvalidInput("standard load profile", findings)
    beginnings = times.to_numpy()[:, None] + np.arange(quarters) * np.timedelta64(15, "m")
    flat = pd.DatetimeIndex(beginnings.ravel()).as_unit("ns")
    calendar = LocalCalendar.of(flat, timezone)
    days = calendar.day.astype("datetime64[D]")
    year = days.astype("datetime64[Y]")
    day_of_year = (days - year.astype("datetime64[D]")).astype(int)
    place = day_of_year * QUARTERS_PER_DAY + calendar.minute // 15
    power = np.empty(len(flat))
    for one in np.unique(year):
        chosen = year == one
        power[chosen] = _year_kw_per_kwh(int(str(one)), profile, country)[place[chosen]]
    means: np.ndarray = annual_kwh * power.reshape(len(times), quarters).mean(axis=1)
    return means


@cache
def _year_kw_per_kwh(year: int, profile: str, country: str | None) -> np.ndarray:
    """Return the power of each quarter hour of a local year for one kWh a year."""
    from demandlib import bdew

    days = () if country is None else holidays_of(country, year, year)
    holidays = [dt.date.fromordinal(day + 719163) for day in days]
    with warnings.catch_warnings():  # demandlib makes every warning of the process an error, and leaves it so
        source = bdew.ElecSlp(year, holidays=[day for day in holidays if day.year == year])
    energy = source.get_profiles("h0_dyn" if profile == "h0" else profile).iloc[:, 0].to_numpy()
    found: np.ndarray = 4 * energy / energy.sum()
    return found
