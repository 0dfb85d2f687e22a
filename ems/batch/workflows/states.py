"""How far the tasks of an execution are, and the values that references have by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from ems.batch.workflows.expressions import parse_expression
from ems.batch.workflows.foreach import Item
from ems.batch.workflows.references import Reference, value_at
from ems.batch.workflows.spec import WorkflowSpec
from ems.batch.workflows.task_spec import AnyTask, ConditionTask

if TYPE_CHECKING:
    from ems.batch.workflows.attempts import Attempt
    from ems.database.workflow_records import TaskExecution, WorkflowExecution

UnitStatus = Literal["waiting", "running", "completed", "failed", "skipped", "cancelled"]
ENDED = ("completed", "failed", "skipped", "cancelled")


@dataclass
class Unit:
    """A task, or one item of it.

    Parameters
    ----------
    task : Task
    item : Item or None
    attempt : int
        Number of its newest attempt; 0 before the first.
    tries : int
        Attempts in this process.
    not_before : float
        When it may be tried, on the clock of this process.
    """

    task: AnyTask
    item: Item | None = None
    status: UnitStatus = "waiting"
    attempt: int = 0
    tries: int = 0
    not_before: float = 0.0
    outputs: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    began: float = 0.0
    ended_because: str | None = None
    running: Attempt | None = None
    record: TaskExecution | None = None

    @property
    def key(self) -> str:
        """Name of its item; empty where it has none."""
        return "" if self.item is None else self.item.key

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.task.id} [{self.key}]" if self.key else self.task.id


@dataclass
class TaskState:
    """How far a task is.

    Parameters
    ----------
    task : Task
    units : list of Unit or None
        None before it is known what it is repeated for.
    is_fresh : bool
        Whether anything of it was done in this process, and not before a stop.
    """

    task: AnyTask
    units: list[Unit] | None = None
    reason: str | None = None
    is_fresh: bool = False

    @property
    def status(self) -> UnitStatus:
        """How far it is, all its items together."""
        if self.units is None:
            return "waiting"
        found = [unit.status for unit in self.units]
        if any(status not in ENDED for status in found):
            return "running" if "running" in found else "waiting"
        ends: tuple[UnitStatus, ...] = ("cancelled", "failed")
        for status in ends:
            if status in found:
                return status
        return "skipped" if found and all(status == "skipped" for status in found) else "completed"

    @property
    def is_ended(self) -> bool:
        """Whether nothing of it is to be done any more."""
        return self.status in ENDED

    def outputs_seen(self) -> dict[str, Any]:
        """Return its outputs as later tasks see them; of a task with foreach a list for each."""
        units = self.units or []
        if self.task.foreach is None:
            return units[0].outputs if units and units[0].status == "completed" else {}
        from ems.batch.workflows.outputs import outputs_of

        done = [unit.outputs if unit.status == "completed" else {} for unit in units]
        seen: dict[str, Any] = {name: [outputs.get(name) for outputs in done] for name in outputs_of(self.task)}
        seen["items"] = [
            {"item": unit.key, "status": unit.status, "outputs": outputs}
            for unit, outputs in zip(units, done, strict=True)
        ]
        return seen


@dataclass(frozen=True)
class Situation:
    """All that references may lead to while a workflow runs.

    Parameters
    ----------
    spec : WorkflowSpec
    execution : WorkflowExecution
    values : mapping
        Values of its parameters.
    states : dict of str to TaskState
    folder : str
        Folder of the execution, relative to the project.
    """

    spec: WorkflowSpec
    execution: WorkflowExecution
    values: Mapping[str, Any]
    states: dict[str, TaskState]
    folder: str

    def value(self, reference: Reference, item: Item | None = None) -> Any:
        """Return the value of a reference; of a secret the reference itself, and of a task without a result nothing.

        Raises
        ------
        BadReference
            If it leads nowhere.
        """
        root, path = reference.root, reference.path
        if root == "tasks":
            return self._of_task(reference)
        if root == "secrets":
            return reference.marked
        if root == "execution":
            return self._of_execution(str(path[0]))
        if root == "item":
            assert item is not None, "checked before the workflow began"
            return value_at(item.value, path, reference.marked)
        return value_at(self.values, path, reference.marked)

    def _of_task(self, reference: Reference) -> Any:
        path = reference.path
        state = self.states[str(path[0])]
        if path[1] == "status":
            return state.status
        outputs = state.outputs_seen()
        name = str(path[2])
        if outputs.get(name) is None:
            return None
        return value_at(outputs[name], path[3:], reference.marked)

    def _of_execution(self, name: str) -> str:
        moment = (self.execution.scheduled_for or self.execution.created_at).astimezone(ZoneInfo(self.spec.timezone))
        known = {
            "id": self.execution.id,
            "time": moment.isoformat(timespec="seconds"),
            "date": dt.date(moment.year, moment.month, moment.day).isoformat(),
            "folder": self.folder,
        }
        return known[name]

    def reason_to_skip(self, task: AnyTask, upstream: set[str]) -> str | None:
        """Return why a task whose tasks before have ended does not run, or None where it does."""
        if task.when == "always":
            return None
        if task.when == "failure":
            is_failed = any(self.states[name].status == "failed" for name in upstream)
            return None if is_failed else "no task before it failed"
        for name in task.depends_on:
            state = self.states[name]
            if state.status == "failed" and not state.task.continue_on_error:
                return f"task '{name}' failed"
            if state.status == "skipped":
                return f"task '{name}' was skipped"
            if isinstance(state.task, ConditionTask) and state.outputs_seen().get("value") is False:
                asked = parse_expression(task.condition).references if task.condition else ()
                if all(reference.task != name for reference in asked):
                    return f"the answer of task '{name}' is false"
        return None
