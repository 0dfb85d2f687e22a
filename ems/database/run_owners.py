"""Which batch or workflow a run was opened by: their processes work on more than this one run."""

from __future__ import annotations

import sqlalchemy as sa

from ems.database.batch_records import BATCH_ATTEMPTS
from ems.database.engine import reading
from ems.database.records import ACTIVE, Run
from ems.database.workflow_records import TASK_EXECUTIONS, WORKFLOW_EXECUTIONS


def batch_of(engine: sa.Engine, run_id: str) -> str | None:
    """Return the batch whose worker opened a run, or None."""
    query = sa.select(BATCH_ATTEMPTS.c.batch_id).where(BATCH_ATTEMPTS.c.run_id == run_id).limit(1)
    with reading(engine) as connection:
        found: str | None = connection.execute(query).scalar()
    return found


def workflow_of(engine: sa.Engine, run: Run) -> str | None:
    """Return the execution of a workflow which opened a run or whose process works on it, or None."""
    of_task = sa.select(TASK_EXECUTIONS.c.execution_id).where(TASK_EXECUTIONS.c.run_id == run.id).limit(1)
    executions = WORKFLOW_EXECUTIONS.c
    in_process = (
        sa.select(executions.id)
        .where(executions.status.in_(ACTIVE), executions.host == run.host, executions.process_id == run.process_id)
        .limit(1)
    )
    with reading(engine) as connection:
        found: str | None = connection.execute(of_task).scalar() or connection.execute(in_process).scalar()
    return found
