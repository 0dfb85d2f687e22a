"""What each task gives to later ones: the names of its outputs and their types, known before anything runs."""

from __future__ import annotations

from ems.batch.workflows.evaluation import infer_type
from ems.batch.workflows.expressions import BadExpression, parse_expression
from ems.batch.workflows.task_spec import (
    ConditionTask,
    DelayTask,
    FunctionTask,
    HttpTask,
    NotebookTask,
    NotifyTask,
    StudyTask,
    Task,
    TransformTask,
)
from ems.batch.workflows.value_types import ValueType

OF_EVERY_STUDY: dict[str, ValueType] = {
    "run_id": "text",
    "status": "text",
    "report": "text",
    "notebook": "text",
    "headline": "mapping",
}
OF_STUDY: dict[str, dict[str, ValueType]] = {
    "dispatch": {
        "total_cost": "number",
        "baseline_cost": "number",
        "settled_cost": "number",
        "currency": "text",
        "emissions_kg": "number",
        "kpis": "mapping",
    },
    "forecast": {"forecast_job": "text", "forecast_jobs": "list", "job_of": "mapping"},
    "backtest": {"forecast_jobs": "list", "job_of": "mapping"},
}
OF_KIND: dict[str, dict[str, ValueType]] = {
    "http": {"status_code": "integer", "body": "any", "headers": "mapping"},
    "delay": {"seconds": "number"},
    "condition": {"value": "boolean"},
    "notify": {"sent": "boolean"},
}
OF_SERIES: dict[str, ValueType] = {
    "path": "text",
    "start": "text",
    "end": "text",
    "steps": "integer",
    "step_h": "number",
    "horizon_h": "number",
    "columns": "list",
}
"""Outputs of the operation series_of_forecasts."""


def outputs_of(task: Task) -> dict[str, ValueType]:
    """Return the outputs of one execution of a task; of a task with foreach, see `outputs_seen`."""
    found: dict[str, ValueType] = {}
    if isinstance(task, StudyTask):
        found = {**OF_EVERY_STUDY, **OF_STUDY.get(task.study, {})}
    elif isinstance(task, NotebookTask):
        found = {"notebook": "text", **task.outputs}
    elif isinstance(task, FunctionTask):
        found = dict(task.outputs) or {"result": "any"}
    elif isinstance(task, HttpTask | DelayTask | ConditionTask | NotifyTask):
        found = OF_KIND[task.kind]
    elif isinstance(task, TransformTask):
        found = OF_SERIES if task.operation else {name: _type_of_output(value) for name, value in task.outputs.items()}
    return found


def outputs_seen(task: Task) -> dict[str, ValueType]:
    """Return the outputs that later tasks see: of a task with foreach a list for each, and its items."""
    found = outputs_of(task)
    if task.foreach is None:
        return found
    return {**dict.fromkeys(found, "list"), "items": "list"}


def _type_of_output(value: object) -> ValueType:
    if not isinstance(value, str):
        from ems.batch.workflows.value_types import type_of

        return type_of(value)
    try:
        return infer_type(parse_expression(value), lambda _: "any")
    except BadExpression:
        return "any"  # told where expressions are checked
