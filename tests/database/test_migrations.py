from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from register_samples import maintenance, performance, sample_portfolio, status

from ems.database.engine import HEAD, REVISIONS, connect, open_engine, reading, writing
from ems.database.history import history_of
from ems.database.migrate import current, differences, downgrade, newest_revision, upgrade
from ems.database.operation import create_maintenance, create_performance, report_status
from ems.database.register import get_asset, update_asset
from ems.database.register_portfolio import load_portfolio, save_portfolio
from ems.database.schema import SCHEMA_FILE, VIEWS, metadata, schema_text
from ems.errors import DatabaseProblem

RUN = {
    "id": "r1", "study": "dispatch", "case_name": "demo", "title": "Demo", "status": "completed", "parameters": "{}",
    "versions": "{}", "inputs": "[]", "notes": "[]", "headline": "[]", "created_at": "2024-06-01 08:00:00.000000",
    "host": "h", "process_id": 7, "finished_at": "2024-06-01 09:00:00.000000",
    "error": None, "report_path": None, "notebook_path": None,
}  # fmt: skip
JOB = {
    "id": "j1", "run_id": "r1", "optimization_type": "dispatch", "objective": "cost", "solver": "highs",
    "solver_version": "1.0", "status": "optimal", "objective_value": 1.0, "total_cost": 1.0, "baseline_cost": 2.0,
    "settled_cost": 1.0, "currency": "EUR", "bound": 1.0, "gap": 0.0, "solve_time_s": 0.1, "variables": 1,
    "constraints": 1, "steps": 1, "error": None, "created_at": "2024-06-01 08:00:00.000000",
    "goal": "{}", "emissions_kg": 5.0, "kpis": "{}",
}  # fmt: skip
ASSET = {
    "job_id": "j1", "asset_id": "b1", "kind": "battery", "name": "B", "site_id": "s",
    "capacity_kwh": 1.0, "spec": "{}",
}  # fmt: skip
POWERS = [
    "injection_kw", "charge_kw", "discharge_kw", "energy_kwh", "soc", "import_kw", "export_kw", "output_kw",
    "demand_kw", "served_kw", "unserved_kw", "available_kw", "used_kw", "curtailed_kw", "cost",
]  # fmt: skip
RESULT = {"job_id": "j1", "time": "2024-06-01 08:00:00.000000", "asset_id": "b1", "step_h": 1.0, "is_on": None}
RESULT |= dict.fromkeys(POWERS, 0.5)
SITE_RESULT = {
    "job_id": "j1", "time": "2024-06-01 08:00:00.000000", "site_id": "s", "step_h": 1.0,
    "price_per_kwh": 0.1, "spilled_kw": 0.0, "missing_kw": 0.0,
}  # fmt: skip
RESERVE_RESULT = {
    "job_id": "j1", "time": "2024-06-01 08:00:00.000000", "reserve_id": "r", "step_h": 1.0, "offered_kw": 1.0,
}  # fmt: skip
COST = {"job_id": "j1", "owner_kind": "asset", "owner_id": "b1", "cost_type": "energy", "cost": 1.0}
FORECAST_JOB = {
    "id": "f1", "run_id": "r1", "form": "backtest", "kind": "load", "series_id": "s1", "asset_id": "b1",
    "variable": "demand_kw", "units": "kW", "model": "ridge", "parameters": "{}", "horizon_h": 24.0, "step_h": 1.0,
    "timezone": "UTC", "issued_at": "2024-06-01 08:00:00.000000", "status": "completed", "samples": 100,
    "metrics": "{}", "seconds": 0.1, "seed": 7, "versions": "{}", "attributes": "{}", "error": None,
    "created_at": "2024-06-01 08:00:00.000000", "started_at": None, "finished_at": "2024-06-01 09:00:00.000000",
}  # fmt: skip
FORECAST_RESULT = {
    "job_id": "f1", "issued_at": "2024-06-01 08:00:00.000000", "time": "2024-06-01 09:00:00.000000",
    "quantile": 0.5, "value": 1.0,
}  # fmt: skip
FORECAST_OBSERVATION = {name: value for name, value in FORECAST_RESULT.items() if name != "quantile"}
ROWS = {
    "runs": RUN,
    "optimization_jobs": JOB,
    "optimization_assets": ASSET,
    "optimization_results": RESULT,
    "optimization_site_results": SITE_RESULT,
    "optimization_reserve_results": RESERVE_RESULT,
    "optimization_costs": COST,
    "forecast_jobs": FORECAST_JOB,
    "forecast_results": FORECAST_RESULT,
    "forecast_observations": FORECAST_OBSERVATION,
}
METER = {
    "id": "m1", "name": "M", "site_id": None, "asset_id": None, "serial_number": "1", "description": "",
    "created_at": "2024-06-01 08:00:00.000000", "created_by": "ana",
}  # fmt: skip
SERIES = {
    "id": "s1", "meter_id": "m1", "asset_id": None, "variable": "demand_kw", "unit": "kW", "kind": "mean",
    "step_h": 0.25, "raster_start": "1970-01-01 00:00:00.000000", "timezone": "UTC", "source": "", "description": "",
    "created_at": "2024-06-01 08:00:00.000000", "created_by": "ana",
}  # fmt: skip
SERIES_VERSION = {
    "series_id": "s1", "version": 1, "recorded_at": "2024-06-01 08:00:00.000000", "recorded_by": "ana",
    "source": "a.csv", "sha256": "ab", "new_points": 1, "changed_points": 0,
}  # fmt: skip
POINT = {
    "series_id": "s1", "time": "2024-06-01 08:00:00.000000", "version": 1, "value": 1.0, "quality": "measured",
}  # fmt: skip
MEASURED_ROWS = {"meters": METER, "series": SERIES, "series_versions": SERIES_VERSION, "series_points": POINT}


def insert(connection: sa.Connection, table: str, row: dict[str, object]) -> None:
    """Insert by plain SQL, as a person with a database client would."""
    names = list(row)
    values = ", ".join(f":{name}" for name in names)
    connection.execute(sa.text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), row)


def violations(table: sa.Table) -> Iterator[tuple[str, str, object]]:
    """One value for each CHECK of a table that it must refuse: its name, its column, the value."""
    laws = {
        "failure_has_error": ("status", "failed"),
        "end_has_time": ("finished_at", None),
        "solution_has_value": ("objective_value", None),
        "completed_is_issued": ("issued_at", None),
        "has_owner": ("meter_id", None),
        "step_in_seconds": ("step_h", 0.0001),
        "missing_has_no_value": ("value", None),
    }
    for constraint in table.constraints:
        if not isinstance(constraint, sa.CheckConstraint):
            continue
        name = str(constraint.name).removeprefix(f"ck_{table.name}_")
        column, _, word = name.rpartition("_")
        if name in laws:
            yield (name, *laws[name])
        elif word == "range":
            text = str(constraint.sqltext)
            lower = float(re.search(r">=? (-?[0-9.e]+)", text).group(1))
            yield name, column, -math.inf if lower < -1 else lower - 1
        elif word == "choice":
            yield name, column, "7"
        else:
            assert word == "length", f"no violation is known for {name}"
            yield name, column, "x" * 10_001


def test_newest_revision__is_the_constant():
    """The constant lets a current database be opened without Alembic."""
    assert newest_revision() == HEAD
    assert len(set(REVISIONS)) == len(REVISIONS)


def test_schema_text__is_the_file():
    """After a change of a record: ``python -m ems.database.schema``."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()


def test_schema_text__makes_the_tables(database_url: str):
    """The committed text is no prose: PostgreSQL accepts it as it stands."""
    if database_url.startswith("sqlite"):
        assert "JSONB" in schema_text()
        return
    engine = open_engine(database_url)
    with writing(engine) as connection:
        connection.exec_driver_sql(schema_text())
    assert [item for item in differences(engine) if "alembic_version" not in str(item)] == []


def test_upgrade__gives_the_derived_tables(engine: sa.Engine):
    assert differences(engine) == []


def described(engine: sa.Engine) -> set[str]:
    """Everything that a database says of its tables, CHECKs and views in its own words."""
    if engine.dialect.name == "sqlite":
        queries = ["SELECT coalesce(sql, name) FROM sqlite_master WHERE tbl_name <> 'alembic_version'"]
    else:
        own = "table_schema = 'public' AND table_name <> 'alembic_version'"
        queries = [
            "SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint "
            # Only newer servers list NOT NULL, which the columns below tell, too.
            "WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' "
            "AND contype <> 'n'",
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
            "SELECT viewname || definition FROM pg_views WHERE schemaname = 'public'",
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
            # Without its place: a column that came with a later revision stands behind those that were there.
            "SELECT concat_ws('|', table_name, column_name, data_type, is_nullable, column_default, "
            "character_maximum_length, col_description(table_name::regclass, ordinal_position), "
            f"obj_description(table_name::regclass)) FROM information_schema.columns WHERE {own}",
        ]
    with reading(engine) as connection:
        found = [text for query in queries for text in connection.exec_driver_sql(query).scalars()]
    # SQLite keeps the statement as it was written: columns and constraints in whatever order and spacing.
    parts = [part for text in found for part in re.split(r",\s*\n\s*", text)]
    return {re.sub(r"\s+", " ", part).strip(" ()") for part in parts}


def test_upgrade__equals_the_metadata_in_every_word(database_url: str):
    """Alembic compares neither CHECKs nor views; the databases' own descriptions tell of both."""
    upgrade(database_url)
    engine = open_engine(database_url)
    migrated = described(engine)
    downgrade(database_url, "base")
    with writing(engine) as connection:
        metadata().create_all(connection)
        for view in VIEWS.values():
            connection.exec_driver_sql(view)
    derived = described(engine)
    assert migrated == derived
    checks = sum(isinstance(c, sa.CheckConstraint) for table in metadata().tables.values() for c in table.constraints)
    columns = [column for table in metadata().tables.values() for column in table.columns]
    is_native = engine.dialect.name == "postgresql"
    native_booleans = sum(isinstance(column.type, sa.Boolean) for column in columns) if is_native else 0
    assert sum("CHECK (" in text for text in derived) == checks - native_booleans


def test_downgrade__to_nothing_and_up_again(database_url: str):
    upgrade(database_url)
    downgrade(database_url, "base")
    assert current(database_url) is None
    with reading(open_engine(database_url)) as connection:
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
        assert sa.inspect(connection).get_view_names() == []
    upgrade(database_url)
    upgrade(database_url)
    assert current(database_url) == HEAD
    assert differences(connect(database_url)) == []


def test_downgrade__then_connect_upgrades_an_embedded_database(tmp_path):
    """A file which this package's own downgrade left empty is no file of another program."""
    url = f"sqlite:///{tmp_path}/ems.sqlite"
    connect(url)
    downgrade(url, "base")
    connect(url)
    assert current(url) == HEAD


def filled(database_url: str) -> sa.Engine:
    """Return a database with a row in each of its tables, and a change in its history."""
    upgrade(database_url)
    engine = connect(database_url)
    with writing(engine) as connection:
        for table, row in (ROWS | MEASURED_ROWS).items():
            insert(connection, table, row)
    save_portfolio(engine, sample_portfolio(), "ana")
    update_asset(engine, "bat", {"capacity_kwh": 120.5}, by="bo")
    report_status(engine, status(), "ana")
    create_maintenance(engine, maintenance(), "ana")
    create_performance(engine, [performance()], "ana")
    return engine


def contents(engine: sa.Engine) -> dict[str, list[dict[str, object]]]:
    """Return all rows of all tables as the database has them, sorted by their text."""
    found = {}
    with reading(engine) as connection:
        for table in sa.inspect(connection).get_table_names():
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()
            found[table] = sorted((dict(row) for row in rows), key=repr)
    found.pop("alembic_version")
    return found


def test_upgrade__from_the_second_revision_with_rows_in_every_table(database_url: str):
    """Each row keeps each value, its version and its history; what is new holds what a new record would."""
    upgrade(database_url, "0002")
    tables_before = described(open_engine(database_url))
    downgrade(database_url, "base")
    engine = filled(database_url)
    whole, history = load_portfolio(engine), history_of(engine)
    downgrade(database_url, "0002")
    assert described(engine) == tables_before
    before = contents(engine)
    assert all(before.values())

    upgrade(database_url)

    assert differences(engine) == []
    after = contents(engine)
    assert after.keys() - before.keys() == {
        "reserve_requirements",
        "optimization_site_results",
        "optimization_reserve_results",
        "forecast_jobs",
        "forecast_results",
        "forecast_observations",
        "batches",
        "batch_cases",
        "batch_attempts",
        "workflow_definitions",
        "workflow_executions",
        "task_executions",
        "schedules",
        *MEASURED_ROWS,
    }
    for table, rows in before.items():
        words = {"asset_id": "owner_id"} if table == "optimization_costs" else {}
        kept = [{words.get(name, name): row[words.get(name, name)] for name in rows[0]} for row in after[table]]
        assert sorted(kept, key=repr) == [{words.get(name, name): row[name] for name in row} for row in rows], table
    assert load_portfolio(engine) == whole.replace(reserves=())
    assert history_of(engine) == history
    assert get_asset(engine, "cars").max_discharge_kw == 11


def test_upgrade__rows_go_on_being_watched(database_url: str):
    """After the tables were made anew, triggers count versions, and references hold."""
    engine = filled(database_url)
    downgrade(database_url, "0002")
    upgrade(database_url)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE battery_specs SET drain_kw = 0.5"))
    line = history_of(engine, "bat")[0]
    assert (line.version, line.changed_by) == (3, "sql")
    assert get_asset(engine, "bat").drain_kw == 0.5
    with pytest.raises(DatabaseProblem, match=r"refused a row.*(?i:foreign key)"), writing(engine) as connection:
        connection.execute(sa.text("DELETE FROM sites WHERE id = 'depot'"))
    with writing(engine) as connection:
        connection.execute(sa.text("DELETE FROM runs"))
    assert [len(contents(engine)[name]) for name in ROWS] == [0] * len(ROWS)


def test_upgrade__charger_that_gives_back_but_cannot_wait(database_url: str):
    """Before, it was a word without effect; it stays without effect, as a charger that cannot wait gives nothing."""
    engine = filled(database_url)
    downgrade(database_url, "0002")
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE ev_charger_specs SET v2g_capable = :yes"), {"yes": True})
    upgrade(database_url)
    assert get_asset(engine, "cars").v2g_capable is False


def test_downgrade__what_the_older_tables_cannot_hold(database_url: str):
    """Parts of an hour are rounded, a site's cost is left out; a battery that cannot charge stops the way back."""
    engine = filled(database_url)
    update_asset(engine, "diesel", {"min_uptime_h": 2.75})
    with writing(engine) as connection:
        insert(connection, "optimization_costs", COST | {"owner_kind": "site", "cost_type": "spill_cost"})
    update_asset(engine, "bat", {"max_charge_kw": 0})
    with pytest.raises(DatabaseProblem, match=r"refused a row.*ck_battery_specs_max_charge_kw_range"):
        downgrade(database_url, "0002")
    assert current(database_url) == HEAD
    assert get_asset(engine, "bat").max_charge_kw == 0
    update_asset(engine, "bat", {"max_charge_kw": 50})

    downgrade(database_url, "0002")

    found = contents(engine)
    assert [row["min_uptime_h"] for row in found["generator_specs"]] == [3]
    assert [row["cost_type"] for row in found["optimization_costs"]] == ["energy"]


def test_upgrade__unknown_revision(database_url: str):
    with pytest.raises(DatabaseProblem, match=r"cannot be migrated.*0815"):
        upgrade(database_url, "0815")


def test_upgrade__all_or_nothing(database_url: str):
    """A table in the way of the last one stops the upgrade; the first ones are not left behind."""
    with writing(open_engine(database_url)) as connection:
        connection.execute(sa.text("CREATE TABLE optimization_costs (mine INTEGER)"))
    with pytest.raises(DatabaseProblem, match=r"optimization_costs.* already exists"):
        upgrade(database_url)
    with reading(open_engine(database_url)) as connection:
        assert sa.inspect(connection).get_table_names() == ["optimization_costs"]


def test_tables__each_law_refuses_plain_sql(engine: sa.Engine):
    """Each CHECK of each of these tables is violated once, and refused by name (or by a type that is stricter)."""
    with writing(engine) as connection:
        for table, row in (ROWS | MEASURED_ROWS).items():
            insert(connection, table, row)
    tried = 0
    for table in (metadata().tables[name] for name in (*ROWS, *MEASURED_ROWS)):
        for law, column, value in violations(table):
            with pytest.raises(DatabaseProblem) as caught, writing(engine) as connection:
                connection.execute(sa.text(f"UPDATE {table.name} SET {column} = :value"), {"value": value})
            said = str(caught.value)
            stricter_type = ("too long", "invalid input", "is of type boolean", "bigint out of range")
            assert f"ck_{table.name}_{law}" in said or any(words in said for words in stricter_type), said
            tried += 1
    assert tried > 120


@pytest.mark.parametrize("table", ROWS)
def test_tables__row_twice_or_without_its_parent(engine: sa.Engine, table: str):
    with writing(engine) as connection:
        for name, row in ROWS.items():
            insert(connection, name, row)
    with pytest.raises(DatabaseProblem, match="refused a row"), writing(engine) as connection:
        insert(connection, table, ROWS[table])
    if table != "runs":
        parent = "run_id" if "run_id" in ROWS[table] else "job_id"
        orphan = {name: "x" if name in (parent, "id") else value for name, value in ROWS[table].items()}
        with (
            pytest.raises(DatabaseProblem, match=r"refused a row.*(?i:foreign key)"),
            writing(engine) as connection,
        ):
            insert(connection, table, orphan)
