"""One workflow within the service: one instance at a time, each due time once, whatever fails on the way.

First the execution is kept in the database, which takes one for each time, file and request; then that is noted as
dealt with; then a process runs it. So a service that dies in between repeats nothing and loses nothing: an execution
that waits and was never begun is begun by the service that comes next.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ems.batch.schedule.clock import Clock
from ems.batch.schedule.file_drop import FileDrop
from ems.batch.schedule.inbox import Inbox
from ems.batch.schedule.ledger import Ledger, is_at_work
from ems.batch.schedule.policy import Skipped, decide
from ems.batch.schedule.starts import Process, Start, Starter
from ems.batch.schedule.times import next_due, shown_moment
from ems.database.run_id import new_run_id
from ems.errors import InvalidInput

if TYPE_CHECKING:
    from ems.batch.workflows.checks import CheckedWorkflow
    from ems.batch.workflows.schedule_spec import ScheduleSpec
    from ems.database.schedules import Lease
    from ems.database.workflow_records import WorkflowExecution

MOST_ATTEMPTS = 3
PAUSE_S = 10.0
"""Pause after a start that the database does not know of; grows with each attempt."""
BUSY_PAUSE_S = 2.0
FILES_S = 1.0
WAITING_S = 60.0
CLOCK_SET_BACK_S = 120.0
"""A schedule that is handled further ahead than this was so by a clock that has been put right since."""


@dataclass(frozen=True)
class Tools:
    """What all lanes of a service use."""

    ledger: Ledger
    clock: Clock
    say: Callable[[str], None]
    start: Starter
    inbox: Inbox
    project: Path


@dataclass(frozen=True)
class Running:
    """A process that has not been seen to end."""

    execution_id: str
    process: Process
    began: dt.datetime


class Lane:
    """A workflow that the service looks after."""

    def __init__(self, workflow: CheckedWorkflow, tools: Tools) -> None:
        self.name = workflow.spec.name
        self.tools = tools
        self.workflow: CheckedWorkflow | None = workflow
        """What its file says now; None while the file is broken."""
        self.lease: Lease | None = None
        self.running: Running | None = None
        self.failures = 0
        self._last_good = workflow
        self._drop: FileDrop | None = None
        self._new_terms = ""
        """Why times up to now are left out: those terms did not hold then."""
        self._busy: tuple[dt.datetime, dt.datetime] | None = None
        self._waits: str | None = None
        """Execution that is kept and not begun."""
        self._attempts: dict[str, int] = {}
        self._not_before_s = self._look_at_files_s = self._look_for_waiting_s = -math.inf
        self.began_s = -math.inf
        """When it last began something: those who waited longest come first."""
        self._said_waiting_for = ""
        self._last_trigger = ""
        self._next: tuple[tuple[ScheduleSpec, dt.datetime] | None, dt.datetime | None] = (None, None)
        self._watch_files()

    # ------------------------------------------------------------------------------------------ its file
    def update(self, workflow: CheckedWorkflow | None) -> None:
        """Take over what its file says now."""
        self.workflow = workflow
        if workflow is None:
            return
        before, after = self._last_good.spec, workflow.spec
        if after.schedule != before.schedule:
            self._new_terms = "its schedule has changed; the new one holds from now on"
        elif after.enabled and not before.enabled:
            self._new_terms = "is enabled again; times before are left out"
        self._last_good = workflow
        self._watch_files()

    def _watch_files(self) -> None:
        trigger = self._last_good.spec.trigger
        pattern = trigger.files if trigger is not None else None
        if pattern is None:
            self._drop = None
        elif self._drop is None or self._drop.pattern != pattern:
            self._drop = FileDrop(self.name, pattern, self.tools.project)

    # ------------------------------------------------------------------------------------------ what is due
    def due(self) -> dt.datetime | None:
        """Return the first time that is not handled, or None where there is none or nobody may start it."""
        if self.lease is None or not self.is_enabled:
            return None
        if self._schedule is None:
            return None
        key = (self._schedule, self.lease.handled_until)
        if self._next[0] != key:
            self._next = (key, next_due(*key))
        return self._next[1]

    @property
    def is_enabled(self) -> bool:
        """Whether anything may start it now."""
        return self.workflow is not None and self.workflow.spec.enabled

    @property
    def _schedule(self) -> ScheduleSpec | None:
        return self._last_good.spec.schedule

    def handled_until(self, now: dt.datetime) -> dt.datetime | None:
        """Return the moment up to which nothing is left to do; None where something is."""
        if self.workflow is None:
            return None
        first = self.due()
        return now if first is None or first > now else None

    def has_work(self, due_until: dt.datetime) -> bool:
        """Return whether something runs, waits, or was due at a moment."""
        if self.running is not None:
            return True
        if self.lease is None or not self.is_enabled:
            return False
        waits = self._waits is not None or bool(self.tools.inbox.waiting(self.name)) or self._is_watching()
        return waits or self.handled_until(due_until) is None

    def pause(self, seconds: float) -> None:
        """Start nothing for some time."""
        self._not_before_s = self.tools.clock.monotonic_s() + seconds

    def _is_watching(self) -> bool:
        return self._drop is not None and self._drop.is_watching

    # ------------------------------------------------------------------------------------------ beginning
    def begin(self, now: dt.datetime, due_until: dt.datetime) -> None:
        """Start what waits or was due at a moment, now or before, unless an instance of the workflow runs."""
        monotonic_s = self.tools.clock.monotonic_s()
        files = self._settled_files(monotonic_s)
        if self.running is not None or self.workflow is None or self.lease is None or self.lease.lease_until <= now:
            return
        self._put_right(now)
        if self.lease is None or not self.is_enabled or monotonic_s < self._not_before_s:
            return
        if self._waits is None and monotonic_s >= self._look_for_waiting_s:
            self._look_for_waiting_s = monotonic_s + WAITING_S
            self._waits = self._left_waiting(now)
        is_due = self.handled_until(due_until) is None
        requests = self.tools.inbox.waiting(self.name)
        if not (self._waits or is_due or requests or files) or not self._is_free(now):
            return
        # Turn by turn, so that a workflow that is always due leaves room for files and requests.
        if self._waits is not None:
            self._run(self._waits, now, "which was kept before")
        elif is_due and (self._last_trigger != "schedule" or not (requests or files)):
            self._begin_due(now, due_until)
        elif requests:
            self._begin_request(requests[0], now)
        else:
            self._begin_file(files[0], now)

    def _left_waiting(self, now: dt.datetime) -> str | None:
        """Return an execution that a service kept and did not begin, because it was killed in between."""
        for one in self.tools.ledger.active(self.name):
            is_of_a_service = one.trigger in ("schedule", "file") or not is_at_work(one, now)
            if one.status == "pending" and one.trigger != "command" and is_of_a_service:
                return one.id
        return None

    def _settled_files(self, monotonic_s: float) -> list[Path]:
        """Return the files that may be dealt with, once a second; they settle while another instance runs, too."""
        if self._drop is None or monotonic_s < self._look_at_files_s:
            return []
        self._look_at_files_s = monotonic_s + FILES_S
        return self._drop.settled(monotonic_s)

    def _begin_due(self, now: dt.datetime, due_until: dt.datetime) -> None:
        schedule = self._schedule
        assert schedule is not None and self.lease is not None, "something is due"
        decision = decide(schedule, schedule.missed, self.lease.handled_until, due_until, self._busy)
        if decision.skipped is not None:
            self._skip(decision.skipped, now)
        if decision.start is None or self.lease is None:
            return
        moment = decision.start
        self._keep(Start(self.name, "schedule", new_run_id(now), moment), now, lambda: self._note_handled(moment))

    def _begin_request(self, start: Start, now: dt.datetime) -> None:
        self._keep(start, now, lambda: self.tools.inbox.remove(start))

    def _begin_file(self, path: Path, now: dt.datetime) -> None:
        drop = self._drop
        assert drop is not None, "a file was seen"
        start = drop.start_of(path)
        if start is not None:  # else it is gone, or written again, and looked at anew
            self._keep(start, now, lambda: drop.note_done(path))

    def _keep(self, start: Start, now: dt.datetime, note: Callable[[], None]) -> None:
        """Keep an execution and begin it; one that was kept before is only noted."""
        self._last_trigger = start.trigger
        ledger = self.tools.ledger
        try:
            # A file that was dealt with is found here after each restart; its workflow is not checked again for that.
            is_known = start.scheduled_for is None and ledger.execution_of(start.id) is not None
            is_new = not is_known and ledger.open(start, now)
        except InvalidInput as error:
            self._refuse(start, now, note, "; ".join(error.findings))
            return
        note()
        self._attempts.pop(_key(start), None)
        if is_new:
            self._run(start.id, now, self._cause(start))

    def _refuse(self, start: Start, now: dt.datetime, note: Callable[[], None], why: str) -> None:
        """Give a start that cannot be kept another try, or give it up with the reason."""
        if self._may_try_again(_key(start), why):
            return
        if start.scheduled_for is not None:
            moment = start.scheduled_for
            self._skip(Skipped(moment, moment, 1, f"it could not begin: {why}"), now)
        else:
            self.tools.say(f"{self.name}: {self._cause(start)} is given up: {why}")
            note()

    def _may_try_again(self, key: str, why: str) -> bool:
        """Return whether there is another try, after a pause that grows."""
        attempts = self._attempts[key] = self._attempts.get(key, 0) + 1
        if attempts >= MOST_ATTEMPTS:
            self.failures += 1
            del self._attempts[key]
            return False
        self.pause(PAUSE_S * attempts)
        self.tools.say(f"{self.name}: could not begin: {why}; trying again in {PAUSE_S * attempts:g} s")
        return True

    def _run(self, execution_id: str, now: dt.datetime, cause: str) -> None:
        """Begin an execution that is kept."""
        self._waits = execution_id
        try:
            process = self.tools.start(self.name, execution_id)
        except OSError as error:
            self.pause(PAUSE_S)
            self.tools.say(f"{self.name}: no process can be started: {error.strerror}; trying again in {PAUSE_S:g} s")
            return
        self._waits, self.running = None, Running(execution_id, process, now)
        self.began_s = self.tools.clock.monotonic_s()
        self.tools.say(f"{self.name}: started {cause}, as execution {execution_id} (process {process.pid})")

    def _is_free(self, now: dt.datetime) -> bool:
        """Return whether no instance of the workflow runs, also none that a person or another copy started."""
        active = self.tools.ledger.active(self.name)
        other = next((one for one in active if one.id != self._waits and is_at_work(one, now)), None)
        if other is None:
            self._said_waiting_for = ""
            return True
        if self._said_waiting_for != other.id:
            self.tools.say(f"{self.name}: waits until execution {other.id} has ended; one runs at a time")
            self._said_waiting_for = other.id
        self._busy = (other.created_at, now)
        self.pause(BUSY_PAUSE_S)
        return False

    def _put_right(self, now: dt.datetime) -> None:
        """Leave out times of a schedule that was different then, or of a clock that was wrong."""
        assert self.lease is not None
        if self._new_terms:
            self.tools.say(f"{self.name}: {self._new_terms}")
            self._note_handled(now)
            self._new_terms = ""
        elif (self.lease.handled_until - now).total_seconds() > CLOCK_SET_BACK_S:
            ahead = self._shown(self.lease.handled_until)
            self.tools.say(f"{self.name}: was handled until {ahead}, which is to come; the clock was set back")
            self._note_handled(now, set_back=True)

    # ------------------------------------------------------------------------------------------ ending
    def look_after(self, now: dt.datetime) -> None:
        """Tell how the running process ended, once it has."""
        running = self.running
        if running is None:
            return
        code = running.process.poll()
        if code is None:
            return
        execution = self.tools.ledger.execution_of(running.execution_id)
        why = running.process.last_words() or f"exit code {code}"
        if execution is None:  # removed by a person
            self.tools.say(f"{self.name}: execution {running.execution_id} is no longer in the database")
        elif execution.status == "pending":
            if self._may_try_again(execution.id, why):
                self._waits = execution.id
            else:
                self.tools.say(f"{self.name}: execution {execution.id} could not begin and is given up: {why}")
                self.tools.ledger.give_up(execution.id, f"it could not begin: {why}")
        elif execution.status == "running" and is_at_work(execution, now):
            self.tools.say(f"{self.name}: another process works on execution {execution.id}")
        else:
            self._say_end(execution, (now - running.began).total_seconds(), code)
        self._busy, self.running = (running.began, now), None

    def _say_end(self, execution: WorkflowExecution, took_s: float, code: int) -> None:
        self._attempts.pop(execution.id, None)
        status, why = execution.status, execution.error
        if status == "running":
            status, why = "failed", f"its process ended with exit code {code} before the work was done"
            self.tools.ledger.give_up(execution.id, why)
        self.failures += status != "completed"
        self.tools.say(f"{self.name}: {status} after {took_s:.0f} s{': ' + why.splitlines()[0] if why else ''}")

    # ------------------------------------------------------------------------------------------ inside
    def _skip(self, skipped: Skipped, now: dt.datetime) -> None:
        text = skipped.sentence(self._shown)
        self.tools.say(f"{self.name}: {text}")
        self.tools.ledger.note_skipped(self._last_good, skipped.last, now, text)
        self._note_handled(skipped.last)

    def _note_handled(self, until: dt.datetime, *, set_back: bool = False) -> None:
        if self.lease is None:
            return
        kept = self.tools.ledger.note_handled(self.lease, until, set_back=set_back)
        if kept is None:
            self.tools.say(f"{self.name}: another copy of the service looks after its schedule now")
        self.lease = kept

    def _cause(self, start: Start) -> str:
        if start.scheduled_for is not None:
            return f"for {self._shown(start.scheduled_for)}"
        return f"for file {start.parameters['file']}" if start.trigger == "file" else "by request"

    def _shown(self, moment: dt.datetime) -> str:
        return shown_moment(moment, self._last_good.spec.timezone)


def _key(start: Start) -> str:
    return start.id if start.scheduled_for is None else start.scheduled_for.isoformat()
