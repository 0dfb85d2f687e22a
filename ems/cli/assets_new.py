"""``ems assets templates`` and ``ems assets new``: typical equipment, and new assets made of it."""

from __future__ import annotations

import click


@click.command()
@click.argument("kind", required=False)
def templates(kind: str | None) -> None:
    """List templates of typical equipment."""
    from ems.assets.templates import list_templates

    for one in list_templates(kind):
        click.echo(f"{one.kind:<16} {one.name:<24} {one.title}")
