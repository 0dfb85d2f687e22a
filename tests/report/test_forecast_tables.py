"""The tables of forecasts: marks of the best, what is undefined, local time, and how many rows there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from forecast_report_samples import make_anomaly, make_backtest, make_forecast
from report_samples import HOSTILE

from ems.forecast.backtest_scores import calibration_table, scores_of
from ems.report.forecast_tables import (
    BEST,
    MOST_ROWS,
    show_anomalies,
    show_calibration,
    show_choice,
    show_forecast,
    show_models,
    show_scores,
)


def scores(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.Index(["a", "b", "c"], name="model"))


def cells_of(table: Any, column: int) -> list[str]:
    return [row[column] for row in table._texts()]


def test_show_forecast__local_time_median_and_interval():
    table = show_forecast(make_forecast(steps=24))

    assert table.columns == ["local time (CEST)", "median (kW)", "80 % interval from (kW)", "to (kW)"]
    assert len(table.rows) == 24
    assert table.rows[0][0] == "Sat 01 Jun 00:00"
    assert table.caption == "Forecast of demand of office by ensemble, issued 2024-06-01 00:00 CEST"
    first = make_forecast(steps=24)["demand_kw"].sel(quantile=[0.5, 0.1, 0.9]).to_numpy()[0]
    assert table.rows[0][1:] == pytest.approx(list(first))


def test_show_forecast__hour_that_comes_twice_is_told_apart():
    times = [row[0] for row in show_forecast(make_forecast("2024-10-26T22:00", steps=25)).rows]

    assert len(set(times)) == 25
    assert times[2:4] == ["Sun 27 Oct 02:00 CEST", "Sun 27 Oct 02:00 CET"]


@pytest.mark.parametrize(("steps", "minutes", "every"), [(48, 60, 1), (96, 15, 2), (168, 60, 4)])
def test_show_forecast__of_a_long_one_some_steps(steps: int, minutes: int, every: int):
    table = show_forecast(make_forecast(steps=steps, minutes=minutes))

    assert len(table.rows) == steps / every <= MOST_ROWS
    assert (f"one of {every} steps is shown" in table.caption) == (every > 1)


def test_show_forecast__other_levels_and_gaps():
    forecast = make_forecast(steps=2, levels=(0.25, 0.5, 0.75))
    forecast["demand_kw"][1] = np.nan

    table = show_forecast(forecast)

    assert table.columns[2] == "50 % interval from (kW)"
    assert cells_of(table, 1)[1] == "–"
    assert show_forecast(make_forecast(steps=2, levels=(0.5,))).columns[1:] == ["median (kW)"]


def test_show_scores__marks_the_best_of_each_column():
    """The bias nearest zero, the coverage nearest 80 %, the narrowest of the honest intervals."""
    table = show_scores(
        scores(
            mae=[1.0, 2.0, 3.0],
            bias=[-0.5, 0.1, 3.0],
            coverage_80=[0.79, 0.75, 0.82],
            width_80=[5.0, 1.0, 7.0],
            skill_mae=[0.3, 0.4, np.nan],
            seconds=[1.0, 1.0, 2.0],
        ),
        "kW",
    )

    assert table.columns == [
        "model", "MAE (kW)", "bias (kW)", "inside 80 % interval (%)", "width of 80 % interval (kW)", "skill, MAE (%)",
        "CPU seconds",
    ]  # fmt: skip
    assert cells_of(table, 1) == ["★ 1.00", "2.00", "3.00"]
    assert cells_of(table, 2) == ["-0.500", "★ 0.100", "3.000"]
    assert cells_of(table, 3) == ["★ 79.0", "75.0", "82.0"]
    assert cells_of(table, 4) == ["★ 5.00", "1.00", "7.00"]  # 1 kW covers too little
    assert cells_of(table, 5) == ["30.0", "★ 40.0", "undefined"]
    assert cells_of(table, 6) == ["★ 1.000", "★ 1.000", "2.000"]
    assert table._repr_html_().count('class="number"') == 6 * 4  # undefined or marked, numbers stay aligned


def test_show_scores__undefined_for_all_or_nothing_to_compare():
    undefined = show_scores(scores(mape=[np.nan] * 3))

    assert cells_of(undefined, 1) == ["undefined"] * 3
    assert BEST not in undefined.caption
    one = show_scores(scores(mae=[1.0, 2.0, 3.0]).iloc[:1])
    assert cells_of(one, 1) == ["1.00"]
    assert show_scores(scores(other=[1.0, 2.0, 3.0])).columns == ["model"]


def test_show_scores__of_a_backtest():
    table, _ = scores_of(make_backtest())

    shown = show_scores(table, "kW")

    assert [row[0] for row in shown.rows] == ["ensemble", "ridge", "lightgbm", "naive_day"]
    assert len(shown.columns) == 1 + len(table.columns)
    assert repr(shown).startswith("Scores of the models; ★ marks the best of a column")


def test_show_calibration__points():
    table = show_calibration(
        pd.DataFrame({"reached": [0.113, np.nan], "difference": [0.013, np.nan]}, index=[0.1, 0.975])
    )

    assert [row[0] for row in table.rows] == ["10", "97.5"]
    assert cells_of(table, 1) == ["11.3", "undefined"]
    assert cells_of(table, 2) == ["1.3", "undefined"]
    test = make_backtest()
    assert len(show_calibration(calibration_table(test, "ridge")).rows) == 11


def test_show_anomalies__numbered_and_counted():
    anomalies = [make_anomaly("clock_shift", "2024-06-01", 1, f"number {at}") for at in range(60)]

    table = show_anomalies(anomalies)

    assert len(table.rows) == MOST_ROWS
    assert table.rows[0] == (1, "clock shift from 2024-06-01 00:00: number 0")
    assert table.caption == "Looks wrong: clock shift 60; the first 48 of 60"
    assert show_anomalies([]).caption == "Nothing in the series looks wrong"


def test_show_choice__least_error_first():
    table = show_choice({"b": 2.0, "ensemble": 1.0, "c": float("nan")}, "b", "kW")

    assert [row[0] for row in table.rows] == ["ensemble", "b", "c"]
    assert cells_of(table, 1) == ["1.00", "★ 2.00", "undefined"]
    assert show_choice({}, "ridge").caption == "Nothing was chosen: one model was asked for"


def test_show_models__range_scores_and_hash():
    model = SimpleNamespace(
        id="office-1",
        name="Office",
        model="auto",
        trained_from=pd.Timestamp("2023-06-01"),
        trained_until=pd.Timestamp("2024-06-01"),
        sha256="0123456789abcdef" * 4,
        scores={"mae": 1.2345, "skill_mae": float("nan"), "coverage_80": 0.7954},
        is_promoted=True,
    )

    table = show_models([model])

    assert table._texts() == [
        [
            "Office",
            "office-1",
            "auto",
            "2023-06-01 to 2024-06-01",
            "MAE 1.23; skill, MAE undefined; inside 80 % interval 79.5 %",
            "yes",
            "0123456789ab",
        ]
    ]
    assert show_models([]).caption == "No model is kept"


def test_tables__escape_names():
    for name in HOSTILE:
        frame = scores(mae=[1.0, 2.0, 3.0]).rename(index={"a": name})
        for table in (
            show_scores(frame, name, name),
            show_forecast(make_forecast(steps=2, asset=name, model=name)),
            show_anomalies([make_anomaly(name, "2024-06-01", 1, name)]),
            show_choice({name: 1.0}, name, name),
        ):
            html = table._repr_html_()
            assert "<script" not in html
            assert "<img" not in html
