"""``ems assets``: the register of assets, from the command line."""

from __future__ import annotations

import click

from ems.cli.lazy import LazyGroup

PLACES = {"templates": "ems.cli.assets_new:templates"}


@click.group(cls=LazyGroup, places=PLACES)
def assets() -> None:
    """Keep the register of assets."""
