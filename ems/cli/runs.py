"""``ems runs``: the records of runs, and what can be done with a run."""

from __future__ import annotations

import click

from ems.cli.lazy import LazyGroup

PLACES = {
    "cancel": "ems.cli.runs_cancel:cancel",
    "diff": "ems.cli.runs_diff:diff",
    "list": "ems.cli.runs_list:list_",
    "log": "ems.cli.runs_log:log",
    "replay": "ems.cli.runs_replay:replay",
    "show": "ems.cli.runs_list:show",
}
"""Where each command is found."""


@click.group(
    cls=LazyGroup,
    places=PLACES,
    epilog="""\b
Examples:
  ems runs list --study dispatch
  ems runs show 20240603-080000-a1b2c3
  ems runs log 20240603-080000-a1b2c3 --follow
  ems runs diff 20240603-080000-a1b2c3 20240604-080000-d4e5f6 --explain""",
)
def runs() -> None:
    """List and show runs, follow and end them, repeat and compare them."""
