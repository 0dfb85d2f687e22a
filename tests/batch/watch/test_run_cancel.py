"""Ending runs: kernel and solver are gone, the record is closed, and what serves others stays."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
import sqlalchemy as sa
from processes import command_line
from project_fixtures import environment_of, run_ems
from waiting import PATIENCE_S, wait_for

from ems.batch.watch.cancel import end_run
from ems.database.batch_records import BATCH_ATTEMPTS, BATCH_CASES, BATCHES, Batch, BatchAttempt, BatchCase
from ems.database.engine import connect, writing
from ems.database.records import RUNS, Run, utc_now
from ems.database.run_id import new_run_id
from ems.database.runs import get_run, list_runs, open_run, start_run
from ems.database.tables import row_of
from ems.database.workflow_records import (
    WORKFLOW_DEFINITIONS,
    WORKFLOW_EXECUTIONS,
    WorkflowDefinition,
    WorkflowExecution,
)
from ems.errors import InvalidInput

DIGEST = "0" * 64
RUN_ID = new_run_id()  # of this process alone: a run is ended with all that was started for its id on this machine
LONG = "import time; time.sleep(3600)"
SOLVES_FOR_EVER = "import pulp, subprocess\nsubprocess.Popen([pulp.PULP_CBC_CMD().path], stdin=subprocess.PIPE).wait()"


@pytest.fixture
def engine(project: Path) -> Iterator[sa.Engine]:
    engine = connect()
    yield engine
    engine.dispose()


@pytest.fixture
def sleeper() -> Iterator[psutil.Process]:
    """A process that works on many things, one run among them."""
    process = subprocess.Popen([sys.executable, "-c", LONG])
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()


@pytest.mark.parametrize("how", ["asked", "forced"])
def test_end_run__kernel_and_solver_are_gone(project: Path, engine: sa.Engine, how: str) -> None:
    """A run in whose notebook CBC works; one that does not answer is ended by force."""
    _begin_with(project, SOLVES_FOR_EVER)
    process = subprocess.Popen(
        [sys.executable, "-m", "ems", "run", "dispatch", "demo"],
        cwd=project,
        env=environment_of(project),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    tree: list[psutil.Process] = []

    def solver_works() -> bool:
        tree[:] = psutil.Process(process.pid).children(recursive=True)
        return any("cbc" in command_line(one) for one in tree)

    wait_for(solver_works)
    assert any("ipykernel" in command_line(one) for one in tree)
    (run,) = list_runs(engine)

    if how == "asked":
        done = run_ems(project, "runs", "cancel", run.id)
        said = done.stdout
        assert process.wait(PATIENCE_S) == 130
    else:
        process.send_signal(signal.SIGSTOP)
        said = end_run(engine, run.id, patience_s=0.3)
        assert process.wait(PATIENCE_S) == -signal.SIGKILL

    words = "its process, kernel and solver have ended" if how == "asked" else "ended by force"
    assert words in said
    assert psutil.wait_procs(tree, timeout=PATIENCE_S)[1] == []
    ended = get_run(engine, run.id)
    assert ended.status == "cancelled"
    assert ended.finished_at is not None
    assert not (project / "reports" / "dispatch").exists()
    assert not (project / ".ems" / "runs" / run.id).exists()
    with pytest.raises(InvalidInput, match="has ended already; it was cancelled at"):
        end_run(engine, run.id)


def test_end_run__of_a_batch_leaves_its_worker(engine: sa.Engine, sleeper: psutil.Process) -> None:
    run = _running(engine, sleeper)
    batch = Batch(id="b-1", study="dispatch", name="sweep", code=DIGEST, cases=1)
    case = BatchCase(batch_id="b-1", number=1, label="one", key=DIGEST)
    attempt = BatchAttempt(batch_id="b-1", number=1, fence=1, run_id=run.id, owner="worker")
    with writing(engine) as connection:
        for table, record in ((BATCHES, batch), (BATCH_CASES, case), (BATCH_ATTEMPTS, attempt)):
            connection.execute(sa.insert(table), row_of(record, table))

    said = end_run(engine, run.id)

    assert said == f"run {run.id} is marked as cancelled; the worker of batch b-1 ends its kernel"
    assert get_run(engine, run.id).status == "cancelled"
    assert sleeper.status() != psutil.STATUS_ZOMBIE


def test_end_run__of_a_workflow_ends_the_kernel_alone(
    engine: sa.Engine, sleeper: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _running(engine, sleeper)
    definition = WorkflowDefinition(name="daily", version=DIGEST, title="Daily")
    execution = WorkflowExecution(
        id="e-1", workflow="daily", version=DIGEST, status="running", host=run.host, process_id=sleeper.pid
    )
    with writing(engine) as connection:
        for table, record in ((WORKFLOW_DEFINITIONS, definition), (WORKFLOW_EXECUTIONS, execution)):
            connection.execute(sa.insert(table), row_of(record, table))
    monkeypatch.setenv("EMS_RUN_ID", run.id)
    kernel = subprocess.Popen([sys.executable, "-c", LONG])

    said = end_run(engine, run.id)

    assert "execution e-1 of its workflow goes on without it" in said
    assert kernel.wait(PATIENCE_S) == -signal.SIGKILL
    assert sleeper.status() != psutil.STATUS_ZOMBIE
    assert get_run(engine, run.id).status == "cancelled"


def test_end_run__of_this_process_leaves_it(engine: sa.Engine) -> None:
    run = _running(engine, psutil.Process())

    assert end_run(engine, run.id).endswith("its process is this one, and goes on")
    assert get_run(engine, run.id).status == "cancelled"


def test_end_run__on_another_host(engine: sa.Engine) -> None:
    run = open_run(engine, _run(host="elsewhere", process_id=7, process_started_at=utc_now()))

    with pytest.raises(InvalidInput, match=f"is on host 'elsewhere'.*call there: ems runs cancel {run.id}"):
        end_run(engine, run.id)

    assert get_run(engine, run.id).status == "pending"


def test_end_run__whose_process_is_gone(engine: sa.Engine, sleeper: psutil.Process) -> None:
    run = _running(engine, sleeper)
    sleeper.kill()
    wait_for(lambda: sleeper.status() == psutil.STATUS_ZOMBIE)

    assert "its process had ended" in end_run(engine, run.id)
    assert get_run(engine, run.id).status == "cancelled"


def test_end_run__number_was_given_to_another_process(engine: sa.Engine, sleeper: psutil.Process) -> None:
    """A process that began an hour after the run's own is another one, and is left alone."""
    run = _running(engine, sleeper)
    an_hour_before = utc_now() - dt.timedelta(hours=1)
    with writing(engine) as connection:
        connection.execute(sa.update(RUNS).values(process_started_at=an_hour_before))

    end_run(engine, run.id)

    assert sleeper.status() != psutil.STATUS_ZOMBIE
    assert get_run(engine, run.id).status == "cancelled"


def test_end_run__notebook_by_hand_keeps_its_kernel(engine: sa.Engine) -> None:
    """A person's kernel holds what they have computed: it is interrupted, not ended."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    try:
        run = _running(engine, psutil.Process(manager.provisioner.pid))
        request = client.execute(f"print('asleep', flush=True); {LONG}")
        wait_for(lambda: client.get_iopub_msg(timeout=PATIENCE_S)["msg_type"] == "stream")

        said = end_run(engine, run.id)

        reply = client.get_shell_msg(timeout=PATIENCE_S)
        while reply["parent_header"]["msg_id"] != request:  # a late answer to the client's first questions
            reply = client.get_shell_msg(timeout=PATIENCE_S)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert manager.is_alive()
        assert "the kernel of the notebook stays" in said
        assert get_run(engine, run.id).status == "cancelled"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _begin_with(project: Path, code: str) -> None:
    """Put a cell behind the parameters of the notebook `dispatch`."""
    path = project / "notebooks" / "dispatch.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(2, nbformat.v4.new_code_cell(code))
    nbformat.write(notebook, path)


def _run(**fields: object) -> Run:
    return Run.from_mapping({"id": RUN_ID, "study": "dispatch", "case_name": "demo", "title": "Demo", **fields})


def _running(engine: sa.Engine, process: psutil.Process) -> Run:
    open_run(engine, _run())
    return start_run(engine, RUN_ID, process)
