"""The tasks of a workflow as its file states them: what each kind does, what it waits for, how often it is tried."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from ems.batch.workflows.value_types import ValueType
from ems.errors import show
from ems.record import Fraction, FromList, Name, NonNegative, Positive, Record, Slug, Text

LONGEST_DELAY_S = 31 * 86_400.0
When = Literal["success", "failure", "always"]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
"""A name in references: letters, digits and underscores."""
ExpressionText = Annotated[str, Field(min_length=1, max_length=2000)]
Function = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", max_length=300)]
"""Module and function: ``my_project.prices:fetch``."""
Column = Annotated[str, Field(min_length=1, max_length=200)]
Address = Annotated[str, Field(min_length=1, max_length=2000)]


_REFERENCE = re.compile(r"\s*\$\{[^{}]+\}\s*\Z")


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and _REFERENCE.match(value) is not None


def _list_or_reference(value: JsonValue) -> JsonValue:
    if value is not None and not isinstance(value, list) and not _is_reference(value):
        raise ValueError("must be a list, or a reference to one")
    return value


def _names_or_all(value: JsonValue) -> JsonValue:
    is_list = isinstance(value, list) and all(isinstance(name, str) for name in value)
    if value is not None and value != "all" and not is_list and not _is_reference(value):
        raise ValueError("must be a list of names of site files, or all")
    return value


def _seconds_or_reference(value: JsonValue) -> JsonValue:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and 0 <= value <= LONGEST_DELAY_S) and not _is_reference(value):  # type: ignore[operator]
        raise ValueError(f"must be seconds from 0 to {LONGEST_DELAY_S:.0f}, or a reference to them")
    return value


class ForeachSpec(Record):
    """What a task is repeated for."""

    values: Annotated[JsonValue, AfterValidator(_list_or_reference)] = None
    """Values, or a reference to a list."""
    assets: Name | None = None
    """Kind of asset: one item for each asset of this kind in a site file; any takes all kinds."""
    site: Name | None = None
    """Site file of the assets: a name in data/sites, or a path."""
    sites: Annotated[JsonValue, AfterValidator(_names_or_all)] = None
    """Names of site files, or all: one item for each."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return "foreach"

    @model_validator(mode="after")
    def _is_one(self) -> ForeachSpec:
        stated = [name for name in ("values", "assets", "sites") if getattr(self, name) is not None]
        if len(stated) != 1:
            raise ValueError("say one of: a list of values, assets with site, or sites")
        if (self.assets is None) != (self.site is None):
            raise ValueError("assets and site belong together: {assets: battery, site: campus}")
        return self


class Task(Record):
    """What all kinds of tasks have in common."""

    id: Slug
    """Name of the task within the workflow."""
    title: Name | None = None
    """Title for people."""
    depends_on: Annotated[tuple[Slug, ...], FromList] = ()
    """Tasks that must have ended before."""
    when: When = "success"
    """Whether it runs after success of all tasks before it, after a failure of one, or always."""
    condition: ExpressionText | None = None
    """Expression that must be true; else the task is skipped."""
    foreach: ForeachSpec | None = None
    """What it is repeated for."""
    timeout_s: Positive | None = None
    """Longest time that one attempt may take."""
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    """How often a failed attempt is repeated."""
    retry_delay_s: NonNegative = 1.0
    """Pause before the first repetition."""
    retry_factor: Annotated[float, Field(ge=1, le=10)] = 2.0
    """Factor by which the pause grows with each repetition."""
    retry_longest_delay_s: NonNegative = 300.0
    """Longest pause."""
    retry_jitter: Fraction = 0.5
    """Share of a pause that is random, so that many tasks do not come back at once."""
    continue_on_error: bool = False
    """Whether tasks after it run although it failed, and the workflow is not failed by it."""

    with_secrets: ClassVar[bool] = False
    """Whether its fields may hold ``${secrets.NAME}``."""
    with_references: ClassVar[tuple[str, ...]] = ()
    """Fields in which references stand."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return f"task {show(given.get('id', '?'))}"


class StudyTask(Task):
    """A run of a study's notebook."""

    kind: Literal["study"] = "study"
    """A study."""
    study: Name
    """Study: dispatch, forecast."""
    case: Name | None = None
    """Case: a file in parameters/STUDY, or a path; without one the study's defaults hold."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """Parameters that win over the case."""

    with_references: ClassVar[tuple[str, ...]] = ("case", "parameters")


class NotebookTask(Task):
    """A run of any notebook of the project."""

    kind: Literal["notebook"] = "notebook"
    """A notebook."""
    notebook: Annotated[str, Field(min_length=1, max_length=500)]
    """Path of the notebook within the project."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """Values for the names in its cell tagged parameters."""
    outputs: dict[Variable, ValueType] = Field(default_factory=dict)
    """Types of the values that its cell tagged outputs shows as JSON."""

    with_references: ClassVar[tuple[str, ...]] = ("parameters",)


class FunctionTask(Task):
    """A call of a Python function, in a process of its own."""

    kind: Literal["function"] = "function"
    """A function."""
    function: Function
    """Module and function: my_project.prices:fetch."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """Its arguments by name."""
    outputs: dict[Variable, ValueType] = Field(default_factory=dict)
    """Types of the values in the mapping that it returns; without them its value is the output result."""

    with_secrets: ClassVar[bool] = True
    with_references: ClassVar[tuple[str, ...]] = ("parameters",)


class HttpTask(Task):
    """A request by HTTP."""

    kind: Literal["http"] = "http"
    """A request."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    """What is asked for."""
    url: Address
    """Address; http or https."""
    headers: dict[str, JsonValue] = Field(default_factory=dict)
    """Headers by name."""
    body: JsonValue = None
    """What is sent, as JSON."""
    expected_status: Annotated[tuple[int, ...], FromList] = ()
    """Status codes that are a success; without them 200 to 299."""

    with_secrets: ClassVar[bool] = True
    with_references: ClassVar[tuple[str, ...]] = ("url", "headers", "body")


class DelayTask(Task):
    """A pause."""

    kind: Literal["delay"] = "delay"
    """A pause."""
    duration_s: Annotated[JsonValue, AfterValidator(_seconds_or_reference)]
    """How long it takes."""

    with_references: ClassVar[tuple[str, ...]] = ("duration_s",)


class ConditionTask(Task):
    """A question; tasks that depend on it run only if the answer is true."""

    kind: Literal["condition"] = "condition"
    """A question."""
    expression: ExpressionText
    """Expression whose value, true or false, is the output value."""


class ForecastColumn(Record):
    """A forecast that becomes a column of a series file."""

    task: Slug
    """Task that made the forecast."""
    column: Column | None = None
    """Name of the column; without one ASSET.VARIABLE."""
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability that the truth is not above the value."""
    multiply_by: float = 1.0
    """Factor for all values."""


class TransformTask(Task):
    """Outputs computed from outputs: by expressions, or by a built-in operation."""

    kind: Literal["transform"] = "transform"
    """A computation."""
    outputs: dict[Variable, JsonValue] = Field(default_factory=dict)
    """Expressions by the name of their value; numbers and texts in quotes stand for themselves."""
    operation: Literal["series_of_forecasts"] | None = None
    """Built-in operation: series_of_forecasts joins forecasts and columns of a file into one series file."""
    forecasts: Annotated[tuple[ForecastColumn, ...], FromList] = ()
    """Forecasts to join."""
    series: Name | None = None
    """Series file from which more columns are taken: a name in data/series, or a path."""
    columns: Annotated[tuple[Column, ...], FromList] = ()
    """These columns."""
    time_column: Column = "time"
    """Column with the beginning of each step, with its offset: of that file, and of the one that is written."""

    with_references: ClassVar[tuple[str, ...]] = ("series",)

    @model_validator(mode="after")
    def _is_one(self) -> TransformTask:
        if (self.operation is None) == (not self.outputs):
            raise ValueError("say either outputs with expressions, or operation")
        if self.operation is not None and not self.forecasts:
            raise ValueError("forecasts: is required with operation = 'series_of_forecasts'")
        if self.operation is None and (self.forecasts or self.series or self.columns):
            raise ValueError("forecasts, series, columns: have no effect without operation = 'series_of_forecasts'")
        if (self.series is None) != (not self.columns):
            raise ValueError("series and columns belong together")
        return self


class EmailSpec(Record):
    """A message by e-mail."""

    host: Address
    """Name of the mail server."""
    port: Annotated[int, Field(gt=0, le=65_535)] = 587
    """Port of the mail server."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is kept secret."""
    user: Address | None = None
    """User, where the server asks for one."""
    password: Address | None = None
    """Password, as ${secrets.NAME}."""
    sender: Address
    """Address from which it comes."""
    to: Annotated[tuple[Address, ...], FromList, Field(min_length=1)]
    """Addresses to which it goes."""
    subject: Annotated[str, Field(max_length=500)] = "Workflow"
    """Subject."""


class NotifyTask(Task):
    """A message to people: to a webhook or by e-mail."""

    kind: Literal["notify"] = "notify"
    """A message."""
    text: Text
    """What is said."""
    webhook: Address | None = None
    """Address to which {"text": ...} is sent as JSON."""
    headers: dict[str, JsonValue] = Field(default_factory=dict)
    """Headers of that request."""
    email: EmailSpec | None = None
    """E-mail."""

    with_secrets: ClassVar[bool] = True
    with_references: ClassVar[tuple[str, ...]] = ("text", "webhook", "headers", "email")

    @model_validator(mode="after")
    def _is_one(self) -> NotifyTask:
        if (self.webhook is None) == (self.email is None):
            raise ValueError("say either webhook or email")
        if self.email is not None and self.headers:
            raise ValueError("headers: have no effect on an e-mail")
        return self


AnyTask = Annotated[
    StudyTask | NotebookTask | FunctionTask | HttpTask | DelayTask | ConditionTask | TransformTask | NotifyTask,
    Field(discriminator="kind"),
]
TASK_KINDS: dict[str, type[Task]] = {
    "study": StudyTask,
    "notebook": NotebookTask,
    "function": FunctionTask,
    "http": HttpTask,
    "delay": DelayTask,
    "condition": ConditionTask,
    "transform": TransformTask,
    "notify": NotifyTask,
}
