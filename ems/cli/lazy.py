"""Groups of commands: imported when they are called, listed by what people want, ended with one readable line."""

from __future__ import annotations

import errno
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ems.cli.exit_codes import FAILED, STOPPED, code_of
from ems.errors import EmsError, did_you_mean

_OF_SURROUNDINGS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
"""Errors of the operating system that a person can mend: rights and room."""
LONGEST_PURPOSE = 200


class LazyGroup(click.Group):
    """A group of commands, each found in a module.

    A command ends with one readable line where a person's input or the surroundings are at fault.

    Parameters
    ----------
    places : mapping of str to str
        For each command its module and name there: ``{"list": "ems.cli.runs_list:list_"}``.
    sections : mapping of str to sequence of str
        Commands by what people want; without it help lists them in one.
    """

    def __init__(
        self,
        *arguments: Any,
        places: Mapping[str, str] | None = None,
        sections: Mapping[str, Sequence[str]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.places = places or {}
        self.sections = sections or {}

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

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that words name; one that is not there ends with the nearest that is."""
        name = str(args[0])
        is_command = not name.startswith("-") and not ctx.resilient_parsing
        if is_command and self.get_command(ctx, name) is None:
            ctx.fail(f"there is no command '{ctx.command_path} {name}'; {did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their whole purposes, section by section."""
        names = self.list_commands(ctx)
        width = max(map(len, names))
        for title, chosen in (self.sections or {"Commands": names}).items():
            rows = []
            for name in chosen:
                command = self.get_command(ctx, name)
                if command is not None and not command.hidden:
                    rows.append((name.ljust(width), command.get_short_help_str(LONGEST_PURPOSE).rstrip(".")))
            with formatter.section(title):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; Ctrl-C ends it with its own code, also at a question."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nstopped", err=True)
            ctx.exit(STOPPED)
        except click.Abort as answer:
            is_stopped = isinstance(answer.__context__, KeyboardInterrupt)
            click.echo("\nstopped" if is_stopped else "nothing was changed", err=True)
            ctx.exit(STOPPED if is_stopped else FAILED)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; what a person can mend ends with one line and a code of its own."""
        try:
            return super().main(*arguments, **options)
        except EmsError as error:
            click.secho(f"error: {error}", fg="red", err=True)
            sys.exit(code_of(error))
        except OSError as error:
            if error.errno not in _OF_SURROUNDINGS:
                raise
            click.secho(f"error: {error.filename or 'a file'}: {error.strerror}", fg="red", err=True)
            sys.exit(FAILED)
