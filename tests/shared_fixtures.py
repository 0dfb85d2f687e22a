"""What one process of a test run makes for all: the first that needs it, while others wait."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that is filled once a run, however many processes it has; tests only read it.

    Parameters
    ----------
    factory : pytest.TempPathFactory
    name : str
        Name of the folder.
    make : callable
        Fills the folder that it is given, which is empty.
    """
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = root / name, root / f"{name}.made"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # half filled by one that failed
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
