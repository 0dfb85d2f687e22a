"""A small world for the service: a project, a real database, a clock that jumps, and work that ends when told."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import itertools
import os
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from ems.batch.schedule.ledger import Ledger
from ems.batch.schedule.serve import make_service
from ems.batch.schedule.service import Service
from ems.database.engine import connect, open_engine, reading
from ems.database.schedules import execution_of
from ems.database.workflow_records import WorkflowExecution
from ems.database.workflows import close_execution, list_executions, take_lease
from ems.errors import InvalidInput

BEGIN = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


@dataclass
class JumpingClock:
    """A clock that moves when it is waited for, and jumps when told."""

    moment: dt.datetime = BEGIN
    running_s: float = 0.0

    def now(self) -> dt.datetime:
        return self.moment

    def monotonic_s(self) -> float:
        return self.running_s

    def wait(self, wake: threading.Event, seconds: float) -> None:
        wake.clear()
        step = min(max(seconds, 0.0), 1.0)
        self.moment += dt.timedelta(seconds=step)
        self.running_s += step


@dataclass
class Work:
    """What stands for a process: it takes its execution at once and closes it when its time is over."""

    execution_id: str
    world: World
    ends_at_s: float
    begins: bool = True
    pid: int = 4242
    code: int | None = None
    stopped: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            if self.begins:
                self.lease = take_lease(self.world.engine, self.execution_id, of=("pending",))
        except InvalidInput:
            self.code = 2

    @property
    def execution(self) -> WorkflowExecution:
        return self.world.execution(self.execution_id)

    def poll(self) -> int | None:
        if self.code is None and (self.world.clock.running_s >= self.ends_at_s or self.stopped):
            self.code = 0 if self.begins and not self.stopped else 2
            if self.begins:
                close_execution(self.world.engine, self.lease, "cancelled" if self.stopped else "completed")
        return self.code

    def stop(self, *, at_once: bool = False) -> None:
        self.stopped.append(at_once)

    def last_words(self) -> str:
        return "the solver cannot be loaded"


class World:
    """All of it, with the service in the middle."""

    def __init__(self, project: Path, engine: sa.Engine) -> None:
        self.project = project
        self.engine = engine
        self.clock = JumpingClock()
        self.said: list[str] = []
        self.works: list[Work] = []
        self.takes_s = 0.5
        self.begins = True
        self._writes = itertools.count(1)
        self.service = self.new_service()

    def new_service(self, lease_s: float = 300.0) -> Service:
        ledger = Ledger(self.engine, lease_s)
        return make_service(self.said.append, ledger, clock=self.clock, start=self._start, most_at_once=4)

    def _start(self, _workflow: str, execution_id: str) -> Work:
        self.works.append(Work(execution_id, self, self.clock.running_s + self.takes_s, self.begins))
        return self.works[-1]

    def write(self, name: str, text: str) -> None:
        file = self.project / "parameters" / "workflows" / f"{name}.yaml"
        file.write_text(f"{text}\ntasks:\n  - {{id: pause, kind: delay, duration_s: 0}}\n")
        number = next(self._writes)
        os.utime(file, (number, number))  # a quick machine writes twice within one tick of the disk's clock

    def go(self, seconds: float, service: Service | None = None) -> None:
        """Let the service work for some time."""
        one = service or self.service
        end_s = self.clock.running_s + seconds
        while self.clock.running_s < end_s:
            one.tick()
            self.clock.wait(one.wake, min(one._pause_s(), end_s - self.clock.running_s))

    def sleep(self, seconds: float) -> None:
        """Let time pass in which nothing works: the machine sleeps, or the service does not run."""
        self.clock.moment += dt.timedelta(seconds=seconds)

    def started(self) -> list[str]:
        """Return the times for which something was started."""
        moments = [work.execution.scheduled_for for work in self.works]
        return [f"{moment:%d. %H:%M:%S}" for moment in moments if moment is not None]

    def skipped(self) -> list[str]:
        found = list_executions(self.engine, status="cancelled", limit=1000)
        return [one.error for one in reversed(found) if one.error and one.error.startswith("skipped")]

    def execution(self, execution_id: str) -> WorkflowExecution:
        found = execution_of(self.engine, execution_id)
        assert found is not None
        return found


def make_small_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project without notebooks, in which this process works."""
    for part in ("notebooks", "parameters/workflows", "data/inbox"):
        (folder / part).mkdir(parents=True)
    monkeypatch.setenv("EMS_PROJECT", str(folder))
    monkeypatch.delenv("EMS_DATABASE_URL", raising=False)
    monkeypatch.chdir(folder)
    return folder


def embedded(project: Path) -> sa.Engine:
    """Return a database in a file, with all tables."""
    file = project / "data" / "ems.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as copy:
        _template().backup(copy)
    return connect(f"sqlite:///{file}")


def remembered() -> sa.Engine:
    """Return a database in memory, with all tables."""
    engine = open_engine("sqlite:///:memory:")
    with reading(engine) as connection:
        _template().backup(connection.connection.driver_connection)
    return engine


@functools.cache
def _template() -> sqlite3.Connection:
    with reading(connect("sqlite:///:memory:")) as connection:
        driver: sqlite3.Connection = connection.connection.driver_connection
        copy = sqlite3.connect(":memory:")
        driver.backup(copy)
    return copy
