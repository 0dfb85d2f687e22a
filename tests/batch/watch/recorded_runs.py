"""Runs of the study dispatch without a notebook: opened, solved, stored and closed as the notebook does it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ems.database.records import Run
from ems.database.run_id import new_run_id
from ems.database.runs import complete_run, get_run, start_run
from ems.studies.dispatch import DispatchStudy
from ems.studies.study_run import StudyRun, open_record


def recorded_run(engine: sa.Engine, **parameters: Any) -> Run:
    """A completed run with a schedule in the database."""
    study = DispatchStudy(**parameters)
    run = StudyRun(engine, open_record(engine, study, new_run_id(), "demo"), is_own=False)
    start_run(engine, run.id)
    run.store(study.plan(study.pose_problem(study.load_portfolio()), run))
    complete_run(engine, run.id)
    return get_run(engine, run.id)
