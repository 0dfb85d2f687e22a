"""Forecasts and backtests into the database: each with its job, whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ems.database.bulk import insert_many
from ems.database.forecast_records import (
    FORECAST_JOBS,
    FORECAST_OBSERVATIONS,
    FORECAST_RESULTS,
    OF_FORECAST,
    ForecastForm,
    ForecastJob,
)
from ems.database.masking import storable_text
from ems.database.records import utc_now
from ems.database.run_id import new_run_id
from ems.database.runs import require_running
from ems.database.tables import record_of, row_of
from ems.database.turns import in_turn
from ems.errors import DatabaseProblem, InvalidInput, UnknownName, did_you_mean, show
from ems.record import LONGEST_TEXT

if TYPE_CHECKING:
    import xarray as xr

OPEN = ("pending", "running")


# ---------------------------------------------------------------------------------------------- keeping
def forecast_job(forecast: xr.Dataset, **fields: Any) -> ForecastJob:
    """Return the job that a forecast tells of itself: kind, asset, model and variable; ``fields`` state the rest.

    Parameters
    ----------
    forecast : Dataset (time, quantile)
    **fields
        Of `ForecastJob`: ``run_id``, ``parameters``, ``samples``; one that the forecast tells, too, holds as it is
        stated here. ``id`` is made up where it is left out.
    """
    from ems.database.forecast_form import variable_of_forecast

    told = {"kind": forecast.attrs.get("kind"), "model": forecast.attrs.get("model")}
    told |= {"asset_id": forecast.attrs.get("asset") or None, "variable": variable_of_forecast(forecast)}
    return ForecastJob(**{"id": new_run_id(), **{name: value for name, value in told.items() if value}, **fields})


def backtest_jobs(backtest: xr.Dataset, **fields: Any) -> list[ForecastJob]:
    """Return a job for each model of a backtest, with what it tells of itself; ``fields`` state the rest of each.

    Parameters
    ----------
    backtest : Dataset
        With ``predicted(model, issued_at, step, quantile)``.
    **fields
        Of `ForecastJob`; ``id`` is what all their ids begin with, and is made up where it is left out.
    """
    prefix = fields.pop("id", None) or new_run_id()
    told = {name: backtest.attrs.get(name) for name in ("kind", "variable")}
    told |= {"asset_id": backtest.attrs.get("asset") or None, "form": "backtest"}
    given = {**{name: value for name, value in told.items() if value}, **fields}
    models = [str(model) for model in backtest["model"].values]
    return [ForecastJob(**{"id": f"{prefix}-{at + 1}", "model": model, **given}) for at, model in enumerate(models)]


def open_forecast(engine: sa.Engine, job: ForecastJob) -> ForecastJob:
    """Keep a job that is asked for or at work, and return it.

    Raises
    ------
    DatabaseProblem
        If there is a job of that id, or its run is not running.
    InvalidInput
        If the job says that it has ended.
    """
    if job.status not in OPEN:
        raise InvalidInput(named(job.id), f"status = {job.status}: store_forecast and fail_forecast end a job")
    if job.status == "running" and job.started_at is None:
        job = job.replace(started_at=utc_now())

    def work(connection: sa.Connection) -> ForecastJob:
        _check_run(connection, job)
        connection.execute(sa.insert(FORECAST_JOBS), row_of(job, FORECAST_JOBS))
        return read_job(connection, job.id)

    return in_turn(engine, work)


def store_forecast(engine: sa.Engine, job: ForecastJob, forecast: xr.Dataset) -> ForecastJob:
    """Keep a forecast and its job as completed, or nothing; return the job as it was kept.

    Parameters
    ----------
    engine : Engine
    job : ForecastJob
        New, or open under its id. What the forecast tells (issue time, step, horizon, unit, time zone) is taken from
        it; a run that is named must be running.
    forecast : Dataset (time, quantile)
        One variable with a scalar coordinate ``issued_at``; NaN is kept as no value, further coordinates and all
        ``attrs`` are kept, sequences among them as lists.

    Raises
    ------
    InvalidInput
        If the dataset is no forecast, or of another variable than the job.
    DatabaseProblem
        If the job has ended already, or its run is not running.
    """
    from ems.database.forecast_form import OF_FORECAST as IN_ROWS
    from ems.database.forecast_form import beside, checked_forecast, forecast_rows

    name = checked_forecast(forecast)
    if job.variable != name:
        raise InvalidInput(named(job.id), f"variable = {show(job.variable)}: the forecast is of {name}")
    times = forecast["time"].values
    whole = _completed(
        job,
        form="forecast",
        attributes=beside(forecast, [name, *IN_ROWS]),
        issued_at=forecast["issued_at"].values,
        step_h=_step_h(job, forecast.attrs, times),
        spans=[times],
        units=forecast[name].attrs.get("units"),
        timezone=forecast.attrs.get("timezone"),
    )

    def work(connection: sa.Connection) -> ForecastJob:
        kept = _end(connection, whole)
        insert_many(connection, FORECAST_RESULTS, forecast_rows(job.id, forecast, name))
        return kept

    return in_turn(engine, work)


def store_backtest(engine: sa.Engine, jobs: Sequence[ForecastJob], backtest: xr.Dataset) -> list[ForecastJob]:
    """Keep a backtest as a completed job for each of its models, or nothing; return the jobs as they were kept.

    Parameters
    ----------
    engine : Engine
    jobs : sequence of ForecastJob
        One for each model of the backtest, as `backtest_jobs` makes them.
    backtest : Dataset
        ``predicted(model, issued_at, step, quantile)`` and ``observed(issued_at, step)`` with the coordinate
        ``time(issued_at, step)``, which is NaT at the end of shorter folds; ``attrs`` state ``variable`` and
        ``step_h``.

    Raises
    ------
    InvalidInput
        If the dataset is no backtest, or the jobs are not those of its models.
    DatabaseProblem
        If a job has ended already, or its run is not running.
    """
    import numpy as np

    from ems.database.forecast_form import OF_BACKTEST, backtest_rows, beside, checked_backtest

    checked_backtest(backtest)
    models = [str(model) for model in backtest["model"].values]
    if [job.model for job in jobs] != models:
        raise InvalidInput("the backtest", f"has the models {', '.join(models)}; give a job for each, in this order")
    times = backtest["time"].transpose("issued_at", "step").values
    spans = [fold[~np.isnat(fold)] for fold in times]
    prepared = []
    for at, job in enumerate(jobs):
        part = backtest.isel(model=[at])
        attributes = {**beside(part, OF_BACKTEST), "steps": backtest.sizes["step"]}
        whole = _completed(
            job,
            form="backtest",
            attributes=attributes,
            issued_at=backtest["issued_at"].values[-1],
            step_h=float(backtest.attrs["step_h"]),
            spans=spans,
            units=backtest.attrs.get("units"),
            timezone=backtest.attrs.get("timezone"),
        )
        if "seconds" in part.variables and job.seconds is None:
            whole = whole.replace(seconds=float(part["seconds"].values.reshape(-1)[0]))
        prepared.append((whole, part))

    def work(connection: sa.Connection) -> list[ForecastJob]:
        kept = []
        for whole, part in prepared:
            kept.append(_end(connection, whole))
            of_quantiles, of_truth = backtest_rows(whole.id, part)
            insert_many(connection, FORECAST_RESULTS, of_quantiles)
            insert_many(connection, FORECAST_OBSERVATIONS, of_truth)
        return kept

    return in_turn(engine, work)


def fail_forecast(engine: sa.Engine, job: ForecastJob, error: str) -> ForecastJob:
    """Keep that a job failed and why, without results, and return it; of a failed job the first reason stands.

    Parameters
    ----------
    engine : Engine
    job : ForecastJob
        New, or open under its id.
    error : str

    Raises
    ------
    DatabaseProblem
        If the job was completed.
    """
    text = (storable_text(error).strip() or "no reason was given")[:LONGEST_TEXT]
    failed = job.replace(status="failed", error=text, finished_at=utc_now())

    def work(connection: sa.Connection) -> ForecastJob:
        there = find_job(connection, job.id, for_update=True)
        return there if there is not None and there.status == "failed" else _end(connection, failed)

    return in_turn(engine, work)


def delete_forecast(engine: sa.Engine, job_id: str) -> None:
    """Remove a job with its results for good.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """

    def work(connection: sa.Connection) -> None:
        read_job(connection, job_id)
        for table in OF_FORECAST:
            connection.execute(sa.delete(table).where(table.c.job_id == job_id))
        connection.execute(sa.delete(FORECAST_JOBS).where(FORECAST_JOBS.c.id == job_id))

    in_turn(engine, work)


# ---------------------------------------------------------------------------------------------- inside
def _completed(
    job: ForecastJob,
    *,
    form: ForecastForm,
    attributes: Mapping[str, Any],
    issued_at: Any,
    step_h: float,
    spans: Iterable[Any],
    units: str | None,
    timezone: str | None,
) -> ForecastJob:
    """Return a job with what its dataset tells, as it is when done."""
    import numpy as np

    moment: dt.datetime = np.asarray(issued_at).astype("datetime64[us]").item().replace(tzinfo=dt.UTC)
    if job.issued_at is not None and job.issued_at != moment:
        raise InvalidInput(named(job.id), f"issued_at = {job.issued_at:%F %T %Z}: the dataset says {moment:%F %T} UTC")
    if job.status not in OPEN and job.status != "completed":
        raise InvalidInput(named(job.id), f"status = {job.status}: it has a result; leave status out")
    longest = max((span[-1] - span[0]) / np.timedelta64(1, "h") for span in spans)
    return job.replace(
        form=form,
        status="completed",
        attributes=dict(attributes),
        issued_at=moment,
        step_h=step_h,
        horizon_h=float(longest) + step_h,
        units=job.units or units or None,
        timezone=job.timezone or timezone or None,
        finished_at=job.finished_at or utc_now(),
    )


def _step_h(job: ForecastJob, attrs: Mapping[Any, Any], times: Any) -> float:
    import numpy as np

    if len(times) > 1:
        return float((times[1] - times[0]) / np.timedelta64(1, "h"))
    given = job.step_h if job.step_h is not None else attrs.get("step_h")
    if given is None:
        raise InvalidInput(named(job.id), "has one step only, which does not tell how long it is; say step_h")
    return float(given)


def _end(connection: sa.Connection, job: ForecastJob) -> ForecastJob:
    """Keep a job that has ended, in place of the open one of its id where there is one."""
    there = find_job(connection, job.id, for_update=True)
    if there is not None and there.status not in OPEN:
        raise DatabaseProblem(f"forecast {job.id} is {there.status}; make another one")
    if job.status == "completed":
        _check_run(connection, job)
    if there is None:
        connection.execute(sa.insert(FORECAST_JOBS), row_of(job, FORECAST_JOBS))
    else:
        row = row_of(job, FORECAST_JOBS) | {"created_at": there.created_at}
        row["started_at"] = job.started_at or there.started_at
        connection.execute(sa.update(FORECAST_JOBS).where(FORECAST_JOBS.c.id == job.id).values(row))
    return read_job(connection, job.id)


def _check_run(connection: sa.Connection, job: ForecastJob) -> None:
    if job.run_id is not None:
        require_running(connection, job.run_id)


def find_job(connection: sa.Connection, job_id: str, *, for_update: bool = False) -> ForecastJob | None:
    """Return a job, or None where there is none of that id."""
    query = sa.select(FORECAST_JOBS).where(FORECAST_JOBS.c.id == job_id)
    row = connection.execute(query.with_for_update() if for_update else query).mappings().one_or_none()
    return None if row is None else record_of(ForecastJob, row)


def read_job(connection: sa.Connection, job_id: str) -> ForecastJob:
    """Return a job.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """
    found = find_job(connection, job_id)
    if found is not None:
        return found
    newest = sa.select(FORECAST_JOBS.c.id).order_by(FORECAST_JOBS.c.created_at.desc()).limit(200)
    near = did_you_mean(job_id, connection.execute(newest).scalars().all())
    hint = near if near.startswith("did you mean") else "see `ems forecasts list`"
    raise UnknownName(named(job_id), f"is not in the database; {hint}")


def named(job_id: str) -> str:
    """Return the words for a job in messages."""
    return f"forecast {show(job_id)}"
