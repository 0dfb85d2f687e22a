"""``ems solvers``: what is here to solve with."""

from __future__ import annotations

import click

from ems.cli.as_json import echo_json, json_option


@click.command(
    epilog="""\b
Examples:
  ems solvers
  ems solvers --json
  ems run dispatch demo -p solver=cbc      solve with one of them"""
)
@json_option
def solvers(as_json: bool) -> None:
    """List solvers: which are here, their versions, and how to get the others."""
    from ems.dispatch.solvers.registry import list_solvers

    found = list_solvers()
    if as_json:
        echo_json(found)
        return
    for one in found:
        state = f"available {one.version}".strip() if one.is_available else "not here"
        click.echo(f"{one.name:<8} {state:<20} {one.place}")
