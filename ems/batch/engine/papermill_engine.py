"""The papermill engine ``ems``: forked kernels, a notebook that is written whole, cells marked as they went."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager

from ems.batch.engine.manager import forked_kernel_manager, with_private_sockets
from ems.errors import InvalidInput
from ems.folders import write_whole

SAVE_EVERY_S = 5.0
"""A reader of a running notebook waits this long; papermill writes it twice for each cell."""
INTERRUPTED = "interrupted"
"""Mark of the cell in which a kernel died or time ran out."""


class RunTimeout(TimeoutError):
    """A notebook took longer than it may."""


class CarefulManager(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps the state of a notebook while it runs: written whole, at most every few seconds, marked truthfully."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.saved_at = time.monotonic()

    def save(self, **_: Any) -> None:
        """Write the notebook now and then; `write` does at once."""
        if time.monotonic() - self.saved_at >= SAVE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Write the notebook: at every moment there is the file as it was, or as it is, never a part."""
        self.saved_at, self.last_save_time = time.monotonic(), self.now()
        path = self.output_path
        if not path:
            return
        if "://" in str(path) or not Path(path).parent.is_dir():
            super().save()  # another kind of place, or one that papermill has words for
            return
        import nbformat

        write_whole(Path(path), nbformat.writes(self.nb))

    def cell_interrupted(self, cell: Any, reason: str) -> None:
        """Mark a cell in which the kernel died or time ran out."""
        cell.metadata.papermill["status"] = INTERRUPTED
        cell.metadata.papermill["exception"] = True
        self.nb.metadata.papermill["exception"] = True
        self.nb.metadata.papermill["interrupted"] = reason

    def cell_complete(self, cell: Any, cell_index: int | None = None, **more: Any) -> None:
        """Mark a cell as completed, unless it failed or was interrupted."""
        status = cell.metadata.papermill["status"]
        super().cell_complete(cell, cell_index=cell_index, **more)
        if status == INTERRUPTED:
            cell.metadata.papermill["status"] = INTERRUPTED

    def notebook_complete(self, **more: Any) -> None:
        """Close the notebook; cells that were never begun stay pending."""
        before = [cell.metadata.papermill["status"] for cell in self.nb.cells]
        is_whole = not self.nb.metadata.papermill.get("exception")
        self.saved_at = time.monotonic()  # what follows writes at once where it must
        super().notebook_complete(**more)
        if not is_whole:
            for cell, status in zip(self.nb.cells, before, strict=True):
                cell.metadata.papermill["status"] = status
            self.write()  # of one that is whole, papermill writes the end itself


class CarefulClient(PapermillNotebookClient):  # type: ignore[misc]
    """Runs the cells of a notebook; one that did not end is marked so."""

    def __init__(self, nb_man: CarefulManager, *, run_timeout: float | None = None, **options: Any) -> None:
        super().__init__(nb_man, **options)
        self.ends_at = None if run_timeout is None else time.monotonic() + run_timeout
        self.run_timeout = run_timeout
        self.cell_timeout: float | None = options.get("timeout")

    def execute(self, **options: Any) -> Any:
        """Run the notebook; afterwards no socket is left: a kernel that is given is else never let go."""
        try:
            return super().execute(**options)
        finally:
            if self.kc is not None:
                self.kc.stop_channels()

    def papermill_execute_cells(self) -> None:
        """Execute each cell and keep its state."""
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self._limit_time()
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                return
            except (DeadKernelError, CellTimeoutError, TimeoutError) as error:
                problem = self._in_words(error, index)
                self.nb_man.cell_interrupted(self.nb.cells[index], str(problem))
                raise problem from None
            except BaseException:
                self.nb_man.cell_interrupted(self.nb.cells[index], "stopped from outside")
                raise
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)

    def _limit_time(self) -> None:
        """Give the next cell its own limit, or what is left of the run's."""
        if self.ends_at is None:
            return
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise RunTimeout
        own = self.cell_timeout
        # nbclient counts in whole seconds, and takes 0 for no limit.
        self.timeout = max(1, round(min(left, own) if own else left))

    def _in_words(self, error: Exception, index: int) -> Exception:
        if isinstance(error, DeadKernelError):
            died: Exception = DeadKernelError(f"the kernel died in cell {index + 1}")
            return died
        if self.ends_at is not None and time.monotonic() >= self.ends_at - 1:
            return RunTimeout(f"the run took longer than {self.run_timeout:g} s; it was in cell {index + 1}")
        return RunTimeout(f"cell {index + 1} took longer than {self.cell_timeout:g} s")


class EmsEngine(Engine):  # type: ignore[misc]
    """Runs notebooks in forked kernels: ``papermill in.ipynb out.ipynb --engine ems``."""

    @classmethod
    def execute_notebook(  # noqa: PLR0917 - as papermill calls it
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: Any = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        **options: Any,
    ) -> Any:
        """Return the notebook as it is after its run."""
        manager = CarefulManager(
            nb,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **options)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Run the cells in a forked kernel, or in the kernel that is given as ``km``.

        A notebook that asks for another kernel than this interpreter's own gets the one that it asks for.
        """
        if "km" in options:
            _execute(nb_man, kernel_name, options)
            return
        limit = options.pop("memory_limit_mb", None)
        if kernel_name not in ("", None, NATIVE_KERNEL_NAME):
            if limit is not None:
                raise InvalidInput(
                    f"memory_limit_mb = {limit:g} MB", f"kernel '{kernel_name}' is not forked, and has no such limit"
                )
            _execute(nb_man, kernel_name, options)
            return
        with with_private_sockets(forked_kernel_manager(limit)) as manager:
            try:
                _execute(nb_man, kernel_name, {**options, "km": manager})
            finally:
                if manager.has_kernel:
                    asyncio.run(manager.shutdown_kernel(now=True))


def _execute(nb_man: Any, kernel_name: str, options: dict[str, Any]) -> None:
    """Run the cells as papermill's own engine does, with its options."""
    from papermill.engines import logger

    given = {name: value for name, value in options.items() if name != "input_path"}
    cell_timeout = given.pop("execution_timeout", None) or given.pop("timeout", None)
    CarefulClient(
        nb_man,
        kernel_name=kernel_name,
        timeout=cell_timeout,
        startup_timeout=given.pop("start_timeout", None) or 60,
        log=logger,
        **given,
    ).execute()
