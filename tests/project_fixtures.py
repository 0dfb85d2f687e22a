"""Projects for tests: a copy of this one's notebooks, parameters and data in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from forked_commands import run_forked
from shared_fixtures import made_once

from ems.batch.engine.zygote_client import start_zygote
from ems.batch.new_project import make_project as make_own_project

ROOT = Path(__file__).resolve().parents[1]
LONGEST_S = 300.0
RUNS_NOTEBOOKS = re.compile(r"(run|batch|workflow run|executions resume|schedule run|runs replay) ")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an empty embedded database, in which this process works."""
    folder = make_project(tmp_path / "project")
    monkeypatch.setenv("EMS_PROJECT", str(folder))
    monkeypatch.delenv("EMS_DATABASE_URL", raising=False)
    monkeypatch.delenv("EMS_RUN_ID", raising=False)
    monkeypatch.chdir(folder)
    return folder


@dataclass(frozen=True)
class DemoRun:
    """What ``ems run dispatch demo`` has left; tests only read it."""

    folder: Path
    output: str
    report: Path
    index: Path
    database: str

    def copy(self, folder: Path) -> Path:
        """Return a copy of the project in a folder: for tests that write, and while others read.

        The files beside an embedded database go when its last reader does, so that they cannot be copied.
        """
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("ems.sqlite*", ".partial-*"))
        with (
            contextlib.closing(sqlite3.connect(self.folder / "data" / "ems.sqlite")) as given,
            contextlib.closing(sqlite3.connect(folder / "data" / "ems.sqlite")) as own,
        ):
            given.backup(own)
        return folder


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """The demo, run once by the command in a project of its own, as a user does it."""
    folder = made_once(tmp_path_factory, "demo", _run_demo)
    output = (folder / "output.txt").read_text(encoding="utf-8")
    said = dict(line.split(None, 1) for line in output.splitlines() if line.startswith(("Report", "Database")))
    report, index = Path(said["Report"].strip()), folder / "project" / "reports" / "index.html"
    return DemoRun(folder / "project", output, report, index, said["Database"].strip())


def _run_demo(folder: Path) -> None:
    done = run_ems(make_own_project(folder / "project"), "run", "dispatch", "demo", starts_afresh=True)
    assert done.returncode == 0, done.stderr
    (folder / "output.txt").write_text(done.stdout, encoding="utf-8")


def make_project(folder: Path) -> Path:
    """Copy what a project is made of, without its reports and database."""
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for name in ("sites", "series", "operation"):
        shutil.copytree(ROOT / "data" / name, folder / "data" / name)
    return folder


def environment_of(folder: Path, database_url: str | None = None, *, forks: bool = False) -> dict[str, str]:
    """The environment in which a command works on a project; with forks, kernels come from this process' zygote."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMS_")}
    environment["EMS_PROJECT"] = str(folder)
    if forks:
        environment["EMS_ZYGOTE"] = start_zygote().address
    if database_url:
        environment["EMS_DATABASE_URL"] = database_url
    return environment


def run_ems(
    folder: Path, *arguments: str, database_url: str | None = None, starts_afresh: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the command in a project, as a process of its own.

    The process and the kernels of its notebooks are forked where imports are done already; afresh, they start as
    they do for a user.
    """
    forks = not starts_afresh and RUNS_NOTEBOOKS.match(" ".join(arguments)) is not None
    environment = environment_of(folder, database_url, forks=forks)
    if not starts_afresh:
        return run_forked("ems.cli:main", arguments, folder, environment, timeout_s=LONGEST_S)
    return subprocess.run(
        [sys.executable, "-m", "ems", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
