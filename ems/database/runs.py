"""Runs of notebooks: what was asked, where and with what it ran, how it ended."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ems.database.engine import reading, writing
from ems.database.forecast_records import FORECAST_JOBS, OF_FORECAST
from ems.database.masking import storable, storable_text
from ems.database.processes import is_alive, process_fields
from ems.database.records import ACTIVE, JOBS, OF_SCHEDULE, RUNS, Run, RunStatus, utc_now
from ems.database.tables import record_of, row_of
from ems.errors import DatabaseProblem, UnknownName, did_you_mean, show
from ems.record import LONGEST_TEXT

if TYPE_CHECKING:
    import psutil


def open_run(engine: sa.Engine, run: Run) -> Run:
    """Keep a new run and return it as it was kept, without secrets.

    A run that names no process belongs to the present one until it is started elsewhere.

    Raises
    ------
    DatabaseProblem
        If there is a run of that id, or the database does not take it.
    """
    row = row_of(run, RUNS)
    if run.process_id is None:
        row |= process_fields(None)
    if run.error is not None:
        row["error"] = _error_text(run.error)
    with writing(engine) as connection:
        connection.execute(sa.insert(RUNS), row)
        return _read(connection, run.id)


def start_run(engine: sa.Engine, run_id: str, process: psutil.Process | None = None) -> Run:
    """Mark a pending run as running in a process (the present one unless given) and return it.

    Raises
    ------
    DatabaseProblem
        If the run is not pending.
    """
    return _move(
        engine, run_id, ("pending",), {"status": "running", "started_at": utc_now(), **process_fields(process)}
    )


def note_run(
    engine: sa.Engine,
    run_id: str,
    *,
    notes: Iterable[str] = (),
    inputs: Iterable[Mapping[str, str]] = (),
    versions: Mapping[str, str] | None = None,
    headline: Iterable[Sequence[str]] | None = None,
) -> Run:
    """Add to what is known of a run that has not ended, and return it.

    Notes and inputs are added where they are not there yet, versions are merged, the headline is replaced.

    Raises
    ------
    DatabaseProblem
        If the run has ended.
    """
    with writing(engine) as connection:
        run = _read(connection, run_id, for_update=True)
        _require(run, ACTIVE)
        values = {
            "notes": _with_new(run.notes, storable(list(notes))),
            "inputs": _with_new(run.inputs, storable([dict(item) for item in inputs])),
            "versions": {**run.versions, **storable(dict(versions or {}))},
        }
        if headline is not None:
            values["headline"] = storable([list(pair) for pair in headline])
        connection.execute(sa.update(RUNS).where(RUNS.c.id == run_id).values(values))
        return _read(connection, run_id)


def complete_run(
    engine: sa.Engine,
    run_id: str,
    *,
    report_path: str | None = None,
    notebook_path: str | None = None,
    headline: Iterable[Sequence[str]] | None = None,
) -> Run:
    """Close a running run as completed and return it.

    Raises
    ------
    DatabaseProblem
        If the run is not running.
    """
    values: dict[str, Any] = {"status": "completed", "finished_at": utc_now()}
    values |= {"report_path": report_path} if report_path is not None else {}
    values |= {"notebook_path": notebook_path} if notebook_path is not None else {}
    values |= {"headline": storable([list(pair) for pair in headline])} if headline is not None else {}
    return _move(engine, run_id, ("running",), values)


def fail_run(
    engine: sa.Engine,
    run_id: str,
    error: str,
    *,
    report_path: str | None = None,
    notebook_path: str | None = None,
) -> Run:
    """Close a run as failed, remove its results, and return it; of a failed run the first reason stands.

    Raises
    ------
    DatabaseProblem
        If the run was completed or cancelled.
    """
    values: dict[str, Any] = {"status": "failed", "finished_at": utc_now(), "error": _error_text(error)}
    values |= {"report_path": report_path} if report_path is not None else {}
    values |= {"notebook_path": notebook_path} if notebook_path is not None else {}
    with writing(engine) as connection:
        run = _read(connection, run_id, for_update=True)
        if run.status == "failed":
            return run
        _require(run, ACTIVE)
        return end_without_results(connection, run_id, values)


def cancel_run(engine: sa.Engine, run_id: str) -> Run:
    """Close a run that a person stopped, remove its results, and return it.

    Raises
    ------
    DatabaseProblem
        If the run has ended.
    """
    with writing(engine) as connection:
        _require(_read(connection, run_id, for_update=True), ACTIVE)
        values = {"status": "cancelled", "finished_at": utc_now()}
        return end_without_results(connection, run_id, values, "cancelled by a person")


def get_run(engine: sa.Engine, run_id: str) -> Run:
    """Return a run.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """
    with reading(engine) as connection:
        return _read(connection, run_id)


def list_runs(
    engine: sa.Engine,
    *,
    study: str | None = None,
    case: str | None = None,
    status: str | None = None,
    limit: int = 50,
    before: str | None = None,
) -> list[Run]:
    """Return runs, the newest first.

    Parameters
    ----------
    engine : Engine
    study, case, status : str, optional
        Only runs of exactly that study, case or status.
    limit : int
        Greatest number of runs.
    before : str, optional
        Id of a run: only those opened before it, for the next page.
    """
    newest = sa.select(RUNS).order_by(RUNS.c.created_at.desc(), RUNS.c.id.desc()).limit(limit)
    if study is not None:
        newest = newest.where(RUNS.c.study == study)
    if case is not None:
        newest = newest.where(RUNS.c.case_name == case)
    if status is not None:
        newest = newest.where(RUNS.c.status == status)
    with reading(engine) as connection:
        if before is not None:
            last = _read(connection, before)
            is_older = RUNS.c.created_at < last.created_at
            is_next = sa.and_(RUNS.c.created_at == last.created_at, RUNS.c.id < last.id)
            newest = newest.where(sa.or_(is_older, is_next))
        return [record_of(Run, row) for row in connection.execute(newest).mappings()]


def mark_interrupted(engine: sa.Engine) -> list[Run]:
    """Close the runs of this machine whose process is gone as failed, and return them."""
    here = socket.gethostname()
    open_here = sa.select(RUNS).where(RUNS.c.host == here, RUNS.c.status.in_(ACTIVE)).order_by(RUNS.c.created_at)
    with reading(engine) as connection:
        runs = [record_of(Run, row) for row in connection.execute(open_here).mappings()]
    ended = []
    for run in runs:
        if is_alive(run):
            continue
        with writing(engine) as connection:
            found = _read(connection, run.id, for_update=True)
            # Between reading and now another process may have closed the run, or taken it over.
            if found.status not in ACTIVE or found.process_id != run.process_id:
                continue
            said = f"interrupted: process {run.process_id} on host {here} ended before the run did"
            values = {"status": "failed", "finished_at": utc_now(), "error": said}
            ended.append(end_without_results(connection, run.id, values))
    return ended


def require_running(connection: sa.Connection, run_id: str) -> None:
    """Refuse to go on unless a run is running; it then stays so until the transaction ends.

    Raises
    ------
    DatabaseProblem
    """
    _require(_read(connection, run_id, for_update=True), ("running",))


def end_without_results(connection: sa.Connection, run_id: str, values: Mapping[str, Any], reason: str = "") -> Run:
    """Close a run within a transaction and take its results with it, so that no half results remain."""
    guarded = sa.update(RUNS).where(RUNS.c.id == run_id, RUNS.c.status.in_(ACTIVE)).values(dict(values))
    connection.execute(guarded)
    of_run = sa.select(JOBS.c.id).where(JOBS.c.run_id == run_id)
    for table in OF_SCHEDULE:
        connection.execute(sa.delete(table).where(table.c.job_id.in_(of_run)))
    failed = {"status": "failed", "error": values.get("error", reason)}
    # A job that ended without a schedule keeps its own, more exact reason.
    had_schedule = JOBS.c.status.in_(("optimal", "feasible"))
    connection.execute(sa.update(JOBS).where(JOBS.c.run_id == run_id, had_schedule).values(failed))
    forecasts = sa.select(FORECAST_JOBS.c.id).where(FORECAST_JOBS.c.run_id == run_id)
    for table in OF_FORECAST:
        connection.execute(sa.delete(table).where(table.c.job_id.in_(forecasts)))
    had_none_yet = sa.and_(FORECAST_JOBS.c.run_id == run_id, FORECAST_JOBS.c.status != "failed")
    failed["finished_at"] = values["finished_at"]
    connection.execute(sa.update(FORECAST_JOBS).where(had_none_yet).values(failed))
    return _read(connection, run_id)


# ---------------------------------------------------------------------------------------------- inside
def _move(engine: sa.Engine, run_id: str, allowed: Sequence[RunStatus], values: Mapping[str, Any]) -> Run:
    """Change a run in one guarded statement: a late process cannot revive a run that has ended."""
    guarded = sa.update(RUNS).where(RUNS.c.id == run_id, RUNS.c.status.in_(allowed)).values(dict(values))
    with writing(engine) as connection:
        moved = connection.execute(guarded).rowcount
        run = _read(connection, run_id)
        if moved == 0:
            _require(run, allowed)
        return run


def _require(run: Run, allowed: Sequence[RunStatus]) -> None:
    if run.status not in allowed:
        raise DatabaseProblem(f"run {run.id} is {run.status}; this needs a run that is {' or '.join(allowed)}")


def _read(connection: sa.Connection, run_id: str, *, for_update: bool = False) -> Run:
    query = sa.select(RUNS).where(RUNS.c.id == run_id)
    row = connection.execute(query.with_for_update() if for_update else query).mappings().one_or_none()
    if row is not None:
        return record_of(Run, row)
    known = connection.execute(sa.select(RUNS.c.id).order_by(RUNS.c.created_at.desc()).limit(200)).scalars().all()
    hint = did_you_mean(run_id, known) if len(known) <= 5 or _has_near(run_id, known) else "see `ems runs list`"
    raise UnknownName(f"run {show(run_id)}", f"is not in the database; {hint}")


def _has_near(run_id: str, known: Sequence[str]) -> bool:
    return did_you_mean(run_id, known).startswith("did you mean")


def _error_text(error: str) -> str:
    """Return an error's text without secrets, its middle left out when it is too long to keep."""
    text = storable_text(error).strip() or "no reason was given"
    half = LONGEST_TEXT // 2 - 10
    return text if len(text) <= LONGEST_TEXT else f"{text[:half]}\n...\n{text[-half:]}"


def _with_new(there: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    return [
        *there,
        *(item for position, item in enumerate(new) if item not in there and item not in new[:position]),
    ]
