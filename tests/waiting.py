"""Waiting in tests: for what comes sooner or later, and notebooks that wait to be found at work."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import nbformat

T = TypeVar("T")

PATIENCE_S = 120.0
"""Time after which what has not come counts as broken; most of it is for a busy machine."""
WAITS = (
    "import pathlib, time\n"
    "pathlib.Path('planned').touch()\n"
    "while not pathlib.Path('go').exists():\n"
    "    time.sleep(0.02)"
)


def wait_for(condition: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to pass in time")


def hold_dispatch(project: Path) -> Path:
    """Let a project's notebook `dispatch` wait for the file `go` once it has planned; return the file that says so."""
    path = project / "notebooks" / "dispatch.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (plans,) = (at for at, cell in enumerate(notebook.cells) if cell.source.startswith("plan = study.plan("))
    notebook.cells.insert(plans + 1, nbformat.v4.new_code_cell(WAITS))
    nbformat.write(notebook, path)
    return project / "planned"
