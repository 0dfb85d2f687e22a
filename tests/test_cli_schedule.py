"""``ems schedule`` as a user and a service manager meet it: real processes, a real database, real signals."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result
from project_fixtures import environment_of

from ems.cli import commands
from ems.database.engine import connect
from ems.database.migrate import upgrade
from ems.database.workflows import list_executions

LONGEST_S = 120


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with nothing in it but a folder of workflows, in which this process works, too."""
    folder = tmp_path / "project"
    for part in ("notebooks", "parameters/workflows", "data"):
        (folder / part).mkdir(parents=True)
    monkeypatch.setenv("EMS_PROJECT", str(folder))
    for name in ("EMS_DATABASE_URL", "EMS_TRIGGER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return folder


def ems(*arguments: str) -> Result:
    """Run the command in this process, which is quicker."""
    return CliRunner().invoke(commands, arguments)


def write(project: Path, name: str, head: str, duration_s: float = 0) -> None:
    text = f"{head}\ntasks:\n  - {{id: pause, kind: delay, duration_s: {duration_s}}}\n"
    (project / "parameters" / "workflows" / f"{name}.yaml").write_text(text)


def service(project: Path, *arguments: str, database_url: str | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ems", "schedule", "run", *arguments],
        cwd=project,
        env=environment_of(project, database_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], *words: str) -> str:
    """Return what a service says until it has said one of some things."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if any(one in line for one in words):
            return said
    pytest.fail(f"the service ended without saying any of {words}:\n{said}")


def read_rest(process: subprocess.Popen[str]) -> str:
    """Return what a service still says until it ends; `communicate` would lose what was read ahead."""
    assert process.stdout is not None
    said = process.stdout.read()
    process.wait(LONGEST_S)
    return said


def test_help__shows_how_times_are_written(small: Path) -> None:
    done = ems("schedule", "--help")

    assert done.exit_code == 0
    assert 'schedule: {cron: "30 2 * * *", timezone: Europe/Berlin}' in done.stdout


def test_next__table_of_local_and_utc_times(small: Path) -> None:
    write(small, "nightly", "schedule: {cron: '30 2 * * *', timezone: Asia/Kathmandu}")
    write(small, "later", "schedule: {cron: '0 0 1 1 *', start: 2090-01-01T00:00Z}")
    write(small, "off", "enabled: false\nschedule: {cron: '0 0 * * *'}")
    write(small, "over", "schedule: {every: 1h, end: 2020-01-01T00:00Z}")
    write(small, "wrong", "schedule: {cron: '61 0 * * *'}")

    done = ems("schedule", "next", "--count", "2")

    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["workflow", "local", "time", "UTC", "time", "zone"]
    assert [line.split()[0] for line in lines[1:5]] == ["nightly", "nightly", "later", "later"]
    assert "02:30 +0545" in lines[1]
    assert "20:45 UTC  Asia/Kathmandu" in lines[1]
    assert "2090-01-01 00:00 UTC" in lines[3]
    assert {*lines[5:]} == {"off is disabled", "over has no times to come"}
    assert "minute '61' must be 0 to 59" in done.stderr


def test_next__json_of_one(small: Path) -> None:
    write(small, "hourly", "schedule: {cron: '0 * * * *'}\ntrigger: {http: true}")
    write(small, "other", "schedule: {cron: '0 * * * *'}")

    done = json.loads(ems("schedule", "next", "hourly", "--count", "4", "--json").stdout)

    moments = [dt.datetime.fromisoformat(one["time"]) for one in done["times"]]
    assert {after - before for before, after in itertools.pairwise(moments)} == {dt.timedelta(hours=1)}
    assert {one["workflow"] for one in done["times"]} == {"hourly"}
    assert done["others"] == ["hourly waits for requests by HTTP"]
    unknown = ems("schedule", "next", "hourli")
    assert unknown.exit_code == 2
    assert "did you mean hourly?" in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--until", "tomorrow"), "must be a date and time with its offset from UTC"),
        (("--until", "2026-12-31T18:00"), "must be a date and time with its offset from UTC"),
        (("--http", "8080"), "EMS_TRIGGER_TOKEN: is not set; --http needs a token"),
    ],
)
def test_run__input_that_cannot_be_used(small: Path, arguments: tuple[str, ...], said: str) -> None:
    done = ems("schedule", "run", *arguments)

    assert done.exit_code == 2
    assert said in done.stderr


def test_run__no_database_at_the_beginning(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_DATABASE_URL", "postgresql://ems@127.0.0.1:1/none")

    done = ems("schedule", "run")

    assert done.exit_code == 4
    assert "cannot be reached" in done.stderr


def test_run__two_copies_start_each_time_once(small: Path, database_url: str) -> None:
    """Two services beside each other: each due time has one execution, and none is missing."""
    upgrade(database_url)
    engine = connect(database_url)
    write(small, "tick", "schedule: {every: 1s, missed: run_all}")

    copies = [service(small, database_url=database_url) for _ in range(2)]
    # Each heeds signals from then on: one has begun something, the other one has seen that.
    begun = [read_until(copy, "tick: started", "another copy of the service") for copy in copies]
    end = time.monotonic() + LONGEST_S
    while len(list_executions(engine, status="completed")) < 2 and time.monotonic() < end:
        time.sleep(0.2)
    for copy in copies:
        copy.send_signal(signal.SIGTERM)
    said = [first + read_rest(copy) for first, copy in zip(begun, copies, strict=True)]

    assert [copy.returncode for copy in copies] == [0, 0], said
    found = list_executions(engine)
    moments = sorted(one.scheduled_for for one in found if one.scheduled_for is not None)
    assert len(moments) >= 2
    assert {after - before for before, after in itertools.pairwise(moments)} == {dt.timedelta(seconds=1)}
    assert {one.status for one in found} == {"completed"}
    assert sum("another copy of the service looks after its schedule" in one for one in said) == 1


def test_run_once__catches_up_and_tells_failures_by_its_exit_code(small: Path) -> None:
    """Of two workflows that are due, one fails; the newest of the missed times is started for both."""
    write(small, "tick", "schedule: {every: 1s, missed: run_last}")
    text = "schedule: {every: 1s}\ntasks:\n  - {id: call, kind: http, url: 'http://127.0.0.1:1/'}\n"
    (small / "parameters" / "workflows" / "bad.yaml").write_text(text)
    assert ems("schedule", "run", "--once").exit_code == 0
    time.sleep(2.1)

    done = ems("schedule", "run", "--once")

    assert done.exit_code == 1, done.output
    assert "bad: failed after" in done.stdout
    assert "nothing looked after the schedule then (missed: run_last)" in done.stdout
    found = list_executions(connect(f"sqlite:///{small}/data/ems.sqlite"), workflow="tick")
    assert [one.status for one in sorted(found, key=lambda one: str(one.scheduled_for))] == ["cancelled", "completed"]


def test_run__sigterm_lets_work_finish_and_a_second_one_ends_it(small: Path) -> None:
    """Of two services, one is asked once to end, the other twice."""
    connect(f"sqlite:///{small}/data/ems.sqlite").dispose()  # made here, where all that it takes is loaded
    other = small.with_name("other")
    shutil.copytree(small, other)
    write(small, "slow", "schedule: {every: 1s, missed: run_last}", duration_s=4)
    write(other, "slow", "schedule: {every: 1s, missed: run_last}", duration_s=600)
    once, twice = service(small), service(other)
    read_until(once, "slow: started")
    once.send_signal(signal.SIGTERM)  # at once, while its work runs
    read_until(twice, "slow: started")
    time.sleep(2.0)  # so that the work of the other one has begun
    twice.send_signal(signal.SIGINT)
    read_until(twice, "stopping")
    twice.send_signal(signal.SIGINT)

    said_once, said_twice = read_rest(once), read_rest(twice)

    assert (once.returncode, twice.returncode) == (0, 130)
    assert "stopping: asked to; no new work is taken, waiting for slow" in said_once
    assert "slow: completed after" in said_once
    assert "slow: asked to end" in said_twice
    found = list_executions(connect(f"sqlite:///{other}/data/ems.sqlite"))
    (ended,) = [one for one in found if not str(one.error).startswith("skipped")]
    assert ended.status in ("cancelled", "failed", "pending")  # the latter where it had not yet begun
    assert ended.process_id is None or not psutil.pid_exists(ended.process_id)
