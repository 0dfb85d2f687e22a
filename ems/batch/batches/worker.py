"""A worker of a batch: leases one case after the other and runs it, until nothing is left.

It is started by the batch as ``python -m ems.batch.batches.worker BATCH_ID``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from ems.batch.batches.attempt import Attempt, MachineAtFault
from ems.batch.batches.options import BatchOptions
from ems.batch.batches.owners import owner_of
from ems.batch.engine.zygote import die_with_parent
from ems.errors import DatabaseProblem

if TYPE_CHECKING:
    from sqlalchemy import Engine

DONE, CODE_CHANGED, AT_FAULT = 0, 3, 4
"""How a worker ends: nothing is left, the package is not the one that the batch began with, the machine fails."""
PARENT_VARIABLE = "EMS_BATCH_PARENT"
_IDLE_S = 0.2


def work(engine: Engine, batch_id: str) -> int:
    """Run cases until none is left, and return how it ended.

    Parameters
    ----------
    engine : Engine
    batch_id : str
    """
    from ems.batch.batches.keys import code_of
    from ems.database.batch_leases import lease_case
    from ems.database.batches import count_cases, get_batch

    batch = get_batch(engine, batch_id)
    options, owner = BatchOptions(**batch.options), owner_of()
    while True:
        if code_of(batch.study) != batch.code:
            return CODE_CHANGED
        try:
            leased = lease_case(engine, batch_id, owner, options.lease_s)
            if leased is None:
                counts = count_cases(engine, batch_id)
                # Others still run, and may leave a case to be tried again.
                if counts["waiting"] + counts["running"] == 0 or get_batch(engine, batch_id).status != "open":
                    return DONE
                time.sleep(_IDLE_S)
                continue
        except DatabaseProblem as problem:
            raise MachineAtFault(str(problem)) from None
        Attempt.of(engine, leased, batch.study, options).run(owner)


def main(arguments: list[str]) -> int:
    """Work on a batch as a process of its own; return how it ended."""
    parent = os.environ.get(PARENT_VARIABLE)
    if parent:
        die_with_parent(int(parent))
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the batch, which then asks to stop
    import ems.batch.reporting
    import ems.report.page  # noqa: F401 - before the first case, not within it
    from ems.batch.jupyter import load_papermill
    from ems.database.engine import connect

    load_papermill()
    try:
        return work(connect(keeps_connections=True), arguments[0])
    except KeyboardInterrupt:
        return 130
    except (MachineAtFault, DatabaseProblem) as reason:
        print(f"worker stopped: {reason}", file=sys.stderr)
        return AT_FAULT


def _stop(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
