"""One attempt at a task: at once, by waiting, or in a process of its own; looked at until it ends."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ems.batch.workflows.processes import Child
from ems.batch.workflows.secrets import without_values

SHOWN_OF_OUTPUT = 500


@dataclass(frozen=True)
class Result:
    """How an attempt ended.

    Parameters
    ----------
    outputs : dict
        What later tasks may refer to.
    error : str or None
        Why it failed.
    run_id : str or None
        Run of a notebook that it opened.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    run_id: str | None = None


class Attempt(Protocol):
    """An attempt that has begun."""

    def poll(self) -> Result | None:
        """Return how it ended, or None while it goes on."""

    def ask_to_end(self) -> None:
        """Ask it to end soon."""

    def kill(self) -> None:
        """End it at once."""

    @property
    def pid(self) -> int | None:
        """Number of its process, where it has one of its own."""


class DoneAttempt:
    """An attempt that ended as it began.

    Parameters
    ----------
    result : Result
    """

    pid: int | None = None

    def __init__(self, result: Result) -> None:
        self._result = result

    def poll(self) -> Result | None:
        """Return how it ended."""
        return self._result

    def ask_to_end(self) -> None:
        """Do nothing: it has ended."""

    def kill(self) -> None:
        """Do nothing: it has ended."""


class DelayAttempt:
    """A pause.

    Parameters
    ----------
    seconds : float
    """

    pid: int | None = None

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._is_ending = False

    def poll(self) -> Result | None:
        """Return its length once it is over."""
        if self._is_ending:
            return Result(error="was ended")
        return Result({"seconds": self._seconds}) if time.monotonic() >= self._end else None

    def ask_to_end(self) -> None:
        """End the pause."""
        self._is_ending = True

    kill = ask_to_end


class ChildAttempt:
    """An attempt in a process of its own.

    Parameters
    ----------
    job : mapping
        What the process reads; see `ems.batch.workflows.child`.
    project, folder : Path
        Of the project and of the execution.
    label : str
        Name of its files.
    attempt : int
        Number of the attempt.
    secrets : sequence of str
        Names of the secrets that it takes.
    """

    def __init__(
        self, job: Mapping[str, Any], *, project: Path, folder: Path, label: str, attempt: int, secrets: list[str]
    ) -> None:
        self._secrets = secrets
        self._result = folder / f"{label}.result.json"
        self._log = folder / f"{label}.{attempt}.log"
        self._result.unlink(missing_ok=True)
        environment = {name: value for name, value in os.environ.items() if name != "EMS_RUN_ID"}
        environment["EMS_PROJECT"] = str(project)
        # -P: a module of the project, such as calendar.py, must not stand in for one of Python's own.
        command = [sys.executable, "-P", "-m", "ems.batch.workflows.child"]
        given = {**job, "parent": os.getpid(), "result": str(self._result), "folder": str(folder), "label": label}
        self._child = Child(command, project, environment, json.dumps(given).encode())

    @property
    def pid(self) -> int | None:
        """Number of its process."""
        return self._child.pid

    def poll(self) -> Result | None:
        """Return how it ended, or None while it goes on."""
        code = self._child.poll()
        if code is None:
            return None
        said = without_values(self._child.output(), self._secrets)
        if said.strip():
            from ems.database.masking import storable_text

            self._log.write_text(storable_text(said), encoding="utf-8")
        try:
            found = json.loads(self._result.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            last = said.strip()[-SHOWN_OF_OUTPUT:]
            return Result(error=f"its process ended with {how} and left no result" + (f": {last}" if last else ""))
        self._result.unlink(missing_ok=True)
        return Result(found["outputs"], found["error"], found["run_id"])

    def ask_to_end(self) -> None:
        """Ask its process to end; after 10 s it is ended by force."""
        self._child.ask_to_end()

    def kill(self) -> None:
        """End its process and all that it started, at once."""
        self._child.kill()
