"""Owners of leases: the name of a worker's process, and whether it is known to have ended."""

from __future__ import annotations

import socket

import psutil

from ems.database.processes import is_there


def owner_of(process: psutil.Process | None = None) -> str:
    """Return the name of a process of this machine: host, number and start; of the present one unless given."""
    process = process or psutil.Process()
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.0f}"


def is_gone(owner: str) -> bool:
    """Return whether the process of an owner is known to have ended: it was on this machine and is not there.

    >>> is_gone("another-machine:1:0")
    False
    """
    host, number, started = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    return not is_there(int(number), float(started))
