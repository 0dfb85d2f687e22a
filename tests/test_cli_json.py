"""``--json``: one document on stdout for every command that has it; messages go to stderr."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from click.testing import CliRunner
from command_tree import walk
from project_fixtures import DemoRun

from ems.cli import commands
from ems.cli.as_json import figures_of, plain
from ems.database.engine import connect
from ems.database.forecasts import forecast_job, store_forecast
from ems.forecast import store
from ems.forecast.forecaster import fit_forecaster
from ems.forecast.history import History
from ems.forecast.recipe import recipe_of

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(?P<zone>Z|[+-]\d\d:\d\d)?\Z")
TELLS_MOMENT = ("_at", "begin", "end", "time", "issued_at")
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def told(demo_run: DemoRun, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """A function that calls a command with --json in a project where there is something of everything."""
    folder = demo_run.copy(tmp_path_factory.mktemp("json") / "project")
    tasks = [{"id": "sum", "kind": "transform", "outputs": {"total": "1 + 1"}}]
    trial = {"title": "Trial", "tasks": tasks, "schedule": {"every": "1h"}}
    (folder / "parameters/workflows/trial.yaml").write_text(yaml.safe_dump(trial))
    (folder / "parameters/sweeps/one.yaml").write_text("case: demo\ngrid: {horizon_h: [12]}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMS_PROJECT", str(folder))
        patch.delenv("EMS_DATABASE_URL", raising=False)
        patch.chdir(folder)
        _keep_a_forecast_and_a_model()
        for words in (
            "assets import data/sites/harbour.yaml",
            "series import data/series/demo.csv --meter demo-main --column demand_kw --variable demand_kw",
        ):
            done = CliRunner().invoke(commands, words.split())
            assert done.exit_code == 0, done.output

        def call(words: str, code: int = 0) -> Any:
            done = CliRunner().invoke(commands, [*words.split(), "--json"])
            assert done.exit_code == code, done.output
            return json.loads(done.stdout, parse_constant=_refused)

        yield call


def _keep_a_forecast_and_a_model() -> None:
    index = pd.date_range("2024-01-01", periods=30 * 24, freq="h", unit="ns")
    history = History(
        "demand_kw", index, 10 + np.sin(np.arange(len(index)) * np.pi / 12), timezone="UTC", asset="hall"
    )
    fitted = fit_forecaster(history, recipe_of("seasonal_naive", {}), warm_up_days=6)
    store.promote(store.save(fitted, "hall", {"mae": 1.5, "mape": None}).id)
    dataset = xr.Dataset(
        {"demand_kw": (("time", "quantile"), [[1, 2, np.nan]], {"units": "kW"})},
        coords={
            "time": pd.DatetimeIndex(["2024-06-01T22:00"]),
            "quantile": [0.1, 0.5, 0.9],
            "issued_at": np.datetime64("2024-06-01T10:00"),
        },
        attrs={"kind": "load", "model": "ridge", "timezone": "Europe/Berlin", "step_h": 1.0},
    )
    store_forecast(connect(), forecast_job(dataset, id="f1", metrics={"mae": 1.5}), dataset)


def _refused(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


CALLS = {
    "assets alarms": "--level info",
    "assets groups": "",
    "assets history": "--limit 5",
    "assets import": "data/sites/demo.yaml --dry-run",
    "assets list": "--limit 3",
    "assets maintenance due": "--days 3650",
    "assets maintenance list": "",
    "assets new": "load --id hoist --site harbour -s rated_load_kw=250",
    "assets outage": "cranes",
    "assets show": "cranes",
    "assets sites": "",
    "assets status": "",
    "assets templates": "battery",
    "assets update": "cranes rated_load_kw=260",
    "batch": "dispatch one --workers 1",
    "batches list": "",
    "batches show": "{batch}",
    "db status": "",
    "db upgrade": "",
    "doctor": "",
    "executions list": "",
    "executions show": "{execution}",
    "forecasts list": "",
    "forecasts show": "f1",
    "models compare": "hall",
    "models list": "",
    "models show": "hall",
    "run": "dispatch demo --quiet",
    "runs diff": "{run} {run}",
    "runs list": "",
    "runs replay": "{run} --quiet",
    "runs show": "{run}",
    "schedule next": "",
    "series import": "data/series/demo.csv --series demo-main-demand_kw --column demand_kw --dry-run",
    "series list": "",
    "series show": "demo-main-demand_kw",
    "solvers": "",
    "workflow list": "",
    "workflow run": "trial --quiet",
    "workflow show": "trial",
    "workflow validate": "trial",
}
"""Arguments by command; what others have to be called for stands in braces."""
ELSEWHERE = {
    "init": "needs no project: test_new_project",
    "executions resume": "resumes what was stopped: test_cli_workflow",
    "runs log": "one object a line: test_cli_runs",
    "workflow trigger": "goes on in the background: test_cli_workflow",
}


def test_json__is_called_for_each_command_that_has_it() -> None:
    have = {
        way.removeprefix("ems ") for way, command in walk() if any(one.name == "as_json" for one in command.params)
    }

    assert have == {*CALLS, *ELSEWHERE} & {way.removeprefix("ems ") for way, _ in walk()}


@pytest.mark.parametrize("way", CALLS)
def test_json__is_one_document_with_moments_in_utc(told: Call, demo_run: DemoRun, way: str) -> None:
    names = {"run": demo_run.report.stem}
    if "{batch}" in CALLS[way]:
        told(f"batch {CALLS['batch']}")
        names["batch"] = told("batches list")[0]["id"]
    if "{execution}" in CALLS[way]:
        told("workflow run trial --quiet")
        names["execution"] = told("executions list")[0]["id"]

    document = told(f"{way} {CALLS[way].format(**names)}".strip())

    for name, moment in _moments(document):
        zone = MOMENT.match(moment)["zone"]
        assert zone == "Z", f"{name}: {moment}"


def _moments(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Return the names and values of moments; parameters and inputs keep what a person has written."""
    if isinstance(value, dict):
        inner = [(key, one) for key, one in value.items() if key not in ("parameters", "given", "spec")]
        return [found for key, one in inner for found in _moments(one, key)]
    if isinstance(value, list):
        return [found for one in value for found in _moments(one, name)]
    is_moment = isinstance(value, str) and name.endswith(TELLS_MOMENT) and MOMENT.match(value)
    return [(name, value)] if is_moment else []


def test_json__a_run_gives_figures_with_units(told: Call, demo_run: DemoRun) -> None:
    one = told(f"runs show {demo_run.report.stem}")

    figures = {row["label"]: (row["value"], row["unit"]) for row in one["headline"]}
    assert figures["Saving"] == (3.41, "EUR")
    assert figures["Proof"] == (None, None)
    assert one["optimizations"][0]["settled_cost"] == pytest.approx(figures["Total cost"][0], abs=0.005)


def test_json__what_is_not_defined_is_null(told: Call) -> None:
    assert told("forecasts show f1")["values"][0]["quantiles"] == {"0.1": 1, "0.5": 2, "0.9": None}
    assert told("models show hall")["scores"] == {"mae": 1.5, "mape": None}


def test_json__a_fault_is_said_on_stderr_alone(told: Call) -> None:
    done = CliRunner().invoke(commands, ["runs", "show", "20240101-000000-aaaaaa", "--json"])

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")


def test_plain__moments_numbers_and_what_json_lacks() -> None:
    moment = dt.datetime(2024, 6, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2)))

    assert plain({"a": moment, 1: (np.float32(0.5), np.int64(3), math.inf), "d": dt.date(2024, 6, 1)}) == {
        "a": "2024-06-01T00:00:00Z",
        "1": [0.5, 3, None],
        "d": "2024-06-01",
    }
    with pytest.raises(TypeError, match="set has no form in JSON"):
        plain({1})


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,203.41 EUR (2.5%)", 1203.41, "EUR"),
        ("-3.5 EUR", -3.5, "EUR"),
        ("88 %", 88, "%"),
        ("71%", 71, "%"),
        ("412.5 kW at 18:00", 412.5, "kW"),
        ("0.53 s of CPU", 0.53, "s"),
        ("12", 12, None),
        ("2 of 8", None, None),
        ("80 kWh, 40 kW", None, None),
        ("none", None, None),
        ("2026-03-27 00:00, 24 h", None, None),
    ],
)
def test_figures__numbers_with_units_are_read_and_words_are_not(
    text: str, value: float | None, unit: str | None
) -> None:
    assert figures_of([("Figure", text)]) == [{"label": "Figure", "text": text, "value": value, "unit": unit}]
