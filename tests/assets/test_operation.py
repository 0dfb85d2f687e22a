"""Status, maintenance and performance as people and machines report them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.assets.operation import AssetStatus, MaintenanceRecord, Performance, effective_status
from ems.errors import InvalidInput

NOON = dt.datetime(2024, 6, 3, 12, tzinfo=dt.UTC)


def status(**fields: object) -> AssetStatus:
    """An asset that ran and sent a message at noon."""
    easy = {"reported_at": NOON, "online": True, "operational_status": "online", "last_communication": NOON}
    return AssetStatus(**{"asset_id": "battery", **easy, **fields})


def minutes(count: float) -> dt.timedelta:
    return dt.timedelta(minutes=count)


# -------------------------------------------------------------------------------------------------- status
def test_effective_status__fresh_message_is_believed():
    found = effective_status(status(), NOON + minutes(4), stale_after_min=15)

    assert (found.operational_status, found.is_stale, found.silent_min) == ("online", False, 4)
    assert found.reason == "online, said 4 min ago"


def test_effective_status__silence_counts_as_offline_and_says_since_when():
    found = effective_status(status(), NOON + minutes(90), stale_after_min=15)

    assert (found.operational_status, found.is_stale, found.silent_min) == ("offline", True, 90)
    assert found.reason == ("offline: no message for 90 min; more than 15 min count as offline")


@pytest.mark.parametrize(("silent_min", "is_stale"), [(14.99, False), (15, False), (15.01, True)])
def test_effective_status__a_message_exactly_as_old_still_counts(silent_min, is_stale):
    assert effective_status(status(), NOON + minutes(silent_min), stale_after_min=15).is_stale is is_stale


def test_effective_status__never_a_message():
    found = effective_status(status(last_communication=None), NOON, stale_after_min=15)

    assert (found.operational_status, found.is_stale, found.silent_min) == ("offline", True, None)
    assert "never sent a message" in found.reason


def test_effective_status__clock_of_the_asset_runs_ahead():
    found = effective_status(status(last_communication=NOON + minutes(3)), NOON, stale_after_min=15)

    assert (found.is_stale, found.silent_min) == (False, 0)


def test_effective_status__fault_keeps_its_code():
    found = effective_status(status(operational_status="fault", fault_code="E-17"), NOON, stale_after_min=15)

    assert found.operational_status == "fault"
    assert found.reason == "fault E-17, said 0 min ago"


def test_effective_status__online_but_not_reached():
    found = effective_status(status(online=False), NOON, stale_after_min=15)

    assert (found.operational_status, found.is_stale) == ("offline", False)
    assert "cannot be reached" in found.reason


def test_effective_status__time_zones_do_not_matter():
    """12:00 UTC is 14:00 in summer Berlin."""
    berlin = dt.timezone(dt.timedelta(hours=2))
    found = effective_status(status(), dt.datetime(2024, 6, 3, 14, 10, tzinfo=berlin), stale_after_min=15)

    assert found.silent_min == 10


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1e4))
def test_effective_status__never_comes_back_by_waiting(first, more, stale_after_min):
    early = effective_status(status(), NOON + minutes(first), stale_after_min)
    late = effective_status(status(), NOON + minutes(first + more), stale_after_min)

    assert late.is_stale or not early.is_stale


def test_asset_status__message_without_a_level():
    with pytest.raises(InvalidInput, match=r"status of 'battery': alarm_message = 'hot': .* give a level"):
        status(alarm_message="hot")


def test_asset_status__percent_for_a_share():
    with pytest.raises(InvalidInput, match="current_soc = 55: must be at most 1"):
        status(current_soc=55)


# ---------------------------------------------------------------------------------------------- maintenance
def maintenance(**fields: object) -> MaintenanceRecord:
    return MaintenanceRecord(**{"id": "m-1", "asset_id": "generator", **fields})


def test_maintenance_record__dates_are_read_from_text():
    record = maintenance(scheduled_date="2024-06-03", parts_replaced=["filter", "belt"])

    assert record.scheduled_date == dt.date(2024, 6, 3)
    assert record.parts_replaced == ("filter", "belt")
    assert record.status == "scheduled"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "completed"}, "completed_date: is required where status = 'completed'"),
        ({}, "scheduled_date: is required where status = 'scheduled'"),
        (
            {"scheduled_date": "2024-06-03", "completed_date": "2024-06-04"},
            "completed_date = 2024-06-04: needs status = 'completed', not 'scheduled'",
        ),
        (
            {"status": "completed", "completed_date": "2024-06-03", "next_maintenance_date": "2024-06-03"},
            "next_maintenance_date = 2024-06-03: must be after 2024-06-03",
        ),
        ({"scheduled_date": "2024-06-03", "cost": -1.0}, "cost = -1 currency: must be at least 0"),
    ],
)
def test_maintenance_record__what_contradicts_itself(fields, words):
    with pytest.raises(InvalidInput, match=words):
        maintenance(**fields)


def test_maintenance_record__may_be_done_before_its_day():
    record = maintenance(status="completed", scheduled_date="2024-06-10", completed_date="2024-06-03")

    assert record.completed_date < record.scheduled_date


# ---------------------------------------------------------------------------------------------- performance
def performance(**fields: object) -> Performance:
    day = {"period_start": NOON, "period_end": NOON + dt.timedelta(hours=24)}
    return Performance(**{"id": "p-1", "asset_id": "battery", **day, **fields})


def test_performance__profit_follows_from_revenue_and_cost():
    """12 earned less 5 spent are 7."""
    assert performance(total_revenue=12.0, total_cost=5.0).net_profit == 7
    assert performance(total_revenue=12.0).net_profit is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"period_end": NOON}, "period_end = 2024-06-03T12:00:00.00:00: must be after period_start"),
        ({"operating_h": 25.0}, "operating_h = 25 h: the period has only 24 h"),
        ({"downtime_h": 25.0}, "downtime_h = 25 h: the period has only 24 h"),
        (
            {"total_revenue": 12.0, "total_cost": 5.0, "net_profit": 6.0},
            "net_profit = 6: total_revenue less total_cost is 7; leave it out",
        ),
        ({"availability": 98.0}, "availability = 98: must be at most 1"),
    ],
)
def test_performance__what_contradicts_itself(fields, words):
    with pytest.raises(InvalidInput, match=words):
        performance(**fields)


@pytest.mark.parametrize(
    "record",
    [
        status(alarm_level="error", alarm_message="<b>hot</b>", metadata={"rack": 3}),
        maintenance(scheduled_date="2024-06-03", parts_replaced=["filter"]),
        performance(total_revenue=12.0, total_cost=5.0),
    ],
    ids=lambda record: type(record).__name__,
)
def test_records__come_back_from_json_as_they_were(record):
    assert type(record)(**record.as_json()) == record
