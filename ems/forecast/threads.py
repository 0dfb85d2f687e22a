"""One thread for linear algebra: its matrices are small here, and threads that wait for each other cost time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep linear algebra on one thread, so that a busy machine is no slower and sums are the same each time.

    On two cores with other work, fitting took four times the CPU time with two threads.
    """
    import scipy.linalg  # noqa: F401 - it brings a library of its own, which can only be limited once it is loaded
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield
