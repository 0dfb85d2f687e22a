"""Two runs compared, and the difference of their costs in parts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from recorded_runs import recorded_run

from ems.batch.watch.diff import differences
from ems.batch.watch.explain import explain, settled_cost
from ems.cli.runs_diff import diff
from ems.database.engine import connect
from ems.database.records import Run
from ems.database.runs import note_run, open_run
from ems.errors import InvalidInput
from ems.studies.dispatch import DispatchStudy


@pytest.fixture
def engine(project: Path) -> Iterator[sa.Engine]:
    engine = connect()
    yield engine
    engine.dispose()


def test_differences__equal_runs_have_none(engine: sa.Engine) -> None:
    run = recorded_run(engine, horizon_h=6)

    assert differences(engine, run, run) == []


def test_differences__names_each_kind(engine: sa.Engine, project: Path) -> None:
    """24 h cost 135.08 EUR and 12 h 56.65 EUR; the file of series has got a line more in between."""
    a = recorded_run(engine)
    series = project / "data" / "series" / "demo.csv"
    series.write_text(series.read_text() + "\n")
    b = recorded_run(engine, horizon_h=12, title="Morning")

    found = {(one.of, one.name): one for one in differences(engine, a, b)}

    of_parameters = [name for of, name in found if of == "parameter"]
    assert of_parameters == ["title", "horizon_h"]
    assert found["parameter", "horizon_h"].change == -12
    assert found["parameter", "horizon_h"].unit == "h"
    assert found["input", "data/series/demo.csv"].a != found["input", "data/series/demo.csv"].b
    assert ("input", "data/sites/demo.yaml") not in found
    assert found["result", "Total cost"].a == "135.08 EUR"
    assert found["result", "settled_cost"].change == pytest.approx(56.6540759 - 135.0821519, abs=1e-6)
    assert found["result", "settled_cost"].unit == "EUR"
    assert not any(of == "version" for of, _ in found)


def test_differences__of_another_study_and_of_notes(engine: sa.Engine) -> None:
    a = open_run(engine, Run(id="a", study="dispatch", case_name="demo", title="A"))
    b = open_run(engine, Run(id="b", study="tariffs", case_name="demo", title="B", parameters={"site": "bakery"}))
    a = note_run(engine, a.id, notes=["a gap was filled"])

    found = {(one.of, one.name): (one.a, one.b) for one in differences(engine, a, b)}

    assert found["run", "study"] == ("dispatch", "tariffs")
    assert found["parameter", "site"] == (None, "bakery")
    assert found["note", "only A"] == ("a gap was filled", None)


def test_explain__parts_sum_to_the_difference(engine: sa.Engine) -> None:
    """Parameters change in the order of the study's fields; a case of its own gives each cost."""
    a = recorded_run(engine)
    b = recorded_run(engine, horizon_h=12, step_h=0.5, title="Morning", start="2024-06-03T06:00")

    explained = explain(engine, a, b)

    assert [step.parameters for step in explained.steps] == [("title",), ("start",), ("horizon_h",), ("step_h",)]
    title, start, horizon, step = explained.steps
    assert title.change == 0
    assert start.cost_after == pytest.approx(settled_cost(DispatchStudy(start="2024-06-03T06:00")), abs=1e-9)
    assert (horizon.a, horizon.b) == ((24.0,), (12.0,))
    assert step.cost_after == pytest.approx(explained.cost_b, abs=1e-6)
    parts = [*(one.change for one in explained.steps), explained.other]
    assert math.fsum(parts) == pytest.approx(explained.cost_b - explained.cost_a, abs=1e-9)
    assert explained.other == pytest.approx(0, abs=1e-6)
    assert abs(horizon.change) > 1


def test_explain__parameters_that_cannot_change_alone_go_together(engine: sa.Engine) -> None:
    """Periods of a market have no meaning without procurement, so that both change in one step."""
    a = recorded_run(engine, site="dairy", horizon_h=4, optimization_type="procurement", market_period_h=2)
    b = recorded_run(engine, site="dairy", horizon_h=4)

    (step,) = explain(engine, a, b).steps

    assert step.parameters == ("optimization_type", "market_period_h")
    assert step.a == ("procurement", 2.0)
    assert step.b == ("battery_dispatch", 1.0)


def test_explain__changed_file_is_a_part_of_its_own(engine: sa.Engine, project: Path) -> None:
    """Energy at twice the price after run A: what that did is no parameter's doing."""
    a = recorded_run(engine, horizon_h=6)
    site = project / "data" / "sites" / "demo.yaml"
    site.write_text(site.read_text().replace("import_price_per_kwh: 0.12", "import_price_per_kwh: 0.24"))
    b = recorded_run(engine, horizon_h=5)

    explained = explain(engine, a, b)

    (step,) = explained.steps
    assert step.cost_before == pytest.approx(settled_cost(DispatchStudy(horizon_h=6)), abs=1e-9)
    assert abs(explained.other) > 1
    assert step.change + explained.other == pytest.approx(explained.difference, abs=1e-9)


def test_explain__only_of_schedules(engine: sa.Engine) -> None:
    a = recorded_run(engine, horizon_h=2)
    without = open_run(engine, Run(id="b", study="dispatch", case_name="demo", title="B"))
    other = open_run(engine, Run(id="c", study="tariffs", case_name="demo", title="C"))

    with pytest.raises(InvalidInput, match="run b: has no schedule whose cost could be explained; it is pending"):
        explain(engine, a, without)
    with pytest.raises(InvalidInput, match="only costs of a dispatch can be explained"):
        explain(engine, a, other)


def test_command__table_of_parts(engine: sa.Engine, project: Path) -> None:
    """A day costs 135.08 EUR, its first half 56.65 EUR."""
    a, b = recorded_run(engine), recorded_run(engine, horizon_h=12)

    lines = CliRunner().invoke(diff, [a.id, b.id, "--explain"]).stdout.splitlines()

    assert [line.split() for line in lines if line.startswith("parameter")] == [
        ["parameter", "horizon_h", "24", "h", "12", "h", "-12"]
    ]
    assert [line.split() for line in lines[-4:]] == [
        ["cost", "of", "run", "A", "135.08"],
        ["horizon_h", "24", "->", "12", "-78.43", "56.65"],
        ["files,", "versions,", "tolerance", "+0.00"],
        ["cost", "of", "run", "B", "-78.43", "56.65"],
    ]
