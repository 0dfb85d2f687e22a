"""Which process looks after a schedule, and how far it is: leases with a fence, so that the last one taken holds."""

from __future__ import annotations

import datetime as dt
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import psutil
import sqlalchemy as sa

from ems.database.engine import reading
from ems.database.processes import is_there
from ems.database.tables import record_of
from ems.database.turns import in_turn
from ems.database.workflow_records import SCHEDULES, WORKFLOW_EXECUTIONS, ScheduleState, WorkflowExecution
from ems.errors import DatabaseProblem

ACTIVE = ("pending", "running")


@dataclass(frozen=True)
class Lease:
    """The right of one process to look after the schedule of a workflow, for some time.

    Parameters
    ----------
    workflow : str
    owner : str
        Process that holds it.
    fence : int
        Number of the lease; each that is taken has a greater one.
    lease_until : datetime
        When another process may take it, unless it is renewed.
    handled_until : datetime
        Times up to this one have been started or skipped.
    """

    workflow: str
    owner: str
    fence: int
    lease_until: dt.datetime
    handled_until: dt.datetime


def new_owner() -> str:
    """Return a name for an owner of leases: this machine, this process, its start, and some random letters."""
    process = psutil.Process()
    return f"{socket.gethostname()[:150]} {process.pid} {process.create_time():.0f} {secrets.token_hex(4)}"


def host_of(owner: str) -> str:
    """Return the machine of an owner."""
    return owner.split(" ", maxsplit=1)[0]


def take_lease(
    engine: sa.Engine, workflow: str, owner: str, *, now: dt.datetime, lease_s: float
) -> Lease | ScheduleState:
    """Return the lease of a workflow's schedule, or its state where another process holds it.

    A schedule that is seen for the first time is handled until now: times before are not made up for. A lease whose
    time is over, or whose process on this machine is gone, is taken.

    Raises
    ------
    DatabaseProblem
    """
    with reading(engine) as connection:
        found = _state(connection, workflow)
    if found is not None and _is_held(found, owner, now):
        return found  # a look is enough, so that a copy that waits writes nothing

    def take(connection: sa.Connection) -> Lease | ScheduleState:
        state = _state(connection, workflow, for_update=True)
        if state is None:
            values = {"workflow": workflow, "handled_until": now, "fence": 0}
            connection.execute(sa.insert(SCHEDULES), values)
            state = ScheduleState(workflow=workflow, handled_until=now)
        if _is_held(state, owner, now):
            return state
        lease = Lease(
            workflow, owner, state.fence + 1, now + dt.timedelta(seconds=lease_s), state.handled_until or now
        )
        values = {"fence": lease.fence, "owner": owner, "lease_until": lease.lease_until}
        values["handled_until"] = lease.handled_until
        connection.execute(sa.update(SCHEDULES).where(SCHEDULES.c.workflow == workflow).values(values))
        return lease

    return in_turn(engine, take)


def renew_leases(
    engine: sa.Engine,
    leases: Iterable[Lease],
    *,
    now: dt.datetime,
    lease_s: float,
    handled: Mapping[str, dt.datetime] | None = None,
) -> dict[str, Lease]:
    """Return those leases that still hold, renewed, by workflow.

    Parameters
    ----------
    engine : Engine
    leases : iterable of Lease
    now : datetime
    lease_s : float
        How long they hold from now on.
    handled : mapping of str to datetime, optional
        For each workflow a moment up to which nothing is left to do; never set back.
    """
    wanted, until = list(leases), now + dt.timedelta(seconds=lease_s)
    if not wanted:
        return {}

    def renew(connection: sa.Connection) -> dict[str, Lease]:
        held = {}
        for lease in wanted:
            done = max(lease.handled_until, (handled or {}).get(lease.workflow, lease.handled_until))
            values = {"lease_until": until, "handled_until": done}
            if connection.execute(_of(lease).values(values)).rowcount == 1:
                held[lease.workflow] = replace(lease, lease_until=until, handled_until=done)
        return held

    return in_turn(engine, renew)


def note_handled(engine: sa.Engine, lease: Lease, until: dt.datetime, *, set_back: bool = False) -> Lease | None:
    """Return a lease whose times up to a moment are handled, or None where another process has taken it.

    Parameters
    ----------
    engine : Engine
    lease : Lease
    until : datetime
    set_back : bool
        Whether an earlier moment than the one noted may take its place: only after a clock was put right.
    """
    moment = until if set_back else max(until, lease.handled_until)
    kept = in_turn(engine, lambda connection: connection.execute(_of(lease).values(handled_until=moment)).rowcount)
    return replace(lease, handled_until=moment) if kept == 1 else None


def release_leases(engine: sa.Engine, leases: Iterable[Lease]) -> None:
    """Give leases back, so that another process need not wait for their end."""
    wanted = list(leases)

    def release(connection: sa.Connection) -> None:
        for lease in wanted:
            connection.execute(_of(lease).values(owner=None, lease_until=None))

    if wanted:
        in_turn(engine, release)


def schedule_states(engine: sa.Engine) -> list[ScheduleState]:
    """Return how far all schedules are, by name."""
    with reading(engine) as connection:
        rows = connection.execute(sa.select(SCHEDULES).order_by(SCHEDULES.c.workflow)).mappings()
        return [record_of(ScheduleState, row) for row in rows]


def execution_of(engine: sa.Engine, execution_id: str) -> WorkflowExecution | None:
    """Return the execution of an id, or None."""
    query = sa.select(WORKFLOW_EXECUTIONS).where(WORKFLOW_EXECUTIONS.c.id == execution_id)
    with reading(engine) as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else record_of(WorkflowExecution, row)


def active_executions(engine: sa.Engine, workflow: str) -> list[WorkflowExecution]:
    """Return the executions of a workflow that wait or run, as the database has them."""
    of = WORKFLOW_EXECUTIONS.c
    query = sa.select(WORKFLOW_EXECUTIONS).where(of.workflow == workflow, of.status.in_(ACTIVE))
    with reading(engine) as connection:
        return [
            record_of(WorkflowExecution, row) for row in connection.execute(query.order_by(of.created_at)).mappings()
        ]


def is_refusal(problem: DatabaseProblem) -> bool:
    """Return whether a database could be reached and did not take what it was given; another try is of no use."""
    error = problem.__context__
    return isinstance(error, sa.exc.IntegrityError | sa.exc.DataError | sa.exc.ProgrammingError)


# ---------------------------------------------------------------------------------------------- inside
def _of(lease: Lease) -> sa.Update:
    """Return the change of a schedule that only the holder of its newest lease can make."""
    is_newest = (SCHEDULES.c.workflow == lease.workflow, SCHEDULES.c.fence == lease.fence)
    return sa.update(SCHEDULES).where(*is_newest, SCHEDULES.c.owner == lease.owner)


def _state(connection: sa.Connection, workflow: str, *, for_update: bool = False) -> ScheduleState | None:
    query = sa.select(SCHEDULES).where(SCHEDULES.c.workflow == workflow)
    row = connection.execute(query.with_for_update() if for_update else query).mappings().one_or_none()
    return None if row is None else record_of(ScheduleState, row)


def _is_held(state: ScheduleState, owner: str, now: dt.datetime) -> bool:
    """Return whether another owner's lease holds."""
    if state.owner in (None, owner) or state.lease_until is None or state.lease_until <= now:
        return False
    return not _is_gone(state.owner or "")


def _is_gone(owner: str) -> bool:
    """Return whether an owner is a process of this machine that has ended."""
    host, *rest = owner.split(" ")
    if host != socket.gethostname()[:150] or len(rest) != 3:
        return False
    try:
        return not is_there(int(rest[0]), float(rest[1]))
    except ValueError:
        return False
