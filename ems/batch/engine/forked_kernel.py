"""A process that was forked from the zygote becomes an IPython kernel."""

from __future__ import annotations

import gc
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from ipykernel import ipkernel
from ipykernel.iostream import OutStream
from ipykernel.kernelapp import IPKernelApp

YOUNG_OBJECTS = 50_000
"""New objects after which the collector looks for cycles; at Python's 700 it takes a tenth of a run with figures."""


def run_kernel(request: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Run an IPython kernel in this process, as a new process would.

    Parameters
    ----------
    request : dict
        What was asked for: its connection file, working folder ``cwd``, variables ``env`` and ``memory_limit_mb``.
    environment : mapping
        Variables that hold where the request says nothing else.
    """
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for name, value in environment.items():
        os.environ.setdefault(name, value)
    os.environ.pop("JPY_PARENT_PID", None)  # its parent is the zygote, and the kernel dies with it already
    blank = os.open(os.devnull, os.O_RDONLY)
    os.dup2(blank, 0)
    if request.get("memory_limit_mb"):
        _limit_memory(float(request["memory_limit_mb"]))
    _forget_what_was_drawn()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    app = IPKernelApp.instance()
    # No history: nobody scrolls back in a run, and many kernels would write into one file.
    with _modules_untouched():
        app.initialize(["-f", request["connection_file"], "--HistoryManager.enabled=False", "--quiet"])
    OutStream.flush = _flush_what_was_written
    app.start()


@contextmanager
def _modules_untouched() -> Iterator[None]:
    """Keep the list of all modules from a new kernel, which makes it for its debugger; nobody debugs here.

    Who looks at a module counts a reference to it, and so copies its page of the zygote's memory: each seventh page
    that a run copied was copied for this list.
    """
    ipkernel.sys = _SysWithoutModules()
    try:
        yield
    finally:
        ipkernel.sys = sys


class _SysWithoutModules:
    """The module `sys`, but for its list of modules."""

    modules: ClassVar[dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def _flush_what_was_written(stream: Any, flush: Any = OutStream.flush) -> None:
    """Send what a stream holds, where it holds something; a kernel asks five times a cell, and waits for a thread."""
    if stream._buffers or stream.echo is not None:
        flush(stream)


def _limit_memory(limit_mb: float) -> None:
    """Let this process hold so much memory; what libraries have reserved and never touched does not count."""
    said = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    held_kb = {name: int(said[name].split()[0]) for name in ("VmData", "RssAnon")}
    limit = int(limit_mb * 1024**2) + (held_kb["VmData"] - held_kb["RssAnon"]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _forget_what_was_drawn() -> None:
    """Give the child random numbers of its own; two kernels would else draw the same ones."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
    # The inline backend looks for its shell when it is imported: without one it never shows a figure.
    sys.modules.pop("matplotlib_inline.backend_inline", None)
