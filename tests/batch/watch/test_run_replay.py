"""Runs repeated from their records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import sqlalchemy as sa
from project_fixtures import DemoRun, run_ems
from recorded_runs import recorded_run

from ems.batch.watch.replay import are_equal, differing_results, replay_of
from ems.database.engine import connect
from ems.database.records import Run
from ems.database.runs import cancel_run, complete_run, fail_run, list_runs, note_run, open_run, start_run
from ems.errors import InvalidInput


@pytest.fixture
def engine(project: Path) -> Iterator[sa.Engine]:
    engine = connect()
    yield engine
    engine.dispose()


def test_replay__demo_has_the_same_result(demo_run: DemoRun, tmp_path: Path) -> None:
    folder = demo_run.copy(tmp_path / "project")

    done = run_ems(folder, "runs", "replay", demo_run.report.stem)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f" repeats run {demo_run.report.stem} and has the same result\n")
    engine = connect(f"sqlite:///{folder}/data/ems.sqlite")
    new, old = list_runs(engine)
    assert new.parameters == old.parameters
    assert new.inputs == old.inputs
    assert (new.study, new.case_name) == (old.study, old.case_name)
    engine.dispose()


def test_replay__changed_input_is_refused_unless_anyway(engine: sa.Engine, project: Path) -> None:
    run = recorded_run(engine, horizon_h=2)
    series = project / "data" / "series" / "demo.csv"
    series.write_text(series.read_text().replace("19.00", "91.00"))

    refused = run_ems(project, "runs", "replay", run.id)

    assert refused.returncode == 2
    assert "data/series/demo.csv has changed: its SHA-256 was " in refused.stderr
    assert "--anyway" in refused.stderr
    assert len(list_runs(engine)) == 1

    path = project / "notebooks" / "dispatch.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(2, nbformat.v4.new_code_cell("raise ValueError('too hot')"))
    nbformat.write(notebook, path)

    done = run_ems(project, "runs", "replay", run.id, "--anyway", "--quiet")

    assert done.returncode == 1, done.stderr
    assert "note: data/series/demo.csv has changed" in done.stderr
    differs = "differs from it:\n  the run was completed, now it is failed (ValueError: too hot)\n"
    assert done.stdout.endswith(f" repeats run {run.id} and {differs}")


def test_replay_of__file_that_is_gone_and_other_versions(engine: sa.Engine, project: Path) -> None:
    run = recorded_run(engine, horizon_h=2)
    (project / "data" / "series" / "demo.csv").unlink()

    plan = replay_of(run.replace(versions={**run.versions, "pandas": "0.1"}))

    assert plan.changed_inputs == ("data/series/demo.csv is not there any more",)
    assert plan.notes == (f"pandas was 0.1, now it is {run.versions['pandas']}",)
    assert plan.case.given == {"horizon_h": 2.0}
    with pytest.raises(InvalidInput, match="is not there any more; put back what the run read"):
        plan.require_same_inputs()


def test_replay_of__another_file_would_be_read(engine: sa.Engine, project: Path) -> None:
    run = recorded_run(engine, horizon_h=2)

    plan = replay_of(run.replace(inputs=run.inputs[:1]))

    assert plan.changed_inputs == ("data/series/demo.csv would be read now; the run did not read it",)


def test_replay_of__runs_without_a_result(engine: sa.Engine) -> None:
    running, cancelled = (open_run(engine, Run(id=id_, study="dispatch", case_name="demo", title=id_)) for id_ in "ab")
    cancelled = cancel_run(engine, cancelled.id)

    with pytest.raises(InvalidInput, match="run a: is pending; wait until it has ended: ems runs log a --follow"):
        replay_of(running)
    with pytest.raises(InvalidInput, match=r"run b: was cancelled.*run it anew: ems run dispatch demo"):
        replay_of(cancelled)


def test_replay_of__parameter_that_is_not_known_any_more(engine: sa.Engine) -> None:
    run = recorded_run(engine, horizon_h=2)

    with pytest.raises(InvalidInput, match=f"in the record of run {run.id}: horizon_hours: no such field"):
        replay_of(run.replace(parameters={"horizon_hours": 2}))


def test_differing_results__compares_costs_and_headline(engine: sa.Engine) -> None:
    """Two hours of the night cost less than three."""
    first, same, other = (recorded_run(engine, horizon_h=hours) for hours in (2, 2, 3))

    assert differing_results(engine, first, same) == []
    found = differing_results(engine, first, other)
    assert any(one.startswith("Total cost was ") for one in found)
    assert any(one.startswith("settled_cost was ") and one.endswith(" EUR") for one in found)


def test_differing_results__failures_and_times(engine: sa.Engine) -> None:
    """Two failures with one reason are equal; what this machine's pace was is no result."""
    failed = [open_run(engine, Run(id=f"f{n}", study="dispatch", case_name="demo", title="F")) for n in range(3)]
    failed = [fail_run(engine, one.id, reason) for one, reason in zip(failed, ("a", "a", "b"), strict=True)]
    tests = [open_run(engine, Run(id=f"t{n}", study="backtest", case_name="demo", title="T")) for n in range(2)]
    for one, seconds in zip(tests, ("0.10 s of CPU", "0.12 s of CPU"), strict=True):
        start_run(engine, one.id)
        note_run(engine, one.id, headline=[("Best model", "ets"), ("Cost of a forecast", seconds)])
    tests = [complete_run(engine, one.id) for one in tests]

    assert differing_results(engine, failed[0], failed[1]) == []
    assert differing_results(engine, failed[0], failed[2]) == ["it failed with: a; now with: b"]
    assert differing_results(engine, tests[0], failed[0]) == ["the run was completed, now it is failed (a)"]
    assert differing_results(engine, *tests) == []


def test_are_equal__within_a_millionth() -> None:
    assert are_equal(1000.0, 1000.0005)
    assert not are_equal(1000.0, 1000.01)
    assert are_equal(None, None)
    assert not are_equal(None, 0.0)
