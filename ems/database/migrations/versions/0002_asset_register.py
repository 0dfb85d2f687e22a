"""The asset register: sites, assets of seven kinds, groups, dependencies, status, maintenance, performance, history.

The statements stand beside this file, one text for each database, as they were derived when this revision was made.

Revision: 0002, after 0001.
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "register_changes",
    "asset_performance",
    "maintenance_records",
    "asset_status_history",
    "asset_status",
    "asset_dependencies",
    "asset_group_members",
    "asset_groups",
    "wind_turbine_specs",
    "solar_pv_specs",
    "load_specs",
    "grid_connection_specs",
    "generator_specs",
    "ev_charger_specs",
    "battery_specs",
    "assets",
    "tariffs",
    "sites",
    "portfolios",
)
"""Those that refer to others come before them."""


def upgrade() -> None:
    """Make tables, view and triggers."""
    connection = op.get_bind()
    text = Path(__file__).with_suffix(f".{connection.dialect.name}.sql").read_text(encoding="utf-8")
    _, *statements = text.rstrip().removesuffix(";").split("\n\n")
    for statement in statements:
        connection.exec_driver_sql(statement.removesuffix(";"))


def downgrade() -> None:
    """Remove view and tables, with their triggers, and the functions behind these."""
    op.execute("DROP VIEW assets_overview")
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION register_touch()")
        op.execute("DROP FUNCTION register_touch_spec()")
