"""The kernel of a run, started while this process still loads what it needs itself."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from ems.batch.engine.zygote import ADDRESS_VARIABLE
from ems.batch.watch.logs import log_event
from ems.batch.watch.tracing import span
from ems.errors import RunFailed


@contextmanager
def started_kernel(folder: Path, environment: Mapping[str, str]) -> Iterator[Any]:
    """Give the manager of a kernel that has been started, and end the kernel afterwards.

    A kernel takes a second to get ready; in that time this process loads papermill and the database. Where a process
    that forks kernels is shared with this one (``EMS_ZYGOTE``), it is ready at once.

    Parameters
    ----------
    folder : Path
        Working folder of the kernel.
    environment : mapping
        Variables added to this process' own.

    Raises
    ------
    RunFailed
        If no kernel can be started.
    """
    import zmq
    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

    from ems.batch.engine.manager import forked_kernel_manager, with_private_sockets

    # Of ports that are free when they are looked for, two kernels that start at once may choose the same.
    has_files = zmq.has("ipc") and os.name == "posix"
    # Where it can be had, nobody else on this machine can listen to what the kernel says.
    settings = {"KernelManager": {"transport_encryption": "auto"}} if zmq.has("curve") and not has_files else {}
    is_forked = ADDRESS_VARIABLE in os.environ
    manager = forked_kernel_manager() if is_forked else AsyncKernelManager(config=Config(settings))
    with with_private_sockets(manager) if has_files else nullcontext():
        begun = time.monotonic()
        try:
            with span("ems.kernel.start"):
                asyncio.run(manager.start_kernel(cwd=str(folder), env={**os.environ, **environment}))
        except Exception as error:  # a kernel specification that is broken fails in many ways
            raise RunFailed(f"no kernel can be started: {type(error).__name__}: {error}") from None
        seconds, process = round(time.monotonic() - begun, 3), process_of(manager)
        log_event("kernel_started", f"kernel started in {seconds:.2f} s", seconds=seconds, process_id=process)
        try:
            yield manager
        finally:
            # All that the notebook wanted to keep is kept; a kernel that is asked politely takes half a second longer.
            asyncio.run(manager.shutdown_kernel(now=True))


def process_of(manager: Any) -> int | None:
    """Return the number of a kernel's process, where its provisioner tells it."""
    found: int | None = getattr(manager.provisioner, "pid", None)
    return found
