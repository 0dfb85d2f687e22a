"""A process that has imported what commands need, and forks one for each call: without two seconds' imports.

``python tests/command_server.py SOCKET OWNER_FD`` serves until the other end of OWNER_FD closes. A connection is one
command: it brings its function, arguments, environment and folder as JSON, with files for its output; the exit code
comes back.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
from typing import NoReturn

PACKAGES = ("ems.cli", "ems.batch", "ems.database", "ems.report", "ems.studies")
NOT_IMPORTED = (
    "ems.database.migrations",  # environments of Alembic, which it runs itself
    "ems.batch.engine.forked_kernel",  # kernels are another process' work
)
PART_BYTES = 1 << 20


def serve(address: str, owner_fd: int) -> NoReturn:
    """Fork a command for each connection, until the owner is gone."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for the ends of children: they tell them themselves
    _import_all()
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(owner_fd, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is not listener:
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                selector.close()
                listener.close()
                os.close(owner_fd)
                _become_command(connection)
            connection.close()


def _import_all() -> None:
    from ems.batch.jupyter import load_papermill

    gc.disable()
    load_papermill()  # which loads the engine of `ems`; begun at the engine, they would wait for each other
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.startswith(NOT_IMPORTED) and not module.name.endswith("__main__"):
                with contextlib.suppress(ImportError):  # of an extra that is not installed
                    importlib.import_module(module.name)
    importlib.import_module("nbval.plugin")
    gc.freeze()
    gc.enable()


def _become_command(connection: socket.socket) -> NoReturn:
    """Run the command that was asked for, as a process of its own; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, files, _, _ = socket.recv_fds(connection, PART_BYTES, 2)
    while part := connection.recv(PART_BYTES):
        data += part
    asked = json.loads(data)
    for own, given in zip((1, 2), files, strict=True):
        os.dup2(given, own)
        os.close(given)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    module, function = asked["function"].split(":")
    sys.argv = [module.split(".")[0], *asked["arguments"]]
    code = 1
    try:
        code = int(getattr(importlib.import_module(module), function)() or 0)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        connection.sendall(json.dumps(code).encode())
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
