"""`ems runs` as a user and a program meet it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from project_fixtures import DemoRun, run_ems

from ems.cli.runs import PLACES
from ems.cli.runs_list import list_
from ems.database.engine import connect
from ems.database.records import Run
from ems.database.runs import open_run


def test_runs_help__lists_each_command(project: Path) -> None:
    done = run_ems(project, "runs", "--help")

    assert all(f"\n  {name} " in done.stdout for name in PLACES)


def test_runs_list__newest_first_with_filters_and_json(project: Path) -> None:
    engine = connect()
    for number, case in enumerate(("demo", "harbour", "demo")):
        open_run(engine, Run(id=f"r{number}", study="dispatch", case_name=case, title="R", host="far", process_id=1))
    engine.dispose()

    listed = run_ems(project, "runs", "list", "--case", "demo")
    as_json = CliRunner().invoke(list_, ["--json", "--limit", "1"])
    none = CliRunner().invoke(list_, ["--case", "factory"])

    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["r2", "r0"]
    (one,) = json.loads(as_json.stdout)
    assert (one["id"], one["case_name"], one["status"], one["duration_s"]) == ("r2", "demo", "pending", None)
    assert none.output == "no such runs\n"


def test_runs__show_log_and_diff_of_the_demo(demo_run: DemoRun) -> None:
    run_id = demo_run.report.stem

    shown = json.loads(run_ems(demo_run.folder, "runs", "show", run_id, "--json").stdout)
    logged = run_ems(demo_run.folder, "runs", "log", run_id, "--follow").stdout.splitlines()
    same = run_ems(demo_run.folder, "runs", "diff", run_id, run_id, "--explain", "--json")
    listed = run_ems(demo_run.folder, "runs", "list").stdout

    assert shown["parameters"]["horizon_h"] == 24
    assert shown["optimizations"][0]["settled_cost"] > 135
    assert shown["duration_s"] > 0
    assert "kernel started in" in logged[0]
    assert logged[-1].endswith("run completed")
    assert f"{shown['duration_s']:.1f} s" in listed
    found = json.loads(same.stdout)
    assert found["differences"] == []
    assert found["explanation"]["steps"] == []
    assert found["explanation"]["difference"] == found["explanation"]["other"] == 0


def test_runs_cancel__what_has_ended_or_is_elsewhere(demo_run: DemoRun, project: Path) -> None:
    ended = run_ems(demo_run.folder, "runs", "cancel", demo_run.report.stem)
    engine = connect()
    open_run(engine, Run(id="r", study="dispatch", case_name="demo", title="R", host="far", process_id=1))
    engine.dispose()
    elsewhere = run_ems(project, "runs", "cancel", "r")

    assert ended.returncode == elsewhere.returncode == 2
    assert "has ended already; it was completed at" in ended.stderr
    assert "call there: ems runs cancel r" in elsewhere.stderr
