"""Batches and leases: exactly once, whoever dies, comes back late, or asks at the same moment."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from ems.database.batch_leases import (
    MOST_LOST,
    begin_attempt,
    cancel_case,
    complete_case,
    fail_case,
    give_back,
    lease_case,
    lease_this,
    release_lost,
    renew_lease,
)
from ems.database.batch_records import BATCH_CASES, Batch, BatchAttempt, BatchCase
from ems.database.batches import (
    cancel_batch,
    close_batch,
    count_cases,
    due_cases,
    get_batch,
    list_attempts,
    list_batches,
    list_cases,
    open_batch,
    reopen_batch,
)
from ems.database.engine import writing
from ems.database.records import Run, utc_now
from ems.database.runs import cancel_run, get_run, start_run
from ems.errors import DatabaseProblem, LeaseLost, UnknownName

NOTHING_USED = {"seconds": None, "peak_memory_mb": None}


def made(engine: sa.Engine, cases: int = 2, batch_id: str = "b-1", key: str = "0") -> Batch:
    """Open a batch of equal cases."""
    batch = Batch(id=batch_id, study="dispatch", name="sweep", code="a" * 64, cases=cases)
    rows = [
        BatchCase(batch_id=batch_id, number=number, label=f"case {number}", key=f"{number}{key}".zfill(64))
        for number in range(1, cases + 1)
    ]
    return open_batch(engine, batch, rows)


def begun(engine: sa.Engine, case: BatchCase, run_id: str) -> str:
    """Begin an attempt at a leased case and its run."""
    attempt = BatchAttempt(
        batch_id=case.batch_id, number=case.number, fence=case.fence, run_id=run_id, owner=str(case.owner)
    )
    begin_attempt(engine, attempt, Run(id=run_id, study="dispatch", case_name="demo", title="Demo"))
    start_run(engine, run_id)
    return run_id


def leased(engine: sa.Engine, owner: str = "host:1:0", lease_s: float = 60) -> BatchCase:
    """Lease the next case, which there is."""
    case = lease_case(engine, "b-1", owner, lease_s)
    assert case is not None
    return case


def case_of(engine: sa.Engine, number: int = 1) -> BatchCase:
    """Return a case as it stands."""
    return list_cases(engine, "b-1")[number - 1]


def test_batch__walk_from_opening_to_end(engine: sa.Engine) -> None:
    made(engine)

    for run_id in ("r-1", "r-2"):
        case = leased(engine)
        complete_case(engine, case, begun(engine, case, run_id), {"report_path": "reports/x.html"}, {"seconds": 1.5})

    assert lease_case(engine, "b-1", "host:1:0", 60) is None
    assert close_batch(engine, "b-1").status == "completed"
    assert [(one.status, one.run_id, one.attempts, one.owner) for one in list_cases(engine, "b-1")] == [
        ("completed", "r-1", 1, None),
        ("completed", "r-2", 1, None),
    ]
    assert [(one.status, one.seconds) for one in list_attempts(engine, "b-1")] == [("completed", 1.5)] * 2
    assert get_run(engine, "r-1").report_path == "reports/x.html"


def test_lease_case__many_at_once_get_different_ones(engine: sa.Engine) -> None:
    made(engine, cases=12)
    found: list[int] = []

    def ask() -> None:
        while (case := lease_case(engine, "b-1", f"host:{threading.get_ident()}:0", 60)) is not None:
            found.append(case.number)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == list(range(1, 13))


def test_lease__that_has_ended_is_given_to_another_and_the_first_changes_nothing(engine: sa.Engine) -> None:
    """A worker that was suspended for longer than its lease comes back when its case is another's."""
    made(engine, cases=1)
    late = leased(engine, "host:1:0", lease_s=-1)
    begun(engine, late, "r-late")

    second = leased(engine, "host:2:0")
    begun(engine, second, "r-second")

    assert (second.fence, second.attempts) == (2, 2)
    for act in (
        lambda: complete_case(engine, late, "r-late", {}, NOTHING_USED),
        lambda: fail_case(engine, late, "r-late", "no"),
        lambda: renew_lease(engine, late, 60),
    ):
        with pytest.raises(LeaseLost, match="case 1 of batch b-1 is no longer this worker's"):
            act()
    give_back(engine, late, "r-late", "stops")
    complete_case(engine, second, "r-second", {}, NOTHING_USED)
    assert case_of(engine).run_id == "r-second"
    assert get_run(engine, "r-late").status == "failed"
    assert [one.status for one in list_attempts(engine, "b-1", 1)] == ["lost", "completed"]


def test_complete_case__is_all_or_nothing(engine: sa.Engine) -> None:
    """Where the run was ended by another, the case is not completed either."""
    made(engine, cases=1)
    case = leased(engine)
    cancel_run(engine, begun(engine, case, "r-1"))

    with pytest.raises(LeaseLost, match="run r-1 was ended"):
        complete_case(engine, case, "r-1", {}, NOTHING_USED)

    assert case_of(engine).status == "running"
    assert list_attempts(engine, "b-1")[0].status == "running"


def test_fail_case__waits_for_its_pause_then_fails_for_good(engine: sa.Engine) -> None:
    made(engine, cases=1)
    case = leased(engine)
    soon = utc_now() + dt.timedelta(hours=1)
    fail_case(engine, case, begun(engine, case, "r-1"), "kernel died", again_at=soon)

    assert lease_case(engine, "b-1", "host:1:0", 60) is None
    assert due_cases(engine, "b-1", 5) == []
    with writing(engine) as connection:
        connection.execute(sa.update(BATCH_CASES).values(not_before=utc_now() - dt.timedelta(seconds=1)))
    again = leased(engine)
    fail_case(engine, again, begun(engine, again, "r-2"), "kernel died again")

    assert (case_of(engine).status, case_of(engine).error, case_of(engine).attempts) == (
        "failed",
        "kernel died again",
        2,
    )
    assert close_batch(engine, "b-1").status == "failed"


def test_release_lost__cases_of_the_dead_wait_and_do_not_count(engine: sa.Engine) -> None:
    made(engine)
    dead, alive = leased(engine, "host:1:0"), leased(engine, "host:2:0")
    begun(engine, dead, "r-1")

    assert release_lost(engine, "b-1", lambda owner: owner == "host:1:0") == ["r-1"]

    assert (case_of(engine, 1).status, case_of(engine, 1).attempts) == ("waiting", 0)
    assert case_of(engine, 2).owner == alive.owner
    assert get_run(engine, "r-1").status == "failed"


def test_lease__of_a_case_that_ends_every_worker_is_refused_at_last(engine: sa.Engine) -> None:
    made(engine, cases=1)
    for _ in range(MOST_LOST):
        leased(engine)
        release_lost(engine, "b-1", lambda _: True)

    assert lease_case(engine, "b-1", "host:1:0", 60) is None
    assert case_of(engine).error == "20 workers were lost with it: it seems to end the process it runs in"


def test_renew_lease__tells_that_a_person_has_stopped_it(engine: sa.Engine) -> None:
    made(engine)
    first, second = leased(engine), leased(engine)
    cancel_run(engine, begun(engine, first, "r-1"))
    with pytest.raises(LeaseLost, match="run r-1 was cancelled"):
        renew_lease(engine, first, 60)
    cancel_case(engine, first, "r-1")
    begun(engine, second, "r-2")
    renew_lease(engine, second, 60)

    cancel_batch(engine, "b-1")

    with pytest.raises(LeaseLost, match="batch b-1 was cancelled"):
        renew_lease(engine, second, 60)
    cancel_case(engine, second, "r-2")
    assert count_cases(engine, "b-1")["cancelled"] == 2
    assert get_run(engine, "r-2").status == "cancelled"
    with pytest.raises(DatabaseProblem, match="has ended already"):
        cancel_batch(engine, "b-1")


def test_reopen_batch__with_and_without_those_that_failed(engine: sa.Engine) -> None:
    made(engine)
    case = leased(engine)
    fail_case(engine, case, begun(engine, case, "r-1"), "no")
    cancel_batch(engine, "b-1")

    assert reopen_batch(engine, "b-1", retry_failed=False, options={"attempts": 2}).status == "open"
    assert [one.status for one in list_cases(engine, "b-1")] == ["failed", "waiting"]
    reopen_batch(engine, "b-1", retry_failed=True, options={})
    assert [(one.status, one.attempts) for one in list_cases(engine, "b-1")] == [("waiting", 0)] * 2


def test_open_batch__takes_what_is_done_already(engine: sa.Engine) -> None:
    made(engine)
    case = leased(engine)
    complete_case(engine, case, begun(engine, case, "r-1"), {}, NOTHING_USED)

    made(engine, batch_id="b-2")

    first, second = list_cases(engine, "b-2")
    assert (first.status, first.run_id, first.is_reused) == ("completed", "r-1", True)
    assert (second.status, second.is_reused) == ("waiting", False)
    assert [one.id for one in list_batches(engine, study="dispatch", name="sweep")] == ["b-2", "b-1"]


def test_lease_this__only_where_it_is_free(engine: sa.Engine) -> None:
    made(engine)

    assert lease_this(engine, "b-1", 2, "host:1:0", 60) is not None
    assert lease_this(engine, "b-1", 2, "host:2:0", 60) is None
    assert lease_this(engine, "b-1", 9, "host:2:0", 60) is None


def test_get_batch__unknown(engine: sa.Engine) -> None:
    made(engine)

    with pytest.raises(UnknownName, match="batch 'b-3': is not in the database"):
        get_batch(engine, "b-3")
