"""The study `backtest`: scores of models over days that are known, each forecast from what was known then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from measured_samples import WARM, measured, written
from report_fixtures import Reports

from ems.database.forecast_queries import list_forecasts, read_backtest
from ems.database.runs import get_run
from ems.errors import InvalidInput
from ems.studies.backtest import BacktestStudy
from ems.studies.backtest_view import BacktestView

QUICK = {"site": "small", "models": ["ridge", "seasonal_naive"], "days": 5, **WARM}


def viewed(**parameters: Any) -> BacktestView:
    study = BacktestStudy(**{**QUICK, **parameters})
    study.check()
    return study.backtest(study.load_history(), study.open_run())


def test_backtest__model_that_knows_the_temperature_beats_the_rules(project: Path):
    written(project, measured(40))

    view = viewed(known_ahead=["temp"])

    assert view.models == ["ridge", "seasonal_naive"]
    assert view.best == "ridge"
    assert view.scores["mae"].is_monotonic_increasing
    assert view.scores.loc["ridge", "skill_mae"] > 0.2
    assert view.scores.loc[view.reference, "skill_mae"] == pytest.approx(0)
    assert view.conclusion().startswith("Over 5 forecasts issued from 2024-06-05 to 2024-06-09, ridge was best:")
    assert dict(view.headline())["Best model"] == "ridge"


def test_backtest__scores_add_up(project: Path):
    """Lead times, hours and days have equally many steps each, so that their means are the error over all."""
    written(project, measured(40))

    view = viewed()

    mae = view.scores.loc["ridge", "mae"]
    assert view.by_lead()["ridge"].mean() == pytest.approx(mae)
    assert view.by_hour()["ridge"].mean() == pytest.approx(mae)
    assert view.by_day()["mae"].mean() == pytest.approx(mae)
    assert list(view.by_lead().columns) == list(dict.fromkeys([*view.models, view.reference]))
    worst, best = view.worst_days(), view.best_days()
    assert len(worst) == len(best) == 3
    assert view.by_day()["mae"].idxmax() == worst[0]
    assert view.by_day()["mae"].idxmin() == best[0]


def test_backtest__a_future_in_the_file_changes_nothing(project: Path):
    """Days after `until` are replaced: the same forecasts and scores."""
    series = measured(40)
    written(project, series)
    written(project, series.assign(demand_kw=series["demand_kw"].where(series.index < 35 * 24, 99.0)), name="planted")

    honest, planted = (viewed(site=name, until="2024-06-05T00:00") for name in ("small", "planted"))

    said = [one.test.dataset["predicted"].to_numpy() for one in (honest, planted)]
    assert np.array_equal(*said, equal_nan=True)
    assert honest.scores.drop(columns="seconds").equals(planted.scores.drop(columns="seconds"))
    assert "the file holds 120 values after the issue time; they were not used" in honest.notes()


def test_backtest__days_of_23_and_25_hours(project: Path):
    for begin, steps in (("2024-03-05", 23), ("2024-10-01", 25)):
        written(project, measured(29, begin=begin, timezone="Europe/Berlin"), timezone="Europe/Berlin")

        view = viewed(models=["seasonal_naive"], days=3)

        assert sorted(np.isfinite(view.test.observed).sum(axis=1)) == sorted([24, 24, steps])


def test_backtest__is_kept_as_a_job_for_each_model(project: Path):
    written(project, measured(40))
    study = BacktestStudy(**QUICK)
    run = study.open_run()
    view = study.backtest(study.load_history(), run)

    said = view.keep(run)

    jobs = list_forecasts(run.engine, run_id=run.id)
    assert said == f"run {run.id}: the backtests of 6 models are in the database"
    assert {job.model for job in jobs} == {*view.models, *view.test.rules}
    (ridge,) = [job for job in jobs if job.model == "ridge"]
    assert (ridge.form, ridge.status, ridge.asset_id) == ("backtest", "completed", "office")
    assert ridge.metrics["mae"] == pytest.approx(view.scores.loc["ridge", "mae"])
    assert ridge.parameters == study.as_json()
    kept = read_backtest(run.engine, ridge.id)
    assert kept["predicted"].to_numpy() == pytest.approx(
        view.test.dataset.sel(model=["ridge"])["predicted"].to_numpy()
    )
    assert get_run(run.engine, run.id).status == "completed"


def test_backtest__that_fails_leaves_a_job_for_each_model(project: Path):
    written(project, measured(10))
    study = BacktestStudy(**QUICK)
    run = study.open_run()

    with pytest.raises(InvalidInput, match="days of history before the issue time"):
        study.backtest(study.load_history(), run)

    jobs = list_forecasts(run.engine, run_id=run.id)
    assert sorted((job.model, job.status) for job in jobs) == [("ridge", "failed"), ("seasonal_naive", "failed")]


def test_backtest__drift_is_told_from_enough_days_on(project: Path):
    series = measured(60)
    written(project, series)

    few, enough = viewed(models=["seasonal_naive"]), viewed(models=["seasonal_naive"], days=21)

    assert few.drift() == []
    assert few.drift_words() == "Whether a model wears out can be told from 19 days on, one after the other."
    assert [one.subject for one in enough.drift()] == ["MAE", "coverage of 80%"]
    assert enough.drift_since() is None


def test_backtest__of_a_building_used_otherwise_finds_drift(project: Path):
    """From the seventh last day on, each second day has half the load: yesterday tells nothing any more."""
    series = measured(60)
    other = (series.index // 24 % 2 == 0) & (series.index >= 53 * 24)
    written(project, series.assign(demand_kw=series["demand_kw"].where(~other, series["demand_kw"] / 2)))

    view = viewed(models=["seasonal_naive"], model_options={"seasonal_naive": {"season": "day"}}, days=21)

    assert view.drift_since() is not None
    assert "errors have grown" in view.conclusion()


def test_backtest__weights_of_an_ensemble_sum_to_one(project: Path):
    written(project, measured(40))

    view = viewed(models=["ensemble"], model_options={"ensemble": {"members": ["ridge", "seasonal_naive"]}})

    assert view.weights().sum(axis=1).to_numpy() == pytest.approx(1)
    assert list(view.weights().columns) == ["ridge", "seasonal_naive"]
    assert viewed().weights().empty


def test_backtest__fewer_days_than_asked_are_told(project: Path):
    written(project, measured(25))

    view = viewed(models=["seasonal_naive"], days=50)

    scored = view.test.dataset.sizes["issued_at"]
    assert 1 <= scored < 50
    assert f"{scored} of 50 forecasts could be scored: the history is short" in view.notes()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": ["ridge", "rigde"]}, r"model 'rigde': did you mean ridge\?"),
        ({"model_options": {"ridge": {"alpa": 1}}}, "alpa: no such field"),
        ({"model_options": {"ensemble": {}}}, "model_options: ensemble is not among the models"),
        ({"models": ["ridge", "ridge"]}, "models: ridge is named twice"),
        ({"models": []}, "models"),
        ({"issue_time": "noon"}, "issue_time = 'noon': must be a time of day, as in 06:00"),
        ({"days": 0}, "days = 0: must be at least 1"),
        ({"every_days": 0}, "every_days = 0: must be at least 1"),
        ({"until": "soon"}, "until = 'soon': must be a date and time"),
    ],
)
def test_study__refuses(project: Path, given: dict[str, Any], message: str):
    written(project, measured(3))

    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        BacktestStudy(**{**QUICK, **given}).check()


def test_run__demo_answers_and_keeps_its_answer(reports: Reports):
    assert reports.said["backtest"].splitlines()[0].split() == ["Best", "model", "ridge"]
    run = reports.run("backtest")
    page = reports.pages["backtest"].read_text(encoding="utf-8")
    assert "ridge was best" in page
    assert f"({run.id}-backtest-1)" in page
    first = list_forecasts(reports.connect(), run_id=run.id)[0]
    assert pd.Timestamp(first.issued_at) == pd.Timestamp("2026-03-29T22:00Z")
