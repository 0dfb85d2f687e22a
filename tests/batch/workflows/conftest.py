"""Projects of these tests have their tables already: making them takes longer than most of the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ems.database.engine import connect


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables, empty."""
    path = tmp_path_factory.mktemp("tables") / "ems.sqlite"
    connect(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(autouse=True)
def _with_tables(request: pytest.FixtureRequest, empty_database: Path) -> None:
    if "project" in request.fixturenames:
        project: Path = request.getfixturevalue("project")
        shutil.copy(empty_database, project / "data" / "ems.sqlite")
