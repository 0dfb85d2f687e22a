"""``ems report``: pages made from the database."""

from __future__ import annotations

import click


@click.group()
def report() -> None:
    """Make pages from the database."""


@report.command()
def index() -> None:
    """Write reports/index.html, the list of all runs."""
    from ems.batch.reporting import write_index
    from ems.batch.run import sweep_interrupted
    from ems.database.engine import connect

    engine = connect()
    sweep_interrupted(engine)
    click.echo(str(write_index(engine)))
