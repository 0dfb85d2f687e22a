"""What a demand charge bills: the highest power of each period, what of it counts, and its price by tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ems.horizon import Horizon
from ems.tariffs.calendar import Calendar
from ems.tariffs.demand_charge import DemandCharge, DemandTier
from ems.tariffs.demand_periods import DemandPeriod, demand_periods


@dataclass(frozen=True)
class BilledDemand:
    """A period of a demand charge as it is billed.

    Parameters
    ----------
    label : str
        ``2024-06`` for a month, ``2024-06-03`` for a day, ``horizon``, or the number in a period series.
    steps : ndarray of int
        Positions of the steps that counted.
    peak_kw : float
        Power that was measured, as the charge states it (mean of days, of moments; kVA where billed so).
    billed_kw : float
    blocks : tuple of (float, float)
        Power and price of each tier that is reached.
    has_price : bool
        Whether any power costs something in the period.
    """

    label: str
    steps: np.ndarray
    peak_kw: float
    billed_kw: float
    blocks: tuple[tuple[float, float], ...]

    has_price: bool = True


def billed_demand(
    charge: DemandCharge,
    horizon: Horizon,
    timezone: str,
    series: Mapping[str, np.ndarray],
    power_kw: np.ndarray,
    *,
    calendar: Calendar | None = None,
) -> list[BilledDemand]:
    """Return what each period of a demand charge bills.

    billed[period] = max(peak[period] - free, share * highest peak looked back at, minimum)

    A period's peak is its highest power, the mean of its highest days, or the mean of given moments.

    Parameters
    ----------
    charge : DemandCharge
    horizon : Horizon
    timezone : str
        IANA name of the site's zone.
    series : mapping of str to ndarray (steps,)
        The series that replace the charge's calendar, if any do.
    power_kw : ndarray (steps,)
        Power at the meter, of the way that is charged.
    calendar : Calendar, optional
        The tariff's.
    """
    periods = demand_periods(charge, horizon, timezone, series, calendar)
    apparent_kw = power_kw * charge.per_kw
    peaks = {one.label: _measured(charge, one, apparent_kw) for one in periods}
    share = 0.0 if charge.ratchet is None else charge.ratchet.share
    found = []
    for one in periods:
        looked_back = max((peaks[label] for label in one.looks_back_at), default=0.0)
        billed = max(peaks[one.label] - charge.free_kw, share * looked_back, one.floor_kw, 0.0)
        blocks, has_price = blocks_of(billed, one.tiers), any(tier.rate_per_kw for tier in one.tiers)
        found.append(BilledDemand(one.label, one.steps, peaks[one.label], billed, blocks, has_price))
    return found


def _measured(charge: DemandCharge, period: DemandPeriod, power_kw: np.ndarray) -> float:
    """Return the power of a period that its charge measures."""
    if charge.highest_days > 1:
        daily = [max(float(power_kw[day.steps].max(initial=0.0)), day.prior_peak_kw) for day in period.days]
        return mean_of_highest(daily, charge.highest_days)
    counted = power_kw[period.steps]
    if charge.coincident_of == "mean":
        return float(counted.mean()) if len(counted) else 0.0
    return max(float(counted.max(initial=0.0)), period.prior_peak_kw)


def mean_of_highest(daily_peaks_kw: Sequence[float], count: int) -> float:
    """Return the mean of the highest daily peaks; of fewer days than asked for, the mean of all of them.

    >>> mean_of_highest([10, 40, 20], 2), mean_of_highest([10], 3), mean_of_highest([], 3)
    (30.0, 10.0, 0.0)
    """
    highest = sorted(daily_peaks_kw, reverse=True)[:count]
    return float(sum(highest) / len(highest)) if highest else 0.0


def blocks_of(billed_kw: float, tiers: Sequence[DemandTier]) -> tuple[tuple[float, float], ...]:
    """Return power and price of each tier that a billed power reaches; at least one."""
    blocks: list[tuple[float, float]] = []
    lower = 0.0
    for tier in tiers:
        upper = np.inf if tier.up_to_kw is None else tier.up_to_kw
        if billed_kw > lower or not blocks:
            blocks.append((max(min(billed_kw, upper) - lower, 0.0), tier.rate_per_kw))
        lower = upper
    return tuple(blocks)
