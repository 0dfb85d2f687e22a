"""Drift of a model in use: whether errors or coverage are lately worse than before, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ems.errors import InvalidInput
from ems.forecast.alignment import Values
from ems.forecast.probability_scores import central_interval

RECENT_DAYS = 14
"""Two weeks: short enough to act upon, long enough that no weekday decides."""
FEWEST_REFERENCE_DAYS, FEWEST_RECENT_DAYS = 14, 5
SIGNIFICANCE = 0.01
"""Probability of calling drift what is chance; a model looked at each week is wronged every other year."""
SMALLEST_SHARE_OF_ERROR = 1e-6


@dataclass(frozen=True)
class Drift:
    """Whether something of a model in use has become worse or other than it was.

    Parameters
    ----------
    subject : str
        What was looked at: ``MAE``, ``coverage of 80 %``, or an input's name.
    has_drifted : bool
    p_value : float
        Probability that chance alone makes such a difference.
    reference, recent : float
        Mean absolute error, coverage, or mean of the input, before and lately.
    since : Timestamp or None
        Day from which on it has been so, where there is drift and the data can tell.
    sentence : str
        The verdict in a user's words.
    """

    subject: str
    has_drifted: bool
    p_value: float
    reference: float
    recent: float
    since: pd.Timestamp | None
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def find_drift(
    issued_at: pd.DatetimeIndex,
    observed: Values,
    predicted: Values,
    quantile: Values,
    *,
    share: float = 0.8,
    recent_days: int = RECENT_DAYS,
    significance: float = SIGNIFICANCE,
    unit: str = "",
) -> list[Drift]:
    """Return whether the error and the coverage of forecasts have drifted.

    Parameters
    ----------
    issued_at : DatetimeIndex (issues,)
    observed : array (issues, steps)
        NaN where nothing was measured.
    predicted : array (issues, steps, quantiles)
    quantile : array (quantiles,)
        With 0.5, the point forecast, and the ends of the interval.
    share : float
        Share of observations that the interval should hold.
    recent_days, significance, unit
        As for `find_error_drift`.
    """
    seen = np.asarray(observed, dtype=float)
    said = np.asarray(predicted, dtype=float)
    median, _ = central_interval(said, 0.0, quantile)
    lower, upper = central_interval(said, share, quantile)
    inside = np.where(np.isfinite(seen) & np.isfinite(lower), (lower <= seen) & (seen <= upper), np.nan)
    return [
        find_error_drift(issued_at, median - seen, recent_days=recent_days, significance=significance, unit=unit),
        find_coverage_drift(issued_at, inside, share, recent_days=recent_days, significance=significance),
    ]


def find_error_drift(
    issued_at: pd.DatetimeIndex,
    errors: np.ndarray,
    *,
    recent_days: int = RECENT_DAYS,
    significance: float = SIGNIFICANCE,
    unit: str = "",
) -> Drift:
    """Return whether errors of the last days are larger than those before, beyond chance.

    Days are the sample: logarithms of their mean absolute errors are compared by a one-sided t-test, in which days
    that resemble the days before count less [1]_:

    days' = days * (1 - r) / (1 + r), with r the correlation from one day to the next

    Parameters
    ----------
    issued_at : DatetimeIndex (issues,)
    errors : ndarray (issues,) or (issues, steps)
        Prediction minus observation; NaN where nothing was measured.
    recent_days : int
        Length of the time that is judged, up to the last issue.
    significance : float
        Probability of calling drift what is chance.
    unit : str
        Of the errors, for the words.

    Raises
    ------
    InvalidInput
        If there are less than 14 days of reference or 5 recent ones with a measured value.

    References
    ----------
    .. [1] F. W. Zwiers and H. von Storch, "Taking serial correlation into account in tests of the mean," Journal of
       Climate, vol. 8, no. 2, 1995, doi:10.1175/1520-0442(1995)008<0336:TSCIAI>2.0.CO;2.
    """
    days = _Days.of(issued_at, np.abs(errors), recent_days, "drift of errors")
    scale = float(days.mean.mean())
    logs = np.log(np.maximum(days.mean, SMALLEST_SHARE_OF_ERROR * scale)) if scale > 0 else np.zeros(len(days.mean))
    p_value = _larger_lately(logs, days.recent)
    has_drifted = p_value < significance
    reference, recent = days.split(days.mean)
    since = days.since(logs) if has_drifted else None
    growth = f" ({recent / reference - 1:+.0%})" if reference > 0 else ""
    verdict = f"errors have grown, since about {since:%Y-%m-%d}; fit the model again" if since else "no drift"
    shown = f"{recent:.4g}{f' {unit}' if unit else ''}, {reference:.4g}{f' {unit}' if unit else ''}"
    sentence = (
        f"MAE of the last {days.recent} days is {shown} in the {days.before} days before{growth}; {chance(p_value)}: "
        f"{verdict}"
    )
    return Drift("MAE", has_drifted, p_value, reference, recent, since, sentence)


def find_coverage_drift(
    issued_at: pd.DatetimeIndex,
    is_inside: np.ndarray,
    share: float,
    *,
    recent_days: int = RECENT_DAYS,
    significance: float = SIGNIFICANCE,
) -> Drift:
    """Return whether an interval holds lately another share of observations than before, and one that is less right.

    The number of hits is compared with its predictive distribution given the hits before, a beta-binomial one, in
    which steps count as many as are independent:

    steps' = steps / design effect, with the design effect from the spread of the days' shares and from its persistence

    Parameters
    ----------
    issued_at : DatetimeIndex (issues,)
    is_inside : ndarray (issues,) or (issues, steps)
        1 where the observation lay in the interval, 0 where not, NaN where nothing was measured.
    share : float
        What it should hold.
    recent_days, significance
        As for `find_error_drift`; the test has two sides.

    Raises
    ------
    InvalidInput
        If there are too few days.
    """
    from scipy.stats import betabinom

    if not 0 < share < 1:
        raise InvalidInput("drift of coverage", f"share = {share:g}: must be greater than 0 and less than 1")
    days = _Days.of(issued_at, is_inside, recent_days, "drift of coverage")
    before, lately = slice(None, days.before), slice(days.before, None)
    hits = [float((days.mean[part] * days.steps[part]).sum()) for part in (before, lately)]
    steps = [float(days.steps[part].sum()) for part in (before, lately)]
    effect = _design_effect(days)
    count = max(1, round(steps[1] / effect))
    known = round(hits[1] / effect)
    law = betabinom(count, hits[0] / effect + 0.5, (steps[0] - hits[0]) / effect + 0.5)
    p_value = float(min(1.0, 2 * min(law.cdf(known), law.sf(known - 1))))
    reference, recent = hits[0] / steps[0], hits[1] / steps[1]
    has_drifted = p_value < significance and abs(recent - share) > abs(reference - share)
    is_narrow = recent < reference
    since = days.since(-days.mean if is_narrow else days.mean) if has_drifted else None
    verdict = "no drift"
    if since:
        width = "narrow" if is_narrow else "wide"
        verdict = f"intervals are too {width}, since about {since:%Y-%m-%d}; calibrate them again"
    sentence = (
        f"the {share:.0%} interval held {recent:.0%} of the last {days.recent} days and {reference:.0%} of the "
        f"{days.before} days before; {chance(p_value)}: {verdict}"
    )
    return Drift(f"coverage of {share:.0%}", has_drifted, p_value, reference, recent, since, sentence)


@dataclass(frozen=True)
class _Days:
    """Values by day, the reference first.

    Parameters
    ----------
    date : DatetimeIndex (days,)
    mean : ndarray (days,)
    steps : ndarray (days,)
        Values of each day.
    recent : int
        Days that are judged.
    """

    date: pd.DatetimeIndex
    mean: np.ndarray
    steps: np.ndarray
    recent: int

    @classmethod
    def of(cls, issued_at: pd.DatetimeIndex, values: np.ndarray, recent_days: int, subject: str) -> _Days:
        """Return the days on which something was measured."""
        plain = np.asarray(values, dtype=float)
        if plain.shape[:1] != (len(issued_at),):
            raise InvalidInput(
                subject, f"values have shape {plain.shape}: must have one row for each of {len(issued_at)} issue times"
            )
        plain = plain.reshape(len(issued_at), -1)
        known = np.isfinite(plain)
        date, row = np.unique(issued_at.to_numpy().astype("datetime64[D]"), return_inverse=True)
        total = np.bincount(row, np.where(known, plain, 0.0).sum(axis=1))
        steps = np.bincount(row, known.sum(axis=1))
        is_measured = steps > 0
        date, total, steps = date[is_measured], total[is_measured], steps[is_measured]
        recent = int((date > date[-1] - np.timedelta64(recent_days, "D")).sum()) if len(date) else 0
        findings = []
        if recent < FEWEST_RECENT_DAYS:
            findings.append(
                f"{recent} of the last {recent_days} days were measured: must be at least {FEWEST_RECENT_DAYS}"
            )
        if len(date) - recent < FEWEST_REFERENCE_DAYS:
            findings.append(
                f"{len(date) - recent} days before them were measured: must be at least {FEWEST_REFERENCE_DAYS}; "
                "give a longer backtest"
            )
        if findings:
            raise InvalidInput(subject, findings)
        return cls(pd.DatetimeIndex(date), total / steps, steps, recent)

    @property
    def before(self) -> int:
        """Days of the reference."""
        return len(self.mean) - self.recent

    def split(self, values: np.ndarray) -> tuple[float, float]:
        """Return the means of the reference and of the recent days."""
        return float(values[: self.before].mean()), float(values[self.before :].mean())

    def since(self, values: np.ndarray) -> pd.Timestamp:
        """Return the day from which on values are larger: the split of which the means differ most certainly."""
        count = len(values)
        first = np.arange(FEWEST_RECENT_DAYS, count - 1)
        below = np.cumsum(values)[first - 1]
        difference = (values.sum() - below) / (count - first) - below / first
        certainty = difference * np.sqrt(first * (count - first) / count)
        return self.date[int(first[np.argmax(certainty)])]


def _larger_lately(values: np.ndarray, recent: int) -> float:
    """Return the probability that chance makes the last values so much larger than those before."""
    from scipy.stats import t

    statistic, freedom = mean_difference(values[:-recent], values[-recent:])
    return float(t.sf(statistic, freedom))


def mean_difference(before: np.ndarray, lately: np.ndarray) -> tuple[float, float]:
    """Return the t statistic of the difference between the means of days, and its degrees of freedom.

    Parameters
    ----------
    before, lately : ndarray (days,)
    """
    rest = np.concatenate([part - part.mean() for part in (before, lately)])
    square, size = float(rest @ rest), float(before @ before + lately @ lately)
    difference = float(lately.mean() - before.mean())
    in_a_row = persistence(rest)
    counts = [max(len(part) / in_a_row, 1.5) for part in (before, lately)]
    freedom = sum(counts) - 2
    if square <= 1e-12 * size:
        is_equal = difference**2 <= 1e-12 * max(size, 1e-300)
        return 0.0 if is_equal else float(np.copysign(np.inf, difference)), freedom
    variance = square / max(len(rest) - 2 * in_a_row, 1.0)
    return difference / float(np.sqrt(variance * (1 / counts[0] + 1 / counts[1]))), freedom


def persistence(values: np.ndarray) -> float:
    """Return how many days in a row tell as much as one independent one: (1 + r) / (1 - r)."""
    square = float(values @ values)
    if square == 0:
        return 1.0
    own = float(values[1:] @ values[:-1]) / square
    own += (1 + 4 * own) / len(values)  # the estimate from a short series lies below the truth by about as much
    bounded = min(max(own, 0.0), 0.95)
    return (1 + bounded) / (1 - bounded)


def _design_effect(days: _Days) -> float:
    """Return how many steps tell as much about coverage as one independent one."""
    parts = days.mean[: days.before], days.mean[days.before :]
    rest = np.concatenate([part - part.mean() for part in parts])
    pooled = float((days.mean * days.steps).sum() / days.steps.sum())
    variance = max(pooled * (1 - pooled), 1e-6)
    steps = float(days.steps.mean())
    within = float(np.clip(rest @ rest / (len(rest) - 2) * steps / variance, 1.0, steps))
    return within * persistence(rest)


def chance(p_value: float) -> str:
    """Return how often chance alone makes such a difference, in words."""
    if p_value < 0.001:
        return "chance alone makes such a difference in less than 0.1 % of cases"
    percent = f"{100 * p_value:.0f}" if p_value >= 0.095 else f"{100 * p_value:.1g}"
    return f"chance alone makes such a difference in {percent} % of cases"
