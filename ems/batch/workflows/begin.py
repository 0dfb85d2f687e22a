"""How an attempt at a task begins: computed at once, as a pause, or as a job for a process of its own."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ems.batch.workflows.attempts import Attempt, ChildAttempt, DelayAttempt, DoneAttempt, Result
from ems.batch.workflows.evaluation import evaluate
from ems.batch.workflows.expressions import BadExpression, parse_expression
from ems.batch.workflows.references import references_in
from ems.batch.workflows.secrets import secret_names
from ems.batch.workflows.states import Situation, Unit
from ems.batch.workflows.task_spec import AnyTask, ConditionTask, DelayTask, TransformTask
from ems.errors import show

FIELDS_OF_KIND = {
    "study": ("study", "case", "parameters"),
    "notebook": ("notebook", "parameters", "outputs"),
    "function": ("function", "parameters", "outputs"),
    "http": ("method", "url", "headers", "body", "expected_status"),
    "notify": ("text", "webhook", "headers", "email"),
    "transform": ("series", "columns", "time_column"),
    "delay": ("duration_s",),
}
"""Fields that say what a task does; of expressions see `fields_of`."""
WITH_PROCESS = ("study", "notebook", "function", "http", "notify")


def needs_process(task: AnyTask) -> bool:
    """Return whether a task has a process of its own: all that may take long or belongs to somebody else."""
    return task.kind in WITH_PROCESS or (isinstance(task, TransformTask) and task.operation is not None)


def fields_of(task: AnyTask) -> dict[str, Any]:
    """Return what a task does, as plain values with their references; expressions as people read them."""
    if isinstance(task, TransformTask) and task.operation is None:
        return {"expressions": {name: _bare(text) for name, text in task.outputs.items()}}
    if isinstance(task, ConditionTask):
        return {"expression": _bare(task.expression)}
    plain = task.model_dump(mode="json")
    return {name: plain[name] for name in FIELDS_OF_KIND[task.kind]}


def _bare(expression: object) -> str:
    return str(expression).replace("${", "").replace("}", "")


def pause_before_retry(task: AnyTask, tries: int) -> float:
    """Return the seconds before a failed task is tried again.

    pause = min(longest, delay * factor ** (tries - 1)) * (1 - jitter * random)
    """
    pause_s = min(task.retry_longest_delay_s, task.retry_delay_s * task.retry_factor ** (tries - 1))
    return pause_s * (1 - task.retry_jitter * random.random())  # noqa: S311 - so that many do not come back at once


def begin_attempt(unit: Unit, said: Mapping[str, Any], situation: Situation, project: Path) -> Attempt:
    """Return an attempt, begun.

    Parameters
    ----------
    unit : Unit
    said : mapping
        The fields of its task with the values that hold now.
    situation : Situation
    project : Path

    Raises
    ------
    OSError
        If no process can be started.
    """
    task = unit.task
    if isinstance(task, DelayTask):
        return _pause(said["duration_s"])
    if not needs_process(task):
        return DoneAttempt(_computed(unit, situation))
    fields = fields_of(task)
    job: dict[str, Any] = {
        "kind": task.kind,
        "fields": fields,
        "values": {str(one): situation.value(one, unit.item) for one in references_in(fields)},
        "workflow": situation.spec.name,
        "execution": situation.execution.id,
    }
    if isinstance(task, TransformTask):
        job["forecasts"] = [
            {**one.model_dump(), "jobs": _forecast_jobs(one.task, situation)} for one in task.forecasts
        ]
    return ChildAttempt(
        job,
        project=project,
        folder=project / situation.folder,
        label=_label_of(unit),
        attempt=unit.attempt,
        secrets=secret_names(fields),
    )


def _pause(seconds: Any) -> Attempt:
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0
    if not is_number:
        return DoneAttempt(Result(error=f"duration_s = {show(seconds)}: must be a number of seconds"))
    return DelayAttempt(float(seconds))


def _forecast_jobs(task_id: str, situation: Situation) -> list[str]:
    units = situation.states[task_id].units or ()
    return [job for unit in units for job in unit.outputs.get("forecast_jobs", ())]


def _computed(unit: Unit, situation: Situation) -> Result:
    """Return what a condition or transform gives."""

    def value(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        return evaluate(parse_expression(text), lambda reference: situation.value(reference, unit.item))

    task = unit.task
    try:
        if isinstance(task, ConditionTask):
            found = value(task.expression)
            if not isinstance(found, bool):
                return Result(error=f"expression gives {show(found)}; it must give true or false")
            return Result({"value": found})
        assert isinstance(task, TransformTask), "all other kinds have a process"
        return Result({name: value(text) for name, text in task.outputs.items()})
    except BadExpression as error:
        return Result(error=str(error))


def _label_of(unit: Unit) -> str:
    """Return a name for the files of a unit that no other unit has, and that is no path."""
    if not unit.key:
        return unit.task.id
    return f"{unit.task.id}-{hashlib.sha256(unit.key.encode()).hexdigest()[:10]}"
