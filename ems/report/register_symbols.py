"""Symbols of a one-line diagram, after IEC 60617: transformer, breaker, converter, and one for each kind of asset.

All coordinates are inches of the figure. A feeder's symbol hangs from the point given and is at most `SYMBOL_IN`
high, so that the texts below all symbols begin at one height.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ems.report.style import INK, SOFT_INK, colour_of

SYMBOL_IN = 0.98
BOX_IN = 0.32
RADIUS_IN = 0.21


@dataclass(frozen=True)
class Pen:
    """What a symbol is drawn with.

    Parameters
    ----------
    axes : matplotlib Axes
        In inches.
    colour : str
        Of lines.
    fill : str
        Of areas.
    is_dashed : bool
        Whether the equipment is out of operation, and its lines dashed.
    """

    axes: Any
    colour: str = INK
    fill: str = "white"
    is_dashed: bool = False

    def line(self, xs: Sequence[float], ys: Sequence[float], width: float = 1.4) -> None:
        """Draw a line through points."""
        style: Any = (0, (3, 2)) if self.is_dashed else "-"
        self.axes.plot(xs, ys, color=self.colour, linewidth=width, linestyle=style, solid_capstyle="butt")

    def shape(self, points: Sequence[tuple[float, float]], fill: str | None = None, width: float = 1.4) -> None:
        """Draw a filled polygon."""
        from matplotlib.patches import Polygon

        style: Any = (0, (3, 2)) if self.is_dashed else "-"
        self.axes.add_patch(
            Polygon(
                points,
                closed=True,
                facecolor=self.fill if fill is None else fill,
                edgecolor=self.colour,
                linewidth=width,
                linestyle=style,
                zorder=2.5,
            )
        )

    def box(self, x: float, y: float, width: float, height: float, fill: str | None = None) -> None:
        """Draw a rectangle around a centre."""
        left, right, low, high = x - width / 2, x + width / 2, y - height / 2, y + height / 2
        self.shape([(left, low), (right, low), (right, high), (left, high)], fill)

    def circle(self, x: float, y: float, radius: float, fill: str | None = None) -> None:
        """Draw a circle around a centre."""
        from matplotlib.patches import Circle

        style: Any = (0, (3, 2)) if self.is_dashed else "-"
        face = self.fill if fill is None else fill
        self.axes.add_patch(
            Circle((x, y), radius, facecolor=face, edgecolor=self.colour, linewidth=1.4, linestyle=style, zorder=2.5)
        )

    def wave(self, x: float, y: float, width: float) -> None:
        """Draw one period of alternating current around a centre."""
        angle = np.linspace(0, 2 * np.pi, 21)
        xs, ys = x - width / 2 + width * angle / (2 * np.pi), y + width / 4 * np.sin(angle)
        self.axes.plot(xs, ys, color=self.colour, linewidth=1.1, zorder=3)

    def letter(self, x: float, y: float, text: str) -> None:
        """Write a letter inside a symbol."""
        self.axes.text(x, y, text, ha="center", va="center", color=self.colour, fontsize=10, zorder=3)


def draw_breaker(pen: Pen, x: float, y: float, is_closed: bool) -> None:
    """Draw a breaker: a filled square is closed, an empty one open."""
    Pen(pen.axes, pen.colour).box(x, y, 0.12, 0.12, fill=pen.colour if is_closed else "white")


def draw_grid(pen: Pen, x: float, top: float) -> float:
    """Draw the public grid as a hatched square and return the height at which its line begins."""
    size = 0.4
    pen.box(x, top - size / 2, size, size, fill="#EEF0F3")
    steps = np.linspace(0.25, 0.75, 3) * size
    for step in steps:
        for xs in ((x - size / 2, x - size / 2 + step), (x + size / 2, x + size / 2 - step)):
            pen.axes.plot(xs, (top - size + step, top - size), color=SOFT_INK, linewidth=0.7, zorder=3)
            pen.axes.plot(xs, (top - step, top), color=SOFT_INK, linewidth=0.7, zorder=3)
    for way in (1, -1):
        ys = (top - size, top)[::way]
        pen.axes.plot((x - size / 2, x + size / 2), ys, color=SOFT_INK, linewidth=0.7, zorder=3)
    return top - size


def draw_transformer(pen: Pen, x: float, top: float) -> float:
    """Draw two windings as circles that overlap and return the height of their lower end."""
    radius = 0.15
    for y in (top - radius, top - 2.4 * radius):
        pen.circle(x, y, radius, fill="none")
    return top - 3.4 * radius


def draw_asset(pen: Pen, kind: str, x: float, top: float) -> None:
    """Draw the symbol of an asset below the end of its line; a kind without a symbol of its own is a circle."""
    _SYMBOLS.get(kind, _other)(pen, x, top)


def _converter(pen: Pen, x: float, top: float) -> float:
    """Draw an inverter between alternating and direct current; return the height of its lower end."""
    y, half = top - BOX_IN / 2, BOX_IN / 2
    pen.box(x, y, BOX_IN, BOX_IN, fill="white")
    pen.axes.plot((x - half, x + half), (y - half, y + half), color=pen.colour, linewidth=1.1, zorder=3)
    pen.wave(x - 0.07, y + 0.08, 0.13)
    for dy in (-0.06, -0.10):
        pen.axes.plot((x + 0.02, x + 0.13), (y + dy, y + dy), color=pen.colour, linewidth=1.1, zorder=3)
    return y - half


def _battery(pen: Pen, x: float, top: float) -> None:
    low = _converter(pen, x, top)
    first = low - 0.16
    pen.line((x, x), (low, first))
    colour = colour_of("battery") if not pen.is_dashed else pen.colour
    for at in range(4):
        y = first - 0.09 * at
        half, width = (0.19, 1.4) if at % 2 == 0 else (0.1, 3.2)
        pen.axes.plot((x - half, x + half), (y, y), color=colour, linewidth=width, solid_capstyle="butt", zorder=3)


def _solar_pv(pen: Pen, x: float, top: float) -> None:
    low = _converter(pen, x, top)
    pen.line((x, x), (low, low - 0.14))
    width, height, high = 0.46, 0.3, low - 0.14
    slant = 0.06
    left, right = x - width / 2, x + width / 2
    pen.shape([(left + slant, high), (right - slant, high), (right, high - height), (left, high - height)])
    for share in (1 / 3, 2 / 3):
        pen.axes.plot(
            (left + slant + share * (width - 2 * slant), left + share * width),
            (high, high - height),
            color=pen.colour,
            linewidth=0.8,
            zorder=3,
        )
    middle = high - height / 2
    pen.axes.plot((left + slant / 2, right - slant / 2), (middle, middle), color=pen.colour, linewidth=0.8, zorder=3)


def _wind_turbine(pen: Pen, x: float, top: float) -> None:
    y = _centre(pen, x, top)
    pen.circle(x, y, RADIUS_IN)
    for angle in np.deg2rad((90, 210, 330)):
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        points = [np.zeros(2), 0.05 * along + 0.028 * across, 0.17 * along, 0.05 * along - 0.012 * across]
        pen.shape([(x + px, y + py) for px, py in points], fill=pen.colour, width=0.5)


def _generator(pen: Pen, x: float, top: float) -> None:
    y = _centre(pen, x, top)
    pen.circle(x, y, RADIUS_IN)
    pen.letter(x, y + 0.05, "G")
    pen.wave(x, y - 0.11, 0.16)


def _ev_charger(pen: Pen, x: float, top: float) -> None:
    y = _centre(pen, x, top)
    pen.box(x, y, 2 * RADIUS_IN * 0.9, 2 * RADIUS_IN)
    bolt = ((0.03, 0.15), (-0.10, -0.02), (-0.01, -0.02), (-0.03, -0.15), (0.10, 0.03), (0.01, 0.03))
    pen.shape([(x + dx, y + dy) for dx, dy in bolt], fill=pen.colour, width=0.5)


def _load(pen: Pen, x: float, top: float) -> None:
    tip = top - SYMBOL_IN * 0.62
    pen.line((x, x), (top, tip + 0.2))
    pen.shape([(x - 0.12, tip + 0.22), (x + 0.12, tip + 0.22), (x, tip)], fill=pen.colour)


def _other(pen: Pen, x: float, top: float) -> None:
    pen.circle(x, _centre(pen, x, top), RADIUS_IN)


def _centre(pen: Pen, x: float, top: float) -> float:
    """Draw the line down to a symbol without a converter and return the height of the symbol's centre."""
    pen.line((x, x), (top, top - BOX_IN / 2))
    return top - BOX_IN / 2 - RADIUS_IN


_SYMBOLS: dict[str, Callable[[Pen, float, float], None]] = {
    "battery": _battery,
    "ev_charger": _ev_charger,
    "generator": _generator,
    "load": _load,
    "solar_pv": _solar_pv,
    "wind_turbine": _wind_turbine,
}
