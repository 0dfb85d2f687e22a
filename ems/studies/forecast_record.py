"""What a study of forecasts keeps of itself in the database: its jobs, their quantiles, and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ems.database.forecast_records import ForecastJob
from ems.database.forecasts import backtest_jobs, fail_forecast, forecast_job, store_backtest, store_forecast
from ems.studies.forecast import ForecastStudy
from ems.studies.study_run import versions

if TYPE_CHECKING:
    from ems.studies.backtest import BacktestStudy
    from ems.studies.backtest_view import BacktestView
    from ems.studies.forecast_source import MeasuredHistory
    from ems.studies.forecast_view import ForecastView
    from ems.studies.study_run import StudyRun


def keep_forecast(run: StudyRun, view: ForecastView) -> str:
    """Keep a forecast with its job, complete the run, and say so in a sentence."""
    job = forecast_job(
        view.forecast,
        id=f"{run.id}-forecast-1",
        samples=view.fitted.samples,
        metrics=view.metrics(),
        seconds=view.seconds,
        **_asked(run, view.study, view.measured),
    )
    kept = store_forecast(run.engine, job, view.forecast)
    run.complete(view.headline(), view.notes(), view.data())
    return f"run {run.id}: {view.forecast[view.variable].size} quantiles of forecast {kept.id} are in the database"


def keep_backtest(run: StudyRun, view: BacktestView) -> str:
    """Keep a backtest with a job for each model, complete the run, and say so in a sentence."""
    jobs = backtest_jobs(view.test.dataset, id=f"{run.id}-backtest", **_asked(run, view.study, view.measured))
    jobs = [job.replace(metrics=view.metrics(job.model)) for job in jobs]
    kept = store_backtest(run.engine, jobs, view.test.dataset)
    run.complete(view.headline(), view.notes(), view.data())
    return f"run {run.id}: the backtests of {len(kept)} models are in the database"


def keep_failure(
    run: StudyRun, study: ForecastStudy | BacktestStudy, measured: MeasuredHistory, error: Exception
) -> None:
    """Keep a job for each model that a study asked for, with the reason why there is no forecast."""
    models = [study.model] if isinstance(study, ForecastStudy) else study.models
    for number, model in enumerate(models, 1):
        job = ForecastJob(
            id=f"{run.id}-{study.name}-{number}",
            form="forecast" if isinstance(study, ForecastStudy) else "backtest",
            kind=measured.history.kind,
            variable=measured.history.name,
            model=model,
            asset_id=measured.target.asset_id or None,
            units=measured.history.units or None,
            timezone=measured.timezone,
            horizon_h=study.horizon_h,
            step_h=measured.history.step_h,
            **_asked(run, study, measured),
        )
        fail_forecast(run.engine, job, str(error))


def _asked(run: StudyRun, study: ForecastStudy | BacktestStudy, measured: MeasuredHistory) -> dict[str, Any]:
    """Return the fields of a job that say what was asked, and by which versions it was answered."""
    return {
        "run_id": run.id,
        "series_id": measured.columns.series_id,
        "parameters": study.as_json(),
        "seed": study.seed,
        "versions": versions(),
    }
