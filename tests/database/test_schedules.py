from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa

from ems.database.engine import connect, writing
from ems.database.schedules import (
    Lease,
    active_executions,
    execution_of,
    host_of,
    new_owner,
    note_handled,
    release_leases,
    renew_leases,
    schedule_states,
    take_lease,
)
from ems.database.tables import row_of
from ems.database.workflow_records import (
    WORKFLOW_DEFINITIONS,
    WORKFLOW_EXECUTIONS,
    ScheduleState,
    WorkflowDefinition,
    WorkflowExecution,
)
from ems.errors import DatabaseProblem

NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def seconds(count: float) -> dt.timedelta:
    return dt.timedelta(seconds=count)


def taken(engine: sa.Engine, owner: str, now: dt.datetime = NOON, lease_s: float = 30) -> Lease:
    lease = take_lease(engine, "nightly", owner, now=now, lease_s=lease_s)
    assert isinstance(lease, Lease)
    return lease


def test_take_lease__held_by_one_until_its_end(engine: sa.Engine) -> None:
    """The first time is handled until now; the next holder goes on where the first one was."""
    lease = taken(engine, "first")
    assert (lease.fence, lease.handled_until, lease.lease_until) == (1, NOON, NOON + seconds(30))
    (state,) = schedule_states(engine)
    assert state == ScheduleState(
        workflow="nightly", handled_until=NOON, fence=1, owner="first", lease_until=NOON + seconds(30)
    )
    note_handled(engine, lease, NOON + seconds(20))

    refused = take_lease(engine, "nightly", "second", now=NOON + seconds(29), lease_s=30)
    got = taken(engine, "second", NOON + seconds(30))

    assert isinstance(refused, ScheduleState)
    assert refused.owner == "first"
    assert (got.fence, got.handled_until) == (2, NOON + seconds(20))


def test_take_lease__process_of_this_machine_is_gone(engine: sa.Engine) -> None:
    """After a crash on the same machine nobody waits for the lease's end."""
    code = "from ems.database.schedules import new_owner; print(new_owner())"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    taken(engine, gone)

    own = new_owner()
    assert taken(engine, own).owner == own
    assert isinstance(take_lease(engine, "nightly", "second", now=NOON, lease_s=30), ScheduleState)
    assert own != new_owner()
    assert host_of(own) == own.split()[0]


def test_take_lease__many_at_once_give_one(engine: sa.Engine) -> None:
    found: list[Lease | ScheduleState] = []
    begin = threading.Barrier(6)

    def take(owner: str) -> None:
        begin.wait()
        found.append(take_lease(engine, "nightly", owner, now=NOON, lease_s=30))

    threads = [threading.Thread(target=take, args=(f"owner {k}",)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (lease,) = [one for one in found if isinstance(one, Lease)]
    assert lease.fence == 1
    assert len(found) == 6


def test_renew_leases__lost_ones_are_left_out(engine: sa.Engine) -> None:
    first = taken(engine, "first")
    other = take_lease(engine, "hourly", "first", now=NOON, lease_s=300)
    assert isinstance(other, Lease)
    taken(engine, "second", NOON + seconds(60))

    handled = {"nightly": NOON + seconds(60), "hourly": NOON + seconds(60)}
    held = renew_leases(engine, [first, other], now=NOON + seconds(60), lease_s=30, handled=handled)

    assert set(held) == {"hourly"}
    assert held["hourly"].handled_until == held["hourly"].lease_until - seconds(30) == NOON + seconds(60)
    states = {one.workflow: one for one in schedule_states(engine)}
    assert states["nightly"].owner == "second"
    assert states["nightly"].handled_until == NOON


def test_note_handled__fence_keeps_out_an_older_holder(engine: sa.Engine) -> None:
    """The same owner, too, cannot write with a lease that it held before."""
    old = taken(engine, "first")
    new = taken(engine, "first", NOON + seconds(60))

    assert note_handled(engine, old, NOON + seconds(500)) is None
    kept = note_handled(engine, new, NOON + seconds(100))

    assert kept is not None
    assert kept.handled_until == NOON + seconds(100)
    same = note_handled(engine, kept, NOON)
    assert same == kept  # never back
    assert schedule_states(engine)[0].handled_until == NOON + seconds(100)
    note_handled(engine, kept, NOON, set_back=True)  # unless that is said
    assert schedule_states(engine)[0].handled_until == NOON


def test_release_leases__next_one_need_not_wait(engine: sa.Engine) -> None:
    lease = taken(engine, "first")

    release_leases(engine, [lease])

    assert taken(engine, "second").fence == 2
    release_leases(engine, [lease])  # of an older holder: changes nothing
    assert schedule_states(engine)[0].owner == "second"


def test_executions__found_by_id_and_workflow(engine: sa.Engine) -> None:
    execution = WorkflowExecution(
        id="20260501-120000-abcdef", workflow="nightly", version="0" * 64, scheduled_for=NOON, trigger="schedule"
    )
    definition = WorkflowDefinition(name="nightly", version="0" * 64, title="Nightly")
    with writing(engine) as connection:
        connection.execute(sa.insert(WORKFLOW_DEFINITIONS), row_of(definition, WORKFLOW_DEFINITIONS))
        connection.execute(sa.insert(WORKFLOW_EXECUTIONS), row_of(execution, WORKFLOW_EXECUTIONS))

    found = execution_of(engine, execution.id)

    assert found is not None
    assert found.scheduled_for == NOON
    assert active_executions(engine, "nightly") == [found]
    assert execution_of(engine, "20260501-120000-zzzzzz") is None
    assert active_executions(engine, "hourly") == []


def test_take_lease__no_database(tmp_path: object) -> None:
    engine = connect(f"sqlite:///{tmp_path}/ems.sqlite")
    with writing(engine) as connection:
        connection.execute(sa.text("DROP TABLE schedules"))

    with pytest.raises(DatabaseProblem):
        take_lease(engine, "nightly", "first", now=NOON, lease_s=30)
