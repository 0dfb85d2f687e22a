"""Leases of a batch's cases: who works on which, and how a case ends.

A lease is a row's owner, end and fence. Each lease of a case has a larger fence than the one before, and every later
write states the fence that it was made under: a worker that was believed dead, and comes back, changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from ems.database.batch_records import BATCH_ATTEMPTS, BATCH_CASES, BATCHES, BatchAttempt, BatchCase
from ems.database.batches import list_cases
from ems.database.engine import writing
from ems.database.masking import storable_text
from ems.database.processes import process_fields
from ems.database.records import ACTIVE, RUNS, Run, utc_now
from ems.database.runs import end_without_results
from ems.database.tables import record_of, row_of
from ems.errors import LeaseLost
from ems.record import LONGEST_TEXT

MOST_LOST = 20
"""Leases of a case that may be lost with their workers before the case itself is blamed."""


def lease_case(engine: sa.Engine, batch_id: str, owner: str, lease_s: float) -> BatchCase | None:
    """Return the next case to work on, leased to an owner, or None where there is none now.

    It is the first that waits and may begin, else one whose lease has ended.
    """
    now = utc_now()
    is_due = sa.or_(BATCH_CASES.c.not_before.is_(None), BATCH_CASES.c.not_before <= now)
    is_free = sa.or_(
        sa.and_(BATCH_CASES.c.status == "waiting", is_due),
        sa.and_(BATCH_CASES.c.status == "running", BATCH_CASES.c.lease_until < now),
    )
    query = (
        sa.select(BATCH_CASES)
        .where(BATCH_CASES.c.batch_id == batch_id, is_free)
        .order_by(BATCH_CASES.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    with writing(engine) as connection:
        if not _is_open(connection, batch_id):
            return None
        while (row := connection.execute(query).mappings().one_or_none()) is not None:
            leased = _lease(connection, record_of(BatchCase, row), owner, now + dt.timedelta(seconds=lease_s))
            if leased is not None:
                return leased
    return None


def lease_this(engine: sa.Engine, batch_id: str, number: int, owner: str, lease_s: float) -> BatchCase | None:
    """Return a certain case, leased to an owner, or None where it has ended or another one holds it."""
    now = utc_now()
    query = _one(batch_id, number).with_for_update()
    with writing(engine) as connection:
        row = connection.execute(query).mappings().one_or_none()
        if row is None or not _is_open(connection, batch_id):
            return None
        case = record_of(BatchCase, row)
        is_free = case.status == "waiting" or (
            case.status == "running" and case.lease_until is not None and case.lease_until < now
        )
        return _lease(connection, case, owner, now + dt.timedelta(seconds=lease_s)) if is_free else None


def _lease(connection: sa.Connection, case: BatchCase, owner: str, until: dt.datetime) -> BatchCase | None:
    """Give a case to an owner; None where it was lost too often, and so is at fault itself."""
    if case.status == "running":
        _lose(connection, case)
    if case.fence - case.attempts >= MOST_LOST:
        _end_case(
            connection,
            case,
            "failed",
            f"{MOST_LOST} workers were lost with it: it seems to end the process it runs in",
        )
        return None
    values = {
        "status": "running",
        "owner": owner,
        "lease_until": until,
        "fence": case.fence + 1,
        "attempts": case.attempts + 1,
        "not_before": None,
    }
    connection.execute(sa.update(BATCH_CASES).where(*_is(case)).values(values))
    return case.replace(**values)


def begin_attempt(engine: sa.Engine, attempt: BatchAttempt, run: Run) -> None:
    """Open the run of an attempt under its lease.

    Raises
    ------
    LeaseLost
    """
    with writing(engine) as connection:
        _require_lease(connection, attempt.batch_id, attempt.number, attempt.fence)
        connection.execute(sa.insert(RUNS), row_of(run, RUNS) | process_fields(None))
        connection.execute(sa.insert(BATCH_ATTEMPTS), row_of(attempt, BATCH_ATTEMPTS))
        connection.execute(
            sa.update(BATCH_CASES)
            .where(BATCH_CASES.c.batch_id == attempt.batch_id, BATCH_CASES.c.number == attempt.number)
            .values(run_id=attempt.run_id)
        )


def renew_lease(engine: sa.Engine, case: BatchCase, lease_s: float) -> None:
    """Hold a case for another while.

    Raises
    ------
    LeaseLost
        If another worker has it, or a person has cancelled its batch or its run.
    """
    with writing(engine) as connection:
        held = _require_lease(connection, case.batch_id, case.number, case.fence)
        if held.run_id is not None:
            status = connection.execute(sa.select(RUNS.c.status).where(RUNS.c.id == held.run_id)).scalar()
            if status == "cancelled":
                raise LeaseLost(f"run {held.run_id} was cancelled")
        if not _is_open(connection, case.batch_id):
            raise LeaseLost(f"batch {case.batch_id} was cancelled")
        until = utc_now() + dt.timedelta(seconds=lease_s)
        connection.execute(sa.update(BATCH_CASES).where(*_is(case)).values(lease_until=until))


def complete_case(
    engine: sa.Engine, case: BatchCase, run_id: str, files: Mapping[str, str], used: Mapping[str, float | None]
) -> None:
    """Close run, attempt and case as completed, all at once.

    Parameters
    ----------
    engine : Engine
    case : BatchCase
        As it was leased.
    run_id : str
    files : mapping
        ``report_path`` and ``notebook_path`` of the run.
    used : mapping
        ``seconds`` and ``peak_memory_mb`` of the attempt.

    Raises
    ------
    LeaseLost
    DatabaseProblem
        If the run is not running.
    """
    now = utc_now()
    with writing(engine) as connection:
        _require_lease(connection, case.batch_id, case.number, case.fence)
        done = sa.update(RUNS).where(RUNS.c.id == run_id, RUNS.c.status == "running")
        if connection.execute(done.values(status="completed", finished_at=now, **files)).rowcount != 1:
            raise LeaseLost(f"run {run_id} was ended by another process")
        _end_attempt(connection, case, "completed", None, used)
        _end_case(connection, case.replace(run_id=run_id), "completed", None)


def fail_case(
    engine: sa.Engine,
    case: BatchCase,
    run_id: str,
    error: str,
    *,
    again_at: dt.datetime | None = None,
    files: Mapping[str, str] | None = None,
    used: Mapping[str, float | None] | None = None,
) -> None:
    """Close run and attempt as failed, and let the case wait for another attempt, or end it.

    Raises
    ------
    LeaseLost
    """
    with writing(engine) as connection:
        _require_lease(connection, case.batch_id, case.number, case.fence)
        values = {"status": "failed", "finished_at": utc_now(), "error": _text(error), **(files or {})}
        end_without_results(connection, run_id, values)
        _end_attempt(connection, case, "failed", error, used or {})
        _wait_or_end(connection, case.replace(run_id=run_id), error, again_at)


def give_back(engine: sa.Engine, case: BatchCase, run_id: str | None, reason: str) -> None:
    """Let a case wait again as if it had not been begun: its worker stops, or the machine is at fault.

    A lease that is lost already is not given back.
    """
    with writing(engine) as connection:
        try:
            held = _require_lease(connection, case.batch_id, case.number, case.fence)
        except LeaseLost:
            return
        if run_id is not None:
            values = {"status": "cancelled", "finished_at": utc_now(), "error": _text(reason)}
            end_without_results(connection, run_id, values, reason)
        _end_attempt(connection, case, "cancelled", reason, {})
        _wait_or_end(connection, held.replace(attempts=held.attempts - 1), reason, utc_now())


def cancel_case(engine: sa.Engine, case: BatchCase, run_id: str) -> None:
    """Close the run of a case that a person has stopped, and the case itself where its lease is still held."""
    reason = "cancelled by a person"
    with writing(engine) as connection:
        is_active = sa.select(RUNS.c.id).where(RUNS.c.id == run_id, RUNS.c.status.in_(ACTIVE)).with_for_update()
        if connection.execute(is_active).scalar() is not None:
            end_without_results(connection, run_id, {"status": "cancelled", "finished_at": utc_now()}, reason)
        try:
            _require_lease(connection, case.batch_id, case.number, case.fence)
        except LeaseLost:
            return
        _end_attempt(connection, case, "cancelled", reason, {})
        _end_case(connection, case.replace(run_id=run_id), "cancelled", None)


def release_lost(engine: sa.Engine, batch_id: str, is_gone: Callable[[str], bool]) -> list[str]:
    """Let the cases of workers that are gone wait again, and return the runs that were lost with them.

    Parameters
    ----------
    engine : Engine
    batch_id : str
    is_gone : callable (owner)
        Whether a worker is known to have ended.
    """
    lost = []
    for case in list_cases(engine, batch_id, status="running"):
        if case.owner is None or not is_gone(case.owner):
            continue
        with writing(engine) as connection:
            row = connection.execute(_one(case.batch_id, case.number).with_for_update()).mappings().one()
            held = record_of(BatchCase, row)
            if held.fence != case.fence or held.status != "running":
                continue
            _lose(connection, held)
            connection.execute(
                sa.update(BATCH_CASES)
                .where(*_is(held))
                .values(status="waiting", owner=None, lease_until=None, attempts=held.attempts - 1, not_before=None)
            )
            if held.run_id is not None:
                lost.append(held.run_id)
    return lost


def _one(batch_id: str, number: int) -> sa.Select[Any]:
    return sa.select(BATCH_CASES).where(BATCH_CASES.c.batch_id == batch_id, BATCH_CASES.c.number == number)


def _is(case: BatchCase) -> tuple[Any, Any]:
    return BATCH_CASES.c.batch_id == case.batch_id, BATCH_CASES.c.number == case.number


def _is_open(connection: sa.Connection, batch_id: str) -> bool:
    return connection.execute(sa.select(BATCHES.c.status).where(BATCHES.c.id == batch_id)).scalar() == "open"


def _require_lease(connection: sa.Connection, batch_id: str, number: int, fence: int) -> BatchCase:
    row = connection.execute(_one(batch_id, number).with_for_update()).mappings().one_or_none()
    held = None if row is None else record_of(BatchCase, row)
    if held is None or held.status != "running" or held.fence != fence:
        raise LeaseLost(f"case {number} of batch {batch_id} is no longer this worker's")
    return held


def _lose(connection: sa.Connection, case: BatchCase) -> None:
    """Close the attempt and the run of a worker that is gone."""
    reason = f"lost: worker {case.owner} ended before the run did"
    _end_attempt(connection, case, "lost", reason, {})
    attempt = sa.select(BATCH_ATTEMPTS.c.run_id).where(
        BATCH_ATTEMPTS.c.batch_id == case.batch_id,
        BATCH_ATTEMPTS.c.number == case.number,
        BATCH_ATTEMPTS.c.fence == case.fence,
    )
    run_id = connection.execute(attempt).scalar()
    if run_id is not None:
        is_active = sa.select(RUNS.c.id).where(RUNS.c.id == run_id, RUNS.c.status.in_(ACTIVE)).with_for_update()
        if connection.execute(is_active).scalar() is not None:
            values = {"status": "failed", "finished_at": utc_now(), "error": _text(reason)}
            end_without_results(connection, run_id, values)


def _end_attempt(
    connection: sa.Connection, case: BatchCase, status: str, error: str | None, used: Mapping[str, float | None]
) -> None:
    connection.execute(
        sa.update(BATCH_ATTEMPTS)
        .where(
            BATCH_ATTEMPTS.c.batch_id == case.batch_id,
            BATCH_ATTEMPTS.c.number == case.number,
            BATCH_ATTEMPTS.c.fence == case.fence,
            BATCH_ATTEMPTS.c.status == "running",
        )
        .values(status=status, finished_at=utc_now(), error=None if error is None else _text(error), **used)
    )


def _wait_or_end(connection: sa.Connection, case: BatchCase, error: str, again_at: dt.datetime | None) -> None:
    if not _is_open(connection, case.batch_id):
        _end_case(connection, case, "cancelled", None)
    elif again_at is None:
        _end_case(connection, case, "failed", error)
    else:
        connection.execute(
            sa.update(BATCH_CASES)
            .where(*_is(case))
            .values(
                status="waiting",
                owner=None,
                lease_until=None,
                not_before=again_at,
                error=_text(error),
                attempts=case.attempts,
                run_id=case.run_id,
            )
        )


def _end_case(connection: sa.Connection, case: BatchCase, status: str, error: str | None) -> None:
    values = {
        "status": status,
        "owner": None,
        "lease_until": None,
        "run_id": case.run_id,
        "error": None if error is None else _text(error),
        "finished_at": utc_now(),
    }
    connection.execute(sa.update(BATCH_CASES).where(*_is(case)).values(values))


def _text(error: str) -> str:
    return storable_text(error).strip()[:LONGEST_TEXT] or "no reason was given"
