"""``ems init``: a project of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ems.cli.as_json import echo_json, json_option


@click.command(
    epilog="""\b
Examples:
  ems init my-energy
  ems init ~/work/harbour --json"""
)
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def init(folder: Path, as_json: bool) -> None:
    """Make a project in FOLDER, with notebooks, parameters and sample sites.

    FOLDER must not be there yet, or be empty.
    """
    from ems.batch.new_project import make_project

    made = make_project(folder)
    if as_json:
        echo_json({"project": str(made)})
        return
    click.echo(f"made {made}\n\nNext:\n  cd {shlex.quote(str(folder))}\n  ems run dispatch demo")
