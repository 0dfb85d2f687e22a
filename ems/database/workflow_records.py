"""What is kept of workflows: versions of definitions, executions with their tasks, and how far schedules are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field

from ems.database.batch_records import Digest
from ems.database.records import RUNS, Count, utc_now
from ems.database.tables import table_of
from ems.record import FromList, Moment, Name, Record, Slug, Text

ExecutionStatus = Literal["pending", "running", "completed", "failed", "cancelled"]
TaskStatus = Literal["pending", "running", "completed", "failed", "skipped", "cancelled"]
Trigger = Literal["command", "schedule", "file", "http"]
ItemKey = Annotated[str, Field(max_length=200)]

assert RUNS.name == "runs", "tasks tell the runs which they opened"


class WorkflowDefinition(Record):
    """A workflow as its file stated it at some time."""

    name: Slug
    """Name of the workflow: of its file."""
    version: Digest
    """Digest of its text."""
    title: Name
    """Title for people."""
    is_enabled: bool = True
    """Whether schedules and triggers may start it."""
    tags: Annotated[tuple[str, ...], FromList] = ()
    """Words by which people find it."""
    definition: dict[str, Any] = Field(default_factory=dict)
    """What its file says."""
    created_at: Moment = Field(default_factory=utc_now)
    """When this version was first seen."""


class WorkflowExecution(Record):
    """One execution of a workflow."""

    id: Slug
    """Sortable name: the time when it was opened, in UTC, and some random letters."""
    workflow: Slug
    """Workflow."""
    version: Digest
    """Version of its definition."""
    status: ExecutionStatus = "pending"
    """How far it is."""
    trigger: Trigger = "command"
    """What started it."""
    scheduled_for: Moment | None = None
    """Moment of the schedule that it belongs to; there is one execution for each."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """The workflow's parameters with the values that held; secrets by name alone."""
    is_cancelling: bool = False
    """Whether a person asked it to end."""
    fence: Count = 0
    """Number of the newest lease; a process that holds an older one may write no more."""
    host: Name | None = None
    """Machine on which its process is."""
    process_id: Annotated[int, Field(gt=0)] | None = None
    """Number of its process on that machine."""
    process_started_at: Moment | None = None
    """Start of that process."""
    lease_until: Moment | None = None
    """When another process may take it over, unless the lease is renewed."""
    created_at: Moment = Field(default_factory=utc_now)
    """When it was opened."""
    started_at: Moment | None = None
    """When the work began."""
    finished_at: Moment | None = None
    """When it ended, in whatever way."""
    error: Text | None = None
    """Why it failed."""


class TaskExecution(Record):
    """One attempt at a task of an execution, or why it was skipped."""

    execution_id: Slug
    """Execution."""
    task_id: Slug
    """Task of the workflow."""
    item: ItemKey = ""
    """Item of a task that runs for each of several; empty of others."""
    attempt: Count = 1
    """Number of the attempt, from 1; 0 where it never began."""
    kind: Name
    """What it does: study, http, delay."""
    status: TaskStatus = "pending"
    """How far it is."""
    reason: Text | None = None
    """Why it was skipped."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Its parameters with the values that held; secrets by name alone."""
    outputs: dict[str, Any] = Field(default_factory=dict)
    """What later tasks may refer to."""
    run_id: Slug | None = None
    """Run of a notebook that it opened."""
    started_at: Moment | None = None
    """When it began."""
    finished_at: Moment | None = None
    """When it ended."""
    error: Text | None = None
    """Why it failed."""


class ScheduleState(Record):
    """How far the schedule of a workflow is, and which process looks after it."""

    workflow: Slug
    """Workflow."""
    handled_until: Moment | None = None
    """Times up to this one have been started or skipped."""
    fence: Count = 0
    """Number of the newest lease."""
    owner: Name | None = None
    """Process that holds the lease: host, number and start."""
    lease_until: Moment | None = None
    """When another process may look after it, unless the lease is renewed."""


WORKFLOW_DEFINITIONS = table_of(
    WorkflowDefinition, "workflow_definitions", primary_key=("name", "version"), indices=(("name", "created_at"),)
)

WORKFLOW_EXECUTIONS = table_of(
    WorkflowExecution,
    "workflow_executions",
    primary_key="id",
    foreign_keys={("workflow", "version"): "workflow_definitions"},
    indices=("created_at", "status", ("workflow", "created_at")),
    checks={
        "failure_has_error": "status <> 'failed' OR error IS NOT NULL",
        "end_has_time": "status IN ('pending', 'running') OR finished_at IS NOT NULL",
    },
)
# The law that lets two copies of a scheduler start a time once.
sa.Index(
    "uq_workflow_executions_workflow_scheduled_for",
    WORKFLOW_EXECUTIONS.c.workflow,
    WORKFLOW_EXECUTIONS.c.scheduled_for,
    unique=True,
)

TASK_EXECUTIONS = table_of(
    TaskExecution,
    "task_executions",
    primary_key=("execution_id", "task_id", "item", "attempt"),
    foreign_keys={"execution_id": "workflow_executions"},
    indices=("run_id",),
    checks={
        "failure_has_error": "status <> 'failed' OR error IS NOT NULL",
        "skip_has_reason": "status <> 'skipped' OR reason IS NOT NULL",
    },
)

SCHEDULES = table_of(ScheduleState, "schedules", primary_key="workflow")
