"""Files of a project are found by name or path, and written whole or not at all."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems.errors import InvalidInput, UnknownName
from ems.folders import (
    find_file,
    is_slug,
    looks_like_path,
    project_folder,
    scratch_folder,
    sha256_of,
    shown_path,
    sweep_partial_files,
    write_whole,
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project with one site, stated by EMS_PROJECT; the working folder lies elsewhere."""
    folder = tmp_path / "project"
    for name in ("notebooks", "parameters", "data/sites"):
        (folder / name).mkdir(parents=True)
    (folder / "data/sites/harbour.yaml").write_text("currency: EUR\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("EMS_PROJECT", str(folder))
    monkeypatch.chdir(elsewhere)
    return folder


def find_site(name: str, home: Path) -> Path:
    return find_file(name, home / "data/sites", (".yaml", ".yml"), "site")


def test_project_folder__named_by_the_environment(home):
    assert project_folder() == home


def test_project_folder__named_folder_is_no_project(home, monkeypatch, tmp_path):
    monkeypatch.setenv("EMS_PROJECT", str(tmp_path / "elsewhere"))
    with pytest.raises(InvalidInput, match=r"EMS_PROJECT = '.*this folder has no notebooks/"):
        project_folder()


def test_project_folder__home_of_nobody(home, monkeypatch):
    monkeypatch.setenv("EMS_PROJECT", "~no-such-user/project")
    with pytest.raises(InvalidInput, match="EMS_PROJECT = '~no-such-user/project'"):
        project_folder()


def test_project_folder__nearest_above_the_working_folder(home, monkeypatch):
    monkeypatch.delenv("EMS_PROJECT")
    deep = home / "notebooks" / "drafts"
    deep.mkdir()
    monkeypatch.chdir(deep)
    assert project_folder() == home


def test_project_folder__none_above(home, monkeypatch):
    monkeypatch.delenv("EMS_PROJECT")
    with pytest.raises(InvalidInput, match="set EMS_PROJECT, or make one: ems init FOLDER"):
        project_folder()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("harbour-battery-1", True),
        ("a", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("run_2", True),
        ("", False),
        ("-a", False),
        ("a-", False),
        ("a--b", False),
        ("Bat", False),
        ("bät", False),
        ("a b", False),
        ("a.b", False),
        ("a/b", False),
        ("..", False),
        ("a\n", False),
        ("a\0", False),
        ("٣", False),  # a digit of another script
    ],
)
def test_is_slug__each_case(name, answer):
    assert is_slug(name) is answer


@given(st.text(max_size=70))
def test_is_slug__a_slug_is_one_plain_part_of_a_path(name):
    if is_slug(name):
        assert Path(name).name == name
        assert not looks_like_path(name)
        assert name.isascii()


def test_find_file__by_name(home):
    assert find_site("harbour", home) == home / "data/sites/harbour.yaml"


def test_find_file__first_ending_wins(home):
    (home / "data/sites/harbour.yml").write_text("")
    (home / "data/sites/quay.yml").write_text("")
    assert find_site("harbour", home).suffix == ".yaml"
    assert find_site("quay", home).suffix == ".yml"


def test_find_file__by_path_relative_to_working_folder_or_project(home):
    Path("own.yaml").write_text("")
    assert find_site("own.yaml", home) == Path.cwd() / "own.yaml"
    assert find_site("data/sites/harbour.yaml", home) == home / "data/sites/harbour.yaml"
    assert find_site(str(home / "data/sites/harbour.yaml"), home) == home / "data/sites/harbour.yaml"


def test_find_file__misspelt_name(home):
    with pytest.raises(UnknownName, match=r"site 'habour': not in data/sites/; did you mean harbour\?"):
        find_site("habour", home)


def test_find_file__no_file_of_that_path(home):
    with pytest.raises(UnknownName, match=r"site '\.\./secret\.yaml': there is no such file in"):
        find_site("../secret.yaml", home)


@pytest.mark.parametrize(
    "name", ["data/sites", ".", "/", "x" * 300 + ".yaml", "~no-such-user/x.yaml", "", "HARBOUR", "harbour\n", "a b"]
)
def test_find_file__what_is_no_file_is_refused_in_words(name, home):
    with pytest.raises(UnknownName, match="site "):
        find_site(name, home)


def test_find_file__nul_character(home):
    with pytest.raises(InvalidInput, match=r"site 'a\\u0000b': a name or path cannot hold a NUL"):
        find_site("a\0b", home)


def test_write_whole__new_file_with_its_folders(home):
    path = home / "reports" / "dispatch" / "a.html"
    write_whole(path, "Grüße")
    assert path.read_bytes() == "Grüße".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_write_whole__takes_the_place_of_the_old_file(home):
    path = home / "a.html"
    write_whole(path, "old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(scratch_folder().iterdir()) == []


def test_write_whole__a_full_disk_leaves_the_old_file(home):
    """A limit of 64 kB on files stands in for a full disk: 1 MB fails midway."""
    path = home / "a.html"
    write_whole(path, "old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_whole(path, b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"
    assert list(scratch_folder().iterdir()) == []


def test_write_whole__text_that_has_no_utf8_leaves_the_old_file(home):
    path = home / "a.html"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(scratch_folder().iterdir()) == []


def test_write_whole__target_is_a_folder(home):
    (home / "a.html").mkdir()
    with pytest.raises(OSError, match=r"a\.html"):
        write_whole(home / "a.html", "new")
    assert (home / "a.html").is_dir()
    assert list(scratch_folder().iterdir()) == []


def test_write_whole__killed_writer_leaves_the_old_file(home):
    """A process that is killed between two of many writes leaves one of the two contents, each whole."""
    path = home / "a.html"
    code = (
        "import sys; from pathlib import Path; from ems.folders import write_whole\n"
        "path = Path(sys.argv[1])\n"
        "write_whole(path, b'a' * 3_000_000); print('ready', flush=True)\n"
        "while True:\n"
        "    for letter in (b'b', b'a'): write_whole(path, letter * 3_000_000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env=os.environ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        writer.kill()
    content = path.read_bytes()
    assert len(content) == 3_000_000
    assert len(set(content)) == 1
    assert [file.name for file in home.iterdir() if file.name.startswith(".partial")] == []


def test_sha256_of__known_value(tmp_path):
    """The hash of nothing is in every textbook."""
    (tmp_path / "empty").write_bytes(b"")
    assert sha256_of(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_shown_path__inside_and_outside(home):
    assert shown_path(home / "data" / "sites") == "data/sites"
    assert shown_path(Path("/somewhere/else")) == "/somewhere/else"


def test_sweep_partial_files__removes_what_the_dead_have_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that is killed leaves the part of a file; one that still writes keeps it."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("EMS_PROJECT", str(tmp_path))
    code = (
        "import os, ems.folders as f; os.fsync = lambda _: os._exit(9); f.write_whole(f.project_folder() / 'a', 'b')"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    (left,) = (tmp_path / ".ems").glob(".partial-*")
    mine = left.with_name(left.name.replace(f"-{left.name.split('-')[2]}-", f"-{os.getpid()}-"))
    mine.write_text("half")
    foreign = left.with_name(".partial-anothermachine-1-abc")
    foreign.write_text("half")

    sweep_partial_files()

    assert killed.returncode == 9
    assert not left.exists()
    assert mine.exists()
    assert foreign.exists()
