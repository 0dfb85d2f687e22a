"""Managers of forked kernels: how a run gets one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ems.batch.engine.provisioner import PROVISIONER
from ems.batch.engine.sockets import private_sockets


def forked_kernel_manager(memory_limit_mb: float | None = None, **options: Any) -> Any:
    """Return the manager of a kernel that will be forked when it is started.

    Parameters
    ----------
    memory_limit_mb : float, optional
        Most memory that the kernel may hold as data.
    **options
        Of `jupyter_client.AsyncKernelManager`.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    manager = AsyncKernelManager(**options)
    metadata: dict[str, Any] = {"kernel_provisioner": {"provisioner_name": PROVISIONER}}
    if memory_limit_mb is not None:
        metadata["memory_limit_mb"] = memory_limit_mb
    manager._kernel_spec = KernelSpec(
        # What is run where it cannot be forked.
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="Python 3 (forked)",
        language="python",
        interrupt_mode="signal",
        metadata=metadata,
    )
    return manager


@contextmanager
def with_private_sockets(manager: Any) -> Iterator[Any]:
    """Let a manager and its kernel speak through sockets in a folder that nobody else may enter."""
    with private_sockets() as place:
        manager.transport = "ipc"
        manager.ip = str(place / "k")
        manager.connection_file = str(place / "kernel.json")
        yield manager
