"""How fast many runs of a notebook are: against papermill as it comes, and against the bare functions.

    python -m benchmarks.batch [--runs N]

All in one run on one machine, in CPU seconds of all processes that take part: papermill's own engine; the engine
``ems``, called in the same way; a whole batch with leases, records and reports; and the functions that the notebook
calls, its figures and tables drawn, in one warm process. Then a batch with one worker and with two, by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FEWER = 5
"""Of the stock engine only every so many runs are made; it takes that much longer."""

STOCK = """
import sys, papermill
from ems.batch.jupyter import load_papermill
load_papermill()
for number in range(int(sys.argv[1])):
    papermill.execute_notebook("notebooks/dispatch.ipynb", f"out-{number}.ipynb", {"title": f"Run {number}"},
        engine_name=sys.argv[2], kernel_name="python3", progress_bar=False)
from ems.batch.engine.zygote_client import close_zygotes
close_zygotes()
"""

PURE = """
import sys, time
from ems.batch.engine.zygote import preload
preload()
from ems.report import dispatch_figures, dispatch_tables, figures, tables
from ems.studies.dispatch import DispatchStudy

def run(title):
    study = DispatchStudy(title=title)
    run = study.open_run()
    portfolio = study.load_portfolio()
    problem = study.pose_problem(portfolio)
    plan = study.plan(problem, run)
    flows, costs = plan.result.flows, plan.costs()
    shown = [
        tables.show_assets(portfolio), figures.plot_series(problem.series, portfolio), tables.show_facts(plan.proof()),
        figures.plot_power_balance(flows, problem.series, portfolio), figures.plot_energy(flows, portfolio),
        dispatch_figures.plot_commitment(flows, portfolio), dispatch_figures.plot_temperatures(flows, portfolio),
        figures.plot_costs(costs, plan.currency), tables.show_costs(costs, plan.currency),
        dispatch_tables.show_differences(plan.differences(), plan.currency),
        dispatch_tables.show_wear(plan.wear(), problem.portfolio, plan.currency),
        dispatch_tables.show_kpis(plan.kpis, portfolio), dispatch_figures.plot_front(plan.pareto(), plan.currency),
        dispatch_figures.plot_prices(plan.prices(), portfolio),
        dispatch_tables.show_limits(plan.binding_limits(), problem.portfolio),
        dispatch_tables.show_reasons(plan.reasons(), problem.portfolio), tables.show_sentence(plan.conclusion()),
    ]
    for one in shown:
        for name in ("_repr_mimebundle_", "_repr_html_"):
            if hasattr(one, name):
                getattr(one, name)()
                break
    run.store(plan)

run("Warm")
begin = time.process_time()
for number in range(int(sys.argv[1])):
    run(f"Run {number}")
print(time.process_time() - begin)
"""


def main() -> None:
    """Measure, and say which of the aims hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    runs = parser.parse_args().runs
    folder = Path(tempfile.mkdtemp(prefix="ems-batch-"))
    try:
        for name in ("notebooks", "parameters", "data"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("ems.sqlite*", "models"))
        report(folder, runs)
    finally:
        shutil.rmtree(folder)


def report(folder: Path, runs: int) -> None:
    """Print what a run takes in each way."""
    fewer = max(2, runs // FEWER)
    subprocess.run(
        [sys.executable, "-m", "ems", "db", "upgrade"],
        cwd=folder,
        env=environment(folder),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    stock = cpu_of(folder, "-c", STOCK, str(fewer), "nbclient")[0] / fewer
    forked, once = (cpu_of(folder, "-c", STOCK, str(count), "ems")[0] for count in (runs, 1))
    forked = (forked - once) / (runs - 1)  # what the zygote takes to start is once, however many runs there are
    pure = float(cpu_of(folder, "-c", PURE, str(runs))[1]) / runs
    (one_cpu, _, one_s), (_, _, two_s) = (batch(folder, runs, workers) for workers in (1, 2))
    rows = {
        "papermill, its own engine": stock,
        "papermill, engine ems (start of the zygote apart)": forked,
        "ems batch: leases, records, reports, start included": one_cpu / runs,
        "the functions in a warm process": pure,
    }
    for name, seconds in rows.items():
        print(f"{name:<55} {seconds:7.3f} CPU s a run")
    print(f"{'start of zygote and first run':<55} {once:7.3f} CPU s once")
    print(f"{'batch by the clock, one worker and two':<55} {one_s:7.1f} s, {two_s:.1f} s")
    for what, reached, aim in (
        ("engine ems against papermill's own, runs per CPU second", stock / forked, 5.0),
        ("engine ems against the bare functions", pure / forked, 1 / 3),
        ("two workers against one", one_s / two_s, 1.7),
    ):
        print(f"{'holds ' if reached >= aim else 'MISSED'}  {what}: {reached:.2f} (at least {aim:.2f})")


def batch(folder: Path, runs: int, workers: int) -> tuple[float, str, float]:
    """Run a batch with workers; CPU seconds, output, and seconds by the clock from first to last case."""
    titles = [f"Run {number} of {workers}" for number in range(runs)]
    sweep = {"case": "demo", "grid": {"horizon_h": [24], "title": titles}}
    (folder / "parameters" / "sweeps" / "many.yaml").write_text(json.dumps(sweep))
    words = ("-m", "ems", "batch", "dispatch", "many", "--workers", str(workers), "--json")
    cpu_s, said = cpu_of(folder, *words)
    return cpu_s, said, seconds_of_cases(folder, json.loads(said)["batch"])


def seconds_of_cases(folder: Path, batch_id: str) -> float:
    """Return the time from the first attempt's beginning to the last one's end."""
    code = (
        "import sys\nfrom ems.database.batches import list_attempts\nfrom ems.database.engine import connect\n"
        "found = list_attempts(connect(), sys.argv[1])\n"
        "print((max(one.finished_at for one in found) - min(one.started_at for one in found)).total_seconds())"
    )
    return float(cpu_of(folder, "-c", code, batch_id)[1])


def cpu_of(folder: Path, *words: str) -> tuple[float, str]:
    """Return the CPU seconds of a command with all that it has started, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a command that works on a project; one thread for each process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EMS_")}
    return {**kept, "EMS_PROJECT": str(folder), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()
