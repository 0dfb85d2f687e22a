"""A project of one's own: a folder with the notebooks, their cases and the sample sites of this package."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

import ems
from ems.errors import InvalidInput, show

PARTS = ("notebooks", "parameters", "data/sites", "data/series", "data/operation")
"""Folders that a project begins with."""
IGNORED = """# what ems makes and can make again; a team's records are in its database
.ems/
reports/
data/models/
data/*.sqlite
data/*.sqlite-*
.ipynb_checkpoints/
"""
README = """# {name}

A project of ems. From this folder:

    ems doctor               what is in order and what is not
    ems run dispatch demo    dispatch the battery of the demo site, write its report into reports/
    ems report site          make pages of all that is in the database

| folder | what is in it |
|---|---|
| notebooks/ | one notebook for each study; they are yours to change |
| parameters/ | cases: for each notebook the parameters of a run |
| data/sites/, data/series/ | sites, and what was measured there: demo.yaml and demo.csv show how |
| reports/ | what runs have written |
"""


def template_folder() -> Path:
    """Return where the files of a new project are: in the package where it was built, else in its repository."""
    package = Path(ems.__file__).resolve().parent
    built = package / "template"
    return built if built.is_dir() else package.parent


def make_project(folder: Path) -> Path:
    """Make a project, whole or not at all, and return its folder.

    Parameters
    ----------
    folder : Path
        Must not be there yet, or be empty.

    Raises
    ------
    InvalidInput
        If something is in the way, or the package has no files for it.
    """
    named, folder = show(str(folder)), folder.expanduser().resolve()
    _check_place(folder, named)
    template = template_folder()
    missing = [part for part in PARTS if not (template / part).is_dir()]
    if missing:
        raise InvalidInput(
            f"project {named}",
            f"{template} has no {', '.join(missing)} to begin with; install ems from its wheel or its repository",
        )
    try:
        return _make(folder, template, named)
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.ENOENT):  # what another name does not mend
            raise
        raise InvalidInput(f"project {named}", f"cannot be made: {error.strerror}; name another folder") from None


def _make(folder: Path, template: Path, named: str) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Made beside its place and then named: a project that is there is whole.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
        made = Path(beside) / "project"
        for part in PARTS:
            _copy(template / part, made / part)
        (made / "reports").mkdir()
        (made / "README.md").write_text(README.format(name=folder.name), encoding="utf-8")
        (made / ".gitignore").write_text(IGNORED, encoding="utf-8")
        try:
            made.replace(folder)
        except OSError:
            _check_place(folder, named)  # somebody was quicker
            raise
    return folder


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a folder up to the first that cannot be written; `shutil.copytree` would try them all."""
    for file in sorted(one for one in source.rglob("*") if one.is_file()):
        inside = file.relative_to(source)
        if any(name.startswith(".") or name == "__pycache__" for name in inside.parts):
            continue
        (target / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / inside)


def _check_place(folder: Path, named: str) -> None:
    parent = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    if not parent.is_dir():
        raise InvalidInput(f"project {named}", f"{parent} is a file; name another folder")
    if parent != folder:
        return
    if any(folder.iterdir()):
        raise InvalidInput(f"project {named}", "the folder is there and not empty; name a new one")
    if folder == Path.cwd():
        raise InvalidInput(
            f"project {named}", f"this is the folder you are in; go to the one above and say ems init {folder.name}"
        )
