"""The tables as text for the reader's eye: ``python -m ems.database.schema`` writes schema.sql anew."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, SetColumnComment, SetTableComment

from ems.database.batch_records import BATCHES
from ems.database.forecast_records import FORECAST_JOBS
from ems.database.measurement_records import POINTS
from ems.database.records import RUNS, TIMELINE_VIEW
from ems.database.register_tables import ASSETS, OVERVIEW_VIEW, trigger_statements
from ems.database.tables import METADATA
from ems.database.workflow_records import WORKFLOW_EXECUTIONS

SCHEMA_FILE = Path(__file__).with_name("schema.sql")
HEADING = "-- Derived from the records by ems.database.schema.schema_text; change the records, not this file."
VIEWS = {"optimization_timeline": TIMELINE_VIEW, "assets_overview": OVERVIEW_VIEW}


def metadata() -> sa.MetaData:
    """Return all tables of the package."""
    modules = (RUNS, ASSETS, POINTS, FORECAST_JOBS, BATCHES, WORKFLOW_EXECUTIONS)
    assert all(table.metadata is METADATA for table in modules), "every table is registered in the same place"
    return METADATA


def schema_text() -> str:
    """Return the statements which make all tables, views and triggers, in the words of PostgreSQL."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    statements: list[str] = []
    for table in metadata().sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        statements += [
            str(CreateIndex(index).compile(dialect=dialect)) for index in sorted(table.indexes, key=_name_of)
        ]
        statements.append(str(SetTableComment(table).compile(dialect=dialect)))
        statements += [str(SetColumnComment(column).compile(dialect=dialect)) for column in table.columns]
    statements += VIEWS.values()
    statements += trigger_statements("postgresql")
    lines = [line.rstrip() for statement in statements for line in f"{_with_space(statement)};".splitlines()]
    return "\n".join([HEADING, *lines]).replace("\t", "    ") + "\n"


def _with_space(statement: str) -> str:
    text = statement.strip()
    return text if text.startswith(("COMMENT", "CREATE INDEX", "CREATE TRIGGER")) else f"\n{text}"


def _name_of(index: sa.Index) -> str:
    return str(index.name)


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
