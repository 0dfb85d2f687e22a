"""Reports of every study, run once a session as small as they can be, for tests that look at them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from batch_samples import a_batch
from project_fixtures import make_project, run_ems
from shared_fixtures import made_once

from ems.database.engine import connect

SMALL = {
    "register": (),
    "forecast": ("model=ridge", "warm_up_days=7", "training_days=90"),
    "backtest": ("models=[ridge, seasonal_naive]", "days=3", "warm_up_days=7", "training_days=60"),
    "dispatch": ("horizon_h=12",),
    "tariffs": ("horizon_h=1416",),
    "rolling": ("length_h=24", "policies=[self_consumption, plan_own, perfect_foresight]"),
    "sizing": ("horizon_h=744", "sweep_points=2"),
}
"""What makes the demo of a study small."""
STUDIES = (*SMALL, "comparison")
PAGES = "pages.json"
"""Which report of the folder belongs to which study."""


@dataclass(frozen=True)
class Reports:
    """A project with a report of each study.

    Parameters
    ----------
    folder : Path
        The project.
    pages : mapping of str to Path
        The newest report of each study.
    before : Path
        The report of the dispatch before the newest one, of the same case.
    """

    folder: Path
    pages: Mapping[str, Path]
    before: Path

    def data(self, study: str) -> Path:
        """Return the folder with the data of a study's report."""
        return self.pages[study].with_suffix("")


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """A report of each study as the command makes it, and one of a dispatch before the newest."""
    folder = made_once(tmp_path_factory, "reports", _make_reports)
    pages = {study: folder / page for study, page in json.loads((folder / PAGES).read_text()).items()}
    return Reports(folder / "project", pages, pages.pop("before"))


def _make_reports(folder: Path) -> None:
    project = make_project(folder / "project")
    pages = {"before": _run(project, "dispatch", "demo")}
    for study, values in SMALL.items():
        pages[study] = _run(project, study, "demo", *(part for value in values for part in ("-p", value)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMS_PROJECT", str(project))
        patch.delenv("EMS_DATABASE_URL", raising=False)
        keep_a_batch()
    pages["comparison"] = _run(project, "comparison", "dispatch-batch")
    (folder / PAGES).write_text(json.dumps({study: str(page.relative_to(folder)) for study, page in pages.items()}))


def _run(folder: Path, study: str, case: str, *options: str) -> Path:
    done = run_ems(folder, "run", study, case, *options, forks=True)
    assert done.returncode == 0, done.stderr
    (report,) = (line.split(None, 1)[1] for line in done.stdout.splitlines() if line.startswith("Report "))
    return Path(report.strip())


def keep_a_batch() -> None:
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
