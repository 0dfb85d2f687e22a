"""Exit codes: what a script learns without reading a word."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from project_fixtures import environment_of

from ems import errors
from ems.batch.watch.logs import log_file
from ems.cli import commands
from ems.cli.exit_codes import DATABASE, FAILED, INFEASIBLE, INVALID, MEANINGS, STOPPED, code_of
from ems.cli.lazy import LazyGroup
from ems.database.engine import connect
from ems.database.records import Run
from ems.database.runs import open_run
from ems.folders import write_whole


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("solvers", 0, ""),
        ("rns list", INVALID, "there is no command 'ems rns'; did you mean runs?"),
        ("runs lst", INVALID, "there is no command 'ems runs lst'; did you mean list?"),
        ("runs list --stauts failed", INVALID, "--status"),
        ("runs list --status gone", INVALID, "'gone' is not one of 'pending', 'running'"),
        ("run dispath demo", INVALID, "did you mean dispatch?"),
        ("run dispatch dmeo", INVALID, "did you mean demo?"),
        ("run dispatch demo -p horizon=3", INVALID, "did you mean horizon_h?"),
        ("batch dispatch battery-horizn", INVALID, "did you mean battery-horizon?"),
        ("workflow run daily-hme", INVALID, "did you mean daily-home?"),
        ("models show office", INVALID, "office"),
    ],
)
def test_code__of_input(project: Path, words: str, code: int, said: str) -> None:
    done = CliRunner().invoke(commands, words.split(), prog_name="ems")

    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert done.stderr == "" or "Usage:" in done.stderr or done.stderr.count("\n") == 1


def test_code__of_a_run_whose_wishes_contradict_each_other(project: Path) -> None:
    """100 kW of grid cannot serve a load that is ten times as high."""
    file = project / "data/series/demo.csv"
    header, *rows = file.read_text().splitlines()
    high = [f"{row.split(',')[0]},{10 * float(row.split(',')[1])}" for row in rows]
    file.write_text("\n".join([header, *high]))

    done = CliRunner().invoke(commands, ["run", "dispatch", "demo", "--quiet"])

    assert done.exit_code == INFEASIBLE, done.output
    assert "infeasible" in done.stderr


def test_code__of_a_notebook_that_fails(project: Path) -> None:
    notebook = project / "notebooks/dispatch.ipynb"
    notebook.write_text(notebook.read_text().replace("study = DispatchStudy(", "study = NoStudy("))

    done = CliRunner().invoke(commands, ["run", "dispatch", "demo", "--quiet"])

    assert done.exit_code == FAILED, done.output
    assert "NameError" in done.stderr


def test_code__of_a_database_that_cannot_be_used(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_DATABASE_URL", f"sqlite:///{project}/data/series/demo.csv")

    done = CliRunner().invoke(commands, ["runs", "list"])

    assert done.exit_code == DATABASE, done.output
    assert "is no SQLite file" in done.stderr


@pytest.mark.parametrize(("typed", "said"), [("n\n", "nothing was changed"), ("", "nothing was changed")])
def test_code__of_a_question_that_is_denied(project: Path, typed: str, said: str) -> None:
    importing = ["series", "import", "data/series/demo.csv", "--meter", "m", "--column", "demand_kw"]
    CliRunner().invoke(commands, [*importing, "--variable", "demand_kw"])

    done = CliRunner().invoke(commands, ["series", "delete", "m-demand_kw"], input=typed)

    assert done.exit_code == FAILED
    assert said in done.stderr
    assert "m-demand_kw" in CliRunner().invoke(commands, ["series", "list"]).stdout


def test_code__of_ctrl_c(project: Path) -> None:
    """The log of a run that goes on is followed; the signal comes when its first line was shown."""
    engine = connect()
    open_run(engine, Run(id="r1", study="dispatch", case_name="demo", title="R", host="far", process_id=1))
    engine.dispose()
    write_whole(log_file("r1"), json.dumps({"event": "message", "message": "begun"}) + "\n")
    code = (
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background has none
        "from ems.cli import commands\ncommands(['runs', 'log', '--follow', 'r1'], prog_name='ems')"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", code], env=environment_of(project), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert started.stdout.readline().split()[-1] == b"begun"
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=120)

    assert started.returncode == STOPPED
    assert said.decode().strip() == "stopped"


def test_code__of_a_folder_without_rights(project: Path) -> None:
    """What the operating system refuses is one line, and no traceback."""

    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "reports/index.html")

    group = LazyGroup("ems")
    group.command("refuse")(refuse)

    done = CliRunner().invoke(group, ["refuse"])

    assert done.exit_code == FAILED
    assert done.stderr == "error: reports/index.html: Permission denied\n"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: errors.UnknownName("site", "is not there"), INVALID),
        (lambda: errors.SolverUnavailable("solver", "is not there"), INVALID),
        (lambda: errors.Infeasible("short of 5 kW"), INFEASIBLE),
        (lambda: errors.NoSolution("out of time"), FAILED),
        (lambda: errors.RunFailed("in a cell"), FAILED),
        (lambda: errors.LeaseLost("to another"), DATABASE),
    ],
)
def test_code__of_each_kind_of_error(make: Callable[[], errors.EmsError], code: int) -> None:
    assert code_of(make()) == code


def test_meanings__are_those_of_the_documents() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")

    for code, meaning in MEANINGS.items():
        assert f"| {code} | {meaning} |" in page
