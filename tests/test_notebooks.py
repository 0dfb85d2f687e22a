"""Every notebook runs from top to bottom in a fresh kernel, with its defaults as the small case."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from batch_samples import a_batch
from project_fixtures import environment_of, run_ems

from ems.database.engine import connect

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_notebook__runs_cell_by_cell(project: Path, name: str) -> None:
    if name == "comparison.ipynb":
        _keep_a_batch()
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


def _keep_a_batch() -> None:
    """Give the comparison something to compare: hand-written results of a grid of two parameters, one case failed."""
    grid = [(horizon_h, solver) for horizon_h in (24.0, 48.0) for solver in ("highs", "cbc")]
    cases = [
        {
            "swept": {"horizon_h": hours, "solver": solver},
            "job": {"settled_cost": 100.0 + place, "baseline_cost": 120.0, "kpis": {"peak_import_kw": 40.0 - place}},
        }
        for place, (hours, solver) in enumerate(grid[:-1])
    ]
    failed = {"swept": dict(zip(("horizon_h", "solver"), grid[-1], strict=True)), "error": "NoSolution: none in 60 s"}
    a_batch(connect(), [*cases, failed])


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("unit-commitment", "Cost without wind power"),
        ("resilience", "Not served"),
    ],
)
def test_notebook__runs_for_a_demo_of_another_type(project: Path, case: str, said: str) -> None:
    done = run_ems(project, "run", "dispatch", case, forks=True)

    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    (report,) = (project / "reports" / "dispatch").glob("*.html")
    page = report.read_text(encoding="utf-8")
    assert "every limit and balance holds" in page
    assert len(page.encode()) < 400_000
