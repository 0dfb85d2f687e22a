"""The plots: titles, units, local time, and what the alternative texts say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from report_samples import make_costs, make_flows, make_portfolio

from ems.report.curves import Curve, boundaries_of, distinct, layers_of
from ems.report.figures import plot_costs, plot_energy, plot_power_balance, plot_series
from ems.report.style import colour_of, shown, time_label

FLOWS, SERIES = make_flows()


def test_plot_series__says_local_time_and_units():
    figure = plot_series(SERIES, make_portfolio())

    assert figure.axes[-1].get_xlabel() == "01 Jun 2024, local time (CEST)"
    assert [axes.get_ylabel() for axes in figure.axes] == ["demand\n(kW)", "available\n(kW)", "price\n(EUR/kWh)"]
    assert figure.axes[-1].get_title(loc="left") == "Price 0.06 to 0.18 EUR/kWh"
    assert "from 2024-06-01 00:00 CEST to 2024-06-02 00:00 CEST" in figure.alt


def test_plot_series__marks_the_hours_of_the_site():
    """The first step is 22:00 UTC, which is midnight in Berlin and 7:00 in Tokyo."""
    marks = {}
    for timezone in ("Europe/Berlin", "Asia/Tokyo"):
        figure = plot_series(SERIES, make_portfolio(timezone=timezone))
        figure.draw_without_rendering()
        marks[timezone] = [label.get_text() for label in figure.axes[-1].get_xticklabels()]

    assert marks["Europe/Berlin"][0] == "01 Jun"
    assert marks["Asia/Tokyo"][0] == "08:00"


def test_plot_series__without_any_value_says_so():
    empty = SERIES.where(False)

    assert plot_series(empty, make_portfolio()).alt == "No demand, available power or price is given."


def test_plot_power_balance__alt_sums_energy():
    """1 kW up for one hour and 2 kW down for two hours are 1 kWh given and 4 kWh taken."""
    times = np.datetime64("2024-06-01T00", "ns") + np.arange(3) * np.timedelta64(1, "h")
    flows = xr.Dataset({"injection_kw": (("time", "asset"), [[1.0], [-2.0], [-2.0]])}, {"time": times, "asset": ["b"]})
    portfolio = SimpleNamespace(
        currency="EUR",
        sites=[SimpleNamespace(id="s", name="Site", timezone="UTC")],
        assets=[SimpleNamespace(id="b", name="Bank", kind="battery", site_id="s")],
    )

    figure = plot_power_balance(flows, xr.Dataset(), portfolio)

    assert "Bank gives 1 kWh and takes 4 kWh" in figure.alt
    assert len(figure.axes) == 1  # no price, no panel for it


def test_plot_power_balance__draws_load_as_positive_line():
    figure = plot_power_balance(FLOWS, SERIES, make_portfolio())
    highest = float(SERIES.demand_kw.max())

    line = next(line for line in figure.axes[-1].get_lines() if len(line.get_ydata()) == 25)

    assert line.get_ydata().max() == pytest.approx(highest, rel=1e-12)  # the same number, only negated twice
    assert [text.get_text() for text in figure.axes[-1].get_legend().get_texts()] == [
        "Harbour battery",
        "Grid",
        "Roof",
        "load",
    ]


def test_plot_power_balance__many_assets_are_summed_by_kind_and_sign():
    """Ten batteries, five give 1 kW and five take 1 kW: 5 kW of each, not 0."""
    curves = [Curve(f"b{i}", "battery", "#000000", np.array([1.0 if i < 5 else -1.0])) for i in range(10)]

    (layer,) = layers_of(curves)

    assert layer.label == "battery, 10 together"
    assert (layer.supply_kw.tolist(), layer.use_kw.tolist()) == ([5.0], [-5.0])


def test_plot_energy__shows_limits_and_shares():
    figure = plot_energy(FLOWS, make_portfolio())
    axes = figure.axes[0]

    assert axes.get_ylabel() == "energy (kWh)"
    assert sorted(line.get_ydata()[0] for line in axes.get_lines() if len(line.get_ydata()) == 2) == [10.0, 90.0]
    assert len(axes.get_lines()[-1].get_xdata()) == 25  # 24 steps have 25 boundaries
    assert "Harbour battery holds 50 to 90 kWh of 100 kWh" in figure.alt


def test_plot_energy__without_a_battery_says_so():
    assert plot_energy(FLOWS, make_portfolio().without("battery")).alt == "No battery takes part."


def test_plot_costs__totals_in_title_and_no_bar_for_nothing():
    """95 - 6 + 1 = 90 and 100 - 1 = 99; fuel costs nothing in either case."""
    figure = plot_costs(make_costs(), "EUR")

    assert figure.get_suptitle() == "Total cost: with battery 90.00 EUR, without battery 99.00 EUR"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "import cost",
        "export revenue",
        "wear cost",
    ]


def test_plot_costs__nothing_at_all():
    figure = plot_costs(make_costs() * 0, "EUR")

    assert "with battery 0.00 EUR" in figure.alt
    assert figure.as_svg().startswith("<svg")


def test_distinct__a_shared_tariff_is_one_curve():
    same = np.array([0.1, np.nan])
    curves = [Curve("a", "", "#000000", same), Curve("b", "", "#000000", same.copy())]

    assert [curve.label for curve in distinct(curves)] == ["a"]


def test_distinct__of_many_tariffs_the_extremes():
    curves = [Curve(str(i), "", "#000000", np.array([i / 10, 1 - i / 10])) for i in range(10)]

    lowest, highest = distinct(curves)

    assert lowest.label == "lowest of 10"
    assert lowest.values.tolist() == pytest.approx([0.0, 0.1])  # 1 - 0.9 in binary
    assert highest.values.tolist() == pytest.approx([0.9, 1.0])


def test_boundaries_of__without_the_coordinate_repeats_the_last_step():
    series = SERIES.drop_vars("boundary")

    assert boundaries_of(series).tolist() == boundaries_of(SERIES).tolist()


@pytest.mark.parametrize(
    ("start", "end", "timezone", "words"),
    [
        ("2024-05-31T22", "2024-06-01T22", "Europe/Berlin", "01 Jun 2024, local time (CEST)"),
        ("2024-10-26T22", "2024-10-27T23", "Europe/Berlin", "27 Oct 2024, local time (CEST, CET)"),
        ("2024-06-01T00", "2024-06-08T00", "UTC", "01 to 07 Jun 2024, local time (UTC)"),
        ("2024-06-28T00", "2024-07-03T00", "UTC", "28 Jun to 02 Jul 2024, local time (UTC)"),
        ("2024-12-31T00", "2025-01-02T00", "UTC", "31 Dec 2024 to 01 Jan 2025, local time (UTC)"),
    ],
)
def test_time_label__names_days_and_zones(start: str, end: str, timezone: str, words: str):
    boundaries = np.arange(np.datetime64(start, "ns"), np.datetime64(end, "ns") + 1, np.timedelta64(1, "h"))

    assert time_label(boundaries, timezone) == words


def test_plot_series__day_of_25_hours():
    """On 27 October 2024 Berlin's clocks go back: 25 hours, and no mark falls beside an hour."""
    _, series = make_flows(25, "2024-10-26T22:00")
    figure = plot_series(series, make_portfolio())
    figure.draw_without_rendering()

    assert figure.axes[-1].get_xlabel() == "27 Oct 2024, local time (CEST, CET)"
    assert all(label.get_text()[-3:] in {":00", "Oct"} for label in figure.axes[-1].get_xticklabels())


def test_colour_of__assets_of_a_kind_differ():
    colours = [colour_of("battery", position) for position in range(5)]

    assert len(set(colours)) == 5
    assert colours[0] == "#009e73"


def test_shown__long_name_is_cut():
    assert shown("x" * 100) == "x" * 39 + "…"
