"""``ems db``: looking after the database."""

from __future__ import annotations

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    epilog="""\b
Examples:
  ems db status
  EMS_DATABASE_URL=postgresql://ems@db.example.org/ems ems db upgrade

\b
The database is EMS_DATABASE_URL, or data/ems.sqlite in the project.""",
)
def db() -> None:
    """Look after the database: which it is, and whether its tables are of this version."""


@db.command(
    epilog="""\b
Examples:
  ems db upgrade
  EMS_DATABASE_URL=postgresql://ems@db.example.org/ems ems db upgrade

\b
A file is upgraded by the first command that uses it; a server's database, which others use, by this command alone."""
)
@json_option
def upgrade(as_json: bool) -> None:
    """Bring the database's tables to this version of the package."""
    from ems.database.engine import HEAD, database_url
    from ems.database.masking import masked
    from ems.database.migrate import current
    from ems.database.migrate import upgrade as migrate
    from ems.folders import project_folder

    url = database_url(project_folder())
    before = current(url) if as_json else None
    migrate(url)
    now = current(url)
    if as_json:
        echo_json({"database": masked(url), "revision": now, "revision_before": before, "needed": HEAD})
        return
    click.echo(f"{masked(url)} is at revision {now}")


@db.command(epilog="\b\nExamples:\n  ems db status\n  ems db status --json")
@json_option
def status(as_json: bool) -> None:
    """Say which database is used and its revision."""
    from ems.database.engine import HEAD, database_url
    from ems.database.masking import masked
    from ems.database.migrate import current
    from ems.folders import project_folder

    url = database_url(project_folder())
    found = current(url)
    if as_json:
        echo_json({"database": masked(url), "revision": found, "needed": HEAD, "is_current": found == HEAD})
        return
    click.echo(f"{masked(url)} is at revision {found or 'none'}; this version of ems needs {HEAD}")
