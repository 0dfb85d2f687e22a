"""Marks that figures of forecasts share: a colour for each model, fans of quantiles, words for what is forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

from ems.display import field_words
from ems.report.style import INK, local_times, shown

MEDIAN = 0.5
INTERVAL = (0.1, 0.9)
"""Levels of the central 80 % interval."""
HOUR = np.timedelta64(1, "h")
POWER_WORDS = {"available_kw": "available power"}
"""What people call a quantity whose name without its unit does not say it."""
MOST_STEPS = 200
"""Steps that are drawn as such; of more their middles are joined, as nobody could see them and drawings stay small."""

DASHES: tuple[Any, ...] = ((0, (4, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.6, 1.4, 1.6)))
LEARNED = {
    "auto": "#6B4E9B",
    "ensemble": "#0072B2",
    "ridge": "#E69F00",
    "profile_ridge": "#009E73",
    "profile_ridge_asinh": "#5CC4A4",
    "profile_ridge_112_days": "#A6DFCC",
    "lightgbm": "#D55E00",
    "interval_width": "#EBA67C",
    "boosted_ridge": "#CC79A7",
    "boosted_ridge_value": "#E3B4CF",
    "hybrid": "#56B4E9",
    "physical": "#A5D6F3",
    "standard_profile": "#8A8A00",
    "ets": "#8C6D1F",
    "arima": "#BFA564",
    "theta": "#5C4712",
}
"""Colours of models, from Okabe and Ito's palette; variants of one model are tints of its colour."""
RULES: dict[str, tuple[str, Any]] = {
    "naive_day": ("#4A5462", DASHES[0]),
    "naive_week": ("#4A5462", DASHES[1]),
    "naive_kind_of_day": ("#7A8594", DASHES[2]),
    "naive_mean_of_weeks": ("#A9B1BD", "-"),
    "seasonal_naive": ("#7A8594", DASHES[0]),
    "last_value": ("#7A8594", DASHES[1]),
    "mean_of_days": ("#A9B1BD", DASHES[0]),
}
"""Simple rules are grey, as what others are measured by, and told apart by their dashes."""
FREE = ("#56B4E9", "#8C6D1F", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#6B4E9B", "#0072B2")
"""Colours of other models, in their order, as far as nobody in the report has them."""


class ModelStyle(NamedTuple):
    """How a model is drawn in each figure of a report."""

    colour: str
    dashes: Any = "-"
    is_rule: bool = False


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
    styles |= {name: ModelStyle(*RULES[name], is_rule=True) for name in names if name in RULES}
    taken = {style.colour for style in styles.values()}
    others = [name for name in names if name not in styles]
    free = [colour for colour in FREE if colour not in taken] or list(FREE)
    for at, name in enumerate(others):
        dashes = "-" if at < len(free) else DASHES[(at // len(free) - 1) % len(DASHES)]
        styles[name] = ModelStyle(free[at % len(free)], dashes)
    return {name: styles[name] for name in models}


def model_words(model: str) -> str:
    """Return a model's name as its parameter says it, short enough for a legend."""
    return shown(model, 32)


def draw_fan(axes: Any, fan: Fan, colour: str, most_steps: int = MOST_STEPS) -> tuple[list[Any], list[str]]:
    """Draw the intervals of a forecast, the inner ones darker, and its median; return handles and their names."""
    pairs = fan.pairs
    handles, labels = [], []
    for at, (low, high) in enumerate(pairs):
        tint = mixed(colour, "#FFFFFF", 0.16 + 0.5 * at / max(len(pairs) - 1, 1))
        places, bottom, top = outline(fan.edges, fan.values[:, low], fan.values[:, high], most_steps=most_steps)
        handles.append(axes.fill_between(places, bottom, top, facecolor=tint, linewidth=0))
        labels.append(f"{percent(fan.levels[low])} to {percent(fan.levels[high])} %")
    line = axes.plot(*outline(fan.edges, fan.median, most_steps=most_steps), color=mixed(colour, INK, 0.7))[0]
    line.set_linewidth(_width(len(fan.median), most_steps))
    return [line, *handles[::-1]], ["median", *labels[::-1]]


def draw_values(axes: Any, edges: np.ndarray, values: np.ndarray, colour: str, **options: Any) -> Any:
    """Draw the values of steps as one line; return it. Single steps are shown as far as they can be told apart."""
    style = {"color": colour, "linewidth": _width(len(values), MOST_STEPS)} | options
    return axes.plot(*outline(edges, values), **style)[0]


def _width(steps: int, most_steps: int) -> float:
    return 1.7 if steps <= most_steps else 1.1


def outline(edges: np.ndarray, *values: np.ndarray, most_steps: int = MOST_STEPS) -> tuple[np.ndarray, ...]:
    """Return places on a time axis and values to be joined by lines: both ends of each step, of many their middles.

    A step that has a value beside one that has none is kept whole, unlike matplotlib's own filled steps.
    """
    if len(edges) - 1 > most_steps:
        return middles_of(edges), *values
    return np.repeat(date2num(edges), 2)[1:-1], *(np.repeat(one, 2) for one in values)


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
    """Return the boundaries of equal steps from their beginnings; a single one has the length given, or 1 h."""
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
    what = POWER_WORDS.get(name) or shown(field_words(name))
    return f"{what} of {shown(asset)}" if asset else what


def span(edges: np.ndarray, timezone: str) -> str:
    """Return the time that steps cover, in local time."""
    return f"from {moment(edges[0], timezone)} to {moment(edges[-1], timezone)}"


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


def fitted_scale(*all_axes: Any, most_empty: float = 0.5) -> None:
    """Give panels one scale from zero, unless more than a share of it were empty, with some room at its other ends."""
    bounds = [axes.dataLim.intervaly for axes in all_axes]
    known = [one for one in bounds if np.isfinite(one).all()]
    if not known:
        return
    lowest, highest = float(np.min(known)), float(np.max(known))
    room = 0.08 * (highest - lowest) or 0.08 * abs(highest) or 1
    for axes in all_axes:
        axes.set_ylim(0 if 0 <= lowest <= most_empty * highest else lowest - room, highest + room)
