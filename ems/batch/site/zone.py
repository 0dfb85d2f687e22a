"""In which time zone pages of a whole project tell times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ems.database.site_zones import site_timezones
from ems.folders import project_folder

if TYPE_CHECKING:
    from sqlalchemy import Engine

_ZONE = re.compile(r"^[^#\n]*\btimezone: *['\"]?([A-Za-z][\w+/-]*)", re.MULTILINE)


def project_zone(engine: Engine) -> ZoneInfo:
    """Return the time zone of most sites of the register; while that is empty, of most of the project's site files."""
    zones = site_timezones(engine)
    return zone_of(zones) if zones else zone_of_files()


def zone_of(zones: Sequence[str]) -> ZoneInfo:
    """Return the most frequent of time zones, of several alike the first; UTC where there is none.

    >>> zone_of(["America/Los_Angeles", "Europe/Berlin", "Europe/Berlin"]).key
    'Europe/Berlin'
    """
    return ZoneInfo(Counter(zones).most_common(1)[0][0] if zones else "UTC")


def zone_of_files() -> ZoneInfo:
    """Return the time zone that most sites in the project's files state.

    The files are searched and not read as YAML, for the list of runs is written after each run: a file that says
    something else than a zone there is left out here, and refused where it is used.
    """
    found = []
    for path in sorted((project_folder() / "data" / "sites").glob("*.yaml")):
        found += _ZONE.findall(path.read_text(encoding="utf-8", errors="replace"))
    return zone_of([zone for zone in found if _is_zone(zone)])


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):
        return False
    return True
