"""Processes that tests watch and that may end while they look."""

from __future__ import annotations

import psutil


def command_line(process: psutil.Process) -> str:
    """The line that started a process; nothing of one that has ended since it was listed."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
