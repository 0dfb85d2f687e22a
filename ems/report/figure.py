"""ReportFigure: a matplotlib figure that shows itself as a small SVG with an alternative text."""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import RcParams, rcParams
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from ems.report.drawing import margins_kept, measured_once
from ems.report.style import MEASURED_FONT, SETTINGS, SHOWN_FONTS, WIDTH_IN

MOST_POINTS_IN_SVG = 1500
MOST_BYTES_IN_SVG = 200_000
"""Above it, points and shapes together make a larger file than a PNG is."""
BYTES_OF_POINT, BYTES_OF_SHAPE = 20, 160
"""About what a point of a line and a bar, mark or cell take in SVG."""
PNG_DPI = 144
CSS_DPI = 96

_QUOTED_FONT = re.compile(rf"(?:&quot;|'){MEASURED_FONT}(?:&quot;|')(?:, ?sans-serif)?")
_MARK = re.compile(r"<[^>]*>")
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_NO_ROTATION = re.compile(r' transform="rotate\(-0 [^)]*\)"')
_LONG_DECIMAL = re.compile(r"(?<![\w.#])(-?\d+\.\d\d)\d+")


_CHECKED_SETTINGS: Any = RcParams(SETTINGS)


@contextmanager
def report_settings() -> Iterator[None]:
    """Make and draw figures in the report's style, whatever settings the notebook's author has."""
    known: Any = rcParams
    # As `rc_context` does, which keeps a copy of all three hundred others, too, and checks each value once more.
    before = {name: known._get(name) for name in SETTINGS}
    with warnings.catch_warnings():
        # The measuring font lacks some letters which the reader's browser has.
        warnings.filterwarnings("ignore", message=r"(?s).*Glyph .* missing from font", category=UserWarning)
        warnings.filterwarnings("ignore", message=r".*Matplotlib currently does not support", category=UserWarning)
        try:
            for name in SETTINGS:
                known._set(name, _CHECKED_SETTINGS._get(name))
            yield
        finally:
            for name, value in before.items():
                known._set(name, value)


class ReportFigure(Figure):
    """A figure with an alternative text, made without pyplot and its global state.

    In a notebook it shows itself as SVG with selectable text; with long series as PNG, which is then the
    smaller one. The same figure gives the same bytes each time.

    Parameters
    ----------
    alt : str
        What the figure shows, for readers who cannot see it.
    height_in : float
        Height in inches; the width is the report's.
    **options
        As for `matplotlib.figure.Figure`.
    """

    def __init__(self, alt: str = "", height_in: float = 3.6, **options: Any) -> None:
        options.setdefault("figsize", (WIDTH_IN, height_in))
        options.setdefault("layout", "constrained")
        with report_settings():
            super().__init__(**options)
        self.alt = alt

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def __str__(self) -> str:
        return repr(self)

    @property
    def is_long(self) -> bool:
        """Whether it is smaller as PNG: a line is long, or all that is drawn would fill the page."""
        points, shapes = [0], 0
        for axes in self.axes:
            points += [np.size(line.get_xdata(orig=False)) for line in axes.get_lines() if not line.get_rasterized()]
            shapes += len(axes.patches)
            for drawn in axes.collections:
                if drawn.get_rasterized():
                    continue
                cells = drawn.get_array() if isinstance(drawn, QuadMesh) else None
                if cells is not None:
                    shapes += np.size(cells)
                    continue
                paths = drawn.get_paths()
                shapes += max(len(paths), len(np.atleast_2d(drawn.get_offsets())))
                # An area goes up and down at each end of each step.
                points += [np.shape(path.vertices)[0] // 4 for path in paths]
        size = sum(points) * BYTES_OF_POINT + shapes * BYTES_OF_SHAPE
        return max(points) > MOST_POINTS_IN_SVG or size > MOST_BYTES_IN_SVG

    def as_svg(self) -> str:
        """Return the figure as SVG: text as text, no date, the same on each call."""
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        drawn = io.StringIO()
        with self._ready_to_draw(FigureCanvasSVG) as canvas:
            canvas.print_svg(drawn, metadata={"Date": None, "Creator": None})
        return _smaller(drawn.getvalue())

    def as_png(self) -> bytes:
        """Return the figure as PNG, twice as fine as a plain screen."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        drawn = io.BytesIO()
        with self._ready_to_draw(FigureCanvasAgg) as canvas:
            usual, self.dpi = self.dpi, PNG_DPI
            try:
                canvas.print_png(drawn, metadata={"Software": None})
            finally:
                self.dpi = usual
        return drawn.getvalue()

    @contextmanager
    def _ready_to_draw(self, kind: Any) -> Iterator[Any]:
        """Give a canvas on which the figure has room for all its labels.

        The way of `savefig` finds that room twice, and draws the figure once more than is seen: half the time.
        """
        usual, engine = self.canvas, self.get_layout_engine()
        with report_settings():
            try:
                canvas = kind(self)
                if engine is not None and self.axes:
                    with measured_once(self), margins_kept(self):
                        engine.execute(self)
                self.set_layout_engine("none")
                with measured_once(self):
                    yield canvas
            finally:
                self.set_layout_engine(engine)
                self.set_canvas(usual)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
        if not self.is_long:
            return {"image/svg+xml": self.as_svg()}, {"image/svg+xml": {"alt": self.alt}}
        width, height = (round(inches * CSS_DPI) for inches in self.get_size_inches())
        picture = base64.b64encode(self.as_png()).decode("ascii")
        return {"image/png": picture}, {"image/png": {"alt": self.alt, "width": width, "height": height}}


def _smaller(svg: str) -> str:
    """Return the SVG with hundredths of a point, the reader's own font, and without preamble and metadata."""
    svg = _METADATA.sub("", svg[svg.index("<svg") :], count=1)
    # Only what stands inside the marks is rewritten; what stands between them is people's text.
    return _MARK.sub(lambda mark: _smaller_mark(mark[0]), svg)


def _smaller_mark(mark: str) -> str:
    if mark.startswith("<text"):
        mark = _QUOTED_FONT.sub(SHOWN_FONTS, mark)
        mark = _NO_ROTATION.sub("", mark)
    return _LONG_DECIMAL.sub(r"\1", mark)
