"""Many rows at once by the driver's own way: for a year of quarter hours several times as fast as statements."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

ROWS_A_STATEMENT = 5000


def insert_many(connection: sa.Connection, table: sa.Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows, each in the order of the table's columns, within a transaction that the caller holds."""
    dialect = connection.dialect
    to_driver = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
    ready = (
        [value if process is None else process(value) for process, value in zip(to_driver, row, strict=True)]
        for row in rows
    )
    if dialect.name == "sqlite":
        statement = str(sa.insert(table).compile(dialect=dialect))
        while chunk := list(itertools.islice(ready, ROWS_A_STATEMENT)):
            connection.exec_driver_sql(statement, [tuple(row) for row in chunk])
        return
    driver_error = dialect.loaded_dbapi.Error
    statement = f"COPY {table.name} ({', '.join(table.columns.keys())}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in ready:
                copy.write_row(row)
    except driver_error as error:
        raise sa.exc.DBAPIError.instance(statement, None, error, driver_error, dialect=dialect) from None
