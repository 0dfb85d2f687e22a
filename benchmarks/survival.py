"""What a batch survives: processes killed at random, a full disk, a database that is restarted.

    python -m benchmarks.survival [--cases N] [--seed N] [--kills N] [--full-disk] [--postgresql] [--dask]

A batch of the demo's dispatch runs in a project of its own while its workers, coordinator, zygote and kernels are
killed with signal 9; whenever its command ends before the batch does, it is called again with ``--resume``. At the end
every case must be completed exactly once, nothing half-written, no process left. Ends with 1 where that does not hold.
With ``--dask`` it runs on a local cluster of two workers instead, one of which is killed in the middle.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
LONGEST_S = 3600
LONGEST_END_S = 60
"""Time in which what ends with its parent is gone after the batch; most of it is for a busy machine."""
RARE = 0.1
KINDS = {"kernel": 6, "worker": 4, "zygote": 1, "coordinator": 1}
"""How often each kind of process is killed: the last two are long in coming back."""


@dataclass
class Stage:
    """A project in which a batch runs, and what was done to it.

    Parameters
    ----------
    folder : Path
    environment : dict
    dice : Random
    """

    folder: Path
    environment: dict[str, str]
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)
    command: subprocess.Popen[bytes] | None = None
    place: tuple[str, str] = ("--workers", "2")

    def call(self, *more: str) -> None:
        """Call the command that runs the batch."""
        words = [sys.executable, "-m", "ems", "batch", "dispatch", "survival", *self.place, "--attempts", "50"]
        self.command = subprocess.Popen(
            [*words, "--quiet", *more], cwd=self.folder, env=self.environment, stderr=subprocess.PIPE
        )
        self.done["command"] += 1

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return the living processes of this project by what they are."""
        found: dict[str, list[psutil.Process]] = {kind: [] for kind in (*KINDS, "other")}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("EMS_PROJECT") != str(self.folder) or process.pid == os.getpid():
                    continue
                is_own = "multiprocessing.resource_tracker" in " ".join(process.cmdline())
                if process.status() != psutil.STATUS_ZOMBIE and not is_own:
                    found[self._kind_of(process)].append(process)
        return found

    def _kind_of(self, process: psutil.Process) -> str:
        words = " ".join(process.cmdline())
        if "ems.batch.batches.worker" in words:
            return "worker"
        if "ems.batch.engine.zygote" in words:
            parent = process.parent()
            is_forked = parent is not None and "ems.batch.engine.zygote" in " ".join(parent.cmdline())
            return "kernel" if is_forked else "zygote"
        return "coordinator" if " batch dispatch " in words else "other"

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return sum(count for what, count in self.done.items() if what.endswith("killed"))

    def kill_one(self) -> None:
        """Kill a process of a random kind, seldom before there is a kernel: else no case would ever begin."""
        there = self.processes()
        if not there["kernel"] and (not self.kills or self.dice.random() > RARE):
            return
        (kind,) = self.dice.choices(list(KINDS), list(KINDS.values()))
        if there[kind]:
            with contextlib.suppress(psutil.Error):
                self.dice.choice(there[kind]).send_signal(signal.SIGKILL)
                self.done[f"{kind} killed"] += 1


def survive(stage: Stage, cases: int, kills: int, *, full_disk: bool, restart: list[str] | None) -> list[str]:
    """Run the batch to its end in spite of everything, and return what does not hold then."""
    write_sweep(stage.folder, cases)
    stage.call()
    begun, is_resumed = time.monotonic(), False
    trouble_at = [stage.dice.uniform(8, 20) for _ in range(2)]
    while time.monotonic() - begun < LONGEST_S:
        # Looks often until it has killed the first: a few cases have their kernels for a second or two.
        time.sleep(stage.dice.uniform(0.3, 1.5) if stage.kills else 0.1)
        assert stage.command is not None
        code = stage.command.poll()
        if code is not None:
            said = stage.command.stderr.read().decode() if stage.command.stderr else ""
            stage.done[f"command ended with {code}"] += 1
            if code == 0:
                break
            if "no batch was begun" in said or "leave out" in said:
                is_resumed = False
            stage.call(*(["--resume", "--retry-failed"] if is_resumed or _was_begun(stage) else []))
            is_resumed = True
            continue
        elapsed = time.monotonic() - begun
        if full_disk and elapsed > trouble_at[0]:
            _fill_for_a_while(stage)
            full_disk = False
        if restart and elapsed > trouble_at[1]:
            plain = {name: value for name, value in os.environ.items() if not name.startswith("EMS_")}
            subprocess.run(restart, check=True, stdout=subprocess.DEVNULL, env=plain)
            stage.done["database restarted"] += 1
            restart = None
        if stage.kills < kills:
            stage.kill_one()
    _await_ends(stage)
    return found_faults(stage, cases)


def write_sweep(folder: Path, cases: int) -> None:
    """Write a sweep of so many cases, of which no two have the same key."""
    sweeps = folder / "parameters" / "sweeps"
    sweeps.mkdir(parents=True, exist_ok=True)
    titles = [f"Case {number}" for number in range(1, cases + 1)]
    sweep = {"case": "demo", "parameters": {"horizon_h": 12}, "grid": {"title": titles}}
    (sweeps / "survival.yaml").write_text(json.dumps(sweep))


def survive_on_dask(stage: Stage, cases: int) -> list[str]:
    """Run the batch on a cluster of two workers, kill one in the middle, and return what does not hold then."""
    from distributed import LocalCluster

    from ems.database.batches import count_cases, list_batches
    from ems.database.engine import connect

    write_sweep(stage.folder, cases)
    engine = connect()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        stage.place = ("--dask", cluster.scheduler_address)
        stage.call()
        assert stage.command is not None
        while stage.command.poll() is None:
            time.sleep(0.5)
            found = list_batches(engine, name="survival", limit=1)
            is_half = bool(found) and count_cases(engine, found[0].id)["completed"] > cases / 2
            if is_half and not stage.done["worker killed"]:
                os.kill(next(iter(cluster.workers.values())).process.process.pid, signal.SIGKILL)
                stage.done["worker killed"] += 1
        stage.done[f"command ended with {stage.command.returncode}"] += 1
    _await_ends(stage)
    return found_faults(stage, cases)


def _await_ends(stage: Stage) -> None:
    """Wait until no process of the project is left; `found_faults` tells which are nevertheless."""
    end = time.monotonic() + LONGEST_END_S
    while any(stage.processes().values()) and time.monotonic() < end:
        time.sleep(0.5)


def _was_begun(stage: Stage) -> bool:
    from ems.database.batches import list_batches
    from ems.database.engine import connect

    with contextlib.suppress(Exception):
        return bool(list_batches(connect(), study="dispatch", name="survival"))
    return False


def _fill_for_a_while(stage: Stage) -> None:
    """Fill the project's disk, and free it when the batch has felt it."""
    filler = stage.folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65536)
    stage.done["disk filled"] += 1
    time.sleep(6)
    filler.unlink()


def found_faults(stage: Stage, cases: int) -> list[str]:
    """Return what does not hold after the end of the batch."""
    import nbformat

    from ems.database.batches import list_attempts, list_batches, list_cases
    from ems.database.engine import connect
    from ems.database.optimizations import jobs_of
    from ems.database.runs import list_runs

    engine, faults = connect(), []
    batch = list_batches(engine, study="dispatch", name="survival", limit=1)[0]
    rows = list_cases(engine, batch.id)
    if batch.status != "completed" or [one.status for one in rows] != ["completed"] * cases:
        faults.append(f"batch is {batch.status}, cases: {Counter(one.status for one in rows)}")
    runs = {run.id: run for run in list_runs(engine, limit=10_000)}
    completed = [run for run in runs.values() if run.status == "completed"]
    if len(completed) != cases or {run.id for run in completed} != {one.run_id for one in rows}:
        faults.append(f"{len(completed)} completed runs for {cases} cases")
    if open_runs := [run.id for run in runs.values() if run.status in ("pending", "running")]:
        faults.append(f"{len(open_runs)} runs are open for ever")
    done = Counter(one.number for one in list_attempts(engine, batch.id) if one.status == "completed")
    if done != dict.fromkeys(range(1, cases + 1), 1):
        faults.append("a case was completed more than once, or without an attempt")
    for run in runs.values():
        jobs = [job for job in jobs_of(engine, run.id) if job.status in ("optimal", "feasible")]
        if (run.status == "completed") != (len(jobs) == 1):
            faults.append(f"run {run.id} is {run.status} with {len(jobs)} optimizations")
    for run in completed:
        page, notebook = stage.folder / str(run.report_path), stage.folder / str(run.notebook_path)
        if not page.is_file() or not page.read_text().rstrip().endswith("</html>"):
            faults.append(f"report of {run.id} is missing or broken")
        if not notebook.is_file() or not nbformat.read(notebook, as_version=4).cells:
            faults.append(f"notebook of {run.id} is missing or broken")
    with_report = {run.id for run in runs.values() if run.report_path}
    strays = [path.name for path in (stage.folder / "reports" / "dispatch").iterdir() if path.stem not in with_report]
    if strays:
        faults.append(f"{len(strays)} files in reports/ belong to no run: {strays[:3]}")
    scratch = stage.folder / ".ems"
    halves = [*scratch.glob(".partial-*"), *(scratch / "runs").iterdir(), *stage.folder.glob("reports/**/.partial-*")]
    if halves:
        faults.append(f"half-written or forgotten: {[path.name for path in halves[:3]]}")
    left = {kind: len(there) for kind, there in stage.processes().items() if there}
    if left:
        faults.append(f"processes are left: {left}")
    return faults


@contextmanager
def project_folder(*, full_disk: bool) -> Iterator[Path]:
    """Give a copy of this project, on a small disk of its own where that is wanted."""
    folder = Path(tempfile.mkdtemp(prefix="ems-survival-")).resolve()
    if full_disk:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "ems-survival", str(folder)], check=True)
    try:
        for name in ("notebooks", "parameters", "data"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("ems.sqlite*", "models"))
        yield folder
    finally:
        if full_disk:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Give the address of a server of its own, and the command that restarts it."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    data, as_user = folder / "server", ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    prefix = as_user if os.getuid() == 0 else []
    data.mkdir()
    if prefix:
        shutil.chown(data, "postgres", "postgres")
        folder.chmod(0o755)
    make = [*prefix, str(programs / "initdb"), "-D", str(data), "-U", "ems", "-A", "trust"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    options = f"-c listen_addresses='' -c unix_socket_directories={data} -c max_connections=60"
    control = [*prefix, str(programs / "pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", str(data / "log")]
    subprocess.run([*control, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield f"postgresql+psycopg://ems@/postgres?host={data}", [*control, "-m", "fast", "restart"]
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    """Run the batch and say what it survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full-disk", action="store_true", help="on a small tmpfs, which needs root")
    parser.add_argument("--postgresql", action="store_true", help="on a server, which is restarted meanwhile")
    parser.add_argument("--dask", action="store_true", help="on a local Dask cluster, of which a worker is killed")
    given = parser.parse_args()
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder, restart = stack.enter_context(project_folder(full_disk=given.full_disk)), None
        if given.postgresql:  # before the project is named: its server is none of the batch's processes
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ems-pg-")))
            os.environ["EMS_DATABASE_URL"], restart = stack.enter_context(postgresql(place))
        os.environ["EMS_PROJECT"] = str(folder)
        if given.postgresql:
            subprocess.run([sys.executable, "-m", "ems", "db", "upgrade"], check=True, stdout=subprocess.DEVNULL)
        else:
            os.environ.pop("EMS_DATABASE_URL", None)
        stage = Stage(folder, dict(os.environ), random.Random(given.seed))
        if given.dask:
            faults = survive_on_dask(stage, given.cases)
        else:
            faults = survive(stage, given.cases, given.kills, full_disk=given.full_disk, restart=restart)
    print(f"{given.cases} cases in {time.monotonic() - begun:.0f} s; {dict(stage.done)}")
    for fault in faults:
        print(f"FAULT  {fault}")
    print("every case completed exactly once, nothing half-written, no process left" if not faults else "MISSED")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
