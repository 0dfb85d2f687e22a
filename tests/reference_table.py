"""The table of reference cases at the end of a run of tests: expected, found, seconds."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write a line for each reference case that was checked.

    The lines come from properties of the reports, which also reach the terminal from the processes of pytest-xdist.
    """
    reports = [report for one in terminalreporter.stats.values() for report in one]
    rows = sorted(
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "reference_case" and report.when == "call"
    )
    if not rows:
        return
    terminalreporter.section("reference cases")
    terminalreporter.write_line(f"{'case':<36}{'expected':>18}{'found':>18}{'seconds':>9}")
    for case, expected, found, seconds in rows:
        cells = [f"{'infeasible' if value is None else f'{value:.6f}':>18}" for value in (expected, found)]
        terminalreporter.write_line(f"{case:<36}{cells[0]}{cells[1]}{seconds:>9.2f}")
