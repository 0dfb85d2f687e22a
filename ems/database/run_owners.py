"""Which batch or workflow a run was opened by: their processes work on more than this one run."""

from __future__ import annotations

import sqlalchemy as sa

from ems.database.batch_records import BATCH_ATTEMPTS
from ems.database.engine import reading
from ems.database.records import ACTIVE, Run
from ems.database.workflow_records import WORKFLOW_EXECUTIONS


def batch_of(engine: sa.Engine, run_id: str) -> str | None:
    """Return the batch whose worker opened a run, or None."""
    query = sa.select(BATCH_ATTEMPTS.c.batch_id).where(BATCH_ATTEMPTS.c.run_id == run_id).limit(1)
    with reading(engine) as connection:
        found: str | None = connection.execute(query).scalar()
    return found


def workflow_of(engine: sa.Engine, run: Run) -> str | None:
    """Return the execution of a workflow in whose own process a run is, or None: tasks have processes of their own."""
    executions = WORKFLOW_EXECUTIONS.c
    is_its_process = (executions.host == run.host, executions.process_id == run.process_id)
    query = sa.select(executions.id).where(executions.status.in_(ACTIVE), *is_its_process).limit(1)
    with reading(engine) as connection:
        found: str | None = connection.execute(query).scalar()
    return found
