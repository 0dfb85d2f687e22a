"""Every notebook runs from top to bottom in a fresh kernel, with its defaults as the small case."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from project_fixtures import environment_of, run_ems

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_notebook__runs_cell_by_cell(project: Path, name: str) -> None:
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-p", "no:cacheprovider", "-p", "no:xdist", "-q"]
    done = subprocess.run(
        [*command, f"notebooks/{name}"],
        cwd=project,
        env={**environment_of(project), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("unit-commitment", "Cost without wind power"),
        ("resilience", "Not served"),
    ],
)
def test_notebook__runs_for_a_demo_of_another_type(project: Path, case: str, said: str) -> None:
    done = run_ems(project, "run", "dispatch", case)

    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    (report,) = (project / "reports" / "dispatch").glob("*.html")
    page = report.read_text(encoding="utf-8")
    assert "every limit and balance holds" in page
    assert len(page.encode()) < 400_000
