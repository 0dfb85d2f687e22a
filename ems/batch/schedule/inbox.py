"""Starts that were accepted and not yet made: kept as files, so that a restart loses none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ems.batch.schedule.starts import Start
from ems.folders import is_slug, write_whole

MOST_WAITING = 100
"""Starts of one workflow that may wait; more are refused, so that a loop elsewhere does not fill the disk."""


class Inbox:
    """Accepted starts of a project; any copy of the service puts in, the one with the lease takes out.

    Parameters
    ----------
    project : Path
    """

    def __init__(self, project: Path) -> None:
        self.folder = project / ".ems" / "schedule" / "inbox"
        self._names: list[str] = []

    def refresh(self) -> None:
        """Look at what waits; `waiting` tells it until the next look."""
        try:
            self._names = sorted(path.name for path in self.folder.glob("*.json"))
        except OSError:
            self._names = []

    def put(self, start: Start) -> bool:
        """Keep a start and return True; False where too many of its workflow wait already."""
        if sum(1 for _ in self.folder.glob(f"*.{start.workflow}.json")) >= MOST_WAITING:
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # parameters are for nobody else
        kept = {"workflow": start.workflow, "trigger": start.trigger, "id": start.id, "parameters": start.parameters}
        write_whole(self._path(start), json.dumps(kept))
        return True

    def waiting(self, workflow: str) -> list[Start]:
        """Return the starts of a workflow that wait, the oldest first."""
        names = [name for name in self._names if name.endswith(f".{workflow}.json")]
        found = (_read(self.folder / name) for name in names)
        return [start for start in found if start is not None and start.workflow == workflow]

    def remove(self, start: Start) -> None:
        """Forget a start that was made, or that cannot be made."""
        self._path(start).unlink(missing_ok=True)

    def _path(self, start: Start) -> Path:
        assert is_slug(start.id) and is_slug(start.workflow), f"{start} is named by slugs"
        return self.folder / f"{start.id}.{start.workflow}.json"


def _read(path: Path) -> Start | None:
    """Return what a file keeps; None where it is gone or was made by something else."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Start(kept["workflow"], kept["trigger"], kept["id"], None, dict(kept["parameters"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
