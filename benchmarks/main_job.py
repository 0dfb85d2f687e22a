"""Where the time of the main job goes: `ems run dispatch demo`, as shares of its wall time.

Run it with ``make bench``. The first run warms the disk's cache and Python's bytecode; the best of three later ones is
the wall time. Each part is measured alone in a fresh process. The command and its kernel are two processes that partly
work side by side, so the parts add up to more than the wall time; the last line is that overlap.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

STUDY = """
from ems.studies.dispatch import DispatchStudy
import ems.assets.portfolio, ems.assets.prices, ems.series.cutting, ems.series.reading, ems.dispatch.problem
study = DispatchStudy()
"""
PROBLEM = f"""{STUDY}
portfolio = study.load_portfolio()
problem = study.pose_problem(portfolio)
from ems.dispatch.solvers.highs import solve_with_highs
from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
build_model(problem)
"""
PLAN = f"""{PROBLEM}
from ems.dispatch.solve import solve
from ems.report import figures, tables
from ems.studies.dispatch_plan import DispatchPlan
from ems.studies.study_run import open_study_run
plan = DispatchPlan(solve(problem), solve(problem.without("battery")), "battery")
"""
PAGE = """
import datetime as dt, glob, nbformat
from ems.report.page import PageHead, render_page
notebook = nbformat.read(sorted(glob.glob("reports/dispatch/*.ipynb"))[-1], 4)
now = dt.datetime.now(dt.UTC)
"""

PARTS = {
    "import (command)": (
        "",
        """
        import ems.batch.kernel, ems.batch.parameters, ems.batch.reporting, ems.batch.run, ems.studies.study_run
        from ems.batch.jupyter import load_papermill
        load_papermill()
        """,
    ),
    "kernel start": (
        "import ems.batch.kernel, jupyter_client.manager, asyncio, pathlib",
        """
        with ems.batch.kernel.started_kernel(pathlib.Path.cwd(), {}) as manager:
            client = manager.client()
            client.start_channels()
            asyncio.run(client.wait_for_ready(timeout=60))
        """,
    ),
    "import (kernel)": (
        "",
        """
        import ems.assets.portfolio, ems.dispatch.result, ems.dispatch.solve, ems.report.figures, ems.report.tables
        import ems.series.cutting, ems.series.reading, ems.studies.dispatch, ems.studies.study_run
        import highspy, pyomo.core
        """,
    ),
    "read and check": (STUDY, "portfolio = study.load_portfolio(); problem = study.pose_problem(portfolio)"),
    "model": (PROBLEM, "build_model(problem); build_model(problem.without('battery'))"),
    "solve": (
        f"{PROBLEM}\nsolve_with_highs(build_model(problem), SolverOptions()); with_, without = build_model(problem), "
        "build_model(problem.without('battery'))",
        "solve_with_highs(with_, SolverOptions()); solve_with_highs(without, SolverOptions())",
    ),
    "figures": (
        PLAN,
        """
        flows = plan.result.flows
        figures.plot_series(problem.series, portfolio)._repr_mimebundle_()
        figures.plot_power_balance(flows, problem.series, portfolio)._repr_mimebundle_()
        figures.plot_energy(flows, portfolio)._repr_mimebundle_()
        figures.plot_costs(plan.costs(), plan.currency)._repr_mimebundle_()
        """,
    ),
    "database": (PLAN, "open_study_run(study).store(plan)"),
    "HTML": (
        PAGE,
        "render_page(notebook, PageHead('t', 's', 'c', 'r', 'completed', None, now, now, 'UTC', (), (), (), ()))",
    ),
}


def seconds_of(before: str, code: str, environment: dict[str, str]) -> float:
    """Return the time that a piece of code takes in a fresh process, after what comes before it."""
    timed = ["import time", before, "begin = time.perf_counter()", textwrap.dedent(code)]
    script = "\n".join([*timed, "print('seconds', time.perf_counter() - begin)"])
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
        for _ in range(4):
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
