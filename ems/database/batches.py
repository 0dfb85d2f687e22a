"""Batches: opened with all their cases, read, cancelled, opened again, closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ems.database.batch_records import BATCH_ATTEMPTS, BATCH_CASES, BATCHES, Batch, BatchAttempt, BatchCase
from ems.database.bulk import insert_many
from ems.database.engine import reading, writing
from ems.database.records import RUNS, utc_now
from ems.database.tables import record_of, row_of
from ems.errors import DatabaseProblem, UnknownName, did_you_mean, show

_COUNTED = ("waiting", "running", "completed", "failed", "cancelled")


def open_batch(engine: sa.Engine, batch: Batch, cases: Iterable[BatchCase]) -> Batch:
    """Keep a batch with all its cases, or nothing, and return it.

    A case whose key has a completed run already takes that run for its own.
    """
    rows = [row_of(case, BATCH_CASES) for case in cases]
    with writing(engine) as connection:
        there = _completed_runs(connection, [str(row["key"]) for row in rows])
        now = utc_now()
        for row in rows:
            run_id = there.get(str(row["key"]))
            if run_id is not None and row["status"] == "waiting":
                row |= {"status": "completed", "run_id": run_id, "is_reused": True, "finished_at": now}
        connection.execute(sa.insert(BATCHES), row_of(batch, BATCHES))
        names = [column.name for column in BATCH_CASES.columns]
        insert_many(connection, BATCH_CASES, (tuple(row[name] for name in names) for row in rows))
    return batch


def _completed_runs(connection: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
    """Return for each key that has one a run that is completed."""
    found: dict[str, str] = {}
    for begin in range(0, len(keys), 500):
        chunk = keys[begin : begin + 500]
        query = (
            sa.select(BATCH_CASES.c.key, BATCH_CASES.c.run_id)
            .join(RUNS, RUNS.c.id == BATCH_CASES.c.run_id)
            .where(BATCH_CASES.c.key.in_(chunk), BATCH_CASES.c.status == "completed", RUNS.c.status == "completed")
        )
        found.update((row.key, row.run_id) for row in connection.execute(query))
    return found


def get_batch(engine: sa.Engine, batch_id: str) -> Batch:
    """Return a batch.

    Raises
    ------
    UnknownName
    """
    with reading(engine) as connection:
        row = connection.execute(sa.select(BATCHES).where(BATCHES.c.id == batch_id)).mappings().one_or_none()
        if row is not None:
            return record_of(Batch, row)
        known = connection.execute(sa.select(BATCHES.c.id).order_by(BATCHES.c.created_at.desc()).limit(20)).scalars()
        raise UnknownName(f"batch {show(batch_id)}", f"is not in the database; {did_you_mean(batch_id, known.all())}")


def list_batches(
    engine: sa.Engine, *, study: str | None = None, name: str | None = None, limit: int = 20
) -> list[Batch]:
    """Return batches, the newest first."""
    query = sa.select(BATCHES).order_by(BATCHES.c.created_at.desc(), BATCHES.c.id.desc()).limit(limit)
    if study is not None:
        query = query.where(BATCHES.c.study == study)
    if name is not None:
        query = query.where(BATCHES.c.name == name)
    with reading(engine) as connection:
        return [record_of(Batch, row) for row in connection.execute(query).mappings()]


def list_cases(engine: sa.Engine, batch_id: str, *, status: str | None = None) -> list[BatchCase]:
    """Return the cases of a batch in the order of the sweep."""
    query = sa.select(BATCH_CASES).where(BATCH_CASES.c.batch_id == batch_id).order_by(BATCH_CASES.c.number)
    if status is not None:
        query = query.where(BATCH_CASES.c.status == status)
    with reading(engine) as connection:
        return [record_of(BatchCase, row) for row in connection.execute(query).mappings()]


def list_attempts(engine: sa.Engine, batch_id: str, number: int | None = None) -> list[BatchAttempt]:
    """Return the attempts of a batch, or of one of its cases, in their order."""
    query = sa.select(BATCH_ATTEMPTS).where(BATCH_ATTEMPTS.c.batch_id == batch_id)
    if number is not None:
        query = query.where(BATCH_ATTEMPTS.c.number == number)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(BATCH_ATTEMPTS.c.number, BATCH_ATTEMPTS.c.fence)).mappings()
        return [record_of(BatchAttempt, row) for row in rows]


def count_cases(engine: sa.Engine, batch_id: str) -> dict[str, int]:
    """Return how many cases of a batch have each status; zero where none has."""
    query = (
        sa.select(BATCH_CASES.c.status, sa.func.count())
        .where(BATCH_CASES.c.batch_id == batch_id)
        .group_by(BATCH_CASES.c.status)
    )
    with reading(engine) as connection:
        found = {str(status): int(count) for status, count in connection.execute(query)}
    return {status: found.get(status, 0) for status in _COUNTED}


def due_cases(engine: sa.Engine, batch_id: str, limit: int) -> list[int]:
    """Return the numbers of the first cases that wait and may begin."""
    now = utc_now()
    is_due = sa.or_(BATCH_CASES.c.not_before.is_(None), BATCH_CASES.c.not_before <= now)
    query = (
        sa.select(BATCH_CASES.c.number)
        .where(BATCH_CASES.c.batch_id == batch_id, BATCH_CASES.c.status == "waiting", is_due)
        .order_by(BATCH_CASES.c.number)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [int(number) for number in connection.execute(query).scalars()]


def cancel_batch(engine: sa.Engine, batch_id: str) -> None:
    """Stop a batch: cases that wait are cancelled, those that run are ended by their workers."""
    now = utc_now()
    with writing(engine) as connection:
        moved = connection.execute(
            sa.update(BATCHES)
            .where(BATCHES.c.id == batch_id, BATCHES.c.status == "open")
            .values(status="cancelled", finished_at=now)
        ).rowcount
        if moved == 0:
            raise DatabaseProblem(f"batch {batch_id} has ended already")
        connection.execute(
            sa.update(BATCH_CASES)
            .where(BATCH_CASES.c.batch_id == batch_id, BATCH_CASES.c.status == "waiting")
            .values(status="cancelled", finished_at=now)
        )


def close_batch(engine: sa.Engine, batch_id: str) -> Batch:
    """Close a batch where no case waits or runs, and return it as it stands."""
    with writing(engine) as connection:
        cases = BATCH_CASES.c.batch_id == batch_id
        left = sa.select(sa.func.count()).where(cases, BATCH_CASES.c.status.in_(("waiting", "running")))
        if connection.execute(left).scalar() == 0:
            bad = sa.select(sa.func.count()).where(cases, BATCH_CASES.c.status != "completed")
            status = "completed" if connection.execute(bad).scalar() == 0 else "failed"
            connection.execute(
                sa.update(BATCHES)
                .where(BATCHES.c.id == batch_id, BATCHES.c.status == "open")
                .values(status=status, finished_at=utc_now())
            )
    return get_batch(engine, batch_id)


def reopen_batch(engine: sa.Engine, batch_id: str, *, retry_failed: bool, options: Mapping[str, Any]) -> Batch:
    """Open a batch again: cases that were cancelled wait, and those that failed do, where that is wanted."""
    again = ["cancelled", *(["failed"] if retry_failed else [])]
    with writing(engine) as connection:
        connection.execute(
            sa.update(BATCH_CASES)
            .where(BATCH_CASES.c.batch_id == batch_id, BATCH_CASES.c.status.in_(again))
            .values(status="waiting", attempts=0, error=None, finished_at=None, not_before=None)
        )
        # Cases that wait out a pause begin at once: a person has asked.
        connection.execute(
            sa.update(BATCH_CASES)
            .where(BATCH_CASES.c.batch_id == batch_id, BATCH_CASES.c.status == "waiting")
            .values(not_before=None)
        )
        connection.execute(
            sa.update(BATCHES)
            .where(BATCHES.c.id == batch_id)
            .values(status="open", finished_at=None, options=dict(options))
        )
    return get_batch(engine, batch_id)
