"""``ems completion``: what a shell needs to complete commands."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
Examples:
  ems completion bash
  ems completion fish

\b
For each new shell, add what it prints to ~/.bashrc or ~/.zshrc, or write it to
~/.config/fish/completions/ems.fish."""
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script by which a SHELL completes commands, options, studies and cases."""
    from click.shell_completion import get_completion_class

    from ems.cli import commands

    kind = get_completion_class(shell)
    assert kind is not None, "click knows these shells"
    click.echo(kind(commands, {}, "ems", "_EMS_COMPLETE").source())
