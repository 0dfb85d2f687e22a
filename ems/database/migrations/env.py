"""Alembic's environment: the connection and its transaction are given by `ems.database.migrate`."""

from alembic import context

from ems.database.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata(),
    compare_type=True,
    transactional_ddl=True,  # SQLite, too, makes tables within the transaction, or none of them
)
with context.begin_transaction():
    context.run_migrations()
