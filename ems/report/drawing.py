"""What a figure need not do twice: ticks are copied, what was measured is remembered while figures are drawn.

All of it leans on matplotlib's own methods; `tests/report/test_drawing.py` tells when a new one changes them.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib.axis import Axis, Tick
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

PARTS_OF_A_TICK = ("tick1line", "tick2line", "gridline", "label1", "label2")
LAID_OUT_BY = (
    "_text", "_horizontalalignment", "_verticalalignment", "_multialignment", "_linespacing", "_rotation_mode",
    "_usetex", "_parse_math",
)  # fmt: skip
"""What the layout of a text follows from, beside its font and its rotation."""
SELDOM_USED = ("_wrap", "_features", "_language")
"""What it follows from, too, and no report has: such a text is measured each time."""
MOST_LAYOUTS = 4096
"""Texts whose size is remembered; a process that draws for weeks must not grow."""

_layouts: dict[tuple[Any, ...], Any] = {}


@contextmanager
def measured_once(figure: Figure) -> Iterator[None]:
    """Let axes remember their ticks and texts their size: while room is found and while drawing, neither changes.

    Without this each axis finds the same ticks some fifteen times, and each label is measured as often: half the time.
    """
    axes: list[Any] = [axis for one in _all_axes(figure) for axis in (one.xaxis, one.yaxis)]
    for axis in axes:
        axis._get_tick = functools.partial(_tick_like_first, axis)
        axis._copy_tick_props = _is_copied_already
        axis._update_ticks = functools.cache(axis._update_ticks)
    kind: Any = Text
    measure = kind._get_layout
    kind._get_layout = lambda text, renderer: _layout(text, figure, measure, renderer)
    try:
        yield
    finally:
        kind._get_layout = measure
        for axis in axes:
            del axis._get_tick, axis._copy_tick_props, axis._update_ticks


@contextmanager
def margins_kept(figure: Figure) -> Iterator[None]:
    """Let axes remember how far their labels reach beyond them: room is found in two rounds, which see the same.

    Only a legend below axes moves a little with their height, by less than a line. This saves a sixth of a figure.
    """
    for axes in figure.axes:
        axes.get_tightbbox = _measured_around(axes)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for axes in figure.axes:
            del axes.get_tightbbox


def _all_axes(figure: Figure) -> list[Any]:
    """Return the axes of a figure with those that stand at their sides, such as a second scale."""
    return [axes for one in figure.axes for axes in (one, *one.child_axes)]


def _tick_like_first(axis: Any, major: bool) -> Any:
    """Return another tick of an axis: its first one's copy, at a tenth of what it takes to make one."""
    ticks = axis.majorTicks if major else axis.minorTicks
    if not ticks:  # it is the first one that is asked for
        return Axis._get_tick(axis, major)  # type: ignore[attr-defined]
    tick: Any = copy.copy(ticks[0])
    for name in PARTS_OF_A_TICK:
        setattr(tick, name, copy.copy(getattr(tick, name)))
    for label in (tick.label1, tick.label2):
        label._fontproperties = label._fontproperties.copy()  # a text changes them in place
    return tick


def _is_copied_already(first: Tick, tick: Tick) -> None:
    """Do nothing, where a new tick would be given what its copy has."""


def _layout(text: Any, figure: Figure, measure: Callable[[Any, Any], Any], renderer: Any) -> Any:
    """Return the size of a text and the places of its lines, measured once in a process."""
    own = vars(text)
    if any(own.get(name) for name in SELDOM_USED):
        return measure(text, renderer)
    font = vars(text.get_fontproperties()).values()
    key = (type(renderer), figure.dpi, text.get_rotation(), *font, *(own.get(name) for name in LAID_OUT_BY))
    if key not in _layouts:
        if len(_layouts) >= MOST_LAYOUTS:
            _layouts.clear()
        _layouts[key] = measure(text, renderer)
    return _layouts[key]


def _measured_around(axes: Any) -> Any:
    """Return a way to measure axes with their labels, which measures once and then goes with the axes."""
    measure = axes.get_tightbbox
    reaches: list[Any] = []

    def around(*arguments: Any, **options: Any) -> Bbox | None:
        if not reaches:
            box = measure(*arguments, **options)
            reaches.append(None if box is None else box.extents - axes.bbox.extents)
        return None if reaches[0] is None else Bbox.from_extents(*(axes.bbox.extents + reaches[0]))

    return around
