"""``ems series``: measured series in the database, from the command line."""

from __future__ import annotations

import click

from ems.cli.lazy import LazyGroup

PLACES = {
    "delete": "ems.cli.series_list:delete",
    "export": "ems.cli.series_files:export",
    "import": "ems.cli.series_files:import_",
    "list": "ems.cli.series_list:list_",
    "show": "ems.cli.series_list:show",
}
"""Where each command is found."""


@click.group(
    cls=LazyGroup,
    places=PLACES,
    epilog="""\b
Examples:
  ems series import meter.csv --meter bakery-main --column consumption_kw --variable demand_kw --dry-run
  ems series list --variable demand_kw
  ems series show bakery-main-demand_kw
  ems series export bakery-main-demand_kw --step day > days.csv

\b
The same points twice change nothing; a corrected value becomes a new version, and the earlier one stays readable.""",
)
def series() -> None:
    """Keep measured series: import and export them, see what there is and who imported it."""
