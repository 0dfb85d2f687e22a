"""Drawing with what is remembered gives what matplotlib gives without; a new matplotlib that differs is told here."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from matplotlib.artist import Artist
from matplotlib.axis import XTick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.text import Text

from ems.report.drawing import LAID_OUT_BY, PARTS_OF_A_TICK, SELDOM_USED, measured_once
from ems.report.figure import ReportFigure, report_settings

NOT_FOR_THE_LAYOUT = {
    # Of each artist: whether, where and how it is painted, and what is told of it.
    "_agg_filter", "_alpha", "_animated", "_axes", "_callbacks", "_clipon", "_clippath", "_gid", "_in_autoscale",
    "_in_layout", "_label", "_mouseover", "_parent_figure", "_path_effects", "_picker", "_rasterized",
    "_remove_method", "_sketch", "_snap", "_stale", "_sticky_edges", "_transform", "_transformSet", "_url", "_visible",
    "axes", "clipbox", "figure", "stale_callback",
    # Of a text: its place, its paint, and what its rotation is found by.
    "_antialiased", "_bbox_patch", "_color", "_renderer", "_rotation", "_transform_rotates_text", "_x", "_y",
}  # fmt: skip


def busy_figure() -> ReportFigure:
    """Return a figure with all that ticks and texts may be: a second scale, logarithms, lines, turned labels."""
    figure = ReportFigure("Busy.")
    with report_settings():
        upper, lower = figure.subplots(2, 1, sharex=True)
        upper.plot([0, 3, 7, 40], [1, 2, 5, 900], label="one")
        upper.set_yscale("log")
        upper.set_ylabel("power\n(kW)")
        upper.tick_params(axis="x", labelbottom=False)
        upper.legend()
        lower.plot([0, 3, 7, 40], [5, -2, 5, 3])
        lower.secondary_yaxis("right", functions=(lambda y: y / 5, lambda y: y * 5)).set_ylabel("share (1)")
        lower.tick_params(axis="x", labelrotation=40, labelsize=7, length=0)
        lower.yaxis.tick_right()
        lower.text(3, 1, "two\nlines", ha="right", va="center", rotation=30, multialignment="right")
        lower.minorticks_on()
    return figure


@pytest.mark.parametrize("form", ["as_svg", "as_png"])
def test_measured_once__figure_is_as_matplotlib_draws_it(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = getattr(busy_figure(), form)()
    monkeypatch.setattr("ems.report.figure.measured_once", nullcontext)

    assert getattr(busy_figure(), form)() == quick


def test_measured_once__no_tick_is_made_but_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = busy_figure()
    made: list[Any] = []
    usual = XTick.__init__

    def counted(tick: XTick, *arguments: Any, **options: Any) -> None:
        made.append(tick)
        usual(tick, *arguments, **options)

    monkeypatch.setattr(XTick, "__init__", counted)
    figure.as_svg()

    assert sum(len(axes.xaxis.get_major_ticks()) for axes in figure.axes) >= 8
    assert len(made) <= 2  # the first of either axis, where a setting has thrown away the one before


def test_measured_once__ticks_do_not_change_each_other() -> None:
    figure = busy_figure()
    figure.as_svg()
    first, second = figure.axes[1].xaxis.get_major_ticks()[:2]

    second.label1.set(fontsize=30, text="other")
    second.gridline.set_color("red")

    assert first.label1.get_fontsize() == 7
    assert first.label1.get_text() != "other"
    assert first.gridline.get_color() != "red"
    assert {name for name, part in vars(first).items() if isinstance(part, Artist)} - {"_axes", "_parent_figure"} == {
        *PARTS_OF_A_TICK
    }


def test_measured_once__same_words_are_measured_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    busy_figure().as_svg()
    measured: list[str] = []

    def told(renderer: RendererSVG, text: str, *_: Any) -> tuple[float, float, float]:
        measured.append(text)
        return 1.0, 1.0, 0.0

    monkeypatch.setattr(RendererSVG, "get_text_width_height_descent", told)
    figure = busy_figure()
    figure.axes[0].set_title("new words")
    figure.as_svg()

    assert set(measured) == {"new words", "lp"}  # legends ask for the height of a line by themselves


@pytest.mark.parametrize(
    "change",
    [
        {"text": "three\nshort"},
        {"fontsize": 20},
        {"fontweight": "bold"},
        {"fontstyle": "italic"},
        {"fontfamily": "DejaVu Serif"},
        {"rotation": 30},
        {"rotation": 30, "rotation_mode": "anchor"},
        {"horizontalalignment": "right"},
        {"verticalalignment": "top"},
        {"multialignment": "right"},
        {"linespacing": 3.0},
        {"text": "a $x^2$\nb", "parse_math": True},
        {"wrap": True},
    ],
    ids=str,
)
def test_measured_once__a_text_that_differs_is_measured_anew(change: dict[str, Any]) -> None:
    figure = ReportFigure()
    renderer = FigureCanvasAgg(figure).get_renderer()
    plain, other = (figure.text(0.9, 0.5, "two lines\nof words") for _ in range(2))
    with measured_once(figure):
        before = plain.get_window_extent(renderer).bounds

        other.set(**change)
        other.get_window_extent(renderer)  # tells it the renderer, which wrapping asks for
        remembered = other._get_layout(renderer)

    usual = other._get_layout(renderer)
    assert remembered[1:] == usual[1:]
    assert remembered[0].bounds == usual[0].bounds
    assert plain.get_window_extent(renderer).bounds == before


def test_measured_once__knows_all_that_a_text_has() -> None:
    """Something new in a text may belong to what its layout follows from: look, then put it into one of the sets."""
    known = {*LAID_OUT_BY, *SELDOM_USED, "_fontproperties", *NOT_FOR_THE_LAYOUT}

    assert set(vars(Text())) <= known
