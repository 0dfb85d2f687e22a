"""What a dispatch costs in time and memory, as ratios within one run.

Run it with ``python -m benchmarks.dispatch [--quick] [--only PART ...] [--markdown]``. All times are CPU times of one
thread, from a problem to its schedule in arrays; *bare* is HiGHS alone on the same matrix. Each time is the least of
several, taken in turn. Peers are those of the extra ``benchmark``; one that is not installed is skipped with a word.
All costs of a case have to agree to 1e-6.

Parts are ``day``, ``year``, ``sites``, ``rolling``, ``programme`` (dynamic programme against the linear programme),
``memory`` and ``commitment``.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import kazarlis
from benchmarks.peers import cases, in_ems
from benchmarks.peers.cases import Case
from ems.dispatch.formulation.compile import compile_problem
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.options import SolverOptions
from ems.dispatch.solve import solve
from ems.dispatch.solvers.highs import highs_lp, silent_highs
from ems.dispatch.storage.storage_programme import storage_programme
from ems.dispatch.warm import WarmDispatch

PEERS = ("pypsa", "linopy", "oemof", "cvxpy")
PARTS = ("day", "year", "sites", "rolling", "programme", "memory", "commitment")
YEAR_STEPS = 365 * cases.STEPS_OF_DAY
FEEDER_KW_PER_SITE = 90.0
COST_TOLERANCE = 1e-6
MEMORY_LIMIT_MB = 400
GAP = 1e-4
NANO = 1e-9


@dataclass
class Row:
    """A line of the table: a figure and what it is compared with."""

    part: str
    what: str
    figure: str
    ratio: str = ""
    aim: str = ""
    is_met: bool | None = None


@dataclass
class Report:
    """Lines in the order in which they were found."""

    is_quick: bool
    rows: list[Row] = field(default_factory=list)

    def add(self, *cells: Any, **more: Any) -> None:
        """Keep a line and say it at once."""
        row = Row(*cells, **more)
        self.rows.append(row)
        print(line_of(row), flush=True)


# ------------------------------------------------------------------------------------------- measuring
def cpu_s(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of a piece of work, and what it gives."""
    begin = time.process_time()
    found = work()
    return max(time.process_time() - begin, NANO), found


def in_turn(times: int, *works: Callable[[], Any]) -> list[tuple[float, Any]]:
    """Return the least CPU seconds of each piece of work, done in turn, and what it gives."""
    best: list[tuple[float, Any]] = [(float("inf"), None)] * len(works)
    for _ in range(times):
        best = [min(one, cpu_s(work), key=lambda pair: pair[0]) for one, work in zip(best, works, strict=True)]
    return best


def bare(matrix: Matrix, **options: Any) -> Any:
    """Return HiGHS after it has solved a matrix, handed over as arrays."""
    highs = silent_highs()
    for name, value in {"threads": 1, **options}.items():
        highs.setOptionValue(name, value)
    highs.passModel(highs_lp(matrix))
    highs.run()
    return highs


def cost_in(highs: Any) -> float:
    """Return the cost that HiGHS found."""
    return float(highs.getInfo().objective_function_value)


def check_same(what: str, found: float, expected: float) -> None:
    """Stop where two costs differ."""
    error = abs(found - expected) / max(1.0, abs(expected))
    assert error <= COST_TOLERANCE, f"{what}: cost {found} instead of {expected}"


def peers_of(
    report: Report,
    part: str,
    call: Callable[[Any], float],
    *,
    ours_s: float,
    cost: float,
    times: int = 1,
    whole: str = "",
) -> None:
    """Add a line for each peer: its time as a multiple of ours."""
    for name in PEERS:
        try:
            module = importlib.import_module(f"benchmarks.peers.in_{name}")
        except ModuleNotFoundError as absent:
            report.add(part, f"{name} is not installed ({absent.name}); skipped", "")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ((seconds, found),) = in_turn(times, lambda module=module: call(module))
        check_same(f"{part} in {name}", found, cost)
        report.add(
            part, f"{name}{whole}", shown_s(seconds), f"{seconds / ours_s:.2f} x ours", "> 1", is_met=seconds > ours_s
        )


# ------------------------------------------------------------------------------------------- parts
def single(report: Report, part: str, case: Case, *, times: int, most: float, most_s: float | None = None) -> None:
    """Measure one dispatch against bare HiGHS and against the peers."""
    problem = in_ems.problem_of(case)
    matrix = compile_problem(problem).matrix

    def fresh() -> float:
        return float(in_ems.result_of(replace(problem)).solution.objective)

    fresh()  # imports of the first call are not counted, nor are those of HiGHS
    (ours_s, cost), (bare_s, bare_cost) = in_turn(times, fresh, lambda: cost_in(bare(matrix)))
    check_same(f"{part} in bare HiGHS", bare_cost, cost)
    report.add(part, "bare HiGHS", shown_s(bare_s))
    ratio = ours_s / bare_s
    report.add(part, "ems", shown_s(ours_s), f"{ratio:.2f} x bare", f"<= {most:g}", is_met=ratio <= most)
    if most_s is not None:
        report.add(part, "ems, absolute", shown_s(ours_s), "", f"< {shown_s(most_s)}", is_met=ours_s < most_s)
    peers_of(
        report, part, lambda peer: float(peer.least_cost(case)[0]), ours_s=ours_s, cost=cost, times=max(1, times // 3)
    )


def day(report: Report) -> None:
    """Measure a day of quarter hours."""
    single(report, "day", cases.make_case(cases.STEPS_OF_DAY), times=21, most=4.0, most_s=0.012)


def year(report: Report) -> None:
    """Measure a year of quarter hours."""
    single(report, "year", cases.make_case(YEAR_STEPS // (12 if report.is_quick else 1)), times=1, most=1.5)


def sites(report: Report) -> None:
    """Measure a hundred sites under one feeder."""
    count = 20 if report.is_quick else 100
    case = cases.make_case(cases.STEPS_OF_DAY, count, FEEDER_KW_PER_SITE * count)
    single(report, "sites", case, times=3, most=1.4)


def rolling(report: Report) -> None:
    """Measure a year of daily plans for the next two days."""
    windows = cases.windows_of(cases.make_case(YEAR_STEPS))[: 30 if report.is_quick else None]

    def ours() -> float:
        return in_ems.roll(windows)

    in_ems.roll(windows[:2])
    matrices = rolled_matrices(windows)
    (ours_s, cost), (bare_s, bare_cost) = in_turn(1 if not report.is_quick else 3, ours, lambda: hot_cost(matrices))
    check_same("rolling in bare HiGHS", bare_cost, cost)
    count = len(windows)
    report.add("rolling", f"bare HiGHS, hot basis, {count} windows", f"{shown_s(bare_s / count)} a window")
    figure = f"{shown_s(ours_s / count)} a window"
    report.add("rolling", "ems", figure, f"{ours_s / bare_s:.2f} x bare", "<= 2", is_met=ours_s <= 2 * bare_s)
    # The slowest peer takes seconds for each window, and all take the same for each: a month tells it.
    month = windows[:30]
    month_s, month_cost = cpu_s(lambda: in_ems.roll(month))
    report.add("rolling", "ems, 30 windows", shown_s(month_s))
    peers_of(
        report, "rolling", lambda peer: float(peer.roll(month)), ours_s=month_s, cost=month_cost, whole=", 30 windows"
    )


def rolled_matrices(windows: Sequence[Case]) -> list[Matrix]:
    """Return the matrix of each window of a rolling plan, with the content that the last one left."""
    warm, matrices = WarmDispatch(in_ems.problem_of(windows[0])), []
    place = warm.compiled.matrix.variable("battery-0", "energy_kwh").at
    content = cases.INITIAL_SOC * cases.CAPACITY_KWH
    for window in windows:
        matrix = compile_problem(in_ems.problem_of(window)).matrix
        matrix.lower[place[0]] = matrix.upper[place[0]] = content
        matrices.append(matrix)
        solution = warm.solve(in_ems.series_of(window), {"battery-0": content})
        assert solution.x is not None
        content = float(solution.x[place[cases.STEPS_OF_DAY]])
    return matrices


def hot_cost(matrices: Sequence[Matrix]) -> float:
    """Return the sum of the costs of like matrices, solved by one HiGHS that keeps its basis."""
    first, total = matrices[0], 0.0
    highs = silent_highs()
    for name, value in {"threads": 1, "presolve": "off", "solver": "simplex"}.items():
        highs.setOptionValue(name, value)
    highs.passModel(highs_lp(first))
    columns, rows = (np.arange(count, dtype=np.int32) for count in (first.columns, first.rows))
    for matrix in matrices:
        highs.changeColsCost(len(columns), columns, matrix.cost)
        highs.changeColsBounds(len(columns), columns, matrix.lower, matrix.upper)
        highs.changeRowsBounds(len(rows), rows, matrix.row_lower, matrix.row_upper)
        highs.changeObjectiveOffset(matrix.offset)
        highs.run()
        total += cost_in(highs)
    return total


def programme(report: Report) -> None:
    """Measure the dynamic programme against the linear programme of the same year."""
    problem = in_ems.problem_of(cases.make_case(YEAR_STEPS))
    matrix = compile_problem(problem).matrix
    (programme_s, schedule), _ = in_turn(5, lambda: storage_programme(replace(problem)), lambda: None)
    bare_s, highs = cpu_s(lambda: bare(matrix))
    check_same("dynamic programme", schedule.objective, cost_in(highs))
    ratio = bare_s / programme_s
    report.add("programme", "bare HiGHS, year", shown_s(bare_s))
    report.add(
        "programme", "dynamic programme", shown_s(programme_s), f"{ratio:.0f} x faster", ">= 50", is_met=ratio >= 50
    )


def memory(report: Report) -> None:
    """Measure the memory of a year in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.dispatch", "--peak-memory"], capture_output=True, text=True, check=True
    )
    peak_mb = float(run.stdout)
    report.add(
        "memory", "ems, year", f"{peak_mb:.0f} MB", "", f"< {MEMORY_LIMIT_MB} MB", is_met=peak_mb < MEMORY_LIMIT_MB
    )


def print_peak_memory() -> None:
    """Solve a year and print the peak of this process's memory in MB."""
    in_ems.result_of(in_ems.problem_of(cases.make_case(YEAR_STEPS)))
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would tell the peak of the process that started this one
        peak_kb = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        print(float(peak_kb) / 1024)
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(peak / (1e6 if sys.platform == "darwin" else 1024))


def commitment(report: Report) -> None:
    """Measure the ten units of Kazarlis against bare HiGHS, and the roots of two formulations."""
    problem, options = kazarlis.kazarlis_problem(), SolverOptions(mip_gap=GAP, time_limit_s=600)
    result = solve(problem, options)
    given, last = result.compiled.matrix, result.final
    lower, upper, is_integer = last.lower.copy(), last.upper.copy(), last.is_integer.copy()
    for whole, part in ((lower, given.lower), (upper, given.upper), (is_integer, given.is_integer)):
        whole[: given.columns] = part  # decisions are fixed in what was solved last; here they are open again
    opened = replace(last, lower=lower, upper=upper, is_integer=is_integer)
    (ours_s, cost), (bare_s, highs) = in_turn(
        1 if report.is_quick else 3,
        lambda: solve(replace(problem), options).solution.objective,
        lambda: bare(opened, mip_rel_gap=GAP),
    )
    assert abs(cost - cost_in(highs)) <= 2 * GAP * cost
    report.add("commitment", "best cost known", f"{kazarlis.KNOWN_COST:,.1f}")
    worst = cost / kazarlis.KNOWN_COST - 1
    report.add("commitment", "cost of ems", f"{cost:,.1f}", f"{worst:+.1e}", f"<= {GAP:g}", is_met=worst <= GAP)
    report.add("commitment", f"bare HiGHS to gap {GAP:g}", shown_s(bare_s))
    ratio = ours_s / bare_s
    report.add("commitment", "ems", shown_s(ours_s), f"{ratio:.2f} x bare", "<= 1.3", is_met=ratio <= 1.3)
    root = cost_in(bare(replace(opened, is_integer=np.zeros(opened.columns, dtype=bool))))
    naive = kazarlis.naive_root()
    for what, bound in (("root of the tight formulation", root), ("root of the naive formulation", naive)):
        report.add("commitment", what, f"{bound:,.1f}", f"{1 - bound / cost:.2%} below the cost")


# ------------------------------------------------------------------------------------------- table
def shown_s(seconds: float) -> str:
    """Return a time with three figures."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def line_of(row: Row) -> str:
    """Return a line for the terminal."""
    mark = {True: "met", False: "MISSED", None: ""}[row.is_met]
    return f"{row.part:<11} {row.what:<42} {row.figure:>20} {row.ratio:>22} {row.aim:>12} {mark}"


def markdown_of(rows: Sequence[Row]) -> str:
    """Return the table in Markdown."""
    head = "| part | what | figure | ratio | aim | |\n|---|---|---:|---:|---:|---|\n"
    return head + "".join(
        f"| {row.part} | {row.what} | {row.figure} | {row.ratio} | {row.aim} | "
        f"{ {True: 'met', False: '**missed**', None: ''}[row.is_met] } |\n"
        for row in rows
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dispatch", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller cases, whose ratios are only hints")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown at the end")
    parser.add_argument("--peak-memory", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.peak_memory:
        print_peak_memory()
        return 0

    logging.disable(logging.WARNING)
    report = Report(chosen.quick)
    parts = (day, year, sites, rolling, programme, memory, commitment)
    for part in parts:
        if part.__name__ in chosen.only:
            part(report)
    if chosen.markdown:
        print("\n" + markdown_of(report.rows))
    missed = [row for row in report.rows if row.is_met is False]
    print(f"{len(missed)} of {sum(row.is_met is not None for row in report.rows)} aims missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
