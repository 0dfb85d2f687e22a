"""Fields of the dispatch: limits, costs and states of assets, reserves, and what an optimization was for.

The statements stand beside this file, one text for each database and direction, as they were derived when this
revision was made. SQLite makes a table anew where its columns or laws change: its rows wait in a table called kept.

Vehicles of a charger that cannot wait give nothing back, so that what `v2g_capable` said of it goes on having no
effect. The way back leaves out what the older tables cannot hold: costs of sites and reserves, and parts of an hour of
a minimum time. Where a law of them is broken, as by a battery that cannot charge, nothing is changed.

Revision: 0003, after 0002.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and laws, and the tables of reserves and of sites in a schedule; rows and history stay."""
    _execute("up")


def downgrade() -> None:
    """Remove what was added."""
    _execute("down")


def _execute(direction: str) -> None:
    connection = op.get_bind()
    file = Path(__file__).with_suffix(f".{direction}.{connection.dialect.name}.sql")
    _, *statements = file.read_text(encoding="utf-8").rstrip().removesuffix(";").split("\n\n")
    for statement in statements:
        connection.exec_driver_sql(statement.removesuffix(";"))
