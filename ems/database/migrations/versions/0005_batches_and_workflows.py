"""Batches with their cases and attempts; workflows with their executions and tasks; the state of schedules.

The statements stand beside this file, one text for each database, as they were derived when this revision was made.

Revision: 0005, after 0004.
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "schedules",
    "task_executions",
    "workflow_executions",
    "workflow_definitions",
    "batch_attempts",
    "batch_cases",
    "batches",
)
"""Those that refer to others come before them."""


def upgrade() -> None:
    """Make the tables."""
    connection = op.get_bind()
    text = Path(__file__).with_suffix(f".{connection.dialect.name}.sql").read_text(encoding="utf-8")
    _, *statements = text.rstrip().removesuffix(";").split("\n\n")
    for statement in statements:
        connection.exec_driver_sql(statement.removesuffix(";"))


def downgrade() -> None:
    """Remove the tables with all that is in them."""
    for table in TABLES:
        op.drop_table(table)
