"""The figures of forecasts: what they draw, what they say in words, and how small they stay."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from forecast_report_samples import (
    LEVELS,
    MODELS,
    make_anomaly,
    make_forecast,
    make_history,
    make_scenarios,
)
from hypothesis import given
from hypothesis import strategies as st
from report_samples import HOSTILE

from ems.report.anomaly_marks import MOST_NUMBERS, _merged
from ems.report.forecast_figures import (
    MOST_FEATURES,
    MOST_SCENARIOS,
    plot_anomalies,
    plot_forecast,
    plot_history,
    plot_importance,
    plot_scenarios,
)
from ems.report.model_marks import Fan, edges_of, fitted_scale, mixed, model_styles, outline

LARGEST_SVG = 200_000


def texts_of(figure: Any) -> list[str]:
    return [text.text or "" for text in ET.fromstring(figure.as_svg()).iter("{http://www.w3.org/2000/svg}text")]


def legend_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


# ---------------------------------------------------------------------------------------------- fan
def test_plot_forecast__fan_history_and_later_values():
    """48 h of history come before 24 h of forecast; what the series holds of these is drawn as dots."""
    figure = plot_forecast(make_forecast(), make_history(steps=24 * 7 + 10))
    (axes,) = figure.axes

    assert legend_of(axes) == [
        "measured",
        "median",
        *(f"{low} to {100 - low} %" for low in (40, 30, 20, 10, 5)),
        "measured later",
    ]
    assert axes.get_xlabel() == "30 May to 01 Jun 2024, local time (CEST)"
    assert axes.get_ylabel() == "demand (kW)"
    assert "Forecast by ensemble, issued 2024-06-01 00:00 CEST. Demand of office: median" in figure.alt
    assert "of 10 later measurements lie in it" in figure.alt
    assert "issued" in texts_of(figure)


def test_plot_forecast__counts_what_lies_within_the_80_percent_interval():
    """A median of 10 with bounds of 8 and 12: of 9, 12 and 13, two lie within."""
    forecast = make_forecast(steps=3, levels=(0.1, 0.5, 0.9))
    forecast["demand_kw"][:] = [8.0, 10.0, 12.0]
    observed = xr.DataArray([9.0, 12.0, 13.0], {"time": forecast["time"]}, ["time"])

    assert "2 of 3 later measurements lie in it" in plot_forecast(forecast, None, observed).alt


def test_plot_forecast__history_before_the_issue_time_is_no_later_value():
    history = make_history(steps=24 * 7)

    figure = plot_forecast(make_forecast(), history)

    assert "later" not in figure.alt
    assert "measured later" not in legend_of(figure.axes[0])


@pytest.mark.parametrize("levels", [(0.5,), (0.1, 0.5), (0.25, 0.5, 0.75)])
def test_plot_forecast__few_levels(levels: tuple[float, ...]):
    figure = plot_forecast(make_forecast(levels=levels))

    assert legend_of(figure.axes[0]) == (["median", "25 to 75 %"] if len(levels) == 3 else ["median"])
    assert "80 %" not in figure.alt


def test_plot_forecast__steps_without_a_value_are_gaps():
    """A step beside a gap keeps its whole width."""
    forecast = make_forecast(steps=4)
    forecast["demand_kw"][1] = np.nan

    figure = plot_forecast(forecast)

    median = figure.axes[0].get_lines()[0]
    assert np.isnan(median.get_ydata()).tolist() == [False, False, True, True, False, False, False, False]
    assert len(figure.axes[0].collections[0].get_paths()) == 2
    forecast["demand_kw"][:] = np.nan
    assert plot_forecast(forecast).alt == "The forecast has no value."


def test_plot_forecast__day_of_25_hours():
    figure = plot_forecast(make_forecast("2024-10-26T22:00", steps=25))

    assert "over 25 h" in figure.alt
    assert figure.axes[0].get_xlabel() == "27 Oct 2024, local time (CEST, CET)"


@pytest.mark.parametrize(("steps", "minutes"), [(168, 60), (672, 15)])
def test_plot_forecast__stays_small(steps: int, minutes: int):
    history = make_history("2024-05-17T22:00", 15 * 24 * 60 // minutes, minutes)

    assert len(plot_forecast(make_forecast(steps=steps, minutes=minutes), history).as_svg()) < LARGEST_SVG


def test_plot_forecast__title_and_names_are_shown_literally():
    for asset, title in ((HOSTILE[1], HOSTILE[4]), (HOSTILE[2], "")):
        drawn = plot_forecast(make_forecast(steps=2, asset=asset, model=asset), title=title).as_svg()
        assert "<script" not in drawn
        assert "<img" not in drawn
        ET.fromstring(drawn)


# ---------------------------------------------------------------------------------------------- series, anomalies
def test_plot_anomalies__a_row_for_each_kind_with_numbers():
    values = make_history(steps=72)
    begin = str(values["time"].values[10])
    anomalies = [
        make_anomaly("gap", begin, 4, "4 h without a value"),
        make_anomaly("clock_shift", str(values["time"].values[30]), 24),
        make_anomaly("gap", str(values["time"].values[60]), 2),
    ]

    figure = plot_anomalies(values, anomalies, "Europe/Berlin")
    series, rows = figure.axes

    assert figure.get_suptitle() == "Demand: 3 anomalies: gap 2, clock shift 1"
    assert [label.get_text() for label in rows.get_yticklabels()] == ["gap, 2", "clock shift, 1"]
    assert [text.get_text() for text in rows.texts] == ["1", "2", "3"]
    assert len(series.collections) == 2  # each kind once
    assert "4 h without a value" in figure.alt
    assert "2024-05-25 00:00 CEST" in figure.alt


def test_plot_anomalies__of_a_year_stays_small_and_loses_no_spike():
    values = make_history("2023-12-31T23:00", 8760)
    values[4000] = 500.0
    values[100:300] = np.nan
    spikes = [make_anomaly("spike", str(values["time"].values[at]), 1) for at in range(0, 8760, 20)]

    figure = plot_anomalies(values, spikes, "Europe/Berlin")

    assert figure.axes[0].dataLim.y1 == 500.0
    assert figure.get_suptitle() == "Demand: 438 anomalies: spike 438"
    assert len(spikes) > MOST_NUMBERS
    assert not figure.axes[1].texts  # so many numbers would hide each other
    assert len(figure.axes[0].collections) == 1  # nor are they marked behind the series
    assert len(figure.as_svg()) < LARGEST_SVG


def test_plot_anomalies__a_short_stretch_is_wide_enough_to_be_seen():
    """One hour in a year is 0.01 % of the width; its mark has 0.4 %."""
    values = make_history("2023-12-31T23:00", 8760)

    rows = plot_anomalies(values, [make_anomaly("spike", "2024-06-01T00:00", 1)]).axes[1]

    box = rows.collections[0].get_paths()[0].get_extents()
    assert box.width == pytest.approx(0.004 * 365, rel=1e-3)


def test_plot_anomalies__nothing_found_is_said_and_a_history_claims_no_search():
    values = make_history(steps=24)

    assert plot_anomalies(values, []).get_suptitle() == "Demand: nothing unusual found"
    assert plot_history(values, "Europe/Berlin").get_suptitle() == "Demand: 24 values measured"
    assert plot_anomalies(values * np.nan, []).alt == "Nothing was measured."


def test_plot_anomalies__names_are_escaped():
    anomalies = [make_anomaly(name, "2024-05-25", 1, name) for name in HOSTILE]

    drawn = plot_anomalies(make_history(steps=24).rename(HOSTILE[2]), anomalies).as_svg()

    ET.fromstring(drawn)
    assert "<script" not in drawn
    assert "<img" not in drawn


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 20)), max_size=30))
def test_merged__covers_the_same_without_overlaps(spans: list[tuple[float, float]]):
    merged = _merged(spans)

    for before, after in itertools.pairwise(merged):
        assert sum(before) < after[0]
    for begin, length in spans:
        assert any(b - 1e-9 <= begin and begin + length <= b + size + 1e-9 for b, size in merged)


# ---------------------------------------------------------------------------------------------- importance, scenarios
def importances(count: int) -> pd.DataFrame:
    share = np.linspace(0.4, -0.02, count) if count > 1 else np.array([0.4])
    return pd.DataFrame({"feature": [f"feature {at}" for at in range(count)], "importance": share})


def test_plot_importance__the_highest_at_the_top():
    table = importances(3).iloc[::-1].assign(spread=0.05)

    figure = plot_importance(table)
    (axes,) = figure.axes

    assert [label.get_text() for label in axes.get_yticklabels()] == ["feature 0", "feature 1", "feature 2"]
    assert figure.get_suptitle() == "feature 0 matters most: shuffled, it adds 40 % to the error"
    assert "feature 2 -2 %" in figure.alt
    assert "standard deviation" in axes.get_xlabel()
    assert axes.get_xlim()[0] < -0.07


def test_plot_importance__of_many_the_first():
    figure = plot_importance(importances(60))

    assert len(figure.axes[0].get_yticklabels()) == MOST_FEATURES
    assert "The first 20 of 60 are drawn." in figure.alt


def test_plot_importance__nothing_matters_or_is_known():
    useless = importances(2).assign(importance=[-0.01, 0.0])

    assert plot_importance(useless).get_suptitle() == "No feature matters: shuffled, none adds to the error"
    assert plot_importance(pd.DataFrame()).alt == "The importance of no feature is known."
    assert plot_importance(importances(2).assign(importance=np.nan)).alt == "The importance of no feature is known."


def test_plot_scenarios__the_probable_are_stronger():
    """Two scenarios of 10 and 20 kW, probable by 0.75 and 0.25, are expected to give 12.5 kW."""
    times = make_forecast(steps=2)["time"].to_numpy()
    scenarios = xr.Dataset(
        {
            "demand_kw": (("scenario", "time"), [[10.0, 10.0], [20.0, 20.0]], {"units": "kW"}),
            "probability": ("scenario", [0.75, 0.25]),
        },
        {"time": times},
        {"timezone": "Europe/Berlin"},
    )

    figure = plot_scenarios(scenarios, "demand_kw")

    weak, strong, expected = figure.axes[0].get_lines()
    assert strong.get_linewidth() > weak.get_linewidth()
    assert strong.get_ydata()[0] == 10
    assert expected.get_ydata().tolist() == [12.5, 12.5]
    assert "probable by 25 to 75 %; expected value 12.5 kW" in figure.alt


def test_plot_scenarios__of_many_the_most_probable():
    scenarios = make_scenarios(200, 48)

    figure = plot_scenarios(scenarios, "demand_kw")

    assert len(figure.axes[0].get_lines()) == MOST_SCENARIOS + 1
    assert "200 scenarios" in figure.get_suptitle()
    assert "the 60 most probable are drawn" in figure.get_suptitle()
    assert len(figure.as_svg()) < LARGEST_SVG
    assert plot_scenarios(scenarios * np.nan, "demand_kw").alt == "No scenario has a value."


# ---------------------------------------------------------------------------------------------- colours, fans
@given(st.permutations(MODELS), st.integers(1, 8))
def test_model_styles__a_model_looks_the_same_in_each_figure(models: list[str], count: int):
    report = sorted(models)

    assert model_styles(models[:count], report) == {
        name: style for name, style in model_styles(report).items() if name in models[:count]
    }


def test_model_styles__eight_models_can_be_told_apart():
    for models in (MODELS, [f"own {at}" for at in range(8)]):
        assert len({(style.colour, str(style.dashes)) for style in model_styles(models).values()}) == 8
    assert len(set(model_styles([f"own {at}" for at in range(20)]).values())) == 20


def test_fan__pairs_are_nested_and_symmetric():
    levels = np.array([0.05, 0.1, 0.3, 0.5, 0.9, 0.95])
    fan = Fan(np.arange(2).astype("datetime64[h]"), np.zeros((1, 6)), levels)

    assert fan.pairs == [(0, 5), (1, 4)]  # 0.3 has no partner
    assert Fan(fan.edges, np.zeros((1, len(LEVELS))), LEVELS).pairs == [(at, 10 - at) for at in range(5)]


def test_outline__steps_of_a_few_and_middles_of_many():
    edges = edges_of(np.arange(300).astype("datetime64[h]"))

    assert [len(one) for one in outline(edges[:4], np.arange(3.0))] == [6, 6]
    assert [len(one) for one in outline(edges, np.arange(300.0))] == [300, 300]


def test_fitted_scale__zero_unless_most_of_it_were_empty():
    scales = []
    for shift in (0, 90, -50):
        axes = plot_history(make_history(steps=24) + shift, "UTC").axes[0]
        fitted_scale(axes)
        scales.append(axes.get_ylim()[0])

    assert scales[0] == 0
    assert scales[1] > 80
    assert scales[2] < -30
    assert mixed("#0072B2", "#FFFFFF", 1.0) == "#0072b2"
