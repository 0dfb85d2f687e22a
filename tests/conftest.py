"""Fixtures which all tests may use."""

from database_fixtures import database_url, engine, postgresql_server
from project_fixtures import demo_run, project

__all__ = ["database_url", "demo_run", "engine", "postgresql_server", "project"]
