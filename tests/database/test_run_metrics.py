"""Figures of runs, batches and workflows as the database counts them, on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from ems.database.batch_records import BATCH_ATTEMPTS, BATCH_CASES, BATCHES, Batch, BatchAttempt, BatchCase
from ems.database.engine import writing
from ems.database.records import RUNS, Run
from ems.database.run_metrics import (
    RunFigures,
    batches_by_status,
    cases_by_status,
    database_bytes,
    executions_by_status,
    figures_of_runs,
    last_completions,
)
from ems.database.run_owners import batch_of, workflow_of
from ems.database.runs import list_runs
from ems.database.tables import row_of
from ems.database.workflow_records import (
    WORKFLOW_DEFINITIONS,
    WORKFLOW_EXECUTIONS,
    WorkflowDefinition,
    WorkflowExecution,
)
from ems.record import Record

BEGIN = dt.datetime(2024, 6, 3, 8, tzinfo=dt.UTC)
DIGEST = "0" * 64


def test_figures_of_runs__times_of_those_that_ended(engine: sa.Engine) -> None:
    """Runs of 90 s and of 0.25 s take 90.25 s; one that still runs takes none yet."""
    _keep(engine, RUNS, _run("a", "completed", 90), _run("b", "completed", 0.25), _run("c", "running"))
    _keep(engine, RUNS, _run("d", "failed", 60, study="tariffs"), _run("e", "cancelled", 30, begun=False))

    found = {(one.study, one.status): one for one in figures_of_runs(engine)}

    # A day in SQLite's count has 40 µs at the least.
    assert found["dispatch", "completed"].seconds == pytest.approx(90.25, abs=1e-3)
    assert (found["dispatch", "completed"].runs, found["dispatch", "completed"].ended) == (2, 2)
    assert found["dispatch", "running"] == RunFigures("dispatch", "running", 1, 0, 0.0)
    assert found["dispatch", "cancelled"] == RunFigures("dispatch", "cancelled", 1, 0, 0.0)
    assert found["tariffs", "failed"].seconds == pytest.approx(60, abs=1e-3)


def test_last_completions__newest_end_of_each_study(engine: sa.Engine) -> None:
    _keep(engine, RUNS, _run("a", "completed", 90), _run("b", "completed", 30), _run("c", "failed", 100))
    _keep(engine, RUNS, _run("d", "completed", 5, study="tariffs"))

    found = last_completions(engine)

    assert found == {"dispatch": BEGIN + dt.timedelta(seconds=90), "tariffs": BEGIN + dt.timedelta(seconds=5)}


def test_counts__of_batches_and_workflows(engine: sa.Engine) -> None:
    done = {"status": "completed", "finished_at": BEGIN}
    _keep(engine, BATCHES, _batch("a"), _batch("b", **done))
    cases = [BatchCase(batch_id="a", number=n, label="x", key=DIGEST) for n in (1, 2)]
    _keep(engine, BATCH_CASES, *cases, BatchCase(batch_id="b", number=1, label="x", key=DIGEST, run_id="r", **done))
    _keep(engine, WORKFLOW_DEFINITIONS, WorkflowDefinition(name="daily", version=DIGEST, title="Daily"))
    _keep(engine, WORKFLOW_EXECUTIONS, *(_execution(name) for name in "xyz"))

    assert batches_by_status(engine) == {("dispatch", "completed"): 1, ("dispatch", "open"): 1}
    assert cases_by_status(engine) == {("dispatch", "completed"): 1, ("dispatch", "waiting"): 2}
    assert executions_by_status(engine) == {("daily", "pending"): 3}


def test_figures__of_an_empty_database(engine: sa.Engine) -> None:
    assert figures_of_runs(engine) == []
    assert last_completions(engine) == {}
    assert batches_by_status(engine) == cases_by_status(engine) == executions_by_status(engine) == {}
    assert database_bytes(engine) > 10_000


def test_owners__of_attempts_and_processes(engine: sa.Engine) -> None:
    _keep(engine, BATCHES, _batch("a"))
    _keep(engine, BATCH_CASES, BatchCase(batch_id="a", number=1, label="x", key=DIGEST))
    _keep(engine, BATCH_ATTEMPTS, BatchAttempt(batch_id="a", number=1, fence=1, run_id="of-batch", owner="w"))
    _keep(engine, WORKFLOW_DEFINITIONS, WorkflowDefinition(name="daily", version=DIGEST, title="Daily"))
    _keep(engine, WORKFLOW_EXECUTIONS, _execution("x", status="running", host="here", process_id=7))
    here, there = {"host": "here", "process_id": 7}, {"host": "there", "process_id": 7}

    assert batch_of(engine, "of-batch") == "a"
    assert batch_of(engine, "another") is None
    assert workflow_of(engine, _run("another", "running", **here)) == "x"
    assert workflow_of(engine, _run("another", "running", **there)) is None


def test_list_runs__of_a_case(engine: sa.Engine) -> None:
    _keep(engine, RUNS, _run("a", "completed", 1), _run("b", "completed", 1, case_name="harbour"))

    assert [run.id for run in list_runs(engine, case="harbour")] == ["b"]


def test_duration_s__of_a_run() -> None:
    assert _run("a", "completed", 90).duration_s == 90
    assert _run("a", "pending", begun=False).duration_s is None
    assert _run("a", "running").duration_s > 0


def _run(id_: str, status: str, seconds: float | None = None, *, begun: bool = True, **fields: object) -> Run:
    given = {"id": id_, "study": "dispatch", "case_name": "demo", "title": "R", "status": status, **fields}
    ended = {} if seconds is None else {"finished_at": BEGIN + dt.timedelta(seconds=seconds)}
    reason = {"error": "no"} if status == "failed" else {}
    return Run.from_mapping({**given, **ended, **reason, **({"started_at": BEGIN} if begun else {})})


def _batch(id_: str, **fields: object) -> Batch:
    given = {"id": id_, "study": "dispatch", "name": "sweep", "code": DIGEST, "cases": 2}
    return Batch.from_mapping({**given, **fields})


def _execution(id_: str, **fields: object) -> WorkflowExecution:
    return WorkflowExecution.from_mapping({"id": id_, "workflow": "daily", "version": DIGEST, **fields})


def _keep(engine: sa.Engine, table: sa.Table, *records: Record) -> None:
    with writing(engine) as connection:
        connection.execute(sa.insert(table), [row_of(one, table) for one in records])
