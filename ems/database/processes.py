"""Processes that runs belong to: how they are told apart, and whether they are still there."""

from __future__ import annotations

import datetime as dt
import socket
from typing import Any

import psutil

from ems.database.records import Run

# A process' start is told from the machine's boot time, which moves by a second or two when its clock is set.
CLOCK_TOLERANCE_S = 3.0


def process_fields(process: psutil.Process | None) -> dict[str, Any]:
    """Return what a run keeps of a process: its machine, number and start; of the present one unless given."""
    process = process or psutil.Process()
    return {
        "host": socket.gethostname(),
        "process_id": process.pid,
        "process_started_at": dt.datetime.fromtimestamp(process.create_time(), dt.UTC),
    }


def is_alive(run: Run) -> bool:
    """Return whether the process of a run of this machine still works on it.

    The same number with another start is another process; a zombie has ended.
    """
    if run.process_id is None:
        return True
    started = run.process_started_at
    return is_there(run.process_id, None if started is None else started.timestamp())


def is_there(number: int, started_s: float | None) -> bool:
    """Return whether a process of this machine still runs, by its number and its start in seconds since 1970."""
    try:
        process = psutil.Process(number)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return started_s is None or abs(process.create_time() - started_s) <= CLOCK_TOLERANCE_S
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
