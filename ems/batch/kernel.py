"""The kernel of a run, started while this process still loads what it needs itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ems.errors import RunFailed


@contextmanager
def started_kernel(folder: Path, environment: Mapping[str, str]) -> Iterator[Any]:
    """Give the manager of a kernel that has been started, and end the kernel afterwards.

    A kernel takes a second to get ready; in that time this process loads papermill and the database.

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

    # Where it can be had, nobody else on this machine can listen to what the kernel says.
    settings = {"KernelManager": {"transport_encryption": "auto"}} if zmq.has("curve") else {}
    manager = AsyncKernelManager(config=Config(settings))
    try:
        asyncio.run(manager.start_kernel(cwd=str(folder), env={**os.environ, **environment}))
    except Exception as error:  # a kernel specification that is broken fails in many ways
        raise RunFailed(f"no kernel can be started: {type(error).__name__}: {error}") from None
    try:
        yield manager
    finally:
        # All that the notebook wanted to keep is kept; a kernel that is asked politely takes half a second longer.
        asyncio.run(manager.shutdown_kernel(now=True))
