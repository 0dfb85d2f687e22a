"""Running one notebook with papermill, and what is said of it when a cell fails."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ems.batch.watch.cells import cell_hooks
from ems.errors import RunFailed

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SLOW_OPTIONS = ("rfc3987_syntax", "isoduration", "pyarrow")
"""Packages that jsonschema and papermill load when they happen to be there: a grammar is compiled for two seconds, and
an interface to Hadoop is opened; neither is used here."""
_BAR = {
    "bar_format": "{n_fmt} of {total_fmt} cells |{bar:30}| {elapsed}, about {remaining} left",
    "leave": False,
    "disable": None,  # where nobody looks: a log of cron needs no bar
}


@dataclass(frozen=True)
class ExecutedNotebook:
    """A notebook after its run.

    Parameters
    ----------
    notebook : NotebookNode
    error : str or None
        Why it stopped, in one line; None where it ran to its end.
    error_kind : str or None
        Class of what stopped it: of the error in a cell, or ``DeadKernelError`` or ``RunTimeout``.
    """

    notebook: Any
    error: str | None
    error_kind: str | None = None


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
        from papermill.engines import papermill_engines

        from ems.batch.engine.papermill_engine import EmsEngine

        papermill_engines.register("ems", EmsEngine)
    return papermill


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    kernel: Any,
    *,
    meanwhile: Callable[[], None] | None = None,
    progress: bool = False,
    run_timeout_s: float | None = None,
    cell_timeout_s: float | None = None,
) -> ExecutedNotebook:
    """Return a notebook as it is after a run with parameters.

    Parameters
    ----------
    notebook, output : Path
        What is run, and where its state is kept while it runs.
    parameters : mapping
        Values that are written below the cell tagged ``parameters``.
    kernel : AsyncKernelManager
        The started kernel in which it runs.
    meanwhile : callable, optional
        What this process does, in a thread, while the kernel works on another core.
    progress : bool
        Whether to show a bar over the cells.
    run_timeout_s, cell_timeout_s : float, optional
        Longest time of all cells together, and of one.

    Raises
    ------
    RunFailed
        If the notebook could not be begun.
    """
    papermill = load_papermill()
    import nbformat
    from papermill.exceptions import PapermillExecutionError

    error: str | None = None
    kind: str | None = None
    if meanwhile is not None:
        # Only now: two threads that import the same packages for the first time get in each other's way.
        threading.Thread(target=meanwhile, daemon=True).start()
    try:
        notebook_now = papermill.execute_notebook(
            str(notebook),
            str(output),
            parameters=dict(parameters),
            engine_name="ems",
            km=kernel,
            run_timeout=run_timeout_s,
            execution_timeout=cell_timeout_s,
            **cell_hooks(),
            progress_bar=_BAR | {"file": sys.stderr} if progress else False,
        )
    except PapermillExecutionError as failure:
        error, kind = _one_line(failure.ename, failure.evalue), failure.ename
    except Exception as failure:  # a dead kernel, a time-out: papermill and nbclient have no common error
        if not output.is_file():
            raise RunFailed(f"the notebook was not begun: {_one_line(type(failure).__name__, failure)}") from None
        kind = type(failure).__name__
        error = str(failure) if kind in ("RunTimeout", "DeadKernelError") else _one_line(kind, failure)
        error = f"the kernel stopped: {error}"
    if error is not None:
        notebook_now = nbformat.read(str(output), as_version=4)
    return ExecutedNotebook(_without_marks(notebook_now), error, kind)


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
