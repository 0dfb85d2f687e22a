"""A project of one's own: whole, refused where something is in the way, and the same wherever ems comes from."""

from __future__ import annotations

import ast
import errno
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from project_fixtures import ROOT

from ems.batch import new_project
from ems.batch.new_project import PARTS, make_project
from ems.batch.parameters import load_case
from ems.cli import commands
from ems.errors import InvalidInput


def files_of(folder: Path) -> set[str]:
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


def test_make_project__holds_all_notebooks_cases_and_sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_project(tmp_path / "my" / "harbour")
    monkeypatch.delenv("EMS_PROJECT", raising=False)
    monkeypatch.chdir(folder / "parameters")

    known = {
        one.relative_to(ROOT).as_posix()
        for part in PARTS
        for one in (ROOT / part).rglob("*")
        if one.is_file() and not any(name.startswith(".") for name in one.relative_to(ROOT).parts)
    }
    assert files_of(folder) == known | {"README.md", ".gitignore"}
    assert (folder / "README.md").read_text().startswith("# harbour\n")
    assert load_case("dispatch", "demo").study.load_portfolio().assets
    assert [one.name for one in (tmp_path / "my").iterdir()] == ["harbour"]


def test_make_project__takes_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert (make_project(tmp_path / "empty") / "notebooks").is_dir()


def test_make_project__refuses_what_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full, here = tmp_path / "full", tmp_path / "here"
    full.mkdir()
    here.mkdir()
    (full / "work.txt").write_text("mine")
    monkeypatch.chdir(here)

    for folder, words in (
        (full, "not empty; name a new one"),
        (full / "work.txt", "is a file; name another folder"),
        (full / "work.txt" / "new", "is a file; name another folder"),
        (Path(), "go to the one above and say ems init here"),
    ):
        with pytest.raises(InvalidInput, match=words):
            make_project(folder)
    assert files_of(tmp_path) == {"full/work.txt"}


def test_make_project__name_that_no_file_system_takes(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be made: File name too long; name another folder"):
        make_project(tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


def test_make_project__leaves_nothing_where_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full in the middle: the copy of the third file fails as the operating system would let it."""
    whole, copied = shutil.copyfile, []

    def full(source: Path, target: Path) -> object:
        copied.append(source)
        if len(copied) == 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return whole(source, target)

    monkeypatch.setattr(new_project.shutil, "copyfile", full)

    done = CliRunner().invoke(commands, ["init", str(tmp_path / "new")])

    assert done.exit_code == 1
    assert "No space left on device" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_template__is_the_same_in_a_built_package() -> None:
    """What `setup.py` puts into a wheel is what a project is made of."""
    assigned = {
        node.targets[0].id: node.value  # type: ignore[attr-defined]
        for node in ast.parse((ROOT / "setup.py").read_text()).body
        if isinstance(node, ast.Assign)
    }

    assert ast.literal_eval(assigned["PARTS"]) == PARTS


def test_init__tells_what_comes_next(tmp_path: Path) -> None:
    shown = CliRunner().invoke(commands, ["init", str(tmp_path / "my site")]).stdout
    told = CliRunner().invoke(commands, ["init", str(tmp_path / "other"), "--json"]).stdout

    assert f"cd '{tmp_path}/my site'" in shown
    assert json.loads(told) == {"project": str(tmp_path / "other")}
