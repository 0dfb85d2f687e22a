"""Executions of workflows and their tasks: opened, leased to one process, written under its lease, found again."""

from __future__ import annotations

import datetime as dt
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import sqlalchemy as sa

from ems.database.engine import reading
from ems.database.masking import storable, storable_text
from ems.database.processes import CLOCK_TOLERANCE_S, process_fields
from ems.database.records import RUNS, utc_now
from ems.database.tables import record_of, row_of
from ems.database.turns import in_turn
from ems.database.workflow_records import (
    TASK_EXECUTIONS,
    WORKFLOW_DEFINITIONS,
    WORKFLOW_EXECUTIONS,
    ExecutionStatus,
    TaskExecution,
    WorkflowDefinition,
    WorkflowExecution,
)
from ems.errors import AlreadyStarted, InvalidInput, LeaseLost, UnknownName, show
from ems.record import LONGEST_TEXT

LEASE_S = 30.0
"""How long a process may be silent before another one may take over."""
OPEN: tuple[ExecutionStatus, ...] = ("pending", "running")
RESUMABLE: tuple[ExecutionStatus, ...] = ("pending", "running", "failed", "cancelled")
MOST_TASKS = 200_000
_EXECUTIONS = WORKFLOW_EXECUTIONS.c
_TASKS = TASK_EXECUTIONS.c
_SECRET = re.compile(r"(\$\{\s*secrets\.[A-Za-z_][A-Za-z0-9_]*\s*\})")


@dataclass(frozen=True)
class Lease:
    """The right of one process to work on an execution.

    Parameters
    ----------
    execution_id : str
    fence : int
        Number of the lease; a newer one ends it.
    """

    execution_id: str
    fence: int


# ---------------------------------------------------------------------------------------------- definitions
def keep_definition(engine: sa.Engine, definition: WorkflowDefinition) -> WorkflowDefinition:
    """Keep a version of a workflow where it is not kept yet, and return it as it is kept."""
    table = WORKFLOW_DEFINITIONS
    of_it = sa.and_(table.c.name == definition.name, table.c.version == definition.version)
    row = row_of(definition, table) | {"definition": keeping_references(definition.definition)}

    def work(connection: sa.Connection) -> WorkflowDefinition:
        found = connection.execute(sa.select(table).where(of_it)).mappings().one_or_none()
        if found is None:
            connection.execute(sa.insert(table), row)
            found = connection.execute(sa.select(table).where(of_it)).mappings().one()
        return record_of(WorkflowDefinition, found)

    return in_turn(engine, work)


def get_definition(engine: sa.Engine, name: str, version: str) -> WorkflowDefinition:
    """Return a version of a workflow.

    Raises
    ------
    UnknownName
        If it is not kept.
    """
    table = WORKFLOW_DEFINITIONS
    query = sa.select(table).where(table.c.name == name, table.c.version == version)
    with reading(engine) as connection:
        found = connection.execute(query).mappings().one_or_none()
    if found is None:
        raise UnknownName(f"workflow {show(name)}", f"version {version[:12]} is not in the database")
    return record_of(WorkflowDefinition, found)


# ---------------------------------------------------------------------------------------------- executions
def open_execution(engine: sa.Engine, execution: WorkflowExecution) -> WorkflowExecution:
    """Keep a new execution and return it as it is kept, without secrets.

    Raises
    ------
    AlreadyStarted
        If the workflow has an execution for the same moment of its schedule, or there is one of the same id.
    """
    row = row_of(execution, WORKFLOW_EXECUTIONS) | {"parameters": keeping_references(execution.parameters)}

    def work(connection: sa.Connection) -> WorkflowExecution:
        if connection.execute(sa.select(_EXECUTIONS.id).where(_EXECUTIONS.id == execution.id)).scalar() is not None:
            raise AlreadyStarted(f"execution {execution.id}", "was opened before", execution.id)
        if execution.scheduled_for is not None:
            there = sa.select(_EXECUTIONS.id).where(
                _EXECUTIONS.workflow == execution.workflow, _EXECUTIONS.scheduled_for == execution.scheduled_for
            )
            other = connection.execute(there).scalar()
            if other is not None:
                raise AlreadyStarted(
                    f"workflow {show(execution.workflow)}",
                    f"was started for {execution.scheduled_for:%Y-%m-%d %H:%M:%S %Z} before, as execution {other}",
                    other,
                )
        connection.execute(sa.insert(WORKFLOW_EXECUTIONS), row)
        return _read(connection, execution.id)

    # Two processes that open the same moment at once: one is refused by the unique index, looks again, and is told.
    return in_turn(engine, work)


def get_execution(engine: sa.Engine, execution_id: str) -> WorkflowExecution:
    """Return an execution.

    Raises
    ------
    UnknownName
        If there is none of that id.
    """
    with reading(engine) as connection:
        return _read(connection, execution_id)


def list_executions(
    engine: sa.Engine,
    *,
    workflow: str | None = None,
    status: str | None = None,
    limit: int = 50,
) -> list[WorkflowExecution]:
    """Return executions, the newest first.

    Parameters
    ----------
    engine : Engine
    workflow, status : str, optional
        Only executions of exactly that workflow or status.
    limit : int
        Greatest number of executions.
    """
    query = sa.select(WORKFLOW_EXECUTIONS).order_by(_EXECUTIONS.created_at.desc(), _EXECUTIONS.id.desc()).limit(limit)
    if workflow is not None:
        query = query.where(_EXECUTIONS.workflow == workflow)
    if status is not None:
        query = query.where(_EXECUTIONS.status == status)
    with reading(engine) as connection:
        return [record_of(WorkflowExecution, row) for row in connection.execute(query).mappings()]


def tasks_of(engine: sa.Engine, execution_id: str) -> list[TaskExecution]:
    """Return the attempts at the tasks of an execution in the order in which they began, those that never did last."""
    order = (_TASKS.started_at.is_(None), _TASKS.started_at, _TASKS.task_id, _TASKS.item, _TASKS.attempt)
    query = sa.select(TASK_EXECUTIONS).where(_TASKS.execution_id == execution_id).order_by(*order).limit(MOST_TASKS)
    with reading(engine) as connection:
        return [record_of(TaskExecution, row) for row in connection.execute(query).mappings()]


def is_orphan(execution: WorkflowExecution) -> bool:
    """Return whether nothing works on an open execution any more: its lease has ended, or its process is gone."""
    if execution.status not in OPEN:
        return False
    if execution.lease_until is None:
        return True
    if execution.lease_until <= utc_now():
        return True
    return execution.host == socket.gethostname() and process_of(execution) is None


def process_of(execution: WorkflowExecution) -> psutil.Process | None:
    """Return the process of an execution of this machine, or None where it is gone or elsewhere."""
    if execution.process_id is None or execution.host != socket.gethostname():
        return None
    try:
        process = psutil.Process(execution.process_id)
        started = process.create_time()
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.Error:
        return None
    known = execution.process_started_at
    is_same = known is None or abs(started - known.timestamp()) <= CLOCK_TOLERANCE_S
    return process if is_same else None


# ---------------------------------------------------------------------------------------------- lease
def take_lease(
    engine: sa.Engine,
    execution_id: str,
    *,
    of: Sequence[ExecutionStatus] = RESUMABLE,
    lease_s: float = LEASE_S,
) -> Lease:
    """Return the lease of an execution for the present process, which then is running.

    Parameters
    ----------
    engine : Engine
    execution_id : str
    of : sequence of str
        What its status may be: pending alone for one that begins.
    lease_s : float
        How long the lease holds unless it is renewed.

    Raises
    ------
    InvalidInput
        If another process works on it, or it is completed.
    """

    def work(connection: sa.Connection) -> Lease:
        found = _read(connection, execution_id, for_update=True)
        if found.status not in of:
            raise InvalidInput(f"execution {execution_id}", f"is {found.status}; there is nothing to do")
        if found.status == "running" and not is_orphan(found):
            raise InvalidInput(
                f"execution {execution_id}",
                f"process {found.process_id} on host {found.host} works on it; wait, or stop it with "
                f"`ems executions cancel {execution_id}`",
            )
        now = utc_now()
        values = {
            "status": "running",
            "fence": found.fence + 1,
            "is_cancelling": False if found.status in ("failed", "cancelled") else found.is_cancelling,
            "lease_until": now + dt.timedelta(seconds=lease_s),
            "started_at": found.started_at or now,
            "finished_at": None,
            "error": None,
            **process_fields(None),
        }
        connection.execute(sa.update(WORKFLOW_EXECUTIONS).where(_EXECUTIONS.id == execution_id).values(values))
        # What was skipped or never begun is looked at again.
        connection.execute(sa.delete(TASK_EXECUTIONS).where(_TASKS.execution_id == execution_id, _TASKS.attempt == 0))
        lost = {
            "status": "failed",
            "finished_at": now,
            "error": "interrupted: the process that ran it ended before the task did",
        }
        open_rows = sa.and_(_TASKS.execution_id == execution_id, _TASKS.status.in_(("pending", "running")))
        connection.execute(sa.update(TASK_EXECUTIONS).where(open_rows).values(lost))
        return Lease(execution_id, found.fence + 1)

    return in_turn(engine, work)


def renew_lease(engine: sa.Engine, lease: Lease, *, lease_s: float = LEASE_S) -> WorkflowExecution:
    """Lengthen a lease and return the execution, which tells whether a person asked it to end.

    Raises
    ------
    LeaseLost
        If another process has taken over.
    """

    def work(connection: sa.Connection) -> WorkflowExecution:
        values = {"lease_until": utc_now() + dt.timedelta(seconds=lease_s)}
        _change(connection, lease, values)
        return _read(connection, lease.execution_id)

    return in_turn(engine, work)


def write_task(engine: sa.Engine, lease: Lease, task: TaskExecution) -> TaskExecution:
    """Keep how far an attempt at a task is, and return it as it is kept, without secrets.

    Raises
    ------
    LeaseLost
        If another process has taken over the execution.
    """
    assert task.execution_id == lease.execution_id, "a lease is for one execution"
    row = row_of(task, TASK_EXECUTIONS) | {"parameters": keeping_references(task.parameters)}
    row |= {name: error_text(row[name]) for name in ("error", "reason") if row[name] is not None}
    keys = sa.and_(*(column == row[column.name] for column in TASK_EXECUTIONS.primary_key))

    def work(connection: sa.Connection) -> TaskExecution:
        _hold(connection, lease)
        if connection.execute(sa.update(TASK_EXECUTIONS).where(keys).values(row)).rowcount == 0:
            connection.execute(sa.insert(TASK_EXECUTIONS), row)
        return record_of(TaskExecution, connection.execute(sa.select(TASK_EXECUTIONS).where(keys)).mappings().one())

    return in_turn(engine, work)


def close_execution(
    engine: sa.Engine, lease: Lease, status: ExecutionStatus, error: str | None = None
) -> WorkflowExecution:
    """Close an execution as completed, failed or cancelled, and return it.

    Raises
    ------
    LeaseLost
        If another process has taken over.
    """
    values = {
        "status": status,
        "finished_at": utc_now(),
        "lease_until": None,
        "error": None if error is None else error_text(error),
    }

    def work(connection: sa.Connection) -> WorkflowExecution:
        _change(connection, lease, values)
        return _read(connection, lease.execution_id)

    return in_turn(engine, work)


def ask_to_cancel(engine: sa.Engine, execution_id: str) -> WorkflowExecution:
    """Ask an execution to end and return it; one on which nothing works any more is closed at once.

    Raises
    ------
    InvalidInput
        If it has ended.
    """

    def work(connection: sa.Connection) -> WorkflowExecution:
        found = _read(connection, execution_id, for_update=True)
        if found.status not in OPEN:
            raise InvalidInput(f"execution {execution_id}", f"is {found.status}; there is nothing to cancel")
        values: dict[str, Any] = {"is_cancelling": True}
        if found.status == "running" and is_orphan(found):
            now = utc_now()
            values |= {"status": "cancelled", "finished_at": now, "lease_until": None, "fence": found.fence + 1}
            of_it = sa.and_(_TASKS.execution_id == execution_id, _TASKS.status.in_(("pending", "running")))
            closed = {"status": "cancelled", "finished_at": now}
            connection.execute(sa.update(TASK_EXECUTIONS).where(of_it).values(closed))
        elif found.status == "pending":
            values |= {"status": "cancelled", "finished_at": utc_now(), "fence": found.fence + 1}
        connection.execute(sa.update(WORKFLOW_EXECUTIONS).where(_EXECUTIONS.id == execution_id).values(values))
        return _read(connection, execution_id)

    return in_turn(engine, work)


def run_of_process(engine: sa.Engine, process_id: int, since: dt.datetime) -> str | None:
    """Return the run that a process of this machine opened since a moment, or None where it opened none."""
    runs = RUNS.c
    query = (
        sa.select(runs.id)
        .where(runs.host == socket.gethostname(), runs.process_id == process_id, runs.created_at >= since)
        .order_by(runs.created_at.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        found: str | None = connection.execute(query).scalar()
        return found


# ---------------------------------------------------------------------------------------------- inside
def keeping_references(value: Any) -> Any:
    """Return a value without secrets, as `storable`, in which ``${secrets.NAME}`` still stands.

    A field such as password, whose value would be hidden, keeps a reference: it names a secret and is none.
    """
    if isinstance(value, Mapping):
        kept: dict[str, Any] = {}
        for key, inner in value.items():
            ((name, plain),) = storable({key: inner}).items()
            is_marked = isinstance(inner, str) and _SECRET.search(inner)
            kept[name] = keeping_references(inner) if is_marked or isinstance(inner, Mapping | list | tuple) else plain
        return kept
    if isinstance(value, list | tuple):
        return [keeping_references(inner) for inner in value]
    if isinstance(value, str) and _SECRET.search(value):
        return _between_references(value)
    return storable(value)


def _between_references(text: str) -> str:
    """Return a text whose parts between references are without secrets."""
    return "".join(part if _SECRET.fullmatch(part) else storable_text(part) for part in _SECRET.split(text))


def error_text(error: str) -> str:
    """Return an error's text without secrets, its middle left out when it is too long to keep."""
    text = storable_text(error).strip() or "no reason was given"
    half = LONGEST_TEXT // 2 - 10
    return text if len(text) <= LONGEST_TEXT else f"{text[:half]}\n...\n{text[-half:]}"


def _hold(connection: sa.Connection, lease: Lease) -> WorkflowExecution:
    """Refuse to go on unless a lease holds; it then does so until the transaction ends."""
    found = _read(connection, lease.execution_id, for_update=True)
    if found.fence != lease.fence or found.status != "running":
        raise _lost(found)
    return found


def _change(connection: sa.Connection, lease: Lease, values: Mapping[str, Any]) -> None:
    """Change an execution in one guarded statement."""
    guarded = sa.update(WORKFLOW_EXECUTIONS).where(
        _EXECUTIONS.id == lease.execution_id, _EXECUTIONS.fence == lease.fence, _EXECUTIONS.status == "running"
    )
    if connection.execute(guarded.values(dict(values))).rowcount == 0:
        raise _lost(_read(connection, lease.execution_id))


def _lost(found: WorkflowExecution) -> LeaseLost:
    if found.status != "running":
        return LeaseLost(f"execution {found.id} was closed as {found.status} by another process")
    return LeaseLost(f"execution {found.id} was taken over by process {found.process_id} on host {found.host}")


def _read(connection: sa.Connection, execution_id: str, *, for_update: bool = False) -> WorkflowExecution:
    query = sa.select(WORKFLOW_EXECUTIONS).where(_EXECUTIONS.id == execution_id)
    row = connection.execute(query.with_for_update() if for_update else query).mappings().one_or_none()
    if row is None:
        raise UnknownName(f"execution {show(execution_id)}", "is not in the database; see `ems executions list`")
    return record_of(WorkflowExecution, row)
