"""Marks that figures of forecasts share: a colour for each model, fans of quantiles, words for what is forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

from ems.report.marks import draw_steps, fill_steps
from ems.report.style import INK, local_times, shown, time_label
from ems.report.tables import field_words

MEDIAN = 0.5
INTERVAL = (0.1, 0.9)
"""Levels of the central 80 % interval."""
HOUR = np.timedelta64(1, "h")

LINE_STYLES = ((0, (4, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.6, 1.4, 1.6)), (0, (9, 2.5)))
"""Dashes of simple rules, whose greys are alike."""
LEARNED = {
    "auto": "#6B4E9B",
    "ensemble": "#0072B2",
    "ridge": "#E69F00",
    "profile_ridge": "#009E73",
    "profile_ridge_asinh": "#5CC4A4",
    "profile_ridge_112_days": "#A6DFCC",
    "lightgbm": "#D55E00",
    "boosted_ridge": "#CC79A7",
    "boosted_ridge_value": "#E3B4CF",
    "hybrid": "#56B4E9",
    "physical": "#8C6D1F",
}
"""Colours of models, from Okabe and Ito's palette; variants of one model are tints of its colour."""
RULES = {
    "naive_day": "#4A5462",
    "naive_week": "#7A8594",
    "naive_kind_of_day": "#7A8594",
    "naive_mean_of_weeks": "#4A5462",
    "seasonal_naive": "#4A5462",
    "last_value": "#7A8594",
    "mean_of_days": "#A9B1BD",
}
"""Simple rules are grey, as what others are measured by."""
FREE = ("#56B4E9", "#8C6D1F", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#6B4E9B", "#0072B2")
"""Colours of other models, in their order, as far as nobody in the report has them."""


class ModelStyle(NamedTuple):
    """How a model is drawn in each figure of a report."""

    colour: str
    dashes: Any = "-"


class Fan(NamedTuple):
    """Quantiles of the steps of one forecast.

    Parameters
    ----------
    edges : ndarray of datetime64 (steps + 1)
        Boundaries of the steps, UTC.
    values : ndarray (steps, levels)
    levels : ndarray (levels,)
    """

    edges: np.ndarray
    values: np.ndarray
    levels: np.ndarray

    @property
    def median(self) -> np.ndarray:
        """The point forecast."""
        found: np.ndarray = self.values[:, nearest(self.levels, MEDIAN)]
        return found

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Positions of levels that lie as far below the median as above it, the widest interval first."""
        found = []
        for low, level in enumerate(self.levels):
            high = nearest(self.levels, 1 - level)
            if level < MEDIAN - 1e-9 and abs(self.levels[high] - (1 - level)) < 1e-6:
                found.append((low, high))
        return found


def model_styles(models: Sequence[str], of_report: Sequence[str] = ()) -> dict[str, ModelStyle]:
    """Return how models are drawn: the same way wherever they are drawn.

    Parameters
    ----------
    models : sequence of str
    of_report : sequence of str
        All models of the report in their order, where `models` are fewer: by it colours are given to models that have
        no colour of their own.
    """
    names = list(dict.fromkeys([*of_report, *models]))
    styles = {name: ModelStyle(LEARNED[name]) for name in names if name in LEARNED}
    for name in names:
        if name in RULES:
            styles[name] = ModelStyle(RULES[name], LINE_STYLES[list(RULES).index(name) % len(LINE_STYLES)])
    taken = {style.colour for style in styles.values()}
    others = [name for name in names if name not in styles]
    free = [colour for colour in FREE if colour not in taken] or list(FREE)
    for at, name in enumerate(others):
        dashes = "-" if at < len(free) else LINE_STYLES[(at // len(free) - 1) % len(LINE_STYLES)]
        styles[name] = ModelStyle(free[at % len(free)], dashes)
    return {name: styles[name] for name in models}


def model_words(model: str, longest: int = 32) -> str:
    """Return a model's name as words: ``naive mean of weeks``."""
    return shown(model.replace("_", " "), longest)


def draw_fan(axes: Any, fan: Fan, colour: str) -> tuple[list[Any], list[str]]:
    """Draw the intervals of a forecast, the inner ones darker, and its median; return handles and their names."""
    pairs = fan.pairs
    edges = date2num(fan.edges)
    handles, labels = [], []
    for at, (low, high) in enumerate(pairs):
        share = 0.16 + 0.5 * at / max(len(pairs) - 1, 1)
        handles.append(fill_steps(axes, edges, fan.values[:, low], fan.values[:, high], mixed(colour, "#FFFFFF", share)))
        labels.append(f"{percent(fan.levels[low])} to {percent(fan.levels[high])} %")
    line = draw_steps(axes, edges, fan.median, mixed(colour, INK, 0.7))
    return [line, *handles[::-1]], ["median", *labels[::-1]]


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour of which a share is the first and the rest the other.

    >>> mixed("#000000", "#FFFFFF", 0.4)
    '#999999'
    """
    first, second = ([int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in (colour, other))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in zip(first, second, strict=True))


def nearest(levels: np.ndarray, level: float) -> int:
    """Return the position of the level nearest to one."""
    return int(np.argmin(np.abs(np.asarray(levels) - level)))


def interval_of(levels: np.ndarray) -> tuple[int, int] | None:
    """Return the positions of the bounds of the 80 % interval, or none where the levels do not hold it."""
    found = tuple(nearest(levels, level) for level in INTERVAL)
    is_there = all(abs(levels[at] - level) < 1e-6 for at, level in zip(found, INTERVAL, strict=True))
    return (found[0], found[1]) if is_there else None


def percent(share: float) -> str:
    """Return a share as percent without needless digits.

    >>> percent(0.05), percent(0.975)
    ('5', '97.5')
    """
    return f"{100 * share:.6g}"


def edges_of(times: Any, step: np.timedelta64 | None = None) -> np.ndarray:
    """Return the boundaries of equal steps from their beginnings; a step that is alone has the length given, or 1 h."""
    beginnings = np.asarray(times, dtype="datetime64[ns]")
    last = beginnings[-1] - beginnings[-2] if len(beginnings) > 1 else (HOUR if step is None else step)
    return np.append(beginnings, beginnings[-1] + last)


def middles_of(edges: np.ndarray) -> np.ndarray:
    """Return the middles of steps as numbers of a time axis."""
    numbers = date2num(edges)
    found: np.ndarray = (numbers[:-1] + numbers[1:]) / 2
    return found


def quantity_of(name: str, asset: str = "") -> str:
    """Return what is forecast, in words: ``demand of office``."""
    what = shown(field_words(name))
    return f"{what} of {shown(asset)}" if asset else what


def capital(words: str) -> str:
    """Return words with a capital letter at their beginning."""
    return words[:1].upper() + words[1:]


def with_units(words: str, units: str) -> str:
    """Return the words of an axis or a heading with the unit, where there is one.

    >>> with_units("error", "kW"), with_units("error", "")
    ('error (kW)', 'error')
    """
    return f"{words} ({shown(units)})" if units and units != "1" else words


def amount(text: str, units: str) -> str:
    """Return a number, already as text, with its unit."""
    return f"{text} {shown(units)}" if units and units != "1" else text


def moment(time: Any, timezone: str) -> str:
    """Return a moment in local time: ``2024-06-01 00:00 CEST``."""
    (local,) = local_times(np.array([time], dtype="datetime64[ns]"), timezone)
    return f"{local:%Y-%m-%d %H:%M %Z}"


def day_of(time: Any, timezone: str) -> str:
    """Return the local day of a moment: ``Sat 01 Jun 2024``; with its hour where that is not midnight."""
    (local,) = local_times(np.array([time], dtype="datetime64[ns]"), timezone)
    return f"{local:%a %d %b %Y}" if local.hour == local.minute == 0 else f"{local:%a %d %b %Y %H:%M}"


def short_time_axis(axes: Any, edges: np.ndarray, timezone: str) -> None:
    """Make the x axis of a small panel show local time with few marks."""
    _few_dates(axes, timezone, 5)
    axes.set_xlim(date2num(edges[0]), date2num(edges[-1]))


def day_axis(axes: Any, days: pd.DatetimeIndex) -> None:
    """Make the x axis show local days, which stand as dates without zone."""
    _few_dates(axes, "UTC", 11)
    edges = edges_of(days.to_numpy(), np.timedelta64(1, "D"))
    axes.set_xlim(date2num(edges[0]), date2num(edges[-1]))
    axes.set_xlabel(f"{time_label(edges, 'UTC').partition(',')[0]}, local days")


def _few_dates(axes: Any, timezone: str, most: int) -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(timezone)
    locator = AutoDateLocator(tz=zone, minticks=2, maxticks=most)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(
            locator,
            tz=zone,
            formats=["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
            zero_formats=["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
            show_offset=False,
        )
    )


def fitted_scale(axes: Any, *, most_empty: float = 0.5) -> None:
    """Begin a scale at zero, unless more than a share of it would then be empty; leave some room at its other ends."""
    lowest, highest = axes.dataLim.intervaly
    if not np.isfinite([lowest, highest]).all():
        return
    if lowest >= 0 and lowest <= most_empty * highest:
        axes.set_ylim(0, highest * 1.08 or 1)
    else:
        room = 0.08 * (highest - lowest) or 0.08 * abs(highest) or 1
        axes.set_ylim(lowest - room, highest + room)
