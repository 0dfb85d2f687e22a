"""The register's tables: rows in order, literal names, and a sentence where there is nothing."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from register_report_samples import TODAY, due_row, health_row, make_register, status_row

from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.outage import affected_by
from ems.report.register_tables import (
    show_alarms,
    show_groups,
    show_health,
    show_maintenance,
    show_outages,
    show_register,
    show_sites,
    show_statuses,
)


def test_show_sites__sums_power_and_storage():
    """300 kW of PV, 200 kW of generation and 100 kW of storage are installed at the quay; 400 kWh are stored."""
    quay, depot = show_sites(make_register()).rows

    assert quay[4:] == (4, 600.0, 400.0)
    assert depot[4:] == (1, 0.0, 0)


def test_show_register__sources_before_uses_and_no_empty_column():
    table = show_register(make_register())

    assert [row[0] for row in table.rows] == ["grid", "Roof", "Diesel", "Old diesel", "Quay battery", "Workshop"]
    assert "make" not in table.columns


def test_show_register__names_the_maker_where_it_is_known():
    register = make_register()
    assets = (register.assets[0].replace(manufacturer="Aye & Sons", model="T<1>"), *register.assets[1:])

    table = show_register(register.replace(assets=assets))

    assert table.rows[0][-1] == "Aye & Sons T<1>"
    assert "Aye &amp; Sons T&lt;1&gt;" in table._repr_html_()


def test_show_groups__nested_below_their_parent_and_members_by_priority():
    register = make_register(
        groups=(
            Group(id="grid-part", name="Microgrid", group_type="microgrid", parent_group_id="whole"),
            Group(id="whole", name="Whole", group_type="vpp"),
        ),
        members=(
            GroupMember(asset_id="roof", group_id="grid-part"),
            GroupMember(asset_id="battery", group_id="grid-part", role="grid forming", priority=1),
        ),
    )

    first, second = show_groups(register).rows

    assert first[:3] == ("Whole", "VPP", "")
    assert second[:4] == ("Microgrid", "microgrid", "Whole", "Quay battery (grid forming); Roof")


def test_show_outages__names_the_way_it_takes():
    """The workshop requires the battery, which requires the grid: an outage of the grid takes both down."""
    dependencies = (
        Dependency(asset_id="battery", depends_on_asset_id="grid", dependency_type="requires"),
        Dependency(asset_id="workshop", depends_on_asset_id="battery", dependency_type="requires"),
    )
    affected = {one: affected_by(one, dependencies) for one in ("battery", "grid", "workshop")}

    rows = show_outages(make_register(dependencies=dependencies), affected).rows

    assert rows == [
        ("grid", 2, "Quay battery; Workshop (through Quay battery)"),
        ("Quay battery", 1, "Workshop"),
    ]


def test_show_outages__nothing_depends_on_anything():
    assert show_outages(make_register(), {"grid": ()}).columns == ("No asset takes another one down.",)


def test_show_statuses__times_are_local():
    said = dt.datetime(2025, 6, 30, 8, 0, tzinfo=dt.UTC)

    (row,) = show_statuses([status_row("a", reported_at=said)], "Europe/Berlin").rows

    assert row[5].replace("\N{NO-BREAK SPACE}", " ") == "30 Jun 2025 10:00"


def test_show_alarms__gravest_first():
    rows = [
        status_row("a", alarm_level="info", alarm="a note"),
        status_row("b"),
        status_row("c", alarm_level="critical", alarm="F1: fire"),
    ]

    assert [row[:2] for row in show_alarms(rows, "UTC").rows] == [("critical", "C"), ("info", "A")]
    assert show_alarms(rows[1:2], "UTC").columns == ("No asset reports an alarm.",)


def test_show_maintenance__overdue_first_then_by_day_then_by_use():
    rows = [
        due_row("by-use", None),
        due_row("soon", TODAY + dt.timedelta(days=3)),
        due_row("late", TODAY - dt.timedelta(days=18), is_overdue=True),
    ]

    table = show_maintenance(rows, TODAY)

    assert [(row[0], row[2], row[4]) for row in table.rows] == [
        ("Late", "overdue", -18),
        ("Soon", "due", 3),
        ("By-use", "by use", None),
    ]


def test_show_health__weakest_first_unknown_last():
    table = show_health([health_row("a", None), health_row("b", 0.9), health_row("c", 0.2, parts=("worn",))])

    assert [row[0] for row in table.rows] == ["C", "B", "A"]
    assert "worn" in repr(table)


def test_show_groups__member_that_is_not_looked_at_is_left_out():
    """A part of a portfolio may be looked at, whose groups have members elsewhere."""
    part = SimpleNamespace(
        assets=(),
        groups=(Group(id="g", parent_group_id="elsewhere"),),
        members=(GroupMember(asset_id="far", group_id="g"),),
    )

    assert show_groups(part).rows == [("g", "custom", "", "", "")]
