"""The thread that keeps the lease of an execution, and hears when a person asks it to end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ems.database.workflows import LEASE_S, Lease, get_execution, renew_lease
from ems.errors import DatabaseProblem, LeaseLost

if TYPE_CHECKING:
    from types import TracebackType

    from sqlalchemy import Engine

LOOK_S = 1.0
"""How often it looks whether a person asked the execution to end."""


class LeaseKeeper:
    """Renews a lease until it is closed.

    A process whose lease could not be renewed in time must stop by itself: another one may have taken over.

    Parameters
    ----------
    engine : Engine
    lease : Lease
    lease_s : float
        Length of the lease.
    """

    def __init__(self, engine: Engine, lease: Lease, lease_s: float = LEASE_S) -> None:
        self._engine, self._lease, self._lease_s = engine, lease, lease_s
        self._closing = threading.Event()
        self._held_until = time.monotonic() + lease_s
        self._lost: LeaseLost | None = None
        self.is_cancelling = False
        """Whether a person asked the execution to end."""
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> LeaseKeeper:
        """Begin to keep the lease."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep it no longer."""
        self._closing.set()
        self._thread.join(5)

    def check(self) -> None:
        """Refuse to go on without the lease.

        Raises
        ------
        LeaseLost
        """
        if self._lost is not None:
            raise self._lost
        if time.monotonic() > self._held_until:
            raise LeaseLost(f"the lease of execution {self._lease.execution_id} could not be renewed in time")

    def _keep(self) -> None:
        next_renewal = time.monotonic() + self._lease_s / 3
        while not self._closing.wait(min(LOOK_S, self._lease_s / 3)):
            begin = time.monotonic()
            try:
                if begin >= next_renewal:
                    found = renew_lease(self._engine, self._lease, lease_s=self._lease_s)
                    self._held_until = begin + self._lease_s
                    next_renewal = begin + self._lease_s / 3
                else:
                    found = get_execution(self._engine, self._lease.execution_id)
                self.is_cancelling = self.is_cancelling or found.is_cancelling
                if found.fence != self._lease.fence or found.status != "running":
                    self._lost = LeaseLost(f"execution {found.id} was taken over or closed by another process")
                    return
            except LeaseLost as lost:
                self._lost = lost
                return
            except DatabaseProblem:
                continue  # the database may come back before the lease ends
