"""Every notebook runs from top to bottom in a fresh kernel, with its defaults as the small case."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from forked_commands import run_forked
from project_fixtures import environment_of, run_ems
from report_fixtures import keep_a_batch

from ems.batch.engine.provisioner import PROVISIONER

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def jupyter_path(tmp_path: Path) -> Path:
    """Where Jupyter finds a kernel that is forked, like those of the command: its imports are done."""
    folder = tmp_path / "jupyter" / "kernels" / "python3"
    folder.mkdir(parents=True)
    kernel = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3, forked",
        "language": "python",
        "metadata": {"kernel_provisioner": {"provisioner_name": PROVISIONER}},
    }
    (folder / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")
    return folder.parents[1]


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_notebook__runs_cell_by_cell(project: Path, jupyter_path: Path, name: str) -> None:
    if name == "comparison.ipynb":
        keep_a_batch()
    environment = {
        **environment_of(project, forks=True),
        "JUPYTER_PATH": str(jupyter_path),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }

    options = ["-p", "nbval.plugin", "--nbval-lax", "-p", "no:cacheprovider", "-q"]
    done = run_forked("pytest:console_main", [*options, f"notebooks/{name}"], project, environment, timeout_s=300)

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


# ---------------------------------------------------------------------------------------- a notebook is an essay
KEEPS = re.compile(r"run\.store|run\.complete|view\.keep|keep_site")
"""What a notebook does after its conclusion: it keeps the answer."""
MOST_LINES = 5


def _is_parameters(cell: Any) -> bool:
    return "parameters" in cell.metadata.get("tags", ())


def _is_one_long_thing(cell: Any) -> bool:
    """Return whether a cell makes the study of its parameters, or states a text: one statement, however long."""
    (first, *others) = ast.parse(cell.source).body
    if others or not isinstance(first, ast.Assign):
        return False
    is_study = isinstance(first.value, ast.Call) and ast.unparse(first.value.func).endswith("Study")
    return is_study or isinstance(first.value, ast.Constant)


def _shows(cell: Any) -> bool:
    """Return whether something appears below a cell: its last expression, or what it displays or prints."""
    body = ast.parse(cell.source).body
    calls = [ast.unparse(one.func) for one in ast.walk(ast.Module(body, [])) if isinstance(one, ast.Call)]
    return isinstance(body[-1], ast.Expr) or bool({"display", "print"} & set(calls))


def _shown(notebook: Any) -> Iterator[tuple[Any, Any]]:
    """Give each code cell that shows something, with the cell before it."""
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type == "code" and _shows(cell):
            yield before, cell


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def essay(request: pytest.FixtureRequest) -> Any:
    """A notebook as it is stored."""
    return nbformat.read(request.param, as_version=4)


def test_essay__begins_with_a_question_and_its_parameters(essay: Any) -> None:
    title = essay.cells[0].source.splitlines()[0]

    assert essay.cells[0].cell_type == "markdown"
    assert re.match(r"# \w.*: .+\?$", title), title
    assert len(essay.cells[0].source.splitlines()) > 2, "a few sentences say what is done"
    assert _is_parameters(essay.cells[1])
    for line in essay.cells[1].source.splitlines():
        assert re.fullmatch(r"\w+ = .+?  # [A-Z].+\.", line), line


def test_essay__says_before_each_result_what_to_look_for(essay: Any) -> None:
    for before, cell in _shown(essay):
        assert before.cell_type == "markdown", f"no sentence before: {cell.source}"
        prose = [line for line in before.source.splitlines() if line and not line.startswith("#")]
        assert prose, f"a heading alone before: {cell.source}"
        assert re.search(r"[.:?]$", prose[-1]), prose[-1]


def test_essay__has_one_idea_to_a_cell(essay: Any) -> None:
    for cell in essay.cells:
        if cell.cell_type == "code" and not _is_parameters(cell):
            lines = cell.source.splitlines()
            assert len(lines) <= MOST_LINES or _is_one_long_thing(cell), cell.source


def test_essay__ends_with_a_conclusion_computed_from_the_numbers(essay: Any) -> None:
    shown = [(before, cell) for before, cell in _shown(essay) if not KEEPS.search(cell.source)]
    before, last = shown[-1]

    assert before.source.startswith("## Conclusion")
    assert not re.search(r"\d", before.source), "a number in the words would not follow from the parameters"
    said = ast.parse(last.source).body[-1].value  # type: ignore[attr-defined]
    assert ast.unparse(said.func) == "tables.show_sentence"
    is_computed = any(isinstance(one, ast.FormattedValue) for one in ast.walk(said))
    assert is_computed or "conclusion()" in ast.unparse(said), last.source


def test_essay__states_no_trick(essay: Any) -> None:
    for cell in essay.cells:
        if cell.cell_type == "code":
            assert not re.search(r"globals\(|locals\(|exec\(|import \*|%|!", re.sub(r'"[^"]*"|#.*', "", cell.source))


@pytest.mark.parametrize(
    ("case", "smaller", "said"),
    [
        ("unit-commitment", ["-p", "horizon_h=12", "-p", "pareto_points=3"], "Cost without wind power"),
        ("resilience", [], "Not served"),
    ],
)
def test_notebook__runs_for_a_demo_of_another_type(project: Path, case: str, smaller: list[str], said: str) -> None:
    done = run_ems(project, "run", "dispatch", case, *smaller)

    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    (report,) = (project / "reports" / "dispatch").glob("*.html")
    page = report.read_text(encoding="utf-8")
    assert "every limit and balance holds" in page
    assert len(page.encode()) < 400_000
