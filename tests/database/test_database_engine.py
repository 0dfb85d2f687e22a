from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from ems.database import engine as engine_module
from ems.database.engine import (
    HEAD,
    connect,
    open_engine,
    reading,
    revision_in,
    writing,
)
from ems.database.migrate import current, upgrade
from ems.errors import DatabaseProblem

CONNECT = "import sys; from ems.database.engine import connect; connect(sys.argv[1])"


def test_database_url__default_and_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("EMS_DATABASE_URL", raising=False)
    odd = tmp_path / "a b%20?c#d ü"
    assert sa.make_url(engine_module.database_url(odd)).database == str(odd / "data" / "ems.sqlite")
    monkeypatch.setenv("EMS_DATABASE_URL", "postgres://ems@db/ems")
    assert engine_module.database_url(tmp_path) == "postgresql+psycopg://ems@db/ems"


def test_connect__new_file_in_a_new_folder(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/data/ems.sqlite"
    engine = connect(url)
    assert current(url) == HEAD
    with reading(engine) as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert settings == ["wal", 1, 30_000]


def test_connect__memory():
    engine = connect("sqlite://")
    with reading(engine) as connection:
        assert revision_in(connection) == HEAD


def test_connect__current_file_needs_no_alembic(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/ems.sqlite"
    connect(url)
    check = f"{CONNECT}; print('alembic' in sys.modules, 'pandas' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", check, url], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]


def test_connect__processes_at_once(tmp_path: Path):
    """Four processes open the same new file in the same moment; each finds a whole database."""
    url = f"sqlite:///{tmp_path}/ems.sqlite"
    start = time.time() + 2.0  # by then all have imported what they need
    imports = "import sys, time, ems.database.engine, ems.database.migrate"
    wait = "time.sleep(max(0, float(sys.argv[2]) - time.time()))"
    command = [sys.executable, "-c", f"{imports}; {wait}; {CONNECT}", url, str(start)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    assert current(url) == HEAD
    with reading(open_engine(url)) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar() == 1


def test_connect__server_without_tables(postgresql_server: str):
    """A team's database is upgraded by a person, not by whoever comes first."""
    with pytest.raises(DatabaseProblem, match=f"has no tables of ems yet, this version needs {HEAD}; run `ems db up"):
        connect(postgresql_server)


def test_connect__server_of_an_older_revision(database_url: str):
    if database_url.startswith("sqlite"):
        assert connect(database_url).dialect.name == "sqlite"
        return
    with writing(open_engine(database_url)) as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    with pytest.raises(DatabaseProblem, match="run `ems db upgrade`"):
        connect(database_url)


def test_connect__newer_than_the_package(database_url: str):
    upgrade(database_url)
    with writing(open_engine(database_url)) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for open_it in (connect, upgrade):
        with pytest.raises(DatabaseProblem, match=r"at revision 9999, which this version of ems does not know"):
            open_it(database_url)


def test_connect__file_of_another_program(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/music.sqlite"
    with writing(open_engine(url)) as connection:
        connection.execute(sa.text("CREATE TABLE songs (title TEXT)"))
    with pytest.raises(DatabaseProblem, match="holds tables of another program"):
        connect(url)


def test_connect__no_database(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be looked at" * 50)
    with pytest.raises(DatabaseProblem, match="is no SQLite file"):
        connect(f"sqlite:///{tmp_path}/notes.txt")


def test_connect__damaged_file(tmp_path: Path):
    file = tmp_path / "ems.sqlite"
    engine = connect(f"sqlite:///{file}")
    with writing(engine) as connection:
        connection.exec_driver_sql("PRAGMA user_version = 1")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(DatabaseProblem, match="is damaged"):
        connect(f"sqlite:///{file}")


@pytest.mark.parametrize("place", ["", "/missing/folder/ems.sqlite", "/file.txt/ems.sqlite"])
def test_connect__place_that_cannot_be_written(tmp_path: Path, place: str):
    """A folder in place of the file, a folder that is not there, a file in place of the folder."""
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(DatabaseProblem, match="cannot be opened"):
        connect(f"sqlite:///{tmp_path}{place}")


def test_connect__read_only(tmp_path: Path):
    file = tmp_path / "ems.sqlite"
    open_engine(f"sqlite:///{file}").connect().close()
    with pytest.raises(DatabaseProblem, match="cannot be written"):
        connect(f"sqlite:///file:{file}?mode=ro&uri=true")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://ems:hunter2@127.0.0.1:1/ems", "cannot be reached"),
        ("postgresql://ems@127.0.0.1:1/ems?password=hunter2", "cannot be reached"),
        ("postgresql://ems:hunter2@[broken/ems", "cannot be reached"),
        ("postgresql://ems:hunter2@host:port/ems", "is no address"),
        ("mysql://ems:hunter2@db/ems", "mysql is not supported; use sqlite or postgresql"),
        ("postgresql+psycopg2://ems:hunter2@db/ems", "is not supported"),
        ("ems:hunter2@db/ems", "is no address"),
        ("postgresql:/ems:hunter2@db/ems", "is no address"),
        ("postgresql://ems:geheim@hunter2/x@127.0.0.1:1/ems", "more than one @; write it as %40 within a password"),
    ],
)
def test_connect__address_that_leads_nowhere(url: str, said: str):
    """One sentence which says what is wrong, and never the password of an address."""
    with pytest.raises(DatabaseProblem, match=said) as caught:
        connect(url)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_connect__unknown_database_on_a_server(postgresql_server: str):
    url = sa.make_url(postgresql_server).set(database="not_there").render_as_string(hide_password=False)
    with pytest.raises(DatabaseProblem, match=r'cannot be reached.*database "not_there" does not exist'):
        connect(url)


def test_connect__driver_missing():
    """Without psycopg the message says which command installs it."""
    script = f"import sys; sys.modules['psycopg'] = None; {CONNECT.removeprefix('import sys; ')}"
    said = subprocess.run(
        [sys.executable, "-c", script, "postgresql://db/ems"], capture_output=True, text=True, env={**os.environ}
    )
    assert 'run pip install "ems[postgresql]"' in said.stderr.splitlines()[-1]


def test_writing__nothing_is_kept_after_an_error(engine: sa.Engine):
    with pytest.raises(RuntimeError, match="stop"), writing(engine) as connection:
        connection.execute(sa.text("CREATE TABLE scratch (a INTEGER)"))
        raise RuntimeError("stop")
    with reading(engine) as connection:
        assert not sa.inspect(connection).has_table("scratch")


def test_import__is_cheap():
    """The package and its masking need no SQLAlchemy."""
    check = "import sys, ems.database, ems.database.masking; print('sqlalchemy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
