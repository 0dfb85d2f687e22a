"""``ems assets``: the register of assets, from the command line."""

from __future__ import annotations

import click

from ems.cli.lazy import LazyGroup

PLACES = {
    "alarms": "ems.cli.assets_operation:alarms",
    "delete": "ems.cli.assets_edit:delete",
    "export": "ems.cli.assets_files:export",
    "groups": "ems.cli.assets_list:groups",
    "history": "ems.cli.assets_show:history",
    "import": "ems.cli.assets_files:import_",
    "list": "ems.cli.assets_list:list_",
    "maintenance": "ems.cli.assets_operation:maintenance",
    "new": "ems.cli.assets_edit:new",
    "outage": "ems.cli.assets_show:outage",
    "show": "ems.cli.assets_show:show",
    "sites": "ems.cli.assets_list:sites",
    "status": "ems.cli.assets_operation:status",
    "templates": "ems.cli.assets_edit:templates",
    "update": "ems.cli.assets_edit:update",
}
"""Where each command is found."""


@click.group(
    cls=LazyGroup,
    places=PLACES,
    epilog="""\b
Examples:
  ems assets import data/sites/harbour.yaml --dry-run
  ems assets new battery --template bess-lfp-100kw --id harbour-battery-2
  ems assets list --kind battery --where chemistry=lithium_iron_phosphate
  ems assets update harbour-battery-2 max_charge_kw=80

\b
Changes are remembered with who made them: EMS_USER, else the user of the operating system.""",
)
def assets() -> None:
    """Keep the register of assets: what there is, how it does, who changed it."""
