"""A process of a task: it ends with its parent, first by request, then by force, with all that it has started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

SOFT_END_S = 10.0
"""How long a process that was asked to end may take to close its records."""
LONGEST_OUTPUT_BYTES = 1_000_000
"""What is kept of a process' output: the end of it."""
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Let the present process end when its parent does, even by ``kill -9``: by request, after 10 s by force."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)  # where the system does not say it, and where it came too early
        time.sleep(SOFT_END_S)
        os._exit(130)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class Child:
    """A started process of a task.

    Parameters
    ----------
    command : list of str
    folder : Path
        Working folder.
    environment : mapping
        Its whole environment.
    given : bytes
        What it reads from its standard input.
    """

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str], given: bytes) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter with a module of this package
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C goes to the workflow, which ends its tasks in good order
        )
        self._said = bytearray()
        self._lock = threading.Lock()
        assert self.process.stdin is not None and self.process.stdout is not None, "both are pipes"
        self._threads = [
            threading.Thread(target=_feed, args=(self.process.stdin, given), daemon=True),
            threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._kill_at: float | None = None
        self._started: list[Callable[[], None]] = []

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.process.pid

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs; one that does not end in time is ended by force."""
        code = self.process.poll()
        if code is None and self._kill_at is not None and time.monotonic() > self._kill_at:
            self.kill()
            code = self.process.wait()
        if code is not None:
            _end_all(self._started)
            self._threads[1].join(1.0)  # a process that it left behind may hold the pipe open
        return code

    def ask_to_end(self) -> None:
        """Ask the process to end; after 10 s it is ended by force."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + SOFT_END_S
            self._started = _family(self.process.pid)  # once it has ended, nobody knows what it started
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()

    def kill(self) -> None:
        """End the process and all that it has started, at once."""
        _end_all(_family(self.process.pid))
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def output(self) -> str:
        """Return the end of what it has written."""
        with self._lock:
            return bytes(self._said).decode("utf-8", errors="replace")

    def _listen(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(ValueError, OSError):
            while block := os.read(stream.fileno(), 65_536):
                with self._lock:
                    self._said += block
                    del self._said[:-LONGEST_OUTPUT_BYTES]


def _feed(stream: IO[bytes], given: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.write(given)
        stream.close()


def _end_all(ends: list[Callable[[], None]]) -> None:
    for end in ends:
        with contextlib.suppress(Exception):
            end()


def _family(pid: int) -> list[Callable[[], None]]:
    """Return what ends each process that a process has started, near and far."""
    import psutil

    try:
        return [child.kill for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []
