"""`ems run`: from parameters to report and record, as a user calls it."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from project_fixtures import DemoRun, environment_of, make_project, run_ems
from waiting import PATIENCE_S, hold_dispatch, wait_for

from ems.database.engine import connect
from ems.database.migrate import upgrade
from ems.database.optimizations import jobs_of, read_costs, read_results, read_timeline
from ems.database.runs import list_runs

SHARED_HOME = Path(__file__).resolve().parents[3] / "shared" / "data" / "site_fontana_hourly.csv"


def test_run__demo_says_what_a_user_wants_to_know(demo_run: DemoRun) -> None:
    """The demo costs 135.08 EUR with the battery and 138.49 EUR without."""
    assert re.search(r"Total cost\s+135\.08 EUR", demo_run.output)
    assert re.search(r"Cost without battery\s+138\.49 EUR", demo_run.output)
    assert re.search(r"Run\s+\d{8}-\d{6}-[a-z0-9]{6}\n", demo_run.output)
    assert demo_run.report.is_file()
    assert demo_run.index.is_file()
    assert demo_run.database == f"sqlite:///{demo_run.folder}/data/ems.sqlite"


def test_run__demo_report_is_small_and_whole(demo_run: DemoRun) -> None:
    page = demo_run.report.read_text()

    assert len(page.encode()) < 300_000
    assert page.rstrip().endswith("</html>")
    assert page.count("<img") >= 4
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "135.08 EUR" in page
    assert "optimal" in page


def test_run__demo_leaves_an_executed_notebook_and_no_scratch(demo_run: DemoRun) -> None:
    notebook = nbformat.read(demo_run.report.with_suffix(".ipynb"), as_version=4)

    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert not any((demo_run.folder / ".ems" / "runs").iterdir())
    assert {path.name for path in (demo_run.folder / "reports").iterdir()} == {"dispatch", "index.html"}


def test_run__demo_index_links_the_report(demo_run: DemoRun) -> None:
    page = demo_run.index.read_text()

    assert f"dispatch/{demo_run.report.name}" in page
    assert "135.08" in page


def test_run__records_agree_with_each_other(demo_run: DemoRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objective, settled bill, sum of costs and sum of steps are one amount of money; 24 steps of 3 assets."""
    monkeypatch.setenv("EMS_PROJECT", str(demo_run.folder))
    monkeypatch.delenv("EMS_DATABASE_URL", raising=False)
    engine = connect()
    run = list_runs(engine)[0]
    (job,) = jobs_of(engine, run.id)

    results, timeline = read_results(engine, job.id), read_timeline(engine, job.id)

    assert run.status == "completed"
    assert run.parameters["horizon_h"] == 24
    assert {Path(item["path"]).name for item in run.inputs} == {"demo.yaml", "demo.csv"}
    assert len(results) == 24 * 3
    assert len(timeline) == 24
    for amount in (job.settled_cost, job.total_cost, results["cost"].sum(), read_costs(engine, job.id)["cost"].sum()):
        assert amount == pytest.approx(job.objective_value, abs=1e-6)
    assert timeline["interval_cost"].sum() == pytest.approx(job.objective_value, abs=1e-6)
    assert timeline["soc"].iloc[-1] >= 0.5 - 1e-9
    assert read_results(engine, job.id, asset_id="battery")["energy_kwh"].between(10 - 1e-6, 90 + 1e-6).all()
    engine.dispose()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("horizon_hours=48", "did you mean horizon_h?"),
        ("horizon_h=0", "horizon_h = 0 h: must be greater than 0 h"),
        ("horizon_h=tomorrow", "horizon_h = 'tomorrow': must be a number"),
        ("solver=gurobix", "did you mean gurobi?; available are highs, dp, cbc"),
        ("time_limit_s=0", "time_limit_s = 0 s: must be greater than 0 s"),
        ("site=../../etc/passwd", "no such file"),
        ("site=Demo", "must be a name of small letters"),
        ("start=soon", "must be a date and time"),
    ],
)
def test_run__bad_parameter_ends_before_anything_is_written(project: Path, setting: str, message: str) -> None:
    done = run_ems(project, "run", "dispatch", "demo", "-p", setting)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "reports").exists()
    assert not (project / "data" / "ems.sqlite").exists()


@pytest.mark.parametrize(("arguments", "message"), [(("dispach", "demo"), "dispatch"), (("dispatch", "dem"), "demo")])
def test_run__misspelt_study_or_case(project: Path, arguments: tuple[str, str], message: str) -> None:
    done = run_ems(project, "run", *arguments)

    assert done.returncode == 2
    assert f"did you mean {message}?" in done.stderr


def test_run__infeasible_leaves_a_failed_run_with_its_reason(project: Path) -> None:
    """A workshop that needs 55 kW cannot live on a connection of 20 kW."""
    site = project / "data" / "sites" / "demo.yaml"
    site.write_text(site.read_text().replace("max_import_kw: 100", "max_import_kw: 20"))

    done = run_ems(project, "run", "dispatch", "demo")

    assert done.returncode == 3
    assert "infeasible at 2024-06-03" in done.stderr
    assert "Traceback" not in done.stderr
    engine = connect(f"sqlite:///{project}/data/ems.sqlite")
    (run,) = list_runs(engine)
    (job,) = jobs_of(engine, run.id)
    assert run.status == "failed"
    assert "available at most 70 kW (battery 50, grid 20)" in str(run.error)
    assert job.status == "infeasible"
    assert len(read_results(engine, job.id)) == 0
    engine.dispose()
    page = (project / str(run.report_path)).read_text()
    banner = page.split('role="alert"')[1].split("</section>")[0]
    assert "infeasible at 2024-06-03" in banner


def test_run__other_solver_and_postgresql_give_the_same_cost(tmp_path: Path, database_url: str) -> None:
    folder = make_project(tmp_path / "project")
    upgrade(database_url)

    done = run_ems(folder, "run", "dispatch", "demo", "-p", "solver=cbc", database_url=database_url)

    assert done.returncode == 0, done.stderr
    assert re.search(r"Total cost\s+135\.08 EUR", done.stdout)
    engine = connect(database_url)
    (job,) = jobs_of(engine, list_runs(engine)[0].id)
    assert job.solver == "cbc"
    assert job.objective_value == pytest.approx(135.08215187, abs=1e-6)
    engine.dispose()


@pytest.mark.skipif(not SHARED_HOME.is_file(), reason="the measured series of the home are not beside this checkout")
def test_run__real_home_for_a_week(project: Path) -> None:
    done = run_ems(project, "run", "dispatch", "home", "-p", f"series={SHARED_HOME}")

    assert done.returncode == 0, done.stderr
    assert re.search(r"Total cost\s+18\.05 USD", done.stdout)
    assert re.search(r"Cost without battery\s+31\.31 USD", done.stdout)


def test_run__stock_papermill_works_on_the_same_notebook(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "notebooks/dispatch.ipynb", "out.ipynb", "-p", "horizon_h", "12"],
        cwd=project,
        env=environment_of(project),
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    engine = connect(f"sqlite:///{project}/data/ems.sqlite")
    (run,) = list_runs(engine)
    assert run.status == "completed"
    assert run.parameters["horizon_h"] == 12
    engine.dispose()


@pytest.mark.parametrize("when", ["kernel start", "planning"])
def test_run__killed_in_the_middle(tmp_path: Path, database_url: str, when: str) -> None:
    """After kill -9 the next `ems runs list` shows the run as failed, and reports/ holds nothing of it."""
    folder = make_project(tmp_path / "project")
    planned = hold_dispatch(folder)
    upgrade(database_url)
    environment = environment_of(folder, database_url)
    process = subprocess.Popen(
        [sys.executable, "-m", "ems", "run", "dispatch", "demo"],
        cwd=folder,
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    engine = connect(database_url)
    wait_for(lambda: any(run.status == "running" for run in list_runs(engine)))
    if when == "planning":
        wait_for(planned.exists)
    kernels = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    done = run_ems(folder, "runs", "list", database_url=database_url)

    assert done.returncode == 0, done.stderr
    assert f"interrupted: process {process.pid} on host {socket.gethostname()}" in done.stdout
    (run,) = list_runs(engine)
    assert run.status == "failed"
    assert jobs_of(engine, run.id) == [] or all(job.status == "failed" for job in jobs_of(engine, run.id))
    reports = folder / "reports"
    assert [path.name for path in reports.rglob("*") if path.is_file()] == ["index.html"]
    _, alive = psutil.wait_procs(kernels, timeout=PATIENCE_S)
    assert alive == []
    assert list_runs(engine)[0].status == "failed"
    engine.dispose()


def test_run__asked_to_stop_is_cancelled(project: Path) -> None:
    planned = hold_dispatch(project)
    process = subprocess.Popen(
        [sys.executable, "-m", "ems", "run", "dispatch", "demo"],
        cwd=project,
        env=environment_of(project),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    database = project / "data" / "ems.sqlite"
    wait_for(planned.exists)
    assert _status_in(database) == "running"

    process.terminate()
    _, errors = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 130
    assert "the run is marked as cancelled" in errors
    assert _status_in(database) == "cancelled"
    assert not (project / "reports").exists()


def _status_in(database: Path) -> str | None:
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            row = connection.execute("SELECT status FROM runs").fetchone()
    except sqlite3.OperationalError:
        return None
    return row[0] if row else None
