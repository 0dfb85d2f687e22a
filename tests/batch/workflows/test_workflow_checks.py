"""The check of a workflow before it starts: everything that is wrong with it at once, and what would do instead."""

from __future__ import annotations

import json
import re
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from workflow_world import call, write_workflow

from ems.batch.workflows.checks import check_workflow, load_workflow
from ems.batch.workflows.diagram import layers_of
from ems.batch.workflows.functions import FUNCTIONS
from ems.batch.workflows.outputs import OF_EVERY_STUDY, OF_KIND, OF_SERIES, OF_STUDY
from ems.batch.workflows.reading import cycle_in, parse_text, upstream_of
from ems.batch.workflows.spec import WorkflowSpec
from ems.batch.workflows.task_spec import TASK_KINDS, DelayTask, Task
from ems.errors import InvalidInput, UnknownName

SHARED_HOME = Path(__file__).resolve().parents[4] / "shared" / "data" / "site_fontana_hourly.csv"


def findings(project: Path, tasks: list[dict[str, Any]], **more: Any) -> list[str]:
    parameters, is_start = more.pop("given", {}), more.pop("is_start", True)
    with pytest.raises(InvalidInput) as caught:
        load_workflow(write_workflow(project, tasks, **more), parameters, is_start=is_start)
    assert caught.value.subject == "workflow 'trial' in parameters/workflows/trial.yaml"
    return list(caught.value.findings)


def test_check__names_all_faults_at_once(project: Path) -> None:
    """One look at the message is enough to mend the file."""
    tasks = [
        {"id": "a", "study": "forecastt", "depends_on": ["c"]},
        {"id": "b", "study": "forecast", "case": "demoo", "depends_on": ["a"]},
        {
            "id": "c",
            "study": "dispatch",
            "case": "demo",
            "depends_on": ["b"],
            "parameters": {
                "horizon_h": "${tasks.b.outputs.run_id}",
                "series": "${tasks.b.outputs.pth}",
                "mip_gap": 7,
                "horizon_hours": 3,
            },
        },
        {"id": "c", "kind": "delay", "duration_s": -3},
        {
            "id": "d",
            "kind": "http",
            "url": "ftp://x",
            "headers": {"Authorization": "abc", "X": "${secrets.NOT_SET_X}"},
        },
        {"id": "e", "kind": "condition", "expression": "parameters.size + 1"},
        {"id": "f", "kind": "transform", "outputs": {"x": "1 +"}, "condition": "parameters.sise > 1"},
        call("g", "waitt", seconds="${tasks.d.outputs.body}"),
        {"id": "h", "notebook": "../x.ipynb"},
        {"id": "i", "kind": "sleep"},
        {"id": "j", "study": "dispatch", "case": "demo", "parameters": {"start": "${secrets.HOME}"}},
        {"id": "k", "study": "dispatch", "case": "demo", "foreach": {"assets": "batery", "site": "demo"}},
    ]

    found = findings(
        project, tasks, parameters={"size": {"type": "integer"}}, schedule={"cron": "61 * * * *"}, colour="red"
    )

    expected = [
        "task 'c': duration_s = -3: must be seconds from 0 to 2678400, or a reference to them",
        "task 'i': kind = 'sleep': is no kind of task; known are condition, delay, function",
        "schedule: cron '61 * * * *': minute '61' must be 0 to 59",
        "colour: no such field; known are description, enabled",
        "parameters.size: is required; give it with -p size=VALUE",
        "task 'c': 2 tasks have this id; give each its own",
        "depends_on: the tasks a -> c -> b -> a wait for each other; take one of these arrows out",
        "task 'a': study 'forecastt': did you mean forecast?",
        "task 'b': case of study 'forecast' 'demoo': not in parameters/forecast/; did you mean demo?",
        "task 'c': parameters.series: '${tasks.b.outputs.pth}': task 'b' has no output 'pth'; known are forecast_job",
        "task 'c': parameters.horizon_hours: study 'dispatch' has no parameter of this name; did you mean horizon_h?",
        "task 'c': parameters.horizon_h = '${tasks.b.outputs.run_id}': gives text; must be a number",
        "task 'c': parameters.mip_gap = 7: must be at most 1; looks like percent, write 0.07",
        "task 'd': headers.X: '${secrets.NOT_SET_X}': the environment variable NOT_SET_X is not set",
        "task 'd': headers.Authorization: a secret must not stand in a file; set an environment variable",
        "task 'd': url = 'ftp://x': must begin with https:// or http://",
        "task 'e': expression = 'parameters.size + 1': gives a whole number; must give true or false",
        "task 'f': condition = 'parameters.sise > 1': '${parameters.sise}': the workflow has no",
        "task 'f': outputs.x = '1 +': cannot be read",
        "task 'g': parameters.seconds: '${tasks.d.outputs.body}': task 'd' does not come before this one; add it to",
        "task 'g': function = 'acts:waitt': module 'acts' has no function 'waitt'; did you mean wait?",
        "task 'h': notebook = '../x.ipynb': must be a file within the project",
        "task 'j': parameters.start: '${secrets.HOME}': secrets are given to tasks of kind http, notify",
        "task 'k': foreach: assets = 'batery': site 'demo' has none of them; did you mean battery?",
    ]
    missing = [one for one in expected if not any(said.startswith(one) for said in found)]
    assert missing == []
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"depends_on": ["self"]}, "depends_on = 'self': a task cannot wait for itself"),
        ({"depends_on": ["firs"]}, "depends_on = 'firs': there is no such task; did you mean first?"),
        ({"depends_on": ["first", "first"]}, "depends_on = 'first': stands there twice"),
        ({"retries": -1}, "retries = -1: must be at least 0"),
        ({"timeout_s": 0}, "timeout_s = 0 s: must be greater than 0 s"),
        ({"timeout": 5}, "timeout: no such field; did you mean timeout_s?"),
        ({"condition": "item == 1"}, "'${item}': has a value only in a task with foreach"),
        ({"condition": "1"}, "condition = '1': gives a whole number; must give true or false"),
        ({"when": "failure"}, "when = 'failure': has no effect without depends_on"),
        ({"title": "${parameters.x}"}, "title = '${parameters.x}': references are not read here"),
        ({"foreach": "a"}, "foreach.values = 'a': must be a list, or a reference to one"),
        ({"foreach": [1, 1]}, "foreach: item '1' stands there twice"),
        ({"foreach": {"sites": ["demo", "dmo"]}}, "did you mean demo?"),
        ({"foreach": {"assets": "battery"}}, "assets and site belong together"),
        ({"foreach": {}}, "say one of: a list of values, assets with site, or sites"),
        ({"foreach": "${parameters.x}"}, "foreach = '${parameters.x}': gives a number; must be a list"),
    ],
)
def test_check__of_a_task(project: Path, task: dict[str, Any], said: str) -> None:
    tasks = [{"id": "first", "kind": "delay", "duration_s": 0}, {**call("self", "double", value=1), **task}]

    found = findings(project, tasks, parameters={"x": 1.5})

    assert len(found) == 1, found
    assert said in found[0]
    assert found[0].startswith("task 'self': ")


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"function": "acts.double"}, "function = 'acts.double'"),
        ({"function": "nowhere_at_all:run"}, "there is no module 'nowhere_at_all'"),
        ({"parameters": {"valeu": 1}}, "has no parameter of this name; did you mean value?"),
        ({"parameters": {}}, "parameters.value: is required by function 'acts:double'"),
        ({"parameters": {"value": "two"}}, "parameters.value = 'two': gives text; must be a number"),
        ({"parameters": {"value": "${parameters.t}"}}, "'${parameters.t}': gives text; must be a number"),
        ({"parameters": {"value": 1, "password": "abc"}}, "a secret must not stand in a file"),
        ({"outputs": {"x": "numbr"}}, "outputs.x = 'numbr': must be"),
    ],
)
def test_check__of_a_function(project: Path, task: dict[str, Any], said: str) -> None:
    found = findings(project, [{**call("one", "double", value=1), **task}], parameters={"t": "text"})

    assert any(said in one for one in found), found


def test_check__runs_nothing_of_a_module(project: Path) -> None:
    (project / "loud.py").write_text("open('was_run', 'w').close()\ndef run():\n    return 1\n")

    load_workflow(write_workflow(project, [{"id": "a", "function": "loud:run"}]))

    assert not (project / "was_run").exists()


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"notebook": "notebooks/dispach.ipynb"}, "did you mean notebooks/dispatch.ipynb?"),
        ({"notebook": "/etc/passwd"}, "must be a file within the project"),
        ({"notebook": "data/series/demo.csv"}, "must end with .ipynb"),
        ({"notebook": "notebooks/dispatch.ipynb", "parameters": {"horizon": 3}}, "did you mean horizon_h?"),
        ({"notebook": "notebooks/dispatch.ipynb", "parameters": {"horizon_h": "x"}}, "gives text; must be a number"),
        ({"notebook": "notebooks/dispatch.ipynb", "outputs": {"x": "number"}}, "is tagged outputs"),
        ({"notebook": "broken.ipynb"}, "cannot be read as a notebook"),
    ],
)
def test_check__of_a_notebook(project: Path, task: dict[str, Any], said: str) -> None:
    (project / "broken.ipynb").write_text(json.dumps([1]))

    found = findings(project, [{"id": "one", **task}])

    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"kind": "http", "url": "https://x:secret@host/"}, "a secret must not stand in a file"),
        ({"kind": "http", "url": "https://x", "method": "FETCH"}, "method = 'FETCH': must be 'GET'"),
        ({"kind": "notify", "text": "a"}, "say either webhook or email"),
        ({"kind": "notify", "text": "a", "webhook": "mailto:x"}, "webhook = 'mailto:x': must begin with"),
        ({"kind": "transform"}, "say either outputs with expressions, or operation"),
        ({"kind": "transform", "operation": "series_of_forecasts"}, "forecasts: is required"),
        ({"kind": "transform", "outputs": {"a": [1]}}, "must be an expression in quotes"),
        ({"kind": "condition"}, "expression: is required"),
        ({"kind": "delay", "duration_s": "soon"}, "duration_s = 'soon': must be seconds"),
        ({"study": "dispatch", "case": "demo", "parameters": {"site": "dmo"}}, "site 'dmo': not in data/sites/"),
        ({"study": "dispatch", "parameters": {"pareto_points": 1}}, "pareto_points = 1: must be 0, or at least 2"),
        ({"notebook": "notebooks/dispatch.ipynb", "study": "dispatch"}, "notebook: no such field"),
        ({}, "kind: is required"),
    ],
)
def test_check__of_other_kinds(project: Path, task: dict[str, Any], said: str) -> None:
    found = findings(project, [{"id": "one", **task}])

    assert len(found) == 1, found
    assert said in found[0]


def test_check__of_a_study_whose_values_come_later_has_no_false_alarms(project: Path) -> None:
    """The horizon and the file are known only when the first task has run; the rest is checked now."""
    tasks = [
        call("first", "double", value=1, outputs={"path": "text", "hours": "number", "names": "list"}),
        {
            "id": "plan",
            "study": "dispatch",
            "case": "demo",
            "depends_on": ["first"],
            "parameters": {
                "series": "${tasks.first.outputs.path}",
                "horizon_h": "${tasks.first.outputs.hours}",
                "start": "${execution.date}T00:00",
                "title": "Plan of ${execution.date}",
            },
        },
        {
            "id": "each",
            "study": "dispatch",
            "case": "demo",
            "depends_on": ["first"],
            "foreach": "${tasks.first.outputs.names}",
            "parameters": {"site": "${item}"},
        },
    ]

    assert load_workflow(write_workflow(project, tasks)).spec.task("plan").kind == "study"


@pytest.mark.parametrize(
    ("parameters", "given", "said"),
    [
        ({"size": 1}, {"siez": 2}, "parameters.siez = 2: the workflow has no such parameter; did you mean size?"),
        ({"n": 1}, {"n": "two"}, "parameters.n = 'two': must be a whole number"),
        ({"n": {"type": "number", "default": "x"}}, {}, "parameters.n: default = 'x': must be a number"),
        ({"n": {"type": "text", "default": "a", "choices": ["a", "b"]}}, {"n": "c"}, "must be one of 'a', 'b'"),
        ({"n": {"type": "nmber", "default": 1}}, {}, "parameters.n: type = 'nmber': must be 'text', 'number'"),
        ({"n-1": 1}, {}, "must be letters, digits and underscores"),
        ({"n": {"type": "number"}}, {}, "parameters.n: is required; give it with -p n=VALUE"),
    ],
)
def test_check__of_parameters(project: Path, parameters: dict[str, Any], given: dict[str, Any], said: str) -> None:
    found = findings(project, [call("a", "double", value=1)], parameters=parameters, given=given)

    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"schedule": {"every": "15 minutes"}}, "schedule: every = '15 minutes': must be a number with its unit"),
        ({"schedule": {"cron": "0 0 * * *", "every": "1h"}}, "say either cron"),
        ({"schedule": {"cron": "0 0 * * *", "timezone": "Europe/Berln"}}, "timezone = 'Europe/Berln'"),
        ({"schedule": {"every": "1h", "missed": "all"}}, "missed = 'all': must be 'run_all', 'run_last' or 'skip'"),
        ({"schedule": {"every": "1h", "start": "2024-01-02T00:00"}}, "start = '2024-01-02T00:00'"),
        ({"trigger": {"files": "/etc/*"}}, "files = '/etc/*': must be a pattern of files within the project"),
        ({"trigger": {"files": "data/../../x"}}, "must be a pattern of files within the project"),
        ({"name": "other"}, "a workflow has the name of its file"),
        ({"timeout_s": -1}, "timeout_s = -1 s: must be greater than 0 s"),
    ],
)
def test_check__of_the_head(project: Path, more: dict[str, Any], said: str) -> None:
    name = write_workflow(project, [call("a", "double", value=1)])
    path = project / "parameters" / "workflows" / f"{name}.yaml"
    path.write_text(path.read_text() + "".join(f"{key}: {json.dumps(value)}\n" for key, value in more.items()))

    with pytest.raises(InvalidInput) as caught:
        load_workflow(name)

    assert len(caught.value.findings) == 1, caught.value.findings
    assert said in caught.value.findings[0]


def test_schedule__is_read(project: Path) -> None:
    """An interval is written with its unit and read in seconds."""
    schedule = {"every": "15min", "start": "2024-06-01T00:00+02:00", "missed": "skip"}
    name = write_workflow(
        project, [call("a", "double", value=1)], schedule=schedule, trigger={"files": "data/in/*.csv"}
    )

    spec = load_workflow(name).spec

    assert spec.schedule is not None
    assert spec.schedule.every_s == 900
    assert spec.schedule.missed == "skip"
    assert spec.trigger is not None
    assert spec.trigger.files == "data/in/*.csv"


def test_check__without_tasks_or_file(project: Path) -> None:
    with pytest.raises(InvalidInput, match="tasks: is required"):
        load_workflow(write_workflow(project, []))
    with pytest.raises(UnknownName, match="did you mean trial"):
        load_workflow("tria")


def test_check__secrets_of_the_environment_are_enough(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cret-value")
    tasks = [{"id": "a", "kind": "http", "url": "https://host/${secrets.API_TOKEN}", "headers": {"X": "a"}}]

    load_workflow(write_workflow(project, tasks))


def test_demo__can_be_run(project: Path) -> None:
    checked = load_workflow("battery-optimization-demo")

    assert checked.spec.title == "Battery Optimization Demo"
    assert [task.id for task in checked.spec.tasks] == ["load", "price", "solar", "series", "dispatch", "saving"]


def test_daily_home__says_which_file_is_missing(project: Path) -> None:
    with pytest.raises(InvalidInput, match=r"series 'data/series/site_fontana_hourly\.csv': there is no such file"):
        load_workflow("daily-home")


@pytest.mark.skipif(not SHARED_HOME.is_file(), reason="the measured series of the home are not beside this checkout")
def test_daily_home__can_be_run_with_its_file(project: Path) -> None:
    assert load_workflow("daily-home", {"series": str(SHARED_HOME)}).spec.schedule is not None
    with pytest.raises(InvalidInput, match="did you mean tariff_usd_kwh"):
        path = project / "parameters" / "workflows" / "daily-home.yaml"
        path.write_text(path.read_text().replace("tariff_usd_kwh", "tarif_usd_kwh"))
        load_workflow("daily-home", {"series": str(SHARED_HOME)})


def test_documentation__shows_what_can_be_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_HOOK", "a-hook-of-a-chat")
    text = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "workflows.md").read_text()
    whole, starts = re.findall(r"```yaml[^\n]*\n(.*?)```", text, re.DOTALL)

    spec = check_workflow(parse_text("shown", whole + starts, "docs/how-to/workflows.md")).spec

    assert [task.kind for task in spec.tasks] == ["study", "transform", "study", "condition", "notify"]
    assert all(f"`{name}`" in text for name in Task.model_fields)
    assert all(f"`{kind}`" in text for kind in TASK_KINDS)
    assert all(name in text for name in FUNCTIONS)
    outputs = [
        *OF_EVERY_STUDY,
        *OF_SERIES,
        *(name for kind in (OF_STUDY, OF_KIND) for one in kind.values() for name in one),
    ]
    assert [name for name in outputs if f"`{name}`" not in text] == []


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.sets(st.integers(0, 7)), min_size=8, max_size=8))
def test_cycle__is_found_where_there_is_one(before: list[set[int]]) -> None:
    """What is named as a cycle is one; where none is named, the tasks can be put in order."""
    tasks = [
        DelayTask(id=f"t{number}", duration_s=0, depends_on=[f"t{other}" for other in sorted(others)])
        for number, others in enumerate(before)
    ]

    found = cycle_in(tasks)

    waits = {task.id: set(task.depends_on) for task in tasks}
    if found is None:
        assert len(list(TopologicalSorter(waits).static_order())) == 8
        order = [task.id for layer in layers_of(WorkflowSpec(name="any", tasks=tasks)) for task in layer]
        upstream = upstream_of(tasks)
        assert all(order.index(other) < order.index(name) for name in order for other in upstream[name])
    else:
        assert found[0] == found[-1]
        assert all(after in waits[name] for name, after in pairwise(found))
