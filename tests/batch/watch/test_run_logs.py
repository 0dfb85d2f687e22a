"""Logs of runs: what is in them, what is hidden, how long they are kept, how they are followed."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from project_fixtures import DemoRun, run_ems

from ems.batch.watch.cells import cell_hooks
from ems.batch.watch.log_reading import follow_log, read_log
from ems.batch.watch.logs import log_event, log_file, remove_old_logs, run_log, set_up_logging
from ems.database.records import Run
from ems.errors import InvalidInput


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment, in which logging is set up; afterwards it is as before."""
    loggers = [logging.getLogger(), logging.getLogger("ems")]
    before = [(one, list(one.handlers), one.level) for one in loggers]
    yield monkeypatch
    for one, handlers, level in before:
        one.handlers[:] = handlers
        one.setLevel(level)


def test_log__of_the_demo_tells_all(demo_run: DemoRun) -> None:
    path = demo_run.folder / ".ems" / "logs" / f"{demo_run.report.stem}.log"

    lines = [json.loads(line) for line in path.read_text().splitlines()]

    events = [line["event"] for line in lines]
    assert events[:2] == ["kernel_started", "run_opened"]
    assert events[-2:] == ["report_written", "run_closed"]
    assert events.count("cell_started") == events.count("cell_finished") > 10
    assert {line["run_id"] for line in lines} == {demo_run.report.stem}
    assert {*lines[0]} == {"time", "level", "message", "run_id", "event", "fields"}
    assert all(line["fields"]["seconds"] >= 0 for line in lines if line["event"] == "cell_finished")
    assert lines[-1]["fields"]["status"] == "completed"
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


def test_log__failing_cell_and_its_reason(project: Path) -> None:
    """The reason is told once on the screen, and stands in the log with the cell; passwords in neither."""
    path = project / "notebooks" / "dispatch.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(
        2, nbformat.v4.new_code_cell("raise ValueError('no meter at postgresql://a:s3cret-word@b/c')")
    )
    nbformat.write(notebook, path)

    failed = run_ems(project, "run", "dispatch", "demo", "--quiet")

    run_id = next(line.split()[1] for line in failed.stdout.splitlines() if line.startswith("Run "))
    shown = run_ems(project, "runs", "log", run_id)
    assert failed.returncode == 1
    assert failed.stderr.count("no meter at") == 1
    assert "error: cell 4 failed after " in shown.stdout
    assert "ValueError: no meter at postgresql://a:***@b/c" in shown.stdout
    assert shown.stdout.splitlines()[-1].endswith("error: run failed: ValueError: no meter at postgresql://a:***@b/c")
    assert "s3cret-word" not in log_file(run_id).read_text() + shown.stdout


def test_run_log__hides_secrets_and_keeps_runs_apart(settings: pytest.MonkeyPatch) -> None:
    settings.setenv("EMS_METER_TOKEN", "tok-123456")
    with run_log("outer"), run_log("inner"):
        log_event("read", "asked with tok-123456", api_key="abc", of=["tok-123456"], rows=3)
        log_event("read", "for the other", run_id="outer")
        logging.getLogger("ems.anything").warning("a sentence")

    inner = [json.loads(line) for line in log_file("inner").read_text().splitlines()]
    outer = [json.loads(line) for line in log_file("outer").read_text().splitlines()]

    assert [line["message"] for line in inner] == ["asked with ***", "a sentence"]
    assert inner[0]["fields"] == {"api_key": "***", "of": ["***"], "rows": 3}
    assert inner[1]["level"] == "WARNING"
    assert [line["message"] for line in outer] == ["for the other"]


def test_cell_hooks__belong_to_their_run_in_any_thread(settings: pytest.MonkeyPatch) -> None:
    cell = nbformat.v4.new_code_cell("\nplan = 1\nmore")
    with run_log("r"):
        hooks = cell_hooks()
        of_cell = {"cell": cell, "cell_index": 4}
        for hook, more in (("on_cell_execute", {}), ("on_cell_executed", {"execute_reply": {"content": {}}})):
            thread = threading.Thread(target=hooks[hook], kwargs={**of_cell, **more})
            thread.start()
            thread.join()

    started, finished = (json.loads(line) for line in log_file("r").read_text().splitlines())
    assert started["message"] == "cell 5 started: plan = 1"
    assert finished["event"] == "cell_finished"


def test_remove_old_logs__after_the_days_that_were_chosen(settings: pytest.MonkeyPatch) -> None:
    now = time.time()
    log_file("new").parent.mkdir()
    for name, days in (("new", 1), ("old", 31), ("older", 91)):
        log_file(name).write_text("{}\n")
        os.utime(log_file(name), (now, now - days * 86_400))

    assert [path.stem for path in remove_old_logs()] == ["older"]
    settings.setenv("EMS_LOG_DAYS", "0")
    assert remove_old_logs() == []
    settings.setenv("EMS_LOG_DAYS", "30")
    with run_log("now"):
        pass
    assert sorted(path.stem for path in log_file("new").parent.iterdir()) == ["new", "now"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EMS_LOG_LEVEL", "warn", "EMS_LOG_LEVEL = 'warn': did you mean warning\\?; usual is warning"),
        ("EMS_LOG_FORMAT", "xml", "EMS_LOG_FORMAT = 'xml': known are json, text"),
        ("EMS_LOG_DAYS", "-1", "must be a whole number of days; 0 keeps the logs of runs for ever"),
    ],
)
def test_set_up_logging__value_that_is_not_known(
    settings: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    settings.setenv(name, value)

    with pytest.raises(InvalidInput, match=message):
        set_up_logging()


def test_set_up_logging__text_and_json(settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    log_event("quiet", "not worth a word")
    log_event("failed", "told by the command", level=logging.ERROR, is_told=True)
    log_event("odd", "look at this\nand that", level=logging.WARNING, run_id="r-1")
    text = capsys.readouterr().err
    settings.setenv("EMS_LOG_FORMAT", "json")
    settings.setenv("EMS_LOG_LEVEL", "info")
    set_up_logging()
    log_event("quiet", "worth a line", cell=3)
    log_event("failed", "told by the command", level=logging.ERROR, is_told=True)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert text.splitlines()[0].endswith(" WARNING run r-1: look at this")
    assert text.splitlines()[1:] == ["  and that"]
    assert [line["event"] for line in lines] == ["quiet", "failed"]
    assert lines[0]["fields"] == {"cell": 3}


def test_follow_log__until_the_run_is_closed(settings: pytest.MonkeyPatch) -> None:
    """The reader sees lines as they come, half a line only when it is whole."""
    run = Run(id="r", study="dispatch", case_name="demo", title="R")
    path = log_file("r")
    path.parent.mkdir()
    path.write_text('{"event": "kernel_started", "message": "1"}\nnot json\n{"event": "run')

    def write_the_rest() -> None:
        time.sleep(0.3)
        with path.open("a") as file:
            file.write('_closed", "message": "2"}\n{"event": "late", "message": "3"}\n')

    writer = threading.Thread(target=write_the_rest)
    writer.start()
    followed = [line["message"] for line in follow_log(run, is_over=lambda: False)]
    writer.join()

    assert followed == ["1", "2"]
    assert [line["message"] for line in read_log(run)] == ["1", "2", "3"]


def test_follow_log__ends_with_a_run_that_was_killed(settings: pytest.MonkeyPatch) -> None:
    run = Run(id="r", study="dispatch", case_name="demo", title="R")
    log_file("r").parent.mkdir()
    log_file("r").write_text('{"event": "kernel_started", "message": "1"}\n{"event": "cell_st')

    assert [line["message"] for line in follow_log(run, is_over=lambda: True)] == ["1"]


def test_read_log__there_is_none(settings: pytest.MonkeyPatch) -> None:
    run = Run(id="r", study="dispatch", case_name="notebook", title="R", host="elsewhere", process_id=1)

    with pytest.raises(InvalidInput, match="it ran on host 'elsewhere'; a notebook that is run by hand keeps none"):
        next(read_log(run))
