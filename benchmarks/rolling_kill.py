"""Whether a year of hourly decisions that is killed with -9 ends as one that is not, to the last bit.

    python -m benchmarks.rolling_kill [--data FOLDER] [--home 2] [--tariff demand] [--days 364] [--kills 5]

One process rolls the year with own forecasts and keeps a checkpoint; it is killed at moments spread over the year, and
each time a new one goes on from what it left. Then one process rolls the year in one go.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.rolling import FOLDER, MODELS, TARIFFS, home_case
from ems.studies.rolling_case import RollingCase
from ems.studies.rolling_loop import PolicyRun, run_policy
from ems.studies.rolling_run import forecasts_for, policy_of
from ems.studies.rolling_state import read_checkpoint

POLICY = "plan_own"
EVERY = 24
"""Decisions between two checkpoints."""


def rolled(case: RollingCase, path: Path | None, told: Connection | None = None) -> PolicyRun:
    """Return the year, from the checkpoint where there is one; the decision that was made goes to `told`."""
    forecasts = forecasts_for(case, [POLICY], MODELS)
    return run_policy(
        case,
        policy_of(POLICY, case, forecasts),
        checkpoint=path,
        every=EVERY,
        progress=None if told is None else lambda done, of: told.send(done),
    )


def killed_at(case: RollingCase, path: Path, decision: int) -> tuple[int, int]:
    """Roll in a process of its own and kill it once it has made a decision; return it and that of the checkpoint."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=rolled, args=(case, path, there))
    process.start()
    there.close()
    made = -1
    while made < decision:
        made = here.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    return made, read_checkpoint(path).decision


def differing(one: PolicyRun, other: PolicyRun) -> list[str]:
    """Return what two runs do not have in common."""
    found = [str(key) for key in one.flows if not np.array_equal(one.flows[key], other.flows[key])]
    found += [f"planned {key}" for key in one.planned if not np.array_equal(one.planned[key], other.planned[key])]
    if one.flips != other.flips:
        found.append("flips")
    return found


def main() -> int:
    """Print when the year was killed and whether the answers agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--home", type=int, default=2)
    parser.add_argument("--tariff", choices=TARIFFS, default="demand")
    parser.add_argument("--days", type=int, default=364)
    parser.add_argument("--kills", type=int, default=5)
    given = parser.parse_args()
    case = home_case(given.data, given.home, given.tariff, given.days)
    count = len(case.decisions)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "year.npz"
        for decision in np.linspace(0, count, given.kills + 2).astype(int)[1:-1]:
            made, kept = killed_at(case, path, int(decision) + EVERY // 2)
            print(f"killed after decision {made:,} of {count:,}; the checkpoint is of {kept:,}")
        broken = rolled(case, path)
    begin = time.process_time()
    whole = rolled(case, None)
    print(f"in one go: {time.process_time() - begin:.1f} CPU s with its forecasts")
    differences = differing(whole, broken)
    print(f"differs in {', '.join(differences)}" if differences else "the same, to the last bit")
    return int(bool(differences))


if __name__ == "__main__":
    sys.exit(main())
