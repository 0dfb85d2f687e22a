"""Groups of commands whose modules are imported when a command is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

import click

from ems.errors import EmsError


class LazyGroup(click.Group):
    """A group of commands, each found in a module.

    A command ends with one readable line where a person's input or the surroundings are at fault.

    Parameters
    ----------
    places : mapping of str to str
        For each command its module and name there: ``{"list": "ems.cli.runs:list_"}``.
    """

    def __init__(self, *arguments: Any, places: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted({*super().list_commands(ctx), *self.places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now where it was not before."""
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        module, name = self.places[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; what a person can mend ends with exit code 2."""
        try:
            return super().main(*arguments, **options)
        except EmsError as error:
            click.secho(f"error: {error}", fg="red", err=True)
            sys.exit(2)
