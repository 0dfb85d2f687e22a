"""The zygote: a process of one thread that has imported what notebooks need, and forks a kernel when it is asked.

It is started with ``python -m ems.batch.engine.zygote SOCKET OWNER_FD`` and speaks lines of JSON on a Unix socket. One
connection is one kernel: the request opens it, and when the connection closes, the kernel and all that it started are
ended. When the other end of OWNER_FD closes, the owner is gone, and so the zygote goes with all kernels.

It must stay at one thread: after a fork, a lock that another thread held would stay locked in the child for ever.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
ADDRESS_VARIABLE = "EMS_ZYGOTE"
"""Environment variable by which a process tells those that it starts the socket of the zygote that they share."""
ENVIRONMENT = {
    # Before matplotlib is imported: it reads the backend once.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # Threads of numerical libraries do not survive a fork, and many kernels side by side want one core each.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # of the allocator that comes with pyarrow
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger would remark that modules are frozen; nobody debugs here
}
"""What holds in the zygote, unless its owner has said otherwise."""

PRELOADED = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger", "IPython.core.completer",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect",
    "IPython.core.pylabtools", "IPython.extensions.storemagic", "faulthandler", "tornado.platform.asyncio", "numpy",
    "pandas", "pandas.core.methods.to_dict", "pyarrow.pandas_compat", "xarray", "xarray.computation.nanops",
    "scipy.sparse", "matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg",
    "matplotlib.dates", "pydantic", "yaml", "sqlalchemy.dialects.sqlite", "sqlalchemy.orm", "highspy",
    "psutil", "holidays", "encodings.utf_8_sig", "tzdata", "dask.array", "ems.batch.engine.forked_kernel",
)  # fmt: skip
"""What notebooks import: each that is there."""
IDLE_S = 0.2
"""Time without a request after which more is imported."""
WORTH_MORE = 3
"""Number of kernels from which it pays to import what only some notebooks need."""
PRELOADED_LATER = (
    "scipy.stats", "scipy.ndimage", "sklearn.model_selection", "lightgbm",  # forecasts
    "pyomo.environ", "pyomo.repn.plugins.standard_form",  # own constraints and CBC
)  # fmt: skip
"""What some notebooks import: each that is there, one by one while no kernel is asked for. Five seconds' work."""
OWN_PACKAGES = (
    "ems.assets", "ems.database", "ems.dispatch", "ems.forecast", "ems.report", "ems.series", "ems.settlement",
    "ems.studies", "ems.tariffs",
)  # fmt: skip
NOT_PRELOADED = (
    "ems.database.migrations", "ems.database.migrate",  # they run Alembic's own environment on import
    "ems.forecast.sktime_forecaster", "ems.report.markup", "ems.report.page", "ems.report.policy",
)  # fmt: skip
"""What a notebook does not need: to change tables, the adapter for sktime, to make pages. Three seconds' work."""


@dataclass
class Kernel:
    """A forked kernel and the connection that it lives by."""

    pid: int
    connection: socket.socket


@dataclass
class Zygote:
    """What the process knows of its children."""

    listener: socket.socket
    owner_fd: int
    wakeup: socket.socket
    selector: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)
    kernels: dict[int, Kernel] = field(default_factory=dict)
    unread: dict[socket.socket, bytes] = field(default_factory=dict)
    forked: int = 0
    to_import: list[str] = field(default_factory=lambda: list(PRELOADED_LATER))

    def serve(self) -> None:
        """Fork kernels until the owner is gone."""
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self.selector.register(self.owner_fd, selectors.EVENT_READ, self._leave)
        self.selector.register(self.wakeup, selectors.EVENT_READ, self._reap)
        while True:
            has_more = self.forked >= WORTH_MORE and bool(self.to_import)
            events = self.selector.select(IDLE_S if has_more else None)
            for key, _ in events:
                key.data(key.fileobj)
            if has_more and not events:
                with _keeping_all():
                    import_each([self.to_import.pop(0)])

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        self.unread[connection] = b""
        self.selector.register(connection, selectors.EVENT_READ, self._read)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        lines = (self.unread[connection] + data).split(b"\n")
        self.unread[connection] = lines.pop()
        for line in lines:
            self._answer(connection, json.loads(line))

    def _answer(self, connection: socket.socket, request: dict[str, Any]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            _send(connection, {"error": f"no process can be forked: {error.strerror}"})
            return
        if pid == 0:
            self._become_kernel(request, os.getppid())
        self.kernels[pid] = Kernel(pid, connection)
        self.forked += 1
        _send(connection, {"pid": pid})

    def _become_kernel(self, request: dict[str, Any], zygote_pid: int) -> NoReturn:
        """Leave all that is the zygote's behind and run a kernel; never returns."""
        status = 1
        try:
            die_with_parent(zygote_pid)
            os.setsid()  # a group of its own: what the kernel starts is ended with it
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self.selector.close()
            for own in (self.listener, self.wakeup, *self.unread):
                own.close()
            os.close(self.owner_fd)
            from ems.batch.engine.forked_kernel import run_kernel

            run_kernel(request, ENVIRONMENT)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:
            import traceback

            traceback.print_exc(file=sys.__stderr__)
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)  # what the zygote has registered for its own end is not the kernel's

    def _close(self, connection: socket.socket) -> None:
        """End the kernel of a connection that its owner has closed, or that is closed as its owner has died."""
        self.selector.unregister(connection)
        self.unread.pop(connection, None)
        connection.close()
        for kernel in self.kernels.values():
            if kernel.connection is connection:
                _end_group(kernel.pid)

    def _reap(self, wakeup: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while wakeup.recv(4096):
                pass
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            kernel = self.kernels.pop(pid, None)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # a solver that the kernel had started
            if kernel is not None and kernel.connection in self.unread:
                _send(
                    kernel.connection,
                    {
                        "exit": os.waitstatus_to_exitcode(status),
                        "cpu_s": used.ru_utime + used.ru_stime,
                        "peak_memory_mb": used.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2),
                    },
                )

    def _leave(self, _: int) -> None:
        """End with all kernels: the owner is gone."""
        for pid in self.kernels:
            _end_group(pid)
        os._exit(0)


def die_with_parent(parent_pid: int) -> None:
    """Let the kernel of Linux end this process when its parent does; elsewhere the closed connection must do."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it went before the call
        os._exit(1)


def preload() -> None:
    """Import what notebooks need, without starting a thread."""
    with _keeping_all():
        import_each(PRELOADED)
        for package in OWN_PACKAGES:
            found = importlib.import_module(package)
            for module in pkgutil.walk_packages(found.__path__, f"{package}."):
                if not module.name.startswith(NOT_PRELOADED):
                    importlib.import_module(module.name)
        _warm_up()


def import_each(names: Iterable[str]) -> None:
    """Import modules that are there and not broken: LightGBM fails with an OSError where the system has no OpenMP."""
    for name in names:
        with contextlib.suppress(Exception):  # a notebook that needs it tells what is wrong
            importlib.import_module(name)


@contextlib.contextmanager
def _keeping_all() -> Iterator[None]:
    """Let the collector leave alone what is made meanwhile."""
    gc.disable()  # nothing of what is imported is garbage; looking for some takes a fifth of the time
    yield
    gc.enable()
    gc.collect()
    gc.freeze()  # the collector would else touch, and so copy, every page in every child


def _warm_up() -> None:
    """Do once what each kernel would do for the first time."""
    from ems.batch.engine.rehearsal import rehearse
    from ems.studies.study_run import versions

    versions()
    with contextlib.suppress(Exception):  # kernels are forked all the same; a test tells when it is broken
        rehearse()


def _end_group(pid: int) -> None:
    """End a kernel with all that it started; also where it had no time yet to make a group of its own."""
    for end, number in ((os.killpg, pid), (os.kill, pid)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(number, signal.SIGKILL)


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(message).encode() + b"\n")


def main(arguments: list[str]) -> None:
    """Import everything, say so, and fork kernels until the owner is gone."""
    address, owner_fd = arguments[0], int(arguments[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the owner, which then ends this
    preload()
    waker, wakeup = socket.socketpair()
    for end in (waker, wakeup):
        end.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _on_child)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    os.write(owner_fd, b"ready\n")
    Zygote(listener, owner_fd, wakeup).serve()


def _on_child(_: int, __: FrameType | None) -> None:
    """Wake the loop, by the bare fact that the signal is handled."""


if __name__ == "__main__":
    main(sys.argv[1:])
