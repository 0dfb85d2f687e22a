"""``ems metrics``: figures for a monitor."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  ems metrics
  ems metrics -o /var/lib/node_exporter/textfile/ems.prom     from cron, for the node exporter"""
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write, whole at every moment."
)
def metrics(output: Path | None) -> None:
    """Print figures of runs, batches, workflows and the database as Prometheus reads them."""
    from ems.batch.watch.metrics import exposition, metrics_of
    from ems.cli.runs_list import swept_engine
    from ems.errors import InvalidInput
    from ems.folders import write_whole

    text = exposition(metrics_of(swept_engine()))
    if output is None:
        click.echo(text, nl=False)
        return
    if not output.parent.is_dir():
        raise InvalidInput(f"-o {output}", f"there is no folder {output.parent}; make it, or choose another")
    try:
        write_whole(output.absolute(), text)
    except OSError as error:
        raise InvalidInput(f"-o {output}", f"cannot be written: {error.strerror}") from None
