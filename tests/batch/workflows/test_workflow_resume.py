"""Executions that are stopped: killed, cancelled, taken over; nothing is lost and nothing runs twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest
from waiting import PATIENCE_S, hold_dispatch, wait_for
from workflow_world import call, is_alive, newest, read, run, start, statuses, write_workflow

from ems.batch.workflows.execution import open_workflow, resume_execution, run_workflow
from ems.database.engine import connect
from ems.database.runs import list_runs
from ems.database.workflow_records import WorkflowExecution
from ems.database.workflows import ask_to_cancel, tasks_of
from ems.errors import InvalidInput, LeaseLost

TASKS = [
    call("first", "wait", seconds=0, mark="first"),
    call("second", "wait_until", path="go", mark="second", depends_on=["first"]),
    call("third", "double", value=2, depends_on=["second"]),
]


def pids(path: Path) -> list[int]:
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def test_resume__after_kill_nothing_is_lost_and_nothing_completed_runs_again(project: Path) -> None:
    """Kill -9 in the second of three tasks: its process dies with it, and a resume repeats that one alone."""
    name = write_workflow(project, TASKS)
    process = start(project, "workflow", "run", name, "--quiet")
    (worker,) = wait_for(lambda: pids(project / "second"))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_for(lambda: not is_alive(worker))
    found = newest()
    assert found is not None
    assert found.status == "running"
    assert statuses(found) == {"first": "completed", "second": "running"}

    (project / "go").touch()
    done = resume_execution(found.id, progress=False)

    assert done.status == "completed"
    assert done.fence == 2
    assert len(pids(project / "first")) == 1
    assert len(pids(project / "second")) == 2
    attempts = [(row.task_id, row.attempt, row.status) for row in tasks_of(connect(), done.id)]
    assert attempts == [
        ("first", 1, "completed"),
        ("second", 1, "failed"),
        ("second", 2, "completed"),
        ("third", 1, "completed"),
    ]
    interrupted = tasks_of(connect(), done.id)[1].error
    assert interrupted == "interrupted: the process that ran it ended before the task did"


def test_resume__of_a_failed_execution_repeats_what_failed_and_what_follows(project: Path) -> None:
    tasks = [
        call("good", "wait", seconds=0, mark="good"),
        call("shaky", "fail_until", path="count", attempts=2),
        call("after", "double", value=1, depends_on=["good", "shaky"]),
        {"id": "alarm", "kind": "delay", "duration_s": 0, "when": "failure", "depends_on": ["shaky"]},
    ]
    failed = run(project, tasks)
    assert statuses(failed) == {"good": "completed", "shaky": "failed", "alarm": "completed", "after": "skipped"}

    done = resume_execution(failed.id, progress=False)

    assert done.status == "completed"
    assert done.error is None
    assert statuses(done) == {"good": "completed", "shaky": "completed", "after": "completed", "alarm": "skipped"}
    assert len(pids(project / "good")) == 1
    with pytest.raises(InvalidInput, match="is completed; there is nothing to do"):
        resume_execution(done.id, progress=False)


def test_resume__goes_on_with_the_version_that_was_opened(project: Path) -> None:
    """The file says something else by now; the execution is that of the file as it was."""
    failed = run(project, [call("shaky", "fail_until", path="count", attempts=2, retry_jitter=0)], parameters={"n": 1})
    write_workflow(project, [call("other", "double", value=1)])

    done = resume_execution(failed.id, progress=False)

    assert statuses(done) == {"shaky": "completed"}


def test_run__two_processes_never_run_one_execution(project: Path) -> None:
    name = write_workflow(project, TASKS)
    process = start(project, "workflow", "run", name, "--quiet")
    wait_for(lambda: pids(project / "second"))
    found = newest()
    assert found is not None

    with pytest.raises(InvalidInput, match=f"process {process.pid} on host .* works on it"):
        resume_execution(found.id, progress=False)

    (project / "go").touch()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert read(found.id).status == "completed"
    assert len(pids(project / "first")) == len(pids(project / "second")) == 1


def test_run__two_that_begin_one_execution_at_once(project: Path) -> None:
    """Eight threads race for one pending execution; one runs it."""
    opened = open_workflow(write_workflow(project, [call("only", "wait", seconds=0.2, mark="only")]))
    outcomes: list[str] = []

    def go_on() -> None:
        try:
            outcomes.append(resume_execution(opened.id, progress=False).status)
        except InvalidInput as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=go_on) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["InvalidInput"] * 7 + ["completed"]
    assert len(pids(project / "only")) == 1


def test_run__whose_lease_is_taken_over_stops_and_writes_no_more(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was silent for too long: another one takes over, and the first one ends its tasks."""
    name = write_workflow(project, TASKS)
    outcome: list[BaseException | WorkflowExecution] = []
    silent = threading.Event()

    def first() -> None:
        try:
            outcome.append(run_workflow(name, progress=False))
        except LeaseLost as error:
            outcome.append(error)

    from ems.batch.workflows.lease_keeper import LeaseKeeper

    keep = LeaseKeeper._keep
    # Nobody renews: the first process holds its lease until the test ends it, however slow the machine is.
    monkeypatch.setattr(LeaseKeeper.__init__, "__defaults__", (5 * PATIENCE_S,))
    monkeypatch.setattr(LeaseKeeper, "_keep", lambda self: silent.wait(PATIENCE_S) and keep(self))
    thread = threading.Thread(target=first)
    thread.start()
    (worker,) = wait_for(lambda: pids(project / "second"))
    opened = newest()
    assert opened is not None
    _end_lease(opened.id)
    monkeypatch.setattr(LeaseKeeper, "_keep", keep)
    done: list[WorkflowExecution] = []
    second = threading.Thread(target=lambda: done.append(resume_execution(opened.id, progress=False)))
    second.start()
    wait_for(lambda: read(opened.id).fence == 2)  # before the tasks may end: else the first one could still complete
    (project / "go").touch()
    second.join(PATIENCE_S)
    silent.set()
    thread.join(PATIENCE_S)

    assert done[0].status == "completed"
    assert isinstance(outcome[0], LeaseLost)
    wait_for(lambda: not is_alive(worker))
    assert read(opened.id).fence == 2
    assert read(opened.id).status == "completed"


def _end_lease(execution_id: str) -> None:
    import sqlite3

    project = Path(os.environ["EMS_PROJECT"])
    with sqlite3.connect(project / "data" / "ems.sqlite", timeout=20) as connection:
        connection.execute(
            "UPDATE workflow_executions SET lease_until = '2000-01-01 00:00:00.000000' WHERE id = ?", (execution_id,)
        )


def test_cancel__ends_tasks_and_says_so(project: Path) -> None:
    name = write_workflow(project, TASKS)
    process = start(project, "workflow", "run", name)
    (worker,) = wait_for(lambda: pids(project / "second"))
    found = newest()
    assert found is not None

    engine = connect()
    ask_to_cancel(engine, found.id)
    _, said = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 130
    assert not is_alive(worker)
    assert read(found.id).status == "cancelled"
    assert statuses(found) == {"first": "completed", "second": "cancelled", "third": "cancelled"}
    assert "second  cancelled after" in said
    assert f"go on with: ems executions resume {found.id}" in said
    with pytest.raises(InvalidInput, match="is cancelled; there is nothing to cancel"):
        ask_to_cancel(engine, found.id)
    (project / "go").touch()
    assert resume_execution(found.id, progress=False).status == "completed"
    assert len(pids(project / "first")) == 1


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_run__asked_to_end_closes_its_records(project: Path, sign: signal.Signals) -> None:
    name = write_workflow(project, TASKS)
    process = start(project, "workflow", "run", name)
    (worker,) = wait_for(lambda: pids(project / "second"))

    process.send_signal(sign)
    process.communicate(timeout=PATIENCE_S)

    found = newest()
    assert found is not None
    assert process.returncode == 130
    assert found.status == "cancelled"
    assert not is_alive(worker)


def test_cancel__of_an_execution_whose_process_is_gone(project: Path) -> None:
    name = write_workflow(project, TASKS)
    process = start(project, "workflow", "run", name, "--quiet")
    wait_for(lambda: pids(project / "second"))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = newest()
    assert found is not None

    closed = ask_to_cancel(connect(), found.id)

    assert closed.status == "cancelled"
    assert statuses(found) == {"first": "completed", "second": "cancelled"}


def test_cancel__of_one_that_has_not_begun(project: Path) -> None:
    opened = open_workflow(write_workflow(project, TASKS))

    assert ask_to_cancel(connect(), opened.id).status == "cancelled"


def test_stop__of_a_thread(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that runs a workflow in a thread ends it by an event; its task goes by request, not by force."""
    monkeypatch.setattr("ems.batch.workflows.processes.SOFT_END_S", 2 * PATIENCE_S)
    name, stop = write_workflow(project, TASKS), threading.Event()
    done: list[WorkflowExecution] = []
    thread = threading.Thread(target=lambda: done.append(run_workflow(name, progress=False, stop=stop)))
    thread.start()
    wait_for(lambda: pids(project / "second"))

    begin = time.monotonic()
    stop.set()
    thread.join(PATIENCE_S)

    assert done[0].status == "cancelled"
    assert time.monotonic() - begin < PATIENCE_S


def test_resume__without_what_was_hidden_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter that holds a password is kept without it; going on with *** would be wrong."""
    address = "postgresql://ems:pass-word@host/ems"
    tasks = [call("bad", "fail", text="${parameters.address}")]
    failed = run(project, tasks, parameters={"address": address})

    assert "pass-word" not in str(failed.as_json())
    with pytest.raises(InvalidInput, match="kept without what looks like a secret"):
        resume_execution(failed.id, progress=False)


def test_cancel__of_a_study_closes_its_run(project: Path) -> None:
    """The run of a task that is cancelled is cancelled, too, and the task tells which it was."""
    name = write_workflow(project, [{"id": "plan", "study": "dispatch", "case": "demo"}])
    planned = hold_dispatch(project)
    process = start(project, "workflow", "run", name, "--quiet")
    engine = connect()
    wait_for(planned.exists)
    family = psutil.Process(process.pid).children(recursive=True)
    found = newest()
    assert found is not None

    ask_to_cancel(engine, found.id)
    process.communicate(timeout=PATIENCE_S)

    (one,) = list_runs(engine)
    (row,) = tasks_of(engine, found.id)
    assert (row.status, row.run_id) == ("cancelled", one.id)
    assert one.status == "cancelled"
    assert len(family) >= 2  # of the task and its kernel
    assert psutil.wait_procs(family, timeout=PATIENCE_S)[1] == []
