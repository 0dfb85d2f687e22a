"""Projects of these tests have their tables already: making them takes longer than most of the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _with_tables(request: pytest.FixtureRequest, sqlite_tables: Path) -> None:
    if "project" in request.fixturenames:
        project: Path = request.getfixturevalue("project")
        shutil.copy(sqlite_tables, project / "data" / "ems.sqlite")
