"""Forecasts and backtests out of the database: found by what they foretell and when, read back identical."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ems.database.engine import reading
from ems.database.forecast_records import (
    FORECAST_JOBS,
    FORECAST_OBSERVATIONS,
    FORECAST_RESULTS,
    ForecastForm,
    ForecastJob,
)
from ems.database.forecasts import named, read_job
from ems.database.tables import record_of
from ems.errors import InvalidInput, UnknownName, show

if TYPE_CHECKING:
    import xarray as xr


def get_forecast_job(engine: sa.Engine, job_id: str) -> ForecastJob:
    """Return a job.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """
    with reading(engine) as connection:
        return read_job(connection, job_id)


def read_forecast(engine: sa.Engine, job_id: str) -> xr.Dataset:
    """Return a forecast, identical to the one that was stored.

    Raises
    ------
    UnknownName
        If there is no such job.
    InvalidInput
        If it has no forecast: it failed, is not done, or is a backtest.
    """
    from ems.database.forecast_form import forecast_of

    results = FORECAST_RESULTS.c
    query = sa.select(results.issued_at, results.time, results.quantile, results.value)
    query = query.where(results.job_id == job_id).order_by(results.issued_at, results.time, results.quantile)
    with reading(engine) as connection:
        job = _require_completed(connection, job_id, "forecast")
        rows = connection.execute(query).all()
    return forecast_of(job.variable, rows, job.attributes)


def read_backtest(engine: sa.Engine, job_ids: str | Sequence[str]) -> xr.Dataset:
    """Return the backtest of one or several jobs, identical to the one that was stored where all its jobs are named.

    Raises
    ------
    UnknownName
        If there is no such job.
    InvalidInput
        If a job has no backtest, or they are not of the same folds.
    """
    import xarray as xr

    from ems.database.forecast_form import backtest_of

    results, observed = FORECAST_RESULTS.c, FORECAST_OBSERVATIONS.c
    parts = []
    names = [job_ids] if isinstance(job_ids, str) else list(job_ids)
    if not names:
        raise InvalidInput("the backtest", "no job was named; `ems forecasts list --form backtest` shows them")
    for name in names:
        query = sa.select(results.issued_at, results.time, results.quantile, results.value)
        query = query.where(results.job_id == name).order_by(results.issued_at, results.time, results.quantile)
        truth = sa.select(observed.issued_at, observed.time, observed.value)
        truth = truth.where(observed.job_id == name).order_by(observed.issued_at, observed.time)
        with reading(engine) as connection:
            job = _require_completed(connection, name, "backtest")
            rows, known = connection.execute(query).all(), connection.execute(truth).all()
        parts.append(backtest_of(rows, known, job.model, job.attributes))
    try:
        return xr.concat(
            parts,
            "model",
            data_vars="minimal",
            coords="minimal",
            compat="equals",
            join="exact",
            combine_attrs="override",
        )
    except ValueError:
        raise InvalidInput(
            f"backtests {', '.join(map(show, names))}", "are not of the same folds and quantiles; read them one by one"
        ) from None


def list_forecasts(
    engine: sa.Engine,
    *,
    series: str | None = None,
    asset: str | None = None,
    variable: str | None = None,
    kind: str | None = None,
    model: str | None = None,
    status: str | None = None,
    form: ForecastForm | None = None,
    run_id: str | None = None,
    known_at: dt.datetime | None = None,
    limit: int = 50,
) -> list[ForecastJob]:
    """Return jobs, the one issued last first, and those before which are not issued yet.

    Parameters
    ----------
    engine : Engine
    series, asset, variable, kind, model, status, form, run_id : str, optional
        Only jobs of exactly that one.
    known_at : datetime, optional
        Only jobs that were issued at that moment or before.
    limit : int
        Greatest number of jobs.

    Raises
    ------
    InvalidInput
        If the moment states no offset from UTC.
    """
    if known_at is not None and known_at.tzinfo is None:
        raise InvalidInput("forecasts", f"known_at = {known_at.isoformat()}: must say its offset from UTC")
    jobs = FORECAST_JOBS.c
    order = (jobs.issued_at.is_(None).desc(), jobs.issued_at.desc(), jobs.created_at.desc(), jobs.id.desc())
    query = sa.select(FORECAST_JOBS).order_by(*order).limit(limit)
    for column, wanted in (
        (jobs.series_id, series),
        (jobs.asset_id, asset),
        (jobs.variable, variable),
        (jobs.kind, kind),
        (jobs.model, model),
        (jobs.status, status),
        (jobs.form, form),
        (jobs.run_id, run_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if known_at is not None:
        query = query.where(jobs.issued_at <= known_at)
    with reading(engine) as connection:
        return [record_of(ForecastJob, row) for row in connection.execute(query).mappings()]


def latest_forecast(
    engine: sa.Engine,
    *,
    variable: str,
    series: str | None = None,
    asset: str | None = None,
    model: str | None = None,
    known_at: dt.datetime | None = None,
) -> xr.Dataset:
    """Return the completed forecast that was issued last; of those issued at once the one that was made last.

    Parameters
    ----------
    engine : Engine
    variable : str
    series, asset, model : str, optional
        Only forecasts of exactly that one.
    known_at : datetime, optional
        Only forecasts that were issued at that moment or before: what a decision then could have known.

    Raises
    ------
    UnknownName
        If there is none.
    """
    asked = {"series": series, "asset": asset, "model": model}
    found = list_forecasts(
        engine, **asked, variable=variable, form="forecast", status="completed", known_at=known_at, limit=1
    )
    if not found:
        of = "".join(f", {name} {show(value)}" for name, value in asked.items() if value is not None)
        when = f" issued until {known_at:%Y-%m-%d %H:%M %Z}" if known_at is not None else ""
        raise UnknownName(
            f"forecast of {variable}{of}", f"there is none{when}; `ems forecasts list` shows what there is"
        )
    return read_forecast(engine, found[0].id)


def _require_completed(connection: sa.Connection, job_id: str, form: ForecastForm) -> ForecastJob:
    job = read_job(connection, job_id)
    if job.status == "failed":
        raise InvalidInput(named(job_id), f"failed and has no result: {job.error}")
    if job.status != "completed":
        raise InvalidInput(named(job_id), f"is {job.status} and has no result yet")
    if job.form != form:
        raise InvalidInput(named(job_id), f"is a {job.form}; read it with read_{job.form}")
    return job
