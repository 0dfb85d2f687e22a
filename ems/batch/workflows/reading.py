"""From a workflow's file to its records: shorthands written out, every finding kept, tasks that are wrong left out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ems.batch.workflows.schedule_spec import ScheduleSpec, TriggerSpec
from ems.batch.workflows.secrets import SECRET_NAME
from ems.batch.workflows.spec import MOST_TASKS, ParameterSpec, WorkflowSpec
from ems.batch.workflows.task_spec import TASK_KINDS, AnyTask, DelayTask, Task
from ems.batch.workflows.value_types import type_of
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import find_file, is_slug, project_folder, shown_path
from ems.record import Record
from ems.yaml_text import parse_yaml, read_yaml

FOLDER = "parameters/workflows"
ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class WorkflowText:
    """What a workflow's file says, before it is checked.

    Parameters
    ----------
    name : str
        Name of the file.
    where : str
        The words that name it in messages.
    given : dict
        Its content.
    version : str
        SHA-256 of its text.
    """

    name: str
    where: str
    given: dict[str, Any]
    version: str


@dataclass
class ReadWorkflow:
    """A workflow as far as its records could be made.

    Parameters
    ----------
    text : WorkflowText
    spec : WorkflowSpec or None
        None where something is wrong.
    tasks : list of Task
        Tasks whose own fields are right.
    parameters : dict of str to ParameterSpec
        Parameters that are right.
    unread : set of str
        Ids of tasks and names of parameters that are wrong by themselves.
    findings : list of str
    """

    text: WorkflowText
    spec: WorkflowSpec | None = None
    tasks: list[AnyTask] = field(default_factory=list)
    parameters: dict[str, ParameterSpec] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """The words that name it in messages."""
        return f"workflow {show(self.text.name)} in {self.text.where}"


def workflow_folder() -> Path:
    """Return the folder of workflows."""
    return project_folder() / FOLDER


def workflow_names() -> list[str]:
    """Return the names of all workflows of the project, sorted."""
    files = (path for ending in ENDINGS for path in workflow_folder().glob(f"*{ending}"))
    return sorted({path.stem for path in files if is_slug(path.stem)})


def read_text(name: str) -> WorkflowText:
    """Return what the file of a workflow says.

    Parameters
    ----------
    name : str
        Name of a file in ``parameters/workflows``, or a path to a YAML file.

    Raises
    ------
    InvalidInput
        If there is none, or it is no YAML.
    """
    path = find_file(name, workflow_folder(), ENDINGS, "workflow")
    where = shown_path(path)
    if not is_slug(path.stem):
        raise InvalidInput(where, "the name of a workflow's file must be small letters, digits and single hyphens")
    given = read_yaml(path, where)
    return WorkflowText(path.stem, where, given, hashlib.sha256(path.read_bytes()).hexdigest())


def parse_text(name: str, text: str, where: str) -> WorkflowText:
    """Return what a text says of a workflow.

    Raises
    ------
    InvalidInput
        If it is no YAML.
    """
    given = parse_yaml(text, where)
    if not isinstance(given, dict):
        raise InvalidInput(where, f"holds {show(given)}; expected are lines of 'name: value'")
    return WorkflowText(name, where, given, hashlib.sha256(text.encode("utf-8")).hexdigest())


def read_workflow(text: WorkflowText) -> ReadWorkflow:
    """Return a workflow's records, with a finding for everything that is wrong by itself."""
    read = ReadWorkflow(text)
    given = dict(text.given)
    tasks, parameters = given.pop("tasks", None), given.pop("parameters", None)
    if given.pop("name", text.name) != text.name:
        read.findings.append(
            f"name = {show(text.given['name'])}: a workflow has the name of its file, {show(text.name)}"
        )
    _read_parameters(read, parameters)
    _read_tasks(read, tasks)
    parts: dict[str, Any] = {}
    for name, kind in (("schedule", ScheduleSpec), ("trigger", TriggerSpec)):
        part = given.pop(name, None)
        if part is not None:
            parts[name] = _made(read, kind, part, name)
    # The tasks are right or told already; a pause stands for them so that the rest can be checked.
    pause = DelayTask(id="pause", duration_s=0)
    head = _made(read, WorkflowSpec, {**given, "name": text.name, "tasks": (pause,)}, "")
    if head is not None and not read.findings:
        read.spec = head.replace(
            tasks=tuple(read.tasks),
            parameters=read.parameters,
            **{name: part for name, part in parts.items() if part is not None},
        )
    return read


def _read_parameters(read: ReadWorkflow, given: Any) -> None:
    if given is None:
        return
    if not isinstance(given, Mapping):
        read.findings.append(f"parameters = {show(given)}: must be lines of 'name: value'")
        return
    for name, stated in given.items():
        is_described = isinstance(stated, Mapping) and ("type" in stated or "default" in stated)
        plain = dict(stated) if is_described else {"default": stated}
        plain.setdefault("type", type_of(plain.get("default")))
        if not str(name).isidentifier():
            read.findings.append(f"parameters.{show(name)}: the name must be letters, digits and underscores")
            read.unread.add(str(name))
            continue
        if SECRET_NAME.search(str(name)):
            read.findings.append(
                f"parameters.{name}: a secret is no parameter; set an environment variable and write ${{secrets.NAME}}"
            )
            read.unread.add(str(name))
            continue
        made = _made(read, ParameterSpec, plain, f"parameters.{name}")
        if made is None:
            read.unread.add(str(name))
        else:
            read.parameters[str(name)] = made


def _read_tasks(read: ReadWorkflow, given: Any) -> None:
    if not isinstance(given, list) or not given:
        read.findings.append("tasks: is required; a list of tasks, each beginning with '- id: name'")
        return
    if len(given) > MOST_TASKS:
        read.findings.append(f"tasks: there are {len(given)}; at most {MOST_TASKS} can be run")
        return
    for number, stated in enumerate(given, 1):
        if not isinstance(stated, Mapping):
            read.findings.append(f"tasks.{number} = {show(stated)}: must be lines of 'name: value'")
            continue
        task_id = stated.get("id")
        said = f"task {show(task_id)}" if isinstance(task_id, str) else f"task {number}"
        plain = {str(key): value for key, value in stated.items()}
        kind = _kind_of(plain)
        made = None
        if kind is None:
            offered = did_you_mean(str(plain.get("kind", "")), TASK_KINDS)
            read.findings.append(
                f"{said}: kind = {show(plain['kind'])}: is no kind of task; {offered}"
                if "kind" in plain
                else f"{said}: kind: is required; {offered}"
            )
        else:
            if isinstance(plain.get("foreach"), list | str):
                plain["foreach"] = {"values": plain["foreach"]}
            if isinstance(plain.get("depends_on"), str):
                plain["depends_on"] = [plain["depends_on"]]
            made = _made(read, TASK_KINDS[kind], {**plain, "kind": kind}, said)
        if made is not None:
            read.tasks.append(made)
        elif isinstance(task_id, str):
            read.unread.add(task_id)


def _kind_of(given: Mapping[str, Any]) -> str | None:
    """Return the kind that a task states, or that follows from what it runs; None where there is no such kind."""
    if "kind" in given:
        return given["kind"] if isinstance(given["kind"], str) and given["kind"] in TASK_KINDS else None
    return next((kind for kind in ("study", "notebook", "function") if kind in given), None)


def _made(read: ReadWorkflow, kind: type[Record], given: Any, said: str) -> Any:
    """Return a record, or None with the findings kept."""
    begin = f"{said}: " if said else ""
    if not isinstance(given, Mapping):
        read.findings.append(f"{begin}{show(given)}: must be lines of 'name: value'")
        return None
    try:
        return kind.from_mapping({str(key): value for key, value in given.items()})
    except InvalidInput as error:
        read.findings += [f"{begin}{finding}" for finding in error.findings]
        return None


def upstream_of(tasks: Sequence[Task]) -> dict[str, set[str]]:
    """Return for each task all tasks that come before it, near and far; works on graphs with cycles, too."""
    direct = {task.id: set(task.depends_on) for task in tasks}
    found: dict[str, set[str]] = {}
    for task_id, before in direct.items():
        seen: set[str] = set()
        waiting = list(before)
        while waiting:
            other = waiting.pop()
            if other not in seen:
                seen.add(other)
                waiting += direct.get(other, ())
        found[task_id] = seen
    return found


def cycle_in(tasks: Sequence[Task]) -> list[str] | None:
    """Return the tasks of a cycle in the order in which they wait for each other, the first again at the end.

    None where there is no cycle.
    """
    direct = {task.id: list(task.depends_on) for task in tasks}
    done: set[str] = set()
    for first in direct:
        path: list[str] = []
        places: dict[str, int] = {}
        stack: list[tuple[str, int]] = [(first, 0)]
        while stack:
            name, position = stack.pop()
            if position == 0:
                if name in done or name not in direct:
                    continue
                places[name] = len(path)
                path.append(name)
            if position < len(direct[name]):
                stack.append((name, position + 1))
                other = direct[name][position]
                if other in places:
                    return [*path[places[other] :], other]
                stack.append((other, 0))
            else:
                done.add(name)
                path.pop()
                del places[name]
    return None
