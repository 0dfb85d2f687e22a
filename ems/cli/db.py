"""``ems db``: looking after the database."""

from __future__ import annotations

import click


@click.group(epilog="\b\nThe database is EMS_DATABASE_URL, or data/ems.sqlite in the project.")
def db() -> None:
    """Look after the database."""


@db.command()
def upgrade() -> None:
    """Bring the database's tables to this version of the package."""
    from ems.database.engine import database_url
    from ems.database.masking import masked
    from ems.database.migrate import current
    from ems.database.migrate import upgrade as migrate
    from ems.folders import project_folder

    url = database_url(project_folder())
    migrate(url)
    click.echo(f"{masked(url)} is at revision {current(url)}")


@db.command()
def status() -> None:
    """Say which database is used and its revision."""
    from ems.database.engine import HEAD, database_url
    from ems.database.masking import masked
    from ems.database.migrate import current
    from ems.folders import project_folder

    url = database_url(project_folder())
    click.echo(f"{masked(url)} is at revision {current(url) or 'none'}; this version of ems needs {HEAD}")
