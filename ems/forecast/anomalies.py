"""Anomalies in measured series: what a person should see before anything is learned from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ems.forecast.anomaly_clock import find_clock_shifts
from ems.forecast.anomaly_levels import find_level_shifts
from ems.forecast.anomaly_runs import find_frozen, find_gaps, find_negative
from ems.forecast.anomaly_series import AnomalyKind, Finding, MeasuredSeries
from ems.forecast.anomaly_spikes import find_spikes
from ems.forecast.history import Kind

NAMES: dict[AnomalyKind, str] = {
    "gap": "gap",
    "frozen": "frozen values",
    "spike": "spike",
    "negative": "negative values",
    "often_negative": "often negative",
    "clock_shift": "clock shift",
    "level_shift": "level shift",
}
LEFT_OUT: tuple[AnomalyKind, ...] = ("frozen", "spike", "negative")
"""Kinds whose values tell nothing. What a clock or a factor has shifted may be months, and is better shifted back."""


@dataclass(frozen=True)
class Anomaly:
    """A stretch of a series that is odd.

    Parameters
    ----------
    kind : str
        ``gap``, ``frozen``, ``spike``, ``negative``, ``often_negative``, ``clock_shift`` or ``level_shift``.
    begin, end : Timestamp
        UTC; from the beginning of the first step to the end of the last one.
    size : float
        Hours of a gap or of frozen values; value of a spike; lowest of negative values; hours by which a profile comes
        later; factor of a level shift, or its offset where that is what all values share.
    words : str
        What is odd, in a user's words.
    timezone : str
        For the words on time.
    """

    kind: AnomalyKind
    begin: pd.Timestamp
    end: pd.Timestamp
    size: float
    words: str
    timezone: str

    def __str__(self) -> str:
        begin, end = (one.tz_localize("UTC").tz_convert(self.timezone) for one in (self.begin, self.end))
        until = f"{end:%H:%M}" if end.date() == begin.date() else f"{end:%Y-%m-%d %H:%M}"
        return f"{NAMES[self.kind]} from {begin:%Y-%m-%d %H:%M} to {until} ({self.timezone}): {self.words}"

    @property
    def hours(self) -> float:
        """Length in hours."""
        return float((self.end - self.begin) / pd.Timedelta(hours=1))


def find_anomalies(
    values: np.ndarray, times: pd.DatetimeIndex, timezone: str, kind: Kind = "load", unit: str = ""
) -> list[Anomaly]:
    """Return gaps, frozen values, spikes, negative values, clock shifts and level shifts of a series, by time.

    What is odd is learned from the series itself: how often its values repeat, how far they usually lie from the days
    around, how heavy its tails are. Thresholds are such that a series without a fault gives hardly any.

    Parameters
    ----------
    values : ndarray (steps,)
        NaN is a gap; what is missing before the first and after the last value is none.
    times : DatetimeIndex (steps,)
        Beginnings of equal steps, UTC without zone; a day must be a whole number of steps.
    timezone : str
        IANA name of the site's time zone.
    kind : str
        ``load``, ``solar``, ``wind`` or ``price``: a price can be negative, solar power follows the sun and not the
        clock, and wind has no daily profile.
    unit : str
        For the words: ``kW``.

    Raises
    ------
    InvalidInput
        If steps are not equal, shapes differ, or a value is infinite.
    """
    series = MeasuredSeries(np.asarray(values, dtype=float), times, timezone, kind, unit)
    shifts, steady_values = find_level_shifts(series)
    steady = MeasuredSeries(steady_values, times, timezone, kind, unit)
    told = [*find_frozen(series, steady), *find_negative(series)]
    is_told = np.zeros(len(times), dtype=bool)
    for one in told:
        is_told[one.first : one.last] |= one.kind != "often_negative"
    findings = [*find_gaps(series), *told, *find_spikes(series, steady, is_told), *find_clock_shifts(series), *shifts]
    return [_anomaly(one, series) for one in sorted(findings, key=lambda one: (one.first, one.last, one.kind))]


def _anomaly(finding: Finding, series: MeasuredSeries) -> Anomaly:
    step = series.times[1] - series.times[0]
    return Anomaly(
        kind=finding.kind,
        begin=series.times[finding.first],
        end=series.times[finding.last - 1] + step,
        size=finding.size,
        words=finding.words,
        timezone=series.timezone,
    )


def mask_of(
    anomalies: Sequence[Anomaly], times: pd.DatetimeIndex, kinds: Collection[AnomalyKind] = LEFT_OUT
) -> np.ndarray:
    """Return which steps lie in anomalies of some kinds, shape (steps,): what one may want to leave out.

    Parameters
    ----------
    anomalies : sequence of Anomaly
    times : DatetimeIndex (steps,)
        Beginnings of steps, UTC without zone.
    kinds : collection of str
    """
    change = np.zeros(len(times) + 1, dtype=int)
    chosen = [one for one in anomalies if one.kind in kinds]
    if chosen:
        begins = pd.DatetimeIndex([one.begin for one in chosen])
        ends = pd.DatetimeIndex([one.end for one in chosen])
        np.add.at(change, times.searchsorted(begins), 1)
        np.add.at(change, times.searchsorted(ends), -1)
    is_inside: np.ndarray = np.cumsum(change)[:-1] > 0
    return is_inside


def anomalies_table(anomalies: Sequence[Anomaly]) -> pd.DataFrame:
    """Return one row for each kind of anomaly: how many, how long, from when to when, and the largest one in words.

    Returns
    -------
    DataFrame
        Columns ``anomaly``, ``count``, ``hours``, ``first`` and ``last`` (local dates) and ``largest``.
    """
    rows = []
    for kind, name in NAMES.items():
        own = [one for one in anomalies if one.kind == kind]
        if own:
            begin, end = min(one.begin for one in own), max(one.end for one in own)
            first, last = (one.tz_localize("UTC").tz_convert(own[0].timezone) for one in (begin, end))
            rows.append(
                {
                    "anomaly": name,
                    "count": len(own),
                    "hours": sum(one.hours for one in own),
                    "first": f"{first:%Y-%m-%d}",
                    "last": f"{last:%Y-%m-%d}",
                    "largest": str(max(own, key=_importance)),
                }
            )
    return pd.DataFrame(rows, columns=["anomaly", "count", "hours", "first", "last", "largest"])


def _importance(anomaly: Anomaly) -> float:
    return abs(anomaly.size) if anomaly.kind in ("spike", "negative") else anomaly.hours
