"""What a task may refer to: each reference checked and typed before anything runs, and its value where it is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ems.batch.workflows.evaluation import infer_type
from ems.batch.workflows.expressions import BadExpression, Expression, parse_expression
from ems.batch.workflows.outputs import outputs_seen
from ems.batch.workflows.references import (
    MARKED,
    BadReference,
    Reference,
    filled,
    parse_reference,
    texts_in,
    value_at,
    whole_reference,
)
from ems.batch.workflows.secrets import is_set
from ems.batch.workflows.spec import ParameterSpec
from ems.batch.workflows.task_spec import Task
from ems.batch.workflows.value_types import SCALARS, ValueType, type_of, words_of
from ems.errors import did_you_mean, show


class NotKnown(Exception):
    """The value of a reference is known only when the workflow runs."""


@dataclass(frozen=True)
class Scope:
    """What the references of one task may lead to.

    Parameters
    ----------
    task : Task
    tasks : mapping of str to Task
        All tasks of the workflow that could be read.
    upstream : set of str
        Tasks that come before it.
    parameters : mapping of str to ParameterSpec
    values : mapping
        Values of parameters, as far as they are known.
    unread : set of str
        Tasks and parameters that are wrong by themselves; nothing more is said of them.
    item_type : ValueType
        Type of its items; of a task with foreach.
    """

    task: Task
    tasks: Mapping[str, Task]
    upstream: set[str]
    parameters: Mapping[str, ParameterSpec]
    values: Mapping[str, Any]
    unread: set[str]
    item_type: ValueType = "any"

    def type_at(self, reference: Reference) -> ValueType:
        """Return the type of a reference's value.

        Raises
        ------
        BadReference
            If it leads nowhere, or may not be used by this task.
        """
        look: dict[str, Callable[[Reference], ValueType]] = {
            "tasks": self._of_task,
            "parameters": self._of_parameter,
            "item": self._of_item,
            "execution": lambda _: "text",
            "secrets": self._of_secret,
        }
        return look[reference.root](reference)

    def _of_task(self, reference: Reference) -> ValueType:
        name, said = str(reference.path[0]), show(reference.marked)
        if name in self.unread and name not in self.tasks:
            return "any"
        if name not in self.tasks:
            others = [other for other in self.tasks if other != self.task.id]
            raise BadReference(f"{said}: there is no task {show(name)}; {did_you_mean(name, others)}")
        if name == self.task.id:
            raise BadReference(f"{said}: a task cannot refer to itself")
        if name not in self.upstream:
            raise BadReference(f"{said}: task {show(name)} does not come before this one; add it to depends_on")
        if reference.path[1] == "status":
            return "text"
        outputs, output = outputs_seen(self.tasks[name]), str(reference.path[2])
        if output not in outputs:
            raise BadReference(
                f"{said}: task {show(name)} has no output {show(output)}; {did_you_mean(output, outputs)}"
            )
        return _inside(outputs[output], reference, 3)

    def _of_parameter(self, reference: Reference) -> ValueType:
        name = str(reference.path[0])
        if name in self.unread and name not in self.parameters:
            return "any"
        if name not in self.parameters:
            raise BadReference(
                f"{show(reference.marked)}: the workflow has no parameter {show(name)}; "
                f"{did_you_mean(name, self.parameters)}"
            )
        return _inside(self.parameters[name].type, reference, 1)

    def _of_item(self, reference: Reference) -> ValueType:
        if self.task.foreach is None:
            raise BadReference(f"{show(reference.marked)}: has a value only in a task with foreach")
        return _inside(self.item_type, reference, 0)

    def _of_secret(self, reference: Reference) -> ValueType:
        name = str(reference.path[0])
        if not self.task.with_secrets:
            raise BadReference(
                f"{show(reference.marked)}: secrets are given to tasks of kind http, notify and function alone"
            )
        if not is_set(name):
            raise BadReference(f"{show(reference.marked)}: the environment variable {name} is not set")
        return "text"

    def known_value(self, value: Any, **more: Any) -> Any:
        """Return a value with its references replaced by what is known before the workflow runs.

        Parameters
        ----------
        value : any
        **more : any
            ``item``: the item of a foreach.

        Raises
        ------
        NotKnown
            If one is known only later.
        """

        def resolve(reference: Reference) -> Any:
            if reference.root == "parameters" and reference.path[0] in self.values:
                return value_at(self.values, reference.path, reference.marked)
            if reference.root == "item" and "item" in more:
                return value_at(more["item"], reference.path, reference.marked)
            raise NotKnown(str(reference))

        return filled(value, resolve)

    def findings_in(self, value: Any, place: str) -> Iterator[str]:
        """Return a finding for each reference within a value that leads nowhere or cannot stand there."""
        for inner, text in texts_in(value):
            said = f"{'.'.join(part for part in (place, inner) if part)} = {show(text)}"
            for mark in MARKED.findall(text):
                try:
                    kind = self.type_at(parse_reference(mark))
                    if whole_reference(text) is None and kind not in SCALARS | {"any"}:
                        raise BadReference(f"{words_of(kind)} cannot be a part of a text")
                except BadReference as error:
                    yield f"{said}: {error}" if len(text) > len(mark) + 3 else f"{place_of(place, inner)}: {error}"

    def checked_expression(self, text: str, place: str, wanted: ValueType = "any") -> tuple[Expression | None, str]:
        """Return an expression, and a finding where it cannot be used; one of them is empty."""
        said = f"{place} = {show(text)}"
        try:
            expression = parse_expression(text)
            for reference in expression.references:
                if reference.root == "secrets":
                    raise BadExpression("secrets are given to tasks of kind http, notify and function alone")
            kind = infer_type(expression, self.type_at)
        except (BadExpression, BadReference) as error:
            return None, f"{said}: {error}"
        if wanted == "boolean" and kind not in ("boolean", "any"):
            return None, f"{said}: gives {words_of(kind)}; must give {words_of(wanted)}"
        return expression, ""


def place_of(*parts: str) -> str:
    """Return the place of a value within a task: ``parameters.horizon_h``."""
    return ".".join(part for part in parts if part)


def type_of_items(values: list[Any] | None) -> ValueType:
    """Return the type that all items have, or any."""
    kinds = {type_of(value) for value in values or ()}
    return kinds.pop() if len(kinds) == 1 else "any"


def _inside(kind: ValueType, reference: Reference, at: int) -> ValueType:
    if len(reference.path) <= at:
        return kind
    if kind in SCALARS:
        raise BadReference(f"{show(reference.marked)}: is {words_of(kind)}, in which there is no {reference.path[at]}")
    return "any"
