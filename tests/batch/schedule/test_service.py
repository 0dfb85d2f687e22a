from __future__ import annotations

import datetime as dt
import os
import signal
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from schedule_world import BEGIN, Work, World, embedded, make_small_project, remembered

from ems.batch.schedule.starts import Start
from ems.database.engine import writing
from ems.database.schedules import schedule_states
from ems.database.workflow_records import WORKFLOW_EXECUTIONS
from ems.database.workflows import list_executions

EACH_MINUTE = "schedule: {every: 1min, missed: run_all}"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    project = make_small_project(tmp_path / "project", monkeypatch)
    return World(project, remembered())


@pytest.fixture
def world_with_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    project = make_small_project(tmp_path / "project", monkeypatch)
    return World(project, embedded(project))


@pytest.fixture
def world_of_each_database(tmp_path: Path, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(make_small_project(tmp_path / "project", monkeypatch), engine)


def test_service__starts_each_time_once(world_of_each_database: World) -> None:
    world = world_of_each_database
    world.write("minutely", EACH_MINUTE)

    world.go(190)

    assert world.started() == ["01. 12:01:00", "01. 12:02:00", "01. 12:03:00"]
    assert world.said[0] == "minutely: starts every 60 s"
    assert world.said[1].startswith("minutely: started for 2026-05-01 12:01 UTC, as execution 20260501-120100-")
    assert world.said[2] == "minutely: completed after 0 s"
    (state,) = schedule_states(world.engine)
    assert state.handled_until is not None
    assert state.handled_until >= BEGIN + dt.timedelta(seconds=180)
    found = list_executions(world.engine)
    assert [one.trigger for one in found] == ["schedule"] * 3
    assert {one.status for one in found} == {"completed"}


@pytest.mark.parametrize(
    ("missed", "started", "skipped"),
    [
        ("run_all", ["12:01:00", "12:02:00", "12:03:00", "12:04:00"], []),
        ("run_last", ["12:04:00"], ["3 times from 2026-05-01 12:01 UTC to 2026-05-01 12:03 UTC"]),
        ("skip", [], ["4 times from 2026-05-01 12:01 UTC to 2026-05-01 12:04 UTC"]),
    ],
)
def test_service__machine_that_slept(world: World, missed: str, started: list[str], skipped: list[str]) -> None:
    world.write("some", f"schedule: {{cron: '1-4 12 * * *', missed: {missed}}}")
    world.go(3)

    world.sleep(600)
    world.go(20)

    assert world.started() == [f"01. {one}" for one in started]
    wanted = [f"skipped {one}: nothing looked after the schedule then (missed: {missed})" for one in skipped]
    assert world.skipped() == wanted
    assert [one for one in world.said if "skipped" in one] == [f"some: {one}" for one in wanted]


def test_service__skip_takes_a_time_that_passed_just_now(world: World) -> None:
    world.write("some", "schedule: {every: 1min, missed: skip}")
    world.go(3)

    world.sleep(200)  # until 12:03:23; 12:03 is late by less than a minute
    world.go(10)

    assert world.started() == ["01. 12:03:00"]
    assert "skipped 2 times" in world.skipped()[0]


def test_service__restart_catches_up(world_of_each_database: World) -> None:
    """A service that was away for four minutes starts what it missed, and nothing twice."""
    world = world_of_each_database
    world.write("minutely", EACH_MINUTE)
    world.go(70)
    world.service._release()

    world.sleep(240)
    world.go(30, world.new_service())

    assert world.started() == [f"01. 12:0{k}:00" for k in range(1, 6)]


def test_service__killed_while_work_runs(world: World) -> None:
    """The next service waits for what the killed one had started, and starts nothing twice."""
    world.write("minutely", EACH_MINUTE)
    world.takes_s = 30
    world.go(61)
    assert world.started() == ["01. 12:01:00"]

    after = world.new_service()
    world.service.tools.ledger.release([one.lease for one in world.service.lanes.values() if one.lease])
    world.go(70, after)
    assert len(world.works) == 1
    assert any("waits until execution" in one for one in world.said)
    world.works[0].poll()
    world.go(40, after)

    assert world.started() == ["01. 12:01:00", "01. 12:02:00"]


def test_service__killed_between_keeping_and_beginning(world: World) -> None:
    """An execution that waits in the database is begun by the next service, once."""
    world.write("minutely", EACH_MINUTE)
    world.go(59)

    def killed(_workflow: str, _execution_id: str) -> Work:
        raise KeyboardInterrupt

    world.service.tools = replace(world.service.tools, start=killed)
    for lane in world.service.lanes.values():
        lane.tools = world.service.tools
    with pytest.raises(KeyboardInterrupt):
        world.go(5)
    world.service._release()
    world.go(30, world.new_service())

    assert world.started() == ["01. 12:01:00"]
    assert "which was kept before" in world.said[-2]
    assert world.works[0].execution.status == "completed"


def test_service__two_copies_start_each_time_once(world_of_each_database: World) -> None:
    """The second copy waits with the lease of the first; when that falls silent, it goes on."""
    world = world_of_each_database
    world.write("minutely", EACH_MINUTE)
    first, second = world.new_service(lease_s=30), world.new_service(lease_s=30)
    for _ in range(70):
        world.go(0.5, first)
        world.go(0.5, second)
    assert any("another copy of the service looks after its schedule" in one for one in world.said)
    assert world.started() == ["01. 12:01:00"]

    world.go(120, second)

    assert len(set(world.started())) == len(world.started())
    assert world.started() == [f"01. 12:0{k}:00" for k in range(1, 4)]
    before = len(world.works)
    world.go(0.5, first)  # the first comes back, and learns that it lost its lease
    assert len(world.works) == before


def test_service__copy_that_does_not_know_that_it_lost_its_lease(world_of_each_database: World) -> None:
    """Both copies mean to look after the schedule at 12:01; the database takes one execution."""
    world = world_of_each_database
    world.write("minutely", EACH_MINUTE)
    first, second = world.service, world.new_service()
    world.go(59)
    second.tools.ledger.take("minutely", BEGIN + dt.timedelta(hours=1))

    world.go(5, first)
    world.go(5, second)

    assert world.started() == ["01. 12:01:00"]
    assert len(list_executions(world.engine)) == 1
    assert "minutely: another copy of the service looks after its schedule now" in world.said


def test_service__one_instance_at_a_time(world: World) -> None:
    world.write("slow", "schedule: {every: 1min, missed: run_last}")
    world.takes_s = 140
    world.go(400)

    assert world.started() == ["01. 12:01:00", "01. 12:03:00", "01. 12:05:00"][: len(world.works)]
    assert len(world.works) >= 2
    assert "the workflow was still running then (missed: run_last)" in world.skipped()[0]


def test_service__changed_added_removed_disabled(world: World) -> None:
    world.write("one", EACH_MINUTE)
    world.go(70)
    assert len(world.works) == 1

    world.write("two", EACH_MINUTE)
    world.write("one", f"{EACH_MINUTE}\nenabled: false")
    world.go(60)
    assert [work.execution.workflow for work in world.works] == ["one", "two"]

    world.write("one", EACH_MINUTE)  # times while it was disabled are not made up for
    (world.project / "parameters" / "workflows" / "two.yaml").unlink()
    world.go(60)

    assert [work.execution.workflow for work in world.works] == ["one", "two", "one"]
    assert world.started()[-1] == "01. 12:03:00"
    assert "two: starts every 60 s" in world.said
    assert "one: its file has changed; is disabled; nothing starts it" in world.said
    assert "two: is no longer looked after; its file is gone or names no times" in world.said


def test_service__changed_schedule_holds_from_now_on(world: World) -> None:
    """A job that becomes minutely at noon is not started for each minute since the night."""
    world.write("some", "schedule: {cron: '0 0 * * *', missed: run_all}")
    world.go(20)

    world.write("some", "schedule: {cron: '* * * * *', missed: run_all}")
    world.go(50)

    assert world.started() == ["01. 12:01:00"]


def test_service__broken_file_is_said_once_and_stops_nothing(world: World) -> None:
    world.write("good", EACH_MINUTE)
    world.write("bad", "schedule: {cron: '61 * * * *'}")

    world.go(130)

    assert len(world.works) == 2
    (said,) = [one for one in world.said if "bad" in one]
    assert "minute '61' must be 0 to 59" in said
    assert "is not started until its file is mended; the others go on" in said
    world.write("bad", EACH_MINUTE)
    world.go(3)
    assert "bad: its file is mended" in world.said


def test_service__parameter_that_nothing_gives_is_said_at_once(world: World) -> None:
    world.write("some", f"{EACH_MINUTE}\nparameters: {{site: {{type: text}}}}")
    world.go(70)

    assert world.works == []
    assert "parameters.site: needs a default, because a schedule gives no value" in world.said[0]


def test_service__start_that_never_begins_is_given_up(world: World) -> None:
    world.write("some", "schedule: {cron: '1 12 * * *'}")
    world.begins = False

    world.go(200)

    assert len(world.works) == 3
    assert len({work.execution_id for work in world.works}) == 1
    assert "some: could not begin: the solver cannot be loaded; trying again in 10 s" in world.said
    assert "could not begin and is given up" in world.said[-1]
    assert world.works[0].execution.status == "failed"
    assert world.works[0].execution.error == "it could not begin: the solver cannot be loaded"


def test_service__start_that_cannot_be_kept_is_skipped(world: World) -> None:
    """A case that is removed after the file was read is found when the workflow shall start."""
    world.write("some", "schedule: {cron: '1 12 * * *'}")
    world.go(3)
    file = world.project / "parameters" / "workflows" / "some.yaml"
    state = file.stat()
    file.write_text(file.read_text().replace("delay", "daley"))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))

    world.go(120)

    assert world.works == []
    assert any("kind = 'daley'" in one and "trying again in 20 s" in one for one in world.said)
    assert "skipped 2026-05-01 12:01 UTC: it could not begin" in world.skipped()[0]


def test_service__request_that_the_database_refuses_stops_nothing(world_of_each_database: World) -> None:
    """A text that PostgreSQL cannot keep is given up; the other workflows and requests go on."""
    world = world_of_each_database
    world.write("some", "trigger: {http: true}\nparameters: {site: {type: text}}")
    world.write("minutely", EACH_MINUTE)
    for name, site in (("20260501-120000-aaaaaa", "a\0"), ("20260501-120001-bbbbbb", "harbour")):
        world.service.tools.inbox.put(Start("some", "http", name, None, {"site": site}))

    world.go(130)

    assert len(world.started()) == 2
    assert world.execution("20260501-120001-bbbbbb").status == "completed"
    assert world.service.tools.inbox.waiting("some") == []


def test_service__process_that_died(world: World) -> None:
    """An execution whose process was killed is closed, with the reason."""
    world.write("some", "schedule: {cron: '1 12 * * *'}")
    world.takes_s = 1000
    world.go(62)
    world.works[0].code = -9
    with writing(world.engine) as connection:
        connection.execute(sa.update(WORKFLOW_EXECUTIONS).values(process_id=5_000_000))  # Linux has none above 2 ** 22

    world.go(5)

    assert world.works[0].execution.status == "failed"
    assert world.said[-1] == "some: failed after 2 s: its process ended with exit code -9 before the work was done"


def test_service__clock_that_is_set_back(world: World) -> None:
    """A clock a year ahead starts a time of the next year; put right, times go on, and none is started twice."""
    world.write("minutely", "schedule: {every: 1min, missed: run_last}")
    world.go(70)
    world.sleep(365 * 86_400)
    world.go(20)
    assert [f"{work.execution.scheduled_for:%Y}" for work in world.works] == ["2026", "2027"]

    world.sleep(-365 * 86_400 - 60)  # and a minute more: 12:01 comes a second time
    world.go(120)

    assert any("the clock was set back" in one for one in world.said)
    assert world.started()[2:] == ["01. 12:02:00"]


def test_service__database_outage(world_with_file: World) -> None:
    """The database's folder is gone for a minute: one message, and what was due is done afterwards."""
    world = world_with_file
    world.write("minutely", EACH_MINUTE)
    world.go(55)
    data, away = world.project / "data", world.project / "away"

    data.rename(away)
    world.go(60)
    assert world.started() == []
    away.rename(data)
    world.go(20)

    assert world.started() == ["01. 12:01:00", "01. 12:02:00"]
    outage = [one for one in world.said if "cannot be opened" in one]
    assert len(outage) == 1
    assert "due times wait, running work goes on" in outage[0]
    assert any(one.startswith("the database is back after") for one in world.said)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_service__server_that_is_away(postgresql_server: str, world_of_each_database: World) -> None:
    """A server that ends all connections and takes none for a minute is survived."""
    world = world_of_each_database
    world.write("minutely", EACH_MINUTE)
    world.go(55)

    name = world.engine.url.database
    with psycopg.connect(postgresql_server, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        world.go(60)
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert world.started() == []
    world.go(20)

    assert world.started() == ["01. 12:01:00", "01. 12:02:00"]
    assert len([one for one in world.said if "due times wait" in one]) == 1
    assert any(one.startswith("the database is back after") for one in world.said)


def test_service__database_outage_while_work_runs(world_with_file: World) -> None:
    """Work that ends while the database is away is told when it is back."""
    world = world_with_file
    world.write("minutely", EACH_MINUTE)
    world.takes_s = 5
    world.go(62)
    data, away = world.project / "data", world.project / "away"
    world.works[0].code = 0

    data.rename(away)
    world.go(20)
    away.rename(data)
    with writing(world.engine) as connection:
        connection.execute(sa.update(WORKFLOW_EXECUTIONS).values(status="completed", finished_at=BEGIN))
    world.go(20)

    assert world.started() == ["01. 12:01:00"]
    assert any(one.startswith("minutely: completed after") for one in world.said)


def test_run__once(world: World) -> None:
    world.write("minutely", EACH_MINUTE)
    assert world.service.run(once=True) == 0
    assert world.works == []  # seen for the first time: times before are not made up for

    world.sleep(150)
    failures = world.new_service().run(once=True)

    assert failures == 0
    assert world.started() == ["01. 12:01:00", "01. 12:02:00"]
    assert schedule_states(world.engine)[0].owner is None


def test_run__once_ends_where_new_times_come_all_the_while(world: World) -> None:
    """A workflow that takes longer than its interval is started for what was due at the beginning."""
    world.write("often", "schedule: {every: 1s, missed: run_last}")
    world.service.run(once=True)
    world.takes_s = 3
    world.sleep(10)

    world.new_service().run(once=True)

    assert world.started() == ["01. 12:00:10"]


def test_run__until(world: World) -> None:
    world.write("minutely", EACH_MINUTE)
    world.takes_s = 30

    world.service.run(until=BEGIN + dt.timedelta(seconds=70))

    assert world.started() == ["01. 12:01:00"]
    assert world.works[0].code == 0
    assert any("its time is over; no new work is taken, waiting for minutely" in one for one in world.said)


def test_run__first_signal_lets_work_finish(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("minutely", EACH_MINUTE)
    world.takes_s = 100
    signal_at(world, monkeypatch, 70)

    world.service.run()

    assert world.started() == ["01. 12:01:00"]
    assert (world.works[0].code, world.works[0].stopped) == (0, [])
    assert not world.service.was_ended
    assert schedule_states(world.engine)[0].owner is None


def test_run__second_signal_ends_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("minutely", EACH_MINUTE)
    world.takes_s = 10_000
    signal_at(world, monkeypatch, 70, 80)

    world.service.run()

    assert world.works[0].stopped == [False]
    assert world.service.was_ended
    assert world.execution(world.works[0].execution_id).status == "cancelled"


def signal_at(world: World, monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Send this process a request to end when the clock has run for some time."""
    waiting = list(seconds)
    wait = world.clock.wait

    def wait_and_signal(*arguments: object) -> None:
        wait(*arguments)
        if waiting and world.clock.running_s >= waiting[0]:
            waiting.pop(0)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(world.clock, "wait", wait_and_signal)
