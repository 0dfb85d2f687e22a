"""``ems workflow`` and ``ems executions`` as a person meets them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import yaml
from click.testing import CliRunner, Result
from project_fixtures import run_ems

from ems.cli import commands, executions
from ems.cli.executions import STATUSES
from ems.cli.workflow_run import TRIGGERS
from ems.database.workflow_records import ExecutionStatus, Trigger

Ems = Callable[..., Result]
TASKS = [
    {"id": "sum", "kind": "transform", "outputs": {"total": "parameters.n + 1"}},
    {"id": "far", "kind": "delay", "duration_s": "${parameters.wait_s}", "depends_on": ["sum"]},
    {"id": "odd", "kind": "condition", "expression": "parameters.text == '5'", "depends_on": ["far"]},
]
PARAMETERS = {"n": 1, "wait_s": 0.0, "text": "5", "must": {"type": "number", "meaning": "What must be given"}}


@pytest.fixture
def ems(project: Path) -> Ems:
    """A function that calls the command in a project with one workflow."""
    folder = project / "parameters" / "workflows"
    content = {"title": "Trial", "tags": ["small"], "parameters": PARAMETERS, "tasks": TASKS}
    (folder / "trial.yaml").write_text(yaml.safe_dump({**content, "schedule": {"every": "1h"}}))
    (folder / "broken.yaml").write_text("tasks:\n  - {id: a, kind: delay}\n")

    def call(*arguments: str, code: int = 0, typed: str | None = None) -> Result:
        result = CliRunner().invoke(commands, arguments, input=typed)
        assert result.exit_code == code, result.output
        return result

    return call


def test_choices__are_those_of_the_records() -> None:
    assert get_args(ExecutionStatus) == STATUSES
    assert get_args(Trigger) == TRIGGERS


def test_validate(ems: Ems) -> None:
    assert (
        "workflow trial can be run: 3 tasks\n  give must (number) with -p must=VALUE"
        in ems("workflow", "validate", "trial").stdout
    )
    assert json.loads(ems("workflow", "validate", "trial", "--json").stdout)["valid"] is True


def test_validate__what_is_wrong(project: Path, ems: Ems) -> None:
    found = json.loads(ems("workflow", "validate", "broken", "--json", code=2).stdout)
    done = run_ems(project, "workflow", "validate", "broken")

    assert found["findings"] == ["task 'a': duration_s: is required (in s)"]
    assert done.returncode == 2
    assert done.stderr == (
        "error: workflow 'broken' in parameters/workflows/broken.yaml: task 'a': duration_s: is required (in s)\n"
    )


def test_validate__is_quick_and_loads_nothing_heavy(ems: Ems, project: Path) -> None:
    code = (
        "import sys\nfrom ems.batch.workflows.checks import load_workflow\nload_workflow('trial', {'must': 1})\n"
        "print(sorted({'pandas', 'xarray', 'pyomo', 'sqlalchemy', 'papermill', 'matplotlib'} & set(sys.modules)))"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_list_and_show(ems: Ems) -> None:
    listed = ems("workflow", "list").stdout
    rows = json.loads(ems("workflow", "list", "--tag", "small", "--json").stdout)
    shown = ems("workflow", "show", "trial").stdout

    assert "Battery Optimization Demo" in listed
    assert "cannot be run; see `ems workflow validate broken`" in listed
    assert [(row["workflow"], row["tasks"], row["starts"]) for row in rows] == [("trial", 3, "every 3600 s")]
    assert "parameter must (number, required) What must be given" in shown
    assert [line.split()[0] for line in shown.splitlines()[-3:]] == ["sum", "far", "odd"]
    assert json.loads(ems("workflow", "show", "trial", "--json").stdout)["outputs"]["sum"] == {"total": "number"}


def test_run__reads_parameters_by_their_type(ems: Ems) -> None:
    """-p text=5 is the text '5', -p n=5 the number."""
    done = json.loads(ems("workflow", "run", "trial", "-p", "must=2", "-p", "text=5", "-p", "n=5", "--json").stdout)

    assert done["status"] == "completed"
    assert done["parameters"] == {"n": 5, "wait_s": 0.0, "text": "5", "must": 2}
    shown = json.loads(ems("executions", "show", done["id"], "--json").stdout)
    assert {task["task_id"]: task["outputs"] for task in shown["tasks"]} == {
        "sum": {"total": 6},
        "far": {"seconds": 0.0},
        "odd": {"value": True},
    }
    table = ems("executions", "show", done["id"]).stdout
    assert "total = 6" in table
    assert ems("executions", "list", "--workflow", "trial").stdout.count(done["id"]) == 1
    assert "is completed; there is nothing to do" in ems("executions", "resume", done["id"], code=2).stderr


def test_run__as_a_service_starts_it(ems: Ems) -> None:
    """Parameters by the standard input, an id and a moment of its schedule: the second start is refused."""
    given = ["--trigger", "schedule", "--execution-id", "own-id", "--scheduled-for", "2024-06-01T08:00+02:00"]
    command = ["workflow", "run", "trial", *given, "--parameters-json", "-", "--json"]

    done = json.loads(ems(*command, typed='{"must": 3}').stdout)
    again = ems(*command, typed='{"must": 3}', code=2)

    assert (done["id"], done["trigger"], done["scheduled_for"]) == ("own-id", "schedule", "2024-06-01T06:00:00Z")
    assert "was opened before" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trial"], "parameters.must: is required; give it with -p must=VALUE"),
        (["trial", "-p", "must"], "must be name=value"),
        (["trial", "-p", "must=x"], "parameters.must = 'x': must be a number"),
        (["trial", "-p", "must=1", "-p", "tekst=1"], "did you mean text?"),
        (["trial", "--scheduled-for", "soon"], "must be a time as in"),
        (["trial", "--parameters-json", "nowhere.json"], "cannot be read as JSON"),
        (["trial", "-p", "must=1", "--execution-id", "../x"], "must be small letters"),
        (["trail"], "did you mean trial?"),
        (["../../etc/passwd"], "there is no such file"),
    ],
)
def test_run__what_cannot_be_used(ems: Ems, project: Path, arguments: list[str], said: str) -> None:
    done = ems("workflow", "run", *arguments, code=2)

    assert said in done.stderr
    assert not (project / "data" / "ems.sqlite").exists()


def test_run__failed_task_is_exit_code_1(ems: Ems, project: Path) -> None:
    path = project / "parameters" / "workflows" / "trial.yaml"
    path.write_text(path.read_text().replace("parameters.n + 1", "1 / (parameters.n - 1)"))

    done = ems("workflow", "run", "trial", "-p", "must=1", code=1)

    assert "sum  failed" in done.stderr
    assert "error: task 'sum' failed: '1 / (parameters.n - 1)' has no value: 1 is divided by zero" in done.stderr
    assert "mend it and go on with: ems executions resume" in done.stderr


def test_trigger__runs_in_the_background_and_is_cancelled(ems: Ems, monkeypatch: pytest.MonkeyPatch) -> None:
    def statuses() -> dict[str, str]:
        shown = json.loads(ems("executions", "show", execution, "--json").stdout)
        return {task["task_id"]: task["status"] for task in shown["tasks"]}

    monkeypatch.setattr(executions, "LONGEST_WAIT_S", 120.0)
    execution = ems("workflow", "trigger", "trial", "-p", "must=1", "-p", "wait_s=600").stdout.strip()
    end = time.monotonic() + 120
    while "far" not in statuses() and time.monotonic() < end:
        time.sleep(0.1)

    cancelled = ems("executions", "cancel", execution).stdout

    assert cancelled == f"{execution} cancelled\n"
    assert statuses() == {"sum": "completed", "far": "cancelled", "odd": "cancelled"}
    assert "is cancelled; there is nothing to cancel" in ems("executions", "cancel", execution, code=2).stderr


def test_diagram(ems: Ems, project: Path) -> None:
    text = ems("workflow", "diagram", "trial").stdout
    for ending in ("svg", "html", "mmd"):
        ems("workflow", "diagram", "trial", "-o", f"picture.{ending}")

    assert "flowchart TD" in text
    assert (project / "picture.svg").read_text().startswith("<svg")
    assert (project / "picture.html").read_text().startswith("<!doctype html>")
    assert (project / "picture.mmd").read_text() == text
    assert "must end with .svg" in ems("workflow", "diagram", "trial", "-o", "x.png", code=2).stderr
    assert "cannot be written" in ems("workflow", "diagram", "trial", "-o", "no/such/x.svg", code=2).stderr


def test_help__gives_examples(ems: Ems) -> None:
    for command in (
        ["workflow"],
        ["workflow", "run"],
        ["workflow", "trigger"],
        ["executions"],
        ["executions", "resume"],
    ):
        assert "Examples:" in ems(*command, "--help").stdout


def test_executions__before_the_first(ems: Ems) -> None:
    assert "make one with: ems workflow run NAME" in ems("executions", "list").stdout
    assert "see `ems executions list`" in ems("executions", "show", "nowhere", code=2).stderr
