"""Groups in a dispatch: limits that members share, and energy that they exchange."""

from __future__ import annotations

import numpy as np
import pytest
from builders import battery, charger, generator, grid, load, prices, problem, session, solar

from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.group import Group, GroupMember
from ems.assets.group_limits import group_findings
from ems.assets.load import Load
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import InvalidInput
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of


def grouped(*ids: str, **fields) -> dict:
    """One group of assets, as fields of a portfolio."""
    members = tuple(GroupMember(asset_id=one, group_id="feeder") for one in ids)
    return {"groups": (Group(id="feeder", **fields),), "members": members}


def solved(asked: DispatchProblem) -> DispatchResult:
    """The dispatch, whose schedule is sound and whose cost is that of the bill."""
    result = solve(asked)
    assert violations_of(result.flows, asked.series, asked.portfolio) == []
    billed = settle(result.flows, asked.series, asked.portfolio).total_cost
    assert result.total_cost == pytest.approx(billed, abs=1e-6)
    return result


def flow(result: DispatchResult, asset: str, name: str) -> np.ndarray:
    return result.flows[name].sel(asset=asset).to_numpy()


def two_sites(*more, demand_kw: tuple[float, float] = (60, 60), **fields) -> DispatchProblem:
    """A load behind a connection at each of two sites; energy costs 0.20 and 0.30, and sells at 0.05."""
    assets, values = list(more), {}
    for site, price, demand in zip(("a", "b"), (0.2, 0.3), demand_kw, strict=True):
        changed = fields.pop(f"grid_{site}", {})
        assets += [grid(id=f"grid-{site}", site_id=site, **changed), load(id=f"load-{site}", site_id=site)]
        values |= {**prices(price, 0.05, f"grid-{site}"), f"load-{site}.demand_kw": demand}
    for one in more:
        if one.kind == "solar_pv":
            values[f"{one.id}.available_kw"] = 50
    return problem(assets, values, **fields)


def test_group_limit__generator_takes_what_the_feeder_cannot():
    """120 kW of load and 100 kW of feeder leave 20 kW to a generator at 0.40, dearer than the grid's 0.30."""
    unit = generator(site_id="b", fuel_cost_per_kwh=0.4)
    result = solved(two_sites(unit, **grouped("grid-a", "grid-b", max_import_kw=100)))
    assert flow(result, "generator", "output_kw") == pytest.approx([20])
    assert result.total_cost == pytest.approx(60 * 0.2 + 40 * 0.3 + 20 * 0.4)


def test_group_limit__exports_and_imports_offset_each_other():
    """30 kW of site a's sun count against the 60 kW that site b takes: 30 kW of feeder are enough."""
    result = solved(two_sites(solar(site_id="a"), demand_kw=(20, 60), **grouped("grid-a", "grid-b", max_import_kw=30)))
    assert flow(result, "grid-a", "export_kw") == pytest.approx([30])


def test_group_limit__export_is_curtailed():
    """Of 100 kW of sun, 30 kW may leave; the rest is not used."""
    plants = [solar(id=f"sun-{site}", site_id=site) for site in ("a", "b")]
    result = solved(two_sites(*plants, demand_kw=(0, 0), **grouped("grid-a", "grid-b", max_export_kw=30)))
    exports = flow(result, "grid-a", "export_kw") + flow(result, "grid-b", "export_kw")
    assert exports == pytest.approx([30])
    assert result.total_cost == pytest.approx(-30 * 0.05)


def test_group_limit__counts_members_of_nested_groups():
    """The outer group has no member of its own; the generator runs as above."""
    fields = grouped("grid-a", "grid-b", parent_group_id="plant")
    fields["groups"] += (Group(id="plant", max_import_kw=100),)
    result = solved(two_sites(generator(site_id="b", fuel_cost_per_kwh=0.4), **fields))
    assert flow(result, "generator", "output_kw") == pytest.approx([20])


def test_group_limit__of_assets_at_one_bus():
    """Two chargers on a cable of 12 kW need both hours for 10 kWh each, though the first hour is cheaper."""
    chargers = [charger(id=one, sessions=[session(0, 2, 10)], charge_efficiency=1) for one in ("left", "right")]
    asked = problem([grid(), *chargers], prices([0.1, 0.3]), [1, 1], **grouped("left", "right", max_import_kw=12))
    result = solved(asked)
    assert flow(result, "left", "charge_kw") + flow(result, "right", "charge_kw") == pytest.approx([12, 8])
    assert result.total_cost == pytest.approx(12 * 0.1 + 8 * 0.3)


def test_group_limit__batteries_that_feed():
    """Of 100 kWh, 30 kW may leave the group in an hour at 0.50."""
    store = battery(initial_soc=1, final_soc_rule="free")
    result = solved(problem([grid(), store], prices(0.5), **grouped("battery", max_export_kw=30)))
    assert result.total_cost == pytest.approx(-15)


def test_sharing__sun_of_one_site_serves_the_other():
    """50 kWh at a fee of 0.02 cost 1 instead of 15 at the supplier less 2.50 for the sun."""
    asked = two_sites(solar(site_id="a"), demand_kw=(0, 50), **grouped("grid-a", "grid-b", sharing_fee_per_kwh=0.02))
    result = solved(asked)
    assert flow(result, "grid-a", "shared_out_kw") == pytest.approx([50])
    assert flow(result, "grid-b", "shared_in_kw") == pytest.approx([50])
    assert result.total_cost == pytest.approx(1)


def test_sharing__fee_above_the_spread():
    """At a fee of 0.26, more than the 0.25 between buying and selling, nobody shares."""
    asked = two_sites(solar(site_id="a"), demand_kw=(0, 50), **grouped("grid-a", "grid-b", sharing_fee_per_kwh=0.26))
    result = solved(asked)
    assert flow(result, "grid-b", "shared_in_kw") == pytest.approx([0])
    assert result.total_cost == pytest.approx(50 * 0.3 - 50 * 0.05)


def test_sharing__what_is_bought_is_not_passed_on():
    """Site a buys at 0.20, site b at 0.30; a connection that imports has nothing to share out."""
    result = solved(two_sites(demand_kw=(0, 50), **grouped("grid-a", "grid-b", sharing_fee_per_kwh=0)))
    assert result.total_cost == pytest.approx(15)


def test_sharing__meter_limits_and_demand_charges_see_it():
    """Site b's wire carries 40 kW, shared or not; its demand charge of 1 per kW counts them.

    40 kWh shared at 0.02, 10 kWh from the generator at 0.40, 40 kW billed, and the sun's last 10 kWh sold.
    """
    peak = {"name": "peak", "rate_per_kw": 0.1}
    unit = generator(site_id="b", fuel_cost_per_kwh=0.4)
    asked = two_sites(
        solar(site_id="a"),
        unit,
        demand_kw=(0, 50),
        grid_b={"max_import_kw": 40, "demand_charges": [peak]},
        **grouped("grid-a", "grid-b", sharing_fee_per_kwh=0.02),
    )
    result = solved(asked)
    assert flow(result, "grid-b", "shared_in_kw") == pytest.approx([40])
    assert result.total_cost == pytest.approx(40 * 0.02 + 10 * 0.4 + 40 * 0.1 - 10 * 0.05)


def test_sharing__both_meters_apart():
    """Where a connection may import while it exports, it still does not share with itself."""
    apart = {"may_import_while_exporting": True}
    asked = two_sites(
        solar(site_id="a"),
        demand_kw=(0, 50),
        grid_a=apart,
        grid_b=apart,
        **grouped("grid-a", "grid-b", sharing_fee_per_kwh=0),
    )
    result = solved(asked)
    for one in ("grid-a", "grid-b"):
        assert np.minimum(flow(result, one, "shared_in_kw"), flow(result, one, "shared_out_kw")) == pytest.approx([0])


def test_group_limit__connections_and_what_is_behind_them():
    asked = {"asset_ids": ("grid-a", "load-a")}
    with pytest.raises(InvalidInput, match="group 'feeder': its limit would count power twice, at grid connection"):
        solve(two_sites(**grouped(*asked["asset_ids"], max_import_kw=100)))


KINDS = {"one": GridConnection, "two": GridConnection, "load": Load, "unit": Generator}


@pytest.mark.parametrize(
    ("groups", "members", "message"),
    [
        ([{"id": "g", "max_import_kw": 5}], {}, "group 'g': has a limit but no members"),
        ([{"id": "g", "max_export_kw": 5}], {"one": "g", "load": "g"}, "at grid connection 'one' and at load 'load'"),
        ([{"id": "g", "sharing_fee_per_kwh": 0}], {"one": "g", "load": "g"}, "needs two grid connections or more"),
        (
            [{"id": "g", "sharing_fee_per_kwh": 0, "parent_group_id": "h"}, {"id": "h", "sharing_fee_per_kwh": 0}],
            {"one": "g", "two": "g"},
            "grid connection 'one': is in the sharing groups 'g' and 'h'",
        ),
    ],
)
def test_group_findings__unusable_groups(groups, members, message):
    found = group_findings(
        [Group(**one) for one in groups],
        [GroupMember(asset_id=asset, group_id=group) for asset, group in members.items()],
        KINDS,
    )
    assert any(message in finding for finding in found), found


def test_group_findings__sound_groups():
    """Limits on connections or on assets behind them, and members of any kind where nothing is limited."""
    groups = [Group(id="wires", max_import_kw=5, sharing_fee_per_kwh=0.1), Group(id="cable", max_import_kw=5)]
    groups.append(Group(id="all"))
    members = [
        ("one", "wires"),
        ("two", "wires"),
        ("load", "cable"),
        ("unit", "cable"),
        ("one", "all"),
        ("load", "all"),
    ]
    assert group_findings(groups, [GroupMember(asset_id=a, group_id=g) for a, g in members], KINDS) == []


def test_replay__group_limits_and_sharing_broken():
    """A feeder of 100 kW, of which a stricter reading of 90 kW is broken by 10 kW; and 5 kW that nobody sent."""
    unit = generator(site_id="b", fuel_cost_per_kwh=0.4)
    asked = two_sites(unit, **grouped("grid-a", "grid-b", max_import_kw=100, sharing_fee_per_kwh=0))
    flows = solved(asked).flows
    stricter = asked.portfolio.replace(groups=(asked.portfolio.groups[0].replace(max_import_kw=90.0),))
    assert violations_of(flows, asked.series, stricter) == [
        "'group feeder': takes more than 90 kW by 10 kW at 2024-06-03 00:00 UTC"
    ]
    flows = flows.copy(deep=True)
    flows.shared_in_kw.loc[{"asset": "grid-a"}] += 5
    flows.import_kw.loc[{"asset": "grid-a"}] -= 5
    assert violations_of(flows, asked.series, asked.portfolio) == [
        "'group feeder': shares in other energy than it shares out by 5 kW at 2024-06-03 00:00 UTC"
    ]
