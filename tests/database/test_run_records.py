from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ems.database.engine import connect, reading, writing
from ems.database.optimizations import jobs_of
from ems.database.records import RUNS, Run
from ems.database.run_id import new_run_id
from ems.database.runs import (
    cancel_run,
    complete_run,
    fail_run,
    get_run,
    list_runs,
    mark_interrupted,
    note_run,
    open_run,
    start_run,
)
from ems.errors import DatabaseProblem, UnknownName
from ems.folders import is_slug

WORKER = """
import sys, time
import datetime as dt
from ems.database.engine import connect
from ems.database.optimizations import store_optimization
from ems.database.records import OptimizationAsset, OptimizationJob, Run
from ems.database.runs import open_run, start_run

engine = connect(sys.argv[1])
open_run(engine, Run(id="r1", study="dispatch", case_name="demo", title="Demo"))
start_run(engine, "r1")
job = OptimizationJob(id="j1", run_id="r1", optimization_type="dispatch", objective="cost", solver="highs",
                      status="optimal", objective_value=1.0)
asset = OptimizationAsset(job_id="j1", asset_id="b1", kind="battery", name="B", site_id="s", spec={})
row = {"time": dt.datetime(2024, 6, 1), "asset_id": "b1", "step_h": 1.0, "injection_kw": 0.0, "cost": 0.0}
store_optimization(engine, job, [asset], [row], [{"owner_id": "b1", "cost_type": "energy", "cost": 1.0}])
print("stored", flush=True)
time.sleep(60)
"""


def a_run(run_id: str = "r1", **fields: object) -> Run:
    return Run(**{"id": run_id, "study": "dispatch", "case_name": "demo", "title": "Demo", **fields})


def count(engine: sa.Engine, table: str) -> int:
    with reading(engine) as connection:
        found: int = connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
        return found


def test_new_run_id__sorts_by_time_and_is_a_slug():
    """07:30 UTC is 09:30 in Berlin in summer; two runs of one second differ."""
    berlin = dt.timezone(dt.timedelta(hours=2))
    moment = dt.datetime(2024, 6, 1, 9, 30, tzinfo=berlin)
    assert new_run_id(moment).startswith("20240601-073000-")
    assert is_slug(new_run_id())
    assert new_run_id(moment) != new_run_id(moment)
    assert new_run_id(moment) < new_run_id(moment + dt.timedelta(seconds=1))


def test_run__from_opening_to_completion(engine: sa.Engine):
    opened = open_run(engine, a_run(parameters={"horizon_h": 24}, title="Häfen 🚢"))
    assert (opened.status, opened.host, opened.process_id) == ("pending", socket.gethostname(), os.getpid())
    assert opened.started_at is None

    started = start_run(engine, "r1", psutil.Process(os.getppid()))
    assert (started.status, started.process_id) == ("running", os.getppid())
    note_run(engine, "r1", notes=["gaps filled"], inputs=[{"path": "a.csv", "sha256": "00"}], versions={"ems": "0.1"})
    note_run(engine, "r1", notes=["gaps filled", "tariff of 2023"], versions={"numpy": "2"}, headline=[["x", "1 EUR"]])
    done = complete_run(engine, "r1", report_path="reports/dispatch/r1.html", headline=[("Cost", "12.30 EUR")])

    assert done == get_run(engine, "r1")
    assert done.status == "completed"
    assert done.notes == ("gaps filled", "tariff of 2023")
    assert done.inputs == ({"path": "a.csv", "sha256": "00"},)
    assert done.versions == {"ems": "0.1", "numpy": "2"}
    assert done.headline == (("Cost", "12.30 EUR"),)
    assert done.report_path == "reports/dispatch/r1.html"
    assert done.parameters == {"horizon_h": 24}
    assert done.created_at <= done.started_at <= done.finished_at
    assert done.finished_at.tzinfo is dt.UTC


# Category C are control characters, halves of pairs and unassigned ones, which people do not type.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30) | st.sampled_from(
    [
        "🚢🔋",
        "مرحبا بالعالم",
        "\u202eright to left\u202c",
        "O'Brien",
        '"; DROP TABLE runs; --',
        "100 %",
        "a_b",
        "\\",
        "",
    ]
)


def _is_no_address(text: str) -> bool:
    return "://" not in text


# Beyond 1e22 PostgreSQL's JSON writes a number's digits out, and Python reads them as a whole number.
# An address may hold a password, which is not kept.
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15) | TEXT.filter(_is_no_address)
PARAMETERS = st.dictionaries(
    TEXT.filter(lambda key: "=" not in key and "://" not in key),
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3)),
    max_size=4,
)


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parameters=PARAMETERS)
def test_open_run__parameters_come_back(engine: sa.Engine, parameters: dict[str, object]):
    """Any text a person may type, and any number, is read back as it was given."""
    run_id = new_run_id()
    assert open_run(engine, a_run(run_id, parameters=parameters)).parameters == parameters
    assert get_run(engine, run_id).parameters == parameters


def test_open_run__secrets_are_not_kept(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARKET_TOKEN", "tok-4711")
    kept = open_run(
        engine, a_run(parameters={"url": "postgresql://a:geheim@db/x", "nested": [{"header": "Bearer tok-4711"}]})
    )
    assert kept.parameters == {"url": "postgresql://a:***@db/x", "nested": [{"header": "Bearer ***"}]}
    failed = fail_run(engine, "r1", "\x1b[31mcannot reach postgresql://a:geheim@db/x with tok-4711\x1b[0m\x00")
    assert failed.error == "cannot reach postgresql://a:***@db/x with ***\ufffd"
    with reading(engine) as connection:
        everything = str(connection.execute(sa.select(RUNS)).all())
    assert "geheim" not in everything
    assert "4711" not in everything


def test_open_run__id_twice(engine: sa.Engine):
    open_run(engine, a_run())
    with pytest.raises(DatabaseProblem, match="refused a row"):
        open_run(engine, a_run())


def test_get_run__unknown(engine: sa.Engine):
    with pytest.raises(UnknownName, match="run 'r1': is not in the database; none is known"):
        get_run(engine, "r1")
    open_run(engine, a_run("20240601-073000-k3f9x2"))
    with pytest.raises(UnknownName, match="did you mean 20240601-073000-k3f9x2"):
        get_run(engine, "20240601-073000-k3f9x")


def test_fail_run__long_error_keeps_both_ends(engine: sa.Engine):
    """20,000 characters do not fit into 10,000: where it began and what it said last are kept."""
    open_run(engine, a_run())
    error = fail_run(engine, "r1", "start" + "x" * 20_000 + "end").error
    assert len(error) <= 10_000
    assert error.startswith("start")
    assert error.endswith("end")


def test_fail_run__first_reason_stands(engine: sa.Engine):
    open_run(engine, a_run())
    first = fail_run(engine, "r1", "no schedule")
    assert fail_run(engine, "r1", "kernel died") == first


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
def test_run__late_process_cannot_revive_an_ended_run(engine: sa.Engine, ending: str):
    open_run(engine, a_run())
    start_run(engine, "r1")
    ends = {"completed": complete_run, "failed": lambda *a: fail_run(*a, "stopped"), "cancelled": cancel_run}
    ended = ends.pop(ending)(engine, "r1")
    late = [start_run, lambda *a: note_run(*a, notes=["late"]), complete_run, *ends.values()]
    for change in late:
        with pytest.raises(DatabaseProblem, match=f"run r1 is {ending}; this needs a run that is"):
            change(engine, "r1")
    assert get_run(engine, "r1") == ended


def test_complete_run__not_started(engine: sa.Engine):
    open_run(engine, a_run())
    with pytest.raises(DatabaseProblem, match="run r1 is pending; this needs a run that is running"):
        complete_run(engine, "r1")


def test_list_runs__newest_first_by_pages(engine: sa.Engine):
    """Five runs, two of them in the same moment: pages of two show each once."""
    start = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    for name, minutes in (("a", 0), ("b", 1), ("c", 1), ("d", 2), ("e", 3)):
        open_run(engine, a_run(name, created_at=start + dt.timedelta(minutes=minutes)))
    seen: list[str] = []
    while page := list_runs(engine, limit=2, before=seen[-1] if seen else None):
        seen += [run.id for run in page]
    assert seen == ["e", "d", "c", "b", "a"]


def test_list_runs__filters_by_equality(engine: sa.Engine):
    """A study or status is compared as a whole: % and _ stand for themselves."""
    open_run(engine, a_run("a", study="dispatch"))
    open_run(engine, a_run("b", study="dis_atch"))
    fail_run(engine, "b", "x")
    assert [run.id for run in list_runs(engine, study="dis_atch")] == ["b"]
    assert [run.id for run in list_runs(engine, status="failed")] == ["b"]
    assert [run.id for run in list_runs(engine, study="dispatch", status="failed")] == []
    assert list_runs(engine, study="%") == []


def test_mark_interrupted__process_killed(database_url: str, tmp_path: Path):
    """A process killed with -9 after storing results: the run is failed, says why, and no results remain."""
    from ems.database.migrate import upgrade

    upgrade(database_url)
    engine = connect(database_url)
    worker = subprocess.Popen([sys.executable, "-c", WORKER, database_url], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "stored\n"
    assert count(engine, "optimization_results") == 1
    assert mark_interrupted(engine) == []

    worker.send_signal(signal.SIGKILL)
    while psutil.Process(worker.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    interrupted = mark_interrupted(engine)  # the killed process is still in the list of processes, as a zombie
    worker.communicate()

    assert [run.id for run in interrupted] == ["r1"]
    run = get_run(engine, "r1")
    assert run == interrupted[0]
    assert run.status == "failed"
    assert run.error == f"interrupted: process {worker.pid} on host {socket.gethostname()} ended before the run did"
    for table in ("results", "costs", "assets"):
        assert count(engine, f"optimization_{table}") == 0
    (job,) = jobs_of(engine, "r1")
    assert (job.status, job.error) == ("failed", run.error)
    assert mark_interrupted(engine) == []
    engine.dispose()


def test_mark_interrupted__number_given_to_another_process(engine: sa.Engine):
    """A living process of that number which started an hour later is not the run's."""
    open_run(engine, a_run("mine"))
    open_run(engine, a_run("before"))
    open_run(engine, a_run("elsewhere"))
    earlier = get_run(engine, "before").process_started_at - dt.timedelta(hours=1)
    with writing(engine) as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == "before").values(process_started_at=earlier))
        connection.execute(sa.update(RUNS).where(RUNS.c.id == "elsewhere").values(host="other", process_id=4_000_000))
    assert [run.id for run in mark_interrupted(engine)] == ["before"]
    assert {run.id: run.status for run in list_runs(engine)} == {
        "mine": "pending",
        "before": "failed",
        "elsewhere": "pending",
    }
