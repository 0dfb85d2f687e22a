"""The process of one task: ``python -m ems.batch.workflows.child`` reads a job, does it, and leaves its result.

Secrets come from this process' environment at the moment of the call; what is left is without them.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ems.batch.workflows.processes import end_with_parent
from ems.batch.workflows.secrets import secret_names, with_secrets, without_values
from ems.errors import EmsError

LARGEST_OUTPUTS_BYTES = 1_000_000
CALLS = {
    "study": "ems.batch.workflows.calls:call_study",
    "notebook": "ems.batch.workflows.calls:call_notebook",
    "function": "ems.batch.workflows.calls:call_function",
    "http": "ems.batch.workflows.web_calls:call_http",
    "notify": "ems.batch.workflows.web_calls:call_notify",
    "transform": "ems.batch.workflows.series_join:call_series_of_forecasts",
}
"""What does each kind of task."""


def main() -> int:
    """Do the job that standard input states; return the exit code."""
    signal.signal(signal.SIGTERM, _stop)
    job = json.loads(sys.stdin.buffer.read())
    end_with_parent(job["parent"])
    result = _result_of(job)
    path = Path(job["result"])
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, allow_nan=False), encoding="utf-8")
    part.replace(path)
    return 0 if result.get("error") is None else 1


def _result_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return outputs, or why there are none; both without secrets."""
    names = secret_names(job["fields"])
    try:
        module, name = CALLS[job["kind"]].split(":")
        call = getattr(importlib.import_module(module), name)
        outputs, run_id = call(with_secrets(job["fields"], job["values"]), job)
        return {"outputs": _kept(outputs, names), "run_id": run_id, "error": None}
    except KeyboardInterrupt:
        raise
    except EmsError as error:
        said, run_id = str(error), getattr(error, "run_id", None)
    except (Exception, SystemExit) as error:  # whatever a function of the project raises fails its task
        said, run_id = f"{type(error).__name__}: {error}".rstrip(": "), None
        print(without_values(traceback.format_exc(), names), file=sys.stderr)
    return {"outputs": {}, "run_id": run_id, "error": without_values(said, names)}


def _kept(outputs: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    from ems.database.masking import storable
    from ems.errors import RunFailed

    kept: dict[str, Any] = without_values(storable(dict(outputs)), names)
    size = len(json.dumps(kept))
    if size > LARGEST_OUTPUTS_BYTES:
        raise RunFailed(
            f"the outputs have {size / 1e6:.1f} MB; at most {LARGEST_OUTPUTS_BYTES / 1e6:g} MB are kept: write a file "
            "and give its path"
        )
    return kept


def _stop(_signal: int, _frame: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once; the records are being closed
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.environ.pop("EMS_RUN_ID", None)
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that a function left behind do not hold the workflow up
