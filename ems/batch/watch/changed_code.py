"""Whether the notebook of a study still has the code that a run executed."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

from ems.database.records import Run
from ems.folders import project_folder, shown_path
from ems.report.cells import INJECTED_TAG


def changed_code(run: Run) -> list[str]:
    """Return a sentence if the notebook of a run's study has other code than the run executed; none if it is the same.

    The executed notebook beside the report is compared with the one that would run now, cell of code by cell of code;
    text may differ. Nothing is said where either of them is not there.
    """
    if run.notebook_path is None:
        return []
    executed = project_folder() / run.notebook_path
    present = project_folder() / "notebooks" / f"{run.study}.ipynb"
    if not executed.is_file() or not present.is_file():
        return []
    try:
        then, now = _code_of(executed), _code_of(present)
    except ValueError:  # what nbformat raises of a file that is no notebook
        return [f"{shown_path(executed)} and {shown_path(present)} cannot be compared: one of them is no notebook"]
    for number, (old, new) in enumerate(zip_longest(then, now), start=1):
        if old != new:
            return [f"the code of {shown_path(present)} has changed since the run, first in its cell of code {number}"]
    return []


def _code_of(path: Path) -> list[str]:
    """Return the sources of a notebook's cells of code that people wrote."""
    import nbformat

    return [
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and INJECTED_TAG not in cell.metadata.get("tags", ())
    ]
