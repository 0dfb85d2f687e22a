"""A kernel provisioner for Jupyter that forks kernels from a zygote, and takes a stock kernel where it cannot."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

from ems.batch.engine.zygote_client import ForkedProcess, NoZygote

PROVISIONER = "ems-fork"
"""Name of the entry point, by which a kernel specification asks for it."""
_POLL_S = 0.01


class ForkProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Starts kernels by forking; what it forks has the interface of a process that was started."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel; start a stock one, with a word, where that cannot be."""
        environment = {str(name): str(value) for name, value in (kwargs.get("env") or os.environ).items()}
        folder = os.fspath(kwargs.get("cwd") or Path.cwd())
        limit = (self.kernel_spec.metadata or {}).get("memory_limit_mb")
        try:
            manager = self.parent
            assert manager is not None, "Jupyter gives each provisioner its kernel manager"
            # On a thread: other kernels of this process go on while the first one waits for the imports.
            process = await asyncio.to_thread(ForkedProcess, manager.connection_file, folder, environment, limit)
        except NoZygote as reason:
            lacking = "" if limit is None else f", without its limit of {limit:g} MB"
            print(f"Please look: {reason}; a kernel is started the slow way{lacking}", file=sys.stderr)
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.pid, self.pgid, self.cwd = process, process.pid, process.pid, folder
        return self.connection_info

    async def wait(self) -> int | None:
        """Return how the kernel ended, after it has."""
        if not isinstance(self.process, ForkedProcess):
            return await super().wait()
        while self.process.poll() is None:
            await asyncio.sleep(_POLL_S)
        ended: ForkedProcess = self.process
        self.process = None  # type: ignore[assignment]
        self.used = (ended.cpu_s, ended.peak_memory_mb)
        ended.close()
        return ended.returncode

    used: tuple[float | None, float | None] = (None, None)
    """CPU seconds and most memory in MB of the kernel, known after its end."""
