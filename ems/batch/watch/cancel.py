"""Ending a run: its process is asked, then ended with its kernel and solver, and its record is closed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import psutil

from ems.batch.run import remove_left
from ems.batch.watch.logs import log_closed, run_log
from ems.database.processes import is_alive
from ems.database.records import ACTIVE, Run
from ems.database.run_owners import batch_of, workflow_of
from ems.database.runs import cancel_run, get_run
from ems.errors import DatabaseProblem, InvalidInput
from ems.studies.study import RUN_ID_VARIABLE

if TYPE_CHECKING:
    from sqlalchemy import Engine

PATIENCE_S = 10.0
"""Time in which a process that was asked to end may close its record; then it is ended."""
_PAUSE_S = 0.05


def end_run(engine: Engine, run_id: str, patience_s: float = PATIENCE_S) -> str:
    """End a run with all of its processes, close its record as cancelled, and return what was done as a sentence.

    A run of a batch or a workflow does not take along the process that works on others, too. The kernel of a
    notebook that a person runs by hand is only interrupted: it is theirs.

    Raises
    ------
    UnknownName
        If there is no such run.
    InvalidInput
        If it has ended already, is on another host, or its process belongs to another user; with the remedy.
    """
    run = get_run(engine, run_id)
    _require_active(run)
    batch_id = batch_of(engine, run_id)
    if batch_id is not None:
        _close(engine, run)
        return f"run {run_id} is marked as cancelled; the worker of batch {batch_id} ends its kernel"
    here = socket.gethostname()
    if run.host is not None and run.host != here:
        raise InvalidInput(
            f"run {run_id}",
            f"its process {run.process_id} is on host '{run.host}', this is '{here}'; "
            f"call there: ems runs cancel {run_id}",
        )
    execution_id = workflow_of(engine, run)
    if execution_id is not None:
        _close(engine, run)
        _end(_kernels_of(run_id))
        return f"run {run_id} is cancelled; execution {execution_id} of its workflow goes on without it"
    if run.process_id == os.getpid():
        _close(engine, run)
        _end(_kernels_of(run_id))
        return f"run {run_id} is cancelled; its process is this one, and goes on"
    process = _process_of(run)
    if process is None:
        kernels = _kernels_of(run_id)
        _end(kernels)
        _close(engine, run)
        return f"run {run_id} is cancelled; its process had ended" + (", its kernel has now" if kernels else "")
    if _is_kernel(process):
        _close(engine, run)
        _interrupt(process)
        return f"run {run_id} is cancelled; its cell is interrupted, the kernel of the notebook stays"
    was_asked = _end_process(run, process, patience_s)
    return _closed(engine, run, was_asked, patience_s)


def _require_active(run: Run) -> None:
    if run.status in ACTIVE:
        return
    when = f" at {run.finished_at.astimezone():%Y-%m-%d %H:%M:%S %Z}" if run.finished_at else ""
    reason = f": {run.error.splitlines()[0]}" if run.error else ""
    raise InvalidInput(f"run {run.id}", f"has ended already; it was {run.status}{when}{reason}")


def _closed(engine: Engine, run: Run, was_asked: bool, patience_s: float) -> str:
    """Return how a run whose process is gone has ended; where the process did not close the record, it is closed."""
    found = get_run(engine, run.id)
    if found.status in ACTIVE:
        _close(engine, run)
    elif found.status != "cancelled":
        _require_active(found)  # it came to its end before the request reached it
    else:
        remove_left(found)
    if was_asked:
        return f"run {run.id} is cancelled; its process, kernel and solver have ended"
    return f"run {run.id} is cancelled; its process did not answer for {patience_s:g} s and was ended by force"


def _close(engine: Engine, run: Run) -> None:
    """Close the record as cancelled, and remove what the run left on the disk."""
    try:
        closed = cancel_run(engine, run.id)
    except DatabaseProblem:  # it came to its end in this moment
        _require_active(get_run(engine, run.id))
        raise
    with run_log(run.id):
        log_closed(closed)
    remove_left(closed)


# ---------------------------------------------------------------------------------------------- processes
def _process_of(run: Run) -> psutil.Process | None:
    """Return the process that works on a run of this machine, or None where it has ended."""
    if run.process_id is None or not is_alive(run):
        return None
    try:
        return psutil.Process(run.process_id)
    except psutil.NoSuchProcess:
        return None


def _end_process(run: Run, process: psutil.Process, patience_s: float) -> bool:
    """End a process with all that it started; return whether it did so when it was asked."""
    tree = {process, *_below(process)}
    try:
        process.terminate()
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied:
        raise InvalidInput(
            f"run {run.id}", f"its process {process.pid} belongs to another user; cancel it as that user"
        ) from None
    end = time.monotonic() + patience_s
    while _is_there(process) and time.monotonic() < end:
        tree |= _below(process)
        time.sleep(_PAUSE_S)
    was_asked = not _is_there(process)
    # The process first, so that it starts nothing new meanwhile; what it started outlives it in part.
    _end([process])
    _end({*tree, *_kernels_of(run.id)})
    return was_asked


def _end(processes: Iterable[psutil.Process]) -> None:
    """End processes at once, with all that they started, and return when they are gone."""
    ending = {below for one in processes for below in (one, *_below(one))}
    for one in ending:
        # psutil looks at the start, too: a number that was given to another process is left alone.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            one.kill()
    end = time.monotonic() + PATIENCE_S
    while any(map(_is_there, ending)) and time.monotonic() < end:
        time.sleep(_PAUSE_S)


def _below(process: psutil.Process) -> set[psutil.Process]:
    try:
        return set(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return set()


def _is_there(process: psutil.Process) -> bool:
    """Return whether a process still runs; a zombie has ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kernels_of(run_id: str) -> list[psutil.Process]:
    """Return the processes that were started for a run, whoever their parent is now."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(RUN_ID_VARIABLE) == run_id:
                found.append(process)
    return found


def _is_kernel(process: psutil.Process) -> bool:
    """Return whether a process is a notebook's kernel, so that a person or papermill opened the run by hand."""
    try:
        return any("ipykernel" in part for part in process.cmdline())
    except psutil.Error:
        return False


def _interrupt(kernel: psutil.Process) -> None:
    """Interrupt what a kernel does, as its stop button does: with the solver that it waits for."""
    with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
        if os.getpgid(kernel.pid) == kernel.pid:
            os.killpg(kernel.pid, signal.SIGINT)
        else:
            kernel.send_signal(signal.SIGINT)
