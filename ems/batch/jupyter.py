"""Running one notebook with papermill, and what is said of it when a cell fails."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ems.errors import RunFailed

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SLOW_OPTIONS = ("rfc3987_syntax", "isoduration", "pyarrow")
"""Packages that jsonschema and papermill load when they happen to be there: a grammar is compiled for two seconds, and
an interface to Hadoop is opened; neither is used here."""


@dataclass(frozen=True)
class ExecutedNotebook:
    """A notebook after its run.

    Parameters
    ----------
    notebook : NotebookNode
    error : str or None
        Why it stopped, in one line; None where it ran to its end.
    """

    notebook: Any
    error: str | None


@contextmanager
def _without_slow_options() -> Iterator[None]:
    hidden = [name for name in _SLOW_OPTIONS if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def load_papermill() -> Any:
    """Return papermill, imported the quick way."""
    with _without_slow_options():
        import papermill
    return papermill


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    *,
    progress: bool,
) -> ExecutedNotebook:
    """Return a notebook as it is after a run with parameters.

    Parameters
    ----------
    notebook, output : Path
        What is run, and where its state is kept while it runs.
    parameters : mapping
        Values that are written below the cell tagged ``parameters``.
    folder : Path
        Working folder of the kernel.
    environment : mapping
        Variables added to the kernel's environment.
    progress : bool
        Whether to show a bar over the cells.

    Raises
    ------
    RunFailed
        If there is no kernel, or it cannot be started.
    """
    papermill = load_papermill()
    import nbformat
    from papermill.exceptions import PapermillExecutionError

    error: str | None = None
    with _environment(environment):
        try:
            papermill.execute_notebook(
                str(notebook),
                str(output),
                parameters=dict(parameters),
                cwd=str(folder),
                config=_kernel_settings(),
                progress_bar={"file": sys.stderr, "leave": False} if progress else False,
            )
        except PapermillExecutionError as failure:
            error = _one_line(failure.ename, failure.evalue)
        except Exception as failure:  # a dead kernel, a time-out: papermill and nbclient have no common error
            if not output.is_file():
                raise RunFailed(
                    f"the notebook could not be started: {_one_line(type(failure).__name__, failure)}"
                ) from None
            error = f"the kernel stopped: {_one_line(type(failure).__name__, failure)}"
    return ExecutedNotebook(_without_marks(nbformat.read(str(output), as_version=4)), error)


def _kernel_settings() -> Any:
    """Return settings under which nobody else on this machine can listen to what the kernel says."""
    import zmq
    from traitlets.config import Config

    return Config({"KernelManager": {"transport_encryption": "auto"}} if zmq.has("curve") else {})


def _one_line(kind: str, text: object) -> str:
    """Return an error in the user's words; the package's own errors need no name of a class."""
    words = ANSI.sub("", str(text)).strip()
    own = {
        "InvalidInput",
        "MissingValues",
        "UnknownName",
        "SolverUnavailable",
        "Infeasible",
        "NoSolution",
        "DatabaseProblem",
    }
    return words if kind in own and words else f"{kind}: {words}".rstrip(": ")


def _without_marks(notebook: Any) -> Any:
    """Return the notebook without the cells by which papermill points at a failed one; the report has its own."""
    marks = {"papermill-error-cell-tag"}
    notebook.cells = [cell for cell in notebook.cells if not marks & set(cell.metadata.get("tags", ()))]
    return notebook


@contextmanager
def _environment(added: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
