"""Figures of runs, batches and workflows for a monitor: counted by the database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from ems.database.batch_records import BATCH_CASES, BATCHES
from ems.database.engine import reading
from ems.database.records import RUNS
from ems.database.workflow_records import WORKFLOW_EXECUTIONS


@dataclass(frozen=True)
class RunFigures:
    """The runs of a study with a status.

    Parameters
    ----------
    study, status : str
    runs : int
        How many there are.
    ended : int
        How many of them began and ended, so that they took a time.
    seconds : float
        What these took, all together.
    """

    study: str
    status: str
    runs: int
    ended: int
    seconds: float


def figures_of_runs(engine: sa.Engine) -> list[RunFigures]:
    """Return one entry for each study and status that runs have, in this order."""
    runs = RUNS.c
    took = _seconds_between(engine, runs.started_at, runs.finished_at)
    query = (
        sa.select(
            runs.study, runs.status, sa.func.count(), sa.func.count(took), sa.func.coalesce(sa.func.sum(took), 0.0)
        )
        .group_by(runs.study, runs.status)
        .order_by(runs.study, runs.status)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [
        RunFigures(study, status, count, ended, max(0.0, float(took))) for study, status, count, ended, took in rows
    ]


def last_completions(engine: sa.Engine) -> dict[str, dt.datetime]:
    """Return for each study when its last completed run ended."""
    runs = RUNS.c
    last = sa.func.max(runs.finished_at, type_=runs.finished_at.type)
    query = sa.select(runs.study, last).where(runs.status == "completed").group_by(runs.study).order_by(runs.study)
    with reading(engine) as connection:
        return {study: moment for study, moment in connection.execute(query).all() if moment is not None}


def batches_by_status(engine: sa.Engine) -> dict[tuple[str, str], int]:
    """Return how many batches there are of each study with each status."""
    return _counts(engine, BATCHES.c.study, BATCHES.c.status)


def cases_by_status(engine: sa.Engine) -> dict[tuple[str, str], int]:
    """Return how many cases of batches there are of each study with each status."""
    joined = BATCH_CASES.join(BATCHES, BATCHES.c.id == BATCH_CASES.c.batch_id)
    return _counts(engine, BATCHES.c.study, BATCH_CASES.c.status, joined)


def executions_by_status(engine: sa.Engine) -> dict[tuple[str, str], int]:
    """Return how many executions there are of each workflow with each status."""
    return _counts(engine, WORKFLOW_EXECUTIONS.c.workflow, WORKFLOW_EXECUTIONS.c.status)


def database_bytes(engine: sa.Engine) -> int:
    """Return how much room the database takes."""
    query = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if engine.dialect.name == "sqlite"
        else "SELECT pg_database_size(current_database())"
    )
    with reading(engine) as connection:
        return int(connection.execute(sa.text(query)).scalar_one())


# ---------------------------------------------------------------------------------------------- inside
def _counts(
    engine: sa.Engine, owner: sa.Column[str], status: sa.Column[str], rows: sa.FromClause | None = None
) -> dict[tuple[str, str], int]:
    query = sa.select(owner, status, sa.func.count()).group_by(owner, status).order_by(owner, status)
    if rows is not None:
        query = query.select_from(rows)
    with reading(engine) as connection:
        return {(name, state): count for name, state, count in connection.execute(query).all()}


def _seconds_between(
    engine: sa.Engine, first: sa.Column[dt.datetime], second: sa.Column[dt.datetime]
) -> sa.ColumnElement[float]:
    """Return the seconds between two moments as an expression; no value where one of them is not known."""
    if engine.dialect.name == "sqlite":
        days: sa.ColumnElement[float] = sa.func.julianday(second, type_=sa.Double()) - sa.func.julianday(first)
        return days * 86400.0
    return sa.cast(sa.extract("epoch", second - first), sa.Double())
