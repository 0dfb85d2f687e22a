from __future__ import annotations

import getpass
import math

import pytest
import sqlalchemy as sa
from register_samples import battery, maintenance, performance, sample_portfolio, status
from register_strategies import HOSTILE

from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.portfolio import Site
from ems.assets.reserve import ReserveRequirement
from ems.assets.solar_pv import SolarPV
from ems.database.engine import reading
from ems.database.history import history_of
from ems.database.operation import create_maintenance, create_performance, report_status
from ems.database.optimizations import store_optimization
from ems.database.records import OptimizationAsset, OptimizationJob, Run
from ems.database.register import (
    add_dependency,
    add_member,
    create_asset,
    create_assets,
    create_group,
    create_reserve,
    create_site,
    delete_asset,
    delete_group,
    delete_reserve,
    delete_site,
    delete_tariff,
    get_asset,
    get_entry,
    get_group,
    get_reserve,
    get_settings,
    get_site,
    get_tariff,
    remove_dependency,
    remove_member,
    update_asset,
    update_group,
    update_member,
    update_reserve,
    update_settings,
    update_site,
    update_tariff,
)
from ems.database.register_portfolio import save_portfolio
from ems.database.register_queries import (
    list_assets,
    list_dependencies,
    list_groups,
    list_members,
    list_reserves,
    list_sites,
)
from ems.database.register_tables import METADATA
from ems.database.runs import open_run, start_run
from ems.errors import DatabaseProblem, InvalidInput, UnknownName


@pytest.fixture
def register(engine: sa.Engine) -> sa.Engine:
    """A register with the sample portfolio, entered by ana."""
    save_portfolio(engine, sample_portfolio(), "ana")
    return engine


def rows_of(engine: sa.Engine, asset_id: str) -> dict[str, int]:
    """Count the rows of an asset in each table that has any."""
    counts = {}
    with reading(engine) as connection:
        for table in METADATA.sorted_tables:
            column = table.c.get("asset_id", table.c.id if table.name == "assets" else None)
            if column is not None:
                query = sa.select(sa.func.count()).select_from(table).where(column == asset_id)
                counts[table.name] = connection.execute(query).scalar_one()
    return {name: number for name, number in counts.items() if number}


# ---------------------------------------------------------------------------------------------- making and reading
def test_create_asset__is_read_back_with_its_audit(register: sa.Engine) -> None:
    new = battery("new", chemistry="lead_acid", metadata={"rack": [1, 2.5, None, {"ä": True}]})
    entry = create_asset(register, new, "bo")
    assert entry.record == get_asset(register, "new") == new
    assert (entry.version, entry.created_by, entry.updated_by) == (1, "bo", "bo")
    assert entry.created_at == entry.updated_at
    assert get_entry(register, "new") == entry


def test_create_asset__keeps_what_was_stated_apart_from_what_follows(register: sa.Engine) -> None:
    """A battery of 0.81 round trip has 0.9 each way; a what-if on the round trip moves both along."""
    create_asset(register, battery("new", round_trip_efficiency=0.81))
    kept = get_asset(register, "new")
    assert kept.given() == battery("new", round_trip_efficiency=0.81).given()
    assert kept.charge_efficiency == pytest.approx(0.9, abs=1e-12)  # a square root, rounded
    assert kept.replace(round_trip_efficiency=0.64).charge_efficiency == pytest.approx(0.8, abs=1e-12)


def test_create_asset__twice(register: sa.Engine) -> None:
    with pytest.raises(InvalidInput, match=r"battery 'bat': is there already, made by ana at .* UTC; change it or"):
        create_asset(register, battery())


def test_create_asset__at_an_unknown_site(register: sa.Engine) -> None:
    with pytest.raises(InvalidInput, match=r"battery 'new': site_id = 'harbor': no such site; did you mean harbour\?"):
        create_asset(register, battery("new", site_id="harbor"))


def test_create_assets__all_or_none(register: sa.Engine) -> None:
    with pytest.raises(InvalidInput, match=r"(?s)site_id = 'x'.*battery_asset_id = 'bta'.*did you mean bat\?"):
        create_assets(
            register,
            [
                battery("one"),
                battery("two", site_id="x"),
                SolarPV(
                    id="sun", site_id="depot", rated_capacity_kw=1, has_battery_storage=True, battery_asset_id="bta"
                ),
            ],
        )
    with pytest.raises(UnknownName):
        get_asset(register, "one")
    with pytest.raises(InvalidInput, match="asset 'one': is given twice"):
        create_assets(register, [battery("one"), battery("one")])
    assert create_assets(register, []) == []


def test_get_asset__misspelt(register: sa.Engine) -> None:
    with pytest.raises(UnknownName, match=r"asset 'dieesl': is not in the register; did you mean diesel\?"):
        get_asset(register, "dieesl")


@pytest.mark.parametrize("name", HOSTILE)
def test_names__mean_nothing_to_the_database(register: sa.Engine, name: str) -> None:
    """Quotes, wildcards, markup, emoji and marks of direction come back as they went in, wherever they stand."""
    create_asset(register, battery("new", name=name, description=name, location=name, metadata={name: name}), name)
    update_asset(register, "new", {"manufacturer": name}, by=name)
    entry = get_entry(register, "new")
    assert (entry.record.name, entry.record.location, entry.record.metadata) == (name, name, {name: name})
    assert entry.created_by == entry.updated_by == " ".join(name.split())
    assert [row.id for row in list_assets(register, text=name).rows] == ["new"]
    assert [row.id for row in list_assets(register, where={"manufacturer": name}).rows] == ["new"]
    assert history_of(register, "new", field="manufacturer")[0].new == name
    for field in ("row_id", "field", "table_name"):
        assert history_of(register, **{field: name}) == []
    with pytest.raises(UnknownName):
        get_asset(register, name)


# ---------------------------------------------------------------------------------------------- changing
def test_update_asset__writes_history_of_each_field(register: sa.Engine) -> None:
    """0.95 is the square of 0.9747 and 0.9 that of 0.9487: the ways that follow are changes, too."""
    entry = update_asset(register, "bat", {"round_trip_efficiency": 0.9, "status": "maintenance"}, by="bo")
    assert (entry.version, entry.created_by, entry.updated_by) == (2, "ana", "bo")
    assert entry.updated_at > entry.created_at
    lines = {line.field: line for line in history_of(register, "bat") if line.operation == "update"}
    assert lines.keys() == {"status", "round_trip_efficiency", "charge_efficiency", "discharge_efficiency"}
    assert (lines["status"].old, lines["status"].new) == ("active", "maintenance")
    assert lines["charge_efficiency"].new == pytest.approx(math.sqrt(0.9), abs=1e-12)
    assert {(line.changed_by, line.version, line.changed_at) for line in lines.values()} == {
        ("bo", 2, entry.updated_at)
    }


def test_update_asset__to_what_it_is(register: sa.Engine) -> None:
    assert update_asset(register, "bat", {"capacity_kwh": 100}).version == 1
    assert [line.operation for line in history_of(register, "bat")] == ["create"]


def test_update_asset__none_lets_a_field_follow_again(register: sa.Engine) -> None:
    update_asset(register, "bat", {"usable_capacity_kwh": 80})
    assert update_asset(register, "bat", {"capacity_kwh": 90}).record.usable_capacity_kwh == 80
    assert update_asset(register, "bat", {"usable_capacity_kwh": None}).record.usable_capacity_kwh == 90


def test_update_asset__stale(register: sa.Engine) -> None:
    """Ana and Bo read version 1; Bo writes first; Ana is told what he changed."""
    update_asset(register, "bat", {"capacity_kwh": 120}, version=1, by="bo")
    with pytest.raises(DatabaseProblem) as caught:
        update_asset(register, "bat", {"min_soc": 0.2}, version=1, by="ana")
    said = str(caught.value)
    assert "battery 'bat' was changed after version 1 and is at version 2; read it again" in said
    assert "bo at " in said
    assert "capacity_kwh 100 kWh -> 120 kWh" in said
    assert get_asset(register, "bat").min_soc == 0.1
    assert update_asset(register, "bat", {"min_soc": 0.2}, version=2, by="ana").version == 3
    with pytest.raises(DatabaseProblem, match="is at version 3, not 9"):
        update_asset(register, "bat", {"min_soc": 0.3}, version=9)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"capacity": 5}, r"capacity: no such field; did you mean capacity_kwh\?"),
        ({"capacity_kwh": -5}, "capacity_kwh = -5 kWh: must be greater than 0 kWh"),
        ({"min_soc": 0.95}, "min_soc = 0.95: must be less than max_soc = 0.9"),
        ({"site_id": "nowhere"}, "site_id = 'nowhere': no such site"),
        ({"id": "other"}, "its id cannot change"),
        ({"kind": "load"}, "kind = 'load'"),
    ],
)
def test_update_asset__refused(register: sa.Engine, changes: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        update_asset(register, "bat", changes)
    assert get_entry(register, "bat").version == 1


def test_acting_user__from_argument_environment_or_system(
    register: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMS_USER", raising=False)
    assert update_asset(register, "bat", {"model": "A"}).updated_by == getpass.getuser()
    monkeypatch.setenv("EMS_USER", " Eve   of ops ")
    assert update_asset(register, "bat", {"model": "B"}).updated_by == "Eve of ops"
    assert update_asset(register, "bat", {"model": "C"}, by="bo").updated_by == "bo"
    with pytest.raises(InvalidInput, match="at most 200 characters"):
        update_asset(register, "bat", {"model": "D"}, by="x" * 201)


def test_metadata__secrets_are_not_kept(register: sa.Engine) -> None:
    """What calls itself a password is kept as stars; the same once more is no change."""
    entry = create_asset(register, battery("new", metadata={"password": "hunter22", "rack": 7}))
    assert entry.record.metadata == {"password": "***", "rack": 7}
    assert update_asset(register, "new", {"metadata": {"password": "hunter22", "rack": 7}}).version == 1
    assert "hunter22" not in str(history_of(register, "new"))


# ---------------------------------------------------------------------------------------------- deleting
def test_delete_asset__is_soft(register: sa.Engine) -> None:
    delete_asset(register, "bat", by="bo")
    assert get_asset(register, "bat").status == "decommissioned"
    line = history_of(register, "bat")[0]
    assert (line.field, line.old, line.new, line.changed_by) == ("status", "active", "decommissioned", "bo")


def test_delete_asset__permanently_takes_all_along(register: sa.Engine) -> None:
    report_status(register, status("diesel"))
    create_maintenance(register, maintenance())
    create_performance(register, [performance(asset_id="diesel")])
    assert rows_of(register, "diesel").keys() == {
        "assets", "generator_specs", "asset_group_members", "asset_dependencies", "asset_status",
        "asset_status_history", "maintenance_records", "asset_performance",
    }  # fmt: skip
    delete_asset(register, "diesel", permanent=True, by="bo")
    assert rows_of(register, "diesel") == {}
    lines = history_of(register, "diesel")
    assert [(line.operation, line.changed_by) for line in lines] == [("delete", "bo"), ("create", "ana")]
    assert lines[0].old["max_output_kw"] == 60
    assert history_of(register, "diesel/grid-a")[0].operation == "delete"


def test_delete_asset__permanently_with_results_or_dependents(register: sa.Engine) -> None:
    """The battery has results and a roof, the grid connection two that depend on it."""
    open_run(register, Run(id="r1", study="dispatch", case_name="demo", title="Demo"))
    start_run(register, "r1")
    job = OptimizationJob(
        id="j1", run_id="r1", optimization_type="dispatch", objective="cost", solver="highs", status="optimal",
        objective_value=1.0,
    )  # fmt: skip
    used = OptimizationAsset(job_id="j1", asset_id="bat", kind="battery", name="B", site_id="harbour", spec={})
    store_optimization(register, job, [used], [], [])
    with pytest.raises(InvalidInput, match=r"permanently: 1 optimization refers to it; decommission it.*'roof'"):
        delete_asset(register, "bat", permanent=True)
    with pytest.raises(InvalidInput, match=r"'cranes', 'diesel' depending on it"):
        delete_asset(register, "grid", permanent=True)
    assert get_asset(register, "bat").status == "active"
    with pytest.raises(DatabaseProblem, match="at version 1, not 4"):
        delete_asset(register, "bat", permanent=True, version=4)
    with pytest.raises(UnknownName):
        delete_asset(register, "bta", permanent=True)


# ---------------------------------------------------------------------------------------------- reserves
def test_reserves__made_changed_and_removed(register: sa.Engine) -> None:
    new = ReserveRequirement(id="down", direction="down", requirement_kw=5, price_per_kw_h=0.01)
    assert create_reserve(register, new, "bo").record == new
    assert [one.id for one in list_reserves(register)] == ["spinning", "down"]
    changed = update_reserve(register, "down", {"requirement_kw": 8, "providers": ("bat", "mill")}, by="bo")
    assert (changed.version, changed.record.requirement_kw, changed.record.providers) == (2, 8, ("bat", "mill"))
    assert get_reserve(register, "down").record == changed.record
    fields = {line.field: line.new for line in history_of(register, "down") if line.field}
    assert fields == {"requirement_kw": 8, "providers": ["bat", "mill"]}
    delete_reserve(register, "down")
    assert [one.id for one in list_reserves(register)] == ["spinning"]
    with pytest.raises(UnknownName, match="reserve 'down': is not in the register"):
        get_reserve(register, "down")


def test_reserves__provider_that_is_not_there(register: sa.Engine) -> None:
    stranger = ReserveRequirement(id="r", requirement_kw=5, providers=("mill", "bta"))
    with pytest.raises(InvalidInput, match=r"reserve 'r': providers = 'bta': no such asset; did you mean bat\?"):
        create_reserve(register, stranger)


def test_delete_asset__permanently_while_a_reserve_names_it(register: sa.Engine) -> None:
    """The roof's battery may offer reserve; without the roof only the reserve keeps it."""
    delete_asset(register, "roof", permanent=True)
    with pytest.raises(InvalidInput, match="there is reserve 'spinning' naming it among its providers; change that"):
        delete_asset(register, "bat", permanent=True)
    update_reserve(register, "spinning", {"providers": ()})
    delete_asset(register, "bat", permanent=True)
    with pytest.raises(UnknownName):
        get_asset(register, "bat")


# ---------------------------------------------------------------------------------------------- sites and tariffs
def test_sites__made_changed_and_removed(register: sa.Engine) -> None:
    assert create_site(register, Site(id="yard", timezone="UTC"), "bo").record.name == "yard"
    assert update_site(register, "yard", {"city": "Kiel"}).version == 2
    assert [site.id for site in list_sites(register)] == ["harbour", "depot", "yard"]
    delete_site(register, "yard")
    assert get_site(register, "yard").record.status == "decommissioned"
    assert [site.id for site in list_sites(register, status="active")] == ["harbour", "depot"]
    delete_site(register, "yard", permanent=True)
    with pytest.raises(UnknownName, match="site 'yard'"):
        get_site(register, "yard")


def test_sites__with_assets_stay(register: sa.Engine) -> None:
    with pytest.raises(InvalidInput, match=r"it has assets: 'cars', 'mill'; decommission them first"):
        delete_site(register, "depot")
    for asset_id in ("cars", "mill"):
        delete_asset(register, asset_id)
    delete_site(register, "depot")
    with pytest.raises(InvalidInput, match=r"it has assets: 'cars', 'mill'; move or delete them first"):
        delete_site(register, "depot", permanent=True)
    with pytest.raises(InvalidInput, match=r"it has assets: 'bat', 'cranes', 'diesel' and others"):
        delete_site(register, "harbour", permanent=True)


def test_sites__codes_are_unique(register: sa.Engine) -> None:
    with pytest.raises(InvalidInput, match="site 'yard': code = 'HB': site 'harbour' has it; codes are unique"):
        create_site(register, Site(id="yard", timezone="UTC", code="HB"))
    with pytest.raises(InvalidInput, match="code = 'HB': site 'harbour' has it"):
        update_site(register, "depot", {"code": "HB"})
    assert update_site(register, "harbour", {"code": "HB", "city": "Kiel"}).version == 2


def test_tariffs__changed_and_kept_while_used(register: sa.Engine) -> None:
    assert update_tariff(register, "flat", {"name": "Flach"}).record.name == "Flach"
    with pytest.raises(InvalidInput, match="tariff 'flat' cannot be deleted: it has grid connections: 'grid'"):
        delete_tariff(register, "flat")
    update_asset(register, "grid", {"tariff_id": None})
    delete_tariff(register, "flat")
    with pytest.raises(UnknownName):
        get_tariff(register, "flat")


def test_settings__changed(register: sa.Engine) -> None:
    assert get_settings(register).currency == "EUR"
    update_settings(register, {"currency": "USD"}, by="bo")
    assert get_settings(register).currency == "USD"
    assert history_of(register, "default", field="currency")[0].old == "EUR"


def test_settings__of_an_empty_register(engine: sa.Engine) -> None:
    assert get_settings(engine) is None


# ---------------------------------------------------------------------------------------------- groups
def test_groups__nest_without_circles(register: sa.Engine) -> None:
    """A microgrid in a plant in a portfolio; the portfolio cannot be in the microgrid."""
    create_group(register, Group(id="all", group_type="portfolio"))
    update_group(register, "plant", {"parent_group_id": "all"})
    with pytest.raises(InvalidInput, match="groups would be nested in a circle: all in grid-a in plant in all"):
        update_group(register, "all", {"parent_group_id": "grid-a"})
    with pytest.raises(InvalidInput, match="a group cannot be part of itself"):
        update_group(register, "all", {"parent_group_id": "all"})
    assert get_group(register, "all").version == 1
    assert [group.id for group in list_groups(register, parent="plant")] == ["grid-a"]
    assert [group.id for group in list_groups(register, group_type="vpp")] == ["plant"]
    with pytest.raises(InvalidInput, match="group 'plant' cannot be deleted: it has groups: 'grid-a'"):
        delete_group(register, "plant")


def test_groups__members_with_role_and_priority(register: sa.Engine) -> None:
    add_member(register, GroupMember(asset_id="roof", group_id="grid-a", priority=3))
    update_member(register, "bat", "grid-a", {"priority": 5, "role": "buffer"})
    found = [(one.asset_id, one.priority, one.role) for one in list_members(register, group="grid-a")]
    assert found == [("diesel", 1, "backup"), ("roof", 3, None), ("bat", 5, "buffer")]
    remove_member(register, "diesel", "grid-a")
    with pytest.raises(UnknownName, match="member 'diesel' / 'grid-a'"):
        remove_member(register, "diesel", "grid-a")
    delete_group(register, "grid-a")
    assert [one.group_id for one in list_members(register)] == ["plant"]
    assert get_asset(register, "bat").status == "active"


def test_dependencies__added_and_removed(register: sa.Engine) -> None:
    new = Dependency(asset_id="cars", depends_on_asset_id="grid", dependency_type="requires")
    assert add_dependency(register, new).record == new
    with pytest.raises(InvalidInput, match="is there already"):
        add_dependency(register, new)
    with pytest.raises(InvalidInput, match="depends_on_asset_id = 'gird': no such asset"):
        add_dependency(register, new.replace(depends_on_asset_id="gird"))
    assert len(list_dependencies(register, asset="grid")) == 3
    assert [one.asset_id for one in list_dependencies(register, asset="cars")] == ["cars"]
    remove_dependency(register, "cars", "grid", "requires")
    assert list_dependencies(register, asset="cars") == []
    assert [line.operation for line in history_of(register, "cars/grid/requires")] == ["delete", "create"]
