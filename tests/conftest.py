"""Fixtures which all tests may use."""

from database_fixtures import database_url, engine, postgresql_server

__all__ = ["database_url", "engine", "postgresql_server"]
