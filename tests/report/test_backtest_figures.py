"""The figures of backtests: numbers found by hand, the same ones as the scores', and labels that hide nothing."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from forecast_report_samples import MODELS, TIMEZONE, make_backtest, make_weights
from hypothesis import given
from hypothesis import strategies as st
from report_samples import HOSTILE

from ems.forecast.backtest import Backtest
from ems.forecast.backtest_scores import calibration_table, coverage_of, scores_by_hour, scores_by_lead, scores_of
from ems.report.backtest_figures import (
    MOST_DAYS,
    plot_calibration,
    plot_cost_against_skill,
    plot_days,
    plot_drift,
    plot_residuals,
    plot_scores_by_hour,
    plot_scores_by_lead,
    plot_weights,
)
from ems.report.backtest_marks import BacktestData, chance_band, correlation_words, front_of, means_of

FOUR = make_backtest()
ONE = make_backtest(("auto",), 1, 4, 15, start="2024-06-01T08:00")
"""One model, one forecast of four quarters of an hour."""


# ---------------------------------------------------------------------------------------------- scores
def test_plot_scores_by_lead__title_tells_the_best():
    """The errors of a are 1 and 3, of b 2 and 2: equal on average, a best at one of two; c errs by 4."""
    table = pd.DataFrame({"c": [4.0, 4.0], "a": [1.0, 2.5], "b": [2.0, 2.0]}, index=[0.0, 1.0])

    figure = plot_scores_by_lead(table, "kW")
    (axes,) = figure.axes

    assert figure.get_suptitle() == "a errs least, 1.75 kW on average; best at 1 of 2 lead times"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b", "c"]
    assert axes.get_lines()[-1].get_xdata().tolist() == [0.5, 1.5]  # in the middle of each hour
    assert "a 1.75; b 2; c 4" in figure.alt
    assert axes.get_ylabel() == "mean absolute error (kW)"


def test_plot_scores__a_model_has_its_colour_wherever_it_stands():
    table = scores_by_lead(FOUR)

    for part in (table, table[["lightgbm", "ridge"]], table[["lightgbm"]]):
        colours = [line.get_color() for line in plot_scores_by_lead(part).axes[0].get_lines()]
        assert "#D55E00" in colours


def test_plot_scores_by_hour__hours_without_a_score_are_gaps():
    """Forecasts from 10:00 to 11:00 local time tell one hour of 24."""
    figure = plot_scores_by_hour(scores_by_hour(ONE), "kW")

    (line,) = figure.axes[0].get_lines()
    assert np.flatnonzero(np.isfinite(line.get_ydata())).tolist() == [10]
    assert figure.axes[0].get_xlim() == (0, 24)
    assert figure.get_suptitle().startswith("auto errs by ")
    assert plot_scores_by_hour(pd.DataFrame()).alt == "Nothing was scored."


# ---------------------------------------------------------------------------------------------- calibration
def test_tested__says_what_the_scores_say():
    """Observations on a quantile and certain steps are counted as in the table of levels."""
    observed = FOUR.observed.copy()
    observed[:, 5] = FOUR.quantiles("ridge")[:, 5, 3]
    dataset = FOUR.dataset.assign(observed=(("issued_at", "step"), observed))
    is_certain = np.zeros(observed.shape, dtype=bool)
    is_certain[:, :3] = True
    test = replace(FOUR, dataset=dataset, is_certain=is_certain)

    tested = BacktestData(dataset, is_certain)

    assert np.array_equal(tested.usable, test.usable)
    for model in test.models:
        np.testing.assert_allclose(tested.reached(model), calibration_table(test, model)["reached"], atol=1e-12)
        coverage = coverage_of(test, model)
        assert tested.interval(model) == pytest.approx((coverage["width_80"], coverage["coverage_80"]))


def test_plot_calibration__levels_band_and_widths():
    figure = plot_calibration(FOUR.dataset, FOUR.models)
    left, right, bars = figure.axes
    off = 100 * calibration_table(FOUR, "ensemble")["difference"].abs().mean()

    assert figure.get_suptitle() == (
        f"Levels of ensemble are {off:.3g} points off on average; grey: what chance allows over 28 days"
    )
    assert left.get_xlabel() == "level (%)"
    assert right.get_ylabel() == "reached less level (points)"
    np.testing.assert_allclose(
        right.get_lines()[1].get_ydata(), 100 * calibration_table(FOUR, "ensemble")["difference"], atol=1e-9
    )
    width = coverage_of(FOUR, "naive_day")["width_80"]
    assert bars.patches[-1].get_width() == pytest.approx(width)
    assert any(text.get_text().startswith("naive_day: ") for text in bars.texts)


@pytest.mark.parametrize("test", [ONE, make_backtest(MODELS, 3, 6)], ids=["one", "eight"])
def test_plot_calibration__one_or_eight_models(test: Backtest):
    assert plot_calibration(test.dataset, test.models).as_svg().startswith("<svg")


def test_plot_calibration__without_an_80_percent_interval_has_a_legend():
    dataset = FOUR.dataset.sel(quantile=[0.05, 0.5, 0.95])

    left, _, bars = plot_calibration(dataset, ["ridge"]).axes

    assert not bars.get_visible()
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["ridge"]


def test_plot_calibration__nothing_uncertain():
    everything = np.ones(FOUR.observed.shape, dtype=bool)

    words = "No observation tells whether the probabilities hold."
    assert plot_calibration(FOUR.dataset, FOUR.models, everything).alt == words


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=20), st.integers(1, 400))
def test_chance_band__holds_the_level(levels: list[float], days: int):
    low, high = chance_band(np.array(levels), days)

    assert (low <= levels).all()
    assert (high >= levels).all()
    assert (low >= 0).all()
    assert (high <= 1).all()


def test_chance_band__of_ten_coins():
    """Of 10 throws 2 to 8 are heads in 97.9 % of cases, and 3 to 7 in 89.1 %: five percent lie beyond 2 and 8."""
    low, high = chance_band(np.array([0.5]), 10)

    assert (low[0], high[0]) == (0.2, 0.8)


# ---------------------------------------------------------------------------------------------- days
def test_plot_days__each_with_its_error_and_a_day_of_23_hours():
    """On 31 March 2024 Berlin's clocks go forward: its fold has 23 steps and one NaN."""
    issued = FOUR.dataset["issued_at"].values
    change = pd.Timestamp("2024-03-30T23:00").to_datetime64()
    assert np.isnan(FOUR.observed[list(issued).index(change)]).sum() == 1

    figure = plot_days(FOUR.dataset, "ridge", [change, issued[0]], "The worst days")
    first, second = figure.axes

    error = float(np.nanmean(np.abs(FOUR.median("ridge") - FOUR.observed)[list(issued).index(change)]))
    assert first.get_title(loc="left") == f"Sun 31 Mar 2024: {error:.3g} kW"
    assert len(first.get_lines()[-1].get_ydata()) == 23
    assert len(second.get_lines()[-1].get_ydata()) == 24
    assert first.get_ylim() == second.get_ylim()
    assert figure.get_suptitle() == "The worst days of ridge and their mean absolute error (local time)"
    assert "Sun 31 Mar 2024" in figure.alt


def test_plot_days__of_many_the_first_and_of_none_a_sentence():
    days = list(FOUR.dataset["issued_at"].values)

    figure = plot_days(FOUR.dataset, "ridge", days)

    assert sum(axes.get_visible() for axes in figure.axes) == MOST_DAYS
    assert f"the first {MOST_DAYS} of 28" in figure.get_suptitle()
    assert plot_days(FOUR.dataset, "ridge", []).alt == "No day was scored."
    assert "Sat 01 Jun 2024 10:00" in plot_days(ONE.dataset, "auto", ONE.dataset["issued_at"].values).alt


def test_plot_days__a_week_in_small_panels_stays_small():
    test = make_backtest(("ridge",), 3, 168)

    assert len(plot_days(test.dataset, "ridge", test.dataset["issued_at"].values).as_svg()) < 150_000


def test_plot_days__a_day_that_was_not_measured():
    dataset = FOUR.dataset.assign(observed=FOUR.dataset["observed"] * np.nan)

    figure = plot_days(dataset, "ridge", [dataset["issued_at"].values[0]])

    assert figure.axes[0].get_title(loc="left") == "Tue 05 Mar 2024: not measured"


# ---------------------------------------------------------------------------------------------- errors
def test_plot_residuals__bias_by_day_and_by_hour():
    """A forecast that is 2 kW above what came at all hours is 2 kW too high, and no error lies elsewhere."""
    test = make_backtest(("ridge",), 12)
    observed = test.median("ridge") - 2.0
    dataset = test.dataset.assign(observed=(("issued_at", "step"), observed))

    figure = plot_residuals(dataset, "ridge")
    by_hour, _, by_day = figure.axes

    assert figure.get_suptitle() == "ridge is 2 kW too high on average; 80 % of errors lie from 2 to 2 kW"
    np.testing.assert_allclose(by_hour.get_lines()[0].get_ydata(), 2.0)
    assert by_day.dataLim.y1 == pytest.approx(2.0)
    assert by_day.get_xlabel() == "05 to 16 Mar 2024, local time (CET)"
    assert by_hour.get_ylabel() == "forecast less\nmeasured (kW)"


def test_plot_residuals__one_forecast_and_none_measured():
    assert "auto is " in plot_residuals(ONE.dataset, "auto").get_suptitle()
    nothing = ONE.dataset.assign(observed=ONE.dataset["observed"] * np.nan)
    assert plot_residuals(nothing, "auto").alt == "Nothing was measured to compare with."


def test_correlation_words__of_alternating_errors():
    assert correlation_words(np.resize([1.0, -1.0], 20)) == "correlation with the one before -1.00"
    assert correlation_words(np.ones(20)) == ""  # without any change it is not defined
    assert correlation_words(np.resize([1.0, -1.0], 5)) == ""
    assert means_of(np.array([[1.0, np.nan, 3.0], [np.nan] * 3])).tolist()[0] == 2.0


# ---------------------------------------------------------------------------------------------- cost, weights, drift
def test_plot_cost_against_skill__labels_hide_nothing():
    """Models of nearly the same cost and error: each is named, and no name lies on another or on a dot."""
    table = pd.DataFrame(
        {"seconds": [0.1, 0.1, 0.11, 0.105, 0.2, 1e-9, 0.0, 3.0], "mae": [1.0, 1.01, 1.0, 1.02, 1.5, 2.0, 2.01, 0.9]},
        index=list(MODELS),
    )

    figure = plot_cost_against_skill(table, "kW")
    figure.draw_without_rendering()
    (axes,) = figure.axes

    boxes = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == list(MODELS)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    dots = axes.transData.transform(np.column_stack([np.maximum(table["seconds"], 1e-4), table["mae"]]))
    assert not any(box.contains(*dot) for box in boxes for dot in dots)
    assert figure.get_suptitle() == "own errs least, for 3 s of CPU a forecast"


def test_plot_cost_against_skill__one_model_and_none():
    scores, _ = scores_of(FOUR)

    assert plot_cost_against_skill(scores.iloc[:1], "kW").as_svg().startswith("<svg")
    assert plot_cost_against_skill(scores.iloc[:0]).alt == "No model was scored."


def test_front_of__what_is_dearer_must_err_less():
    """Of four models the second costs more than the first and errs more; the last is as good as the third, dearer."""
    cost, error = np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 6.0, 4.0, 4.0])

    assert front_of(cost, error).tolist() == [0, 2]


def test_plot_weights__stacked_by_mean_weight():
    weights = pd.DataFrame(
        {"ridge": [0.25, 0.25], "lightgbm": [0.75, 0.75], "naive_day": [0.0, 0.0]},
        index=pd.DatetimeIndex(["2024-03-04T23:00", "2024-03-05T23:00"]),
    )

    figure = plot_weights(weights, TIMEZONE)
    (axes,) = figure.axes

    assert figure.get_suptitle() == "lightgbm weighs most, 75 % on average"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ridge 25 %", "lightgbm 75 %"]
    assert axes.get_xlabel() == "05 to 06 Mar 2024, local time (CET)"
    assert "naive_day 0 %" in figure.alt  # told, though it has no area


def test_plot_weights__one_forecast_and_none():
    assert "from 2024-03-04 23:00 UTC to 2024-03-05 23:00 UTC" in plot_weights(make_weights(1)).alt
    assert plot_weights(pd.DataFrame()).alt == "No ensemble was scored."


def test_plot_drift__means_before_and_after():
    """Ten days of 2 kW and five of 5 kW; one is not known."""
    index = pd.date_range("2024-03-04T23:00", periods=15)
    daily = pd.Series([2.0] * 10 + [5.0] * 5, index)
    daily.iloc[3] = np.nan

    figure = plot_drift(daily, TIMEZONE, index[10], "kW")

    assert figure.get_suptitle() == "Error of each day: 5 kW since 15 Mar 2024, 2 kW before"
    levels = {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    assert levels == {"error of a day", "mean since the change", "mean before"}
    assert "3 kW before" in plot_drift(daily, TIMEZONE, index[10], "kW", reference=3.0).alt


def test_plot_drift__none_found():
    daily = pd.Series([2.0], pd.DatetimeIndex(["2024-03-04T23:00"]))

    assert "2 kW on average, no drift was found" in plot_drift(daily, TIMEZONE, None, "kW").alt
    assert plot_drift(daily * np.nan).alt == "Nothing was measured to compare with."


def test_figures__show_names_literally():
    names = [name for name in HOSTILE if "<" in name or "$" in name]
    test = make_backtest(names, 1, 2)
    scores = pd.DataFrame({"mae": [1.0, 2.0, 3.0, 4.0], "seconds": [1.0, 2.0, 3.0, 4.0]}, index=names)
    for figure in (
        plot_scores_by_lead(scores_by_lead(test), names[0]),
        plot_calibration(test.dataset, names),
        plot_days(test.dataset, names[1], test.dataset["issued_at"].values, names[2]),
        plot_residuals(test.dataset, names[1]),
        plot_cost_against_skill(scores, names[0]),
        plot_weights(make_weights(2, names)),
    ):
        drawn = figure.as_svg()
        ET.fromstring(drawn)
        assert "<script" not in drawn
        assert "<img" not in drawn
