"""What is overdue and due next, by day, by hours run and by cycles, and what a plan makes fall due when."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from builders import battery, generator
from hypothesis import given
from hypothesis import strategies as st

from ems.assets.maintenance import (
    calendar_of,
    dues_of,
    next_due,
    planned_use,
    predict_due,
    schedule,
    status_on,
)
from ems.assets.operation import MaintenanceRecord
from ems.errors import InvalidInput

TODAY = dt.date(2024, 6, 3)


def day(count: int) -> dt.date:
    """Day so many days from today."""
    return TODAY + dt.timedelta(days=count)


def planned(in_days: int, **fields: object) -> MaintenanceRecord:
    return MaintenanceRecord(**{"id": "planned", "asset_id": "generator", "scheduled_date": day(in_days), **fields})


def done(in_days: int, next_in_days: int | None = None, **fields: object) -> MaintenanceRecord:
    following = None if next_in_days is None else day(next_in_days)
    easy = {"id": "done", "asset_id": "generator", "status": "completed"}
    return MaintenanceRecord(**{**easy, "completed_date": day(in_days), "next_maintenance_date": following, **fields})


# --------------------------------------------------------------------------------------------------- status
@pytest.mark.parametrize(
    ("record", "status"),
    [
        (planned(1), "scheduled"),
        (planned(0), "scheduled"),
        (planned(-1), "overdue"),
        (planned(5, status="overdue"), "scheduled"),
        (planned(-1, status="in_progress"), "in_progress"),
        (planned(-1, status="cancelled"), "cancelled"),
        (done(-1), "completed"),
    ],
)
def test_status_on__overdue_by_itself(record, status):
    assert status_on(record, TODAY) == status


# ------------------------------------------------------------------------------------------------- due next
def test_next_due__nothing_known():
    assert next_due(generator(), today=TODAY) is None


def test_next_due__by_hours_run():
    """Run 1180 h of the 1250 h at which the next service is due: 70 h are left."""
    due = next_due(generator(operating_h=1180, next_maintenance_h=1250), today=TODAY)

    assert (due.reason, due.remaining, due.due_date, due.is_overdue) == ("operating_h", 70, None, False)
    assert due.words == "service is due at 1250 h run, in 70 h"


def test_next_due__by_hours_run_that_are_measured():
    """The meter says 1300 h, 50 h beyond the service."""
    due = next_due(generator(operating_h=1180, next_maintenance_h=1250), today=TODAY, operating_h=1300)

    assert (due.remaining, due.is_overdue) == (-50, True)
    assert due.words == "service was due at 1250 h run, 50 h ago"


def test_next_due__by_multiples_of_the_interval():
    """With 250 h between services and 1180 h run, the next is at 1250 h."""
    assert next_due(generator(operating_h=1180, maintenance_interval_h=250), today=TODAY).remaining == 70


def test_next_due__by_cycles():
    """5900 of 6000 cycles are made: 100 are left."""
    due = next_due(battery(cycle_life=6000, current_cycle_count=5900), today=TODAY)

    assert (due.reason, due.remaining, due.is_overdue) == ("cycles", 100, False)
    assert next_due(battery(cycle_life=6000), today=TODAY, cycles=6001).is_overdue


def test_next_due__by_the_day_that_the_last_record_names():
    due = next_due(generator(), [done(-300, 65), done(-700, -335, id="older")], today=TODAY)

    assert (due.reason, due.due_date, due.record_id) == ("calendar", day(65), "done")
    assert due.words == "maintenance is due in 65 days, as set on 2023-08-08"


def test_next_due__planned_visit_stands_for_the_day_that_was_named():
    dues = dues_of(generator(), [done(-300, 65), planned(60)], today=TODAY)

    assert [(due.reason, due.due_date) for due in dues] == [("planned", day(60))]


def test_dues_of__overdue_first_then_by_day_then_without_a_day():
    asset = generator(operating_h=100, maintenance_interval_h=250)
    records = [planned(20), planned(-3, id="late"), planned(5, id="soon"), planned(1, id="no", status="cancelled")]

    dues = dues_of(asset, records, today=TODAY)

    assert [(due.record_id, due.reason) for due in dues] == [
        ("late", "planned"),
        ("soon", "planned"),
        ("planned", "planned"),
        (None, "operating_h"),
    ]
    assert dues[0].words == "preventive maintenance is overdue by 3 days"


def test_dues_of__records_of_others_are_left_aside():
    assert dues_of(generator(), [planned(5, asset_id="battery")], today=TODAY) == []


# ------------------------------------------------------------------------------------- schedule and calendar
def test_schedule__within_the_days_and_in_order():
    """30 days: overdue and the 30th day are in, the 31st is not, nor what an asset out of use would need."""
    assets = [
        generator(),
        generator(id="spent", operating_h=300, next_maintenance_h=250),
        generator(id="gone", status="decommissioned"),
    ]
    records = [
        planned(30, id="last"),
        planned(31, id="beyond"),
        planned(-5, id="late"),
        planned(2, id="x", asset_id="gone"),
    ]

    dues = schedule(assets, records, TODAY, 30)

    assert [due.record_id or due.asset_id for due in dues] == ["late", "spent", "last"]


def test_schedule__by_the_day_of_each_asset():
    """Where it is tomorrow already, what is planned for today is overdue."""
    records = [planned(0, id="here", asset_id="a"), planned(0, id="there", asset_id="b")]

    dues = schedule([generator(id="a"), generator(id="b")], records, {"a": TODAY, "b": TODAY + dt.timedelta(1)}, 0)

    assert {due.record_id: due.is_overdue for due in dues} == {"here": False, "there": True}


def test_calendar_of__days_in_order():
    records = [
        planned(5, id="b"),
        done(-2),
        planned(5, id="a"),
        planned(9, id="c"),
        planned(5, id="no", status="cancelled"),
    ]

    found = calendar_of(records, day(-2), day(8))

    assert list(found) == [day(-2), day(5)]
    assert [record.id for record in found[day(5)]] == ["a", "b"]


# -------------------------------------------------------------------------------------------- given a plan
def test_planned_use__hours_and_cycles_of_each_day():
    """Day one: on for 6 h. Day two has only 12 h, on for 3 h: 6 h a day if it goes on so."""
    is_on = np.zeros(36)
    is_on[[1, 2, 3, 4, 5, 6, 24, 25, 26]] = 1

    hours, cycles = planned_use(generator(), {"is_on": is_on, "output_kw": is_on * 20}, 1.0)

    assert hours.tolist() == [6, 6]
    assert cycles.tolist() == [0, 0]


def test_planned_use__battery_makes_one_cycle():
    """50 kW into 100 kWh for two hours and out again is one full cycle."""
    charge, discharge = np.zeros(24), np.zeros(24)
    charge[:2], discharge[10:12] = 50, 50

    _, cycles = planned_use(battery(), {"charge_kw": charge, "discharge_kw": discharge}, 1.0)

    assert cycles.tolist() == [1]


@pytest.mark.parametrize(
    ("plan", "in_days"),
    [
        (10.0, 6),  # 70 h at 10 h a day are full at the end of the seventh day
        (np.array([0, 70.0]), 1),  # on the second day
        (np.array([24, 24, 24.0]), 2),  # 72 h on the third day
        (np.array([0, 20.0]), 6),  # 20 h in two days, then 10 h a day: 50 h more take 5 days after the second
        (0.0, None),
    ],
)
def test_predict_due__day_on_which_hours_are_full(plan, in_days):
    asset = generator(operating_h=1180, next_maintenance_h=1250)

    (due,) = predict_due(asset, today=TODAY, planned_h_per_d=plan)

    assert due.due_date == (None if in_days is None else day(in_days))


def test_predict_due__says_by_the_plan():
    """100 cycles at 1.25 a day take 80 days, today being the first."""
    asset = battery(cycle_life=6000, current_cycle_count=5900)

    (due,) = predict_due(asset, today=TODAY, planned_cycles_per_d=1.25)

    assert due.due_date == day(79)
    assert due.words == "cycle life of 6000 full cycles ends in 100 cycles; by the plan that is on 2024-08-21"


def test_predict_due__joins_planned_visits_in_order():
    asset = generator(operating_h=1180, next_maintenance_h=1250)

    dues = predict_due(asset, [planned(3), planned(10, id="later")], today=TODAY, planned_h_per_d=10.0)

    assert [due.due_date for due in dues] == [day(3), day(6), day(10)]


def test_predict_due__what_takes_longer_than_a_century_has_no_day():
    asset = battery(cycle_life=6000)

    assert predict_due(asset, today=TODAY, planned_cycles_per_d=1e-9)[0].due_date is None


@pytest.mark.parametrize("plan", [-1.0, float("nan")])
def test_predict_due__plan_that_is_none(plan):
    with pytest.raises(InvalidInput, match="operating_h of a day must be numbers from 0 upwards"):
        predict_due(generator(), today=TODAY, planned_h_per_d=plan)


@given(st.floats(0.01, 1e4), st.lists(st.floats(0, 24), min_size=1, max_size=20), st.floats(0, 5))
def test_predict_due__more_use_is_never_due_later(left_h, plan, more):
    asset = generator(operating_h=0, next_maintenance_h=left_h)

    (usual,) = predict_due(asset, today=TODAY, planned_h_per_d=np.array(plan))
    (harder,) = predict_due(asset, today=TODAY, planned_h_per_d=np.array(plan) + more)

    assert (harder.due_date or dt.date.max) <= (usual.due_date or dt.date.max)
