"""Where the time of the main job goes: `ems run dispatch demo`, as shares of its wall time.

Run it with ``make bench``. The first run warms the disk's cache and Python's bytecode; the second is measured. Parts are
measured by running each alone in a fresh process, so they overlap a little: the command and its kernel are two processes
that partly work side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SETUP = "from ems.studies.dispatch import DispatchStudy; s = DispatchStudy(); p = s.load_portfolio(); q = s.pose_problem(p)"
SOLVE = "from ems.dispatch.solve import solve; from ems.dispatch.model import build_model; from ems.dispatch.options import SolverOptions; from ems.dispatch.highs import solve_with_highs"
PLAN = "from ems.studies.dispatch_plan import DispatchPlan; from ems.studies.study_run import open_study_run"

PARTS = {
    "import (command)": (
        "pass",
        "import ems.batch.run, ems.batch.reporting, ems.batch.parameters; from ems.batch.jupyter import load_papermill; load_papermill()",
    ),
    "import (kernel)": (
        "pass",
        f"import pandas, xarray, pyomo.core; {SOLVE}; {PLAN}; from ems.report import figures, tables; import matplotlib.figure, highspy, scipy.sparse",
    ),
    "kernel start": (
        "from ems.batch.jupyter import load_papermill; load_papermill(); from jupyter_client.manager import start_new_kernel",
        "m, c = start_new_kernel(); c.stop_channels(); m.shutdown_kernel(now=True)",
    ),
    "read and check": (
        "from ems.studies.dispatch import DispatchStudy; import ems.assets.portfolio, ems.series.reading, ems.dispatch.problem",
        "s = DispatchStudy(); p = s.load_portfolio(); q = s.pose_problem(p)",
    ),
    "model": (f"{SETUP}; {SOLVE}; build_model(q)", "build_model(q); build_model(q.without('battery'))"),
    "solve": (
        f"{SETUP}; {SOLVE}; m = build_model(q); solve_with_highs(build_model(q), SolverOptions())",
        "solve_with_highs(m, SolverOptions()); solve_with_highs(build_model(q.without('battery')), SolverOptions())",
    ),
    "database": (
        f"{SETUP}; {SOLVE}; {PLAN}; d = DispatchPlan(solve(q), solve(q.without('battery')), 'battery'); d.violations",
        "r = open_study_run(s); r.store(d)",
    ),
    "figures": (
        f"{SETUP}; {SOLVE}; {PLAN}; d = DispatchPlan(solve(q), solve(q.without('battery')), 'battery'); from ems.report import figures as f; import matplotlib.figure",
        "[g._repr_mimebundle_() for g in (f.plot_series(q.series, p), f.plot_power_balance(d.result.flows, q.series, p), f.plot_energy(d.result.flows, p), f.plot_costs(d.costs(), 'EUR'))]",
    ),
    "HTML": (
        "import glob, nbformat, datetime as dt; from ems.report.page import PageHead, render_page; n = nbformat.read(sorted(glob.glob('reports/dispatch/*.ipynb'))[-1], 4)",
        "render_page(n, PageHead('t', 'dispatch', 'demo', 'r', 'completed', None, dt.datetime.now(dt.UTC), None, 'UTC', (), (), (), ()))",
    ),
}


def seconds_of(before: str, code: str, environment: dict[str, str]) -> float:
    """Return the time that a piece of code takes in a fresh process, after what comes before it."""
    script = f"import time\n{before}\nbegin = time.perf_counter()\n{code}\nprint('seconds', time.perf_counter() - begin)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split("seconds ")[-1])


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "EMS_DATABASE_URL": f"sqlite:///{folder}/bench.sqlite"}
        command = [sys.executable, "-m", "ems", "run", "dispatch", "demo", "--quiet"]
        walls = []
        for _ in range(3):
            begin = time.perf_counter()
            subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True)
            walls.append(time.perf_counter() - begin)
        wall = min(walls[1:])
        print(f"ems run dispatch demo: first {walls[0]:.2f} s, then {wall:.2f} s on {os.cpu_count()} cores")
        total = 0.0
        for name, (before, code) in PARTS.items():
            seconds = min(seconds_of(before, code, environment) for _ in range(2))
            total += seconds
            print(f"  {name:<18} {seconds:6.2f} s  {seconds / wall:6.1%}")
        print(f"  {'rest, less overlap':<18} {wall - total:6.2f} s  {(wall - total) / wall:6.1%}")


if __name__ == "__main__":
    main()
