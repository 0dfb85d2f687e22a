"""Runs as lists show them: few columns, the oldest first, any part of thousands of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from ems.database.engine import reading
from ems.database.optimizations import total_costs
from ems.database.records import RUNS


@dataclass(frozen=True)
class RunLine:
    """A run at a glance.

    Parameters
    ----------
    id, study, case_name, title, status : str
    created_at : datetime
    started_at, finished_at : datetime or None
    error, report_path : str or None
    total_cost : float or None
        Of its first optimization.
    currency : str or None
    """

    id: str
    study: str
    case_name: str
    title: str
    status: str
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    error: str | None
    report_path: str | None
    total_cost: float | None = None
    currency: str | None = None


_OWN = [name for name in RunLine.__dataclass_fields__ if name not in ("total_cost", "currency")]


def count_runs(engine: sa.Engine, *, status: str | None = None, since: dt.datetime | None = None) -> int:
    """Return the number of runs: all, those of a status, those opened at a moment or later."""
    query = sa.select(sa.func.count()).select_from(RUNS)
    if status is not None:
        query = query.where(RUNS.c.status == status)
    if since is not None:
        query = query.where(RUNS.c.created_at >= since)
    with reading(engine) as connection:
        return connection.execute(query).scalar_one()


def report_paths(engine: sa.Engine) -> list[str]:
    """Return where the reports of all runs are, relative to the project."""
    with reading(engine) as connection:
        return list(connection.execute(sa.select(RUNS.c.report_path).where(RUNS.c.report_path.is_not(None))).scalars())


def run_lines(engine: sa.Engine, begin: int, count: int) -> list[RunLine]:
    """Return runs in the order in which they were opened.

    Parameters
    ----------
    engine : Engine
    begin : int
        Number of older runs that are left out.
    count : int
        Most runs that are returned.
    """
    # The ids come from an index; only of those that are wanted the wide rows are read.
    ids = sa.select(RUNS.c.id).order_by(RUNS.c.created_at, RUNS.c.id).offset(begin).limit(count)
    query = sa.select(*(RUNS.c[name] for name in _OWN)).where(RUNS.c.id.in_(ids.scalar_subquery()))
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(RUNS.c.created_at, RUNS.c.id)).all()
    costs = total_costs(engine, [row.id for row in rows])
    lines = []
    for row in rows:
        total_cost, currency = costs.get(row.id, (None, None))
        lines.append(RunLine(**row._mapping, total_cost=total_cost, currency=currency))
    return lines


def run_spans(engine: sa.Engine, size: int) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return when the first and the last run of each block of so many runs were opened, the oldest block first."""
    number = sa.func.row_number().over(order_by=(RUNS.c.created_at, RUNS.c.id))
    numbered = sa.select(((number - 1) // size).label("block"), RUNS.c.created_at).subquery()
    moment, block = numbered.c.created_at, numbered.c.block
    query = sa.select(sa.func.min(moment), sa.func.max(moment)).group_by(block).order_by(block)
    with reading(engine) as connection:
        return [(first, last) for first, last in connection.execute(query)]
