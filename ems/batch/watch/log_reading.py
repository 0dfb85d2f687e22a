"""Reading the log of a run: all of it, or line by line while it is written."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ems.batch.watch.logs import days_kept, log_file
from ems.errors import InvalidInput

if TYPE_CHECKING:
    from ems.database.records import Run

Line = dict[str, Any]
PAUSE_S = 0.2
"""How long a reader waits for the next line."""


def read_log(run: Run) -> Iterator[Line]:
    """Return the lines of a run's log, oldest first.

    Raises
    ------
    InvalidInput
        If there is no log of it here; says why that may be.
    """
    path = log_file(run.id)
    _require_log(path, run)
    yield from _lines_in(path.read_bytes())[0]


def follow_log(run: Run, is_over: Callable[[], bool], longest_wait_s: float = 5.0) -> Iterator[Line]:
    """Return the lines of a run's log, those that are still to come, too, until the run is over.

    Parameters
    ----------
    run : Run
    is_over : callable
        Whether the run has ended; asked when nothing more was written for a second.
    longest_wait_s : float
        How long a run that has just begun may take to begin its log.

    Raises
    ------
    InvalidInput
        If there is no log of it here.
    """
    path = log_file(run.id)
    end = time.monotonic() + longest_wait_s
    while not path.is_file() and not is_over() and time.monotonic() < end:
        time.sleep(PAUSE_S)
    _require_log(path, run)
    unread, quiet, over = b"", 0, False
    with path.open("rb") as file:
        while True:
            new = file.read()
            lines, unread = _lines_in(unread + new)
            for line in lines:
                yield line
                if line["event"] == "run_closed":
                    return
            if over:
                return
            quiet = 0 if new else quiet + 1
            # Asked before the last reading, so that no line is missed which was written before the end.
            over = quiet * PAUSE_S >= 1 and is_over()
            if not over:
                time.sleep(PAUSE_S)


def wording_of(line: Line) -> str:
    """Return a line of a log as people read it, in local time.

    >>> wording_of({"time": "no time", "level": "INFO", "message": "kernel started"})
    'no time        kernel started'
    """
    try:
        moment = f"{dt.datetime.fromisoformat(line['time']).astimezone():%H:%M:%S.%f}"[:-3]
    except (KeyError, TypeError, ValueError):
        moment = str(line.get("time", ""))
    level = line.get("level", "INFO")
    word = "" if level == "INFO" else f"{str(level).lower()}: "
    return f"{moment:<13}  {word}{line.get('message', '')}"


def _require_log(path: Path, run: Run) -> None:
    if path.is_file():
        return
    days = days_kept()
    reasons = [f"it ran on host '{run.host}'"] if run.host else []
    reasons += ["a notebook that is run by hand keeps none"]
    reasons += [f"logs go {days} days after their last line (EMS_LOG_DAYS)"] if days else []
    raise InvalidInput(f"run {run.id}", f"has no log in {path.parent}: {'; '.join(reasons)}")


def _lines_in(data: bytes) -> tuple[list[Line], bytes]:
    """Return the whole lines in the bytes of a log, and the beginning of the one that is being written.

    A process that was killed, or a full disk, leaves a part of a line; it is left out.
    """
    *whole, rest = data.split(b"\n")
    found = []
    for text in whole:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            found.append({"event": "message", **line})
    return found, rest
