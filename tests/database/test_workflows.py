"""Executions in both databases: opened once, leased to one process, written under its lease, without secrets."""

from __future__ import annotations

import datetime as dt
import os
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from ems.database.engine import connect, writing
from ems.database.records import Run, utc_now
from ems.database.runs import open_run
from ems.database.workflow_records import (
    WORKFLOW_EXECUTIONS,
    TaskExecution,
    WorkflowDefinition,
    WorkflowExecution,
)
from ems.database.workflows import (
    Lease,
    ask_to_cancel,
    close_execution,
    error_text,
    get_definition,
    get_execution,
    is_orphan,
    keep_definition,
    keeping_references,
    list_executions,
    open_execution,
    renew_lease,
    run_of_process,
    take_lease,
    tasks_of,
    write_task,
)
from ems.errors import AlreadyStarted, InvalidInput, LeaseLost, UnknownName

VERSION = "a" * 64
MOMENT = dt.datetime(2024, 6, 1, 22, 30, tzinfo=dt.UTC)


def opened(engine: sa.Engine, execution_id: str = "one", **fields: Any) -> WorkflowExecution:
    keep_definition(engine, WorkflowDefinition(name="trial", version=VERSION, title="Trial"))
    return open_execution(engine, WorkflowExecution(id=execution_id, workflow="trial", version=VERSION, **fields))


def task(attempt: int = 1, **fields: Any) -> TaskExecution:
    return TaskExecution(execution_id="one", task_id="load", kind="function", attempt=attempt, **fields)


def age(engine: sa.Engine, **values: Any) -> None:
    """Change an execution as another machine or time would have left it."""
    with writing(engine) as connection:
        connection.execute(sa.update(WORKFLOW_EXECUTIONS).values(values))


def test_definition__is_kept_once_and_its_secrets_by_name(engine: sa.Engine) -> None:
    given = {
        "tasks": [
            {
                "url": "https://host?token=${secrets.API_TOKEN}",
                "headers": {"Authorization": "Bearer ${secrets.API_TOKEN}", "X-Token": "plain-value"},
                "password": "${ secrets.PASS }",
            }
        ]
    }
    definition = WorkflowDefinition(name="trial", version=VERSION, title="Trial", definition=given, tags=("a",))

    keep_definition(engine, definition)
    keep_definition(engine, definition.replace(title="Later"))

    (kept,) = get_definition(engine, "trial", VERSION).definition["tasks"]
    assert kept["url"] == "https://host?token=${secrets.API_TOKEN}"
    assert kept["headers"] == {"Authorization": "Bearer ${secrets.API_TOKEN}", "X-Token": "***"}
    assert kept["password"] == "${ secrets.PASS }"
    assert get_definition(engine, "trial", VERSION).title == "Trial"
    with pytest.raises(UnknownName, match="version bbbbbbbbbbbb is not in the database"):
        get_definition(engine, "trial", "b" * 64)


def test_keeping_references__hides_all_but_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "hunter2-and-more")

    found = keeping_references({"a": ["hunter2-and-more ${secrets.X}"], "b": float("nan"), "c": ("x", 1)})

    assert found == {"a": ["*** ${secrets.X}"], "b": None, "c": ["x", 1]}


def test_open__one_for_each_moment_of_a_schedule(engine: sa.Engine) -> None:
    opened(engine, "one", scheduled_for=MOMENT)
    opened(engine, "other", scheduled_for=MOMENT + dt.timedelta(hours=1))
    opened(engine, "by-hand")
    opened(engine, "by-hand-again")

    with pytest.raises(AlreadyStarted, match="as execution one") as told:
        opened(engine, "two", scheduled_for=MOMENT.astimezone(dt.timezone(dt.timedelta(hours=2))))
    with pytest.raises(AlreadyStarted, match="was opened before"):
        opened(engine, "one")

    assert told.value.execution_id == "one"
    assert {one.id for one in list_executions(engine)} == {"one", "other", "by-hand", "by-hand-again"}


def test_open__of_many_at_once_one_is_opened(engine: sa.Engine) -> None:
    keep_definition(engine, WorkflowDefinition(name="trial", version=VERSION, title="Trial"))
    url, outcomes = engine.url.render_as_string(hide_password=False), []

    def work(number: int) -> None:
        own = connect(url)
        try:
            open_execution(
                own, WorkflowExecution(id=f"n{number}", workflow="trial", version=VERSION, scheduled_for=MOMENT)
            )
            outcomes.append("opened")
        except AlreadyStarted:
            outcomes.append("told")
        finally:
            own.dispose()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["opened", *["told"] * 5]


def test_lease__belongs_to_one_process(engine: sa.Engine) -> None:
    opened(engine)

    lease = take_lease(engine, "one")

    found = get_execution(engine, "one")
    assert lease == Lease("one", 1)
    assert (found.status, found.process_id, found.fence) == ("running", os.getpid(), 1)
    assert found.lease_until is not None and found.lease_until > utc_now()
    assert not is_orphan(found)
    with pytest.raises(InvalidInput, match=f"process {os.getpid()} on host .* works on it; wait, or stop it"):
        take_lease(engine, "one")


@pytest.mark.parametrize(
    "left",
    [
        {"lease_until": dt.datetime(2000, 1, 1, tzinfo=dt.UTC), "host": "elsewhere"},
        {"process_id": 2**22 + 1},
        {"process_started_at": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)},
    ],
    ids=["silent elsewhere", "process gone", "number given to another process"],
)
def test_lease__is_taken_over_from_what_is_gone(engine: sa.Engine, left: dict[str, Any]) -> None:
    opened(engine)
    old = take_lease(engine, "one")
    write_task(engine, old, task(status="running", started_at=utc_now()))
    write_task(engine, old, task(0, status="skipped", reason="because"))
    age(engine, **left)
    assert is_orphan(get_execution(engine, "one"))

    new = take_lease(engine, "one")

    assert new.fence == 2
    (row,) = tasks_of(engine, "one")
    assert (row.status, row.attempt) == ("failed", 1)
    assert row.error == "interrupted: the process that ran it ended before the task did"
    for write in (
        lambda: write_task(engine, old, task(2, status="running")),
        lambda: renew_lease(engine, old),
        lambda: close_execution(engine, old, "completed"),
    ):
        with pytest.raises(LeaseLost, match=f"was taken over by process {os.getpid()} on host"):
            write()
    assert len(tasks_of(engine, "one")) == 1
    assert close_execution(engine, new, "completed").status == "completed"


def test_lease__elsewhere_holds_until_it_ends(engine: sa.Engine) -> None:
    """Of another machine nobody here can tell whether its process lives; its lease tells."""
    opened(engine)
    take_lease(engine, "one")
    age(engine, host="elsewhere", process_id=1)

    assert not is_orphan(get_execution(engine, "one"))
    with pytest.raises(InvalidInput, match="process 1 on host elsewhere works on it"):
        take_lease(engine, "one")


def test_task__is_written_again_and_again(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET_KEY", "kkkkkkkk")
    opened(engine)
    lease = take_lease(engine, "one")

    write_task(engine, lease, task(status="running", parameters={"token": "${secrets.T}", "n": 1}))
    kept = write_task(engine, lease, task(status="completed", outputs={"a": float("inf"), "b": "kkkkkkkk", "c": [1]}))
    write_task(engine, lease, task(2, status="failed", error=error_text(f"\x1b[31m{'x' * 20_000}\0 kkkkkkkk")))
    write_task(engine, lease, task(1, item="roof/1", status="completed"))

    assert kept.outputs == {"a": None, "b": "***", "c": [1]}
    rows = {(row.item, row.attempt): row for row in tasks_of(engine, "one")}
    assert set(rows) == {("", 1), ("", 2), ("roof/1", 1)}
    said = str(rows[("", 2)].error)
    assert len(said) <= 10_000
    assert said.endswith("x\ufffd ***")


def test_cancel__asks_what_runs_and_closes_what_does_not(engine: sa.Engine) -> None:
    opened(engine, "one")
    opened(engine, "waiting")
    lease = take_lease(engine, "one")

    asked, closed = ask_to_cancel(engine, "one"), ask_to_cancel(engine, "waiting")

    assert (asked.status, asked.is_cancelling) == ("running", True)
    assert closed.status == "cancelled"
    assert renew_lease(engine, lease).is_cancelling
    with pytest.raises(InvalidInput, match="is cancelled; there is nothing to do"):
        take_lease(engine, "waiting", of=("pending",))
    close_execution(engine, lease, "cancelled")
    again = take_lease(engine, "one")
    assert again.fence == 2
    assert not get_execution(engine, "one").is_cancelling


def test_cancel__of_an_orphan_closes_its_tasks(engine: sa.Engine) -> None:
    opened(engine)
    lease = take_lease(engine, "one")
    write_task(engine, lease, task(status="running"))
    age(engine, process_id=2**22 + 1)

    assert ask_to_cancel(engine, "one").status == "cancelled"
    assert [row.status for row in tasks_of(engine, "one")] == ["cancelled"]
    with pytest.raises(LeaseLost, match="was closed as cancelled by another process"):
        write_task(engine, lease, task(status="completed"))


def test_list__filters_and_order(engine: sa.Engine) -> None:
    for number in range(3):
        opened(engine, f"n{number}", created_at=MOMENT + dt.timedelta(minutes=number))
    close_execution(engine, take_lease(engine, "n1"), "failed", "no luck")

    assert [one.id for one in list_executions(engine)] == ["n2", "n1", "n0"]
    assert [one.id for one in list_executions(engine, status="failed")] == ["n1"]
    assert [one.id for one in list_executions(engine, limit=1)] == ["n2"]
    assert list_executions(engine, workflow="x' OR '1'='1") == []
    with pytest.raises(UnknownName, match="is not in the database; see `ems executions list`"):
        get_execution(engine, "nowhere")


def test_run_of_process__is_the_one_that_a_task_opened(engine: sa.Engine) -> None:
    before = utc_now()
    open_run(engine, Run(id="r1", study="dispatch", case_name="demo", title="Demo"))

    assert run_of_process(engine, os.getpid(), before) == "r1"
    assert run_of_process(engine, os.getpid(), utc_now() + dt.timedelta(minutes=1)) is None
    assert run_of_process(engine, 1, before) is None
