"""Running a workflow: its execution opened, leased to this process, run to its end, and resumed after a stop."""

from __future__ import annotations

import datetime as dt
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ems.batch.workflows.checks import CheckedWorkflow, check_workflow, load_workflow
from ems.batch.workflows.progress import Progress, seconds_in_words
from ems.batch.workflows.reading import WorkflowText, read_text
from ems.errors import InvalidInput, show
from ems.folders import is_slug, project_folder, scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from ems.database.workflow_records import ExecutionStatus, Trigger, WorkflowExecution
    from ems.database.workflows import Lease

MOST_PARALLEL = 64


def run_workflow(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    trigger: Trigger = "command",
    scheduled_for: dt.datetime | None = None,
    execution_id: str | None = None,
    new_id: str | None = None,
    progress: bool = True,
    max_parallel: int = 2,
    stop: threading.Event | None = None,
) -> WorkflowExecution:
    """Run a workflow to its end and return its execution: completed, failed or cancelled.

    Parameters
    ----------
    name : str
        Name of a file in ``parameters/workflows``, or a path to a YAML file.
    parameters : mapping, optional
        Values of its parameters; of the others the defaults hold.
    trigger : str
        What started it: command, schedule, file or http.
    scheduled_for : datetime, optional
        Moment of its schedule, of which there is one execution alone.
    execution_id : str, optional
        An execution to go on with, as it was defined when it was opened; completed tasks are not repeated. Then
        parameters, trigger and moment are those with which it was opened.
    new_id : str, optional
        Id that a new execution gets; without it one is made of the time and some letters.
    progress : bool
        Whether to say on the standard error output when a task starts and ends.
    max_parallel : int
        Most processes of tasks at once.
    stop : Event, optional
        Ends the execution as cancelled when it is set; in the main thread Ctrl-C and SIGTERM do so, too.

    Raises
    ------
    InvalidInput
        If anything in the workflow or a value cannot be used, before anything starts; or another process runs it.
    AlreadyStarted
        If it was started for the same moment of its schedule, or with the same new id, before, here or by another
        process.
    LeaseLost
        If another process has taken over, because this one could not reach the database for long.
    """
    if execution_id is None:
        opened, checked = _opened(name, parameters, trigger, scheduled_for, new_id)
        of: tuple[ExecutionStatus, ...] = ("pending",)
    else:
        opened, checked = _opened_before(name, execution_id)
        of = ("pending", "running", "failed", "cancelled")
    return _run_opened(opened.id, checked, of, progress=progress, max_parallel=max_parallel, stop=stop)


def open_workflow(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    trigger: Trigger = "command",
    scheduled_for: dt.datetime | None = None,
    new_id: str | None = None,
) -> WorkflowExecution:
    """Return a new pending execution of a workflow, checked in full; `run_workflow` runs it by its id.

    Raises
    ------
    InvalidInput, AlreadyStarted
        As of `run_workflow`.
    """
    return _opened(name, parameters, trigger, scheduled_for, new_id)[0]


def begin_execution(execution_id: str, *, progress: bool = True, max_parallel: int = 2) -> WorkflowExecution:
    """Run a pending execution to its end and return it; one that cannot be run any more is closed as failed.

    Raises
    ------
    InvalidInput
        If it is not pending, as after a person cancelled it, or its workflow cannot be run.
    """
    try:
        opened, checked = _opened_before("", execution_id)
    except InvalidInput as error:
        _fail_pending(execution_id, str(error))
        raise
    return _run_opened(opened.id, checked, ("pending",), progress=progress, max_parallel=max_parallel)


def resume_execution(
    execution_id: str, *, progress: bool = True, max_parallel: int = 2, stop: threading.Event | None = None
) -> WorkflowExecution:
    """Go on with an execution that was stopped, failed, or never began; see `run_workflow`."""
    return run_workflow("", execution_id=execution_id, progress=progress, max_parallel=max_parallel, stop=stop)


# ---------------------------------------------------------------------------------------------- inside
def _opened(
    name: str,
    parameters: Mapping[str, Any] | None,
    trigger: Trigger,
    scheduled_for: dt.datetime | None,
    new_id: str | None,
) -> tuple[WorkflowExecution, CheckedWorkflow]:
    checked = load_workflow(name, parameters)
    spec = checked.spec
    if trigger != "command" and not spec.enabled:
        raise InvalidInput(f"workflow {show(spec.name)}", "is not enabled; set enabled: true, or run it by hand")
    if scheduled_for is not None and scheduled_for.tzinfo is None:
        raise InvalidInput(f"scheduled_for = {scheduled_for}", "must say its offset from UTC")
    if new_id is not None and not is_slug(new_id):
        raise InvalidInput(f"execution id {show(new_id)}", "must be small letters, digits and single hyphens")
    from ems.database.engine import connect
    from ems.database.run_id import new_run_id
    from ems.database.workflow_records import WorkflowDefinition, WorkflowExecution
    from ems.database.workflows import keep_definition, open_execution

    engine = connect()
    keep_definition(
        engine,
        WorkflowDefinition(
            name=spec.name,
            version=checked.text.version,
            title=spec.title,
            is_enabled=spec.enabled,
            tags=spec.tags,
            definition=_plain(checked.text.given),
        ),
    )
    execution = WorkflowExecution(
        id=new_id or new_run_id(),
        workflow=spec.name,
        version=checked.text.version,
        trigger=trigger,
        scheduled_for=scheduled_for,
        parameters=checked.values,
    )
    try:
        return open_execution(engine, execution), checked
    finally:
        engine.dispose()


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says as JSON holds it: keys are texts."""
    found: dict[str, Any] = json.loads(json.dumps(given, default=str))
    return found


def _opened_before(name: str, execution_id: str) -> tuple[WorkflowExecution, CheckedWorkflow]:
    """Return an execution, and its workflow as it was when the execution was opened."""
    from ems.database.engine import connect
    from ems.database.masking import HIDDEN
    from ems.database.workflows import get_definition, get_execution

    engine = connect()
    found = get_execution(engine, execution_id)
    if name and name != found.workflow:
        raise InvalidInput(f"execution {execution_id}", f"is one of workflow {found.workflow}, not {name}")
    definition = get_definition(engine, found.workflow, found.version)
    engine.dispose()
    where = f"the version of {definition.created_at:%Y-%m-%d %H:%M} UTC"
    text = WorkflowText(found.workflow, where, definition.definition, found.version)
    try:
        now = read_text(found.workflow)
    except InvalidInput:
        now = text  # its file is gone; what was kept of it holds
    is_same = now.version == found.version and now is not text
    for what, kept in (("parameters", found.parameters), ("its file", {} if is_same else definition.definition)):
        if HIDDEN in json.dumps(kept):
            raise InvalidInput(
                f"execution {execution_id}",
                f"{what}: were kept without what looks like a secret, so it cannot go on; start the workflow anew",
            )
    return found, check_workflow(now if is_same else text, found.parameters)


def _fail_pending(execution_id: str, error: str) -> None:
    from ems.database.engine import connect
    from ems.database.workflows import close_execution, take_lease

    engine = connect()
    try:
        close_execution(engine, take_lease(engine, execution_id, of=("pending",)), "failed", error)
    except InvalidInput:
        return  # it is not there, or not pending: the first reason says it
    finally:
        engine.dispose()


def _run_opened(
    execution_id: str,
    checked: CheckedWorkflow,
    of: tuple[ExecutionStatus, ...],
    *,
    progress: bool,
    max_parallel: int,
    stop: threading.Event | None = None,
) -> WorkflowExecution:
    from ems.database.engine import connect
    from ems.database.workflows import take_lease

    if not 1 <= max_parallel <= MOST_PARALLEL:
        raise InvalidInput(f"max_parallel = {max_parallel}", f"must be from 1 to {MOST_PARALLEL}")
    engine = connect()
    lease = take_lease(engine, execution_id, of=of)
    try:
        return _run(engine, lease, checked, progress=Progress(progress), max_parallel=max_parallel, stop=stop)
    finally:
        engine.dispose()


def _run(
    engine: Engine,
    lease: Lease,
    checked: CheckedWorkflow,
    *,
    progress: Progress,
    max_parallel: int,
    stop: threading.Event | None,
) -> WorkflowExecution:
    import time

    from ems.batch.workflows.lease_keeper import LeaseKeeper
    from ems.batch.workflows.loop import Loop
    from ems.batch.workflows.states import Situation, TaskState
    from ems.database.workflows import close_execution, get_execution, tasks_of

    begin = time.monotonic()
    execution = get_execution(engine, lease.execution_id)
    before = tasks_of(engine, lease.execution_id)
    states = {task.id: TaskState(task) for task in checked.spec.tasks}
    folder = (scratch_folder() / "executions" / execution.id).relative_to(project_folder()).as_posix()
    situation = Situation(checked.spec, execution, checked.values, states, folder)
    progress.say(checked.spec.name, f"execution {execution.id} started")
    with LeaseKeeper(engine, lease) as keeper, _stops(stop) as is_stopped:
        loop = Loop(
            engine,
            lease,
            situation,
            keeper=keeper,
            before=before,
            progress=progress,
            max_parallel=max_parallel,
            is_stopped=is_stopped,
        )
        loop.run()
    failed = [state for state in states.values() if state.status == "failed" and not state.task.continue_on_error]
    if loop.is_cancelled:
        closed = close_execution(engine, lease, "cancelled")
    elif failed:
        closed = close_execution(engine, lease, "failed", "; ".join(_error_of(state) for state in failed))
    elif loop.ended_because is not None:
        closed = close_execution(engine, lease, "failed", loop.ended_because)
    else:
        closed = close_execution(engine, lease, "completed")
    progress.say(checked.spec.name, f"{closed.status} in {seconds_in_words(time.monotonic() - begin)}")
    _write_index(engine, checked.spec.name, progress)
    return closed


def _write_index(engine: Engine, name: str, progress: Progress) -> None:
    """Let the list of runs tell how the execution ended; what has ended stays so where that cannot be written."""
    from ems.batch.site.run_index import write_index

    try:
        write_index(engine)
    except OSError as error:
        progress.say(name, f"the list of runs could not be written: {error}")


def _error_of(state: Any) -> str:
    """Return why a task failed, in one sentence; of several items the first."""
    bad = [unit for unit in state.units or () if unit.status == "failed"]
    more = f" (and {len(bad) - 1} more items)" if len(bad) > 1 else ""
    return f"task '{bad[0].name}' failed: {bad[0].error or 'it was ended'}{more}"


@contextmanager
def _stops(stop: threading.Event | None) -> Iterator[Callable[[], int]]:
    """Give a function that tells how often this process was asked to end; the second time means at once."""
    asked = 0

    def hear(_signal: int, _frame: Any) -> None:
        nonlocal asked
        asked += 1

    def count() -> int:
        return asked + (stop is not None and stop.is_set())

    if threading.current_thread() is not threading.main_thread():
        yield count
        return
    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield count
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
