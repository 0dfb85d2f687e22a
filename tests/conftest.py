"""Fixtures which all tests may use, and the table of reference cases at the end of a run."""

import os

from database_fixtures import database_url, engine, postgresql_server, postgresql_tables, sqlite_tables
from example_counts import examples
from hypothesis import HealthCheck, settings
from project_fixtures import demo_run, project
from reference_table import pytest_terminal_summary
from report_fixtures import reports

__all__ = [
    "database_url",
    "demo_run",
    "engine",
    "postgresql_server",
    "postgresql_tables",
    "project",
    "pytest_terminal_summary",
    "reports",
    "sqlite_tables",
]

# A law holds on a slow machine, too. Where a commit is judged, the same examples come each time; elsewhere new ones.
IS_JUDGED = "CI" in os.environ
settings.register_profile(
    "ems",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=IS_JUDGED,
    max_examples=examples(50),
)
settings.load_profile("ems")
