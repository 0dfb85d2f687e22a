"""Fixtures which all tests may use, and the table of reference cases at the end of a run."""

from database_fixtures import database_url, engine, postgresql_server
from project_fixtures import demo_run, project
from reference_table import pytest_terminal_summary

__all__ = ["database_url", "demo_run", "engine", "postgresql_server", "project", "pytest_terminal_summary"]
