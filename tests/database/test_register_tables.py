from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from register_samples import maintenance, performance, sample_portfolio, status

from ems.assets.portfolio import KINDS
from ems.database.engine import HEAD, connect, open_engine, reading, writing
from ems.database.history import CHANGES, history_of
from ems.database.migrate import current, differences, downgrade, upgrade
from ems.database.operation import create_maintenance, create_performance, report_status
from ems.database.records import Run
from ems.database.register import get_asset, get_entry
from ems.database.register_portfolio import load_portfolio, save_portfolio
from ems.database.register_queries import list_assets
from ems.database.register_tables import AUDITED, METADATA, SPECS, STATUS_HISTORY
from ems.database.runs import get_run, open_run
from ems.errors import DatabaseProblem

BREAKS = {
    "not_its_own_parent": "parent_group_id = id",
    "not_on_itself": "depends_on_asset_id = asset_id",
    "alarm_has_level": "alarm_level = 'none', alarm_message = 'hot'",
    "completed_has_date": "status = 'completed', completed_date = NULL",
    "planned_has_date": "status = 'scheduled', scheduled_date = NULL",
    "next_order": "next_maintenance_date = scheduled_date",
    "period_order": "period_end = period_start",
    "one": "id = 'second'",
    "currency_length": "currency = 'EURO'",
    "usable_order": "usable_capacity_kwh = capacity_kwh + 1",
    "soc_order": "min_soc = max_soc",
    "initial_soc_order": "initial_soc = 0.95",
    "target_soc_order": "target_soc = 0.05",
    "temperature_order": "operating_temp_min_degc = 30, operating_temp_max_degc = 20",
    "efficiency_product": "charge_efficiency = 0.5",
    "output_order": "min_output_kw = max_output_kw + 1",
    "tank_use": "fuel_tank_capacity_l = 100, fuel_consumption_l_per_kwh = NULL",
    "one_price": "import_price_per_kwh = 0.3",
    "power_factor_order": "min_power_factor = 0.95, max_power_factor = -0.9",
    "power_order": "min_load_kw = 2, peak_load_kw = 1",
    "critical_is_served": "is_critical = :true, is_sheddable = :true, interruption_cost_per_kwh = 1",
    "shedding_price": "is_sheddable = :true, interruption_cost_per_kwh = NULL",
    "battery_is_named": "has_battery_storage = :false",
    "cut_in_order": "cut_in_wind_speed_m_per_s = rated_wind_speed_m_per_s",
    "cut_out_order": "cut_out_wind_speed_m_per_s = rated_wind_speed_m_per_s",
    "power_given": "max_charge_kw = 0, max_discharge_kw = 0",
    "worth_of_rest": "final_energy_value_per_kwh = 0.1, final_soc_rule = 'exactly'",
    "one_price_of_wear": "cycle_depth_segments = 4",
    "giving_waits": "v2g_capable = :true, smart_charging_capable = :false",
    "current_is_power": "min_current_ampere = 6, max_current_ampere = NULL, voltage_v = NULL",
    "charge_order": "min_charge_kw = max_power_kw + 1",
    "startup_order": "max_startup_kw = 1, min_output_kw = 2",
    "shutdown_order": "max_shutdown_kw = 1, min_output_kw = 2",
    "output_before": "initial_output_kw = 5, initial_is_on = :false",
    "one_use": "shiftable = '{}', thermal = '{}'",
    "shed_of_profile": "is_sheddable = :true, interruption_cost_per_kwh = 1, thermal = '{}'",
    "recovery_of_shed": "recovered_share = 0.5",
    "recovery_time": "recovery_h = 2",
    "down_is_headroom": "direction = 'down', kind = 'ramp_limited'",
    "capacity_has_no_price": "kind = 'capacity', price_per_kw_h = 1",
    "survival_order": "survival_wind_speed_m_per_s = 24",
}
"""For each law between columns a change that breaks it."""


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    """A register with a row in each of its tables."""
    save_portfolio(engine, sample_portfolio(), "ana")
    report_status(engine, status(), "ana")
    create_maintenance(engine, maintenance(), "ana")
    create_performance(engine, [performance()], "ana")
    return engine


def execute(engine: sa.Engine, statement: str, **values: object) -> None:
    with writing(engine) as connection:
        connection.execute(sa.text(statement), values)


def violations(table: sa.Table) -> Iterator[tuple[str, str, dict[str, object]]]:
    """For each CHECK of a table its name, and a change that it must refuse, as SQL with values."""
    for constraint in table.constraints:
        if not isinstance(constraint, sa.CheckConstraint):
            continue
        name = str(constraint.name).removeprefix(f"ck_{table.name}_")
        column, _, word = name.rpartition("_")
        if name in BREAKS:
            flags = {flag: flag == "true" for flag in ("true", "false") if f":{flag}" in BREAKS[name]}
            yield name, BREAKS[name], flags
        elif word == "range":
            low, high = re.search(r">=? (-?[0-9.e+]+) AND \S+ <=? (-?[0-9.e+]+)", str(constraint.sqltext)).groups()
            # Infinity where there is no bound, else what lies beyond; both sides of every law.
            is_whole = isinstance(table.c[column].type, sa.BigInteger)
            if not is_whole or float(low) > -1e15:
                yield name, f"{column} = :value", {"value": float(low) - 1 if float(low) > -1e300 else -math.inf}
            if not is_whole or float(high) < 1e15:
                yield name, f"{column} = :value", {"value": float(high) + 1 if float(high) < 1e300 else math.inf}
        elif word == "choice":
            yield name, f"{column} = :value", {"value": 7 if column == "phases" else "7"}
        else:
            assert word == "length", f"no violation is known for {name}"
            yield name, f"{column} = :value", {"value": "x" * 10_001}


def test_tables__each_law_refuses_plain_sql(filled: sa.Engine) -> None:
    """Each CHECK of each table is violated, on both sides of a range; it, or a stricter type, refuses.

    One change may break several laws on the same column; which of them speaks is the database's choice.
    """
    tried = set()
    for table in (*AUDITED, STATUS_HISTORY, CHANGES):
        checks = [one for one in table.constraints if isinstance(one, sa.CheckConstraint)]
        laws = {str(one.name).removeprefix(f"ck_{table.name}_"): str(one.sqltext) for one in checks}
        for law, change, values in violations(table):
            with pytest.raises(DatabaseProblem) as caught:
                execute(filled, f"UPDATE {table.name} SET {change}", **values)
            said = str(caught.value)
            accepted = [name for name in laws if law == name or change.split()[0] in laws[name]]
            accepted += ["too long", "invalid input", "is of type boolean"]
            assert any(words in said for words in accepted), (law, said)
            tried.add((table.name, law))
    assert len(tried) > 300
    assert BREAKS.keys() <= {law for _, law in tried}


def test_tables__range_just_kept_by_plain_sql(filled: sa.Engine) -> None:
    """The bounds themselves are allowed where they are inclusive: a share of 0 and of 1."""
    for value in (0, 1):
        execute(filled, "UPDATE solar_pv_specs SET shading_factor = :value", value=value)
        assert get_asset(filled, "roof").shading_factor == value


BROKEN_REFERENCES = (
    "UPDATE assets SET site_id = 'nowhere'",
    "UPDATE grid_connection_specs SET tariff_id = 'nowhere'",
    "UPDATE solar_pv_specs SET battery_asset_id = 'nowhere'",
    "UPDATE asset_groups SET parent_group_id = 'nowhere' WHERE id = 'grid-a'",
    "UPDATE asset_groups SET site_id = 'nowhere'",
    "UPDATE asset_group_members SET asset_id = 'nowhere' WHERE group_id = 'plant'",
    "UPDATE asset_dependencies SET depends_on_asset_id = 'nowhere' WHERE asset_id = 'cranes'",
    "UPDATE asset_status SET asset_id = 'nowhere'",
    "UPDATE maintenance_records SET asset_id = 'nowhere'",
    "UPDATE asset_performance SET asset_id = 'nowhere'",
    "UPDATE battery_specs SET asset_id = 'diesel'",
    "UPDATE assets SET kind = 'load' WHERE id = 'bat'",
    "DELETE FROM sites WHERE id = 'depot'",
    "DELETE FROM tariffs",
    "DELETE FROM assets WHERE id = 'grid'",
    "DELETE FROM asset_groups WHERE id = 'plant'",
)


def test_tables__reference_broken_by_plain_sql(filled: sa.Engine) -> None:
    for statement in BROKEN_REFERENCES:
        with pytest.raises(DatabaseProblem, match=r"refused a row.*(?i:foreign key)"):
            execute(filled, statement)


def test_tables__two_sites_with_one_code_by_plain_sql(filled: sa.Engine) -> None:
    with pytest.raises(DatabaseProblem, match=r"refused a row.*code"):
        execute(filled, "UPDATE sites SET code = 'HB'")


@pytest.mark.parametrize(
    "change",
    ["created_by = created_by", "version = 77", "version = 1", "updated_at = '2001-01-01 00:00:00.000000'"],
)
def test_triggers__plain_sql_moves_version_and_moment(filled: sa.Engine, change: str) -> None:
    """Whatever an UPDATE says, the next version stands there, the moment moves on, and sql did it; in every table."""
    for table in AUDITED:
        columns = sa.select(table.c.version, table.c.updated_at, table.c.updated_by)
        with reading(filled) as connection:
            before = connection.execute(columns).all()
        execute(filled, f"UPDATE {table.name} SET {change}")
        with reading(filled) as connection:
            after = connection.execute(columns).all()
        assert [row.version for row in after] == [before[0].version + 1] * len(before), table.name
        assert min(row.updated_at for row in after) > max(row.updated_at for row in before)
        assert {row.updated_by for row in after} == {"sql"}


def test_triggers__plain_sql_twice_in_a_row(filled: sa.Engine) -> None:
    """Within one millisecond, which is all that SQLite's clock tells, the moment still moves on."""
    moments = []
    for _ in range(5):
        execute(filled, "UPDATE sites SET city = 'Bremen' WHERE id = 'harbour'")
        with reading(filled) as connection:
            moments.append(connection.execute(sa.text("SELECT updated_at FROM sites WHERE id = 'harbour'")).scalar())
    assert moments == sorted(set(moments))


def test_triggers__plain_sql_on_a_spec_moves_the_asset(filled: sa.Engine) -> None:
    """The version of an asset counts changes of its part, too; the history says that sql was there."""
    for kind in KINDS:
        (asset,) = list_assets(filled, kind=kind).rows
        execute(filled, f"UPDATE {kind}_specs SET created_by = 'bo'")
        entry = get_entry(filled, asset.id)
        assert (entry.version, entry.updated_by) == (2, "sql")
        line = history_of(filled, asset.id, table_name="assets")[0]
        assert (line.operation, line.field, line.changed_by, line.version) == ("update", None, "sql", 2)


def test_triggers__name_given_by_plain_sql_stays(filled: sa.Engine) -> None:
    execute(filled, "UPDATE assets SET status = 'inactive', updated_by = 'eve' WHERE id = 'bat'")
    assert get_entry(filled, "bat").updated_by == "eve"
    assert history_of(filled, "bat")[0].changed_by == "eve"


def test_audit__row_inserted_by_plain_sql(filled: sa.Engine) -> None:
    """A row without a word on its making gets the present moment, version 1, and sql as its maker."""
    execute(
        filled,
        "INSERT INTO sites (id, name, timezone, description, status, metadata) "
        "VALUES ('new', 'New', 'UTC', '', 'active', '{}')",
    )
    with reading(filled) as connection:
        row = connection.execute(sa.select(METADATA.tables["sites"]).where(sa.text("id = 'new'"))).one()
    assert (row.version, row.created_by, row.updated_by) == (1, "sql", "sql")
    assert abs(row.created_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_specs__kind_is_that_of_the_asset(filled: sa.Engine) -> None:
    """A battery has no row among the generators, and no row twice."""
    with reading(filled) as connection:
        for kind, table in SPECS.items():
            rows = connection.execute(sa.select(table.c.asset_id, table.c.kind)).all()
            assert [row.kind for row in rows] == [kind]
    with pytest.raises(DatabaseProblem, match="refused a row"):
        execute(
            filled,
            "INSERT INTO load_specs (asset_id, rated_load_kw, is_flexible, is_critical, is_sheddable, "
            "seasonal_variation) VALUES ('bat', 1, :no, :no, :no, :no)",
            no=False,
        )


def test_asset__without_its_spec_row(filled: sa.Engine) -> None:
    execute(filled, "DELETE FROM load_specs")
    with pytest.raises(Exception, match="load 'cranes': has no row in load_specs"):
        get_asset(filled, "cranes")


def test_overview__one_capacity_for_each_kind(filled: sa.Engine) -> None:
    """100 kWh, 3 ports of 11 kW at once, and the ratings of all others in kW."""
    rows = {row.id: (row.capacity, row.capacity_unit) for row in list_assets(filled).rows}
    assert rows == {
        "bat": (100, "kWh"),
        "cars": (33, "kW"),
        "diesel": (60, "kW"),
        "grid": (200, "kW"),
        "cranes": (80, "kW"),
        "roof": (70, "kW"),
        "mill": (90, "kW"),
    }
    battery = list_assets(filled, kind="battery").rows[0]
    assert (battery.site_name, battery.operational_status, battery.online) == ("Harbour", "online", True)
    assert list_assets(filled, kind="load").rows[0].operational_status is None


def test_comments__units_in_the_database(filled: sa.Engine) -> None:
    if filled.dialect.name == "postgresql":
        columns = {column["name"]: column["comment"] for column in sa.inspect(filled).get_columns("battery_specs")}
        assert columns["capacity_kwh"].endswith("[kWh]")
        assert columns["degradation_cost_per_kwh"].endswith("[currency/kWh]")


def test_migration__keeps_runs_and_register(database_url: str) -> None:
    """Runs of the first revision outlive the way up and down; a filled register comes and goes as a whole."""
    upgrade(database_url, "0001")
    engine = open_engine(database_url)
    open_run(engine, Run(id="r1", study="dispatch", case_name="demo", title="Demo"))

    upgrade(database_url)
    assert differences(engine) == []
    save_portfolio(engine, sample_portfolio(), "ana")
    upgrade(database_url)
    assert load_portfolio(engine) == sample_portfolio()

    downgrade(database_url, "0001")
    assert get_run(engine, "r1").title == "Demo"
    with reading(engine) as connection:
        assert not {"assets", "sites"} & set(sa.inspect(connection).get_table_names())
        if engine.dialect.name == "postgresql":
            named = "proname IN ('register_touch', 'register_touch_spec')"
            found = connection.exec_driver_sql(f"SELECT count(*) FROM pg_proc WHERE {named}")
            assert found.scalar() == 0

    upgrade(database_url)
    assert current(database_url) == HEAD
    assert get_run(connect(database_url), "r1").title == "Demo"
    assert save_portfolio(engine, sample_portfolio(), "ana").unchanged == 0
