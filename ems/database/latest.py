"""The newest of each: executions by workflow, batches by sweep, forecasts by signal, optimizations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ems.database.batch_records import BATCH_ATTEMPTS, BATCHES, Batch
from ems.database.engine import reading
from ems.database.forecast_records import FORECAST_JOBS, ForecastForm, ForecastJob
from ems.database.records import ASSETS, JOBS, RUNS, OptimizationJob
from ems.database.tables import record_of
from ems.database.workflow_records import TASK_EXECUTIONS, WORKFLOW_EXECUTIONS, WorkflowExecution

MOST_SIGNALS = 500


@dataclass(frozen=True)
class RecentOptimization:
    """An optimization with its run and the sites that it is of.

    Parameters
    ----------
    job : OptimizationJob
    study, case_name, title : str
        Of its run.
    report_path : str or None
    sites : tuple of str
        Ids of the sites of its assets, sorted.
    """

    job: OptimizationJob
    study: str
    case_name: str
    title: str
    report_path: str | None
    sites: tuple[str, ...]


def latest_executions(engine: sa.Engine) -> list[WorkflowExecution]:
    """Return the newest execution of each workflow, by the workflow's name."""
    table = WORKFLOW_EXECUTIONS
    ids = _first_of_each(table, [table.c.workflow], [table.c.created_at.desc(), table.c.id.desc()])
    query = sa.select(table).where(table.c.id.in_(ids)).order_by(table.c.workflow)
    with reading(engine) as connection:
        return [record_of(WorkflowExecution, row) for row in connection.execute(query).mappings()]


def latest_batches(engine: sa.Engine) -> list[Batch]:
    """Return the newest batch of each sweep, by its study and name."""
    ids = _first_of_each(
        BATCHES, [BATCHES.c.study, BATCHES.c.name], [BATCHES.c.created_at.desc(), BATCHES.c.id.desc()]
    )
    query = sa.select(BATCHES).where(BATCHES.c.id.in_(ids)).order_by(BATCHES.c.study, BATCHES.c.name)
    with reading(engine) as connection:
        return [record_of(Batch, row) for row in connection.execute(query).mappings()]


def open_batches(engine: sa.Engine) -> list[Batch]:
    """Return the batches that have not ended, the newest first."""
    query = sa.select(BATCHES).where(BATCHES.c.status == "open").order_by(BATCHES.c.created_at.desc())
    with reading(engine) as connection:
        return [record_of(Batch, row) for row in connection.execute(query).mappings()]


def latest_forecast_jobs(
    engine: sa.Engine, *, form: ForecastForm = "forecast", status: str | None = None
) -> list[ForecastJob]:
    """Return the newest job of each signal, of a backtest also of each model, by signal.

    A signal is a variable of an asset, or of a series of the database.

    Parameters
    ----------
    engine : Engine
    form : str
        Forecasts or backtests.
    status : str, optional
        Only jobs of that status; the newest of any where nothing is given.
    """
    jobs = FORECAST_JOBS.c
    conditions = [jobs.form == form, *([jobs.status == status] if status is not None else [])]
    signal = [jobs.asset_id, jobs.series_id, jobs.variable, *([jobs.model] if form == "backtest" else [])]
    ids = _first_of_each(FORECAST_JOBS, signal, [jobs.created_at.desc(), jobs.id.desc()], conditions)
    query = sa.select(FORECAST_JOBS).where(jobs.id.in_(ids)).limit(MOST_SIGNALS)
    query = query.order_by(jobs.asset_id.is_(None), jobs.asset_id, jobs.series_id, jobs.variable, jobs.model)
    with reading(engine) as connection:
        return [record_of(ForecastJob, row) for row in connection.execute(query).mappings()]


def recent_optimizations(
    engine: sa.Engine, *, sites: Collection[str] = (), limit: int = 200
) -> list[RecentOptimization]:
    """Return optimizations, the newest first.

    Parameters
    ----------
    engine : Engine
    sites : collection of str
        Only those with an asset at one of these sites; all where nothing is given.
    limit : int
        Greatest number of optimizations.
    """
    of_run = [RUNS.c[name].label(f"run_{name}") for name in ("study", "case_name", "title", "report_path")]
    query = sa.select(JOBS, *of_run).join(RUNS, RUNS.c.id == JOBS.c.run_id)
    if sites:
        there = sa.select(ASSETS.c.job_id).where(ASSETS.c.job_id == JOBS.c.id, ASSETS.c.site_id.in_(sorted(sites)))
        query = query.where(there.exists())
    query = query.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc()).limit(limit)
    with reading(engine) as connection:
        rows = connection.execute(query).mappings().all()
        pairs = sa.select(ASSETS.c.job_id, ASSETS.c.site_id).distinct()
        found = connection.execute(pairs.where(ASSETS.c.job_id.in_([row["id"] for row in rows]))).all()
    at: dict[str, list[str]] = {}
    for job_id, site_id in found:
        at.setdefault(job_id, []).append(site_id)
    return [
        RecentOptimization(
            record_of(OptimizationJob, {column.name: row[column.name] for column in JOBS.columns}),
            study=row["run_study"],
            case_name=row["run_case_name"],
            title=row["run_title"],
            report_path=row["run_report_path"],
            sites=tuple(sorted(at.get(row["id"], ()))),
        )
        for row in rows
    ]


def owners_of_runs(engine: sa.Engine, run_ids: Sequence[str]) -> dict[str, str]:
    """Return for each run that was opened by a batch or an execution of a workflow the id of that."""
    owners: dict[str, str] = {}
    with reading(engine) as connection:
        for table, owner in ((TASK_EXECUTIONS, "execution_id"), (BATCH_ATTEMPTS, "batch_id")):
            query = sa.select(table.c.run_id, table.c[owner]).where(table.c.run_id.in_(list(run_ids)))
            owners.update((run_id, found) for run_id, found in connection.execute(query))
    return owners


# ---------------------------------------------------------------------------------------------- inside
def _first_of_each(
    table: sa.Table,
    group: Sequence[sa.ColumnElement[Any]],
    order: Sequence[sa.ColumnElement[Any]],
    conditions: Sequence[sa.ColumnElement[bool]] = (),
) -> sa.Select[Any]:
    """Return a query for the ids of the rows that come first in their groups."""
    place = sa.func.row_number().over(partition_by=list(group), order_by=list(order)).label("place")
    placed = sa.select(table.c.id, place).where(*conditions).subquery()
    return sa.select(placed.c.id).where(placed.c.place == 1)
