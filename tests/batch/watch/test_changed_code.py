"""Notebooks that have changed since a run executed them."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from project_fixtures import DemoRun, run_ems

from ems.batch.watch.changed_code import changed_code
from ems.database.records import Run


@pytest.fixture
def run(project: Path) -> Run:
    """A run that has left its executed notebook: the study's, with a cell of parameters more."""
    notebook = nbformat.read(project / "notebooks" / "dispatch.ipynb", as_version=4)
    given = nbformat.v4.new_code_cell("horizon_h = 2.0", metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(3, given)
    executed = project / "reports" / "dispatch" / "r1.ipynb"
    executed.parent.mkdir(parents=True)
    nbformat.write(notebook, executed)
    return Run(
        id="r1", study="dispatch", case_name="demo", title="Dispatch", notebook_path="reports/dispatch/r1.ipynb"
    )


def edit(project: Path, kind: str, text: str) -> None:
    """Put a text in place of what the last cell of a kind says."""
    path = project / "notebooks" / "dispatch.ipynb"
    notebook = nbformat.read(path, as_version=4)
    [cell for cell in notebook.cells if cell.cell_type == kind][-1].source = text
    nbformat.write(notebook, path)


def code_cells(project: Path) -> int:
    cells = nbformat.read(project / "notebooks" / "dispatch.ipynb", as_version=4).cells
    return sum(cell.cell_type == "code" for cell in cells)


def test_changed_code__parameters_and_text_are_no_change(run: Run, project: Path) -> None:
    edit(project, "markdown", "Another end.")
    assert changed_code(run) == []


def test_changed_code__names_the_first_cell(run: Run, project: Path) -> None:
    edit(project, "code", "1 / 0")
    said = "the code of notebooks/dispatch.ipynb has changed since the run, first in its cell of code"
    assert changed_code(run) == [f"{said} {code_cells(project)}"]


def test_changed_code__cell_that_is_gone(run: Run, project: Path) -> None:
    path = project / "notebooks" / "dispatch.ipynb"
    notebook = nbformat.read(path, as_version=4)
    while notebook.cells.pop().cell_type != "code":
        pass
    nbformat.write(notebook, path)
    (said,) = changed_code(run)
    assert said.endswith(f"first in its cell of code {code_cells(project) + 1}")


def test_changed_code__without_a_notebook_nothing_is_said(run: Run, project: Path) -> None:
    assert changed_code(run.replace(notebook_path=None)) == []
    (project / "reports" / "dispatch" / "r1.ipynb").write_text("half a not")
    (said,) = changed_code(run)
    assert said.endswith("cannot be compared: one of them is no notebook")
    (project / "reports" / "dispatch" / "r1.ipynb").unlink()
    assert changed_code(run) == []


def test_replay__says_that_the_notebook_has_changed(demo_run: DemoRun, tmp_path: Path) -> None:
    """The run that `ems run` has left is compared, and nothing is said before the notebook is edited."""
    folder = demo_run.copy(tmp_path / "project")
    edit(folder, "code", "pass  # nothing is concluded any more")

    done = run_ems(folder, "runs", "replay", demo_run.report.stem, "--quiet")

    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: the code of notebooks/dispatch.ipynb has changed since the run, first in its cell of code "
        f"{code_cells(folder)}"
    ]
