"""Folders for the sockets of a kernel: short paths, entered by this user alone, gone with the kernel."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_sockets() -> Iterator[Path]:
    """Give a folder of mode 700 whose path is short enough for a Unix socket, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="ems-"))
    if len(str(folder)) > 80:
        shutil.rmtree(folder)
        folder = Path(tempfile.mkdtemp(prefix="ems-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
