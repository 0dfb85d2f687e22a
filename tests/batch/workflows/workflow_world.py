"""Small projects for tests of workflows: functions that sleep, fail and count, and workflows written in the test."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from project_fixtures import environment_of

from ems.batch.workflows.execution import run_workflow
from ems.database.engine import connect
from ems.database.workflow_records import TaskExecution, WorkflowExecution
from ems.database.workflows import get_execution, list_executions, tasks_of

FUNCTIONS = """
import os, pathlib, signal, subprocess, sys, time

def double(value: float):
    return {"doubled": 2 * value}

def wait(seconds: float, mark: str = ""):
    if mark:
        with open(mark, "a") as file:
            file.write(f"{os.getpid()}\\n")
    time.sleep(seconds)
    return seconds

def wait_until(path: str, mark: str = ""):
    if mark:
        with open(mark, "a") as file:
            file.write(f"{os.getpid()}\\n")
    while not pathlib.Path(path).exists():
        time.sleep(0.02)

def stubborn(mark: str):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pathlib.Path(mark).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)

def fail(text: str = "no luck"):
    raise ValueError(text)

def fail_until(path: str, attempts: int):
    file = pathlib.Path(path)
    count = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(count))
    if count < attempts:
        raise RuntimeError(f"attempt {count} fails")
    return count

def tell(secret: str):
    print("the secret is", secret)
    if secret == "fail":
        raise ValueError(secret)
    return {"said": f"<{secret}>", "list": [secret]}
"""


def write_workflow(project: Path, tasks: list[dict[str, Any]], name: str = "trial", **more: Any) -> str:
    """Write a workflow and the functions that its tasks may call; return its name."""
    (project / "acts.py").write_text(FUNCTIONS)
    folder = project / "parameters" / "workflows"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({**more, "tasks": tasks}, sort_keys=False))
    return name


def call(task_id: str, function: str, **more: Any) -> dict[str, Any]:
    """A task that calls one of the functions; what is no field of a task is its parameter."""
    fields = {"depends_on", "outputs", "foreach", "condition", "when", "timeout_s", "retries", "continue_on_error"}
    fields |= {"retry_delay_s", "retry_jitter"}
    parameters = {name: value for name, value in more.items() if name not in fields}
    stated = {name: value for name, value in more.items() if name in fields}
    return {"id": task_id, "function": f"acts:{function}", "parameters": parameters, **stated}


def run(project: Path, tasks: list[dict[str, Any]], **more: Any) -> WorkflowExecution:
    """Run tasks as a workflow in this process."""
    return run_workflow(write_workflow(project, tasks, **more), progress=False)


def rows(execution: WorkflowExecution) -> dict[str, TaskExecution]:
    """The newest attempt at each task, by the task's name, and its item in brackets where it has one."""
    engine = connect()
    found = {f"{row.task_id}[{row.item}]" if row.item else row.task_id: row for row in tasks_of(engine, execution.id)}
    engine.dispose()
    return found


def statuses(execution: WorkflowExecution) -> dict[str, str]:
    """How each task ended."""
    return {name: row.status for name, row in rows(execution).items()}


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command in a project, as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "ems", *arguments],
        cwd=project,
        env=environment_of(project),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def newest() -> WorkflowExecution | None:
    """The execution that was opened last."""
    engine = connect()
    found = list_executions(engine, limit=1)
    engine.dispose()
    return found[0] if found else None


def read(execution_id: str) -> WorkflowExecution:
    """An execution as it stands in the database."""
    engine = connect()
    found = get_execution(engine, execution_id)
    engine.dispose()
    return found


def let_an_hour_pass(monkeypatch: pytest.MonkeyPatch, *, once_written: Path) -> None:
    """Let the clock of the loop jump once a file is written, so that a limit ends what has begun, on any machine."""

    def monotonic() -> float:
        is_written = once_written.exists() and once_written.stat().st_size > 0
        return time.monotonic() + 3600 * is_written

    monkeypatch.setattr("ems.batch.workflows.loop.time", SimpleNamespace(sleep=time.sleep, monotonic=monotonic))


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
