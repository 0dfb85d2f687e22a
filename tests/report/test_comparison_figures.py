"""Figures and tables of a comparison: what is marked, hatched, written, escaped, and what stands for nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from ems.report.comparison_figures import HEAT, LONGEST_VALUE, MARK, plot_effects, plot_pair
from ems.report.comparison_tables import (
    MOST_ROWS,
    show_cases,
    show_differences,
    show_effects,
    show_failures,
    show_settings,
)
from ems.report.quantity import Quantity

COST = Quantity("settled_cost", "settled cost", "EUR", 2)
SAVING = Quantity("saving", "saving", "EUR", 2, is_least=False)


def effect(parameter: str, values: dict[object, float], **fields: Any) -> pd.DataFrame:
    is_number = all(isinstance(value, int | float) for value in values)
    means = np.array(list(values.values()))
    return pd.DataFrame(
        {
            "parameter": parameter,
            "heading": parameter,
            "value": [str(value) for value in values],
            "x": [float(str(value)) if is_number else np.nan for value in values],
            "cases": 2,
            "results": 2,
            "mean": means,
            "effect": means - means.mean(),
            "least": means - 1,
            "most": means + 1,
            **fields,
        }
    )


def pair(values: list[list[float]], rows: list[str], columns: list[str], cases: int = 1, **fields: Any) -> Any:
    means = pd.DataFrame(values, index=pd.Index(rows, name="solver"), columns=pd.Index(columns, name="horizon_h"))
    counts = means.notna().astype(int) * cases
    given = {"results": counts, "cases": counts.clip(lower=1) * 0 + cases, "is_number": (False, True)}
    return SimpleNamespace(**{"means": means, "headings": ("solver", "horizon_h (h)"), **given, **fields})


def marked(figure: Any) -> list[tuple[float, float]]:
    """Return column and row of each cell that is framed as best."""
    from matplotlib.colors import to_rgba

    frames = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    return [(int(one.get_x()), int(one.get_y())) for one in frames if one.get_edgecolor() == to_rgba(MARK)]


def hatched(figure: Any) -> list[tuple[float, float]]:
    return [(one.get_x(), one.get_y()) for one in figure.axes[0].patches if one.get_hatch()]


# ---------------------------------------------------------------------------------------------- effects
def test_plot_effects__line_for_numbers_and_points_for_names():
    effects = pd.concat([effect("step_h", {0.5: 130.0, 1.0: 140.0}), effect("solver", {"highs": 134.0, "cbc": 136.0})])

    figure = plot_effects(effects, COST)

    lines = [axes.get_lines()[0] for axes in figure.axes]
    assert [line.get_linestyle() for line in lines] == ["-", "None"]
    assert lines[0].get_xdata().tolist() == [0.5, 1.0]
    assert [text.get_text() for text in figure.axes[1].get_xticklabels()] == ["highs", "cbc"]
    assert figure.axes[0].get_ylabel() == "settled cost (EUR)"
    assert figure.get_suptitle() == "step_h does most to the settled cost: 130.00 to 140.00 EUR"
    assert "step_h from 130.00 EUR at 0.5 to 140.00 EUR at 1.0; solver from" in figure.alt


@pytest.mark.parametrize(("quantity", "place"), [(COST, 2.0), (SAVING, 9.0)])
def test_plot_effects__one_parameter_marks_the_best(quantity: Quantity, place: float):
    figure = plot_effects(effect("days", {2.0: 10.0, 5.0: 11.0, 9.0: 30.0}, results=1), quantity)

    best = [line for line in figure.axes[0].get_lines() if line.get_marker() == "D"]
    assert [line.get_xdata().tolist() for line in best] == [[place]]
    assert figure.get_suptitle() == f"{quantity.words.capitalize()} by days: 10.00 to 30.00 EUR"


def test_plot_effects__without_results_many_parameters_many_values():
    many = pd.concat([effect(f"p{at}", {"a": 1.0, "b": 2.0}) for at in range(9)])
    values = {f"a value with a long name {at}": float(at) for at in range(60)}

    assert plot_effects(many[many["results"] > 2], COST).alt == "The cases differ in no parameter."
    assert "3 more parameters do less and are not drawn" in plot_effects(many, COST).alt
    labels = [text.get_text() for text in plot_effects(effect("site", values), COST).axes[0].get_xticklabels()]
    assert len(labels) <= 24
    assert len(set(labels)) == len(labels)
    assert all(len(label) <= LONGEST_VALUE for label in labels)


def test_plot_effects__all_equal_has_no_best():
    figure = plot_effects(effect("solver", {"highs": 5.0, "cbc": 5.0}), COST)

    assert not [line for line in figure.axes[0].get_lines() if line.get_marker() == "D"]


# ---------------------------------------------------------------------------------------------- pairs
def test_plot_pair__marks_the_best_and_hatches_what_is_missing():
    figure = plot_pair(pair([[5.0, 4.0, 3.0], [np.nan, 6.0, 7.0]], ["highs", "cbc"], ["12", "24", "48"]), COST)

    assert marked(figure) == [(2, 0)]
    assert hatched(figure) == [(0, 1)]
    assert (
        figure.axes[0].get_title(loc="left") == "solver=highs with horizon_h=48 has the least settled cost: 3.00 EUR"
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["5.00", "4.00", "3.00", "6.00", "7.00"]
    assert "best at highs and 48; 1 of 6 pairs have no result." in figure.alt
    assert figure.axes[0].get_xlabel() == "horizon_h (h)"
    drawn = figure.as_svg()
    assert "no result" in drawn
    assert "best" in drawn


def test_plot_pair__most_is_best_and_ties_are_all_marked():
    figure = plot_pair(pair([[5.0, 7.0], [7.0, 6.0]], ["highs", "cbc"], ["12", "24"]), SAVING)

    assert sorted(marked(figure)) == [(0, 1), (1, 0)]
    assert figure.axes[0].get_title(loc="left") == "2 pairs have the most saving alike"


def test_plot_pair__numbers_of_rows_rise_upward():
    figure = plot_pair(pair([[1.0, 2.0], [3.0, 4.0]], ["5", "10"], ["12", "24"], is_number=(True, True)), COST)

    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["10", "5"]
    assert marked(figure) == [(0, 1)]  # the first row is below


def test_plot_pair__a_star_where_some_cases_are_missing():
    given = pair([[5.0, 4.0], [8.0, 6.0]], ["highs", "cbc"], ["12", "24"], cases=2)
    given.results.iloc[0, 1] = 1

    figure = plot_pair(given, COST)

    assert [text.get_text() for text in figure.axes[0].texts] == ["5.00", "4.00*", "8.00", "6.00"]
    assert "has the least settled cost on average" in figure.axes[0].get_title(loc="left")


def test_plot_pair__nothing_to_show_one_value_and_many_cells():
    assert plot_pair(None, COST).alt.startswith("Fewer than two parameters differ")
    assert plot_pair(pair([[np.nan]], ["a"], ["b"]), COST).alt == "No pair of values has a result."
    equal = plot_pair(pair([[5.0, 5.0]], ["a"], ["b", "c"]), COST)
    assert "from 5.00 EUR to 5.00 EUR" in equal.alt
    large = plot_pair(
        pair(np.arange(2500.0).reshape(50, 50).tolist(), list(map(str, range(50))), list(map(str, range(50)))), COST
    )
    assert not large.axes[0].texts
    assert len(large.axes[0].get_xticklabels()) <= 25


def test_plot_pair__names_of_people_are_shown_as_they_are():
    figure = plot_pair(pair([[5.0, 4.0]], ["<b>$x$</b>"], ["1", "2"]), COST)

    assert "<b>" not in figure.as_svg()
    assert "&lt;b&gt;$x$" in figure.as_svg()


def test_heat__rises_in_lightness():
    """A scale whose lightness never turns is read alike by colour-blind eyes and in grey."""
    from matplotlib import colormaps

    red, green, blue = colormaps[HEAT](np.linspace(0, 1, 64))[:, :3].T
    grey = 0.299 * red + 0.587 * green + 0.114 * blue

    assert (np.diff(grey) < 0).all()


# ---------------------------------------------------------------------------------------------- tables
def ranked(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rank": range(1, count + 1),
            "number": range(count, 0, -1),
            "settled_cost": [1000.0 + at for at in range(count)],
            "against": [float(at) for at in range(count)],
            "solver": "<i>highs</i>",
            "cpu_seconds": 1.0,
        }
    )


def test_show_cases__best_first_with_units_and_thousands():
    table = show_cases(ranked(2), ["solver"], [COST, Quantity("cpu_seconds", "CPU time", "s", 1)], baseline=2)

    columns = ["rank", "case", "settled cost (EUR)", "against case 2 (EUR)", "solver", "CPU time (s)"]
    assert list(table.columns) == columns
    page = table._repr_html_()
    assert "1,001.00" in page
    assert "&lt;i&gt;highs" in page
    assert "2 cases by settled cost, the best first" in page


def test_show_cases__of_many_the_first_and_the_last():
    table = show_cases(ranked(1234), [], [COST])

    assert len(table.rows) == MOST_ROWS
    assert [table.rows[0][0], table.rows[-1][0]] == [1, 1234]
    assert (
        table.caption
        == f"1,234 cases by settled cost, the best first; {1234 - MOST_ROWS:,} before the last are not shown"
    )
    assert table.columns[3] == "against the best (EUR)"


def test_show_failures__each_reason_once():
    failures = pd.DataFrame(
        [{"reason": "no <b>schedule</b>", "cases": list(range(1, 16)), "label": "x"}],
        columns=["reason", "cases", "label"],
    )

    table = show_failures(failures)

    assert table.rows == [("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 3 more", 15, "x", "no <b>schedule</b>")]
    assert table.caption == "15 cases have no result"
    assert show_failures(failures.head(0)).caption == "No case failed"


def test_show_differences__each_row_has_its_digits():
    frame = pd.DataFrame(
        [[1234.5, 1300.0], [0.12345, np.nan]],
        index=[COST, Quantity("solve_time_s", "solver time", "s", 4)],
        columns=["best: case 1", "last: case 2"],
    )

    shown = repr(show_differences(frame))

    assert "settled cost (EUR)      1,234.50      1,300.00              65.50" in shown
    assert "0.1235" in shown
    assert show_differences(frame.head(0)).caption == "They differ in no figure"


def test_show_settings__values_in_words():
    frame = pd.DataFrame({"best: case 1": ["none"], "last: case 2": ["yes"]}, index=["choose_plan"])

    assert show_settings(frame).rows == [["choose_plan", "none", "yes"]]
    assert show_settings(frame.head(0)).caption == "They differ in no parameter"


def test_show_effects__names_each_parameter_once():
    table = show_effects(effect("solver", {"highs": 134.0, "cbc": 136.0}, results=[2, 1]), COST)

    assert [row[:3] for row in table.rows] == [["solver", "highs", "2"], ["", "cbc", "1 of 2"]]
    assert [row[4] for row in table.rows] == [-1.0, 1.0]
    assert "least (EUR)" in table.columns
    assert "least (EUR)" not in show_effects(effect("solver", {"a": 1.0}, results=1), COST).columns
