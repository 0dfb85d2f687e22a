"""Reports of every study, run once a session as small as they can be, for tests that look at them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from batch_samples import a_batch
from project_fixtures import make_project, run_ems
from shared_fixtures import made_once

from ems.database.engine import connect
from ems.database.records import Run
from ems.database.runs import get_run

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
SAID = "said.json"
"""What the command said of each run."""


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
    said : mapping of str to str
        What the command said of the newest run of each study.
    """

    folder: Path
    pages: Mapping[str, Path]
    before: Path
    said: Mapping[str, str]

    def data(self, study: str) -> Path:
        """Return the folder with the data of a study's report."""
        return self.pages[study].with_suffix("")

    def connect(self) -> sa.Engine:
        """Return the project's database, to read from."""
        return connect(f"sqlite:///{self.folder}/data/ems.sqlite")

    def run(self, study: str) -> Run:
        """Return the record of a study's newest run."""
        return get_run(self.connect(), word_of(self.said[study], "Run"))


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """A report of each study as the command makes it, and one of a dispatch before the newest."""
    folder = made_once(tmp_path_factory, "reports", _make_reports)
    said = json.loads((folder / SAID).read_text(encoding="utf-8"))
    pages = {study: Path(word_of(text, "Report")) for study, text in said.items()}
    return Reports(folder / "project", pages, pages.pop("before"), said)


def _make_reports(folder: Path) -> None:
    project = make_project(folder / "project")
    said = {"before": _run(project, "dispatch", "demo")}
    for study, values in SMALL.items():
        said[study] = _run(project, study, "demo", *(part for value in values for part in ("-p", value)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMS_PROJECT", str(project))
        patch.delenv("EMS_DATABASE_URL", raising=False)
        keep_a_batch()
    said["comparison"] = _run(project, "comparison", "dispatch-batch")
    (folder / SAID).write_text(json.dumps(said), encoding="utf-8")


def _run(folder: Path, study: str, case: str, *options: str) -> str:
    done = run_ems(folder, "run", study, case, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def word_of(said: str, name: str) -> str:
    """Return what stands beside a name in what `ems run` says, as `Run` and `Report`."""
    (word,) = (line.split(None, 1)[1].strip() for line in said.splitlines() if line.startswith(f"{name} "))
    return word


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
