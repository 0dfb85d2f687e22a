"""What the service reads and writes in the database, by one connection pool that survives an outage."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ems.batch.schedule.starts import Start
from ems.database.run_id import new_run_id
from ems.database.schedules import (
    Lease,
    active_executions,
    execution_of,
    is_refusal,
    new_owner,
    note_handled,
    release_leases,
    renew_leases,
    take_lease,
)
from ems.database.workflow_records import ScheduleState, WorkflowDefinition, WorkflowExecution
from ems.database.workflows import close_execution, error_text, is_orphan, keep_definition, open_execution
from ems.database.workflows import take_lease as take_execution
from ems.errors import AlreadyStarted, DatabaseProblem, InvalidInput, LeaseLost

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.batch.workflows.checks import CheckedWorkflow

LEASE_S = 30.0
"""How long a copy of the service that fell silent keeps its schedules from the others."""
BEGINNING_S = 30.0
"""A process that opened an execution has begun it after this time, or is gone."""


class Ledger:
    """The database as one copy of the service sees it.

    Parameters
    ----------
    engine : Engine
    lease_s : float
    """

    def __init__(self, engine: Engine, lease_s: float = LEASE_S) -> None:
        self.engine = engine
        self.lease_s = lease_s
        self.owner = new_owner()

    def take(self, workflow: str, now: dt.datetime) -> Lease | ScheduleState:
        """Return the lease of a schedule, or its state where another copy holds it."""
        return take_lease(self.engine, workflow, self.owner, now=now, lease_s=self.lease_s)

    def renew(self, leases: Iterable[Lease], now: dt.datetime, handled: Mapping[str, dt.datetime]) -> dict[str, Lease]:
        """Return the leases that still hold, renewed."""
        return renew_leases(self.engine, leases, now=now, lease_s=self.lease_s, handled=handled)

    def release(self, leases: Iterable[Lease]) -> None:
        """Give leases back."""
        release_leases(self.engine, leases)

    def note_handled(self, lease: Lease, until: dt.datetime, *, set_back: bool = False) -> Lease | None:
        """Return a lease whose times up to a moment are handled; None where it is lost."""
        return note_handled(self.engine, lease, until, set_back=set_back)

    def open(self, start: Start, now: dt.datetime) -> bool:
        """Keep the execution that a start asks for and return True; False where it was kept before, here or elsewhere.

        Raises
        ------
        InvalidInput
            If the workflow cannot run with these parameters.
        """
        from ems.batch.workflows.checks import load_workflow

        checked = load_workflow(start.workflow, start.parameters)
        execution = WorkflowExecution(
            id=start.id,
            workflow=start.workflow,
            version=self._version(checked),
            trigger=start.trigger,
            scheduled_for=start.scheduled_for,
            parameters=checked.values,
            created_at=now,
        )
        try:
            open_execution(self.engine, execution)
        except AlreadyStarted:
            return False
        except DatabaseProblem as problem:
            if not is_refusal(problem):
                raise
            if execution_of(self.engine, start.id) is None:
                raise InvalidInput(f"workflow '{start.workflow}'", str(problem)) from None
            return False  # the same file or request, seen by another copy at the same moment
        return True

    def note_skipped(self, workflow: CheckedWorkflow, moment: dt.datetime, now: dt.datetime, reason: str) -> None:
        """Record as a cancelled execution that a time of a schedule was not started, and why."""
        skipped = WorkflowExecution(
            id=new_run_id(now),
            workflow=workflow.spec.name,
            version=self._version(workflow),
            status="cancelled",
            trigger="schedule",
            scheduled_for=moment,
            created_at=now,
            finished_at=now,
            error=error_text(reason),
        )
        with contextlib.suppress(AlreadyStarted):  # then it was not skipped, or another copy has said so
            open_execution(self.engine, skipped)

    def give_up(self, execution_id: str, reason: str) -> None:
        """Close an execution as failed on which nothing works."""
        with contextlib.suppress(InvalidInput, LeaseLost):  # something works on it after all, or it has ended
            close_execution(self.engine, take_execution(self.engine, execution_id), "failed", reason)

    def _version(self, workflow: CheckedWorkflow) -> str:
        """Return the version of a workflow, which is kept from now on."""
        spec, text = workflow.spec, workflow.text
        definition = WorkflowDefinition(
            name=spec.name,
            version=text.version,
            title=spec.title,
            is_enabled=spec.enabled,
            tags=spec.tags,
            definition=json.loads(json.dumps(text.given, default=str)),  # dates of YAML become text
        )
        return keep_definition(self.engine, definition).version

    def execution_of(self, execution_id: str) -> WorkflowExecution | None:
        """Return the execution of an id."""
        return execution_of(self.engine, execution_id)

    def active(self, workflow: str) -> list[WorkflowExecution]:
        """Return the executions of a workflow that wait or run, as the database has them."""
        return active_executions(self.engine, workflow)


def is_at_work(execution: WorkflowExecution, now: dt.datetime) -> bool:
    """Return whether a process works on an open execution, or will in a moment."""
    if execution.status == "pending" and execution.lease_until is None:
        return (now - execution.created_at).total_seconds() < BEGINNING_S
    return not is_orphan(execution)
