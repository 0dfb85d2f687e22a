"""A loop that is broken off goes on from its checkpoint and gives the same answer, to the last bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rolling_samples import home_case

from ems.errors import InvalidInput
from ems.studies.rolling_forecasts import naive_tables, perfect_tables
from ems.studies.rolling_loop import PolicyRun, run_policy
from ems.studies.rolling_plans import Planned
from ems.studies.rolling_state import read_checkpoint
from ems.tariffs.demand_charge import DemandCharge

EVERY = 24
MONTHLY = {"demand_charges": (DemandCharge(name="month", rate_per_kw=5.0),)}


def sample_case():
    return home_case(21, days=14, horizon_h=24, calm_price_per_kwh=0.002, connection=MONTHLY)


def roll(checkpoint: Path | None, *, progress=None) -> PolicyRun:
    case = sample_case()
    policy = Planned("plan_naive", case, naive_tables(case), perfect_tables(case))
    return run_policy(case, policy, checkpoint=checkpoint, every=EVERY, progress=progress)


def assert_same(one: PolicyRun, other: PolicyRun) -> None:
    assert one.flows.keys() == other.flows.keys()
    for key, values in one.flows.items():
        assert np.array_equal(values, other.flows[key]), key
    for key, values in one.planned.items():
        assert np.array_equal(values, other.planned[key]), key
    assert one.flips == other.flips
    assert one.peaks_cost == other.peaks_cost


def test_loop__broken_anywhere_resumes_to_the_same_answer(tmp_path: Path) -> None:
    whole = roll(None)
    for broken_at in (30, 71, 100):
        path = tmp_path / f"{broken_at}.npz"

        def stop(done: int, of: int, broken_at: int = broken_at) -> None:
            if done == broken_at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            roll(path, progress=stop)
        assert read_checkpoint(path).decision == broken_at - broken_at % EVERY

        assert_same(roll(path), whole)


def test_loop__that_is_done_is_not_run_again(tmp_path: Path) -> None:
    first = roll(tmp_path / "done.npz")
    seen: list[int] = []

    again = roll(tmp_path / "done.npz", progress=lambda done, of: seen.append(done))

    assert seen == []
    assert_same(again, first)


def test_loop__killed_resumes_to_the_same_answer(tmp_path: Path) -> None:
    """A process that is killed with -9 in the middle leaves a whole checkpoint, from which another one goes on."""
    path = tmp_path / "killed.npz"
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from test_rolling_state import roll\n"
        "roll(Path(sys.argv[1]), progress=lambda done, of: time.sleep(0.02 if done < of - 1 else 600))\n"  # never ends
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path), str(Path(__file__).parent)])
    deadline = time.monotonic() + 120
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # into the decisions after the checkpoint
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    decision = read_checkpoint(path).decision
    resumed = roll(path)

    assert 0 < decision < len(sample_case().decisions)
    assert_same(resumed, roll(None))


def test_checkpoint__that_is_none_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(b"no archive")

    with pytest.raises(InvalidInput, match="delete it to begin anew"):
        roll(tmp_path / "broken.npz")
