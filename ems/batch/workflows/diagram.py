"""The order of a workflow's tasks in layers, and their graph as Mermaid text."""

from __future__ import annotations

from ems.batch.workflows.spec import WorkflowSpec
from ems.batch.workflows.task_spec import AnyTask, FunctionTask, HttpTask, NotebookTask, StudyTask, Task

_SHAPES = {"condition": ("{", "}"), "delay": ("([", "])"), "notify": (">", "]"), "transform": ("[/", "/]")}
LONGEST_LABEL = 40


def layers_of(spec: WorkflowSpec) -> list[list[AnyTask]]:
    """Return the tasks in layers: each stands one layer below the lowest of those that it waits for.

    Within a layer a task stands near those that it waits for, so that few lines cross.
    """
    depth: dict[str, int] = {}
    waiting = list(spec.tasks)
    while waiting:
        ready = [task for task in waiting if all(name in depth for name in task.depends_on)]
        assert ready, "a checked workflow has no cycle"
        for task in ready:
            depth[task.id] = max((depth[name] + 1 for name in task.depends_on), default=0)
        waiting = [task for task in waiting if task.id not in depth]
    layers: list[list[AnyTask]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for task in spec.tasks:
        layers[depth[task.id]].append(task)
    place: dict[str, float] = {}
    for layer in layers:
        before = {task.id: [place[name] for name in task.depends_on] for task in layer}
        layer.sort(key=lambda task: sum(before[task.id]) / len(before[task.id]) if before[task.id] else 0.0)
        place |= {task.id: (number + 0.5) / len(layer) for number, task in enumerate(layer)}
    return layers


def label_of(task: Task) -> tuple[str, str]:
    """Return the two lines that a task shows: its name, and what it does."""
    what = task.kind if hasattr(task, "kind") else ""
    if isinstance(task, StudyTask):
        what = f"{task.study} {task.case or ''}".strip()
    elif isinstance(task, NotebookTask):
        what = task.notebook
    elif isinstance(task, FunctionTask):
        what = task.function
    elif isinstance(task, HttpTask):
        what = task.method
    marks = " ×" if task.foreach is not None else ""
    return _short(f"{task.title or task.id}{marks}"), _short(what)


def edge_label(task: Task) -> str:
    """Return what stands at the lines to a task: when it runs, where that is not always after success."""
    return task.when if task.when != "success" else ("if" if task.condition else "")


def mermaid_of(spec: WorkflowSpec) -> str:
    """Return the graph as Mermaid text; texts of people are escaped."""
    number = {task.id: f"t{position}" for position, task in enumerate(spec.tasks)}
    lines = ["---", f"title: {_quoted(spec.title)}", "---", "flowchart TD"]
    for task in spec.tasks:
        begin, end = _SHAPES.get(task.kind, ("[", "]"))
        name, what = map(_escaped, label_of(task))
        lines.append(f'  {number[task.id]}{begin}"{name}<br/>{what}"{end}')
    for task in spec.tasks:
        said = edge_label(task)
        arrow = f"-. {said} .->" if said else "-->"
        lines += [f"  {number[name]} {arrow} {number[task.id]}" for name in task.depends_on]
    return "\n".join(lines) + "\n"


def _short(text: str) -> str:
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def _escaped(text: str) -> str:
    """Return a text for a Mermaid label: whatever is no letter, digit or plain sign as its number."""
    return "".join(c if c.isalnum() or c in " .:-_,/×…" else f"#{ord(c)};" for c in text)


def _quoted(text: str) -> str:
    """Return a text for the title, as YAML quotes it."""
    import json

    return json.dumps(text, ensure_ascii=False)
