"""ReportFigure: what a notebook keeps of a figure."""

from __future__ import annotations

import base64
import struct
import warnings
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_samples import HOSTILE, make_costs, make_flows, make_portfolio

from ems.report.figure import MOST_POINTS_IN_SVG, ReportFigure, report_settings
from ems.report.figures import plot_costs, plot_energy, plot_power_balance, plot_series
from ems.report.style import shown


def line_figure(points: int) -> ReportFigure:
    figure = ReportFigure("A line.")
    with report_settings():
        figure.subplots().plot(np.arange(points))
    return figure


def texts_of(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_repr_mimebundle__is_svg_with_alt():
    data, metadata = line_figure(10)._repr_mimebundle_()

    assert list(data) == ["image/svg+xml"]
    assert metadata == {"image/svg+xml": {"alt": "A line."}}
    assert data["image/svg+xml"].startswith("<svg")


def test_repr_mimebundle__is_png_of_144_dpi_for_a_long_series():
    """9.4 in at 144 dpi are 1354 pixels (rounded up), shown 9.4 * 96 = 902 wide."""
    data, metadata = line_figure(MOST_POINTS_IN_SVG + 1)._repr_mimebundle_()

    assert list(data) == ["image/png"]
    raw = base64.b64decode(data["image/png"], validate=True)
    assert abs(struct.unpack(">I", raw[16:20])[0] - 9.4 * 144) <= 1  # whole pixels
    assert metadata["image/png"]["alt"] == "A line."
    assert metadata["image/png"]["width"] == 902


def test_repr_mimebundle__a_month_of_quarter_hours_is_png():
    flows, series = make_flows(MOST_POINTS_IN_SVG + 10)

    data, _ = plot_power_balance(flows, series, make_portfolio())._repr_mimebundle_()

    assert list(data) == ["image/png"]


def test_as_svg__same_bytes_twice():
    flows, series = make_flows()
    once, twice = (plot_power_balance(flows, series, make_portfolio()).as_svg() for _ in range(2))

    assert once == twice
    assert "date" not in once.lower()


def test_as_svg__keeps_text_as_text_and_generic_fonts():
    svg = plot_costs(make_costs(), "EUR").as_svg()

    assert any("90.00 EUR" in text for text in texts_of(svg))
    assert "system-ui" in svg
    assert "&quot;DejaVu" not in svg


def test_as_svg__does_not_rewrite_what_people_wrote():
    """Numbers of marks are shortened to hundredths, those in a name are not."""
    name = "a 1.23456789 'DejaVu Sans'"
    svg = plot_costs(make_costs().rename(columns={"with battery": name}), "EUR").as_svg()

    assert name in texts_of(svg)


@pytest.mark.parametrize("name", HOSTILE)
def test_plots__show_hostile_names_literally_without_a_warning(name: str):
    flows, series = make_flows()
    portfolio = make_portfolio(battery_name=name, load_name=name)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = [
            plot_series(series, portfolio),
            plot_power_balance(flows, series, portfolio),
            plot_energy(flows, portfolio),
            plot_costs(make_costs().set_axis(pd.Index([name, "other"], dtype=object), axis=1), "EUR"),
        ]
        texts = [" ".join(texts_of(figure.as_svg())) for figure in figures]
        plot_energy(flows, portfolio).as_png()

    assert all(shown(name) in text for text in texts)


def test_figures__leave_no_global_state():
    import sys

    import matplotlib as mpl

    # Reading the setting of the backend would itself load pyplot.
    names = [name for name in mpl.rcParams if name != "backend"]
    was_loaded = "matplotlib.pyplot" in sys.modules
    before = [mpl.rcParams[name] for name in names]
    line_figure(3).as_svg()

    assert [mpl.rcParams[name] for name in names] == before
    assert ("matplotlib.pyplot" in sys.modules) == was_loaded


def test_figures__ignore_the_settings_of_the_notebook():
    import matplotlib as mpl

    plain = plot_costs(make_costs(), "EUR").as_svg()
    with mpl.rc_context({"text.parse_math": True, "font.size": 30, "svg.hashsalt": "other", "svg.fonttype": "path"}):
        assert plot_costs(make_costs(), "EUR").as_svg() == plain


YEAR = 35_040  # quarter-hours


@pytest.mark.parametrize(
    "draw",
    [
        lambda axes, draws: axes.plot(draws.random(YEAR)),
        lambda axes, draws: axes.fill_between(range(YEAR), draws.random(YEAR), step="post"),
        lambda axes, draws: axes.scatter(draws.random(YEAR), draws.random(YEAR)),
        lambda axes, draws: axes.bar(range(3_000), draws.random(3_000)),
        lambda axes, draws: axes.pcolormesh(draws.random((96, 365))),
    ],
    ids=["line", "area", "marks", "bars", "cells"],
)
def test_figure__of_a_year_of_quarter_hours_is_small(draw: Any) -> None:
    """Whatever a year is drawn as, five figures of it fit in a report of 1.5 MB."""
    figure = ReportFigure("A year")
    draw(figure.add_subplot(), np.random.default_rng(0))

    shown, _ = figure._repr_mimebundle_()

    assert list(shown) == ["image/png"]
    assert len(shown["image/png"]) < 300_000


def test_figure__of_some_weeks_stays_sharp() -> None:
    """Some lines of some weeks, their areas and a small map are SVG, which a reader can search and enlarge."""
    figure = ReportFigure("Weeks")
    left, right = figure.subplots(1, 2)
    left.plot(np.random.default_rng(0).random((336, 6)))
    left.bar(range(60), np.ones(60))
    right.pcolormesh(np.random.default_rng(0).random((24, 21)))

    assert not figure.is_long
    assert list(figure._repr_mimebundle_()[0]) == ["image/svg+xml"]
