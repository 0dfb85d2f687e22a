from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.batch.schedule.times import check_cron, due_between, last_due, next_due
from ems.errors import InvalidInput

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu")
zones = st.sampled_from(ZONES)
days = st.dates(dt.date(2015, 1, 1), dt.date(2036, 12, 31))
# Days around the clock changes of all these zones: they fall into these months.
change_days = st.builds(
    dt.date,
    st.integers(2015, 2036),
    st.sampled_from((3, 4, 10, 11)),
    st.integers(1, 30),
)


@dataclass(frozen=True)
class Plan:
    cron: str | None = None
    timezone: str = "UTC"
    every_s: float | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def local(plan: Plan, after: str, until: str) -> list[str]:
    zone = ZoneInfo(plan.timezone)
    return [f"{one.astimezone(zone):%d. %H:%M %z}" for one in due_between(plan, utc(after), utc(until))]


def test_due_between__skipped_hour_of_a_daily_job() -> None:
    """02:30 is not there on 29 March 2026; the job comes when the clock has jumped to 03:00."""
    plan = Plan("30 2 * * *", "Europe/Berlin")

    assert local(plan, "2026-03-28", "2026-03-31") == ["28. 02:30 +0100", "29. 03:00 +0200", "30. 02:30 +0200"]


def test_due_between__doubled_hour_of_a_daily_job() -> None:
    """02:30 is there twice on 25 October 2026; the job comes the first time."""
    plan = Plan("30 2 * * *", "Europe/Berlin")

    assert local(plan, "2026-10-24", "2026-10-27") == ["24. 02:30 +0200", "25. 02:30 +0200", "26. 02:30 +0100"]


def test_due_between__hourly_job_in_the_doubled_hour() -> None:
    plan = Plan("0 * * * *", "Europe/Berlin")

    found = local(plan, "2026-10-24T22:59", "2026-10-25T02:00")

    assert found == ["25. 01:00 +0200", "25. 02:00 +0200", "25. 02:00 +0100", "25. 03:00 +0100"]


def test_due_between__wildcard_times_follow_each_showing_in_order() -> None:
    plan = Plan("*/30 2 * * *", "Europe/Berlin")

    shown = ["25. 02:00 +0200", "25. 02:30 +0200", "25. 02:00 +0100", "25. 02:30 +0100"]
    assert local(plan, "2026-10-24T12:00", "2026-10-25T12:00") == shown
    assert local(plan, "2026-10-25T00:45", "2026-10-25T12:00") == shown[2:]
    assert local(plan, "2026-03-28T12:00", "2026-03-29T12:00") == []


@pytest.mark.parametrize("change", ["2026-04-04T00:00", "2026-10-03T00:00"])
def test_due_between__half_hour_change(change: str) -> None:
    """Lord Howe moves by half an hour at 02:00: a job each third hour comes at 03:00 all the same."""
    plan = Plan("0 */3 * * *", "Australia/Lord_Howe")

    found = local(plan, change, (utc(change) + dt.timedelta(days=2)).isoformat()[:16])

    assert [one[4:9] for one in found] == ["12:00", "15:00", "18:00", "21:00", "00:00", "03:00", "06:00", "09:00"] * 2


@settings(max_examples=examples(75), deadline=None)
@given(zones, days | change_days, st.integers(0, 23), st.integers(0, 59))
def test_due_between__daily_job_once_each_local_day(zone: str, day: dt.date, hour: int, minute: int) -> None:
    plan = Plan(f"{minute} {hour} * * *", zone)
    midnight = dt.datetime.combine(day, dt.time(), ZoneInfo(zone))

    found = list(due_between(plan, midnight - dt.timedelta(microseconds=1), midnight + dt.timedelta(days=4)))

    dates = [one.astimezone(ZoneInfo(zone)).date() for one in found]
    whole_days = [day + dt.timedelta(days=k) for k in range(3)]
    assert [date for date in dates if date in whole_days] == whole_days


@settings(max_examples=examples(75), deadline=None)
@given(zones, days | change_days, st.integers(0, 59), st.integers(0, 60 * 48), st.integers(1, 60 * 48))
def test_due_between__hourly_job_each_real_hour(
    zone: str, day: dt.date, minute: int, begin: int, minutes: int
) -> None:
    """The moments are just those at which the clock shows the minute, whatever the offset does meanwhile."""
    after = dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(minutes=begin)
    every = [after + dt.timedelta(minutes=k) for k in range(1, minutes + 1)]

    found = list(due_between(Plan(f"{minute} * * * *", zone), after, every[-1]))

    assert found == [one for one in every if one.astimezone(ZoneInfo(zone)).minute == minute]


@settings(max_examples=examples(30), deadline=None)
@given(
    zones,
    change_days,
    st.sampled_from(("30 2 * * *", "0 0 * * *", "*/20 1-3 * * *", "0 */2 * * *", "15,45 1,2,3 * * 0")),
    st.integers(0, 60 * 72),
)
def test_due_between__cut_anywhere_gives_the_same(zone: str, day: dt.date, cron: str, cut: int) -> None:
    """What is due before a moment and what is due after it are together all that is due, ascending."""
    begin = dt.datetime.combine(day, dt.time(), dt.UTC)
    middle, end = begin + dt.timedelta(minutes=cut, seconds=30), begin + dt.timedelta(days=3)
    plan = Plan(cron, zone)

    whole = list(due_between(plan, begin, end))

    assert whole == sorted(set(whole))
    assert [*due_between(plan, begin, middle), *due_between(plan, middle, end)] == whole


@given(
    st.floats(0.5, 1e6),
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC)),
    st.integers(0, 10**5),
)
def test_due_between__interval_is_anchored_at_its_start(every_s: float, start: dt.datetime, k: int) -> None:
    plan = Plan(every_s=every_s, start=start)
    moment = start + dt.timedelta(seconds=k * every_s)

    first = next_due(plan, moment - dt.timedelta(microseconds=1))

    assert next_due(plan, utc("2000-01-01")) == start
    assert first is not None and abs(first - moment) <= dt.timedelta(microseconds=1)
    following = next_due(plan, first)
    assert following is not None
    assert (following - first).total_seconds() == pytest.approx(every_s, abs=1e-4)  # doubles of some 1e11 s


def test_due_between__interval_beyond_the_calendar() -> None:
    assert list(due_between(Plan(every_s=1e12, start=utc("2026-01-01")), utc("2000-01-01"))) == [utc("2026-01-01")]


def test_due_between__interval_without_start_falls_on_round_times() -> None:
    assert next_due(Plan(every_s=900), utc("2026-05-01T10:07:12")) == utc("2026-05-01T10:15")


def test_due_between__bounds_are_due_themselves() -> None:
    plan = Plan("0 * * * *", start=utc("2026-05-01T10:00"), end=utc("2026-05-01T12:00"))

    found = list(due_between(plan, utc("2026-01-01")))

    assert found == [utc("2026-05-01T10:00"), utc("2026-05-01T11:00"), utc("2026-05-01T12:00")]
    assert next_due(plan, utc("2026-05-01T12:00")) is None


@settings(max_examples=examples(30), deadline=None)
@given(zones, change_days, st.sampled_from(("0 * * * *", "30 2 * * *", "0 6 * * 1")), st.integers(0, 60 * 24 * 20))
def test_last_due__is_the_last_of_all(zone: str, day: dt.date, cron: str, minutes: int) -> None:
    after = dt.datetime.combine(day, dt.time(), dt.UTC)
    until = after + dt.timedelta(minutes=minutes)
    plan = Plan(cron, zone)

    assert last_due(plan, after, until) == next(reversed([*due_between(plan, after, until)]), None)


def test_last_due__of_a_long_time() -> None:
    """Ten years of minutes are not counted one by one."""
    assert last_due(Plan("* * * * *"), utc("2016-01-01"), utc("2026-01-01T00:00:30")) == utc("2026-01-01")
    assert last_due(Plan("* * * * *", end=utc("2015-01-01")), utc("2016-01-01"), utc("2026-01-01")) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("61 2 * * *", r"minute '61' must be 0 to 59; write five parts.*as in '30 2 \* \* \*'"),
        ("0 24 * * *", "hour '24' must be 0 to 23"),
        ("0 0 * * FUN", "day of week 'FUN' must be 0 to 7"),
        ("*/0 * * * *", "a step after / must be a whole number from 1"),
        ("* * * * 1#2/3", "cannot be read|day of week"),
        ("0 0 30 2 *", "is never due: none of these months has a day 30"),
        ("@daily", r"must be written out: '0 0 \* \* \*'"),
        ("0 30 2 * * *", "has six parts; for seconds use every_s"),
        ("", "has 0 parts"),
        ("* " * 200, "has 200 parts"),
        ("0 2 * *\n*\x1b * *", "parts"),
    ],
)
def test_check_cron__tells_the_part_and_an_example(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        check_cron(text)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "a\0b"])
def test_check_cron__unknown_zone(zone: str) -> None:
    with pytest.raises(InvalidInput, match="is not known; use a name such as Europe/Berlin"):
        check_cron("0 2 * * *", zone)


@settings(deadline=None)
@given(st.text(alphabet="0123456789*/,-#LW @ \tMON", max_size=20))
def test_check_cron__any_text_is_read_or_refused(text: str) -> None:
    try:
        check_cron(text)
    except InvalidInput as error:
        assert "cron" in str(error)
