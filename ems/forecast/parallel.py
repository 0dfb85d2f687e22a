"""Forecasts of many series at once, over several processes; one that fails does not stop the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ems.errors import InvalidInput
from ems.forecast.calibration import LEVELS, Calibration
from ems.forecast.folds import Progress
from ems.forecast.forecaster import WARM_UP_DAYS, checked_levels, fit_forecaster
from ems.forecast.history import History
from ems.forecast.recipe import Recipe
from ems.forecast.threads import one_thread

if TYPE_CHECKING:
    import datetime as dt
    from multiprocessing.connection import Connection

    import numpy as np
    import pandas as pd
    import xarray as xr

WAITING = 2
"""Series handed to each process ahead of time, so that none waits, and few histories are copied at a time."""


def forecast_many(
    histories: Mapping[str, History],
    recipe: Recipe,
    issued_at: dt.datetime | pd.Timestamp | np.datetime64 | None = None,
    *,
    horizon_h: float = 24.0,
    in_local_days: bool = True,
    levels: Sequence[float] = LEVELS,
    calibration: Calibration | None = None,
    warm_up_days: int = WARM_UP_DAYS,
    processes: int | None = None,
    progress: Progress | None = None,
) -> dict[str, xr.Dataset | InvalidInput]:
    """Return the forecast of each series, or the reason why there is none, in the order of the series.

    Each is what `fit_forecaster` and `FittedForecaster.predict` give of it alone: neither the other series nor the
    number of processes change a digit, as each process keeps to one thread. A script calls this below
    ``if __name__ == "__main__":``, as processes start by reading the script again.

    Parameters
    ----------
    histories : mapping of str to History
    recipe : Recipe
    issued_at : datetime, optional
        Issue time of all; after its own last measured value for each where it is left out.
    horizon_h, in_local_days, levels, calibration, warm_up_days
        As `fit_forecaster` takes them.
    processes : int, optional
        Where it is left out, as many as this process may use processors, at most one a series; 1 starts none.
    progress : callable, optional
        Told how many series of how many are done.

    Returns
    -------
    dict of str to Dataset (time, quantile) or InvalidInput

    Raises
    ------
    InvalidInput
        If an argument cannot be used for any series.
    """
    if processes is not None and processes < 1:
        raise InvalidInput("forecast of many series", f"processes = {processes}: must be at least 1")
    asked = {
        "recipe": recipe,
        "issued_at": issued_at,
        "horizon_h": horizon_h,
        "in_local_days": in_local_days,
        "levels": checked_levels(levels),
        "calibration": calibration,
        "warm_up_days": warm_up_days,
    }
    tasks = deque(_Task(name, history, asked) for name, history in histories.items())
    total = len(tasks)
    number = min(usable_processors() if processes is None else processes, total)
    found: dict[str, xr.Dataset | InvalidInput] = {}
    # Closed, and with it its processes ended, also where this is left by Ctrl-C.
    with closing(_alone(tasks) if number <= 1 else _shared(tasks, number)) as results:
        for name, result in results:
            found[name] = result
            if progress is not None:
                progress(len(found), total)
    return {name: found[name] for name in histories}


def usable_processors() -> int:
    """Return how many processors this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Task:
    """A series, and what is asked of it."""

    name: str
    history: History
    asked: Mapping[str, Any]

    def run(self) -> xr.Dataset | InvalidInput:
        """Return the forecast, or the reason why there is none."""
        try:
            with one_thread():
                return fit_forecaster(self.history, **self.asked).predict(self.history)
        except InvalidInput as error:
            return error
        except Exception as error:  # a fault of a library with one series shall not cost the others
            return self.failed(f"could not be made ({type(error).__name__}: {error})")

    def failed(self, reason: str) -> InvalidInput:
        """Return a failure in the form of all others."""
        return InvalidInput(f"forecast of {self.history.label}", reason)


Results = Generator[tuple[str, "xr.Dataset | InvalidInput"], None, None]


def _alone(tasks: deque[_Task]) -> Results:
    """Yield results of this process."""
    while tasks:
        task = tasks.popleft()
        yield task.name, task.run()


def _shared(tasks: deque[_Task], processes: int) -> Results:
    """Yield results of several processes, as they come.

    Where a process ends on its own, as when memory runs out, nobody tells which series it was at: those that were
    handed out are run again, each in a process of its own, and then the rest goes on.

    Raises
    ------
    InvalidInput
        If processes end before any has done anything.
    """
    done = 0
    while tasks:
        lost: list[_Task] = []
        before = len(tasks)
        yield from _until_broken(tasks, processes, lost)
        done += before - len(tasks) - len(lost)
        for task in lost:
            again: list[_Task] = []
            yield from _until_broken(deque([task]), 1, again)
            done += not again
            if again:
                yield task.name, task.failed("its process ended before it was done; memory may have run out")
        if not done and tasks:
            raise InvalidInput(
                "forecast of many series",
                'processes end before they begin; call it below if __name__ == "__main__":, or say processes = 1',
            )


def _until_broken(tasks: deque[_Task], processes: int, lost: list[_Task]) -> Results:
    """Yield results of tasks, which are taken away; where a process ends, those that were handed out are lost."""
    running: dict[Future[xr.Dataset | InvalidInput], _Task] = {}
    with _pool(processes) as pool:
        try:
            while tasks or running:
                while tasks and len(running) < processes * WAITING:
                    running[pool.submit(tasks[0].run)] = tasks[0]
                    tasks.popleft()
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    result = future.result()
                    yield running.pop(future).name, result
        except BrokenProcessPool:
            lost += running.values()


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes, started afresh, that end at once after an error or Ctrl-C, and with the one that started them.

    They are no forks: that of a process with threads, as those of linear algebra, may stand still for ever.
    """
    context = multiprocessing.get_context("spawn")
    lifeline, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(processes, context, initializer=_begin_process, initargs=(lifeline,))
    try:
        yield pool
    except BaseException:
        held.close()
        pool.shutdown(cancel_futures=True)
        raise
    else:
        pool.shutdown()
    finally:
        held.close()
        lifeline.close()


def _begin_process(lifeline: Connection) -> None:
    """Bind a process to the one that started it."""
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    """End this process when nobody holds the other end of a pipe any more."""
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)
