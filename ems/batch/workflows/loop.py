"""The loop that runs an execution: begins what can begin, looks at what runs, writes each step before and after."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ems.batch.workflows.attempts import DoneAttempt, Result
from ems.batch.workflows.begin import begin_attempt, fields_of, needs_process, pause_before_retry
from ems.batch.workflows.evaluation import evaluate
from ems.batch.workflows.expressions import BadExpression, parse_expression
from ems.batch.workflows.foreach import Item, items_of
from ems.batch.workflows.lease_keeper import LeaseKeeper
from ems.batch.workflows.progress import Progress, seconds_in_words
from ems.batch.workflows.reading import upstream_of
from ems.batch.workflows.references import BadReference, filled
from ems.batch.workflows.states import Situation, TaskState, Unit
from ems.batch.workflows.task_spec import DelayTask
from ems.database.workflows import Lease, error_text, run_of_process, write_task
from ems.errors import InvalidInput, show
from ems.folders import project_folder

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.workflow_records import TaskExecution, TaskStatus

PAUSE_S = 0.05


class Loop:
    """One execution at work in this process.

    Parameters
    ----------
    engine : Engine
    lease : Lease
    situation : Situation
    keeper : LeaseKeeper
    before : sequence of TaskExecution
        Attempts that were kept before: those that completed are not repeated.
    progress : Progress
    max_parallel : int
        Most processes at once.
    is_stopped : callable
        Whether this process was asked to end; a number above 1 means at once.
    """

    def __init__(
        self,
        engine: Engine,
        lease: Lease,
        situation: Situation,
        *,
        keeper: LeaseKeeper,
        before: Sequence[TaskExecution],
        progress: Progress,
        max_parallel: int,
        is_stopped: Callable[[], int],
    ) -> None:
        self._engine, self._lease, self._keeper = engine, lease, keeper
        self._situation, self._states = situation, situation.states
        self._before: dict[tuple[str, str], list[TaskExecution]] = {}
        for row in before:
            self._before.setdefault((row.task_id, row.item), []).append(row)
        self._progress, self._most, self._is_stopped = progress, max_parallel, is_stopped
        self._upstream = upstream_of(situation.spec.tasks)
        self._project = project_folder()
        self._folder = self._project / situation.folder
        self._deadline = None if situation.spec.timeout_s is None else time.monotonic() + situation.spec.timeout_s
        self.ended_because: str | None = None
        """Why it ends before its end."""
        self.is_cancelled = False
        """Whether a person ended it."""

    def run(self) -> None:
        """Run all tasks to their end.

        Raises
        ------
        LeaseLost
            If another process has taken over; then nothing of it runs here any more.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            while not all(state.is_ended for state in self._states.values()):
                self._keeper.check()
                self._look_for_an_end()
                has_moved = self._begin_tasks() | self._begin_units() | self._look_at_running()
                if not has_moved:
                    time.sleep(PAUSE_S)
        except BaseException:
            for unit in self._units("running"):
                assert unit.running is not None, "a running unit has its attempt"
                unit.running.kill()
            raise

    def _units(self, status: str) -> list[Unit]:
        return [unit for state in self._states.values() for unit in state.units or () if unit.status == status]

    # ------------------------------------------------------------------------------------- ends before the end
    def _look_for_an_end(self) -> None:
        stops = self._is_stopped()
        if self.ended_because is None:
            if stops or self._keeper.is_cancelling:
                self.ended_because, self.is_cancelled = "cancelled by a person", True
            elif self._deadline is not None and time.monotonic() > self._deadline:
                limit = self._situation.spec.timeout_s
                self.ended_because = f"the workflow took longer than timeout_s = {limit:g} s"
            if self.ended_because is not None:
                self._progress.say(self._situation.spec.name, self.ended_because)
                for unit in self._units("running"):
                    assert unit.running is not None, "a running unit has its attempt"
                    unit.ended_because = self.ended_because
                    unit.running.ask_to_end()
        if stops > 1:
            for unit in self._units("running"):
                assert unit.running is not None, "a running unit has its attempt"
                unit.running.kill()

    # ------------------------------------------------------------------------------------- tasks
    def _begin_tasks(self) -> bool:
        """Look at each task whose tasks before have ended; return whether one was."""
        has_moved = False
        for state in self._states.values():
            if state.units is None and all(self._states[name].is_ended for name in state.task.depends_on):
                self._open(state)
                has_moved = True
        return has_moved

    def _open(self, state: TaskState) -> None:
        """Skip a task, or find out what it is repeated for."""
        task = state.task
        if self.ended_because is not None:
            self._leave(state, Unit(task))
            return
        reason = self._situation.reason_to_skip(task, self._upstream[task.id])
        if reason is not None:
            state.units = [Unit(task)]
            self._skip(state.units[0], reason)
            return
        if task.foreach is None:
            state.units = [Unit(task)]
        else:
            try:
                plain = filled(task.foreach.model_dump(exclude_none=True), self._situation.value)
                state.units = [Unit(task, item) for item in items_of(task.foreach.replace(**plain))]
            except (InvalidInput, BadReference) as error:
                state.units = [Unit(task)]
                self._fail_at_once(state.units[0], str(error))
                return
            if not state.units:
                self._keep(Unit(task), "skipped", reason="foreach gives no item")
        is_done_before = not any(self._states[name].is_fresh for name in self._upstream[task.id])
        for unit in state.units:
            rows = self._before.get((task.id, unit.key), [])
            unit.attempt = max((row.attempt for row in rows), default=0)
            done = next((row for row in reversed(rows) if row.status == "completed"), None)
            if done is not None and is_done_before:
                unit.status, unit.outputs = "completed", dict(done.outputs)
        if any(unit.status != "completed" for unit in state.units):
            state.is_fresh = True

    def _leave(self, state: TaskState, unit: Unit) -> None:
        """Close a task that will not be begun any more."""
        state.units = [unit] if state.units is None else state.units
        if self.is_cancelled:
            unit.status = "cancelled"
            self._keep(unit, "cancelled", reason=self.ended_because)
        else:
            self._skip(unit, str(self.ended_because))

    # ------------------------------------------------------------------------------------- items
    def _begin_units(self) -> bool:
        """Begin what waits, as far as there is room; return whether anything was begun or left."""
        has_moved = False
        room = self._most - sum(needs_process(unit.task) for unit in self._units("running"))
        for state in self._states.values():
            for unit in state.units or ():
                if unit.status != "waiting":
                    continue
                if self.ended_because is not None:
                    if unit.tries:
                        unit.status = "cancelled" if self.is_cancelled else "failed"
                    else:
                        self._leave(state, unit)
                    has_moved = True
                elif time.monotonic() >= unit.not_before and (room > 0 or not needs_process(unit.task)):
                    room -= self._begin(unit)
                    has_moved = True
        return has_moved

    def _begin(self, unit: Unit) -> bool:
        """Begin a unit or skip it; return whether it has a process."""
        task = unit.task
        try:
            if unit.tries == 0 and task.condition is not None and not self._is_true(task.condition, unit.item):
                self._skip(unit, f"condition {show(task.condition)} is false")
                return False
            said = filled(fields_of(task), lambda reference: self._situation.value(reference, unit.item))
        except (BadExpression, BadReference) as error:
            self._fail_at_once(unit, str(error))
            return False
        unit.attempt += 1
        unit.tries += 1
        unit.began, unit.ended_because, unit.running = time.monotonic(), None, None
        shown = {name: value for name, value in said.items() if name != "outputs" and value not in (None, {}, [], ())}
        self._keep(unit, "running", parameters=shown)
        again = f" (attempt {unit.tries} of {task.retries + 1})" if unit.tries > 1 else ""
        if needs_process(task) or isinstance(task, DelayTask):
            self._progress.say(unit.name, f"started{again}")
        try:
            unit.running = begin_attempt(unit, said, self._situation, self._project)
        except OSError as error:  # no more processes can be started
            unit.running = DoneAttempt(Result(error=f"its process could not be started: {error.strerror}"))
        unit.status = "running"
        return needs_process(task)

    def _is_true(self, condition: str, item: Item | None) -> bool:
        found = evaluate(parse_expression(condition), lambda reference: self._situation.value(reference, item))
        if not isinstance(found, bool):
            raise BadExpression(f"condition {show(condition)} gives {show(found)}; it must give true or false")
        return found

    # ------------------------------------------------------------------------------------- ends
    def _look_at_running(self) -> bool:
        """Look at each attempt that runs; return whether one ended."""
        has_moved = False
        for unit in self._units("running"):
            assert unit.running is not None, "a running unit has its attempt"
            limit = unit.task.timeout_s
            if limit is not None and unit.ended_because is None and time.monotonic() - unit.began > limit:
                unit.ended_because = f"took longer than timeout_s = {limit:g} s"
                unit.running.ask_to_end()
            result = unit.running.poll()
            if result is not None:
                self._end(unit, result)
                has_moved = True
        return has_moved

    def _end(self, unit: Unit, result: Result) -> None:
        lasted = seconds_in_words(time.monotonic() - unit.began)
        is_silent = not needs_process(unit.task) and not isinstance(unit.task, DelayTask)
        if result.error is None:
            unit.status = "completed"
            kept = self._keep(unit, "completed", outputs=result.outputs, run_id=result.run_id)
            unit.outputs = dict(kept.outputs)
            self._progress.say(unit.name, "completed" if is_silent else f"completed in {lasted}")
            return
        run_id = result.run_id
        if run_id is None and unit.task.kind == "study":
            run_id = self._closed_run(unit)
        if unit.ended_because is not None and self.is_cancelled:
            unit.status = "cancelled"
            self._keep(unit, "cancelled", run_id=run_id, reason=unit.ended_because)
            self._progress.say(unit.name, f"cancelled after {lasted}")
            return
        unit.error = unit.ended_because or result.error
        kept = self._keep(unit, "failed", run_id=run_id, error=unit.error)
        unit.error = kept.error
        self._progress.say(unit.name, f"failed after {lasted}: {unit.error}")
        if unit.tries <= unit.task.retries and self.ended_because is None:
            pause_s = pause_before_retry(unit.task, unit.tries)
            unit.status, unit.not_before = "waiting", time.monotonic() + pause_s
            self._progress.say(unit.name, f"is tried again in {seconds_in_words(pause_s)}")
        else:
            unit.status = "failed"

    def _closed_run(self, unit: Unit) -> str | None:
        """Return the run that a process has left; one that it could not close is closed."""
        assert unit.running is not None and unit.record is not None, "it has run"
        if unit.running.pid is None or unit.record.started_at is None:
            return None
        from ems.batch.run import sweep_interrupted

        sweep_interrupted(self._engine)
        return run_of_process(self._engine, unit.running.pid, unit.record.started_at)

    def _skip(self, unit: Unit, reason: str) -> None:
        unit.status = "skipped"
        self._keep(unit, "skipped", reason=reason)
        self._progress.say(unit.name, f"skipped: {reason}")

    def _fail_at_once(self, unit: Unit, error: str) -> None:
        """Close a unit whose attempt could not begin; trying again would be the same."""
        unit.attempt += 1
        unit.status = "failed"
        unit.error = self._keep(unit, "failed", error=error).error
        self._progress.say(unit.name, f"failed: {unit.error}")

    def _keep(
        self,
        unit: Unit,
        status: TaskStatus,
        *,
        parameters: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        reason: str | None = None,
        error: str | None = None,
    ) -> TaskExecution:
        """Keep how far a unit is, and return its row."""
        from ems.database.records import utc_now
        from ems.database.workflow_records import TaskExecution

        has_begun = unit.attempt > 0 and status != "skipped"
        now, old = utc_now(), unit.record if unit.record and unit.record.attempt == unit.attempt else None
        begun = old.started_at if old is not None else now if has_begun else None
        unit.record = write_task(
            self._engine,
            self._lease,
            TaskExecution(
                execution_id=self._lease.execution_id,
                task_id=unit.task.id,
                item=unit.key,
                attempt=unit.attempt if has_begun else 0,
                kind=unit.task.kind,
                status=status,
                reason=None if reason is None else error_text(reason),
                parameters=dict(parameters if parameters is not None else old.parameters if old is not None else {}),
                outputs=dict(outputs or {}),
                run_id=run_id,
                started_at=begun,
                finished_at=None if status == "running" else now,
                error=None if error is None else error_text(error),
            ),
        )
        return unit.record
