"""What is kept of batches: the sweep, its cases with who works on them, and every attempt."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ems.database.records import RUNS, Count, utc_now
from ems.database.tables import table_of
from ems.record import Moment, Name, NonNegative, Record, Slug, Text

BatchStatus = Literal["open", "completed", "failed", "cancelled"]
CaseStatus = Literal["waiting", "running", "completed", "failed", "cancelled"]
AttemptStatus = Literal["running", "completed", "failed", "lost", "cancelled"]
Digest = Annotated[str, Field(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""
Number = Annotated[int, Field(ge=1)]

assert RUNS.name == "runs", "attempts tell the runs which they opened"


class Batch(Record):
    """Many runs of one study, one for each case of a sweep."""

    id: Slug
    """Sortable name: the time when the batch was opened, in UTC, and some random letters."""
    study: Slug
    """Study that runs."""
    name: Name
    """Name of the sweep: of its file."""
    status: BatchStatus = "open"
    """How far it is: failed where a case ended without a result."""
    sweep: dict[str, Any] = Field(default_factory=dict)
    """What the sweep's file says."""
    options: dict[str, Any] = Field(default_factory=dict)
    """How it runs: time limits, attempts, memory."""
    code: Digest
    """Digest of notebook and package; another one is another result."""
    cases: Count
    """Number of its cases."""
    created_at: Moment = Field(default_factory=utc_now)
    """When it was opened."""
    finished_at: Moment | None = None
    """When it ended, in whatever way."""


class BatchCase(Record):
    """One case of a batch, and who works on it."""

    batch_id: Slug
    """Batch."""
    number: Number
    """Place in the sweep, from 1."""
    label: Name
    """What is special about it, for people."""
    key: Digest
    """Digest of notebook, package, parameters and inputs: equal keys have equal results."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """The parameters that were stated."""
    swept: dict[str, Any] = Field(default_factory=dict)
    """Those of them in which the cases differ."""
    status: CaseStatus = "waiting"
    """How far it is."""
    attempts: Count = 0
    """Attempts that were begun and count: those lost with their worker do not."""
    fence: Count = 0
    """Number of the newest lease; whoever holds an older one may write no more."""
    owner: Name | None = None
    """Worker that holds the lease."""
    lease_until: Moment | None = None
    """When the lease ends unless it is renewed."""
    not_before: Moment | None = None
    """When it may be tried again."""
    run_id: Slug | None = None
    """Run that has its result, or the newest one that failed."""
    is_reused: bool = False
    """Whether the result is that of an earlier run with the same key."""
    error: Text | None = None
    """Why it has no result."""
    finished_at: Moment | None = None
    """When it ended."""


class BatchAttempt(Record):
    """One attempt at a case: a run in a worker."""

    batch_id: Slug
    """Batch."""
    number: Number
    """Case."""
    fence: Number
    """Lease under which it ran."""
    run_id: Slug
    """Run that it opened."""
    owner: Name
    """Worker: host, process and start."""
    status: AttemptStatus = "running"
    """How it went: lost where its worker was gone."""
    started_at: Moment = Field(default_factory=utc_now)
    """When it began."""
    finished_at: Moment | None = None
    """When it ended."""
    seconds: NonNegative | None = None
    """CPU seconds of its kernel."""
    peak_memory_mb: NonNegative | None = None
    """Most memory that its kernel held."""
    error: Text | None = None
    """Why it failed."""


BATCHES = table_of(
    Batch,
    "batches",
    primary_key="id",
    indices=("created_at", ("study", "name")),
    checks={"end_has_time": "status = 'open' OR finished_at IS NOT NULL"},
)

BATCH_CASES = table_of(
    BatchCase,
    "batch_cases",
    primary_key=("batch_id", "number"),
    foreign_keys={"batch_id": "batches"},
    indices=(("batch_id", "status"), ("key", "status"), "run_id"),
    checks={
        "running_has_owner": "status <> 'running' OR (owner IS NOT NULL AND lease_until IS NOT NULL)",
        "completed_has_run": "status <> 'completed' OR run_id IS NOT NULL",
        "failure_has_error": "status <> 'failed' OR error IS NOT NULL",
    },
)

BATCH_ATTEMPTS = table_of(
    BatchAttempt,
    "batch_attempts",
    primary_key=("batch_id", "number", "fence"),
    foreign_keys={("batch_id", "number"): "batch_cases"},
    indices=("run_id",),
)
