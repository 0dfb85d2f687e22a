"""Zygotes as their owners see them: started when first needed, started anew when the code has changed or they died."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ems.batch.engine.code_state import code_stamp
from ems.batch.engine.zygote import ADDRESS_VARIABLE, ENVIRONMENT
from ems.errors import RunFailed

LONGEST_START_S = 60.0
LONGEST_ANSWER_S = 30.0


class NoZygote(RunFailed):
    """No kernel can be forked here; a stock kernel will do."""


class ZygoteProcess:
    """A zygote that belongs to this process: it ends when this process does, in whatever way.

    Parameters
    ----------
    address : str, optional
        Path of its socket; one in a new folder where none is given.

    Raises
    ------
    NoZygote
        If it does not come up.
    """

    def __init__(self, address: str | None = None) -> None:
        if not hasattr(os, "fork") or sys.platform == "darwin":  # forking after system frameworks were loaded crashes
            raise NoZygote(f"kernels cannot be forked on {sys.platform}")
        # A short path: the address of a Unix socket holds about a hundred characters.
        folder = None if address else tempfile.mkdtemp(prefix="ems-")
        self.address = address or str(Path(str(folder)) / "z")
        Path(self.address).unlink(missing_ok=True)  # of one before, which has ended
        self.stamp = code_stamp()
        own, its = socket.socketpair()
        try:
            self.process = subprocess.Popen(  # noqa: S603 - this package, in this interpreter
                [sys.executable, "-m", "ems.batch.engine.zygote", self.address, str(its.fileno())],
                pass_fds=(its.fileno(),),
                stdin=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # Ctrl-C in the terminal is for the owner alone
            )
        except OSError as error:
            own.close()
            raise NoZygote(f"the process that forks kernels cannot be started: {error}") from None
        finally:
            its.close()
        self._own = own
        self._end = weakref.finalize(self, _end, self.process, own, folder, os.getpid())

    def wait_until_ready(self) -> None:
        """Return when it has imported everything.

        Raises
        ------
        NoZygote
        """
        if not _has_news(self._own, LONGEST_START_S) or not self._own.recv(16):
            self.close()
            raise NoZygote("the process that forks kernels ended while it started; its words stand above")

    @property
    def is_usable(self) -> bool:
        """Whether it lives and holds the code as it is now."""
        return self.process.poll() is None and self.stamp == code_stamp()

    def close(self) -> None:
        """End it with all its kernels."""
        self._end()


def _end(process: subprocess.Popen[bytes], own: socket.socket, folder: str | None, owner_pid: int) -> None:
    if os.getpid() != owner_pid:  # a fork of the owner must not end what it does not own
        return
    own.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """Return the environment of a zygote; a parent that Jupyter has noted would end it."""
    own = {name: value for name, value in os.environ.items() if name not in ("JPY_PARENT_PID", ADDRESS_VARIABLE)}
    if own.get("MPLBACKEND", "").lower() == "agg":
        del own["MPLBACKEND"]
    return {**ENVIRONMENT, **own}


class _Zygotes:
    """The zygotes of this process: the one in use, and those of older code from which kernels still run."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.newest: ZygoteProcess | None = None
        self.retired: list[ZygoteProcess] = []

    def usable(self) -> ZygoteProcess:
        with self.lock:
            if self.newest is not None and not self.newest.is_usable:
                if self.newest.process.poll() is None:
                    self.retired.append(self.newest)
                else:
                    self.newest.close()
                self.newest = None
            if self.newest is None:
                self.newest = ZygoteProcess()
                self.newest.wait_until_ready()
            return self.newest

    def close(self) -> None:
        with self.lock:
            for one in (*self.retired, *([self.newest] if self.newest else [])):
                one.close()
            self.retired, self.newest = [], None


_OWN = _Zygotes()


def start_zygote() -> ZygoteProcess:
    """Return this process' zygote, ready to fork; begun anew where it died or the code has changed.

    Raises
    ------
    NoZygote
    """
    return _OWN.usable()


def close_zygotes() -> None:
    """End this process' zygotes with all their kernels."""
    _OWN.close()


class ForkedProcess:
    """A forked kernel, with the methods of a `subprocess.Popen`.

    Parameters
    ----------
    connection_file : str
        File by which the kernel learns where to listen.
    cwd : str
        Its working folder.
    environment : mapping
        All its variables.
    memory_limit_mb : float, optional
        Most memory that it may hold as data; beyond it, it gets a MemoryError.

    Raises
    ------
    NoZygote
    """

    stdin = stdout = stderr = None

    def __init__(
        self, connection_file: str, cwd: str, environment: Mapping[str, str], memory_limit_mb: float | None = None
    ) -> None:
        self.returncode: int | None = None
        self.cpu_s: float | None = None
        self.peak_memory_mb: float | None = None
        self._unread = b""
        self._connection = _connected()
        request = {
            "connection_file": connection_file,
            "cwd": cwd,
            "env": dict(environment),
            "memory_limit_mb": memory_limit_mb,
        }
        try:
            self._connection.settimeout(LONGEST_ANSWER_S)
            self._connection.sendall(json.dumps(request).encode() + b"\n")
            answer = self._receive()
        except OSError as error:
            self._connection.close()
            raise NoZygote(f"the process that forks kernels does not answer: {error}") from None
        if answer is None or "pid" not in answer:
            self._connection.close()
            raise NoZygote(str((answer or {}).get("error", "the process that forks kernels has ended")))
        self.pid = int(answer["pid"])

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""
        if self.returncode is None and _has_news(self._connection, 0):
            self._take_end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended, after it has."""
        if self.returncode is None:
            if not _has_news(self._connection, timeout):
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            self._take_end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and all that it started."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signum)

    def kill(self) -> None:
        """End it with all that it started."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Let go of it; it ends where it has not."""
        self._connection.close()

    def _take_end(self) -> None:
        self._connection.settimeout(LONGEST_ANSWER_S)
        try:
            answer = self._receive()
        except OSError:
            answer = None
        if answer is None:  # the zygote is gone, and kernels die with it; what they have started does not
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            answer = {"exit": -signal.SIGKILL}
        self.returncode = int(answer["exit"])
        self.cpu_s, self.peak_memory_mb = answer.get("cpu_s"), answer.get("peak_memory_mb")
        self._connection.close()

    def _receive(self) -> dict[str, Any] | None:
        while b"\n" not in self._unread:
            data = self._connection.recv(1 << 16)
            if not data:
                return None
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer


def _has_news(connection: socket.socket, timeout_s: float | None) -> bool:
    """Return whether there is something to read, or the end, within a time; None waits for it."""
    watch = select.poll()  # not select, which knows the first 1024 files of a process alone
    watch.register(connection, select.POLLIN)
    return bool(watch.poll(None if timeout_s is None else timeout_s * 1000))


def _connected() -> socket.socket:
    """Return a connection to the zygote that a batch shares with this process, or to this process' own."""
    shared = os.environ.get(ADDRESS_VARIABLE)
    end = time.monotonic() + LONGEST_START_S
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(True)
        address = shared or start_zygote().address
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            if not shared or time.monotonic() > end:
                raise NoZygote(f"the process that forks kernels cannot be reached: {error}") from None
            time.sleep(0.1)  # the batch is starting it anew
            continue
        return connection
