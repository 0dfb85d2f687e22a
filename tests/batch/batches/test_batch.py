"""`ems batch`: as a user calls it, and what it survives."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from project_fixtures import environment_of, make_project, run_ems
from waiting import PATIENCE_S, hold_dispatch, wait_for

from ems.batch.batches.opening import begin, prepare, resume
from ems.batch.batches.options import BatchOptions
from ems.batch.batches.sweep import load_sweep
from ems.cli import commands
from ems.database.batches import list_attempts, list_batches, list_cases
from ems.database.engine import connect
from ems.database.runs import get_run, list_runs

ROOT = Path(__file__).resolve().parents[3]
SECRET = "tok-5f3a9c1e77"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A project in which a batch of three cases has run, one of which cannot be solved."""
    folder = make_project(tmp_path_factory.mktemp("batch") / "project")
    cases = [{"horizon_h": 12}, {"horizon_h": 24}, {"horizon_h": 24, "start": "1990-01-01"}]
    sweep = {"case": "demo", "parameters": {"title": f"Site of {SECRET}"}, "list": cases}
    (folder / "parameters" / "sweeps" / "three.yaml").write_text(json.dumps(sweep))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMO_TOKEN", SECRET)
        done = run_ems(folder, "batch", "dispatch", "three", "--workers", "2", "--json")
    assert done.returncode == 1, done.stderr
    return folder, json.loads(done.stdout)


def test_batch__says_what_was_done(swept: tuple[Path, dict[str, object]]) -> None:
    """A case that fails for a reason which stays is tried once, and told."""
    _, said = swept

    assert (said["cases"], said["completed"], said["failed"], said["attempts"]) == (3, 2, 1, 3)
    assert "1990" in str(said["errors"])


def test_batch__each_case_leaves_what_a_run_leaves(swept: tuple[Path, dict[str, object]]) -> None:
    folder, said = swept
    engine = connect(f"sqlite:///{folder}/data/ems.sqlite")
    cases = list_cases(engine, str(said["batch"]))

    for case in cases:
        run = get_run(engine, str(case.run_id))
        assert (folder / str(run.report_path)).read_text().rstrip().endswith("</html>")
        notebook = nbformat.read(folder / str(run.notebook_path), as_version=4)
        marks = {cell.metadata.papermill.status for cell in notebook.cells if cell.cell_type == "code"}
        assert marks == ({"completed"} if case.status == "completed" else {"completed", "failed", "pending"})
        assert (folder / ".ems" / "logs" / f"{run.id}.log").is_file()
    assert [run.headline[0] for run in (get_run(engine, str(case.run_id)) for case in cases[1:2])] == [
        ("Total cost", "135.08 EUR")
    ]
    assert all(one.seconds and one.peak_memory_mb for one in list_attempts(engine, str(said["batch"])))
    assert str(cases[0].run_id) in (folder / "reports" / "index.html").read_text()


def test_batch__secrets_of_the_environment_are_nowhere(swept: tuple[Path, dict[str, object]]) -> None:
    """In no notebook, report, log or row, even where a person wrote one into a parameter."""
    folder, _ = swept

    found = [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]

    assert [path.name for path in found] == ["three.yaml"]


def test_batch__what_is_done_is_not_done_again(swept: tuple[Path, dict[str, object]]) -> None:
    """Equal notebook, package, parameters and inputs: the result is taken; resumed, failed cases stay unless asked."""
    folder, _ = swept
    engine = connect(f"sqlite:///{folder}/data/ems.sqlite")
    runs = len(list_runs(engine, limit=100))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMO_TOKEN", SECRET)
        resumed = json.loads(run_ems(folder, "batch", "dispatch", "three", "--resume", "--json").stdout)
        again = json.loads(run_ems(folder, "batch", "dispatch", "three", "--json").stdout)

    assert (resumed["attempts"], again["reused"], again["attempts"]) == (3, 2, 1)
    assert len(list_runs(engine, limit=100)) == runs + 1


def test_batch__resume_of_other_cases_is_refused(swept: tuple[Path, dict[str, object]]) -> None:
    folder, _ = swept
    path = folder / "parameters" / "sweeps" / "three.yaml"
    before = path.read_text()
    path.write_text(before.replace("12", "13"))
    try:
        done = run_ems(folder, "batch", "dispatch", "three", "--resume")
    finally:
        path.write_text(before)

    assert done.returncode == 2
    assert "was begun with other cases or inputs; leave out --resume" in done.stderr


def test_batches__list_and_show(swept: tuple[Path, dict[str, object]]) -> None:
    folder, said = swept

    listed = run_ems(folder, "batches", "list").stdout
    shown = run_ems(folder, "batches", "show", str(said["batch"]), "--status", "failed").stdout

    assert str(said["batch"]) in listed
    assert "horizon_h=24, start=1990-01-01" in shown
    assert "horizon_h=12" not in shown


def test_batch__dry_run_writes_nothing(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "project")

    done = run_ems(folder, "batch", "dispatch", "battery-horizon", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "8 cases of study dispatch; nothing was run or written" in done.stdout
    assert not (folder / "data" / "ems.sqlite").exists()


@pytest.mark.parametrize(
    ("horizons", "cases", "said"),
    [
        ("[24, 24, 24.0]", "3 cases of study dispatch", "2 cases repeat others, with the same key: each is run by"),
        ("[12, 24, 24]", "3 cases of study dispatch", "1 case repeats another, with the same key: each is run by"),
        ("[24]", "1 case of study dispatch", None),
    ],
)
def test_batch__dry_run_says_what_repeats(project: Path, horizons: str, cases: str, said: str | None) -> None:
    sweep = project / "parameters" / "sweeps" / "mine.yaml"
    sweep.write_text(f"case: demo\ngrid: {{horizon_h: {horizons}}}\n")

    done = CliRunner().invoke(commands, ["batch", "dispatch", "mine", "--dry-run"])

    assert cases in done.output
    assert said in done.output if said else "repeat" not in done.output


def test_batch__start_says_what_repeats(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told before the first case is run."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ems.batch.batches.coordinator.coordinate", stopped)
    sweep = project / "parameters" / "sweeps" / "mine.yaml"
    sweep.write_text("case: demo\ngrid: {horizon_h: [24, 24]}\n")

    done = CliRunner().invoke(commands, ["batch", "dispatch", "mine"])

    assert done.exit_code == 130
    assert done.stderr.startswith("1 case repeats another")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--dask", "tcp://x:1", "--workers", "2"), "--workers has no effect with --dask"),
        (("--dry-run", "--resume"), "--dry-run shows the cases of a new batch"),
        (("--retry-failed",), "--batch and --retry-failed go with --resume"),
    ],
)
def test_batch__options_that_would_have_no_effect(project: Path, options: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(commands, ["batch", "dispatch", "battery-horizon", *options])

    assert done.exit_code == 2
    assert said in done.output


def test_resume__keeps_the_options_that_are_not_stated(project: Path, engine: sa.Engine) -> None:
    sweep = load_sweep("dispatch", "battery-horizon")
    opened = begin(engine, prepare("dispatch", sweep, BatchOptions(attempts=7, run_timeout_s=60)))

    again = resume(engine, prepare("dispatch", sweep, BatchOptions()), None, {"run_timeout_s": 90}, retry_failed=False)

    assert (again.id, again.options["attempts"], again.options["run_timeout_s"]) == (opened.id, 7, 90)


def test_batch__asked_to_stop_gives_its_cases_back(tmp_path: Path) -> None:
    """SIGTERM: cases wait again, nothing is half done, no process is left; resumed, it is completed."""
    folder = make_project(tmp_path / "project")
    planned = hold_dispatch(folder)
    sweep = {"case": "demo", "grid": {"horizon_h": [12, 13, 14]}}
    (folder / "parameters" / "sweeps" / "mine.yaml").write_text(json.dumps(sweep))
    command = [sys.executable, "-m", "ems", "batch", "dispatch", "mine", "--workers", "1", "--quiet"]
    process = subprocess.Popen(command, cwd=folder, env=environment_of(folder), stderr=subprocess.PIPE, text=True)
    wait_for(planned.exists)
    engine = connect(f"sqlite:///{folder}/data/ems.sqlite")
    assert any(one.run_id for one in list_cases(engine, list_batches(engine)[0].id))
    family = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 130
    assert "go on with: ems batch dispatch mine --resume" in said
    assert not psutil.wait_procs(family, timeout=PATIENCE_S)[1]
    assert {one.status for one in list_cases(engine, list_batches(engine)[0].id)} <= {"waiting", "completed"}
    assert all(run.status != "running" for run in list_runs(engine))
    (folder / "go").touch()
    assert run_ems(folder, "batch", "dispatch", "mine", "--resume", "--workers", "1").returncode == 0
    assert [one.status for one in list_cases(engine, list_batches(engine)[0].id)] == ["completed"] * 3


def test_batch__survives_kills(tmp_path: Path) -> None:
    """Workers, coordinator, zygote and kernels are killed at random; each case is completed exactly once."""
    command = [sys.executable, "-m", "benchmarks.survival", "--cases", "4", "--kills", "4", "--seed", "7"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed" in done.stdout
