"""The tree of the command: each leaf with its way, and the examples that its help gives."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click

from ems.cli import commands


def walk(group: click.Group = commands, way: tuple[str, ...] = ("ems",)) -> Iterator[tuple[str, click.Command]]:
    """Give each command and group below a group, with the words by which it is called."""
    with click.Context(group, info_name=way[-1]) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield " ".join((*way, name)), command
            if isinstance(command, click.Group):
                yield from walk(command, (*way, name))


def examples_of(command: click.Command) -> list[list[str]]:
    """Return the words of each example that calls ``ems``, as a shell reads them."""
    text = (command.epilog or "").partition("Examples:\n")[2].partition("\n\n")[0]
    found = []
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        called = re.match(r"\s*(?:[A-Z_]+=\S+ )*(ems .+)", re.sub(r" {3,}\S.*$| \|\|? .*$| > \S+$", "", line.rstrip()))
        if called:
            found.append(shlex.split(called[1]))
    return found
