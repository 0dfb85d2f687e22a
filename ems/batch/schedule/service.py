"""The service: what is due is started, once, as long as it runs; what happens meanwhile is said in one line each."""

from __future__ import annotations

import datetime as dt
import math
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ems.batch.schedule.clock import LONGEST_SLEEP_S
from ems.batch.schedule.definitions import Definitions
from ems.batch.schedule.lane import Lane, Tools
from ems.database.schedules import Lease, host_of
from ems.errors import DatabaseProblem, EmsError
from ems.folders import shown_path

if TYPE_CHECKING:
    from ems.batch.workflows.spec import WorkflowSpec

ASKED = "asked to"
FILES_EVERY_S = 2.0
WATCH_S = 0.25
"""How often running processes are looked at."""
RECONNECT_S = 5.0
LANE_PAUSE_S = 30.0
LAST_GRACE_S = 15.0
"""Time that running work has to close its records after a second signal."""
RENEWALS = 3
"""Leases are renewed so many times before they would end."""


@dataclass
class _Outage:
    since_s: float
    try_at_s: float


class Service:
    """Looks after the schedules, files and requests of a project's workflows.

    Parameters
    ----------
    definitions : Definitions
    tools : Tools
    most_at_once : int, optional
        Most workflows that run at the same time; without it the number of processors, 2 at least.
    """

    def __init__(self, definitions: Definitions, tools: Tools, most_at_once: int | None = None) -> None:
        self.definitions = definitions
        self.tools = tools
        self.most_at_once = most_at_once or max(2, os.cpu_count() or 1)
        self.lanes: dict[str, Lane] = {}
        self.holders: dict[str, str] = {}
        """Machine of the copy that looks after a workflow which this one does not."""
        self.wake = threading.Event()
        self.stopping = ""
        """Why no new work is taken; empty while it is."""
        self._due_until: dt.datetime | None = None
        self._signals = 0
        self._end_at_s = math.inf
        self._files_at_s = self._leases_at_s = -math.inf
        self._outage: _Outage | None = None

    # ------------------------------------------------------------------------------------------ running
    def run(self, *, once: bool = False, until: dt.datetime | None = None) -> int:
        """Work until a signal comes or a moment has passed, and return the number of failures.

        Parameters
        ----------
        once : bool
            Whether to end when everything that is due now has been done.
        until : datetime, optional
            No new work is taken from this moment on; running work is finished.
        """
        self._due_until = self.tools.clock.now() if once else None
        with self._heeding_signals():
            try:
                while not self._is_done(once):
                    self.tick(until)
                    if not self._is_done(once):
                        self.tools.clock.wait(self.wake, self._pause_s())
            finally:
                self._release()
        return sum(lane.failures for lane in self.lanes.values())

    @property
    def was_ended(self) -> bool:
        """Whether running work was to be ended: by a second signal, or one that came when no work was taken."""
        return self._signals > (1 if self.stopping == ASKED else 0)

    def tick(self, until: dt.datetime | None = None) -> None:
        """Do what there is to do at this moment."""
        now, monotonic_s = self.tools.clock.now(), self.tools.clock.monotonic_s()
        if until is not None and now >= until and not self.stopping:
            self._stop("its time is over")
        self._heed(monotonic_s)
        if monotonic_s >= self._files_at_s and not self.stopping:
            is_first = self._files_at_s == -math.inf
            self._files_at_s = monotonic_s + FILES_EVERY_S
            self.definitions.refresh(monotonic_s)
            self._update_lanes()
            if is_first and not self.lanes:
                folder = shown_path(self.definitions.folder)
                self.tools.say(f"no workflow in {folder}/ has a schedule or a trigger; see `ems schedule -h`")
        self.tools.inbox.refresh()
        if self._outage is not None and monotonic_s < self._outage.try_at_s:
            return
        try:
            self._work(now, monotonic_s)
        except DatabaseProblem as problem:
            self._note_outage(problem, monotonic_s)
        else:
            self._note_recovery(monotonic_s)

    def _work(self, now: dt.datetime, monotonic_s: float) -> None:
        leases = [lane.lease for lane in self.lanes.values() if lane.lease is not None]
        # The clock of leases runs while the machine sleeps, the other one does not.
        if monotonic_s >= self._leases_at_s or any(lease.lease_until <= now for lease in leases):
            self._look_to_leases(now)
            self._leases_at_s = monotonic_s + self.tools.ledger.lease_s / RENEWALS
        for lane in sorted(self.lanes.values(), key=lambda one: one.began_s):
            lane.look_after(now)
            if self.stopping or (lane.running is None and self._running() >= self.most_at_once):
                continue
            try:
                lane.begin(now, min(now, self._due_until or now))
            except DatabaseProblem:
                raise
            except EmsError as error:
                lane.pause(LANE_PAUSE_S)
                self.tools.say(f"{lane.name}: {error}; trying again in {LANE_PAUSE_S:g} s")

    # ------------------------------------------------------------------------------------------ workflows
    def _update_lanes(self) -> None:
        """Bring the lanes to what the files say: changed, added, removed, disabled or broken."""
        wanted = {name: one for name, one in self.definitions.good.items() if starts_by_itself(one.spec)}
        for name, workflow in wanted.items():
            lane = self.lanes.get(name)
            if lane is None:
                self.lanes[name] = Lane(workflow, self.tools)
                self._leases_at_s = -math.inf
                self.tools.say(f"{name}: {told(workflow.spec)}")
            elif lane.workflow != workflow:
                if lane.workflow is not None:
                    self.tools.say(f"{name}: its file has changed; {told(workflow.spec)}")
                lane.update(workflow)
        for name, lane in self.lanes.items():
            if name in self.definitions.broken:
                lane.update(None)
        gone = [name for name in self.lanes if name not in wanted and name not in self.definitions.broken]
        for name in gone:
            if self.lanes[name].running is None:
                lease = self.lanes.pop(name).lease
                self.tools.say(f"{name}: is no longer looked after; its file is gone or names no times")
                if lease is not None:
                    self._give_back([lease])
            else:
                self.lanes[name].update(None)  # nothing new; it goes when its work has ended

    def _look_to_leases(self, now: dt.datetime) -> None:
        """Renew the leases that this copy holds and take those that are free."""
        ledger = self.tools.ledger
        held = {name: lane.lease for name, lane in self.lanes.items() if lane.lease is not None}
        done = {name: self.lanes[name].handled_until(now) for name in held}
        renewed = ledger.renew(held.values(), now, {name: until for name, until in done.items() if until is not None})
        for name, lane in self.lanes.items():
            lane.lease = renewed.get(name)
            if lane.lease is not None or self.stopping:
                continue
            got = ledger.take(name, now)
            if isinstance(got, Lease):
                lane.lease = got
                if self.holders.pop(name, None) is not None or name in held:
                    self.tools.say(f"{name}: this copy of the service looks after its schedule now")
            elif self.holders.get(name) != got.owner:
                self.holders[name] = got.owner or ""
                self.tools.say(f"{name}: another copy of the service looks after its schedule ({got.owner})")

    def holder_elsewhere(self, workflow: str, here: str) -> str | None:
        """Return the machine on which another copy looks after a workflow; None where it is this one."""
        lane, owner = self.lanes.get(workflow), self.holders.get(workflow)
        if owner is None or lane is None or lane.lease is not None or host_of(owner) == here:
            return None
        return host_of(owner)

    # ------------------------------------------------------------------------------------------ pausing
    def _running(self) -> int:
        return sum(lane.running is not None for lane in self.lanes.values())

    def _pause_s(self) -> float:
        if self._running():
            return WATCH_S
        now = self.tools.clock.now()
        coming = [due for lane in self.lanes.values() if (due := lane.due()) is not None and due > now]
        next_s = (min(coming) - now).total_seconds() if coming else LONGEST_SLEEP_S
        return min(next_s, LONGEST_SLEEP_S)

    def _is_done(self, once: bool) -> bool:
        if self.stopping:
            # Work that was ended is not waited for until its end can be read in the database.
            open_ = [one.running for one in self.lanes.values() if one.running is not None]
            return not open_ or (self.was_ended and all(one.process.poll() is not None for one in open_))
        if not once or self._outage is not None or self._files_at_s == -math.inf:
            return False
        due_until = self._due_until or self.tools.clock.now()
        return not any(lane.has_work(due_until) for lane in self.lanes.values())

    # ------------------------------------------------------------------------------------------ stopping
    def _stop(self, why: str) -> None:
        self.stopping = why
        running = [lane.name for lane in self.lanes.values() if lane.running is not None]
        rest = f"waiting for {', '.join(running)}; a second signal ends that, too" if running else "nothing is running"
        self.tools.say(f"stopping: {why}; no new work is taken, {rest}")

    def _heed(self, monotonic_s: float) -> None:
        """Act on signals that came: the first lets running work finish, the second ends it."""
        if self._signals and not self.stopping:
            self._stop(ASKED)
        if self.was_ended:
            self._end_work(monotonic_s)

    def _end_work(self, monotonic_s: float) -> None:
        at_once = monotonic_s >= self._end_at_s
        if self._end_at_s < math.inf and not at_once:
            return
        for lane in self.lanes.values():
            if lane.running is not None:
                lane.running.process.stop(at_once=at_once)
                self.tools.say(f"{lane.name}: {'ended' if at_once else 'asked to end'}")
        self._end_at_s = monotonic_s + LAST_GRACE_S

    @contextmanager
    def _heeding_signals(self) -> Iterator[None]:
        """Count requests to end; a handler that did more could meet a lock that its own thread holds."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def count(_signal: int, _frame: Any) -> None:
            self._signals += 1

        before = {one: signal.signal(one, count) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _release(self) -> None:
        self._give_back([lane.lease for lane in self.lanes.values() if lane.lease is not None])

    def _give_back(self, leases: list[Lease]) -> None:
        try:
            self.tools.ledger.release(leases)
        except DatabaseProblem:
            return  # they end by themselves

    # ------------------------------------------------------------------------------------------ outages
    def _note_outage(self, problem: DatabaseProblem, monotonic_s: float) -> None:
        if self._outage is None:
            self._outage = _Outage(monotonic_s, 0.0)
            self.tools.say(f"{problem}; due times wait, running work goes on, trying again each {RECONNECT_S:g} s")
        self._outage.try_at_s = monotonic_s + RECONNECT_S

    def _note_recovery(self, monotonic_s: float) -> None:
        if self._outage is not None:
            self.tools.say(f"the database is back after {monotonic_s - self._outage.since_s:.0f} s")
            self._outage, self._leases_at_s = None, -math.inf


def starts_by_itself(workflow: WorkflowSpec) -> bool:
    """Return whether a workflow has times, files or requests that start it."""
    trigger = workflow.trigger
    return workflow.schedule is not None or (trigger is not None and (trigger.files is not None or trigger.http))


def told(workflow: WorkflowSpec) -> str:
    """Return how a workflow is started, for a message."""
    if not workflow.enabled:
        return "is disabled; nothing starts it"
    schedule, trigger = workflow.schedule, workflow.trigger
    parts = []
    if schedule is not None and schedule.cron is not None:
        parts.append(f"at '{schedule.cron}' in {schedule.timezone}")
    elif schedule is not None:
        parts.append(f"every {schedule.every_s:g} s")
    if trigger is not None and trigger.files is not None:
        parts.append(f"for files {trigger.files}")
    if trigger is not None and trigger.http:
        parts.append("by HTTP")
    return f"starts {', '.join(parts)}"
