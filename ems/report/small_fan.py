"""A forecast as a small drawing: its quantiles as a fan, and what came true as a line; colours follow the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from markupsafe import Markup

from ems.report.policy import trusted

WIDTH, HEIGHT, EDGE = 208, 64, 3
MOST_STEPS = 200
"""Steps that are drawn; of a longer forecast each nth."""


def small_fan(values: np.ndarray, observed: np.ndarray | None, alt: str) -> Markup:
    """Return a drawing of a forecast.

    Parameters
    ----------
    values : array (steps, quantiles)
        From the lowest quantile to the highest.
    observed : array (steps,) or None
        NaN where nothing is known yet.
    alt : str
        What it shows, for readers who cannot see it.
    """
    every = max(1, -(-len(values) // MOST_STEPS))
    values = np.asarray(values, dtype=float)[::every]
    truth = np.full(len(values), np.nan) if observed is None else np.asarray(observed, dtype=float)[::every]
    seen = np.concatenate([values.ravel(), truth])
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return trusted("")
    low, high = float(seen.min()), float(seen.max())
    span = (high - low) or 1.0
    x = EDGE + (WIDTH - 2 * EDGE) * np.arange(len(values)) / max(len(values) - 1, 1)

    def y_of(numbers: np.ndarray) -> np.ndarray:
        return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (numbers - low) / span

    count = values.shape[1]
    bands = [(0, "outer"), (count // 4, "inner")] if count >= 5 else [(0, "outer")]
    parts = []
    for at, name in bands:
        if at < count - 1 - at:
            parts.append(_band(x, y_of(values[:, at]), y_of(values[:, count - 1 - at]), name))
    if low < 0 < high:
        zero = float(y_of(np.zeros(1))[0])
        parts.append(f'<line class="axis" x1="0" x2="{WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}"/>')
    parts += _lines(x, y_of(values[:, count // 2]), "middle") + _lines(x, y_of(truth), "truth")
    return trusted(
        f'<svg class="fan" role="img" aria-label="{escape(alt)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'preserveAspectRatio="none">{"".join(parts)}</svg>'
    )


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray, name: str) -> str:
    is_known = np.isfinite(low) & np.isfinite(high)
    if is_known.sum() < 2:
        return ""
    x, low, high = x[is_known], low[is_known], high[is_known]
    points = [*zip(x, low, strict=True), *zip(x[::-1], high[::-1], strict=True)]
    return f'<path class="{name}" d="M{_path(points)}z"/>'


def _lines(x: np.ndarray, y: np.ndarray, name: str) -> list[str]:
    """Return a line that is broken where nothing is known."""
    is_known = np.isfinite(y)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], is_known, [False]]).astype(int)))
    runs = [
        _path(list(zip(x[begin:end], y[begin:end], strict=True)))
        for begin, end in zip(ends[::2], ends[1::2], strict=True)
        if end - begin > 1
    ]
    return [f'<path class="{name}" d="M{run}"/>' for run in runs]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
