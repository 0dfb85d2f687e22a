"""Help: what a person reads of every command."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from command_tree import examples_of, walk
from project_fixtures import ROOT

from ems.cli import PLACES, SECTIONS, commands
from ems.cli.exit_codes import MEANINGS

TREE = dict(walk())
LEAVES = {way: command for way, command in TREE.items() if not isinstance(command, click.Group)}


def test_help__lists_each_command_once_by_what_people_want() -> None:
    listed = [name for names in SECTIONS.values() for name in names]

    shown = CliRunner().invoke(commands, ["--help"], terminal_width=100).output

    assert sorted(listed) == sorted(PLACES)
    assert all(f"\n{title}:\n" in shown for title in SECTIONS)
    assert all(f"{code:<3}  {meaning}" in shown for code, meaning in MEANINGS.items())
    assert "..." not in shown.partition("Options:")[2], "a purpose is cut"


@pytest.mark.parametrize("way", TREE)
def test_help__says_purpose_options_and_examples_that_parse(way: str) -> None:
    command = TREE[way]
    purpose = command.get_short_help_str(300)

    assert purpose.endswith((".", "`"))
    assert len(purpose) <= 120
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    examples = examples_of(command)
    assert examples, "no example"
    for words in examples:
        assert _parsed([word for word in words[1:] if word != "--help"]).command
    own = [words for words in examples if words[: len(way.split())] == way.split()]
    assert len(own) >= 1, "no example shows the command itself"


@pytest.mark.parametrize("way", [way for way in LEAVES if way not in ("ems completion", "ems report index")])
def test_help__gives_two_examples_where_there_is_a_choice(way: str) -> None:
    is_choice = any(isinstance(one, click.Option) and not one.hidden for one in LEAVES[way].params)

    assert len(examples_of(LEAVES[way])) >= (2 if is_choice else 1)


@pytest.mark.parametrize("way", TREE)
def test_help__names_cases_sweeps_and_workflows_that_are_there(way: str) -> None:
    for words in examples_of(TREE[way]):
        if words[1] == "run" and "/" not in words[3]:
            assert (ROOT / "parameters" / words[2] / f"{words[3]}.yaml").is_file(), words
        if words[1] == "batch" and "/" not in words[3]:
            assert (ROOT / "parameters" / "sweeps" / f"{words[3]}.yaml").is_file(), words


def _parsed(words: list[str]) -> click.Context:
    """Return the context of a command line as the parser reads it; nothing is run."""
    context = commands.make_context("ems", list(words))
    while isinstance(context.command, click.Group):
        name, command, rest = context.command.resolve_command(
            context, [*getattr(context, "_protected_args", ()), *context.args]
        )
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context
