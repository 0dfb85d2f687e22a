"""Running an execution in the background: in a process that outlives the one which started it."""

from __future__ import annotations

import os
import subprocess
import sys

from ems.folders import project_folder, scratch_folder


def start_detached(execution_id: str, *, max_parallel: int = 2) -> int:
    """Run a pending execution in a process of its own that outlives this one; return the process' number.

    What it says is in ``.ems/executions/<id>/log.txt``.
    """
    project = project_folder()
    folder = scratch_folder() / "executions" / execution_id
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-P",
        "-m",
        "ems",
        "executions",
        "resume",
        execution_id,
        "--begin",
        "--jobs",
        str(max_parallel),
    ]
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this interpreter with this package
            command,
            cwd=project,
            env={**os.environ, "EMS_PROJECT": str(project)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return process.pid
