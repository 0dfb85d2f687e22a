"""How a batch goes: a bar with what is left, and the rows that stand at its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

from ems.folders import project_folder

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.batch_records import Batch

MOST_FAILURES_SHOWN = 5


class Progress:
    """A bar over the cases of a batch, with the time that is left and the number that failed.

    Parameters
    ----------
    cases : int
    is_shown : bool
    """

    def __init__(self, cases: int, *, is_shown: bool) -> None:
        self.cases, self.is_shown = cases, is_shown
        self.bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, counts: dict[str, int]) -> None:
        """Show how many cases have each status."""
        if not self.is_shown:
            return
        done = counts["completed"] + counts["failed"] + counts["cancelled"]
        if self.bar is None:
            from tqdm import tqdm

            # What was done before says nothing of the time that is left.
            self.bar = tqdm(
                total=self.cases, initial=done, unit="case", desc="Cases", file=sys.stderr, mininterval=0.5
            )
        self.bar.set_postfix_str(f"{counts['running']} running, {counts['failed']} failed", refresh=False)
        self.bar.update(done - self.bar.n)


def outcome_rows(engine: Engine, batch: Batch) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Return how a batch went, as labels and texts for people, and as values for programs."""
    from ems.database.batches import count_cases, list_attempts, list_cases

    counts = count_cases(engine, batch.id)
    cases = list_cases(engine, batch.id)
    reused = sum(case.is_reused for case in cases)
    attempts = list_attempts(engine, batch.id)
    seconds = sum(one.seconds or 0.0 for one in attempts)
    failed = [case for case in cases if case.status == "failed"]
    rows = [("Batch", batch.id), ("Status", batch.status), ("Cases", f"{batch.cases}")]
    rows.append(("Completed", f"{counts['completed']}" + (f", {reused} of them before" if reused else "")))
    if counts["failed"] or counts["cancelled"]:
        rows.append(("Failed", f"{counts['failed']}"))
    if counts["cancelled"]:
        rows.append(("Cancelled", f"{counts['cancelled']}"))
    rows.append(("Attempts", f"{len(attempts)}, {seconds:.1f} s of CPU in kernels"))
    rows += [
        (f"Case {case.number}", f"{case.label}: {(case.error or '').splitlines()[0]}")
        for case in failed[:MOST_FAILURES_SHOWN]
    ]
    if len(failed) > MOST_FAILURES_SHOWN:
        rows.append(("", f"and {len(failed) - MOST_FAILURES_SHOWN} more"))
    if (project_folder() / "parameters" / "comparison" / f"{batch.study}-batch.yaml").is_file():
        rows.append(("Compare", f"ems run comparison {batch.study}-batch -p batch={batch.id}"))
    as_json = {
        "batch": batch.id,
        "status": batch.status,
        "cases": batch.cases,
        **counts,
        "reused": reused,
        "attempts": len(attempts),
        "cpu_seconds": round(seconds, 3),
        "errors": {case.number: case.error for case in failed},
    }
    return rows, as_json
