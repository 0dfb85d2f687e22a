"""What figures of a backtest draw: errors and levels reached of a model, and labels that do not hide each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ems.report.marks import rounded
from ems.report.model_marks import (
    HOUR,
    Fan,
    ModelStyle,
    edges_of,
    interval_of,
    mixed,
    model_words,
    nearest,
    with_units,
)
from ems.report.style import INK

if TYPE_CHECKING:
    import xarray as xr

FEWEST_FOR_CORRELATION = 10
"""Forecasts from which on it is told whether one errs as the one before."""
LABEL_SIZE = 8.8
LETTER_IN = 0.56 * LABEL_SIZE / 72
"""Mean width of a letter of a label."""
AROUND = ((1, 1), (1, 0), (0, 1), (-1, 0), (-1, 1), (0, -1), (1, -1), (-1, -1))
"""Where a label may stand beside its mark, right and up counting as 1; lines to other marks run to the right."""


@dataclass(frozen=True)
class BacktestData:
    """A backtest as figures see it.

    Parameters
    ----------
    dataset : Dataset
        ``predicted(model, issued_at, step, quantile)`` and ``observed(issued_at, step)``.
    is_certain : ndarray of bool (issued_at, step), optional
        Steps that tell nothing about probabilities, as solar power at night.
    """

    dataset: xr.Dataset
    is_certain: np.ndarray | None = None

    @property
    def models(self) -> list[str]:
        """Names of all models."""
        return [str(name) for name in self.dataset["model"].values]

    @property
    def timezone(self) -> str:
        """Time zone of local days."""
        return str(self.dataset.attrs.get("timezone", "UTC"))

    @property
    def units(self) -> str:
        """Unit of the values."""
        return str(self.dataset.attrs.get("units", ""))

    @property
    def levels(self) -> np.ndarray:
        """Probability levels."""
        found: np.ndarray = self.dataset["quantile"].to_numpy()
        return found

    @cached_property
    def observed(self) -> np.ndarray:
        """What was measured, shape (issued_at, step)."""
        found: np.ndarray = self.dataset["observed"].transpose("issued_at", "step").to_numpy()
        return found

    @cached_property
    def times(self) -> np.ndarray:
        """Beginnings of the steps, shape (issued_at, step); NaT after a fold's last one."""
        found: np.ndarray = self.dataset["time"].transpose("issued_at", "step").to_numpy()
        return found

    @cached_property
    def usable(self) -> np.ndarray:
        """Steps that were measured and that all models forecast, shape (issued_at, step)."""
        predicted = self.dataset["predicted"].transpose("model", "issued_at", "step", "quantile").to_numpy()
        found: np.ndarray = np.isfinite(self.observed) & np.isfinite(predicted).all(axis=(0, 3))
        return found

    @cached_property
    def uncertain(self) -> np.ndarray:
        """Usable steps that tell something about probabilities."""
        return self.usable if self.is_certain is None else self.usable & ~self.is_certain

    @property
    def step(self) -> np.timedelta64:
        """Length of a step."""
        hours = float(self.dataset.attrs.get("step_h", 0))
        if hours > 0:
            return np.timedelta64(round(hours * 3600), "s")
        known = self.times[0][~np.isnat(self.times[0])]
        return known[1] - known[0] if len(known) > 1 else HOUR

    def quantiles(self, model: str) -> np.ndarray:
        """Return a model's quantiles, shape (issued_at, step, quantile)."""
        predicted = self.dataset["predicted"].sel(model=model).transpose("issued_at", "step", "quantile")
        found: np.ndarray = predicted.to_numpy()
        return found

    def errors(self, model: str) -> np.ndarray:
        """Return a model's point forecast less what was measured, shape (issued_at, step); NaN where not usable."""
        median = self.quantiles(model)[:, :, nearest(self.levels, 0.5)]
        return np.where(self.usable, median - self.observed, np.nan)

    def reached(self, model: str) -> np.ndarray:
        """Return the share of observations below each quantile; of those exactly on it, as many as its level wants."""
        observed, quantiles = self.observed[self.uncertain][:, None], self.quantiles(model)[self.uncertain]
        shares: np.ndarray = np.clip(
            self.levels, (observed < quantiles).mean(axis=0), (observed <= quantiles).mean(axis=0)
        )
        return shares

    def interval(self, model: str) -> tuple[float, float] | None:
        """Return mean width and share inside of the 80 % interval; an observation on a bound counts half."""
        pair = interval_of(self.levels)
        if pair is None:
            return None
        low, high = (self.quantiles(model)[self.uncertain][:, at] for at in pair)
        seen = self.observed[self.uncertain]
        inside = (((seen > low) & (seen < high)).mean() + ((seen >= low) & (seen <= high)).mean()) / 2
        return float((high - low).mean()), float(inside)

    def fold(self, model: str, issued_at: Any) -> tuple[Fan, np.ndarray]:
        """Return the fan of one forecast and what was measured in its steps."""
        at = int(np.flatnonzero(self.dataset["issued_at"].to_numpy() == pd.Timestamp(issued_at).to_datetime64())[0])
        is_step = ~np.isnat(self.times[at])
        fan = Fan(edges_of(self.times[at][is_step], self.step), self.quantiles(model)[at][is_step], self.levels)
        return fan, self.observed[at][is_step]


def issue_edges(issued_at: Any) -> np.ndarray:
    """Return boundaries of the times for which forecasts stand: from each issue to the next, the last for as long."""
    return edges_of(issued_at, np.timedelta64(1, "D"))


def means_of(errors: np.ndarray) -> np.ndarray:
    """Return the mean of each forecast's errors, NaN where none is known."""
    known = np.isfinite(errors)
    count = known.sum(axis=1)
    found: np.ndarray = np.where(count > 0, np.where(known, errors, 0).sum(axis=1) / np.maximum(count, 1), np.nan)
    return found


def chance_band(levels: np.ndarray, days: int, probability: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds within which chance puts the share of days that are below each level, most of the times.

    The number of days below a level that holds is binomial. Steps of one day err alike, so that days count and not
    steps; as they do not err quite alike, the band is rather too wide than too narrow.
    """
    from scipy.stats import binom

    tail = (1 - probability) / 2
    low, high = (binom.ppf(share, days, levels) / days for share in (tail, 1 - tail))
    return np.minimum(low, levels), np.maximum(high, levels)  # of a few days, whole ones may all lie on one side


def draw_widths(
    axes: Any, intervals: Mapping[str, tuple[float, float]], styles: Mapping[str, ModelStyle], units: str
) -> None:
    """Draw the width of each model's 80 % interval; names above the bars tell the lines of all panels."""
    widths = np.array([one[0] for one in intervals.values()])
    places = np.arange(len(widths))
    axes.barh(places, widths, 0.3, color=[styles[name].colour for name in intervals], linewidth=0)
    for at, (name, (width, inside)) in enumerate(intervals.items()):
        text = f"{model_words(name)}: {rounded(width)}, {rounded(100 * inside)} % inside"
        line = {"color": styles[name].colour, "linestyle": styles[name].dashes}
        axes.plot([0.01, 0.12], [at - 0.33] * 2, transform=axes.get_yaxis_transform(), clip_on=False, **line)
        axes.text(0.14, at - 0.33, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8.2, color=INK)
    axes.set_yticks([])
    axes.set_ylim(max(len(widths) - 0.5, 2.5), -0.8)
    axes.set_xlim(0, float(widths.max()) * 1.05 or 1)
    axes.grid(False)
    axes.set_xlabel(with_units("mean width", units))
    axes.set_title("80 % interval", fontsize=10)


def draw_by_hour(axes: Any, times: np.ndarray, errors: np.ndarray, timezone: str, colour: str) -> list[Any]:
    """Draw the median of errors by hour of the local day and how far they scatter; return handles."""
    hours = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(timezone).hour
    grouped = pd.Series(errors).groupby(np.asarray(hours))
    table = grouped.quantile(np.array([0.1, 0.25, 0.5, 0.75, 0.9])).unstack().reindex(range(24))
    places = np.repeat(np.arange(25), 2)[1:-1]
    rows = {level: np.repeat(table[level].to_numpy(), 2) for level in table}
    outer = axes.fill_between(places, rows[0.1], rows[0.9], facecolor=mixed(colour, "#FFFFFF", 0.2), linewidth=0)
    inner = axes.fill_between(places, rows[0.25], rows[0.75], facecolor=mixed(colour, "#FFFFFF", 0.45), linewidth=0)
    (line,) = axes.plot(places, rows[0.5], color=mixed(colour, INK, 0.7))
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3))
    return [line, inner, outer]


def correlation_words(means: np.ndarray) -> str:
    """Return in words how far one forecast errs as the one before it did."""
    both = np.isfinite(means[:-1]) & np.isfinite(means[1:])
    if both.sum() < FEWEST_FOR_CORRELATION or not np.ptp(means[:-1][both]) or not np.ptp(means[1:][both]):
        return ""
    found = float(np.corrcoef(means[:-1][both], means[1:][both])[0, 1])
    return f"correlation with the one before {found:.2f}"


def front_of(cost: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the positions of models than which no cheaper one errs less, by rising cost."""
    order = np.lexsort((error, cost))
    least = np.minimum.accumulate(error[order])
    is_better = np.append(True, least[1:] < least[:-1])
    found: np.ndarray = order[is_better]
    return found


def label_points(figure: Any, axes: Any, points: Sequence[tuple[float, float]], labels: Sequence[str]) -> None:
    """Write a label beside each point, where it hides neither a point nor another label."""
    figure.draw_without_rendering()  # the layout must be known
    places = axes.transData.transform(points) / figure.dpi
    bounds = axes.get_window_extent().get_points() / figure.dpi
    height = 1.25 * LABEL_SIZE / 72
    taken = [(x - 0.06, y - 0.06, x + 0.06, y + 0.06) for x, y in places]
    for point, (x, y), label in zip(points, places, labels, strict=True):
        width = LETTER_IN * len(label)
        boxes = []
        for distance in (0.1, 0.22, 0.4, 0.6):
            for right, up in AROUND:
                left = x + right * distance - (width if right < 0 else width / 2 if right == 0 else 0)
                middle = y + up * (distance + height / 2)
                boxes.append((left, middle - height / 2, left + width, middle + height / 2))
        inside = [one for one in boxes if one[0] >= bounds[0, 0] and one[2] <= figure.get_size_inches()[0]] or boxes
        box = min(inside, key=lambda one: (sum(_overlap(one, other) for other in taken), inside.index(one)))
        taken.append(box)
        left, bottom, _, top = box
        label_text = axes.annotate(
            label,
            point,
            xytext=((left - x) * 72, ((bottom + top) / 2 - y) * 72),
            textcoords="offset points",
            va="center",
            fontsize=LABEL_SIZE,
            color=INK,
        )
        label_text.set_in_layout(False)  # else the layout for which the place was found would change


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return the area that two boxes (left, bottom, right, top) share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
