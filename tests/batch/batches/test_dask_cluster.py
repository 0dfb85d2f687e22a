"""A batch on a Dask cluster: the database says what is done, whatever the cluster runs twice."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from distributed import LocalCluster
from waiting import hold_dispatch, wait_for

from ems.batch.batches.dask_cluster import coordinate_on_dask
from ems.batch.batches.opening import begin, prepare
from ems.batch.batches.options import BatchOptions
from ems.batch.batches.sweep import load_sweep
from ems.cli import commands
from ems.database.batches import list_attempts
from ems.errors import InvalidInput


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # of teams; batches here run on both
def test_coordinate_on_dask__a_worker_is_killed_in_the_middle(
    project: Path, database_url: str, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMS_DATABASE_URL", database_url)
    planned = hold_dispatch(project)
    sweep = {"case": "demo", "grid": {"horizon_h": [12, 13, 14, 15]}}
    (project / "parameters" / "sweeps" / "mine.yaml").write_text(json.dumps(sweep))
    prepared = prepare("dispatch", load_sweep("dispatch", "mine"), BatchOptions())
    batch = begin(engine, prepared)
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:

        def kill_when_running() -> None:
            try:
                wait_for(planned.exists)
                os.kill(next(iter(cluster.workers.values())).process.process.pid, signal.SIGKILL)
            finally:
                (project / "go").touch()

        killer = threading.Thread(target=kill_when_running)
        killer.start()
        done = coordinate_on_dask(engine, batch, cluster.scheduler_address, lambda _: None)
        killer.join()

    assert done.status == "completed"
    completed = [one.number for one in list_attempts(engine, batch.id) if one.status == "completed"]
    assert completed == [1, 2, 3, 4]
    assert len(list_attempts(engine, batch.id)) > 4


def test_dask__scheduler_that_is_not_there(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ems.batch.batches.dask_cluster.LONGEST_CONNECT_S", 1)

    done = CliRunner().invoke(commands, ["batch", "dispatch", "battery-horizon", "--dask", "tcp://127.0.0.1:9"])

    assert isinstance(done.exception, SystemExit | InvalidInput)
    assert "there is no scheduler that answers" in done.output + str(done.exception)
