"""``ems runs cancel``: ending a run."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  ems runs cancel 20240603-080000-a1b2c3
  ems runs log 20240603-080000-a1b2c3 --follow      sees it end"""
)
@click.argument("run_id")
def cancel(run_id: str) -> None:
    """End a run that has not ended, with its kernel and solver, and mark it as cancelled.

    Its process is asked to end, as by Ctrl-C; where it does not within 10 s, it is ended by force. A run of a batch
    is marked; the batch's worker ends it.
    """
    from ems.batch.site.run_index import write_index
    from ems.batch.watch.cancel import end_run
    from ems.database.engine import connect

    engine = connect()
    click.echo(end_run(engine, run_id))
    write_index(engine)
