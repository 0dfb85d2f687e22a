"""What is started, and the process that does it: the command that a person would use, in a process of its own."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Trigger = Literal["schedule", "file", "http"]


@dataclass(frozen=True)
class Start:
    """A workflow that shall be started once.

    Parameters
    ----------
    workflow : str
    trigger : str
        What starts it: schedule, file or http.
    id : str
        Id that its execution gets; the database takes each once.
    scheduled_for : datetime, optional
        Moment of the schedule that it belongs to; the database takes one execution for each, too.
    parameters : dict
    """

    workflow: str
    trigger: Trigger
    id: str
    scheduled_for: dt.datetime | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


class Process(Protocol):
    """A process that runs an execution."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """Return its exit code, or None while it works."""

    def stop(self, *, at_once: bool = False) -> None:
        """Ask it to end, or end it at once with all that it started."""

    def last_words(self) -> str:
        """Return the last line that it said, for a message."""


Starter = Callable[[str, str], Process]
"""Takes a workflow and the id of its execution, which waits in the database."""


class CommandProcess:
    """An ``ems executions resume`` whose output goes to a file.

    It has a session of its own, so that Ctrl-C in the service's terminal does not reach it.
    """

    def __init__(self, command: list[str], project: Path, said: Path) -> None:
        said.parent.mkdir(parents=True, exist_ok=True)
        self.said = said
        with said.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter with this package
                command,
                cwd=project,
                env={**os.environ, "EMS_PROJECT": str(project)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, or None while it works."""
        return self._process.poll()

    def stop(self, *, at_once: bool = False) -> None:
        """Ask it to end, which closes its records, or end it at once with all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if at_once:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.send_signal(signal.SIGTERM)

    def last_words(self) -> str:
        """Return the last line that it said that is not empty."""
        try:
            text = self.said.read_bytes()[-4000:].decode(errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1].removeprefix("error: ") if lines else ""


def command_starter(project: Path) -> Starter:
    """Return what runs executions of a project as processes; what they say is kept beside their other files."""

    def start(_workflow: str, execution_id: str) -> Process:
        # -P: a file of the project that is named like a module must not take its place.
        command = [sys.executable, "-P", "-m", "ems", "executions", "resume", execution_id, "--begin"]
        return CommandProcess(command, project, project / ".ems" / "executions" / execution_id / "log.txt")

    return start
