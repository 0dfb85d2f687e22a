"""A workflow as its file states it: its parameters, its tasks, and when it starts by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, model_validator

from ems.batch.workflows.schedule_spec import ScheduleSpec, TriggerSpec
from ems.batch.workflows.task_spec import AnyTask, Variable
from ems.batch.workflows.value_types import ValueType, is_taken, type_of, words_of
from ems.errors import show
from ems.record import FromList, Name, Positive, Record, Slug, Text

MOST_TASKS = 500
"""Tasks that a workflow may have."""


class ParameterSpec(Record):
    """A parameter of a workflow."""

    type: ValueType
    """What kind of value it is: text, number, integer, boolean, list, mapping or any."""
    default: JsonValue = None
    """Value where none is given; without it the parameter must be given."""
    choices: Annotated[tuple[JsonValue, ...], FromList] = ()
    """The only values that it may have."""
    meaning: Text = ""
    """What it is for."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return "parameter"

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return "default" not in self.model_fields_set

    @model_validator(mode="after")
    def _default_fits(self) -> ParameterSpec:
        if not self.is_required and self.default is not None:
            said = self.finding(self.default)
            if said:
                raise ValueError(f"default = {show(self.default)}: {said}")
        return self

    def finding(self, value: Any) -> str | None:
        """Return what is wrong with a value; None where it can be taken."""
        if isinstance(value, float) and not math.isfinite(value):
            return "must be a finite number"
        if not is_taken(type_of(value), self.type) or (value is None and not self._may_be_nothing()):
            return f"must be {words_of(self.type)}"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(map(show, self.choices))}"
        return None

    def _may_be_nothing(self) -> bool:
        return not self.is_required and self.default is None


def _not_empty(tasks: tuple[Any, ...]) -> tuple[Any, ...]:
    if not tasks:
        raise ValueError("must hold at least one task")
    return tasks


class WorkflowSpec(Record):
    """A workflow: what it takes, its tasks, and when it starts by itself."""

    name: Slug
    """Name: of its file."""
    title: Name
    """Title for people; the name where none is given."""
    description: Text = ""
    """What it is for."""
    tags: Annotated[tuple[Name, ...], FromList] = ()
    """Words by which people find it."""
    enabled: bool = True
    """Whether schedule and trigger may start it; people can always."""
    timeout_s: Positive | None = None
    """Longest time for all tasks together."""
    parameters: dict[Variable, ParameterSpec] = Field(default_factory=dict)
    """What may be given when it starts."""
    tasks: Annotated[tuple[AnyTask, ...], FromList, AfterValidator(_not_empty)]
    """Tasks."""
    schedule: ScheduleSpec | None = None
    """Times at which it starts."""
    trigger: TriggerSpec | None = None
    """What else starts it."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the title that follows from the name."""
        return {"title": given.get("name")}

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return f"workflow {show(given.get('name', '?'))}"

    def task(self, task_id: str) -> AnyTask:
        """Return a task by its id."""
        return next(task for task in self.tasks if task.id == task_id)

    @property
    def timezone(self) -> str:
        """Zone of local dates."""
        return "UTC" if self.schedule is None else self.schedule.timezone
