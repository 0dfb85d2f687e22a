"""The command line: help, lists and errors as a user meets them."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_fixtures import DemoRun, run_ems

from ems.batch.run import sweep_interrupted
from ems.cli.run import in_columns
from ems.database.engine import connect


def test_help__gives_examples_and_exit_codes(project: Path) -> None:
    done = run_ems(project, "--help")

    assert done.returncode == 0
    assert "ems run dispatch demo -p horizon_h=48" in done.stdout
    assert "\n    3    infeasible: no schedule keeps all limits\n" in done.stdout


def test_in_columns__values_stand_below_each_other() -> None:
    rows = [("Total cost", "5.00 EUR"), ("Cost without wind power", "15.00 EUR")]

    assert in_columns(rows) == ["Total cost               5.00 EUR", "Cost without wind power  15.00 EUR"]


def test_solvers__lists_highs_and_cbc_as_available(project: Path) -> None:
    done = run_ems(project, "solvers")

    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "available" in lines["highs"]
    assert "available" in lines["cbc"]
    assert set(lines) == {"highs", "dp", "cbc", "glpk", "gurobi", "cplex"}


def test_runs_list__before_the_first_run(project: Path) -> None:
    done = run_ems(project, "runs", "list")

    assert done.returncode == 0
    assert "ems run dispatch demo" in done.stdout


def test_runs__list_and_show_the_demo(demo_run: DemoRun) -> None:
    listed = run_ems(demo_run.folder, "runs", "list", "--status", "completed")
    run_id = listed.stdout.split()[0]

    shown = run_ems(demo_run.folder, "runs", "show", run_id)

    assert demo_run.report.stem == run_id
    assert "horizon_h: 24" in shown.stdout
    assert "Saving: 3.41 EUR" in shown.stdout


def test_runs_show__unknown_run(project: Path) -> None:
    done = run_ems(project, "runs", "show", "20240101-000000-aaaaaa")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "20240101-000000-aaaaaa" in done.stderr


def test_db_status__masks_the_password(project: Path) -> None:
    url = "postgresql://ems:very-secret-word@127.0.0.1:1/none"

    done = run_ems(project, "db", "status", database_url=url)

    assert done.returncode == 4
    assert "very-secret-word" not in done.stdout + done.stderr
    assert "127.0.0.1" in done.stderr


def test_outside_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMS_PROJECT", raising=False)
    done = run_ems(tmp_path, "runs", "list")

    assert done.returncode == 2
    assert "this folder has no notebooks/" in done.stderr


def test_run__says_where_a_link_leads(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (project / "reports").symlink_to(target)

    done = run_ems(project, "run", "dispatch", "demo")

    assert done.returncode == 0
    assert f"reports/ is a link; reports are written to {target}" in done.stderr
    assert sorted(path.name for path in target.iterdir()) == ["dispatch", "index.html"]


def test_sweep__leaves_a_sound_database_alone(project: Path) -> None:
    engine = connect()

    assert sweep_interrupted(engine) == []
    engine.dispose()
