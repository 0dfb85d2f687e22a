from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from ems.batch.schedule.policy import MOST_COUNTED, Decision, decide
from ems.batch.schedule.times import due_between, shown_moment


@dataclass(frozen=True)
class Plan:
    cron: str | None = None
    timezone: str = "UTC"
    every_s: float | None = 60.0
    start: dt.datetime | None = None
    end: dt.datetime | None = None


NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def minutes(count: float) -> dt.timedelta:
    return dt.timedelta(minutes=count)


def test_decide__nothing_is_due() -> None:
    for missed in ("run_all", "run_last", "skip"):
        assert decide(Plan(), missed, NOON, NOON + minutes(0.9)) == Decision()


def test_decide__a_time_that_just_came_is_started_by_every_rule() -> None:
    for missed in ("run_all", "run_last", "skip"):
        assert decide(Plan(), missed, NOON, NOON + minutes(1)) == Decision(NOON + minutes(1))


@given(
    st.sampled_from(("run_all", "run_last", "skip")),
    st.floats(0, 300),
    st.sampled_from((60.0, 97.0, 600.0)),
)
def test_decide__each_time_is_started_or_skipped_once(missed: str, minutes_late: float, every_s: float) -> None:
    plan, now = Plan(every_s=every_s), NOON + minutes(minutes_late)
    handled, started, skipped = NOON, [], 0

    while (decision := decide(plan, missed, handled, now)) != Decision():
        if decision.skipped is not None:
            assert decision.skipped.first > handled
            handled, skipped = decision.skipped.last, skipped + decision.skipped.count
        if decision.start is not None:
            assert decision.start > handled
            handled = decision.start
            started.append(decision.start)

    due = list(due_between(plan, NOON, now))
    assert len(started) + skipped == len(due)
    wanted = {
        "run_all": due,
        "run_last": due[-1:],
        "skip": [one for one in due[-1:] if now - one <= minutes(1)],
    }
    assert started == wanted[missed]


def test_decide__reason() -> None:
    """Times within the last run were missed because of it; others because nothing looked after them."""
    now, busy = NOON + minutes(5.5), (NOON, NOON + minutes(5.5))

    during = decide(Plan(), "run_last", NOON, now, busy).skipped
    long_after = decide(Plan(), "run_last", NOON, now + minutes(60), busy).skipped

    assert during is not None
    assert during.reason == "the workflow was still running then (missed: run_last)"
    assert long_after is not None
    assert long_after.reason == "nothing looked after the schedule then (missed: run_last)"


def test_sentence__of_a_year_is_not_counted_to_the_end() -> None:
    skipped = decide(Plan(timezone="Europe/Berlin"), "skip", NOON, NOON + dt.timedelta(days=365, seconds=59.5)).skipped

    assert skipped is not None
    assert skipped.count == MOST_COUNTED
    said = skipped.sentence(lambda moment: shown_moment(moment, "Europe/Berlin"))
    assert said.startswith("skipped 1000 or more times from 2026-05-01 14:01 CEST to 2027-05-01 13:59 CEST: nothing")
