"""``ems solvers``: what is here to solve with."""

from __future__ import annotations

import click


@click.command()
def solvers() -> None:
    """List solvers: which are here, their versions, and how to get the others."""
    from ems.dispatch.solvers.registry import list_solvers

    for one in list_solvers():
        state = f"available {one.version}".strip() if one.is_available else "not here"
        click.echo(f"{one.name:<8} {state:<20} {one.place}")
