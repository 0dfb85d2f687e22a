"""The check of a workflow as a whole before anything starts: graph, references, types, names; all findings at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ems.batch.workflows.code_checks import function_findings, notebook_findings
from ems.batch.workflows.foreach import items_of
from ems.batch.workflows.reading import (
    ReadWorkflow,
    WorkflowText,
    cycle_in,
    read_text,
    read_workflow,
    upstream_of,
)
from ems.batch.workflows.references import MARKED, BadReference, texts_in, whole_reference
from ems.batch.workflows.scope import NotKnown, Scope, type_of_items
from ems.batch.workflows.secrets import SECRET_NAME
from ems.batch.workflows.spec import WorkflowSpec
from ems.batch.workflows.study_checks import study_findings
from ems.batch.workflows.task_spec import (
    AnyTask,
    ConditionTask,
    FunctionTask,
    HttpTask,
    NotebookTask,
    NotifyTask,
    StudyTask,
    Task,
    TransformTask,
)
from ems.batch.workflows.value_types import ValueType, is_taken, words_of
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import find_file, project_folder

MOST_FINDINGS = 200
SERIES_ENDINGS = (".csv", ".parquet")
_IN_A_FILE = "a secret must not stand in a file; set an environment variable and write ${secrets.NAME}"
_EXPRESSIONS = ("condition", "expression")


@dataclass(frozen=True)
class CheckedWorkflow:
    """A workflow that can be run.

    Parameters
    ----------
    spec : WorkflowSpec
    text : WorkflowText
        What its file says.
    values : dict
        Its parameters with the values that hold.
    """

    spec: WorkflowSpec
    text: WorkflowText
    values: dict[str, Any]


def load_workflow(name: str, parameters: Mapping[str, Any] | None = None, *, is_start: bool = True) -> CheckedWorkflow:
    """Return a workflow of the project, checked in full.

    Parameters
    ----------
    name : str
        Name of a file in ``parameters/workflows``, or a path to a YAML file.
    parameters : mapping, optional
        Values that are given; of the others the defaults hold.
    is_start : bool
        Whether it is about to run: then every parameter must have a value.

    Raises
    ------
    InvalidInput
        If anything in it cannot be used; names every task with its findings at once.
    """
    return check_workflow(read_text(name), parameters, is_start=is_start)


def check_workflow(
    text: WorkflowText, parameters: Mapping[str, Any] | None = None, *, is_start: bool = True
) -> CheckedWorkflow:
    """Return the workflow that a text states, checked in full; see `load_workflow`."""
    read = read_workflow(text)
    values = _values_of(read, parameters or {}, is_start)
    _check_graph(read)
    tasks = {task.id: task for task in read.tasks}
    upstream = upstream_of(read.tasks)
    for task in read.tasks:
        scope = Scope(task, tasks, upstream[task.id], read.parameters, values, read.unread)
        read.findings += [f"task {show(task.id)}: {finding}" for finding in _task_findings(task, scope)]
    if read.findings:
        found = list(dict.fromkeys(read.findings))
        more = len(found) - MOST_FINDINGS
        raise InvalidInput(read.subject, [*found[:MOST_FINDINGS], *([f"and {more} more"] if more > 0 else [])])
    assert read.spec is not None, "a workflow without findings has its records"
    return CheckedWorkflow(read.spec, text, values)


def _values_of(read: ReadWorkflow, given: Mapping[str, Any], is_start: bool) -> dict[str, Any]:
    values = {name: spec.default for name, spec in read.parameters.items() if not spec.is_required}
    for name, value in given.items():
        if name in read.unread and name not in read.parameters:
            continue
        if name not in read.parameters:
            known = did_you_mean(name, read.parameters)
            read.findings.append(f"parameters.{name} = {show(value)}: the workflow has no such parameter; {known}")
            continue
        finding = read.parameters[name].finding(value)
        if finding is None:
            values[name] = value
        else:
            read.findings.append(f"parameters.{name} = {show(value)}: {finding}")
    if is_start:
        missing = [name for name, spec in read.parameters.items() if spec.is_required and name not in given]
        read.findings += [f"parameters.{name}: is required; give it with -p {name}=VALUE" for name in missing]
    return values


def _check_graph(read: ReadWorkflow) -> None:
    ids = [task.id for task in read.tasks]
    for task_id, count in Counter(ids).items():
        if count > 1 or task_id in read.unread:
            read.findings.append(f"task {show(task_id)}: {max(count, 2)} tasks have this id; give each its own")
    known = {*ids, *read.unread}
    for task in read.tasks:
        for other in task.depends_on:
            said = f"task {show(task.id)}: depends_on = {show(other)}"
            if other == task.id:
                read.findings.append(f"{said}: a task cannot wait for itself")
            elif other not in known:
                read.findings.append(f"{said}: there is no such task; {did_you_mean(other, known - {task.id})}")
        double = [name for name, count in Counter(task.depends_on).items() if count > 1]
        read.findings += [f"task {show(task.id)}: depends_on = {show(name)}: stands there twice" for name in double]
    cycle = cycle_in([task for task in read.tasks if task.id not in task.depends_on])
    if cycle:
        shown = " -> ".join(cycle)
        read.findings.append(f"depends_on: the tasks {shown} wait for each other; take one of these arrows out")


def _task_findings(task: AnyTask, scope: Scope) -> Iterator[str]:
    items, findings = _known_items(task, scope)
    yield from findings
    if items is not None:
        scope = Scope(**{**scope.__dict__, "item_type": type_of_items(items)})
    for name in type(task).model_fields:
        value = getattr(task, name)
        if name in task.with_references:
            plain = value.model_dump() if hasattr(value, "model_dump") else value
            yield from scope.findings_in(plain, name)
            yield from _open_secrets(plain, name)
        elif name not in (*_EXPRESSIONS, "foreach", "outputs"):
            yield from _idle_references(value, name)
    if task.when != "success" and not task.depends_on:
        yield f"when = {show(task.when)}: has no effect without depends_on"
    if task.condition is not None:
        _, finding = scope.checked_expression(task.condition, "condition", "boolean")
        yield from filter(None, [finding])
    yield from _kind_findings(task, scope, items)


def _kind_findings(task: AnyTask, scope: Scope, items: list[Any] | None) -> Iterator[str]:
    """Return what is wrong with the fields of a task's kind."""
    if isinstance(task, StudyTask):
        yield from study_findings(task, scope, items)
    elif isinstance(task, NotebookTask):
        yield from notebook_findings(task, scope)
    elif isinstance(task, FunctionTask):
        yield from function_findings(task, scope)
    elif isinstance(task, HttpTask):
        yield from _address_findings(task.url, "url")
    elif isinstance(task, NotifyTask) and task.webhook is not None:
        yield from _address_findings(task.webhook, "webhook")
    elif isinstance(task, ConditionTask):
        _, finding = scope.checked_expression(task.expression, "expression", "boolean")
        yield from filter(None, [finding])
    elif isinstance(task, TransformTask):
        yield from _transform_findings(task, scope)


def _known_items(task: Task, scope: Scope) -> tuple[list[Any] | None, list[str]]:
    """Return the items of a task as far as they are known, and what is wrong with its foreach."""
    if task.foreach is None:
        return None, []
    plain = task.foreach.model_dump(exclude_none=True)
    findings = list(scope.findings_in(plain, "foreach"))
    if findings:
        return None, findings
    values = plain.get("values")
    whole = whole_reference(values) if isinstance(values, str) else None
    kind: ValueType = "list" if whole is None else scope.type_at(whole)
    if not is_taken(kind, "list"):
        return None, [f"foreach = {show(values)}: gives {words_of(kind)}; must be a list"]
    try:
        filled = scope.known_value(plain)
        return [item.value for item in items_of(task.foreach.replace(**filled))], []
    except (NotKnown, BadReference):
        return None, []
    except InvalidInput as error:
        begin = "" if error.subject.startswith("foreach") else "foreach: "
        return None, [f"{begin}{error.subject}: {finding}" for finding in error.findings]


def _idle_references(value: Any, name: str) -> Iterator[str]:
    plain = value.model_dump() if hasattr(value, "model_dump") else value
    for place, text in texts_in(plain):
        if MARKED.search(text):
            where = f"{name}.{place}".strip(".")
            yield f"{where} = {show(text)}: references are not read here; write the value itself"


def _open_secrets(value: Any, place: str) -> Iterator[str]:
    """Return a finding for each password that stands in the file as it is."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            is_open = isinstance(inner, str) and inner and not MARKED.search(inner)
            if SECRET_NAME.search(str(key)) and is_open:
                yield f"{place}.{key}: {_IN_A_FILE}"
            yield from _open_secrets(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value, 1):
            yield from _open_secrets(inner, f"{place}.{number}")


def _address_findings(url: str, name: str) -> Iterator[str]:
    if not re.match(r"(?i)https?://|\s*\$\{", url):
        yield f"{name} = {show(url)}: must begin with https:// or http://"
    elif re.match(r"(?i)https?://[^/@]*:(?!\$\{)[^/@]+@", url):
        yield f"{name}: {_IN_A_FILE}"


def _transform_findings(task: TransformTask, scope: Scope) -> Iterator[str]:
    for name, value in task.outputs.items():
        if isinstance(value, str):
            _, finding = scope.checked_expression(value, f"outputs.{name}")
            yield from filter(None, [finding])
        elif isinstance(value, list | dict):
            yield f'outputs.{name} = {show(str(value))}: must be an expression in quotes, as in "[1, 2]"'
    for number, forecast in enumerate(task.forecasts, 1):
        said = f"forecasts.{number}.task = {show(forecast.task)}"
        other = scope.tasks.get(forecast.task)
        if other is None:
            if forecast.task not in scope.unread:
                yield f"{said}: there is no such task; {did_you_mean(forecast.task, scope.tasks)}"
        elif forecast.task not in scope.upstream:
            yield f"{said}: does not come before this task; add it to depends_on"
        elif not (isinstance(other, StudyTask) and other.study == "forecast"):
            yield f"{said}: makes no forecast; name a task of the study forecast"
        elif other.foreach is not None and forecast.column is not None:
            several = f"task {show(other.id)} gives several forecasts; leave it out"
            yield f"forecasts.{number}.column = {show(forecast.column)}: {several}"
    if task.series is not None:
        yield from _column_findings(task, scope)


def _column_findings(task: TransformTask, scope: Scope) -> Iterator[str]:
    try:
        name = scope.known_value(task.series)
        path = find_file(str(name), project_folder() / "data" / "series", SERIES_ENDINGS, "series")
        found = _headers_of(path)
    except (NotKnown, BadReference):
        return
    except InvalidInput as error:
        yield str(error)
        return
    for column in (task.time_column, *task.columns):
        if column not in found:
            yield f"columns: series {show(name)} has no column {show(column)}; {did_you_mean(column, found)}"


def _headers_of(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        import pyarrow.parquet

        try:
            return [str(name) for name in pyarrow.parquet.read_schema(path).names]
        except (OSError, ValueError):
            raise InvalidInput(f"series {show(path.name)}", "cannot be read as Parquet") from None
    import csv

    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file), [])
