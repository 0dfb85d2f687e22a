"""Workflows at work: order, repetition, time limits, skipped tasks, and what later tasks see of earlier ones."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from waiting import PATIENCE_S, wait_for
from workflow_world import call, is_alive, let_an_hour_pass, rows, run, statuses, write_workflow

from ems.batch.workflows.begin import pause_before_retry
from ems.batch.workflows.execution import open_workflow, run_workflow
from ems.batch.workflows.task_spec import DelayTask
from ems.errors import AlreadyStarted, InvalidInput


def test_run__outputs_reach_later_tasks_with_their_type(project: Path) -> None:
    """2 x 3 = 6; 6 + 1 = 7, which is more than 5."""
    tasks = [
        call("first", "double", value="${parameters.n}", outputs={"doubled": "number"}),
        {
            "id": "sum",
            "kind": "transform",
            "depends_on": ["first"],
            "outputs": {"total": "tasks.first.outputs.doubled + 1", "text": "'for ' + execution.id", "five": 5},
        },
        {"id": "is-large", "kind": "condition", "depends_on": ["sum"], "expression": "tasks.sum.outputs.total > 5"},
        call("second", "double", value="${tasks.sum.outputs.total}", depends_on=["sum", "is-large"]),
    ]

    done = run(project, tasks, parameters={"n": 3})

    found = rows(done)
    assert done.status == "completed"
    assert done.parameters == {"n": 3}
    assert found["first"].parameters == {"function": "acts:double", "parameters": {"value": 3}}
    assert found["sum"].outputs == {"total": 7, "text": f"for {done.id}", "five": 5}
    assert found["is-large"].outputs == {"value": True}
    assert found["second"].outputs == {"result": {"doubled": 14}}
    assert done.started_at is not None and done.finished_at is not None
    assert done.lease_until is None


def test_run__branches_run_side_by_side(project: Path) -> None:
    """Two branches wait for each other's file: one after the other they would never end."""
    tasks = [
        call("left", "wait_until", path="right.txt", mark="left.txt", timeout_s=PATIENCE_S),
        call("right", "wait_until", path="left.txt", mark="right.txt", timeout_s=PATIENCE_S),
    ]

    assert run(project, tasks).status == "completed"
    assert (project / "left.txt").read_text() != (project / "right.txt").read_text()


def test_run__failed_task_skips_what_waits_for_it_and_no_more(project: Path) -> None:
    tasks = [
        call("bad", "fail", text="no luck"),
        call("after", "double", value=1, depends_on=["bad"]),
        call("later", "double", value=1, depends_on=["after"]),
        call("other", "double", value=1),
        {
            "id": "alarm",
            "kind": "transform",
            "when": "failure",
            "depends_on": ["later"],
            "outputs": {"a": "tasks.bad.status"},
        },
        {"id": "calm", "kind": "delay", "duration_s": 0, "when": "failure", "depends_on": ["other"]},
        {"id": "end", "kind": "delay", "duration_s": 0, "when": "always", "depends_on": ["later", "other"]},
    ]

    done = run(project, tasks)

    found = rows(done)
    assert done.status == "failed"
    assert done.error == "task 'bad' failed: ValueError: no luck"
    assert found["bad"].error == "ValueError: no luck"
    assert found["after"].reason == "task 'bad' failed"
    assert found["later"].reason == "task 'after' was skipped"
    assert found["alarm"].outputs == {"a": "failed"}
    assert found["calm"].reason == "no task before it failed"
    assert [name for name, row in found.items() if row.status == "skipped"] == ["after", "calm", "later"]
    assert found["end"].status == found["other"].status == "completed"
    assert "Traceback" in (project / ".ems" / "executions" / done.id / "bad.1.log").read_text()


def test_run__continue_on_error(project: Path) -> None:
    """A task that may fail does not fail the workflow; what it would have given is nothing."""
    tasks = [
        call("maybe", "fail", continue_on_error=True),
        {
            "id": "after",
            "kind": "transform",
            "depends_on": ["maybe"],
            "outputs": {"a": "default(tasks.maybe.outputs.result, 7)"},
        },
    ]

    done = run(project, tasks)

    assert done.status == "completed"
    assert statuses(done) == {"maybe": "failed", "after": "completed"}
    assert rows(done)["after"].outputs == {"a": 7}


def test_run__conditions_choose_a_branch(project: Path) -> None:
    tasks = [
        {"id": "ask", "kind": "condition", "expression": "parameters.n > 5"},
        {"id": "yes", "kind": "delay", "duration_s": 0, "depends_on": ["ask"]},
        {
            "id": "no",
            "kind": "delay",
            "duration_s": 0,
            "depends_on": ["ask"],
            "condition": "not ${tasks.ask.outputs.value}",
        },
        {"id": "own", "kind": "delay", "duration_s": 0, "condition": "parameters.n == 1"},
        {"id": "odd", "kind": "delay", "duration_s": 0, "condition": "parameters.any and true"},
    ]

    done = run(project, tasks, parameters={"n": 2, "any": {"type": "any", "default": 3}})

    found = rows(done)
    assert found["yes"].reason == "the answer of task 'ask' is false"
    assert found["own"].reason == "condition 'parameters.n == 1' is false"
    assert found["no"].status == "completed"
    assert found["odd"].error == "'parameters.any and true' has no value: 3 is neither true nor false"
    assert done.status == "failed"


def test_run__retries_until_it_works(project: Path) -> None:
    tasks = [call("shaky", "fail_until", path="count", attempts=3, retries=3, retry_delay_s=0.01)]

    done = run(project, tasks)

    from ems.database.engine import connect
    from ems.database.workflows import tasks_of

    attempts = tasks_of(connect(), done.id)
    assert done.status == "completed"
    assert [(row.attempt, row.status, row.error) for row in attempts] == [
        (1, "failed", "RuntimeError: attempt 1 fails"),
        (2, "failed", "RuntimeError: attempt 2 fails"),
        (3, "completed", None),
    ]


def test_run__retries_come_to_an_end(project: Path) -> None:
    done = run(project, [call("bad", "fail", retries=1, retry_delay_s=0)])

    assert done.status == "failed"
    assert rows(done)["bad"].attempt == 2


def test_pause__grows_up_to_its_limit_with_a_random_share() -> None:
    """1, 2, 4, 8 s and then no more than 10 s; with jitter 0.5 at least the half."""
    plain = DelayTask(id="a", duration_s=0, retry_delay_s=1, retry_longest_delay_s=10, retry_jitter=0)
    random = plain.replace(retry_jitter=0.5)

    assert [pause_before_retry(plain, tries) for tries in (1, 2, 3, 4, 5, 50)] == [1, 2, 4, 8, 10, 10]
    pauses = [pause_before_retry(random, 2) for _ in range(50)]
    assert all(1 <= pause <= 2 for pause in pauses)
    assert len(set(pauses)) > 40


def test_run__time_limit_of_a_task(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [
        call("long", "wait", seconds=3600, mark="pid", timeout_s=1800),
        {"id": "pause", "kind": "delay", "duration_s": 3600, "timeout_s": 0.2},
    ]
    let_an_hour_pass(monkeypatch, once_written=project / "pid")

    begin = time.monotonic()
    done = run(project, tasks)

    assert time.monotonic() - begin < PATIENCE_S
    assert rows(done)["long"].error == "took longer than timeout_s = 1800 s"
    assert rows(done)["pause"].error == "took longer than timeout_s = 0.2 s"
    assert not is_alive(int((project / "pid").read_text()))


def test_run__a_task_that_does_not_listen_is_ended_with_all_that_it_started(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ems.batch.workflows.processes.SOFT_END_S", 0.5)
    let_an_hour_pass(monkeypatch, once_written=project / "pids")

    done = run(project, [call("deaf", "stubborn", mark="pids", timeout_s=1800)])

    assert done.status == "failed"
    assert rows(done)["deaf"].error == "took longer than timeout_s = 1800 s"
    wait_for(lambda: not any(is_alive(int(pid)) for pid in (project / "pids").read_text().split()))


def test_run__time_limit_of_the_workflow(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [
        {"id": "quick", "kind": "delay", "duration_s": 0},
        call("long", "wait", seconds=3600, mark="pid"),
        call("next", "double", value=1, depends_on=["long"]),
    ]
    let_an_hour_pass(monkeypatch, once_written=project / "pid")

    done = run(project, tasks, timeout_s=1800)

    assert done.status == "failed"
    assert "the workflow took longer than timeout_s = 1800 s" in str(done.error)
    assert statuses(done) == {"quick": "completed", "long": "failed", "next": "skipped"}
    assert rows(done)["next"].reason == "the workflow took longer than timeout_s = 1800 s"


def test_run__foreach_over_a_list(project: Path) -> None:
    """1, 2 and 3 doubled are 12 in sum; the item that fails leaves nothing."""
    tasks = [
        call("each", "double", value="${item}", foreach="${parameters.values}", outputs={"doubled": "number"}),
        {
            "id": "sum",
            "kind": "transform",
            "depends_on": ["each"],
            "outputs": {
                "total": "sum(tasks.each.outputs.doubled)",
                "first": "tasks.each.outputs.items[0].item",
                "count": "len(tasks.each.outputs.items)",
            },
        },
    ]

    done = run(project, tasks, parameters={"values": [1, 2, 3]})

    assert statuses(done) == {
        "each[1]": "completed",
        "each[2]": "completed",
        "each[3]": "completed",
        "sum": "completed",
    }
    assert rows(done)["sum"].outputs == {"total": 12, "first": "1", "count": 3}


def test_run__foreach_with_conditions_failures_and_mappings(project: Path) -> None:
    items = [{"id": "a", "value": 1}, {"id": "b", "value": None}, {"id": "c", "value": 3}]
    tasks = [
        call(
            "each",
            "double",
            value="${item.value}",
            foreach=items,
            outputs={"doubled": "number"},
            condition="item.id != 'c'",
            continue_on_error=True,
        ),
        {
            "id": "sum",
            "kind": "transform",
            "depends_on": ["each"],
            "outputs": {"total": "sum(known(tasks.each.outputs.doubled))"},
        },
        {"id": "none", "kind": "delay", "duration_s": 0, "foreach": []},
        {"id": "after", "kind": "delay", "duration_s": 0, "depends_on": ["none"]},
    ]

    done = run(project, tasks)

    found = rows(done)
    assert done.status == "completed"
    assert found["each[b]"].error is not None
    assert found["each[c]"].reason == "condition 'item.id != 'c'' is false"
    assert found["sum"].outputs == {"total": 2}
    assert found["none"].reason == "foreach gives no item"
    assert found["after"].status == "completed"


def test_run__foreach_over_assets_and_sites(project: Path) -> None:
    tasks = [
        {"id": "loads", "kind": "transform", "foreach": {"assets": "load", "site": "park"}, "outputs": {"id": "item"}},
        {"id": "sites", "kind": "transform", "foreach": {"sites": ["demo", "park"]}, "outputs": {"id": "item"}},
        {"id": "all", "kind": "transform", "foreach": {"sites": "all"}, "outputs": {"id": "item"}},
    ]

    found = statuses(run(project, tasks))

    assert {"loads[workshop]", "loads[rooms]", "sites[demo]", "sites[park]", "all[harbour]"} <= set(found)
    assert set(found.values()) == {"completed"}


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"doubled": "text"}, "output doubled = 4: must be text"),
        ({"tripled": "number"}, "output tripled is missing; there are doubled"),
    ],
)
def test_run__function_keeps_what_it_promised(project: Path, outputs: dict[str, str], said: str) -> None:
    done = run(project, [call("a", "double", value=2, outputs=outputs)])

    assert done.status == "failed"
    assert said in str(rows(done)["a"].error)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os; os._exit(7)", "its process ended with exit code 7 and left no result: about to end"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "its process ended with signal 9"),
        ("return 'x' * 2_000_000", "the outputs have 2.0 MB; at most 1 MB are kept"),
        ("raise ValueError('\\x1b[31m\\0' + 'x' * 30_000)", "ValueError: \ufffdx"),
        ("return object()", None),
        ("return float('nan')", None),
    ],
)
def test_run__whatever_a_function_does_is_told(project: Path, body: str, said: str | None) -> None:
    (project / "odd.py").write_text(f"def go():\n    print('about to end', flush=True)\n    {body}\n")

    done = run(project, [{"id": "a", "function": "odd:go"}])

    assert done.status == ("completed" if said is None else "failed")
    assert said is None or said in str(rows(done)["a"].error)


def test_run__own_modules_do_not_stand_in_for_those_of_python(project: Path) -> None:
    (project / "json.py").write_text("raise RuntimeError('not this one')\n")
    (project / "secrets.py").write_text("raise RuntimeError('not this one')\n")

    assert run(project, [call("a", "double", value=1)]).status == "completed"


def test_run__one_execution_for_each_time_of_a_schedule(project: Path) -> None:
    import datetime as dt

    name = write_workflow(project, [{"id": "a", "kind": "transform", "outputs": {"d": "execution.date"}}])
    moment = dt.datetime(2024, 6, 1, 22, 30, tzinfo=dt.UTC)

    first = run_workflow(name, trigger="schedule", scheduled_for=moment, progress=False)
    with pytest.raises(
        AlreadyStarted, match=f"was started for 2024-06-01 22:30:00 UTC before, as execution {first.id}"
    ) as told:
        run_workflow(name, trigger="schedule", scheduled_for=moment.astimezone(), progress=False)

    assert told.value.execution_id == first.id
    assert rows(first)["a"].outputs == {"d": "2024-06-01"}
    with pytest.raises(AlreadyStarted, match="was opened before"):
        open_workflow(name, new_id=first.id)


def test_run__not_enabled_runs_by_hand_alone(project: Path) -> None:
    name = write_workflow(project, [{"id": "a", "kind": "delay", "duration_s": 0}], enabled=False)

    assert run_workflow(name, progress=False).status == "completed"
    with pytest.raises(InvalidInput, match="is not enabled"):
        run_workflow(name, trigger="http", progress=False)


def test_run__what_cannot_be_used_leaves_nothing(project: Path) -> None:
    (project / "data" / "ems.sqlite").unlink()

    with pytest.raises(InvalidInput):
        run(project, [call("a", "nothing")])

    assert not (project / "data" / "ems.sqlite").exists()
    assert not (project / ".ems").exists()
