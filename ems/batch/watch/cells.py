"""What the log says of a notebook's cells."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from ems.batch.watch.logs import RUN_ID, log_event
from ems.errors import LONGEST_SHOWN


def cell_hooks() -> dict[str, Callable[..., None]]:
    """Return the hooks by which the client of a kernel tells each code cell that begins and ends.

    They belong to the run in whose context they were made, in whatever thread the client calls them.
    """
    run_id = RUN_ID.get()
    begun: dict[int, float] = {}

    def begin(cell: Any, cell_index: int) -> None:
        begun[cell_index] = time.monotonic()
        first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
        said = first if len(first) <= LONGEST_SHOWN else f"{first[: LONGEST_SHOWN - 3]}..."
        log_event("cell_started", f"cell {cell_index + 1} started: {said}", run_id=run_id, cell=cell_index + 1)

    def end(cell: Any, cell_index: int, execute_reply: Any) -> None:
        seconds = round(time.monotonic() - begun.pop(cell_index, time.monotonic()), 3)
        reply, number = execute_reply.get("content", {}), cell_index + 1
        if reply.get("status") == "error":
            error = f"{reply.get('ename', 'Error')}: {reply.get('evalue', '')}".rstrip(": ")
            log_event(
                "cell_failed",
                f"cell {number} failed after {seconds:.2f} s: {error}",
                level=logging.ERROR,
                is_told=True,  # the command ends with the reason
                run_id=run_id,
                cell=number,
                seconds=seconds,
                error=error,
            )
            return
        said = f"cell {number} finished in {seconds:.2f} s"
        log_event("cell_finished", said, run_id=run_id, cell=number, seconds=seconds)

    return {"on_cell_execute": begin, "on_cell_executed": end}
