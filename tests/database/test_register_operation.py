from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from register_samples import NOON, battery, maintenance, performance, sample_portfolio, status

from ems.assets.maintenance import status_on
from ems.assets.operation import AssetStatus
from ems.database.fleet import days_of_assets, fleet_numbers
from ems.database.history import history_of
from ems.database.operation import (
    alarms,
    create_maintenance,
    create_performance,
    delete_maintenance,
    delete_performance,
    get_maintenance,
    get_performance,
    get_status,
    list_maintenance,
    list_performance,
    report_status,
    report_statuses,
    status_history,
    statuses,
    update_maintenance,
    update_performance,
)
from ems.database.register import create_asset, delete_asset
from ems.database.register_portfolio import save_portfolio
from ems.database.register_queries import list_sites
from ems.errors import DatabaseProblem, InvalidInput, UnknownName


@pytest.fixture
def register(engine: sa.Engine) -> sa.Engine:
    """A register with the sample portfolio."""
    save_portfolio(engine, sample_portfolio(), "ana")
    return engine


# ---------------------------------------------------------------------------------------------- status
def test_report_status__latest_is_current_and_all_are_history(register: sa.Engine) -> None:
    """Three reports, the second one late: it is in the history, but not the present."""
    report_status(register, status(minutes_ago=20, current_soc=0.2))
    report_status(register, status(minutes_ago=5, current_soc=0.5))
    current = report_status(register, status(minutes_ago=10, current_soc=0.3))
    assert current == get_status(register, "bat")
    assert current.current_soc == 0.5
    assert [one.current_soc for one in status_history(register, "bat")] == [0.5, 0.3, 0.2]
    since = NOON - dt.timedelta(minutes=10)
    assert [one.current_soc for one in status_history(register, "bat", since=since)] == [0.5, 0.3]
    assert [one.current_soc for one in status_history(register, "bat", until=since)] == [0.2]
    assert [one.current_soc for one in status_history(register, "bat", limit=1)] == [0.5]
    assert history_of(register, "bat", table_name="asset_status") == []


def test_report_status__same_moment_again(register: sa.Engine) -> None:
    """What is said once more of the same moment replaces what was said."""
    for soc in (0.5, 0.5, 0.6):
        report_status(register, status(current_soc=soc))
    assert [one.current_soc for one in status_history(register, "bat")] == [0.6]
    assert get_status(register, "bat").current_soc == 0.6


def test_report_status__online_is_a_message(register: sa.Engine) -> None:
    assert report_status(register, status()).last_communication == NOON - dt.timedelta(minutes=5)
    silent = AssetStatus(asset_id="mill", reported_at=NOON)
    assert report_status(register, silent).last_communication is None


def test_report_status__unknown_asset(register: sa.Engine) -> None:
    with pytest.raises(InvalidInput, match=r"asset_id = 'bta': no such asset; did you mean bat\?"):
        report_status(register, status("bta"))
    with pytest.raises(UnknownName):
        get_status(register, "bta")
    assert get_status(register, "bat") is None
    assert report_statuses(register, []) == {}


def test_statuses__silence_counts_as_offline(register: sa.Engine) -> None:
    """15 min are still normal; with 16 min the charger is offline; the crane has never said anything."""
    report_statuses(register, [status("bat", 15), status("cars", 16), status("diesel", 1, operational_status="fault")])
    states = {state.asset_id: state for state in statuses(register, NOON, 15)}
    assert len(states) == 7
    assert states["bat"].effective.operational_status == "online"
    assert states["cars"].effective.operational_status == "offline"
    assert states["cars"].effective.is_stale
    assert states["diesel"].effective.operational_status == "fault"
    assert (states["cranes"].status, states["cranes"].effective) == (None, None)
    assert [state.asset_id for state in statuses(register, NOON, site="depot")] == ["cars", "mill"]
    delete_asset(register, "bat")
    assert "bat" not in {state.asset_id for state in statuses(register, NOON)}


def test_alarms__gravest_and_latest_first(register: sa.Engine) -> None:
    report_statuses(
        register,
        [
            status("bat", 9, alarm_level="error", alarm_message="hot"),
            status("cars", 3, alarm_level="error", alarm_message="<b>plug</b>"),
            status("diesel", 5, alarm_level="critical"),
            status("grid", 1, alarm_level="info"),
            status("mill", 1),
        ],
    )
    assert [state.asset_id for state in alarms(register)] == ["diesel", "cars", "bat"]
    assert [state.asset_id for state in alarms(register, "info")] == ["diesel", "cars", "bat", "grid"]
    assert [state.asset_id for state in alarms(register, "none")] == ["diesel", "cars", "bat", "grid"]
    assert [state.asset_id for state in alarms(register, "critical")] == ["diesel"]
    with pytest.raises(UnknownName, match=r"alarm_level = 'eror': there is none; did you mean error\?"):
        alarms(register, "eror")


# ---------------------------------------------------------------------------------------------- fleet numbers
def test_fleet_numbers__counted_by_hand(register: sa.Engine) -> None:
    """Seven assets and a decommissioned one; three said something, one of them too long ago."""
    create_asset(
        register, battery("old", status="decommissioned", capacity_kwh=1000, warranty_expiry_date=dt.date(2020, 1, 1))
    )
    create_asset(register, battery("spare", status="inactive", warranty_expiry_date=NOON.date()))
    report_statuses(
        register,
        [
            status("bat", 5, alarm_level="error"),
            status("cars", 60),
            status("diesel", 1, operational_status="standby", online=False, last_communication=NOON),
            status("old", 1, alarm_level="critical"),
        ],
    )
    create_maintenance(register, maintenance("m1", scheduled_date=dt.date(2024, 6, 2)))
    create_maintenance(register, maintenance("m2", scheduled_date=NOON.date()))
    create_maintenance(register, maintenance("m3", status="in_progress", scheduled_date=dt.date(2024, 5, 1)))
    create_maintenance(register, maintenance("m4", status="completed", completed_date=dt.date(2024, 6, 1)))
    create_maintenance(register, maintenance("m5", asset_id="old"))
    numbers = fleet_numbers(register, NOON)
    assert (numbers.assets, numbers.sites) == (8, 2)
    assert numbers.by_kind == {
        "battery": 2, "ev_charger": 1, "generator": 1, "grid_connection": 1, "load": 1, "solar_pv": 1,
        "wind_turbine": 1,
    }  # fmt: skip
    assert numbers.by_site == {"depot": 2, "harbour": 6}
    assert numbers.by_status == {"active": 7, "decommissioned": 1, "inactive": 1}
    assert numbers.capacity_kwh == 200
    assert numbers.capacity_kw["ev_charger"] == 33
    assert numbers.by_operational_status == {"offline": 1, "online": 1, "standby": 1, "unknown": 5}
    assert (numbers.online, numbers.online_share, numbers.stale) == (1, 1 / 8, 1)
    assert numbers.alarms == {"error": 1}
    assert (numbers.maintenance_open, numbers.maintenance_overdue) == (3, 1)
    assert (numbers.warranties_ended, numbers.warranties_ending) == (0, 1)


@pytest.mark.parametrize(
    ("hour", "overdue", "ended"),
    [(21, 0, 0), (22, 1, 1)],  # midnight in Berlin in summer: the third of June is over at 22:00 UTC
)
def test_fleet_numbers__days_pass_by_the_clock_of_the_site(
    register: sa.Engine, hour: int, overdue: int, ended: int
) -> None:
    day = dt.date(2024, 6, 3)
    create_asset(register, battery("spare", warranty_expiry_date=day))
    create_maintenance(register, maintenance("m1", scheduled_date=day))
    numbers = fleet_numbers(register, dt.datetime(2024, 6, 3, hour, tzinfo=dt.UTC))
    assert (numbers.maintenance_open, numbers.maintenance_overdue) == (1, overdue)
    assert (numbers.warranties_ended, numbers.warranties_ending) == (ended, 1 - ended)


def test_days_of_assets__by_the_clock_of_the_site(register: sa.Engine) -> None:
    evening = dt.datetime(2024, 6, 3, 22, tzinfo=dt.UTC)  # midnight in Berlin
    assert set(days_of_assets(register, evening).values()) == {dt.date(2024, 6, 4)}
    assert days_of_assets(register, evening - dt.timedelta(seconds=1))["bat"] == dt.date(2024, 6, 3)


def test_fleet_numbers__of_an_empty_register(engine: sa.Engine) -> None:
    numbers = fleet_numbers(engine)
    assert (numbers.assets, numbers.online_share, numbers.by_kind, numbers.capacity_kwh) == (0, None, {}, 0)


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(
        st.tuples(
            st.sampled_from(["bat", "cars", "diesel", "grid", "mill"]),
            st.sampled_from([0, 1, 14.999, 15, 15.001, 500]),
            st.booleans(),
            st.sampled_from(["online", "offline", "standby", "fault", "maintenance"]),
            st.booleans(),
        ),
        max_size=5,
    )
)
def test_fleet_numbers__agree_with_the_status_of_each_asset(engine: sa.Engine, said: list[tuple]) -> None:
    """SQL counts what `effective_status` says of each asset, whatever was reported."""
    if not list_sites(engine):
        save_portfolio(engine, sample_portfolio())
    for name, minutes, online, operational, has_spoken in said:
        spoken = {"last_communication": NOON - dt.timedelta(minutes=minutes)} if has_spoken else {}
        report_status(
            engine,
            AssetStatus(asset_id=name, reported_at=NOON, online=online, operational_status=operational, **spoken),
        )
    effective = [state.effective for state in statuses(engine, NOON)]
    words = ["unknown" if one is None else one.operational_status for one in effective]
    numbers = fleet_numbers(engine, NOON)
    assert numbers.by_operational_status == {word: words.count(word) for word in set(words)}
    assert numbers.stale == sum(one is not None and one.is_stale for one in effective)


# ---------------------------------------------------------------------------------------------- maintenance
def test_maintenance__made_changed_and_removed(register: sa.Engine) -> None:
    new = maintenance(parts_replaced=("filter", "belt 'B'"), cost=120.5, description="<i>oil</i>")
    assert create_maintenance(register, new, "bo").record == new
    done = {"status": "completed", "completed_date": dt.date(2024, 6, 4), "next_maintenance_date": dt.date(2025, 6, 4)}
    entry = update_maintenance(register, "m1", done, version=1, by="eve")
    assert entry == get_maintenance(register, "m1")
    assert (entry.version, entry.updated_by, entry.record.completed_date) == (2, "eve", dt.date(2024, 6, 4))
    with pytest.raises(DatabaseProblem, match=r"maintenance record 'm1' was changed after version 1 .*eve at"):
        update_maintenance(register, "m1", {"cost": 1.0}, version=1)
    with pytest.raises(InvalidInput, match="completed_date: is required where status = 'completed'"):
        update_maintenance(register, "m1", {"completed_date": None})
    with pytest.raises(InvalidInput, match="asset_id = 'x': no such asset"):
        create_maintenance(register, maintenance("m2", asset_id="x"))
    delete_maintenance(register, "m1")
    with pytest.raises(UnknownName):
        get_maintenance(register, "m1")


def test_list_maintenance__by_day_and_filter(register: sa.Engine) -> None:
    create_maintenance(register, maintenance("late", scheduled_date=dt.date(2024, 7, 1)))
    create_maintenance(register, maintenance("soon", "mill", scheduled_date=dt.date(2024, 6, 1)))
    create_maintenance(register, maintenance("open", "cars", scheduled_date=None, status="in_progress"))
    assert [one.id for one in list_maintenance(register)] == ["soon", "late", "open"]
    assert [one.id for one in list_maintenance(register, asset="mill")] == ["soon"]
    assert [one.id for one in list_maintenance(register, site="depot")] == ["soon", "open"]
    assert [one.id for one in list_maintenance(register, status="in_progress")] == ["open"]
    assert [one.id for one in list_maintenance(register, scheduled_until=NOON.date())] == ["soon"]
    overdue = [one for one in list_maintenance(register) if status_on(one, NOON.date()) == "overdue"]
    assert len(overdue) == fleet_numbers(register, NOON).maintenance_overdue == 1


# ---------------------------------------------------------------------------------------------- performance
def test_performance__profit_moves_along(register: sa.Engine) -> None:
    """Earned 30, spent 10: 20; with 15 spent it is 15, as it was never stated."""
    (entry,) = create_performance(register, [performance()])
    assert entry.record.net_profit == 20
    assert update_performance(register, "p1", {"total_cost": 15}).record.net_profit == 15
    assert get_performance(register, "p1").version == 2
    lines = [line for line in history_of(register, "p1") if line.operation == "update"]
    assert {line.field for line in lines} == {"total_cost", "net_profit"}
    delete_performance(register, "p1")
    assert list_performance(register) == []


def test_list_performance__by_period_and_filter(register: sa.Engine) -> None:
    day = dt.timedelta(days=1)
    create_performance(
        register,
        [
            performance("p2", period_start=NOON, period_end=NOON + day),
            performance("p1"),
            performance("p3", "bat"),
        ],
    )
    assert [one.id for one in list_performance(register)] == ["p3", "p1", "p2"]
    assert [one.id for one in list_performance(register, asset="mill")] == ["p1", "p2"]
    assert [one.id for one in list_performance(register, site="harbour")] == ["p3"]
    assert [one.id for one in list_performance(register, since=NOON)] == ["p2"]
    assert [one.id for one in list_performance(register, until=NOON)] == ["p3", "p1"]
